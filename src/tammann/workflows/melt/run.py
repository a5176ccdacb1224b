"""A plan is carried out: the volume of every melt is found, its replicas are recorded, and all of it is measured."""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from tammann.errors import DataError, RecipeError, TammannError
from tammann.workflows.melt.figures import draw_composition, draw_state
from tammann.workflows.melt.folder import (
    Progress,
    Task,
    check_folder,
    finished,
    folder_of,
    formula_as_in,
    last_step,
    note_failure,
    open_folder,
    recorded,
    tasks_of,
)
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.replica import engine_of, record_task, search_volume
from tammann.workflows.melt.state import (
    GLASS_A,
    Melting,
    check_potential,
    largest_error,
    measure,
    measure_all,
    states_of,
    write_growth,
    write_table,
)
from tammann.workflows.melt.workers import TaskProgress, WorkerPool, try_out

__all__ = ["find_melt", "measure_melts", "melt", "record_replica", "steps_left"]

POLL_SECONDS = 2.0


def melt(
    plan: MeltPlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
    workers: int = 1,
) -> Melting:
    """Carry out a plan: find the volume of every melt, record its replicas, and write transport coefficients.

    First replicas of all states come first, then second ones, so that a table is complete early and its errors shrink.
    With ``longest_ps`` in the plan, all replicas of a state are then made twice as long, again and again up to that, as
    long as an error of D_i or L_ii is above ``target_error``; crystals and what would stay a glass are not. Every
    production runs in a process of its own on one thread; with the engine torch-sim all run as threads of one process,
    which computes the forces on their boxes together. Either way less than a minute is lost where it is killed. What
    fails is written down in the folder of its state and tried again by a resumed run, and the others go on. Replicas
    whose trajectories are gone count with what is kept of them, as long as they are; only those that are missing are
    run.

    Args:
        plan: What to compute.
        out: Folder; made where it is missing.
        resume: Go on with the plan in ``out``. The plan given may differ from it in melts, temperatures, replicas and
            lengths: what it asks for is run, and ``out`` keeps, measures and tabulates what else it has.
        progress: Called now and then with the fraction of all steps of molecular dynamics that are known to be needed:
            it only falls where ``longest_ps`` adds some.
        workers: How many productions run at a time.

    Raises:
        RecipeError: Fewer than one worker.
        DataError: The engine or packmol is not installed, or the engine or the potential does not give an energy.
        ResultError: ``out`` holds another plan, or one that is to be gone on with only by ``resume``, or what was
            recorded with another file of the potential.
        OSError: ``out`` cannot be written to.
    """
    if workers < 1:
        raise RecipeError(f"workers: expected a whole number above 0, got {workers}; give at least one.")
    _check(plan)
    place = Path(out)
    plan = _respelled(plan, check_folder(plan, place, resume=resume))
    check_potential(plan, place)
    if _left(plan, place):
        try_out(plan)
    whole = open_folder(plan, place, resume=resume)
    measure_all(whole, place)
    tasks = list(tasks_of(plan, place))
    at_work = {task.folder for task in tasks if not finished(plan, task)}
    account = _account(plan, tasks)
    _carry_out(plan, whole, tasks, place, account, progress, workers)
    for before, length in pairwise(plan.lengths_ps()):
        longer = [
            replace(task, duration_ps=length) for task in tasks_of(plan, place) if _wants_more(plan, task, before)
        ]
        if longer:
            at_work |= {task.folder for task in longer}
            account |= _account(plan, longer)
            _carry_out(plan, whole, longer, place, account, progress, workers)
    _draw(whole, place, at_work)
    return _stock(whole, place)


def measure_melts(plan: MeltPlan, out: str | os.PathLike[str]) -> Melting:
    """Measure what there is of a plan and write the table; nothing is run or drawn.

    Args:
        plan: As of ``melt`` with ``resume``.
        out: Its folder.

    Raises:
        ResultError: ``out`` holds another plan.
        OSError: ``out`` cannot be written to.
    """
    whole = open_folder(plan, Path(out), resume=True)
    measure_all(whole, Path(out))
    return _stock(whole, Path(out))


