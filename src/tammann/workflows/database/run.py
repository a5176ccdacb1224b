"""Carry out the plan of a database: melts, quenches and dynamics, then everything that is kept of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tammann._version import __version__
from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import check_empty, lock_folder, read_json, write_text
from tammann.md.load import load_engine
from tammann.notebook import ShownAsTable
from tammann.parallel import Progress
from tammann.potentials import load_potential
from tammann.workflows.database.limits import amorphous_limit, crystal_energies
from tammann.workflows.database.plan import DatabasePlan
from tammann.workflows.database.records import is_kept, keep_state, load_frames
from tammann.workflows.database.store import FILE, Store
from tammann.workflows.database.summaries import activation_table
from tammann.workflows.melt import MeltResult, load_melts, run_melts, steps_left
from tammann.workflows.melt.folder import PLAN as MELT_PLAN
from tammann.workflows.plan_folder import PLAN, keep_plan

if TYPE_CHECKING:
    import pandas as pd

MELTS = "melts"
LIMITS_SHARE = 0.05
"""Of the progress, for what comes after the dynamics."""


@dataclass(frozen=True, eq=False, repr=False)
class DatabaseResult(ShownAsTable):
    """What a folder of ``run_database`` holds.

    Attributes:
        plan: Plan.
        out: Folder.
        store: The database.
        failures: A sentence on each state that is missing.
    """

    plan: DatabasePlan
    out: Path
    store: Store
    failures: tuple[str, ...] = ()

    def __repr__(self) -> str:
        asked = len(self.plan.compositions) * len(self.plan.temperatures_K)
        return f"DatabaseResult({self.out}: {len(self.store.states())} of {asked} states)"

    def table(self) -> pd.DataFrame:
        """Return one row for each state: composition, temperature, density, D of the ion, features."""
        return self.store.table()


def run_database(
    plan: DatabasePlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
    workers: int = 1,
) -> DatabaseResult:
    """Make a database of disordered structures and their diffusivities.

    Every composition is packed at random, melted at ``melt_K``, brought to the volume at which its pressure vanishes at
    each temperature (equation of state), cooled to it and run; all by the workflow of melts, in the folder ``melts``
    of ``out``, where it is resumed. What is kept of a state (D of all elements, features as means over some frames,
    g(r), density, energies, provenance) goes into one SQLite file; the frames lie beside it as extended XYZ. With
    ``relax_steps`` above 0 the frames of the coldest state of each composition are relaxed to its amorphous limit.

    Args:
        plan: Plan.
        out: Folder; new or empty, or one to resume.
        resume: Continue what is in it; compositions and temperatures may be added.
        progress: Called with the fraction done.
        workers: Replicas that run at a time.

    Raises:
        DataError: An engine, a potential or packmol is missing.
        ResultError: The folder holds something else, or is in use.
    """
    folder = Path(out)
    if not resume or not folder.exists():
        check_empty(folder, advice="name a new folder, or resume (--resume) what is in it")
    if not (folder / PLAN).exists():  # what is refused is refused before anything is written
        steps_left(plan.melts(), folder / MELTS, resume=(folder / MELTS / MELT_PLAN).exists())
    folder.mkdir(parents=True, exist_ok=True)

    def of_melts(fraction: float, what: str, temperature_K: float | None) -> None:
        if progress is not None:
            progress((1.0 - LIMITS_SHARE) * fraction, what, temperature_K)

    with lock_folder(folder):
        growing = ("compositions", "temperatures_K")
        keep_plan(plan, folder, holds="a database", growing=growing, structure="potential", files=("crystals",))
        whole = load_plan(folder)
        there = (folder / MELTS / MELT_PLAN).exists()
        melts = run_melts(whole.melts(), folder / MELTS, resume=there, progress=of_melts, workers=workers)
        failures = collect_states(whole, folder, melts)
        if progress is not None:
            progress(1.0 - LIMITS_SHARE, "amorphous limits" if whole.relax_steps else "", None)
        failures += _limits(whole, folder)
        write_text(folder / "states.csv", Store(folder / FILE).table().to_csv(index=False))
        if progress is not None:
            progress(1.0, "", None)
    return DatabaseResult(whole, folder, Store(folder / FILE), tuple(failures))


def collect_states(plan: DatabasePlan, out: Path, melts: MeltResult) -> list[str]:
    """Keep every state of the melts that is new or has changed; return a sentence on each that is missing."""
    store, failures = Store(out / FILE), []
    store.describe(
        plan=plan.model_dump(mode="json"),
        tammann=__version__,
        protocol="random packing, melt, volume by equation of state, quench, molecular dynamics",
        units="m2/s, K, Å, eV per atom, GPa, g/cm3, as the names of columns say",
    )
    for state in melts.states:
        try:
            if not is_kept(store, out, plan, state):
                keep_state(store, out, plan, state)
        except DataError as error:
            failures.append(" ".join((str(error), *state.failed)))
    store.keep_activations(activation_table(store))
    return failures


def _limits(plan: DatabasePlan, out: Path) -> list[str]:
    """Keep the amorphous limits of all compositions that have none yet of their coldest state."""
    if not plan.relax_steps:
        return []
    store, failures = Store(out / FILE), []
    coldest = store.states().groupby("formula", sort=False)["temperature_K"].min()
    known = store.query(
        "SELECT formula, temperature_K FROM amorphous_limits WHERE potential = ?", plan.potential
    ).itertuples(index=False, name=None)
    left = dict(coldest.items())
    for formula, temperature_K in known:
        if left.get(formula) == temperature_K:
            del left[formula]
    if not left:
        return []
    potential, engine = load_potential(plan.potential), load_engine(plan.engine)
    try:
        crystals = crystal_energies(plan.crystals, potential)
    except DataError as error:  # what the dynamics gave is worth keeping
        return [f"amorphous limits: {error}"]
    for formula, temperature_K in left.items():
        try:
            frames = load_frames(out, formula, temperature_K)
            limit = amorphous_limit(formula, frames, potential, engine, steps=plan.relax_steps, crystals=crystals)
        except DataError as error:
            failures.append(str(error))
        else:
            store.keep_limit(limit.row(plan.potential, temperature_K))
    return failures


def load_plan(out: str | os.PathLike[str]) -> DatabasePlan:
    """Read the plan of a folder.

    Raises:
        ResultError: There is none, or it cannot be understood.
    """
    folder = Path(out)
    if not (folder / PLAN).is_file():
        raise ResultError(f"{folder}: expected a folder of tammann database, found no {PLAN} in it; check the name.")
    try:
        return DatabasePlan(**read_json(folder / PLAN, error=ResultError)["plan"])
    except (KeyError, TypeError):
        raise ResultError(f"{folder}: expected a folder of tammann database, found no plan in its {PLAN}.") from None
    except RecipeError as error:
        raise ResultError(f"{folder}: expected a folder of tammann database: {error}") from None


def load_database(out: str | os.PathLike[str]) -> DatabaseResult:
    """Read a folder of ``run_database``; nothing is computed.

    Raises:
        ResultError: It holds no database.
    """
    folder = Path(out)
    plan = load_plan(folder)
    result = DatabaseResult(plan, folder, Store(folder / FILE))
    result.store.about()
    return result


def collect_database(out: str | os.PathLike[str]) -> DatabaseResult:
    """Keep what the melts of a folder hold by now, without running anything, for a plan that is still at work.

    Raises:
        ResultError: It holds no plan.
    """
    folder = Path(out)
    plan = load_plan(folder)
    failures = collect_states(plan, folder, load_melts(folder / MELTS))
    return DatabaseResult(plan, folder, Store(folder / FILE), tuple(failures))
