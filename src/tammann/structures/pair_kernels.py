"""The loops over pairs of atoms in a cell list: numba code that sees only arrays; ``pairs.py`` makes them."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def count_by_distance(begin, end, alike, first_a, first_b, x, y, z, numbers, cell, columns, per_A, found):  # type: ignore[no-untyped-def]
    """Add up the distances from atoms of kind a in some cells to those of kind b in the stencil."""
    na, nb, nc = numbers
    bins = np.empty(256, np.int32)
    for c in range(begin, end):
        i0, i1 = first_a[c], first_a[c + 1]
        if i0 == i1:
            continue
        ca, cb, cc = c // (nb * nc), (c // nc) % nb, c % nc
        if alike:
            for i in range(i0, i1):
                for j in range(i + 1, i1):
                    dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                    found[int(np.sqrt(dx * dx + dy * dy + dz * dz) * per_A)] += 1
        for k in range(len(columns)):
            ga, gb = ca + columns[k, 0], cb + columns[k, 1]
            sa, sb = ga // na, gb // nb
            base = ((ga - sa * na) * nb + gb - sb * nb) * nc
            low, high = cc + columns[k, 2], cc + columns[k, 3]
            while low <= high:
                sc = low // nc
                stop = min(high, sc * nc + nc - 1)
                j0, j1 = first_b[base + low - sc * nc], first_b[base + stop - sc * nc + 1]
                low = stop + 1
                if j0 == j1:
                    continue
                shift_x = sa * cell[0, 0] + sb * cell[1, 0] + sc * cell[2, 0]
                shift_y = sa * cell[0, 1] + sb * cell[1, 1] + sc * cell[2, 1]
                shift_z = sa * cell[0, 2] + sb * cell[1, 2] + sc * cell[2, 2]
                for i in range(i0, i1):
                    ux, uy, uz = x[i] - shift_x, y[i] - shift_y, z[i] - shift_z
                    for start in range(j0, j1, 256):
                        many = min(256, j1 - start)
                        # distances first, which the compiler does several at a time, then the counts
                        for j in range(many):
                            dx, dy, dz = x[start + j] - ux, y[start + j] - uy, z[start + j] - uz
                            bins[j] = np.int32(np.sqrt(dx * dx + dy * dy + dz * dz) * per_A)
                        for j in range(many):
                            found[bins[j]] += 1


@njit(cache=True, nogil=True)
def count_neighbours(begin, end, first, x, y, z, order, numbers, cell, columns, square, counts):  # type: ignore[no-untyped-def]
    """Count the neighbours of each atom of some cells.

    Example:
        >>> counts, zero = np.zeros(1, np.int64), np.zeros(1)  # one atom, its images along c within the cutoff
        >>> count_neighbours(0, 1, np.array([0, 1]), zero, zero, zero, np.array([0]), np.ones(3, np.int64),
        ...                  3.0 * np.eye(3), np.array([[0, 0, -1, 1]]), 9.1, counts)
        >>> counts.tolist()
        [2]
    """
    na, nb, nc = numbers
    for c in range(begin, end):
        ca, cb, cc = c // (nb * nc), (c // nc) % nb, c % nc
        for k in range(len(columns)):
            ga, gb = ca + columns[k, 0], cb + columns[k, 1]
            sa, sb = ga // na, gb // nb
            base = ((ga - sa * na) * nb + gb - sb * nb) * nc
            low, high = cc + columns[k, 2], cc + columns[k, 3]
            while low <= high:
                sc = low // nc
                stop = min(high, sc * nc + nc - 1)
                j0, j1 = first[base + low - sc * nc], first[base + stop - sc * nc + 1]
                low = stop + 1
                shift_x = sa * cell[0, 0] + sb * cell[1, 0] + sc * cell[2, 0]
                shift_y = sa * cell[0, 1] + sb * cell[1, 1] + sc * cell[2, 1]
                shift_z = sa * cell[0, 2] + sb * cell[1, 2] + sc * cell[2, 2]
                home = sa == 0 and sb == 0 and sc == 0
                for i in range(first[c], first[c + 1]):
                    ux, uy, uz = x[i] - shift_x, y[i] - shift_y, z[i] - shift_z
                    many = 0
                    for j in range(j0, j1):
                        dx, dy, dz = x[j] - ux, y[j] - uy, z[j] - uz
                        if dx * dx + dy * dy + dz * dz < square:
                            many += 1
                    if home and j0 <= i < j1:
                        many -= 1
                    counts[order[i]] += many


@njit(cache=True, nogil=True)
def fill_neighbours(  # type: ignore[no-untyped-def]
    begin, end, first, x, y, z, order, numbers, cell, columns, square, periods, starts, indices, images, vectors
):  # fmt: skip
    """Write the neighbours of each atom of some cells."""
    na, nb, nc = numbers
    for c in range(begin, end):
        ca, cb, cc = c // (nb * nc), (c // nc) % nb, c % nc
        for i in range(first[c], first[c + 1]):
            own = order[i]
            at = starts[own]
            for k in range(len(columns)):
                ga, gb = ca + columns[k, 0], cb + columns[k, 1]
                sa, sb = ga // na, gb // nb
                base = ((ga - sa * na) * nb + gb - sb * nb) * nc
                low, high = cc + columns[k, 2], cc + columns[k, 3]
                while low <= high:
                    sc = low // nc
                    stop = min(high, sc * nc + nc - 1)
                    j0, j1 = first[base + low - sc * nc], first[base + stop - sc * nc + 1]
                    low = stop + 1
                    shift_x = sa * cell[0, 0] + sb * cell[1, 0] + sc * cell[2, 0]
                    shift_y = sa * cell[0, 1] + sb * cell[1, 1] + sc * cell[2, 1]
                    shift_z = sa * cell[0, 2] + sb * cell[1, 2] + sc * cell[2, 2]
                    home = sa == 0 and sb == 0 and sc == 0
                    ux, uy, uz = x[i] - shift_x, y[i] - shift_y, z[i] - shift_z
                    for j in range(j0, j1):
                        dx, dy, dz = x[j] - ux, y[j] - uy, z[j] - uz
                        if dx * dx + dy * dy + dz * dz < square and not (home and i == j):
                            other = order[j]
                            indices[at] = other
                            images[at, 0] = sa - periods[other, 0] + periods[own, 0]
                            images[at, 1] = sb - periods[other, 1] + periods[own, 1]
                            images[at, 2] = sc - periods[other, 2] + periods[own, 2]
                            vectors[at, 0], vectors[at, 1], vectors[at, 2] = dx, dy, dz
                            at += 1
