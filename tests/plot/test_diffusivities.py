"""Figures of learned diffusivities show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest

from diffusivity.made_up_table import made_up_table
from tammann.diffusivity.activation import activation_errors
from tammann.diffusivity.validation import cross_validate
from tammann.plot.diffusivities import (
    plot_activation,
    plot_database,
    plot_errors_by_folds,
    plot_importance,
    plot_predicted,
    plot_validations,
)


@pytest.fixture(scope="module")
def validations():
    table = made_up_table(noise=0.2)
    return [cross_validate(table, "symbolic", folds=4, seeds=(0, 1), grouped=grouped) for grouped in (True, False)]


def test_parity(validations):
    ax = plot_predicted(validations[0])
    points = np.concatenate([line.get_ydata() for line in ax.lines[:-1]])
    np.testing.assert_allclose(np.sort(points), np.sort(np.exp(validations[0].predicted[0])))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert "compositions not seen" in ax.get_title() and "m²/s" in ax.get_xlabel()


def test_folds_side_by_side(validations):
    ax = plot_validations(validations)
    heights = sorted(bar.get_height() for bar in ax.patches)
    assert heights == pytest.approx(sorted(1e8 * one.mean("rmse_D_m2_per_s")[0] for one in validations))
    assert len(plot_errors_by_folds({("a", True): (1e-8, 0.0)}).patches) == 1


def test_importance_and_activation(validations):
    frame = pd.DataFrame({"feature": ["a", "b"], "importance": [2.0, 1.0], "spread": [0.1, 0.1]})
    ax = plot_importance(frame, most=1)
    assert [bar.get_width() for bar in ax.patches] == [2.0]
    table = validations[0].table_of
    assert "mean absolute error" in plot_activation(activation_errors(table, table.ln_D)).get_title()


def test_database():
    rows = [{"element": e, "temperature_K": T, "compositions": 2, "D_25_m2_per_s": 1e-9, "D_50_m2_per_s": 2e-9,
             "D_75_m2_per_s": 3e-9, "Ea_25_eV": 0.2, "Ea_50_eV": 0.3, "Ea_75_eV": 0.4}
            for e in ("O", "S") for T in (1000.0, 2000.0)]  # fmt: skip
    figure = plot_database(pd.DataFrame(rows))
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["O", "S"]
