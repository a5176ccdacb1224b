"""g(r): 1 for an ideal gas within counting statistics, shells of crystals, what does not change it."""

import numpy as np
import pytest

from characterization.boxes import SKEWED, gas
from characterization.boxes import rock_salt as salt_trajectory
from characterization.crystals import barium_zirconium_sulfide, fcc, perovskite, rock_salt
from tammann.characterization import pair_distribution
from tammann.errors import DataError
from tammann.structures import Configuration


def test_ideal_gas_within_counting_statistics():
    """The mean is 1, or 1 - 1/N for like atoms, and deviations are those of counts: chi² per bin is 1."""
    n, cell = 3000, 40.0 * np.eye(3)
    x = np.random.default_rng(5).random((n, 3)) @ cell
    found = pair_distribution(Configuration(("Ba",) * 1000 + ("O",) * 2000, x, cell), cutoff_A=20.0, bin_A=0.25)
    shells = 4 / 3 * np.pi * np.diff(np.linspace(0, 20, 81) ** 3)
    for (a, b), pairs, mean in [
        (("Ba", "Ba"), 1000 * 999 / 2, 1 - 1 / 1000),
        (("Ba", "O"), 1000 * 2000, 1.0),
        (("O", "O"), 2000 * 1999 / 2, 1 - 1 / 2000),
    ]:
        expected = pairs * shells / 40.0**3
        z = (found.g(a, b) / mean - 1.0)[8:] * np.sqrt(expected)[8:]
        assert abs(z.mean()) < 4 / np.sqrt(len(z))
        assert 0.6 < z.var() < 1.5
    assert found.total[20:].mean() == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("cell", [10.0 * np.eye(3), SKEWED], ids=["cube", "skewed"])
@pytest.mark.parametrize("pair", [("Ba", "O"), ("O", "O")])
def test_ideal_gas_beyond_the_cell(cell, pair):
    """g(r) = 1 also where neighbours are images, and its standard error is that of five blocks."""
    found = pair_distribution(gas(cell), cutoff_A=12.0, bin_A=1.0)
    assert len(found.r_A) == 12 and found.r_A[0] == pytest.approx(0.5)
    # of its own images an atom knows: leave those distances to the pair of unlike atoms
    assert found.g(*pair)[2:8] == pytest.approx(1.0, abs=0.06)
    k = tuple(found.species.index(symbol) for symbol in pair)
    assert (found.stderr[k][2:8] < 0.06).all() and (found.stderr[k][2:8] > 0).all()


def at(found, a, b, r):
    return found.running(a, b)[int(round(r / found.bin_A)) - 1]


def test_shells_of_crystals():
    """Running coordination between the shells: fcc 12, 18, 42; rock salt 6, 14 unlike; a cubic perovskite."""
    copper = pair_distribution(fcc(), cutoff_A=6.0)
    assert [at(copper, "Cu", "Cu", r) for r in (3.0, 4.0, 4.8, 5.3)] == pytest.approx([12, 18, 42, 54])
    salt = pair_distribution(rock_salt(), cutoff_A=6.0)
    assert [at(salt, "Na", "Cl", r) for r in (3.0, 5.0)] == pytest.approx([6, 14])
    assert [at(salt, "Na", "Na", r) for r in (4.5, 5.8)] == pytest.approx([12, 18])
    oxide = pair_distribution(perovskite(), cutoff_A=6.0)
    shells = {("Zr", "O", 2.5): 6, ("O", "Zr", 2.5): 2, ("Ba", "O", 3.3): 12, ("O", "Ba", 3.3): 4, ("Ba", "Zr", 4.0): 8,
              ("O", "O", 3.3): 8, ("Zr", "Zr", 4.5): 6}  # fmt: skip
    for (a, b, r), n in shells.items():
        assert at(oxide, a, b, r) == pytest.approx(n)


def test_zirconium_sulfur_bonds_of_the_orthorhombic_sulfide():
    found = pair_distribution(barium_zirconium_sulfide(), cutoff_A=8.0, bin_A=0.02)
    nearest, minimum = found.first_shell("Zr", "S")
    assert nearest == pytest.approx(2.533, abs=0.03) and 2.7 < minimum < 4.5
    assert at(found, "Zr", "S", 3.1) == pytest.approx(6.0)


