"""Learning curves: a fine-tuned foundation model against its architecture trained from scratch, on the same frames.

For every seed the training frames are drawn once and nested, so that 20 frames contain the 10 before them; all models
see the same validation set, which decides when training stops, and the same test set. Both sets hold trajectories of
which no training frame is taken.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from tammann._version import __version__
from tammann.errors import DataError, ResultError, TammannError
from tammann.files import digest, json_safe, lock_folder, read_json, write_text
from tammann.parallel import Progress
from tammann.plot.learning_curves import plot_learning_curves
from tammann.plot.style import save_figure
from tammann.potentials.chgnet_training import published_chgnet, train_chgnet
from tammann.potentials.curation import check_apart
from tammann.potentials.dataset import DataSet, read_dataset, split
from tammann.potentials.mace.calculator import mace_file
from tammann.potentials.mace.finetune import finetune_mace
from tammann.potentials.mace.train import MaceArchitecture, train_mace
from tammann.potentials.network_training import (
    NETWORK_SETTINGS,
    NetworkSettings,
    TrainedNetwork,
    prediction_errors,
    shift_energies,
)
from tammann.potentials.programs import predict
from tammann.potentials.sevennet_training import check_weights, foundation_file, train_sevennet
from tammann.recipe_blocks import number_field
from tammann.strict import Block, Document

PLAN, TABLE, SUMMARY = "plan.json", "learning-curves.csv", "learning-curves.json"
BEFORE = "before"
"""Name of the record of the foundation model before it was trained."""
MAY_DIFFER = frozenset({"sizes", "seeds", "modes", "keep_models", "train", "test", "replay", "foundation", "python"})
"""Keys of a plan that may differ when a folder is resumed: more fits, or the same files elsewhere."""
SUFFIX = {"chgnet": ".chgnet.tar", "mace": ".model", "sevennet": ".pth"}
Mode = Literal["fine-tuned", "multi-head", "from-scratch"]
Count = Annotated[int, number_field("a whole number from 1 to 1000000", ge=1, le=1_000_000)]
OwnWeight = Annotated[
    float | None, number_field("a number from 0 to 1e6, by default that of the architecture", ge=0, le=1e6)
]
Rate = Annotated[float, number_field("a learning rate above 0 and at most 1", gt=0, le=1)]
OwnRate = Annotated[
    float | None, number_field("a learning rate above 0 and at most 1, by default that of the architecture", gt=0, le=1)
]
OWN = ("learning_rate", "energy_weight", "forces_weight", "stress_weight")
"""Keys that the architecture decides where they are left out."""
FitFunction = Callable[[DataSet, DataSet, Path, NetworkSettings], TrainedNetwork]
"""Train on the first set, stop by the second, write the model to the path."""


class MaceBlock(Block):
    """The size of a MACE trained from scratch; a fine-tuned one has that of its foundation."""

    channels: Count = 32
    max_L: Annotated[int, number_field("0, 1 or 2", ge=0, le=2)] = 0
    cutoff_A: Annotated[float, number_field("a radius from 2 to 10 Å", ge=2, le=10)] = 5.0
    interactions: Annotated[int, number_field("1, 2 or 3", ge=1, le=3)] = 2


class FinetuningPlan(Document):
    r"""Learning curves to compute.

    Example:
        >>> plan = FinetuningPlan.from_text(
        ...     "architecture: chgnet\ntrain: a.extxyz\ntest: b.extxyz\nsizes: [5, 10, 20, 40]\nseeds: [1, 2, 3]"
        ... )
        >>> len(list(plan.fits())), plan.epochs_at_most(40)
        (24, 500)
    """

    ERROR: ClassVar[type[TammannError]] = DataError

    architecture: Literal["chgnet", "mace", "sevennet"] = Field(description="chgnet, mace or sevennet")
    train: Path = Field(description="a file of labelled frames")
    test: Path = Field(description="a file of labelled frames of other trajectories")
    foundation: str | None = Field(
        None, description="chgnet: 0.3.0 or r2scan; sevennet: sevennet-0; or the file of a model"
    )
    replay: Path | None = Field(None, description="a file of frames that the foundation model was trained on")
    modes: tuple[Mode, ...] = Field(
        ("fine-tuned", "from-scratch"), min_length=1, description="fine-tuned, multi-head and from-scratch in a list"
    )
    sizes: tuple[Count, ...] = Field((10, 20, 40, 80), min_length=1, description="numbers of frames in a list")
    seeds: tuple[Annotated[int, Field(strict=True, ge=0, le=2**31)], ...] = Field(
        (1, 2, 3), min_length=1, description="whole numbers in a list"
    )
    validation_fraction: Annotated[float, number_field("a fraction above 0 and below 1", gt=0, lt=1)] = 0.1
    most_validation_frames: Count | None = None
    learning_rate: OwnRate = None
    scratch_learning_rate: Rate | None = None
    max_epochs: Count = 500
    most_frame_visits: Count | None = None
    patience: Count = 20
    batch_size: Count = 4
    energy_weight: OwnWeight = None
    forces_weight: OwnWeight = None
    stress_weight: OwnWeight = None
    precision: Literal["float64", "float32"] = Field("float64", description="float64 or float32, for mace")
    shift_reference_energies: bool = True
    mace: MaceBlock = Field(MaceBlock(), description="a block on the size of a MACE from scratch")
    python: str | None = Field(None, description="the Python that has mace-torch or sevenn")
    keep_models: bool = False

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Take the names of files relative to the file of the plan."""
        known = {key: os.path.join(directory, str(data[key])) for key in ("train", "test", "replay") if data.get(key)}
        foundation = data.get("foundation")
        if isinstance(foundation, str) and foundation.endswith(tuple(SUFFIX.values())):
            known["foundation"] = os.path.join(directory, foundation)
        return {**data, **known}

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        usual = NETWORK_SETTINGS.get(str(data.get("architecture"))) if isinstance(data, dict) else None
        if usual is None:
            return data
        return data | {key: getattr(usual, key) for key in OWN if data.get(key) is None}

    @model_validator(mode="after")
    def _check(self) -> FinetuningPlan:
        for key in ("sizes", "seeds", "modes"):
            if len(set(getattr(self, key))) != len(getattr(self, key)):
                raise ValueError(f"{key}: expected each value once; remove the repeated one")
        if "multi-head" in self.modes and (self.architecture != "mace" or self.replay is None):
            raise ValueError("modes: multi-head is of mace and needs replay, a file of frames; name one or remove it")
        if self.architecture == "mace" and self.foundation is None and set(self.modes) != {"from-scratch"}:
            raise ValueError("foundation: expected the file of a MACE model, got none; nothing is downloaded")
        if self.architecture == "sevennet":
            try:
                check_weights(self.settings("fine-tuned", 1, 0))
            except DataError as error:
                raise ValueError(str(error).removesuffix(".")) from None
        return self

    def fits(self) -> Iterator[tuple[Mode, int, int]]:
        """Yield mode, size and seed of every fit; all of the first seed come first."""
        for seed in self.seeds:
            for size in sorted(self.sizes):
                for mode in self.modes:
                    yield mode, size, seed

    def epochs_at_most(self, size: int) -> int:
        """Return the most epochs of a training set, fewer of a larger one where ``most_frame_visits`` is given."""
        if self.most_frame_visits is None:
            return self.max_epochs
        return max(1, min(self.max_epochs, self.most_frame_visits // size))

    def settings(self, mode: str, size: int, seed: int, replayed: int = 0) -> NetworkSettings:
        """Return how long and how fast a model is trained; ``replayed`` frames are visited beside ``size`` new ones."""
        given = {key: getattr(self, key) for key in OWN if getattr(self, key) is not None}
        if mode == "from-scratch" and self.scratch_learning_rate is not None:
            given["learning_rate"] = self.scratch_learning_rate
        return replace(
            NETWORK_SETTINGS[self.architecture],
            **given,
            max_epochs=self.epochs_at_most(size + replayed),
            patience=self.patience,
            batch_size=min(self.batch_size, size),
            seed=seed,
            precision=self.precision,
            python=self.python,
        )


@dataclass(frozen=True, eq=False)
class FinetuningResult:
    """Learning curves, in ``out``.

    Attributes:
        plan: The plan.
        out: The folder.
        table: One row a fit: mode, size, seed, errors on the test set, epochs, seconds, digest of the model.
        before: Errors of the foundation model before training, its reference energies shifted to the labels; empty
            where there is none.
        notes: What a user must know.
    """

    plan: FinetuningPlan
    out: Path
    table: pd.DataFrame
    before: dict[str, float]
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether all fits of the plan are there."""
        return len(self.table) == len(list(self.plan.fits()))

    def summary(self, quantity: str = "forces_rmse_eV_per_A") -> pd.DataFrame:
        """Return mean and standard deviation over the seeds, a row for each size, two columns for each mode."""
        return self.table.groupby(["size", "mode"], sort=True)[quantity].agg(["mean", "std"]).unstack("mode")

    def winners(self, quantity: str = "forces_rmse_eV_per_A") -> dict[int, str]:
        """Return the mode of the least mean error for each size."""
        means = self.table.groupby(["size", "mode"])[quantity].mean().unstack("mode")
        return {int(size): str(mode) for size, mode in means.idxmin(axis=1).items()}


def run_finetuning(
    plan: FinetuningPlan,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    progress: Progress | None = None,
    fits: dict[str, FitFunction] | None = None,
) -> FinetuningResult:
    """Train every model of a plan, test it, and draw the learning curves.

    Each finished fit is a file in ``fits/``; a run that was killed goes on with the next one. The table, the summary
    and the figures are written after every fit.

    Args:
        plan: The plan.
        out: Folder, made where it is missing.
        resume: Continue what is in ``out``; the plan may then have more sizes, seeds or modes.
        progress: Called with the fraction of fits done.
        fits: How each mode trains, by default with the package of the architecture.

    Raises:
        DataError: The data sets cannot be read, or are too small for the plan.
        ResultError: ``out`` holds another plan, or something else.
    """
    folder = Path(out)
    replay = read_dataset(plan.replay) if plan.replay is not None and "multi-head" in plan.modes else None
    functions = fits or {mode: fit_function(plan, mode, replay) for mode in plan.modes}
    pool, test = read_dataset(plan.train), read_dataset(plan.test)
    check_apart(pool, test)
    train, valid = split(pool, "trajectory", plan.validation_fraction, rng=0)
    if plan.most_validation_frames is not None and plan.most_validation_frames < len(valid):
        chosen = np.linspace(0, len(valid) - 1, plan.most_validation_frames).round().astype(int)
        valid = valid.subset(chosen.tolist())
    if max(plan.sizes) > len(train):
        raise DataError(
            f"sizes: {max(plan.sizes)} frames asked for, but {plan.train.name} has {len(train)} beside the "
            f"{len(valid)} of the validation set; take smaller sizes or label more frames."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        _open(plan, folder, resume=resume)
        (folder / "fits").mkdir(exist_ok=True)
        if fits is None:
            _record_before(plan, folder, train, test)
        tasks = list(plan.fits())
        for number, (mode, size, seed) in enumerate(tasks):
            if progress is not None:
                progress(number / len(tasks), f"{mode}, {size} frames, seed {seed}", None)
            if not (folder / "fits" / f"{mode}-{size}-{seed}.json").exists():
                order = np.random.default_rng(seed).permutation(len(train))[:size]
                replayed = len(replay) if replay is not None and mode == "multi-head" else 0
                settings = plan.settings(mode, size, seed, replayed)
                _fit(plan, folder, functions[mode], (train.subset(order), valid, test), (mode, size, seed), settings)
                _collect(plan, folder)
        result = _collect(plan, folder)
    if progress is not None:
        progress(1.0, "done", None)
    return result


def load_finetuning(out: str | os.PathLike[str]) -> FinetuningResult:
    """Read the learning curves of a folder, complete or not.

    Raises:
        ResultError: It holds no plan.
    """
    folder = Path(out)
    plan = FinetuningPlan(**read_json(folder / PLAN, error=ResultError, what="plan")["plan"])
    rows = [read_json(path) for path in sorted((folder / "fits").glob("*.json")) if path.stem != BEFORE]
    order = {fit: number for number, fit in enumerate(plan.fits())}
    rows = [row for row in rows if (row["mode"], row["size"], row["seed"]) in order]
    rows.sort(key=lambda row: order[row["mode"], row["size"], row["seed"]])
    flat = [{**{k: v for k, v in row.items() if not isinstance(v, dict | list)}, **row["errors"]} for row in rows]
    before = folder / "fits" / f"{BEFORE}.json"
    notes = dict.fromkeys(note for row in rows for note in row["notes"])
    return FinetuningResult(
        plan, folder, pd.DataFrame(flat), read_json(before)["errors"] if before.exists() else {}, tuple(notes)
    )


def fit_function(plan: FinetuningPlan, mode: str, replay: DataSet | None = None) -> FitFunction:
    """Return how a mode of a plan trains, with frames of the pre-training for ``multi-head``."""
    scratch = mode == "from-scratch"
    if plan.architecture == "chgnet":
        return partial(train_chgnet, start=None if scratch else plan.foundation or "0.3.0")
    if plan.architecture == "sevennet":
        return partial(train_sevennet, start=None if scratch else plan.foundation or "sevennet-0")
    if scratch:
        return partial(train_mace, architecture=MaceArchitecture(**plan.mace.model_dump()))
    replayed = replay if mode == "multi-head" else None
    return partial(
        finetune_mace, foundation=plan.foundation or "", replay=replayed, shift=plan.shift_reference_energies
    )


def _open(plan: FinetuningPlan, folder: Path, *, resume: bool) -> None:
    file = folder / PLAN
    digests = {str(key): digest(getattr(plan, key)) for key in ("train", "test", "replay") if getattr(plan, key)}
    if file.exists():
        if not resume:
            raise ResultError(f"{folder}: holds learning curves already; resume them, or name another folder.")
        before = read_json(file, error=ResultError)
        for key, value in plan.model_dump(mode="json").items():
            if key not in MAY_DIFFER and before["plan"][key] != value:
                raise ResultError(
                    f"{folder}: holds a plan with {key} {before['plan'][key]}, got {value}; name another folder."
                )
        if before["digests"] != digests:
            raise ResultError(f"{folder}: was begun with other data; name another folder.")
    elif resume:
        raise ResultError(f"{folder}: expected learning curves to resume, found no {PLAN}; leave resume out.")
    elif any(entry.name != "lock" for entry in folder.iterdir()):
        raise ResultError(f"{folder}: is not empty; name another folder.")
    data = {"tammann": __version__, "plan": plan.model_dump(mode="json"), "digests": digests}
    write_text(file, json.dumps(data, indent=1) + "\n")


def _record_before(plan: FinetuningPlan, folder: Path, train: DataSet, test: DataSet) -> None:
    """Test the foundation model untrained, energies of the elements shifted to the labels of the training frames."""
    file = folder / "fits" / f"{BEFORE}.json"
    if file.exists() or set(plan.modes) == {"from-scratch"}:
        return
    path, python = folder / f"{BEFORE}.chgnet.tar", plan.python
    if plan.architecture == "chgnet":
        model, python = published_chgnet(train, path, plan.foundation or "0.3.0"), None
    elif plan.architecture == "sevennet":
        model = foundation_file(plan.foundation or "sevennet-0", python)
    else:
        model = mace_file(plan.foundation or "")
    found = shift_energies(train, predict(model, train, python=python), predict(model, test, python=python))
    path.unlink(missing_ok=True)
    write_text(file, json.dumps({"errors": json_safe(prediction_errors(test, found))}, indent=1) + "\n")


def _fit(
    plan: FinetuningPlan,
    folder: Path,
    function: FitFunction,
    sets: tuple[DataSet, DataSet, DataSet],
    task: tuple[str, int, int],
    settings: NetworkSettings,
) -> None:
    (train, valid, test), (mode, size, seed) = sets, task
    path = folder / "models" / f"{mode}-{size}-{seed}{SUFFIX[plan.architecture]}"
    path.parent.mkdir(exist_ok=True)
    begin = time.monotonic()
    trained = function(train, valid, path, settings)
    seconds = time.monotonic() - begin
    errors = prediction_errors(test, predict(trained.model, test, python=plan.python))
    if not plan.keep_models:
        path.unlink(missing_ok=True)
    record = {
        "mode": mode,
        "size": size,
        "seed": seed,
        "epochs": trained.epochs,
        "seconds": round(seconds, 1),
        "learning_rate": settings.learning_rate,
        "model_sha256": trained.model.digest,
        "errors": errors,
        "reference_energies_eV": trained.reference.by_element,
        "versions": {**trained.versions, "tammann": __version__, "python": platform.python_version()},
        "date": date.today().isoformat(),
        "notes": list(trained.notes),
        "history": list(trained.history),
    }
    write_text(folder / "fits" / f"{mode}-{size}-{seed}.json", json.dumps(json_safe(record)) + "\n")


def _collect(plan: FinetuningPlan, folder: Path) -> FinetuningResult:
    result = load_finetuning(folder)
    if result.table.empty:
        return result
    write_text(folder / TABLE, result.table.to_csv(index=False, float_format="%.6g"))
    quantities = [q for q in ("forces_rmse_eV_per_A", "energy_rmse_eV_per_atom") if q in result.table]
    held = read_json(folder / PLAN)
    last = read_json(max((folder / "fits").glob("*-*.json"), key=lambda path: path.stat().st_mtime))
    summary = {
        "plan": held["plan"],
        "digests": held["digests"],
        "versions": last.get("versions", {}),
        "complete": result.complete,
        "before": result.before,
        "winners": {quantity: result.winners(quantity) for quantity in quantities},
        "notes": result.notes,
    }
    for key in ("train", "test", "replay", "foundation"):  # names, not places
        if summary["plan"].get(key):
            summary["plan"][key] = Path(summary["plan"][key]).name
    summary["plan"].pop("python", None)
    write_text(folder / SUMMARY, json.dumps(json_safe(summary), indent=1, ensure_ascii=False) + "\n")
    for quantity in quantities:
        axes = plot_learning_curves(result.table, quantity, before=result.before.get(quantity))
        save_figure(axes, folder / f"learning-curves-{quantity.partition('_')[0]}.png")
    return result
