"""Atoms of a cell and their periodic images within a distance."""

from __future__ import annotations

import math

import numpy as np

from tammann.structures.pairs import heights_of


def with_images(fractional: np.ndarray, cell: np.ndarray, reach_A: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the atoms of a cell, then their images within ``reach_A``: positions, Å, and indices of the atoms.

    Example:
        >>> points, atoms = with_images(np.array([[0.5, 0.5, 0.5]]), 4.0 * np.eye(3), 4.0)
        >>> points.shape, atoms.shape
        ((27, 3), (27,))
    """
    atoms = np.arange(len(fractional))
    margins = reach_A / heights_of(cell) + 1e-9
    for axis, margin in enumerate(margins.tolist()):
        copies, owners = [fractional], [atoms]
        for shift in range(-math.ceil(margin), math.ceil(margin) + 1):
            moved = fractional[:, axis] + shift
            near = (moved >= -margin) & (moved <= 1.0 + margin)
            if shift:
                copies.append(fractional[near] + shift * np.eye(3)[axis])
                owners.append(atoms[near])
        fractional, atoms = np.concatenate(copies), np.concatenate(owners)
    return fractional @ cell, atoms
