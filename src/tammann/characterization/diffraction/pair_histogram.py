"""All distances between atoms of a cluster, in bins: numba code that sees only arrays."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numba import njit

from tammann.parallel import available_cores, run_tasks

PARTS = 16
"""Histograms filled at a time and then added; the same on any number of threads, so that results are too."""
STRIP = 512
"""Distances computed at a time, before they are sorted into bins."""


def pair_histograms(
    positions_A: np.ndarray, counts: np.ndarray, width_A: float, *, threads: int | None = None
) -> tuple[np.ndarray, float]:
    """Return how often each distance occurs between atoms of each pair of kinds.

    A distance between two bins is shared out among four of them by the weights of cubic interpolation, so the sum over
    bins of a smooth even function of the distance is its sum over pairs up to the fourth power of the width.

    Args:
        positions_A: Shape (N, 3), Å, all atoms of the first kind, then all of the second, and so on.
        counts: Shape (S,), atoms of each kind.
        width_A: Distance between bins, Å; the first bin is at distance 0.
        threads: Cores; all of them where None. The result does not depend on it.

    Returns:
        Shape (S (S + 1)/2, B), pairs of atoms, each once, in the order 0-0, 0-1, ..., 1-1, ...; and the smallest
        distance, Å.

    Example:
        >>> points = np.array([[0.0, 0, 0], [3.0, 0, 0], [3.0, 4.0, 0]])
        >>> histograms, nearest = pair_histograms(points, np.array([3]), 0.5)
        >>> histograms[0].round(6).nonzero()[0].tolist(), nearest
        ([6, 8, 10], 3.0)
    """
    points = np.ascontiguousarray((positions_A - positions_A.mean(axis=0)).T)
    longest = 2.0 * math.sqrt(float((points**2).sum(axis=0).max()))
    bins = int(longest / width_A) + 4
    ends = np.concatenate([[0], np.cumsum(counts)])
    parts = {f"part {part}": (part,) for part in range(PARTS)}
    rows, nearest = [], math.inf
    for a in range(len(counts)):
        for b in range(a, len(counts)):
            fill = partial(_fill_part, points, (ends[a], ends[a + 1], ends[b], ends[b + 1]), 1.0 / width_A, bins)
            found = run_tasks(fill, parts, threads=available_cores() if threads is None else threads)
            row = np.sum([histogram for histogram, _ in found], axis=0)
            row[2] += row[0]  # an even function: the bin before the first is the one after it
            rows.append(row[1:])
            nearest = min(nearest, *(least for _, least in found))
    return np.array(rows), math.sqrt(nearest)


def _fill_part(
    points: np.ndarray, ends: tuple[int, int, int, int], per_A: float, bins: int, part: int, *, progress: object
) -> tuple[np.ndarray, float]:
    histogram, least = _fill(points, *ends, per_A, bins, part)
    return histogram, float(least)


@njit(cache=True, fastmath=True, nogil=True)
def _fill(
    points: np.ndarray, a_first: int, a_end: int, b_first: int, b_end: int, per_A: float, bins: int, part: int
) -> tuple[np.ndarray, float]:
    """Histogram of a part, shape (bins,), the first bin at minus one width; and the square of the least distance."""
    own = np.zeros(bins)
    same = a_first == b_first
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
    return own, smallest
