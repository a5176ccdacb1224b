"""Distances between the nearest images of atoms, and the closest contact of each pair of elements."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from tammann.structures.configuration import Configuration


def nearest_distances(configuration: Configuration) -> np.ndarray:
    """Return the distance from each atom to the nearest image of each other, and of itself, Å.

    Args:
        configuration: N atoms in any cell, also a very skew one.

    Returns:
        Shape (N, N), Å, symmetric; the diagonal holds the length of the shortest lattice vector.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> nearest_distances(cscl).round(3).tolist()
        [[4.0, 3.464], [3.464, 4.0]]
    """
    from ase.geometry import minkowski_reduce

    cell, _ = minkowski_reduce(configuration.cell_A)
    fractional = configuration.positions_A @ np.linalg.inv(cell)
    apart = fractional[:, None, :] - fractional[None, :, :]
    apart = (apart - np.round(apart)) @ cell
    shifts = np.array(list(product((-1, 0, 1), repeat=3))) @ cell
    squares = np.einsum("ijk,ijk->ij", apart, apart)
    # a vector shorter than half of the cell's smallest width has no shorter image
    half = 0.5 * configuration.volume_A3 / max(np.linalg.norm(np.cross(cell[i - 2], cell[i - 1])) for i in range(3))
    far = np.argwhere(squares > half * half)
    if len(far):
        rows, columns = far.T
        images = apart[rows, columns][:, None, :] + shifts
        squares[rows, columns] = np.einsum("ijk,ijk->ij", images, images).min(axis=1)
    np.fill_diagonal(squares, np.einsum("ij,ij->i", shifts, shifts)[np.any(shifts != 0, axis=1)].min())
    return np.asarray(np.sqrt(squares))


def closest_contacts(configuration: Configuration) -> dict[tuple[str, str], float]:
    """Return the closest contact of each pair of elements, Å; images of one atom count.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> {pair: round(distance, 3) for pair, distance in closest_contacts(cscl).items()}
        {('Cl', 'Cl'): 4.0, ('Cl', 'Cs'): 3.464, ('Cs', 'Cs'): 4.0}
    """
    distances, symbols = nearest_distances(configuration), np.array(configuration.symbols)
    elements = sorted(set(configuration.symbols))
    contacts: dict[tuple[str, str], float] = {}
    for i, first in enumerate(elements):
        for second in elements[i:]:
            contacts[first, second] = float(
                distances[np.ix_(symbols == first, symbols == second)].min(initial=math.inf)
            )
    return contacts


def closest_contact(configuration: Configuration) -> float:
    """Return the smallest distance between two atoms, or an atom and an image of its own, Å.

    Example:
        >>> round(closest_contact(Configuration(("Ba", "O"), np.array([[0, 0, 0], [4.5, 0, 0]]), 5.0 * np.eye(3))), 9)
        0.5
    """
    cell, n = configuration.cell_A, configuration.n_atoms
    if n > 1:
        fractional = configuration.positions_A @ np.linalg.inv(cell)
        apart = (fractional[:, None] - fractional[None])[np.triu_indices(n, 1)]
        apart = (apart - np.round(apart)) @ cell
        nearest = float(np.sqrt(np.einsum("ij,ij->i", apart, apart).min()))
        width = configuration.volume_A3 / max(np.linalg.norm(np.cross(cell[i - 2], cell[i - 1])) for i in range(3))
        if 2.0 * nearest <= width:  # then no other image can be nearer
            return nearest
    return float(nearest_distances(configuration).min())
