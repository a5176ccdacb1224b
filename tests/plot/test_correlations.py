"""Displacement correlations and log-log slopes, checked by the numbers in the figures."""

import numpy as np
import pytest

from plot.walks import curves_of, named, no_overlap, shaded
from tammann.errors import DataError
from tammann.plot import plot_correlations, plot_log_log_slope
from tammann.plot.style import ELEMENT_COLOURS


def test_curves_are_those_of_the_correlations(curves, measurement):
    ax = plot_correlations(curves, measurement)
    lines = named(ax)
    assert set(lines) == {"Ba", "Ti", "O", "Ba–Ba", "Ti–Ti", "O–O", "Ba–Ti", "Ba–O", "Ti–O"}
    time, value = lines["O"].get_data()
    lags = np.round(np.array(time) / 0.1).astype(int)
    np.testing.assert_allclose(value, curves.self_part()[2, lags])
    _, together = lines["O–O"].get_data()
    np.testing.assert_allclose(together, curves.collective_part()[2, 2, lags] / 12)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert len(shaded(ax)) == 1
    assert shaded(ax)[0].get_x() == pytest.approx(0.5) and shaded(ax)[0].get_width() == pytest.approx(7.5)
    assert lines["O"].get_color() == ELEMENT_COLOURS["O"] == lines["O–O"].get_color()
    assert no_overlap(ax) == 9


def test_negative_correlations_are_drawn_as_such(curves):
    ax = plot_correlations(curves, curves=("collective",))
    positive = named(ax)["Ba–O"]
    k = ax.lines.index(positive)
    negative = ax.lines[k + 1]
    lags = np.round(np.array(positive.get_xdata()) / 0.1).astype(int)
    true = curves.collective_part()[0, 2, lags] / np.sqrt(4 * 12)
    signed = np.where(np.isnan(positive.get_ydata()), -np.array(negative.get_ydata()), positive.get_ydata())
    np.testing.assert_allclose(signed, true)
    assert (true < 0).any()  # barycentric: what goes one way pushes the others back
    assert not shaded(ax)


def test_replicas_are_averaged(curves):
    other = curves_of(2)
    mean = named(plot_correlations([curves, other], curves=("self",)))["O"].get_ydata()
    parts = [named(plot_correlations(one, curves=("self",)))["O"].get_ydata() for one in (curves, other)]
    np.testing.assert_allclose(mean, np.mean(parts, axis=0))


def test_drawn_slope_is_the_measured_one(curves, measurement):
    ax = plot_correlations(curves, measurement, curves=("self",))
    dashed = [line for line in ax.lines if line.get_color() == "#222222"]
    assert len(dashed) == 3
    time, value = (np.array(part) for part in dashed[2].get_data())
    slope = np.polyfit(time, value, 1)[0]
    assert slope / 6 * 1e-8 == pytest.approx(measurement.D_m2_per_s[2], rel=1e-6)


def test_log_log_slope_of_a_walk_is_one(curves, measurement):
    ax = plot_log_log_slope(curves, measurement)
    for symbol in ("Ba", "Ti", "O"):
        value = np.array(named(ax)[symbol].get_ydata())
        assert abs(value[:6] - 1).max() < 0.25
    assert len(ax.collections) == 3 and len(shaded(ax)) == 1
    assert no_overlap(ax) == 3


def test_refusals(curves):
    with pytest.raises(DataError, match="curves"):
        plot_correlations(curves, curves=("distinct",))
    with pytest.raises(DataError, match="no correlations"):
        plot_correlations([])
