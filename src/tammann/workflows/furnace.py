"""From a recipe to phase fractions: an ensemble of runs, both baselines, a folder with checkpoints and results."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann._version import __version__
from tammann.analysis import beside_baselines, fallback_share, out_of_equilibrium
from tammann.automaton.cost import RunCost, estimate_cost
from tammann.automaton.engine import realize
from tammann.errors import DataError, RecipeError, ResultError, TammannError, check_argument
from tammann.files import DATA_SUFFIXES, check_empty, digest, lock_folder, read_json, read_text, write_text
from tammann.history import History
from tammann.kinetics import KineticsOptions, RateTable, rate_table, relevant_reactions, with_atmosphere
from tammann.kinetics.selection import conditions
from tammann.notebook import ShownAsTable
from tammann.parallel import Progress, available_cores, run_tasks
from tammann.reactions import Reactions
from tammann.recipe import Recipe
from tammann.systems import DEFAULT_SYSTEM
from tammann.thermo import Phases, draw_energies, equilibrium, load_phases
from tammann.transport import TransportTable, draw_transport, load_transport

if TYPE_CHECKING:
    import pandas as pd

NULL_REALIZATIONS = 4
"""Most realizations of the geometric null: it varies by a few tenths of a percent on the default grid."""
DRAWS_ESTIMATED = 8
"""Realizations whose rates are computed to estimate the cost of a run."""
CHECKPOINTS = "checkpoints"
STAMP = "checkpoints/run.json"
RESULTS = (
    "phase_fractions.csv",
    "equilibrium.csv",
    "history.npz",
    "rates.json",
    "phases.png",
    "report.html",
    "summary.json",
)


@dataclass(frozen=True, eq=False)
class PreparedRecipe:
    """A recipe with its phases, reactions and rates, ready to be run.

    Attributes:
        recipe: As it will be run.
        phases: Phases and their energies.
        reactions: The balanced reactions between them that can open.
        transport: Onsager coefficients, or None.
        rates: The table of rates with the central values of energies and transport.
    """

    recipe: Recipe
    phases: Phases
    reactions: Reactions
    transport: TransportTable | None
    rates: RateTable

    def __repr__(self) -> str:
        mixture = " + ".join(f"{p.ratio:g} {p.phase}" for p in self.recipe.precursors)
        return f"PreparedRecipe({mixture}: {len(self.phases)} phases, {len(self.rates.equations)} open reactions)"


@dataclass(frozen=True, eq=False)
class FurnaceRun(ShownAsTable):
    """The runs of a recipe, beside the two baselines without kinetics.

    Attributes:
        prepared: The recipe that was run.
        history: The runs.
        null: The same recipe with all pair reactions equal (the geometric null), or None where not asked for.
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


def prepare(recipe: Recipe) -> PreparedRecipe:
    """Look up phases, energies and transport for a recipe, and work out its reactions and rates.

    Raises:
        RecipeError: The data lack a phase, an energy set or a gas of the recipe.
        DataError: A file of energies or transport cannot be used.
    """
    phases = _phases_for(recipe)
    for k, precursor in enumerate(recipe.precursors):
        try:
            written = phases[phases.index(precursor.phase)].formula
        except DataError as error:
            raise RecipeError(f"precursors[{k}].phase: {error}") from None
        if written != precursor.phase:
            raise RecipeError(
                f"precursors[{k}].phase: expected a formula as {phases.system} writes it, got {precursor.phase!r}; "
                f"write {written} and count its ratio in that formula"
            )
    phases = with_atmosphere(phases, recipe)
    reactions = relevant_reactions(phases, recipe)
    transport = None if recipe.transport == "none" else load_transport(recipe.transport)
    return PreparedRecipe(recipe, phases, reactions, transport, rate_table(reactions, transport, recipe))


