"""Sites of ions that hop on a known lattice, their names and what is around them."""

import numpy as np
import pytest

from characterization.test_basins import CELL, wells
from hopping import hopping
from tammann.characterization import find_jumps, find_sites, ion_density
from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.trajectory import Trajectory


@pytest.fixture(scope="module")
def walk():
    return hopping((0.1, 0.1, 0.1), ions=9, frames=4000)


def lattice(shift=0.0):
    places = np.stack(np.meshgrid(*[np.arange(3.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) * 3.0 + shift
    return Configuration(("Li",) * 27, places, 9.0 * np.eye(3))


def test_all_sites_are_found_and_hold_all_ions(walk):
    found = find_sites(ion_density(walk, "Li"), crystal=lattice(), names=["1a"] * 27)
    assert len(found) == 27 and set(found.names) == {"1a"} and not found.unvisited
    assert found.occupancies.sum() == pytest.approx(9.0) and found.elsewhere == pytest.approx(0.0, abs=1e-9)
    assert np.nanmax(found.distances_A) < 0.1
    # alike by symmetry: each is held a third of the time, within the noise of walks that come back to where they were
    assert np.abs(found.occupancies - 1 / 3).max() < 0.25 and np.abs(found.occupancies - 1 / 3).mean() < 0.08
    assert np.allclose(found.nearest_A(), 3.0, atol=0.15)


def test_a_rigid_shift_between_crystal_and_trajectory_is_taken_out(walk):
    found = find_sites(ion_density(walk, "Li"), crystal=lattice(0.4), names=["1a"] * 27)
    assert np.nanmax(found.distances_A) < 0.1


def test_sites_that_are_hardly_visited_do_not_move_the_crystal():
    """The shift is that of the ions: a site of few of them, 0.8 Å from where the crystal has it, is what is away."""
    places = np.array([[0.2, 0.5, 0.5], [0.7, 0.5, 0.5], [0.45, 0.1, 0.1]])
    density = wells(places, [1.0, 1.0, 0.02], floor=0.0, width=0.4)
    crystal = Configuration(("Li",) * 3, (places - [[0, 0, 0], [0, 0, 0], [0.1, 0, 0]]) @ CELL, CELL)
    found = find_sites(density, crystal=crystal, names=["a", "b", "c"], least_ions=0.001)
    away = dict(zip(found.names, found.distances_A, strict=True))
    assert away["a"] < 0.03 and away["b"] < 0.03 and away["c"] == pytest.approx(0.8, abs=0.04)


def test_sites_that_are_not_visited_and_those_the_crystal_lacks(walk):
    half = Configuration(("Li",) * 28, np.concatenate([lattice().positions_A, [[1.5, 1.5, 1.5]]]), 9.0 * np.eye(3))
    names = ["1a"] * 26 + ["left out", "tetrahedral"]
    found = find_sites(ion_density(walk, "Li"), crystal=half, names=names)
    assert found.unvisited == ("tetrahedral",) and found.names.count("left out") == 1
    fewer = half.take(np.arange(26))
    assert find_sites(ion_density(walk, "Li"), crystal=fewer).names.count("other") == 1


def test_two_maxima_on_one_site_of_the_crystal_are_told():
    """Ions that sit 0.7 Å on either side of a site in turn: one site by default, or two parts that are told."""
    rng = np.random.default_rng(1)
    places = np.array([[2.0, 5, 5], [7.0, 5, 5]]) + np.zeros((3000, 1, 1))
    places[:, 0, 2] += 0.7 * np.where(np.arange(3000) // 50 % 2, 1.0, -1.0) - 0.0
    anions = np.array([[4.5, 2, 2], [9.0, 8, 8]]) + np.zeros((3000, 1, 1))
    positions = np.concatenate([places + rng.normal(scale=0.15, size=places.shape), anions], axis=1)
    walk = Trajectory(("Li", "Li", "Cl", "Cl"), positions, 10.0 * np.eye(3)[None], 0.1, temperature_K=600.0)
    crystal = Configuration(("Li", "Li"), np.array([[2.0, 5, 5], [7.0, 5, 5]]), 10.0 * np.eye(3))
    density = ion_density(walk, "Li", spacing_A=0.2, smoothing_A=0.15)
    parts = find_sites(density, crystal=crystal, names=["4h", "4g"], apart_A=1.0)
    assert (
        len(parts) == 3 and parts.split == ("4h",) and not parts.unvisited and "1 of the crystal split" in repr(parts)
    )
    assert len(find_jumps(walk, parts)) == 59  # rattling, not hops
    whole = find_sites(density, crystal=crystal, names=["4h", "4g"], apart_A=1.5)
    assert len(whole) == 2 and not whole.split and np.allclose(whole.occupancies, 1.0)
    assert len(find_jumps(walk, whole)) == 0


def test_the_crystal_must_be_that_of_the_trajectory(walk):
    """A unit cell in the place of the supercell is refused; one that has expanded is not."""
    density = ion_density(walk, "Li")
    with pytest.raises(DataError, match="repeat its cell"):
        find_sites(density, crystal=Configuration(("Li",), np.zeros((1, 3)), 3.0 * np.eye(3)))
    with pytest.raises(DataError, match="within_A"):
        find_sites(density, crystal=lattice(), within_A=-1.0)
    larger = Configuration(("Li",) * 27, 1.1 * lattice().positions_A, 9.9 * np.eye(3))
    assert find_sites(density, crystal=larger, names=["1a"] * 27).names.count("1a") == 27


def test_anions_across_the_faces_of_a_small_cell():
    """Rock salt in its primitive cell has one anion, and six around the site."""
    cell = 2.5 * (np.ones((3, 3)) - np.eye(3))
    positions = np.array([[0.0, 0, 0], [2.5, 2.5, 2.5]]) + np.random.default_rng(1).normal(scale=0.1, size=(500, 2, 3))
    found = find_sites(ion_density(Trajectory(("Li", "F"), positions, cell[None], 0.1, temperature_K=300.0), "Li"))
    assert found.polyhedron(0) == "F6" and found.bond_A[0] == pytest.approx(2.5, abs=0.05)


def test_the_anions_of_an_octahedron():
    """One site with four Br and two Cl, one with six Cl, by the mean positions of the anions."""
    rng = np.random.default_rng(1)
    around = 2.6 * np.concatenate([np.eye(3), -np.eye(3)])
    cations, anions = np.array([[5.0, 5, 5], [15, 5, 5]]), []
    for place in cations:
        anions.append(place + around)
    anions = np.concatenate([*anions, [[10.0, 0.5, 0.5]]])
    symbols = ("Li", "Li", "Br", "Br", "Cl", "Br", "Br", "Cl", *["Cl"] * 6, "Br")
    places = np.concatenate([cations, anions])
    positions = places + rng.normal(scale=0.2, size=(2000, *places.shape))
    walk = Trajectory(symbols, positions, np.diag([20.0, 10, 10])[None], 0.1, temperature_K=600.0)
    found = find_sites(ion_density(walk, "Li"))
    assert sorted(found.polyhedron(k) for k in range(2)) == ["Br4Cl2", "Cl6"]
    assert found.bond_A == pytest.approx([2.6, 2.6], abs=0.05)
    kinds = found.by_kind()
    assert kinds["ions"].tolist() == pytest.approx([1.0, 1.0]) and set(kinds["polyhedron"]) == {"Br4Cl2", "Cl6"}
    assert found.table()["coordination"].tolist() == [6, 6]


def test_names_must_fit_the_crystal(walk):
    with pytest.raises(DataError, match="one for each site"):
        find_sites(ion_density(walk, "Li"), crystal=lattice(), names=["1a"])
