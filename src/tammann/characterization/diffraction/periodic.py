"""Powder pattern of a periodic box: the sum over its reciprocal vectors, so that the box itself has no shape."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tammann.characterization.diffraction.broadening import Resolution
from tammann.characterization.diffraction.form_factors import Radiation
from tammann.characterization.diffraction.pattern import PowderPattern, check_q, pattern_from_partials
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

BINS_PER_FWHM = 24
"""Shells of reciprocal vectors within the width of a reflection: the profile is then right to 1e-5 of its height."""
REACH_FWHM = 3.0
"""Vectors so many widths beyond the range contribute; 10 % of a Lorentzian lie farther from its centre."""
MOST_VECTORS = 250_000_000
"""In half of the sphere; 8 bytes each for every element."""


def periodic_pattern(
    configuration: Configuration,
    q_per_A: np.ndarray,
    *,
    radiation: Radiation = "xray",
    b_iso_A2: Mapping[str, float] | float | None = None,
    u_iso_A2: Mapping[str, float] | float | None = None,
    resolution: Resolution,
    threads: int | None = None,
) -> PowderPattern:
    """Return the powder pattern of a box repeated for ever.

    A_ab(Q) = 2 pi²/(N V) sum_{G != 0} Re F_a(G) F_b*(G) / G² R(Q - |G|), with F_a(G) = sum_{j in a} exp(-i G . r_j)
    over the reciprocal vectors G of the box and R the profile of the instrument: the mean over all orientations of a
    polycrystal of such boxes. An infinite box has no surface, so peaks are as wide as the grains and defects in it and
    the instrument make them, and there is no small-angle scattering of the box.

    The amplitudes come from a non-uniform fast Fourier transform, right to 4e-7 of sqrt(N) in the mean. Each vector is
    shared out by cubic interpolation among the four bins around its length, 24 of which lie within the width of a
    reflection, and the bins are then spread with the profile: 1e-5 of the height of a peak. Amplitudes f_a are those
    at Q.

    Args:
        configuration: Any cell, from a unit cell to a million atoms.
        q_per_A: Shape (K,), rising from above 0, 1/Å.
        radiation: ``xray`` or ``neutron``.
        b_iso_A2: Isotropic displacement parameter B of each element or of all, Å²; none where the positions are a
            snapshot of moving atoms.
        u_iso_A2: U = B/(8 pi²) in its place, Å².
        resolution: Of the instrument. The reflections of a box are sharp lines, 2 pi²/(V Q²) apart in the mean; a
            width well above that makes a smooth curve of a disordered box.
        threads: Cores; all of them where None. The result does not depend on it.

    Raises:
        DataError: A grid of Q that does not rise from above 0, an unknown element, displacement parameters out of
            range, or more vectors than fit into memory.

    Example:
        >>> polonium = Configuration(("Po",), np.zeros((1, 3)), 3.35 * np.eye(3))
        >>> q = np.linspace(1.0, 4.0, 601)
        >>> pattern = periodic_pattern(polonium, q, resolution=Resolution(0.05))
        >>> float(q[pattern.intensity.argmax()].round(2))  # 2 pi/a
        1.88
    """
    from tammann.characterization.diffraction.wave_grid import shell_sums, wave_amplitudes  # numba is slow to import

    q = check_q(q_per_A)
    cell, volume = configuration.cell_A, configuration.volume_A3
    widths = resolution.fwhm_at(q)
    longest, step = min(q[-1] + REACH_FWHM * widths[-1], resolution.reach_per_A), widths.min() / BINS_PER_FWHM
    most = np.floor(longest / (2.0 * math.pi) * np.linalg.norm(cell, axis=1)).astype(int)
    vectors = math.prod((2 * most[:2] + 1).tolist()) * (int(most[2]) + 1)
    if vectors > MOST_VECTORS:
        raise DataError(f"q_per_A ends at {q[-1]:g} per Å, where a box of {volume:.3g} Å³ has {vectors:.1e} reciprocal "
                        f"vectors, more than {MOST_VECTORS:.1e}; end it lower, or take a smaller box.")  # fmt: skip
    species = tuple(dict.fromkeys(configuration.symbols))
    kinds = np.array([species.index(symbol) for symbol in configuration.symbols])
    fractional = np.linalg.solve(cell.T, configuration.positions_A.T).T
    waves = np.empty((len(species), 2 * most[0] + 1, 2 * most[1] + 1, most[2] + 1), dtype=np.complex64)
    for a in range(len(species)):
        waves[a] = wave_amplitudes(fractional[kinds == a], most, threads=threads)
    reciprocal = 2.0 * math.pi * np.linalg.inv(cell).T
    first = max(0.0, q[0] - REACH_FWHM * float(widths[0])) - 2.0 * step
    bins = math.ceil((longest - first) / step) + 3
    sums = shell_sums(waves, reciprocal, step, bins, first, threads=threads)
    del waves
    places = first + step * np.arange(bins)
    kept = (places > 0.0) & (places < resolution.reach_per_A)
    partials = resolution.spread(q, places[kept], sums[:, kept]) * (2.0 * math.pi**2 / (len(kinds) * volume))
    return pattern_from_partials(
        species,
        np.bincount(kinds),
        q,
        partials,
        radiation=radiation,
        b_iso_A2=b_iso_A2,
        u_iso_A2=u_iso_A2,
        density_per_A3=len(kinds) / volume,
        resolution=resolution,
    )
