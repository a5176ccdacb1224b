"""Powder pattern of a cluster: the Debye sum over all its pairs of atoms, through a histogram of their distances."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tammann.characterization.diffraction.broadening import Resolution
from tammann.characterization.diffraction.form_factors import Radiation
from tammann.characterization.diffraction.pattern import PowderPattern, check_q, pattern_from_partials
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

PHASE_PER_BIN = 0.15
"""Largest Q times the width of a bin; an entry of the sum is then right to 1.2e-5 of its amplitude 1/(Q r)."""
CHUNK = 4_000_000
"""Waves held at a time, 32 MB."""
NEAREST_A = 1e-3
"""Atoms nearer than this are one atom twice."""


def debye_pattern(
    configuration: Configuration,
    q_per_A: np.ndarray,
    *,
    radiation: Radiation = "xray",
    b_iso_A2: Mapping[str, float] | float | None = None,
    u_iso_A2: Mapping[str, float] | float | None = None,
    resolution: Resolution | None = None,
    threads: int | None = None,
) -> PowderPattern:
    """Return the powder pattern of a cluster of atoms, whose cell is ignored.

    A_ab(Q) = 1/N sum_{i in a} sum_{j in b} sin(Q r_ij)/(Q r_ij), the term i = j being 1.

    Distances are collected in bins of h = 0.15/Q_max with the weights of cubic interpolation between four neighbouring
    bins, which is to interpolate the wave between nodes h apart: the error of an entry is at most
    (Q h)⁴ 0.023/(Q r) = 1.2e-5/(Q r). The intensity agrees with the exact sum to better than 1e-5 of <f²>.

    The time goes as N²: 10,000 atoms take under a second, 100,000 a minute or two.

    Args:
        configuration: Atoms of the cluster; wrapped coordinates are taken as they are.
        q_per_A: Shape (K,), rising from above 0, 1/Å.
        radiation: ``xray`` or ``neutron``.
        b_iso_A2: Isotropic displacement parameter B of each element or of all, Å²; none where the positions are a
            snapshot of moving atoms.
        u_iso_A2: U = B/(8 pi²) in its place, Å².
        resolution: Of the instrument; the grid must be finer than its width.
        threads: Cores; all of them where None. The result does not depend on it.

    Raises:
        DataError: A grid of Q that does not rise from above 0, an unknown element, or displacement parameters out of
            range.

    Reference:
        Debye, Ann. Phys. 1915, 351, 809, doi 10.1002/andp.19153510606.

    Example:
        >>> pair = Configuration(("Ar", "Ar"), np.array([[0, 0, 0], [0, 0, 3.8]]), 20.0 * np.eye(3))
        >>> q = np.linspace(0.5, 8.0, 4)
        >>> pattern = debye_pattern(pair, q, radiation="neutron")
        >>> np.abs(pattern.structure_factor - 1.0 - np.sin(3.8 * q) / (3.8 * q)).max() < 1e-5
        np.True_
    """
    from tammann.characterization.diffraction.pair_histogram import pair_histograms  # numba is slow to import

    q = check_q(q_per_A)
    species = tuple(dict.fromkeys(configuration.symbols))
    kinds = np.array([species.index(symbol) for symbol in configuration.symbols])
    counts = np.bincount(kinds, minlength=len(species))
    positions = configuration.positions_A[np.argsort(kinds, kind="stable")]
    width = PHASE_PER_BIN / q[-1]
    histograms, nearest = pair_histograms(positions, counts, width, threads=threads)
    if nearest < NEAREST_A:
        raise DataError("two atoms of the cluster are at the same place; leave out one of each such pair.")
    partials = wave_sums(q, width * np.arange(histograms.shape[1]), histograms) / len(kinds)
    row = 0
    for a, count in enumerate(counts):
        partials[row] = 2.0 * partials[row] + count / len(kinds)
        row += len(species) - a
    if resolution is not None:
        partials = resolution.smear(q, partials)
    return pattern_from_partials(
        species, counts, q, partials, radiation=radiation, b_iso_A2=b_iso_A2, u_iso_A2=u_iso_A2, resolution=resolution
    )


def wave_sums(q_per_A: np.ndarray, r_A: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return sum_k w_k sin(Q r_k)/(Q r_k) for every Q.

    Args:
        q_per_A: Shape (K,), 1/Å.
        r_A: Shape (B,), Å.
        weights: Shape (..., B), w_k.

    Returns:
        Shape (..., K).

    Example:
        >>> wave_sums(np.array([1.0]), np.array([0.0, np.pi]), np.array([3.0, 1.0])).round(6).tolist()
        [3.0]
    """
    used = np.flatnonzero(np.any(weights != 0.0, axis=tuple(range(weights.ndim - 1))))
    out = np.empty((*weights.shape[:-1], len(q_per_A)))
    chunk = max(1, CHUNK // max(1, len(used)))
    for start in range(0, len(q_per_A), chunk):
        some = slice(start, start + chunk)
        out[..., some] = weights[..., used] @ np.sinc(r_A[used, None] * (q_per_A[None, some] / math.pi))
    return out
