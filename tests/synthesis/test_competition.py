"""Primary and secondary competition, by hand and beside a plain twin."""

import numpy as np
import pytest

from tammann.synthesis.competition import (
    inverse_hull_energy_eV_per_atom,
    primary_competition_eV_per_atom,
    secondary_competition_eV_per_atom,
)


def test_primary_by_hand():
    assert primary_competition_eV_per_atom(-0.2, np.array([-0.18, 0.3])) == pytest.approx(-0.02)
    assert primary_competition_eV_per_atom(-0.1, np.array([-0.18])) == pytest.approx(0.08)
    assert primary_competition_eV_per_atom(-0.1, np.array([0.2])) == pytest.approx(-0.1)  # against no reaction


def test_secondary_of_one_impurity_by_hand():
    """Target at 0.6, -0.2; impurity at 0.4, -0.18: the line from 0 to the target is at -0.1333 there."""
    found = secondary_competition_eV_per_atom(0.6, np.array([0.4, 0.6]), np.array([-0.18, -0.2]))
    assert found == pytest.approx(0.18 - 0.2 * 0.4 / 0.6)


def test_secondary_of_two_impurities_by_hand():
    """Left of the target at (1, 0 - the end): corners at 1/3, -0.2 and 2/3, -0.3, the ends at 0 and -0.3.

    First the left one: 0.2 - 0.1 = 0.1 below the line from (0, 0) to (1, -0.3), then the right one: 0.3 - 0.25 = 0.05
    below the line from the left one. First the right one: 0.3 - 0.2 = 0.1, then the left one: 0.2 - 0.15 = 0.05. The
    mean of the two sequences is 0.15.
    """
    fractions, energies = np.array([0.3, 0.6, 0.9]), np.array([-0.2, -0.3, -0.3])
    assert secondary_competition_eV_per_atom(0.9, fractions, energies) == pytest.approx(0.15)


def sequences(points):
    """Every sequence of secondary reactions between the ends of a convex line: the energies they release."""
    if len(points) < 3:
        return [0.0]
    (x0, e0), (x1, e1) = points[0], points[-1]
    found = []
    for k, (x, e) in enumerate(points[1:-1], 1):
        height = e0 + (e1 - e0) * (x - x0) / (x1 - x0) - e
        found += [height + a + b for a in sequences(points[: k + 1]) for b in sequences(points[k:])]
    return found


def test_secondary_is_the_mean_over_all_sequences():
    x = np.linspace(0, 1, 12)[1:-1]
    e = -0.3 * np.sin(np.pi * x) - 0.05 * x * (1 - x)
    for target in (2, 6):
        points = [(0.0, 0.0), *zip(x.tolist(), e.tolist(), strict=True), (1.0, 0.0)]
        left, right = sequences(points[: target + 2]), sequences(points[target + 1 :])
        expected = np.mean(left) + np.mean(right)
        assert secondary_competition_eV_per_atom(x[target], x, e) == pytest.approx(expected)


def test_turned_round_and_with_points_above_the_hull():
    x, e = np.array([0.2, 0.5, 0.7]), np.array([-0.1, -0.3, -0.25])
    value = secondary_competition_eV_per_atom(0.5, x, e)
    assert secondary_competition_eV_per_atom(0.5, 1 - x, e) == pytest.approx(value)
    more = np.append(x, [0.6, 0.1]), np.append(e, [-0.1, 0.4])
    assert secondary_competition_eV_per_atom(0.5, *more) == pytest.approx(value)


def test_no_competitor_no_competition():
    assert secondary_competition_eV_per_atom(0.5, np.array([0.5]), np.array([-0.3])) == 0.0
    assert inverse_hull_energy_eV_per_atom(0.5, -0.3, np.zeros(0), np.zeros(0)) == pytest.approx(0.3)


def test_inverse_hull_by_hand():
    """Neighbours at 0.25, -0.2 and 0.75, -0.1: half way -0.15, the target at -0.3 lies 0.15 below."""
    found = inverse_hull_energy_eV_per_atom(0.5, -0.3, np.array([0.25, 0.75]), np.array([-0.2, -0.1]))
    assert found == pytest.approx(0.15)
    assert inverse_hull_energy_eV_per_atom(0.5, -0.1, np.array([0.25, 0.75]), np.array([-0.2, -0.1])) < 0
