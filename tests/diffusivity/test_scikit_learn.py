"""What scikit-learn makes, with the settings asked for."""

import numpy as np
import pytest

from tammann.diffusivity.scikit_learn import extra_trees, gaussian_process, random_forest, support_vectors, unfitted

pytest.importorskip("sklearn")


def test_settings():
    assert random_forest(trees=7, seed=3).get_params() | {"n_estimators": 7, "random_state": 3, "n_jobs": 1} == (
        random_forest(trees=7, seed=3).get_params()
    )
    assert extra_trees(trees=5, seed=1, max_features=0.5).max_features == 0.5
    assert support_vectors(C=2.0, gamma=0.1, epsilon=0.01)[-1].C == 2.0


def test_a_gaussian_process_is_that_of_the_textbook_in_inverse_temperatures():
    """mean + k (K + noise)^-1 (y - mean), with lengths of one standard deviation in 1/T and of three in the others."""
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.normal(size=12), rng.uniform(1000, 2500, 12), rng.exponential(size=12)])
    X[3, 2] = 40.0  # three standard deviations away, cut off at two
    y = rng.normal(size=12)
    model = gaussian_process(3, 1, length=3.0, noise=0.2, farthest=2.0).fit(X, y)
    columns = np.column_stack([1 / X[:, 1], X[:, 0], X[:, 2]])
    Z = np.clip((columns - columns.mean(axis=0)) / columns.std(axis=0), -2, 2) / [1.0, 3.0, 3.0]
    K = np.exp(-((Z[:, None] - Z[None]) ** 2).sum(axis=-1) / 2)
    expected = y.mean() + K @ np.linalg.solve(K + 0.2 * np.eye(12), y - y.mean())
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9)


def test_a_copy_has_learned_nothing():
    X = np.arange(10.0)[:, None]
    fitted = random_forest(trees=2, seed=0).fit(X, X[:, 0])
    assert hasattr(fitted, "estimators_") and not hasattr(unfitted(fitted), "estimators_")
