"""Slabs along any plane: whole unit cells, and the crystal itself where there is no vacuum."""

import itertools
import math

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.contacts import pairs_within
from tammann.structures.crystals import load_crystal
from tammann.structures.slabs import cut_along, layers, plane_vectors, slab, upright

CRYSTAL = load_crystal("BaZrS3")
SKEW = Configuration(
    ("Na", "Cl"), np.array([[0.1, 0.2, 0.3], [2, 2, 2]]), np.array([[4.0, 0, 0], [1, 5, 0], [-0.7, 0.9, 6]])
)
MILLERS = [(0, 0, 1), (1, 1, 0), (1, -2, 3), (-2, 0, 1), (0, 3, 2), (3, 0, 0)]


@pytest.mark.parametrize("crystal", [CRYSTAL, SKEW], ids=["BaZrS3", "skew"])
@pytest.mark.parametrize("miller", MILLERS)
@pytest.mark.parametrize("cut", [0.0, 0.37])
def test_without_vacuum_it_is_the_crystal(crystal, miller, cut):
    """The same volume and the same number of distances of every length for each atom."""
    made = slab(crystal, miller, thickness_A=9.0, cut=cut)
    times = made.n_atoms / crystal.n_atoms
    assert times == round(times) and made.volume_A3 == pytest.approx(times * crystal.volume_A3)
    _, found = pairs_within(made.positions_A, made.cell_A, 6.0)
    _, known = pairs_within(crystal.positions_A, crystal.cell_A, 6.0)
    np.testing.assert_allclose(np.sort(found), np.sort(np.repeat(known, round(times))), atol=1e-6)


def test_vectors_of_a_plane_turn_to_the_right_about_its_normal():
    for miller in itertools.product(range(-2, 3), repeat=3):
        if any(miller):
            normal = np.cross(*plane_vectors(miller, CRYSTAL.cell_A))
            assert (normal * math.gcd(*miller) == np.array(miller)).all()


@pytest.mark.parametrize("miller", MILLERS)
def test_the_plane_is_spanned_and_the_layer_has_its_spacing(miller):
    made = cut_along(SKEW, *plane_vectors(miller, SKEW.cell_A))
    spacing = 1.0 / np.linalg.norm(np.linalg.inv(SKEW.cell_A) @ np.array(made.miller))
    assert made.spacing_A == pytest.approx(spacing) and made.cells == 1
    assert made.frame_A[:2, 2] == pytest.approx([0.0, 0.0], abs=1e-12)
    np.testing.assert_allclose(np.cross(made.miller, miller), 0)


def test_both_faces_of_a_layer():
    po = Configuration(("Po",), np.zeros((1, 3)), 3.35 * np.eye(3))
    made = cut_along(po, [1, 0, 0], [0, 2, 0])
    positions, kinds = layers(made, 0.0, 2.0)
    assert len(kinds) == 6 and sorted(set(positions[:, 2].round(6).tolist())) == [0.0, 3.35, 6.7]


def test_vacuum_and_distance_to_the_surface():
    made = slab(CRYSTAL, (0, 0, 1), thickness_A=20.0, vacuum_A=15.0)
    assert made.cell_A[2, 2] == pytest.approx(2 * 9.96352 + 15.0)
    assert 0.0 <= made.labels["surface_distance_A"].min() and made.labels["surface_distance_A"].max() < 10.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plane_vectors((0, 0, 0), np.eye(3)), "not all zero"),
        (lambda: plane_vectors((1, 0.5, 0), np.eye(3)), "three integers"),
        (lambda: cut_along(CRYSTAL, [1, 0, 0], [2, 0, 0]), "parallel"),
        (lambda: cut_along(CRYSTAL, [1, 0, 0.5], [0, 1, 0]), "three integers each"),
        (lambda: slab(CRYSTAL, (0, 0, 1), thickness_A=0.0), "a thickness above 0"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()


def test_an_upright_cell_is_the_same_lattice():
    cell = np.array([[4.0, 0, 0], [1, 5, 0], [17, -22, 9]])
    whole = upright(cell) @ np.linalg.inv(cell)
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)
