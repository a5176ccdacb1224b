"""Training of a potential as a workflow: labelled frames in, a file with a potential and its errors out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from glob import glob
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from tammann._version import __version__
from tammann.errors import DataError, ResultError, TammannError
from tammann.files import check_empty, digest, json_safe, lock_folder, read_json, write_text
from tammann.parallel import Progress
from tammann.potentials.ace.ace_jax import AceJaxSettings, own_errors, train_ace_jax
from tammann.potentials.ace.fit import AceSettings, train_ace
from tammann.potentials.ace.model import SUFFIX
from tammann.potentials.ace.pacemaker import PacemakerSettings, train_pacemaker
from tammann.potentials.calculators import ModelFile
from tammann.potentials.chgnet_training import train_chgnet
from tammann.potentials.curation import check_apart, deduplicate, energies_above_lowest, filter_frames
from tammann.potentials.dataset import DataSet, read_dataset, split, write_dataset
from tammann.potentials.gap import GapSettings, train_gap
from tammann.potentials.mace.train import train_mace
from tammann.potentials.network_training import NETWORK_SETTINGS, NetworkSettings, prediction_errors
from tammann.potentials.programs import predict
from tammann.potentials.sevennet_training import check_weights, train_sevennet
from tammann.recipe_blocks import number_field
from tammann.strict import Document

Architecture = Literal["ace", "ace-jax", "pacemaker", "gap", "mace", "sevennet", "chgnet"]
SETTINGS: dict[str, type] = {
    "ace": AceSettings,
    "ace-jax": AceJaxSettings,
    "pacemaker": PacemakerSettings,
    "gap": GapSettings,
    "mace": NetworkSettings,
    "sevennet": NetworkSettings,
    "chgnet": NetworkSettings,
}
"""What the block ``settings`` of a plan holds."""
OWN_KEYS = ("seed", "python")
"""Settings that are keys of the plan."""
FileName = Annotated[str, Field(strict=True, min_length=1, max_length=1000)]
PLAN, SUMMARY = "train-plan.json", "summary.json"


class TrainingPlan(Document):
    r"""What to train, and on what.

    Example:
        >>> plan = TrainingPlan.from_text("train: [frames.extxyz]\nsettings: {degrees: [10, 7]}")
        >>> plan.architecture, plan.build_settings().degrees
        ('ace', (10, 7))
    """

    ERROR: ClassVar[type[TammannError]] = DataError

    train: tuple[FileName, ...] = Field(
        min_length=1,
        max_length=1000,
        description="a list of files with labelled frames, such as [labelled.extxyz] or [round-*/labelled.xyz]",
    )
    test: tuple[FileName, ...] = Field((), max_length=1000, description="a list of files with labelled frames")
    test_fraction: Annotated[float, number_field("a share between 0 and 0.5", gt=0, le=0.5)] = 0.1
    split_by: Literal["trajectory", "composition"] = Field("trajectory", description="trajectory or composition")
    architecture: Architecture = Field("ace", description=", ".join(get_args(Architecture)))
    settings: dict[str, Any] = Field(default_factory=dict, description="a block of settings of the architecture")
    python: FileName | None = Field(None, description="the interpreter of an environment that has the architecture")
    largest_force_eV_per_A: Annotated[float, number_field("a force above 0 eV/Å", gt=0)] = 50.0
    closest_A: Annotated[float, number_field("a distance from 0.1 to 3 Å", ge=0.1, le=3)] = 0.8
    low_energy_eV_per_atom: Annotated[float | None, number_field("an energy above 0 eV/atom", gt=0)] = None
    seed: Annotated[int, number_field("a whole number from 0 to 2**31", ge=0, le=2**31)] = 0

    @model_validator(mode="after")
    def _check(self) -> TrainingPlan:
        try:
            self.build_settings()
        except DataError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        if self.python is not None and self.architecture in ("ace", "chgnet"):
            raise ValueError(f"python: expected none with {self.architecture}, which is trained here; remove it")
        return self

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the files that it names in a directory; a name with * stands for all that fit it."""
        for key in ("train", "test"):
            if isinstance(data.get(key), list):
                named = [str(Path(directory, n)) if isinstance(n, str) else n for n in data[key]]
                found = [sorted(glob(n)) if isinstance(n, str) and "*" in n else [n] for n in named]
                data = data | {key: [each for part in found for each in part]}
        return data

    def build_settings(self) -> Any:
        """Return the settings of the architecture.

        Raises:
            DataError: A key of ``settings`` is none, or its value is refused.
        """
        kind = SETTINGS[self.architecture]
        known = [field.name for field in fields(kind)]
        for key in self.settings:
            if key not in known or key in OWN_KEYS:
                listed = ", ".join(name for name in known if name not in OWN_KEYS)
                raise DataError(f"settings.{key}: expected one of {listed}; correct its name.")
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in self.settings.items()}
        given |= {key: getattr(self, key) for key in OWN_KEYS if key in known}
        if self.architecture not in NETWORK_SETTINGS:
            return kind(**given)
        settings = replace(NETWORK_SETTINGS[self.architecture], **given)
        if self.architecture == "sevennet":
            check_weights(settings)
        return settings


