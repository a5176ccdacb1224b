"""Phases, their Gibbs energies, and what follows from them: hull, equilibrium, chemical potentials.

::

    phase.py                what a phase and an energy set are
    gibbs.py                from a formation energy at 0 K to a Gibbs energy at T
    load.py                 load_phases: a shipped system, a user's file, or the Materials Project
    ba_ti_o.py              the three energy sets of the shipped system
    entries.py              a user's own entries: CSV, pymatgen JSON
    materials_project.py    the Materials Project's web interface (extra tammann[mp])
    experiment.py           measured Gibbs energies, volumes and melting points
    assessment.py           the smallest shifts that satisfy known equilibria; one draw within standard errors
    chemical_potential.py   stability domains and the closest points between them
    hull.py                 energies above the hull, equilibrium at a composition
"""

from tammann.composition import parse_formula
from tammann.thermo.assessment import Constraint, assess, draw_energies, load_constraints, shifts_table
from tammann.thermo.chemical_potential import (
    ChemicalPotentialDiagram,
    chemical_potential_diagram,
    closest_difference,
    closest_differences,
    local_equilibrium_difference,
    local_equilibrium_differences,
)
from tammann.thermo.hull import energy_above_hull, equilibrium
from tammann.thermo.load import load_phases
from tammann.thermo.phase import EnergySet, Phase, Phases

__all__ = [
    "ChemicalPotentialDiagram",
    "Constraint",
    "EnergySet",
    "Phase",
    "Phases",
    "assess",
    "chemical_potential_diagram",
    "closest_difference",
    "closest_differences",
    "draw_energies",
    "energy_above_hull",
    "equilibrium",
    "load_constraints",
    "load_phases",
    "local_equilibrium_difference",
    "local_equilibrium_differences",
    "parse_formula",
    "shifts_table",
]
