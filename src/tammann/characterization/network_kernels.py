"""The loops over bonds of a network, for angles, polyhedra and rings: numba code that sees only arrays."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def add_angles(centres, alike, first_a, unit_a, first_b, unit_b, counts, sums):  # type: ignore[no-untyped-def]
    """Add the angles at every centre between each of its bonds of one kind and each of the other.

    Example:
        >>> counts, bonds = np.zeros(2, np.int64), np.eye(3)  # three bonds at right angles to each other
        >>> add_angles(np.array([0]), True, np.array([0, 3]), bonds, np.array([0, 3]), bonds, counts, np.zeros(2))
        >>> counts.tolist()
        [0, 3]
    """
    bins = len(counts)
    for c in centres:
        for i in range(first_a[c], first_a[c + 1]):
            for j in range(i + 1 if alike else first_b[c], first_b[c + 1]):
                cosine = unit_a[i, 0] * unit_b[j, 0] + unit_a[i, 1] * unit_b[j, 1] + unit_a[i, 2] * unit_b[j, 2]
                angle = np.degrees(np.arccos(min(1.0, max(-1.0, cosine))))
                # a right angle of a crystal is 90 degrees but for rounding, and belongs to one bin
                counts[min(bins - 1, int(angle * bins / 180.0 + 1e-9))] += 1
                sums[0] += angle
                sums[1] += angle * angle


@njit(cache=True, error_model="numpy")
def count_joined(centres, first, indices, images, vectors, sums, counts):  # type: ignore[no-untyped-def]
    """Count the ligands that every centre shares with each other one, and add up distances by the kind of joint."""
    found = np.zeros((len(centres), 3), np.int64)
    most = 0
    for i in range(len(first) - 1):
        most = max(most, first[i + 1] - first[i])
    others = np.zeros((most * most + 1, 5), np.int64)  # atom, image, ligands in common
    apart = np.zeros(most * most + 1)
    for n in range(len(centres)):
        c = centres[n]
        many = 0
        for p in range(first[c], first[c + 1]):
            ligand = indices[p]
            for q in range(first[ligand], first[ligand + 1]):
                a, b, d = images[p, 0] + images[q, 0], images[p, 1] + images[q, 1], images[p, 2] + images[q, 2]
                other = indices[q]
                if other == c and a == 0 and b == 0 and d == 0:
                    continue
                k = 0
                while k < many and not (
                    others[k, 0] == other and others[k, 1] == a and others[k, 2] == b and others[k, 3] == d
                ):
                    k += 1
                if k == many:
                    others[k, 0], others[k, 1], others[k, 2], others[k, 3], others[k, 4] = other, a, b, d, 0
                    x, y, z = (
                        vectors[p, 0] + vectors[q, 0],
                        vectors[p, 1] + vectors[q, 1],
                        vectors[p, 2] + vectors[q, 2],
                    )
                    apart[k] = np.sqrt(x * x + y * y + z * z)
                    many += 1
                others[k, 4] += 1
        for k in range(many):
            kind = min(others[k, 4], 3) - 1
            found[n, kind] += 1
            sums[kind] += apart[k]
            counts[kind] += 1
    return found


@njit(cache=True)
def _distances_from(source, depth, first, indices, distance, queue):  # type: ignore[no-untyped-def]
    """Fill the number of bonds to all atoms within ``depth`` of one, and the queue of them; return their number."""
    queue[0] = source
    distance[source] = 0
    head, tail = 0, 1
    while head < tail:
        i = queue[head]
        head += 1
        if distance[i] == depth:
            break
        for k in range(first[i], first[i + 1]):
            j = indices[k]
            if distance[j] < 0:
                distance[j] = distance[i] + 1
                queue[tail] = j
                tail += 1
    return tail


@njit(cache=True)
def _paths_back(end, distance, first, indices, paths):  # type: ignore[no-untyped-def]
    """Fill all shortest paths from an atom back to the root, one a row; return their number, -1 for too many."""
    depth = distance[end]
    at = np.zeros(depth + 1, np.int64)
    path = np.zeros(depth + 1, np.int64)
    path[depth] = end
    at[depth] = first[end]
    level, many = depth, 0
    while level <= depth:
        if level == 0:
            if many == len(paths):
                return -1
            paths[many, : depth + 1] = path
            many += 1
            level += 1
            continue
        i = path[level]
        moved = False
        while at[level] < first[i + 1]:
            j = indices[at[level]]
            at[level] += 1
            if distance[j] == level - 1:
                path[level - 1] = j
                at[level - 1] = first[j]
                level -= 1
                moved = True
                break
        if not moved:
            level += 1
    return many


@njit(cache=True)
def _is_shortest(ring, size, depth, first, indices, place, table, distance, queue):  # type: ignore[no-untyped-def]
    """Tell whether opposite atoms of a ring are as far apart as along it; then all its atoms are.

    ``table`` keeps what is found about the surroundings of one root, whose places in it ``place`` gives.
    """
    half = size // 2
    for k in range(1, half if size % 2 == 0 else size):
        u, w = ring[k], ring[(k + half) % size]
        row = place[u]
        if table[row, row] < 0:
            many = _distances_from(u, depth, first, indices, distance, queue)
            for t in range(many):
                j = queue[t]
                if place[j] >= 0:
                    table[row, place[j]] = distance[j]
                distance[j] = -1
        d = table[row, place[w]]
        if 0 <= d < half:
            return False
    return True


@njit(cache=True)
def rings_through(n, first, indices, longest, most_paths):  # type: ignore[no-untyped-def]
    """Count, for each of the first ``n`` atoms, the shortest-path rings through it by size."""
    total = len(first) - 1
    through = np.zeros((n, longest + 1), np.int64)
    depth = longest // 2
    distance, second, place = np.full(total, -1), np.full(total, -1), np.full(total, -1)
    queue, other = np.empty(total, np.int64), np.empty(total, np.int64)
    paths, paths_2 = np.zeros((most_paths, depth + 1), np.int64), np.zeros((most_paths, depth + 1), np.int64)
    ring = np.zeros(longest + 1, np.int64)
    for root in range(n):
        many = _distances_from(root, depth, first, indices, distance, queue)
        for t in range(many):
            place[queue[t]] = t
        table = np.full((many, many), -1, np.int8)
        for t in range(1, many):
            end = queue[t]
            d = distance[end]
            n_paths = -2
            # rings of an even number: two shortest paths to the atom opposite the root
            if d >= 2 and 2 * d <= longest:
                n_paths = _paths_back(end, distance, first, indices, paths)
                if n_paths < 0:
                    return through, False
                for a in range(n_paths):
                    for b in range(a):
                        apart = True
                        for k in range(1, d):
                            if paths[a, k] == paths[b, k]:
                                apart = False
                                break
                        if apart:
                            for k in range(d + 1):
                                ring[k] = paths[a, k]
                            for k in range(1, d):
                                ring[2 * d - k] = paths[b, k]
                            if _is_shortest(ring, 2 * d, depth, first, indices, place, table, second, other):
                                through[root, 2 * d] += 1
            # of an odd number: paths to the two ends of the bond opposite the root
            if 2 * d + 1 <= longest:
                for k in range(first[end], first[end + 1]):
                    j = indices[k]
                    if j <= end or distance[j] != d:
                        continue
                    if n_paths == -2:
                        n_paths = _paths_back(end, distance, first, indices, paths)
                    n_paths_2 = _paths_back(j, distance, first, indices, paths_2)
                    if n_paths < 0 or n_paths_2 < 0:
                        return through, False
                    for a in range(n_paths):
                        for b in range(n_paths_2):
                            apart = True
                            for m in range(1, d):
                                if paths[a, m] == paths_2[b, m]:
                                    apart = False
                                    break
                            if apart:
                                for m in range(d + 1):
                                    ring[m] = paths[a, m]
                                for m in range(1, d + 1):
                                    ring[2 * d + 1 - m] = paths_2[b, m]
                                if _is_shortest(ring, 2 * d + 1, depth, first, indices, place, table, second, other):
                                    through[root, 2 * d + 1] += 1
        for t in range(many):
            distance[queue[t]] = -1
            place[queue[t]] = -1
    return through, True
