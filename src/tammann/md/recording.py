"""A trajectory recorded in a folder, segment by segment, by any engine; what is on disk survives a kill.

About every twenty seconds the frames, the samples and the state of the simulation are written. The folder of a finished
run holds ``trajectory-STEPS.dump.gz`` (LAMMPS text: id element xu yu zu, Å, unwrapped; step zero included),
``stress-STEPS.npy`` (float32, columns temperature_K, energy_eV_per_atom, xx, yy, zz, xy, xz, yz in GPa, volume_A3) and
``restart-STEPS.bin``, the state from which it can be made longer. While it runs there are ``frames-STEPS.dump.gz`` and
``sample-STEPS.npy`` of each segment instead of the first two, and the file ``lock``.

One process at a time records in a folder; a second one waits. Segments are joined only where each begins at the step at
which the one before ends, so that files left by a second process never enter a trajectory.
"""

from __future__ import annotations

import gzip
import os
import re
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tammann.errors import RecipeError, ResultError
from tammann.files import lock_folder, whole_file, whole_path
from tammann.md.conditions import Conditions, explosion

SEGMENT_SECONDS = 20.0
WAIT_SECONDS = 120.0
"""Longest wait for another process; that of a killed run leaves after its present segment."""
IN_USE = "being recorded"


@dataclass(frozen=True, eq=False)
class Segment:
    """Samples, shape (M, 9), the columns of ``stress-STEPS.npy``, and frames, a whole gzip file, of some time steps."""

    samples: np.ndarray
    frames: bytes = b""


@dataclass(frozen=True)
class Recording:
    """The recording of a run in a folder, with its steps between frames and between samples.

    It ends at step ``total``, a multiple of ``frame_every``, and can be resumed from ``step``, None where it has not
    begun.
    """

    folder: Path
    step: int | None
    total: int
    frame_every: int
    sample_every: int

    @property
    def restart(self) -> Path:
        """File of the state from which the run can be resumed."""
        return self.folder / f"restart-{self.step}.bin"

    def trajectory(self) -> Path | None:
        """Return the trajectory where it is complete."""
        end = _last(self.folder, "trajectory-*.dump.gz")
        return None if end is None or end < self.total else self.folder / f"trajectory-{end}.dump.gz"


@contextmanager
def open_recording(
    folder: str | os.PathLike[str], conditions: Conditions, *, duration_ps: float, frame_fs: float, sample_fs: float
) -> Iterator[Recording]:
    """Prepare a folder for a run that begins or is resumed, and lock it.

    Incomplete files of a killed run are removed. Where another process records in the folder, wait until it has left.
    The arguments are those of ``Engine.produce``.

    Raises:
        RecipeError: Frames that fall between samples, or a duration shorter than a frame.
        ResultError: The folder holds a run that cannot be resumed, or another process does not leave it.
    """
    folder = Path(folder)
    sample_every = max(1, round(sample_fs / conditions.timestep_fs))
    frame_every = round(frame_fs / conditions.timestep_fs)
    if frame_every < sample_every or frame_every % sample_every:
        raise RecipeError(f"frame_fs: expected a multiple of the {sample_fs:g} fs between samples, got {frame_fs:g}.")
    total = conditions.steps(duration_ps) // frame_every * frame_every
    if not total:
        raise RecipeError(f"duration_ps: expected at least one frame of {frame_fs:g} fs, got {duration_ps:g} ps.")
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, wait_s=WAIT_SECONDS, use=IN_USE):
        recording = Recording(folder, None, total, frame_every, sample_every)
        states = _steps(folder, "restart-*.bin")
        complete = [step for step in states if _chain(recording, step) is not None]
        if states and not complete:
            raise ResultError(
                f"{folder}: expected segments with frames every {frame_fs:g} fs (samples every {sample_fs:g} fs) that "
                f"lead up to step {max(states)}, got a gap; remove the folder and run it again."
            )
        recording = replace(recording, step=max(complete, default=None))
        _clean(recording)
        yield recording


