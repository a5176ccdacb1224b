"""Models by name, hybrids, and what they share with scikit-learn."""

import sys

import numpy as np
import pytest

from tammann.diffusivity.models import MODELS, HybridRegression, OfDiffusivity, law_of, make_model
from tammann.errors import DataError

from .made_up_table import made_up_table


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_the_law(name):
    pytest.importorskip("sklearn")
    if "boosting" in name:
        pytest.importorskip("xgboost")
    table = made_up_table(noise=0.05)
    fitted = make_model(name, table.names, seed=3).fit(table.features, table.ln_D)
    left = fitted.predict(table.features) - table.ln_D
    assert np.sqrt(np.mean(left**2)) < 0.5 * table.ln_D.std()
    assert (law_of(fitted) is None) == (name in ("forest", "boosting"))
    assert repr(fitted).startswith(type(fitted).__name__)
    again = make_model(name, table.names, seed=3).fit(table.features, table.ln_D)
    np.testing.assert_array_equal(fitted.predict(table.features), again.predict(table.features))


def test_a_hybrid_is_its_law_plus_its_trees():
    pytest.importorskip("sklearn")
    table = made_up_table(noise=0.3)
    fitted = HybridRegression(table.names, 3).fit(table.features, table.ln_D)
    rest = np.asarray(fitted.residual_.predict(table.features))
    np.testing.assert_allclose(fitted.predict(table.features), fitted.trend_.predict(table.features) + rest)
    # beyond the data the trees stay what they are and the law goes on
    hot = table.features[:1].copy()
    hot[0, table.names.index("temperature_K")] = 1e6
    assert fitted.predict(hot)[0] > table.ln_D[:4].max()


def test_hybrids_are_cloned_with_what_is_in_them():
    base, tree = pytest.importorskip("sklearn.base"), pytest.importorskip("sklearn.tree")
    model = HybridRegression(("a", "b"), 1, tree.DecisionTreeRegressor(max_depth=2))
    copy = base.clone(model.set_params(residual__max_depth=3))
    assert copy.residual.max_depth == 3 and copy.residual is not model.residual


def test_a_model_of_D_never_gives_a_negative_one():
    linear = pytest.importorskip("sklearn.linear_model")
    X = np.array([[0.0], [1.0], [2.0]])
    fitted = OfDiffusivity(linear.LinearRegression()).fit(X, np.log([1e-9, 2e-9, 3e-9]))
    assert np.exp(fitted.predict([[1.5]])) == pytest.approx(2.5e-9)
    assert np.exp(fitted.predict([[-50.0]])) == pytest.approx(1e-13)


def test_what_is_missing_is_named(monkeypatch):
    with pytest.raises(DataError, match="model: expected one of symbolic"):
        make_model("magic", ("temperature_K",))
    for package, name in (("sklearn", "forest"), ("xgboost", "boosting")):
        for module in [m for m in sys.modules if m.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(DataError, match=r"tammann\[learn\]"):
            make_model(name, ("temperature_K",))
