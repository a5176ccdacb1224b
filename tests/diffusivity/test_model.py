"""A trained model: intervals that cover, distances, a file, structures."""

import json

import numpy as np
import pytest

from tammann.diffusivity.applicability import Applicability
from tammann.diffusivity.model import load_model, train_model
from tammann.diffusivity.table import load_published
from tammann.errors import DataError

from . import published
from .made_up_table import made_up_table


@pytest.fixture(scope="module")
def model():
    return train_model(made_up_table(noise=0.2), "symbolic")


def test_intervals_cover_new_compositions(model):
    fresh = made_up_table(noise=0.2, seed=7)
    found = model.predict(fresh.features, formulas=fresh.formulas)
    inside = np.abs(found.ln_D - fresh.ln_D) <= found.half_width
    assert 0.75 < inside.mean() <= 1.0
    wider = model.predict(fresh.features, confidence=0.99).half_width
    assert (wider >= found.half_width).all() and (found.stderr < found.half_width).all()
    table = found.table()
    assert (table["D_low_m2_per_s"] < table["D_m2_per_s"]).all() and (
        table["D_m2_per_s"] < table["D_high_m2_per_s"]
    ).all()
    with pytest.raises(DataError, match="confidence"):
        model.half_width(np.zeros(1), confidence=1.0)


def test_what_is_far_or_hot_is_said(model):
    row = model.training.features[:1].copy()
    row[0, model.training.names.index("PF")] = 50.0
    row[0, 0] = 300.0
    found = model.predict(row, formulas=["odd"])
    assert found.far.all() and found.hot.all() and len(found.notes) == 2 and "odd" in found.notes[0]
    near = model.predict(model.training.features[:1])
    assert not near.far.any() and near.notes == () and near.half_width[0] <= found.half_width[0]


def test_distances():
    known = Applicability.of(np.arange(12.0)[:, None] // 2, np.arange(12) // 2)
    assert known.distance(np.array([[2.5]]))[0] < known.distance(np.array([[9.0]]))[0]
    assert known.percentile(np.array([0.0, 1e9])).tolist() == [0.0, 100.0]
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


def test_too_little_to_learn_from():
    table = made_up_table()
    with pytest.raises(DataError, match="10 compositions"):
        train_model(table.take(np.arange(8)), "symbolic")
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
