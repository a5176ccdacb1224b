"""Enumeration against a slow twin, and what every reaction must satisfy."""

import csv
import time
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from itertools import combinations
from math import gcd, lcm

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.reactions import balanced_combinations, enumerate_reactions, enumeration, reaction_energy
from tammann.thermo import load_phases


@dataclass(frozen=True)
class Phases:
    """As much of ``Phases`` as enumeration looks at."""

    composition_matrix: np.ndarray
    is_gas: np.ndarray
    system: str = "stub"

    def index(self, formula):
        return int(formula)


def null_vector(rows):
    """The null vector of the transposed rows if there is exactly one dimension, with Fractions; else None."""
    k = len(rows)
    table = [[Fraction(int(rows[j][e])) for j in range(k)] for e in range(len(rows[0]))]
    pivots, at = [], 0
    for column in range(k):
        row = next((r for r in range(at, len(table)) if table[r][column]), None)
        if row is None:
            continue
        table[at], table[row] = table[row], table[at]
        table[at] = [value / table[at][column] for value in table[at]]
        for r in range(len(table)):
            if r != at:
                table[r] = [x - table[r][column] * y for x, y in zip(table[r], table[at], strict=True)]
        pivots.append(column)
        at += 1
        if at == len(table):
            break
    free = [column for column in range(k) if column not in pivots]
    if len(free) != 1:
        return None
    vector = [Fraction(0)] * k
    vector[free[0]] = Fraction(1)
    for r, column in enumerate(pivots):
        vector[column] = -table[r][free[0]]
    if not all(vector):
        return None
    scale = lcm(*(value.denominator for value in vector))
    whole = [int(value * scale) for value in vector]
    divisor = gcd(*whole)
    return [value // divisor for value in whole]


def naive(matrix, is_gas):
    """Every reaction, one subset at a time."""
    found = set()
    for k in range(2, 7):
        for subset in combinations(range(len(matrix)), k):
            vector = null_vector([matrix[p] for p in subset])
            if vector is None:
                continue
            for sign in (1, -1):
                row = [0] * len(matrix)
                for p, value in zip(subset, vector, strict=True):
                    row[p] = sign * value
                left = sum(1 for p in subset if row[p] < 0 and not is_gas[p])
                right = sum(1 for p in subset if row[p] > 0 and not is_gas[p])
                if 1 <= left <= 2 and 1 <= right <= 2:
                    found.add(tuple(row))
    return found


MATRIX = np.array(
    [[1, 0, 1, 0], [0, 1, 2, 0], [1, 1, 3, 0], [2, 1, 4, 0], [1, 2, 5, 0], [1, 0, 3, 1], [0, 0, 2, 1], [0, 0, 2, 0]]
)
GAS = np.array([False] * 6 + [True] * 2)


def test_same_as_the_slow_twin():
    got = {tuple(row) for row in enumerate_reactions(Phases(MATRIX, GAS)).coefficients.tolist()}
    assert got == naive(MATRIX.tolist(), GAS)
    assert len(got) == 34


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3).filter(any), min_size=3, max_size=7),
    st.integers(0, 2),
)
def test_any_chemistry_balances_and_agrees(rows, gases):
    matrix = np.array(rows)
    is_gas = np.arange(len(matrix)) < min(gases, len(matrix) - 2)
    coefficients = enumerate_reactions(Phases(matrix, is_gas)).coefficients
    assert (coefficients @ matrix == 0).all()
    assert {tuple(row) for row in coefficients.tolist()} == naive(rows, is_gas)


def test_each_once_smallest_integers_both_directions():
    coefficients = enumerate_reactions(load_phases("Ba-Ti-O")).coefficients
    assert len(np.unique(coefficients, axis=0)) == len(coefficients)
    assert (np.gcd.reduce(coefficients, axis=1) == 1).all()
    assert (coefficients[0::2] == -coefficients[1::2]).all()


def test_large_counts_are_exact():
    # Far beyond what 64 bits hold in the elimination; without exact integers a wrong vector or none.
    big = np.array([[10**9 + 7, 0, 3, 1], [0, 10**9 + 9, 5, 1], [1, 1, 10**9, 1], [10**9, 2, 1, 7], [5, 10**9, 2, 3]])
    subset = np.array([[0, 1, 2, 3, 4]])
    found = balanced_combinations(big % 10**6 + 1, subset)[1]
    assert found.tolist() in ([null_vector(big % 10**6 + 1)], [[-v for v in null_vector(big % 10**6 + 1)]])


