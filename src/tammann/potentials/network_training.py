"""What the trainers of graph networks share: how long, how fast, with which weights; and what they return."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from tammann.errors import DataError
from tammann.potentials.calculators import ModelFile
from tammann.potentials.dataset import DataSet
from tammann.potentials.reference_energies import ReferenceEnergies, fit_reference_energies


@dataclass(frozen=True)
class NetworkSettings:
    """How a graph network is trained; the defaults are those of Deng et al. 2025 for MACE.

    Training ends after ``max_epochs``, or when the error on the validation set has not fallen for ``patience`` epochs;
    the model of the best epoch is kept.

    Attributes:
        learning_rate: Of the optimizer, at the start.
        max_epochs: Most passes over the training set.
        patience: Epochs without progress after which it ends.
        batch_size: Frames a step.
        energy_weight: Weight of the energies per atom in the loss, in the units of the package's own loss.
        forces_weight: Weight of the forces.
        stress_weight: Weight of the stresses.
        seed: Of weights and of the order of the frames.
        precision: ``float64`` or ``float32``, of the numbers in which MACE is trained; single is half as long.
        python: Interpreter that has the package, by default this one.
        threads: Threads.
    """

    learning_rate: float = 0.01
    max_epochs: int = 500
    patience: int = 20
    batch_size: int = 4
    energy_weight: float = 1.0
    forces_weight: float = 100.0
    stress_weight: float = 1.0
    seed: int = 1
    precision: Literal["float64", "float32"] = "float64"
    python: str | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("learning_rate", "max_epochs", "patience", "batch_size", "threads"):
            if not getattr(self, name) > 0:
                raise DataError(f"{name}: expected a number above 0, got {getattr(self, name)!r}.")
        for name in ("energy_weight", "forces_weight", "stress_weight"):
            if not getattr(self, name) >= 0:
                raise DataError(f"{name}: expected a weight of 0 or more, got {getattr(self, name)!r}.")


NETWORK_SETTINGS = {
    "chgnet": NetworkSettings(learning_rate=1e-3, forces_weight=1.0, stress_weight=0.1),
    "mace": NetworkSettings(),
    "sevennet": NetworkSettings(learning_rate=0.004, forces_weight=1.0, stress_weight=0.01),
}
"""How each architecture is trained where nothing else is said; weights count in the loss of its own package.

CHGNet: weights and learning rate of its own trainer. MACE: Deng et al. 2025. SevenNet: its preset ``fine_tune``.
"""


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained model and how it came about.

    Attributes:
        model: Its file, named by its digest.
        epochs: Passes over the training set until it ended.
        history: One record an epoch, as the package gives them.
        reference: Reference energies of the elements: those of the model, or what was added to a foundation model's.
        versions: Versions of the packages.
        notes: What a user must know.
    """

    model: ModelFile
    epochs: int
    history: tuple[dict[str, Any], ...]
    reference: ReferenceEnergies
    versions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def shift_energies(labelled: DataSet, predicted: DataSet, others: DataSet) -> DataSet:
    """Return predicted frames with the energies of the elements shifted to those of the labels.

    Args:
        labelled: Frames with energies.
        predicted: The same frames, from a model; what they lack, by element, is fitted (``fit_reference_energies``).
        others: Other frames, from the same model, to which it is added.

    Raises:
        DataError: An element of the others is in no labelled frame, or there are no energies.
    """
    missing = fit_reference_energies(labelled, predicted=predicted).by_element
    unknown = sorted(set(others.elements) - set(missing))
    if unknown:
        raise DataError(
            f"test: holds {unknown[0]}, which is in no training frame; label frames with it, or leave it out."
        )
    return DataSet(
        tuple(
            frame
            if frame.energy_eV is None
            else replace(frame, energy_eV=frame.energy_eV + sum(missing[s] for s in frame.configuration.symbols))
            for frame in others
        )
    )


def prediction_errors(labelled: DataSet, predicted: DataSet) -> dict[str, float]:
    """Return the errors of predicted frames against labelled ones.

    Args:
        labelled: Frames with energies and forces.
        predicted: The same frames, from a model.

    Returns:
        Root mean square and mean absolute errors of energies per atom (eV), forces (eV/Å) and stresses (eV/Å3);
        ``energy_shifted_rmse_eV_per_atom`` without the mean difference; ``forces_slope`` of predicted on labelled ones
        through the origin, below 1 for a soft model; ``forces_rms_eV_per_A`` of the labels.

    Raises:
        DataError: A frame has no energy or no forces.
    """
    energy, force, stress = [], [], []
    for one, other in zip(labelled, predicted, strict=True):
        if None in (one.energy_eV, other.energy_eV) or one.forces_eV_per_A is None or other.forces_eV_per_A is None:
            raise DataError("expected an energy and forces for every frame; label them first.")
        energy.append((float(one.energy_eV or 0) / one.n_atoms, float(other.energy_eV or 0) / other.n_atoms))
        force.append(np.stack([one.forces_eV_per_A, other.forces_eV_per_A]))
        if one.stress_eV_per_A3 is not None and other.stress_eV_per_A3 is not None:
            stress.append(np.stack([one.stress_eV_per_A3, other.stress_eV_per_A3]))
    e, f = np.array(energy).T, np.concatenate(force, axis=1)
    errors = {}
    pairs = {"energy": (e, "eV_per_atom"), "forces": (f, "eV_per_A")}
    if stress:
        pairs["stress"] = (np.concatenate(stress, axis=1), "eV_per_A3")
    for name, ((true, found), unit) in pairs.items():
        errors[f"{name}_rmse_{unit}"] = float(np.sqrt(np.mean((found - true) ** 2)))
        errors[f"{name}_mae_{unit}"] = float(np.mean(np.abs(found - true)))
    errors["energy_shifted_rmse_eV_per_atom"] = float(np.std(e[1] - e[0]))
    errors["forces_slope"] = float((f[0] * f[1]).sum() / (f[0] ** 2).sum())
    errors["forces_rms_eV_per_A"] = float(np.sqrt(np.mean(f[0] ** 2)))
    return errors
