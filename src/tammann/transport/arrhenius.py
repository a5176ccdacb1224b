"""Arrhenius' law: interpolation between temperatures, and straight lines of ln(value) against 1/T."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.units import BOLTZMANN_EV_PER_K

CHANCE = 0.01
"""Probability below which scatter about the line is not taken for chance."""


@dataclass(frozen=True, eq=False)
class ArrheniusFit:
    """value = A exp(-Ea / kB T), fitted to points.

    Attributes:
        temperatures_K: Of the points, shape (n,), K.
        values: The points, shape (n,); A has their unit.
        stderr: Standard errors of the points as given, shape (n,), or None.
        activation_energy_eV: Ea, eV; negative for what falls on heating.
        activation_energy_stderr_eV: Its standard error, eV.
        ln_prefactor: ln A.
        ln_prefactor_stderr: Its standard error.
        covariance: Of (ln A, Ea), shape (2, 2), in 1, eV and eV^2; scaled where ``scaled`` says so.
        chi2_per_dof: Squared deviations from the line over the squared errors, per degree of freedom; NaN for two
            points, or without errors.
        degrees_of_freedom: Points less two.
        p_value: Probability of as large a chi2 by chance; NaN for two points, or without errors.
        scaled: Whether the errors were taken from the scatter about the line: none were given, or the points lie
            further from it than theirs allow. Intervals are then those of Student's t.
        notes: Remarks, one sentence each.
    """

    temperatures_K: np.ndarray
    values: np.ndarray
    stderr: np.ndarray | None
    activation_energy_eV: float
    activation_energy_stderr_eV: float
    ln_prefactor: float
    ln_prefactor_stderr: float
    covariance: np.ndarray
    chi2_per_dof: float
    degrees_of_freedom: int
    p_value: float
    scaled: bool
    notes: tuple[str, ...] = ()

    def predict(self, temperature_K: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the line and its standard error (that of ln value, times the value) at some temperatures, K."""
        logarithm, error = self._line(temperature_K)
        value = np.exp(logarithm)
        return value, value * error

    def interval(self, temperature_K: ArrayLike, *, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper end of the interval of the line, symmetric in the logarithm, not in the value.

        Raises:
            DataError: A confidence outside 0 to 1.
        """
        logarithm, error = self._line(temperature_K)
        reach = self.quantile(confidence) * error
        return np.exp(logarithm - reach), np.exp(logarithm + reach)

    def quantile(self, confidence: float = 0.95) -> float:
        """Return the half-width of an interval in standard errors, by Student's t where the scatter gave the errors."""
        from scipy.special import ndtri, stdtrit

        if not 0 < confidence < 1:
            raise DataError(f"confidence is {confidence}, expected a number between 0 and 1, such as 0.95.")
        upper = (1 + confidence) / 2
        return float(stdtrit(self.degrees_of_freedom, upper) if self.scaled else ndtri(upper))

    def _line(self, temperature_K: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        t = np.asarray(temperature_K, dtype=float)
        if not (t > 0).all():
            raise DataError(f"temperature_K is {t.tolist()}, expected numbers above 0 K.")
        inverse = -1.0 / (BOLTZMANN_EV_PER_K * t)
        c = self.covariance
        # Round-off may leave a variance of -1e-20 where the line is pinned.
        variance = np.maximum(c[0, 0] + 2 * inverse * c[0, 1] + inverse**2 * c[1, 1], 0.0)
        return self.ln_prefactor + self.activation_energy_eV * inverse, np.sqrt(variance)


def fit_arrhenius(
    temperatures_K: Sequence[float] | np.ndarray,
    values: Sequence[float] | np.ndarray,
    stderr: Sequence[float] | np.ndarray | None,
) -> ArrheniusFit:
    """Fit ln(value) = ln A - Ea / (kB T) by least squares, each point weighted with its relative error.

    The standard error of ln(value) is ``stderr / values``, which passes to Ea and ln A. Where chi2 is larger than
    chance allows (p < 0.01) the errors are multiplied with the square root of chi2 per degree of freedom, and a note
    says so; they are never made smaller.

    Args:
        temperatures_K: Shape (n,), K, at least two different ones.
        values: Diffusion coefficients, conductivities, fluidities: shape (n,), above zero, all in one unit. A
            diffusion coefficient obeys the law itself; a conductivity, times its temperature.
        stderr: Standard errors, shape (n,), in the unit of the values; None where unknown, and then the scatter of
            three or more points gives the errors.

    Raises:
        DataError: Too few temperatures, a value that is not above zero, or errors that are missing.

    Example:
        >>> import numpy as np
        >>> T = np.array([1000.0, 1250.0, 1500.0])
        >>> fit = fit_arrhenius(T, 1e-7 * np.exp(-0.9 / (8.617333262e-5 * T)), 1e-12 * np.ones(3))
        >>> round(fit.activation_energy_eV, 6)
        0.9
    """
    from scipy.special import chdtrc

    t = np.array(temperatures_K, dtype=float)
    y = np.array(values, dtype=float)
    s = None if stderr is None else np.array(stderr, dtype=float)
    _check_points(t, y, s)

    error = np.ones(len(t)) if s is None else s / y
    inverse = -1.0 / (BOLTZMANN_EV_PER_K * t)
    # About the weighted mean of 1/T slope and offset are independent: no digits are lost.
    weight = error**-2
    centre = float(weight @ inverse / weight.sum())
    arm = inverse - centre
    variance_energy = 1.0 / float(weight @ arm**2)
    variance_level = 1.0 / float(weight.sum())
    logarithm = np.log(y)
    energy = float(weight @ (arm * logarithm)) * variance_energy
    level = float(weight @ logarithm) * variance_level
    tilt = -centre * variance_energy
    covariance = np.array([[variance_level + centre**2 * variance_energy, tilt], [tilt, variance_energy]])
    chi2 = float((((logarithm - level - energy * arm) / error) ** 2).sum())
    dof = len(t) - 2
    notes = []
    per_dof, p_value, scaled = float("nan"), float("nan"), s is None
    if s is None:
        notes.append(
            f"The points came without errors; those of the fit are from the scatter of {len(t)} points about the line, "
            f"with {dof} degree{'s' if dof > 1 else ''} of freedom."
        )
    elif dof > 0:
        per_dof, p_value = chi2 / dof, float(chdtrc(dof, chi2))
        scaled = p_value < CHANCE
        if scaled:
            notes.append(
                f"The points do not lie on one line within their errors (chi2 per degree of freedom {per_dof:.3g}, "
                f"p = {p_value:.1g}); the errors of the fit were multiplied with {per_dof**0.5:.3g}."
            )
    else:
        notes.append("Two points always lie on a line; nothing tests whether the law holds between or beyond them.")
    if s is not None and error.max() > 0.3:
        notes.append(
            f"The error at {t[error.argmax()]:g} K is {100 * error.max():.0f} % of the value; the logarithm of so "
            "uncertain a number is not normally distributed."
        )
    if scaled:
        covariance *= chi2 / dof
    for array in (t, y, covariance, *(() if s is None else (s,))):
        array.setflags(write=False)
    return ArrheniusFit(
        temperatures_K=t,
        values=y,
        stderr=s,
        activation_energy_eV=energy,
        activation_energy_stderr_eV=float(np.sqrt(covariance[1, 1])),
        ln_prefactor=level - energy * centre,
        ln_prefactor_stderr=float(np.sqrt(covariance[0, 0])),
        covariance=covariance,
        chi2_per_dof=per_dof,
        degrees_of_freedom=dof,
        p_value=p_value,
        scaled=scaled,
        notes=tuple(notes),
    )


def _check_points(t: np.ndarray, y: np.ndarray, s: np.ndarray | None) -> None:
    if t.ndim != 1 or t.shape != y.shape:
        raise DataError(
            f"values have shape {y.shape} and temperatures_K {t.shape}, expected one value for each temperature."
        )
    if not (np.isfinite(t).all() and (t > 0).all()):
        raise DataError(f"temperatures_K are {t.tolist()}, expected numbers above 0 K.")
    if len(np.unique(t)) < 2:
        raise DataError(f"temperatures_K are {t.tolist()}, expected at least two different ones; measure at another.")
    if s is not None and s.shape != y.shape:
        raise DataError(f"stderr has shape {s.shape}, expected {y.shape}: one standard error for each value.")
    for what, array, advice in (
        ("values at {:g} K are", y, "leave that temperature out, as logarithms are fitted"),
        ("stderr at {:g} K is", s, "give None for all where they are unknown"),
    ):
        if array is not None and (wrong := ~(np.isfinite(array) & (array > 0))).any():
            where = what.format(t[wrong][0])
            raise DataError(f"{where} {array[wrong][0]:g}, expected a finite number above zero; {advice}.")
    if s is None and len(t) < 3:
        raise DataError(f"stderr is None with {len(t)} points, expected three or more, whose scatter gives the errors.")


def arrhenius_weights(
    tabulated_K: ArrayLike,
    temperature_K: ArrayLike,
    *,
    below: Literal["continue", "hold", "refuse"] = "continue",
    above: Literal["hold", "refuse"] = "hold",
    nearest: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two tabulated temperatures that bracket each temperature, and its weight between them in 1/T.

    w = (1/T_lower - 1/T) / (1/T_lower - 1/T_upper): 0 at the lower, 1 at the upper, negative below the table where
    ``below`` is ``"continue"``.

    Args:
        tabulated_K: Ascending, shape (n,), n of 1 or more.
        temperature_K: Shape (nT,).
        below: Below the lowest: continue the line, hold the lowest, or refuse.
        above: Above the highest: hold it, or refuse.
        nearest: Take the nearest tabulated temperature and no line at all.

    Returns:
        Indices of the lower and of the upper temperature, and the weights, each of shape (nT,).

    Raises:
        DataError: A temperature outside the table where that is refused.

    Example:
        >>> lower, upper, weight = arrhenius_weights([1000.0, 1250.0], [1000.0, 1250.0, 1400.0])
        >>> weight.tolist()
        [0.0, 1.0, 1.0]
    """
    table = np.atleast_1d(np.asarray(tabulated_K, dtype=float))
    temperature = np.atleast_1d(np.asarray(temperature_K, dtype=float))
    cold, hot = temperature < table[0] - 1e-9, temperature > table[-1] + 1e-9
    outside = cold & (below == "refuse") | hot & (above == "refuse")
    if outside.any():
        raise DataError(
            f"temperature_K {temperature[outside][0]:g} is outside the transport data; "
            f"expected {table[0]:g} to {table[-1]:g} K."
        )
    if nearest or len(table) == 1:
        index = np.abs(temperature[:, None] - table).argmin(axis=1)
        return index, index, np.zeros(len(temperature))
    upper = np.clip(np.searchsorted(table, temperature), 1, len(table) - 1)
    lower = upper - 1
    weight = (1.0 / table[lower] - 1.0 / temperature) / (1.0 / table[lower] - 1.0 / table[upper])
    return lower, upper, np.clip(weight, -np.inf if below == "continue" else 0.0, 1.0)


def interpolate_arrhenius(lower: ArrayLike, upper: ArrayLike, weight: ArrayLike) -> np.ndarray:
    """Return exp[(1 - w) ln(lower) + w ln(upper)], zero where either is zero.

    Where the weight is negative, below the table, a value that would rise on cooling is held at ``lower``: noise
    between the lowest two temperatures must not make a cold solid fast.

    Args:
        lower: Values of 0 or more at the lower tabulated temperature.
        upper: The same at the upper one.
        weight: From ``arrhenius_weights``; all three broadcast.

    Example:
        >>> interpolate_arrhenius(1.0, 100.0, [0.0, 0.5, 1.0]).round(6).tolist()
        [1.0, 10.0, 100.0]
    """
    w = np.asarray(weight, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.log(np.asarray(lower, dtype=float)), np.log(np.asarray(upper, dtype=float))
        step = np.where(w < 0.0, np.maximum(high - low, 0.0), high - low)
        value = np.exp(low + w * step)
    value = np.where(np.isneginf(low) | np.isneginf(high), 0.0, value)
    # at a tabulated temperature the value there, even beside a zero
    return np.where(w == 1.0, upper, np.where(w == 0.0, lower, value))
