"""The width and shape that an instrument gives to a sharp reflection."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tammann.errors import DataError

CHUNK = 4_000_000
"""Values of the profile held at a time, 32 MB."""


@dataclass(frozen=True)
class Resolution:
    """Profile of an instrument: a pseudo-Voigt function of area 1 whose width may grow with Q.

    R(x) = eta L(x) + (1 - eta) G(x), a Lorentzian and a Gaussian of the same full width at half maximum; the width is
    ``fwhm_per_A`` + ``relative_fwhm`` Q, or, with ``caglioti``, that of Caglioti, Paoletti and Ricci in two theta,
    fwhm² = U tan² theta + V tan theta + W, turned into Q.

    Attributes:
        fwhm_per_A: Constant part of the width, 1/Å.
        relative_fwhm: Part in proportion to Q, as dQ/Q of time-of-flight instruments.
        eta: Share of the Lorentzian, 0 to 1.
        caglioti_deg2: U, V and W, degrees², in place of the two widths.
        wavelength_A: Wavelength that goes with these, Å.

    Raises:
        DataError: No width, a negative one, or a share outside 0 to 1.

    Reference:
        Caglioti, Paoletti, Ricci, Nucl. Instrum. 1958, 3, 223, doi 10.1016/0369-643X(58)90029-X.

    Example:
        >>> float(Resolution(0.02).fwhm_at(np.array([3.0]))[0])
        0.02
        >>> lab = Resolution(caglioti_deg2=(0.01, -0.005, 0.01), wavelength_A=1.5406)
        >>> lab.fwhm_at(np.array([1.0, 5.0])).round(4).tolist()
        [0.0069, 0.0062]
    """

    fwhm_per_A: float = 0.0
    relative_fwhm: float = 0.0
    eta: float = 0.0
    caglioti_deg2: tuple[float, float, float] | None = None
    wavelength_A: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.eta <= 1.0:
            raise DataError(f"eta is {self.eta:g}, expected the share of the Lorentzian, 0 to 1.")
        if (self.caglioti_deg2 is None) != (self.wavelength_A is None):
            raise DataError("caglioti_deg2 and wavelength_A belong together; give both or neither.")
        widths = (self.fwhm_per_A, self.relative_fwhm)
        if self.caglioti_deg2 is not None:
            if any(widths):
                raise DataError("caglioti_deg2 is given beside fwhm_per_A or relative_fwhm; give one kind of width.")
        elif min(widths) < 0.0 or max(widths) <= 0.0 or not all(map(math.isfinite, widths)):
            raise DataError(f"the widths of the resolution are {widths}, expected numbers above 0, 1/Å and dQ/Q.")

    @property
    def reach_per_A(self) -> float:
        """Largest Q of the wavelength, 4 pi/lambda, 1/Å; infinite where the width is not one in two theta."""
        return math.inf if self.wavelength_A is None else 4.0 * math.pi / self.wavelength_A

    def fwhm_at(self, q_per_A: np.ndarray) -> np.ndarray:
        """Return the full width at half maximum at each Q, 1/Å.

        Raises:
            DataError: A Q out of reach of the wavelength, or a width whose square is not above 0 there.
        """
        q = np.asarray(q_per_A, dtype=float)
        if self.caglioti_deg2 is None or self.wavelength_A is None:
            return self.fwhm_per_A + self.relative_fwhm * q
        sine = q * self.wavelength_A / (4.0 * math.pi)
        if sine.size and sine.max() >= 1.0:
            raise DataError(f"Q of {q.max():g} per Å is out of reach of a wavelength of {self.wavelength_A:g} Å.")
        cosine = np.sqrt(1.0 - sine**2)
        u, v, w = self.caglioti_deg2
        squares = u * (sine / cosine) ** 2 + v * sine / cosine + w
        if squares.size and squares.min() <= 0.0:
            raise DataError(f"caglioti_deg2 {self.caglioti_deg2} gives no width at {q[squares.argmin()]:g} per Å.")
        return np.radians(np.sqrt(squares)) * cosine * 2.0 * math.pi / self.wavelength_A

    def profile(self, x: np.ndarray, fwhm: np.ndarray) -> np.ndarray:
        """Return the profile at distances ``x`` from its centre, for widths ``fwhm``, in the same unit."""
        z2 = (x / fwhm) ** 2
        gauss = np.exp(-4.0 * math.log(2.0) * z2) * (2.0 * math.sqrt(math.log(2.0) / math.pi))
        if self.eta == 0.0:
            return np.asarray(gauss / fwhm)
        lorentz = 2.0 / math.pi / (1.0 + 4.0 * z2)
        return np.asarray((self.eta * lorentz + (1.0 - self.eta) * gauss) / fwhm)

    def spread(self, q_per_A: np.ndarray, sources_per_A: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the sum of the profiles of sharp lines.

        y(Q) = sum_k w_k R(Q - q_k), each line with the width at its own place.

        Args:
            q_per_A: Shape (K,), where the sum is wanted, 1/Å.
            sources_per_A: Shape (B,), q_k, 1/Å.
            weights: Shape (..., B), w_k.

        Returns:
            Shape (..., K), the unit of the weights times Å.
        """
        fwhm = self.fwhm_at(sources_per_A)
        out = np.empty((*weights.shape[:-1], len(q_per_A)))
        chunk = max(1, CHUNK // max(1, len(sources_per_A)))
        for start in range(0, len(q_per_A), chunk):
            some = slice(start, start + chunk)
            out[..., some] = weights @ self.profile(q_per_A[None, some] - sources_per_A[:, None], fwhm[:, None])
        return out

    def smear(self, q_per_A: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return a curve as the instrument would show it; near the ends of the range the profile is cut off there.

        Args:
            q_per_A: Shape (K,), rising, 1/Å, in steps well below the width.
            values: Shape (..., K).
        """
        steps = np.gradient(q_per_A)
        norm = self.spread(q_per_A, q_per_A, steps)
        return np.asarray(self.spread(q_per_A, q_per_A, values * steps) / norm)
