"""Read a trajectory from a file of any known format."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import DataError, check_argument
from tammann.structures.configuration import Configuration
from tammann.trajectory.assemble import Snapshot, check_choice, collect, in_blocks, snapshots_as_frames
from tammann.trajectory.convert import ase_snapshots
from tammann.trajectory.formats.blocks import Choice
from tammann.trajectory.formats.extxyz import extxyz_frames
from tammann.trajectory.formats.lammps_dump import lammps_frames
from tammann.trajectory.formats.lines import Lines
from tammann.trajectory.formats.xdatcar import xdatcar_frames
from tammann.trajectory.trajectory import Trajectory, check_symbols
from tammann.trajectory.unwrap import Frames, arrays_as_frames

_NEVER_WRAPPED = "read them with wrapped=False (command line: --unwrapped) if the run never folded them into the cell"
_UNWRAPPED_POSITIONS = {
    "lammps": "write unwrapped positions (columns xu yu zu) or image flags (ix iy iz)",
    "extxyz": f"write unwrapped positions as a column unwrapped_position:R:3, or {_NEVER_WRAPPED}",
    "traj": _NEVER_WRAPPED,
    "npz": f"give images, or {_NEVER_WRAPPED}",
    "xdatcar": "VASP writes wrapped positions only",
}
"""What to do in each format where atoms move too far between frames to be unwrapped."""


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
    wrapped: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Trajectory:
    r"""Read the trajectory of a molecular dynamics run from a file.

    Positions of more than 4 GB are kept in a temporary file, which vanishes with the trajectory.

    Args:
        path: A LAMMPS dump (text; any columns, any periodic cell), extended XYZ, XDATCAR, ASE .traj, or .npz, from
            ``Trajectory.save`` or with arrays named as the arguments of ``trajectory_from_arrays``; text also
            compressed (.gz, .bz2, .xz).
        timestep_fs: Length of one step of the run, fs, where the file counts steps (LAMMPS dumps).
        frame_interval_ps: Time between two frames as they stand in the file, ps; instead of ``timestep_fs``.
        temperature_K: Temperature of the run, K.
        types: Element of each LAMMPS type, in order; it overrides an ``element`` column.
        start: First frame to take, counted from 0.
        stop: Frame to stop before; None for all.
        every: Keep one frame in ``every``.
        wrapped: False where positions that look wrapped (x y z without image flags, say) are known to be unwrapped.
            With the default they are unwrapped by minimum images, which do not see steps of more than half a cell.
        progress: Called with the fraction of the file that has been read.

    Raises:
        DataError: A file that is not there, not understood or not a trajectory of one system evenly spaced in time.

    Example:
        >>> import tempfile
        >>> frame = "2\nLattice='9 0 0 0 9 0 0 0 9' Properties=species:S:1:pos:R:3\nBa 0 0 0\nO 0 0 {}\n"
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "run.xyz"
        ...     _ = path.write_text("".join(frame.format(z) for z in (7.0, 8.5, 1.0)))
        ...     read_trajectory(path, frame_interval_ps=0.1).positions[:, 1, 2].tolist()
        [7.0, 8.5, 10.0]
    """
    check_argument("trajectory", path, (str, os.PathLike), "the name of a file")
    check_choice(start, stop, every)
    path, choice = Path(path), Choice(start, stop, every)
    if isinstance(types, str):
        types = types.replace(",", " ").split()
    with Lines(path, progress) as lines:
        blocks: Iterator[Frames]
        kind = _format(lines)
        match kind:
            case "lammps":
                folded, blocks = lammps_frames(lines, types, choice)
            case "xdatcar":
                folded, blocks = True, xdatcar_frames(lines, types, choice)
            case "extxyz":
                folded, blocks = extxyz_frames(lines, choice)
            case "traj":
                folded = True
                blocks = snapshots_as_frames(_traj_snapshots(path, choice, progress, lines.notes), str(path))
            case _:
                folded, blocks, kept = _npz_frames(path, choice, wrapped)
                if frame_interval_ps is None and timestep_fs is None:
                    frame_interval_ps = kept.get("frame_interval_ps")
                temperature_K = kept.get("temperature_K") if temperature_K is None else temperature_K
        if timestep_fs is not None and kind in ("xdatcar", "extxyz", "traj"):
            # configurations are numbered one by one there, whatever number of steps lies between them
            raise DataError(
                f"{path}: timestep_fs does not help with this format, which does not count the steps between frames; "
                "give frame_interval_ps, the time from one frame to the next (command line: --frame-interval-ps)."
            )
        try:
            return collect(
                blocks,
                wrapped=wrapped and folded,
                frame_interval_ps=frame_interval_ps,
                timestep_fs=timestep_fs,
                temperature_K=temperature_K,
                source=str(path),
                advice=_UNWRAPPED_POSITIONS.get(kind, ""),
                notes=lines.notes,
                start=start,
                every=every,
            )
        except DataError as error:
            named = str(error).startswith(str(path))  # with several files a message must say which
            raise error if named else DataError(f"{path}: {error}") from None


def iterate_configurations(
    path: str | os.PathLike[str], *, types: Sequence[str] | None = None
) -> Iterator[Configuration]:
    r"""Yield the frames of a file as configurations: one is enough, and they may be unevenly spaced in time.

    Args:
        path: As for ``read_trajectory``.
        types: Element of each LAMMPS type, in order; it overrides an ``element`` column.

    Raises:
        DataError: A file that is not there, not understood or not of one system.

    Example:
        >>> import tempfile
        >>> frame = "2\nLattice='9 0 0 0 9 0 0 0 9' Properties=species:S:1:pos:R:3\nBa 0 0 0\nO 0 0 2\n"
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "one.xyz"
        ...     _ = path.write_text(frame)
        ...     list(iterate_configurations(path))
        [Configuration(BaO, 2 atoms, 729.0 Å3)]
    """
    path, every = Path(path), Choice()
    with Lines(path, None) as lines:
        match _format(lines):
            case "lammps":
                _, blocks = lammps_frames(lines, types, every)
            case "xdatcar":
                blocks = xdatcar_frames(lines, types, every)
            case "extxyz":
                _, blocks = extxyz_frames(lines, every)
            case "traj":
                blocks = snapshots_as_frames(_traj_snapshots(path, every, None, lines.notes), str(path))
            case _:
                _, blocks, _ = _npz_frames(path, every, False)
        symbols: tuple[str, ...] = ()
        for block in blocks:
            symbols = symbols or check_symbols(block.symbols, str(path))
            cells = np.broadcast_to(block.cells, (len(block.positions), 3, 3))
            corners = np.zeros((1, 3)) if block.origins is None else block.origins[:, None]
            inside = block.positions - corners - (0.0 if block.offsets is None else block.offsets)
            for positions, cell in zip(inside, cells, strict=True):
                yield Configuration(symbols, positions, cell)


def _format(lines: Lines) -> str:
    """Return the format of a file, recognized by its content, one of the known ones."""
    if lines.size == 0:
        raise DataError(f"{lines.path} is empty, expected a trajectory; has the run written anything yet?")
    lines.lines_ahead(6)
    text = lines.ahead(6)
    if text.startswith(b"- of Ulm"):
        return "traj"
    if text.startswith(b"PK"):
        return "npz"
    if text.lstrip().startswith(b"ITEM:"):
        return "lammps"
    rows = [row.strip() for row in text.splitlines()]
    if len(rows) > 1 and re.fullmatch(rb"\d+", rows[0]) and re.search(rb"lattice\s*=", rows[1], re.IGNORECASE):
        return "extxyz"
    if len(rows) > 4 and all(_are_numbers(row, count) for row, count in zip(rows[1:5], (1, 3, 3, 3), strict=True)):
        return "xdatcar"
    raise DataError(
        f"{lines.path} has a format that is not known; expected a LAMMPS text dump, extended XYZ with Lattice=, "
        "XDATCAR, ASE .traj or .npz (text also as .gz, .bz2, .xz): convert it, or read it with MDAnalysis and "
        "trajectory_from_mdanalysis."
    )


def _are_numbers(row: bytes, count: int) -> bool:
    try:
        return len([float(word) for word in row.split()]) == count
    except ValueError:
        return False


def _traj_snapshots(
    path: Path, choice: Choice, progress: Callable[[float], None] | None, notes: list[str]
) -> Iterator[Snapshot]:
    """Yield the frames of an ASE trajectory file."""
    from ase.io.trajectory import Trajectory as AseTrajectory

    def frames() -> Iterator[Any]:
        index = 0
        # Pickles are not read; what a damaged file makes ASE raise is not documented.
        try:
            with AseTrajectory(str(path)) as file:
                count = len(file)
                for index in range(count)[slice(*choice)]:
                    atoms = file[index]
                    yield atoms
                    if progress is not None:
                        progress((index + 1) / count)
        except Exception as error:
            if index <= choice.start:
                raise DataError(f"{path} cannot be read as ASE .traj ({error}); write it again.") from None
            notes.append(f"Frame {index} is cut off or damaged; the frames before it were read.")

    yield from ase_snapshots(frames())


def _npz_frames(path: Path, choice: Choice, wrapped: bool) -> tuple[bool, Iterator[Frames], dict[str, float]]:
    """Return the frames of a file of arrays named like the arguments of ``trajectory_from_arrays``."""
    known = {"positions", "cells", "symbols", "images", "wrapped", "offsets", "frame_interval_ps", "temperature_K"}
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        # An array that is no number raises here.
        kept = {name: float(arrays[name]) for name in ("frame_interval_ps", "temperature_K") if name in arrays}
        wrapped = wrapped and bool(arrays.get("wrapped", True))
    except Exception as error:
        reason = "objects of Python, no arrays" if "pickle" in str(error) else error
        raise DataError(f"{path} cannot be read as .npz ({reason}); write it with numpy.savez.") from None
    if missing := {"positions", "cells", "symbols"} - set(arrays):
        raise DataError(
            f"{path} has no {', '.join(sorted(missing))}, expected {', '.join(sorted(known))} (the last ones if known)."
        )
    images, offsets = arrays.get("images"), arrays.get("offsets")
    chosen = slice(*choice)
    cells = arrays["cells"]
    block = arrays_as_frames(
        arrays["positions"][chosen],
        cells[chosen] if cells.ndim == 3 and len(cells) > 1 else cells,
        arrays["symbols"].ravel().tolist(),
        images=None if images is None else images[chosen],
        wrapped=wrapped or images is not None,
        offsets=None if offsets is None else offsets[chosen],
    )
    return wrapped, in_blocks(block), kept
