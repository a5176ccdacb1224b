"""The work on one replica, in this process: its melt is found, then it is recorded and summed up."""

from __future__ import annotations

import itertools
import json
import math
import os
import zlib
from collections.abc import Callable
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tammann.errors import ResultError
from tammann.files import whole_file, write_text
from tammann.md.conditions import MDRun
from tammann.md.engine import Engine
from tammann.md.equation_of_state import VolumePoint, find_volume, let_volume_settle
from tammann.md.load import load_engine
from tammann.potentials import load_potential
from tammann.structures import Configuration, atoms_in_box, estimate_volume_per_atom, random_packing
from tammann.workflows.melt.folder import Task, last_step, plain
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.state import describe

__all__ = ["Tell", "compute_once", "engine_of", "record_task", "search_volume"]


Tell = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what is being done."""


def engine_of(plan: MeltPlan) -> Engine:
    """Return the engine of a plan."""
    return load_engine(plan.engine)


def compute_once(plan: MeltPlan) -> None:
    """Compute one energy of the first melt.

    Raises:
        DataError: The engine or the potential cannot be had, or fails.
    """
    engine_of(plan).single_point(_grid(plan), load_potential(plan.potential))


def _tell_nobody(done: int, steps: int, what: str) -> None:
    pass


def record_task(plan: MeltPlan, task: Task, parent: int, tell: Tell = _tell_nobody) -> None:
    """Find the volume where it is not known yet, then produce, and sum up."""
    engine, potential = engine_of(plan), load_potential(plan.potential)
    task.folder.mkdir(parents=True, exist_ok=True)
    conditions = plan.conditions(task.temperature_K)
    before, steps = plan.steps_before(task.replica), conditions.steps(task.duration_ps)
    search = 0
    if not (task.folder / "volume.json").exists():
        search = search_volume(plan, task, lambda done, most, what: tell(done, most + before + steps, what))
    start = _read_configuration(task.folder / "melt.npz")
    rng = _rng(plan, task.formula, task.temperature_K, task.replica)
    every = search + before + steps
    if last_step(task.place) is None:
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
    tell(search + before + (last_step(task.place) or 0), every, "production")
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


def search_volume(plan: MeltPlan, task: Task, tell: Tell = _tell_nobody) -> int:
    """Find the volume of a state, going on with a search that was interrupted; the steps it took."""
    engine, potential = engine_of(plan), load_potential(plan.potential)
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

    def advance(configuration: Configuration, duration_ps: float) -> MDRun:
        # numbers of its own for every run, so that a search that is gone on with is the same
        rng = _rng(plan, task.formula, task.temperature_K, 0, next(legs))
        leg = engine.run(configuration, potential, conditions, duration_ps=duration_ps, rng=rng)
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
    write_text(task.folder / "structure.extxyz", melt_.to_extxyz())
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
    engine, potential = engine_of(plan), load_potential(plan.potential)
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
    melted = engine.run(relaxed, potential, hot, duration_ps=plan.melt_ps, rng=rng)
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
