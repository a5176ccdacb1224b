"""The folder of active learning: its plan, where each file lies, and which steps are done.

Every step writes its files whole, and then its name into ``state.json``. A step that is not named there is done again,
from the files of the steps before, and gives the same: that is all there is to resuming.

::

    plan.json, state.json
    round-0/  labelled.xyz  test.xyz  model...  round.json
    round-1/  runs/NAME.npz  selected.xyz  labelled.xyz  model...  round.json
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tammann._version import __version__
from tammann.errors import ResultError
from tammann.files import read_json, write_text
from tammann.workflows.active_learning.plan import ActiveLearningPlan
from tammann.workflows.active_learning.rounds import ActiveLearningResult, Outcome, RoundResult, load_round

PLAN, STATE = "plan.json", "state.json"
TABLE, FIGURE = "active-learning.csv", "active-learning.png"
SELECTED, LABELLED, TEST, ROUND, RUNS = "selected.xyz", "labelled.xyz", "test.xyz", "round.json", "runs"
MAY_GROW = frozenset({"rounds", "criterion"})
"""Keys of a plan that may differ when it is resumed; they alter nothing of what has been done."""


@dataclass
class State:
    """Steps done so far, with what each has to remember; mutable, written after every step."""

    file: Path
    done: dict[str, Any] = field(default_factory=dict)

    def step(self, name: str, do: Callable[[], Any]) -> Any:
        """Do a step, or return what it gave where it is done already: something that JSON can hold."""
        if name not in self.done:
            value = do()
            self.remember(name, value)
        return self.done[name]

    def remember(self, name: str, value: Any) -> None:
        """Write down that a step is done."""
        self.done[name] = value
        write_text(self.file, json.dumps({"done": self.done}, indent=1) + "\n")


def round_folder(out: Path, number: int) -> Path:
    """Return the folder of a round."""
    return out / f"round-{number}"


def open_active_learning(plan: ActiveLearningPlan, out: Path, *, resume: bool) -> State:
    """Make the folder of a plan, or open it again, and return its state.

    Raises:
        ResultError: It holds something else, another plan, or one although ``resume`` is not asked for.
    """
    plan, there = plan.placed(), (out / PLAN).exists()
    if there and not resume:
        raise ResultError(f"{out}: holds active learning already; resume it, or name another folder.")
    if not there and resume:
        raise ResultError(f"{out}: expected a folder of active learning to resume, found no {PLAN}; leave resume out.")
    if not there:
        out.mkdir(parents=True, exist_ok=True)
        if any(entry.name != "lock" and entry.suffix != ".partial" for entry in out.iterdir()):
            raise ResultError(f"{out} is not empty; name a new or empty folder.")
    else:
        before = load_active_plan(out)
        for key in ActiveLearningPlan.model_fields:
            if key not in MAY_GROW and getattr(before, key) != getattr(plan, key):
                raise ResultError(
                    f"{out}: holds a plan with {key} {getattr(before, key)}, got {getattr(plan, key)}; a resumed plan "
                    f"may differ in {' and '.join(sorted(MAY_GROW))} only; name another folder."
                )
    text = json.dumps({"tammann": __version__, "plan": plan.relative_to(out).model_dump(mode="json")}, indent=1)
    write_text(out / PLAN, text + "\n")
    return load_state(out)


def load_state(out: Path) -> State:
    """Return the state of a folder; nothing is done where the file is missing.

    Raises:
        ResultError: The file cannot be understood.
    """
    file = out / STATE
    if not file.exists():
        return State(file)
    try:
        return State(file, dict(read_json(file, error=ResultError)["done"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{file}: expected the state of active learning, got another file ({error}).") from None


def load_active_plan(out: str | os.PathLike[str]) -> ActiveLearningPlan:
    """Return the plan of a folder.

    Raises:
        ResultError: There is none, or it cannot be understood.
    """
    file = Path(out) / PLAN
    try:
        plan = ActiveLearningPlan.with_paths(read_json(file, error=ResultError)["plan"], Path(out))
        return ActiveLearningPlan(**plan).placed()
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{file}: expected the plan of active learning: {error}") from None


def load_active_learning(out: str | os.PathLike[str]) -> ActiveLearningResult:
    """Return what a folder of ``run_active_learning`` holds; nothing is computed.

    Raises:
        ResultError: It holds no plan, or files that cannot be understood.
    """
    folder, plan = Path(out), load_active_plan(out)
    state = load_state(folder)
    rounds: list[RoundResult] = []
    while (file := round_folder(folder, len(rounds)) / ROUND).exists():
        rounds.append(load_round(file))
    trained = [name for name in state.done if name.endswith("/train")]
    model = folder / state.done[trained[-1]]["model"] if trained else None
    outcome: Outcome | None = state.done.get("outcome")
    return ActiveLearningResult(plan, folder, tuple(rounds), outcome, model)
