"""The one road from a recipe to what the furnace gives: an ensemble of runs, the two baselines, and a folder.

``fire`` computes and keeps everything in memory; ``run_recipe`` does the same with checkpoints and writes the results.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann._version import __version__
from tammann.automaton.engine import realize
from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import DATA_SUFFIXES, write_text
from tammann.history import History
from tammann.kinetics import RateTable, may_open, rate_table, relevant_phases
from tammann.reactions import Reactions, enumerate_reactions
from tammann.recipe import Recipe
from tammann.systems import DEFAULT_SYSTEM
from tammann.thermo import Phases, draw_energies, equilibrium, load_phases, with_gases
from tammann.transport import TransportTable, draw_transport, load_transport

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PreparedRecipe", "FurnaceRun", "Progress", "fire", "plain_equilibrium", "prepare", "run_recipe"]

Progress = Callable[[float, str, float | None], None]
"""Called with the fraction done, what is being done, and the temperature in K or None."""

NULL_REALIZATIONS = 4
"""Most realizations of the geometric null: it varies by a few tenths of a percent on the default grid."""
POLL_SECONDS = 0.5
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
    """A recipe with all that is known of its phases before it goes into the furnace.

    Attributes:
        recipe: as it will be run.
        phases: phases and their energies.
        reactions: the balanced reactions between them that can open.
        transport: Onsager coefficients, or None.
        rates: the table of rates with the central values of energies and transport.
    """

    recipe: Recipe
    phases: Phases
    reactions: Reactions
    transport: TransportTable | None
    rates: RateTable


@dataclass(frozen=True, eq=False)
class FurnaceRun:
    """What the furnace gave, beside what it would give without kinetics.

    Attributes:
        charge: what went in.
        history: the runs.
        null: the same recipe with all pair reactions equal (the geometric null), or None where not asked for.
        equilibrium: columns ``temperature_K``, ``phase``, ``mole_fraction``: the phases of lowest Gibbs energy.
    """

    charge: PreparedRecipe
    history: History
    null: History | None
    equilibrium: pd.DataFrame


def prepare(recipe: Recipe) -> PreparedRecipe:
    """Look up phases, energies and transport for a recipe, and work out its reactions and rates.

    Raises:
        RecipeError: a phase, an energy set or an atmosphere that the data do not have.
        DataError: a file of energies or transport that cannot be used.
    """
    phases = with_gases(_phases_for(recipe), recipe.partial_pressure_Pa)
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
    phases = relevant_phases(phases, recipe)
    reactions = enumerate_reactions(phases, keep=may_open(phases, recipe))
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


def fire(
    recipe: Recipe | PreparedRecipe,
    *,
    null: bool = True,
    threads: int | None = None,
    executor: Executor | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> FurnaceRun:
    """Run a recipe with its ensemble and both baselines.

    The first realization has the central values of energies and transport; each further one has its own draw within
    their stated errors (as far as ``ensemble`` of the recipe says), and all share the scale of the central rates.

    Args:
        recipe: the recipe, or its charge where that is already known.
        null: whether to run the geometric null as well.
        threads: processes for the realizations, or threads of the kernel where there is one realization; by default
            all cores. Results do not depend on it.
        executor: any ``concurrent.futures.Executor`` (Dask, MPI, Parsl) in place of processes here.
        checkpoint: folder for checkpoints; it must be visible to the executor's workers.
        progress: called now and then.

    Returns:
        The runs and the baselines.

    Raises:
        TammannError: bad input, as ``charge`` and ``simulate``.

    Example:
        >>> from tammann import Recipe
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1400, "hold_h": 0.1}],
        ...     grid={"size": 8},
        ...     ensemble={"realizations": 1},
        ... )
        >>> firing = fire(recipe, threads=1)
        >>> firing.history.realizations, firing.null.realizations
        (1, 1)
    """
    known = recipe if isinstance(recipe, PreparedRecipe) else prepare(recipe)
    number = known.recipe.ensemble.realizations
    folder = None if checkpoint is None else Path(checkpoint)
    cores = threads or _cores()
    tasks = [(known, r, False, folder) for r in range(number)]
    tasks += [(known, r, True, folder) for r in range(min(number, NULL_REALIZATIONS) if null else 0)]
    if executor is not None:
        histories = _by_executor(executor, tasks, folder, progress)
    elif number == 1 or cores == 1:
        histories = []
        for k, task in enumerate(tasks):
            own = None if progress is None else _share_of(progress, k, len(tasks), _label(task))
            histories.append(_fire_one(*task, threads=cores, progress=own))
    else:
        with processes(min(cores, len(tasks))) as pool:
            histories = _by_executor(pool, tasks, folder, progress)
    return FurnaceRun(
        charge=known,
        history=History.join(histories[:number]),
        null=History.join(histories[number:]) if null else None,
        equilibrium=plain_equilibrium(known),
    )


def _cores() -> int:
    """Cores this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _label(task: tuple[PreparedRecipe, int, bool, Path | None]) -> str:
    _, number, null, _ = task
    return f"{'null' if null else 'realization'} {number + 1}"


