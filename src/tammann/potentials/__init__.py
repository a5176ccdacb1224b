"""What holds the atoms together."""

from tammann.potentials.classical import MorseRepulsion, RigidIons, check_neutral, load_potential, pedone_2006

__all__ = ["MorseRepulsion", "RigidIons", "check_neutral", "load_potential", "pedone_2006"]
