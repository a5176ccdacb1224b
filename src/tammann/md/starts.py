"""Where a melt begins: atoms at random places, as near to each other as the potential bears."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tammann.potentials.calculators import ModelFile, Potential
from tammann.structures import Configuration, random_packing
from tammann.structures.candidates import random_cell


def random_start(
    formula: str,
    potential: Potential,
    *,
    atoms: int,
    volume_per_atom_A3: float | None = None,
    temperature_K: float = 2000.0,
    minimum_distances_A: Mapping[tuple[str, str], float] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Configuration:
    """Return a cube of atoms at random places, from which a potential can be relaxed and melted.

    A fitted potential leads anywhere far from its training data, so that its ions begin where they touch
    (``random_cell``); for any other they are packed more loosely (``random_packing``).

    Args:
        formula: Composition.
        potential: What will move the atoms.
        atoms: Approximate number of atoms.
        volume_per_atom_A3: Å3; estimated where None.
        temperature_K: For the estimate of a packing, K; that of ions that touch is of 2000 K.
        minimum_distances_A: Smallest distances by pair of elements, Å.
        rng: Seed or generator; the same seed gives the same atoms.

    Raises:
        DataError: The formula cannot be read, packmol is not installed, or there is no room.
    """
    if isinstance(potential, ModelFile):
        return random_cell(
            formula,
            atoms=atoms,
            volume_per_atom_A3=volume_per_atom_A3,
            volume_scales=(1.0, 1.0),
            minimum_distances_A=minimum_distances_A,
            cubic=True,
            rng=rng,
        )
    return random_packing(
        formula,
        atoms=atoms,
        volume_per_atom_A3=volume_per_atom_A3,
        temperature_K=temperature_K,
        minimum_distances_A=minimum_distances_A,
        rng=rng,
    )