def _share_of(progress: Progress, k: int, count: int, label: str) -> Callable[[float, int, float], None]:
    def report(done: float, stage: int, temperature_K: float) -> None:
        progress((k + done) / count, f"{label}, step {stage + 1}", temperature_K)

    return report


def _fire_one(
    known: PreparedRecipe,
    number: int,
    null: bool,
    checkpoint: Path | None,
    *,
    threads: int = 1,
    progress: Callable[[float, int, float], None] | None = None,
) -> History:
    """One member of the ensemble, or of the null's; the same wherever and whenever it is run."""
    recipe = known.recipe
    folder = None
    if checkpoint is not None:
        folder = checkpoint / ("null" if null else "run")
        folder.mkdir(parents=True, exist_ok=True)
        if progress is None:
            progress = _noted(folder / f"realization-{number:04d}.progress")
    if null:
        rates = rate_table(known.reactions, known.transport, recipe, null=True)
    else:
        rates = known.rates if number == 0 else _drawn_rates(known, number)
    return realize(recipe, rates, recipe.seed, number, threads, folder, progress=progress)


def _drawn_rates(known: PreparedRecipe, number: int) -> RateTable:
    """The table of rates of one draw of energies and transport."""
    recipe = known.recipe
    energies_rng, transport_rng = (
        np.random.default_rng(s) for s in np.random.SeedSequence(recipe.seed, spawn_key=(number, 11)).spawn(2)
    )
    reactions, transport = known.reactions, known.transport
    if recipe.ensemble.energies:
        name = str(known.rates.metadata["energies"])
        reactions = replace(reactions, phases=draw_energies(known.phases, energies=name, rng=energies_rng))
    if recipe.ensemble.transport and transport is not None:
        relative = recipe.kinetics.transport_relative_error
        transport = draw_transport(transport, relative_error=relative, rng=transport_rng)
    return rate_table(reactions, transport, recipe, scale=known.rates.metadata["scale_per_s_eV"])


