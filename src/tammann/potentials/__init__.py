"""Interatomic potentials."""

from tammann.potentials.calculators import (
    ImportedPotential,
    ModelFile,
    Potential,
    calculator_of,
    chgnet,
    imported_potential,
    model_file,
)
from tammann.potentials.lammps_commands import LammpsCommands, read_lammps_commands
from tammann.potentials.load import load_potential
from tammann.potentials.rigid_ions import MorseRepulsion, RigidIons, pedone_2006

__all__ = [
    "ImportedPotential",
    "LammpsCommands",
    "ModelFile",
    "MorseRepulsion",
    "Potential",
    "RigidIons",
    "calculator_of",
    "chgnet",
    "imported_potential",
    "load_potential",
    "model_file",
    "pedone_2006",
    "read_lammps_commands",
]
