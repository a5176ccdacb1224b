"""Numbers of orderings against a table of known ones, and against brute force."""

from itertools import permutations, product

import numpy as np
import pytest

from tammann.structures.ordering import (
    DisorderedStructure,
    count_orderings,
    disordered_crystal,
    enumerate_orderings,
    ordering_block,
)

HALF = {"Cu": 0.5, "Au": 0.5}
FREE = {"Cu": 0.0, "Au": 0.0, "Ag": 0.0}
FCC = np.array([[0, 2, 2], [2, 0, 2], [2, 2, 0]], dtype=float)


def alloy(group, cell, occupancy=HALF):
    return disordered_crystal(group, cell, {"M": (occupancy, (0, 0, 0))}, charges=FREE)


def primitive_fcc(occupancy=HALF):
    return DisorderedStructure(FCC, [[0, 0, 0]], (occupancy,), ("M",), FREE)


TABLE = [
    # block, repeat, operations, distinct, raw
    (alloy("Pmmm", (3, 4, 5, 90, 90, 90)), (2, 3, 4), 96, 29606, 2704156),
    (primitive_fcc(), (2, 3, 4), 48, 56988, 2704156),
    (alloy("Pm-3m", (3, 3, 3, 90, 90, 90)), (2, 2, 2), 48, 6, 70),  # halves of the corners of a cube: 6 (Pólya)
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


HOST = disordered_crystal(
    "C2/m",
    (6.890, 11.916, 6.842, 90, 109.77, 90),
    {
        "M": ({"In": 0.5, "Y": 0.5}, (0, 0, 0)),
        "Li1": ({"Li": 1.0}, (0, 1 / 3, 0)),
        "Li2": ({"Li": 0.5}, (0, 1 / 6, 0.5)),
        "X1": ({"Br": 0.25, "Cl": 0.75}, (0.25, 0, 0.75)),
        "X2": ({"Cl": 1.0}, (0.25, 1 / 6, 0.25)),
    },
)
SMALL = [
    (HOST, (1, 1, 1)),
    (HOST.with_occupancies({"M": {"In": 1.0}, "X2": {"Br": 0.25, "Cl": 0.75}}), (1, 1, 1)),
    (HOST.with_occupancies({"X1": {"Cl": 1.0}}), (1, 1, 2)),
    (primitive_fcc({"Cu": 0.25, "Au": 0.75}), [[-1, 1, 1], [1, -1, 1], [1, 1, -1]]),
    (primitive_fcc({"Cu": 0.2, "Au": 0.4, "Ag": 0.4}), [[1, 0, 0], [0, 1, 0], [2, 1, 5]]),
]


@pytest.mark.parametrize(("structure", "repeat"), SMALL)
def test_brute_force(structure, repeat):
    """Every arrangement of all sublattices at once, made equivalent by every operation, one after the other."""
    block = ordering_block(structure, repeat)
    rows = [sorted(set(permutations([k for k, n in enumerate(s.counts) for _ in range(n)]))) for s in block.sublattices]
    left = {tuple(np.concatenate(parts).tolist()) for parts in product(*rows)}
    raw, orbits = len(left), {}
    while left:
        first = min(left)
        images = {tuple(np.array(first)[g].tolist()) for g in block.permutations}
        left -= images
        orbits[first] = len(images)
    assert count_orderings(block) == (len(orbits), raw)
    found = enumerate_orderings(block)
    keys = [tuple(row) for row in found.arrangements.tolist()]
    assert dict(zip(keys, found.degeneracies.tolist(), strict=True)) == orbits