def _noted(path: Path) -> Callable[[float, int, float], None]:
    """A progress callback that leaves a note for the process that waits, twice a second at most."""
    last = 0.0

    def note(done: float, stage: int, temperature_K: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > POLL_SECONDS:
            last = now
            write_text(path, json.dumps([done, stage, temperature_K]))

    return note


def _by_executor(
    executor: Executor,
    tasks: list[tuple[PreparedRecipe, int, bool, Path | None]],
    folder: Path | None,
    progress: Progress | None,
) -> list[History]:
    futures: dict[Future[History], int] = {executor.submit(_fire_one, *task): k for k, task in enumerate(tasks)}
    histories: dict[int, History] = {}
    pending = set(futures)
    try:
        while pending:
            done, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            histories |= {futures[future]: future.result() for future in done}
            if progress is not None:
                notes = _notes(folder) if folder is not None else []
                running = sum(note[0] for note in notes)
                stage = f", step {int(notes[0][1]) + 1}" if notes else ""
                label = f"{len(histories)} of {len(tasks)} runs{stage}"
                fraction = min(1.0, (len(histories) + running) / len(tasks))
                progress(fraction, label, notes[0][2] if notes else None)
    except BaseException:
        for future in pending:
            future.cancel()
        raise
    return [histories[k] for k in range(len(tasks))]


def _notes(folder: Path) -> list[list[float]]:
    """What the unfinished members last said of themselves."""
    notes = []
    for path in sorted(folder.glob("*/*.progress")):
        if not path.with_suffix(".npz").exists():
            try:
                notes.append(json.loads(path.read_text()))
            except (OSError, ValueError):
                continue  # just being replaced
    return notes


@contextmanager
def processes(number: int) -> Iterator[Executor]:
    """Worker processes that leave Ctrl-C to this one and do not outlive it."""
    import multiprocessing

    from tammann.automaton.engine import compile_kernel

    compile_kernel()  # once, into numba's cache on disk, instead of once in every worker at the same time
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=_worker, initargs=(os.getpid(),))
    try:
        with _interruptions_held():
            for _ in range(number):
                pool.submit(os.getpid)  # starts a worker, which inherits that it is not to be interrupted
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):  # a worker must not go on writing checkpoints
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def _interruptions_held() -> Iterator[None]:
    """Keep Ctrl-C waiting for a moment, where the system can."""
    import signal

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _worker(parent: int) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def plain_equilibrium(known: PreparedRecipe) -> pd.DataFrame:
    """Give the phases of lowest Gibbs energy at the recipe's composition and gas, at the temperatures of its programme.

    Returns:
        Columns ``temperature_K``, ``phase``, ``mole_fraction`` of the condensed phases.
    """
    import pandas as pd

    recipe, phases, rates = known.recipe, known.phases, known.rates
    amounts = {precursor.phase: precursor.ratio for precursor in recipe.precursors}
    open_gases: dict[str, float] = dict(rates.metadata["atmosphere_Pa"])
    gases = {phase.formula for phase in phases if phase.state == "gas"}
    # As in the rates: what the atmosphere does not hold may leave, against the residual pressure, but not come.
    residual = float(rates.metadata["options"]["residual_pressure_Pa"])
    leaving = {gas: residual for gas in gases - set(open_gases)}
    rows = []
    for temperature in recipe.temperatures_K():
        moles = equilibrium(
            phases,
            amounts,
            float(temperature),
            energies=rates.metadata["energies"],
            partial_pressure_Pa=open_gases,
            release_pressure_Pa=leaving,
        )
        solids = {name: n for name, n in moles.items() if name not in gases}
        total = sum(solids.values())
        rows += [(float(temperature), name, n / total) for name, n in solids.items()]
    return pd.DataFrame(rows, columns=["temperature_K", "phase", "mole_fraction"])


