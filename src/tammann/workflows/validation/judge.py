"""Which observations hold in which models, and whether they count for or against them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tammann.thermo import EnergySet
from tammann.workflows.furnace import plain_equilibrium
from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.experiments import PreparedExperiment, folded
from tammann.workflows.validation.observations import Observation, Observations
from tammann.workflows.validation.results import MODELS, Judgement


def judge(
    observations: Observations,
    experiments: Sequence[PreparedExperiment],
    evolutions: Sequence[Mapping[str, PhaseEvolution]],
) -> tuple[tuple[Judgement, ...], tuple[str, ...]]:
    """Return a judgement of every observation in every model, in the order of the file, and remarks on limits used."""
    recipes = [each.prepared.recipe for each in experiments]
    texts = {recipe.calibration.observation for recipe in recipes if recipe.calibration is not None}
    calibrations = _calibrations([o for each in observations.experiments for o in each.observations], texts)
    judgements = [
        judgement
        for each, models in zip(experiments, evolutions, strict=True)
        for judgement in _judge_experiment(observations, each, models, calibrations)
    ]
    remarks = []
    if texts and not calibrations:
        named = "; ".join(sorted(texts))
        remarks.append(f"The time was calibrated on: {named}; no observation of this file is that one.")
    uncalibrated = sum(not recipe.calibrated for recipe in recipes)
    if uncalibrated:
        remarks.append(
            f"Time is in sweeps, not calibrated, in {uncalibrated} of {len(recipes)} recipes: their holds have nominal "
            "hours only."
        )
    remarks.append(
        f"A phase counts as present above {observations.detection_limit_mass_percent:g} % by mass, and amounts are "
        f"{observations.basis} fractions of the condensed phases, unless an observation says otherwise; an observation "
        "holds if it does in more than half of the realizations."
    )
    return tuple(judgements), tuple(remarks)


def _judge_experiment(
    observations: Observations,
    each: PreparedExperiment,
    evolutions: Mapping[str, PhaseEvolution],
    calibrations: set[int],
) -> list[Judgement]:
    energies = each.prepared.phases.energy_set(each.prepared.energies)
    equations = {folded(constraint.equation) for constraint in energies.constraints}
    unconstrained = _without_constraints(each, energies, evolutions["equilibrium"])
    judgements = []
    for observation in each.experiment.observations:
        basis = observation.basis or observations.basis
        limit = observation.detection_limit_mass_percent
        limit = observations.detection_limit_mass_percent if limit is None else limit
        options: dict[str, Any] = {
            "detection_limit_mass_percent": limit,
            "basis": basis,
            "target": each.experiment.target,
        }
        holds = {model: run.holds(observation, **options) for model, run in evolutions.items()}
        shares = {model: float(holds[model].mean()) if model in holds else None for model in MODELS}
        origin = ""
        if observation.follows_from is not None and folded(observation.follows_from) in equations:
            origin = observation.follows_from
        elif shares["equilibrium"] == 1 and unconstrained and not unconstrained.holds(observation, **options).all():
            origin = f"the constraints of {energies.name}: equilibrium with {energies.base} does not give it"
        found = {model: _found(run, observation, basis) for model, run in evolutions.items()}
        judgements.append(Judgement(each.title, observation, shares, found, id(observation) in calibrations, origin))
    return judgements


def _found(run: PhaseEvolution, observation: Observation, basis: str) -> dict[str, tuple[float, float]]:
    """Return the least and the largest amount of each phase of an observation, percent, medians over realizations."""
    rows = []
    for r, moments in enumerate(run.moments(observation.when)):
        if moments.size:
            amounts = run.percent(r, moments, basis)
            columns = [run.column(amounts, name) for name in observation.phases]
            rows.append([(column.min(), column.max()) for column in columns])
    middle = np.median(rows, axis=0).tolist() if rows else []
    return {name: (low, high) for name, (low, high) in zip(observation.phases, middle, strict=False)}


def _without_constraints(
    each: PreparedExperiment, energies: EnergySet, equilibrium: PhaseEvolution
) -> PhaseEvolution | None:
    """Return plain equilibrium with the energies before constraints were applied; None where there are none."""
    prepared = each.prepared
    if not energies.constraints or energies.base is None or energies.base not in prepared.phases.energy_sets:
        return None
    table = plain_equilibrium(prepared, energies=energies.base)
    return PhaseEvolution.of_equilibrium(table, prepared.recipe, prepared.phases, equilibrium)


def _calibrations(observations: Sequence[Observation], texts: set[str]) -> set[int]:
    """Return the ids of the observations that a calibration was made on.

    A calibration names an observation by its words; where it names none, by author and year, and then everything from
    that source is left out.
    """
    marked = {id(each) for each in observations if each.calibration}
    for text in map(folded, texts):
        by_words = {id(o) for o in observations if (words := folded(o.observation)) in text or text in words}
        by_source = {id(o) for o in observations if _citations(o.source) & _citations(text)}
        marked |= by_words or by_source
    return marked


def _citations(text: str) -> set[tuple[str, str]]:
    """Return author and year of each citation in a text."""
    return set(re.findall(r"\b([^\W\d_]{3,})\b[^\d;]*?\b((?:19|20)\d\d)\b", folded(text)))
