"""What lies where in the folder of a plan, and what is there already."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tammann._version import __version__
from tammann.composition import composition_key, parse_formula
from tammann.errors import ResultError, TammannError
from tammann.files import write_text
from tammann.workflows.melt.plan import MeltPlan

__all__ = [
    "MAY_CHANGE",
    "OF_A_REPLICA",
    "OF_A_STATE",
    "Progress",
    "Task",
    "check_folder",
    "failures_in",
    "finished",
    "folder_of",
    "note_failure",
    "plain",
    "last_step",
    "read_plan",
    "recorded",
    "replicas_in",
    "formula_as_in",
    "stored_plan",
    "has_summary",
    "open_folder",
    "tasks_of",
    "merge_plans",
]

Progress = Callable[[float, str], None]
"""Called with the fraction done and what has just been done."""

MAY_CHANGE = frozenset(
    {"melts", "temperatures_K", "replicas", "production_ps", "longest_ps", "target_error", "end_members"}
)
"""Keys of a plan that a resumed run may have changed: they add to what is there and alter nothing of it."""
OF_A_REPLICA = ("curves.npz", "slow-stress.npz", "replica.json")
FAILED = "failed.json"
OF_A_STATE = ("volume.json", "melt.npz", "structure.extxyz")


@dataclass(frozen=True)
class Task:
    """One replica of one state, up to some length; the first replica also finds the volume.

    Attributes:
        formula: Composition.
        temperature_K: K.
        replica: From 1 on.
        folder: Of the state.
        duration_ps: Length, ps.
    """

    formula: str
    temperature_K: float
    replica: int
    folder: Path
    duration_ps: float

    @property
    def place(self) -> Path:
        """The folder of the replica."""
        return self.folder / f"replica-{self.replica}"

    def __str__(self) -> str:
        return f"{self.formula} at {self.temperature_K:g} K, replica {self.replica}"


def folder_of(out: Path, formula: str, temperature_K: float) -> Path:
    """The folder of a state."""
    return out / formula / f"{temperature_K:.10g}K"


def tasks_of(plan: MeltPlan, out: Path) -> Iterator[Task]:
    """All replicas of a plan, in the order in which they are run: first ones of all states first, hottest first."""
    for replica in range(1, plan.replicas + 1):
        for formula in plan.melts:
            for temperature in sorted(plan.temperatures_K, reverse=True):
                yield Task(formula, temperature, replica, folder_of(out, formula, temperature), plan.production_ps)


def check_folder(plan: MeltPlan, out: Path, *, resume: bool) -> MeltPlan:
    """The plan that a folder will hold with this one in it; nothing is written.

    Raises:
        ResultError: It holds other files, another plan, or one that is to be gone on with only by ``resume``.
        OSError: It cannot be read.
    """
    file = out / "plan.json"
    if not file.exists():
        # another job may be faster, and have begun to write
        if out.exists() and any(entry.suffix != ".partial" for entry in out.iterdir()) and not file.exists():
            raise ResultError(
                f"{out}: expected an empty folder or one with a plan, got other files; name another folder."
            )
        if not file.exists():
            return plan
    if not resume:
        raise ResultError(f"{out}: holds a plan already; resume it, or name another folder.")
    before = read_plan(file)
    for key in MeltPlan.model_fields:
        if key not in MAY_CHANGE and getattr(before, key) != getattr(plan, key):
            raise ResultError(
                f"{out}: holds a plan with {key} {getattr(before, key)}, got {getattr(plan, key)}; a resumed plan "
                f"may only differ in {', '.join(sorted(MAY_CHANGE))}; name another folder."
            )
    return merge_plans(before, plan)


def open_folder(plan: MeltPlan, out: Path, *, resume: bool) -> MeltPlan:
    """Write the plan into its folder, made where it is missing, together with the one that is there.

    Returns:
        What the folder holds now: the plan with whatever more there was of melts, temperatures, replicas and time.

    Raises:
        ResultError: It holds other files, another plan, or one that is to be gone on with only by ``resume``.
        OSError: It cannot be written to.
    """
    out.mkdir(parents=True, exist_ok=True)
    whole = check_folder(plan, out, resume=resume)
    text = json.dumps({"tammann": __version__, "plan": whole.model_dump(mode="json")}, indent=1) + "\n"
    write_text(out / "plan.json", text)
    return whole


def merge_plans(first: MeltPlan, second: MeltPlan) -> MeltPlan:
    """The second plan with what only the first has of melts, temperatures, replicas and time."""
    known = {composition_key(parse_formula(formula)) for formula in first.melts}
    more = [formula for formula in second.melts if composition_key(parse_formula(formula)) not in known]
    production_ps = max(first.production_ps, second.production_ps)
    longest = [plan.longest_ps for plan in (first, second) if plan.longest_ps is not None]
    return second.model_copy(
        update={
            "melts": (*first.melts, *more),
            "temperatures_K": tuple(sorted({*first.temperatures_K, *second.temperatures_K})),
            "replicas": max(first.replicas, second.replicas),
            "production_ps": production_ps,
            "longest_ps": max(*longest, production_ps) if longest else None,
            "end_members": second.end_members or first.end_members,
        }
    )


def formula_as_in(formula: str, plan: MeltPlan) -> str:
    """A formula as a plan writes it, which is what its folder is called, or as it is where the plan has it not.

    Example:
        >>> formula_as_in("Ti2Ba2O6", MeltPlan(melts=("BaTiO3",)))
        'BaTiO3'
    """
    same = composition_key(parse_formula(formula))
    return next((other for other in plan.melts if composition_key(parse_formula(other)) == same), formula)


def read_plan(file: Path) -> MeltPlan:
    """Read the plan of a folder, its ``plan.json``.

    Raises:
        ResultError: There is none.
    """
    if not file.exists():
        raise ResultError(
            f"{file.parent}: expected a folder of tammann melt, found no {file.name} in it; name another."
        )
    try:
        return MeltPlan.from_dict(json.loads(file.read_text(encoding="utf-8"))["plan"])
    except (OSError, ValueError, KeyError, TypeError, TammannError) as error:
        raise ResultError(f"{file}: expected the plan of an earlier run: {error}") from None


def stored_plan(out: str | os.PathLike[str]) -> MeltPlan | None:
    """The plan that a folder has been begun with, or None where there is none.

    Raises:
        ResultError: It cannot be understood.
    """
    file = Path(out) / "plan.json"
    return read_plan(file) if file.exists() else None


def recorded(place: Path) -> dict[str, Any] | None:
    """The record of a replica, or None where there is none or its trajectory is just being made longer."""
    try:
        record: dict[str, Any] = json.loads((place / "replica.json").read_text(encoding="utf-8"))
        there = has_summary(place) or (place / record["trajectory"]).exists()
        return record if there and record["duration_ps"] > 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def has_summary(place: Path) -> bool:
    """Whether the small files of a replica are there."""
    return (place / "slow-stress.npz").exists()  # curves.npz may be missing where there were too few frames


def last_step(place: Path) -> int | None:
    """The step that a replica can be gone on with from, from the name of its last restart file."""
    return max((int(file.stem.partition("-")[2]) for file in place.glob("restart-*.bin")), default=None)


def finished(plan: MeltPlan, task: Task) -> bool:
    """Whether a replica is there, as long as it can become."""
    record = recorded(task.place)
    if record is None or not has_summary(task.place):
        return False
    long_enough = record["duration_ps"] > task.duration_ps - 1.5 * plan.frame_fs / 1000.0
    return long_enough or not any(task.place.glob("trajectory-*"))  # without it nothing can be added


def replicas_in(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Finished replicas of a state, in the order of their numbers."""
    places = sorted(folder.glob("replica-*"), key=lambda place: (len(place.name), place.name))
    found = [(place, recorded(place)) for place in places if has_summary(place)]
    return [(place, record) for place, record in found if record is not None]


def failures_in(folder: Path) -> dict[str, str]:
    """What has failed in a state and not been made good since: sentences by ``volume``, ``replica-1`` and so on."""
    try:
        return {str(key): str(value) for key, value in json.loads((folder / FAILED).read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def note_failure(folder: Path, of: str, sentence: str | None) -> None:
    """Write down that something has failed in a state, or with None that it has been done after all."""
    before = failures_in(folder)
    after = {key: value for key, value in before.items() if key != of} | ({} if sentence is None else {of: sentence})
    if not after:
        (folder / FAILED).unlink(missing_ok=True)
    elif after != before:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / FAILED, json.dumps(after, indent=1, ensure_ascii=False) + "\n")


def plain(value: Any) -> Any:
    """The same with None for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
