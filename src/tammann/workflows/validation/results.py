"""The result of a validation: which observations hold in which models, over how much of the range, and the skill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tammann.files import json_safe
from tammann.notebook import ShownAsTable
from tammann.workflows.validation.observations import Observation
from tammann.workflows.validation.settings import AS_WRITTEN

if TYPE_CHECKING:
    import pandas as pd

MODELS: Mapping[str, str] = {
    "full": "reactive diffusion",
    "self": "reactive diffusion, self-diffusion only",
    "equal": "reactive diffusion, equal conductivities",
    "automaton-full": "automaton, full kinetics",
    "automaton-self": "automaton, self-diffusion only",
    "automaton-none": "automaton, thermodynamics only",
    "null": "geometric null",
    "equilibrium": "plain equilibrium",
}
"""The models and their names, in the order of the table."""
COLUMNS: Mapping[str, str] = {
    "full": "full",
    "self": "self",
    "equal": "equal",
    "automaton-full": "a. full",
    "automaton-self": "a. self",
    "automaton-none": "a. none",
    "null": "null",
    "equilibrium": "equil.",
}
"""Short names, for a table that has to fit on a terminal; a. is the automaton."""
BASELINES = ("null", "equilibrium")
KINETICS = tuple(model for model in MODELS if model not in BASELINES)
OWN_NULL = "equal"
"""Reactive diffusion without differences between conductivities: what the other two conductivities are measured by."""


@dataclass(frozen=True)
class Judgement:
    """In which models one observation holds, and whether it counts.

    Attributes:
        experiment: Name of the experiment, or title of its recipe.
        observation: The observation.
        shares: By model the share of the realizations of the recipe as written in which the observation holds; None
            where the model was not run.
        found: By model and phase the least and largest amount in the time of the observation (percent, medians over
            the realizations of the recipe as written); empty where no realization reaches it.
        settings: By model whether it holds at each setting of the range, by words for the setting. Without an entry
            the recipe as written is the only setting.
        calibration: Whether the time of a recipe was calibrated on it, so that it is left out.
        input: The equilibrium, given to the energies as a constraint, from which it follows; empty where there is none.
    """

    experiment: str
    observation: Observation
    shares: Mapping[str, float | None]
    found: Mapping[str, Mapping[str, tuple[float, float]]]
    settings: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    calibration: bool = False
    input: str = ""

    def over(self, model: str) -> tuple[int, int]:
        """Return at how many settings it holds in a model, and how many there are; (0, 0) where it was not run."""
        share = self.shares.get(model)
        if share is None:
            return 0, 0
        held = self.settings.get(model) or {AS_WRITTEN: share > 0.5}
        return sum(held.values()), len(held)

    def holds(self, model: str) -> bool | None:
        """Return whether it holds at more than half of a model's settings; None where the model was not run.

        It holds at a setting if it does in more than half of the realizations.
        """
        held, of = self.over(model)
        return None if of == 0 else held > of / 2

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
        """How it counts, in a word or two."""
        if not self.counts:
            return "calibration" if self.calibration else "input"
        return "discriminates" if self.discriminates else "not discriminating"


@dataclass(frozen=True)
class Skill:
    """How many statements more hold in a model than in a baseline, of those that count.

    Attributes:
        model: One of the kinetics.
        baseline: ``null`` or ``equilibrium``; or ``equal``, the null of reactive diffusion.
        counted: Statements that count (no inputs, no calibration, those that say nearly the same counted once).
        satisfied: Those of them that hold in the model.
        by_baseline: Those of them that hold in the baseline.
        gained: Those that hold in the model and not in the baseline.
        lost: Those that hold in the baseline and not in the model.
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
class Validation(ShownAsTable):
    """Which observations of a file hold in which models.

    Attributes:
        title: Title of the file.
        judgements: One per observation, in the order of the file.
        remarks: Sentences about the recipes and the limits used.
    """

    title: str
    judgements: tuple[Judgement, ...]
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Validation({self.title}: {self._counts})"

    @property
    def _counts(self) -> str:
        counting = sum(v.counts for v in self.judgements)
        statements = self.statements
        telling = sum(not any(_hold(each, baseline) for baseline in BASELINES) for each in statements)
        once = f", as {len(statements)} statements" * (len(statements) < counting)
        return f"{counting} of {len(self.judgements)} observations count{once}; {telling} of them discriminate"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that were run for some recipe."""
        return tuple(model for model in MODELS if any(v.shares.get(model) is not None for v in self.judgements))

    @property
    def statements(self) -> tuple[tuple[Judgement, ...], ...]:
        """The observations that count, those that say nearly the same together: a statement holds where all do."""
        groups: dict[tuple[str, str], list[Judgement]] = {}
        for v in self.judgements:
            if v.counts:
                words = v.observation.counted_with or v.observation.observation
                groups.setdefault((v.experiment, words), []).append(v)
        return tuple(map(tuple, groups.values()))

    def skill(self, model: str, baseline: str) -> Skill:
        """Compare a model with a baseline (keys of ``MODELS``), over the statements that count and were run with both.

        Example:
            >>> claim = Observation(observation="BaTiO3", source="invented", major="BaTiO3")
            >>> shares = {"full": 1.0, "self": 0.75, "equal": 0.25, "null": 0.0, "equilibrium": 1.0}
            >>> outcome = Validation("one", (Judgement("1:1", claim, shares, {}),))
            >>> outcome.skill("full", "null").value, outcome.skill("equal", "equilibrium").value
            (1, -1)
        """
        pairs = [(_hold(each, model), _hold(each, baseline)) for each in self.statements]
        counting = [(own, base) for own, base in pairs if own is not None and base is not None]
        return Skill(
            model,
            baseline,
            len(counting),
            sum(own for own, _ in counting),
            sum(base for _, base in counting),
            sum(own and not base for own, base in counting),
            sum(base and not own for own, base in counting),
        )

    def skills(self) -> list[Skill]:
        """Return the skill of every model that was run over every baseline; of conductivities over equal ones, too."""
        models = [model for model in KINETICS if model in self.models]
        return [
            self.skill(model, baseline)
            for model in models
            for baseline in (*BASELINES, *((OWN_NULL,) if model in ("full", "self") and OWN_NULL in models else ()))
        ]

    def table(self) -> pd.DataFrame:
        """Return the models side by side, as text: yes or no, with the number of settings at which it holds.

        Columns ``recipe``, ``observation``, ``when``, one per model (values of ``COLUMNS``) and ``mark``; a dash stands
        where a model was not run. With one setting only, the share of realizations stands where they disagree.
        """
        import pandas as pd

        rows = [
            (
                *(v.experiment, v.observation.observation, v.observation.when.words),
                *(_cell(v, model) for model in MODELS),
                self.mark(v),
            )
            for v in self.judgements
        ]
        return pd.DataFrame(rows, columns=["recipe", "observation", "when", *COLUMNS.values(), "mark"])

    def mark(self, judgement: Judgement) -> str:
        """Return how an observation counts: its own mark, or that it is counted with another."""
        statement = next((each for each in self.statements if judgement in each), (judgement,))
        if judgement is not statement[0]:
            return f"counted with no. {self.judgements.index(statement[0]) + 1}"
        if len(statement) > 1:
            satisfied = any(_hold(statement, baseline) for baseline in BASELINES)
            return "not discriminating" if satisfied else "discriminates"
        return judgement.mark

    @property
    def notes(self) -> tuple[str, ...]:
        """The table in sentences: the counts, the skill, what is not reproduced, and the remarks."""
        lines = [f"{self._counts} (neither baseline satisfies them)."]
        skills = self.skills()
        for model in KINETICS:
            each = [s for s in skills if s.model == model]
            if not each:
                continue
            beyond = sum(
                bool(_hold(s, model)) and not any(_hold(s, baseline) for baseline in BASELINES) for s in self.statements
            )
            against = "; ".join(
                f"over {MODELS[s.baseline]} ({s.by_baseline}) skill {s.value:+d} = {s.gained} gained - {s.lost} lost"
                for s in each
            )
            lines.append(
                f"{_capital(MODELS[model])}: {each[0].satisfied} of {each[0].counted} hold; {against}; "
                f"{beyond} that neither baseline satisfies."
            )
        best = self.models[0] if self.models else "full"
        inputs = [
            f"Input: {v.experiment}: {v.observation.observation} (follows from {v.input})."
            for v in self.judgements
            if v.input
        ]
        missed = [
            f"Not reproduced with {MODELS[best]}: {v.experiment}: {v.observation.observation} "
            f"({v.observation.when.words}); found {_amounts(v.found.get(best, {}))}{_over(v, best)}."
            for v in self.judgements
            if v.holds(best) is False and not v.calibration
        ]
        return (*lines, *inputs, *missed, *self.remarks)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, for JSON."""
        return {
            "title": self.title,
            "models": dict(MODELS),
            "observations": [
                {
                    "experiment": v.experiment,
                    "observation": v.observation.observation,
                    "source": v.observation.source,
                    "when": v.observation.when.words,
                    "holds": {model: v.holds(model) for model in MODELS},
                    "settings": {model: dict(held) for model, held in v.settings.items()},
                    "share_of_realizations": {model: v.shares.get(model) for model in MODELS},
                    "found_percent": json_safe(v.found),
                    "mark": self.mark(v),
                    "discriminates": v.discriminates,
                    "follows_from": v.input or None,
                }
                for v in self.judgements
            ],
            "skill": [{**asdict(s), "skill": s.value} for s in self.skills()],
            "notes": list(self.notes),
        }


def _hold(statement: Sequence[Judgement], model: str) -> bool | None:
    """Return whether all observations of a statement hold in a model; None where it was not run."""
    answers = [v.holds(model) for v in statement]
    return None if any(answer is None for answer in answers) else all(answers)


def _cell(v: Judgement, model: str) -> str:
    share, (held, of) = v.shares.get(model), v.over(model)
    if share is None:
        return "-"
    if of > 1:
        return f"{'yes' if v.holds(model) else 'no'} {held}/{of}"
    if not v.found.get(model, True):
        return "not reached"
    if share in (0.0, 1.0):
        return "yes" if share else "no"
    return f"{'yes' if share > 0.5 else 'no'} ({100 * share:.0f} %)"


def _over(v: Judgement, model: str) -> str:
    held, of = v.over(model)
    return f", as written; it holds at {held} of {of} settings" if of > 1 else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _amounts(found: Mapping[str, tuple[float, float]]) -> str:
    if not found:
        return "that the run does not reach it"
    return ", ".join(
        f"{phase} {low:.1f} %" if f"{low:.1f}" == f"{high:.1f}" else f"{phase} {low:.1f} to {high:.1f} %"
        for phase, (low, high) in found.items()
    )
