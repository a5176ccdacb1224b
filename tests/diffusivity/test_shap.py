"""Shapley values of laws and hybrids add up to the prediction."""

import numpy as np
import pytest

from tammann.diffusivity.model import train_model
from tammann.diffusivity.shap import shap_values
from tammann.errors import DataError

from .made_up_table import made_up_table


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
