import numpy as np
import pytest

from tammann.characterization.diffraction import Resolution, diffract
from tammann.errors import DataError
from tammann.structures.candidates import repeated
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


def test_widths_in_two_theta_reach_to_the_end_of_the_axis():
    """Reflections just beyond the last point have no angle, and hence no width."""
    instrument = Resolution(caglioti_deg2=(0.05, -0.005, 0.03), wavelength_A=1.7889960)
    found = diffract(ROCK_SALT, wavelength="CoKa1", resolution=instrument, q_step_per_A=0.003, r_max_A=10.0)
    assert found.pattern.q_per_A[-1] > 0.99 * instrument.reach_per_A and np.isfinite(found.counts).all()
    short = diffract(ROCK_SALT, wavelength="CoKa1", resolution=instrument, q_step_per_A=0.003, q_max_per_A=6.0)
    n = len(short.pattern.q_per_A)
    np.testing.assert_allclose(found.pattern.intensity[: n - 100], short.pattern.intensity[: n - 100], rtol=1e-3)


@pytest.mark.parametrize("sample", ["box", "cluster"])
def test_the_mean_over_frames_has_the_thermal_factor_of_their_motion(sample):
    """Atoms that move independently lose T² of their peaks to what is spread over all Q."""
    rng, u_A2 = np.random.default_rng(1), 0.02
    block = repeated(ROCK_SALT, (2, 2, 2))
    moved = [
        Configuration(block.symbols, block.positions_A + rng.normal(0.0, u_A2**0.5, (64, 3)), block.cell_A)
        for _ in range(60)
    ]
    options = {"sample": sample, "r_max_A": 10.0, "q_min_per_A": 1.5, "q_max_per_A": 5.0}
    frames = diffract(moved, **options).pattern
    still = diffract(block, u_iso_A2=u_A2, **options).pattern
    off = frames.intensity - still.intensity
    assert np.abs(off).max() < 0.05 * still.intensity.max()
    one = diffract(moved[:1], **options).pattern
    np.testing.assert_array_equal(one.intensity, diffract(moved[0], **options).pattern.intensity)
    if sample == "box":
        assert frames.density_per_A3 == pytest.approx(still.density_per_A3)


def test_frames_of_another_order_or_composition():
    turned = Configuration(ROCK_SALT.symbols[::-1], ROCK_SALT.positions_A[::-1], ROCK_SALT.cell_A)
    both, one = (diffract(source, r_max_A=10.0).pattern for source in ([ROCK_SALT, turned], ROCK_SALT))
    np.testing.assert_allclose(both.intensity, one.intensity, rtol=1e-4, atol=1e-3)
    with pytest.raises(DataError, match="one composition, got another in frame 1"):
        diffract([ROCK_SALT, ROCK_SALT.take([0, 1, 4])])


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