def record(
    recording: Recording,
    conditions: Conditions,
    advance: Callable[[int], Segment],
    save: Callable[[Path], None],
    *,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Run to the end, segment by segment, and return the trajectory.

    ``advance`` takes time steps, ``save`` writes the state.

    Raises:
        DataError: The run has exploded; whatever ``advance`` or ``progress`` raises.
        ResultError: Another process has recorded in the folder meanwhile.
    """
    folder, step, every = recording.folder, recording.step or 0, recording.frame_every
    saved, per_segment = recording.step, every
    while step < recording.total:
        clock = time.monotonic()
        steps = min(per_segment, recording.total - step)
        segment = advance(steps)
        if _last(folder, "restart-*.bin") != saved:  # possible only where files cannot be locked
            raise ResultError(_busy(folder))
        check_temperature(segment.samples, conditions)
        step += steps
        with whole_file(folder / f"sample-{step}.npy") as file:
            np.save(file, segment.samples.astype(np.float32))
        with whole_file(folder / f"frames-{step}.dump.gz") as file:
            file.write(segment.frames)
        with whole_path(folder / f"restart-{step}.bin") as partial:
            save(partial)
        if saved is not None:
            (folder / f"restart-{saved}.bin").unlink(missing_ok=True)
        saved = step
        if progress is not None:
            progress(step / recording.total)
        steps_per_second = steps / max(time.monotonic() - clock, 1e-3)
        per_segment = max(1, round(steps_per_second * SEGMENT_SECONDS / every)) * every
        per_segment = min(per_segment, 10 * steps)  # the first segments are too short to judge the speed by
    return _assemble(recording)


def check_temperature(samples: np.ndarray, conditions: Conditions, *, final_temperature_K: float | None = None) -> None:
    """Refuse samples, shape (M, 9), whose atoms have become far hotter in the last quarter than the thermostat."""
    hottest = max(conditions.temperature_K, final_temperature_K or 0.0)
    mean = float(np.mean(samples[-max(1, len(samples) // 4) :, 0]))
    if not np.isfinite(samples).all() or mean > 2.0 * hottest + 500.0:
        raise explosion(conditions, f"its atoms reached {mean:.0f} K")


def _assemble(recording: Recording) -> Path:
    """Join the segments: the samples first, then the frames, whose file name then marks the run as complete."""
    folder, finished = recording.folder, _last(recording.folder, "trajectory-*.dump.gz")
    total = max(recording.total, recording.step or 0)  # an earlier call may have asked for a longer run
    target = folder / f"trajectory-{total}.dump.gz"
    ends = _chain(recording, total)
    if ends is None:
        raise ResultError(_busy(folder))
    if ends:
        samples = [folder / f"stress-{finished}.npy"] if finished else []
        samples += [folder / f"sample-{end}.npy" for end in ends]
        with whole_file(folder / f"stress-{total}.npy") as file:
            np.save(file, np.concatenate([np.load(part) for part in samples]))
        frames = [folder / f"trajectory-{finished}.dump.gz"] if finished else []
        frames += [folder / f"frames-{end}.dump.gz" for end in ends]
        with whole_file(target) as file:
            for part in frames:  # members of a gzip file may follow one another
                file.write(part.read_bytes())
    _clean(replace(recording, step=total))
    return target


def _chain(recording: Recording, end: int) -> list[int] | None:
    """Return the last steps of the segments that lead to ``end`` without a gap; None where there is a gap.

    The first of them begins where the trajectory assembled so far ends, or at step zero.
    """
    folder, finished = recording.folder, _last(recording.folder, "trajectory-*.dump.gz")
    ends: list[int] = []
    while end != finished:
        try:
            samples = len(np.load(folder / f"sample-{end}.npy", mmap_mode="r"))
            with gzip.open(folder / f"frames-{end}.dump.gz") as file:
                first = int(file.read(64).split(b"\n")[1])
        except (OSError, EOFError, ValueError, IndexError, TypeError, zlib.error):
            return None
        fresh = first == 0  # the first segment holds step zero too
        begin = end - (samples - fresh) * recording.sample_every
        if begin >= end or first != (0 if fresh else begin + recording.frame_every):
            return None
        ends.append(end)
        if fresh:
            return ends[::-1] if begin == 0 and finished is None else None
        end = begin
    return ends[::-1]


def _clean(recording: Recording) -> None:
    """Remove incomplete files of a killed run and segments that do not lead to the step to resume from."""
    folder, step = recording.folder, recording.step
    for left in folder.glob("*.partial"):
        left.unlink(missing_ok=True)
    finished = _last(folder, "trajectory-*.dump.gz")
    if finished is not None and (step is None or step < finished):
        raise ResultError(f"{folder}: the trajectory has no state to resume from; remove the folder and run it again.")
    ends = None if step is None else _chain(recording, step)
    kept: dict[str, Collection[int | None]] = {
        "trajectory-*.dump.gz": [finished],
        "stress-*.npy": [finished],
        "frames-*.dump.gz": ends or [],
        "sample-*.npy": ends or [],
        "restart-*.bin": [step],
    }
    for names, steps in kept.items():
        for end in set(_steps(folder, names)).difference(steps):
            (folder / names.replace("*", str(end))).unlink(missing_ok=True)


def _busy(folder: Path) -> str:
    return f"{folder}: is {IN_USE} by another run; wait for it or stop it."


def _steps(folder: Path, names: str) -> list[int]:
    """Return the numbers in place of the ``*`` in the names of files."""
    pattern = re.compile(re.escape(names).replace(r"\*", r"(\d+)"))
    return [int(m[1]) for entry in folder.iterdir() if (m := pattern.fullmatch(entry.name))]


def _last(folder: Path, names: str) -> int | None:
    return max(_steps(folder, names), default=None)