def run_recipe(
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    threads: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run a recipe and write everything into a folder; what is there is always whole.

    Args:
        recipe: the recipe.
        out: the folder; it is made, and must be empty unless ``resume``.
        threads: as in ``fire``.
        executor: as in ``fire``.
        resume: go on from the checkpoints in ``out``; where there are none, start.
        progress: called now and then.

    Returns:
        What is in ``summary.json``.

    Raises:
        ResultError: ``out`` is not empty, or holds the run of another recipe or version.
        RecipeError: the recipe cannot be carried out.
        OSError: the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> from tammann import Recipe
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1400, "hold_h": 0.1}],
        ...     grid={"size": 8},
        ...     ensemble={"realizations": 1},
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     summary = run_recipe(recipe, folder)
        >>> summary["element_drift"] < 1e-10
        True
    """
    begun = time.monotonic()
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise ResultError(f"{folder} is a file; name a new or empty folder")
    if not resume and folder.exists() and any(folder.iterdir()):
        raise ResultError(f"{folder} is not empty; name another folder, or add --resume to go on with the run in it")
    text = recipe.to_yaml()
    stamp = {"version": __version__, "recipe_sha256": _digest(text.encode())}
    for key in ("energies", "transport", "melting_points"):
        name = getattr(recipe, key)
        if name and Path(name).is_file():
            stamp[f"{key}_sha256"] = _digest(Path(name).read_bytes())
    checkpoints = folder / "checkpoints"
    _check_stamp(checkpoints / "run.json", stamp)
    finished = folder / "summary.json"
    if all((folder / name).exists() for name in RESULTS) and (checkpoints / "run.json").exists():
        try:
            return dict(json.loads(finished.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise ResultError(
                f"{finished} is not a whole summary; remove it and add --resume to make it again"
            ) from None
    known = prepare(recipe)
    checkpoints.mkdir(parents=True, exist_ok=True)
    write_text(folder / "recipe.yaml", text)
    write_text(checkpoints / "run.json", json.dumps(stamp))
    known.rates.save(folder / "rates.json")
    firing = fire(known, threads=threads, executor=executor, checkpoint=checkpoints, progress=progress)
    summary = summarize(firing)
    summary["wall_s"] = round(time.monotonic() - begun, 3)
    _write_results(folder, firing, summary)
    # Notes of workers, and what a process that was killed had begun to write.
    for leftover in [*checkpoints.glob("*/*.progress"), *folder.rglob("*.partial")]:
        leftover.unlink(missing_ok=True)
    write_text(finished, json.dumps(summary, indent=2, sort_keys=True) + "\n")
    return summary


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check_stamp(path: Path, stamp: Mapping[str, str]) -> None:
    if not path.exists():
        return
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise ResultError(f"{path} is not a whole checkpoint; remove {path.parent} to start afresh") from None
    if found != stamp:
        changed = sorted(key for key in {*found, *stamp} if found.get(key) != stamp.get(key))
        what = " and ".join(key.removesuffix("_sha256") for key in changed)
        raise ResultError(f"{path.parent} belongs to a run with another {what} (or its options); name another folder")


def summarize(firing: FurnaceRun) -> dict[str, Any]:
    """Give the figures of ``summary.json``, all but the wall time."""
    from tammann.analysis import fallback_share, out_of_equilibrium

    history, null, known = firing.history, firing.null, firing.charge
    lattice = history.lattice
    assert lattice is not None
    final = history.table().set_index("phase")
    last = float(history.temperature_K[-1])
    away = (firing.equilibrium["temperature_K"] - last).abs()
    balance = firing.equilibrium[away == away.min()]
    baselines = {"equilibrium": dict(zip(balance["phase"], balance["mole_fraction"], strict=True))}
    drift = float(history.element_drift.max())
    if null is not None:
        drift = max(drift, float(null.element_drift.max()))
        baselines["geometric_null"] = null.table().set_index("phase")["median"].to_dict()
    energy_set = known.phases.energy_set(str(known.rates.metadata["energies"]))
    shifts = dict(zip([p.formula for p in known.phases], energy_set.shifts_eV_per_atom, strict=True))
    return {
        "final_mole_fractions": final["median"].to_dict(),
        "final_mole_fractions_low": final["low"].to_dict(),
        "final_mole_fractions_high": final["high"].to_dict(),
        "final_temperature_K": last,
        "baselines": baselines,
        "element_drift": drift,
        "arrested": bool(np.mean(lattice.arrested) >= 0.5),
        "arrested_share": float(np.mean(lattice.arrested)),
        "unreacted_fraction": out_of_equilibrium(history, firing.equilibrium),
        "fallback_share": fallback_share(history),
        "saturated_fraction": float(lattice.saturated_fraction.max()),
        "visits_per_second": float(lattice.visits.sum() / max(lattice.kernel_seconds.sum(), 1e-9)),
        "visits": int(lattice.visits.sum()),
        "realizations": history.realizations,
        "calibrated": history.calibrated,
        "hours_per_sweep": known.recipe.hours_per_sweep,
        "energies_were_told": [
            f"{c.equation} ({c.kind} at {' and '.join(f'{t:g}' for t in c.temperature_K)} K)"
            for c in energy_set.constraints
        ],
        "energies_shifted_meV_per_atom": {name: round(1000 * x, 3) for name, x in shifts.items() if abs(x) > 1e-6},
        "seed": known.recipe.seed,
        "energies": known.rates.metadata["energies"],
        "transport": known.rates.metadata["transport"],
        "kinetics": known.rates.metadata["kinetics"],
        "version": __version__,
        "warnings": list(known.rates.warnings),
    }


def _write_results(folder: Path, firing: FurnaceRun, summary: dict[str, Any]) -> None:
    from tammann.plot import plot_phase_fractions, save_figure
    from tammann.report import write_report

    firing.history.save(folder / "history.npz")
    if firing.null is not None:
        firing.null.save(folder / "null.npz")
    write_text(
        folder / "phase_fractions.csv", firing.history.phase_fractions().to_csv(index=False, float_format="%.9g")
    )
    write_text(folder / "equilibrium.csv", firing.equilibrium.to_csv(index=False, float_format="%.9g"))
    save_figure(plot_phase_fractions(firing.history), folder / "phases.png")
    write_report(
        folder / "report.html",
        firing.history,
        recipe=firing.charge.recipe,
        summary=summary,
        baselines={"null": firing.null, "equilibrium": firing.equilibrium},
        rates=firing.charge.rates,
    )
