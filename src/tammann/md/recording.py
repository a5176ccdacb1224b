"""A trajectory in a folder, piece by piece, whatever engine makes it: what is there survives a kill.

Every twenty seconds or so the frames, the stress and the whole state of the run are on disk. The folder of a finished
run holds ``trajectory-STEPS.dump.gz`` (LAMMPS text: id element xu yu zu, Å, unwrapped; step zero included),
``stress-STEPS.npy`` (float32, columns temperature_K, energy_eV_per_atom, xx, yy, zz, xy, xz, yz in GPa, volume_A3) and
``restart-STEPS.bin``, the state that it goes on from when it is made longer; that of a run under way has
``frames-STEPS.dump.gz`` and ``sample-STEPS.npy`` of each piece instead of the first two, and the file ``lock``.

One process at a time records in a folder; another one waits for it. Pieces are joined only where each begins at the
step at which the one before ends, so that what a second process may have left there is never part of a trajectory.
"""

from __future__ import annotations

import gzip
import os
import re
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

try:
    import fcntl
except ImportError:  # Windows has none; there nobody waits, and pieces of a second process are refused one by one
    fcntl = None  # type: ignore[assignment]

from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import whole_file
from tammann.md.conditions import Conditions

__all__ = ["Piece", "Recording", "check_sane", "record", "take_up"]

SEGMENT_SECONDS = 20.0
WAIT_SECONDS = 120.0
"""Longest wait for another process: that of a killed run leaves after the segment it is at."""
POLL_SECONDS = 0.2


@dataclass(frozen=True, eq=False)
class Piece:
    """What a stretch of a run has recorded.

    Attributes:
        samples: Shape (M, 9), the columns of ``stress-STEPS.npy``.
        frames: A whole gzip file of frames.
    """

    samples: np.ndarray
    frames: bytes


@dataclass(frozen=True)
class Recording:
    """Runs side by side, each in a folder, all at the same step.

    Attributes:
        folders: One for each run.
        done: Step that they can be gone on with from; None where they have not begun.
        total: Step at which they are to end, a multiple of ``frame_every``.
        frame_every: Steps between frames.
        sample_every: Steps between records of the stress.
    """

    folders: tuple[Path, ...]
    done: int | None
    total: int
    frame_every: int
    sample_every: int

    def restart(self, folder: Path) -> Path:
        """The state that a run goes on from."""
        return folder / f"restart-{self.done}.bin"

    def finished(self) -> tuple[Path, ...] | None:
        """The trajectories, where all of them are there and long enough."""
        ends = [_last(folder, "trajectory-", ".dump.gz") for folder in self.folders]
        if any(end is None or end < self.total for end in ends):
            return None
        return tuple(f / f"trajectory-{end}.dump.gz" for f, end in zip(self.folders, ends, strict=True))


@contextmanager
def take_up(
    folders: Sequence[str | os.PathLike[str]],
    conditions: Conditions,
    *,
    duration_ps: float,
    frame_fs: float,
    sample_fs: float,
) -> Iterator[Recording]:
    """Make folders ready for runs to begin or to go on, and keep other processes out of them.

    What a killed run left unfinished is removed. Where another process records in one of the folders, this one waits
    until it has left.

    Args:
        folders: Made where they are missing.
        conditions: For the step.
        duration_ps: Length of the whole trajectories, ps.
        frame_fs: Time between frames, fs, a multiple of ``sample_fs``.
        sample_fs: Time between records of the stress, fs.

    Yields:
        What there is, for ``record``.

    Raises:
        RecipeError: Frames that fall between records.
        ResultError: A folder holds what cannot be gone on with, or another process does not leave it.
    """
    places = tuple(Path(folder) for folder in folders)
    sample_every = max(1, round(sample_fs / conditions.timestep_fs))
    frame_every = round(frame_fs / conditions.timestep_fs)
    if frame_every < sample_every or frame_every % sample_every:
        raise RecipeError(f"frame_fs: expected a multiple of the {sample_fs:g} fs between samples, got {frame_fs:g}.")
    total = conditions.steps(duration_ps) // frame_every * frame_every
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as alone:
        for place in sorted(set(places)):  # in one order, so that no two batches wait for each other
            alone.enter_context(_alone(place))
        # runs side by side may have been killed between the first and the last of their states
        states = [set(_steps(place, "restart-", ".bin")) for place in places]
        shared = set.intersection(*states)
        if any(states) and not shared:
            raise ResultError(
                f"{places[0]}: the runs beside each other share no step to go on from; remove their folders."
            )
        every = (frame_every, sample_every)
        whole = [step for step in shared if all(_chain(place, step, *every) is not None for place in places)]
        if shared and not whole:
            raise ResultError(
                f"{places[0]}: expected pieces every {frame_fs:g} fs (stress every {sample_fs:g} fs) that lead up to "
                f"step {max(shared)}, got a gap; remove the folder and run it again."
            )
        recording = Recording(places, max(whole, default=None), total, frame_every, sample_every)
        for place in places:
            _clean(place, recording)
        yield recording


