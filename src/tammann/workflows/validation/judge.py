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
from tammann.workflows.validation.observations import Observation, Observations, Range
from tammann.workflows.validation.results import MODELS, Judgement
from tammann.workflows.validation.settings import AS_WRITTEN

NOMINAL_OBSERVATION = "Bondioli 1998"
"""What the nominal conductivities of reactive diffusion rest on; left out of every count."""


def judge(
    observations: Observations,
    experiments: Sequence[PreparedExperiment],
    evolutions: Sequence[Mapping[str, Mapping[str, PhaseEvolution]]],
    limits: Range | None,
) -> tuple[tuple[Judgement, ...], tuple[str, ...]]:
    """Return a judgement of every observation in every model, in the order of the file, and remarks on limits used.

    Of every experiment ``evolutions`` has one by model and by words for the setting, the recipe as written among them;
    ``limits`` are those of the settings.
    """
    recipes = [each.prepared.recipe for each in experiments]
    texts = {recipe.calibration.observation for recipe in recipes if recipe.calibration is not None}
    said = [o for each in observations.experiments for o in each.observations]
    calibrations = _calibrations(said, texts | {NOMINAL_OBSERVATION})
    judgements = [
        judgement
        for each, models in zip(experiments, evolutions, strict=True)
        for judgement in _judge_experiment(observations, each, models, calibrations)
    ]
    remarks = []
    if texts and not _calibrations(said, texts):
        named = "; ".join(sorted(texts))
        remarks.append(f"The time was calibrated on: {named}; no observation of this file is that one.")
    for engine, model in (("reactive diffusion", "full"), ("the automaton", "automaton-none")):
        uncalibrated = sum(not each.recipes[model].calibrated for each in experiments)
        if uncalibrated:
            remarks.append(
                f"The time of {engine} is not calibrated in {uncalibrated} of {len(recipes)} recipes: their holds have "
                "nominal hours only."
            )
    remarks.append(
        f"A phase counts as present above {observations.detection_limit_mass_percent:g} % by mass, the margin of a "
        f"lead as well, and amounts are {observations.basis} fractions of the condensed phases, unless an observation "
        "says otherwise; an observation holds if it does in more than half of the realizations"
        + (" and at more than half of the settings." if limits is not None else ".")
    )
    if limits is not None:
        remarks.append(
            f"Settings: reactive diffusion with radii times {_listed(limits.particle_size)}, mixing "
            f"{_listed(limits.mixing)} and rates times {_listed(limits.time)}, all combinations; the automaton and the "
            f"geometric null with the same mixing and {_listed(limits.sweeps_per_hour)} sweeps per hour (calibrated: "
            "rates as above); plain equilibrium with the same mixing; the recipe as written among them."
        )
    return tuple(judgements), tuple(remarks)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" if value == round(value) else f"{value:.3g}" for value in values)


def _judge_experiment(
    observations: Observations,
    each: PreparedExperiment,
    evolutions: Mapping[str, Mapping[str, PhaseEvolution]],
    calibrations: set[int],
) -> list[Judgement]:
    energies = each.prepared.phases.energy_set(each.prepared.energies)
    equations = {folded(constraint.equation) for constraint in energies.constraints}
    unconstrained = _without_constraints(each, energies, evolutions["equilibrium"][AS_WRITTEN])
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
        holds = {
            model: {words: float(run.holds(observation, **options).mean()) for words, run in runs.items()}
            for model, runs in evolutions.items()
        }
        shares = {model: holds[model][AS_WRITTEN] if model in holds else None for model in MODELS}
        settings = {
            model: {words: share > 0.5 for words, share in held.items()}
            for model, held in holds.items()
            if len(held) > 1
        }
        origin = ""
        if observation.follows_from is not None and folded(observation.follows_from) in equations:
            origin = observation.follows_from
        elif shares["equilibrium"] == 1 and unconstrained and not unconstrained.holds(observation, **options).all():
            origin = f"the constraints of {energies.name}: equilibrium with {energies.base} does not give it"
        found = {model: _found(runs[AS_WRITTEN], observation, basis) for model, runs in evolutions.items()}
        fitted = id(observation) in calibrations
        judgements.append(Judgement(each.title, observation, shares, found, settings, fitted, origin))
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
