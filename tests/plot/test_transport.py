"""The page of a measurement."""

import numpy as np
import pytest

from plot.walks import no_overlap
from tammann.errors import DataError
from tammann.plot import plot_onsager_matrix, save_figure, transport_figure
from tammann.trajectory import trajectory_from_arrays
from tammann.transport import displacement_correlations, measure_onsager


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
