"""Phases, their Gibbs energies, and what follows from them: hull, equilibrium, chemical potentials.

::

    phase.py                phases, sets of their energies, known equilibria
    gibbs.py                from a formation energy at 0 K to a Gibbs energy at T
    experiment.py           measured Gibbs energies, volumes and melting points
    gases.py                gases: the elements' own and the molecules of NIST-JANAF
    open_gases.py           gases held at a pressure, and the potentials they leave free
    chemical_potential.py   stability domains and the closest points between them
    hull.py                 energies above the hull
    equilibrium.py          equilibrium at a composition
    constraints.py          known equilibria from a file
    assessment.py           the smallest shifts that satisfy them; one draw within standard errors
    volumes.py, anions.py   volumes and anions that need a word of warning or a correction
    entries.py              from entries to a system
    csv_table.py            a user's own table
    computed_entries.py     pymatgen's entries
    materials_project.py    the Materials Project's web interface (extra tammann[mp])
    ba_ti_o.py              the three energy sets of the shipped system
    load.py                 load_phases: a shipped system, a user's file, or the Materials Project
"""

from tammann.composition import parse_formula
from tammann.thermo.assessment import assess, draw_energies, shifts_table
from tammann.thermo.chemical_potential import (
    ChemicalPotentialDiagram,
    chemical_potential_diagram,
    closest_differences,
)
from tammann.thermo.constraints import load_constraints
from tammann.thermo.equilibrium import equilibrium
from tammann.thermo.gases import with_gases
from tammann.thermo.hull import energy_above_hull
from tammann.thermo.load import load_phases
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
    "parse_formula",
    "shifts_table",
    "with_gases",
]
