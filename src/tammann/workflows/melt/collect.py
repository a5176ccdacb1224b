"""Gather what is needed to resume a plan in one folder, from all machines that have worked on it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tammann.errors import ResultError
from tammann.files import whole_file
from tammann.parallel import Progress
from tammann.workflows.melt.folder import (
    REPLICA_FILES,
    STATE_FILES,
    ReplicaTask,
    formula_as_in,
    has_summary,
    load_failures,
    load_plan,
    load_replica,
    open_folder,
    record_failure,
    replica_tasks,
    state_folder,
)
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.records import VolumeRecord
from tammann.workflows.melt.replica import summarize
from tammann.workflows.melt.run import measure_melts
from tammann.workflows.melt.volume import volume_known


@dataclass(frozen=True)
class CollectResult:
    """Folders of what ``collect`` has copied, and of what it has not, as the target has another melt of that state."""

    copied: tuple[Path, ...]
    at_another_volume: tuple[Path, ...]


def collect(
    out: str | os.PathLike[str], target: str | os.PathLike[str], *, progress: Progress | None = None
) -> CollectResult:
    """Copy melts and finished replicas, some 35 kB each and no trajectories, and measure all that the target then has.

    A replica that the target has already, at least as long, is left as it is, so that the work of several machines
    gathers in one folder where they have resumed one folder and so have the same melts. A replica at another volume
    than in the target belongs to another melt; it is named and not copied. ``out`` is only read, and may be in use;
    ``target`` can then be resumed.

    Args:
        out: A folder that ``run_melts`` has written.
        target: Made where it is missing. Its plan will hold the melts, temperatures and replicas of both.
        progress: Called after every replica.

    Raises:
        ResultError: ``out`` holds no plan, or ``target`` another one.
    """
    goal, plan = Path(target), load_plan(out)
    both = open_folder(plan, goal)
    copied, apart = [], []
    tasks = [
        # the target may write the formula in another way
        (task, replace(task, state_folder=state_folder(goal, formula_as_in(task.formula, both), task.temperature_K)))
        for task in replica_tasks(plan, Path(out))
    ]
    for number, (task, here) in enumerate(tasks, start=1):
        record, known = load_replica(task.folder), load_replica(here.folder)
        if record is None or (known is not None and known.duration_ps >= record.duration_ps):
            continue
        if volume_known(here.state_folder) and _volume(here.state_folder) != _volume(task.state_folder):
            apart.append(task.folder)
            continue
        _copy_replica(plan, task, here, record.trajectory)
        copied.append(here.folder)
        if progress is not None:
            progress(number / len(tasks), str(task), task.temperature_K)
    for task, here in tasks:
        for step, sentence in load_failures(task.state_folder).items():
            done = volume_known(here.state_folder) if step == "volume" else load_replica(here.state_folder / step)
            if not done:
                record_failure(here.state_folder, step, sentence)
    measure_melts(both, goal)
    return CollectResult(tuple(copied), tuple(apart))


def _copy_replica(plan: MeltPlan, task: ReplicaTask, here: ReplicaTask, trajectory: str) -> None:
    here.folder.mkdir(parents=True, exist_ok=True)
    copies = [(task.state_folder / name, here.state_folder / name) for name in STATE_FILES]
    copies = [(file, target) for file, target in copies if not target.exists()]
    if has_summary(task.folder):
        copies += [(task.folder / name, here.folder / name) for name in REPLICA_FILES if (task.folder / name).exists()]
    for file, target in copies:
        with whole_file(target) as whole:
            whole.write(file.read_bytes())
    if not has_summary(task.folder):
        summarize(plan, task, task.folder / trajectory, here.folder)
    record_failure(here.state_folder, here.folder.name, None)


def _volume(folder: Path) -> float | None:
    try:
        return VolumeRecord.load(folder).volume_A3
    except ResultError:
        return None
