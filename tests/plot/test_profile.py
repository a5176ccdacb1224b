"""Profiles drawn: the numbers of the profile, over the whole particle or where products are."""

import numpy as np
import pytest

from tammann.analysis import frame_at, profile
from tammann.errors import ResultError
from tammann.history import History
from tammann.plot import plot_profile


@pytest.fixture(scope="module")
def run():
    return History.example("reactive-diffusion")


def test_lines_are_the_profile(run):
    frame = frame_at(run, temperature_K=1200)
    one = profile(run, frame)
    shares, composition, potential = plot_profile(run, frame, whole=True).child_axes
    np.testing.assert_array_equal(potential.lines[0].get_ydata(), one.potential_eV[:, 0])
    np.testing.assert_array_equal(composition.lines[1].get_ydata(), one.element_share[:, 1])
    tops = np.max([patch.get_data().values for patch in shares.patches if hasattr(patch, "get_data")], axis=0)
    np.testing.assert_allclose(tops, 1.0, atol=0.02)  # phases below 1 % everywhere are not drawn
    assert shares.get_ylim() == (0, 1) and potential.get_xlabel() == "radius (nm)"
    assert potential.get_xlim() == pytest.approx((0, 1e9 * one.edges_m[-1]))
    assert "1200 K" in shares.get_title(loc="left")


def test_products_that_are_thin_are_shown_large(run):
    early = plot_profile(run, frame_at(run, temperature_K=1000)).child_axes[0].get_xlim()
    assert early[0] > 100 and early[1] - early[0] < 60


def test_the_start_can_be_drawn_and_other_engines_not(run):
    assert len(plot_profile(run, 0).child_axes) == 3
    with pytest.raises(ResultError, match="frame 999"):
        plot_profile(run, 999)
    with pytest.raises(ResultError, match="only a run of the engine"):
        plot_profile(History.example())
