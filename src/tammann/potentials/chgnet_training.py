"""Training of CHGNet with its own trainer: from its published weights, or its architecture from random ones.

Reference:
    Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3.
"""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import math
import os
import tempfile
from collections.abc import Callable
from typing import Any

from tammann.errors import DataError
from tammann.files import whole_path
from tammann.potentials.calculators import ModelFile, model_file, muted, one_line
from tammann.potentials.dataset import DataSet
from tammann.potentials.network_training import NETWORK_SETTINGS, NetworkSettings, TrainedNetwork
from tammann.potentials.programs import predict
from tammann.potentials.reference_energies import fit_reference_energies

SOURCE = "CHGNet, trained on, Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3"
CHGNET_SETTINGS = NETWORK_SETTINGS["chgnet"]
"""The weights and the learning rate of CHGNet's own trainer."""


def chgnet_file(path: str | os.PathLike[str]) -> ModelFile:
    """Return the potential in a file of CHGNet (``*.chgnet.tar``), as ``train_chgnet`` writes it.

    Raises:
        DataError: The file cannot be read.
    """
    return model_file(path, f"{__name__}:open_chgnet", SOURCE, extra="chgnet")


def open_chgnet(path: str | os.PathLike[str]) -> Any:
    """Return the ASE calculator of a trained CHGNet, on one thread of the CPU.

    Raises:
        DataError: ``chgnet`` is not installed.
    """
    _need_chgnet()
    import torch
    from chgnet.model.dynamics import CHGNetCalculator
    from chgnet.model.model import CHGNet

    torch.set_num_threads(1)
    state = torch.load(path, map_location="cpu", weights_only=False)
    calculator: Any = CHGNetCalculator(CHGNet.from_dict(state["model"]), use_device="cpu", on_isolated_atoms="ignore")
    if state.get("elements"):
        calculator.elements = frozenset(state["elements"])
    return calculator


def train_chgnet(
    train: DataSet,
    valid: DataSet,
    path: str | os.PathLike[str],
    settings: NetworkSettings = CHGNET_SETTINGS,
    *,
    start: str | None = "0.3.0",
    progress: Callable[[float], None] | None = None,
) -> TrainedNetwork:
    """Train CHGNet on energies, forces and stresses, in this process.

    The mean squared errors of the energy per atom (eV), the forces (eV/Å) and the stresses (GPa), with their weights,
    are minimized by Adam; the learning rate falls along a cosine to a hundredth. After each epoch the validation set
    gives the same sum of mean absolute errors, which decides what is kept and when it ends. The energies of the
    elements are set by least squares and then held: from published weights, what is missing to the labels; from random
    weights, the whole (``fit_reference_energies``). Magnetic moments are not trained.

    Args:
        train: Frames to fit.
        valid: Frames that decide when to stop; of other trajectories.
        path: Where the model goes; its name should end in ``.chgnet.tar``.
        settings: How long and how fast.
        start: ``0.3.0`` or ``r2scan``, published weights; a file of ``train_chgnet``; None: random weights of the
            architecture of 0.3.0.
        progress: Called with the fraction of ``max_epochs`` done.

    Raises:
        DataError: ``chgnet`` is not installed, a frame has no label, or training gave numbers that are not finite.

    Reference:
        Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3.
    """
    _need_chgnet()
    if settings.python is not None:
        raise DataError("python: CHGNet is trained in this Python; leave it out, or run tammann in the other.")
    import torch
    from chgnet.trainer.trainer import Trainer

    torch.set_num_threads(settings.threads)
    with muted():
        torch.manual_seed(settings.seed)
        model = _starting_model(start)
        reference = fit_reference_energies(
            train, predicted=None if start is None else _predicted_by(model, train, settings.threads)
        )
        _shift(model, reference.by_element, replace=start is None)
        loaders = [_loader(part, settings.batch_size, shuffle=part is train) for part in (train, valid)]
        trainer = Trainer(
            model,
            targets="efs",
            energy_loss_ratio=settings.energy_weight,
            force_loss_ratio=settings.forces_weight,
            stress_loss_ratio=settings.stress_weight,
            learning_rate=settings.learning_rate,
            # it divides the cosine into ten steps an epoch, but takes no more than there are batches
            epochs=math.ceil(settings.max_epochs * min(10, len(loaders[0])) / 10),
            torch_seed=settings.seed,
            use_device="cpu",
        )
        weights = {"e": settings.energy_weight, "f": settings.forces_weight, "s": settings.stress_weight}
        history: list[dict[str, Any]] = []
        best, best_state, waited = math.inf, copy.deepcopy(model.state_dict()), 0
        with tempfile.TemporaryDirectory() as folder:
            for epoch in range(settings.max_epochs):
                trainer.starting_epoch, trainer.epochs = epoch, epoch + 1
                trainer.train(*loaders, save_dir=folder)
                errors = trainer.training_history
                score = sum(weight * errors[key]["val"][-1] for key, weight in weights.items())
                if not math.isfinite(score):
                    raise DataError(
                        f"chgnet: errors of epoch {epoch + 1} are not finite; lower learning_rate "
                        f"{settings.learning_rate:g}."
                    )
                history.append(
                    {"epoch": epoch + 1, "validation_score": score}
                    | {f"{part}_{key}": errors[key][part][-1] for key in "efs" for part in ("train", "val")}
                )
                if score < best:
                    best, best_state, waited = score, copy.deepcopy(model.state_dict()), 0
                else:
                    waited += 1
                if progress is not None:
                    progress((epoch + 1) / settings.max_epochs)
                if waited >= settings.patience:
                    break
        model.load_state_dict(best_state)
        with whole_path(path) as partial:
            torch.save({"model": model.as_dict(), "elements": sorted({*train.elements, *valid.elements})}, partial)
    return TrainedNetwork(
        chgnet_file(path),
        len(history),
        tuple(history),
        reference,
        versions={name: importlib.metadata.version(name) for name in ("chgnet", "torch")},
        notes=(reference.note,) if reference.note else (),
    )


