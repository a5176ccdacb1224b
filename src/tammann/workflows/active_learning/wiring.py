"""What active learning does in earnest: labels by a potential or a program, fits by ``potentials``, watched runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tammann.errors import DataError
from tammann.parallel import Progress
from tammann.potentials.ace.calculator import AceCalculator
from tammann.potentials.ace.fit import AceSettings, train_ace
from tammann.potentials.ace.model import SUFFIX, AceModel
from tammann.potentials.dataset import DataSet
from tammann.potentials.evaluate import calculator_errors
from tammann.potentials.extrapolation import combinations
from tammann.potentials.gpaw import GpawLabeller, GpawSettings
from tammann.potentials.labellers import Labeller, PotentialLabeller
from tammann.potentials.labelling import RECORD, label_frames
from tammann.potentials.selection import select_configurations
from tammann.structures import Configuration
from tammann.workflows.active_learning.committees import (
    ExploreCommittee,
    committee_of,
    evaluate_committee,
    select_largest_grades,
)
from tammann.workflows.active_learning.explore import Exploration
from tammann.workflows.active_learning.plan import ActiveLearningPlan
from tammann.workflows.active_learning.propose import Task, run_task
from tammann.workflows.active_learning.run import Evaluate, LabelFrames, Labelled, Select, Simulate, Train, Trained

ACE_FILE = f"potential{SUFFIX}"
LABELS = "labels"
KNOWN = 1.01
"""Grade up to which an environment lies within the active set, whose own have 1 but for the tolerance of MaxVol."""


class Functions(NamedTuple):
    """What ``run_active_learning`` is given."""

    label: LabelFrames
    train: Train
    simulate: Simulate
    select: Select
    evaluate: Evaluate


def functions_of(plan: ActiveLearningPlan, *, workers: int = 1, timeout_s: float = 3600.0) -> Functions:
    """Return the functions that a plan asks for.

    An ACE is watched by the grade of its active set and its frames are chosen by D-optimality; graph networks are
    watched by the disagreement of a committee, in eV/Å, and the largest is chosen.

    Args:
        plan: Plan.
        workers: Processes that label.
        timeout_s: Longest time for one label, s.

    Raises:
        DataError: There is no such labeller, or a setting of the training is unknown.

    Example:
        >>> plan = ActiveLearningPlan(compositions=("TiO2",), labeller="pedone-2006", training={"cutoff_A": 5.0})
        >>> functions_of(plan).train.settings.cutoff_A
        5.0
    """
    label = LabelBy(build_labeller(plan.labeller), workers, timeout_s)
    if plan.architecture != "ace":
        return Functions(label, committee_of(plan), ExploreCommittee(plan), select_largest_grades, evaluate_committee)
    return Functions(label, TrainAce(ace_settings(plan)), ExploreAce(plan), select_d_optimal, evaluate_ace)


def build_labeller(name: str) -> Labeller:
    """Return a labeller: GPAW with its usual settings for ``gpaw``, else a potential.

    Raises:
        DataError: There is no such potential.
    """
    return GpawLabeller(GpawSettings()) if name == "gpaw" else PotentialLabeller(name)


def ace_settings(plan: ActiveLearningPlan) -> AceSettings:
    """Return the settings of the fit, with the thresholds of a plan.

    Raises:
        DataError: The block ``training`` has a key that is no setting.
    """
    known = {field.name for field in fields(AceSettings)} - {"thresholds", "active_set"}
    for key in plan.training:
        if key not in known:
            raise DataError(f"training.{key}: expected one of {', '.join(sorted(known))}; correct its name.")
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in plan.training.items()
    }
    return AceSettings(**given, thresholds=(plan.select_above, plan.stop_above))


@dataclass(frozen=True)
class LabelBy:
    """Labels in processes, in a folder from which they are resumed."""

    labeller: Labeller
    workers: int
    timeout_s: float

    def __call__(self, frames: DataSet, folder: Path, *, progress: Progress | None = None) -> Labelled:
        """Return the labelled frames."""
        place = folder / LABELS
        found = label_frames(
            frames,
            self.labeller,
            place,
            workers=self.workers,
            timeout_s=self.timeout_s,
            resume=(place / RECORD).exists(),
            progress=progress,
        )
        return Labelled(found.dataset, tuple(f"{each.trajectory}: {each.reason}" for each in found.failures))


@dataclass(frozen=True)
class TrainAce:
    """Fits a linear atomic cluster expansion with its active set."""

    settings: AceSettings

    def __call__(self, train: DataSet, test: DataSet, folder: Path, *, progress: Progress | None = None) -> Trained:
        """Return the potential and its root mean square errors on the test frames."""

        def tell(what: str, fraction: float) -> None:
            if progress is not None:
                progress(fraction, what, None)

        fit = train_ace(train, test, self.settings, progress=tell)
        file = folder / ACE_FILE
        fit.model.save(file)
        return Trained(file, test_errors(fit.errors))


def test_errors(errors: Any) -> dict[str, float]:
    """Return the errors on test frames of a table of errors, in meV per atom and meV/Å.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"energy_eV_per_atom": [0.01, 0.02], "force_eV_per_A": [0.3, 0.4]}, ["train", "test"])
        >>> test_errors(table)
        {'energy_meV_per_atom': 20.0, 'forces_meV_per_A': 400.0}
    """
    names = {
        "energy_eV_per_atom": "energy_meV_per_atom",
        "force_eV_per_A": "forces_meV_per_A",
        "virial_eV_per_atom": "virial_meV_per_atom",
    }
    row = errors.loc["test"]
    return {new: 1000.0 * float(row[old]) for old, new in names.items() if old in row and np.isfinite(row[old])}


@dataclass(frozen=True)
class ExploreAce:
    """Makes one watched run with an expansion in a file."""

    plan: ActiveLearningPlan

    def __call__(self, task: Task, model: Path, *, progress: Callable[[float], None] | None = None) -> Exploration:
        """Return what was seen."""
        calculator = AceCalculator(_loaded(str(model), model.stat().st_mtime_ns), grade=True)
        return run_task(self.plan, task, calculator, progress=progress)


def evaluate_ace(model: Path, frames: DataSet) -> dict[str, float]:
    """Return the errors of an expansion in a file on labelled frames, as ``calculator_errors``."""
    return calculator_errors(AceCalculator(_loaded(str(model), model.stat().st_mtime_ns)), frames)


@lru_cache(maxsize=2)
def _loaded(path: str, mtime_ns: int) -> AceModel:
    return AceModel.load(path)


def select_d_optimal(
    configurations: Sequence[Configuration], grades: Sequence[float], model: Path, most: int
) -> list[int]:
    """Return the configurations whose environments a D-optimal active set would take, most needed first.

    For each element the environments with a grade above 1.01 compete with the present active set (MaxVol); they are
    written as combinations of its environments, so that the present set is the unit matrix.

    Args:
        configurations: Candidates.
        grades: Their grades; not used, the environments are graded anew.
        model: File of an expansion with an active set.
        most: Number wanted at most.

    Raises:
        DataError: The model holds no active set.
    """
    ace = AceModel.load(model)
    if not ace.active_sets:
        raise DataError(f"{model}: expected a potential with an active set; train it with active_set: true.")
    environments, species = [], []
    for each in configurations:
        functions = ace.single(each.symbols, each.positions_A, each.cell_A, functions=True).functions
        kinds = ace.species(each.symbols)
        rows = np.zeros((len(kinds), len(ace.basis) + 1))
        for z, active in enumerate(ace.active_sets):
            rows[kinds == z] = combinations(functions[kinds == z], active)
        outside = np.abs(rows).max(axis=1) > KNOWN
        environments.append(rows[outside])
        species.append(kinds[outside])
    present = np.eye(len(ace.basis) + 1)
    return select_configurations(environments, species, [present] * len(ace.active_sets), most)
