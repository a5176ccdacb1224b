"""Compiled search through all subsets of columns for the best linear fits."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def best_subsets(
    gram: np.ndarray, moments: np.ndarray, total: float, size: int, keep: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best subsets of a size by the residual sum of squares, looking at all of them.

    Columns are added one by one; each addition takes its direction out of the Gram matrix of those that follow (a step
    of Gram and Schmidt), so that the last column of a subset costs one division.

    Args:
        gram: Of the centred columns, shape (F, F).
        moments: Of the centred columns with the target, shape (F,).
        total: Sum of squares of the centred target.
        size: Columns of a subset, K.
        keep: Subsets to return, at most.
        tolerance: Columns of which less than this share of their own variance is left are not added.

    Returns:
        Subsets, shape (M, K), and their residual sums of squares, shape (M,), best first.
    """
    n = len(moments)
    best = np.full(keep, np.inf)
    subsets = np.zeros((keep, size), np.int64)
    grams = np.empty((size, n, n))
    rest = np.empty((size, n))
    left = np.empty(size)
    own = np.empty(n)
    for i in range(n):
        own[i] = gram[i, i]
    grams[0], rest[0], left[0] = gram, moments, total
    chosen = np.zeros(size, np.int64)
    depth = 0
    chosen[0] = -1
    while depth >= 0:
        if depth == size - 1:
            for f in range(chosen[depth] + 1, n):
                variance = grams[depth, f, f]
                if variance <= tolerance * own[f]:
                    continue
                value = left[depth] - rest[depth, f] ** 2 / variance
                if value < best[keep - 1]:
                    at = keep - 1
                    while at > 0 and best[at - 1] > value:
                        best[at] = best[at - 1]
                        subsets[at] = subsets[at - 1]
                        at -= 1
                    best[at] = value
                    for d in range(depth):
                        subsets[at, d] = chosen[d]
                    subsets[at, depth] = f
            depth -= 1
            continue
        f = chosen[depth] + 1
        chosen[depth] = f
        if f >= n - (size - 1 - depth):
            depth -= 1
            continue
        variance = grams[depth, f, f]
        if variance <= tolerance * own[f]:
            continue
        for a in range(f + 1, n):
            share = grams[depth, f, a] / variance
            rest[depth + 1, a] = rest[depth, a] - share * rest[depth, f]
            for b in range(a, n):
                value = grams[depth, a, b] - share * grams[depth, f, b]
                grams[depth + 1, a, b] = value
                grams[depth + 1, b, a] = value
        left[depth + 1] = left[depth] - rest[depth, f] ** 2 / variance
        chosen[depth + 1] = f
        depth += 1
    found = 0
    while found < keep and best[found] < np.inf:
        found += 1
    return subsets[:found], best[:found]
