"""Ionic conductivity from Onsager coefficients."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import atomic_masses, parse_formula
from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.transport.measurement import OnsagerMeasurement
from tammann.transport.onsager import OnsagerCoefficients
from tammann.units import ELEMENTARY_CHARGE_C

if TYPE_CHECKING:
    import pandas as pd

NEUTRAL = 1e-6
"""Share of the charges of a formula that is taken for round-off."""


@dataclass(frozen=True, eq=False, repr=False)
class Conductivity(ShownAsTable):
    """Ionic conductivity of a phase, with all correlations and as if each ion moved alone.

    Attributes:
        formula: Composition of the phase.
        temperature_K: K.
        species: The S ions, in the order of the arrays.
        charges: Charge of each, shape (S,), in elementary charges.
        sigma_S_per_m: Conductivity with all correlations, S/m.
        sigma_stderr: Its standard error, S/m, or None where the coefficients came without errors.
        nernst_einstein_S_per_m: Conductivity of the same ions if they moved independently, S/m.
        nernst_einstein_stderr: Its standard error, S/m, or None.
        haven_ratio: nernst_einstein / sigma; 1 for independent ions, NaN where sigma is not above zero.
        haven_stderr: Its standard error, or None.
        transference: Fraction of the current carried by each ion, shape (S,), sums to 1; it may be negative and depends
            on the frame of reference. NaN where sigma is not above zero.
        transference_stderr: Shape (S,), or None.
        notes: Remarks, one sentence each.
    """

    formula: str
    temperature_K: float
    species: tuple[str, ...]
    charges: np.ndarray
    sigma_S_per_m: float
    sigma_stderr: float | None
    nernst_einstein_S_per_m: float
    nernst_einstein_stderr: float | None
    haven_ratio: float
    haven_stderr: float | None
    transference: np.ndarray
    transference_stderr: np.ndarray | None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        error = "" if self.sigma_stderr is None else f" ± {self.sigma_stderr:.2g}"
        return (
            f"Conductivity({self.formula} {self.temperature_K:g} K: {self.sigma_S_per_m:.4g}{error} S/m, "
            f"Haven ratio {self.haven_ratio:.3g})"
        )

    def table(self) -> pd.DataFrame:
        """Return one row for each ion: charge (e) and transference number with its standard error."""
        import pandas as pd

        frame = pd.DataFrame({"ion": self.species, "charge": self.charges, "transference": self.transference})
        if self.transference_stderr is not None:
            frame["transference_stderr"] = self.transference_stderr
        return frame

    def __post_init__(self) -> None:
        for array in (self.charges, self.transference, self.transference_stderr):
            if array is not None:
                array.setflags(write=False)


def ionic_conductivity(
    coefficients: OnsagerCoefficients | OnsagerMeasurement,
    *,
    charges: Mapping[str, float] | None = None,
    covariance: np.ndarray | None = None,
) -> Conductivity:
    """Return the conductivity, its Nernst-Einstein estimate, the Haven ratio and the transference numbers.

    sigma = e^2 sum_ij z_i z_j L_ij and sigma_NE = e^2 sum_i z_i^2 L_self_i, with z_i = ``charges[i]``,
    L = ``coefficients.L`` and L_self = ``coefficients.L_self``; H = sigma_NE / sigma; t_i = z_i sum_j z_j L_ij /
    sum_ij z_i z_j L_ij. Where the charges are neutral over the composition, sigma is the same in every frame of
    reference; the t_i are not, and are those of the frame of the coefficients. The matrix is taken as measured, not
    its positive semidefinite projection, which would bias it.

    Errors: with ``covariance`` that of sigma is exact to first order. With ``L_stderr`` alone the elements may be
    correlated in any way (in a barycentric frame they always are), so the largest error that this allows is given.
    The errors of the self parts are added in quadrature, and in H taken as independent of that of sigma, unless
    a measurement says otherwise; with many ions of each kind that is nearly so.

    Args:
        coefficients: Onsager coefficients of one phase, or a measurement of them, which brings its covariances.
        charges: Of each element by symbol, e; by default those of ``charges_from_composition``.
        covariance: Cov(L_ij, L_kl), shape (S, S, S, S), (1/(J m s))².

    Raises:
        DataError: Charges that are missing or unknown; a covariance of another shape.

    Reference:
        Fong et al., Macromolecules 2021, 54, 2575, doi 10.1021/acs.macromol.0c02545.

    Example:
        >>> import numpy as np
        >>> salt = OnsagerCoefficients("NaCl", 1200.0, ("Na", "Cl"), np.diag([3e38, 2e38]), np.array([3e38, 2e38]))
        >>> result = ionic_conductivity(salt, charges={"Na": 1, "Cl": -1})
        >>> round(result.sigma_S_per_m, 3), result.haven_ratio, result.transference.round(6).tolist()
        (12.835, 1.0, [0.6, 0.4])
    """
    moves: np.ndarray | bool = True  # ions that turn or rattle in place carry no current alone, either
    measured = None
    if isinstance(coefficients, OnsagerMeasurement):
        measured, coefficients = coefficients, coefficients.coefficients
        moves, covariance = ~np.array(measured.regime.immobile), measured.covariance
    notes = []
    if charges is None:
        charges = charges_from_composition(coefficients.formula)
        stated = ", ".join(f"{symbol} {value:+g}" for symbol, value in charges.items())
        notes.append(f"Charges were guessed from the composition: {stated}.")
    z, excess = _checked_charges(coefficients, charges)
    if excess:
        notes.append(
            f"The charges of {coefficients.formula} sum to {excess:+g} per formula unit; the conductivity is then "
            "that of one frame of reference only."
        )
    e2, n = ELEMENTARY_CHARGE_C**2, len(z)
    current = z * (coefficients.L @ z)
    own = z**2 * moves
    total, alone = float(current.sum()), float(own @ np.nan_to_num(coefficients.L_self))
    # derivatives of sigma and of each part of the current with respect to every L_ij, i and j taken as free
    d_total = np.outer(z, z)
    d_parts = np.eye(n)[:, :, None] * d_total

    sigma_error = alone_error = parts_error = None
    positive = total > 0
    share = current / (total if positive else np.nan)
    d_share = (d_parts - share[:, None, None] * d_total) / total
    if covariance is not None:
        spread = np.asarray(covariance, dtype=float)
        if spread.shape != 4 * (n,) or not np.isfinite(spread).all():
            raise DataError(f"covariance has shape {spread.shape}, expected finite numbers of shape {4 * (n,)}.")
        sigma_error = float(_root(np.einsum("ij,ijkl,kl", d_total, spread, d_total)))
        parts_error = _root(np.einsum("aij,ijkl,akl->a", d_share, spread, d_share))
    elif coefficients.L_stderr is not None:
        # |sum of a_k dx_k| cannot be wider than sum |a_k| s_k. The two halves of a symmetric L are one element.
        error = (coefficients.L_stderr + coefficients.L_stderr.T) / 2
        sigma_error = float((np.abs(d_total) * error).sum())
        d_share = (d_share + d_share.transpose(0, 2, 1)) / 2
        parts_error = (np.abs(d_share) * error).sum(axis=(1, 2))
        notes.append(
            "The errors of L came without their covariances; those of the conductivity are the largest they allow."
        )
    if measured is not None:
        alone_error = float(_root(own @ measured.self_self_covariance @ own))
    elif coefficients.L_self_stderr is not None:
        alone_error = float(np.sqrt(np.square(own * np.nan_to_num(coefficients.L_self_stderr)).sum()))

    haven, haven_error = alone / total if positive else float("nan"), None
    if positive and sigma_error is not None:
        variance = (alone_error or 0.0) ** 2 + (haven * sigma_error) ** 2
        if measured is not None:
            variance -= 2 * haven * float(np.einsum("i,ikl,k,l", own, measured.self_covariance, z, z))
        haven_error = float(_root(np.asarray(variance))) / total
    if not positive:
        notes.append("The conductivity is not above zero, so it has no Haven ratio and no transference numbers.")
    elif sigma_error is not None and total < 2 * sigma_error:
        notes.append("The conductivity is less than two standard errors from zero; ratios to it are not reliable.")
    if n > 1 and positive:
        notes.append("Transference numbers are those of the frame in which the coefficients were measured.")
    return Conductivity(
        formula=coefficients.formula,
        temperature_K=coefficients.temperature_K,
        species=coefficients.species,
        charges=z,
        sigma_S_per_m=e2 * total,
        sigma_stderr=None if sigma_error is None else float(e2 * sigma_error),
        nernst_einstein_S_per_m=e2 * alone,
        nernst_einstein_stderr=None if alone_error is None else e2 * alone_error,
        haven_ratio=haven,
        haven_stderr=haven_error,
        transference=share,
        transference_stderr=parts_error if positive else None,
        notes=tuple(notes),
    )


def charges_from_composition(formula: str) -> dict[str, float]:
    """Return the charge of each element of a formula, from the common oxidation states that make it neutral.

    Where several sets do, the most frequent in known crystals; an element in two states gets their mean.

    Raises:
        DataError: No common states are neutral together, or none carries a charge.

    Example:
        >>> charges_from_composition("Ba6Ti17O40")
        {'Ba': 2.0, 'Ti': 4.0, 'O': -2.0}
    """
    from pymatgen.core.composition import Composition

    counts = parse_formula(formula)
    with warnings.catch_warnings():
        # Elements without an electronegativity make it warn; they end in the error below.
        warnings.simplefilter("ignore")
        try:
            # -1: the reduced formula, as large cells would take very long
            guesses = Composition(counts).oxi_state_guesses(max_sites=-1)
        except ValueError:
            guesses = ()
    guess = {symbol: float(guesses[0][symbol]) for symbol in counts} if guesses else {}
    if not any(guess.values()):
        raise DataError(
            f"formula {formula!r} has no common oxidation states that are neutral together; "
            f"give charges, such as {' '.join(f'{symbol}=...' for symbol in counts)}."
        )
    return guess


def _checked_charges(coefficients: OnsagerCoefficients, charges: Mapping[str, float]) -> tuple[np.ndarray, float]:
    """Charge of each ion, and what they sum to over the formula, zero within round-off."""
    formula = coefficients.formula
    counts = parse_formula(formula)
    for symbol in {**counts, **dict.fromkeys(coefficients.species)}:
        if symbol not in charges:
            raise DataError(f"charges of {formula} lack {symbol}; give the charge of every element.")
        if not np.isfinite(charges[symbol]):
            raise DataError(f"charges of {formula} give {symbol} {charges[symbol]}; expected a finite number.")
    for symbol in charges:
        if symbol not in counts:
            advice = "leave it out" if symbol in atomic_masses() else "check its spelling"
            raise DataError(f"charges name {symbol!r}, which {formula} does not hold; {advice}.")
    amounts = [charges[symbol] * count for symbol, count in counts.items()]
    total = sum(amounts) if abs(sum(amounts)) > NEUTRAL * sum(map(abs, amounts)) else 0.0
    return np.array([charges[symbol] for symbol in coefficients.species], dtype=float), total


def _root(variance: np.ndarray) -> np.ndarray:
    # Round-off of an exact cancellation must not become a NaN.
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