def _phases_for(recipe: Recipe) -> Phases:
    name = recipe.energies
    if name.lower().endswith(DATA_SUFFIXES):
        return load_phases(name, melting_points=recipe.melting_points)
    if name == "mp-api":
        return load_phases(f"mp-api:{'-'.join(recipe.elements)}", melting_points=recipe.melting_points)
    phases = load_phases(DEFAULT_SYSTEM, melting_points=recipe.melting_points)
    foreign = set(recipe.elements) - set(phases.elements)
    if foreign:
        raise RecipeError(
            f"precursors: expected elements of the shipped system {DEFAULT_SYSTEM}, got {', '.join(sorted(foreign))}; "
            "set energies to the path of your own CSV or JSON entries, or to mp-api"
        )
    if name not in phases.energy_sets:
        raise RecipeError(
            f"energies: expected {', '.join(phases.energy_sets)}, a .csv or .json file, or mp-api, got {name!r}"
        )
    return phases


def run_cost(prepared: PreparedRecipe, *, null: bool = True, threads: int | None = None) -> RunCost:
    """Estimate what ``run_recipe`` will cost with the same arguments.

    Every run counts as the costliest of the central rates, the first draws and the null. Each realization is checked
    again with its own rates before it starts.

    Raises:
        RecipeError: A precursor would fill less than one cell of the grid.
    """
    recipe, runs = prepared.recipe, prepared.recipe.ensemble.realizations
    tables = [_rates_of(prepared, number, null=False) for number in range(min(runs, DRAWS_ESTIMATED))]
    if null:
        tables.append(_rates_of(prepared, 0, null=True))
        runs += min(runs, NULL_REALIZATIONS)
    costs = [estimate_cost(recipe, rates, runs=runs, threads=threads or available_cores()) for rates in tables]
    return max(costs, key=lambda cost: cost.visits)


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
    their stated errors (as far as ``ensemble`` of the recipe says), and all share the scale of the central rates.

    Args:
        recipe: The recipe, prepared or not, or the path of its YAML file.
        out: The folder for checkpoints and results; it is made, and must be empty unless ``resume``. With an
            executor it must be visible to the workers. Without it everything stays in memory.
        null: Whether to run the geometric null as well; one that ``out`` holds already stays part of the run.
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
        ...     grid={"size": 8},
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
        _check_folder(folder, asked, resume=resume)
        null = null or (folder / "null.npz").exists()
    prepared = prepared or prepare(asked)
    if folder is not None and all((folder / name).exists() for name in RESULTS + ("null.npz",) * null):
        return _open_run(prepared, folder, null=null)
    cost = run_cost(prepared, null=null, threads=threads)
    cost.check(memory=executor is None)
    if folder is None:
        return _run(prepared, cost, None, null, executor, progress, begun)
    with _own_folder(folder, asked, resume=resume):
        prepared.rates.save(folder / "rates.json")
        run = _run(prepared, cost, folder / CHECKPOINTS, null, executor, progress, begun)
        _write_results(folder, run)
    return run


def _run(
    prepared: PreparedRecipe,
    cost: RunCost,
    checkpoints: Path | None,
    null: bool,
    executor: Executor | None,
    progress: Progress | None,
    begun: float,
) -> FurnaceRun:
    """Run the realizations, then those of the null, and gather what they gave."""
    number = prepared.recipe.ensemble.realizations
    tasks = {
        f"{label} {r + 1} of {runs}": (prepared, r, is_null, cost.kernel_threads, checkpoints)
        for label, runs, is_null in (("realization", number, False), ("geometric null", cost.runs - number, True))
        for r in range(runs)
    }
    histories = run_tasks(_realize, tasks, threads=cost.runs_at_once, executor=executor, progress=progress)
    run = FurnaceRun(
        prepared=prepared,
        history=History.join(histories[:number]),
        null=History.join(histories[number:]) if null else None,
        equilibrium=plain_equilibrium(prepared),
        summary={},
    )
    return replace(run, summary={**_summary(run), "wall_s": round(time.monotonic() - begun, 3)})


def _realize(
    prepared: PreparedRecipe,
    number: int,
    null: bool,
    threads: int,
    checkpoints: Path | None,
    *,
    progress: Progress | None = None,
) -> History:
    """Run one member of the ensemble, or of the null's; the same wherever and whenever it is run."""
    recipe = prepared.recipe
    rates = _rates_of(prepared, number, null=null)
    estimate_cost(recipe, rates, threads=threads).check()
    folder = None
    if checkpoints is not None:
        folder = checkpoints / ("null" if null else "run")
        folder.mkdir(parents=True, exist_ok=True)
    return realize(recipe, rates, recipe.seed, number, threads, folder, progress=progress)


