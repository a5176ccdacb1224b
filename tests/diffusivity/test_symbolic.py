"""Best subsets: against a loop over all of them, and the published law to its last digit."""

from itertools import combinations

import numpy as np
import pytest

from tammann.diffusivity.expressions import Expression, expand_features
from tammann.diffusivity.symbolic import INVERSE, PUBLISHED_LAW, SymbolicRegression, best_laws
from tammann.diffusivity.table import LN_CM2, load_published
from tammann.errors import DataError

from . import published
from .made_up_table import COEFFICIENTS, made_up_table


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_subset_is_looked_at(size):
    rng = np.random.default_rng(size)
    X = rng.normal(size=(40, 8)) @ rng.normal(size=(8, 8))
    y = rng.normal(size=40) + X[:, 1]
    names = [Expression(name=f"x{k}") for k in range(8)]
    slow = {}
    for subset in combinations(range(8), size):
        A = np.column_stack([X[:, subset], np.ones(40)])
        slow[subset] = float(np.sqrt(np.mean((A @ np.linalg.lstsq(A, y, rcond=None)[0] - y) ** 2)))
    ordered = sorted(slow, key=slow.__getitem__)
    found = best_laws(names, X, y, size=size, keep=5)
    assert [tuple(int(str(t)[1:]) for t in law.terms) for law in found] == ordered[:5]
    np.testing.assert_allclose([law.rmse for law in found], [slow[s] for s in ordered[:5]])
    assert found[0].n_subsets == len(slow)


def test_equal_columns_are_not_both_taken():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3))
    X = np.column_stack([x[:, 0], 2 * x[:, 0] + 1, x[:, 1], x[:, 2], np.ones(30)])
    law = best_laws([Expression(name=n) for n in "abcde"], X, x[:, 0] + x[:, 1], size=2)[0]
    assert {str(t) for t in law.terms} in ({"a", "c"}, {"b", "c"}) and law.rmse < 1e-10
    with pytest.raises(DataError, match="columns"):
        best_laws([Expression(name=n) for n in "ab"], X[:, :2], x[:, 0], size=2)
    for depth in (0, 1):
        with pytest.raises(DataError, match="size: expected 1 or more"):
            SymbolicRegression(size=0, depth=depth).fit(X, x[:, 0])
    with pytest.raises(DataError, match="size"):
        best_laws([Expression(name="a")], X[:, :1], x[:, 0], size=2)


def test_a_known_law_comes_back():
    table = made_up_table()
    model = SymbolicRegression(table.names, size=4).fit(table.features, table.ln_D)
    found = {str(t): c for t, c in zip(model.law_.terms, model.law_.coefficients, strict=True)}
    assert found == pytest.approx({INVERSE: -0.33, **COEFFICIENTS}, rel=1e-6)
    assert model.score(table.features, table.ln_D) == pytest.approx(1.0)


def test_the_published_laws_come_back():
    """SISSO.out of the reference: laws of one to four of 43 features, D in cm²/s."""
    table = load_published(published.path())
    known = {
        1: (0.7470784345, {INVERSE: -0.3339783615}, -5.377207266),
        2: (0.4934022606, {INVERSE: -0.3279301133, "LNC": -0.1103637861}, -3.656538958),
        3: (0.3973587395, {INVERSE: -0.3389902594, "LNC": -0.08221510295, "ion_fraction": 1.330504015}, -4.662173223),
        4: (0.3645380858, {INVERSE: -0.3339406718, "LNC": -0.1064562223, "LLB": 0.1124328014, "PF": -1.946232403},
            -3.550389618),
    }  # fmt: skip
    for size, (rmse, coefficients, intercept) in known.items():
        law = SymbolicRegression(table.names, size=size).fit(table.features, table.ln_D).law_
        assert law.rmse == pytest.approx(rmse, rel=1e-6)
        found = {str(t): c for t, c in zip(law.terms, law.coefficients, strict=True)}
        assert found == pytest.approx(coefficients, rel=1e-6)
        assert law.intercept + LN_CM2 == pytest.approx(intercept, rel=1e-6)
    assert law.n_subsets == 123_410


def test_operators_find_a_product():
    rng = np.random.default_rng(3)
    X = rng.uniform(0.5, 2.0, size=(80, 4))
    y = 3.0 * X[:, 1] / X[:, 2] - X[:, 0] ** 2 + 1.0
    model = SymbolicRegression(("a", "b", "c", "d"), size=2, depth=1).fit(X, y)
    assert {str(t) for t in model.law_.terms} == {"(b / c)", "a²"}
    assert model.law_.rmse < 1e-8
    fresh = rng.uniform(0.5, 2.0, size=(5, 4))
    np.testing.assert_allclose(model.predict(fresh), 3.0 * fresh[:, 1] / fresh[:, 2] - fresh[:, 0] ** 2 + 1.0)


def test_columns_are_screened_by_what_the_law_so_far_leaves():
    """Copies of a with a little noise follow y better than b does, and add nothing to a."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 200))
    copies = a[:, None] + 0.05 * rng.normal(size=(200, 3))
    model = SymbolicRegression(("c", "d", "e", "a", "b"), size=2, depth=1, operators=("square",), screened=1)
    law = model.fit(np.column_stack([copies, a, b]), a + 0.02 * b).law_
    assert {str(term) for term in law.terms} == {"a", "b"} and law.rmse < 1e-12


def test_the_published_law_is_in_square_metres():
    assert PUBLISHED_LAW.intercept + LN_CM2 == pytest.approx(-3.55039)
    columns = {INVERSE: np.zeros(1), "LNC": np.zeros(1), "LLB": np.zeros(1), "PF": np.zeros(1)}
    assert np.exp(PUBLISHED_LAW.predict(columns)) == pytest.approx(1e-4 * np.exp(-3.55039))


def test_expansion_leaves_out_what_is_equal_or_not_finite():
    X = np.array([[1.0, -1.0], [2.0, 0.5], [3.0, 2.0], [5.0, 1.0]])
    names = {str(e) for e in expand_features(["a", "b"], X, depth=1)[0]}
    assert "log(a)" in names and "log(b)" not in names and "sqrt(b)" not in names
    assert "(b - a)" not in names  # the same as a - b, turned round
    assert {"(a / b)", "(b / a)"} <= names
    same = np.column_stack([X[:, 0], 2.0 * X[:, 0] + 3.0, np.ones(4), X[:, 1]])
    assert [str(e) for e in expand_features(["a", "again", "one", "b"], same, depth=0)[0]] == ["a", "b"]
    with pytest.raises(DataError, match="operators"):
        expand_features(["a"], X[:, :1], depth=1, operators=["tan"])
    with pytest.raises(DataError, match="depth"):
        expand_features([f"x{k}" for k in range(300)], np.random.default_rng(0).normal(size=(9, 300)), depth=1)


def test_the_interface_of_scikit_learn():
    base = pytest.importorskip("sklearn.base")
    selection = pytest.importorskip("sklearn.model_selection")
    table = made_up_table(noise=0.2)
    model = SymbolicRegression(table.names, size=4)
    copy = base.clone(model)
    assert copy is not model and copy.get_params() == model.get_params() and base.is_regressor(model)
    assert selection.cross_val_score(model, table.features, table.ln_D, cv=4).mean() > 0.7
    found = selection.GridSearchCV(model, {"size": [1, 4]}, cv=4).fit(table.features, table.ln_D)
    assert found.best_params_ == {"size": 4}
    with pytest.raises(ValueError, match="expected one of"):
        model.set_params(colour=3)
