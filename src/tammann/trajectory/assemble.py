"""Assemble the blocks of frames that readers yield into one trajectory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import IO, Any

import numpy as np

from tammann.errors import DataError
from tammann.trajectory.trajectory import Trajectory, check_symbols
from tammann.trajectory.unwrap import Frames, check_cells, unwrapped

Snapshot = tuple[Any, np.ndarray, tuple[str, ...], float | None]
"""One frame of another package: positions, shape (N, 3), Å; cell, shape (3, 3), Å; elements; time, ps, or None."""

BLOCK_BYTES = 4 * 2**20
"""Size of a block of positions; fits into the cache of a core."""

IN_MEMORY_BYTES = 4e9
"""Positions that need more go to a temporary file, which vanishes with the trajectory."""

_FARTHEST_A = 1e9


def in_blocks(frames: Frames) -> Iterator[Frames]:
    """Cut frames of plain arrays into blocks of about BLOCK_BYTES."""
    size = max(1, BLOCK_BYTES // max(1, 24 * frames.positions.shape[1]))
    for begin in range(0, len(frames.positions), size):
        part = slice(begin, begin + size)
        cells = frames.cells if len(frames.cells) == 1 else frames.cells[part]
        images = None if frames.images is None else frames.images[part]
        offsets = None if frames.offsets is None else frames.offsets[part]
        yield replace(frames, positions=frames.positions[part], cells=cells, images=images, offsets=offsets)


def snapshots_as_frames(snapshots: Iterable[Snapshot], where: str) -> Iterator[Frames]:
    """Group single frames, all of the same atoms, into blocks."""
    first: tuple[str, ...] = ()
    held: list[Snapshot] = []
    for index, (positions, cell, symbols, time_ps) in enumerate(snapshots):
        first = symbols if index == 0 else first
        if symbols != first:
            raise DataError(
                f"{where + ': ' if where else ''}frame {index}: its atoms are not those of the first frame, or in "
                "another order (mixed compositions); expected the same atoms in every frame."
            )
        # Some readers write each frame over the one before.
        held.append((np.array(positions, dtype=float), cell, symbols, time_ps))
        if 24 * len(symbols) * len(held) >= BLOCK_BYTES:
            yield _stack(held)
            held = []
    if held:
        yield _stack(held)


def _stack(held: list[Snapshot]) -> Frames:
    positions, cells, symbols, times = zip(*held, strict=True)
    times_ps = None if times[0] is None else np.array(times, dtype=float)
    return Frames(np.stack(positions), np.stack(cells), symbols[0], times_ps=times_ps)


def check_choice(start: int, stop: int | None, every: int) -> None:
    """Check a choice of frames: a start of 0 or more, a later stop, an ``every`` of 1 or more."""
    if start < 0 or every < 1 or (stop is not None and stop <= start):
        raise DataError(
            f"start, stop and every are {start}, {stop} and {every}, expected start at 0 or more, stop after it and "
            "every at 1 or more; frames are counted from 0."
        )


def collect(
    blocks: Iterable[Frames],
    *,
    wrapped: bool,
    frame_interval_ps: float | None = None,
    timestep_fs: float | None = None,
    temperature_K: float | None = None,
    source: str = "",
    notes: list[str] | None = None,
    advice: str = "",
    start: int = 0,
    every: int = 1,
) -> Trajectory:
    """Unwrap blocks of consecutive frames one after another and assemble them.

    They hold every ``every``-th frame of a file from frame ``start`` on, and may add to ``notes`` while they are read;
    ``advice`` says, in messages, how unwrapped positions are had in this format. The other arguments are those of
    ``read_trajectory``.

    Raises:
        DataError: What cannot be unwrapped or put together, and times that are unknown or uneven.
    """
    where = f"{source}: " if source else ""
    for name, given in (("frame_interval_ps", frame_interval_ps), ("timestep_fs", timestep_fs)):
        if given is not None and not 1e-6 <= given <= 1e9:
            raise DataError(f"{name} is {given}, expected a time above zero, from 1e-6 to 1e9.")
    if frame_interval_ps is not None and timestep_fs is not None:
        raise DataError("timestep_fs and frame_interval_ps are both given; give one of them.")
    symbols: tuple[str, ...] = ()
    cells: list[np.ndarray] = []
    steps = times = np.empty(0)
    count = 0

    def checked() -> Iterator[Frames]:
        nonlocal symbols, count, steps, times
        for block in blocks:
            if not symbols:
                symbols = check_symbols(block.symbols, source or "symbols")
                known = frame_interval_ps or (timestep_fs and block.steps is not None) or block.times_ps is not None
                if not known:
                    raise DataError(
                        f"{where}the file does not say how much time lies between frames; give --timestep-fs (LAMMPS: "
                        "length of one step) or --frame-interval-ps (Python: timestep_fs=, frame_interval_ps=)."
                    )
            first = start + every * count
            check_cells(block.cells, first, every)
            # NaN is not below the limit either; beyond it, and long before, a coordinate means that the run blew up.
            finite = np.abs(block.positions) < _FARTHEST_A
            if not finite.all():
                frame, atom, _ = np.argwhere(~finite)[0].tolist()
                raise DataError(
                    f"{where}frame {first + every * frame}: a coordinate of atom {atom + 1} is "
                    f"{block.positions[~finite][0]}, expected a number; the run may have blown up, leave these frames "
                    f"out (stop={first + every * frame})."
                )
            steps = steps if block.steps is None else np.append(steps, block.steps)
            times = times if block.times_ps is None else np.append(times, block.times_ps)
            _check_even(steps, start, every, where)
            cells.append(np.broadcast_to(block.cells, (len(block.positions), 3, 3)))
            count += len(block.positions)
            yield block

    notes = [] if notes is None else notes
    with _Growing() as whole, _Growing() as known_offsets:
        paths = unwrapped(checked(), wrapped=wrapped, first=start, every=every, notes=notes, advice=advice)
        for path, part in paths:
            if part is not None:
                if len(known_offsets) < len(whole):  # the cell begins to change
                    known_offsets.append(np.zeros((len(whole), *part.shape[1:]), dtype=np.float32))
                known_offsets.append(part)
            whole.append(path)
        positions = whole.array()
        offsets = known_offsets.array() if len(known_offsets) else None
    if len(positions) < 2:
        raise DataError(
            f"{where}{len(positions)} whole frame(s) chosen, expected at least 2; give more frames."
            + "".join(f" ({n})" for n in notes)
        )
    all_cells = np.concatenate(cells)
    if np.abs(all_cells - all_cells[0]).max() <= 1e-9 * np.abs(all_cells[0]).max():
        all_cells = all_cells[:1].copy()
    return Trajectory(
        symbols,
        positions,
        all_cells,
        _interval_ps(frame_interval_ps, timestep_fs, steps, times, start, every, where),
        temperature_K=temperature_K,
        source=source,
        notes=tuple(notes),
        offsets=offsets,
    )


class _Growing:
    """An array that blocks are appended to, memory-mapped to a temporary file beyond ``IN_MEMORY_BYTES``."""

    def __init__(self) -> None:
        self._kept: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._size = self._frames = 0
        self._like = np.empty((0, 0, 3))

    def __enter__(self) -> _Growing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return self._frames

    def append(self, block: np.ndarray) -> None:
        """Append frames."""
        block = np.ascontiguousarray(block)
        self._size += block.nbytes
        self._frames += len(block)
        self._like = block[:0]
        self._kept.append(block)
        try:
            if self._file is None and self._size > IN_MEMORY_BYTES:
                # Without a name: it vanishes with the array or the process.
                self._file = tempfile.TemporaryFile(prefix="tammann-positions-")
            if self._file is not None:
                for part in self._kept:
                    self._file.write(part.data)
                self._file.flush()
                self._kept.clear()
        except OSError as error:
            raise DataError(
                f"positions do not fit into the temporary folder ({tempfile.gettempdir()}: {error.strerror or error}); "
                "name another by the environment variable TMPDIR."
            ) from None

    def array(self) -> np.ndarray:
        """Return the whole, and keep nothing."""
        frames, shape, kind = self._frames, self._like.shape[1:], self._like.dtype
        if self._file is not None:
            return np.memmap(self._file, dtype=kind, mode="r", shape=(frames, *shape))
        if len(self._kept) == 1:
            return self._kept.pop()
        # The pages of a new array take memory only when written, and each block is freed once copied.
        whole = np.empty((frames, *shape), dtype=kind)
        while self._kept:
            part = self._kept.pop()
            whole[frames - len(part) : frames] = part
            frames -= len(part)
        return whole


def _check_even(values: np.ndarray, start: int, every: int, where: str) -> None:
    """Check that time steps, where known, are evenly spaced."""
    rises = np.diff(values)
    if (rises == rises[:1]).all():
        return
    k = int(np.argmax(rises != rises[0]))
    raise DataError(
        f"{where}frames {start + every * k} and {start + every * (k + 1)} are {rises[k]:g} time steps apart "
        f"({values[k]:g} to {values[k + 1]:g}), those before {rises[0]:g}; expected even spacing: "
        + _even_choice(values, start, every)
    )


def _even_choice(values: np.ndarray, start: int, every: int) -> str:
    """Advise which of the frames read so far are evenly spaced: a stride, or the longest stretch."""
    for stride in range(2, len(values) // 3 + 1):
        rises = np.diff(values[::stride])
        if (rises == rises[0]).all():
            return f"take every={stride * every}."
    rises = np.diff(values)
    edges = np.flatnonzero(np.diff(rises)) + 1
    bounds = np.concatenate([[0], edges, [len(rises)]])
    longest = int(np.argmax(np.diff(bounds)))
    begin, end = int(bounds[longest]), int(bounds[longest + 1])
    common = int(np.gcd.reduce(np.abs(rises).astype(np.int64)))
    return (
        f"take one even stretch (start={start + every * begin}, stop={start + every * end + 1} is the longest seen so "
        f"far), or write a frame every {common} steps throughout."
    )


def _interval_ps(
    frame_interval_ps: float | None,
    timestep_fs: float | None,
    steps: np.ndarray,
    times: np.ndarray,
    start: int,
    every: int,
    where: str,
) -> float:
    """Time between two frames of the trajectory, ps."""
    stated = None
    if len(times) > 1:
        rises = np.diff(times)
        stated = float(times[-1] - times[0]) / (len(times) - 1)
        # Times are written with six digits or more.
        uneven = ~(np.abs(rises - stated) <= 1e-3 * abs(stated) + 2e-6 * np.abs(times).max())
        if stated <= 0 or uneven.any():
            k = int(np.argmax(uneven))
            raise DataError(
                f"{where}frames {start + every * k} and {start + every * (k + 1)} are {rises[k]:g} ps apart, others "
                f"{np.median(rises):g} ps; expected even spacing: take an even stretch with start, stop and every."
            )
    if frame_interval_ps is not None:
        given = frame_interval_ps * every
    elif timestep_fs is not None:
        given = float(steps[1] - steps[0]) * timestep_fs * 1e-3
    else:
        assert stated is not None
        return stated
    if stated is not None and abs(given - stated) > 0.01 * stated:
        raise DataError(
            f"{where}the file says that its frames chosen here are {stated:g} ps apart, the time given makes it "
            f"{given:g} ps; leave out timestep_fs and frame_interval_ps, or mend them."
        )
    return given
