import numpy as np
import pytest

from tammann.characterization.diffraction import Resolution, diffract
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

ROCK_SALT = Configuration(
    ("Na",) * 4 + ("Cl",) * 4,
    2.82 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]),
    5.64 * np.eye(3),
)


def test_areas_of_peaks_on_the_two_theta_axis_agree_with_pymatgen():
    """The Lorentz factor is that of the mean over orientations and of the axis; only polarization is put in."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    found = diffract(ROCK_SALT, wavelength=1.54184, q_max_per_A=6.0, q_step_per_A=0.002)
    peaks = XRDCalculator(wavelength=1.54184).get_pattern(ROCK_SALT.to_pymatgen(), two_theta_range=(20, 80))
    x, y = found.two_theta_deg, found.counts
    areas = []
    for angle in peaks.x:
        near = np.abs(x - angle) < 0.7
        areas.append(np.trapezoid(y[near], x[near]))
        assert x[near][y[near].argmax()] == pytest.approx(angle, abs=0.03)
    np.testing.assert_allclose(100.0 * np.array(areas) / max(areas), peaks.y, atol=1.0)


def test_a_box_is_broadened_unless_told_otherwise_and_a_cluster_is_not():
    box = diffract(ROCK_SALT, r_max_A=10.0)
    assert box.pattern.resolution == Resolution(0.02)
    assert box.pattern.density_per_A3 == pytest.approx(8 / 5.64**3)
    assert diffract(ROCK_SALT, sample="cluster", r_max_A=10.0).pattern.resolution is None


def test_the_pair_function_peaks_at_the_shortest_distance():
    found = diffract(ROCK_SALT, q_max_per_A=20.0, u_iso_A2=0.01, r_max_A=5.0, radiation="neutron").pair_function
    first = (found.r_A > 2.0) & (found.r_A < 3.5)
    assert found.r_A[first][found.G_per_A2[first].argmax()] == pytest.approx(2.82, abs=0.02)


def test_the_axis_ends_with_the_wavelength():
    found = diffract(ROCK_SALT, wavelength="CuKa1", q_max_per_A=20.0, r_max_A=10.0)
    assert np.isfinite(found.two_theta_deg).all()
    assert 160.0 < found.two_theta_deg[-1] < 180.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sample": "film"}, "expected 'box' or 'cluster'"),
        ({"q_step_per_A": 0.0}, "q_step_per_A"),
        ({"q_min_per_A": 9.0}, "several steps"),
        ({"q_min_per_A": 5.0, "wavelength": 3.0}, "shorter one"),
        ({"q_step_per_A": 0.05}, "half the width"),
        ({"wavelength": "CuKb7"}, "CuKb7"),
    ],
)
def test_bad_options_get_one_sentence(options, words):
    with pytest.raises(DataError, match=words):
        diffract(ROCK_SALT, **options)


def test_without_a_wavelength_there_is_no_two_theta():
    with pytest.raises(DataError, match="needs a wavelength"):
        _ = diffract(ROCK_SALT, r_max_A=5.0).two_theta_deg
