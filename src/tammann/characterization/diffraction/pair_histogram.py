"""All distances between atoms of a cluster, in bins: numba code that sees only arrays."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

PARTS = 16
"""Histograms filled at a time and then added; the same on any number of threads, so that results are too."""
STRIP = 512
"""Distances computed at a time, before they are sorted into bins."""


def pair_histograms(
    positions_A: np.ndarray, counts: np.ndarray, width_A: float, *, threads: int = 1
) -> tuple[np.ndarray, float]:
    """Return how often each distance occurs between atoms of each pair of kinds.

    A distance between two bins is shared out among four of them by the weights of cubic interpolation, so the sum over
    bins of a smooth even function of the distance is its sum over pairs up to the fourth power of the width.

    Args:
        positions_A: Shape (N, 3), Å, all atoms of the first kind, then all of the second, and so on.
        counts: Shape (S,), atoms of each kind.
        width_A: Distance between bins, Å; the first bin is at distance 0.
        threads: Threads.

    Returns:
        Shape (S (S + 1)/2, B), pairs of atoms, each once, in the order 0-0, 0-1, ..., 1-1, ...; and the smallest
        distance, Å.

    Example:
        >>> points = np.array([[0.0, 0, 0], [3.0, 0, 0], [3.0, 4.0, 0]])
        >>> histograms, nearest = pair_histograms(points, np.array([3]), 0.5)
        >>> histograms[0].round(6).nonzero()[0].tolist(), nearest
        ([6, 8, 10], 3.0)
    """
    from numba import config, set_num_threads

    points = np.ascontiguousarray((positions_A - positions_A.mean(axis=0)).T)
    longest = 2.0 * math.sqrt(float((points**2).sum(axis=0).max()))
    bins = int(longest / width_A) + 4
    ends = np.concatenate([[0], np.cumsum(counts)])
    set_num_threads(max(1, min(threads, config.NUMBA_NUM_THREADS)))  # type: ignore[attr-defined]
    rows, nearest = [], math.inf
    for a in range(len(counts)):
        for b in range(a, len(counts)):
            found, least = _fill(points, ends[a], ends[a + 1], ends[b], ends[b + 1], 1.0 / width_A, bins)
            row = found.sum(axis=0)
            row[2] += row[0]  # an even function: the bin before the first is the one after it
            rows.append(row[1:])
            nearest = min(nearest, float(least.min()))
    return np.array(rows), math.sqrt(nearest)


@njit(parallel=True, cache=True, fastmath=True)
def _fill(
    points: np.ndarray, a_first: int, a_end: int, b_first: int, b_end: int, per_A: float, bins: int
) -> tuple[np.ndarray, np.ndarray]:  # pragma: no cover
    """Histograms of the parts, shape (PARTS, bins), the first bin at minus one width; squares of least distances."""
    found = np.zeros((PARTS, bins))
    least = np.full(PARTS, np.inf)
    same = a_first == b_first
    for part in prange(PARTS):
        own = found[part]
        places = np.empty(STRIP)
        smallest = np.inf
        for i in range(a_first + part, a_end, PARTS):
            x, y, z = points[0, i], points[1, i], points[2, i]
            for start in range(i + 1 if same else b_first, b_end, STRIP):
                n = min(STRIP, b_end - start)
                for j in range(n):
                    dx = points[0, start + j] - x
                    dy = points[1, start + j] - y
                    dz = points[2, start + j] - z
                    square = dx * dx + dy * dy + dz * dz
                    smallest = min(smallest, square)
                    places[j] = math.sqrt(square) * per_A
                for j in range(n):
                    at = places[j]
                    k = np.uint64(at)
                    t = at - k
                    u = 1.0 - t
                    outer = t * u * (1.0 / 6.0)
                    own[k] -= outer * (1.0 + u)
                    own[k + np.uint64(1)] += 0.5 * (1.0 + t) * u * (1.0 + u)
                    own[k + np.uint64(2)] += 0.5 * (1.0 + u) * t * (1.0 + t)
                    own[k + np.uint64(3)] -= outer * (1.0 + t)
        least[part] = smallest
    return found, least
