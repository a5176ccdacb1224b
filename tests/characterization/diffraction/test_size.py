import numpy as np
import pytest

from tammann.characterization.diffraction import (
    Peak,
    Resolution,
    debye_pattern,
    fit_peaks,
    periodic_pattern,
    scherrer_diameter,
    williamson_hall,
    without_instrument,
)
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

EDGE_A = 4.08
LINES = 2.0 * np.pi / EDGE_A * np.sqrt([8.0, 11.0, 12.0])
Q = np.arange(1.8, 6.5, 0.005)


def ball(diameter_A: float, box_A: float = 200.0) -> Configuration:
    n = int(diameter_A / EDGE_A) + 3
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    points = EDGE_A * (np.indices((n, n, n)).reshape(3, -1).T[:, None] + basis).reshape(-1, 3)
    points = points[np.linalg.norm(points - points.mean(axis=0) - 0.3, axis=1) < diameter_A / 2.0]
    return Configuration(("Au",) * len(points), points, box_A * np.eye(3))


@pytest.mark.parametrize("diameter", [30.0, 45.0, 60.0])
def test_scherrer_gives_the_diameter_of_spheres(diameter):
    pattern = debye_pattern(ball(diameter), Q)
    (peak,) = fit_peaks(Q, pattern.intensity, near_per_A=[LINES[0]])
    assert peak.q_per_A == pytest.approx(LINES[0], rel=0.01)
    assert scherrer_diameter(peak) == pytest.approx(diameter, rel=0.1)


def test_grains_in_a_box_broaden_peaks_as_grains_in_vacuum():
    resolution = Resolution(0.15)  # narrower than the grains' 0.17, and wide enough not to see the grain's own images
    pattern = periodic_pattern(ball(40.0, box_A=90.0), Q, resolution=resolution)
    (peak,) = fit_peaks(Q, pattern.intensity, near_per_A=[LINES[0]])
    assert scherrer_diameter(peak, resolution=resolution) == pytest.approx(40.0, rel=0.1)
    assert peak.fwhm_per_A > 0.2


def test_a_crystal_that_fills_the_box_is_as_sharp_as_the_instrument():
    resolution = Resolution(0.04)
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * EDGE_A
    unit = Configuration(("Au",) * 4, basis, EDGE_A * np.eye(3))
    pattern = periodic_pattern(unit, Q, resolution=resolution)
    (peak,) = fit_peaks(Q, pattern.intensity, near_per_A=[LINES[0]])
    assert peak.fwhm_per_A == pytest.approx(0.04, rel=1e-3)
    with pytest.raises(DataError, match="too large to be measured"):
        scherrer_diameter(Peak(3.0, 0.03, 0.03, 1.0, 0.0, 0.0), resolution=resolution)


def test_williamson_and_hall_tell_size_from_strain():
    diameter, strain = 120.0, 0.004
    lines = np.array([2.0, 3.0, 4.0, 5.0, 6.0])
    q = np.arange(1.0, 7.0, 0.001)
    fwhm = 2.0 * np.pi * 1.1067 / diameter + 2.0 * strain * lines
    curve = sum(Resolution(w, eta=1.0).profile(q - line, np.array(w)) for line, w in zip(lines, fwhm, strict=True))
    found = williamson_hall(fit_peaks(q, curve))
    assert found.diameter_A == pytest.approx(diameter, rel=0.1)
    assert found.strain == pytest.approx(strain, rel=0.1)


def test_strained_grains_are_told_from_perfect_ones():
    """Spheres with their lattice constants spread by 0.6 % against spheres all alike."""
    alike = [debye_pattern(ball(45.0), Q).intensity]
    grain = ball(45.0)
    spread = [
        debye_pattern(Configuration(grain.symbols, grain.positions_A * (1.0 + e), grain.cell_A), Q).intensity
        for e in 0.006 * np.linspace(-2.0, 2.0, 9)
    ]
    weights = np.exp(-0.5 * np.linspace(-2.0, 2.0, 9) ** 2)
    near = 2.0 * np.pi / EDGE_A * np.sqrt([3.0, 8.0, 16.0])  # of (311) and (222) one hides in the other
    perfect, strained = (
        williamson_hall(fit_peaks(Q, np.average(curves, axis=0, weights=w), near_per_A=near))
        for curves, w in ((alike, None), (spread, weights))
    )
    assert strained.strain > perfect.strain + 0.001
    assert perfect.diameter_A == pytest.approx(45.0, rel=0.1)
    assert abs(perfect.strain) < 0.001


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_what_the_instrument_adds_is_taken_off_again(eta):
    """A sample's profile convolved with the instrument's, numerically, and taken apart."""
    q, own = np.arange(1.0, 5.0, 0.002), Resolution(0.05, eta=0.3)
    sample = Resolution(0.08, eta=eta).profile(q - 3.0, np.array(0.08))
    (peak,) = fit_peaks(q, own.smear(q, sample), half_window_per_A=0.6)
    assert without_instrument(peak, own).fwhm_per_A == pytest.approx(0.08, rel=0.03)


def test_a_flat_pattern_has_no_peaks():
    with pytest.raises(DataError, match="no peak"):
        fit_peaks(Q, np.ones(len(Q)))
    with pytest.raises(DataError, match="three or more"):
        williamson_hall([Peak(3.0, 0.03, 0.03, 1.0, 0.0, 0.0)])
