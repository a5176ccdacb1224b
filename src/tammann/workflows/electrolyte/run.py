"""Electrolytes from a formula to conductivity, stage by stage in a folder that can be resumed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import check_empty, lock_folder, read_json, write_text
from tammann.parallel import Progress, run_tasks
from tammann.workflows.electrolyte.motion import (
    FAILED,
    find_pathways,
    finished,
    keep_potential,
    measure,
    move,
    runs_of,
)
from tammann.workflows.electrolyte.page import electrolyte_page
from tammann.workflows.electrolyte.plan import ElectrolytePlan
from tammann.workflows.electrolyte.results import ElectrolyteResult, gather
from tammann.workflows.electrolyte.structures import DYNAMICS, choose_structures, find_orderings, relax_orderings
from tammann.workflows.plan_folder import PLAN, keep_plan

STAGES = ("orderings", "energies", "hull", "dynamics", "pathways", "conductivity")
SHARES = {"orderings": 0.02, "energies": 0.15, "hull": 0.01, "dynamics": 0.74, "pathways": 0.05, "conductivity": 0.03}
"""Of the progress reported."""
TABLE, PAGE = "electrolytes.csv", "electrolytes.html"
GROWING = ("compositions", "structures", "references", "temperatures_K")
FILES = ("dynamics_potential", "structures", "references")
"""Keys of a plan that may name files, beside the host and the potential."""


def run_electrolytes(
    plan: ElectrolytePlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    stages: Collection[str] | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> ElectrolyteResult:
    """Order, relax, compare and set in motion the electrolytes of a plan, and follow their ions.

    ``orderings`` of each composition, ``energies`` of them relaxed, ``hull`` and choice of those set in motion,
    ``dynamics`` at every temperature, ``pathways`` and ``conductivity`` from it. Each has a folder of its own name but
    for ``relaxed`` and ``transport``; every structure, run and measurement that is finished is a whole file, and stays.
    Beside them are ``electrolytes.csv`` and ``electrolytes.html``.

    Args:
        plan: What to compute.
        out: Folder; new or empty, or one to resume.
        resume: Continue what is in it; compositions, structures, references and temperatures may be added.
        stages: Those to run, of ``STAGES``; all where None. What a stage needs must be there.
        progress: Called with the fraction done, what is being done, and the temperature, K.
        executor: Where structures and runs are computed, several at a time; one by one where None.

    Raises:
        DataError: An unknown stage, one whose stage before is missing, or a potential that fails.
        ResultError: The folder holds something else, or is in use.
    """
    asked = STAGES if stages is None else tuple(stages)
    for stage in asked:
        if stage not in STAGES:
            raise DataError(f"stage: expected one of {', '.join(STAGES)}, got {stage!r}.")
    folder = Path(out)
    if not resume or not folder.exists():
        check_empty(folder, advice="name a new folder, or resume (--resume) what is in it")
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        keep_plan(plan.placed(), folder, holds="electrolytes", growing=GROWING, structure="host", files=FILES)
        whole = _plan_of(folder)
        begun, total = 0.0, sum(SHARES[stage] for stage in asked) or 1.0
        for stage in STAGES:
            if stage in asked:
                share = SHARES[stage] / total
                tell = partial(_told, progress, begun, share)
                _STAGES[stage](whole, folder, tell, executor)
                begun += share
        result = gather(whole, folder)
        write_text(folder / TABLE, result.table().to_csv(index=False))
        write_text(folder / PAGE, electrolyte_page(result))
    return result


def load_electrolytes(out: str | os.PathLike[str]) -> ElectrolyteResult:
    """Read what is finished in a folder of ``run_electrolytes``.

    Raises:
        ResultError: It holds no plan, or files that cannot be understood.
    """
    return gather(_plan_of(Path(out)), Path(out))


def _plan_of(folder: Path) -> ElectrolytePlan:
    try:
        return ElectrolytePlan(**read_json(folder / PLAN, error=ResultError)["plan"])
    except (KeyError, TypeError, RecipeError) as error:
        raise ResultError(f"{folder}: expected a folder of electrolytes: {error}") from None


def _told(
    progress: Progress | None, begun: float, share: float, done: float, what: str = "", T: float | None = None
) -> None:
    if progress is not None:
        progress(min(1.0, begun + share * done), what, T)


def _each(
    function: Callable[..., None],
    tasks: Mapping[str, tuple[Any, ...]],
    tell: Progress,
    executor: Executor | None,
    *,
    reports: bool = False,
) -> None:
    """Do tasks, here one by one or in an executor."""
    if executor is not None:
        run_tasks(function, tasks, executor=executor, progress=tell)
        return
    for k, (label, arguments) in enumerate(tasks.items()):
        tell(k / len(tasks), label, None)

        def within(done: float, k: int = k, label: str = label) -> None:
            tell((k + done) / len(tasks), label, None)

        function(*arguments, **({"progress": within} if reports else {}))


def _orderings(plan: ElectrolytePlan, out: Path, tell: Progress, executor: Executor | None) -> None:
    _each(find_orderings, {f"orderings of {name}": (plan, out, name) for name in plan.names}, tell, executor)


def _energies(plan: ElectrolytePlan, out: Path, tell: Progress, executor: Executor | None) -> None:
    relax_orderings(plan, out, executor=executor, progress=tell)


def _hull(plan: ElectrolytePlan, out: Path, tell: Progress, executor: Executor | None) -> None:
    tell(0.0, "hull", None)
    choose_structures(plan, out)


def _dynamics(plan: ElectrolytePlan, out: Path, tell: Progress, executor: Executor | None) -> None:
    tasks = {run.name: (plan, out, *run) for run in runs_of(plan, out)}
    keep_potential(plan, out)
    _each(move, tasks, tell, executor, reports=True)


def _conductivity(plan: ElectrolytePlan, out: Path, tell: Progress, executor: Executor | None) -> None:
    tasks = {f"transport of {s}, {T:g} K": (plan, out, s, T, files) for s, T, files in finished(plan, out)}
    _some(tasks, out)
    _each(measure, tasks, tell, executor)


def _pathways(plan: ElectrolytePlan, out: Path, tell: Progress, executor: Executor | None) -> None:
    tasks = {f"ways in {s}, {T:g} K": (plan, out, s, T, files) for s, T, files in finished(plan, out)}
    _some(tasks, out)
    _each(find_pathways, tasks, tell, executor)


def _some(tasks: Mapping[str, Any], out: Path) -> None:
    if not tasks and not any((out / DYNAMICS).rglob(FAILED)):
        raise DataError(
            f"expected a finished run of molecular dynamics, got none in {out}; run the stage dynamics first."
        )


_STAGES = {
    "orderings": _orderings,
    "energies": _energies,
    "hull": _hull,
    "dynamics": _dynamics,
    "pathways": _pathways,
    "conductivity": _conductivity,
}
