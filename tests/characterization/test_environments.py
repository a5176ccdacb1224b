import numpy as np
import pytest

from tammann.characterization.environments import map_environments, neighbour_densities
from tammann.errors import DataError
from tammann.structures import Configuration

ELEMENTS = ("Ba", "O", "Ti")


def random_cell(seed=0):
    rng = np.random.default_rng(seed)
    cell = 5.0 * np.eye(3) + rng.random((3, 3))
    return Configuration(("Ba", "Ti", "O", "O", "O"), 5 * rng.random((5, 3)), cell)


def test_moved_turned_permuted_and_repeated_atoms_have_the_same_environments():
    cell, rng = random_cell(), np.random.default_rng(1)
    wanted = neighbour_densities(cell, ELEMENTS)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(5)
    moved = Configuration(
        tuple(cell.symbols[i] for i in order), (cell.positions_A[order] + 1.3) @ turn, cell.cell_A @ turn
    )
    assert neighbour_densities(moved, ELEMENTS) == pytest.approx(wanted[order], abs=1e-9)
    twice = cell.to_ase() * (2, 1, 1)
    doubled = neighbour_densities(Configuration.from_ase(twice), ELEMENTS)
    assert doubled == pytest.approx(np.vstack([wanted, wanted]), abs=1e-9)


def test_one_neighbour_at_a_known_distance():
    pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [3.0, 0, 0]]), 20.0 * np.eye(3))
    found = neighbour_densities(pair, ("Ba", "O"), cutoff_A=5.0, shells=4).reshape(2, 2, 4)
    centres = np.array([1.0, 2.0, 3.0, 4.0])
    wanted = np.exp(-0.5 * (3.0 - centres) ** 2) * 0.5 * (1 + np.cos(np.pi * 0.6))
    assert found[0, 1] == pytest.approx(wanted) and found[1, 0] == pytest.approx(wanted)
    assert not found[0, 0].any() and not found[1, 1].any()


def test_the_map_finds_the_plane_that_was_put_in():
    rng = np.random.default_rng(2)
    plane = rng.normal(size=(200, 2)) * (5.0, 2.0)
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    points, shares = map_environments(np.hstack([plane, 1e-3 * rng.normal(size=(200, 4))]) @ turn)
    assert sum(shares) == pytest.approx(1.0, abs=1e-5) and shares[0] > shares[1]
    centred = plane - plane.mean(axis=0)
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    assert distances == pytest.approx(np.linalg.norm(centred[:, None] - centred, axis=-1), abs=0.02)


def test_impossible_requests_are_refused():
    with pytest.raises(DataError, match="elements: expected all of the configuration, got none of Ti"):
        neighbour_densities(random_cell(), ("Ba", "O"))
    with pytest.raises(DataError, match="cutoff_A, shells: expected above 1 Å"):
        neighbour_densities(random_cell(), ELEMENTS, shells=1)
    with pytest.raises(DataError, match="features: expected finite numbers"):
        map_environments(np.zeros((1, 5)))
