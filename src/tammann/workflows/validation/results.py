"""The result of a validation: which observations hold in which models, and the skill over the two baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.files import json_safe
from tammann.notebook import ShownAsTable
from tammann.workflows.validation.observations import Observation

if TYPE_CHECKING:
    import pandas as pd

MODELS: Mapping[str, str] = {
    "full": "full kinetics",
    "self": "self-diffusion only",
    "none": "thermodynamics only",
    "null": "geometric null",
    "equilibrium": "plain equilibrium",
}
"""The models and their names, in the order of the table."""
COLUMNS = ("full", "self-diffusion", "thermodynamics", "null", "equilibrium")
"""Their short names, for a table that has to fit on a terminal."""
KINETICS = ("full", "self", "none")
BASELINES = ("null", "equilibrium")


@dataclass(frozen=True)
class Judgement:
    """In which models one observation holds, and whether it counts.

    Attributes:
        experiment: Name of the experiment, or title of its recipe.
        observation: The observation.
        shares: By model the share of its realizations in which the observation holds; None where it was not run.
        found: By model and phase the least and largest amount in the range (percent, medians over realizations);
            empty where no realization reaches it.
        calibration: Whether the time of a recipe was calibrated on it, so that it is left out.
        input: The equilibrium, given to the energies as a constraint, from which it follows; empty where there is none.
    """

    experiment: str
    observation: Observation
    shares: Mapping[str, float | None]
    found: Mapping[str, Mapping[str, tuple[float, float]]]
    calibration: bool = False
    input: str = ""

    def holds(self, model: str) -> bool | None:
        """Return whether it holds in more than half of a model's realizations; None where the model was not run."""
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
        """How it counts, in a word or two."""
        if not self.counts:
            return "calibration" if self.calibration else "input"
        return "discriminates" if self.discriminates else "not discriminating"


@dataclass(frozen=True)
class Skill:
    """How many observations more hold in a model than in a baseline, of those that count.

    Attributes:
        model: One of the kinetics.
        baseline: ``null`` or ``equilibrium``.
        counted: Observations that count (no inputs, no calibration).
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
        counting, telling = (sum(getattr(v, key) for v in self.judgements) for key in ("counts", "discriminates"))
        return f"{counting} of {len(self.judgements)} observations count; {telling} of them discriminate"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that were run for some recipe."""
        return tuple(model for model in MODELS if any(v.shares[model] is not None for v in self.judgements))

    def skill(self, model: str, baseline: str) -> Skill:
        """Compare a model with a baseline (keys of ``MODELS``), over the observations that count and were run with it.

        Example:
            >>> claim = Observation(observation="BaTiO3", source="invented", major="BaTiO3")
            >>> shares = {"full": 1.0, "self": 0.75, "none": 0.25, "null": 0.0, "equilibrium": 1.0}
            >>> outcome = Validation("one", (Judgement("1:1", claim, shares, {}),))
            >>> outcome.skill("full", "null").value, outcome.skill("none", "equilibrium").value
            (1, -1)
        """
        counting = [v for v in self.judgements if v.counts and v.shares[model] is not None]
        own = np.array([v.holds(model) for v in counting], dtype=bool)
        base = np.array([v.holds(baseline) for v in counting], dtype=bool)
        counts = (own, base, own & ~base, base & ~own)
        return Skill(model, baseline, len(counting), *(int(held.sum()) for held in counts))

    def table(self) -> pd.DataFrame:
        """Return the models side by side, as text: yes or no, with the share of realizations where they disagree.

        Columns ``recipe``, ``observation``, ``when``, ``full``, ``self-diffusion``, ``thermodynamics``, ``null``,
        ``equilibrium`` and ``mark``; a dash stands where a model was not run.
        """
        import pandas as pd

        rows = [
            (
                *(v.experiment, v.observation.observation, v.observation.when.words),
                *(_cell(v.shares[model], bool(v.found.get(model, True))) for model in MODELS),
                v.mark,
            )
            for v in self.judgements
        ]
        return pd.DataFrame(rows, columns=["recipe", "observation", "when", *COLUMNS, "mark"])

    @property
    def notes(self) -> tuple[str, ...]:
        """The table in sentences: the counts, the skill, what is not reproduced, and the remarks."""
        lines = [f"{self._counts} (neither baseline satisfies them)."]
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
        best = self.models[0] if self.models else "full"
        inputs = [
            f"Input: {v.experiment}: {v.observation.observation} (follows from {v.input})."
            for v in self.judgements
            if v.input
        ]
        missed = [
            f"Not reproduced with {MODELS[best]}: {v.experiment}: {v.observation.observation} "
            f"({v.observation.when.words}); found {_amounts(v.found.get(best, {}))}."
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
                    "share_of_realizations": dict(v.shares),
                    "found_percent": json_safe(v.found),
                    "mark": v.mark,
                    "discriminates": v.discriminates,
                    "follows_from": v.input or None,
                }
                for v in self.judgements
            ],
            "skill": [
                {**asdict(s := self.skill(model, baseline)), "skill": s.value}
                for model in KINETICS
                if model in self.models
                for baseline in BASELINES
            ],
            "notes": list(self.notes),
        }


def _cell(share: float | None, reached: bool) -> str:
    if share is None:
        return "-"
    if not reached:
        return "not reached"
    if share in (0.0, 1.0):
        return "yes" if share else "no"
    return f"{'yes' if share > 0.5 else 'no'} ({100 * share:.0f} %)"


def _amounts(found: Mapping[str, tuple[float, float]]) -> str:
    if not found:
        return "that the run does not reach it"
    return ", ".join(
        f"{phase} {low:.1f} %" if f"{low:.1f}" == f"{high:.1f}" else f"{phase} {low:.1f} to {high:.1f} %"
        for phase, (low, high) in found.items()
    )
