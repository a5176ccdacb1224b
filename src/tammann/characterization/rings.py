"""Rings of bonds: the shortest-path rings of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    from tammann.characterization.network_kernels import rings_through  # numba is slow to import

    if not 3 <= longest <= 40:
        raise DataError(f"longest: expected a number of bonds from 3 to 40, got {longest}.")
    n, bonded = network.configuration.n_atoms, np.diff(network.pairs.first) > 0
    if not bonded.any():
        return RingStatistics(longest, np.zeros((n, longest + 1), dtype=np.int64), bonded)
    first, indices = _unfolded(network, longest)
    through, enough = rings_through(n, first, indices, longest, MOST_PATHS)
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
