"""The kernels of enumeration and sampling: orbits of arrangements, the first of each, and exchanges of ions."""

import numpy as np
from numba import njit


@njit(cache=True)
def rank_of(arrangement, counts, raw, left):  # type: ignore[no-untyped-def]
    """Return the place of an arrangement among all in lexicographic order; ``left`` is scratch, as long as counts."""
    n, ways, rank = len(arrangement), raw, 0
    left[:] = counts
    for i in range(n):
        own = arrangement[i]
        # of the ways to fill the rest, left[k] / (n - i) begin with species k
        for k in range(own):
            rank += ways * left[k] // (n - i)
        ways = ways * left[own] // (n - i)
        left[own] -= 1
        if ways == 1:
            break
    return rank


@njit(cache=True)
def _next(arrangement):  # type: ignore[no-untyped-def]
    """Turn an arrangement into the next one in lexicographic order."""
    i = len(arrangement) - 2
    while i >= 0 and arrangement[i] >= arrangement[i + 1]:
        i -= 1
    if i < 0:
        return
    j = len(arrangement) - 1
    while arrangement[j] <= arrangement[i]:
        j -= 1
    arrangement[i], arrangement[j] = arrangement[j], arrangement[i]
    j, i = len(arrangement) - 1, i + 1
    while i < j:
        arrangement[i], arrangement[j] = arrangement[j], arrangement[i]
        i += 1
        j -= 1


@njit(cache=True)
def first_of_orbits(permutations, counts, raw, number):  # type: ignore[no-untyped-def]
    """Return the first arrangement of each orbit in lexicographic order, and the size of its orbit.

    Every arrangement is passed once, and struck off together with its images when it is the first of its orbit: of
    raw / G orbits each costs G ranks, so the whole costs about one rank for each arrangement.

    Args:
        permutations: A group, shape (G, M), integers.
        counts: Of each species, integers.
        raw: Number of arrangements.
        number: Number of orbits, or more.

    Returns:
        Arrangements, shape (n, M), int8, and sizes, shape (n,).
    """
    m = permutations.shape[1]
    firsts = np.empty((number, m), np.int8)
    sizes = np.empty(number, np.int64)
    struck = np.zeros(raw, np.bool_)
    here, image = np.empty(m, np.int8), np.empty(m, np.int8)
    left = np.empty(len(counts), np.int64)
    i = 0
    for k in range(len(counts)):
        for _ in range(counts[k]):
            here[i] = k
            i += 1
    found = 0
    for rank in range(raw):
        if not struck[rank]:
            if found == number:
                return firsts, sizes, found + 1
            size = 0
            for g in range(len(permutations)):
                for i in range(m):
                    image[i] = here[permutations[g, i]]
                other = rank_of(image, counts, raw, left)
                if not struck[other]:
                    struck[other] = True
                    size += 1
            firsts[found] = here
            sizes[found] = size
            found += 1
        _next(here)
    return firsts, sizes, found


@njit(cache=True)
def every_arrangement(counts, raw):  # type: ignore[no-untyped-def]
    """Return all arrangements in lexicographic order, shape (raw, M), int8."""
    m = counts.sum()
    out = np.empty((raw, m), np.int8)
    here = np.empty(m, np.int8)
    i = 0
    for k in range(len(counts)):
        for _ in range(counts[k]):
            here[i] = k
            i += 1
    for rank in range(raw):
        out[rank] = here
        _next(here)
    return out


@njit(cache=True)
def canonical(arrangements, permutations):  # type: ignore[no-untyped-def]
    """Return the first image of each arrangement in lexicographic order, and how many operations leave it as it is.

    Args:
        arrangements: Shape (n, M), int8.
        permutations: A group, shape (G, M).
    """
    n, m = arrangements.shape
    firsts = np.empty((n, m), np.int8)
    fixing = np.empty(n, np.int64)
    for a in range(n):
        here, best = arrangements[a], 0
        times = 1
        for g in range(1, len(permutations)):
            order = 0
            for i in range(m):
                own, other = here[permutations[g, i]], here[permutations[best, i]]
                if own != other:
                    order = -1 if own < other else 1
                    break
            if order < 0:
                best, times = g, 1
            elif order == 0:
                times += 1
        for i in range(m):
            firsts[a, i] = here[permutations[best, i]]
        fixing[a] = times
    return firsts, fixing


@njit(cache=True)
def fixing_operations(arrangements, permutations):  # type: ignore[no-untyped-def]
    """Return which operations leave each arrangement as it is, shape (n, G), bool."""
    n, m = arrangements.shape
    fixing = np.empty((n, len(permutations)), np.bool_)
    for a in range(n):
        for g in range(len(permutations)):
            same = True
            for i in range(m):
                if arrangements[a, permutations[g, i]] != arrangements[a, i]:
                    same = False
                    break
            fixing[a, g] = same
    return fixing
