import numpy as np
import pytest

from tammann.characterization.diffraction import Resolution, debye_pattern, periodic_pattern
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

SITES = {
    "Zr": (0, 0, 0),
    "Ba": (0.48884, 0.95159, 0.25),
    "S1": (0.43869, 0.49600, 0.75),
    "S2": (0.70948, 0.78991, 0.53238),
}
"""Of BaZrS3 in the setting Pbnm, PBEsol."""


def crystal(name: str) -> Configuration:
    from pymatgen.core import Lattice, Structure

    if name == "NaCl":
        found = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    elif name == "Si":
        found = Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.431), ["Si"], [[0, 0, 0]])
    else:
        sites = {}
        for label, (x, y, z) in SITES.items():
            half = [(x, y, z), (-x, -y, z + 0.5), (0.5 + x, 0.5 - y, -z), (0.5 - x, 0.5 + y, 0.5 - z)]
            every = np.array([sign * np.array(site) for site in half for sign in (1, -1)]) % 1.0
            for site in every.round(6) % 1.0:
                sites[tuple(site.tolist())] = label.rstrip("12")
        lattice = Lattice.orthorhombic(6.96228, 7.08885, 9.96352)
        found = Structure(lattice, list(sites.values()), list(sites))
        assert found.composition.formula == "Ba4 Zr4 S12"
    return Configuration.from_pymatgen(found)


@pytest.mark.parametrize("name", ["NaCl", "Si", "BaZrS3"])
@pytest.mark.parametrize("radiation", ["xray", "neutron"])
def test_positions_and_intensities_agree_with_pymatgen(name, radiation):
    """Every reflection of pymatgen, and nothing else; its X-ray form factors are an older table."""
    from pymatgen.analysis.diffraction.neutron import NDCalculator
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    wavelength, fwhm = 1.54184, 0.01
    box = crystal(name)
    calculator = (XRDCalculator if radiation == "xray" else NDCalculator)(wavelength=wavelength)
    peaks = calculator.get_pattern(box.to_pymatgen(), scaled=False, two_theta_range=(10, 95))
    theta = np.radians(np.asarray(peaks.x) / 2.0)
    lines = 4.0 * np.pi / wavelength * np.sin(theta)
    lorentz = 1.0 / (np.sin(theta) ** 2 * np.cos(theta))
    polarization = 1.0 + np.cos(2.0 * theta) ** 2 if radiation == "xray" else 1.0
    # |F|² times multiplicity over G², what remains of their intensity without what the axis and the beam add
    heights = np.asarray(peaks.y) / (lorentz * polarization) / lines**2
    q = np.arange(0.8, 5.6, 0.0005)
    pattern = periodic_pattern(box, q, radiation=radiation, resolution=Resolution(fwhm))
    rebuilt = Resolution(fwhm).spread(q, lines, heights)
    scale = rebuilt @ pattern.intensity / (rebuilt @ rebuilt)
    tolerance = 0.01 if radiation == "xray" else 0.001
    assert np.abs(scale * rebuilt - pattern.intensity).max() < tolerance * pattern.intensity.max()


def test_a_cluster_in_vacuum_scatters_as_its_debye_sum():
    rng = np.random.default_rng(1)
    positions = np.array([[0, 0, 0], [2.8, 0, 0], [2.8, 2.8, 0], [0, 2.8, 2.8], [1.4, 1.4, 5]]) + rng.random((5, 3))
    cell = np.array([[60.0, 0, 0], [3, 58, 0], [-4, 5, 62]])
    cluster = Configuration(("Na", "Cl", "Na", "S", "S"), positions, cell)
    q = np.arange(0.1, 9.5, 0.01)
    sum_of_pairs, waves = (f(cluster, q, resolution=Resolution(0.3)) for f in (debye_pattern, periodic_pattern))
    inner = (q > 1.5) & (q < 8.0)
    error = np.abs(sum_of_pairs.intensity - waves.intensity) / waves.mean_square_amplitude
    assert error[inner].max() < 1e-5
    for pair in sum_of_pairs.partials:
        np.testing.assert_allclose(waves.partials[pair][inner], sum_of_pairs.partials[pair][inner], atol=1e-5)


def test_an_ideal_gas_has_no_structure():
    rng = np.random.default_rng(2)
    gas = Configuration(("Ba", "S") * 2000, 40.0 * rng.random((4000, 3)), 40.0 * np.eye(3))
    pattern = periodic_pattern(gas, np.linspace(2.0, 6.0, 300), resolution=Resolution(0.1))
    assert pattern.structure_factor.mean() == pytest.approx(1.0, abs=0.01)
    assert np.abs(pattern.structure_factor - 1.0).max() < 0.15


def test_the_box_has_no_shape():
    """A crystal gives the same pattern in a unit cell, in a supercell and in a skewed supercell."""
    unit, q = crystal("NaCl"), np.arange(1.0, 6.0, 0.005)
    rows = np.array([[2, 0, 0], [1, 3, 0], [0, -1, 2]])
    one = periodic_pattern(unit, q, resolution=Resolution(0.05))
    many = unit.to_pymatgen().make_supercell(rows)
    other = periodic_pattern(Configuration.from_pymatgen(many), q, resolution=Resolution(0.05))
    np.testing.assert_allclose(other.intensity, one.intensity, atol=1e-4 * one.intensity.max())


@pytest.mark.slow
def test_thermal_motion_moves_intensity_from_peaks_to_the_background():
    q = np.arange(1.0, 8.0, 0.002)
    still, moving = (periodic_pattern(crystal("Si"), q, u_iso_A2=u, resolution=Resolution(0.02)) for u in (0.0, 0.01))
    peak = still.intensity.argmax()
    expected = np.exp(-0.01 * q[peak] ** 2) * still.intensity[peak]
    assert moving.intensity[peak] == pytest.approx(expected, rel=1e-3)
    between = np.abs(q - 7.0).argmin()
    rest = moving.mean_square_amplitude[between] * (1.0 - np.exp(-0.01 * q[between] ** 2))
    assert moving.intensity[between] == pytest.approx(rest, rel=0.1)


def test_threads_change_nothing():
    q = np.arange(1.0, 4.0, 0.01)
    one, two = (periodic_pattern(crystal("BaZrS3"), q, resolution=Resolution(0.05), threads=n) for n in (1, 2))
    assert (one.intensity == two.intensity).all()


def test_more_vectors_than_memory_are_refused():
    box = Configuration(("Si",), np.zeros((1, 3)), 500.0 * np.eye(3))
    with pytest.raises(DataError, match="reciprocal vectors"):
        periodic_pattern(box, np.linspace(1.0, 25.0, 10), resolution=Resolution(0.02))
