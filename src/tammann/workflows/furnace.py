"""From a recipe to phase fractions: an ensemble of runs, both baselines, a folder with checkpoints and results."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from tammann._version import __version__
from tammann.analysis import beside_baselines, out_of_equilibrium
from tammann.automaton.cost import RunCost
from tammann.errors import ResultError, check_argument
from tammann.files import write_text
from tammann.history import History
from tammann.notebook import ShownAsTable
from tammann.parallel import Progress, run_tasks
from tammann.recipe import Recipe
from tammann.thermo import equilibrium
from tammann.workflows.automaton_runs import automaton_cost, automaton_figures, realize_automaton
from tammann.workflows.diffusion_runs import DiffusionCost, diffusion_cost, diffusion_figures, realize_diffusion
from tammann.workflows.prepared import PreparedRecipe as PreparedRecipe
from tammann.workflows.prepared import prepare as prepare
from tammann.workflows.run_folder import CHECKPOINTS, check_folder, own_folder, read_keys

if TYPE_CHECKING:
    import pandas as pd

NULL_REALIZATIONS = 4
"""Most realizations of the null; on the automaton's default grid they differ by a few tenths of a percent."""
RESULTS = ("phase_fractions.csv", "equilibrium.csv", "history.npz", "phases.png", "report.html", "summary.json")
"""What every run leaves; the automaton's also its rates, and with the null its history."""
NULLS = {"automaton": "geometric_null", "reactive-diffusion": "equal_conductivities"}
"""What stands for no kinetics of its own in each engine: all pair reactions alike, or all solids."""


@dataclass(frozen=True, eq=False)
class FurnaceRun(ShownAsTable):
    """The runs of a recipe, beside the two baselines without kinetics.

    Attributes:
        prepared: The recipe that was run.
        history: The runs.
        null: The same recipe with all solids conducting alike (reactive diffusion) or all pair reactions equal (the
            automaton's geometric null), or None where not asked for.
        equilibrium: Columns ``temperature_K``, ``phase``, ``mole_fraction``: the phases of lowest Gibbs energy.
        summary: What ``summary.json`` holds.
    """

    prepared: PreparedRecipe
    history: History
    null: History | None
    equilibrium: pd.DataFrame
    summary: dict[str, Any]

    def __repr__(self) -> str:
        shares = ", ".join(
            f"{100 * x:.1f} % {name}" for name, x in self.history.table()[["phase", "median"]].head(3).to_numpy()
        )
        number = self.history.realizations
        return f"FurnaceRun({number} realization{'s' * (number != 1)}: {shares})"

    def table(self) -> pd.DataFrame:
        """Return the final mole fractions beside the baselines, as ``tammann.analysis.beside_baselines`` does."""
        return beside_baselines(self.history, null=self.null, equilibrium=self.equilibrium)


def run_cost(prepared: PreparedRecipe, *, null: bool = True, threads: int | None = None) -> RunCost | DiffusionCost:
    """Estimate what ``run_recipe`` will cost with the same arguments.

    On the automaton every run counts as the costliest of the central rates, the first draws and the null. Each
    realization is checked again with its own rates before it starts.

    Raises:
        RecipeError: A precursor would fill less than one cell of the grid.
    """
    runs = prepared.recipe.ensemble.realizations
    null_runs = min(runs, NULL_REALIZATIONS) if null else 0
    estimate = automaton_cost if prepared.recipe.engine == "automaton" else diffusion_cost
    return estimate(prepared, runs, null_runs, threads)


