"""Tammann's parabola: a layer that grows by what diffuses through it, fitted to its thickness on a hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import nan
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from tammann.analysis.fractions import existing_stage
from tammann.analysis.layers import thicknesses
from tammann.analysis.profiles import diffusion_record
from tammann.errors import ResultError
from tammann.notebook import ShownAsTable
from tammann.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from tammann.history import History

LEAST_CELLS = 5
"""Cells of the mesh that a layer has to grow by to be judged."""
LEAST_POINTS = 6
"""Times that a fit of two parameters needs to be judged by."""


@dataclass(frozen=True)
class ParabolicFit(ShownAsTable):
    """A fit of h^2 = h0^2 + 2 k t to the thickness of a layer.

    Attributes:
        phase: Formula, empty for numbers from elsewhere.
        temperature_K: Of the hold, NaN if not known.
        k_m2_per_s: Parabolic constant k, m^2/s; NaN where growth is not parabolic.
        k_stderr_m2_per_s: Its standard error.
        time_unit: ``s``, or ``nominal s`` where time is not calibrated: k is per that.
        start_m: Thickness h0 at the start of the fit, m.
        end_m: Thickness at its end, m.
        largest_misfit_m: Largest |h - fit|, m.
        points: Number of times.
        described: Whether growth is parabolic.
        reason: Why not, in a sentence; empty where it is.
    """

    phase: str
    temperature_K: float
    k_m2_per_s: float
    k_stderr_m2_per_s: float
    time_unit: Literal["s", "nominal s"]
    start_m: float
    end_m: float
    largest_misfit_m: float
    points: int
    described: bool
    reason: str

    def __repr__(self) -> str:
        found = f"k = {self.k_m2_per_s:.4g} +/- {self.k_stderr_m2_per_s:.2g} m^2 per {self.time_unit}"
        return f"ParabolicFit({self.phase + ': ' if self.phase else ''}{found if self.described else self.reason})"

    def table(self) -> pd.DataFrame:
        """Return all attributes, one a row: columns ``quantity`` and ``value``."""
        return pd.DataFrame(asdict(self).items(), columns=["quantity", "value"])


def fit_parabola(
    time_s: np.ndarray,
    thickness_m: np.ndarray,
    *,
    tolerance: float = 0.05,
    resolution_m: float = 0.0,
    phase: str = "",
    temperature_K: float = nan,
    time_unit: Literal["s", "nominal s"] = "s",
) -> ParabolicFit:
    """Fit h = sqrt(h0^2 + 2 k t) to the thickness of a layer at constant temperature.

    Least squares in h, whose standard error allows for the correlation of successive residuals. The parabola is refused
    where it misses a thickness by more than the tolerance, where the layer does not grow or only by a few cells, and
    where it grows so little that a straight line describes it just as well: such a k would be no evidence of diffusion
    through the layer.

    Args:
        time_s: Shape (T,), s, ascending.
        thickness_m: H, shape (T,), m.
        tolerance: Largest misfit allowed, as a share of what the layer grows by.
        resolution_m: Width of a cell of the mesh, m, below which no misfit counts.
        phase: Formula, for the result.
        temperature_K: For the result.
        time_unit: What a second is.

    Raises:
        ValueError: The shapes do not match.

    Reference:
        G. Tammann, Z. Anorg. Allg. Chem. 111, 78 (1920), doi:10.1002/zaac.19201110107.

    Example:
        >>> t = np.linspace(0.0, 3600.0, 20)
        >>> fit = fit_parabola(t, np.sqrt(2 * 1e-17 * t))
        >>> round(fit.k_m2_per_s / 1e-17, 6), fit.described
        (1.0, True)
    """
    t, h = np.asarray(time_s, dtype=float), np.asarray(thickness_m, dtype=float)
    if t.ndim != 1 or t.shape != h.shape:
        raise ValueError(f"time_s has shape {t.shape} and thickness_m {h.shape}; expected (T,) for both")
    name = phase or "the layer"
    ends = (float(h[0]), float(h[-1])) if t.size else (nan, nan)

    def refused(reason: str, misfit: float = nan) -> ParabolicFit:
        return ParabolicFit(phase, temperature_K, nan, nan, time_unit, *ends, misfit, t.size, False, reason)

    if t.size < LEAST_POINTS:
        return refused(f"only {t.size} times are within the hold; a parabola needs {LEAST_POINTS}")
    if h.max() <= 0:
        return refused(f"there is no {name} during this hold")
    growth = float(h[-1] - h[0])
    if growth <= 0.01 * h.max():
        what = "does not grow" if growth > -0.01 * h.max() else f"shrinks from {_nm(h[0])} to {_nm(h[-1])}"
        return refused(f"{name} {what} during this hold")
    if growth < LEAST_CELLS * resolution_m:
        cells = growth / resolution_m
        return refused(f"{name} grows by {_nm(growth)} or {cells:.1f} cells, too few to judge; take more cells")
    t = t - t[0]
    rate, start, variance = _least_squares(t, h)
    residual = h - np.sqrt(np.maximum(start + 2 * rate * t, 0.0))
    misfit = float(np.abs(residual).max())
    if misfit > max(tolerance * growth, resolution_m):
        share = f"{100 * misfit / growth:.0f} % of what it grows by"
        return refused(f"growth of {name} is not parabolic: the parabola misses its thickness by {share}", misfit)
    line = np.polyval(np.polyfit(t, h, 1), t) - h
    if residual @ residual > 0.5 * (line @ line):
        text = f"{name} grows from {_nm(h[0])} to {_nm(h[-1])}, which a straight line describes as well as a parabola"
        return refused(text, misfit)
    spread = float(residual @ residual) / (t.size - 2)
    lag = float(residual[1:] @ residual[:-1] / max(residual @ residual, 1e-300))
    # a first-order autoregressive series of n points is worth n (1 - r)/(1 + r) independent ones
    stderr = float(np.sqrt(variance * spread * (1 + max(lag, 0.0)) / (1 - min(max(lag, 0.0), 0.99))))
    h0 = float(np.sqrt(max(start, 0.0)))
    return ParabolicFit(phase, temperature_K, rate, stderr, time_unit, h0, ends[1], misfit, t.size, True, "")


def _nm(metres: float) -> str:
    return f"{1e9 * metres:.3g} nm"


def _least_squares(t: np.ndarray, h: np.ndarray) -> tuple[float, float, float]:
    """Return k, h0^2, and the variance of k at unit weight."""
    from scipy.optimize import least_squares

    size, span = float(h.max()), float(t[-1])
    slope, start = np.polyfit(t / span, (h / size) ** 2, 1)

    def model(p: np.ndarray) -> np.ndarray:
        return np.asarray(np.sqrt(np.maximum(p[1] + p[0] * t / span, 0.0)) - h / size)

    found = least_squares(model, [max(slope, 1e-6), max(start, 0.0)], bounds=([0.0, 0.0], np.inf), x_scale="jac")
    scale = 0.5 * size**2 / span
    variance = float(np.linalg.pinv(found.jac.T @ found.jac)[0, 0]) * (scale / size) ** 2
    return float(found.x[0] * scale), float(found.x[1] * size**2), variance


def parabolic_growth(
    history: History, phase: str, *, stage: int | None = None, particle: int = 0, tolerance: float = 0.05
) -> ParabolicFit:
    """Fit the parabola to the layers of a phase during the hold of one step (see ``fit_parabola``).

    Args:
        history: A run of reactive diffusion; layers are of its first realization.
        phase: Formula.
        stage: Index of the step; by default the last. Frames at the step's final temperature are used.
        particle: Index of the particle.
        tolerance: As in ``fit_parabola``.

    Raises:
        ResultError: There is no such step, phase or particle, or the run has no layers.

    Example:
        >>> from tammann.history import History
        >>> run = History.example("reactive-diffusion")
        >>> fit = parabolic_growth(run, "BaTiO3", stage=0, particle=1)
        >>> f"{fit.k_m2_per_s:.1e} m^2 per {fit.time_unit}"
        '1.9e-19 m^2 per nominal s'
        >>> parabolic_growth(run, "BaO", stage=0, particle=1).reason
        'BaO shrinks from 53.7 nm to 27.3 nm during this hold'
    """
    stage = existing_stage(history, history.extent.shape[1] - 1 if stage is None else stage)
    if phase not in history.phases:
        raise ResultError(f"phase {phase!r} is not in this run; choose one of {', '.join(history.phases)}")
    k = history.phases.index(phase)
    thickness = thicknesses(history, particle)[:, k]
    frames = hold_frames(history, stage)
    record = diffusion_record(history)
    width = 0.0
    if frames.size:
        holds = record.sites[particle, frames[-1], :, k] > 0
        width = float(np.diff(record.edges_m[particle, frames[-1]])[holds].mean()) if holds.any() else 0.0
    return fit_parabola(
        history.programme_h[frames] * SECONDS_PER_HOUR,
        thickness[frames],
        tolerance=tolerance,
        resolution_m=width,
        phase=phase,
        temperature_K=float(history.temperature_K[frames[-1]]) if frames.size else nan,
        time_unit="s" if history.calibrated else "nominal s",
    )


def hold_frames(history: History, stage: int) -> np.ndarray:
    """Return the frames of a step at its final temperature, in order.

    Example:
        >>> from tammann.history import History
        >>> run = History.example("reactive-diffusion")
        >>> run.temperature_K[hold_frames(run, 0)].tolist() == [1200.0] * 17
        True
    """
    frames = np.flatnonzero(history.stage == stage)
    if not frames.size:
        return frames
    away = np.flatnonzero(history.temperature_K[frames] != history.temperature_K[frames[-1]])
    return frames[away[-1] + 1 :] if away.size else frames
