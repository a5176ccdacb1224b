"""What is needed to go on with a folder is gathered in another, from as many machines as have worked."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from tammann.files import whole_file
from tammann.workflows.melt.folder import (
    OF_A_REPLICA,
    OF_A_STATE,
    Progress,
    failures_in,
    folder_of,
    formula_as_in,
    has_summary,
    note_failure,
    open_folder,
    read_plan,
    recorded,
    tasks_of,
)
from tammann.workflows.melt.state import describe, measure_all, write_growth, write_table

__all__ = ["Collected", "collect"]


@dataclass(frozen=True)
class Collected:
    """What ``collect`` has done.

    Attributes:
        taken: The replicas that are new in the target, their folders there.
        at_another_volume: Replicas that were not taken, because the target has another melt of that state: their
            folders in the source.
    """

    taken: tuple[Path, ...]
    at_another_volume: tuple[Path, ...]


def collect(
    out: str | os.PathLike[str], target: str | os.PathLike[str], *, progress: Progress | None = None
) -> Collected:
    """Copy what is needed to go on with a folder of ``melt``, some 35 kB for each replica, and measure it there.

    Taken are the melts and the finished replicas, without trajectories; replicas that ``target`` has already, at least
    as long, are left as they are, so that the work of several machines gathers in one folder, where they have gone on
    from one folder and so with the same melts. Replicas at another volume than the one in ``target`` are of another
    melt; they are named and not taken. ``out`` is only read, and may be at work. ``target`` is then a folder that
    ``melt`` goes on with by ``resume``.

    Args:
        out: A folder that ``melt`` has written.
        target: Made where it is missing. Its plan comes to hold the melts, temperatures and replicas of both.
        progress: Called after every replica.

    Raises:
        ResultError: ``out`` holds no plan, or ``target`` another one.
        OSError: ``target`` cannot be written to.
    """
    source, place = Path(out), Path(target)
    plan = read_plan(source / "plan.json")
    both = open_folder(plan, place, resume=True)
    tasks, taken, apart = list(tasks_of(plan, source)), [], []
    for number, task in enumerate(tasks, start=1):
        record = recorded(task.place)
        here = replace(task, folder=folder_of(place, formula_as_in(task.formula, both), task.temperature_K))
        there = recorded(here.place)
        if record is None or (there is not None and there["duration_ps"] >= record["duration_ps"]):
            continue
        if (here.folder / "volume.json").exists() and _volume(here.folder) != _volume(task.folder):
            apart.append(task.place)
            continue
        here.place.mkdir(parents=True, exist_ok=True)
        for name in OF_A_STATE:
            if not (here.folder / name).exists():
                _copy(task.folder / name, here.folder / name)
        if has_summary(task.place):
            for name in OF_A_REPLICA:  # the record last: it says that all is there
                if (task.place / name).exists():
                    _copy(task.place / name, here.place / name)
        else:
            describe(plan, task, task.place / record["trajectory"], here.place)
        note_failure(here.folder, here.place.name, None)
        taken.append(here.place)
        if progress is not None:
            progress(number / len(tasks), str(task))
    for task in tasks:
        folder = folder_of(place, formula_as_in(task.formula, both), task.temperature_K)
        for of, sentence in failures_in(task.folder).items():
            if recorded(folder / of) is None and not (of == "volume" and (folder / "volume.json").exists()):
                note_failure(folder, of, sentence)
    measure_all(both, place)
    write_table(both, place)
    write_growth(both, place)
    return Collected(tuple(taken), tuple(apart))


def _volume(folder: Path) -> float | None:
    try:
        return float(json.loads((folder / "volume.json").read_text(encoding="utf-8"))["volume_A3"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _copy(file: Path, target: Path) -> None:
    with whole_file(target) as whole, file.open("rb") as opened:
        shutil.copyfileobj(opened, whole)
