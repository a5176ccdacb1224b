"""Training of MACE from scratch by the package's own program, in the Python that has it.

Reference:
    Batatia et al., Adv. Neural Inf. Process. Syst. 2022, 35, 11423, doi 10.48550/arXiv.2206.07697.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase.data import atomic_numbers

from tammann.errors import DataError
from tammann.files import whole_path
from tammann.potentials.dataset import DataSet
from tammann.potentials.mace.calculator import mace_file
from tammann.potentials.network_training import NETWORK_SETTINGS, NetworkSettings, TrainedNetwork
from tammann.potentials.programs import package_version, python_of, run_program, write_frames
from tammann.potentials.reference_energies import ReferenceEnergies, fit_reference_energies

MACE_SETTINGS = NETWORK_SETTINGS["mace"]
"""Learning rate 0.01, patience 20, at most 500 epochs: Deng et al. 2025."""
NAME = "trained"


@dataclass(frozen=True)
class MaceArchitecture:
    """Size of a network.

    Attributes:
        channels: Features of each kind.
        max_L: Highest order of the tensors that messages carry.
        cutoff_A: Cut-off radius, Å.
        interactions: Message-passing layers.
    """

    channels: int = 32
    max_L: int = 0
    cutoff_A: float = 5.0
    interactions: int = 2


def train_mace(
    train: DataSet,
    valid: DataSet,
    path: str | os.PathLike[str],
    settings: NetworkSettings = MACE_SETTINGS,
    *,
    architecture: MaceArchitecture | None = None,
) -> TrainedNetwork:
    """Train a MACE from random weights.

    Args:
        train: Frames to fit.
        valid: Frames that decide when to stop; of other trajectories.
        path: Where the model goes; its name should end in ``.model``.
        settings: How long and how fast, and which Python.
        architecture: Size of the network.

    Raises:
        DataError: ``mace-torch`` is not installed in that Python, training failed, or frames without labels.
    """
    size = architecture or MaceArchitecture()
    reference = fit_reference_energies(train)
    options = [
        "--model=MACE",
        f"--num_channels={size.channels}",
        f"--max_L={size.max_L}",
        f"--r_max={size.cutoff_A}",
        f"--num_interactions={size.interactions}",
        f"--E0s={e0_argument(reference.by_element)}",
    ]
    return run_mace(train, valid, path, settings, options, reference)


def e0_argument(energies_eV: dict[str, float]) -> str:
    """Return reference energies as the program reads them, by atomic number.

    Example:
        >>> e0_argument({"O": -2.5, "Ba": -1.0})
        '{8: -2.5, 56: -1.0}'
    """
    return str({atomic_numbers[symbol]: float(energy) for symbol, energy in energies_eV.items()})


def run_mace(
    train: DataSet,
    valid: DataSet,
    path: str | os.PathLike[str],
    settings: NetworkSettings,
    options: Sequence[str],
    reference: ReferenceEnergies,
    replay: DataSet | None = None,
    replay_valid: DataSet | None = None,
) -> TrainedNetwork:
    """Run ``mace_run_train`` in a folder of its own, and move the best model to ``path``.

    Args:
        train: Frames to fit.
        valid: Frames that decide when to stop.
        path: Where the model goes.
        settings: What is common to all trainings.
        options: What is not.
        reference: Reference energies, for the record.
        replay: Frames of the pre-training, for multi-head fine-tuning.
        replay_valid: Frames of the pre-training to validate on.

    Raises:
        DataError: As ``train_mace``.
    """
    python = python_of(settings.python)
    versions = {name: package_version(name, python=python) for name in ("mace-torch", "torch")}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_frames(folder, train=train, valid=valid)
        extra = []
        if replay is not None and replay_valid is not None:
            write_frames(folder, replay=replay, replay_valid=replay_valid)
            extra = ["--pt_train_file=replay.extxyz", "--pt_valid_file=replay_valid.extxyz"]
        rename_keys(folder)
        command = [
            python,
            "-m",
            "mace.cli.run_train",
            f"--name={NAME}",
            "--train_file=train.extxyz",
            "--valid_file=valid.extxyz",
            "--energy_key=REF_energy",
            "--forces_key=REF_forces",
            "--stress_key=REF_stress",
            "--loss=universal",
            "--compute_stress=True",
            f"--energy_weight={settings.energy_weight}",
            f"--forces_weight={settings.forces_weight}",
            f"--stress_weight={settings.stress_weight}",
            f"--lr={settings.learning_rate}",
            f"--max_num_epochs={settings.max_epochs}",
            f"--patience={settings.patience}",
            f"--scheduler_patience={max(1, settings.patience // 3)}",
            "--ema",
            "--ema_decay=0.99",
            f"--batch_size={min(settings.batch_size, len(train))}",
            f"--valid_batch_size={min(8, len(valid))}",
            f"--seed={settings.seed}",
            "--device=cpu",
            f"--default_dtype={settings.precision}",
            "--error_table=PerAtomRMSE",
            "--plot=False",
            *options,
            *extra,
        ]
        run_program(command, folder, threads=settings.threads)
        history = read_history(folder)
        if not history:
            raise DataError(f"mace: the program wrote no results; see its log:\n{_tail(folder)}")
        found = folder / f"{NAME}.model"
        if not found.exists():
            raise DataError(f"mace: expected {found.name} from the program, found none: {_tail(folder)}.")
        with whole_path(path) as partial:
            shutil.copyfile(found, partial)
    return TrainedNetwork(
        mace_file(path),
        1 + max(record["epoch"] for record in history),
        history,
        reference,
        versions=versions,
        notes=(reference.note,) if reference.note else (),
    )


def rename_keys(folder: Path) -> None:
    """Rename energies, forces and stresses to what ASE does not take out of the frames when it reads them."""
    for file in folder.glob("*.extxyz"):
        lines = []
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("Lattice="):
                line = re.sub(r"(?<= )(energy|stress)=", r"REF_\1=", line).replace(":forces:R:3", ":REF_forces:R:3")
            lines.append(line)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_history(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the records of the validation after each epoch, of the head that is fitted."""
    records = []
    for file in sorted((folder / "results").glob("*_train.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record.get("mode") == "eval" and record.get("epoch") is not None:
                kept = {key: value for key, value in record.items() if isinstance(value, int | float | str)}
                records.append(kept)
    return tuple(records)


def _tail(folder: Path) -> str:
    return (folder / "log.txt").read_text(encoding="utf-8", errors="replace")[-400:]
