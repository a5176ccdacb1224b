"""What a trajectory says of itself, and what it refuses to be."""

import numpy as np
import pytest

from breathing import CSCL, drifting_crystal
from tammann.errors import DataError
from tammann.trajectory import Trajectory, read_trajectory, trajectory_from_arrays
from tammann.trajectory.read import iterate_configurations

SYMBOLS = ("O", "Ba", "O", "Ti", "O")
CELL = np.array([[9.0, 0, 0], [4.0, 10.0, 0], [-3.0, 4.5, 11.0]])


def trajectory(**changes):
    given = {"symbols": SYMBOLS, "positions": np.zeros((11, 5, 3)), "cells": CELL[None], "frame_interval_ps": 0.5}
    return Trajectory(**(given | changes))


def test_what_it_says():
    one = trajectory(temperature_K=2500.0, source="run.dump", notes=["A sentence."])
    assert (one.n_frames, one.n_atoms, one.duration_ps) == (11, 5, 5.0)
    assert one.species == ("O", "Ba", "Ti")
    assert one.counts == {"O": 3, "Ba": 1, "Ti": 1}
    assert one.formula == "BaTiO3"
    assert one.volume_A3 == pytest.approx(990.0)
    assert one.atoms_of("O").tolist() == [0, 2, 4]
    assert one.notes == ("A sentence.",)
    assert repr(one) == "Trajectory(BaTiO3: 5 atoms, 11 frames 0.5 ps apart, 5 ps, 2500 K, from run.dump)"
    with pytest.raises(DataError, match="no 'Sr' in this trajectory of O, Ba, Ti"):
        one.atoms_of("Sr")


def test_it_fits_one_line():
    assert len(repr(trajectory(source="a/long/way/to/" * 20))) <= 120


def test_frames_are_a_view_with_their_own_interval():
    positions = np.arange(11 * 15, dtype=float).reshape(11, 5, 3)
    cells = CELL * np.linspace(1.0, 1.1, 11)[:, None, None]
    one = trajectory(positions=positions, cells=cells)
    some = one.frames(2, 10, 3)
    assert np.shares_memory(some.positions, positions)
    assert np.array_equal(some.positions, positions[2:10:3])
    assert np.array_equal(some.cells, cells[2:10:3])
    assert (some.frame_interval_ps, some.duration_ps) == (1.5, 3.0)
    assert one.frames().n_frames == 11
    assert trajectory().frames(5).cells.shape == (1, 3, 3)
    assert one.volume_A3 == pytest.approx(990.0 * np.mean(np.linspace(1.0, 1.1, 11) ** 3))
    for wrong in ({"start": 10}, {"step": 0}, {"step": -1}):
        with pytest.raises(DataError):
            one.frames(**wrong)


def test_arrays_cannot_be_written_to_and_the_callers_own_can():
    positions = np.zeros((3, 5, 3))
    one = trajectory(positions=positions)
    with pytest.raises(ValueError, match="read-only"):
        one.positions[0, 0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        one.cells[0, 0, 0] = 1.0
    positions[0, 0, 0] = 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": np.zeros((11, 4, 3))}, "positions have shape"),
        ({"positions": np.zeros((11, 5))}, "positions have shape"),
        ({"positions": np.zeros((1, 5, 3))}, "at least 2"),
        ({"symbols": (), "positions": np.zeros((11, 0, 3))}, "symbols are empty"),
        ({"symbols": ("O", "Ba", "O", "Ti", "Q")}, "'Q', which is not an element"),
        ({"cells": CELL}, "cells have shape"),
        ({"cells": np.zeros((1, 3, 3))}, "volume 0"),
        ({"cells": -CELL[None]}, "volume -990"),
        ({"cells": np.full((1, 3, 3), np.nan)}, "volume nan"),
        ({"frame_interval_ps": 0.0}, "above 0 ps"),
        ({"frame_interval_ps": float("nan")}, "above 0 ps"),
        ({"temperature_K": -1.0}, "above 0 K"),
    ],
)
def test_refusals(change, message):
    with pytest.raises(DataError, match=message):
        trajectory(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": [[1.0, 2.0]]}, "positions have shape"),
        ({"positions": [[1.0], [2.0, 3.0]]}, "not arrays of numbers"),
        ({"positions": np.full((3, 5, 3), np.nan)}, "frame 0: a coordinate of atom 1 is nan"),
        ({"cells": np.zeros((2, 3, 3))}, "cells have shape"),
        ({"images": np.zeros((3, 5))}, "images have shape"),
        ({"images": np.zeros((3, 5, 3)), "wrapped": False}, "images"),
        ({"symbols": ["O"]}, "for 1 symbols"),
        ({"frame_interval_ps": -1.0}, "above zero"),
    ],
)
def test_arrays_that_do_not_fit(change, message):
    given = {"positions": np.zeros((3, 5, 3)), "cells": CELL, "symbols": SYMBOLS, "frame_interval_ps": 1.0} | change
    with pytest.raises(DataError, match=message):
        trajectory_from_arrays(given.pop("positions"), given.pop("cells"), given.pop("symbols"), **given)


