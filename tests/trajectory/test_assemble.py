"""Times that no run has are refused before they become numbers that no computer has."""

import numpy as np
import pytest

from breathing import CSCL, drifting_crystal
from tammann.errors import DataError
from tammann.trajectory import read_trajectory, trajectory_from_arrays


@pytest.mark.parametrize("interval", [1e-300, 1e300, 0.0, float("nan")])
def test_times_beyond_sense(interval):
    with pytest.raises(DataError, match="frame_interval_ps is .*, expected a time above zero, from 1e-6 to 1e9"):
        trajectory_from_arrays(np.zeros((3, 1, 3)), 9 * np.eye(3), ["O"], frame_interval_ps=interval)


def test_a_step_beyond_sense(tmp_path):
    frame = "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
    text = "".join(frame.format(k) + "ITEM: ATOMS id element xu yu zu\n1 O 0 0 0\n" for k in range(3))
    (tmp_path / "run.dump").write_text(text)
    with pytest.raises(DataError, match="timestep_fs is 1e-300"):
        read_trajectory(tmp_path / "run.dump", timestep_fs=1e-300)


@pytest.mark.parametrize("kelvin", [1e9, -1.0, float("inf")])
def test_temperatures_beyond_sense(kelvin):
    with pytest.raises(DataError, match=r"temperature_K is .*, expected a number above 0 K and up to 1e5"):
        trajectory_from_arrays(np.zeros((3, 1, 3)), 9 * np.eye(3), ["O"], frame_interval_ps=0.1, temperature_K=kelvin)


@pytest.mark.parametrize("limit", [4e9, 1e5], ids=["memory", "file"])
def test_a_cell_that_begins_to_change_late_and_positions_in_a_file(monkeypatch, limit):
    monkeypatch.setattr("tammann.trajectory.assemble.BLOCK_BYTES", 20_000)
    monkeypatch.setattr("tammann.trajectory.assemble.IN_MEMORY_BYTES", limit)
    w, cells, _ = drifting_crystal()
    w[:60], cells[:60] = np.matmul(np.matmul(w[:60], np.linalg.inv(cells[:60])), cells[60]), cells[60]
    run = trajectory_from_arrays(w, cells, CSCL, frame_interval_ps=1.0)
    assert isinstance(run.offsets, np.memmap) == (limit < 4e9) == isinstance(run.positions, np.memmap)
    assert not run.offsets[:60].any() and run.offsets.shape == run.positions.shape
    s = np.matmul(run.cell_positions(slice(None)) - w, np.linalg.inv(cells))
    np.testing.assert_allclose(s, np.rint(s), atol=1e-6)
