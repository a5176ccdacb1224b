"""Training of CHGNet with its own trainer: from its published weights, or its architecture from random ones.

Reference:
    Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3.
"""

from __future__ import annotations

import os
from typing import Any

from tammann.errors import DataError
from tammann.potentials.calculators import ModelFile, model_file, one_line

SOURCE = "CHGNet, trained on, Deng et al., Nat. Mach. Intell. 2023, 5, 1031, doi 10.1038/s42256-023-00716-3"


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
    try:
        import torch
        from chgnet.model.dynamics import CHGNetCalculator
        from chgnet.model.model import CHGNet
    except ImportError as reason:
        raise DataError(
            f"potential chgnet: it is not installed ({one_line(reason)}); pip install 'tammann[chgnet]' brings it."
        ) from None
    torch.set_num_threads(1)
    state = torch.load(path, map_location="cpu", weights_only=False)
    calculator: Any = CHGNetCalculator(CHGNet.from_dict(state["model"]), use_device="cpu", on_isolated_atoms="ignore")
    if state.get("elements"):
        calculator.elements = frozenset(state["elements"])
    return calculator
