"""Run the recipes of a file of observations in every model, over the range of what nobody knows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from tammann.automaton.engine import compile_kernel
from tammann.errors import RecipeError
from tammann.history import History
from tammann.parallel import Progress, available_cores, run_tasks, worker_pool
from tammann.recipe import Recipe
from tammann.workflows.automaton_runs import realize_automaton
from tammann.workflows.diffusion_runs import realize_diffusion
from tammann.workflows.furnace import NULL_REALIZATIONS, plain_equilibrium
from tammann.workflows.prepared import PreparedRecipe, at_setting, prepare
from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.experiments import PreparedExperiment, prepare_experiment
from tammann.workflows.validation.judge import judge
from tammann.workflows.validation.observations import Observations, Range
from tammann.workflows.validation.results import MODELS, Validation
from tammann.workflows.validation.settings import AS_WRITTEN, settings, spreads, uneven


def validate(
    observations: str | os.PathLike[str] | Observations,
    *,
    realizations: int | None = None,
    size: int | None = None,
    over_range: bool = True,
    models: Iterable[str] | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Compare recipes with what experiment observed.

    Every recipe is run by reactive diffusion with full, with self and with equal conductivities, and by the automaton
    with full kinetics, with self-diffusion only and with thermodynamics only; the geometric null and plain equilibrium
    are the baselines. Nothing is fitted. Each is run as the recipe is written, with all realizations, and once at every
    setting of the file's range of sizes, mixing and time, as far as it knows them: plain equilibrium knows mixing only.

    Args:
        observations: A file of observations, or the observations read from it.
        realizations: Of the recipes as written, in place of the file's, or the recipes', own.
        size: Cells per edge of the automaton, in place of the recipes' own.
        over_range: False for the recipes as written only, which takes a tenth of the time.
        models: Keys of ``MODELS`` to be run, all if None; the baselines always are.
        threads: Processes to use; by default all cores.
        executor: Any ``concurrent.futures.Executor`` in place of processes here.
        progress: Called now and then.

    Raises:
        DataError: The file is not valid, or names phases, steps or temperatures that its recipes do not have.
        RecipeError: One of its recipes cannot be carried out, or an option is out of range.

    Example:
        >>> import tempfile
        >>> recipe = '''
        ... precursors: [{phase: BaO, ratio: 1}, {phase: TiO2, ratio: 1}]
        ... programme: [{temperature_K: 1400, hold_h: 0.1}]
        ... '''
        >>> text = '''
        ... experiments:
        ...   - recipe: one.yaml
        ...     observations: [{observation: some BaTiO3, source: invented, present: BaTiO3}]
        ... '''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "one.yaml").write_text(recipe)
        ...     read = Observations.from_text(text, directory=folder)
        ...     outcome = validate(read, realizations=1, size=8, over_range=False, models=["full"], threads=1)
        >>> outcome.table()[["full", "null", "equil.", "mark"]].iloc[0].tolist()
        ['yes', 'yes', 'yes', 'not discriminating']
    """
    if realizations is not None and realizations < 1:
        raise RecipeError(f"realizations: expected a whole number of at least 1, got {realizations}")
    wanted = tuple(MODELS if models is None else models)
    unknown = [model for model in wanted if model not in MODELS]
    if unknown:
        raise RecipeError(f"models: expected some of {', '.join(MODELS)}, got {unknown[0]!r}")
    read = observations if isinstance(observations, Observations) else Observations.from_file(observations)
    name = "observations" if isinstance(observations, Observations) else Path(observations).stem
    realizations = read.realizations if realizations is None else realizations
    experiments = [
        prepare_experiment(
            experiment, f"experiments[{k}]", calibration=read.calibration, realizations=realizations, size=size
        )
        for k, experiment in enumerate(read.experiments)
    ]
    limits = read.range if over_range else None
    evolutions = _run_all(experiments, wanted, limits, threads, executor, progress)
    judgements, remarks = judge(read, experiments, evolutions, limits)
    return Validation(read.title or name, judgements, remarks)


def _run_all(
    experiments: Sequence[PreparedExperiment],
    models: Sequence[str],
    limits: Range | None,
    threads: int | None,
    executor: Executor | None,
    progress: Progress | None,
) -> list[dict[str, dict[str, PhaseEvolution]]]:
    """Return the evolutions by model and setting, one set per experiment."""
    tasks, cells = {}, []
    for k, each in enumerate(experiments, start=1):
        for model, recipe in each.recipes.items():
            if model in models:
                cells.append((k - 1, model))
                tasks[f"{each.title} ({k} of {len(experiments)}), {MODELS[model]}"] = (settings(recipe, limits), False)
        cells.append((k - 1, "null"))
        # without kinetics of its own: any of the automaton's recipes will do
        tasks[f"{each.title} ({k} of {len(experiments)}), {MODELS['null']}"] = (
            settings(each.recipes["automaton-none"], limits),
            True,
        )
    cores = min(threads or available_cores(), len(tasks))
    compile_kernel()  # once, into the cache on disk, instead of in every worker at the same time
    with nullcontext(executor) if executor is not None or cores == 1 else worker_pool(cores) as pool:
        found = run_tasks(_run_settings, tasks, executor=pool, progress=progress)
    gathered: list[dict[str, dict[str, PhaseEvolution]]] = [{} for _ in experiments]
    for (number, model), runs in zip(cells, found, strict=True):
        gathered[number][model] = runs
    for each, runs in zip(experiments, gathered, strict=True):
        runs["equilibrium"] = _equilibria(each.prepared, limits, runs["null"][AS_WRITTEN])
    return gathered


def _equilibria(prepared: PreparedRecipe, limits: Range | None, like: PhaseEvolution) -> dict[str, PhaseEvolution]:
    """Return plain equilibrium for every unevenness of the mixture, by words for the setting."""
    found = {}
    for spread in spreads(prepared.recipe, limits):
        parts = uneven(prepared.recipe, spread)
        evolutions = []
        for part in parts:
            table = plain_equilibrium(replace(prepared, recipe=part))
            evolutions.append(PhaseEvolution.of_equilibrium(table, part, prepared.phases, like))
        words = f"mixing {spread:g}" if spread > 0.0 else AS_WRITTEN
        found[words] = PhaseEvolution.together(evolutions, parts)
    return found


def _run_settings(
    recipes: Mapping[str, tuple[Recipe, ...]], null: bool, *, progress: Progress | None = None
) -> dict[str, PhaseEvolution]:
    """Run a recipe, or the null of its engine, at several settings, by words for the setting."""
    base = prepare(next(iter(recipes.values()))[0])
    found = {}
    for n, (words, parts) in enumerate(recipes.items()):
        evolutions = []
        for recipe in parts:
            prepared = at_setting(base, recipe)
            realize = realize_automaton if recipe.engine == "automaton" else realize_diffusion
            runs = min(recipe.ensemble.realizations, NULL_REALIZATIONS) if null else recipe.ensemble.realizations
            histories = [realize(prepared, number, null, 1, None) for number in range(runs)]
            evolutions.append(PhaseEvolution.of_run(History.join(histories), recipe))
        found[words] = PhaseEvolution.together(evolutions, parts)
        if progress is not None:
            progress((n + 1) / len(recipes), words, None)
    return found
