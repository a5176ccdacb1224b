"""Files of trajectories: one door for all formats."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tammann.errors import DataError
from tammann.md._lines import Lines
from tammann.md.collecting import check_choice, collect
from tammann.md.lammps_dump import lammps_frames
from tammann.md.trajectory import Trajectory

__all__ = ["read_trajectory"]


def read_trajectory(
    path: str | os.PathLike[str],
    *,
    timestep_fs: float | None = None,
    frame_interval_ps: float | None = None,
    temperature_K: float | None = None,
    types: Sequence[str] | None = None,
    start: int = 0,
    stop: int | None = None,
    every: int = 1,
    in_memory_GB: float = 4.0,
    scratch: str | os.PathLike[str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Trajectory:
    """Read the trajectory of a molecular dynamics run from a file.

    Args:
        path: a LAMMPS dump (text).
        timestep_fs: length of one step of the run, fs.
        frame_interval_ps: time between two frames as they stand in the file, ps; instead of ``timestep_fs``.
        temperature_K: temperature of the run, K.
        types: element of each LAMMPS type, in order.
        start: first frame to take, counted from 0.
        stop: frame to stop before; None for all.
        every: take every so many frames.
        in_memory_GB: positions that need more go to a temporary file, which vanishes with the trajectory.
        scratch: folder of that file.
        progress: called with the fraction of the file that has been read.

    Returns:
        The trajectory.

    Raises:
        DataError: a file that is not there, not understood or not a trajectory of one system evenly spaced in time.
    """
    check_choice(start, stop, every, in_memory_GB)
    path = Path(path)
    notes: list[str] = []
    if isinstance(types, str):
        types = types.split()
    with Lines(path, progress) as lines:
        if lines.size == 0:
            raise DataError(f"{path} is empty; expected a trajectory.")
        wrapped, blocks = lammps_frames(lines, types=types, start=start, stop=stop, every=every, notes=notes)
        return collect(
            blocks,
            wrapped=wrapped,
            frame_interval_ps=frame_interval_ps,
            timestep_fs=timestep_fs,
            temperature_K=temperature_K,
            source=str(path),
            notes=notes,
            start=start,
            every=every,
            in_memory_GB=in_memory_GB,
            scratch=scratch,
        )
