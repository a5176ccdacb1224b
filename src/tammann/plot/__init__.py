"""Results to axes: every function takes results and ``ax=None``, labels its units and returns the Axes.

Without ``ax`` a figure of its own is made, outside pyplot, so that nothing needs closing and no window opens;
``ax.figure`` shows it in a notebook and ``save_figure`` writes it, whole or not at all.
"""

from tammann.plot.arrhenius import plot_arrhenius
from tammann.plot.baselines import plot_baselines
from tammann.plot.correlation_factors import plot_correlation_factors
from tammann.plot.correlations import plot_correlations, plot_log_log_slope
from tammann.plot.dissipation import plot_bottlenecks, plot_dissipation
from tammann.plot.flow import plot_reaction_flow
from tammann.plot.fractions import plot_phase_fractions
from tammann.plot.gibbs_left import plot_gibbs_left
from tammann.plot.growth_constants import plot_growth_constants
from tammann.plot.hull import plot_hull
from tammann.plot.layer_thickness import plot_layer_thickness
from tammann.plot.layers import plot_layers
from tammann.plot.learning_curves import plot_learning_curves
from tammann.plot.local_structure import (
    plot_bond_angles,
    plot_bond_lengths,
    plot_connectivity,
    plot_coordination,
    plot_partials,
    plot_rings,
    plot_running_coordination,
)
from tammann.plot.melts import plot_volume_search
from tammann.plot.onsager import plot_onsager_matrix
from tammann.plot.potentials import (
    plot_crystal_curves,
    plot_diffusivities,
    plot_energy_conservation,
    plot_errors,
    plot_pair_distribution,
    plot_parity,
    plot_phonons,
    plot_total_energy,
    plot_watched_runs,
)
from tammann.plot.precursors import plot_precursors
from tammann.plot.profile import plot_profile
from tammann.plot.reactions import plot_reaction_energies
from tammann.plot.slices import plot_slices
from tammann.plot.style import formula_label, phase_colours, save_figure
from tammann.plot.transport import transport_figure

__all__ = [
    "formula_label",
    "phase_colours",
    "plot_arrhenius",
    "plot_baselines",
    "plot_bond_angles",
    "plot_bond_lengths",
    "plot_bottlenecks",
    "plot_connectivity",
    "plot_coordination",
    "plot_correlation_factors",
    "plot_correlations",
    "plot_crystal_curves",
    "plot_diffusivities",
    "plot_dissipation",
    "plot_energy_conservation",
    "plot_errors",
    "plot_gibbs_left",
    "plot_growth_constants",
    "plot_hull",
    "plot_layer_thickness",
    "plot_layers",
    "plot_learning_curves",
    "plot_log_log_slope",
    "plot_onsager_matrix",
    "plot_pair_distribution",
    "plot_parity",
    "plot_partials",
    "plot_phase_fractions",
    "plot_phonons",
    "plot_precursors",
    "plot_profile",
    "plot_reaction_energies",
    "plot_reaction_flow",
    "plot_rings",
    "plot_running_coordination",
    "plot_slices",
    "plot_total_energy",
    "plot_volume_search",
    "plot_watched_runs",
    "save_figure",
    "transport_figure",
]
