"""Rings of bonds: the shortest-path rings of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from tammann.characterization.network import BondNetwork
from tammann.errors import DataError

LONGEST = 12
MOST_PATHS = 4000
"""Shortest paths between two atoms; networks with more are no networks of bonds."""
MOST_ATOMS = 2_000_000
"""Atoms of the box in which no ring closes on its own image."""


@dataclass(frozen=True, eq=False, repr=False)
class RingStatistics:
    """Shortest-path rings of a network of N atoms.

    Attributes:
        longest: Number of bonds of the longest rings sought, L.
        through: Rings of each size that pass through each atom, shape (N, L + 1).
        bonded: Whether each atom has a bond, shape (N,).
    """

    longest: int
    through: np.ndarray
    bonded: np.ndarray

    def __repr__(self) -> str:
        rings = ", ".join(f"{number:g} of {size}" for size, number in self.rings.items())
        return f"RingStatistics({len(self.through)} atoms: {rings or 'no rings'})"

    @property
    def rings(self) -> dict[int, float]:
        """Number of rings of each size in the cell; only sizes that there are."""
        totals = self.through.sum(axis=0)
        return {n: float(totals[n] / n) for n in range(3, self.longest + 1) if totals[n]}

    @property
    def fractions(self) -> dict[int, float]:
        """Share of the rings by size."""
        whole = sum(self.rings.values())
        return {size: number / whole for size, number in self.rings.items()}


def ring_statistics(network: BondNetwork, *, longest: int = LONGEST) -> RingStatistics:
    """Count the shortest-path rings of a network by size.

    A ring is a closed path of bonds. It counts if none of its atoms can be reached from another by fewer bonds than
    along the ring itself (Franzblau's shortest-path rings). In a network of two elements such as Zr-S, of which only
    unlike ones are bonded, a ring of 2n atoms has n of each.

    Args:
        network: As ``bond_network`` gives it; a small cell is repeated until no ring can close on its own image.
        longest: Number of bonds of the longest rings; time rises steeply with it.

    Raises:
        DataError: A length out of range, a cell too small or a network too dense for it.

    Reference:
        Franzblau, Phys. Rev. B 1991, 44, 4925, doi 10.1103/PhysRevB.44.4925.

    Example:
        >>> from tammann.characterization import bond_network
        >>> from tammann.structures import Configuration
        >>> faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
        >>> diamond = Configuration(("Si",) * 8, 5.43 * np.vstack([faces, faces + 0.25]), 5.43 * np.eye(3))
        >>> ring_statistics(bond_network(diamond, {("Si", "Si"): 2.5}), longest=7).rings
        {6: 16.0}
    """
    if not 3 <= longest <= 40:
        raise DataError(f"longest: expected a number of bonds from 3 to 40, got {longest}.")
    n, bonded = network.configuration.n_atoms, np.diff(network.pairs.first) > 0
    if not bonded.any():
        return RingStatistics(longest, np.zeros((n, longest + 1), dtype=np.int64), bonded)
    first, indices = _unfolded(network, longest)
    through, enough = _rings_through(n, first, indices, longest, MOST_PATHS)
    if not enough:
        raise DataError(
            f"longest: expected rings that can be counted, got more than {MOST_PATHS} shortest paths between two atoms "
            f"in rings of up to {longest}; take a smaller number, or shorter bonds."
        )
    return RingStatistics(longest, through, bonded)


def _unfolded(network: BondNetwork, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return neighbours in a box of repeated cells, those of the first cell first, as in the endless network.

    A path that ends at an image of its beginning has more bonds than the longest ring.
    """
    pairs, n = network.pairs, network.configuration.n_atoms
    bound = longest * float(pairs.distances_A.max())
    heights = 1.0 / np.linalg.norm(np.linalg.inv(network.configuration.cell_A), axis=0)
    repeats = np.maximum(1, np.floor(bound / heights).astype(int) + 1)
    if int(np.prod(repeats)) * n > MOST_ATOMS:
        raise DataError(
            f"longest: expected rings that fit into {MOST_ATOMS:,} atoms, got {longest} bonds of up to "
            f"{pairs.distances_A.max():.3g} Å; take a smaller number."
        )
    cells = np.stack(np.meshgrid(*[np.arange(m) for m in repeats.tolist()], indexing="ij"), axis=-1).reshape(-1, 3)
    # images are relative to the positions as they are, inside the cell or not, which is all the same to a network
    to = (cells[:, None, :] + pairs.images[None, :, :]) % repeats
    index = ((to[..., 0] * repeats[1] + to[..., 1]) * repeats[2] + to[..., 2]) * n + pairs.indices
    first = np.concatenate(
        [(np.arange(len(cells))[:, None] * len(pairs.indices) + pairs.first[None, :-1]).ravel(), [index.size]]
    )
    return first, index.ravel()


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
def _rings_through(n, first, indices, longest, most_paths):  # type: ignore[no-untyped-def]
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
