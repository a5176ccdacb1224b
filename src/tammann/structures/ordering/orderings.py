"""Orderings of a block: arrangements that no operation turns into each other, with their degeneracies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.structures.ordering.block import OrderingBlock
from tammann.structures.ordering.counting import OrderingCount


@dataclass(frozen=True, eq=False, repr=False)
class Orderings:
    """Distinct orderings of a block.

    Attributes:
        block: Of which they are.
        arrangements: Number of the species of its sublattice on each site, shape (n, M): of all equivalent arrangements
            the first in lexicographic order.
        degeneracies: How many arrangements are equivalent to each, shape (n,).
        count: How many orderings and arrangements the block has.
        energies_eV: Of each, eV per block, shape (n,), where they have been computed.
        origin: ``enumerated``, ``random`` or ``Monte Carlo``, and what was kept of them.

    Example:
        >>> from tammann.structures.ordering import disordered_crystal, enumerate_orderings, ordering_block, with_ewald
        >>> sites = {"M": ({"Li": 0.5, "Al": 0.5}, (0, 0, 0)), "X": ({"O": 1}, (0.5, 0.5, 0.5))}
        >>> block = ordering_block(disordered_crystal("Fm-3m", (4, 4, 4, 90, 90, 90), sites), (1, 1, 2))
        >>> with_ewald(enumerate_orderings(block)).lowest(3)
        Orderings(3 of 8 distinct, 0.2 of 70 arrangements, enumerated, the 3 lowest of 8)
    """

    block: OrderingBlock
    arrangements: np.ndarray
    degeneracies: np.ndarray
    count: OrderingCount
    energies_eV: np.ndarray | None = None
    origin: str = "enumerated"

    def __len__(self) -> int:
        return len(self.arrangements)

    def __iter__(self) -> Iterator[Configuration]:
        return (self.configuration(k) for k in range(len(self)))

    def __repr__(self) -> str:
        return (
            f"Orderings({len(self)} of {self.count.distinct} distinct, {self.fraction_covered:.3g} of {self.count.raw} "
            f"arrangements, {self.origin})"
        )

    @property
    def exact(self) -> bool:
        """Whether all distinct orderings are there."""
        return len(self) == self.count.distinct

    @property
    def fraction_covered(self) -> float:
        """Share of all arrangements that are equivalent to one of these."""
        return float(sum(map(int, self.degeneracies))) / self.count.raw

    @property
    def fraction_of_distinct(self) -> float:
        """Share of the distinct orderings that are there."""
        return len(self) / self.count.distinct

    def configuration(self, k: int) -> Configuration:
        """Return the atoms of an ordering (``OrderingBlock.configuration``)."""
        return self.block.configuration(self.arrangements[k])

    def take(self, which: ArrayLike, *, kept: str = "") -> Orderings:
        """Return some of the orderings, in the order given.

        Args:
            which: Their numbers, or a boolean for each.
            kept: What to add to the origin.
        """
        chosen = np.arange(len(self))[np.asarray(which)]
        energies = None if self.energies_eV is None else self.energies_eV[chosen]
        return replace(
            self,
            arrangements=self.arrangements[chosen],
            degeneracies=self.degeneracies[chosen],
            energies_eV=energies,
            origin=f"{self.origin}, {kept}" if kept else self.origin,
        )

    def lowest(self, number: int, *, rng: np.random.Generator | int | None = None) -> Orderings:
        """Return the orderings of lowest energy, the lowest first; all, in order, where there are no more.

        Ions of one charge that change places leave an electrostatic energy as it is, so many orderings can be alike.
        Of those within 1e-6 eV the ones that come first are drawn at random where a generator or seed is given;
        without one they are the first in lexicographic order, which have like ions side by side.

        Args:
            number: How many.
            rng: Seed or generator.

        Raises:
            DataError: No energies have been computed, or fewer than one is asked for.
        """
        if self.energies_eV is None:
            raise DataError("lowest: expected orderings with energies, got none; compute them first (with_ewald).")
        if number < 1:
            raise DataError(f"lowest: expected a number of orderings of 1 or more, got {number}.")
        ties = np.arange(len(self)) if rng is None else np.random.default_rng(rng).permutation(len(self))
        order = np.lexsort((ties, self.energies_eV.round(6)))[:number]
        return self.take(order, kept=f"the {len(order)} lowest of {len(self)}" if number < len(self) else "")
