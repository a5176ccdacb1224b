"""Activation energies of compositions from diffusivities at several temperatures, known and predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.diffusivity.table import DiffusivityTable
from tammann.diffusivity.validation import fold_numbers
from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.transport.arrhenius import fit_arrhenius

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3
"""Temperatures for a line with an error."""


@dataclass(frozen=True, eq=False, repr=False)
class ActivationErrors(ShownAsTable):
    """Activation energies from known and from predicted diffusivities.

    Attributes:
        formulas: Compositions with three temperatures or more, M of them.
        known_eV: From the diffusivities of the table, eV, shape (M,).
        known_stderr_eV: Their standard errors, from the scatter about the line, eV, shape (M,).
        predicted_eV: From predictions, eV, shape (M,).
        constant_eV: The mean of the known ones of all other folds, eV, shape (M,).
    """

    formulas: tuple[str, ...]
    known_eV: np.ndarray
    known_stderr_eV: np.ndarray
    predicted_eV: np.ndarray
    constant_eV: np.ndarray

    @property
    def mae_eV(self) -> float:
        """Mean absolute error of the predicted ones, eV."""
        return float(np.abs(self.predicted_eV - self.known_eV).mean())

    @property
    def constant_mae_eV(self) -> float:
        """Mean absolute error of a constant, eV: what a prediction must beat."""
        return float(np.abs(self.constant_eV - self.known_eV).mean())

    def __repr__(self) -> str:
        return f"ActivationErrors(MAE {self.mae_eV:.3f} eV, of a constant {self.constant_mae_eV:.3f} eV)"

    def table(self) -> pd.DataFrame:
        """Return one row for each composition, eV."""
        import pandas as pd

        return pd.DataFrame(
            {
                "formula": self.formulas,
                "known_eV": self.known_eV,
                "known_stderr_eV": self.known_stderr_eV,
                "predicted_eV": self.predicted_eV,
            }
        )


def activation_energies(table: DiffusivityTable, ln_D: np.ndarray | None = None) -> dict[str, tuple[float, float]]:
    """Return the activation energy of each composition with three temperatures or more, and its standard error, eV.

    Args:
        table: N rows.
        ln_D: Predicted logarithms that take the place of those in the table, shape (N,).
    """
    values = table.D_m2_per_s if ln_D is None else np.exp(ln_D)
    groups, found = table.groups, {}
    for k in range(int(groups.max()) + 1):
        rows = np.flatnonzero(groups == k)
        if len(set(table.temperatures_K[rows].tolist())) >= FEWEST:
            fit = fit_arrhenius(table.temperatures_K[rows], values[rows], None)
            found[table.formulas[rows[0]]] = (fit.activation_energy_eV, fit.activation_energy_stderr_eV)
    return found


def activation_errors(
    table: DiffusivityTable, predicted: np.ndarray, *, folds: int = 5, seed: int = 0
) -> ActivationErrors:
    """Compare activation energies from predictions with those of the table, beside a constant.

    Args:
        table: N rows.
        predicted: ln D (m²/s) by models that had not seen the composition, shape (N,): a row of
            ``CrossValidation.predicted``.
        folds: With which they were predicted, for the constant.
        seed: Of those folds.

    Raises:
        DataError: No composition has three temperatures.
    """
    known, guess = activation_energies(table), activation_energies(table, predicted)
    if not known:
        raise DataError(f"activation energies: expected compositions with {FEWEST} temperatures or more, got none.")
    numbers = fold_numbers(table, folds=folds, seed=seed)
    fold_of = {formula: int(numbers[table.formulas.index(formula)]) for formula in known}
    constant = [np.mean([e for g, (e, _) in known.items() if fold_of[g] != fold_of[f]]) for f in known]
    return ActivationErrors(
        tuple(known),
        np.array([energy for energy, _ in known.values()]),
        np.array([error for _, error in known.values()]),
        np.array([guess[formula][0] for formula in known]),
        np.array(constant),
    )
