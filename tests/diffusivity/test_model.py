"""A trained model: intervals that cover, distances, a file, structures."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tammann.diffusivity.activation import activation_errors
from tammann.diffusivity.applicability import Applicability
from tammann.diffusivity.elements import ElementValues, element_values
from tammann.diffusivity.model import load_model, train_model
from tammann.diffusivity.table import load_published
from tammann.errors import DataError

from . import published
from .made_up_table import made_up_table
from .test_local_features import antifluorite, rock_salt


@pytest.fixture(scope="module")
def model():
    return train_model(made_up_table(noise=0.2), "symbolic")


def test_training_reports_each_fold_and_the_fit_to_all():
    seen = []
    train_model(made_up_table(), "symbolic", folds=3, progress=lambda done, what, _: seen.append((done, what)))
    assert [done for done, _ in seen] == pytest.approx([0.25, 0.5, 0.75, 1.0]) and "fold 3" in seen[2][1]


def test_intervals_cover_new_compositions(model):
    fresh = made_up_table(noise=0.2, seed=7)
    found = model.predict(fresh.features, formulas=fresh.formulas)
    inside = np.abs(found.ln_D - fresh.ln_D) <= found.half_width
    assert 0.75 < inside.mean() <= 1.0
    wider = model.predict(fresh.features, confidence=0.95).half_width
    assert (wider >= found.half_width).all() and (found.stderr < found.half_width).all()
    table = found.table()
    assert (table["D_low_m2_per_s"] < table["D_m2_per_s"]).all() and (
        table["D_m2_per_s"] < table["D_high_m2_per_s"]
    ).all()
    with pytest.raises(DataError, match="confidence"):
        model.half_width(np.zeros(1), confidence=1.0)


def test_more_confidence_than_compositions_can_give_is_refused(model):
    """The largest of n errors is exceeded by the next one with 1/(n + 1), so n of them bound no more than n/(n + 1)."""
    widest = model.half_width(np.zeros(1), confidence=20 / 21)
    ratio = np.abs(model.residuals) / model.half_width(model._own_distance, confidence=20 / 21)
    assert ratio.max() == pytest.approx(1.0) and widest[0] > 0.0
    with pytest.raises(DataError, match=r"at most 0.952 with 20 compositions to learn from, got 0.99"):
        model.predict(model.training.features, confidence=0.99)


def test_half_widths_are_quantiles_of_the_errors_with_one_composition_more(model):
    own = model._own_distance
    ratio = np.abs(model.residuals) / (model.error_line[0] + model.error_line[1] * own)
    expected = np.quantile(ratio, 0.8 * 21 / 20) * (model.error_line[0] + model.error_line[1] * own)
    np.testing.assert_allclose(model.half_width(own, confidence=0.8), expected)
    assert model.error_line[0] > 0 and model.error_line[1] >= 0
    # every residual is that of a model without the composition: larger than those of the fit to all
    assert np.mean(model.residuals**2) > np.mean((model.fitted.predict(model.training.features)
                                                  - model.training.ln_D) ** 2)  # fmt: skip


def test_activation_energies_of_predictions_come_with_the_error_on_unseen_compositions(model):
    X = np.repeat(model.training.features[:1], 3, axis=0)
    X[:, model.training.names.index("temperature_K")] = [1000.0, 1500.0, 2000.0]
    found = model.predict(np.concatenate([X, X[:2]]), formulas=["a"] * 3 + ["b"] * 2).activation_energies()
    law = model.fitted.law_
    slope = dict(zip(map(str, law.terms), law.coefficients, strict=True))["1/kBT"]
    assert set(found) == {"a"} and found["a"] == (pytest.approx(-slope), model.Ea_stderr_eV)
    errors = activation_errors(model.training, model.training.ln_D + model.residuals)
    assert model.Ea_stderr_eV == pytest.approx(np.sqrt(np.mean((errors.predicted_eV - errors.known_eV) ** 2)))
    few = train_model(made_up_table(temperatures=(1000.0, 2000.0)), "symbolic")
    assert few.Ea_stderr_eV is None and np.isnan(few.predict(X, formulas=["a"] * 3).activation_energies()["a"][1])
    X[:, few.training.names.index("temperature_K")] = 300.0
    assert "too narrow" in few.predict(X).notes[-1] and "too narrow" not in model.predict(X).notes[-1]


def test_what_is_far_or_hot_is_said(model):
    row = model.training.features[:1].copy()
    row[0, model.training.names.index("PF")] = 50.0
    row[0, 0] = 300.0
    found = model.predict(row, formulas=["odd"])
    assert found.far.all() and found.hot.all() and len(found.notes) == 2 and "odd" in found.notes[0]
    assert found.marks == ("far, temperature",) and f"{found.far_distance:.3f}" in found.notes[0]
    near = model.predict(model.training.features[:1])
    assert not near.far.any() and near.notes == () and near.half_width[0] <= found.half_width[0]
    assert near.marks == ("",) and near.distance[0] <= near.far_distance < found.distance[0]


def test_what_is_far_is_beyond_95_percent_of_the_rows(model):
    known = model.applicability
    d = np.unique(np.concatenate([known.own, known.own * (1 + 1e-9), [0.0, 1e9]]))
    assert known.is_far(d).tolist() == (known.percentile(d) > 95.0).tolist()


@pytest.mark.parametrize("confidence", [0.683, 0.9])
def test_intervals_widen_by_the_error_of_the_activation_energy_beyond_the_temperatures_learned_from(model, confidence):
    T = np.array([100.0, 300.0, 900.0, 1000.0, 1700.0, 2500.0, 3000.0, 1e9])
    X = np.repeat(model.training.features[:1], len(T), axis=0)
    X[:, model.training.names.index("temperature_K")] = T
    found = model.predict(X, confidence=confidence)
    plain = model.half_width(found.distance, confidence=confidence)
    np.testing.assert_array_equal(found.half_width[3:6], plain[3:6])
    assert found.hot.tolist() == [True] * 3 + [False] * 3 + [True] * 2
    beyond = np.sqrt(found.half_width**2 - plain**2)
    assert (np.diff(beyond[:4]) < 0).all() and (np.diff(beyond[5:]) > 0).all()
    # at a normal quantile, over the distance in 1/kT from 1000 K or 2500 K; hotter than everything, 1/kT ends
    z = {0.683: 1.0006, 0.9: 1.6449}[confidence] * model.Ea_stderr_eV / 8.617333e-5
    np.testing.assert_allclose(beyond[[1, 7]], [z * (1 / 300 - 1 / 1000), z / 2500], rtol=1e-3)
    assert model.predict(X).stderr[1] > model.predict(X).stderr[3]


def test_intervals_beyond_the_temperatures_learned_from_hold_compositions_of_other_activation_energies():
    trained = train_model(made_up_table(noise=0.05, spread_eV=0.1), "symbolic")
    cold = made_up_table(noise=0.05, spread_eV=0.1, seed=5, temperatures=(300.0,))
    found = trained.predict(cold.features)
    wrong = np.abs(found.ln_D - cold.ln_D)
    assert np.mean(wrong <= trained.half_width(found.distance)) < 0.6
    assert 0.8 <= np.mean(wrong <= found.half_width) <= 1.0 and found.half_width.max() < 3.0 * wrong.max()


def test_distances():
    known = Applicability.of(np.arange(12.0)[:, None] // 2, np.arange(12) // 2)
    assert known.distance(np.array([[2.5]]))[0] < known.distance(np.array([[9.0]]))[0]
    assert known.percentile(np.array([0.0, 1e9])).tolist() == [0.0, 100.0]
    # six compositions at 0, ..., 5, twice each: the five nearest other ones, in standard deviations
    spread = np.sqrt(35 / 12)
    each = [sum(abs(i - j) for j in range(6)) / 5 / spread for i in range(6)]
    np.testing.assert_allclose(known.distance_within(), np.repeat(each, 2))
    np.testing.assert_allclose(known.own, np.sort(known.distance_within()))
    # a structure of the set lies on itself; of six compositions the farthest is left out
    assert known.distance(np.array([[0.0]]))[0] == pytest.approx((0 + 1 + 2 + 3 + 4) / 5 / spread)
    assert known.is_far(np.array([max(each) * 0.99, max(each) * 1.01])).tolist() == [False, True]
    two = Applicability.of(
        np.array([[0.0, 5.0], [2.0, 5.0]]), np.arange(2)
    )  # a feature that does not vary counts nothing
    assert two.distance_within().tolist() == pytest.approx([2.0 / np.sqrt(2), 2.0 / np.sqrt(2)])
    with pytest.raises(DataError, match="two or more"):
        Applicability.of(np.ones((3, 1)), np.zeros(3, dtype=int))


def test_saved_and_fitted_again(model, tmp_path):
    model.save(tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    X = made_up_table(seed=4).features
    one, two = model.predict(X), again.predict(X)
    np.testing.assert_allclose(one.ln_D, two.ln_D, rtol=1e-12)
    np.testing.assert_allclose(one.half_width, two.half_width, rtol=1e-9)
    assert "1/kBT" in again.law and "symbolic" in repr(again)
    data = json.loads((tmp_path / "model.json").read_text())
    for change, sentence in (({"kind": "x"}, "got something else"), ({"residuals": [1.0]}, "one residual"),
                             ({"features": None}, "expected")):  # fmt: skip
        (tmp_path / "bad.json").write_text(json.dumps(data | change))
        with pytest.raises(DataError, match=sentence):
            load_model(tmp_path / "bad.json")


def test_features_stand_on_the_values_of_elements_of_the_training_table():
    doubled = {s: 2.0 * v for s, v in element_values("radius_A").values.items() if s != "Br"}
    table = replace(made_up_table(noise=0.2), elements={"radius_A": ElementValues("radius_A", doubled, "mine")})
    trained = train_model(table, "symbolic")
    _, X = trained.features({"oxide": antifluorite()}, [1000.0])
    assert X[0, table.names.index("radius_A")] == pytest.approx(2.0 * (2 * 1.45 + 0.6) / 3)
    with pytest.raises(DataError, match=r"salt: Br: no atomic radius is tabulated for it \(mine\)"):
        trained.features({"salt": rock_salt(anion="Br")}, [1000.0])


def test_too_little_to_learn_from():
    table = made_up_table()
    with pytest.raises(DataError, match="10 compositions"):
        train_model(table.take(np.arange(8)), "symbolic")
    with pytest.raises(DataError, match=r"salt: expected Li, the mobile ion of this model, in it, got Na, F; train"):
        train_model(table, "symbolic").features({"salt": rock_salt(cation="Na")}, [1000.0])
    with pytest.raises(DataError, match="columns"):
        train_model(table, "symbolic").predict(np.zeros((1, 2)))


@pytest.mark.slow
def test_intervals_cover_the_published_table_nested():
    """Models trained on four fifths of the compositions cover the last fifth as often as they say."""
    from tammann.diffusivity.validation import fold_numbers

    table = load_published(published.path())
    numbers = fold_numbers(table, folds=5, seed=3)
    inside = []
    for k in range(5):
        trained = train_model(table.take(numbers != k), "symbolic")
        rest = table.take(numbers == k)
        found = trained.predict(rest.features)
        inside.append(np.abs(found.ln_D - rest.ln_D) <= found.half_width)
    assert np.concatenate(inside).mean() == pytest.approx(0.9, abs=0.03)


@pytest.mark.slow
def test_intervals_cover_the_published_table_below_the_temperatures_learned_from():
    """Of compositions left out, at 1000 K, by models that have seen 1500 K and above only."""
    from tammann.diffusivity.validation import fold_numbers

    table = load_published(published.path())
    numbers, T = fold_numbers(table, folds=5, seed=3), table.temperatures_K
    inside, plain = [], []
    for k in range(5):
        trained = train_model(table.take((numbers != k) & (T > 1200)), "symbolic")
        rest = table.take((numbers == k) & (T < 1200))
        found = trained.predict(rest.features)
        inside.append(np.abs(found.ln_D - rest.ln_D) <= found.half_width)
        plain.append(np.abs(found.ln_D - rest.ln_D) <= trained.half_width(found.distance))
    assert np.concatenate(inside).mean() == pytest.approx(0.9, abs=0.04)
    assert np.concatenate(plain).mean() < 0.7