def _rates_of(prepared: PreparedRecipe, number: int, *, null: bool) -> RateTable:
    """Return the table of rates of a realization: the null's, the central one, or that of a draw."""
    recipe = prepared.recipe
    if null:
        return rate_table(prepared.reactions, prepared.transport, recipe, null=True)
    if number == 0:
        return prepared.rates
    energies_rng, transport_rng = (
        np.random.default_rng(s) for s in np.random.SeedSequence(recipe.seed, spawn_key=(number, 11)).spawn(2)
    )
    reactions, transport = prepared.reactions, prepared.transport
    if recipe.ensemble.energies:
        name = str(prepared.rates.metadata["energies"])
        reactions = replace(reactions, phases=draw_energies(prepared.phases, energies=name, rng=energies_rng))
    if recipe.ensemble.transport and transport is not None:
        relative = recipe.kinetics.transport_relative_error
        transport = draw_transport(transport, relative_error=relative, rng=transport_rng)
    return rate_table(reactions, transport, recipe, scale=prepared.rates.metadata["scale_per_s_eV"])


def plain_equilibrium(prepared: PreparedRecipe) -> pd.DataFrame:
    """Find the phases of lowest Gibbs energy at the recipe's composition and gas, over its programme's temperatures.

    Returns:
        Columns ``temperature_K``, ``phase``, ``mole_fraction`` of the condensed phases.
    """
    import pandas as pd

    recipe, phases, rates = prepared.recipe, prepared.phases, prepared.rates
    amounts = {precursor.phase: precursor.ratio for precursor in recipe.precursors}
    gases = {phase.formula for phase in phases if phase.state == "gas"}
    # As in the rates: what the atmosphere does not hold may leave, against the residual pressure, but not come.
    options = KineticsOptions(**rates.metadata["options"])
    furnace, *_ = conditions(phases, recipe, options, rates.metadata["energies"])
    rows = []
    for t, temperature in enumerate(furnace.temperature_K):
        moles = equilibrium(
            phases,
            amounts,
            float(temperature),
            energies=furnace.energies,
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
    lattice = history.lattice
    assert lattice is not None
    final = history.table().set_index("phase")
    last = float(history.temperature_K[-1])
    away = (run.equilibrium["temperature_K"] - last).abs()
    balance = run.equilibrium[away == away.min()]
    baselines = {"equilibrium": dict(zip(balance["phase"], balance["mole_fraction"], strict=True))}
    drift = float(history.element_drift.max())
    if null is not None:
        drift = max(drift, float(null.element_drift.max()))
        baselines["geometric_null"] = null.table().set_index("phase")["median"].to_dict()
    energy_set = prepared.phases.energy_set(str(prepared.rates.metadata["energies"]))
    shifts = dict(zip([p.formula for p in prepared.phases], energy_set.shifts_eV_per_atom, strict=True))
    return {
        "final_mole_fractions": final["median"].to_dict(),
        "final_mole_fractions_low": final["low"].to_dict(),
        "final_mole_fractions_high": final["high"].to_dict(),
        "final_temperature_K": last,
        "baselines": baselines,
        "element_drift": drift,
        "arrested": bool(np.mean(lattice.arrested) >= 0.5),
        "arrested_share": float(np.mean(lattice.arrested)),
        "unreacted_fraction": out_of_equilibrium(history, run.equilibrium),
        "fallback_share": fallback_share(history),
        "saturated_fraction": float(lattice.saturated_fraction.max()),
        "visits_per_second": float(lattice.visits.sum() / max(lattice.kernel_seconds.sum(), 1e-9)),
        "visits": int(lattice.visits.sum()),
        "realizations": history.realizations,
        "calibrated": history.calibrated,
        "hours_per_sweep": prepared.recipe.hours_per_sweep,
        "energies_were_told": [
            f"{c.equation} ({c.kind} at {' and '.join(f'{t:g}' for t in c.temperature_K)} K)"
            for c in energy_set.constraints
        ],
        "energies_shifted_meV_per_atom": {name: round(1000 * x, 3) for name, x in shifts.items() if abs(x) > 1e-6},
        "seed": prepared.recipe.seed,
        "energies": prepared.rates.metadata["energies"],
        "transport": prepared.rates.metadata["transport"],
        "kinetics": prepared.rates.metadata["kinetics"],
        "version": __version__,
        "important_warnings": list(prepared.rates.important_warnings),
        "warnings": list(prepared.rates.warnings),
    }


# The folder of a run.


def _stamp_of(recipe: Recipe) -> dict[str, str]:
    """Return what tells a run from any other: the version, and digests of the recipe and of the files it names."""
    stamp = {"version": __version__, "recipe_sha256": digest(recipe.to_yaml().encode())}
    for key in ("energies", "transport", "melting_points"):
        name = getattr(recipe, key)
        if name and Path(name).is_file():
            stamp[f"{key}_sha256"] = digest(name)
    return stamp


def _check_folder(folder: Path, recipe: Recipe, *, resume: bool) -> None:
    """Refuse a folder that is in the way of a run, or that does not hold the one to resume; nothing is written."""
    file = folder / STAMP
    if not resume or not file.exists():
        there = "name another folder, or add --resume (in Python resume=True) to continue the run in it"
        empty = "it holds no run to resume: name another folder" if resume else "name another folder"
        check_empty(folder, advice=there if file.exists() else empty)
        return
    found = _read_keys(file, "checkpoint", f"remove {file.parent} to start afresh")
    stamp = _stamp_of(recipe)
    if found != stamp:
        changed = sorted(key for key in {*found, *stamp} if found.get(key) != stamp.get(key))
        what = " and ".join(key.removesuffix("_sha256") for key in changed)
        with suppress(TammannError):
            what += _differences(Recipe.from_text(read_text(folder / "recipe.yaml")), recipe)
        raise ResultError(f"{folder} belongs to a run with another {what}; name another folder")


def _read_keys(file: Path, what: str, advice: str) -> dict[str, Any]:
    try:
        return dict(read_json(file, error=ResultError))
    except (ValueError, TypeError) as problem:
        raise ResultError(f"{file} is no whole {what} ({problem}); {advice}") from None


def _differences(there: Recipe, here: Recipe) -> str:
    """Return in what two recipes differ, key by key, in brackets."""

    def flat(value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, Mapping):
            return {k: v for key, item in value.items() for k, v in flat(item, f"{path}.{key}").items()}
        return {path.removeprefix("."): value}

    old, new = (flat(one.model_dump(mode="json"), "") for one in (there, here))
    keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
    listed = "; ".join(f"{key}: {old.get(key)!r:.60} there, {new.get(key)!r:.60} here" for key in keys[:5])
    return f" ({listed})" if listed else ""


@contextmanager
def _own_folder(folder: Path, recipe: Recipe, *, resume: bool) -> Iterator[None]:
    """Make the folder of a run with its recipe and stamp, locked; one that nothing could be written to goes again."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = folder / CHECKPOINTS
    try:
        with lock_folder(folder):
            _check_folder(folder, recipe, resume=resume)
            try:
                checkpoints.mkdir(exist_ok=True)
                if not (folder / STAMP).exists():
                    write_text(folder / STAMP, json.dumps(_stamp_of(recipe)))
            except OSError:
                with suppress(OSError):
                    checkpoints.rmdir()
                raise
            write_text(folder / "recipe.yaml", recipe.to_yaml())
            yield
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _open_run(prepared: PreparedRecipe, folder: Path, *, null: bool) -> FurnaceRun:
    """Return the run that a folder holds."""
    return FurnaceRun(
        prepared=prepared,
        history=History.open(folder / "history.npz"),
        null=History.open(folder / "null.npz") if null else None,
        equilibrium=plain_equilibrium(prepared),
        summary=_read_keys(folder / "summary.json", "summary", "remove it and add --resume to make it again"),
    )


def _write_results(folder: Path, run: FurnaceRun) -> None:
    """Write everything into the folder, the summary last: where it is, the run is complete."""
    from tammann.plot import plot_phase_fractions, save_figure
    from tammann.report import write_report

    run.history.save(folder / "history.npz")
    if run.null is not None:
        run.null.save(folder / "null.npz")
    for name, table in (("phase_fractions", run.history.phase_fractions()), ("equilibrium", run.equilibrium)):
        write_text(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.9g"))
    save_figure(plot_phase_fractions(run.history), folder / "phases.png")
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
