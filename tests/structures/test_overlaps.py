"""Removal of overlapping atoms: the composition and the distances that are left."""

from collections import Counter

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.contacts import nearest_distances, pairs_within
from tammann.structures.crystals import load_crystal
from tammann.structures.overlaps import overlap_distances, overlapping_pairs, remove_overlaps

RNG = np.random.default_rng(3)
CRYSTAL = load_crystal("BaZrS3")
DISTANCES = overlap_distances(CRYSTAL)


def crowd(n=400):
    cell = 25.0 * np.eye(3)
    symbols = tuple(RNG.choice(["Ba", "Zr", "S"], size=n, p=[0.2, 0.2, 0.6]))
    return Configuration(symbols, RNG.random((n, 3)) @ cell, cell)


@pytest.mark.parametrize("cell", [6.0 * np.eye(3), np.array([[5.0, 0, 0], [3, 6, 0], [-2, 3, 7]])])
@pytest.mark.parametrize("radius_A", [1.5, 9.0])
def test_pairs_within_are_all_pairs(cell, radius_A):
    from ase.neighborlist import neighbor_list

    atoms = Configuration(("O",) * 12, RNG.random((12, 3)) @ cell, cell)
    i, d = neighbor_list("id", atoms.to_ase(), radius_A)
    _, lengths = pairs_within(atoms.positions_A, cell, radius_A)
    np.testing.assert_allclose(np.sort(np.repeat(lengths, 2)), np.sort(d), atol=1e-9)
    assert len(i) == 2 * len(lengths)


def test_a_crowd_is_thinned_to_whole_formula_units():
    given = crowd()
    depths = RNG.random(given.n_atoms)
    stays = remove_overlaps(given, DISTANCES, formula="BaZrS3", depths_A=depths)
    left = given.take(stays)
    counts = Counter(left.symbols)
    assert counts["Ba"] == counts["Zr"] == counts["S"] / 3 > 5
    found = nearest_distances(left)
    for (i, j), distance in np.ndenumerate(found):
        assert distance >= DISTANCES[frozenset((left.symbols[i], left.symbols[j]))] - 1e-9


def test_the_crystal_itself_is_left_alone():
    pairs, _ = overlapping_pairs(CRYSTAL, DISTANCES)
    assert len(pairs) == 0
    stays = remove_overlaps(CRYSTAL, DISTANCES, formula="BaZrS3", depths_A=np.zeros(CRYSTAL.n_atoms))
    assert stays.all()


def test_only_atoms_at_the_boundary_are_removed_where_that_is_enough():
    given = crowd()
    depths = np.where(RNG.random(given.n_atoms) < 0.5, 0.0, 50.0)
    stays = remove_overlaps(given, {pair: 0.1 for pair in DISTANCES}, formula="BaZrS3", depths_A=depths)
    assert stays[depths > 0].all() and not stays.all()


def test_what_is_refused():
    with pytest.raises(DataError, match="expected the elements Ba, S, Zr"):
        remove_overlaps(CRYSTAL, DISTANCES, formula="BaTiO3", depths_A=np.zeros(20))
    with pytest.raises(DataError, match="fraction: expected a number above 0 and below 1, got 1.5"):
        overlap_distances(CRYSTAL, fraction=1.5)
    with pytest.raises(DataError, match="no whole formula unit is left"):
        alone = Configuration(("Ba", "Zr", "S"), np.eye(3) * 5, 20.0 * np.eye(3))
        remove_overlaps(alone, DISTANCES, formula="BaZrS3", depths_A=np.zeros(3))
