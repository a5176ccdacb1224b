"""Slopes of mean squared displacements with the errors of a Brownian process.

The points of a displacement curve averaged over all time origins are correlated, and not weakly: neighbours share
nearly all their data. Ordinary least squares through them finds a fair slope and a standard error that can be
hundreds of times too small. For a Brownian process their covariance is known exactly, and is, but for one common
factor, the same for every pair of species and for every size of the diffusion coefficient. Weights and variance of the
slope therefore follow from the lags and the number of frames alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError

__all__ = ["SlopeWeights", "lag_covariance", "slope_weights", "spread_lags"]

LAGS_IN_FIT = 24
"""Lags in a fit: with more the variance of the slope falls by less than 2 %, with many more the matrix is singular."""


@dataclass(frozen=True, eq=False)
class SlopeWeights:
    """The generalised-least-squares slope of a displacement curve, and how sure it is.

    slope = sum_n w_n C(n) with w = ``weights``; for a Brownian process with slopes B_ij (3 by 3, Cartesian, per frame),
    Cov(slope_ij, slope_kl) = v sum_ab (B_ik,ab B_jl,ab + B_il,ab B_jk,ab) with v = ``variance``.

    Attributes:
        lags: The lags of the fit, frames, shape (K,).
        weights: Per frame, shape (K,); they sum to zero, so that an offset of the curve does not matter.
        variance: The factor v, without a unit.
    """

    lags: np.ndarray
    weights: np.ndarray
    variance: float


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
    n = np.asarray(lags, dtype=np.int64)
    if n.ndim != 1 or len(n) == 0 or n.min() < 1 or n.max() > n_frames - 1:
        raise DataError(f"lags are {n.tolist()} frames, expected whole numbers from 1 to {n_frames - 1}.")
    return _covariance(tuple(n.tolist()), n_frames)


@lru_cache(maxsize=256)
def _covariance(lags: tuple[int, ...], n_frames: int) -> np.ndarray:
    """Sums over the shifts between two windows; kept, as replicas and repeated fits ask for the same lags."""
    n = np.array(lags, dtype=np.int64)
    origins = n_frames - n
    covariance = np.empty((len(n), len(n)))
    for a, length in enumerate(n):
        for b in range(a, len(n)):
            other = n[b]
            shift = np.arange(1 - other, length)  # q - p, where the windows share at least one step
            shared = np.minimum(length, shift + other) - np.maximum(0, shift)
            pairs = np.minimum(origins[a], origins[b] - shift) - np.maximum(0, -shift)
            total = np.dot(np.maximum(pairs, 0).astype(float), shared.astype(float) ** 2)
            covariance[a, b] = covariance[b, a] = total / (float(origins[a]) * float(origins[b]))
    covariance.setflags(write=False)
    return covariance


def spread_lags(first: int, last: int, count: int = LAGS_IN_FIT) -> np.ndarray:
    """Return up to ``count`` different whole lags from ``first`` to ``last``, evenly spread in their logarithm.

    Example:
        >>> spread_lags(1, 100, 5).tolist()
        [1, 3, 10, 32, 100]
    """
    return np.unique(np.round(np.geomspace(first, last, count)).astype(np.int64))


def slope_weights(lags: ArrayLike, n_frames: int) -> SlopeWeights:
    """Return the weights of the best linear unbiased slope of a displacement curve, its offset free.

    C(n) = a + s n with covariance proportional to G: (a, s) = (X^T G^-1 X)^-1 X^T G^-1 C, X = [1, n]; v = ``variance``
    is the last diagonal element of (X^T G^-1 X)^-1. The offset a holds what happens before motion is diffusive
    (rattling, a ballistic start) and costs a factor of two in the standard error of the slope.

    Args:
        lags: Frames, two or more different ones, shape (K,).
        n_frames: Frames in the series.

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
    covariance = lag_covariance(n, n_frames)
    design = np.stack([np.ones(len(n)), n.astype(float)], axis=1)
    whitened = np.linalg.solve(covariance, design)
    parameters = np.linalg.inv(design.T @ whitened)
    return SlopeWeights(n, (whitened @ parameters)[:, 1], float(parameters[1, 1]))
