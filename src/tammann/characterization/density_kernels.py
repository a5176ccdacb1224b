"""The loops over voxels and frames behind densities, basins and jumps: numba code that sees only arrays."""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.core import types
from numba.typed import Dict

KEY_IMAGES = 8
"""Values that one component of an image may take in the key of a saddle, from -4 to 3."""


@njit(cache=True)
def spread_counts(fractional, counts):  # type: ignore[no-untyped-def]
    """Add points to a periodic grid, each shared by the eight grid points around it in linear proportion.

    Args:
        fractional: Fractional coordinates, anywhere, shape (P, 3).
        counts: To which is added, shape (nx, ny, nz).

    Example:
        >>> grid = np.zeros((4, 4, 4))
        >>> spread_counts(np.array([[0.125, 0.0, 1.0]]), grid)
        >>> grid[:, 0, 0].tolist()
        [0.5, 0.5, 0.0, 0.0]
    """
    nx, ny, nz = counts.shape
    for p in range(len(fractional)):
        x = (fractional[p, 0] - np.floor(fractional[p, 0])) * nx
        y = (fractional[p, 1] - np.floor(fractional[p, 1])) * ny
        z = (fractional[p, 2] - np.floor(fractional[p, 2])) * nz
        i, j, k = int(x), int(y), int(z)
        u, v, w = x - i, y - j, z - k
        # round-off may leave a coordinate at the far face
        i, j, k = i % nx, j % ny, k % nz
        a, b, c = (i + 1) % nx, (j + 1) % ny, (k + 1) % nz
        counts[i, j, k] += (1.0 - u) * (1.0 - v) * (1.0 - w)
        counts[i, j, c] += (1.0 - u) * (1.0 - v) * w
        counts[i, b, k] += (1.0 - u) * v * (1.0 - w)
        counts[i, b, c] += (1.0 - u) * v * w
        counts[a, j, k] += u * (1.0 - v) * (1.0 - w)
        counts[a, j, c] += u * (1.0 - v) * w
        counts[a, b, k] += u * v * (1.0 - w)
        counts[a, b, c] += u * v * w


@njit(cache=True)
def ascend(values, lengths, least):  # type: ignore[no-untyped-def]
    """Assign every voxel to the maximum that steepest ascent over its 26 neighbours leads to.

    Args:
        values: On a periodic grid, shape (nx, ny, nz).
        lengths: Distance to each of the neighbours, Å, shape (3, 3, 3).
        least: Voxels of at most this value belong to no maximum.

    Returns:
        The number of the maximum, -1 for none, shape (nx, ny, nz); the cell in which it lies as seen from the voxel,
        shape (nx, ny, nz, 3); the voxels of the maxima, shape (M, 3).
    """
    nx, ny, nz = values.shape
    labels = np.full((nx, ny, nz), -1, np.int32)
    images = np.zeros((nx, ny, nz, 3), np.int8)
    maxima = [(0, 0, 0)]
    maxima.pop()
    trail = np.empty((nx * ny * nz, 6), np.int32)
    for start in range(nx * ny * nz):
        i, j, k = start // (ny * nz), start // nz % ny, start % nz
        if labels[i, j, k] >= 0 or not values[i, j, k] > least:
            continue
        many = 0
        while labels[i, j, k] < 0:
            here = values[i, j, k]
            rank = (i * ny + j) * nz + k
            best, bi, bj, bk, si, sj, sk = 0.0, -1, 0, 0, 0, 0, 0
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    for dk in range(-1, 2):
                        if di == 0 and dj == 0 and dk == 0:
                            continue
                        a, b, c = i + di, j + dj, k + dk
                        ta, tb, tc = (a >= nx) - (a < 0), (b >= ny) - (b < 0), (c >= nz) - (c < 0)
                        a, b, c = a - ta * nx, b - tb * ny, c - tc * nz
                        rise = (values[a, b, c] - here) / lengths[di + 1, dj + 1, dk + 1]
                        # of equal values the voxel of the higher number stands above: a plateau has one top
                        level = rise == 0.0 and (a * ny + b) * nz + c > rank
                        if rise > best or (level and best == 0.0 and bi < 0):
                            best, bi, bj, bk, si, sj, sk = rise, a, b, c, ta, tb, tc
            if bi < 0:
                labels[i, j, k] = len(maxima)
                maxima.append((i, j, k))
                break
            trail[many, 0], trail[many, 1], trail[many, 2] = i, j, k
            trail[many, 3], trail[many, 4], trail[many, 5] = si, sj, sk
            many += 1
            i, j, k = bi, bj, bk
        for step in range(many - 1, -1, -1):
            a, b, c = trail[step, 0], trail[step, 1], trail[step, 2]
            labels[a, b, c] = labels[i, j, k]
            for d in range(3):
                images[a, b, c, d] = images[i, j, k, d] + trail[step, 3 + d]
            i, j, k = a, b, c
    tops = np.empty((len(maxima), 3), np.int64)
    for n in range(len(maxima)):
        tops[n, 0], tops[n, 1], tops[n, 2] = maxima[n]
    return labels, images, tops


