"""Judging potentials: every part of the plan for every potential, kept on disk one by one, and the page at the end."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.errors import DataError, ResultError
from tammann.files import check_empty, digest, json_safe, lock_folder, read_json, whole_file, write_text
from tammann.md.ase import AseEngine
from tammann.md.energy_drift import energy_drift
from tammann.md.watched import watched_run
from tammann.potentials import Potential, calculator_of, load_potential
from tammann.potentials.calculators import ImportedPotential, ModelFile, prepare
from tammann.potentials.consistency import check_consistency
from tammann.potentials.crystals import crystal_curve, relax_crystal
from tammann.potentials.dataset import DataSet, read_dataset
from tammann.potentials.evaluate import evaluate_potential
from tammann.potentials.phonons import crystal_phonons
from tammann.potentials.response import judged
from tammann.structures import Configuration
from tammann.structures.candidates import rattled
from tammann.structures.crystals import load_crystal
from tammann.workflows.potential_report.melts import melt_start, melt_structure
from tammann.workflows.potential_report.page import report_page
from tammann.workflows.potential_report.parts import Refused, done, part, settings_digest
from tammann.workflows.potential_report.plan import (
    CrystalTask,
    MeltTask,
    PotentialReportPlan,
    folder_name,
    short_name,
)
from tammann.workflows.potential_report.results import Judgement, PotentialReport

PLAN = "plan.json"
TABLE = "table.csv"
MOST_CHECKED_ATOMS, DISORDERED_EV_PER_A = 60, 0.5
"""Of the frame on which a potential is checked: most atoms, least root mean square force."""

Progress = Callable[[float, str, float | None], None]


@dataclass(frozen=True)
class _Task:
    """One part of one potential: its name, file, settings and how it is computed; ``weight`` is about seconds."""

    name: str
    path: Path
    settings: dict[str, Any]
    compute: Callable[[Callable[[float], None]], Any]
    weight: float

    @property
    def key(self) -> str:
        return settings_digest(self.settings)


def run_potential_report(
    plan: PotentialReportPlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> PotentialReport:
    """Judge potentials, and write ``report.html`` and ``table.csv`` into a folder.

    Every part lies in a file of its own with the settings it belongs to. With ``resume`` those are read that are there
    with the same settings, and a run of a melt continues where it was; plans may differ.

    Args:
        plan: What to do.
        out: The folder, new or empty unless resumed.
        resume: Continue in a folder that holds a report.
        progress: Called with the fraction done, what is being done, and None.

    Raises:
        DataError: A potential, data set or crystal cannot be read. A potential that fails in a part fails there only.
        ResultError: The folder is in the way, in use, or holds no report to resume.
    """
    folder = Path(out)
    potentials = {short_name(name): load_potential(name) for name in plan.potentials}
    reference = None if plan.reference is None else short_name(plan.reference)
    if plan.reference is not None and reference not in potentials:
        potentials[short_name(plan.reference)] = load_potential(plan.reference)
    dataset = read_dataset(*plan.dataset) if plan.dataset else None
    crystals = {task.name: load_crystal(task.crystal) for task in plan.crystals}
    _check_folder(folder, resume=resume)
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        about = {"tammann": __version__, "plan": plan.model_dump(mode="json")}
        write_text(folder / PLAN, json.dumps(json_safe(about), indent=1, ensure_ascii=False) + "\n")
        context = _Context(plan, folder, dataset, crystals, potentials, reference)
        tasks = {name: list(_tasks(context, name, potential)) for name, potential in potentials.items()}
        # what the reference does comes first: melts start from it
        order = sorted(tasks, key=lambda name: name != reference)
        left = sum(task.weight for name in order for task in tasks[name] if not done(task.path, task.key)) or 1.0
        spent, found = 0.0, {}
        for name in order:
            values: dict[str, Any] = {}
            for task in tasks[name]:
                share = 0.0 if done(task.path, task.key) else task.weight

                def tell(fraction: float, begin: float = spent, share: float = share, what: str = task.name) -> None:
                    if progress is not None:
                        progress(min(1.0, (begin + fraction * share) / left), what, None)

                tell(0.0)
                values[task.name.partition(": ")[2]] = part(task.path, task.key, partial(task.compute, tell))
                spent += share
            found[name] = _judgement(name, potentials[name], values)
        report = PotentialReport(
            plan,
            folder,
            tuple(found[short_name(name)] for name in plan.potentials),
            None if reference is None else found[reference],
            _labels(dataset),
        )
        write_text(folder / TABLE, report.table().to_csv(index=False))
        write_text(report.page, report_page(report))
    return report


@dataclass(frozen=True)
class _Context:
    """What the parts are made from."""

    plan: PotentialReportPlan
    folder: Path
    dataset: DataSet | None
    crystals: dict[str, Configuration]
    potentials: dict[str, Potential]
    reference: str | None

    def checked(self, potential: Potential) -> Configuration | None:
        """Return a configuration to check a potential on: of few atoms, and with forces, which a perfect crystal lacks.

        It is the first small disordered frame of the data set, else any frame, else a crystal with displaced atoms.
        """
        known = (frame for frame in self.dataset or () if _knows(potential, frame.configuration))
        other = None
        for frame in known:
            force = 0.0 if frame.forces_eV_per_A is None else float(np.sqrt((frame.forces_eV_per_A**2).mean()))
            if frame.n_atoms <= MOST_CHECKED_ATOMS and force > DISORDERED_EV_PER_A:
                return frame.configuration
            other = other or frame.configuration
        if other is not None:
            return other
        for crystal in self.crystals.values():
            if _knows(potential, crystal):
                return rattled(crystal, displacement_A=0.08, rng=self.plan.seed)
        return None


def _knows(potential: Potential, configuration: Configuration) -> bool:
    try:
        potential.check(configuration.symbols)
    except DataError:
        return False
    return True


def _identity(name: str, potential: Potential) -> str:
    """Return what tells a potential from any other: the digest of a file, whose name may be used again, or its name."""
    return getattr(potential, "digest", "") or name


def _tasks(context: _Context, name: str, potential: Potential) -> Any:
    """Yield the parts of one potential."""
    plan, place = context.plan, context.folder / folder_name(name)
    same = {"potential": _identity(name, potential)}

    def task(kind: str, settings: dict[str, Any], compute: Any, weight: float) -> _Task:
        path = place / f"{folder_name(kind)}.json.gz"
        return _Task(f"{name}: {kind}", path, same | {"part": kind} | settings, compute, weight)

    if context.dataset is not None and name in map(short_name, plan.potentials):
        labels = [digest(path) for path in plan.dataset]
        compute = partial(_errors, potential, context.dataset, plan.align_energies)
        yield task("errors", {"dataset": labels, "align": plan.align_energies}, compute, 60.0)
    frame = context.checked(potential)
    if plan.consistency and frame is not None:
        compute = partial(_consistency, potential, frame, plan.seed)
        yield task("consistency", {"frame": frame.to_extxyz(), "seed": plan.seed}, compute, 20.0)
    if plan.drift is not None and frame is not None:
        settings = {"frame": frame.to_extxyz(), "seed": plan.seed, "drift": plan.drift.model_dump(mode="json")}
        yield task("drift", settings, partial(_drift, potential, frame, plan), 60.0)
    for crystal_task in plan.crystals:
        crystal = context.crystals[crystal_task.name]
        if not _knows(potential, crystal):
            continue
        settings = {"crystal": crystal.to_extxyz()}
        compute = partial(_curve, potential, crystal)
        yield task(f"crystal {crystal_task.name}", settings, compute, 20.0)
        if crystal_task.phonons:
            compute = partial(_phonons, potential, crystal, crystal_task)
            cells = {"supercell": crystal_task.phonons}
            yield task(f"phonons {crystal_task.name}", settings | cells, compute, 60.0)
    first = context.reference or next(iter(context.potentials))
    for melt in plan.melts:
        own = melt.duration_ps
        if name == context.reference and melt.reference_ps is not None:
            own = melt.reference_ps
        settings = {"melt": melt.model_dump(mode="json"), "stop": plan.stop.model_dump(mode="json"), "ps": own}
        settings |= {"seed": plan.seed, "start": _identity(first, context.potentials[first])}
        yield task(f"melt {melt.name}", settings, partial(_melt, context, name, first, melt, own, settings), 60.0 * own)


def _ready(potential: Potential, configuration: Configuration) -> Potential:
    """Return a potential whose calculator is made, and does not stop at a high grade: that is for the report to say."""
    made = prepare(potential, configuration.symbols)
    if isinstance(made, ImportedPotential | ModelFile):
        return replace(made, made=judged(calculator_of(made)))
    return made


def _errors(potential: Potential, dataset: DataSet, align: Any, tell: Callable[[float], None]) -> Any:
    return evaluate_potential(potential, dataset, align=align, progress=tell)


def _consistency(potential: Potential, frame: Configuration, seed: int, tell: Callable[[float], None]) -> Any:
    calculator = calculator_of(_ready(potential, frame))
    return check_consistency(calculator, frame, name=potential.name, rng=seed)


def _drift(potential: Potential, frame: Configuration, plan: PotentialReportPlan, tell: Callable[[float], None]) -> Any:
    assert plan.drift is not None
    engine, ready = AseEngine(), _ready(potential, frame)
    return energy_drift(
        engine.relax(frame, ready, steps=200),
        engine.forces(ready, frame.symbols),
        rng=plan.seed,
        progress=tell,
        **plan.drift.model_dump(),
    )


def _curve(potential: Potential, crystal: Configuration, tell: Callable[[float], None]) -> Any:
    return crystal_curve(calculator_of(_ready(potential, crystal)), crystal)


def _phonons(potential: Potential, crystal: Configuration, task: CrystalTask, tell: Callable[[float], None]) -> Any:
    calculator = calculator_of(_ready(potential, crystal))
    relaxed, _ = relax_crystal(calculator, crystal)
    return crystal_phonons(calculator, relaxed, supercell=task.phonons or (2, 2, 2), progress=tell)


def _melt(
    context: _Context,
    name: str,
    first: str,
    task: MeltTask,
    duration_ps: float,
    settings: dict[str, Any],
    tell: Callable[[float], None],
) -> Any:
    """Run a melt from the start that all share, which the reference makes once."""
    plan = context.plan
    start = _start(context, first, task)
    # a run can be made longer, so its length is not what tells it from others
    lengths = ("duration_ps", "reference_ps", "settle_ps")
    run_of = settings | {"ps": None, "melt": {k: v for k, v in settings["melt"].items() if k not in lengths}}
    run_of["settle_ps"] = task.settle_ps  # of the start that all share
    key = settings_digest(run_of)
    place = context.folder / folder_name(name) / f"run-{folder_name(task.name)}-{key}"
    run = watched_run(
        start,
        context.potentials[name],
        task.conditions(),
        duration_ps=duration_ps,
        limits=plan.stop.limits(),
        folder=place,
        rng=np.random.default_rng([plan.seed, zlib.crc32(name.encode())]),  # the noise of two runs is not the same
        progress=tell,
    )
    return melt_structure(run, settle_ps=task.settle_ps)


def _start(context: _Context, first: str, task: MeltTask) -> Configuration:
    """Return the start of a melt, read where it is there."""
    same = ("formula", "temperature_K", "atoms", "volume_per_atom_A3", "settle_ps", "timestep_fs")
    settings = {name: getattr(task, name) for name in same} | {"seed": context.plan.seed}
    settings["first"] = _identity(first, context.potentials[first])
    file = context.folder / "starts" / f"{folder_name(task.name)}-{settings_digest(settings)}.npz"
    if file.exists():
        with np.load(file) as held:
            return Configuration(tuple(held["symbols"].tolist()), held["positions_A"], held["cell_A"])
    start = melt_start(task, context.potentials[first], AseEngine(), seed=context.plan.seed)
    file.parent.mkdir(exist_ok=True)
    with whole_file(file) as whole:
        np.savez(whole, symbols=np.array(start.symbols), positions_A=start.positions_A, cell_A=start.cell_A)
    return start


def _judgement(name: str, potential: Potential, values: dict[str, Any]) -> Judgement:
    refused = {key: value.sentence for key, value in values.items() if isinstance(value, Refused)}
    good = {key: value for key, value in values.items() if not isinstance(value, Refused)}

    def named(kind: str) -> dict[str, Any]:
        return {key.removeprefix(f"{kind} "): value for key, value in good.items() if key.startswith(f"{kind} ")}

    return Judgement(
        name=name,
        source=potential.source,
        digest=getattr(potential, "digest", ""),
        evaluation=good.get("errors"),
        consistency=good.get("consistency"),
        drift=good.get("drift"),
        crystals=named("crystal"),
        phonons=named("phonons"),
        melts=named("melt"),
        refused=refused,
    )


def _labels(dataset: DataSet | None) -> tuple[str, ...]:
    methods = [frame.label.method for frame in dataset or () if frame.label is not None]
    return tuple(name for name in dict.fromkeys(methods) if name not in ("", "unknown"))


def _check_folder(folder: Path, *, resume: bool) -> None:
    there = (folder / PLAN).exists()
    if not resume:
        check_empty(folder, advice="resume it, or name another folder" if there else "name a new or empty folder")
    elif not there:
        raise ResultError(f"{folder}: expected a report to resume, found no {PLAN} in it; leave resume out.")
    else:
        read_json(folder / PLAN, error=ResultError)
