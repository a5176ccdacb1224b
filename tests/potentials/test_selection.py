import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.potentials.selection import maxvol, select_configurations


def test_known_answer_on_a_line():
    # a straight line through points is determined best by the two outermost
    x = np.array([0.3, -1.0, 0.1, 0.9, 2.0, 1.4])
    found = maxvol(np.column_stack([np.ones_like(x), x]))
    assert sorted(found.rows) == [1, 4]


def test_known_answer_for_a_parabola():
    # the D-optimal points of a parabola on [-1, 1] are the ends and the middle
    x = np.linspace(-1, 1, 41)
    found = maxvol(np.column_stack([np.ones_like(x), x, x**2]))
    np.testing.assert_allclose(sorted(x[found.rows]), [-1, 0, 1], atol=1e-12)


def test_against_every_subset():
    # maxvol ends in a local optimum: no single exchange is better; the best subset is seldom much larger
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(50):
        a = rng.normal(size=(9, 3))
        best = max(abs(np.linalg.det(a[list(rows)])) for rows in itertools.combinations(range(9), 3))
        found = abs(np.linalg.det(a[maxvol(a).rows]))
        assert found > best / 3**1.5  # bound for a dominant submatrix: K^(K/2)
        hits += found > 0.999 * best
    assert hits > 25


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(0, 30), st.integers(0, 10**6))
def test_every_row_is_a_combination_with_coefficients_up_to_one(k, extra, seed):
    a = np.random.default_rng(seed).normal(size=(k + extra, k))
    found = maxvol(a)
    assert len(set(found.rows.tolist())) == k
    np.testing.assert_allclose(found.inverse @ a[found.rows], np.eye(k), atol=1e-8)
    assert np.abs(a @ found.inverse).max() <= 1.001 + 1e-9


def test_bad_matrices_are_refused():
    with pytest.raises(DataError, match="at least as many rows"):
        maxvol(np.ones((2, 3)))
    with pytest.raises(DataError, match="depend on each other"):
        maxvol(np.ones((5, 2)))
    with pytest.raises(DataError, match="finite"):
        maxvol(np.full((5, 2), np.nan))


def test_configurations_with_new_environments_are_taken():
    known = np.array([[1.0, 0.0], [0.0, 1.0]])
    inside = np.array([[0.5, 0.5], [0.2, 0.1]])
    outside = np.array([[0.1, 0.1], [4.0, 0.0]])
    far = np.array([[0.0, 9.0], [8.0, 0.0]])
    zeros = np.zeros(2, dtype=int)
    found = select_configurations([inside, outside, far], [zeros] * 3, [known], 5)
    assert found == [2]
    assert select_configurations([inside], [zeros], [known], 5) == []