@njit(cache=True)
def find_saddles(values, labels, images):  # type: ignore[no-untyped-def]
    """Return the highest pass between every two basins that touch, each image of a neighbour by itself.

    Returns:
        Basins a and b and the cell of b as seen from that of a, shape (E, 5); the value at the pass, the lower one of
        its two voxels, shape (E,).
    """
    nx, ny, nz = values.shape
    best = Dict.empty(types.int64, types.float64)
    most = 1 << 20
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                one = labels[i, j, k]
                if one < 0:
                    continue
                for step in range(14, 27):  # half of the neighbours
                    a, b, c = i + step // 9 - 1, j + step // 3 % 3 - 1, k + step % 3 - 1
                    ta, tb, tc = (a >= nx) - (a < 0), (b >= ny) - (b < 0), (c >= nz) - (c < 0)
                    a, b, c = a - ta * nx, b - tb * ny, c - tc * nz
                    other = labels[a, b, c]
                    if other < 0:
                        continue
                    di = ta + images[a, b, c, 0] - images[i, j, k, 0]
                    dj = tb + images[a, b, c, 1] - images[i, j, k, 1]
                    dk = tc + images[a, b, c, 2] - images[i, j, k, 2]
                    if other == one and di == 0 and dj == 0 and dk == 0:
                        continue
                    first, second = np.int64(one), np.int64(other)
                    if second < first or (second == first and (di, dj, dk) < (0, 0, 0)):
                        first, second, di, dj, dk = second, first, -di, -dj, -dk
                    key = first * most + second
                    key = ((key * 8 + (di + 4)) * 8 + (dj + 4)) * 8 + (dk + 4)
                    value = min(values[i, j, k], values[a, b, c])
                    if key not in best or best[key] < value:
                        best[key] = value
    ends = np.empty((len(best), 5), np.int64)
    heights = np.empty(len(best))
    for n, (key, value) in enumerate(best.items()):
        heights[n] = value
        ends[n, 4], ends[n, 3], ends[n, 2] = key % 8 - 4, key // 8 % 8 - 4, key // 64 % 8 - 4
        ends[n, 1], ends[n, 0] = key // 512 % most, key // 512 // most
    return ends, heights


@njit(cache=True)
def follow(fractional, labels, images, sites, cell, cores_A2, states, cells):  # type: ignore[no-untyped-def]
    """Tell at which site an ion is in every frame: the last one whose core it has entered.

    Args:
        fractional: Unwrapped fractional coordinates of one ion, shape (F, 3).
        labels: Site of every voxel, -1 for none, shape (nx, ny, nz).
        images: The cell of that site as seen from the voxel, shape (nx, ny, nz, 3).
        sites: Fractional coordinates, shape (S, 3).
        cell: Lattice vectors in rows, Å, shape (3, 3).
        cores_A2: Squares of the radii of the cores, Å², shape (S,).
        states: Filled with the site in each frame, -1 before the first, shape (F,).
        cells: Filled with the cell of that site, shape (F, 3).
    """
    nx, ny, nz = labels.shape
    now = -1
    at = np.zeros(3, np.int64)
    where = np.empty(3, np.int64)
    index = np.empty(3, np.int64)
    for f in range(len(fractional)):
        for d in range(3):
            n = labels.shape[d]
            nearest = int(np.floor(fractional[f, d] * n + 0.5))
            where[d] = nearest // n
            index[d] = nearest - where[d] * n
        site = labels[index[0], index[1], index[2]]
        if site >= 0:
            inside, distance = False, 0.0
            for d in range(3):
                where[d] += images[index[0], index[1], index[2], d]
            for e in range(3):
                x = 0.0
                for d in range(3):
                    x += (fractional[f, d] - sites[site, d] - where[d]) * cell[d, e]
                distance += x * x
            inside = distance <= cores_A2[site]
            if inside:
                now = site
                for d in range(3):
                    at[d] = where[d]
        states[f] = now
        for d in range(3):
            cells[f, d] = at[d]
