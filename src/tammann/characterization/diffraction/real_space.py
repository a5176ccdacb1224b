"""The reduced pair distribution function G(r), from a pattern as an experiment has it, or from distances."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tammann.characterization.diffraction.form_factors import Radiation, scattering_amplitudes
from tammann.characterization.diffraction.pattern import PowderPattern
from tammann.characterization.rdf import PairDistribution
from tammann.errors import DataError

CHUNK = 4_000_000
"""Waves held at a time, 32 MB."""


@dataclass(frozen=True, eq=False)
class PairFunction:
    """Reduced pair distribution function.

    G(r) = 4 pi r rho0 [g(r) - 1] for an infinite sample, with g the mean over pairs weighted by their amplitudes; that
    of a grain is damped by the share of its pairs that lie within it.

    Attributes:
        r_A: Shape (R,), Å.
        G_per_A2: Shape (R,), 1/Å².
        q_min_per_A: Where the transform begins, 1/Å; 0 for one from distances.
        q_max_per_A: Where it ends; infinite for one from distances that is not limited.
    """

    r_A: np.ndarray
    G_per_A2: np.ndarray
    q_min_per_A: float
    q_max_per_A: float

    def __repr__(self) -> str:
        return f"PairFunction(r {self.r_A[0]:.3g} to {self.r_A[-1]:.3g} Å, Q to {self.q_max_per_A:.3g} per Å)"


def pair_function(
    pattern: PowderPattern,
    r_A: np.ndarray,
    *,
    q_min_per_A: float | None = None,
    q_max_per_A: float | None = None,
    lorch: bool = False,
) -> PairFunction:
    """Return G(r) as it follows from a pattern.

    G(r) = 2/pi integral of Q [S(Q) - 1] M(Q) sin(Q r) dQ from ``q_min_per_A`` to ``q_max_per_A``, by the trapezoidal
    rule on the pattern's own grid. M is 1, or the window of Lorch, sin(pi Q/Q_max)/(pi Q/Q_max), which trades ripples
    for width. The grid repeats G(r) at 2 pi/dQ, and the instrument damps it: a Gaussian of width fwhm in Q multiplies
    it by exp(-(fwhm r)²/(16 ln 2)).

    Args:
        pattern: With a grid of Q steps well below pi/r_max.
        r_A: Shape (R,), Å.
        q_min_per_A: First Q, 1/Å; that of the pattern where None.
        q_max_per_A: Last Q, 1/Å.
        lorch: Apply the window.

    Raises:
        DataError: A range that the pattern does not cover, or a grid too coarse for the distances.

    Reference:
        Lorch, J. Phys. C 1969, 2, 229, doi 10.1088/0022-3719/2/2/305; Egami and Billinge, Underneath the Bragg Peaks,
        2nd ed. (2012).

    Example:
        >>> from tammann.characterization.diffraction import debye_pattern
        >>> from tammann.structures.configuration import Configuration
        >>> pair = Configuration(("Ar", "Ar"), np.array([[0, 0, 0], [0, 0, 3.8]]), 20.0 * np.eye(3))
        >>> found = pair_function(debye_pattern(pair, np.arange(0.5, 25.0, 0.02)), np.arange(1.0, 8.0, 0.01))
        >>> round(float(found.r_A[found.G_per_A2.argmax()]), 2)
        3.8
    """
    q = pattern.q_per_A
    low, high = (q[0] if q_min_per_A is None else q_min_per_A), (q[-1] if q_max_per_A is None else q_max_per_A)
    slack = 1e-9 * q[-1]
    if not (q[0] - slack <= low < high <= q[-1] + slack):
        raise DataError(f"q_min_per_A and q_max_per_A are {low:g} and {high:g}, expected a range within the pattern's, "
                        f"{q[0]:g} to {q[-1]:g} per Å.")  # fmt: skip
    r = np.asarray(r_A, dtype=float)
    used = (q >= low - slack) & (q <= high + slack)
    q, values = q[used], pattern.reduced_structure_factor[used]
    if len(q) < 2 or r.size == 0 or r.min() < 0.0 or np.diff(q).max() * r.max() > math.pi:
        step = np.diff(q).max() if len(q) > 1 else math.nan
        raise DataError(f"r_A reaches {r.max(initial=0.0):g} Å, expected 0 to pi/dQ = {math.pi / step:g} "
                        "Å; compute the pattern on a finer grid.")  # fmt: skip
    if lorch:
        values = values * np.sinc(q / high)
    weights = np.zeros_like(q)
    weights[1:] += np.diff(q) / 2.0
    weights[:-1] += np.diff(q) / 2.0
    return PairFunction(r, 2.0 / math.pi * _sine_sums(r, q, values * weights), float(low), float(high))


def pair_function_of_distances(
    distribution: PairDistribution,
    *,
    radiation: Radiation = "xray",
    u_iso_A2: Mapping[str, float] | float = 0.0,
    q_max_per_A: float | None = None,
    fwhm_per_A: float = 0.0,
) -> PairFunction:
    """Return G(r) of a box from its partial g(r), to any Q: for boxes whose pattern to 25 per Å would not be feasible.

    G(r) = 4 pi r rho0 sum_ab c_a c_b f_a f_b/<f>² [g_ab(r) - 1], with X-ray amplitudes at Q = 0; each peak is widened
    by thermal motion, variance U_a + U_b, the whole by the end of the range of Q (a convolution with
    sin(Q_max r)/(pi r)) and damped by the instrument, exp(-(fwhm r)²/(16 ln 2)).

    Args:
        distribution: Partial pair distributions, with bins well below pi/Q_max.
        radiation: ``xray`` or ``neutron``.
        u_iso_A2: Mean square displacement of each element or of all, Å².
        q_max_per_A: End of the range of Q, 1/Å; none where None.
        fwhm_per_A: Width of the instrument's Gaussian, 1/Å.

    Raises:
        DataError: No density, bins too wide for ``q_max_per_A``, amplitudes that cancel, or a negative displacement.

    Example:
        >>> from tammann.characterization.rdf import pair_distribution
        >>> from tammann.structures.configuration import Configuration
        >>> polonium = Configuration(("Po",), np.zeros((1, 3)), 3.35 * np.eye(3))
        >>> found = pair_function_of_distances(pair_distribution(polonium, cutoff_A=6.0), u_iso_A2=0.01)
        >>> round(float(found.r_A[found.G_per_A2.argmax()]), 1)  # the second shell has twice the neighbours
        4.7
    """
    species, r, step = distribution.species, distribution.r_A, distribution.bin_A
    if not np.isfinite(distribution.density_per_A3).all():
        raise DataError("distribution: expected one with densities, got one from a table, which has none; compute it "
                        "from the structure.")  # fmt: skip
    density = float(distribution.density_per_A3.sum())
    f = scattering_amplitudes(species, np.zeros(1), radiation=radiation)
    amplitude = np.array([float(f[symbol][0]) for symbol in species])
    shares = distribution.density_per_A3 / density
    mean = float(shares @ amplitude)
    if mean**2 < 1e-3 * float(shares @ amplitude**2):
        raise DataError(f"the mean {radiation} amplitude of {'-'.join(species)} is 0, so G(r) is not defined.")
    if q_max_per_A is not None and not 0.0 < q_max_per_A <= math.pi / step:
        raise DataError(f"q_max_per_A is {q_max_per_A:g}, expected a value between 0 and pi/bin_A = {math.pi / step:g} "
                        "per Å; take narrower bins.")  # fmt: skip
    u = np.array([u_iso_A2.get(s, 0.0) if isinstance(u_iso_A2, Mapping) else u_iso_A2 for s in species])
    if (u < 0.0).any():
        raise DataError(f"u_iso_A2 is {u.min():g} Å², expected 0 or more.")
    total = np.zeros_like(r)
    for a in range(len(species)):
        for b in range(len(species)):
            weight = shares[a] * shares[b] * amplitude[a] * amplitude[b] / mean**2
            curve = 4.0 * math.pi * r * density * distribution.partial[a, b]
            total += weight * (_widened(r, curve, u[a] + u[b]) - 4.0 * math.pi * r * density)
    if q_max_per_A is not None:
        near = np.sinc(q_max_per_A * (r[:, None] - r) / math.pi) - np.sinc(q_max_per_A * (r[:, None] + r) / math.pi)
        total = near @ total * (step * q_max_per_A / math.pi)
    total = total * np.exp(-((fwhm_per_A * r) ** 2) / (16.0 * math.log(2.0)))
    return PairFunction(r, total, 0.0, q_max_per_A if q_max_per_A is not None else math.inf)


def _widened(r: np.ndarray, curve: np.ndarray, variance: float) -> np.ndarray:
    """Return a curve convolved with a Gaussian; beyond its end it goes on as a straight line through 0."""
    if variance == 0.0:
        return curve
    from scipy.ndimage import gaussian_filter1d

    slope = float(np.mean(curve / r))  # the mean density, taken out so that only fluctuations are cut off
    step = float(r[1] - r[0])
    return np.asarray(gaussian_filter1d(curve - slope * r, math.sqrt(variance) / step, mode="nearest") + slope * r)


def _sine_sums(r: np.ndarray, q: np.ndarray, weights: np.ndarray) -> np.ndarray:
    out = np.empty(len(r))
    chunk = max(1, CHUNK // len(q))
    for start in range(0, len(r), chunk):
        out[start : start + chunk] = np.sin(r[start : start + chunk, None] * q) @ weights
    return out
