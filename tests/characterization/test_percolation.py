"""Networks whose dimension is known."""

import numpy as np
import pytest

from tammann.characterization import percolation


@pytest.mark.parametrize(
    ("links", "dimension"),
    [
        ([[0, 1, 0, 0, 0]], 0),  # a pair
        ([[0, 1, 0, 0, 0], [1, 2, 0, 0, 0], [2, 0, 0, 0, 0]], 0),  # a ring
        ([[0, 1, 0, 0, 0], [1, 0, 1, 0, 0]], 1),
        ([[0, 0, 1, 1, 0], [0, 0, 2, 2, 0]], 1),  # the same way twice
        ([[0, 0, 1, 0, 0], [1, 1, 0, 1, 0]], 1),  # two chains that never meet
        ([[0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [1, 1, 0, 1, 0]], 2),
        ([[0, 1, 0, 0, 0], [0, 1, -1, 0, 0], [0, 1, 0, -1, 0], [0, 1, 0, 0, -1]], 3),  # diamond
    ],
)
def test_the_dimension_is_the_rank_of_the_windings(links, dimension):
    found, directions = percolation(3, links)
    assert found == dimension and np.linalg.matrix_rank(directions) == dimension


def test_neither_the_numbers_of_sites_nor_their_cells_matter():
    rng = np.random.default_rng(1)
    links = np.array([[0, 1, 0, 0, 0], [1, 2, 0, 0, 0], [2, 3, 0, 1, 0], [3, 0, 1, 0, 0], [1, 3, 0, 1, 0]])
    expected, _ = percolation(4, links)
    for _ in range(50):
        order, cells = rng.permutation(4), rng.integers(-2, 3, (4, 3))
        moved = links.copy()
        moved[:, 2:] += cells[links[:, 1]] - cells[links[:, 0]]
        moved[:, :2] = order[links[:, :2]]
        found, _ = percolation(4, rng.permutation(moved))
        assert found == expected == 1
