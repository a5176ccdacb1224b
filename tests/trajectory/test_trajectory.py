"""What a trajectory says of itself, and what it refuses to be."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.trajectory import Trajectory, trajectory_from_arrays

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
