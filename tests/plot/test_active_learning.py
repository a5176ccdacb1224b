"""Figures of active learning: runs are drawn at the fit they were made with, and missing numbers leave gaps."""

import numpy as np
import pandas as pd
import pytest

from tammann.plot import save_figure
from tammann.plot.active_learning import active_learning_figure, plot_errors, plot_grades, plot_times

TABLE = pd.DataFrame(
    {
        "round": [0, 1, 2, 3],
        "reached_ps": [0.0, 12.0, 140.0, 300.0],
        "wanted_ps": [0.0, 300.0, 300.0, 300.0],
        "largest_grade": [np.nan, 350.0, 40.0, 4.0],
        "share_above_select": [np.nan, 0.8, 0.03, 0.0],
        "training_frames": [200, 250, 290, 0],
        "energy_meV_per_atom": [24.0, 20.0, 18.0, np.nan],
        "forces_meV_per_A": [610.0, 500.0, 420.0, np.nan],
    }
).set_index("round")


def test_runs_of_a_round_stand_at_the_fit_before_it():
    ax = plot_grades(TABLE, select_above=5.0, stop_above=100.0)
    drawn = ax.lines[-1]
    assert drawn.get_xdata().tolist() == [0, 1, 2] and drawn.get_ydata().tolist() == [350.0, 40.0, 4.0]
    assert {text.get_text() for text in ax.texts} == {"80 %", "3 %", "0 %", "stop", "collect"}
    bars = plot_times(TABLE).patches
    assert [bar.get_height() for bar in bars[3:]] == [12.0, 140.0, 300.0]


def test_errors_are_relative_to_the_first_fit_and_told_in_the_legend():
    ax = plot_errors(TABLE)
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([1.0, 20 / 24, 18 / 24])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "energy (meV/atom): 24 to 18",
        "forces (meV/Å): 610 to 420",
    ]


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_a_figure_is_drawn_after_any_number_of_rounds(tmp_path, rows):
    save_figure(active_learning_figure(TABLE.head(rows), select_above=5.0, stop_above=100.0), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000