def steps_left(plan: MeltPlan, out: str | os.PathLike[str]) -> dict[str, int]:
    """What a resumed run would still do in a folder, as far as is known before it is done; nothing is written.

    Args:
        plan: As of ``melt`` with ``resume``.
        out: Its folder.

    Returns:
        ``replicas``: how many replicas are missing or not long enough; what has lost its trajectory counts as long
        enough. ``steps``: of molecular dynamics, at most: errors may come down to ``target_error`` before
        ``longest_ps`` is reached.

    Raises:
        ResultError: As ``melt``.
    """
    plan = _respelled(plan, check_folder(plan, Path(out), resume=True))
    left = _left(plan, Path(out))
    done, steps = (sum(column) for column in zip((0, 0), *_account(plan, left).values(), strict=True))
    return {"replicas": len(left), "steps": steps - done}


def _left(plan: MeltPlan, out: Path) -> list[Task]:
    """The replicas that are missing or not long enough, each with the length that it may come to."""
    left = {task.place: task for task in tasks_of(plan, out) if not finished(plan, task)}
    for before, length in pairwise(plan.lengths_ps()):
        for task in tasks_of(plan, out):
            longer = replace(task, duration_ps=length)
            if _wants_more(plan, task, before) and not finished(plan, longer):
                left[task.place] = longer
    return list(left.values())


def _stock(plan: MeltPlan, place: Path) -> Melting:
    """All states as they are, with the table of those that are diffusive."""
    table = write_table(plan, place)
    write_growth(plan, place)
    return Melting(plan, place, states_of(plan, place), table)


def _respelled(plan: MeltPlan, whole: MeltPlan) -> MeltPlan:
    """A plan with its formulas as the folder has them."""
    return plan.model_copy(update={"melts": tuple(formula_as_in(formula, whole) for formula in plan.melts)})


def _draw(plan: MeltPlan, place: Path, at_work: set[Path]) -> None:
    """Draw the states that have got something new, and those that have no figures yet."""
    for formula in plan.melts:
        new = False
        for temperature in plan.temperatures_K:
            folder = folder_of(place, formula, temperature)
            if (folder / "volume.json").exists() and (folder in at_work or not (folder / "transport.png").exists()):
                draw_state(folder, pressure_GPa=plan.volume.pressure_GPa)
                new = True
        if new:
            draw_composition([folder_of(place, formula, temperature) for temperature in plan.temperatures_K])


def find_melt(
    plan: MeltPlan, out: str | os.PathLike[str], *, formula: str, temperature_K: float, resume: bool = True
) -> Path:
    """Find the volume of one melt of a plan, in this process; for schedulers that share a plan out themselves.

    Args:
        plan: What to compute.
        out: As of ``melt``.
        formula: One of its melts.
        temperature_K: One of its temperatures, K.
        resume: Go on with the plan in ``out``.

    Returns:
        The folder of the melt.

    Raises:
        DataError: As ``melt``, or the run has failed.
        ResultError: As ``melt``.
    """
    _check(plan)
    formula = formula_as_in(formula, open_folder(plan, Path(out), resume=resume))
    check_potential(plan, Path(out))
    task = Task(formula, temperature_K, 1, folder_of(Path(out), formula, temperature_K), plan.production_ps)
    task.folder.mkdir(parents=True, exist_ok=True)
    if not (task.folder / "volume.json").exists():
        with _noting(task.folder, "volume"):
            search_volume(plan, task)
    return task.folder


def record_replica(
    plan: MeltPlan, out: str | os.PathLike[str], *, formula: str, temperature_K: float, replica: int
) -> Path:
    """Record one replica of one melt, in this process, to its end; for schedulers that share a plan out themselves.

    The volume is found where it is not known yet. ``melt`` with ``resume`` then measures what is there.

    Args:
        plan: What to compute.
        out: As of ``melt``.
        formula: One of its melts.
        temperature_K: One of its temperatures, K.
        replica: From 1 on.

    Returns:
        The folder of the replica.

    Raises:
        DataError: As ``melt``, or the run has failed.
        ResultError: As ``melt``.
    """
    folder = find_melt(plan, out, formula=formula, temperature_K=temperature_K)
    task = Task(folder.parent.name, temperature_K, replica, folder, plan.production_ps)
    if not finished(plan, task):
        with _noting(folder, task.place.name):
            record_task(plan, task, os.getppid())
    return task.place


@contextmanager
def _noting(folder: Path, of: str) -> Iterator[None]:
    """Write down what fails in a state, for whoever looks at it later."""
    try:
        yield
    except (TammannError, OSError) as error:
        note_failure(folder, of, str(error))
        raise
    note_failure(folder, of, None)


