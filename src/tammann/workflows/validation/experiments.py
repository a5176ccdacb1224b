"""Experiments of a file of observations, with their recipes, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tammann.errors import DataError, RecipeError
from tammann.recipe import Recipe
from tammann.thermo import Phases
from tammann.workflows.furnace import PreparedRecipe, prepare
from tammann.workflows.validation.observations import Experiment, Observation
from tammann.workflows.validation.results import KINETICS

__all__ = ["PreparedExperiment", "folded", "prepare_experiment"]


@dataclass(frozen=True, eq=False)
class PreparedExperiment:
    """An experiment with its recipe ready to be run, whose observations fit the recipe.

    Attributes:
        experiment: As the file has it.
        title: Its name, or the title of its recipe.
        prepared: The recipe with its phases, reactions and rates.
        models: The kinetics it is run in; without transport there is one only.
    """

    experiment: Experiment
    title: str
    prepared: PreparedRecipe
    models: tuple[str, ...]


def prepare_experiment(
    experiment: Experiment, where: str, *, realizations: int | None, size: int | None
) -> PreparedExperiment:
    """Read the recipe of an experiment and check its observations against it.

    Args:
        experiment: The experiment.
        where: Its place in the file, for messages.
        realizations: In place of the recipe's own.
        size: Cells per edge, in place of the recipe's own.

    Raises:
        DataError: An observation names phases, steps or temperatures that the recipe does not have.
        RecipeError: The recipe cannot be carried out.
    """
    try:
        recipe = Recipe.from_file(experiment.recipe).with_options(realizations=realizations, size=size)
        models = ("none",) if recipe.transport == "none" else KINETICS
        prepared = prepare(recipe.with_options(kinetics=models[0]))
    except RecipeError as error:
        raise RecipeError(f"{where}.recipe: {error}") from None
    if experiment.target is not None:
        _check_formula(prepared.phases, experiment.target, f"{where}.target")
    for n, observation in enumerate(experiment.observations):
        _check(observation, prepared, f"{where}.observations[{n}]")
    name = experiment.name or recipe.title or Path(experiment.recipe).stem
    return PreparedExperiment(experiment, name, prepared, models)


def _check_formula(phases: Phases, formula: str, where: str) -> None:
    try:
        phase = phases[phases.index(formula)]
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if phase.formula != formula:
        raise DataError(
            f"{where}: expected a formula as {phases.system} writes it, got {formula!r}; write {phase.formula}"
        )
    if phase.state == "gas":
        raise DataError(f"{where}: expected a condensed phase, got the gas {formula}")


def _check(observation: Observation, prepared: PreparedRecipe, where: str) -> None:
    recipe, when = prepared.recipe, observation.when
    for key, formula in observation.formulas():
        _check_formula(prepared.phases, formula, f"{where}.{key}")
    steps = len(recipe.programme)
    if when.step is not None and when.step > steps:
        raise DataError(f"{where}.when.step: expected a step from 1 to {steps} of the recipe, got {when.step}")
    if when.hold_h is not None and when.step is not None:
        hold = recipe.programme[when.step - 1].hold_h
        if when.hold_h > hold:
            raise DataError(
                f"{where}.when.hold_h: expected at most the {hold:g} h of the recipe's hold, got {when.hold_h:g}"
            )
    segments = [s for s in recipe.segments() if when.step is None or s.stage == when.step - 1]
    visited = [t for s in segments for t in (s.temperature_start_K, s.temperature_end_K)] or [
        recipe.start_temperature_K
    ]
    low, high = min(visited), max(visited)
    for key in ("temperature_K", "from_temperature_K", "to_temperature_K"):
        value = getattr(when, key)
        beyond = value is not None and not low <= value <= high
        # a range may reach further than the programme, as long as part of it is visited
        if beyond and (key == "temperature_K" or (value > high) == (key == "from_temperature_K")):
            raise DataError(
                f"{where}.when.{key}: expected a temperature that the recipe visits, {low:g} to {high:g} K, "
                f"got {value:g}"
            )
    names = [p.phase for p in recipe.precursors]
    if when.conversion_of is not None and when.conversion_of not in names:
        raise DataError(
            f"{where}.when.conversion_of: expected a precursor ({', '.join(names)}), got {when.conversion_of}"
        )
    if observation.follows_from is not None:
        constraints = {c.equation: None for each in prepared.phases.energy_sets.values() for c in each.constraints}
        if folded(observation.follows_from) not in map(folded, constraints):
            raise DataError(
                f"{where}.follows_from: expected an equilibrium that constrains an energy set "
                f"({'; '.join(constraints) or 'there are none'}), got {observation.follows_from!r}"
            )


def folded(text: str) -> str:
    """Return a text in lower case and with single spaces, to be compared."""
    return " ".join(text.casefold().split())
