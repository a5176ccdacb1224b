"""Carry out a plan: find the volume of every melt, record its replicas, and measure all of them."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from tammann.errors import DataError, RecipeError, TammannError
from tammann.files import lock_folder
from tammann.md.load import load_engine
from tammann.parallel import Progress
from tammann.workflows.melt.figures import draw_composition, draw_state
from tammann.workflows.melt.folder import (
    ReplicaTask,
    check_resume,
    finished,
    formula_as_in,
    last_step,
    load_plan,
    load_replica,
    merged_plan,
    open_folder,
    record_failure,
    replica_tasks,
    state_folder,
)
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.replica import check_potential, record_task
from tammann.workflows.melt.state import (
    GLASS_A,
    MeltState,
    largest_error,
    load_state,
    load_states,
    measure_all,
    measure_state,
)
from tammann.workflows.melt.table import TABLE, write_growth, write_table
from tammann.workflows.melt.volume import search_volume, volume_known
from tammann.workflows.melt.workers import MOST_WORKERS, TaskEnded, WorkerPool, check_energy

POLL_SECONDS = 2.0


@dataclass(frozen=True)
class MeltResult:
    """What the folder ``out`` of ``run_melts`` holds.

    Attributes:
        states: Every composition and temperature, in the order of the plan.
        table: The transport table, or None where no state is diffusive.
    """

    plan: MeltPlan
    out: Path
    states: tuple[MeltState, ...]
    table: Path | None

    def __repr__(self) -> str:
        diffusive = sum(state.diffusive for state in self.states)
        return f"MeltResult({self.out}: {diffusive} of {len(self.states)} states diffusive)"

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes, each with the state that it belongs to."""
        return tuple(
            note if note.startswith(state.name) else f"{state.name}: {note}"
            for state in self.states
            for note in state.notes
        )


def load_melts(out: str | os.PathLike[str]) -> MeltResult:
    """Read what a folder of ``run_melts`` or ``collect`` holds; nothing is computed.

    Raises:
        ResultError: It holds no plan.
    """
    plan, table = load_plan(out), Path(out) / TABLE
    states = load_states(plan, Path(out))
    known = table.exists() and any(state.diffusive for state in states)  # an older one is not the table of these
    return MeltResult(plan, Path(out), states, table if known else None)


def run_melts(
    plan: MeltPlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
    workers: int = 1,
) -> MeltResult:
    """Find the volume of every melt, record its replicas, and write transport coefficients.

    First replicas of all states run first, then second ones, so that a table is complete early and its errors shrink.
    With ``longest_ps`` in the plan the replicas of a state are then made twice as long, again and again up to that
    length, while an error of D_i or L_ii is above ``target_error``; crystals and glasses are not.

    Every replica runs in a process of its own on one thread; with the engine torch-sim all are threads of one process,
    which computes the forces on their boxes together. If it is killed, less than a minute of each is lost. A failure
    is written down in the folder of its state, the others continue, and a resumed run tries again.

    Args:
        plan: Plan.
        out: Folder, made where it is missing.
        resume: Continue what is in ``out``. The plan may differ from the one there in melts, temperatures, replicas and
            lengths: what it asks for is run, and all that ``out`` holds is measured and tabulated.
        progress: Called with the fraction done of all steps known to be needed; falls where ``longest_ps`` adds some.
        workers: Replicas that run at a time.

    Raises:
        RecipeError: No worker, or more than 1024.
        DataError: The engine or packmol is not installed, or the engine or the potential gives no energy.
        ResultError: ``out`` is in use, holds something else, or replicas recorded with another file of the potential.
    """
    if not 1 <= workers <= MOST_WORKERS:
        expected = "above 0" if workers < 1 else f"up to {MOST_WORKERS}"
        raise RecipeError(f"workers: expected a whole number {expected}, got {workers}.")
    folder = Path(out)
    plan, _ = _checked(plan, folder, resume=resume)
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        whole = open_folder(plan, folder)
        measure_all(whole, folder)
        steps = _Steps(progress)
        changed: set[Path] = set()
        for tasks in _rounds(plan, folder):
            changed |= {task.state_folder for task in tasks if not finished(plan, task)}
            _run_tasks(plan, whole, tasks, folder, steps, workers)
        _draw(whole, folder, changed)
        return _result(whole, folder)


def steps_left(plan: MeltPlan, out: str | os.PathLike[str], *, resume: bool = False) -> dict[str, int]:
    """Return what ``run_melts`` would do, as far as that is known now, or refuse what it refuses; nothing is written.

    Returns:
        ``replicas``: how many are missing or not long enough; one without its trajectory counts as long enough.
        ``steps``: of molecular dynamics, at most: errors may reach ``target_error`` before ``longest_ps`` is reached.

    Raises:
        TammannError: As ``run_melts``.
    """
    plan, left = _checked(plan, Path(out), resume=resume)
    counts = _step_counts(plan, left).values()
    return {"replicas": len(left), "steps": sum(steps - done for done, steps in counts)}


