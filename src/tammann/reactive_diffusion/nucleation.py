"""Phases that wait for a nucleus: held back until their driving force overcomes the work of an interface.

A spherical nucleus of a phase whose formation releases dg_v per volume, with an interface of energy gamma, takes the
work 16 pi gamma^3 / (3 dg_v^2). It forms where this is no more than kB T ln of the number of attempts. A particle is
small: once a phase has formed in one of its cells it grows wherever it is stable.
"""

from typing import Any

import numpy as np
from numba import njit

from tammann.units import AVOGADRO_PER_MOL, EV_IN_J

LN_ATTEMPTS = 55.0
"""ln of attempts to form a nucleus, 1e24: 1e13 a second for a quarter of an hour at each of 1e8 sites, a particle of
0.1 um, with no wall to help."""


def nucleation_barrier(interface_energy_J_per_m2: float) -> float:
    """Return the least dg_v^2 kB T at which a phase forms, (eV/m^3)^2 eV.

    dg_v^2 kB T = 16 pi gamma^3 / (3 ``LN_ATTEMPTS``).

    Args:
        interface_energy_J_per_m2: gamma; zero lets every phase form at once.

    Example:
        >>> gamma, kB_T = 0.2, 0.1  # J/m^2, eV
        >>> dg_v = np.sqrt(nucleation_barrier(gamma) / kB_T)
        >>> round(float(dg_v * 1.6e-29), 3)  # eV per site of 16 A^3
        0.039
    """
    gamma = interface_energy_J_per_m2 / EV_IN_J
    return float(16.0 * np.pi * gamma**3 / (3.0 * LN_ATTEMPTS))


@njit(cache=True, nogil=True)
def nucleate(psi: Any, composition: Any, gibbs: Any, volume: Any, kB_T: Any, barrier: Any, nucleated: Any) -> Any:
    """Let the phase form that overcomes the barrier most easily in some cell; return whether there was any.

    The driving force per site is z_p psi - g_p above that of the best of the phases that have formed. Others are judged
    anew after a step, against what has formed by then.

    Args:
        psi: Potentials of the cells, shape (N, D), eV per site.
        composition: z of every phase, shape (P, D).
        gibbs: Of every phase, infinite where it cannot form, shape (P,), eV per site.
        volume: Of a mole of sites, shape (P,), m^3.
        kB_T: In eV.
        barrier: As ``nucleation_barrier``.
        nucleated: Which have formed, shape (P,), changed in place.

    Example:
        >>> formed = np.array([True, False, True])
        >>> y, g, volume = np.array([[0.0], [0.5], [1.0]]), np.array([0.0, -0.1, 0.0]), np.full(3, 1e-5)
        >>> nucleate(np.zeros((1, 1)), y, g, volume, 0.1, nucleation_barrier(1.0), formed), formed.tolist()
        (False, [True, False, True])
        >>> nucleate(np.zeros((1, 1)), y, g, volume, 0.1, nucleation_barrier(0.1), formed), formed.tolist()
        (True, [True, True, True])
    """
    most = np.zeros(gibbs.size)
    gain = np.empty(gibbs.size)
    for i in range(psi.shape[0]):
        best = -np.inf
        for p in range(gibbs.size):
            gain[p] = -gibbs[p]
            for d in range(psi.shape[1]):
                gain[p] += composition[p, d] * psi[i, d]
            if nucleated[p]:
                best = max(best, gain[p])
        for p in range(gibbs.size):
            most[p] = max(most[p], gain[p] - best)
    first, strongest = -1, 0.0
    for p in range(gibbs.size):
        force = most[p] * AVOGADRO_PER_MOL / volume[p]
        if not nucleated[p] and force > strongest and force * force * kB_T >= barrier:
            first, strongest = p, force
    if first >= 0:
        nucleated[first] = True
    return first >= 0
