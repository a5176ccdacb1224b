"""The first shell: cumulants of known distributions, and what a fit makes of them."""

import numpy as np
import pytest

from characterization import crystals
from tammann.characterization import first_shell
from tammann.errors import DataError
from tammann.structures import Configuration


def molecules(distances, neighbours=4):
    """Far apart, one zirconium each, with sulfur at given distances along axes; shape (molecules, neighbours)."""
    axes = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])[:neighbours]
    frames = []
    for row in np.asarray(distances).reshape(-1, neighbours):
        x = np.vstack([np.zeros((1, 3)), row[:, None] * axes])
        frames.append(Configuration(("Zr",) + ("S",) * neighbours, x, 20.0 * np.eye(3)))
    return frames


def test_a_crystal_has_no_disorder():
    shell = first_shell(crystals.rock_salt(), "Na", "Cl", cutoff_A=3.5)
    assert (shell.coordination, shell.distance_A) == pytest.approx((6.0, 2.82))
    assert shell.variance_A2 == pytest.approx(0.0, abs=1e-12) and shell.misfit < 1e-6
    assert (shell.fitted_coordination, shell.fitted_distance_A) == pytest.approx((6.0, 2.82), rel=1e-6)


@pytest.mark.slow
def test_gaussian_bonds_are_fitted_as_they_are():
    """Of normal distances the fit finds number, distance and variance, and the third cumulant is 0.

    The factor 1/R² weighs short bonds more: the distance is shorter by 2 sigma²/R, the number larger by 3 sigma²/R².
    """
    sigma, mean = 0.06, 2.55
    found = first_shell(
        molecules(np.random.default_rng(1).normal(mean, sigma, 40_000 // 4 * 4)[:8000]), "Zr", "S", cutoff_A=4.0
    )
    assert found.coordination == 4.0 and found.variance_A2 == pytest.approx(sigma**2, rel=0.05)
    assert abs(found.third_cumulant_A3) < 3e-5
    assert found.fitted_distance_A == pytest.approx(found.distance_A - 2 * sigma**2 / mean, abs=2e-3)
    assert found.fitted_coordination == pytest.approx(4.0, rel=0.03)
    assert found.fitted_variance_A2 == pytest.approx(found.variance_A2, rel=0.05) and found.misfit < 0.05


@pytest.mark.slow
def test_a_tail_of_long_bonds_hides_from_the_fit():
    """Known of glasses: bonds with a tail look fewer and shorter than they are."""
    bonds = 2.45 + np.random.default_rng(2).gamma(2.0, 0.08, 8000)
    found = first_shell(molecules(bonds), "Zr", "S", cutoff_A=6.0)
    assert found.third_cumulant_A3 == pytest.approx(2 * 2.0 * 0.08**3, rel=0.2)
    assert found.fitted_coordination < 0.9 * found.coordination
    assert found.fitted_distance_A < found.distance_A - 0.02


def test_two_regions_and_no_bond():
    frames = molecules([[2.5] * 4])
    assert first_shell(frames, "Zr", "S", cutoff_A=3.0, atoms=np.array([True] + [False] * 4)).coordination == 4.0
    none = first_shell(frames, "Zr", "S", cutoff_A=1.0)
    assert none.coordination == 0.0 and np.isnan(none.fitted_coordination)
    glassy = first_shell(crystals.barium_zirconium_sulfide(), "Zr", "S", cutoff_A=3.1)
    assert glassy.coordination == 6.0 and glassy.distance_A == pytest.approx(2.533, abs=1e-3)


@pytest.mark.parametrize("options", [{"k_per_A": (0.0, 12.0)}, {"k_per_A": (12.0, 3.0)}, {"k_weight": 9}])
def test_numbers_out_of_range(options):
    with pytest.raises(DataError, match="k_per_A, k_weight: expected wave numbers"):
        first_shell(crystals.rock_salt(), "Na", "Cl", cutoff_A=3.5, **options)
