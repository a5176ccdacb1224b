"""Energies of grain boundaries in a folder that can be resumed: tables, figure and typed result."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import check_empty, lock_folder, read_json, write_text
from tammann.notebook import ShownAsTable
from tammann.parallel import Progress, run_tasks
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal
from tammann.workflows.grain_boundaries.plan import GrainBoundaryPlan
from tammann.workflows.grain_boundaries.search import BEST, STATE, boundary_folder, search_boundary
from tammann.workflows.plan_folder import PLAN, keep_plan

if TYPE_CHECKING:
    import pandas as pd

TABLE, CANDIDATES, FIGURE = "boundaries.csv", "candidates.csv", "energies.png"


@dataclass(frozen=True, eq=False, repr=False)
class GrainBoundaryResult(ShownAsTable):
    """What a folder of ``run_grain_boundaries`` holds.

    Attributes:
        plan: Plan.
        out: Folder.
        states: What is known of each boundary by its name: ``plane``, ``bulk`` and ``candidates``.
    """

    plan: GrainBoundaryPlan
    out: Path
    states: dict[str, dict[str, Any]]

    def __repr__(self) -> str:
        return f"GrainBoundaryResult({self.out}: {len(self.states)} of {len(self.plan.boundaries)} boundaries)"

    def candidates(self) -> pd.DataFrame:
        """Return one row a translation: energies before and after relaxation, J/m2, and whether it failed."""
        import pandas as pd

        rows = [
            {"boundary": name, **state["plane"], **{key: each[key] for key in each if key != "file"}}
            for name, state in self.states.items()
            for each in state["candidates"]
        ]
        return pd.DataFrame(rows)

    def table(self) -> pd.DataFrame:
        """Return one row a boundary: the relaxed translation of the lowest energy, J/m2.

        ``candidates``, ``relaxed`` and ``failed`` count translations; where all have failed the energy is NaN and
        ``failure`` says why the first did.
        """
        import pandas as pd

        rows = []
        for name, state in self.states.items():
            every = state["candidates"]
            tried = [each for each in every if each["failure"] or each["energy_J_per_m2"] is not None]
            good = [each for each in tried if not each["failure"]]
            best = min(good, key=lambda each: each["energy_J_per_m2"]) if good else tried[0] if tried else every[0]
            row = {key: best[key] for key in best if key != "file"}
            counts = {"candidates": len(every), "relaxed": len(good), "failed": len(tried) - len(good)}
            rows.append({"boundary": name, **state["plane"], **row, **counts})
        table = pd.DataFrame(rows)
        if rows:
            table["energy_J_per_m2"] = table["energy_J_per_m2"].astype(float)
        return table

    def configuration(self, boundary: str) -> Configuration:
        """Return the relaxed bicrystal of the lowest energy, with its labels.

        Raises:
            DataError: There is none.
        """
        file = boundary_folder(self.out, boundary) / BEST
        if not file.exists():
            raise DataError(f"boundary {boundary!r}: none of this name is relaxed in {self.out}.")
        return load_crystal(file)


def run_grain_boundaries(
    plan: GrainBoundaryPlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> GrainBoundaryResult:
    """Scan the translations of every boundary of a plan and relax the best of them.

    gamma = (E - E_bulk)/(2 A): the bulk of each grain, under the strain that it has in the bicrystal, is relaxed in the
    same way. Translations of one unrelaxed energy are taken for images by symmetry, of which one is relaxed.

    Every boundary has a folder with the relaxed bicrystals (extended XYZ with ``grain``, ``boundary_distance_A`` and,
    where the potential gives them, energies and grades of atoms), ``boundary.extxyz`` the best of them. Beside them are
    ``boundaries.csv``, ``candidates.csv`` and a figure of energy against angle.

    Args:
        plan: Plan.
        out: Folder; new or empty, or one to resume.
        resume: Continue what is in it; boundaries may be added.
        progress: Called with the fraction done and the boundary.
        executor: Where boundaries are computed, several at a time; one by one where None.

    Raises:
        DataError: The engine or potential fails on the crystal itself; failures of boundaries stand in the tables.
        ResultError: The folder holds something else, or is in use.
    """
    folder = Path(out)
    if not resume or not folder.exists():
        check_empty(folder, advice="name a new folder, or resume (--resume) what is in it")
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        keep_plan(plan, folder, holds="boundaries", growing=("boundaries",), structure="crystal")
        tasks = {each.name(plan.axis): (plan, folder, k) for k, each in enumerate(plan.boundaries)}
        if executor is None:
            for k, (name, task) in enumerate(tasks.items()):
                search_boundary(*task, told=partial(_told, progress, name, k / len(tasks), 1 / len(tasks)))
        else:
            run_tasks(search_boundary, tasks, executor=executor, progress=progress)
        result = load_grain_boundaries(folder)
        write_text(folder / TABLE, result.table().to_csv(index=False))
        write_text(folder / CANDIDATES, result.candidates().to_csv(index=False))
        _draw(result)
    return result


def load_grain_boundaries(out: str | os.PathLike[str]) -> GrainBoundaryResult:
    """Read the finished boundaries in a folder of ``run_grain_boundaries``.

    Raises:
        ResultError: It holds no plan, or files that cannot be understood.
    """
    folder = Path(out)
    try:
        plan = GrainBoundaryPlan(**read_json(folder / PLAN, error=ResultError)["plan"])
    except (KeyError, TypeError, RecipeError) as error:
        raise ResultError(f"{folder}: expected a folder of grain boundaries: {error}") from None
    states = {}
    for name in (each.name(plan.axis) for each in plan.boundaries):
        if (file := boundary_folder(folder, name) / STATE).exists():
            state = read_json(file, error=ResultError)
            if state.get("finished"):
                states[name] = state
    return GrainBoundaryResult(plan, folder, states)


def _told(progress: Progress | None, label: str, begun: float, share: float, done: float) -> None:
    if progress is not None:
        progress(begun + share * done, label, None)


def _draw(result: GrainBoundaryResult) -> None:
    from tammann.plot import save_figure
    from tammann.plot.grain_boundaries import plot_boundary_energies

    table = result.table()
    table = table[table["energy_J_per_m2"].notna()] if len(table) else table
    if not len(table):
        return
    series = {
        f"{kind} about [{axis}]": list(zip(group["angle_deg"], group["energy_J_per_m2"], strict=True))
        for (axis, kind), group in table.groupby(["axis", "kind"], sort=False)
    }
    names = {row.angle_deg: f"Sigma {row.sigma:.0f}" for row in table.itertuples() if row.sigma and row.sigma > 0}
    figure = plot_boundary_energies(series, names=names).get_figure(root=True)
    assert figure is not None
    save_figure(figure, result.out / FIGURE, dpi=150)
