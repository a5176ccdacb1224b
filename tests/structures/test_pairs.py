"""Pairs within a distance, against the slow twin: all images one by one, in cells of any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.structures import pairs
from tammann.structures.pairs import count_pairs, find_pairs, heights_of

SKEWED = np.array([[9.0, 0, 0], [4.0, 8.0, 0], [-3.0, 2.0, 10.0]])
CELLS = {
    "cube": 20.0 * np.eye(3),
    "skewed": SKEWED,
    "very skewed": np.array([[10.0, 0, 0], [30.0, 10, 0], [5.0, -20, 11]]),
    "small": 2.5 * np.eye(3),
    "flat": np.diag([40.0, 3.0, 12.0]),
    "left-handed": SKEWED[[1, 0, 2]],
}


def all_pairs(x, cell, cutoff):
    """First, second, image and distance of every pair, from every image that could matter."""
    reach = np.ceil(cutoff / heights_of(cell)).astype(int) + 1
    fractional = x @ np.linalg.inv(cell)
    home = np.floor(fractional)
    inside = (fractional - home) @ cell
    shifts = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in reach], indexing="ij"), axis=-1).reshape(-1, 3)
    found = set()
    for i in range(len(x)):
        r = np.linalg.norm(inside[None] + (shifts @ cell)[:, None] - inside[i], axis=-1)
        for s, j in np.argwhere(r < cutoff):
            if not (i == j and not shifts[s].any()):
                found.add((i, int(j), *(shifts[s] - home[j] + home[i]).astype(int).tolist()))
    return found


def atoms_in(cell, n, seed=3):
    rng = np.random.default_rng(seed)
    return rng.random((n, 3)) @ cell + rng.integers(-2, 3, (n, 3)) @ cell, rng.integers(0, 3, n)


@pytest.mark.parametrize("name", CELLS)
def test_every_pair_once_from_each_end(name):
    cell = CELLS[name]
    x, kinds = atoms_in(cell, 25)
    found = find_pairs(x, cell, cutoff_A=8.1)
    rows = np.column_stack([found.centres, found.indices, found.images]).tolist()
    assert len(rows) == len(set(map(tuple, rows))) and set(map(tuple, rows)) == all_pairs(x, cell, 8.1)
    np.testing.assert_allclose(x[found.indices] + found.images @ cell - x[found.centres], found.vectors_A, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found.vectors_A, axis=1), found.distances_A)
    counts = count_pairs(x, cell, kinds, 3, cutoff_A=8.1, bins=1)[:, :, 0]
    listed = np.zeros((3, 3), dtype=int)
    np.add.at(listed, (kinds[found.centres], kinds[found.indices]), 1)
    np.testing.assert_array_equal(counts, listed)


def test_counts_by_distance():
    x, kinds = atoms_in(SKEWED, 40)
    counts = count_pairs(x, SKEWED, kinds, 3, cutoff_A=12.3, bins=41)
    found = find_pairs(x, SKEWED, cutoff_A=12.3)
    edges = np.linspace(0, 12.3, 42)
    for a in range(3):
        for b in range(3):
            of = (kinds[found.centres] == a) & (kinds[found.indices] == b) & (found.indices != found.centres)
            own = found.distances_A[found.indices == found.centres]  # whole lattice vectors may lie on an edge
            off = np.abs(counts[a, b] - np.histogram(found.distances_A[of], edges)[0]).sum()
            assert off == (len(own[kinds[found.centres[found.indices == found.centres]] == a]) if a == b else 0)


@given(st.integers(0, 10_000), st.floats(0.5, 15.0))
def test_random_lattices(seed, cutoff):
    rng = np.random.default_rng(seed)
    cell = rng.normal(size=(3, 3)) * 4.0
    if heights_of(cell).min() < 1.0:
        cell += 8.0 * np.eye(3)
    if heights_of(cell).min() < 1.0:
        return
    x = rng.random((6, 3)) @ cell
    found = find_pairs(x, cell, cutoff_A=cutoff)
    rows = set(map(tuple, np.column_stack([found.centres, found.indices, found.images]).tolist()))
    assert rows == all_pairs(x, cell, cutoff)
    assert count_pairs(x, cell, np.zeros(6, int), 1, cutoff_A=cutoff, bins=1).item() == len(rows)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    monkeypatch.setattr(pairs, "FEW_PAIRS", 0)
    cell = 30.0 * np.eye(3)
    x, kinds = atoms_in(cell, 900)
    one, three = (count_pairs(x, cell, kinds, 3, cutoff_A=9.0, bins=90, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one, three)
    first, second = (find_pairs(x, cell, cutoff_A=5.0, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(first.indices, second.indices)


def test_progress_and_a_part_of_the_list():
    cell = 30.0 * np.eye(3)
    x, kinds = atoms_in(cell, 500)
    told = []
    count_pairs(x, cell, kinds, 3, cutoff_A=9.0, bins=9, threads=2, progress=lambda done, *_: told.append(done))
    assert told[-1] == 1.0 and sorted(told) == told
    whole = find_pairs(x, cell, cutoff_A=6.0)
    near = whole.only(whole.distances_A < 4.0)
    np.testing.assert_array_equal(near.first, find_pairs(x, cell, cutoff_A=4.0).first)


def test_atoms_far_apart_have_no_pairs():
    found = find_pairs(np.array([[0.0, 0, 0], [50, 50, 50]]), 100.0 * np.eye(3), cutoff_A=5.0)
    assert len(found.indices) == 0 and found.first.tolist() == [0, 0, 0]


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf, 1e4])
def test_distances_out_of_range(cutoff):
    with pytest.raises(DataError, match="cutoff_A: expected"):
        find_pairs(np.zeros((1, 3)), 4.0 * np.eye(3), cutoff_A=cutoff)


def test_numbers_out_of_range():
    with pytest.raises(DataError, match="threads: expected 1 or more, got 0"):
        find_pairs(np.zeros((1, 3)), 4.0 * np.eye(3), cutoff_A=3.0, threads=0)
    with pytest.raises(DataError, match="bins: expected 1 or more, got 0"):
        count_pairs(np.zeros((1, 3)), 4.0 * np.eye(3), np.zeros(1), 1, cutoff_A=3.0, bins=0)


@pytest.mark.parametrize("atoms_per_cell", [0.5, 20.0])
def test_the_size_of_cells_changes_nothing(monkeypatch, atoms_per_cell):
    x, kinds = atoms_in(20.0 * np.eye(3), 200)
    counts = count_pairs(x, 20.0 * np.eye(3), kinds, 3, cutoff_A=9.0, bins=90)
    monkeypatch.setattr(pairs, "ATOMS_PER_CELL", atoms_per_cell)
    monkeypatch.setattr(pairs, "FEWEST_PER_CELL", atoms_per_cell)
    np.testing.assert_array_equal(counts, count_pairs(x, 20.0 * np.eye(3), kinds, 3, cutoff_A=9.0, bins=90))
