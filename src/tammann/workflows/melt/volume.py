"""The volume of one melt: a random packing is melted, and the volume at which its pressure vanishes is found."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tammann.errors import ResultError
from tammann.files import whole_file, write_text
from tammann.md.conditions import MDRun
from tammann.md.equation_of_state import VolumePoint, equilibrate_volume, find_volume
from tammann.md.load import load_engine
from tammann.md.starts import random_start
from tammann.potentials import load_potential
from tammann.potentials.calculators import ModelFile
from tammann.structures import Configuration
from tammann.workflows.melt.folder import MELT, STRUCTURE, ReplicaTask
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.records import VolumeRecord

SEARCH = "search.npz"
RESCALED = 0.02
"""Relative change of volume beyond which atoms are relaxed before they move by a fitted potential."""
RELAX_STEPS = 50

StepProgress = Callable[[int, int, str], None]
"""Called with the steps done, the steps needed at most, and what is being done."""


def volume_known(folder: Path) -> bool:
    """Return whether the volume of a state has been searched for."""
    return (folder / VolumeRecord.FILE).exists()


def search_volume(plan: MeltPlan, task: ReplicaTask, progress: StepProgress = lambda *_: None) -> int:
    """Find the volume of the melt of a task, resuming an interrupted search; return the steps that it took."""
    engine, potential = load_engine(plan.engine), load_potential(plan.potential)
    conditions = plan.conditions(task.temperature_K)
    search, most = plan.volume, plan.steps_to_find_volume()
    if search.method == "npt":
        conditions = replace(conditions, thermostat="nose-hoover", pressure_GPa=search.pressure_GPa)
    file = task.state_folder / SEARCH

    def steps_of(points: tuple[VolumePoint, ...]) -> int:
        return conditions.steps(plan.melt_ps + sum(point.duration_ps for point in points))

    if not file.exists():
        progress(0, most, "melting")
        _save(file, _first_melt(plan, task), ())
    start, points = _load(file)
    numbers = itertools.count(len(points) + 1)

    held_A3 = [points[-1].volume_A3 if points else start.volume_A3]

    def advance(configuration: Configuration, duration_ps: float) -> MDRun:
        # random numbers of its own for every run, so that a resumed search is the same as an undisturbed one
        rng = random_numbers(plan, task.formula, task.temperature_K, 0, next(numbers))
        stepped = search.method != "npt" and abs(configuration.volume_A3 / held_A3[0] - 1.0) > RESCALED
        if stepped and isinstance(potential, ModelFile):
            # a step in volume may bring atoms nearer than a fitted potential knows
            configuration = engine.relax(configuration, potential, steps=RELAX_STEPS)
        held_A3[0] = configuration.volume_A3
        return engine.run(configuration, potential, conditions, duration_ps=duration_ps, rng=rng)

    def keep(configuration: Configuration, points: tuple[VolumePoint, ...]) -> None:
        _save(file, configuration, points)
        progress(steps_of(points), most, "volume")

    progress(steps_of(points), most, "volume")
    # the keys of the block are the arguments of the search; at constant pressure it takes fewer
    at_fixed_volumes = {"scales", "scale_ps", "pressure_GPa", "pressure_tolerance_GPa"}
    method, skipped = (equilibrate_volume, at_fixed_volumes) if search.method == "npt" else (find_volume, set())
    options = search.model_dump(exclude={"method", *skipped})
    found = method(start, advance, points=points, checkpoint=keep, **options)
    melt, n_atoms, volume_A3 = found.configuration, found.configuration.n_atoms, found.configuration.volume_A3
    _save(task.state_folder / MELT, melt)
    write_text(task.state_folder / STRUCTURE, melt.to_extxyz())
    about = (task.formula, task.temperature_K, n_atoms, volume_A3, volume_A3 / n_atoms)
    VolumeRecord(*about, found.converged, found.fit, found.points, found.notes).save(task.state_folder)
    file.unlink(missing_ok=True)
    return steps_of(found.points)


def _first_melt(plan: MeltPlan, task: ReplicaTask) -> Configuration:
    """Melt a random packing: where the search for the volume starts."""
    engine, potential = load_engine(plan.engine), load_potential(plan.potential)
    rng = random_numbers(plan, task.formula, task.temperature_K, 0)
    packing = random_start(
        task.formula,
        potential,
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


def random_numbers(plan: MeltPlan, formula: str, temperature_K: float, *counts: int) -> np.random.Generator:
    """Return a generator of its own for every state, replica and run of the search, whatever else the plan holds."""
    key = (zlib.crc32(formula.encode()), round(temperature_K * 1000), *counts)
    return np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=key))


def load_melt(folder: Path) -> Configuration:
    """Read the melt of a state at the volume found; a ResultError says that there is none."""
    return _load(folder / MELT)[0]


def _load(path: Path) -> tuple[Configuration, tuple[VolumePoint, ...]]:
    try:
        with np.load(path) as held:
            symbols = tuple(held["symbols"].tolist())
            points = tuple(VolumePoint(*row) for row in held.get("points", np.empty((0, 7))).tolist())
            return Configuration(symbols, held["positions_A"], held["cell_A"], held.get("velocities_A_per_ps")), points
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ResultError(f"{path}: expected a melt, got something else ({error}); remove its folder.") from None


def _save(path: Path, configuration: Configuration, points: tuple[VolumePoint, ...] | None = None) -> None:
    names = ("symbols", "positions_A", "cell_A", "velocities_A_per_ps")
    known = {name: value for name in names if (value := getattr(configuration, name)) is not None}
    if points is not None:
        known["points"] = np.array([astuple(point) for point in points], dtype=float)
    with whole_file(path) as whole:
        np.savez(whole, **known)