def published_phases():
    text = (files("tammann") / "data" / "phases" / "Ba-Ti-O.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    counts = [parse_formula(row["formula"]) for row in rows if row["material_id"]]
    return np.array([[count.get(element, 0) for element in ("Ba", "O", "Ti")] for count in counts])


def test_count_of_the_published_list():
    """29 phases, oxygen counted like any other phase: 22,942 directed reactions of at most two to at most two."""
    matrix = published_phases()
    assert len(matrix) == 29
    alike = Phases(matrix, np.zeros(29, dtype=bool))
    assert len(enumerate_reactions(alike)) == 22_942
    start = time.perf_counter()
    enumerate_reactions(alike)
    assert time.perf_counter() - start < 2.0


def test_gases_are_chosen_by_name():
    phases = load_phases("Ba-Ti-O")
    without = enumerate_reactions(phases, gases=[])
    assert not without.coefficients[:, phases.is_gas].any()
    oxygen = enumerate_reactions(phases, gases=["O2"])
    assert oxygen.coefficients[:, phases.index("O2")].any()
    assert not oxygen.coefficients[:, phases.index("CO2")].any()
    with pytest.raises(DataError, match="BaO is not a gas"):
        enumerate_reactions(phases, gases=["BaO"])


@pytest.mark.filterwarnings("ignore")
def test_against_reaction_network():
    """Coefficients as the field's library balances them (install reaction-network to run this)."""
    basic = pytest.importorskip("rxn_network.reactions.basic")
    from pymatgen.core import Composition

    reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
    for number in range(0, len(reactions), 331):
        ours = reactions[number]
        theirs = basic.BasicReaction.balance(
            [Composition(formula) for formula, _ in ours.reactants],
            [Composition(formula) for formula, _ in ours.products],
        )
        assert theirs.balanced
        coefficients = {Composition(f).reduced_formula: -n * unit(f) for f, n in ours.reactants}
        coefficients |= {Composition(f).reduced_formula: n * unit(f) for f, n in ours.products}
        first = next(iter(coefficients))
        scale = theirs.get_coeff(Composition(first)) / coefficients[first]
        for formula, coefficient in coefficients.items():
            assert theirs.get_coeff(Composition(formula)) == pytest.approx(scale * coefficient, rel=1e-6)


def unit(formula):
    """Reduced formulas in one formula unit as written."""
    from pymatgen.core import Composition

    return Composition(formula).get_reduced_composition_and_factor()[1]


def test_reactants_are_those_of_the_whole_list():
    phases = load_phases("Ba-Ti-O")
    every = enumerate_reactions(phases).coefficients
    for names in (["BaCO3", "TiO2"], ["TiO2", "BaCO3"], ["BaCO3"]):
        solids = np.zeros(len(phases), dtype=bool)
        solids[[phases.index(name) for name in names]] = True
        wanted = every[((every < 0) & ~phases.is_gas == solids).all(axis=1)]
        got = enumerate_reactions(phases, reactants=names).coefficients
        assert len(wanted)
        np.testing.assert_array_equal(np.unique(got, axis=0), np.unique(wanted, axis=0))
        assert len(got) == len(wanted)
    with pytest.raises(DataError, match="reactants: CO2 is a gas"):
        enumerate_reactions(phases, reactants=["BaO", "CO2"])
    with pytest.raises(DataError, match="one or two solids"):
        enumerate_reactions(phases, reactants=["BaO", "TiO2", "BaCO3"])


def test_kept_reactions_are_those_of_the_whole_list(monkeypatch):
    phases = load_phases("Ba-Ti-O")
    every = enumerate_reactions(phases)
    monkeypatch.setattr(enumeration, "_BLOCK", 333)
    blocks = list(enumeration.reaction_blocks(phases))
    np.testing.assert_array_equal(np.concatenate([block.coefficients for block in blocks]), every.coefficients)
    assert max(len(block) for block in blocks) <= 2 * 333
    downhill = enumerate_reactions(phases, keep=lambda some: reaction_energy(some, 1300.0) < 0)
    np.testing.assert_array_equal(downhill.coefficients, every.take(reaction_energy(every, 1300.0) < 0).coefficients)


def many_phases(number):
    """Compositions of five elements that no two share, two gases last."""
    rng = np.random.default_rng(1)
    rows = np.unique(rng.integers(0, 9, (2 * number, 5)), axis=0)
    rows = rows[np.gcd.reduce(rows, axis=1) == 1][: number - 2]
    rows = np.concatenate([rows, [[2, 0, 0, 0, 0], [0, 2, 0, 0, 0]]])
    return Phases(rows, np.arange(number) >= number - 2)


def test_too_many_phases_are_refused_before_any_work(monkeypatch):
    start = time.perf_counter()
    # 298 choose 2 to 4 solids, with none, one or both of two gases
    with pytest.raises(DataError, match=r"298 solids and 2 gases of stub make 1\.3e\+09 combinations"):
        enumerate_reactions(many_phases(300))
    assert time.perf_counter() - start < 2.0
    monkeypatch.setattr(enumeration, "_MOST_BYTES", 10_000)
    with pytest.raises(DataError, match=r"20 phases of stub have more than [0-9,]+ reactions"):
        enumerate_reactions(many_phases(20))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_reactions():
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(len(block) for block in enumeration.reaction_blocks(many_phases(80)))
    assert count > 1_000_000  # 0.7 GB as one table
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB
