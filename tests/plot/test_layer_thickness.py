"""Thickness of layers against time, with the parabolas that hold."""

import numpy as np

from histories import layered_history
from tammann.history import History
from tammann.plot import plot_layer_thickness


def test_lines_are_the_thickness_and_the_parabola_lies_on_them():
    time = (np.arange(25) / 24) ** 2
    h = np.sqrt(2 * 2e-18 * time * 3600)
    bounds = np.column_stack([np.zeros(25), 5e-7 - h / 2, 5e-7 + h / 2, np.full(25, 1e-6)])
    ax = plot_layer_thickness(layered_history(bounds, ["BaO", "BaTiO3", "TiO2"], times_h=time))
    thickness, parabola = ax.lines[:2]
    np.testing.assert_allclose(thickness.get_ydata(), 1e9 * h, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(parabola.get_ydata(), 1e9 * h, rtol=1e-2, atol=0.3)
    assert ax.get_ylabel() == "thickness (nm)"
    assert any("2.0" in text.get_text() and "per s" in text.get_text() for text in ax.texts)


def test_layers_that_were_consumed_are_named():
    ax = plot_layer_thickness(History.example("reactive-diffusion"), particle=1)
    names = [text.get_text() for text in ax.texts]
    listed = names[names.index("gone by the end:") :]
    assert any("Ba_{4}Ti_{13}" in name for name in listed) and not any("BaTiO_{3}" in name for name in listed)


def test_nothing_grown_gives_empty_axes():
    still = layered_history(np.tile([0.0, 5e-7, 1e-6], (3, 1)), ["BaO", "TiO2"], times_h=np.arange(3.0))
    assert not plot_layer_thickness(still, programme=False).lines
