"""What a round of active learning gave, and why active learning ended: typed results and their table."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tammann.errors import ResultError
from tammann.files import json_safe, read_json, write_text
from tammann.workflows.active_learning.explore import Exploration
from tammann.workflows.active_learning.plan import ActiveLearningPlan

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["converged", "rounds", "exhausted"]
OUTCOMES: Mapping[Outcome, str] = {
    "converged": "converged: the criterion is met",
    "rounds": "not converged: all rounds are spent",
    "exhausted": "not converged: no round gave a frame that could be labelled and added",
}


@dataclass(frozen=True)
class RoundResult:
    """One round: what its runs gave with the model of the round before, and what was labelled and learned from them.

    Attributes:
        number: Of the round; 0 is the initial fit, and the last may be an exploration only.
        runs: Runs proposed.
        stopped: Runs of molecular dynamics by why they were stopped (``grade``, ``contact``, ``lost``, ``hot``,
            ``failed``).
        failures: Name of each run that was stopped for another reason than its grade, with a sentence on it.
        searches_stopped: Relaxations of random cells that were stopped.
        reached_ps: Time of molecular dynamics reached, ps.
        wanted_ps: Time asked for, ps.
        share_above_select: Share of the steps of molecular dynamics with a grade above ``select_above``; nan without
            steps, as are the next two.
        share_above_stop: The same for ``stop_above``.
        largest_grade: Of these steps.
        collected: Configurations collected from all runs.
        selected: Configurations sent to the labeller.
        labelled: Frames labelled and added.
        failed: Configurations that could not be labelled.
        discarded: Frames labelled, but with a force above ``largest_force_eV_per_A``.
        training_frames: Frames that the model of this round was fitted to.
        errors_before: Of the model before, by name with unit, on the frames labelled in this round, to which it was not
            fitted: how wrong it was where its own runs led it.
        errors: Of that model on the fixed test frames, by name with unit.
    """

    number: int
    runs: int = 0
    stopped: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    searches_stopped: int = 0
    reached_ps: float = 0.0
    wanted_ps: float = 0.0
    share_above_select: float = math.nan
    share_above_stop: float = math.nan
    largest_grade: float = math.nan
    collected: int = 0
    selected: int = 0
    labelled: int = 0
    failed: int = 0
    discarded: int = 0
    training_frames: int = 0
    errors_before: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)

    def meets(self, plan: ActiveLearningPlan) -> bool:
        """Return whether its runs meet the criterion of a plan; runs that were not made meet none."""
        stopped = sum(self.stopped.values())
        return stopped <= plan.criterion.stopped and self.share_above_select <= plan.criterion.share_above


@dataclass(frozen=True)
class ActiveLearningResult:
    """What a folder of active learning holds.

    Attributes:
        plan: Plan.
        out: Folder.
        rounds: Rounds in order, the initial fit first.
        outcome: Why it ended; None where it has not.
        model: The potential of the last fit, or None before the first.
    """

    plan: ActiveLearningPlan
    out: Path
    rounds: tuple[RoundResult, ...]
    outcome: Outcome | None
    model: Path | None

    def __repr__(self) -> str:
        ended = "not finished" if self.outcome is None else OUTCOMES[self.outcome]
        return f"ActiveLearningResult({self.out}: {len(self.rounds)} rounds, {ended})"

    def table(self) -> pd.DataFrame:
        """Return one row a round."""
        import pandas as pd

        return pd.DataFrame([round_row(each) for each in self.rounds]).set_index("round")

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: the rounds as rows, why it ended, and the potential."""
        rows = [{**round_row(each), "failures": dict(each.failures)} for each in self.rounds]
        return {"outcome": self.outcome, "potential": self.model, "rounds": rows}


def round_row(result: RoundResult) -> dict[str, Any]:
    """Return a round as a flat row of a table, with units in its keys."""
    return {
        "round": result.number,
        "runs": result.runs,
        "stopped_by_grade": result.stopped.get("grade", 0),
        "stopped_otherwise": sum(result.stopped.values()) - result.stopped.get("grade", 0),
        "searches_stopped": result.searches_stopped,
        "reached_ps": round(result.reached_ps, 3),
        "wanted_ps": round(result.wanted_ps, 3),
        "share_above_select": result.share_above_select,
        "share_above_stop": result.share_above_stop,
        "largest_grade": result.largest_grade,
        "collected": result.collected,
        "selected": result.selected,
        "labelled": result.labelled,
        "failed": result.failed,
        "discarded": result.discarded,
        "training_frames": result.training_frames,
        **{f"new_frames_{name}": value for name, value in result.errors_before.items()},
        **result.errors,
    }


def summarize_runs(
    number: int, explorations: Sequence[tuple[str, Exploration]], *, select_above: float, stop_above: float
) -> RoundResult:
    """Return what the runs of a round say of the potential that they were made with.

    Args:
        number: Of the round.
        explorations: Kind and outcome of every run.
        select_above: Grade above which configurations are collected.
        stop_above: Grade above which a run is stopped.
    """
    moving = [run for kind, run in explorations if kind != "search"]
    searches = [run for kind, run in explorations if kind == "search"]
    grades = np.concatenate([run.grades for run in moving]) if moving else np.empty(0)
    known = grades[~np.isnan(grades)]
    return RoundResult(
        number,
        runs=len(explorations),
        stopped=dict(sorted(Counter(run.ended for run in moving if run.ended != "finished").items())),
        failures={run.name: run.detail for _, run in explorations if run.ended not in ("finished", "grade")},
        searches_stopped=sum(run.ended != "finished" for run in searches),
        reached_ps=sum(run.duration_ps for run in moving),
        wanted_ps=sum(run.wanted_ps for run in moving),
        share_above_select=float((known > select_above).mean()) if len(known) else math.nan,
        share_above_stop=float((known > stop_above).mean()) if len(known) else math.nan,
        largest_grade=float(known.max()) if len(known) else math.nan,
        collected=sum(len(run.configurations) for _, run in explorations),
    )


def save_round(result: RoundResult, path: Path) -> None:
    """Write a round as JSON, whole or not at all."""
    write_text(path, json.dumps(json_safe(vars(result)), indent=1) + "\n")


def load_round(path: Path) -> RoundResult:
    """Read what ``save_round`` wrote.

    Raises:
        ResultError: Another file.
    """
    try:
        data = read_json(path, error=ResultError)
        for key in ("share_above_select", "share_above_stop", "largest_grade"):
            data[key] = math.nan if data[key] is None else data[key]
        return RoundResult(**data)
    except (KeyError, TypeError) as error:
        raise ResultError(f"{path}: expected a round of active learning, got another file ({error}).") from None
