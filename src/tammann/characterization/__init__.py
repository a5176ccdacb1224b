"""Structure of melts and glasses: pair distributions, coordination, crystalline order, cavities."""

from tammann.characterization.coordination import (
    Coordination,
    bond_fractions,
    coordination_numbers,
    crystal_nn_coordination,
    radial_distribution,
)
from tammann.characterization.order import bragg_noise, bragg_order, largest_cavity

__all__ = [
    "Coordination",
    "bond_fractions",
    "bragg_noise",
    "bragg_order",
    "coordination_numbers",
    "crystal_nn_coordination",
    "largest_cavity",
    "radial_distribution",
]
