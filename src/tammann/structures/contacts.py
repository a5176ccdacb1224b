"""Distances between the nearest images of atoms, and the closest contact of each pair of elements."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from tammann.structures.configuration import Configuration
from tammann.structures.pairs import find_pairs


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


def pairs_within(positions_A: np.ndarray, cell_A: np.ndarray, radius_A: float) -> tuple[np.ndarray, np.ndarray]:
    """Return every pair of atoms, images among them, that are nearer than a radius, each pair once.

    An atom and an image of its own are a pair too.

    Args:
        positions_A: Shape (N, 3), Å, anywhere.
        cell_A: Shape (3, 3), Å, rows are lattice vectors.
        radius_A: Å.

    Returns:
        Numbers of the two atoms, shape (pairs, 2), the smaller first, and distances, shape (pairs,), Å.

    Example:
        >>> pairs, distances = pairs_within(np.array([[0, 0, 0], [4.5, 0, 0]]), 5.0 * np.eye(3), 1.0)
        >>> pairs.tolist(), distances.round(6).tolist()
        ([[0, 1]], [0.5])
    """
    found = find_pairs(positions_A, cell_A, cutoff_A=radius_A, threads=1)
    first, second = found.centres, found.indices
    # a pair stands in the list from both its ends, and so does an atom with its own image
    kept = (first < second) | ((first == second) & _ahead(found.images))
    return np.column_stack([first[kept], second[kept]]), found.distances_A[kept]


def _ahead(images: np.ndarray) -> np.ndarray:
    """Tell for each lattice vector, shape (P, 3), whether its first number other than zero is positive."""
    a, b, c = np.sign(images).T
    return np.asarray(9 * a + 3 * b + c > 0)
