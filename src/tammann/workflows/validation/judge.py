"""Which observations hold, in which model, and what that is worth against the two baselines."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.automaton.engine import compile_kernel
from tammann.errors import DataError, RecipeError
from tammann.kinetics import rate_table
from tammann.parallel import Progress, available_cores, run_tasks, worker_pool
from tammann.recipe import Recipe
from tammann.thermo import EnergySet, Phases
from tammann.workflows.furnace import PreparedRecipe, plain_equilibrium, prepare, run_recipe
from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.observations import Experiment, Observation, Observations

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MODELS", "Skill", "Validation", "Judgement", "validate"]

MODELS: Mapping[str, str] = {
    "full": "full kinetics",
    "self": "self-diffusion only",
    "none": "thermodynamics only",
    "null": "geometric null",
    "equilibrium": "plain equilibrium",
}
"""The models, in the order of the table, and what they are called."""
COLUMNS: Mapping[str, str] = {
    "full": "full",
    "self": "self-diffusion",
    "none": "thermodynamics",
    "null": "null",
    "equilibrium": "equilibrium",
}
"""Their names over the columns of a table, which has to fit on a terminal."""
KINETICS = ("full", "self", "none")
BASELINES = ("null", "equilibrium")


@dataclass(frozen=True)
class Judgement:
    """One observation beside the models.

    Attributes:
        experiment: name of the experiment, or title of its recipe.
        seen: the observation.
        shares: model to the share of its realizations in which the observation holds; None where a model was not run.
        found: model to phase to the least and largest amount in the stretch (percent, medians over realizations);
            empty where no realization comes there.
        calibration: whether the time of a recipe was calibrated on it, so that it is left out.
        input: the equilibrium that the energies were told and from which it follows; empty where it does not.
    """

    experiment: str
    seen: Observation
    shares: Mapping[str, float | None]
    found: Mapping[str, Mapping[str, tuple[float, float]]]
    calibration: bool = False
    input: str = ""

    def holds(self, model: str) -> bool | None:
        """Whether it holds in more than half of a model's realizations; None where the model was not run."""
        share = self.shares[model]
        return None if share is None else share > 0.5

    @property
    def counts(self) -> bool:
        """Whether it may count for or against a model."""
        return not (self.calibration or self.input)

    @property
    def discriminates(self) -> bool:
        """Whether it counts and neither baseline satisfies it."""
        return self.counts and not any(self.holds(baseline) for baseline in BASELINES)

    @property
    def mark(self) -> str:
        """What is to be said of it, in a few words."""
        if self.calibration:
            return "calibration"
        if self.input:
            return "input"
        return "discriminates" if self.discriminates else "not discriminating"


@dataclass(frozen=True)
class Skill:
    """How much more a model gets right than a baseline, over the observations that count.

    Attributes:
        model: one of the kinetics.
        baseline: ``null`` or ``equilibrium``.
        counted: observations that count (no inputs, no calibration).
        satisfied: of them, those that hold in the model.
        by_baseline: of them, those that hold in the baseline.
        gained: those that hold in the model and not in the baseline.
        lost: those that hold in the baseline and not in the model.
    """

    model: str
    baseline: str
    counted: int
    satisfied: int
    by_baseline: int
    gained: int
    lost: int

    @property
    def value(self) -> int:
        """The skill: gained less lost, which is satisfied less by_baseline."""
        return self.gained - self.lost