def _checked(plan: MeltPlan, out: Path, *, resume: bool) -> tuple[MeltPlan, list[ReplicaTask]]:
    """The plan with its formulas as in the folder, and what of it remains, if nothing is in the way of running it."""
    _check_installed(plan)
    check_resume(out, resume=resume)
    whole = merged_plan(plan, out)
    plan = plan.model_copy(update={"melts": tuple(formula_as_in(formula, whole) for formula in plan.melts)})
    check_potential(plan, out)
    # a later round asks for the same replica at a greater length
    left = {task.folder: task for tasks in _rounds(plan, out) for task in tasks if not finished(plan, task)}
    if left:
        check_energy(plan)
    return plan, list(left.values())


def measure_melts(plan: MeltPlan, out: str | os.PathLike[str]) -> MeltResult:
    """Measure all finished replicas of a plan in its folder and write the table; nothing is run or drawn.

    Raises:
        ResultError: ``out`` holds a plan that this one cannot be added to.
    """
    whole = open_folder(plan, Path(out))
    measure_all(whole, Path(out))
    return _result(whole, Path(out))


def record_replica(
    plan: MeltPlan, out: str | os.PathLike[str], *, formula: str, temperature_K: float, replica: int | None = None
) -> Path:
    """Find the volume of one melt where it is not known yet, and record one replica, in this process.

    For schedulers that distribute a plan themselves; ``measure_melts`` then measures what is there. Replicas are
    numbered from 1 on; None is for the volume alone. The folder of the replica, or of the state, is returned.

    Raises:
        TammannError: As ``run_melts``, or the run has failed.
    """
    _check_installed(plan)
    formula = formula_as_in(formula, open_folder(plan, Path(out)))
    check_potential(plan, Path(out))
    folder = state_folder(Path(out), formula, temperature_K)
    folder.mkdir(parents=True, exist_ok=True)
    task = ReplicaTask(formula, temperature_K, replica or 1, folder, plan.production_ps)
    if not volume_known(folder):
        with _failure_recorded(folder, "volume"):
            search_volume(plan, task)
    if replica is not None and not finished(plan, task):
        with _failure_recorded(folder, task.folder.name):
            record_task(plan, task)
    return folder if replica is None else task.folder


@contextmanager
def _failure_recorded(folder: Path, step: str) -> Iterator[None]:
    try:
        yield
    except (TammannError, OSError) as error:
        record_failure(folder, step, str(error))
        raise
    record_failure(folder, step, None)


def _check_installed(plan: MeltPlan) -> None:
    engine = load_engine(plan.engine)
    for needed, extra in ((engine.package, engine.extra), ("packmol", "lammps")):
        if importlib.util.find_spec(needed) is None:
            raise DataError(f"{needed} is not installed; pip install 'tammann[{extra}]' brings it.")


def _result(plan: MeltPlan, out: Path) -> MeltResult:
    table = write_table(plan, out)
    write_growth(plan, out)
    return MeltResult(plan, out, load_states(plan, out), table)


def _draw(plan: MeltPlan, out: Path, changed: set[Path]) -> None:
    """Draw the states that have changed, and those that have no figures yet."""
    for _, states in groupby(load_states(plan, out), key=lambda state: state.formula):
        searched = [state for state in states if state.volume is not None]
        new = [s for s in searched if s.folder in changed or not (s.folder / "transport.png").exists()]
        for state in new:
            draw_state(state.folder, pressure_GPa=plan.volume.pressure_GPa)
        if new:
            draw_composition(searched)


def _rounds(plan: MeltPlan, out: Path) -> Iterator[list[ReplicaTask]]:
    """Yield all replicas of a plan, then for each greater length those that need it as things stand by then."""
    yield list(replica_tasks(plan, out))
    for before_ps, length_ps in pairwise(plan.lengths_ps()):
        tasks = [task for task in replica_tasks(plan, out) if _needs_longer(plan, task, before_ps)]
        if tasks:
            yield [replace(task, duration_ps=length_ps) for task in tasks]


