"""Experiments of a file of observations, with their recipes, checked against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tammann.errors import DataError, RecipeError
from tammann.recipe import Recipe
from tammann.recipe_blocks import Calibration
from tammann.thermo import Phases
from tammann.workflows.prepared import PreparedRecipe, prepare
from tammann.workflows.validation.observations import Experiment, Observation


@dataclass(frozen=True, eq=False)
class PreparedExperiment:
    """An experiment with its recipe, ready to be run in every model.

    Attributes:
        experiment: As the file states it.
        title: Its name in the tables.
        prepared: The recipe of the first model, with its phases and energies.
        recipes: By model the recipe with its engine and conductivities or kinetics.
    """

    experiment: Experiment
    title: str
    prepared: PreparedRecipe
    recipes: Mapping[str, Recipe]


def prepare_experiment(
    experiment: Experiment,
    where: str,
    *,
    calibration: Calibration | None,
    realizations: int | None,
    size: int | None,
) -> PreparedExperiment:
    """Read the recipe of an experiment and check its observations against it.

    Args:
        experiment: As the file states it.
        where: It stands in the file, for messages.
        calibration: Of a recipe that has none.
        realizations: In place of the recipe's own.
        size: Cells per edge of the automaton, in place of the recipe's own.
    """
    try:
        recipe = Recipe.from_file(experiment.recipe)
        if recipe.calibration is None and calibration is not None:
            recipe = recipe.with_options(calibration=calibration.model_dump())
        recipes = recipes_of_models(recipe, realizations=realizations, size=size)
        prepared = prepare(recipes["full"])
    except RecipeError as error:
        raise RecipeError(f"{where}.recipe: {error}") from None
    if experiment.target is not None:
        _check_formula(prepared.phases, experiment.target, f"{where}.target")
    for n, observation in enumerate(experiment.observations):
        _check(observation, prepared, f"{where}.observations[{n}]")
    name = experiment.name or recipe.title or Path(experiment.recipe).stem
    return PreparedExperiment(experiment, name, prepared, recipes)


def recipes_of_models(recipe: Recipe, *, realizations: int | None = None, size: int | None = None) -> dict[str, Recipe]:
    """Return a recipe as each model runs it: what belongs to one engine only keeps its default in the other.

    Without transport data there is one kinetics of the automaton, and ``self`` would repeat ``full``.

    Args:
        recipe: As written, for either engine.
        realizations: In place of the recipe's own.
        size: Cells per edge of the automaton's grid, in place of the recipe's own.

    Example:
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "MgO", "ratio": 1}, {"phase": "SiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
        ... )
        >>> list(recipes_of_models(recipe))
        ['full', 'equal', 'automaton-none']
    """
    bare = recipe.transport == "none"
    found = {
        mode: recipe.with_options(engine="reactive-diffusion", conductivity=mode, realizations=realizations)
        for mode in ("full", "self", "equal")
        if mode != "self" or not bare
    }
    return found | {
        f"automaton-{mode}": recipe.with_options(
            engine="automaton", kinetics=mode, realizations=realizations, size=size
        )
        for mode in ("full", "self", "none")
        if mode == "none" or not bare
    }


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

    def expect(met: bool, key: str, wanted: str, got: object) -> None:
        if not met:
            raise DataError(f"{where}.{key}: expected {wanted}, got {got}")

    for key, formula in observation.formulas():
        _check_formula(prepared.phases, formula, f"{where}.{key}")
    steps = recipe.programme if when.step is None else recipe.programme[when.step - 1 : when.step]
    expect(bool(steps), "when.step", f"a step from 1 to {len(recipe.programme)} of the recipe", when.step)
    if when.hold_h is not None:
        hold = f"at most the {steps[0].hold_h:g} h of the recipe's hold"
        expect(when.hold_h <= steps[0].hold_h, "when.hold_h", hold, f"{when.hold_h:g}")
    segments = [s for s in recipe.segments() if when.step is None or s.stage == when.step - 1]
    visited = [t for s in segments for t in (s.temperature_start_K, s.temperature_end_K)]
    low, high = min(visited or [recipe.start_temperature_K]), max(visited or [recipe.start_temperature_K])
    for key in ("temperature_K", "from_temperature_K", "to_temperature_K"):
        value = getattr(when, key)
        beyond = value is not None and not low <= value <= high
        # a range may reach further than the programme, as long as part of it is visited
        if beyond and (key == "temperature_K" or (value > high) == (key == "from_temperature_K")):
            wanted = f"a temperature that the recipe visits, {low:g} to {high:g} K"
            expect(False, f"when.{key}", wanted, f"{value:g}")
    names = [p.phase for p in recipe.precursors]
    known = when.conversion_of in (None, *names)
    expect(known, "when.conversion_of", f"a precursor ({', '.join(names)})", when.conversion_of)
    if observation.follows_from is not None:
        constraints = {c.equation: None for each in prepared.phases.energy_sets.values() for c in each.constraints}
        known = folded(observation.follows_from) in map(folded, constraints)
        wanted = f"an equilibrium that constrains an energy set ({'; '.join(constraints) or 'there are none'})"
        expect(known, "follows_from", wanted, repr(observation.follows_from))


def folded(text: str) -> str:
    """Return a text in lower case and with single spaces, to be compared."""
    return " ".join(text.casefold().split())
