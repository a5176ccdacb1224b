"""SevenNet: equivariant graph networks whose trained weights come with the package ``sevenn``; nothing is downloaded.

| name | trained on | reference |
|---|---|---|
| ``sevennet-0`` | MPtrj, PBE and PBE+U, version of July 2024 | Park et al. 2024 |
| ``sevennet-l3i5`` | the same, tensors up to l = 3, five layers | Park et al. 2024 |
| ``sevennet-mf-0`` | MPtrj (head ``PBE``) and a set of r2SCAN data at once | Kim et al. 2025 |
| ``sevennet-mf-0-r2scan`` | the same model, head ``R2SCAN`` | Kim et al. 2025 |

Code and weights are under the MIT licence.

Reference:
    Park et al., J. Chem. Theory Comput. 2024, 20, 4857, doi 10.1021/acs.jctc.4c00190.
    Kim et al., J. Am. Chem. Soc. 2025, 147, 1042, doi 10.1021/jacs.4c14455.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.potentials.calculators import ImportedPotential, ModelFile, model_file, one_line

PARK = "SevenNet, Park et al., J. Chem. Theory Comput. 2024, 20, 4857, doi 10.1021/acs.jctc.4c00190"
KIM = "SevenNet-MF-0, Kim et al., J. Am. Chem. Soc. 2025, 147, 1042, doi 10.1021/jacs.4c14455"
CHECKPOINTS = {
    "sevennet-0": "SevenNet_0__11Jul2024/checkpoint_sevennet_0.pth",
    "sevennet-l3i5": "SevenNet_l3i5/checkpoint_l3i5.pth",
    "sevennet-mf-0": "SevenNet_MF_0/checkpoint_sevennet_mf_0.pth",
    "sevennet-mf-0-r2scan": "SevenNet_MF_0/checkpoint_sevennet_mf_0.pth",
}
"""Where the weights lie in the package."""
MODALITIES = {"sevennet-mf-0": "PBE", "sevennet-mf-0-r2scan": "R2SCAN"}
"""Level of theory whose energies a model trained on several returns."""


def sevennet(name: str = "sevennet-0") -> ImportedPotential:
    """Return a SevenNet model by name, with the weights that the package carries.

    Args:
        name: ``sevennet-0``, ``sevennet-l3i5``, ``sevennet-mf-0`` or ``sevennet-mf-0-r2scan``.

    Raises:
        DataError: Another name.

    Example:
        >>> sevennet("sevennet-mf-0-r2scan").extra
        'sevennet'
    """
    if name not in CHECKPOINTS:
        raise DataError(f"potential: expected one of {', '.join(CHECKPOINTS)}, got {name!r}.")
    return ImportedPotential(
        name=name,
        make=f"{__name__}:make_{name.replace('-', '_')}",
        source=KIM if name in MODALITIES else PARK,
        extra="sevennet",
    )


def sevennet_file(path: str | os.PathLike[str]) -> ModelFile:
    """Return the potential in a checkpoint of SevenNet (``*.pth``), as ``sevenn train`` writes it.

    Raises:
        DataError: The file cannot be read.
    """
    return model_file(path, f"{__name__}:open_sevennet", f"checkpoint of {PARK}", extra="sevennet")


def open_sevennet(path: str | os.PathLike[str], modality: str | None = None) -> Any:
    """Return the ASE calculator of a checkpoint, on one thread of the CPU.

    Args:
        path: The checkpoint.
        modality: Level of theory, for a model trained on several; its first where none is given.

    Raises:
        DataError: ``sevenn`` is not installed.
    """
    try:
        import torch
        from sevenn.calculator import SevenNetCalculator
        from sevenn.util import load_checkpoint
    except ImportError as reason:
        raise _missing(reason) from None
    torch.set_num_threads(1)
    if modality is None:
        modality = next(iter(load_checkpoint(os.fspath(path)).config.get("_modal_map") or ()), None)
    calculator = SevenNetCalculator(os.fspath(path), device="cpu", modal=modality)
    from ase.data import chemical_symbols

    calculator.elements = frozenset(chemical_symbols[int(number)] for number in calculator.type_map)
    return calculator


def checkpoint_of(name: str) -> Path:
    """Return the checkpoint of a model by name, in the installed package.

    Raises:
        DataError: ``sevenn`` is not installed, or does not carry it.
    """
    try:
        import sevenn
    except ImportError as reason:
        raise _missing(reason) from None
    path = Path(sevenn.__file__).parent / "pretrained_potentials" / CHECKPOINTS[name]
    if not path.exists():
        raise DataError(
            f"potential {name}: the installed sevenn {sevenn.__version__} does not carry its weights; install 0.13."
        )
    return path


def make_sevennet_0() -> Any:
    """Load SevenNet-0."""
    return _make("sevennet-0")


def make_sevennet_l3i5() -> Any:
    """Load SevenNet-l3i5."""
    return _make("sevennet-l3i5")


def make_sevennet_mf_0() -> Any:
    """Load SevenNet-MF-0 with the energies of PBE."""
    return _make("sevennet-mf-0")


def make_sevennet_mf_0_r2scan() -> Any:
    """Load SevenNet-MF-0 with the energies of r2SCAN."""
    return _make("sevennet-mf-0-r2scan")


def _make(name: str) -> Any:
    return open_sevennet(checkpoint_of(name), MODALITIES.get(name))


def _missing(reason: ImportError) -> DataError:
    return DataError(
        f"potential sevennet: it is not installed ({one_line(reason)}); pip install 'tammann[sevennet]' brings it, in "
        "an environment without mace-torch, whose e3nn is older."
    )
