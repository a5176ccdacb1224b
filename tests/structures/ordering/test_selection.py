"""Selection: exact probabilities, draws that follow them, the lowest of each composition always kept."""

from itertools import permutations

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures.ordering import select_orderings, selection_probabilities
from tammann.thermo.composition_hull import composition_hull
from tammann.units import BOLTZMANN_EV_PER_K

KT = BOLTZMANN_EV_PER_K * 800.0
HULL = composition_hull(["Li2BrCl"] * 5 + ["Li2Cl2"] * 2 + ["LiBr"], [-16, -15.9, -15.8, -15.6, -15.0, -17, -16.9, -7])


def test_probabilities():
    e, g = np.array([0.0, 0.03, 0.2]), np.array([2, 8, 4])
    weight = g * np.exp(-e / KT)
    found = selection_probabilities(e, temperature_K=800, degeneracies=g)
    assert found == pytest.approx(weight / weight.sum(), rel=1e-12)
    assert selection_probabilities(e, temperature_K=1e12) == pytest.approx([1 / 3] * 3)
    assert selection_probabilities(e + 700.0, temperature_K=800, degeneracies=g) == pytest.approx(found)
    assert selection_probabilities([0.0, 100.0], temperature_K=1)[1] == 0.0


@pytest.mark.parametrize(("per", "units"), [("atom", 4), ("formula", 2)])
@pytest.mark.parametrize("g", [None, [1, 1, 2, 4, 8, 1, 3, 1]])
def test_draws_follow_successive_sampling(per, units, g):
    """Two of the five that are not the lowest of a composition: every pair as often as it should be."""
    above = np.array([0, 0.1, 0.2, 0.4, 1.0, 0, 0.1, 0]) / units
    assert HULL.above_hull_eV_per_atom * (1 if per == "atom" else HULL.atoms_per_formula) == pytest.approx(
        above if per == "atom" else above * np.array([2, 2, 2, 2, 2, 1, 1, 1])
    )
    energies = HULL.above_hull_eV_per_atom if per == "atom" else HULL.above_hull_eV_per_formula
    p = selection_probabilities(energies, temperature_K=800, degeneracies=g)
    rest = [1, 2, 3, 4, 6]
    expected = {}
    for a, b in permutations(rest, 2):
        first = p[a] / p[rest].sum()
        second = p[b] / (p[rest].sum() - p[a])
        expected[frozenset((a, b))] = expected.get(frozenset((a, b)), 0.0) + first * second
    rng, n = np.random.default_rng(1), 4000
    met = dict.fromkeys(expected, 0)
    for _ in range(n):
        found = select_orderings(HULL, 5, per=per, degeneracies=g, rng=rng)
        assert {0, 5, 7} <= set(found.chosen.tolist())
        met[frozenset(set(found.chosen.tolist()) - {0, 5, 7})] += 1
    for pair, share in expected.items():
        assert abs(met[pair] / n - share) < 5 * np.sqrt(share * (1 - share) / n) + 1e-9


def test_the_lowest_are_kept_and_all_where_there_are_no_more():
    found = select_orderings(HULL, 3, per="atom", degeneracies=None, rng=1)
    assert found.chosen.tolist() == [0, 5, 7]
    assert repr(found) == "Selection(3 of 8 structures, 3 as the lowest of their composition)"
    assert len(select_orderings(HULL, 100, per="atom", degeneracies=None, rng=1)) == 8


def test_what_is_refused():
    with pytest.raises(DataError, match="number: expected at least 3, the lowest"):
        select_orderings(HULL, 2, per="atom", degeneracies=None)
    with pytest.raises(DataError, match="per: expected atom or formula, got 'cell'"):
        select_orderings(HULL, 4, per="cell", degeneracies=None)
    with pytest.raises(DataError, match="degeneracies: expected a number above 0 for each of 8"):
        select_orderings(HULL, 4, per="atom", degeneracies=[1, 2])
    with pytest.raises(DataError, match="temperature_K: expected a number above 0"):
        selection_probabilities([0.0], temperature_K=0)
    with pytest.raises(DataError, match="energies: expected finite numbers"):
        selection_probabilities([0.0, np.nan], temperature_K=800)


def test_groups_in_the_place_of_compositions():
    """Two polymorphs of one composition are both kept; what only competes is not chosen and has no probability."""
    groups = ["a", "a", "b", "b", "b", None, "c", "d"]
    found = select_orderings(HULL, 4, per="atom", degeneracies=None, groups=groups, rng=1)
    assert found.chosen.tolist() == [0, 2, 6, 7] and found.always.tolist() == [k in (0, 2, 6, 7) for k in range(8)]
    every = select_orderings(HULL, 8, per="atom", degeneracies=[1] * 8, groups=groups, rng=1)
    assert every.chosen.tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert every.probabilities[5] == 0.0 and every.probabilities.sum() == pytest.approx(1.0)
    with pytest.raises(DataError, match="groups: expected one for each of 8 structures, got 2"):
        select_orderings(HULL, 4, per="atom", degeneracies=None, groups=["a", "b"])
