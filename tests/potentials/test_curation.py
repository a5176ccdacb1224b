import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.curation import check_apart, deduplicate, energies_above_lowest, filter_frames
from tammann.potentials.dataset import DataSet, Frame
from tammann.structures import Configuration

SYMBOLS = ("Ba", "Ti", "O", "O", "O")


def random_cell(seed, symbols=SYMBOLS):
    rng = np.random.default_rng(seed)
    return Configuration(symbols, 6 * rng.random((len(symbols), 3)), 6.0 * np.eye(3) + rng.random((3, 3)))


def moved(cell, seed):
    """The same crystal shifted, atoms in another order and in other images of the cell, all of it turned."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(cell.n_atoms)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    positions = cell.positions_A[order] + rng.normal(size=3) + rng.integers(-2, 3, (cell.n_atoms, 3)) @ cell.cell_A
    return Configuration(tuple(cell.symbols[i] for i in order), positions @ turn, cell.cell_A @ turn)


def test_moved_turned_and_permuted_copies_are_found():
    cells = [random_cell(n) for n in range(4)]
    data = DataSet(tuple(Frame(c) for c in cells) + tuple(Frame(moved(c, n)) for n, c in enumerate(cells)))
    kept = deduplicate(data)
    assert list(kept) == list(data)[:4]


def test_of_two_copies_the_labelled_one_stays():
    cell = random_cell(0)
    data = DataSet((Frame(cell), Frame(random_cell(1)), Frame(moved(cell, 3), energy_eV=-1.0)))
    assert list(deduplicate(data)) == list(data)[1:]


def test_other_distances_or_other_cells_are_no_copies():
    cell = random_cell(0)
    shifted = cell.positions_A.copy()
    shifted[0] += [0.0, 0.0, 0.05]
    data = DataSet(
        (Frame(cell), Frame(Configuration(SYMBOLS, shifted, cell.cell_A)), Frame(cell.at_volume(1.02 * cell.volume_A3)))
    )
    assert len(deduplicate(data)) == 3
    assert len(deduplicate(data, tolerance_A=0.5)) == 1


def test_many_frames_with_a_copy_of_every_tenth():
    cells = [random_cell(n) for n in range(300)]
    data = DataSet(tuple(Frame(cell) for cell in cells + cells[::10]))
    assert list(deduplicate(data)) == list(data)[:300]


def labelled(composition, extra, seed=0):
    symbols = tuple(s for s, n in composition.items() for _ in range(n))
    energy = sum({"Ba": -5.0, "Ti": -9.0, "O": -7.0}[s] for s in symbols)
    return Frame(random_cell(seed, symbols), energy + extra * len(symbols))


def test_hot_frames_are_removed_whatever_their_composition():
    extra = (0.0, 0.1, 0.9)
    data = DataSet(tuple(labelled(c, e) for c in ({"Ba": 1, "O": 1}, {"Ti": 1, "O": 2}) for e in extra))
    assert energies_above_lowest(data) == pytest.approx([0.0, 0.1, 0.9] * 2, abs=1e-9)
    assert len(filter_frames(data, energy_above_lowest_eV_per_atom=0.5)) == 4


def test_collapsed_frames_are_removed_by_pair():
    near = Configuration(("Ba", "O"), np.array([[0, 0, 0], [0, 0, 1.5]]), 5.0 * np.eye(3))
    far = Configuration(("Ba", "O"), np.array([[0, 0, 0], [0, 0, 2.4]]), 5.0 * np.eye(3))
    data = DataSet((Frame(near), Frame(far)))
    assert list(filter_frames(data, closest_A=2.0)) == [data[1]]
    assert list(filter_frames(data, closest_A={("O", "Ba"): 2.0})) == [data[1]]
    assert len(filter_frames(data, closest_A={("O", "O"): 2.0})) == 2
    assert len(filter_frames(data)) == 2


def test_frames_with_a_huge_force_are_removed():
    cell = random_cell(0)
    data = DataSet((Frame(cell, forces_eV_per_A=np.full((5, 3), 100.0)), Frame(cell, forces_eV_per_A=np.ones((5, 3)))))
    assert list(filter_frames(data, largest_force_eV_per_A=50.0)) == [data[1]]


def test_limits_are_above_zero():
    data = DataSet((Frame(random_cell(0)),))
    with pytest.raises(DataError, match="limit of a filter: expected a number above 0, got -1"):
        filter_frames(data, closest_A=-1.0)
    with pytest.raises(DataError, match="tolerance_A: expected a distance above 0"):
        deduplicate(data, tolerance_A=0.0)
    with pytest.raises(DataError, match="energ"):
        filter_frames(data, energy_above_lowest_eV_per_atom=1.0)


def test_test_frames_known_from_training_are_refused():
    train = DataSet(tuple(Frame(random_cell(n), trajectory=f"a{n}") for n in range(3)))
    check_apart(train, DataSet((Frame(random_cell(7), trajectory="b"), Frame(random_cell(8, SYMBOLS[:3])))))
    with pytest.raises(DataError, match="its trajectory a1 is in the training set too"):
        check_apart(train, DataSet((Frame(random_cell(9), trajectory="a1"),)))
    copied = DataSet((Frame(random_cell(9), trajectory="b"), Frame(moved(random_cell(2), 1), trajectory="b")))
    with pytest.raises(DataError, match="its frame 2 .* repeats one of the training set"):
        check_apart(train, copied)
