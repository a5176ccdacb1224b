import numpy as np
import pytest

from tammann.characterization.diffraction import Resolution
from tammann.errors import DataError


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_the_profile_has_its_area_and_its_width(eta):
    resolution, x = Resolution(0.1, eta=eta), np.linspace(-100.0, 100.0, 2_000_001)
    y = resolution.profile(x, np.array(0.1))
    assert np.trapezoid(y, x) == pytest.approx(1.0, abs=1e-3)
    assert np.interp(0.05, x, y) == pytest.approx(0.5 * y.max(), rel=1e-6)


def test_smearing_twice_adds_squares_of_gaussians():
    q = np.arange(1.0, 5.0, 0.002)
    line = Resolution(0.1).profile(q - 3.0, np.array(0.1))
    broader = Resolution(0.1 * np.sqrt(2.0)).profile(q - 3.0, np.array(0.1 * np.sqrt(2.0)))
    np.testing.assert_allclose(Resolution(0.1).smear(q, line), broader, atol=1e-6 * line.max())


def test_a_constant_stays_one():
    q = np.arange(1.0, 5.0, 0.01)
    np.testing.assert_allclose(Resolution(0.1, relative_fwhm=0.02, eta=0.5).smear(q, np.ones(len(q))), 1.0, rtol=0.02)


def test_caglioti_is_a_width_in_two_theta():
    wavelength = 1.5406
    resolution = Resolution(caglioti_deg2=(0.0, 0.0, 0.01), wavelength_A=wavelength)
    angles = np.array([40.0, 40.1])
    q = 4.0 * np.pi / wavelength * np.sin(np.radians(angles) / 2.0)
    assert resolution.fwhm_at(q.mean(keepdims=True))[0] == pytest.approx(q[1] - q[0], rel=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "above 0"),
        ({"fwhm_per_A": -1.0}, "above 0"),
        ({"fwhm_per_A": 0.1, "eta": 2.0}, "0 to 1"),
        ({"caglioti_deg2": (0.0, 0.0, 0.01)}, "belong together"),
        ({"fwhm_per_A": 0.1, "caglioti_deg2": (0.0, 0.0, 0.01), "wavelength_A": 1.5}, "one kind of width"),
    ],
)
def test_widths_that_make_no_sense_are_refused(options, words):
    with pytest.raises(DataError, match=words):
        Resolution(**options)


def test_caglioti_without_a_width_or_out_of_reach_is_refused():
    with pytest.raises(DataError, match="no width"):
        Resolution(caglioti_deg2=(0.0, -1.0, 0.01), wavelength_A=1.5).fwhm_at(np.array([3.0]))
    with pytest.raises(DataError, match="out of reach"):
        Resolution(caglioti_deg2=(0.0, 0.0, 0.01), wavelength_A=1.5).fwhm_at(np.array([9.0]))
