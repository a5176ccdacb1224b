"""Walkers come back with the diffusion constant put in, whatever the cell does and however it is described."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.trajectory import trajectory_from_arrays, unwrap
from tammann.trajectory.unwrap import Frames, unwrapped

SKEWED = np.array([[10.0, 0.0, 0.0], [4.9, 9.0, 0.0], [-4.0, 4.4, 11.0]])
SIZE_A = 0.12


def fold(x, cells, origin=0.0):
    s = np.matmul(x - origin, np.linalg.inv(cells))
    n = np.floor(s)
    return np.matmul(s - n, cells) + origin, n


def walk(rng, frames, atoms, size_A=SIZE_A, box_A=10.0):
    steps = rng.normal(scale=size_A, size=(frames, atoms, 3))
    steps[0] = rng.random((atoms, 3)) * box_A
    return np.cumsum(steps, axis=0)


def displacements(x):
    return x - x[:1]


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("cell", [10.0 * np.eye(3), SKEWED], ids=["cubic", "skewed"])
def test_folding_changes_nothing(cell, flags):
    x = walk(np.random.default_rng(1), 3000, 7)
    w, n = fold(x, cell)
    assert np.abs(n).max() > 1
    u = unwrap(w, cell, images=n if flags else None)
    np.testing.assert_allclose(displacements(u), displacements(x), atol=1e-10)
    if flags:
        np.testing.assert_allclose(u, x, atol=1e-10)


def test_other_lattice_vectors_a_supercell_and_another_corner_change_nothing():
    rng = np.random.default_rng(2)
    x = walk(rng, 1500, 5)
    cell = np.diag([10.0, 11.0, 9.0])
    expected = displacements(x)
    tilted = np.array([[1.0, 0, 0], [1, 1, 0], [-2, 1, 1]]) @ cell
    for lattice in (cell, tilted):
        w, _ = fold(x, lattice)
        np.testing.assert_allclose(displacements(unwrap(w, lattice)), expected, atol=1e-10)
    w, n = fold(x, cell, origin=np.array([-3.0, 2.0, 7.5]))
    corner = np.broadcast_to([-3.0, 2.0, 7.5], (len(x), 3))
    ((found, offsets),) = unwrapped([Frames(w, cell[None], origins=corner)], wrapped=True, notes=[])
    np.testing.assert_allclose(displacements(found), expected, atol=1e-10)
    ((again, more),) = unwrapped([Frames(w, cell[None], origins=corner, images=n)], wrapped=True, notes=[])
    np.testing.assert_allclose(again, x, atol=1e-10)
    assert offsets is more is None
    supercell = cell * np.array([[2.0], [1.0], [1.0]])
    twice, _ = fold(np.concatenate([x, x + cell[0]], axis=1), supercell)
    found = displacements(unwrap(twice, supercell))
    np.testing.assert_allclose(found, np.concatenate([expected, expected], axis=1), atol=1e-10)


def test_unwrapped_positions_in_a_constant_cell_stay_as_they_are():
    x = walk(np.random.default_rng(3), 50, 4)
    assert np.array_equal(unwrap(x, SKEWED, wrapped=False), x)


@pytest.mark.parametrize("mode", ["wrapped", "images", "lattice view"])
@pytest.mark.parametrize("fluctuation", ["none", "isotropic", "any"])
def test_blocks_do_not_matter(mode, fluctuation):
    rng = np.random.default_rng(4)
    w, n, cells = breathing(rng, 60, 5, 0.0 if fluctuation == "none" else 0.02, fluctuation == "isotropic")
    # A cell that starts to change only later, too.
    cells[:20] = cells[0]
    x = w + np.matmul(n, cells)
    options = {"images": n if mode == "images" else None}
    positions = x if mode == "lattice view" else w
    whole = unwrap(positions, cells, wrapped=mode != "lattice view", **options)
    for size in (1, 7, 20, 21):
        blocks = [
            Frames(positions[k : k + size], cells[k : k + size], images=n[k : k + size] if mode == "images" else None)
            for k in range(0, 60, size)
        ]
        parts = np.concatenate([u for u, _ in unwrapped(blocks, wrapped=mode != "lattice view", notes=[])])
        np.testing.assert_allclose(parts, whole, atol=1e-11)


# --- cells that change ------------------------------------------------------------------------------------------------


def breathing(rng, frames, atoms, relative, isotropic, cell=None, size_A=SIZE_A):
    """Walkers in a cell that fluctuates: wrapped positions, images, cells.

    A barostat stretches the wrapped positions with the cell (about its corner); the walk itself is that of ``size_A``.
    """
    cell = np.diag([10.0, 10.0, 10.0]) if cell is None else cell
    strain = np.zeros((frames, 3, 3))
    for k in range(1, frames):
        # Along an axis, positions are stretched by ``relative`` of their size in both cases.
        strain[k] = relative * (rng.normal() * np.eye(3) if isotropic else rng.normal(size=(3, 3)) / np.sqrt(3))
    cells = np.matmul(cell, np.eye(3) + strain)
    s, n = np.empty((frames, atoms, 3)), np.empty((frames, atoms, 3))
    s[0], n[0] = rng.random((atoms, 3)), 0.0
    inverse = np.linalg.inv(cells)
    for k in range(1, frames):
        moved = s[k - 1] + (rng.normal(scale=size_A, size=(atoms, 3)) @ inverse[k])
        n[k] = n[k - 1] + np.floor(moved)
        s[k] = moved - np.floor(moved)
    return np.matmul(s, cells), n, cells


def msd_per_lag(x, lag):
    return float(np.mean((x[lag:] - x[:-lag]) ** 2)) / lag


@pytest.mark.parametrize("mode", ["wrapped", "images", "lattice view"])
@pytest.mark.parametrize(
    ("isotropic", "cell"), [(True, None), (False, None), (False, SKEWED)], ids=["isotropic", "any strain", "skewed"]
)
def test_walkers_in_a_breathing_cell_keep_their_diffusion_constant(mode, isotropic, cell):
    frames, atoms, lag = 6000, 24, 150
    size_A = 0.3
    w, n, cells = breathing(np.random.default_rng(5), frames, atoms, 0.03, isotropic, cell, size_A)
    naive = w + np.matmul(n, cells)
    x = naive if mode == "lattice view" else w
    u = unwrap(x, cells, wrapped=mode != "lattice view", images=n if mode == "images" else None)
    # 24 walkers, 3 axes, 40 independent stretches: a standard error of 2.6 %, and the breathing of wrapped positions
    # adds 2·(0.03·10 Å)²/3 = 0.06 Å² to the 13.5 Å² of the longer lag and to the 0.9 Å² of the shorter one.
    assert msd_per_lag(u, lag) == pytest.approx(size_A**2, rel=0.1)
    assert msd_per_lag(u, 10) == pytest.approx(size_A**2 * (1 + 0.06 / 0.9), rel=0.08)
    # With n·h(t) every walker breathes with its distance from the origin, here some 16 Å along an axis.
    assert msd_per_lag(naive, 10) > 1.3 * size_A**2


def test_a_wall_is_as_wide_as_the_cell_behind_it():
    # From 9.5 in a cell of 10 through the wall to 0.2 in a cell of 11: 0.2 - 9.5 + 11; back again: 9.0 - 0.2 - 10.
    w = np.array([9.5, 0.2, 9.0])[:, None, None] * [1.0, 0.0, 0.0]
    cells = np.array([10.0, 11.0, 10.0])[:, None, None] * np.eye(3)
    assert unwrap(w, cells)[:, 0, 0].tolist() == pytest.approx([9.5, 11.2, 10.0])


def test_all_three_ways_of_writing_a_breathing_cell_give_the_same_paths():
    w, n, cells = breathing(np.random.default_rng(6), 400, 6, 0.01, False, SKEWED)
    by_images = displacements(unwrap(w, cells, images=n))
    np.testing.assert_allclose(
        displacements(unwrap(w + np.matmul(n, cells), cells, wrapped=False)), by_images, atol=1e-9
    )
    np.testing.assert_allclose(displacements(unwrap(w, cells)), by_images, atol=1e-9)


def test_a_resting_crystal_in_a_breathing_cell_does_not_drift():
    rng = np.random.default_rng(7)
    cells = np.matmul(np.diag([10.0, 12.0, 9.0]), np.eye(3) + 0.01 * rng.normal(size=(500, 3, 3)))
    s = rng.random((20, 3))
    u = unwrap(np.matmul(s, cells), cells)
    assert np.abs(displacements(u)).max() < 2.0
    # Far from home in lattice view, it rests all the same.
    far = np.matmul(s + 1000.0, cells)
    assert np.abs(displacements(far)).max() > 100.0
    assert np.abs(displacements(unwrap(far, cells, wrapped=False))).max() < 2.0


@pytest.mark.parametrize("mode", ["wrapped", "images", "lattice view"])
def test_a_flip_of_the_lattice_vectors_changes_nothing(mode):
    x = walk(np.random.default_rng(8), 300, 6)
    cells = np.broadcast_to(SKEWED, (300, 3, 3)).copy()
    # As LAMMPS does when a box has become too skewed: b - a for b, and later c + b for c.
    cells[100:] = np.array([[1.0, 0, 0], [-1, 1, 0], [0, 0, 1]]) @ cells[100:]
    cells[200:] = np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 1]]) @ cells[200:]
    w, n = fold(x, cells)
    positions = x if mode == "lattice view" else w
    for size in (300, 50, 7):
        blocks = [
            Frames(positions[k : k + size], cells[k : k + size], images=n[k : k + size] if mode == "images" else None)
            for k in range(0, 300, size)
        ]
        u = np.concatenate([u for u, _ in unwrapped(blocks, wrapped=mode != "lattice view", notes=[])])
        np.testing.assert_allclose(displacements(u), displacements(x), atol=1e-9)


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.floats(-0.9, 0.9), min_size=3, max_size=3),
    st.lists(st.floats(3.0, 30.0), min_size=3, max_size=3),
)
def test_any_cell_unfolds_steps_below_its_limit(seed, tilts, lengths):
    rng = np.random.default_rng(seed)
    xy, xz, yz = tilts
    lx, ly, lz = lengths
    cell = np.array([[lx, 0, 0], [xy * lx, ly, 0], [xz * lx, yz * ly, lz]])
    s = np.cumsum(rng.uniform(-0.39, 0.39, (20, 3, 3)), axis=0)
    x = s @ cell
    w, _ = fold(x, cell)
    np.testing.assert_allclose(displacements(unwrap(w, cell)), displacements(x), atol=1e-9)


def test_steps_that_minimum_images_cannot_tell_are_refused():
    x = np.zeros((3, 2, 3))
    x[2, 1] = 0.45 * SKEWED[2]
    with pytest.raises(DataError, match=r"frame 2: atom 2 moved by 0\.45 heights .* xu yu zu"):
        unwrap(x, SKEWED)
    assert np.array_equal(unwrap(x, SKEWED, wrapped=False), x)
    assert np.array_equal(unwrap(x, SKEWED, images=np.zeros_like(x)), x)


def test_what_was_done_is_noted():
    x = walk(np.random.default_rng(9), 30, 4)
    w, n = fold(x, SKEWED)
    symbols = ["O"] * 4
    (note,) = trajectory_from_arrays(w, SKEWED, symbols, frame_interval_ps=0.1).notes
    assert "minimum images" in note
    assert trajectory_from_arrays(w, SKEWED, symbols, frame_interval_ps=0.1, images=n).notes == ()
    cells = SKEWED * (1.0 + 0.001 * np.arange(30))[:, None, None]
    (note,) = trajectory_from_arrays(w, cells, symbols, frame_interval_ps=0.1, wrapped=False).notes
    assert "cell changes" in note


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": np.zeros((3, 2))}, "shape"),
        ({"positions": np.zeros((0, 2, 3))}, "shape"),
        ({"cells": np.zeros((2, 3, 3))}, "cells have shape"),
        ({"cells": np.zeros((3, 3))}, "volume"),
        ({"cells": -np.eye(3)}, "volume"),
        ({"cells": np.full((3, 3), np.nan)}, "volume"),
        ({"images": np.zeros((3, 1, 3))}, "images have shape"),
        ({"images": np.zeros((3, 2, 3)), "wrapped": False}, "images"),
        ({"cells": np.eye(3) * np.array([10.0, 10.0, 20.0])[:, None, None]}, "differs from that of the frame before"),
    ],
)
def test_refusals(change, message):
    given = {"positions": np.zeros((3, 2, 3)), "cells": 10.0 * np.eye(3)} | change
    with pytest.raises(DataError, match=message):
        unwrap(given.pop("positions"), given.pop("cells"), **given)
