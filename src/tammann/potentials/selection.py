"""Which environments or configurations to keep: D-optimal subsets by the algorithm MaxVol."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import lu, solve_triangular

from tammann.errors import DataError


class MaxVol(NamedTuple):
    """A dominant square submatrix.

    Attributes:
        rows: Shape (K,), indices of the rows that make it up.
        inverse: Shape (K, K), its inverse.
        swaps: Number of exchanges made.
    """

    rows: np.ndarray
    inverse: np.ndarray
    swaps: int


def maxvol(matrix: np.ndarray, *, tolerance: float = 1.001, most_swaps: int = 20_000) -> MaxVol:
    """Return rows of a tall matrix whose square submatrix has a (locally) largest absolute determinant.

    Rows are exchanged as long as one exchange multiplies the determinant of the submatrix by more than ``tolerance``,
    that is until every element of C = A A_rows^-1 is at most that: what is left is a linear combination of the chosen
    rows with coefficients of at most 1.

    Args:
        matrix: A, shape (N, K) with N >= K, of full column rank.
        tolerance: Above 1.
        most_swaps: Where to stop.

    Raises:
        DataError: Fewer rows than columns, values that are not finite, or columns that depend on each other.

    Reference:
        Goreinov et al., in Matrix Methods: Theory, Algorithms and Applications, World Scientific 2010, p. 247,
        doi 10.1142/9789812836021_0015.

    Example:
        >>> import numpy as np
        >>> points = np.array([[1.0, 0.1], [0.1, 1.0], [0.2, 0.2], [-2.0, 0.0], [0.0, 3.0]])
        >>> sorted(int(k) for k in maxvol(points).rows)
        [3, 4]
    """
    a = np.asarray(matrix, dtype=float)
    if a.ndim != 2 or len(a) < a.shape[1] or a.shape[1] == 0:
        raise DataError(f"matrix: expected at least as many rows as columns, got shape {a.shape}.")
    if not np.isfinite(a).all():
        raise DataError("matrix: expected finite values; a configuration has exploded.")
    n, k = a.shape
    permutation, lower, upper = lu(a, p_indices=True)
    diagonal = np.abs(np.diag(upper))
    if diagonal.min() <= 1e-13 * diagonal.max():
        raise DataError(f"matrix: its {k} columns depend on each other; use fewer functions or more data.")
    # permutation[i] is the row of L U that holds row i of the matrix
    order = np.argsort(permutation)
    rows = order[:k].copy()
    # C = A A_rows^-1 from the factors: L (upper part of L)^-1
    c = solve_triangular(lower[:k].T, lower.T, lower=False, unit_diagonal=True).T[permutation]
    swaps = 0
    while swaps < most_swaps:
        place = int(np.argmax(np.abs(c)))
        i, j = divmod(place, k)
        if abs(c[i, j]) <= tolerance:
            break
        # exchange row j of the submatrix for row i: a rank-one change of C
        difference = c[i].copy()
        difference[j] -= 1.0
        c -= np.outer(c[:, j] / c[i, j], difference)
        rows[j] = i
        swaps += 1
    return MaxVol(rows, np.linalg.inv(a[rows]), swaps)


def select_configurations(
    functions: list[np.ndarray], species: list[np.ndarray], known: list[np.ndarray], most: int
) -> list[int]:
    """Return the configurations that a D-optimal set of environments would take, most needed first.

    For each element the environments of all candidates and those known already compete for the active set; a candidate
    counts as many times as its environments are in it.

    Args:
        functions: For each candidate its invariant functions, shape (N_c, K).
        species: For each candidate the species of its atoms, shape (N_c,).
        known: For each species the environments of the present active set, shape (K, K) or (0, K).
        most: Number of candidates wanted at most.

    Returns:
        Indices of candidates that hold at least one environment of the new active sets.

    Raises:
        DataError: The environments do not determine an active set.
    """
    votes = np.zeros(len(functions))
    for z, base in enumerate(known):
        blocks = [f[s == z] for f, s in zip(functions, species, strict=True)]
        owner = np.repeat(np.arange(-1, len(blocks)), [len(base), *map(len, blocks)])
        rows = np.concatenate([base, *blocks])
        for row in maxvol(rows).rows:
            if owner[row] >= 0:
                votes[owner[row]] += 1
    ranked = np.argsort(-votes, kind="stable")
    return [int(k) for k in ranked if votes[k] > 0][:most]
