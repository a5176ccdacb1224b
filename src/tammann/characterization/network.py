"""Which atoms are bonded: pairs of elements within distances that are stated, as a network with periodic images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.frames import check_elements, species_of
from tammann.characterization.rdf import kinds_of, pair_distribution
from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.structures.pairs import PairList, find_pairs

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

SHELL_A = 10.0
"""Range of g(r) for its first minimum; ions in contact are less than half of this apart."""
NEAREST_A = 1e-3
"""Atoms nearer than this are one atom twice."""
LONGEST_A = 20.0
"""Longest distance that anybody would call a bond, or a neighbour."""


@dataclass(frozen=True, eq=False, repr=False)
class BondNetwork:
    """Bonds of a configuration of N atoms.

    Attributes:
        configuration: The atoms.
        cutoffs_A: By pair of elements, the length up to which two atoms are bonded, Å; pairs not named are not bonded.
        pairs: The bonds, each from both its ends.
    """

    configuration: Configuration
    cutoffs_A: Mapping[tuple[str, str], float]
    pairs: PairList

    def __repr__(self) -> str:
        bonds = ", ".join(f"{a}-{b} to {cutoff:g} Å" for (a, b), cutoff in self.cutoffs_A.items())
        return f"BondNetwork({len(self.configuration.symbols)} atoms, {len(self.pairs.indices) // 2} bonds: {bonds})"

    def are(self, symbol: str) -> np.ndarray:
        """Tell of each atom whether it is of an element, shape (N,).

        Raises:
            DataError: There is none.
        """
        found = np.array(self.configuration.symbols) == symbol
        if not found.any():
            check_elements((symbol,), tuple(dict.fromkeys(self.configuration.symbols)))
        return found

    def between(self, centre: str, neighbour: str) -> PairList:
        """Return the bonds from atoms of one element to those of another.

        Raises:
            DataError: An element that is not there, or a pair that has no cutoff.
        """
        if (centre, neighbour) not in self.cutoffs_A and (neighbour, centre) not in self.cutoffs_A:
            raise DataError(
                f"cutoffs_A: expected a length for {centre}-{neighbour}, got those of "
                f"{', '.join('-'.join(pair) for pair in self.cutoffs_A)}; add it."
            )
        return self.pairs.only(self.are(centre)[self.pairs.centres] & self.are(neighbour)[self.pairs.indices])


def bond_network(
    configuration: Configuration, cutoffs_A: Mapping[tuple[str, str], float], *, threads: int | None = None
) -> BondNetwork:
    """Find the bonds of a configuration.

    Args:
        configuration: Any cell, also one smaller than a bond.
        cutoffs_A: Length up to which two atoms of a pair of elements are bonded, Å; the order of the two is free.
        threads: Cores; all of them where None.

    Raises:
        DataError: No pair, an element that is not there, a pair given twice, a length that no bond has, or two atoms at
            the same place.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> bond_network(cscl, {("Cs", "Cl"): 3.7})
        BondNetwork(2 atoms, 8 bonds: Cs-Cl to 3.7 Å)
    """
    species = tuple(dict.fromkeys(configuration.symbols))
    limits = cutoff_table(cutoffs_A, species)
    found = find_pairs(configuration.positions_A, configuration.cell_A, cutoff_A=float(limits.max()), threads=threads)
    if len(found.distances_A) and found.distances_A.min() < NEAREST_A:
        pair = int(found.distances_A.argmin())
        raise DataError(
            f"atoms {int(found.centres[pair]) + 1} and {int(found.indices[pair]) + 1} are at the same place; leave out "
            "one of each such pair."
        )
    kinds = kinds_of(configuration, species)
    if not (limits == limits.max()).all():
        found = found.only(found.distances_A < limits[kinds[found.centres], kinds[found.indices]])
    return BondNetwork(configuration, dict(cutoffs_A), found)


def cutoff_table(cutoffs_A: Mapping[tuple[str, str], float], species: Sequence[str]) -> np.ndarray:
    """Return cutoffs by the places of two elements, Å, shape (S, S), 0 where there is none.

    Raises:
        DataError: As ``bond_network``.

    Example:
        >>> cutoff_table({("Zr", "S"): 3.1}, ("Zr", "S")).tolist()
        [[0.0, 3.1], [3.1, 0.0]]
    """
    if not cutoffs_A:
        raise DataError("cutoffs_A: expected a length for one pair of elements or more, got none.")
    table = np.zeros((len(species), len(species)))
    for (a, b), cutoff in cutoffs_A.items():
        check_elements((a, b), species)
        if not 0.0 < cutoff <= LONGEST_A:
            raise DataError(f"cutoffs_A: {a}-{b}: expected a length above 0 Å, at most {LONGEST_A:g}, got {cutoff:g}.")
        i, j = species.index(a), species.index(b)
        if table[i, j]:
            raise DataError(f"cutoffs_A: expected one length for {a}-{b}, got two; leave one out.")
        table[i, j] = table[j, i] = cutoff
    return table


def first_minimum_cutoffs(
    source: Configuration | Sequence[Configuration] | Trajectory, pairs: Iterable[tuple[str, str]] | None = None
) -> dict[tuple[str, str], float]:
    """Return, for pairs of elements, the first minimum of g(r) after its first peak, Å.

    Where the first shell is split, as that of Ba in an orthorhombic perovskite, the rule finds a gap within it: there
    give the length.

    Args:
        source: One configuration or several, or a trajectory.
        pairs: All pairs of elements where None.

    Raises:
        DataError: An element that is not there, or no pair of that kind within reach.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> bool(3.5 < first_minimum_cutoffs(cscl, [("Cs", "Cl")])["Cs", "Cl"] < 6.6)
        True
    """
    pairs = None if pairs is None else list(pairs)
    check_elements([symbol for pair in pairs or () for symbol in pair], species_of(source))
    found = pair_distribution(source, cutoff_A=SHELL_A)
    return {(a, b): found.first_shell(a, b)[1] for a, b in (found.pairs if pairs is None else pairs)}
