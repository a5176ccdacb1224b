"""Shapley values of laws and hybrids add up to the prediction."""

import numpy as np
import pytest

from tammann.diffusivity.model import train_model
from tammann.diffusivity.models import make_model
from tammann.diffusivity.shap import shap_values
from tammann.diffusivity.symbolic import SymbolicRegression
from tammann.errors import DataError

from .made_up_table import EXTRA, made_up_table


def test_shares_add_up_to_the_prediction():
    model = train_model(made_up_table(noise=0.2), "symbolic")
    X = model.training.features
    values, base = shap_values(model.fitted, X)
    np.testing.assert_allclose(values.sum(axis=1) + base, model.fitted.predict(X))
    pytest.importorskip("shap"), pytest.importorskip("sklearn")
    hybrid = train_model(made_up_table(noise=0.3), "hybrid")
    values, base = shap_values(hybrid.fitted, X)
    np.testing.assert_allclose(values.sum(axis=1) + base, hybrid.fitted.predict(X), atol=1e-8)
    with pytest.raises(DataError, match="SHAP: expected a symbolic law"):
        shap_values(object(), X)
    root = make_model("hybrid-root", model.training.names).fit(X, model.training.ln_D)
    with pytest.raises(DataError, match="they do not add up"):
        shap_values(root, X)


@pytest.mark.parametrize("name", ["forest", "boosting"])
def test_shares_of_trees_add_up_to_D(name):
    pytest.importorskip("shap"), pytest.importorskip("sklearn"), pytest.importorskip("xgboost")
    table = made_up_table(noise=0.2)
    fitted = make_model(name, table.names).fit(table.features, table.ln_D)
    values, base = shap_values(fitted, table.features)
    np.testing.assert_allclose(values.sum(axis=1) + base, np.exp(fitted.predict(table.features)), rtol=1e-4, atol=1e-12)
    # D follows the temperature and the features of the law
    assert set(np.abs(values).mean(axis=0).argsort()[-3:]) <= {table.names.index(n) for n in ("temperature_K", *EXTRA)}


def test_shares_of_a_law_by_hand():
    X = np.array([[1000.0, 1.0], [1000.0, 3.0], [2000.0, 2.0], [500.0, 5.0]])
    fitted = SymbolicRegression(("temperature_K", "a"), 1).fit(X, 2.0 * X[:, 1] + 1.0)
    values, base = shap_values(fitted, X[:2])
    np.testing.assert_allclose(values, [[0.0, -2.0], [0.0, 2.0]], atol=1e-12)
    assert base == pytest.approx(5.0)