@dataclass(frozen=True, eq=False)
class Training:
    """A trained potential.

    Attributes:
        file: The potential.
        digest: SHA-256 of its file.
        errors: Root mean square errors on training and test frames, one row each.
        low_energy_file: The version fitted to frames of low energy only, where it was asked for.
        low_energy_errors: Its errors, on test frames of low energy.
        notes: What a user should know.
    """

    file: Path
    digest: str
    errors: pd.DataFrame
    low_energy_file: Path | None = None
    low_energy_errors: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it in the form of JSON."""
        found = {
            "file": str(self.file),
            "sha256": self.digest,
            "errors": self.errors.reset_index().to_dict("records"),
            "notes": list(self.notes),
            "tammann": __version__,
        }
        if self.low_energy_file is not None and self.low_energy_errors is not None:
            found["low_energy_file"] = str(self.low_energy_file)
            found["low_energy_errors"] = self.low_energy_errors.reset_index().to_dict("records")
        return found


def run_training(
    plan: TrainingPlan, out: str | os.PathLike[str], *, resume: bool = False, progress: Progress | None = None
) -> Training:
    """Train the potential of a plan in a folder.

    The folder holds the potential, ``train.extxyz`` and ``test.extxyz`` as they were used, ``errors.csv``, the plan and
    ``summary.json``. With ``low_energy_eV_per_atom`` a second potential is fitted to the frames at most that far above
    the lowest, which serves crystals and glasses better than melts.

    Args:
        plan: What to train, and on what.
        out: Folder, made where it is missing.
        resume: Continue what is in ``out``, of the same plan and frames: a fit that was finished is kept, one that was
            not begins anew.
        progress: Called with the fraction done and what is being done.

    Raises:
        DataError: Frames cannot be read, hold no labels, or leave nothing to test on.
        ResultError: The folder holds something else, or another plan or other frames.
    """
    folder = Path(out)
    if not resume:
        there = (folder / PLAN).exists()
        check_empty(folder, advice="resume it, or name another folder" if there else "name a new or empty folder")
    elif not (folder / PLAN).exists():
        raise ResultError(f"{folder}: expected a training to resume, found no {PLAN}; leave resume out.")
    train, test, notes = prepare_frames(plan)
    sets = {"potential": (train, test)}
    if plan.low_energy_eV_per_atom is not None:
        sets["low-energy"] = _low_energy(plan.low_energy_eV_per_atom, train, test)
    folder.mkdir(parents=True, exist_ok=True)
    tell = progress or (lambda *_: None)
    share = 1.0 / len(sets)
    with lock_folder(folder):
        _begin(plan, folder, train, test)
        fits: dict[str, tuple[Path, pd.DataFrame]] = {}
        for number, (name, (fitted, tested)) in enumerate(sets.items()):
            begin = share * number
            report = partial(_tell_part, tell, begin, share)
            file, errors, said = _kept(folder, name) or _train(plan, fitted, tested, folder, name, report)
            _keep(folder, name, file, errors, said)
            errors.to_csv(folder / ("errors.csv" if name == "potential" else f"{name}-errors.csv"))
            fits[name] = file, errors
            notes = tuple(dict.fromkeys((*notes, *said)))
        file, errors = fits["potential"]
        low_file, low_errors = fits.get("low-energy", (None, None))
        found = Training(file, digest(file), errors, low_file, low_errors, notes)
        write_text(folder / SUMMARY, json.dumps(json_safe(found.as_dict()), indent=2) + "\n")
    return found


def _tell_part(tell: Progress, begin: float, share: float, fraction: float, what: str) -> None:
    tell(begin + share * fraction, what, None)


def _low_energy(limit: float, train: DataSet, test: DataSet) -> tuple[DataSet, DataSet]:
    # above the lowest of all frames, not of those on either side
    above = energies_above_lowest(train + test)
    low = train.subset(np.flatnonzero(above[: len(train)] <= limit))
    tested = test.subset(np.flatnonzero(above[len(train) :] <= limit))
    if not (len(low) and len(tested)):
        raise DataError(
            f"low_energy_eV_per_atom: {limit:g} leaves {len(low)} frames to fit and {len(tested)} to test on; raise it."
        )
    return low, tested


def _begin(plan: TrainingPlan, folder: Path, train: DataSet, test: DataSet) -> None:
    """Write the plan and its frames, or refuse others than those that are there."""
    text = plan.model_dump_json(indent=2) + "\n"
    if (folder / PLAN).exists() and (folder / PLAN).read_text(encoding="utf-8") != text:
        raise ResultError(f"{folder}: holds another plan; name another folder.")
    for name, data in (("train", train), ("test", test)):
        file, fresh = folder / f"{name}.extxyz", folder / f"{name}.partial.extxyz"
        write_dataset(fresh, data)
        other = file.exists() and digest(file) != digest(fresh)
        if other:
            fresh.unlink()
            raise ResultError(f"{folder}: was begun with other {name} frames; name another folder.")
        os.replace(fresh, file)
    write_text(folder / PLAN, text)


def _keep(folder: Path, name: str, file: Path, errors: pd.DataFrame, notes: tuple[str, ...]) -> None:
    """Record a finished fit."""
    table = errors.reset_index().to_dict("records")
    record = {"file": file.relative_to(folder).as_posix(), "errors": table, "notes": list(notes)}
    write_text(folder / f"{name}-fit.json", json.dumps(json_safe(record), indent=1) + "\n")


def _kept(folder: Path, name: str) -> tuple[Path, pd.DataFrame, tuple[str, ...]] | None:
    """Return a fit that was finished before, if it is there."""
    record = folder / f"{name}-fit.json"
    if not record.exists():
        return None
    found = read_json(record, error=ResultError)
    if not (folder / found["file"]).exists():
        return None
    errors = pd.DataFrame(found["errors"]).set_index("data").astype(float)
    return folder / found["file"], errors, tuple(found["notes"])


def prepare_frames(plan: TrainingPlan) -> tuple[DataSet, DataSet, tuple[str, ...]]:
    """Return the frames to fit and to test on, without duplicates and outliers, and what was left out.

    Raises:
        DataError: Frames cannot be read, or none is left.
    """
    notes = []

    def clean(data: DataSet, what: str) -> DataSet:
        labelled = DataSet(tuple(frame for frame in data if frame.energy_eV is not None))
        if not len(labelled):
            raise DataError(
                f"{what} frames: none of {len(data)} has an energy; label them first, by tammann potential label."
            )
        kept = filter_frames(
            deduplicate(labelled), largest_force_eV_per_A=plan.largest_force_eV_per_A, closest_A=plan.closest_A
        )
        if len(kept) < len(data):
            notes.append(
                f"{len(data) - len(kept)} of {len(data)} {what} frames left out: {len(data) - len(labelled)} without "
                f"labels, the others repeated, closer than {plan.closest_A:g} Å or with forces above "
                f"{plan.largest_force_eV_per_A:g} eV/Å"
            )
        return kept

    train = clean(read_dataset(*plan.train), "training")
    if plan.test:
        test = clean(read_dataset(*plan.test), "test")
        check_apart(train, test)
    else:
        groups = {frame.trajectory if plan.split_by == "trajectory" else frame.formula for frame in train}
        if len(groups) == 1:
            other = "composition" if plan.split_by == "trajectory" else "trajectory"
            raise DataError(
                f"test: all {len(train)} frames are of one {plan.split_by} ({groups.pop()}), so none can be kept; "
                f"name frames under test:, say split_by: {other}, or give frames that do not stem from each other a "
                'trajectory= of their own in the file (info["trajectory"] in ASE).'
            )
        train, test = split(train, plan.split_by, plan.test_fraction, plan.seed)
    if not len(train) or not len(test):
        raise DataError("train: no labelled frame is left to fit or to test on; label more, or loosen the limits.")
    return train, test, tuple(notes)


def _train(
    plan: TrainingPlan, train: DataSet, test: DataSet, folder: Path, name: str, tell: Callable[[float, str], None]
) -> tuple[Path, pd.DataFrame, tuple[str, ...]]:
    settings = plan.build_settings()
    if plan.architecture == "ace":
        stages = {"training data": (0.0, 0.7), "test data": (0.7, 0.1), "ladder": (0.8, 0.1), "penalty": (0.8, 0.1)}

        def report(what: str, fraction: float) -> None:
            begin, length = stages.get(what, (0.9, 0.1))
            tell(begin + length * fraction, what)

        fit = train_ace(train, test, settings, progress=report)
        file = folder / f"{name}{SUFFIX}"
        fit.model.save(file)
        fit.history.to_csv(folder / f"{name}-history.csv", index=False)
        return file, fit.errors.rename_axis("data"), tuple(fit.model.provenance.get("notes", []))
    tell(0.0, plan.architecture)
    model, notes = _train_elsewhere(plan, settings, train, test, folder / name)
    tell(0.9, "errors")
    # this package is not needed where the potential was trained
    python = None if plan.architecture == "chgnet" else plan.python
    errors = {"train": [np.nan, np.nan]}
    if plan.architecture == "ace-jax":
        own = own_errors(folder / name)
        errors["test"] = [own.energy_eV_per_atom, own.force_eV_per_A]
        notes += (
            f"on the test frames the errors are {own.energy_ratio:.1f} (energies) and {own.force_ratio:.1f} (forces) "
            "times those that ace-jax states; multiply its standard errors by these numbers",
        )
    for part, data in () if "test" in errors else (("train", train), ("test", test)):
        found = prediction_errors(data, predict(model, data, python=python))
        errors[part] = [found["energy_rmse_eV_per_atom"], found["forces_rmse_eV_per_A"]]
    columns = ["energy_eV_per_atom", "force_eV_per_A"]
    table = pd.DataFrame.from_dict(errors, orient="index", columns=columns).rename_axis("data")
    # the model of a folder named relatively lies below it too
    return folder / Path(model.path).resolve().relative_to(folder.resolve()), table, notes


def _train_elsewhere(
    plan: TrainingPlan, settings: Any, train: DataSet, test: DataSet, folder: Path
) -> tuple[ModelFile, tuple[str, ...]]:
    """Train an architecture of another package, and return what to know of it; the test frames decide where it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    match plan.architecture:
        case "ace-jax":
            return train_ace_jax(train, test, folder, settings, python=plan.python), ()
        case "pacemaker":
            return train_pacemaker(train, test, folder, settings, python=plan.python), ()
        case "gap":
            return train_gap(train, folder, settings, python=plan.python), ()
        case "mace":
            trained = train_mace(train, test, folder / "potential.model", settings)
        case "sevennet":
            trained = train_sevennet(train, test, folder / "potential.pth", settings, start=None)
        case _:
            trained = train_chgnet(train, test, folder / "potential.chgnet.tar", settings, start=None)
    return trained.model, trained.notes
