"""The enumeration: complete beside a plain twin, its messages, its limits."""

from itertools import combinations

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.synthesis import OpenSystem, Surroundings, choose_precursors
from tammann.synthesis.exchange import VOLATILE
from tammann.synthesis.search import Search, _covering
from tammann.thermo import load_phases


def test_complete_beside_a_plain_twin():
    """Every pair or single precursor whose metals span the target's with positive shares, by least squares."""
    phases = load_phases("Ba-Ti-O")
    system = OpenSystem(phases, Surroundings(1300.0, {"O2": 21000.0, "CO2": 40.0}), "experiment-anchored")
    search = Search(system, phases.index("Ba2TiO4"))
    there = [p for p in choose_precursors({*phases.elements, *VOLATILE}) if p.formula != "Ba2TiO4"]
    found = {frozenset(p.formula for p in one.precursors) for one in search.with_gases(there, 2) if one is not None}
    expected = set()
    for a, b in combinations(there, 2):
        metals = np.array([[p.composition.get(e, 0) for p in (a, b)] for e in ("Ba", "Ti")], dtype=float)
        if abs(np.linalg.det(metals)) > 1e-9 and (np.linalg.solve(metals, [2, 1]) > 0).all():
            expected.add(frozenset({a.formula, b.formula}))
    halides = {p.formula for p in there if p.kind == "halide"}
    assert {one for one in expected if not one & halides} <= found <= expected


def test_covering_beside_a_plain_twin():
    rng = np.random.default_rng(1)
    needs = rng.random((3, 9)) < 0.4
    expected = [c for c in combinations(range(9), 3) if all(need[list(c)].any() for need in needs)]
    assert [tuple(row) for row in _covering(9, 3, needs.tolist()).tolist()] == expected


def test_too_many_are_refused():
    with pytest.raises(DataError, match="more than 50000 combinations of 5 among 200 to balance"):
        _covering(200, 5, [[True] * 200])
