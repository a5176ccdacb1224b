"""A MACE model in a file, as an ASE calculator.

Reference:
    Batatia et al., Adv. Neural Inf. Process. Syst. 2022, 35, 11423, doi 10.48550/arXiv.2206.07697.
"""

from __future__ import annotations

import os
from typing import Any

from tammann.errors import DataError
from tammann.potentials.calculators import ModelFile, model_file, one_line

SOURCE = "MACE, Batatia et al., Adv. Neural Inf. Process. Syst. 2022, 35, 11423, doi 10.48550/arXiv.2206.07697"


def mace_file(path: str | os.PathLike[str]) -> ModelFile:
    """Return the potential in a file of MACE (``*.model``): one of your own or a foundation model that you have.

    Raises:
        DataError: The file cannot be read.
    """
    return model_file(path, f"{__name__}:open_mace", SOURCE, extra="mace")


def open_mace(path: str | os.PathLike[str], head: str | None = None) -> Any:
    """Return the ASE calculator of a model, in double precision on one thread of the CPU.

    Args:
        path: The model.
        head: Which of its heads; the fine-tuned one (``default``, any case) or the last where none is given.

    Raises:
        DataError: ``mace-torch`` is not installed, or the model has no such head.
    """
    try:
        import torch
        from mace.calculators import MACECalculator
    except ImportError as reason:
        raise DataError(
            f"potential mace: it is not installed ({one_line(reason)}); pip install 'tammann[mace]' brings it, in an "
            "environment without sevenn, whose e3nn is newer."
        ) from None
    from ase.data import chemical_symbols

    torch.set_num_threads(1)
    model = torch.load(path, map_location="cpu", weights_only=False)
    heads = list(getattr(model, "heads", ["Default"]))
    if head is None:
        head = next((each for each in heads if each.lower() == "default"), heads[-1])
    if head not in heads:
        raise DataError(f"potential {os.fspath(path)}: has the heads {', '.join(heads)}, got {head!r}; name one.")
    calculator = MACECalculator(models=[model], device="cpu", default_dtype="float64", head=head)
    calculator.elements = frozenset(chemical_symbols[int(number)] for number in model.atomic_numbers)
    return calculator
