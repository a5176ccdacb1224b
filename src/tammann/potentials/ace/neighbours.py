"""Neighbours of every atom in a periodic cell, kept for as long as nothing can have come into reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tammann.structures.pairs import find_pairs


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Neighbours within a radius, atom by atom.

    Attributes:
        first: Shape (N + 1,), where the neighbours of each atom begin.
        indices: Shape (pairs,), the neighbours.
        images: Shape (pairs, 3), lattice vectors added to them, integers.
        fractional: Shape (N, 3), coordinates for which the list was made.
        cell_A: Shape (3, 3), the cell for which it was made.
        radius_A: Every pair nearer than this is in the list.
    """

    first: np.ndarray
    indices: np.ndarray
    images: np.ndarray
    fractional: np.ndarray
    cell_A: np.ndarray
    radius_A: float

    def serve(self, fractional: np.ndarray, cell_A: np.ndarray, cutoff_A: float) -> bool:
        """Tell whether the list still holds every pair nearer than a cutoff."""
        if fractional.shape != self.fractional.shape:
            return False
        # a strain moves two atoms at a distance d by at most |strain| d towards each other
        strain = np.linalg.norm(np.linalg.solve(self.cell_A, cell_A) - np.eye(3), 2)
        moved = np.sqrt((((fractional - self.fractional) @ cell_A) ** 2).sum(axis=1).max(initial=0.0))
        return bool(2.0 * moved + strain * self.radius_A < self.radius_A - cutoff_A)


def find_neighbours(positions_A: np.ndarray, cell_A: np.ndarray, radius_A: float) -> Neighbours:
    """Return all neighbours within a radius, of any number of periodic images.

    Args:
        positions_A: Shape (N, 3), Å.
        cell_A: Shape (3, 3), Å, rows are lattice vectors.
        radius_A: Å.
    """
    found = find_pairs(positions_A, cell_A, cutoff_A=radius_A, threads=1)
    return Neighbours(
        found.first,
        found.indices,
        found.images.astype(float),
        np.linalg.solve(cell_A.T, positions_A.T).T,
        np.array(cell_A, dtype=float),
        radius_A,
    )
