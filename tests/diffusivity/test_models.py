"""Models by name, hybrids, and what they share with scikit-learn."""

import sys

import numpy as np
import pytest

from tammann.diffusivity.models import MODELS, HybridRegression, OfDiffusivity, law_of, make_model
from tammann.diffusivity.symbolic import SymbolicRegression
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


def test_forest_and_boosting_have_the_published_settings():
    pytest.importorskip("sklearn"), pytest.importorskip("xgboost")
    assert make_model("forest", ("temperature_K",), seed=4).model.get_params()["n_estimators"] == 100
    known = make_model("boosting", ("temperature_K",), seed=4).model.get_params()
    expected = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.1, "reg_alpha": 0.8, "random_state": 4}
    assert {name: known[name] for name in expected} == expected


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


def test_a_hybrid_of_roots_adds_roots_and_stays_near_its_law():
    dummy = pytest.importorskip("sklearn.dummy")
    table = made_up_table(noise=0.3)
    fitted = HybridRegression(table.names, 3, dummy.DummyRegressor(), root=True).fit(table.features, table.ln_D)
    law = np.exp(fitted.trend_.predict(table.features) / 2)
    shift = np.mean(np.sqrt(table.D_m2_per_s) - law)
    assert shift != 0.0
    np.testing.assert_allclose(np.exp(fitted.predict(table.features) / 2), law + shift)
    # where D vanishes a residual from the data would be all there is: the law decides
    cold = table.features[:1].copy()
    cold[0, table.names.index("temperature_K")] = 100.0
    left = fitted.predict(cold) - fitted.trend_.predict(cold)
    assert left == pytest.approx(np.sign(shift) * 2 * np.log(2.0))


def test_the_process_and_the_trees_of_a_hybrid_count_alike():
    pytest.importorskip("sklearn")
    table = made_up_table(noise=0.3)
    fitted = make_model("hybrid-root", table.names).fit(table.features, table.ln_D)
    trees, process = (one.predict(table.features) for one in fitted.residual_.estimators_)
    assert np.abs(trees - process).max() > 0.1 * np.abs(trees).max()
    np.testing.assert_allclose(fitted.residual_.predict(table.features), (trees + process) / 2)
    with pytest.raises(DataError, match="expected temperature_K among the names"):
        make_model("hybrid-root", ())


def test_hybrids_are_cloned_with_what_is_in_them():
    base, tree = pytest.importorskip("sklearn.base"), pytest.importorskip("sklearn.tree")
    model = HybridRegression(("a", "b"), 1, tree.DecisionTreeRegressor(max_depth=2))
    copy = base.clone(model.set_params(residual__max_depth=3))
    assert copy.residual.max_depth == 3 and copy.residual is not model.residual


def test_models_stand_in_pipelines_and_folds_of_scikit_learn():
    pipeline, selection = pytest.importorskip("sklearn.pipeline"), pytest.importorskip("sklearn.model_selection")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    table = made_up_table(noise=0.1)
    folds = selection.GroupKFold(3)
    for model in (make_model("hybrid", table.names), make_model("symbolic", ()), make_model("forest", table.names)):
        whole = pipeline.make_pipeline(preprocessing.FunctionTransformer(), model)
        found = selection.cross_val_score(whole, table.features, table.ln_D, groups=table.groups, cv=folds)
        assert found.mean() > 0.4


def test_names_are_those_of_a_data_frame():
    pytest.importorskip("sklearn")
    table = made_up_table(noise=0.1)
    frame = table.table()[list(table.names)]
    for named, unnamed in ((SymbolicRegression(table.names), SymbolicRegression()),
                           (HybridRegression(table.names), HybridRegression())):  # fmt: skip
        one, other = named.fit(table.features, table.ln_D), unnamed.fit(frame, table.ln_D)
        assert str(law_of(one)) == str(law_of(other)) and "1/kBT" in str(law_of(other)) and other.names == ()
        np.testing.assert_array_equal(one.predict(table.features), other.predict(frame))
    assert "x1" in str(SymbolicRegression(size=1).fit(np.eye(4)[:, :2], [0.0, 1.0, 0.0, 0.0]).law_)


@pytest.mark.parametrize("model", [SymbolicRegression(("a",)), HybridRegression(("a",)), OfDiffusivity(None)])
def test_a_model_that_has_learned_nothing_predicts_nothing(model):
    with pytest.raises(DataError, match="expected a fitted model"):
        model.predict([[1.0]])


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
