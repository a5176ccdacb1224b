"""Phases, their Gibbs energies, and what follows from them: hull, equilibrium, chemical potentials.

One file a source of data returns `Phases`; `load.py` chooses among them, `entries.py` makes a system of what they read.
"""

from tammann.composition import parse_formula
from tammann.thermo.assessment import assess, shifts_table
from tammann.thermo.chemical_potential import ChemicalPotentialDiagram, chemical_potential_diagram, closest_differences
from tammann.thermo.constraints import load_constraints
from tammann.thermo.correlated_errors import reaction_standard_error
from tammann.thermo.draws import draw_energies, mean_of_draws
from tammann.thermo.equilibrium import equilibrium
from tammann.thermo.gases import with_gases
from tammann.thermo.hull import energy_above_hull
from tammann.thermo.load import load_phases
from tammann.thermo.local_equilibrium import local_equilibrium_differences
from tammann.thermo.measured import measured_phases
from tammann.thermo.phase import Constraint, EnergySet, Phase, Phases

__all__ = [
    "ChemicalPotentialDiagram",
    "Constraint",
    "EnergySet",
    "Phase",
    "Phases",
    "assess",
    "chemical_potential_diagram",
    "closest_differences",
    "draw_energies",
    "energy_above_hull",
    "equilibrium",
    "load_constraints",
    "load_phases",
    "local_equilibrium_differences",
    "mean_of_draws",
    "measured_phases",
    "parse_formula",
    "reaction_standard_error",
    "shifts_table",
    "with_gases",
]