def _needs_longer(plan: MeltPlan, task: ReplicaTask, length_ps: float) -> bool:
    """Whether the replicas of a state are to be made longer than this: begun already, or its errors are too large.

    A crystal is not, nor a state that would still be a glass at ``longest_ps``, its displacement growing as the square
    root of time.
    """
    for folder in task.state_folder.glob("replica-*"):
        record = load_replica(folder)
        recorded_ps = (last_step(folder) or 0) * plan.timestep_fs / 1000.0
        if max(recorded_ps, 0.0 if record is None else record.duration_ps) > length_ps + 0.5:
            return True
    state = load_state(task.formula, task.temperature_K, task.state_folder)
    if state.melt is None or state.measurement is None:
        return False  # what has failed fails again
    mean_ps = float(np.mean(list(state.melt.durations_ps.values())))
    farthest_A = state.melt.displacement_A * math.sqrt(plan.lengths_ps()[-1] / mean_ps)
    if state.melt.crystalline or farthest_A < GLASS_A:
        return False
    return largest_error(state.measurement) > plan.target_error


def _step_counts(plan: MeltPlan, tasks: list[ReplicaTask]) -> dict[Path, tuple[int, int]]:
    """Steps of molecular dynamics that are done, and that are needed at most, by the folder of the replica."""
    counts: dict[Path, tuple[int, int]] = {}
    searched = set()
    for task in tasks:
        before = plan.steps_before(task.replica)
        needed = before + plan.conditions(task.temperature_K).steps(task.duration_ps)
        if finished(plan, task):
            counts[task.folder] = (needed, needed)
            continue
        step = last_step(task.folder)
        done = 0 if step is None else min(before + step, needed)
        if not volume_known(task.state_folder) and task.state_folder not in searched:
            searched.add(task.state_folder)
            needed += plan.steps_to_find_volume()
        counts[task.folder] = (done, needed)
    return counts


@dataclass
class _Steps:
    """Steps done and needed, over all tasks of a run, for its progress."""

    progress: Progress | None
    counts: dict[Path, tuple[int, int]] = field(default_factory=dict)
    fraction: float = 0.0

    def end(self, task: ReplicaTask, *, failed: bool) -> None:
        done, needed = self.counts[task.folder]
        self.counts[task.folder] = (done, done) if failed else (needed, needed)

    def report(self, what: str, temperature_K: float | None = None) -> None:
        done, needed = (sum(column) for column in zip(*self.counts.values(), strict=True))
        self.fraction = max(self.fraction, done / needed if needed else 1.0)
        if self.progress is not None:
            self.progress(self.fraction, what, temperature_K)


def _run_tasks(
    plan: MeltPlan, whole: MeltPlan, tasks: list[ReplicaTask], out: Path, steps: _Steps, workers: int
) -> None:
    """Run tasks in their order, at most ``workers`` at a time; what they give is measured with the whole plan."""
    steps.counts |= _step_counts(plan, tasks)
    steps.fraction = 0.0
    waiting = []
    for task in tasks:
        if finished(plan, task):
            record_failure(task.state_folder, task.folder.name, None)
        else:
            waiting.append(task)
    by_folder = {task.folder: task for task in waiting}
    failed: set[Path] = set()
    pool = WorkerPool(plan)
    steps.report("starting" if waiting else "everything is there already")
    try:
        while waiting or pool.tasks():
            _start_tasks(pool, waiting, failed, steps, workers)
            latest = None
            for message in pool.messages(POLL_SECONDS):
                task = by_folder[message.folder]
                if isinstance(message, TaskEnded):
                    if message.failure:
                        failed.add(task.state_folder)
                    _end_task(whole, task, message.failure, out, steps)
                    latest = None
                else:
                    steps.counts[message.folder] = message.done, message.steps
                    latest = task, message.what
            if latest is not None:
                steps.report(", ".join(map(str, latest)), latest[0].temperature_K)
    finally:
        pool.stop()


def _start_tasks(pool: WorkerPool, waiting: list[ReplicaTask], failed: set[Path], steps: _Steps, workers: int) -> None:
    """Start waiting tasks while there are workers; the volume of a state is searched for by one task at a time."""
    for task in list(waiting):
        if len(pool.tasks()) >= workers:
            break
        known = volume_known(task.state_folder)
        if task.state_folder in failed and not known:
            waiting.remove(task)  # the failure of its first replica says why
            steps.end(task, failed=True)
        elif known or all(other.state_folder != task.state_folder for other in pool.tasks()):
            waiting.remove(task)
            pool.start(task)


def _end_task(whole: MeltPlan, task: ReplicaTask, failure: str, out: Path, steps: _Steps) -> None:
    """Write down how a task has ended, and measure its state and the table anew."""
    record_failure(task.state_folder, task.folder.name, failure or None)
    if not failure:
        record_failure(task.state_folder, "volume", None)
    steps.end(task, failed=bool(failure))
    measure_state(whole, task.formula, task.temperature_K, task.state_folder)
    write_table(whole, out)
    steps.report(f"{task} {'failed' if failure else 'done'}", task.temperature_K)
