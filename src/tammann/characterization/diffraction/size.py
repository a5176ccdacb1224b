"""Size of grains and strain from the breadth of peaks: Scherrer, and Williamson and Hall."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tammann.characterization.diffraction.broadening import Resolution
from tammann.errors import DataError

SPHERE_FWHM = 1.1067
"""K of a sphere: full width at half maximum in Q, times diameter, over 2 pi."""
GAUSS_HEIGHT, LORENTZ_HEIGHT = 2.0 * math.sqrt(math.log(2.0) / math.pi), 2.0 / math.pi
"""Heights of profiles of area 1 and width 1."""
LEAST_PROMINENCE = 0.03
"""Of peaks that are found, in parts of the highest."""
FEWEST = 6
"""Points of a peak: four numbers of its profile and two of the background are fitted."""


@dataclass(frozen=True)
class Peak:
    """A reflection, fitted by a pseudo-Voigt function on a straight background.

    Attributes:
        q_per_A: Place, 1/Å.
        fwhm_per_A: Full width at half maximum, 1/Å.
        breadth_per_A: Integral breadth, area over height, 1/Å.
        height: Above the background, in the unit of the pattern.
        eta: Share of the Lorentzian in the area.
        misfit: Root mean square difference from the fit, in parts of the height.
    """

    q_per_A: float
    fwhm_per_A: float
    breadth_per_A: float
    height: float
    eta: float
    misfit: float


@dataclass(frozen=True, eq=False)
class WilliamsonHall:
    """Straight line through the breadths of peaks against Q.

    Attributes:
        diameter_A: Of grains taken as spheres, Å; infinite where the line begins at or below 0.
        diameter_stderr_A: Its standard error from the scatter about the line, Å.
        strain: epsilon, half the full width at half maximum of the distribution of strains, without unit.
        strain_stderr: Its standard error.
        q_per_A: Shape (P,), places of the peaks, 1/Å.
        fwhm_per_A: Shape (P,), widths without the instrument's, 1/Å.
    """

    diameter_A: float
    diameter_stderr_A: float
    strain: float
    strain_stderr: float
    q_per_A: np.ndarray
    fwhm_per_A: np.ndarray

    def __repr__(self) -> str:
        return (
            f"WilliamsonHall(diameter {self.diameter_A:.3g} ± {self.diameter_stderr_A:.2g} Å, "
            f"strain {self.strain:.2g} ± {self.strain_stderr:.2g}, {len(self.q_per_A)} peaks)"
        )


def fit_peaks(
    q_per_A: np.ndarray,
    intensity: np.ndarray,
    *,
    near_per_A: Sequence[float] | None = None,
    half_window_per_A: float | None = None,
) -> tuple[Peak, ...]:
    """Fit peaks one by one.

    Args:
        q_per_A: Shape (K,), rising, 1/Å.
        intensity: Shape (K,).
        near_per_A: Where peaks are, to within their widths, 1/Å; where None, all whose prominence is at least 3 % of
            the highest point.
        half_window_per_A: Points so near take part in a fit, 1/Å; where None, three widths at most, and no farther
            than the lowest points between a peak and its neighbours.

    Raises:
        DataError: No peak, or one that has too few points or is not fitted.

    Example:
        >>> q = np.linspace(1.0, 3.0, 400)
        >>> peak = fit_peaks(q, 5.0 * Resolution(0.1).profile(q - 2.0, np.array(0.1)) + 1.0)[0]
        >>> round(peak.q_per_A, 4), round(peak.fwhm_per_A, 4)
        (2.0, 0.1)
    """
    from scipy.signal import find_peaks

    q, y = np.asarray(q_per_A, dtype=float), np.asarray(intensity, dtype=float)
    tops, _ = find_peaks(y, prominence=LEAST_PROMINENCE * float(np.ptp(y)))
    if near_per_A is not None:
        # the wanted place where the pattern has no maximum of its own
        chosen = [tops[np.abs(q[tops] - place).argmin()] if tops.size else -1 for place in near_per_A]
        chosen = [
            top if top >= 0 and abs(q[top] - place) < 0.1 * place else int(np.abs(q - place).argmin())
            for top, place in zip(chosen, near_per_A, strict=True)
        ]
    else:
        chosen = tops.tolist()
    if not len(chosen):
        raise DataError(f"the pattern has no peak between {q[0]:g} and {q[-1]:g} per Å; give near_per_A.")
    return tuple(_fit_one(q, y, int(top), tops, half_window_per_A) for top in chosen)


def scherrer_diameter(peak: Peak, *, resolution: Resolution | None = None, shape_factor: float = SPHERE_FWHM) -> float:
    """Return the size of grains from the width of one peak, Å.

    D = 2 pi K / dQ, which is K lambda / (d(2 theta) cos theta); dQ is the full width at half maximum without that of
    the instrument (``without_instrument``).

    Args:
        peak: As ``fit_peaks`` gives it.
        resolution: Of the instrument; None where the pattern was not broadened.
        shape_factor: K, 1.107 for the diameter of spheres; 0.89 for the thickness of plates seen edge on.

    Raises:
        DataError: A peak no wider than the instrument makes it.

    Reference:
        Scherrer, Nachr. Ges. Wiss. Göttingen 1918, 98; Patterson, Phys. Rev. 1939, 56, 978,
        doi 10.1103/PhysRev.56.978.

    Example:
        >>> round(scherrer_diameter(Peak(2.0, 0.1, 0.11, 1.0, 0.0, 0.0)), 1)
        69.5
    """
    return 2.0 * math.pi * shape_factor / without_instrument(peak, resolution).fwhm_per_A


def williamson_hall(
    peaks: Sequence[Peak], *, resolution: Resolution | None = None, shape_factor: float = SPHERE_FWHM
) -> WilliamsonHall:
    """Return size and strain from the breadths of several peaks.

    dQ = 2 pi K/D + 2 epsilon Q, which is d(2 theta) cos theta = K lambda/D + 4 epsilon sin theta; dQ are full widths at
    half maximum without the instrument's (``without_instrument``): a straight line by least squares. Peaks that overlap
    are as wide as all of them together, and do not belong into it.

    Raises:
        DataError: Fewer than three peaks, or one no wider than the instrument makes it.

    Reference:
        Williamson and Hall, Acta Metall. 1953, 1, 22, doi 10.1016/0001-6160(53)90006-6.

    Example:
        >>> peaks = [Peak(q, 2 * np.pi * 1.1067 / 80 + 0.004 * q, 0.1, 1.0, 0.0, 0.0) for q in (2.0, 3.0, 4.0, 5.0)]
        >>> williamson_hall(peaks)
        WilliamsonHall(diameter 80 ± ... Å, strain 0.002 ± ..., 4 peaks)
    """
    if len(peaks) < 3:
        raise DataError(f"{len(peaks)} peaks were given, expected three or more for a line with errors.")
    q = np.array([peak.q_per_A for peak in peaks])
    widths = np.array([without_instrument(peak, resolution).fwhm_per_A for peak in peaks])
    design = np.stack([np.ones_like(q), q], axis=1)
    (start, slope), *_ = np.linalg.lstsq(design, widths, rcond=None)
    rest = widths - design @ [start, slope]
    covariance = np.linalg.inv(design.T @ design) * float(rest @ rest) / (len(q) - 2)
    size = 2.0 * math.pi * shape_factor / start if start > 0.0 else math.inf
    error = size * math.sqrt(covariance[0, 0]) / start if start > 0.0 else math.nan
    return WilliamsonHall(size, error, float(slope) / 2.0, math.sqrt(covariance[1, 1]) / 2.0, q, widths)


def without_instrument(peak: Peak, resolution: Resolution | None) -> Peak:
    """Return a peak as it would be without the breadth of the instrument.

    A pseudo-Voigt function stands for a Voigt function. Widths of the Lorentzian parts of sample and instrument add,
    those of the Gaussian parts add in squares.

    Raises:
        DataError: A peak no wider than the instrument makes it.

    Reference:
        Thompson, Cox, Hastings, J. Appl. Cryst. 1987, 20, 79, doi 10.1107/S0021889887087090.

    Example:
        >>> round(without_instrument(Peak(2.0, 0.05, 0.053, 1.0, 0.0, 0.0), Resolution(0.03)).fwhm_per_A, 6)
        0.04
    """
    if resolution is None:
        return peak
    own = float(resolution.fwhm_at(np.array([peak.q_per_A]))[0])
    gauss, lorentz = _voigt_widths(peak.fwhm_per_A, peak.eta)
    gauss_own, lorentz_own = _voigt_widths(own, resolution.eta)
    g, lor = math.sqrt(max(0.0, gauss**2 - gauss_own**2)), max(0.0, lorentz - lorentz_own)
    if peak.fwhm_per_A <= own or g + lor == 0.0:
        raise DataError(f"the peak at {peak.q_per_A:.4g} per Å is {peak.fwhm_per_A:.3g} per Å wide, no wider than the "
                        f"instrument makes it, {own:.3g}; its grains are too large to be measured.")  # fmt: skip
    powers = [g**k * lor ** (5 - k) for k in range(6)]
    fwhm = float(np.dot((1.0, 0.07842, 4.47163, 2.42843, 2.69269, 1.0), powers) ** 0.2)
    x = lor / fwhm
    eta = min(1.0, 1.36603 * x - 0.47719 * x**2 + 0.11116 * x**3)
    return replace(peak, fwhm_per_A=fwhm, eta=eta, breadth_per_A=_breadth(fwhm, eta))


def _voigt_widths(fwhm: float, eta: float) -> tuple[float, float]:
    """Widths of the Gaussian and the Lorentzian whose convolution a pseudo-Voigt function stands for."""
    gauss = math.sqrt(max(0.0, 1.0 - 0.74417 * eta - 0.24781 * eta**2 - 0.00810 * eta**3))
    return fwhm * gauss, fwhm * (0.72928 * eta + 0.19289 * eta**2 + 0.07783 * eta**3)


def _breadth(fwhm: float, eta: float) -> float:
    """Area over height."""
    return fwhm / (eta * LORENTZ_HEIGHT + (1.0 - eta) * GAUSS_HEIGHT)


def _fit_one(q: np.ndarray, y: np.ndarray, top: int, tops: np.ndarray, half_window: float | None) -> Peak:
    from scipy.optimize import OptimizeWarning, curve_fit
    from scipy.signal import peak_widths

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a place without a maximum has no width
        guess = float(peak_widths(y, [top])[0][0]) * float(np.gradient(q)[top])
    guess = guess or 5.0 * float(np.gradient(q)[top])
    low, high = q[top] - 3.0 * guess, q[top] + 3.0 * guess
    if half_window is not None:
        low, high = q[top] - half_window, q[top] + half_window
    else:
        left, right = tops[tops < top], tops[tops > top]
        if left.size:
            low = max(low, q[left[-1] + int(y[left[-1] : top].argmin())])
        if right.size:
            high = min(high, q[top + int(y[top : right[0]].argmin())])
    near = (q >= low) & (q <= high)
    if near.sum() <= FEWEST:
        raise DataError(f"the peak at {q[top]:.4g} per Å has {near.sum()} points, expected more than {FEWEST}; compute "
                        "the pattern on a finer grid.")  # fmt: skip
    x, values = q[near] - q[top], y[near]

    def model(
        x: np.ndarray, place: float, fwhm: float, height: float, eta: float, base: float, slope: float
    ) -> np.ndarray:
        z2 = ((x - place) / fwhm) ** 2
        lorentz, gauss = eta * LORENTZ_HEIGHT, (1.0 - eta) * GAUSS_HEIGHT
        shape = (lorentz / (1.0 + 4.0 * z2) + gauss * np.exp(-4.0 * math.log(2.0) * z2)) / (lorentz + gauss)
        return np.asarray(height * shape + base + slope * x)

    rise = float(np.ptp(values)) or 1.0
    begin = (0.0, min(guess, high - low), rise, 0.3, float(values.min()), 0.0)
    reach = high - low
    bounds = ([-reach, 0.0, 0.0, 0.0, -np.inf, -np.inf], [reach, 3.0 * reach, np.inf, 1.0, np.inf, np.inf])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            (place, fwhm, height, eta, base, slope), _ = curve_fit(model, x, values, begin, bounds=bounds)
    except (RuntimeError, ValueError):
        raise DataError(f"the peak at {q[top]:.4g} per Å cannot be fitted; give another half_window_per_A.") from None
    rest = values - model(x, place, fwhm, height, eta, base, slope)
    breadth = _breadth(fwhm, eta)
    misfit = float(np.sqrt((rest**2).mean()) / height) if height > 0.0 else math.inf
    return Peak(float(q[top] + place), float(fwhm), float(breadth), float(height), float(eta), misfit)
