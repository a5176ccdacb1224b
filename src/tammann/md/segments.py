"""A trajectory in a folder, piece by piece, whatever engine makes it: what is there survives a kill.

Every twenty seconds or so the frames, the stress and the whole state of the run are on disk. The folder of a finished
run holds ``trajectory-STEPS.dump.gz`` (LAMMPS text: id element xu yu zu, Å, unwrapped; step zero included),
``stress-STEPS.npy`` (float32, columns temperature_K, energy_eV_per_atom, xx, yy, zz, xy, xz, yz in GPa, volume_A3) and
``restart-STEPS.bin``, the state that it goes on from when it is made longer; that of a run under way has
``frames-STEPS.dump.gz`` and ``sample-STEPS.npy`` of each piece instead of the first two.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import whole_file
from tammann.md.dynamics import Conditions

__all__ = ["Piece", "Recording", "check_sane", "record", "take_up"]

SEGMENT_SECONDS = 20.0


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


def take_up(
    folders: Sequence[str | os.PathLike[str]],
    conditions: Conditions,
    *,
    duration_ps: float,
    frame_fs: float,
    sample_fs: float,
) -> Recording:
    """Make folders ready for runs to begin or to go on; what a killed run left unfinished is removed.

    Args:
        folders: Made where they are missing.
        conditions: For the step.
        duration_ps: Length of the whole trajectories, ps.
        frame_fs: Time between frames, fs, a multiple of ``sample_fs``.
        sample_fs: Time between records of the stress, fs.

    Raises:
        RecipeError: Frames that fall between records.
        ResultError: A folder holds what cannot be gone on with.
    """
    places = tuple(Path(folder) for folder in folders)
    sample_every = max(1, round(sample_fs / conditions.timestep_fs))
    frame_every = round(frame_fs / conditions.timestep_fs)
    if frame_every < sample_every or frame_every % sample_every:
        raise RecipeError(f"frame_fs: expected a multiple of the {sample_fs:g} fs between samples, got {frame_fs:g}.")
    total = conditions.steps(duration_ps) // frame_every * frame_every
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    # runs side by side may have been killed between the first and the last of their states
    states = [set(_steps(place, "restart-", ".bin")) for place in places]
    shared = set.intersection(*states)
    if any(states) and not shared:
        raise ResultError(f"{places[0]}: the runs beside each other share no step to go on from; remove their folders.")
    done = max(shared) if shared else None
    for place in places:
        _clean(place, done)
    return Recording(places, done, total, frame_every, sample_every)


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
    """
    step, fresh = recording.done or 0, recording.done is None
    every, per_segment = recording.frame_every, recording.frame_every
    while step < recording.total:
        clock = time.monotonic()
        steps = min(per_segment, recording.total - step)
        end = step + steps
        pieces = segment(step, end, fresh)
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
    return tuple(_assemble(folder, recording.total) for folder in recording.folders)


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


def _assemble(place: Path, total: int) -> Path:
    """Join the pieces: the stress first, then the frames, whose name then says that all of it is there."""
    finished = _last(place, "trajectory-", ".dump.gz") or 0
    target = place / f"trajectory-{total}.dump.gz"
    if finished < total:
        stress = [np.load(place / f"stress-{finished}.npy")] if finished else []
        stress += [np.load(place / f"sample-{end}.npy") for end in _steps(place, "sample-", ".npy") if end > finished]
        with whole_file(place / f"stress-{total}.npy") as file:
            np.save(file, np.concatenate(stress))
        pieces = [place / f"trajectory-{finished}.dump.gz"] if finished else []
        pieces += [place / f"frames-{end}.dump.gz" for end in _steps(place, "frames-", ".dump.gz") if end > finished]
        with whole_file(target) as file:
            for piece in pieces:  # members of a gzip file may follow one another
                file.write(piece.read_bytes())
    _clean(place, _last(place, "restart-", ".bin"))
    return target


def _clean(place: Path, done: int | None) -> None:
    """Remove what a killed run left unfinished and what goes beyond the step to go on from."""
    for left in place.glob("*.partial"):
        left.unlink(missing_ok=True)
    finished = _last(place, "trajectory-", ".dump.gz")
    if finished is not None and (done is None or done < finished):
        raise ResultError(f"{place}: the trajectory has no state to go on from; remove the folder and run it again.")
    for prefix, suffix in (("trajectory-", ".dump.gz"), ("stress-", ".npy")):
        for end in _steps(place, prefix, suffix):
            if end != finished:
                (place / f"{prefix}{end}{suffix}").unlink()
    for prefix, suffix in (("frames-", ".dump.gz"), ("sample-", ".npy")):
        for end in _steps(place, prefix, suffix):
            if done is None or end > done or end <= (finished or 0):
                (place / f"{prefix}{end}{suffix}").unlink()
    for end in _steps(place, "restart-", ".bin"):
        if end != done:
            (place / f"restart-{end}.bin").unlink()


def _steps(place: Path, prefix: str, suffix: str) -> list[int]:
    pattern = re.compile(re.escape(prefix) + r"(\d+)" + re.escape(suffix))
    return sorted(int(m.group(1)) for entry in place.iterdir() if (m := pattern.fullmatch(entry.name)))


def _last(place: Path, prefix: str, suffix: str) -> int | None:
    found = _steps(place, prefix, suffix)
    return found[-1] if found else None
