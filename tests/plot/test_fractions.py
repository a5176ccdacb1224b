"""Phase fractions against time."""

import numpy as np
import pandas as pd

from example import example_history
from tammann.plot import (
    plot_phase_fractions,
)


def test_phase_fractions_shows_the_table(history):
    table = history.phase_fractions()
    ax = plot_phase_fractions(history)
    lines = {line.get_label(): line for line in ax.lines}
    for name in ("BaTiO3", "BaO"):
        rows = table[table.phase == name]
        np.testing.assert_array_equal(lines[name].get_xdata(), rows.time_h)
        np.testing.assert_array_equal(lines[name].get_ydata(), rows.mole_fraction)
    assert ax.get_xlabel() == "time (h)"
    assert ax.get_ylabel() == "mole fraction of formula units"
    (strip,) = ax.child_axes
    assert strip.get_ylabel() == "T (K)"
    np.testing.assert_array_equal(strip.lines[0].get_ydata(), history.temperature_K)


def test_phase_fractions_says_what_it_leaves_out_and_what_time_is(tmp_path):
    run = example_history(calibrated=False)
    path = tmp_path / "phase_fractions.csv"
    run.phase_fractions().to_csv(path, index=False)
    ax = plot_phase_fractions(pd.read_csv(path), smallest=0.2, programme=False)
    assert "not calibrated" in ax.get_xlabel()
    assert any("1 phase with a median below 0.2 not drawn" in text.get_text() for text in ax.texts)
    assert not ax.child_axes


def test_phases_that_are_gone_are_listed_apart(history):
    texts = [text.get_text() for text in plot_phase_fractions(history).texts]
    living, listed = texts[: texts.index("gone by the end:")], texts[texts.index("gone by the end:") :]
    assert any("BaTiO_{3}" in text for text in living) and any("BaO" in text for text in listed)
