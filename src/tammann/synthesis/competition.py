"""Primary and secondary competition at the interface of two precursors, and the inverse-hull energy."""

from __future__ import annotations

from functools import cache

import numpy as np

from tammann.synthesis.interface import lower_hull


def primary_competition_eV_per_atom(energy: float, competing: np.ndarray) -> float:
    r"""Return C1, the energy of the target's reaction less that of the most favourable competing one.

    C1 = dG(target) - min_c dG(c), both per atom of the two precursors; competing are all reactions of the two, in any
    ratio, that do not form the target, and that nothing happens, dG = 0. Negative: no other reaction has so large a
    driving force. The authors' public code also counts reactions that form the target together with another phase, at
    another ratio; these are mixtures of the target's own with others, so they are left out here.

    Args:
        energy: Gibbs energy of the target's reaction, eV per atom.
        competing: Those of the competing reactions, eV per atom, shape (m,).

    Reference:
        McDermott et al., ACS Cent. Sci. 2023, 9, 1957, doi 10.1021/acscentsci.3c01051.

    Example:
        >>> import numpy as np
        >>> round(primary_competition_eV_per_atom(-0.30, np.array([-0.34, -0.1])), 3)
        0.04
    """
    return float(energy - min(0.0, float(np.min(competing, initial=0.0))))


def secondary_competition_eV_per_atom(fraction: float, fractions: np.ndarray, energies: np.ndarray) -> float:
    r"""Return C2, the mean energy that reactions of the target with what is left of the precursors could release.

    On the interface reaction hull, the lower hull of energies against the ratio, the target at x splits the rest into
    [0, x] and [x, 1]. A sequence of secondary reactions fills one of them: of the m corners within, one forms first
    from the two ends and releases its height h below the line between these, then both parts go on in the same way,
    until all corners are there. There are Catalan(m) = (2m)! / (m! (m+1)!) sequences; with E their mean released energy

        C2 = E[0, x] + E[x, 1],   E = sum_k Catalan(k-1) Catalan(m-k) / Catalan(m) (h_k + E_left + E_right).

    The energy of the end at x is that of the hull there, as published, also where the target lies above it.

    Args:
        fraction: Share x of the atoms that the second precursor brings to the target's reaction.
        fractions: The same of all reactions of the two precursors, shape (R,).
        energies: Their Gibbs energies, eV per atom of the precursors, shape (R,).

    Returns:
        eV per atom, zero or positive: the smaller, the less there is to gain from turning the target into impurities.

    Reference:
        McDermott et al., ACS Cent. Sci. 2023, 9, 1957, doi 10.1021/acscentsci.3c01051.

    Example:
        >>> import numpy as np
        >>> round(secondary_competition_eV_per_atom(0.5, np.array([0.25, 0.5]), np.array([-0.2, -0.3])), 3)
        0.05
    """
    hull = lower_hull(fractions, energies)
    middle = (fraction, float(np.interp(fraction, hull[:, 0], hull[:, 1])))
    left = [(x, e) for x, e in hull.tolist() if x < fraction - 1e-9]
    right = [(x, e) for x, e in hull.tolist() if x > fraction + 1e-9]
    return _mean_released((*left, middle)) + _mean_released((middle, *right))


def inverse_hull_energy_eV_per_atom(
    fraction: float, energy: float, fractions: np.ndarray, energies: np.ndarray
) -> float:
    """Return how far the target's reaction lies below the hull of all reactions that do not form it.

    It is the energy that the competing phases and precursors around the target still release by forming it: with a
    large one the target forms even when impurities came first. Negative where it lies above that hull.

    Args:
        fraction: Share x of the atoms that the second precursor brings to the target's reaction.
        energy: Gibbs energy of that reaction, eV per atom of the precursors.
        fractions: Shares of the competing reactions, shape (m,).
        energies: Their Gibbs energies, eV per atom, shape (m,).

    Reference:
        Chen et al., Nat. Synth. 2024, 3, 606, doi 10.1038/s44160-024-00502-y.

    Example:
        >>> import numpy as np
        >>> round(inverse_hull_energy_eV_per_atom(0.5, -0.3, np.array([0.25, 0.75]), np.array([-0.2, -0.1])), 3)
        0.15
    """
    hull = lower_hull(fractions, energies)
    return float(np.interp(fraction, hull[:, 0], hull[:, 1])) - energy


@cache
def _catalan(n: int) -> int:
    return 1 if n == 0 else sum(_catalan(k) * _catalan(n - 1 - k) for k in range(n))


@cache
def _mean_released(points: tuple[tuple[float, float], ...]) -> float:
    """Return the mean energy of all sequences between the first and the last of points on a convex line."""
    m = len(points) - 2
    if m < 1:
        return 0.0
    (x0, e0), (x1, e1) = points[0], points[-1]
    total = 0.0
    for k in range(1, m + 1):
        x, e = points[k]
        height = e0 + (e1 - e0) * (x - x0) / (x1 - x0) - e
        weight = _catalan(k - 1) * _catalan(m - k) / _catalan(m)
        total += weight * (height + _mean_released(points[: k + 1]) + _mean_released(points[k:]))
    return total
