"""A run beside its baselines."""

import numpy as np
import pytest

from example import example_history
from tammann.history import History
from tammann.plot import (
    formula_label,
    plot_baselines,
)


def test_baselines_stand_on_the_rows_of_their_phases(history):
    ax = plot_baselines(history, null=example_history(seed=2), equilibrium={"BaTiO3": 0.75, "Ba3TiO5": 0.25})
    rows = {label.get_text(): place for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    row = rows[formula_label("Ba3TiO5")]  # only equilibrium has it
    strokes = [line for line in ax.lines if np.allclose(line.get_xdata(), 0.25) and len(line.get_xdata()) == 2]
    assert np.mean(strokes[0].get_ydata()) == pytest.approx(row)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["this run (median and 5-95 % of 4)", "geometric null", "plain equilibrium"]


def test_the_null_has_the_name_of_its_engine(history):
    run = History.example("reactive-diffusion")
    for one, name in ((history, "geometric null"), (run, "equal conductivities")):
        legend = plot_baselines(one, null=one).get_legend()
        assert name in [text.get_text() for text in legend.get_texts()]
