from itertools import product

import numpy as np
import pytest

from tammann.structures import Configuration
from tammann.structures.contacts import closest_contact, closest_contacts, nearest_distances


def by_brute_force(cell, images=6):
    shifts = np.array(list(product(range(-images, images + 1), repeat=3)))
    apart = cell.positions_A[:, None, None] - cell.positions_A[None, :, None] + shifts @ cell.cell_A
    distances = np.linalg.norm(apart, axis=-1)
    distances[distances < 1e-9] = np.inf  # an atom and itself
    return distances.min(axis=-1)


@pytest.mark.parametrize("seed", range(8))
def test_nearest_images_in_skew_cells(seed):
    rng = np.random.default_rng(seed)
    matrix = np.diag([3.0, 4.0, 9.0]) + 0.5 * rng.normal(size=(3, 3))
    matrix[1:] += rng.integers(-2, 3, (2, 1)) * matrix[0]
    cell = Configuration(("O",) * 7, 30 * rng.normal(size=(7, 3)) / 3, matrix)
    home = Configuration(cell.symbols, (cell.positions_A @ np.linalg.inv(matrix) % 1.0) @ matrix, matrix)
    assert nearest_distances(cell) == pytest.approx(by_brute_force(home), abs=1e-9)
    assert closest_contact(cell) == pytest.approx(by_brute_force(home).min(), abs=1e-9)


def test_an_atom_alone_touches_its_own_image():
    alone = Configuration(("O",), np.zeros((1, 3)), np.diag([3.0, 4.0, 9.0]))
    assert closest_contact(alone) == pytest.approx(3.0)
    pair = Configuration(("O", "O"), np.array([[0, 0, 0], [0, 0, 4.5]]), np.diag([3.0, 4.0, 9.0]))
    assert closest_contact(pair) == pytest.approx(3.0)


def test_closest_contacts_of_rock_salt():
    a = 4.2
    sites = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    anions = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]
    cell = Configuration(("Mg",) * 4 + ("O",) * 4, np.array(sites + anions) * a / 2, a * np.eye(3))
    assert closest_contacts(cell) == pytest.approx(
        {("Mg", "Mg"): a / 2**0.5, ("Mg", "O"): a / 2, ("O", "O"): a / 2**0.5}
    )
