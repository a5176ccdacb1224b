"""Jander's law of spheres behind a parabolic layer, fitted to conversion against time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from tammann.analysis.fractions import conversions, existing_stage
from tammann.notebook import ShownAsTable

if TYPE_CHECKING:
    from tammann.history import History

TimeUnit = Literal["h", "sweep", "nominal h"]


@dataclass(frozen=True)
class JanderFit(ShownAsTable):
    """A fit of Jander's law to conversion against time.

    Attributes:
        rate: K_D/r0^2 per unit of time; NaN where the law does not describe the data.
        rate_stderr: Its standard error; NaN where ``rate`` is.
        time_unit: ``h``, ``sweep`` or ``nominal h`` (not calibrated): the rate is per that.
        degrees_of_freedom: Of the standard error (Student's t); infinite where errors were given.
        offset: 2 K_D t/r0^2 at time zero of the fit, dimensionless.
        K_D_m2_per_s: K_D in m^2/s where time is in hours and a radius was given, else NaN.
        K_D_stderr_m2_per_s: Its standard error.
        largest_misfit: Largest |y - fit| within the window, in units of conversion.
        points: Number of times within the window.
        described: Whether Jander's law describes the data.
        reason: Why not, in words; empty where it does.
    """

    rate: float
    rate_stderr: float
    time_unit: str
    degrees_of_freedom: float
    offset: float
    K_D_m2_per_s: float
    K_D_stderr_m2_per_s: float
    largest_misfit: float
    points: int
    described: bool
    reason: str

    def __repr__(self) -> str:
        found = f"rate {self.rate:.4g} +/- {self.rate_stderr:.2g} per {self.time_unit}"
        return f"JanderFit({found if self.described else self.reason})"

    def table(self) -> pd.DataFrame:
        """Return all attributes, one a row: columns ``quantity`` and ``value``."""
        return pd.DataFrame(asdict(self).items(), columns=["quantity", "value"])


def jander_curve(time: np.ndarray, rate: float, offset: float = 0.0) -> np.ndarray:
    """Return the conversion of spheres behind a parabolic layer: y = 1 - (1 - sqrt(2 K_D t)/r0)^3.

    Args:
        time: Shape (T,), any unit.
        rate: K_D/r0^2 per that unit.
        offset: 2 K_D t/r0^2 at time zero, dimensionless.

    Returns:
        Conversion, shape (T,), dimensionless, one once the layers meet.

    Example:
        >>> jander_curve(np.array([0.0, 2.0, 50.0]), rate=0.01).round(3).tolist()
        [0.0, 0.488, 1.0]
    """
    depth = np.sqrt(np.clip(2 * rate * np.asarray(time, dtype=float) + offset, 0.0, 1.0))
    return 1 - (1 - depth) ** 3


def fit_jander(
    time: np.ndarray,
    conversion: np.ndarray,
    *,
    standard_error: np.ndarray | float | None = None,
    window: tuple[float, float] = (0.01, 0.95),
    offset: bool = False,
    tolerance: float = 0.03,
    radius_m: float | None = None,
    time_unit: TimeUnit = "h",
) -> JanderFit:
    """Fit Jander's law 1 - (1 - y)^(1/3) = sqrt(2 K_D t)/r0 to conversion against time.

    Weighted least squares in y (not in the transformed variable, where noise would bias it). Successive conversions
    of one run are correlated. With several realizations each is therefore fitted on its own, and the standard error
    is that of their mean; with one, errors must be given (independent ones) or are taken from the residuals and
    their autocorrelation.

    Args:
        time: Shape (T,), time at constant temperature, in ``time_unit``.
        conversion: Y, shape (T,) or (R, T), dimensionless.
        standard_error: Of y, shape (T,) or a number, for one series of independent points.
        window: Only points with a mean conversion between these are used.
        offset: Fit a layer that is present at time zero (a hold after a ramp).
        tolerance: The law describes the data where no mean conversion is further from the fit than this, or
            than three of its standard errors if that is more.
        radius_m: R0, m, to turn the rate into K_D.
        time_unit: Unit of ``time``.

    Raises:
        ValueError: The shapes do not match, or errors are given with several series.

    Reference:
        W. Jander, Z. Anorg. Allg. Chem. 163, 1 (1927), doi:10.1002/zaac.19271630102.

    Example:
        >>> t = np.linspace(1, 20, 20)
        >>> fit = fit_jander(t, jander_curve(t, rate=0.01), standard_error=0.01)
        >>> round(fit.rate, 4), fit.described
        (0.01, True)
    """
    time = np.asarray(time, dtype=float)
    series = np.atleast_2d(np.asarray(conversion, dtype=float))
    if time.ndim != 1 or series.shape[1] != time.size:
        raise ValueError(f"time has shape {time.shape} and conversion {np.shape(conversion)}; expected (T,) and (R, T)")
    if standard_error is not None and series.shape[0] > 1:
        raise ValueError("standard_error is for one series; with several, their spread gives the error")

    def refused(reason: str, points: int = 0, misfit: float = nan) -> JanderFit:
        return JanderFit(nan, nan, time_unit, nan, nan, nan, nan, misfit, points, False, reason)

    mean = series.mean(axis=0)
    used = (mean >= window[0]) & (mean <= window[1])
    points = int(used.sum())
    n_parameters = 1 + offset
    if points < n_parameters + 3:
        return refused(f"only {points} points have a conversion between {window[0]:g} and {window[1]:g}", points)
    t, y = time[used], series[:, used]
    if np.ptp(y.mean(axis=0)) < 1e-6:
        return refused("the conversion does not change", points)
    sigma = np.ones(points) if standard_error is None else np.broadcast_to(standard_error, time.shape)[used]
    if (sigma <= 0).any():
        raise ValueError("standard_error must be above zero")

    fits = [_least_squares(t - t[0] if offset else t, values, sigma, offset) for values in y]
    rate, start = np.mean([parameters for parameters, _ in fits], axis=0)
    residual = y.mean(axis=0) - jander_curve(t - t[0] if offset else t, rate, start)
    if series.shape[0] > 1:
        freedom = float(series.shape[0] - 1)
        stderr = float(np.std([parameters[0] for parameters, _ in fits], ddof=1) / np.sqrt(series.shape[0]))
        noise = np.std(y, axis=0, ddof=1) / np.sqrt(series.shape[0])
    elif standard_error is not None:
        freedom, stderr, noise = float("inf"), float(np.sqrt(fits[0][1])), sigma
    else:
        freedom = float(points - n_parameters)
        variance = float(residual @ residual / freedom)
        lag = float(residual[1:] @ residual[:-1] / max(residual @ residual, 1e-300))
        # A first-order autoregressive series of n points is worth n (1 - r)/(1 + r) independent ones.
        stderr = float(np.sqrt(fits[0][1] * variance * (1 + max(lag, 0.0)) / (1 - min(max(lag, 0.0), 0.99))))
        noise = np.zeros(points)
    misfit = float(np.abs(residual).max())
    if rate <= 0:
        return refused("the conversion does not grow as a layer does", points, misfit)
    # Three standard errors at the worst of many points are no surprise.
    if (np.abs(residual) > np.maximum(tolerance, 3 * noise)).any():
        reason = f"Jander's law misses the conversion by {misfit:.3f}; growth is not parabolic here"
        return refused(reason, points, misfit)
    at_zero = float(start - 2 * rate * t[0]) if offset else 0.0
    to_SI = nan if radius_m is None or time_unit != "h" else radius_m**2 / 3600.0
    return JanderFit(
        float(rate), stderr, time_unit, freedom, at_zero, float(rate * to_SI), stderr * to_SI, misfit, points, True, ""
    )


def _least_squares(t: np.ndarray, y: np.ndarray, sigma: np.ndarray, offset: bool) -> tuple[tuple[float, float], float]:
    """Return the rate and 2 K_D t/r0^2 at t = 0 (zero unless fitted), and the variance of the rate at unit weight."""
    from scipy.optimize import least_squares

    depth = (1 - np.cbrt(1 - np.clip(y, 0, 1))) ** 2
    slope = np.polyfit(t, depth, 1)[0] / 2 if offset else float(t @ depth / (t @ t)) / 2
    scale = max(abs(slope), 1e-12 / np.ptp(t))
    guess = [slope / scale] + ([float(depth[0])] if offset else [])

    def residuals(p: np.ndarray) -> np.ndarray:
        return (jander_curve(t, p[0] * scale, p[1] if offset else 0.0) - y) / sigma

    found = least_squares(residuals, guess, x_scale="jac", method="trf", max_nfev=200)
    variance = float(np.linalg.pinv(found.jac.T @ found.jac)[0, 0] * scale**2)
    return (float(found.x[0] * scale), float(found.x[1]) if offset else 0.0), variance


def jander_fit(
    history: History,
    *,
    stage: int | None = None,
    precursor: str | None = None,
    radius_m: float | None = None,
    window: tuple[float, float] = (0.01, 0.95),
    tolerance: float = 0.03,
) -> JanderFit:
    """Fit Jander's law to the conversion of a precursor during the hold of one step (see ``fit_jander``).

    Args:
        history: The run.
        stage: Index of the step; by default the last. Frames at the step's final temperature are used.
        precursor: Its formula; by default the limiting one (see ``conversion``).
        radius_m: Particle radius r0, m, to turn the rate into K_D (needs a calibrated time).
        window: As in ``fit_jander``.
        tolerance: As in ``fit_jander``.

    Raises:
        ResultError: There is no such step or precursor.

    Example:
        >>> from tammann.history import History
        >>> jander_fit(History.example(), stage=0).time_unit
        'h'
    """
    stage = existing_stage(history, history.extent.shape[1] - 1 if stage is None else stage)
    _, values = conversions(history, precursor)
    frames = np.flatnonzero(history.stage == stage)
    hold = frames[history.temperature_K[frames] == history.temperature_K[frames[-1]]] if frames.size else frames
    name, time = history.clock
    units: dict[str, TimeUnit] = {"time_h": "h", "sweep": "sweep", "programme_h": "nominal h"}
    since = time[hold] - time[hold[:1]]
    options: dict[str, Any] = {"window": window, "tolerance": tolerance, "radius_m": radius_m}
    return fit_jander(since, values[:, hold], offset=True, time_unit=units[name], **options)
