"""Candidates to learn from: the atoms and volume asked for, nothing too near, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.structures import Configuration, estimate_volume_per_atom
from tammann.structures.candidates import (
    antisite,
    close_pair,
    crystal_glass_interface,
    least_distances,
    random_cell,
    rattled,
    repeated,
    strained,
    supercell,
)
from tammann.structures.contacts import closest_contact
from tammann.structures.crystals import load_crystal

RUTILE = load_crystal("TiO2-rutile")


def images_apart(configuration, reach=2):
    """Distances between all atoms and all images of all others, by brute force."""
    steps = np.arange(-reach, reach + 1)
    shifts = np.array(np.meshgrid(steps, steps, steps)).reshape(3, -1).T @ configuration.cell_A
    d = configuration.positions_A[:, None, None] - configuration.positions_A[None, :, None] + shifts
    r = np.linalg.norm(d, axis=-1)
    return np.where(r < 1e-9, np.inf, r)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["BaTiO3", "Ba2TiO4", "TiO2", "NaCl"]), st.integers(8, 24), st.integers(0, 10**6))
def test_random_cells_have_whole_formula_units_and_keep_distances(formula, atoms, seed):
    cell = random_cell(formula, atoms=atoms, rng=seed)
    counts = {symbol: cell.symbols.count(symbol) for symbol in cell.symbols}
    assert composition_key(counts) == composition_key(formula)
    estimate = estimate_volume_per_atom(formula, temperature_K=2000.0)
    assert 0.7 <= cell.volume_A3 / cell.n_atoms / estimate <= 1.4
    least = least_distances(formula, volume_per_atom_A3=estimate)
    kinds, r = np.array(cell.symbols), images_apart(cell).min(axis=-1)
    ratios = [r[np.ix_(kinds == min(p), kinds == max(p))].min() / distance for p, distance in least.items()]
    assert min(ratios) >= 0.7  # all are shortened together where there is little room


def test_random_cells_follow_the_seed_and_differ_without_it():
    first, again, other = (random_cell("BaTiO3", rng=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.positions_A, again.positions_A)
    assert not np.allclose(first.cell_A, other.cell_A)


def test_distances_asked_for_are_kept_between_those_elements_only():
    cell = random_cell(
        "BaTiO3", atoms=15, volume_scales=(1.2, 1.2), minimum_distances_A={("O", "Ba"): 2.6, ("Ti", "O"): 1.2}, rng=3
    )
    kinds, r = np.array(cell.symbols), images_apart(cell).min(axis=-1)
    assert r[np.ix_(kinds == "Ba", kinds == "O")].min() >= 2.6


def test_what_cannot_be_packed_is_refused():
    with pytest.raises(DataError, match="no room"):
        random_cell("BaTiO3", volume_per_atom_A3=5.0, minimum_distances_A={("O", "O"): 4.0}, rng=1)
    with pytest.raises(DataError, match="K-O is no pair"):
        random_cell("BaTiO3", minimum_distances_A={("K", "O"): 2.0}, rng=1)
    with pytest.raises(DataError, match="volume_scales"):
        random_cell("BaTiO3", volume_scales=(1.4, 0.7), rng=1)


def test_supercells_are_as_large_and_as_cubic_as_possible():
    large = supercell(RUTILE, 96)
    assert 64 <= large.n_atoms <= 128
    assert large.volume_A3 / large.n_atoms == pytest.approx(RUTILE.volume_A3 / 6)
    edges = np.linalg.norm(large.cell_A, axis=1)
    assert edges.max() / edges.min() < 1.3
    assert supercell(RUTILE, 1).n_atoms == 6


def test_repetition_changes_no_distance():
    assert closest_contact(repeated(RUTILE, (2, 1, 3))) == pytest.approx(closest_contact(RUTILE))


def test_strain_is_homogeneous_and_within_its_limit():
    large = strained(RUTILE, limit=0.03, rng=2)
    deformation = np.linalg.solve(RUTILE.cell_A, large.cell_A)
    assert np.allclose(deformation, deformation.T)
    assert 0.001 < np.abs(deformation - np.eye(3)).max() <= 0.03
    fractional = [c.positions_A @ np.linalg.inv(c.cell_A) for c in (RUTILE, large)]
    assert np.allclose(*fractional)
    with pytest.raises(DataError, match="limit"):
        strained(RUTILE, limit=0.9)


def test_rattling_has_the_amplitude_asked_for():
    large = supercell(RUTILE, 2000)
    moved = rattled(large, displacement_A=0.1, rng=4).positions_A - large.positions_A
    assert moved.std() == pytest.approx(0.1, rel=0.05)
    with pytest.raises(DataError, match="displacement_A"):
        rattled(RUTILE, displacement_A=-1.0)


@pytest.mark.parametrize(("first", "second"), [("Ti", "O"), ("O", "Ti"), ("O", "O"), ("Ti", "Ti")])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_close_pair_is_as_close_as_asked_for(first, second, seed):
    moved = close_pair(rattled(RUTILE, rng=seed), first, second, factor=0.6, rng=seed)
    before, after = images_apart(rattled(RUTILE, rng=seed)), images_apart(moved)
    shifted = np.flatnonzero(np.abs(moved.positions_A - rattled(RUTILE, rng=seed).positions_A).max(axis=1) > 1e-9)
    i, j = shifted
    assert sorted((RUTILE.symbols[i], RUTILE.symbols[j])) == sorted((first, second))
    assert after[i, j].min() == pytest.approx(0.6 * before[i, j].min())
    # nearest of its element, whichever of the two was drawn
    kinds = np.array(RUTILE.symbols)
    nearest = [before[a][(kinds == b) & (np.arange(6) != a)].min() for a, b in ((i, kinds[j]), (j, kinds[i]))]
    assert before[i, j].min() in [pytest.approx(value) for value in nearest]
    np.testing.assert_allclose(moved.positions_A.sum(axis=0), rattled(RUTILE, rng=seed).positions_A.sum(axis=0))


def test_an_antisite_pair_are_neighbours_in_each_others_places():
    cell = repeated(RUTILE, (2, 2, 2))
    moved = antisite(cell, "Ti", "O", rng=3)
    i, j = np.flatnonzero(np.abs(moved.positions_A - cell.positions_A).max(axis=1) > 1e-9)
    assert {cell.symbols[i], cell.symbols[j]} == {"Ti", "O"}
    assert moved.positions_A[i].tolist() == cell.positions_A[j].tolist()
    assert moved.positions_A[j].tolist() == cell.positions_A[i].tolist()
    # one of the two distances in an octahedron
    assert images_apart(cell)[i, j].min() == pytest.approx(closest_contact(RUTILE), abs=0.05)


def test_pairs_that_are_not_there_are_refused():
    for make in (close_pair, antisite):
        with pytest.raises(DataError, match="pair of Ti and N"):
            make(RUTILE, "Ti", "N")
    alone = Configuration(("Li", "Cl"), np.array([[0.0, 0, 0], [2.5, 0, 0]]), 9.0 * np.eye(3))
    with pytest.raises(DataError, match="pair of Li and Li"):
        close_pair(alone, "Li", "Li")
    for factor in (0.0, 1.0, float("inf"), float("nan")):
        with pytest.raises(DataError, match="factor"):
            close_pair(RUTILE, "Ti", "O", factor=factor)
    with pytest.raises(DataError, match="two elements, got Ti twice"):
        antisite(RUTILE, "Ti", "Ti")


@pytest.mark.parametrize("name", ["TiO2-rutile", "TiO2-anatase", "BaTiO3-hexagonal", "BaO"])
@pytest.mark.parametrize("normal", [0, 2])
def test_an_interface_keeps_the_crystal_and_touches_nothing(name, normal):
    crystal = load_crystal(name)
    both = crystal_glass_interface(crystal, "BaTiO3", atoms=120, normal=normal, rng=1)
    assert 80 <= both.n_atoms <= 160
    assert closest_contact(both) >= min(1.5, closest_contact(crystal)) - 1e-6
    # the third edge stands upright on the interface
    assert abs(both.cell_A[2] @ both.cell_A[0]) + abs(both.cell_A[2] @ both.cell_A[1]) < 1e-6


def test_an_interface_has_the_slab_unharmed_in_one_half():
    both = crystal_glass_interface(RUTILE, "BaTiO3", atoms=120, rng=1)
    slab = both.symbols[: both.symbols.index("Ba")]
    n = len(slab)
    height = both.positions_A @ (both.cell_A[2] / np.linalg.norm(both.cell_A[2]))
    assert height[:n].max() < height[n:].min()
    part = Configuration(slab, both.positions_A[:n], both.cell_A)
    assert closest_contact(part) == pytest.approx(closest_contact(RUTILE), abs=1e-6)
    with pytest.raises(DataError, match="normal"):
        crystal_glass_interface(RUTILE, "BaTiO3", normal=3)