def test_many_blocks_make_one_array(monkeypatch):
    monkeypatch.setattr("tammann.trajectory.assemble.BLOCK_BYTES", 1000)
    x = np.cumsum(np.random.default_rng(1).normal(size=(200, 5, 3)), axis=0)
    images = np.floor(x @ np.linalg.inv(CELL))
    found = trajectory_from_arrays(x - images @ CELL, CELL, SYMBOLS, frame_interval_ps=1.0, images=images)
    np.testing.assert_allclose(found.positions, x, atol=1e-10)


# --- cells that change: the path is the sum of displacements, the structure that of each frame ----------------------


def kept(run, positions, cells, atol=1e-4):
    """Whether every frame is the given structure modulo its cell."""
    for k in range(run.n_frames):
        found, cell = run.frame(k)
        s = (found - positions[k]) @ np.linalg.inv(cell)
        np.testing.assert_allclose(cell, cells[k], atol=1e-9)
        np.testing.assert_allclose((s - np.rint(s)) @ cell, 0.0, atol=atol)


@pytest.mark.parametrize("tilt", [0.0, 0.4], ids=["cube", "skewed"])
@pytest.mark.parametrize("mode", ["wrapped", "images", "lattice view"])
def test_frames_are_the_structure_whatever_the_path(mode, tilt):
    w, cells, images = drifting_crystal(tilt=tilt)
    x = w + np.matmul(images, cells)
    given = {"wrapped": (w, {}), "images": (w, {"images": images}), "lattice view": (x, {"wrapped": False})}[mode]
    run = trajectory_from_arrays(given[0], cells, CSCL, frame_interval_ps=1.0, **given[1])
    kept(run, w, cells, atol=2e-6)
    s = run.cell_positions(slice(None)) @ np.linalg.inv(cells)
    assert np.abs(np.diff(s, axis=0)).max() < 0.1  # nothing is folded, no jumps
    assert np.abs(run.offsets).max() > 0.1 and run.offsets.dtype == np.float32
    # the path is that of the definition, written as a loop
    path = x[0].copy()
    n = np.floor(np.matmul(x, np.linalg.inv(cells)))
    folded = x - np.matmul(n, cells)
    for k in range(1, len(x)):
        path += folded[k] - folded[k - 1] + (n[k] - n[k - 1]) @ cells[k]
    moved = run.positions[-1] - run.positions[0]
    np.testing.assert_allclose(moved, path - x[0], atol=1e-9)


def test_slices_and_files_keep_the_structure(tmp_path):
    w, cells, _ = drifting_crystal()
    run = trajectory_from_arrays(w, cells, CSCL, frame_interval_ps=1.0, temperature_K=900.0)
    some = run.frames(50, 190, 7)
    assert np.shares_memory(some.offsets, run.offsets)
    kept(some, w[50:190:7], cells[50:190:7])
    kept(some.frames(3), w[71:190:7], cells[71:190:7])
    for one, every in ((run, 1), (run, 3), (some, 1)):
        one.save(tmp_path / "run.npz")
        again = read_trajectory(tmp_path / "run.npz", every=every)
        assert np.array_equal(again.positions, one.positions[::every])
        assert np.array_equal(again.offsets, one.offsets[::every])
        assert (again.symbols, again.temperature_K) == (one.symbols, one.temperature_K)
        assert again.frame_interval_ps == every * one.frame_interval_ps
    read = list(iterate_configurations(tmp_path / "run.npz"))
    np.testing.assert_allclose(read[4].positions_A, some.frame(4)[0], atol=1e-9)


def test_files_without_offsets_load(tmp_path):
    w, cells, images = drifting_crystal(frames=40)
    x = w + np.matmul(images, cells)
    given = {"cells": cells, "symbols": np.array(CSCL), "frame_interval_ps": 1.0}
    np.savez(tmp_path / "old.npz", positions=w, **given)
    kept(read_trajectory(tmp_path / "old.npz"), w, cells)
    np.savez(tmp_path / "old.npz", positions=x, wrapped=False, **given)
    kept(read_trajectory(tmp_path / "old.npz"), w, cells)


def test_a_constant_cell_has_no_offsets(tmp_path):
    w, cells, _ = drifting_crystal()
    fixed = trajectory_from_arrays(w @ np.linalg.inv(cells) @ cells[0], cells[0], CSCL, frame_interval_ps=1.0)
    assert fixed.offsets is None and np.shares_memory(fixed.frame(3)[0], fixed.positions)
    fixed.save(tmp_path / "run.npz")
    again = read_trajectory(tmp_path / "run.npz")
    assert again.offsets is None and again.temperature_K is None and np.array_equal(again.positions, fixed.positions)


def test_offsets_that_do_not_fit():
    with pytest.raises(DataError, match="offsets have shape"):
        trajectory(offsets=np.zeros((11, 4, 3)))
    x = np.zeros((3, 5, 3))
    with pytest.raises(DataError, match="offsets have shape"):
        trajectory_from_arrays(x, CELL, SYMBOLS, frame_interval_ps=1.0, offsets=x[:2])
    with pytest.raises(DataError, match="images are given with offsets"):
        trajectory_from_arrays(x, CELL, SYMBOLS, frame_interval_ps=1.0, offsets=x, images=x)
