"""Training of SevenNet by the package's own program: from its shipped checkpoints, a file, or random weights.

The program has no early stopping; it is ended here once the loss on the validation set has not fallen for ``patience``
epochs, and its best checkpoint is kept.

Reference:
    Park et al., J. Chem. Theory Comput. 2024, 20, 4857, doi 10.1021/acs.jctc.4c00190.
"""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tammann.errors import DataError
from tammann.files import whole_path
from tammann.potentials.calculators import ModelFile
from tammann.potentials.dataset import DataSet
from tammann.potentials.network_training import NETWORK_SETTINGS, NetworkSettings, TrainedNetwork
from tammann.potentials.programs import package_version, python_of, run_program, run_text, write_frames
from tammann.potentials.reference_energies import fit_reference_energies
from tammann.potentials.sevennet import CHECKPOINTS, sevennet_file

SEVENNET_SETTINGS = NETWORK_SETTINGS["sevennet"]
"""Of the preset ``fine_tune`` of sevenn 0.13."""
BEST, CURVE, INPUT = "checkpoint_best.pth", "lc.csv", "input.yaml"
LOSS = "validset_TotalLoss"


def train_sevennet(
    train: DataSet,
    valid: DataSet,
    path: str | os.PathLike[str],
    settings: NetworkSettings = SEVENNET_SETTINGS,
    *,
    start: str | None = "sevennet-0",
    replay: DataSet | None = None,
) -> TrainedNetwork:
    """Train a SevenNet on energies, forces and stresses with the Huber loss and Adam, in the Python that has it.

    Args:
        train: Frames to fit.
        valid: Frames that decide when to stop; of other trajectories.
        path: Where the checkpoint goes; its name should end in ``.pth``.
        settings: How long and how fast, and which Python; the energies have weight 1 in the loss of the package.
        start: A name of ``potentials.sevennet``, the file of a checkpoint, or None for random weights of the
            architecture of SevenNet-0. From a checkpoint, energies of the elements are trained with the rest.
        replay: Frames of the pre-training, which are added to ``train`` against forgetting.

    Raises:
        DataError: ``sevenn`` is not installed in that Python, training failed, frames without labels, or energies
            without weight.
    """
    check_weights(settings)
    python = python_of(settings.python)
    versions = {name: package_version(name, python=python) for name in ("sevenn", "torch")}
    reference = fit_reference_energies(train)
    checkpoint = _checkpoint(start or "sevennet-0", settings.python)
    fitted = train if replay is None else train + replay
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_frames(folder, train=fitted, valid=valid)
        program = [python, "-m", "sevenn.main.sevenn"]
        text = run_text([*program, "cp", checkpoint, "--get_yaml", "continue"])
        known = YAML(typ="safe", pure=True).load(text[text.index("model:") :])
        with open(folder / INPUT, "w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(training_input(known["model"], settings, checkpoint, start is None), file)
        run_program(
            [*program, "train", INPUT],
            folder,
            threads=settings.threads,
            ended=lambda: _waited(read_curve(folder)) >= settings.patience,
        )
        history = read_curve(folder)
        if not history or not (folder / BEST).exists():
            raise DataError(f"sevennet: expected {BEST} from the program, found none; lower learning_rate.")
        with whole_path(path) as partial:
            shutil.copyfile(folder / BEST, partial)
    return TrainedNetwork(
        sevennet_file(path),
        len(history),
        history,
        reference,
        versions=versions,
        notes=(reference.note,) if reference.note else (),
    )


def foundation_file(name: str, python: str | None = None) -> ModelFile:
    """Return the checkpoint of a foundation model, by name or file, that lies in the Python that has SevenNet.

    Raises:
        DataError: ``sevenn`` is not installed there.
    """
    return sevennet_file(_checkpoint(name, python))


def check_weights(settings: NetworkSettings) -> None:
    """Refuse energies without weight: the loss of the package has the other weights relative to theirs.

    Raises:
        DataError: The weight is 0.
    """
    if not settings.energy_weight > 0:
        raise DataError(
            f"energy_weight: expected a number above 0 with SevenNet, whose loss always has the energies, got "
            f"{settings.energy_weight:g}; take a small one, such as 0.001."
        )


def training_input(model: dict[str, Any], settings: NetworkSettings, checkpoint: str, scratch: bool) -> dict[str, Any]:
    """Return the input of the program.

    Args:
        model: The architecture, as the checkpoint has it.
        settings: How long and how fast.
        checkpoint: Where the weights come from.
        scratch: Whether they are random instead.
    """
    train: dict[str, Any] = {
        "random_seed": settings.seed,
        "is_train_stress": True,
        "epoch": settings.max_epochs,
        "per_epoch": settings.max_epochs + 1,
        "loss": "Huber",
        "loss_param": {"delta": 0.01},
        "optimizer": "adam",
        "optim_param": {"lr": settings.learning_rate},
        "scheduler": "exponentiallr",
        "scheduler_param": {"gamma": 0.99},
        "force_loss_weight": settings.forces_weight / settings.energy_weight,
        "stress_loss_weight": settings.stress_weight / settings.energy_weight,
        "error_record": [["Energy", "RMSE"], ["Force", "RMSE"], ["Stress", "RMSE"], ["TotalLoss", "None"]],
    }
    if not scratch:
        train["continue"] = {
            "reset_optimizer": True,
            "reset_scheduler": True,
            "reset_epoch": True,
            "checkpoint": checkpoint,
        }
    data: dict[str, Any] = {
        "batch_size": settings.batch_size,
        "load_trainset_path": ["train.extxyz"],
        "load_validset_path": ["valid.extxyz"],
    }
    if scratch:
        data |= {"shift": "elemwise_reference_energies", "scale": "force_rms"}
    return {"model": {**model, "train_shift_scale": not scratch}, "train": train, "data": data}


def read_curve(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], ...]:
    """Return the learning curve that the program writes, one record an epoch."""
    file = Path(folder) / CURVE
    if not file.exists():
        return ()
    with open(file, encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if None not in row.values()]
    return tuple({key.strip(): float(value) for key, value in row.items()} for row in rows)


def _waited(curve: tuple[dict[str, Any], ...]) -> int:
    losses = [next(value for key, value in row.items() if key.startswith(LOSS)) for row in curve]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def _checkpoint(start: str, python: str | None) -> str:
    if start not in CHECKPOINTS:
        return os.path.abspath(start)
    code = "import os, sevenn; print(os.path.dirname(sevenn.__file__))"
    package_version("sevenn", python=python)  # which says how to get it
    return os.path.join(
        run_text([python_of(python), "-c", code]).splitlines()[-1], "pretrained_potentials", CHECKPOINTS[start]
    )