def _check(plan: MeltPlan) -> None:
    """Refuse what cannot be computed here before anything is written."""
    engine = engine_of(plan)
    for needed, brings in ((engine.package, engine.extra), ("packmol", "lammps")):
        if importlib.util.find_spec(needed) is None:
            raise DataError(f"{needed} is not installed; pip install 'tammann[{brings}]' brings it.")


def _account(plan: MeltPlan, tasks: list[Task]) -> dict[Path, tuple[int, int]]:
    """Steps of molecular dynamics that are done and that there are, at most, by the folder of the replica."""
    account = {}
    searched = set()
    for task in tasks:
        before, steps = plan.steps_before(task.replica), plan.conditions(task.temperature_K).steps(task.duration_ps)
        if finished(plan, task):
            account[task.place] = (before + steps, before + steps)
            continue
        search = 0
        if not (task.folder / "volume.json").exists() and task.folder not in searched:
            searched.add(task.folder)
            search = plan.steps_to_find_volume()
        step = last_step(task.place)
        done = 0 if step is None else min(before + step, before + steps)
        account[task.place] = (done, search + before + steps)
    return account


def _carry_out(
    plan: MeltPlan,
    whole: MeltPlan,
    tasks: list[Task],
    out: Path,
    account: dict[Path, tuple[int, int]],
    progress: Progress | None,
    workers: int,
) -> None:
    """Run the tasks of a plan in their order, as many at a time as there are workers; the folder holds a whole plan."""
    failed: set[Path] = set()
    for task in tasks:
        if finished(plan, task):
            note_failure(task.folder, task.place.name, None)
    waiting = [task for task in tasks if not finished(plan, task)]
    by_place = {task.place: task for task in waiting}
    crew = WorkerPool(plan)
    shown = 0.0

    def tell(what: str) -> None:
        nonlocal shown
        done, every = (sum(column) for column in zip(*account.values(), strict=True))
        shown = max(shown, done / every if every else 1.0)
        if progress is not None:
            progress(shown, what)

    def leave(task: Task) -> None:
        done, _ = account[task.place]  # nobody waits for the rest any more
        account[task.place] = (done, done)

    def end(task: Task, failure: str) -> None:
        note_failure(task.folder, task.place.name, failure or None)
        if failure:
            failed.add(task.folder)
            leave(task)
        else:
            note_failure(task.folder, "volume", None)
            _, every = account[task.place]
            account[task.place] = (every, every)
        measure(whole, task.formula, task.temperature_K, task.folder)
        write_table(whole, out)
        tell(f"{task} {'failed' if failure else 'done'}")

    tell("starting" if waiting else "everything is there already")
    try:
        while waiting or crew.tasks():
            for task in list(waiting):
                known = (task.folder / "volume.json").exists()
                if len(crew.tasks()) >= workers:
                    break
                if task.folder in failed and not known:
                    waiting.remove(task)  # its first replica has said why
                    leave(task)
                elif known or all(other.folder != task.folder for other in crew.tasks()):
                    waiting.remove(task)
                    crew.start(task)
            at = ""
            for said in crew.listen(POLL_SECONDS):
                task = by_place[said.place]
                if isinstance(said, TaskProgress):
                    account[said.place] = said.done, said.steps
                    at = f"{task}, {said.what}"
                else:
                    end(task, said.failure)
                    at = ""
            if at:
                tell(at)
    finally:
        crew.stop()


def _wants_more(plan: MeltPlan, task: Task, before_ps: float) -> bool:
    """Whether the replicas of a state are to be made longer than this: begun already, or its errors are too large.

    A crystal is not, nor what would still be a glass at the longest, its displacement growing with the root of time.
    """
    for place in task.folder.glob("replica-*"):
        record = recorded(place)
        reached_ps = (last_step(place) or 0) * plan.timestep_fs / 1000.0
        if max(reached_ps, 0.0 if record is None else record["duration_ps"]) > before_ps + 0.5:
            return True
    try:
        state = json.loads((task.folder / "melt.json").read_text(encoding="utf-8"))
        mean_ps = float(np.mean(list(state["durations_ps"].values())))
        farthest_A = state["displacement_A"] * math.sqrt(plan.lengths_ps()[-1] / mean_ps)
        if state["crystalline"] or farthest_A < GLASS_A:
            return False
        measured = json.loads((task.folder / "transport.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return False  # what has failed fails again
    return largest_error(measured) > plan.target_error
