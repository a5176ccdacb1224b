"""Active learning of potentials without an active set: a committee is trained, and its disagreement is the grade.

Each member of M leaves out another part of the trajectories, by whose error its training is stopped, and starts from
another seed. Grades, and with them ``select_above`` and ``stop_above`` of a plan, are deviations of forces in eV/Å.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from tammann.errors import DataError, ResultError
from tammann.files import read_json, write_text
from tammann.parallel import Progress
from tammann.potentials.calculators import calculator_of, prepare
from tammann.potentials.chgnet_training import train_chgnet
from tammann.potentials.committee import CommitteeCalculator
from tammann.potentials.dataset import DataSet
from tammann.potentials.evaluate import calculator_errors
from tammann.potentials.load import load_potential
from tammann.potentials.mace.finetune import finetune_mace
from tammann.potentials.mace.train import MaceArchitecture, train_mace
from tammann.potentials.network_training import NETWORK_SETTINGS, NetworkSettings
from tammann.potentials.sevennet_training import check_weights, train_sevennet
from tammann.structures import Configuration
from tammann.workflows.active_learning.explore import Exploration
from tammann.workflows.active_learning.plan import ActiveLearningPlan
from tammann.workflows.active_learning.propose import Task, run_task
from tammann.workflows.active_learning.run import Trained

FILE = "committee.json"
MEMBERS = 3
SUFFIX = {"chgnet": ".chgnet.tar", "mace": ".model", "sevennet": ".pth"}
TrainMember = Callable[[DataSet, DataSet, Path, int], Path]
"""Trains on the first set, stops by the second, and returns the file it writes into a folder; the last is the seed."""


def folds(dataset: DataSet, number: int) -> list[tuple[DataSet, DataSet]]:
    """Return for each member the frames to fit and those left out, which no other member leaves out.

    Trajectories are dealt one by one, the longest first, to the member that leaves out fewest frames so far.

    Raises:
        DataError: Fewer trajectories than members.

    Example:
        >>> from tammann.potentials.dataset import Frame
        >>> cell = Configuration(("Ba",), np.zeros((1, 3)), 5.0 * np.eye(3))
        >>> frames = DataSet(tuple(Frame(cell, trajectory=name) for name in "aabbc"))
        >>> [(len(fitted), len(left_out)) for fitted, left_out in folds(frames, 3)]
        [(3, 2), (3, 2), (4, 1)]
    """
    groups: dict[str, list[int]] = {}
    for index, frame in enumerate(dataset):
        groups.setdefault(frame.trajectory, []).append(index)
    if len(groups) < number:
        raise DataError(f"committee: expected at least {number} trajectories, one a member, got {len(groups)}.")
    left_out: list[list[int]] = [[] for _ in range(number)]
    for group in sorted(groups.values(), key=lambda group: -len(group)):
        min(left_out, key=len).extend(group)
    everything = set(range(len(dataset)))
    return [(dataset.subset(sorted(everything - set(part))), dataset.subset(sorted(part))) for part in left_out]


@dataclass(frozen=True)
class TrainCommittee:
    """Trains the members of a committee one by one."""

    member: TrainMember
    members: int = 3

    def __call__(self, train: DataSet, test: DataSet, folder: Path, *, progress: Progress | None = None) -> Trained:
        """Return the file that names the members, and the errors of their mean on the test frames.

        A member that is there already is not trained again.
        """
        files = []
        for number, (fitted, left_out) in enumerate(folds(train, self.members), start=1):
            if progress is not None:
                progress((number - 1) / self.members, f"member {number} of {self.members}", None)
            place, record = folder / f"member-{number}", folder / f"member-{number}.json"
            if not record.exists():
                place.mkdir(parents=True, exist_ok=True)
                file = self.member(fitted, left_out, place, number)
                write_text(record, json.dumps({"file": file.relative_to(folder).as_posix()}) + "\n")
            files.append(str(read_json(record, error=ResultError)["file"]))
        write_text(folder / FILE, json.dumps({"members": files}, indent=1) + "\n")
        return Trained(folder / FILE, evaluate_committee(folder / FILE, test))


@dataclass(frozen=True)
class TrainNetwork:
    """Trains one graph network, from published weights or a file where ``start`` names one.

    Attributes:
        architecture: ``chgnet``, ``mace`` or ``sevennet``.
        settings: How long and how fast; the seed is that of the member.
        start: Weights to begin with; for ``chgnet`` and ``sevennet`` the published ones where None, for ``mace`` none.
        size: Of a MACE that begins with random weights.
    """

    architecture: str
    settings: NetworkSettings
    start: str | None = None
    size: MaceArchitecture = MaceArchitecture()

    def __call__(self, train: DataSet, valid: DataSet, folder: Path, seed: int) -> Path:
        """Return the file of the network."""
        settings = replace(self.settings, seed=seed)
        file = folder / f"potential{SUFFIX[self.architecture]}"
        if self.architecture == "chgnet":
            train_chgnet(train, valid, file, settings, start=self.start or "0.3.0")
        elif self.architecture == "sevennet":
            train_sevennet(train, valid, file, settings, start=self.start or "sevennet-0")
        elif self.start is None:
            train_mace(train, valid, file, settings, architecture=self.size)
        else:
            finetune_mace(train, valid, file, settings, foundation=self.start)
        return file


def committee_of(plan: ActiveLearningPlan) -> TrainCommittee:
    """Return how the committee of a plan is trained.

    Its block ``training`` may hold ``members``, ``start``, the fields of ``NetworkSettings`` but for the seed, and for
    MACE those of ``MaceArchitecture``.

    Raises:
        DataError: A key is none of these, or a value out of range.

    Example:
        >>> plan = ActiveLearningPlan(compositions=("TiO2",), architecture="mace", training={"members": 4})
        >>> committee_of(plan).members
        4
    """
    given = dict(plan.training)
    members, start = given.pop("members", MEMBERS), given.pop("start", None)
    if not (isinstance(members, int) and 2 <= members <= 100):
        raise DataError(f"training.members: expected a whole number from 2 to 100, got {members!r}.")
    of_size = {field.name for field in fields(MaceArchitecture)} if plan.architecture == "mace" else set()
    known = {field.name for field in fields(NetworkSettings)} - {"seed"} | of_size | {"members", "start"}
    for key in given:
        if key not in known:
            raise DataError(f"training.{key}: expected one of {', '.join(sorted(known))}; correct its name.")
    size = MaceArchitecture(**{key: given.pop(key) for key in list(given) if key in of_size})
    settings = replace(NETWORK_SETTINGS[plan.architecture], **given)
    if plan.architecture == "sevennet":
        check_weights(settings)
    return TrainCommittee(TrainNetwork(plan.architecture, settings, start, size), members)


def load_committee(file: Path, symbols: Sequence[str]) -> CommitteeCalculator:
    """Return the calculator of the committee that a file names.

    Raises:
        ResultError: Another file.
        DataError: A member cannot be loaded.
    """
    try:
        names = [str(name) for name in read_json(file, error=ResultError)["members"]]
    except (KeyError, TypeError) as error:
        raise ResultError(f"{file}: expected the members of a committee, got another file ({error}).") from None
    potentials = [load_potential(str(file.parent / name)) for name in names]
    return CommitteeCalculator([calculator_of(prepare(potential, symbols)) for potential in potentials])


def evaluate_committee(model: Path, frames: DataSet) -> dict[str, float]:
    """Return the errors of the mean of a committee in a file on labelled frames, as ``calculator_errors``."""
    return calculator_errors(load_committee(model, frames.elements), frames)


@dataclass(frozen=True)
class ExploreCommittee:
    """Makes one watched run with the mean of a committee."""

    plan: ActiveLearningPlan

    def __call__(self, task: Task, model: Path, *, progress: Callable[[float], None] | None = None) -> Exploration:
        """Return what was seen."""
        calculator = load_committee(model, task.configuration.symbols)
        return run_task(self.plan, task, calculator, progress=progress)


def select_largest_grades(
    configurations: Sequence[Configuration], grades: Sequence[float], model: Path, most: int
) -> list[int]:
    """Return the configurations with the largest grades, for potentials without an active set.

    Example:
        >>> select_largest_grades([None] * 3, [2.0, 9.0, float("nan")], None, 2)
        [1, 0]
    """
    ranked = np.argsort(-np.nan_to_num(np.asarray(grades, dtype=float), nan=-np.inf), kind="stable")
    return [int(k) for k in ranked[:most]]
