"""Figures of measured transport, checked by the numbers in them."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.md.equation_of_state import VolumePoint
from tammann.plot import (
    plot_arrhenius,
    plot_correlations,
    plot_log_log_slope,
    plot_onsager_matrix,
    plot_running_viscosity,
    plot_volume_search,
    save_figure,
    transport_figure,
)
from tammann.plot._style import ELEMENT_COLOURS
from tammann.plot.transport import SHADE, _round_temperatures, _species_colours
from tammann.trajectory import trajectory_from_arrays
from tammann.transport import (
    OnsagerCoefficients,
    displacement_correlations,
    fit_arrhenius,
    measure_onsager,
)
from tammann.transport.viscosity import shear_viscosity


def curves_of(seed, symbols=("Ba", "Ti", "O", "O", "O"), frames=600, step=0.1):
    steps = step * np.random.default_rng(seed).normal(size=(frames, 4 * len(symbols), 3))
    walk = trajectory_from_arrays(
        steps.cumsum(axis=0), 12.0 * np.eye(3), list(symbols) * 4, frame_interval_ps=0.1, wrapped=False
    )
    return displacement_correlations(walk)


@pytest.fixture(scope="module")
def curves():
    return curves_of(1)


@pytest.fixture(scope="module")
def measurement(curves):
    return measure_onsager(curves, temperature_K=2500.0, regime_ps=(0.5, 8.0))


def named(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def shaded(ax):
    from matplotlib.colors import to_rgba

    return [patch for patch in ax.patches if patch.get_facecolor() == to_rgba(SHADE)]


def no_overlap(ax):
    """The words beside the axes do not touch."""
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    boxes = sorted((t.get_window_extent() for t in ax.texts if t.get_position()[0] == 1.04), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 1 for below, above in zip(boxes, boxes[1:], strict=False))
    return len(boxes)


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


def test_matrix_holds_numbers_errors_and_normalised_colours():
    L = 1e38 * np.array([[2.0, -0.5], [-0.5, 8.0]])
    found = OnsagerCoefficients("BaO", 2000.0, ("Ba", "O"), L, 1e38 * np.array([4.0, 8.0]), L_stderr=0.1 * np.abs(L))
    ax = plot_onsager_matrix(found)
    assert [text.get_text() for text in ax.texts] == [
        "2.00\n± 0.20",
        "−0.500\n± 0.050",
        "−0.500\n± 0.050",
        "8.00\n± 0.80",
    ]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.5, -0.5 / 32**0.5], [-0.5 / 32**0.5, 1.0]])
    assert "10^{38}" in ax.get_title()
    assert len(ax.get_figure().axes) == 2
    assert len(plot_onsager_matrix(found, colour_bar=False).get_figure().axes) == 1
    immobile = OnsagerCoefficients("BaO", 2000.0, ("Ba", "O"), np.diag([0.0, 1e38]), np.array([0.0, 1e38]))
    assert plot_onsager_matrix(immobile).images[0].get_array()[0, 0] == 0.0


def fits():
    T = np.array([1800.0, 2100.0, 2500.0, 3000.0])
    values = {"Ba": 2e-7 * np.exp(-1.2 / (8.617e-5 * T)), "O": 1e-7 * np.exp(-0.8 / (8.617e-5 * T))}
    return {name: fit_arrhenius(T, value, 0.1 * value) for name, value in values.items()}


def test_arrhenius_has_points_lines_bands_and_both_axes():
    ax = plot_arrhenius(fits())
    lines = [line for line in ax.lines if len(line.get_xdata()) == 80]
    assert len(lines) == 2 and len(ax.containers) == 2
    x, y = (np.array(part) for part in lines[0].get_data())
    assert np.polyfit(x, np.log(y), 1)[0] == pytest.approx(-1.2 / 8.617333e-5 / 1000, rel=1e-3)
    assert any("0.80 ±" in text.get_text() and "eV" in text.get_text() for text in ax.texts)
    (above,) = ax.child_axes
    assert above.get_xlabel() == "$T$ (K)" and len(above.get_xticks()) >= 4
    assert no_overlap(ax) == 2
    wide = plot_arrhenius(fits(), range_K=(1200.0, 3000.0))
    dashed = [line for line in wide.lines if len(line.get_xdata()) == 80 and line.get_linestyle() == "--"]
    assert len(dashed) == 2 and 1000 / np.min([line.get_xdata() for line in dashed]) == pytest.approx(1800)
    assert plot_arrhenius(fits()["O"]).texts[0].get_text().startswith("0.80")


@pytest.mark.parametrize(("low", "high"), [(300, 320), (300, 900), (1800, 3000), (1200, 3000), (900, 1100)])
def test_temperatures_above_are_round_and_apart(low, high):
    ticks = np.array(_round_temperatures(low, high))
    assert 3 <= len(ticks) <= 9
    assert (ticks >= low).all() and (ticks <= high).all()
    assert (-np.diff(1 / ticks) >= 0.1299 * (1 / low - 1 / high)).all()


def stress(frames, size=0.1):
    noise = np.random.default_rng(3).normal(size=(frames + 4, 6))
    return size * (noise[4:] + noise[3:-1] + noise[2:-2] + noise[1:-3] + noise[:-4])


def test_running_viscosity():
    eta = shear_viscosity(stress(5000), volume_A3=1e3, temperature_K=1e3, frame_interval_ps=0.01)
    ax = plot_running_viscosity(eta)
    assert "mPa s" in ax.get_ylabel() and any("±" in text.get_text() for text in ax.texts)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1e3 * eta.running_Pa_s[1:])
    assert len(shaded(ax)) == 1
    drifting = stress(5000, 1.0) + 5.0 * np.array([0, 0, 0, 0, 0, 1])
    lost = plot_running_viscosity(shear_viscosity(drifting, volume_A3=1e3, temperature_K=1e3, frame_interval_ps=0.01))
    assert any("not converged" in text.get_text() for text in lost.texts)


def test_page(curves, measurement, tmp_path):
    figure = transport_figure(curves, measurement)
    save_figure(figure, tmp_path / "one.png", dpi=60)
    save_figure(transport_figure(curves, measurement), tmp_path / "two.png", dpi=60)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert len(figure.axes) == 5
    for ax in figure.axes[:3]:
        assert no_overlap(ax)
    assert "2500 K" in figure.get_suptitle() and "barycentric" in figure.get_suptitle()


def test_page_without_diffusion_says_so():
    speeds = np.random.default_rng(5).normal(size=(8, 3))
    flight = 0.05 * np.arange(400)[:, None, None] * speeds
    walk = trajectory_from_arrays(
        flight, 12.0 * np.eye(3), ["Mg", "O"] * 4, frame_interval_ps=0.1, wrapped=False, temperature_K=300.0
    )
    curves = displacement_correlations(walk)
    measured = measure_onsager(curves)
    assert not measured.diffusive
    figure = transport_figure(curves, measured)
    figure.canvas.draw()
    assert any("not shown to be" in text.get_text().replace("\n", " ") for text in figure.axes[3].texts)
    with pytest.raises(DataError):
        plot_onsager_matrix(measured)


def test_species_keep_their_colours():
    assert _species_colours(("O", "Ti", "Ba")) == {"O": "#D55E00", "Ti": "#56B4E9", "Ba": "#117733"}
    others = _species_colours(("Li", "La", "Zr", "O"))
    assert len(set(others.values())) == 4
    assert _species_colours(("Zr", "O", "La", "Li")) == others


def test_refusals(curves):
    with pytest.raises(DataError, match="curves"):
        plot_correlations(curves, curves=("distinct",))
    with pytest.raises(DataError, match="no correlations"):
        plot_correlations([])
    with pytest.raises(DataError, match="no fit"):
        plot_arrhenius({})
    with pytest.raises(DataError, match="range_K"):
        plot_arrhenius(fits(), range_K=(3000.0, 1200.0))


def test_a_volume_search_shows_its_runs_and_where_it_ended():
    runs = [
        VolumePoint(v, p, 0.05, -8.0, 0.0, 2000.0, t)
        for v, p, t in ((80, 5, 4), (120, -2, 4), (99, 0.3, 20), (101, 0, 28))
    ]
    ax = plot_volume_search(runs, 10)
    curve = next(line for line in ax.lines if len(line.get_xdata()) > 50)
    x, y = curve.get_xdata(), curve.get_ydata()
    assert x[0] == 8.0 and x[-1] == 12.0 and (np.diff(y) < 0).all()
    assert abs(np.interp(10.1, x, y)) < 0.1
    assert ax.get_legend_handles_labels()[1] == ["runs", "the last one, 10.10 Å³ per atom"]
    sizes = [line.get_markersize() for line in ax.lines if line.get_marker() == "o"]
    assert sizes[:2] == [sizes[0]] * 2 and sizes[0] < sizes[2] < sizes[3]
    low, high = ax.get_ylim()
    assert low < -0.3 and high < 5  # the far run is off the axes, those near rest fill them
