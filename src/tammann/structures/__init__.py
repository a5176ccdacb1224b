"""Atomic configurations and random packings."""

from tammann.structures.amorphous import atoms_in_box, estimate_volume_per_atom, random_packing
from tammann.structures.configuration import Configuration
from tammann.structures.read import read_sample, read_samples, read_structure, read_structures
from tammann.structures.write import write_structure

__all__ = [
    "Configuration",
    "atoms_in_box",
    "estimate_volume_per_atom",
    "random_packing",
    "read_sample",
    "read_samples",
    "read_structure",
    "read_structures",
    "write_structure",
]