def test_a_supercell_has_the_g_of_its_cell():
    small, large = (pair_distribution(perovskite(n), cutoff_A=9.01, bin_A=0.17) for n in (1, 3))
    np.testing.assert_allclose(small.partial, large.partial, atol=1e-9)
    np.testing.assert_allclose(small.coordination, large.coordination, atol=1e-9)


def test_identities():
    """The total is the mean of the partials by concentration; n(r) is the integral of g; n_ab c_a = n_ba c_b."""
    found = pair_distribution(gas(SKEWED, frames=3), cutoff_A=9.0, bin_A=0.5)
    c = found.density_per_A3 / found.density_per_A3.sum()
    np.testing.assert_allclose(found.total, np.einsum("a,b,abr->r", c, c, found.partial))
    shells = 4 / 3 * np.pi * np.diff(np.linspace(0, 9, 19) ** 3)
    np.testing.assert_allclose(
        found.running("Ba", "O"), np.cumsum(found.g("Ba", "O") * shells) * found.density_per_A3[1], rtol=1e-12
    )
    np.testing.assert_allclose(found.running("Ba", "O") * c[0], found.running("O", "Ba") * c[1])


def test_configurations_of_different_sizes():
    """Each counts by its pairs; the error is known from five."""
    parts = [rock_salt(n) for n in (1, 2, 1, 2, 1)]
    found = pair_distribution(parts, cutoff_A=6.0)
    assert found.n_frames == 5
    np.testing.assert_allclose(found.partial, pair_distribution(rock_salt(), cutoff_A=6.0).partial, atol=1e-9)
    assert found.stderr is not None and found.stderr.max() < 1e-9
    assert pair_distribution(parts[:2], cutoff_A=6.0).stderr is None


def test_the_first_shell_of_a_warm_crystal():
    nearest, minimum = pair_distribution(salt_trajectory(rattle=0.05), cutoff_A=6.0).first_shell("Mg", "O")
    assert nearest == pytest.approx(2.5, abs=0.06) and 2.7 < minimum < 4.3


def test_the_table_and_progress():
    told = []
    found = pair_distribution(
        [rock_salt(), rock_salt()], cutoff_A=5.0, progress=lambda done, what, _: told.append(done)
    )
    table = found.table()
    assert list(table)[:5] == ["r_A", "total", "Na-Na", "Na-Cl", "Cl-Cl"] and table["n Na-Cl"].iloc[-1] == 14.0
    assert told == sorted(told) and told[-1] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cutoff_A": -1.0}, "cutoff_A, bin_A: expected a distance above 0"),
        ({"cutoff_A": 5.0, "bin_A": 0.0}, "cutoff_A, bin_A: expected a distance above 0"),
        ({"cutoff_A": 5.0, "bin_A": 6.0}, "bins no wider than it, got 5 and 6"),
        ({"cutoff_A": 5e4}, "some tens of periods of the cell"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(DataError, match=message):
        pair_distribution(rock_salt(), **options)


def test_what_is_not_there():
    found = pair_distribution(rock_salt(), cutoff_A=2.0)
    with pytest.raises(DataError, match="there is no 'Ba' in this structure of Na, Cl"):
        found.g("Ba", "Cl")
    with pytest.raises(DataError, match="Na-Cl: expected a pair within 1.9.* Å, got none"):
        found.first_shell("Na", "Cl")
    with pytest.raises(DataError, match="expected one configuration or more"):
        pair_distribution([])
    with pytest.raises(DataError, match="source: expected configurations"):
        pair_distribution(["salt.cif"])


def test_the_density_of_boxes_of_other_sizes_is_their_mean():
    """One atom in 8 Å3 and eight in 512 Å3, which the product of mean number and mean 1/V would give as 0.29."""
    boxes = [Configuration(("Ar",), np.zeros((1, 3)), 2.0 * np.eye(3))]
    boxes.append(Configuration(("Ar",) * 8, np.random.default_rng(1).random((8, 3)) * 8.0, 8.0 * np.eye(3)))
    assert pair_distribution(boxes, cutoff_A=1.0).density_per_A3 == pytest.approx([0.5 * (1 / 8 + 8 / 512)])
