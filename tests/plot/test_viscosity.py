"""The running viscosity, checked by the numbers in the figure."""

import numpy as np

from plot.walks import shaded
from tammann.plot import plot_running_viscosity
from tammann.transport.viscosity import shear_viscosity


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
