"""All distinct orderings of a block, exactly, with their degeneracies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tammann.errors import DataError
from tammann.structures.ordering.block import OrderingBlock, Sublattice
from tammann.structures.ordering.counting import count_distinct, count_orderings, multinomial
from tammann.structures.ordering.kernels import every_arrangement, first_of_orbits, fixing_operations
from tammann.structures.ordering.orderings import Orderings

MOST_RAW = 10_000_000
"""Arrangements of a block that are enumerated without being asked."""
MOST_DISTINCT = 20_000_000
"""Orderings that are kept in memory."""
CHUNK = 4096


def enumerate_orderings(block: OrderingBlock, *, most_raw: int = MOST_RAW) -> Orderings:
    """Return every distinct ordering of a block with its degeneracy.

    Sublattices are filled one after the other: first the distinct ways to fill the first under the whole group, then
    for each of them the distinct ways to fill the next under those operations that leave the first as it is, and so
    on. A degeneracy is the product of the sizes of these orbits; together they sum to the number of arrangements.

    Args:
        block: As ``ordering_block`` returns it.
        most_raw: Refuse blocks with more arrangements.

    Raises:
        DataError: The block has more arrangements than ``most_raw``.

    Example:
        >>> from tammann.structures.ordering import disordered_crystal, ordering_block
        >>> alloy = disordered_crystal("Fm-3m", (4, 4, 4, 90, 90, 90), {"M": ({"Cu": 0.5, "Au": 0.5}, (0, 0, 0))})
        >>> found = enumerate_orderings(ordering_block(alloy, (1, 1, 2)))
        >>> found, found.degeneracies.tolist()
        (Orderings(8 of 8 distinct, 1 of 70 arrangements, enumerated), [2, 32, 4, 8, 8, 4, 8, 4])
    """
    count = count_orderings(block)
    if count.raw > most_raw or count.distinct > MOST_DISTINCT:
        raise DataError(
            f"{block!r}: has {count.raw:.3g} arrangements, {count.distinct:.3g} of them distinct, expected at most "
            f"{most_raw:.3g} to enumerate; take a smaller block, or sample it (sample_orderings)."
        )
    known: dict[tuple[int, bytes], tuple[np.ndarray, np.ndarray]] = {}

    def fill(level: int, permutations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return arrangements and degeneracies of the sublattices from one on, under a group."""
        key = level, permutations.tobytes()
        if key not in known:
            known[key] = _fill(block.sublattices[level:], permutations, lambda group: fill(level + 1, group))
        return known[key]

    if not block.sublattices:
        return Orderings(block, np.zeros((1, 0), np.int8), np.ones(1, np.int64), count)
    arrangements, degeneracies = fill(0, block.permutations)
    if len(arrangements) != count.distinct or int(degeneracies.sum()) != count.raw:  # a group that is none
        raise DataError(
            f"{block!r}: found {len(arrangements)} orderings of {int(degeneracies.sum())} arrangements, expected "
            f"{count.distinct} of {count.raw}; its operations do not form a group, so try another symprec_A."
        )
    return Orderings(block, arrangements, degeneracies, count)


def _fill(
    sublattices: tuple[Sublattice, ...],
    permutations: np.ndarray,
    rest: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    first = sublattices[0]
    own = permutations[:, slice(*first.sites)] - first.sites[0]
    distinct = np.unique(own, axis=0)
    counts, raw = np.array(first.counts), multinomial(first.counts)
    if len(distinct) == 1:
        firsts, sizes = every_arrangement(counts, raw), np.ones(raw, np.int64)
    else:
        number = count_distinct(distinct, [((0, first.n_sites), first.counts)])
        firsts, sizes, found = first_of_orbits(distinct, counts, raw, number)
        if found != number:
            raise DataError(f"operations of {first.name} do not form a group; try another symprec_A.")
    if len(sublattices) == 1:
        return firsts, sizes
    # those that keep nothing but themselves, and the others by the operations that they keep
    after, at = {}, np.empty(len(firsts), dtype=np.int64)
    keys: dict[bytes, int] = {}
    for start in range(0, len(firsts), CHUNK):
        fixing = fixing_operations(firsts[start : start + CHUNK], own)
        patterns, inverse = np.unique(fixing, axis=0, return_inverse=True)
        numbers = []
        for pattern in patterns:
            key = pattern.tobytes()
            if key not in keys:
                keys[key] = len(keys)
                after[keys[key]] = rest(permutations[pattern])
            numbers.append(keys[key])
        at[start : start + CHUNK] = np.array(numbers)[inverse.reshape(-1)]
    lengths = np.array([len(after[k][0]) for k in range(len(after))])[at]
    ends = np.cumsum(lengths)
    n_rest = next(iter(after.values()))[0].shape[1]
    arrangements = np.empty((int(ends[-1]), first.n_sites + n_rest), np.int8)
    degeneracies = np.empty(int(ends[-1]), np.int64)
    arrangements[:, : first.n_sites] = np.repeat(firsts, lengths, axis=0)
    for k, (others, times) in after.items():
        blocks = np.flatnonzero(at == k)
        rows = (ends[blocks] - lengths[blocks])[:, None] + np.arange(len(others))
        arrangements[rows, first.n_sites :] = others[None]
        degeneracies[rows] = sizes[blocks][:, None] * times[None]
    return arrangements, degeneracies
