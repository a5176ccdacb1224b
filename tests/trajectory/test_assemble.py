"""Times that no run has are refused before they become numbers that no computer has."""

import numpy as np
import pytest

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
