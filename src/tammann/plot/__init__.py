"""Results to axes: every function takes results and ``ax=None``, labels its units and returns the Axes.

Without ``ax`` a figure of its own is made, outside pyplot, so that nothing needs closing and no window opens;
``ax.figure`` shows it in a notebook and ``save_figure`` writes it, whole or not at all.
"""

from tammann.plot._style import formula_label, phase_colours, save_figure
from tammann.plot.baselines import plot_baselines
from tammann.plot.flow import plot_reaction_flow
from tammann.plot.fractions import plot_phase_fractions
from tammann.plot.hull import plot_hull
from tammann.plot.melts import plot_volume_search
from tammann.plot.slices import plot_slices
from tammann.plot.transport import (
    plot_arrhenius,
    plot_correlation_factors,
    plot_correlations,
    plot_growth_constants,
    plot_log_log_slope,
    plot_onsager_matrix,
    plot_running_viscosity,
    transport_figure,
)

__all__ = [
    "formula_label",
    "phase_colours",
    "plot_arrhenius",
    "plot_baselines",
    "plot_correlation_factors",
    "plot_correlations",
    "plot_growth_constants",
    "plot_hull",
    "plot_log_log_slope",
    "plot_onsager_matrix",
    "plot_phase_fractions",
    "plot_reaction_flow",
    "plot_running_viscosity",
    "plot_slices",
    "plot_volume_search",
    "save_figure",
    "transport_figure",
]
