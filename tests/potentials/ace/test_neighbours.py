import numpy as np

from potentials.ace.expansions import cell_of_atoms
from tammann.potentials.ace.neighbours import find_neighbours


def test_neighbours_are_all_those_of_explicit_images():
    atoms = cell_of_atoms(7, edge=4.0)
    cell, positions = atoms.cell.array, atoms.positions
    near = find_neighbours(positions, cell, 5.0)
    for i in range(7):
        found = slice(near.first[i], near.first[i + 1])
        distances = np.linalg.norm(positions[near.indices[found]] + near.images[found] @ cell - positions[i], axis=1)
        images = np.array(list(np.ndindex(9, 9, 9))) - 4
        expected = np.linalg.norm(positions[:, None] + images @ cell - positions[i], axis=2).ravel()
        expected = expected[(expected < 5.0) & (expected > 1e-9)]
        np.testing.assert_allclose(np.sort(distances), np.sort(expected), atol=1e-9)


def test_a_list_serves_until_half_its_skin_is_used_up():
    atoms = cell_of_atoms(7)
    cell = np.array(atoms.cell.array)
    near = find_neighbours(atoms.positions, cell, 5.5)
    step = np.zeros((7, 3))
    for moved, serves in ((0.24, True), (0.26, False)):
        step[3] = [moved, 0.0, 0.0]
        fractional = (atoms.positions + step) @ np.linalg.inv(cell)
        assert near.serve(fractional, cell, 5.0) is serves
    assert not near.serve(near.fractional, 1.2 * cell, 5.0)