@dataclass(frozen=True)
class Validation:
    """What holds of a file of observations.

    Attributes:
        title: of the file.
        judgements: one an observation, in the order of the file.
        remarks: sentences about the recipes and the limits used.
    """

    title: str
    judgements: tuple[Judgement, ...]
    remarks: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """The models that were run for some recipe."""
        return tuple(model for model in MODELS if any(v.shares[model] is not None for v in self.judgements))

    def skill(self, model: str, baseline: str) -> Skill:
        """Count what a model gets right against a baseline, over observations that count and for which it was run.

        Args:
            model: ``full``, ``self`` or ``none``.
            baseline: ``null`` or ``equilibrium``.

        Example:
            >>> seen = Observation(observation="BaTiO3", source="invented", major="BaTiO3")
            >>> shares = {"full": 1.0, "self": 0.75, "none": 0.25, "null": 0.0, "equilibrium": 1.0}
            >>> outcome = Validation("one", (Judgement("1:1", seen, shares, {}),))
            >>> outcome.skill("full", "null").value, outcome.skill("none", "equilibrium").value
            (1, -1)
        """
        pairs = [
            (v.holds(model), v.holds(baseline)) for v in self.judgements if v.counts and v.shares[model] is not None
        ]
        return Skill(
            model=model,
            baseline=baseline,
            counted=len(pairs),
            satisfied=sum(bool(own) for own, _ in pairs),
            by_baseline=sum(bool(base) for _, base in pairs),
            gained=sum(bool(own and not base) for own, base in pairs),
            lost=sum(bool(base and not own) for own, base in pairs),
        )

    def table(self) -> pd.DataFrame:
        """The models side by side, as text: yes or no, and in which share of the realizations where they disagree.

        Columns ``recipe``, ``observation``, ``when``, ``full``, ``self-diffusion``, ``thermodynamics``, ``null``,
        ``equilibrium`` and ``mark``; a dash stands where a model was not run.
        """
        import pandas as pd

        columns = ["recipe", "observation", "when", *COLUMNS.values(), "mark"]
        rows = []
        for v in self.judgements:
            cells = [_cell(v.shares[model], bool(v.found.get(model, True))) for model in MODELS]
            rows.append([v.experiment, v.seen.observation, v.seen.when.words, *cells, v.mark])
        return pd.DataFrame(rows, columns=columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the table comes to: the counts, the skill, what is not reproduced, and the remarks."""
        counting = sum(v.counts for v in self.judgements)
        telling = sum(v.discriminates for v in self.judgements)
        lines = [
            f"{counting} of {len(self.judgements)} observations count; {telling} of them discriminate (neither "
            "baseline satisfies them)."
        ]
        for model in KINETICS:
            if model not in self.models:
                continue
            each = [self.skill(model, baseline) for baseline in BASELINES]
            beyond = sum(bool(v.discriminates and v.holds(model)) for v in self.judgements)
            against = "; ".join(
                f"over {MODELS[s.baseline]} ({s.by_baseline}) skill {s.value:+d} = {s.gained} gained - {s.lost} lost"
                for s in each
            )
            lines.append(
                f"{MODELS[model].capitalize()}: {each[0].satisfied} of {each[0].counted} hold; {against}; "
                f"{beyond} that neither satisfies."
            )
        lines += [
            f"Input: {v.experiment}: {v.seen.observation} (follows from {v.input})." for v in self.judgements if v.input
        ]
        best = self.models[0] if self.models else "full"
        lines += [
            f"Not reproduced with {MODELS[best]}: {v.experiment}: {v.seen.observation} ({v.seen.when.words}); found "
            f"{_amounts(v.found.get(best, {}))}."
            for v in self.judgements
            if v.holds(best) is False and not v.calibration
        ]
        return (*lines, *self.remarks)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for machines."""
        return {
            "title": self.title,
            "models": dict(MODELS),
            "observations": [
                {
                    "experiment": v.experiment,
                    "observation": v.seen.observation,
                    "source": v.seen.source,
                    "when": v.seen.when.words,
                    "holds": {model: v.holds(model) for model in MODELS},
                    "share_of_realizations": dict(v.shares),
                    "found_percent": {
                        model: {phase: list(bounds) for phase, bounds in found.items()}
                        for model, found in v.found.items()
                    },
                    "mark": v.mark,
                    "discriminates": v.discriminates,
                    "follows_from": v.input or None,
                }
                for v in self.judgements
            ],
            "skill": [
                {
                    "model": s.model,
                    "baseline": s.baseline,
                    "counted": s.counted,
                    "satisfied": s.satisfied,
                    "by_baseline": s.by_baseline,
                    "gained": s.gained,
                    "lost": s.lost,
                    "skill": s.value,
                }
                for s in (self.skill(m, b) for m in KINETICS if m in self.models for b in BASELINES)
            ],
            "notes": list(self.notes),
        }


def _cell(share: float | None, reached: bool) -> str:
    if share is None:
        return "-"
    if not reached:
        return "not last_step"
    if share in (0.0, 1.0):
        return "yes" if share else "no"
    return f"{'yes' if share > 0.5 else 'no'} ({100 * share:.0f} %)"


def _amounts(found: Mapping[str, tuple[float, float]]) -> str:
    if not found:
        return "that the run does not come there"
    return ", ".join(
        f"{phase} {low:.1f} %" if f"{low:.1f}" == f"{high:.1f}" else f"{phase} {low:.1f} to {high:.1f} %"
        for phase, (low, high) in found.items()
    )


# ------------------------------------------------------------------------------------------------------------- running


def validate(
    observations: str | os.PathLike[str] | Observations,
    *,
    realizations: int | None = None,
    size: int | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Hold recipes against what experiment saw.

    Every recipe is run with full kinetics, with self-diffusion only and with thermodynamics only; beside them stand the
    geometric null and plain equilibrium. Nothing is fitted.

    Args:
        observations: a file of observations, or what was read from it.
        realizations: in place of the file's, or the recipes', own.
        size: cells per edge, in place of the recipes' own.
        threads: processes to use; all cores by default.
        executor: any ``concurrent.futures.Executor`` in place of processes here.
        progress: called now and then.

    Returns:
        Which observations hold in which model.

    Raises:
        DataError: the file is not as it should be, or speaks of phases, steps or temperatures that its recipes do
            not have.
        RecipeError: one of its recipes cannot be carried out.

    Example:
        >>> import tempfile
        >>> recipe = '''
        ... title: one to one
        ... precursors:
        ...   - phase: BaO
        ...     ratio: 1
        ...   - phase: TiO2
        ...     ratio: 1
        ... programme:
        ...   - temperature_K: 1400
        ...     hold_h: 0.1
        ... '''
        >>> seen = '''
        ... experiments:
        ...   - recipe: one.yaml
        ...     observations:
        ...       - observation: mostly BaTiO3
        ...         source: invented
        ...         major: BaTiO3
        ... '''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "one.yaml").write_text(recipe)
        ...     outcome = validate(
        ...         Observations.from_text(seen, directory=folder), realizations=1, size=8, threads=1
        ...     )
        >>> outcome.table()[["full", "null", "equilibrium", "mark"]].iloc[0].tolist()
        ['yes', 'yes', 'yes', 'not discriminating']
    """
    if isinstance(observations, Observations):
        book, name = observations, observations.title or "observations"
    else:
        book = Observations.from_file(observations)
        name = book.title or Path(observations).stem
    prepared = [
        _prepare(book, k, realizations=realizations or book.realizations, size=size)
        for k in range(len(book.experiments))
    ]
    runs = _run_all(prepared, threads, executor, progress)
    texts = {p.known.recipe.calibration.observation for p in prepared if p.known.recipe.calibration is not None}
    used = _used_up([seen for e in book.experiments for seen in e.observations], texts)
    judgements: list[Judgement] = []
    for each, courses in zip(prepared, runs, strict=True):
        judgements += _judge(book, each, courses, used)
    return Validation(name, tuple(judgements), _remarks(book, prepared, texts, used))


@dataclass(frozen=True, eq=False)
class _Prepared:
    """An experiment whose recipe has been read and whose observations fit it."""

    experiment: Experiment
    title: str
    known: PreparedRecipe
    models: tuple[str, ...]


def _prepare(book: Observations, k: int, *, realizations: int | None, size: int | None) -> _Prepared:
    experiment = book.experiments[k]
    where = f"experiments[{k}]"
    try:
        recipe = Recipe.from_file(experiment.recipe).with_options(realizations=realizations, size=size)
        models = ("none",) if recipe.transport == "none" else KINETICS
        known = prepare(recipe.with_options(kinetics=models[0]))
    except RecipeError as error:
        raise RecipeError(f"{where}.recipe: {error}") from None
    if experiment.target is not None:
        _check_formula(known.phases, experiment.target, f"{where}.target")
    for n, seen in enumerate(experiment.observations):
        _check(seen, known, f"{where}.observations[{n}]")
    name = experiment.name or recipe.title or Path(experiment.recipe).stem
    return _Prepared(experiment, name, known, models)


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


def _check(seen: Observation, known: PreparedRecipe, where: str) -> None:
    recipe, when = known.recipe, seen.when
    for key, formula in seen.formulas():
        _check_formula(known.phases, formula, f"{where}.{key}")
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
    if seen.follows_from is not None:
        told = {c.equation: None for each in known.phases.energy_sets.values() for c in each.constraints}
        if _plain(seen.follows_from) not in map(_plain, told):
            raise DataError(
                f"{where}.follows_from: expected an equilibrium that an energy set was told "
                f"({'; '.join(told) or 'there are none'}), got {seen.follows_from!r}"
            )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _run_all(
    prepared: Sequence[_Prepared], threads: int | None, executor: Executor | None, progress: Progress | None
) -> list[dict[str, PhaseEvolution]]:
    """Run all models of all experiments."""
    tasks = {
        f"{each.title} ({k + 1} of {len(prepared)}), {MODELS[model]}": (each.known, model, model == each.models[0])
        for k, each in enumerate(prepared)
        for model in each.models
    }
    cores = min(threads or available_cores(), len(tasks))
    compile_kernel()  # once, into the cache on disk, instead of in every worker at the same time
    with nullcontext(executor) if executor is not None or cores == 1 else worker_pool(cores) as pool:
        found = iter(run_tasks(_run_model, tasks, executor=pool, progress=progress))
    return [{name: course for _ in each.models for name, course in next(found).items()} for each in prepared]


def _run_model(
    known: PreparedRecipe, model: str, baselines: bool, *, progress: Progress | None = None
) -> dict[str, PhaseEvolution]:
    """Run a recipe in one of the kinetics, and with it the two baselines where asked for."""
    recipe = known.recipe.with_options(kinetics=model)
    if recipe != known.recipe:
        known = replace(known, recipe=recipe, rates=rate_table(known.reactions, known.transport, recipe))
    run = run_recipe(known, null=baselines, threads=1, progress=progress)
    courses = {model: PhaseEvolution.of_run(run.history, recipe)}
    if baselines and run.null is not None:
        courses["null"] = PhaseEvolution.of_run(run.null, recipe)
        courses["equilibrium"] = PhaseEvolution.of_equilibrium(run.equilibrium, known, courses[model])
    return courses


# ------------------------------------------------------------------------------------------------------------- judging


def _judge(
    book: Observations, each: _Prepared, courses: Mapping[str, PhaseEvolution], used: set[int]
) -> list[Judgement]:
    judgements = []
    energies = _energy_set(each.known)
    untold = _without_constraints(each.known, energies, courses["equilibrium"])
    for seen in each.experiment.observations:
        basis = seen.basis or book.basis
        limit = seen.detection_limit_mass_percent
        limit = book.detection_limit_mass_percent if limit is None else limit

        def share(course: PhaseEvolution, seen: Observation = seen, basis: str = basis, limit: float = limit) -> float:
            target = each.experiment.target
            return float(course.holds(seen, detection_limit_mass_percent=limit, basis=basis, target=target).mean())

        shares = {model: share(courses[model]) if model in courses else None for model in MODELS}
        told = ""
        if seen.follows_from is not None and _plain(seen.follows_from) in {
            _plain(c.equation) for c in energies.constraints
        }:
            told = seen.follows_from
        elif untold is not None and shares["equilibrium"] == 1.0 and share(untold) < 1:
            told = f"the constraints of {energies.name}: equilibrium with {energies.base} does not give it"
        judgements.append(
            Judgement(
                experiment=each.title,
                seen=seen,
                shares=shares,
                found={model: _found(course, seen, basis) for model, course in courses.items()},
                calibration=id(seen) in used,
                input=told,
            )
        )
    return judgements


def _found(course: PhaseEvolution, seen: Observation, basis: str) -> dict[str, tuple[float, float]]:
    rows = []
    for r, moments in enumerate(course.moments(seen.when)):
        if moments.size:
            amounts = course.percent(r, moments, basis)
            figures = [
                amounts[:, course.phases.index(name)] if name in course.phases else np.zeros(1) for name in seen.phases
            ]
            rows.append([(figure.min(), figure.max()) for figure in figures])
    if not rows:
        return {}
    middle = np.median(np.array(rows), axis=0)
    return {name: (float(low), float(high)) for name, (low, high) in zip(seen.phases, middle, strict=True)}


def _energy_set(known: PreparedRecipe) -> EnergySet:
    return known.phases.energy_set(str(known.rates.metadata["energies"]))


def _without_constraints(
    known: PreparedRecipe, energies: EnergySet, equilibrium: PhaseEvolution
) -> PhaseEvolution | None:
    """Plain equilibrium with the energies that an assessment started from; None where nothing was told."""
    if not energies.constraints or energies.base is None or energies.base not in known.phases.energy_sets:
        return None
    rates = replace(known.rates, metadata={**known.rates.metadata, "energies": energies.base})
    table = plain_equilibrium(replace(known, rates=rates))
    return PhaseEvolution.of_equilibrium(table, known, equilibrium)


def _used_up(observations: Sequence[Observation], texts: set[str]) -> set[int]:
    """The observations (by identity) that a calibration was made on, whichever recipe they stand under.

    The words of a calibration name an observation by its own words; where they name none, by author and year, and
    then everything from that source is left out.
    """
    used = {id(seen) for seen in observations if seen.calibration}
    for text in map(_plain, texts):
        by_words = {id(s) for s in observations if (words := _plain(s.observation)) in text or text in words}
        by_source = {id(s) for s in observations if _citations(s.source) & _citations(text)}
        used |= by_words or by_source
    return used


def _citations(text: str) -> set[tuple[str, str]]:
    """Author and year of what a text cites."""
    return set(re.findall(r"\b([^\W\d_]{3,})\b[^\d;]*?\b((?:19|20)\d\d)\b", _plain(text)))


def _remarks(book: Observations, prepared: Sequence[_Prepared], texts: set[str], used: set[int]) -> tuple[str, ...]:
    lines = []
    if texts and not used:
        named = "; ".join(sorted(texts))
        lines.append(f"The time was calibrated on: {named}; no observation of this file is that one.")
    uncalibrated = [each.title for each in prepared if not each.known.recipe.calibrated]
    if uncalibrated:
        lines.append(
            f"Time is in sweeps, not calibrated, in {len(uncalibrated)} of {len(prepared)} recipes: their holds have "
            "nominal hours only."
        )
    lines.append(
        f"A phase counts as present above {book.detection_limit_mass_percent:g} % by mass and amounts are {book.basis} "
        "fractions of the condensed phases, where an observation says nothing else; an observation holds where it does "
        "in more than half of the realizations."
    )
    return tuple(lines)
