"""Which sites of a periodic network hang together, and along how many directions without end."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


class Joined:
    """Sites of a periodic network that have been joined: union-find that knows the cells (mutable).

    Attributes:
        joins: How often two sets became one.
        weights: Of each set, at its root.
        peaks: Of each root.
        windings: Lattice vectors, at the root of each set, by which it returns to itself.
    """

    def __init__(self, n: int, *, weights: np.ndarray | None = None, peaks: np.ndarray | None = None) -> None:
        self._parent = np.arange(n)
        self._offset = np.zeros((n, 3), dtype=np.int64)  # of the cell of the parent as seen from that of the site
        self.joins = 0
        self.weights = np.ones(n) if weights is None else weights.copy()
        self.peaks = np.ones(n) if peaks is None else peaks
        self.windings: dict[int, list[np.ndarray]] = {}

    def root(self, site: int) -> int:
        """Return the root of the set of a site."""
        path = []
        while self._parent[site] != site:
            path.append(site)
            site = int(self._parent[site])
        total = np.zeros(3, dtype=np.int64)
        for each in reversed(path):
            total = total + self._offset[each]
            self._parent[each], self._offset[each] = site, total
        return site

    def between_roots(self, a: int, b: int, cell: np.ndarray) -> np.ndarray:
        """Return the cell of the root of b as seen from that of a, of which b lies in ``cell`` as seen from a."""
        self.root(a), self.root(b)  # offsets are then those to the roots
        return np.asarray(cell + self._offset[b] - self._offset[a])

    def join(self, a: int, b: int, cell: np.ndarray, *, keep: int | None = None) -> None:
        """Join the sets of two sites, of which b lies in ``cell`` as seen from a; or note that one returns to itself.

        Args:
            a: Site.
            b: Site.
            cell: Integers, shape (3,).
            keep: The root that stays one; that of a where None.
        """
        one, other = self.root(a), self.root(b)
        across = self.between_roots(a, b, cell)
        if one == other:
            if across.any():
                self.windings.setdefault(one, []).append(across)
            return
        if keep == other:
            one, other, across = other, one, -across
        self._parent[other], self._offset[other] = one, -across
        self.weights[one] += self.weights[other]
        self.windings[one] = self.windings.pop(one, []) + self.windings.pop(other, [])
        self.joins += 1

    def roots(self) -> list[int]:
        """Return the roots, in the order of their numbers."""
        return [k for k in range(len(self._parent)) if self._parent[k] == k]

    def roots_and_offsets(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the root of every site, shape (n,), and its cell as seen from that of the site, shape (n, 3)."""
        roots = np.array([self.root(k) for k in range(len(self._parent))])
        return roots, self._offset.copy()

    def directions(self, site: int) -> np.ndarray:
        """Return independent lattice vectors along which the set of a site has no end, shape (dimension, 3)."""
        return independent(self.windings.get(self.root(site), []))


def independent(vectors: ArrayLike | list[np.ndarray]) -> np.ndarray:
    """Return the shortest linearly independent ones among some integer vectors, shape (rank, 3).

    Example:
        >>> independent([[2, 0, 0], [1, 0, 0], [0, 0, -1]]).tolist()
        [[1, 0, 0], [0, 0, 1]]
    """
    rows = np.array(vectors, dtype=np.int64).reshape(-1, 3)
    rows = np.array([row * np.sign(next((x for x in row if x), 1)) for row in rows]).reshape(-1, 3)
    chosen: list[np.ndarray] = []
    for row in sorted(np.unique(rows, axis=0).tolist(), key=lambda v: (sum(x * x for x in v), [-x for x in v])):
        if np.linalg.matrix_rank(np.array([*chosen, row])) > len(chosen):
            chosen.append(np.array(row))
    return np.array(chosen, dtype=np.int64).reshape(-1, 3)


def percolation(n_sites: int, links: ArrayLike) -> tuple[int, np.ndarray]:
    """Return along how many directions a periodic network has no end, and these, of the set of sites with most.

    A walk that returns to its site in another cell winds around the crystal; the rank of all such windings is 0 for
    cages, 1 for channels, 2 for layers and 3 for a framework.

    Args:
        n_sites: Number of sites, S.
        links: Sites a and b and the cell of b as seen from that of a, integers, shape (L, 5).

    Returns:
        The dimension, 0 to 3, and lattice vectors, shape (dimension, 3).

    Reference:
        Newman, Ziff, Phys. Rev. E 2001, 64, 016706, doi 10.1103/PhysRevE.64.016706 (union-find with displacements).

    Example:
        >>> percolation(2, [[0, 1, 0, 0, 0], [0, 1, -1, 0, 0]])  # a chain along the first lattice vector
        (1, array([[1, 0, 0]]))
    """
    joined = Joined(n_sites)
    for a, b, *cell in np.array(links, dtype=np.int64).reshape(-1, 5).tolist():
        joined.join(a, b, np.array(cell))
    best = np.zeros((0, 3), dtype=np.int64)
    for root in joined.windings:
        found = joined.directions(root)
        if len(found) > len(best):
            best = found
    return len(best), best
