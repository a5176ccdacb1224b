"""One call from a structure to its powder pattern and G(r)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from tammann.characterization.diffraction.broadening import Resolution
from tammann.characterization.diffraction.debye import debye_pattern
from tammann.characterization.diffraction.form_factors import Radiation
from tammann.characterization.diffraction.pattern import PowderPattern
from tammann.characterization.diffraction.periodic import periodic_pattern
from tammann.characterization.diffraction.real_space import PairFunction, pair_function
from tammann.characterization.diffraction.two_theta import polarization, two_theta_of, wavelength_of
from tammann.characterization.frames import frames_of
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

FWHM_PER_A = 0.02
"""Width of a good laboratory instrument, a third of a degree in two theta of Cu Kα."""
MOST_FRAMES = 20
"""Frames of a trajectory computed, evenly spread over it."""


@dataclass(frozen=True, eq=False)
class Diffraction:
    """A powder pattern with the G(r) that follows from it.

    Attributes:
        pattern: I(Q), S(Q), F(Q) and the partials.
        pair_function: G(r), limited by the range of Q as a measured one.
        wavelength_A: Of the two-theta axis, Å; None where none was given.
    """

    pattern: PowderPattern
    pair_function: PairFunction
    wavelength_A: float | None = None

    @property
    def two_theta_deg(self) -> np.ndarray:
        """2 theta of each point of the pattern, degrees, shape (K,); NaN out of reach of the wavelength.

        Raises:
            DataError: No wavelength.
        """
        if self.wavelength_A is None:
            raise DataError("the two-theta axis needs a wavelength; give one to diffract().")
        return two_theta_of(self.pattern.q_per_A, self.wavelength_A)

    @property
    def counts(self) -> np.ndarray:
        """What a point detector counts at each 2 theta, shape (K,): I(Q), for X-rays times the polarization factor.

        Raises:
            DataError: No wavelength.
        """
        angles = self.two_theta_deg
        return self.pattern.intensity * (polarization(angles) if self.pattern.radiation == "xray" else 1.0)


def diffract(
    source: Configuration | Sequence[Configuration] | Trajectory,
    *,
    sample: Literal["box", "cluster"] = "box",
    q_min_per_A: float = 0.5,
    q_max_per_A: float = 8.0,
    q_step_per_A: float = 0.005,
    r_max_A: float = 30.0,
    r_step_A: float = 0.01,
    radiation: Radiation = "xray",
    wavelength: str | float | None = None,
    b_iso_A2: Mapping[str, float] | float | None = None,
    u_iso_A2: Mapping[str, float] | float | None = None,
    resolution: Resolution | None = None,
    lorch: bool = False,
    frames: int = MOST_FRAMES,
    threads: int | None = None,
) -> Diffraction:
    """Return powder pattern and G(r) of a structure, or their means over several of one composition.

    The intensities of frames are added, not their amplitudes: a mean over frames of dynamics has the diffuse scattering
    of the vibrations in it and needs no displacement parameters.

    Args:
        source: One configuration, several, or a trajectory, of which evenly spread frames are taken.
        sample: ``box``, repeated for ever, by the sum over its reciprocal vectors (``periodic_pattern``); or
            ``cluster`` in vacuum, whatever its cell, by the Debye sum (``debye_pattern``).
        q_min_per_A: Range of Q, 1/Å. G(r) is the transform over all of it: for a cluster it should begin above its
            small-angle scattering.
        q_max_per_A: End of the range.
        q_step_per_A: Step of the grid; well below the width of the instrument.
        r_max_A: G(r) goes so far, Å.
        r_step_A: In these steps.
        radiation: ``xray`` or ``neutron``.
        wavelength: For the two-theta axis: Å, or the name of a line such as ``CuKa1``; the pattern ends where it does.
        b_iso_A2: Isotropic displacement parameter B of each element or of all, Å².
        u_iso_A2: U = B/(8 pi²) in its place, Å².
        resolution: Of the instrument. Where None, a Gaussian of 0.02 per Å for a box; none for a cluster.
        lorch: Apply the window of Lorch to G(r).
        frames: Most frames of a trajectory; fewer of more than 20,000 atoms.
        threads: Cores; all of them where None. The result does not depend on it.

    Raises:
        DataError: A range or grid that makes no sense, frames of different composition, or what the functions above
            refuse.

    Example:
        >>> polonium = Configuration(("Po",), np.zeros((1, 3)), 3.35 * np.eye(3))
        >>> found = diffract(polonium, wavelength="CuKa1", q_max_per_A=5.0, q_step_per_A=0.004, r_max_A=10.0)
        >>> float(found.two_theta_deg[found.counts.argmax()].round(1))  # 26.6 is that of (100)
        26.6
    """
    if sample not in ("box", "cluster"):
        raise DataError(f"sample is {sample!r}, expected 'box' or 'cluster'.")
    for name, value in (("q_step_per_A", q_step_per_A), ("r_max_A", r_max_A), ("r_step_A", r_step_A)):
        if not 0.0 < value < np.inf:
            raise DataError(f"{name} is {value:g}, expected a number above 0.")
    if not 0.0 < q_min_per_A < q_max_per_A - q_step_per_A < np.inf:
        raise DataError(f"q_min_per_A and q_max_per_A are {q_min_per_A:g} and {q_max_per_A:g}, expected a range "
                        "above 0 of several steps.")  # fmt: skip
    length = None if wavelength is None else wavelength_of(wavelength)
    if length is not None:
        q_max_per_A = min(q_max_per_A, 4.0 * np.pi / length - q_step_per_A)
        if q_max_per_A <= q_min_per_A:
            raise DataError(f"a wavelength of {length:g} Å ends at Q = {4.0 * np.pi / length:.3g} per Å, below "
                            f"q_min_per_A = {q_min_per_A:g}; give a shorter one.")  # fmt: skip
    if resolution is None and sample == "box":
        resolution = Resolution(FWHM_PER_A)
    q = np.arange(q_min_per_A, q_max_per_A + 0.5 * q_step_per_A, q_step_per_A)
    if resolution is not None and q_step_per_A > 0.5 * float(resolution.fwhm_at(q).min()):
        raise DataError(f"q_step_per_A is {q_step_per_A:g}, expected half the width of the instrument or less, "
                        f"{0.5 * float(resolution.fwhm_at(q).min()):.3g} per Å.")  # fmt: skip

    def one(configuration: Configuration) -> PowderPattern:
        if sample == "box":
            assert resolution is not None
            return periodic_pattern(configuration, q, radiation=radiation, b_iso_A2=b_iso_A2, u_iso_A2=u_iso_A2,
                                    resolution=resolution, threads=threads)  # fmt: skip
        return debye_pattern(configuration, q, radiation=radiation, b_iso_A2=b_iso_A2, u_iso_A2=u_iso_A2,
                             resolution=resolution, threads=threads)  # fmt: skip

    pattern = _mean_pattern([one(configuration) for configuration in frames_of(source, frames)])
    r = np.arange(r_step_A, r_max_A + 0.5 * r_step_A, r_step_A)
    return Diffraction(pattern, pair_function(pattern, r, lorch=lorch), length)


def _mean_pattern(patterns: Sequence[PowderPattern]) -> PowderPattern:
    """Return the mean of patterns of one composition; elements may stand in any order."""
    first = patterns[0]
    if len(patterns) == 1:
        return first
    shares = dict(zip(first.species, first.concentrations.tolist(), strict=True))
    for k, other in enumerate(patterns):
        own = dict(zip(other.species, other.concentrations.tolist(), strict=True))
        if set(own) != set(shares) or any(abs(own[symbol] - shares[symbol]) > 1e-9 for symbol in own):
            raise DataError(f"source: expected frames of one composition, got another in frame {k}; compute each by "
                            "itself.")  # fmt: skip

    def mean(a: str, b: str) -> np.ndarray:
        each = (p.partials[a, b] if (a, b) in p.partials else p.partials[b, a] for p in patterns)
        return np.asarray(sum(each) / len(patterns))

    densities = [p.density_per_A3 for p in patterns if p.density_per_A3 is not None]
    return replace(
        first,
        partials={pair: mean(*pair) for pair in first.partials},
        density_per_A3=float(np.mean(densities)) if densities else None,
    )
