"""Surroundings of atoms as short vectors, to compare and map them: densities of neighbours by element and distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.structures.pairs import find_pairs

CUTOFF_A = 5.0
SHELLS = 8


class EnvironmentMap(NamedTuple):
    """Points of a map, shape (n, 2), and the share of the variance that each axis carries."""

    points: np.ndarray
    shares: tuple[float, float]


def neighbour_densities(
    configuration: Configuration, elements: Sequence[str], *, cutoff_A: float = CUTOFF_A, shells: int = SHELLS
) -> np.ndarray:
    """Return how many neighbours of each element an atom has around each of some distances.

    x_{i,(e,k)} = sum_j g_k(r_ij) f(r_ij) over the neighbours j of element e, with a Gaussian g_k about the distance of
    shell k, as wide as the shells are apart, and f(r) = (1 + cos(pi r / r_c)) / 2, which ends smoothly at the cutoff
    r_c = ``cutoff_A``. Nothing changes when atoms are moved, turned, exchanged or repeated.

    Args:
        configuration: N atoms.
        elements: Of the neighbours, E of them, those of all configurations to be compared.
        cutoff_A: Largest distance, Å.
        shells: Number of distances, from 1 Å to the cutoff.

    Returns:
        Shape (N, E x shells).

    Raises:
        DataError: A number is out of range, or an element of the configuration is missing.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> neighbour_densities(cscl, ("Cl", "Cs"), shells=2).shape
        (2, 4)
    """
    if not cutoff_A > 1.0 or shells < 2:
        raise DataError(f"cutoff_A, shells: expected above 1 Å and at least 2, got {cutoff_A:g} and {shells}.")
    if missing := sorted(set(configuration.symbols) - set(elements)):
        raise DataError(f"elements: expected all of the configuration, got none of {missing[0]}; add it.")
    pairs = find_pairs(configuration.positions_A, configuration.cell_A, cutoff_A=cutoff_A, threads=1)
    first, second, distances = pairs.centres, pairs.indices, pairs.distances_A
    centres = np.linspace(1.0, cutoff_A, shells, endpoint=False)
    width = centres[1] - centres[0]
    fading = 0.5 * (1.0 + np.cos(np.pi * distances / cutoff_A))
    values = np.exp(-0.5 * ((distances[:, None] - centres) / width) ** 2) * fading[:, None]
    column = np.array([list(elements).index(symbol) for symbol in configuration.symbols])
    found = np.zeros((configuration.n_atoms, len(elements), shells))
    np.add.at(found, (first, column[second]), values)
    return found.reshape(configuration.n_atoms, -1)


def map_environments(features: np.ndarray) -> EnvironmentMap:
    """Return the two directions in which environments differ most (principal components).

    Args:
        features: Shape (n, d), such as ``neighbour_densities`` of all atoms, or values of any basis.

    Returns:
        The map; each axis has its largest loading positive, so that the same features give the same picture.

    Raises:
        DataError: Fewer than two environments or two features, or values that are not finite.

    Example:
        >>> line = np.array([[0.0, 0, 0], [1, 1, 0], [2, 2, 0], [3, 3, 0]])
        >>> [round(share, 3) for share in map_environments(line).shares]
        [1.0, 0.0]
    """
    table = np.asarray(features, dtype=float)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise DataError(
            f"features: expected finite numbers, at least 2 rows of 2, got an array of shape {table.shape}."
        )
    centred = table - table.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    axes = directions[:2]
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    total = float((sizes**2).sum()) or 1.0
    return EnvironmentMap(centred @ axes.T, (float(sizes[0] ** 2) / total, float(sizes[1] ** 2) / total))
