"""Glasses at several cooling rates and seeds: a plan, a folder that can be resumed, structures with their history."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from tammann.characterization.order import CRYSTALLINE, bragg_noise, bragg_order
from tammann.composition import parse_formula
from tammann.errors import DataError, RecipeError, ResultError, TammannError
from tammann.files import check_empty, lock_folder, read_json, write_text
from tammann.md.load import engines_for, load_engine
from tammann.md.melt_quench import Quench, QuenchSchedule, melt_quench
from tammann.md.starts import random_start
from tammann.notebook import ShownAsTable
from tammann.parallel import Progress, run_tasks
from tammann.potentials import load_potential
from tammann.potentials.calculators import Potential
from tammann.recipe_blocks import number_field
from tammann.strict import Document
from tammann.structures import Configuration
from tammann.structures.candidates import supercell
from tammann.structures.crystals import crystal_names, load_crystal
from tammann.trajectory import trajectory_from_arrays
from tammann.workflows.plan_folder import PLAN, keep_plan

if TYPE_CHECKING:
    import pandas as pd

TABLE, FIGURE = "quenches.csv", "quenches.png"
STATE, GLASS, HISTORY = "state.npz", "glass.extxyz", "history.csv"
Kelvin = Annotated[float, number_field("a temperature from 1 to 1e5 K", ge=1, le=1e5)]
Picoseconds = Annotated[float, number_field("a time from 0 to 1e6 ps", ge=0, le=1e6)]


class QuenchPlan(Document):
    r"""What to melt and quench, with which potential, at which rates.

    Example:
        >>> plan = QuenchPlan.from_text("start: TiO2\nrates_K_per_ps: [10, 100]\nseeds: [1, 2]")
        >>> plan.schedule(100.0).quench_ps, len(plan.tasks())
        (22.0, 4)
    """

    ERROR: ClassVar[type[TammannError]] = RecipeError

    start: Annotated[str, Field(strict=True, min_length=1, max_length=1000)] = Field(
        description="a formula, of which atoms are packed at random, a crystal of the package, or a file"
    )
    random_start: bool = Field(
        False, strict=True, description="true to pack atoms at random though a crystal of the package has this name"
    )
    atoms: Annotated[int, number_field("a number from 2 to 1000000", ge=2, le=1_000_000)] = 200
    potential: Annotated[str, Field(strict=True, min_length=1, max_length=1000)] = Field(
        "pedone-2006", description="a potential by name, file or module:callable"
    )
    engine: Literal["lammps", "ase", "torch-sim"] = Field("lammps", description="lammps, ase or torch-sim")
    rates_K_per_ps: tuple[Annotated[float, Field(strict=True, ge=1e-4, le=1e6)], ...] = Field(
        (10.0,), min_length=1, max_length=100, description="cooling rates from 1e-4 to 1e6 K/ps, such as [10, 100]"
    )
    seeds: tuple[Annotated[int, Field(strict=True, ge=0, le=2**31)], ...] = Field(
        (1,), min_length=1, max_length=1000, description="whole numbers, one for each run at a rate, such as [1, 2, 3]"
    )
    melt_K: Kelvin = 3000.0
    melt_ps: Picoseconds = 10.0
    hold_K: Kelvin = 2500.0
    hold_ps: Picoseconds = 10.0
    final_K: Kelvin = 300.0
    final_ps: Picoseconds = 10.0
    pressure_GPa: Annotated[float, Field(strict=True, ge=-1, le=50)] | None = Field(
        0.0, description="a pressure from -1 to 50 GPa, or null for constant volume"
    )
    timestep_fs: Annotated[float, number_field("a time from 0.01 to 10 fs", ge=0.01, le=10)] = 2.0
    damping_fs: Annotated[float, number_field("a time from 0.01 to 1e6 fs", ge=0.01, le=1e6)] = 100.0

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the files of a start and a potential relative to a directory."""
        for key in ("start", "potential"):
            if isinstance(data.get(key), str) and Path(directory, data[key]).is_file():
                data = data | {key: str(Path(directory, data[key]))}
        return data

    @model_validator(mode="after")
    def _check(self) -> QuenchPlan:
        for name in ("rates_K_per_ps", "seeds"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise ValueError(f"{name}: expected each number once; remove the repeated one")
        try:
            potential = load_potential(self.potential)
            formula = self.start if self.is_random else _formula(load_crystal(self.start))
            potential.check(set(parse_formula(formula)), formula=formula)
            for rate in self.rates_K_per_ps:
                self.schedule(rate)
        except TammannError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        if self.engine not in (engines := engines_for(potential)):
            raise ValueError(
                f"engine: expected {' or '.join(engines)} with the potential {self.potential}, got {self.engine}; "
                "choose another engine or potential"
            )
        return self

    def schedule(self, rate_K_per_ps: float) -> QuenchSchedule:
        """Return temperatures and times at a cooling rate."""
        names = ("melt_K", "melt_ps", "hold_K", "hold_ps", "final_K", "final_ps", "pressure_GPa")
        more = {name: getattr(self, name) for name in (*names, "timestep_fs", "damping_fs")}
        return QuenchSchedule(rate_K_per_ps=rate_K_per_ps, **more)

    def tasks(self) -> tuple[tuple[float, int], ...]:
        """Return the rate and the seed of every run, fast ones first."""
        return tuple(product(sorted(self.rates_K_per_ps, reverse=True), self.seeds))

    @property
    def is_random(self) -> bool:
        """Whether atoms of a formula are packed, and no crystal or file is melted."""
        return self.random_start or not (self.start in crystal_names() or Path(self.start).is_file())

    def starting_configuration(self, seed: int, potential: Potential) -> Configuration:
        """Return the atoms that are melted: a packing of a seed, or about ``atoms`` atoms of a crystal.

        Raises:
            DataError: The file cannot be read, or packmol is not installed.
        """
        if not self.is_random:
            return supercell(load_crystal(self.start), self.atoms)
        return random_start(self.start, potential, atoms=self.atoms, temperature_K=self.hold_K, rng=seed)


def _formula(crystal: Configuration) -> str:
    return "".join(f"{symbol}{number}" for symbol, number in Counter(crystal.symbols).items())


@dataclass(frozen=True, eq=False, repr=False)
class QuenchResult(ShownAsTable):
    """What a folder of ``run_quenching`` holds.

    Attributes:
        plan: Plan.
        out: Folder.
        quenches: Each run that is finished, by rate (K/ps) and seed.
    """

    plan: QuenchPlan
    out: Path
    quenches: dict[tuple[float, int], Quench]

    def __repr__(self) -> str:
        return f"QuenchResult({self.out}: {len(self.quenches)} of {len(self.plan.tasks())} runs)"

    def table(self) -> pd.DataFrame:
        """Return one row a run: rate, seed, and density, energy, temperature and pressure at the end (means).

        ``bragg_order`` is the strongest reflection of the structure at the end over that of a perfect crystal, and
        ``crystalline`` says whether it is more than chance makes it: such a run has not melted, or has crystallised.
        """
        import pandas as pd

        rows = []
        for (rate, seed), quench in self.quenches.items():
            end = quench.configuration
            frames = trajectory_from_arrays(
                np.stack([end.positions_A] * 2), end.cell_A, end.symbols, frame_interval_ps=1.0
            )
            by_chance = bragg_noise(end.n_atoms, end.volume_A3)
            row = {"rate_K_per_ps": rate, "seed": seed, "atoms": end.n_atoms, **quench.means()}
            rows.append(
                row
                | {"bragg_order": (order := bragg_order(frames)), "crystalline": order > max(CRYSTALLINE, by_chance)}
            )
        return pd.DataFrame(rows)


def run_quenching(
    plan: QuenchPlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> QuenchResult:
    """Make glasses at all rates and seeds of a plan.

    Every run has a folder with ``glass.extxyz``, ``history.csv`` and ``state.npz``, from which it is resumed piece by
    piece; beside them are ``quenches.csv`` and a figure of density and energy against temperature.

    Args:
        plan: Plan.
        out: Folder; new or empty, or one to resume.
        resume: Continue what is in it; rates and seeds may be added.
        progress: Called with the fraction done, the run and the temperature of the thermostat.
        executor: Where runs are made, several at a time; one by one where None.

    Raises:
        DataError: A run has exploded, or left the training data of its potential; what is done stays.
        ResultError: The folder holds something else, or is in use.
    """
    folder = Path(out)
    if not resume or not folder.exists():
        check_empty(folder, advice="name a new folder, or resume (--resume) what is in it")
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        keep_plan(plan, folder, holds="quenches", growing=("rates_K_per_ps", "seeds"), structure="start")
        tasks = {f"{rate:g} K/ps, seed {seed}": (plan, folder, rate, seed) for rate, seed in plan.tasks()}
        if executor is None:
            steps = sum(plan.schedule(rate).duration_ps for rate, _ in plan.tasks())
            begun = 0.0
            for label, (_, _, rate, seed) in tasks.items():
                share = plan.schedule(rate).duration_ps / steps
                _quench(plan, folder, rate, seed, partial(_told, progress, label, begun, share))
                begun += share
        else:
            run_tasks(_quench, tasks, executor=executor, progress=progress)
        result = load_quenching(folder)
        write_text(folder / TABLE, result.table().to_csv(index=False))
        _draw(result)
    return result


def load_quenching(out: str | os.PathLike[str]) -> QuenchResult:
    """Read the finished runs in a folder of ``run_quenching``.

    Raises:
        ResultError: It holds no plan, or files that cannot be understood.
    """
    folder = Path(out)
    try:
        plan = QuenchPlan(**read_json(folder / PLAN, error=ResultError)["plan"])
    except (KeyError, TypeError, RecipeError) as error:
        raise ResultError(f"{folder}: expected a folder of quenches: {error}") from None
    found = {}
    for rate, seed in plan.tasks():
        if (state := run_folder(folder, rate, seed) / STATE).exists():
            quench = Quench.load(state, plan.schedule(rate))
            if quench.finished:
                found[rate, seed] = quench
    return QuenchResult(plan, folder, found)


def run_folder(out: Path, rate_K_per_ps: float, seed: int) -> Path:
    """Return the folder of one run."""
    return out / f"{rate_K_per_ps:.10g}-K-per-ps" / f"seed-{seed}"


def _told(
    progress: Progress | None,
    label: str,
    begun: float,
    share: float,
    done: float,
    what: str,
    temperature_K: float | None,
) -> None:
    if progress is not None:
        progress(begun + share * done, f"{label}, {what}" if what else label, temperature_K)


def _quench(plan: QuenchPlan, out: Path, rate: float, seed: int, progress: Progress | None = None) -> None:
    """Make one run, or the rest of it."""
    folder, schedule = run_folder(out, rate, seed), plan.schedule(rate)
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / STATE
    potential = load_potential(plan.potential)
    start: Configuration | Quench
    if state.exists():
        start = Quench.load(state, schedule)
    else:
        start = plan.starting_configuration(seed, potential)
    try:
        found = melt_quench(
            start,
            potential,
            schedule,
            load_engine(plan.engine),
            seed=seed,
            checkpoint=lambda quench: quench.save(state),
            progress=progress,
        )
    except DataError as error:
        raise DataError(f"{rate:g} K/ps, seed {seed}: {error}") from None
    write_text(folder / HISTORY, found.table().to_csv(index=False, float_format="%.8g"))
    write_text(folder / GLASS, found.configuration.to_extxyz())


def _draw(result: QuenchResult) -> None:
    from tammann.plot import save_figure
    from tammann.plot.quenches import quench_figure

    histories = {f"{rate:g} K/ps, {seed}": each.table() for (rate, seed), each in result.quenches.items()}
    if histories:
        save_figure(quench_figure(histories), result.out / FIGURE, dpi=150)
