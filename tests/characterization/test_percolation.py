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


def repeated_links(links, n, repeats):
    """Links of a network in a supercell: site s of cell (x, y, z) is s + n times the number of the cell."""
    cells = np.stack(np.meshgrid(*[np.arange(r) for r in repeats], indexing="ij"), axis=-1).reshape(-1, 3)
    out = []
    for a, b, *step in links:
        for here in cells:
            there = here + step
            home = there % repeats
            number = [int(np.ravel_multi_index(tuple(c), repeats)) for c in (here, home)]
            out.append([a + n * number[0], b + n * number[1], *((there - home) // repeats)])
    return out


@pytest.mark.parametrize(
    ("links", "dimension"),
    [
        ([[0, 1, 0, 0, 0], [0, 1, 0, 1, 0]], 1),
        ([[0, 1, 0, 0, 0], [0, 1, -1, 0, 0], [0, 1, 0, -1, 0]], 2),  # honeycomb
        ([[0, 0, 1, 1, 0], [0, 0, 0, 1, 1]], 2),  # layers askew to the cell
        ([[0, 1, 0, 0, 0], [0, 1, -1, 0, 0], [0, 1, 0, -1, 0], [0, 1, 0, 0, -1]], 3),
    ],
)
def test_supercells_and_slanted_cells_change_nothing(links, dimension):
    """The rank of the windings is that of the crystal in any supercell, and for any choice of lattice vectors."""
    directions = percolation(2, links)[1]
    for repeats in ((2, 1, 3), (1, 2, 2), (3, 3, 1)):
        found, ways = percolation(2 * int(np.prod(repeats)), repeated_links(links, 2, np.array(repeats)))
        assert found == dimension
        # each in units of the small cell lies in the span of its ways
        both = np.concatenate([directions, ways * repeats])
        assert np.linalg.matrix_rank(both) == dimension
    slanted = np.array(links)
    slanted[:, 2:] = slanted[:, 2:] @ np.array([[1, 2, 0], [0, 1, 0], [-1, 3, 1]])  # unimodular
    assert percolation(2, slanted)[0] == dimension


def test_the_network_with_most_directions_is_told_and_its_shortest_ways():
    chain, layer = [[0, 0, 0, 0, 1]], [[1, 1, 2, 0, 0], [1, 1, 0, -1, 0], [1, 1, 3, 1, 0]]
    for links in (chain + layer, layer + chain):
        found, directions = percolation(2, links)
        assert found == 2 and directions.tolist() == [[0, 1, 0], [2, 0, 0]]
