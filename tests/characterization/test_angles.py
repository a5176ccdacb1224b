"""Bond angles of crystals, and of directions at random."""

import numpy as np
import pytest

from characterization.crystals import barium_zirconium_sulfide, diamond, perovskite, rock_salt
from tammann.characterization import bond_angles
from tammann.errors import DataError
from tammann.structures import Configuration


@pytest.mark.parametrize(
    ("crystal", "triplet", "cutoff", "angles"),
    [
        (rock_salt(), ("Cl", "Na", "Cl"), 3.0, {90.5: 12 / 15, 179.5: 3 / 15}),
        (diamond(), ("Si", "Si", "Si"), 2.5, {109.5: 1.0}),
        (perovskite(), ("O", "Zr", "O"), 2.5, {90.5: 12 / 15, 179.5: 3 / 15}),
        (perovskite(), ("Zr", "O", "Zr"), 2.5, {179.5: 1.0}),
    ],
)
def test_angles_of_crystals(crystal, triplet, cutoff, angles):
    found = bond_angles(crystal, triplet, cutoffs_A={triplet[:2]: cutoff})
    assert dict(zip(found.angle_deg[found.density > 0], found.density[found.density > 0], strict=True)) == (
        pytest.approx(angles)
    )
    assert (found.density.sum() * 1.0) == pytest.approx(1.0)


def test_angles_between_unlike_ends():
    """Ba-O-Zr of a cubic perovskite is 90 degrees: four barium and two zirconium ions around each oxygen."""
    found = bond_angles(perovskite(), ("Ba", "O", "Zr"), cutoffs_A={("Zr", "O"): 2.5, ("Ba", "O"): 3.2})
    assert found.n_angles == 3 * 8 and found.mean_deg == pytest.approx(90.0) and found.spread_deg < 1e-5


def test_tilted_octahedra():
    """S-Zr-S stays near 90 and 180 degrees; Zr-S-Zr bends to 157 or so."""
    sulfide = barium_zirconium_sulfide()
    inner = bond_angles(sulfide, ("S", "Zr", "S"), cutoffs_A={("Zr", "S"): 3.1})
    assert inner.n_angles == 4 * 15 and inner.share(84, 96) == pytest.approx(12 / 15)
    assert inner.share(176, 181) == pytest.approx(3 / 15)
    bridge = bond_angles(sulfide, ("Zr", "S", "Zr"), cutoffs_A={("Zr", "S"): 3.1})
    assert bridge.n_angles == 12 and 150 < bridge.mean_deg < 165


def test_directions_at_random_have_no_preference():
    x = np.random.default_rng(3).random((400, 3)) * 20.0
    gas = Configuration(("Ar",) * 400, x, 20.0 * np.eye(3))
    found = bond_angles(gas, ("Ar", "Ar", "Ar"), cutoffs_A={("Ar", "Ar"): 6.0}, bin_deg=10.0)
    assert found.per_solid_angle == pytest.approx(1.0, abs=0.1)
    assert found.mean_deg == pytest.approx(90.0, abs=1.0)


def test_several_frames_and_one_region():
    salt = rock_salt(2)
    one = bond_angles(salt, ("Cl", "Na", "Cl"), cutoffs_A={("Na", "Cl"): 3.0})
    assert bond_angles([salt, salt], one.triplet, cutoffs_A={("Na", "Cl"): 3.0}).n_angles == 2 * one.n_angles
    first = np.arange(salt.n_atoms) == 0
    assert bond_angles(salt, one.triplet, cutoffs_A={("Na", "Cl"): 3.0}, atoms=first).n_angles == 15


def test_none_and_nonsense():
    none = bond_angles(rock_salt(), ("Cl", "Na", "Cl"), cutoffs_A={("Na", "Cl"): 2.0})
    assert none.n_angles == 0 and np.isnan(none.mean_deg) and none.density.sum() == 0
    with pytest.raises(DataError, match="bin_deg: expected a width above 0"):
        bond_angles(rock_salt(), ("Cl", "Na", "Cl"), cutoffs_A={("Na", "Cl"): 3.0}, bin_deg=0.0)
    with pytest.raises(DataError, match="expected a length for Na-Na"):
        bond_angles(rock_salt(), ("Na", "Na", "Cl"), cutoffs_A={("Na", "Cl"): 3.0})
    with pytest.raises(DataError, match="there is no 'S'"):
        bond_angles(rock_salt(), ("S", "Na", "Cl"), cutoffs_A={("Na", "Cl"): 3.0})
