"""The axis of a diffractometer: wavelengths, two theta, and the polarization of the beam."""

from __future__ import annotations

import math

import numpy as np

from tammann.errors import DataError

WAVELENGTHS_A = {
    "CuKa1": 1.5405929,
    "CuKa2": 1.5444274,
    "CuKa": 1.5418711,
    "CoKa1": 1.7889960,
    "CoKa2": 1.7928350,
    "CrKa1": 2.2897260,
    "CrKa2": 2.2936510,
    "FeKa1": 1.9360410,
    "FeKa2": 1.9399730,
    "MoKa1": 0.70931715,
    "MoKa2": 0.713607,
    "AgKa1": 0.55942178,
    "AgKa2": 0.5638131,
}
"""Characteristic lines, Å: Hölzer et al., Phys. Rev. A 1997, 56, 4554, doi 10.1103/PhysRevA.56.4554, for Cr, Fe, Co and
Cu; Deslattes et al., Rev. Mod. Phys. 2003, 75, 35, doi 10.1103/RevModPhys.75.35, for Mo and Ag. CuKa is the mean of the
doublet, 2 to 1."""


def wavelength_of(wavelength: str | float) -> float:
    """Return a wavelength in Å, by the name of a line or as it is.

    Raises:
        DataError: Another name, or no length above 0.

    Example:
        >>> wavelength_of("CuKa1"), wavelength_of(0.2)
        (1.5405929, 0.2)
    """
    if isinstance(wavelength, str):
        if wavelength not in WAVELENGTHS_A:
            raise DataError(f"wavelength {wavelength!r}: expected Å or one of {', '.join(WAVELENGTHS_A)}.")
        return WAVELENGTHS_A[wavelength]
    if not 0.0 < wavelength < math.inf:
        raise DataError(f"the wavelength is {wavelength} Å, expected a length above 0.")
    return float(wavelength)


def two_theta_of(q_per_A: np.ndarray, wavelength: str | float) -> np.ndarray:
    """Return 2 theta = 2 arcsin(Q lambda / 4 pi), degrees; NaN for Q that the wavelength does not reach.

    Example:
        >>> two_theta_of(np.array([2.0, 9.0]), "CuKa1").round(3).tolist()
        [28.386, nan]
    """
    sine = np.asarray(q_per_A, dtype=float) * wavelength_of(wavelength) / (4.0 * math.pi)
    return np.degrees(2.0 * np.arcsin(np.where(np.abs(sine) <= 1.0, sine, np.nan)))


def q_of(two_theta_deg: np.ndarray, wavelength: str | float) -> np.ndarray:
    """Return Q = 4 pi sin(theta)/lambda, 1/Å.

    Raises:
        DataError: Angles outside 0 to 180 degrees.

    Example:
        >>> q_of(np.array([28.386]), "CuKa1").round(3).tolist()
        [2.0]
    """
    angles = np.asarray(two_theta_deg, dtype=float)
    if angles.size and not (angles.min() >= 0.0 and angles.max() <= 180.0):
        raise DataError(f"two_theta_deg goes from {angles.min():g} to {angles.max():g}, expected 0 to 180 degrees.")
    return 4.0 * math.pi / wavelength_of(wavelength) * np.sin(np.radians(angles) / 2.0)


def polarization(two_theta_deg: np.ndarray, *, monochromator_deg: float = 0.0) -> np.ndarray:
    """Return the polarization factor of an unpolarized X-ray beam, 1 in the forward direction.

    P = (1 + cos²(2 theta) cos²(2 theta_M)) / (1 + cos²(2 theta_M)). This is all that distinguishes what a point
    detector counts at 2 theta from I(Q): the Lorentz factor 1/(sin² theta cos theta) of the textbooks, for areas of
    peaks on this axis, comes out of the mean over orientations by itself.

    Args:
        two_theta_deg: Degrees.
        monochromator_deg: 2 theta_M, degrees; 0 for none.

    Example:
        >>> polarization(np.array([0.0, 90.0])).tolist()
        [1.0, 0.5]
    """
    there = math.cos(math.radians(monochromator_deg)) ** 2
    return np.asarray((1.0 + np.cos(np.radians(two_theta_deg)) ** 2 * there) / (1.0 + there))
