"""How many orderings there are, before any is made: Burnside's lemma."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tammann.structures.ordering.block import OrderingBlock


class OrderingCount(NamedTuple):
    """How many orderings a block has: ``distinct`` by symmetry, and ``raw``, all arrangements."""

    distinct: int
    raw: int


def count_orderings(block: OrderingBlock) -> OrderingCount:
    """Count the arrangements of a block, and those that no operation turns into each other.

    By Burnside's lemma the number of distinct ones is (1/G) sum_g prod_s f_s(g), with f_s(g) the arrangements of
    sublattice s that operation g leaves as they are: the coefficient of prod_k x_k^(n_k) in prod_c (sum_k x_k^|c|)
    over the cycles c of g on its sites, with n_k the counts of its species (Pólya). One operation acts on all
    sublattices at once, so the product is within the sum. Integers are exact, whatever their size.

    Args:
        block: As ``ordering_block`` returns it.

    Example:
        >>> from tammann.structures.ordering import disordered_crystal, ordering_block
        >>> alloy = disordered_crystal("Fm-3m", (4, 4, 4, 90, 90, 90), {"M": ({"Cu": 0.5, "Au": 0.5}, (0, 0, 0))})
        >>> count_orderings(ordering_block(alloy, (1, 1, 2)))
        OrderingCount(distinct=8, raw=70)
    """
    parts = [(s.sites, s.counts) for s in block.sublattices]
    return OrderingCount(count_distinct(block.permutations, parts), math.prod(multinomial(c) for _, c in parts))


def count_distinct(permutations: np.ndarray, parts: Sequence[tuple[tuple[int, int], tuple[int, ...]]]) -> int:
    """Return the number of orbits of a group on arrangements.

    Args:
        permutations: A group, shape (G, M).
        parts: First site, the one after the last, and the counts of the species of each sublattice.
    """
    types = Counter(
        tuple(tuple(sorted(Counter(_cycles(row, *sites)).items())) for sites, _ in parts) for row in permutations
    )
    total = 0
    for cycles, times in types.items():
        total += times * math.prod(_fixed(own, counts) for own, (_, counts) in zip(cycles, parts, strict=True))
    return total // len(permutations)


def multinomial(counts: Sequence[int]) -> int:
    """Return in how many ways objects of several kinds can stand in a row.

    Example:
        >>> multinomial((2, 1, 1))
        12
    """
    return math.factorial(sum(counts)) // math.prod(math.factorial(n) for n in counts)


def _cycles(permutation: np.ndarray, first: int, last: int) -> list[int]:
    """Return the lengths of the cycles among some sites."""
    to, seen, lengths = permutation[first:last].tolist(), [False] * (last - first), []
    for start in range(last - first):
        length, at = 0, start
        while not seen[at]:
            seen[at] = True
            at = to[at] - first
            length += 1
        if length:
            lengths.append(length)
    return lengths


@lru_cache(maxsize=65536)
def _fixed(cycles: tuple[tuple[int, int], ...], counts: tuple[int, ...]) -> int:
    """Return in how many ways species fill whole cycles: a polynomial in all but the last species, one cycle a time."""
    ways: dict[tuple[int, ...], int] = {counts[:-1]: 1}  # what is left of each species
    last = counts[-1]
    total = sum(counts)
    for length, times in cycles:
        for _ in range(times):
            total -= length
            after: dict[tuple[int, ...], int] = {}
            for left, n in ways.items():
                if 0 <= total - sum(left) <= last:  # the last species takes it
                    after[left] = after.get(left, 0) + n
                for k, own in enumerate(left):
                    if own >= length:
                        key = (*left[:k], own - length, *left[k + 1 :])
                        if total - sum(key) <= last:
                            after[key] = after.get(key, 0) + n
            ways = after
    return ways.get((0,) * (len(counts) - 1), 0)
