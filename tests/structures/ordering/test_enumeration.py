"""Enumerated orderings: all of them, of no more than what was asked, degeneracies that add up."""

from itertools import combinations

import numpy as np
import pytest

from disordered_hosts import HOST, alloy
from tammann.errors import DataError
from tammann.structures.ordering import (
    canonical_arrangements,
    count_orderings,
    disordered_crystal,
    enumerate_orderings,
    ordering_block,
)


def test_the_host_at_every_composition():
    """In/Y on 2a, Li on 4h and Br/Cl on 4i and 8j at once: raw numbers add up, and each first is canonical."""
    for y, x in [(0.0, 1 / 6), (0.5, 0.5), (1.0, 0.25), (0.5, 1.0)]:
        anions = {"Br": x, "Cl": 1.0 - x} if x < 1 else {"Br": 1.0}
        metals = {"Y": y, "In": 1.0 - y} if 0 < y < 1 else {"Y" if y else "In": 1.0}
        block = ordering_block(HOST.with_occupancies({"M": metals, "X1": anions, "X2": anions}))
        found = enumerate_orderings(block)
        assert (len(found), int(found.degeneracies.sum())) == count_orderings(block)
        firsts, degeneracies = canonical_arrangements(block, found.arrangements)
        assert (firsts == found.arrangements).all()
        assert (degeneracies == found.degeneracies).all()


def test_nothing_to_order():
    block = ordering_block(HOST.with_occupancies({"M": {"In": 1}, "Li2": {"Li": 1}, "X1": {"O": 1}, "X2": {"Cl": 1}}).
                           with_charges({"In": 3, "Li": 1, "O": -1.5, "Cl": -1}))  # fmt: skip
    found = enumerate_orderings(block)
    assert found.count == (1, 1)
    assert found.configuration(0).n_atoms == 22


def test_too_many():
    block = ordering_block(HOST, (2, 1, 2))
    with pytest.raises(DataError, match=r"2.91e\+19 arrangements, 9.08e\+17 of them distinct, expected at most 1e\+07"):
        enumerate_orderings(block)


def test_a_wide_group():
    """All 1536 operations of a cube of 64 sites, three of them occupied: 21 triangles of a torus, by hand count below.

    The first site may be any; the two others are then classes of pairs under the 48 operations about it.
    """
    block = ordering_block(alloy("Pm-3m", (3, 3, 3, 90, 90, 90), {"Cu": 3 / 64, "Au": 61 / 64}), (4, 4, 4))
    found = enumerate_orderings(block)
    sites = np.array([(a, b, c) for a in range(4) for b in range(4) for c in range(4)])

    def torus(p, q):
        d = np.abs(p - q) % 4
        return tuple(sorted(np.minimum(d, 4 - d)))

    shapes = set()
    for i in range(1, 64):
        for j in range(i + 1, 64):
            # per axis the three differences; a triangle is known by the multiset of its three columns up to order
            columns = [tuple(sites[[0, i, j], k]) for k in range(3)]
            best = min(
                tuple(sorted(min(tuple(s * (c[p] - c[order[0]]) % 4 for p in order) for s in (1, -1)) for c in columns))
                for order in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
            )
            shapes.add(best)
    assert len(found) == len(shapes)
    assert found.degeneracies.sum() == 41664


@pytest.mark.parametrize(
    ("group", "cell", "fixed", "distinct"),
    [("P2_1/c", (5, 6, 7, 90, 105, 90), (0.6, 0.15, 0.4), 3), ("R-3c", (6, 6, 15, 90, 90, 120), (0.3, 0, 0.25), 3)],
)
def test_glide_planes_and_centred_cells(group, cell, fixed, distinct):
    """All arrangements, sorted by a comparison of structures that knows no space group, fall into the same classes."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    at = (0.1, 0.2, 0.3) if group == "P2_1/c" else (0, 0, 0)
    sites = {"A": ({"Li": 0.5, "Na": 0.5}, at), "X": ({"Cl": 1.0}, fixed)}
    block = ordering_block(disordered_crystal(group, cell, sites, charges={"Li": 0, "Na": 0, "Cl": 0}))
    n = block.n_sites
    rows = [[int(k in chosen) for k in range(n)] for chosen in combinations(range(n), n // 2)]
    alike = StructureMatcher(
        primitive_cell=False, scale=False, attempt_supercell=False, ltol=0.01, stol=0.02, angle_tol=0.5
    )
    classes = alike.group_structures([block.configuration(row).to_pymatgen() for row in rows])
    found = enumerate_orderings(block)
    assert len(found) == len(classes) == distinct
    assert sorted(found.degeneracies.tolist()) == sorted(map(len, classes))
