"""Run the recipes of a file of observations in every model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from tammann.automaton.engine import compile_kernel
from tammann.errors import RecipeError
from tammann.kinetics import rate_table
from tammann.parallel import Progress, available_cores, run_tasks, worker_pool
from tammann.workflows.furnace import PreparedRecipe, run_recipe
from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.experiments import PreparedExperiment, prepare_experiment
from tammann.workflows.validation.judge import judge
from tammann.workflows.validation.observations import Observations
from tammann.workflows.validation.results import MODELS, Validation


def validate(
    observations: str | os.PathLike[str] | Observations,
    *,
    realizations: int | None = None,
    size: int | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Compare recipes with what experiment observed.

    Every recipe is run with full kinetics, with self-diffusion only and with thermodynamics only; the geometric null
    and plain equilibrium are the baselines. Nothing is fitted.

    Args:
        observations: A file of observations, or the observations read from it.
        realizations: In place of the file's, or the recipes', own.
        size: Cells per edge, in place of the recipes' own.
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
        ...     observations: [{observation: mostly BaTiO3, source: invented, major: BaTiO3}]
        ... '''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "one.yaml").write_text(recipe)
        ...     read = Observations.from_text(text, directory=folder)
        ...     outcome = validate(read, realizations=1, size=8, threads=1)
        >>> outcome.table()[["full", "null", "equilibrium", "mark"]].iloc[0].tolist()
        ['yes', 'yes', 'yes', 'not discriminating']
    """
    if realizations is not None and realizations < 1:
        raise RecipeError(f"realizations: expected a whole number of at least 1, got {realizations}")
    read = observations if isinstance(observations, Observations) else Observations.from_file(observations)
    name = "observations" if isinstance(observations, Observations) else Path(observations).stem
    realizations = read.realizations if realizations is None else realizations
    experiments = [
        prepare_experiment(experiment, f"experiments[{k}]", realizations=realizations, size=size)
        for k, experiment in enumerate(read.experiments)
    ]
    evolutions = _run_all(experiments, threads, executor, progress)
    judgements, remarks = judge(read, experiments, evolutions)
    return Validation(read.title or name, judgements, remarks)


def _run_all(
    experiments: Sequence[PreparedExperiment], threads: int | None, executor: Executor | None, progress: Progress | None
) -> list[dict[str, PhaseEvolution]]:
    """Return the evolution in each model and baseline, one set per experiment."""
    tasks = {
        f"{each.title} ({k} of {len(experiments)}), {MODELS[model]}": (each.prepared, model, model == each.models[0])
        for k, each in enumerate(experiments, start=1)
        for model in each.models
    }
    cores = min(threads or available_cores(), len(tasks))
    compile_kernel()  # once, into the cache on disk, instead of in every worker at the same time
    with nullcontext(executor) if executor is not None or cores == 1 else worker_pool(cores) as pool:
        found = iter(run_tasks(_run_model, tasks, executor=pool, progress=progress))
    return [{name: run for _ in each.models for name, run in next(found).items()} for each in experiments]


def _run_model(
    prepared: PreparedRecipe, model: str, baselines: bool, *, progress: Progress | None = None
) -> dict[str, PhaseEvolution]:
    """Run a recipe in one of the kinetics, and the two baselines with it where asked for."""
    recipe = prepared.recipe.with_options(kinetics=model)
    if recipe != prepared.recipe:
        assert prepared.reactions is not None
        rates = rate_table(prepared.reactions, prepared.transport, recipe)
        prepared = replace(prepared, recipe=recipe, rates=rates)
    run = run_recipe(prepared, null=baselines, threads=1, progress=progress)
    evolutions = {model: PhaseEvolution.of_run(run.history, recipe)}
    if baselines and run.null is not None:
        evolutions["null"] = PhaseEvolution.of_run(run.null, recipe)
        evolutions["equilibrium"] = PhaseEvolution.of_equilibrium(
            run.equilibrium, recipe, prepared.phases, evolutions[model]
        )
    return evolutions
