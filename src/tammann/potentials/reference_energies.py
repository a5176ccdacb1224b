"""Energies of single atoms that best explain the energies of compositions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tammann.errors import DataError
from tammann.potentials.dataset import DataSet


@dataclass(frozen=True, eq=False)
class ReferenceEnergies:
    """One energy an element, so that the energy of a frame is their sum and a small rest.

    Attributes:
        elements: Symbols.
        energies_eV: Shape (S,), eV.
        rank: Number of combinations of elements that the compositions determine; below S the energies are those of
            smallest norm.
        note: Plain words on what is not determined, or an empty string.
    """

    elements: tuple[str, ...]
    energies_eV: np.ndarray
    rank: int
    note: str = ""


def fit_reference_energies(data: DataSet, elements: Sequence[str]) -> ReferenceEnergies:
    """Return the least squares energies of atoms, those of smallest norm where the compositions leave a choice.

    min_e sum_f ((sum_s n_fs e_s - E_f) / N_f)^2, with n_fs atoms of element s in frame f. Along one line of
    compositions, such as BaO to TiO2, only the line's ends are determined and not the elements: differences between
    compositions on it are right whatever the choice, and energies off it (metals, O2) mean nothing.

    Args:
        data: Frames with energies.
        elements: Symbols, in the order wanted.

    Raises:
        DataError: No frame has an energy.

    Example:
        >>> from tammann.potentials.dataset import DataSet, Frame
        >>> from tammann.structures import Configuration
        >>> import numpy as np
        >>> cells = [Configuration(("Ba", "O") * n, np.arange(6.0 * n).reshape(-1, 3), 9 * np.eye(3)) for n in (1, 2)]
        >>> found = fit_reference_energies(DataSet(tuple(Frame(c, -10.0 * len(c.symbols)) for c in cells)), ["Ba", "O"])
        >>> found.energies_eV.round(6), found.rank
        (array([-10., -10.]), 1)
    """
    rows, targets = [], []
    for frame in data:
        if frame.energy_eV is not None:
            symbols = frame.configuration.symbols
            rows.append([symbols.count(e) / len(symbols) for e in elements])
            targets.append(frame.energy_eV / len(symbols))
    if not rows:
        raise DataError("data: expected at least one frame with an energy; label it first.")
    energies, _, rank, _ = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=1e-8)
    note = ""
    if rank < len(elements):
        note = (
            f"the compositions determine {rank} of {len(elements)} reference energies; of the rest those of smallest "
            "norm are taken, which leaves energies on the line of compositions as they are"
        )
    return ReferenceEnergies(tuple(elements), energies, int(rank), note)
