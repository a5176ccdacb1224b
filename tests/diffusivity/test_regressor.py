"""Parameters of estimators, as scikit-learn reads and sets them."""

import numpy as np
import pytest

from tammann.diffusivity.models import HybridRegression, OfDiffusivity
from tammann.diffusivity.symbolic import SymbolicRegression


def test_parameters():
    model = HybridRegression(("a",), 2, SymbolicRegression(("a",), 1))
    assert model.get_params(deep=False).keys() == {"names", "size", "residual", "seed", "root"}
    assert model.get_params()["residual__size"] == 1
    model.set_params(size=3, residual__size=5)
    assert (model.size, model.residual.size) == (3, 5)
    with pytest.raises(ValueError, match="colour: expected one of names, size"):
        model.set_params(colour=1)
    assert repr(SymbolicRegression(("a",), 1)).startswith("SymbolicRegression(size=1, depth=0")


def test_score_is_r_squared():
    class Mean(OfDiffusivity):
        def predict(self, X):
            return np.full(len(X), 2.0)

    assert Mean(None).score(np.zeros((3, 1)), [1.0, 2.0, 3.0]) == 0.0


def test_tags():
    base = pytest.importorskip("sklearn.base")
    assert base.is_regressor(SymbolicRegression())
