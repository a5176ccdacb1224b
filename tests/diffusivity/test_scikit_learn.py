"""What scikit-learn makes, with the settings asked for."""

import numpy as np
import pytest

from tammann.diffusivity.scikit_learn import extra_trees, random_forest, support_vectors, unfitted

pytest.importorskip("sklearn")


def test_settings():
    assert random_forest(trees=7, seed=3).get_params() | {"n_estimators": 7, "random_state": 3, "n_jobs": 1} == (
        random_forest(trees=7, seed=3).get_params()
    )
    assert extra_trees(trees=5, seed=1, max_features=0.5).max_features == 0.5
    assert support_vectors(C=2.0, gamma=0.1, epsilon=0.01)[-1].C == 2.0


def test_a_copy_has_learned_nothing():
    X = np.arange(10.0)[:, None]
    fitted = random_forest(trees=2, seed=0).fit(X, X[:, 0])
    assert hasattr(fitted, "estimators_") and not hasattr(unfitted(fitted), "estimators_")