def record(
    recording: Recording,
    conditions: Conditions,
    segment: Callable[[int, int, bool], Sequence[Piece]],
    save: Callable[[Sequence[Path]], None],
    *,
    progress: Callable[[float], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Path, ...] | None:
    """Carry runs to their end, piece by piece.

    Args:
        recording: What ``take_up`` has made ready.
        conditions: To tell a run that has exploded.
        segment: Moves all runs from one step to another and returns what each has recorded; what belongs to the first
            step is recorded only where the last argument says that the run begins there.
        save: Writes the state of each run to its path.
        progress: Called with the fraction done.
        stop: Asked after every piece; where it says True the runs are left as they stand.

    Returns:
        The trajectories, or None where ``stop`` ended the runs before.

    Raises:
        DataError: A run has exploded; whatever ``segment`` raises.
        ResultError: Another process has recorded in the folders meanwhile.
    """
    step, fresh = recording.done or 0, recording.done is None
    every, per_segment = recording.frame_every, recording.frame_every
    while step < recording.total:
        clock = time.monotonic()
        steps = min(per_segment, recording.total - step)
        end = step + steps
        pieces = segment(step, end, fresh)
        for folder in recording.folders:
            # only where files cannot be locked
            if _last(folder, "restart-", ".bin") != (None if fresh else step):
                raise ResultError(_busy(folder))
        for folder, piece in zip(recording.folders, pieces, strict=True):
            check_sane(piece.samples, conditions)
            with whole_file(folder / f"sample-{end}.npy") as file:
                np.save(file, piece.samples.astype(np.float32))
            with whole_file(folder / f"frames-{end}.dump.gz") as file:
                file.write(piece.frames)
        _write_restarts(recording.folders, end, save)
        step, fresh = end, False
        if progress is not None:
            progress(step / recording.total)
        if stop is not None and stop():
            return None
        pace = steps / max(time.monotonic() - clock, 1e-3)
        per_segment = max(1, round(pace * SEGMENT_SECONDS / every)) * every
        per_segment = min(per_segment, 10 * steps)  # the first segments are short, and their pace is no measure
    return tuple(_assemble(folder, recording) for folder in recording.folders)


def check_sane(samples: np.ndarray, conditions: Conditions, *, final_temperature_K: float | None = None) -> None:
    """Refuse a stretch whose atoms have become far hotter than their bath.

    Raises:
        DataError: The run has exploded.
    """
    hottest = max(conditions.temperature_K, final_temperature_K or 0.0)
    mean = float(np.mean(samples[-max(1, len(samples) // 4) :, 0]))
    if not np.isfinite(samples).all() or mean > 2.0 * hottest + 500.0:
        raise DataError(
            f"the run at {conditions.temperature_K:g} K has exploded (its atoms reached {mean:.0f} K); take a step "
            f"shorter than {conditions.timestep_fs:g} fs, a looser packing, or another potential."
        )


def _write_restarts(folders: Sequence[Path], step: int, save: Callable[[Sequence[Path]], None]) -> None:
    partial = [folder / f"restart.{os.getpid()}.partial" for folder in folders]
    save(partial)
    for folder, file in zip(folders, partial, strict=True):
        os.replace(file, folder / f"restart-{step}.bin")
    for folder in folders:  # only now: until all are there, the old ones are what all runs share
        for old in _steps(folder, "restart-", ".bin"):
            if old < step:
                (folder / f"restart-{old}.bin").unlink(missing_ok=True)


def _assemble(place: Path, recording: Recording) -> Path:
    """Join the pieces: the stress first, then the frames, whose name then says that all of it is there."""
    finished = _last(place, "trajectory-", ".dump.gz")
    total = max(recording.total, recording.done or 0)  # it may have been meant to become longer than it is now
    target = place / f"trajectory-{total}.dump.gz"
    ends = _chain(place, total, recording.frame_every, recording.sample_every)
    if ends is None:
        raise ResultError(_busy(place))
    if ends:
        stress = [place / f"stress-{finished}.npy"] if finished else []
        stress += [place / f"sample-{end}.npy" for end in ends]
        with whole_file(place / f"stress-{total}.npy") as file:
            np.save(file, np.concatenate([np.load(piece) for piece in stress]))
        frames = [place / f"trajectory-{finished}.dump.gz"] if finished else []
        frames += [place / f"frames-{end}.dump.gz" for end in ends]
        with whole_file(target) as file:
            for piece in frames:  # members of a gzip file may follow one another
                file.write(piece.read_bytes())
    _clean(place, replace(recording, done=total))
    return target


def _chain(place: Path, end: int, frame_every: int, sample_every: int) -> list[int] | None:
    """The steps at which the pieces end that lead to ``end`` without a gap; None where there is one.

    The first of them begins where the trajectory ends that has been joined already, or where the run does.
    """
    finished = _last(place, "trajectory-", ".dump.gz")
    ends: list[int] = []
    while end != finished:
        try:
            samples = len(np.load(place / f"sample-{end}.npy", mmap_mode="r"))
            with gzip.open(place / f"frames-{end}.dump.gz") as file:
                first = int(file.read(64).split(b"\n")[1])
        except (OSError, EOFError, ValueError, IndexError, TypeError, zlib.error):
            return None
        # the piece at which a run begins holds step zero too
        fresh = first == 0
        begin = end - (samples - fresh) * sample_every
        if begin >= end or first != (0 if fresh else begin + frame_every):
            return None
        ends.append(end)
        if fresh:
            return ends[::-1] if begin == 0 and finished is None else None
        end = begin
    return ends[::-1]


def _clean(place: Path, recording: Recording) -> None:
    """Remove what a killed run left unfinished and what does not lead to the step to go on from."""
    for left in place.glob("*.partial"):
        left.unlink(missing_ok=True)
    done, finished = recording.done, _last(place, "trajectory-", ".dump.gz")
    if finished is not None and (done is None or done < finished):
        raise ResultError(f"{place}: the trajectory has no state to go on from; remove the folder and run it again.")
    pieces = None if done is None else _chain(place, done, recording.frame_every, recording.sample_every)
    kept: dict[str, Collection[int | None]] = {
        "trajectory-*.dump.gz": [finished],
        "stress-*.npy": [finished],
        "frames-*.dump.gz": pieces or [],
        "sample-*.npy": pieces or [],
        "restart-*.bin": [done],
    }
    for names, ends in kept.items():
        prefix, suffix = names.split("*")
        for end in _steps(place, prefix, suffix):
            if end not in ends:
                (place / f"{prefix}{end}{suffix}").unlink(missing_ok=True)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keep other processes out of a folder, waiting for one that is there; its death lets others in.

    The file that is locked is there only meanwhile. Where files cannot be locked, nobody waits.

    Raises:
        ResultError: The other process does not leave.
    """
    path = place / "lock"
    until = time.monotonic() + WAIT_SECONDS
    descriptor = None
    while fcntl is not None and descriptor is None:
        try:
            opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # a folder that cannot be written to
            break
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # whoever was here before has removed the file that it held
            if os.path.samestat(os.fstat(opened), os.stat(path)):
                descriptor = opened
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(opened)
                raise ResultError(_busy(place)) from None
            time.sleep(POLL_SECONDS)
        except FileNotFoundError:
            pass
        except OSError:  # a file system that knows no locks
            os.close(opened)
            path.unlink(missing_ok=True)
            break
        if descriptor is None:
            os.close(opened)
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def _busy(place: Path) -> str:
    return f"{place}: is being recorded by another run; wait for it or stop it."


def _steps(place: Path, prefix: str, suffix: str) -> list[int]:
    pattern = re.compile(re.escape(prefix) + r"(\d+)" + re.escape(suffix))
    return sorted(int(m.group(1)) for entry in place.iterdir() if (m := pattern.fullmatch(entry.name)))


def _last(place: Path, prefix: str, suffix: str) -> int | None:
    found = _steps(place, prefix, suffix)
    return found[-1] if found else None
