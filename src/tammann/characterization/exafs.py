"""The first shell of an atom as X-ray absorption reports it: distance, coordination number and variance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.coordination import centres_of
from tammann.characterization.frames import check_elements, frames_of, species_of
from tammann.characterization.network import SHELL_A, bond_network
from tammann.characterization.rdf import pair_distribution
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

K_PER_A = (3.0, 12.0)
"""Wave numbers of a common fit, 1/Å."""
K_WEIGHT = 2
FARTHEST_SHIFT_A = 0.5
"""Largest difference between the mean distance and that of the fit."""


@dataclass(frozen=True)
class FirstShell:
    """Cumulants of the bonds in a first shell, and what a fit of one Gaussian shell to its EXAFS would report.

    Attributes:
        centre: The absorbing element.
        neighbour: Element around it.
        cutoff_A: Largest distance, Å.
        coordination: Neighbours per centre, N.
        distance_A: Mean distance, the first cumulant, Å.
        variance_A2: Variance of the distances about their mean, sigma², the second cumulant, Å².
        third_cumulant_A3: Mean cube of the deviation, Å³; above 0 where the shell has a tail of long bonds.
        fitted_coordination: N of the Gaussian shell whose EXAFS is nearest to that of all bonds; NaN without bonds.
        fitted_distance_A: Its distance, Å.
        fitted_variance_A2: Its variance, Å².
        misfit: Root of the mean square difference of the two signals over that of the signal, weighted as the fit.
    """

    centre: str
    neighbour: str
    cutoff_A: float
    coordination: float
    distance_A: float
    variance_A2: float
    third_cumulant_A3: float
    fitted_coordination: float
    fitted_distance_A: float
    fitted_variance_A2: float
    misfit: float


def first_shell(
    source: Configuration | Sequence[Configuration] | Trajectory,
    centre: str,
    neighbour: str,
    *,
    cutoff_A: float | None = None,
    atoms: np.ndarray | None = None,
    k_per_A: tuple[float, float] = K_PER_A,
    k_weight: int = K_WEIGHT,
    threads: int | None = None,
) -> FirstShell:
    """Return distance, coordination number and variance of a first shell, as they are and as EXAFS would give them.

    The signal of a shell is chi(k) ~ Im sum_j exp(2 i k R_j + i phi(k)) / (k R_j²). With phase phi(k) and amplitude
    known, as from a reference, an experiment is fitted by N exp(2 i k R - 2 k² sigma²) / (k R²). The same fit is made
    here to the bonds themselves, over the wave numbers and with the weight k^n of a usual analysis. Where bonds are
    unlike, long ones lose their phase at large k: the fit then has fewer and shorter bonds than there are, which is to
    be known before a model of a glass is held against a measurement. Disorder of one configuration is static only;
    frames of a trajectory add that of the vibrations.

    Args:
        source: One configuration or several, or a trajectory, of which evenly spread frames are taken.
        centre: The absorbing element.
        neighbour: Element around it.
        cutoff_A: Largest distance, Å; the first minimum of g(r) after its first peak where None.
        atoms: Which atoms may be centres, true or false for each, shape (N,); all where None.
        k_per_A: Least and largest wave number k of the fit, 1/Å.
        k_weight: Power n of k by which the signal is weighted, 1 to 3 in practice.
        threads: Cores; all of them where None.

    Raises:
        DataError: An element that is not there, no centre, or a number out of range.

    Reference:
        Sayers, Stern, Lytle, Phys. Rev. Lett. 1971, 27, 1204, doi 10.1103/PhysRevLett.27.1204; cumulants: Bunker, Nucl.
        Instrum. Methods 1983, 207, 437, doi 10.1016/0167-5087(83)90655-5.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> shell = first_shell(cscl, "Cs", "Cl", cutoff_A=3.7)
        >>> shell.coordination, round(shell.distance_A, 3), round(shell.fitted_coordination, 3)
        (8.0, 3.464, 8.0)
    """
    check_elements((centre, neighbour), species_of(source))
    low, high = k_per_A
    if not (0.0 < low < high <= 30.0 and 0 <= k_weight <= 5):
        raise DataError(
            f"k_per_A, k_weight: expected wave numbers from above 0 to at most 30 1/Å and a power from 0 to 5, got "
            f"{low:g} to {high:g} and {k_weight}."
        )
    if cutoff_A is None:
        cutoff_A = pair_distribution(source, cutoff_A=SHELL_A, threads=threads).first_shell(centre, neighbour)[1]
    parts, centres = [], 0
    for frame in frames_of(source):
        here = np.zeros(frame.n_atoms, dtype=bool)
        here[centres_of(frame, centre, atoms)] = True
        pairs = bond_network(frame, {(centre, neighbour): cutoff_A}, threads=threads).between(centre, neighbour)
        parts.append(pairs.distances_A[here[pairs.centres]])
        centres += int(here.sum())
    bonds = np.concatenate(parts)
    if not len(bonds):
        nan = math.nan
        return FirstShell(centre, neighbour, cutoff_A, 0.0, nan, nan, nan, nan, nan, nan, nan)
    mean = float(bonds.mean())
    variance, cube = (float(((bonds - mean) ** power).mean()) for power in (2, 3))
    fit = _fit(bonds, len(bonds) / centres, np.linspace(low, high, 181), k_weight)
    return FirstShell(centre, neighbour, cutoff_A, len(bonds) / centres, mean, variance, cube, *fit)


def _fit(bonds: np.ndarray, coordination: float, k: np.ndarray, weight: int) -> tuple[float, float, float, float]:
    """Return N, R and sigma² of the Gaussian shell whose signal is nearest, and the relative misfit."""
    from scipy.optimize import least_squares

    # bonds of equal length to a thousandth of an Å are counted together
    counts, edges = np.histogram(bonds, bins=max(1, math.ceil(np.ptp(bonds) / 1e-3)))
    middles = np.full(1, bonds[0]) if np.ptp(bonds) == 0.0 else 0.5 * (edges[1:] + edges[:-1])
    middles, counts = middles[counts > 0], counts[counts > 0]
    shares = coordination * counts / counts.sum()
    # the phase of the mean distance is taken out, so that the fit sees differences of distances
    start = float(np.average(middles, weights=counts))
    power = k ** (weight - 1)
    signal = power * (np.exp(2j * k[:, None] * (middles - start)) @ (shares / middles**2))

    def off(parameters: np.ndarray) -> np.ndarray:
        number, shift, variance = parameters
        model = power * number / (start + shift) ** 2 * np.exp(2j * k * shift - 2.0 * k**2 * variance)
        return np.concatenate([(model - signal).real, (model - signal).imag])

    spread = float(np.average((middles - start) ** 2, weights=counts))
    # the phase 2 k R is periodic, so the fit has other minima beside the best: several beginnings, near the mean
    fits = [
        least_squares(
            off,
            [coordination, begin, min(spread, 0.02)],
            bounds=([0.0, -FARTHEST_SHIFT_A, -0.01], [np.inf, FARTHEST_SHIFT_A, np.inf]),
            x_scale=[coordination, 0.01, 0.001],
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
        )
        for begin in (0.0, -0.15, 0.15)
    ]
    found = min(fits, key=lambda fit: fit.cost)
    number, shift, variance = (float(value) for value in found.x)
    misfit = math.sqrt(float((off(found.x) ** 2).sum()) / float((np.abs(signal) ** 2).sum()))
    return number, start + shift, variance, misfit
