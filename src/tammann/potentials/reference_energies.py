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
        determined: Elements whose energy the compositions do determine.
    """

    elements: tuple[str, ...]
    energies_eV: np.ndarray
    rank: int
    note: str = ""
    determined: tuple[str, ...] = ()

    @property
    def by_element(self) -> dict[str, float]:
        """Energies by symbol, eV."""
        return {symbol: float(energy) for symbol, energy in zip(self.elements, self.energies_eV, strict=True)}


def fit_reference_energies(
    data: DataSet, elements: Sequence[str] | None = None, *, predicted: DataSet | None = None
) -> ReferenceEnergies:
    """Return the least squares energies of atoms, those of smallest norm where the compositions leave a choice.

    min_e sum_f ((sum_s n_fs e_s - E_f) / N_f)^2, with n_fs atoms of element s in frame f. Along one line of
    compositions, such as BaO to TiO2, only the line's ends are determined and not the elements: differences between
    compositions on it are right whatever the choice, and energies off it (metals, O2) mean nothing.

    Args:
        data: Frames with energies.
        elements: Symbols, in the order wanted; by default those of the data.
        predicted: The same frames with energies of a model; then E_f is what they lack, and e_s what to add to the
            reference energies of the model before it is fine-tuned.

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
    elements = data.elements if elements is None else elements
    for frame, other in zip(data, predicted or [None] * len(data), strict=True):
        base = 0.0 if other is None else other.energy_eV
        if frame.energy_eV is not None and base is not None:
            symbols = frame.configuration.symbols
            rows.append([symbols.count(e) / len(symbols) for e in elements])
            targets.append((frame.energy_eV - base) / len(symbols))
    if not rows:
        raise DataError("data: expected at least one frame with an energy; label it first.")
    energies, _, rank, _ = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=1e-8)
    # an element is determined where its unit vector lies in the space that the compositions span
    spanned = np.linalg.svd(np.array(rows), full_matrices=False)[2][:rank]
    determined = tuple(
        e for e, length in zip(elements, np.linalg.norm(spanned, axis=0), strict=True) if length > 1.0 - 1e-6
    )
    note = ""
    if rank < len(elements):
        note = (
            f"the compositions determine {rank} of {len(elements)} reference energies; of the rest those of smallest "
            "norm are taken, which leaves energies on the line of compositions as they are"
        )
    return ReferenceEnergies(tuple(elements), energies, int(rank), note, determined)
