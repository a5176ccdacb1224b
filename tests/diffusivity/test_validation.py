"""Folds that keep compositions together, and the leak of those that do not."""

from typing import ClassVar

import numpy as np
import pytest

from tammann.diffusivity import importance, validation
from tammann.diffusivity.activation import activation_errors
from tammann.diffusivity.table import load_published
from tammann.diffusivity.validation import cross_validate, fold_numbers, leaked_share, nested_choice, scores
from tammann.errors import DataError

from . import published
from .made_up_table import FORMULAS, made_up_table


def test_grouped_folds_keep_compositions_together_and_are_of_one_size():
    table = made_up_table()
    numbers = fold_numbers(table, folds=4, seed=5)
    for k in range(len(FORMULAS)):
        assert len(set(numbers[table.groups == k].tolist())) == 1
    assert np.bincount(numbers).tolist() == [20] * 4
    assert (numbers != fold_numbers(table, folds=4, seed=6)).any()
    by_row = fold_numbers(table, folds=4, seed=5, grouped=False)
    test = by_row == 0
    assert leaked_share(table, np.flatnonzero(~test), np.flatnonzero(test)) > 0.9
    assert leaked_share(table, np.flatnonzero(numbers > 0), np.flatnonzero(numbers == 0)) == 0.0
    with pytest.raises(DataError, match="folds: expected 2 to 20"):
        fold_numbers(table, folds=21)
    with pytest.raises(DataError, match="two or more compositions for folds, got 1"):
        fold_numbers(table.take(np.arange(4)), folds=2)


def test_scores_by_hand():
    found = scores(np.log([1.0, 3.0]), np.log([2.0, 3.0]))
    assert found.rmse_D_m2_per_s == pytest.approx(np.sqrt(0.5)) and found.r2_D == pytest.approx(0.5)
    assert found.rmse_ln_D == pytest.approx(np.log(2) / np.sqrt(2)) and found.mae_ln_D == pytest.approx(np.log(2) / 2)


class Memory:
    """A model that knows the rows it was fitted to, and refuses to predict any of them."""

    seeds: ClassVar[list[int]] = []

    def __init__(self, _, __, *, seed):
        self.seeds.append(seed)

    def fit(self, X, y):
        self.rows, self.mean = {row.tobytes() for row in X}, float(np.mean(y))
        return self

    def predict(self, X):
        assert not self.rows & {row.tobytes() for row in X}
        return np.full(len(X), self.mean)


def test_no_model_is_tested_on_a_row_that_it_was_fitted_to(monkeypatch):
    """Nor does a nested choice see the fold that it is tested on, nor an importance."""
    for module in (validation, importance):
        monkeypatch.setattr(module, "make_model", Memory)
    Memory.seeds.clear()
    table = made_up_table()
    found = cross_validate(table, "any", folds=4, seeds=(3, 5))
    assert Memory.seeds == [3] * 4 + [5] * 4
    numbers = fold_numbers(table, folds=4, seed=5)
    for k in range(4):  # each fold is predicted by the rest
        assert found.predicted[1, numbers == k] == pytest.approx(table.ln_D[numbers != k].mean())
    nested_choice(table, ["one", "other"], folds=3, inner_folds=3)
    importance.permutation_importance(table, "any", folds=4, repeats=1)
    one, other = found.scores()
    mean, spread = found.mean("rmse_ln_D")
    assert mean == pytest.approx((one.rmse_ln_D + other.rmse_ln_D) / 2)
    assert spread == pytest.approx(abs(one.rmse_ln_D - other.rmse_ln_D) / np.sqrt(2))


def test_a_model_that_remembers_compositions_looks_better_by_rows():
    """Noise that belongs to a composition cannot be predicted for a new one, but is remembered by trees."""
    pytest.importorskip("sklearn")
    table = made_up_table(noise=0.8)
    found = {
        grouped: cross_validate(table, "hybrid", folds=4, seeds=(0, 1), grouped=grouped) for grouped in (True, False)
    }
    grouped, by_row = found[True].mean("rmse_ln_D")[0], found[False].mean("rmse_ln_D")[0]
    assert grouped > 0.7 and by_row < 0.8 * grouped
    assert found[True].leaked == 0.0 and found[False].leaked > 0.9
    assert len(found[True].table()) == 2 and "by composition" in repr(found[True])


def test_the_law_is_found_within_the_folds():
    table = made_up_table(noise=0.01)
    found = cross_validate(table, "symbolic", folds=5, seeds=(0,))
    assert found.mean("rmse_ln_D")[0] < 0.03


def test_a_nested_choice_takes_the_model_that_is_right():
    pytest.importorskip("sklearn")
    table = made_up_table(noise=0.02)
    chosen = nested_choice(table, ["forest", "symbolic"], folds=3, inner_folds=3)
    assert chosen.chosen == (("symbolic",) * 3,) and len(chosen.predicted[0]) == table.n_rows
    assert chosen.scores[0].rmse_ln_D < 0.1


@pytest.mark.slow
def test_figures_of_the_published_table():
    """Grouped folds; bounds leave room for other versions of the libraries."""
    pytest.importorskip("sklearn"), pytest.importorskip("xgboost")
    table = load_published(published.path())
    boosting = [
        cross_validate(table, "boosting", seeds=(0,), grouped=g).mean("rmse_D_m2_per_s")[0] for g in (True, False)
    ]
    assert boosting[0] == pytest.approx(1.40e-8, rel=0.1) and boosting[1] == pytest.approx(1.20e-8, rel=0.1)
    hybrid = cross_validate(table, "hybrid", seeds=(0,))
    assert hybrid.mean("rmse_D_m2_per_s")[0] < 1.08e-8 and hybrid.mean("r2_D")[0] > 0.958
    energies = activation_errors(table, hybrid.predicted[0])
    assert energies.mae_eV < 0.065 and energies.constant_mae_eV == pytest.approx(0.10, abs=0.005)
