"""The compiled search against least squares of every subset, and what it leaves out."""

from itertools import combinations

import numpy as np
import pytest

from tammann.diffusivity.subset_kernels import best_subsets


@pytest.mark.parametrize("size", [1, 2, 4])
def test_residuals_are_those_of_least_squares(size):
    rng = np.random.default_rng(size)
    X = rng.normal(size=(25, 7)) + rng.normal(size=(25, 1))
    y = rng.normal(size=25)
    X, y = X - X.mean(axis=0), y - y.mean()
    subsets, left = best_subsets(X.T @ X, X.T @ y, float(y @ y), size, 10**3, 1e-10)
    every = {s: float(((X[:, s] @ np.linalg.lstsq(X[:, s], y, rcond=None)[0] - y) ** 2).sum())
             for s in combinations(range(7), size)}  # fmt: skip
    assert len(subsets) == len(every) and (np.diff(left) >= 0).all()
    for subset, value in zip(subsets, left, strict=True):
        assert value == pytest.approx(every[tuple(subset.tolist())])


def test_a_column_that_others_make_up_is_not_added():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20, 3))
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    X -= X.mean(axis=0)
    subsets, _ = best_subsets(X.T @ X, X.T @ X[:, 2], 1.0, 3, 100, 1e-8)
    assert [0, 1, 3] not in subsets.tolist() and len(subsets) == 3


def test_a_column_that_is_there_twice_leads_nowhere():
    """Nothing is left of the second once the first is taken, so no third is added to both."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20, 3))
    X = np.column_stack([x[:, 0], x[:, 0], x[:, 1], x[:, 2]])
    X -= X.mean(axis=0)
    y = rng.normal(size=20)
    y -= y.mean()
    subsets, left = best_subsets(X.T @ X, X.T @ y, float(y @ y), 3, 100, 1e-8)
    assert sorted(subsets.tolist()) == [[0, 2, 3], [1, 2, 3]] and left[0] == pytest.approx(left[1])
