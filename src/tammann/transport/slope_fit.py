"""Slopes of mean squared displacements with the errors of the process behind them.

Neighbouring points of a curve averaged over all time origins share nearly all their data: ordinary least squares finds
a standard error that can be hundreds of times too small. For a Gaussian process with stationary increments and
<x²> = s t + a h(t), Brownian motion of slope s and an earlier rattle or ballistic start that leaves the offset a, three
sums over pairs of windows hold the covariance of the points (Wick's theorem), for all species, s and a.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError

LAGS_IN_FIT = 16
"""Lags in a fit; more would lower the variance by a few per cent, many more would make the matrix singular."""


@dataclass(frozen=True, eq=False)
class SlopeWeights:
    """Generalised-least-squares slope and offset of a displacement curve, with the variance of the slope.

    slope = sum_n w_n C(n) with w = ``weights``, offset = sum_n u_n C(n) with u = ``offset_weights``. With the slopes
    B_ij and offsets A_ij (3 by 3, Cartesian, per frame and plain) of collective coordinates i and j,

    Cov(slope_ij, slope_kl) = sum_ab v1 B_ik B_jl + v2 (B_ik A_jl + A_ik B_jl) + v3 A_ik A_jl, and the same with k and l
    exchanged; (v1, v2, v3) = ``variances``, each product of components ab. For pure Brownian motion only v1 counts.

    Attributes:
        lags: The lags of the fit, frames, shape (K,).
        weights: Per frame, shape (K,); they sum to zero, so that an offset of the curve does not matter.
        offset_weights: Shape (K,); they sum to one.
        variances: The factors v1 (no unit), v2 (1/frame) and v3 (1/frame²).
    """

    lags: np.ndarray
    weights: np.ndarray
    offset_weights: np.ndarray
    variances: tuple[float, float, float]


def lag_covariance(lags: ArrayLike, n_frames: int) -> np.ndarray:
    """Return the covariance of a displacement curve at several lags, for one Brownian series of unit slope.

    C(n) = 1/M_n sum_p [x(p+n) - x(p)]², M_n = F - n origins among F = ``n_frames``. By Wick's theorem
    Cov[C(n), C(m)] = 2 s² G_nm with the slope s of <x²> per frame and G_nm = 1/(M_n M_m) sum_pq o_pq², o_pq the
    number of steps which the windows [p, p+n] and [q, q+m] share.

    Args:
        lags: Frames, 1 to ``n_frames`` - 1, shape (K,).
        n_frames: Frames in the series.

    Returns:
        G in frames², shape (K, K), symmetric and positive definite.

    Raises:
        DataError: A lag outside 1 to ``n_frames`` - 1.

    Reference:
        Qian, Sheetz, Elson, Biophys. J. 1991, 60, 910, doi 10.1016/S0006-3495(91)82125-7; Bullerjahn, von Bülow,
        Hummer, J. Chem. Phys. 2020, 153, 024116, doi 10.1063/5.0008312.

    Example:
        >>> lag_covariance([1], 11).round(3).tolist()  # ten independent steps
        [[0.1]]
    """
    return local_covariance(lags, n_frames, np.ones(1))[0]


def local_covariance(lags: ArrayLike, n_frames: int, rise: ArrayLike) -> np.ndarray:
    """Return the three sums behind the covariance of a displacement curve of a Gaussian process.

    For <[x(t+n) - x(t)]²> = s n + a h(n) the displacements over the windows [p, p+n] and [q, q+m] have the covariance
    s o_pq + a k_pq, o the steps they share, k = [h(|p+n-q|) + h(|q+m-p|) - h(|p-q|) - h(|p+n-q-m|)]/2. Then
    Cov[C(n), C(m)] = 2 (s² G1 + 2 s a G2 + a² G3) with G1, G2, G3 the sums of o², o k and k² over all pairs of
    windows, over M_n M_m.

    Args:
        lags: Frames, 1 to ``n_frames`` - 1, shape (K,).
        n_frames: Frames in the series.
        rise: h at 1, 2, ... frames, shape (R,); 1 from there on. ``[1.0]`` is white noise.

    Returns:
        G1 (frames²), G2 (frames) and G3 (no unit), shape (3, K, K).

    Raises:
        DataError: A lag outside 1 to ``n_frames`` - 1.

    Example:
        >>> local_covariance([1], 11, [1.0])[2].round(4).tolist()  # [e(t+1) - e(t)]² of white noise: 1/M + (M-1)/(2 M²)
        [[0.145]]
    """
    n = np.asarray(lags, dtype=np.int64)
    if n.ndim != 1 or len(n) == 0 or n.min() < 1 or n.max() > n_frames - 1:
        raise DataError(f"lags are {n.tolist()} frames, expected whole numbers from 1 to {n_frames - 1}.")
    return _sums(tuple(n.tolist()), n_frames, tuple(np.asarray(rise, dtype=float).tolist()))


@lru_cache(maxsize=256)
def _sums(lags: tuple[int, ...], n_frames: int, rise: tuple[float, ...]) -> np.ndarray:
    """Sums over the shifts between two windows; cached, as replicas and repeated fits need the same ones."""
    n = np.array(lags, dtype=np.int64)
    origins = n_frames - n
    reach = len(rise)
    h = np.ones(2 * int(n.max()) + reach + 2)
    h[0] = 0.0
    h[1 : reach + 1] = rise[: len(h) - 1]
    sums = np.empty((3, len(n), len(n)))
    for a, length in enumerate(n):
        for b, other in enumerate(n[a:], start=a):
            shift = np.arange(1 - other - reach, length + reach)  # q - p, where the windows are correlated
            pairs = np.minimum(origins[a], origins[b] - shift) - np.maximum(0, -shift)
            weight = np.maximum(pairs, 0).astype(float)
            shared = np.maximum(0, np.minimum(length, shift + other) - np.maximum(0, shift)).astype(float)
            local = 0.5 * (
                h[np.abs(length - shift)]
                + h[np.abs(shift + other)]
                - h[np.abs(shift)]
                - h[np.abs(length - other - shift)]
            )
            norm = float(origins[a]) * float(origins[b])
            values = np.array([weight @ shared**2, weight @ (shared * local), weight @ local**2]) / norm
            sums[:, a, b] = sums[:, b, a] = values
    sums.setflags(write=False)
    return sums


def spread_lags(first: int, last: int, count: int = LAGS_IN_FIT) -> np.ndarray:
    """Return up to ``count`` different whole lags from ``first`` to ``last``, evenly spread in their logarithm.

    Example:
        >>> spread_lags(1, 100, 5).tolist()
        [1, 3, 10, 32, 100]
    """
    return np.unique(np.round(np.geomspace(first, last, count)).astype(np.int64))


def slope_weights(
    lags: ArrayLike, n_frames: int, *, offset_over_slope: float = 0.0, rise: ArrayLike = (1.0,)
) -> SlopeWeights:
    """Return the weights of the best linear unbiased slope of a displacement curve, its offset free.

    C(n) = a + s n with covariance proportional to G = G1 + 2 r G2 + r² G3, r = ``offset_over_slope``: (a, s) =
    (X^T G^-1 X)^-1 X^T G^-1 C, X = [1, n]. The free offset holds what happens before motion is diffusive and costs a
    factor of two in the standard error of the slope. An r that is not quite right costs a little precision, no bias.

    Args:
        lags: Frames, two or more different ones, shape (K,).
        n_frames: Frames in the series.
        offset_over_slope: a/s of the process, frames; 0 for pure Brownian motion.
        rise: h at 1, 2, ... frames, as ``local_covariance`` takes it.

    Raises:
        DataError: Fewer than two different lags, or lags outside the series.

    Example:
        >>> fit = slope_weights([10, 14, 20, 28, 40], 2000)
        >>> import numpy as np
        >>> float(np.round(fit.weights @ (0.7 + 0.05 * fit.lags), 9))  # the offset of 0.7 falls out
        0.05
    """
    n = np.unique(np.asarray(lags, dtype=np.int64))
    if len(n) < 2:
        raise DataError(f"lags are {n.tolist()} frames, expected at least two different ones to fit a slope.")
    G1, G2, G3 = local_covariance(n, n_frames, rise)
    covariance = G1 + 2.0 * offset_over_slope * G2 + offset_over_slope**2 * G3
    design = np.stack([np.ones(len(n)), n.astype(float)], axis=1)
    whitened = np.linalg.solve(covariance, design)
    estimators = whitened @ np.linalg.inv(design.T @ whitened)
    w = estimators[:, 1]
    return SlopeWeights(n, w, estimators[:, 0], (float(w @ G1 @ w), float(w @ G2 @ w), float(w @ G3 @ w)))
