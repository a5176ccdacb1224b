"""Every balanced reaction between a few phases, from null spaces of all small subsets at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError, check_argument
from tammann.reactions.reaction import Reactions, reaction_energy

if TYPE_CHECKING:
    from tammann.thermo import Phases

_BLOCK = 50_000
"""Combinations of phases solved at once."""

_MOST_COMBINATIONS = 100_000_000
"""Some minutes of work, and 160 solids with two gases."""

_MOST_BYTES = 1_000_000_000
"""Largest table of coefficients."""


def enumerate_reactions(
    phases: Phases,
    *,
    gases: Sequence[str] | None = None,
    reactants: Sequence[str] | None = None,
    exchanging: np.ndarray | None = None,
    keep: Callable[[Reactions], np.ndarray] | None = None,
) -> Reactions:
    """Return every balanced reaction of one or two solids to one or two solids, gases on either side.

    A reaction is a vector of coefficients nu with sum_p nu_p A_pe = 0 for every element e, where A is
    ``phases.composition_matrix``. Only subsets of phases whose null space has exactly one dimension, and no zero in it,
    count: every other balanced equation is a sum of those, with coefficients that are not unique. Both directions are
    listed, the coefficients are the smallest integers, and no phase stands on both sides.

    Args:
        phases: The phases; those whose ``is_gas`` is true do not count among the one or two solids of a side.
        gases: Formulas of the gases that may take part, all gases of ``phases`` if None, none if empty.
        reactants: Formulas of one or two solids, for the reactions that have exactly these as solid reactants.
        exchanging: Which phases may take part in reactions of two solids to two, shape (n,), bool; all if None.
        keep: Takes some of the reactions and returns which of them to keep, shape (R,), bool; what it drops takes no
            memory.

    Returns:
        The reactions, each followed by its reverse unless ``reactants`` or ``keep`` leave that out, in the order of the
        phases.

    Raises:
        DataError: A name in ``gases`` is not a gas of ``phases``, or one in ``reactants`` is not a solid; or the phases
            are too many: 100 million combinations, or a table of 1 GB.

    Example:
        >>> from tammann.thermo import load_phases
        >>> from tammann.reactions import enumerate_reactions
        >>> phases = load_phases("Ba-Ti-O")
        >>> reactions = enumerate_reactions(phases)
        >>> "BaO + TiO2 -> BaTiO3" in {reaction.equation for reaction in reactions}
        True
        >>> len(enumerate_reactions(phases, reactants=["BaO", "TiO2"])) < len(reactions) / 10
        True
    """
    check_argument("phases", phases, "Phases", "what load_phases returns")
    tables, count = [np.zeros((0, len(phases.composition_matrix)), dtype=np.int64)], 0
    for block in reaction_blocks(phases, gases=gases, reactants=reactants, exchanging=exchanging):
        table = block.coefficients if keep is None else block.coefficients[keep(block)]
        tables.append(table)
        count += len(table)
        if count * tables[0].shape[1] * 8 > _MOST_BYTES:
            raise DataError(
                f"phases: {tables[0].shape[1]} phases of {phases.system} have more than {count:,} reactions, a "
                f"table beyond {_MOST_BYTES / 1e9:g} GB; leave out unlikely phases, or ask for the reactions between "
                "two of them."
            )
    return Reactions(phases=phases, coefficients=np.concatenate(tables))


def reaction_blocks(
    phases: Phases,
    *,
    gases: Sequence[str] | None = None,
    reactants: Sequence[str] | None = None,
    exchanging: np.ndarray | None = None,
) -> Iterator[Reactions]:
    """Yield the reactions of ``enumerate_reactions`` block by block, so that memory stays small however many there are.

    Arguments and errors are those of ``enumerate_reactions``; some thousand reactions come at a time.

    Example:
        >>> from tammann.thermo import load_phases
        >>> sum(len(block) for block in reaction_blocks(load_phases("Ba-Ti-O")))
        33954
    """
    matrix = np.asarray(phases.composition_matrix, dtype=np.int64)
    is_gas = np.asarray(phases.is_gas, dtype=bool)
    allowed = np.flatnonzero(is_gas)
    if gases is not None:
        allowed = np.array(sorted(_named(phases, "gases", gases, gas=True)), dtype=np.int64)
    first = _named(phases, "reactants", reactants or (), gas=False)
    if len(first) > 2:
        raise DataError(f"reactants: expected one or two solids, got {', '.join(reactants or ())}.")
    others = np.setdiff1d(np.flatnonzero(~is_gas), first)
    rank = int(np.linalg.matrix_rank(matrix)) if len(matrix) else 0
    sizes = [
        (n_gas, n_solid)
        for n_gas in range(len(allowed) + 1)
        for n_solid in (range(len(first) + 1, len(first) + 3) if first else range(2, 5))
        if n_solid + n_gas <= rank + 1
    ]
    # gases and solids of the reactions of two or three solids, and of four
    few, four = (allowed, others), (allowed, others)
    if exchanging is not None:
        four = (allowed[exchanging[allowed]], others[exchanging[others]])
    choices = {n_solid: four if n_solid == 4 else few for _, n_solid in sizes}
    total = sum(comb(len(choices[s][0]), g) * comb(len(choices[s][1]), s - len(first)) for g, s in sizes)
    if total > _MOST_COMBINATIONS:
        raise DataError(
            f"phases: {len(others) + len(first)} solids and {len(allowed)} gases of {phases.system} make "
            f"{total:.2g} combinations to balance, expected at most {_MOST_COMBINATIONS:.0e}; leave out "
            "unlikely phases, or ask for the reactions between two of them."
        )

    elements = (matrix > 0) @ (1 << np.arange(matrix.shape[1]))
    wanted = np.isin(np.arange(len(matrix)), first)
    for n_gas, n_solid in sizes:
        among, solids = choices[n_solid]
        for block in _subsets(solids, n_solid - len(first), among, n_gas, first, elements):
            members, coefficients = balanced_combinations(matrix, block)
            on_left = (coefficients[:, :n_solid] < 0).sum(axis=1)
            good = (on_left >= 1) & (on_left <= 2) & (n_solid - on_left >= 1) & (n_solid - on_left <= 2)
            forward = np.zeros((int(good.sum()), len(matrix)), dtype=np.int64)
            np.put_along_axis(forward, members[good], coefficients[good], axis=1)
            both = np.empty((2 * len(forward), len(matrix)), dtype=np.int64)
            both[0::2], both[1::2] = forward, -forward
            if first:
                both = both[((both < 0) & ~is_gas == wanted).all(axis=1)]
            yield Reactions(phases=phases, coefficients=both)


def most_exergonic(
    phases: Phases,
    temperature_K: float,
    *,
    number: int | None = None,
    gases: Sequence[str] | None = None,
    reactants: Sequence[str] | None = None,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
) -> tuple[Reactions, np.ndarray, int]:
    """Return the reactions that release most, in that order, in the memory of those that are asked for.

    Args:
        phases: The phases, with their energies.
        temperature_K: Temperature.
        number: How many reactions, all that have an energy if None.
        gases: As for ``enumerate_reactions``.
        reactants: As for ``enumerate_reactions``.
        energies: As for ``reaction_energy``.
        partial_pressure_Pa: As for ``reaction_energy``.

    Returns:
        The reactions, their Gibbs energies in eV per atom, shape (R,), and how many have an energy in all.

    Raises:
        DataError: As ``enumerate_reactions`` and ``reaction_energy``.

    Example:
        >>> from tammann.thermo import load_phases
        >>> most_exergonic(load_phases("Ba-Ti-O"), 1300.0, number=1, reactants=["BaO", "TiO2"])[0][0]
        Reaction(BaO + TiO2 -> BaTiO3)
    """
    if number is None:
        blocks = iter([enumerate_reactions(phases, gases=gases, reactants=reactants)])
    else:
        blocks = reaction_blocks(phases, gases=gases, reactants=reactants)
    best, energy, count = np.zeros((0, len(phases)), dtype=np.int64), np.zeros(0), 0
    for block in blocks:
        released = reaction_energy(block, temperature_K, energies=energies, partial_pressure_Pa=partial_pressure_Pa)
        known = np.flatnonzero(np.isfinite(released))
        count += len(known)
        lowest = known[np.argsort(released[known], kind="stable")[:number]]
        best = np.concatenate([best, block.coefficients[lowest]])
        energy = np.concatenate([energy, released[lowest]])
        order = np.argsort(energy, kind="stable")[:number]
        best, energy = best[order], energy[order]
    return Reactions(phases=phases, coefficients=best), energy, count


def _named(phases: Phases, argument: str, formulas: Sequence[str], *, gas: bool) -> list[int]:
    """Return the positions of gases, or of solids."""
    named = {phases.index(formula): formula for formula in formulas}
    for index, formula in named.items():
        if bool(phases.is_gas[index]) is not gas:
            raise DataError(
                f"{argument}: {formula} is {'not ' if gas else ''}a gas of {phases.system}; "
                f"{'leave it out or mark it as a gas' if gas else 'name solids'}."
            )
    return list(named)


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
    nothing = subsets[:0], np.zeros((0, k), dtype=np.int64)
    if k - 1 > matrix.shape[1] or not len(subsets):
        return nothing
    # Bareiss multiplies two minors of k - 1 columns, which Hadamard's inequality bounds. Floating-point numbers hold
    # integers exactly up to 2^53 and divide faster; beyond 64 bits Python's own integers serve.
    norm = np.maximum(1.0, np.sqrt((matrix.astype(float) ** 2).sum(axis=1)))
    minor = norm[subsets]
    bound = 2.0 * float((minor.prod(axis=1) / minor.min(axis=1)).max()) ** 2
    work_type = np.float64 if bound < 2.0**53 else np.int64 if bound < 2.0**62 else object
    work = matrix.T.astype(work_type)[:, subsets.T]  # (E, k, N); the columns left of the pivot are dropped
    previous = np.ones(len(subsets), dtype=work_type)
    for column in range(k - 1):
        nonzero = work[column:, 0] != 0
        has_pivot = nonzero.any(axis=0)
        if not has_pivot.all():
            work, subsets, previous = work[:, :, has_pivot], subsets[has_pivot], previous[has_pivot]
            nonzero = nonzero[:, has_pivot]
        if not len(subsets):
            return nothing
        row = column + nonzero.argmax(axis=0)
        which = np.arange(len(subsets))
        pivot_row = np.ascontiguousarray(work[row, :, which].T)
        work[row, :, which] = work[column].T
        eliminated = work[:, 1:] * pivot_row[0] - work[:, :1] * pivot_row[1:]
        work = eliminated / previous if work_type is np.float64 else eliminated // previous
        work[column] = pivot_row[1:]
        previous = pivot_row[0]
    last = work[:, 0]
    unique = (last[: k - 1] != 0).all(axis=0) & (last[k - 1 :] == 0).all(axis=0)
    coefficients = np.concatenate([last[: k - 1, unique], -previous[None, unique]]).T
    if not len(coefficients):
        return nothing
    if work_type is np.float64:
        coefficients = coefficients.astype(np.int64)
    coefficients = coefficients // np.gcd.reduce(coefficients, axis=1)[:, None]
    return subsets[unique], coefficients.astype(np.int64)


def _subsets(
    solids: np.ndarray, n_solid: int, gases: np.ndarray, n_gas: int, first: Sequence[int], elements: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the positions of ``first`` with all choices of solids, then of gases, every element in two phases or more.

    ``elements`` are those of each phase as bits, shape (n,).
    """
    rest = solids[_combinations(len(solids), n_solid - 1)]
    once, twice = _shared(elements[rest.T])
    # the rows of ``rest`` without the first i + 1 solids
    begins = [len(rest) - comb(len(solids) - i - 1, n_solid - 1) for i in range(len(solids))]
    for gas_choice in combinations(gases.tolist(), n_gas):
        always = [*first, *gas_choice]
        held, held_twice = _shared(elements[always][:, None])
        found, waiting = [], 0
        for solid, begin in zip(solids.tolist(), begins, strict=True):
            one, two = once[begin:] | elements[solid], twice[begin:] | (once[begin:] & elements[solid])
            two, one = two | held_twice | (one & held), one | held
            chosen = rest[begin:][one == two]
            block = np.empty((len(chosen), len(always) + n_solid), dtype=np.int64)
            block[:, : len(first)] = first
            block[:, len(first)] = solid
            block[:, len(first) + 1 : len(first) + n_solid] = chosen
            block[:, len(first) + n_solid :] = gas_choice
            found.append(block)
            waiting += len(block)
            if waiting >= _BLOCK or solid == solids[-1]:
                whole = np.concatenate(found)
                yield from (whole[i : i + _BLOCK] for i in range(0, len(whole), _BLOCK))
                found, waiting = [], 0


def _shared(elements: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which elements, as bits, are in one phase or more, and in two or more, over the first axis."""
    once = np.zeros(elements.shape[1:], dtype=np.int64)
    twice = np.zeros_like(once)
    for of_phase in elements:
        twice |= once & of_phase
        once |= of_phase
    return once, twice


def _combinations(n: int, k: int) -> np.ndarray:
    """Return all choices of k of n in lexicographic order, shape (C, k)."""
    if k == 0:
        return np.zeros((1, 0), dtype=np.int64)
    rest = _combinations(n, k - 1)
    sizes = [comb(n - i - 1, k - 1) for i in range(n)]
    tails = np.concatenate([rest[len(rest) - size :] for size in sizes])
    return np.column_stack([np.repeat(np.arange(n), sizes), tails])
