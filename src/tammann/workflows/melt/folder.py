"""The folder of a plan: where everything lies, what is there already, and what has failed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

from tammann._version import __version__
from tammann.composition import composition_key
from tammann.errors import ResultError
from tammann.files import read_json, write_text
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.records import ReplicaRecord, VolumeRecord

EXTENDABLE_KEYS = frozenset(
    {"melts", "temperatures_K", "replicas", "production_ps", "longest_ps", "target_error", "end_members"}
)
"""Keys of a plan that may differ when a folder is resumed: they add to what is there and alter nothing of it."""
PLAN = "plan.json"
FAILED = "failed.json"
CORRELATIONS = "curves.npz"
STRESS = "slow-stress.npz"
TRANSPORT = "transport.json"
MELT = "melt.npz"
STRUCTURE = "structure.extxyz"
REPLICA_FILES = (CORRELATIONS, STRESS, ReplicaRecord.FILE)
"""What a state is measured from, the record last: it says that all is there."""
STATE_FILES = (VolumeRecord.FILE, MELT, STRUCTURE)


@dataclass(frozen=True)
class ReplicaTask:
    """One replica of one state, numbered from 1 on, to be recorded up to some length."""

    formula: str
    temperature_K: float
    replica: int
    state_folder: Path
    duration_ps: float

    @property
    def folder(self) -> Path:
        """The folder of the replica."""
        return self.state_folder / f"replica-{self.replica}"

    def __str__(self) -> str:
        return f"{self.formula} at {self.temperature_K:g} K, replica {self.replica}"


class Replica(NamedTuple):
    """A finished replica: its folder and its record."""

    folder: Path
    record: ReplicaRecord


def state_folder(out: Path, formula: str, temperature_K: float) -> Path:
    """Return the folder of a state."""
    return out / formula / f"{temperature_K:.10g}K"


def replica_tasks(plan: MeltPlan, out: Path) -> Iterator[ReplicaTask]:
    """Yield all replicas of a plan in the order in which they run: first ones of all states first, hottest first."""
    hottest_first = sorted(plan.temperatures_K, reverse=True)
    for replica, formula, temperature_K in product(range(1, plan.replicas + 1), plan.melts, hottest_first):
        folder = state_folder(out, formula, temperature_K)
        yield ReplicaTask(formula, temperature_K, replica, folder, plan.production_ps)


def check_resume(out: Path, *, resume: bool) -> None:
    """Refuse to resume a folder without a plan, and to begin in one that has a plan."""
    there = (out / PLAN).exists()
    if resume and not there:
        raise ResultError(f"{out}: expected a folder of tammann melt to resume, found no {PLAN}; leave resume out.")
    if there and not resume:
        raise ResultError(f"{out}: holds a plan already; resume it, or name another folder.")


def merged_plan(plan: MeltPlan, out: Path) -> MeltPlan:
    """Return the plan that a folder will hold with this one added to it, or refuse to add it; nothing is written."""
    if not (out / PLAN).exists():
        # another process may be faster, and have begun to write
        foreign = out.exists() and any(entry.suffix != ".partial" and entry.name != "lock" for entry in out.iterdir())
        if not foreign:
            return plan
        if not (out / PLAN).exists():
            raise ResultError(
                f"{out}: expected an empty folder or one with a plan, got other files; name another folder."
            )
    before = load_plan(out)
    for key in MeltPlan.model_fields:
        if key not in EXTENDABLE_KEYS and getattr(before, key) != getattr(plan, key):
            raise ResultError(
                f"{out}: holds a plan with {key} {getattr(before, key)}, got {getattr(plan, key)}; a resumed plan "
                f"may only differ in {', '.join(sorted(EXTENDABLE_KEYS))}; name another folder."
            )
    return merge_plans(before, plan)


def open_folder(plan: MeltPlan, out: Path) -> MeltPlan:
    """Add a plan to its folder, made where it is missing, and return the plan that the folder then holds."""
    out.mkdir(parents=True, exist_ok=True)
    whole = merged_plan(plan, out)
    data = {"tammann": __version__, "plan": whole.model_dump(mode="json")}
    write_text(out / PLAN, json.dumps(data, indent=1) + "\n")
    return whole


def merge_plans(first: MeltPlan, second: MeltPlan) -> MeltPlan:
    """Return the second plan with the melts, temperatures, replicas and lengths that only the first has."""
    known = {composition_key(formula) for formula in first.melts}
    more = [formula for formula in second.melts if composition_key(formula) not in known]
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
    """Return a formula as a plan writes it, which names its folder; unchanged where the plan does not have it.

    Example:
        >>> formula_as_in("Ti2Ba2O6", MeltPlan(melts=("BaTiO3",)))
        'BaTiO3'
    """
    same = composition_key(formula)
    return next((other for other in plan.melts if composition_key(other) == same), formula)


def load_plan(out: str | os.PathLike[str]) -> MeltPlan:
    """Read the plan of a folder.

    Raises:
        ResultError: There is none, or it cannot be understood.
    """
    file = Path(out) / PLAN
    if not file.exists():
        raise ResultError(f"{out}: expected a folder of tammann melt, found no {PLAN} in it; name another.")
    try:
        return MeltPlan(**read_json(file, error=ResultError)["plan"])
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{file}: expected the plan of an earlier run: {error}") from None


def load_replica(folder: Path) -> ReplicaRecord | None:
    """Return the record of a replica, or None where there is none or its trajectory is just being made longer."""
    try:
        record = ReplicaRecord.load(folder)
    except ResultError:
        return None
    there = has_summary(folder) or (folder / record.trajectory).exists()
    return record if there and record.duration_ps > 0 else None


def has_summary(folder: Path) -> bool:
    """Return whether the files are there that a replica is measured from."""
    return (folder / STRESS).exists()  # the correlations may be missing where there were too few frames


def last_step(folder: Path) -> int | None:
    """Return the step from which a replica can be continued, or None where it has not begun."""
    return max((int(file.stem.partition("-")[2]) for file in folder.glob("restart-*.bin")), default=None)


def finished(plan: MeltPlan, task: ReplicaTask) -> bool:
    """Return whether a replica is there, as long as it can become."""
    record = load_replica(task.folder)
    if record is None or not has_summary(task.folder):
        return False
    long_enough = record.duration_ps > task.duration_ps - 1.5 * plan.frame_fs / 1000.0
    return long_enough or not any(task.folder.glob("trajectory-*"))  # without it nothing can be added


def load_replicas(folder: Path) -> list[Replica]:
    """Return the finished replicas of a state, in the order of their numbers."""
    folders = sorted(folder.glob("replica-*"), key=lambda each: (len(each.name), each.name))
    found = ((each, load_replica(each)) for each in folders if has_summary(each))
    return [Replica(each, record) for each, record in found if record is not None]


def load_failures(folder: Path) -> dict[str, str]:
    """Return what has failed in a state and not been done since: sentences by ``volume``, ``replica-1`` and so on."""
    try:
        return {str(key): str(value) for key, value in read_json(folder / FAILED).items()}
    except (ValueError, AttributeError):
        return {}


def record_failure(folder: Path, step: str, sentence: str | None) -> None:
    """Write down that a step has failed in a state, or with None that it has been done after all."""
    before = load_failures(folder)
    after = {key: text for key, text in {**before, step: sentence}.items() if text}
    if not after:
        (folder / FAILED).unlink(missing_ok=True)
    elif after != before:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / FAILED, json.dumps(after, indent=1, ensure_ascii=False) + "\n")
