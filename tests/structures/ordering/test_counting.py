"""Numbers of orderings against a table of known ones, and against brute force."""

from itertools import product

import numpy as np
import pytest
from sympy.utilities.iterables import multiset_permutations

from disordered_hosts import HOST, alloy, primitive_fcc
from tammann.structures.ordering import count_orderings, enumerate_orderings, ordering_block

HALF = {"Cu": 0.5, "Au": 0.5}

TABLE = [
    # block, repeat, operations, distinct, raw
    (alloy("Pmmm", (3, 4, 5, 90, 90, 90), HALF), (2, 3, 4), 96, 29606, 2704156),
    (primitive_fcc(HALF), (2, 3, 4), 48, 56988, 2704156),
    (alloy("Pm-3m", (3, 3, 3, 90, 90, 90), HALF), (2, 2, 2), 48, 6, 70),  # halves of the corners of a cube: 6 (Pólya)
    (alloy("Pm-3m", (3, 3, 3, 90, 90, 90), {"Cu": 0.25, "Au": 0.25, "Ag": 0.5}), (2, 2, 2), 48, 16, 420),
]


@pytest.mark.parametrize(("structure", "repeat", "operations", "distinct", "raw"), TABLE)
def test_known_numbers(structure, repeat, operations, distinct, raw):
    block = ordering_block(structure, repeat)
    assert len(block.permutations) == operations
    assert count_orderings(block) == (distinct, raw)


@pytest.mark.parametrize(("structure", "repeat", "operations", "distinct", "raw"), TABLE)
def test_enumeration_gives_that_number_and_all_arrangements(structure, repeat, operations, distinct, raw):
    found = enumerate_orderings(ordering_block(structure, repeat))
    assert (len(found), int(found.degeneracies.sum())) == (distinct, raw)
    assert len(np.unique(found.arrangements, axis=0)) == distinct


FEW = {"X1": {"Br": 0.25, "Cl": 0.75}, "X2": {"Cl": 1.0}}
SMALL = [
    (HOST.with_occupancies(FEW), (1, 1, 1)),
    (
        HOST.with_occupancies({"M": {"In": 1.0}, "X1": {"Br": 0.25, "Cl": 0.75}, "X2": {"Br": 0.25, "Cl": 0.75}}),
        (1, 1, 1),
    ),
    (HOST.with_occupancies({"X1": {"Cl": 1.0}, "X2": {"Cl": 1.0}}), (1, 1, 2)),
    (primitive_fcc({"Cu": 0.25, "Au": 0.75}), [[-1, 1, 1], [1, -1, 1], [1, 1, -1]]),
    (primitive_fcc({"Cu": 0.2, "Au": 0.4, "Ag": 0.4}), [[1, 0, 0], [0, 1, 0], [2, 1, 5]]),
]


@pytest.mark.parametrize(("structure", "repeat"), SMALL)
def test_brute_force(structure, repeat):
    """Every arrangement of all sublattices at once, made equivalent by every operation, one after the other."""
    block = ordering_block(structure, repeat)
    rows = [
        list(multiset_permutations([k for k, n in enumerate(s.counts) for _ in range(n)])) for s in block.sublattices
    ]
    every = sorted({tuple(np.concatenate(parts).tolist()) for parts in product(*rows)})
    raw, orbits, seen = len(every), {}, set()
    for first in every:
        if first not in seen:
            images = set(map(tuple, np.array(first)[block.permutations].tolist()))
            seen |= images
            orbits[first] = len(images)
    assert count_orderings(block) == (len(orbits), raw)
    found = enumerate_orderings(block)
    keys = [tuple(row) for row in found.arrangements.tolist()]
    assert dict(zip(keys, found.degeneracies.tolist(), strict=True)) == orbits
