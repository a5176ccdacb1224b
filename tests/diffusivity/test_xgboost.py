"""Boosted trees with the settings asked for."""

import numpy as np
import pytest

from tammann.diffusivity.xgboost import boosted_trees

pytest.importorskip("xgboost")


def test_settings():
    model = boosted_trees(trees=20, depth=2, learning_rate=0.3, seed=1, reg_alpha=0.8)
    assert (model.n_estimators, model.max_depth, model.reg_alpha, model.n_jobs) == (20, 2, 0.8, 1)
    X = np.linspace(0, 1, 50)[:, None]
    fitted = model.fit(X, 10.0 * X[:, 0] ** 2)
    assert np.abs(fitted.predict(X) - 10.0 * X[:, 0] ** 2).mean() < 0.3
