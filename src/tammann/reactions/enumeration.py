"""Every balanced reaction between a few phases, from null spaces of all small subsets at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.reactions.reaction import Reactions

if TYPE_CHECKING:
    from tammann.thermo import Phases

__all__ = ["balanced_combinations", "enumerate_reactions"]

_BLOCK = 200_000
"""Subsets solved at once; bounds the memory of a chemistry of many phases."""


def enumerate_reactions(phases: Phases, *, gases: Sequence[str] | None = None) -> Reactions:
    """Return every balanced reaction of one or two solids to one or two solids, gases on either side.

    A reaction is a vector of coefficients nu with sum_p nu_p A_pe = 0 for every element e, where A is
    ``phases.composition_matrix``. Only subsets of phases whose null space has exactly one dimension, and no zero in it,
    count: every other balanced equation is a sum of those, with coefficients that are not unique. Both directions are
    listed, the coefficients are the smallest integers, and no phase stands on both sides.

    Args:
        phases: The phases; those whose ``is_gas`` is true do not count among the one or two solids of a side.
        gases: Formulas of the gases that may take part, all gases of ``phases`` if None, none if empty.

    Returns:
        The reactions, each followed by its reverse, in the order of the phases.

    Raises:
        DataError: A name in ``gases`` is not a gas of ``phases``.

    Example:
        >>> from tammann.thermo import load_phases
        >>> from tammann.reactions import enumerate_reactions
        >>> reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
        >>> "BaO + TiO2 -> BaTiO3" in {reaction.equation for reaction in reactions}
        True
    """
    matrix = np.asarray(phases.composition_matrix, dtype=np.int64)
    is_gas = np.asarray(phases.is_gas, dtype=bool)
    allowed = np.flatnonzero(is_gas)
    if gases is not None:
        named = [phases.index(formula) for formula in gases]
        for index, formula in zip(named, gases, strict=True):
            if not is_gas[index]:
                raise DataError(f"gases: {formula} is not a gas of {phases.system}; leave it out or mark it as a gas.")
        allowed = np.array(sorted(named), dtype=np.int64)
    solids = np.flatnonzero(~is_gas)
    rank = int(np.linalg.matrix_rank(matrix)) if len(matrix) else 0

    found = []
    for n_gas in range(len(allowed) + 1):
        for n_solid in range(2, 5):
            if n_solid + n_gas > rank + 1:
                continue
            for block in _subsets(solids, n_solid, allowed, n_gas):
                members, coefficients = balanced_combinations(matrix, block)
                on_left = (coefficients[:, :n_solid] < 0).sum(axis=1)
                keep = (on_left >= 1) & (on_left <= 2) & (n_solid - on_left >= 1) & (n_solid - on_left <= 2)
                rows = np.zeros((int(keep.sum()), len(matrix)), dtype=np.int64)
                np.put_along_axis(rows, members[keep], coefficients[keep], axis=1)
                found.append(rows)
    forward = np.concatenate(found) if found else np.zeros((0, len(matrix)), dtype=np.int64)
    both = np.empty((2 * len(forward), len(matrix)), dtype=np.int64)
    both[0::2], both[1::2] = forward, -forward
    return Reactions(phases=phases, coefficients=both)


def balanced_combinations(matrix: np.ndarray, subsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the subsets of rows that balance in exactly one way, with their smallest integer coefficients.

    Fraction-free Gauss-Jordan elimination (Bareiss) of the transposed compositions, on all subsets together, so that
    no rounding takes part: after k - 1 pivots the matrix is d times the identity beside the last column v, and the null
    vector is (v, -d).

    Args:
        matrix: Compositions, shape (n, E), integer atoms per formula unit.
        subsets: Row numbers, shape (N, k).

    Returns:
        The subsets that qualify, shape (M, k), and their coefficients, shape (M, k), int64, with greatest common
        divisor 1 and no zero; the overall sign is arbitrary.

    Example:
        >>> import numpy as np
        >>> BaO_TiO2_BaTiO3 = np.array([[1, 0, 1], [0, 1, 2], [1, 1, 3]])
        >>> balanced_combinations(BaO_TiO2_BaTiO3, np.array([[0, 1, 2]]))[1].tolist()
        [[1, 1, -1]]
    """
    matrix = np.asarray(matrix)
    subsets = np.asarray(subsets)
    k = subsets.shape[1]
    n_elements = matrix.shape[1]
    nothing = subsets[:0], np.zeros((0, k), dtype=np.int64)
    if k - 1 > n_elements or not len(subsets):
        return nothing
    # Minors are bounded by Hadamard's inequality and Bareiss multiplies two of them; beyond int64, exact Python
    # integers.
    norm = max(1.0, float(np.sqrt((matrix.astype(float) ** 2).sum(axis=1)).max()))
    work_type = np.int64 if 2.0 * norm ** (2 * (k - 1)) < 2.0**62 else object
    work = np.swapaxes(matrix[subsets], 1, 2).astype(work_type)  # (N, E, k)
    previous = np.ones(len(work), dtype=work_type)
    for column in range(k - 1):
        nonzero = work[:, column:, column] != 0
        has_pivot = nonzero.any(axis=1)
        work, subsets, previous, nonzero = work[has_pivot], subsets[has_pivot], previous[has_pivot], nonzero[has_pivot]
        if not len(work):
            return nothing
        row = column + nonzero.argmax(axis=1)
        which = np.arange(len(work))
        pivot_row = work[which, row].copy()
        work[which, row] = work[:, column]
        pivot = pivot_row[:, column]
        eliminated = work * pivot[:, None, None] - work[:, :, column, None] * pivot_row[:, None, :]
        work = eliminated // previous[:, None, None]
        work[:, column] = pivot_row
        previous = pivot
    last = work[:, :, k - 1]
    unique = (last[:, : k - 1] != 0).all(axis=1) & (last[:, k - 1 :] == 0).all(axis=1)
    coefficients = np.concatenate([last[unique, : k - 1], -previous[unique, None]], axis=1)
    if not len(coefficients):
        return nothing
    coefficients = coefficients // np.gcd.reduce(coefficients, axis=1)[:, None]
    return subsets[unique], coefficients.astype(np.int64)


def _subsets(solids: np.ndarray, n_solid: int, gases: np.ndarray, n_gas: int) -> Iterator[np.ndarray]:
    """All choices of ``n_solid`` solids with each choice of ``n_gas`` gases, solids first, in blocks."""
    size = comb(len(solids), n_solid)
    if not size:
        return
    for gas_choice in combinations(gases.tolist(), n_gas):
        flat = chain.from_iterable(combinations(solids.tolist(), n_solid))
        for start in range(0, size, _BLOCK):
            count = min(_BLOCK, size - start)
            block = np.fromiter(flat, dtype=np.int64, count=count * n_solid).reshape(count, n_solid)
            yield np.concatenate([block, np.broadcast_to(gas_choice, (count, n_gas)).astype(np.int64)], axis=1)