def published_chgnet(train: DataSet, path: str | os.PathLike[str], start: str = "0.3.0") -> ModelFile:
    """Write published weights with the energies of the elements shifted to the labels, and nothing else trained.

    This is what fine-tuning starts from, and what it has to improve on.

    Raises:
        DataError: ``chgnet`` is not installed.
    """
    _need_chgnet()
    import torch

    with muted():
        model = _starting_model(start)
        shift = fit_reference_energies(train, predicted=_predicted_by(model, train, 1))
        _shift(model, shift.by_element, replace=False)
        with whole_path(path) as partial:
            torch.save({"model": model.as_dict()}, partial)
    return chgnet_file(path)


def _need_chgnet() -> None:
    try:
        for name in ("torch", "chgnet.model.dynamics"):
            importlib.import_module(name)
    except ImportError as reason:
        raise DataError(
            f"potential chgnet: it is not installed ({one_line(reason)}); pip install 'tammann[chgnet]' brings it."
        ) from None


def _starting_model(start: str | None) -> Any:
    import torch
    from chgnet.model.composition_model import AtomRef
    from chgnet.model.model import CHGNet

    if start in ("0.3.0", "r2scan"):
        return CHGNet.load(model_name=start, use_device="cpu", verbose=False)
    if start is not None:
        try:
            return CHGNet.from_dict(torch.load(start, map_location="cpu", weights_only=False)["model"])
        except Exception as reason:  # torch raises many kinds
            raise DataError(
                f"start: expected 0.3.0, r2scan or a file of CHGNet, got {start} ({one_line(reason)})."
            ) from None
    known = CHGNet.load(use_device="cpu", verbose=False)
    energies = AtomRef(is_intensive=True)
    energies.fitted = True
    return CHGNet(**{**known.model_args, "composition_model": energies})


def _predicted_by(model: Any, dataset: DataSet, threads: int) -> DataSet:
    import torch
    from chgnet.model.dynamics import CHGNetCalculator

    calculator = CHGNetCalculator(model, use_device="cpu", on_isolated_atoms="ignore")
    torch.set_num_threads(threads)
    return predict(ModelFile("chgnet", "", "", "", SOURCE, made=calculator), dataset)


def _shift(model: Any, energies_eV: dict[str, float], *, replace: bool) -> None:
    """Add energies of the elements to those of a model, or replace all of them."""
    import torch
    from ase.data import atomic_numbers

    weight = model.composition_model.fc.weight
    with torch.no_grad():
        if replace:
            weight.zero_()
        for symbol, energy in energies_eV.items():
            weight[0, atomic_numbers[symbol] - 1] += energy


def _loader(dataset: DataSet, batch_size: int, *, shuffle: bool) -> Any:
    from ase.units import GPa
    from chgnet.data.dataset import StructureData, collate_graphs
    from torch.utils.data import DataLoader

    for frame in dataset:
        if frame.energy_eV is None or frame.forces_eV_per_A is None or frame.stress_eV_per_A3 is None:
            raise DataError("expected an energy, forces and a stress for every frame; label them first.")
    data = StructureData(
        [frame.configuration.to_pymatgen() for frame in dataset],
        [float(frame.energy_eV or 0.0) / frame.n_atoms for frame in dataset],
        [frame.forces_eV_per_A.tolist() for frame in dataset if frame.forces_eV_per_A is not None],
        # it expects the stress of VASP, kilobar and positive under compression
        stresses=[
            (-10.0 * frame.stress_eV_per_A3 / GPa).tolist() for frame in dataset if frame.stress_eV_per_A3 is not None
        ],
        shuffle=False,
    )
    return DataLoader(data, batch_size=min(batch_size, len(data)), shuffle=shuffle, collate_fn=collate_graphs)