def run_recipe(
    recipe: Recipe | PreparedRecipe | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    null: bool = True,
    threads: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> FurnaceRun:
    """Run a recipe with its ensemble and both baselines, in memory or with checkpoints and results in a folder.

    The first realization has the central values of energies and transport; each further one has its own draw within
    their stated errors (as far as ``ensemble`` of the recipe says), and all share the time scale of the first.

    Args:
        recipe: The recipe, prepared or not, or the path of its YAML file.
        out: The folder for checkpoints and results; it is made, and must be empty unless ``resume``. With an
            executor it must be visible to the workers. Without it everything stays in memory.
        null: Whether to run the engine's null as well (``FurnaceRun.null``); one that ``out`` holds already stays.
        threads: Cores to use, by default all. Results do not depend on it.
        executor: Any ``concurrent.futures.Executor`` (Dask, MPI, Parsl) in place of threads here.
        resume: Continue from the checkpoints in ``out``; a missing or empty folder starts a run.
        progress: Called now and then, by one thread at a time.

    Raises:
        RecipeError: The recipe cannot be run, or the run would not fit or end; nothing has been written.
        DataError: A file of energies or transport cannot be used.
        ResultError: ``out`` is not empty, in use, or holds something else or the run of another recipe or version.
        OSError: The folder cannot be written to.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1400, "hold_h": 0.1}],
        ...     ensemble={"realizations": 1},
        ... )
        >>> run = run_recipe(recipe)
        >>> run.history.realizations, run.null.realizations, run.summary["element_drift"] < 1e-10
        (1, 1, True)
    """
    begun = time.monotonic()
    if isinstance(recipe, PreparedRecipe):
        prepared, asked = recipe, recipe.recipe
    else:
        prepared, asked = None, recipe if isinstance(recipe, Recipe) else Recipe.from_file(recipe)
    check_argument("out", out, (str, os.PathLike, NoneType), "the name of a folder, or None", error=ResultError)
    folder = None if out is None else Path(out)
    if folder is not None:
        check_folder(folder, asked, resume=resume)
        null = null or (folder / "null.npz").exists()
    prepared = prepared or prepare(asked)
    if folder is not None and all((folder / name).exists() for name in _results(prepared, null)):
        return _open_run(prepared, folder, null=null)
    cost = run_cost(prepared, null=null, threads=threads)
    cost.check(memory=executor is None)
    if folder is None:
        return _run(prepared, cost, None, null, executor, progress, begun)
    with own_folder(folder, asked, resume=resume):
        if prepared.rates is not None:
            prepared.rates.save(folder / "rates.json")
        run = _run(prepared, cost, folder / CHECKPOINTS, null, executor, progress, begun)
        _write_results(folder, run)
    return run


def _run(
    prepared: PreparedRecipe,
    cost: RunCost | DiffusionCost,
    checkpoints: Path | None,
    null: bool,
    executor: Executor | None,
    progress: Progress | None,
    begun: float,
) -> FurnaceRun:
    """Run the realizations, then those of the null, and gather what they gave."""
    recipe = prepared.recipe
    number, null_label = recipe.ensemble.realizations, NULLS[recipe.engine].replace("_", " ")
    tasks = {
        f"{label} {r + 1} of {runs}": (prepared, r, is_null, cost.kernel_threads, _made(checkpoints, is_null))
        for label, runs, is_null in (("realization", number, False), (null_label, cost.runs - number, True))
        for r in range(runs)
    }
    realize = realize_automaton if recipe.engine == "automaton" else realize_diffusion
    histories = run_tasks(realize, tasks, threads=cost.runs_at_once, executor=executor, progress=progress)
    run = FurnaceRun(
        prepared=prepared,
        history=History.join(histories[:number]),
        null=History.join(histories[number:]) if null else None,
        equilibrium=plain_equilibrium(prepared),
        summary={},
    )
    return replace(run, summary={**_summary(run), "wall_s": round(time.monotonic() - begun, 3)})


def _made(checkpoints: Path | None, null: bool) -> Path | None:
    """Return the folder of checkpoints of the realizations or the null's, made."""
    if checkpoints is None:
        return None
    folder = checkpoints / ("null" if null else "run")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def plain_equilibrium(prepared: PreparedRecipe, *, energies: str | None = None) -> pd.DataFrame:
    """Find the phases of lowest Gibbs energy at the recipe's composition and gas, over its programme's temperatures.

    Args:
        prepared: The recipe.
        energies: Another set than that of the recipe.

    Returns:
        Columns ``temperature_K``, ``phase``, ``mole_fraction`` of the condensed phases.
    """
    import pandas as pd

    # What the atmosphere does not hold may leave, against the residual pressure, but not come.
    phases, furnace = prepared.phases, prepared.furnace
    amounts = {precursor.phase: precursor.ratio for precursor in prepared.recipe.precursors}
    gases = {phase.formula for phase in phases if phase.state == "gas"}
    rows = []
    for t, temperature in enumerate(furnace.temperature_K):
        moles = equilibrium(
            phases,
            amounts,
            float(temperature),
            energies=energies or furnace.energies,
            partial_pressure_Pa=furnace.held_Pa(t),
            release_pressure_Pa=furnace.released_Pa(t),
        )
        solids = {name: n for name, n in moles.items() if name not in gases}
        total = sum(solids.values())
        rows += [(float(temperature), name, n / total) for name, n in solids.items()]
    return pd.DataFrame(rows, columns=["temperature_K", "phase", "mole_fraction"])


def _summary(run: FurnaceRun) -> dict[str, Any]:
    """Return the figures of ``summary.json``, all but the wall time."""
    history, null, prepared = run.history, run.null, run.prepared
    figures = automaton_figures if prepared.recipe.engine == "automaton" else diffusion_figures
    final = history.table().set_index("phase")
    last = float(history.temperature_K[-1])
    away = (run.equilibrium["temperature_K"] - last).abs()
    balance = run.equilibrium[away == away.min()]
    baselines = {"equilibrium": dict(zip(balance["phase"], balance["mole_fraction"], strict=True))}
    drift = float(history.element_drift.max())
    if null is not None:
        drift = max(drift, float(null.element_drift.max()))
        baselines[NULLS[prepared.recipe.engine]] = null.table().set_index("phase")["median"].to_dict()
    energy_set = prepared.phases.energy_set(prepared.energies)
    shifts = dict(zip([p.formula for p in prepared.phases], energy_set.shifts_eV_per_atom, strict=True))
    return {
        "final_mole_fractions": final["median"].to_dict(),
        "final_mole_fractions_low": final["low"].to_dict(),
        "final_mole_fractions_high": final["high"].to_dict(),
        "final_temperature_K": last,
        "baselines": baselines,
        "element_drift": drift,
        "unreacted_fraction": out_of_equilibrium(history, run.equilibrium),
        "realizations": history.realizations,
        "calibrated": history.calibrated,
        "energies_were_told": [
            f"{c.equation} ({c.kind} at {' and '.join(f'{t:g}' for t in c.temperature_K)} K)"
            for c in energy_set.constraints
        ],
        "energies_shifted_meV_per_atom": {name: round(1000 * x, 3) for name, x in shifts.items() if abs(x) > 1e-6},
        "seed": prepared.recipe.seed,
        "energies": prepared.energies,
        "transport": "none" if prepared.transport is None else prepared.transport.name,
        "version": __version__,
        "important_warnings": list(prepared.important_warnings),
        "warnings": list(prepared.warnings),
        "engine": prepared.recipe.engine,
        **figures(prepared, history),
    }


# The folder of a run.


def _results(prepared: PreparedRecipe, null: bool) -> tuple[str, ...]:
    """Return the files of a complete run."""
    return RESULTS + ("null.npz",) * null + ("rates.json",) * (prepared.rates is not None)


def _open_run(prepared: PreparedRecipe, folder: Path, *, null: bool) -> FurnaceRun:
    """Return the run that a folder holds."""
    return FurnaceRun(
        prepared=prepared,
        history=History.open(folder / "history.npz"),
        null=History.open(folder / "null.npz") if null else None,
        equilibrium=plain_equilibrium(prepared),
        summary=read_keys(folder / "summary.json", "summary", "remove it and add --resume to make it again"),
    )


def _has_layers(history: History) -> bool:
    """Return whether the particles of a run are there to be drawn."""
    return history.diffusion is not None and len(history.diffusion.edges_m) > 0


def _write_results(folder: Path, run: FurnaceRun) -> None:
    """Write everything into the folder, the summary last: where it is, the run is complete."""
    from tammann.plot import plot_layers, plot_phase_fractions, save_figure
    from tammann.report import write_report

    run.history.save(folder / "history.npz")
    if run.null is not None:
        run.null.save(folder / "null.npz")
    for name, table in (("phase_fractions", run.history.phase_fractions()), ("equilibrium", run.equilibrium)):
        write_text(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.9g"))
    save_figure(plot_phase_fractions(run.history), folder / "phases.png")
    if _has_layers(run.history):
        save_figure(plot_layers(run.history), folder / "layers.png")
    write_report(
        folder / "report.html",
        run.history,
        recipe=run.prepared.recipe,
        summary=run.summary,
        baselines={"null": run.null, "equilibrium": run.equilibrium},
        rates=run.prepared.rates,
    )
    for leftover in folder.rglob("*.partial"):  # what a process that was killed had begun to write
        leftover.unlink(missing_ok=True)
    write_text(folder / "summary.json", json.dumps(run.summary, indent=2, sort_keys=True) + "\n")
