import numpy as np
import pytest

from tammann.characterization.diffraction import (
    Resolution,
    debye_pattern,
    pair_function,
    pair_function_of_distances,
    periodic_pattern,
)
from tammann.characterization.rdf import pair_distribution
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

EDGE_A = 4.08
R_A = np.arange(0.5, 36.0, 0.02)


def fcc(n: int) -> np.ndarray:
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cells = np.indices((n, n, n)).reshape(3, -1).T
    return EDGE_A * (cells[:, None] + basis).reshape(-1, 3)


def ball(diameter_A: float) -> Configuration:
    points = fcc(int(diameter_A / EDGE_A) + 3)
    near = np.linalg.norm(points - points.mean(axis=0) - 0.3, axis=1) < diameter_A / 2.0
    return Configuration(("Au",) * int(near.sum()), points[near], 200.0 * np.eye(3))


def test_two_atoms_have_one_peak_of_known_height():
    """For two atoms F(Q) = sin(Q r0)/r0, so G(r0) = Q_max/(pi r0) when Q runs from 0."""
    pair = Configuration(("Ar", "Ar"), np.array([[0, 0, 0], [0, 0, 4.0]]), 20.0 * np.eye(3))
    found = pair_function(debye_pattern(pair, np.arange(0.005, 30.0, 0.005)), np.arange(1.0, 8.0, 0.01))
    at = found.G_per_A2.argmax()
    assert found.r_A[at] == pytest.approx(4.0, abs=0.011)
    assert found.G_per_A2[at] == pytest.approx(30.0 / np.pi / 4.0, rel=0.02)


def test_a_sphere_damps_the_crystal_by_the_share_of_pairs_within_it():
    """gamma(r) = 1 - 3 r/(2 D) + r³/(2 D³)."""
    diameter, q = 36.0, np.arange(0.8, 20.0, 0.02)
    cluster = ball(diameter)
    assert cluster.n_atoms > 1000
    crystal = Configuration(("Au",) * 4, fcc(1), EDGE_A * np.eye(3))
    grain = pair_function(debye_pattern(cluster, q, u_iso_A2=0.008), R_A)
    bulk = pair_function_of_distances(
        pair_distribution(crystal, cutoff_A=36.0, bin_A=0.02), u_iso_A2=0.008, q_max_per_A=20.0
    )
    for low, high in ((2.0, 8.0), (8.0, 14.0), (14.0, 20.0), (20.0, 26.0), (26.0, 32.0)):
        there = (grain.r_A > low) & (grain.r_A < high)
        other = np.interp(grain.r_A[there], bulk.r_A, bulk.G_per_A2)
        envelope = np.sum(grain.G_per_A2[there] * other) / np.sum(other**2)
        x = 0.5 * (low + high) / diameter
        assert envelope == pytest.approx(1.0 - 1.5 * x + 0.5 * x**3, abs=0.05), (low, high)


def test_beyond_the_diameter_there_are_no_pairs():
    found = pair_function(debye_pattern(ball(14.0), np.arange(1.0, 20.0, 0.02), u_iso_A2=0.008), R_A)
    assert np.abs(found.G_per_A2[found.r_A > 20.0]).max() < 0.05 * found.G_per_A2.max()


def test_a_box_has_the_pair_function_of_its_distances():
    """Through reciprocal vectors and back, against g(r) counted in space; the instrument damps both alike."""
    rng = np.random.default_rng(1)
    crystal = Configuration(("Au",) * 256, fcc(4) + rng.normal(0.0, 0.1, (256, 3)), 4 * EDGE_A * np.eye(3))
    q, r = np.arange(0.3, 16.0, 0.02), np.arange(2.0, 20.0, 0.02)
    waves = pair_function(periodic_pattern(crystal, q, resolution=Resolution(0.06)), r)
    space = pair_function_of_distances(
        pair_distribution(crystal, cutoff_A=24.0, bin_A=0.02), q_max_per_A=q[-1], fwhm_per_A=0.06
    )
    other = np.interp(r, space.r_A, space.G_per_A2)
    assert np.sqrt(np.mean((waves.G_per_A2 - other) ** 2)) < 0.03 * other.std()


def test_the_window_of_lorch_takes_away_ripples():
    pattern = debye_pattern(ball(20.0), np.arange(1.0, 15.0, 0.02), u_iso_A2=0.005)
    r = np.arange(0.3, 2.2, 0.02)  # nearer than any two atoms
    plain, calm = (pair_function(pattern, r, lorch=lorch).G_per_A2 for lorch in (False, True))
    assert np.std(np.diff(calm)) < 0.3 * np.std(np.diff(plain))


def test_ranges_that_the_pattern_does_not_have_are_refused():
    pattern = debye_pattern(ball(10.0), np.arange(1.0, 10.0, 0.1))
    with pytest.raises(DataError, match="within the pattern's"):
        pair_function(pattern, R_A, q_max_per_A=12.0)
    with pytest.raises(DataError, match="finer grid"):
        pair_function(pattern, R_A)
    with pytest.raises(DataError, match="narrower bins"):
        pair_function_of_distances(
            pair_distribution(Configuration(("Au",), np.zeros((1, 3)), 4.0 * np.eye(3)), cutoff_A=8.0, bin_A=0.5),
            q_max_per_A=20.0,
        )


def test_a_table_without_densities_is_refused(tmp_path):
    from tammann.characterization import load_distribution, save_distribution

    polonium = Configuration(("Po",), np.zeros((1, 3)), 3.35 * np.eye(3))
    save_distribution(pair_distribution(polonium, cutoff_A=6.0), tmp_path / "g.csv")
    with pytest.raises(DataError, match="expected one with densities"):
        pair_function_of_distances(load_distribution(tmp_path / "g.csv"))
