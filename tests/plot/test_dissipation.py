"""Shares of the driving force drawn: they fill the axes, and a step's bar is its table."""

import numpy as np
import pytest

from histories import layered_history
from tammann.analysis import dissipation_by_step
from tammann.errors import ResultError
from tammann.history import History
from tammann.plot import plot_bottlenecks, plot_dissipation


@pytest.fixture(scope="module")
def run():
    return History.example("reactive-diffusion")


def test_shares_fill_the_axes(run):
    ax = plot_dissipation(run)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
    assert max(tops) == pytest.approx(1.0)
    assert ax.get_ylim() == (0, 1) and "not calibrated" in ax.get_xlabel()


def test_bars_are_the_table(run):
    ax = plot_bottlenecks(run)
    table = dissipation_by_step(run)
    widths = sorted(patch.get_width() for patch in ax.patches)
    np.testing.assert_allclose(widths, sorted(table["share"]))
    for row in (0, 1):  # each bar begins where the one before it ends
        bars = sorted((p.get_x(), p.get_width()) for p in ax.patches if round(p.get_y() + 0.33) == row)
        starts, lengths = np.array(bars).T
        np.testing.assert_allclose(starts, np.cumsum(lengths) - lengths, atol=1e-12)
    largest = f"{100 * table['share'].max():.0f} %"
    assert any(largest in text.get_text() for text in ax.texts)
    assert [label.get_text().split("\n")[0] for label in ax.get_yticklabels()] == [
        "step 1, to 1200 K", "step 2, to 1500 K",
    ]  # fmt: skip


def test_nothing_dissipated_and_other_engines():
    still = layered_history(np.tile([0.0, 5e-7, 1e-6], (3, 1)), ["BaO", "TiO2"], times_h=np.arange(3.0))
    assert plot_dissipation(still).texts[0].get_text() == "nothing reacted"
    assert not plot_bottlenecks(still).patches
    for draw in (plot_dissipation, plot_bottlenecks):
        with pytest.raises(ResultError, match="only a run of the engine"):
            draw(History.example())
