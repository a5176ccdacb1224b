"""The solid or liquid of an element, whose own stable state is the zero of energies."""

import numpy as np

from tammann.thermo.experiment import MeasuredSolid
from tammann.thermo.gibbs import TEMPERATURES_K, elemental_gibbs_energies
from tammann.units import KJ_PER_MOL_IN_EV

_BOILING_J_PER_K_PER_MOL = 42.0
"""Above the entropies of melting of all elements (Si 30, Ge 31), and below those of boiling."""
HEAT_CAPACITY_J_PER_K_PER_MOL_ATOMS = 27.0
"""Of a solid or liquid beyond its table: a little above the 3 R of Dulong and Petit."""


def condensed_element(element: str) -> MeasuredSolid | None:
    """Return an element's condensed phase, zero up to its boiling point and positive above, or None without a table.

    The boiling point is where the slope of the element's own Gibbs energy drops by more than melting would have it.

    Example:
        >>> cadmium = condensed_element("Cd")
        >>> cadmium.gibbs_kJ_per_mol[[0, -1]].round().tolist()
        [0.0, 90.0]
    """
    energies = elemental_gibbs_energies()
    if element not in energies:
        return None
    own = energies[element] / KJ_PER_MOL_IN_EV
    grid = TEMPERATURES_K
    entropy = -1e3 * np.diff(own) / np.diff(grid)  # J/(K mol), at the middle of each interval
    middle = 0.5 * (grid[1:] + grid[:-1])
    jump = np.diff(entropy) - HEAT_CAPACITY_J_PER_K_PER_MOL_ATOMS * np.diff(np.log(middle))
    boils = np.flatnonzero(jump[:-1] + jump[1:] > _BOILING_J_PER_K_PER_MOL)
    curve = np.zeros_like(own)
    if boils.size:
        last = boils[0] + 1  # the last temperature that is surely below the boiling point
        curve[last:] = np.maximum(0.0, continued(own, int(last), 1)[last:] - own[last:])
    return MeasuredSolid(element, curve, 0.0, "elements after FactSage, as in Bartel et al. 2018")


def continued(gibbs_kJ_per_mol: np.ndarray, last: int, n_atoms: int) -> np.ndarray:
    """Continue a substance's own Gibbs energy beyond a temperature, with the heat capacity of solids.

    Args:
        gibbs_kJ_per_mol: The substance's own, not of formation, at ``TEMPERATURES_K``, shape (nT,).
        last: Position of the last temperature that counts, at least 1.
        n_atoms: Atoms per formula unit.

    Returns:
        kJ/mol, shape (nT,).
    """
    grid, T0 = TEMPERATURES_K, TEMPERATURES_K[last]
    Cp = HEAT_CAPACITY_J_PER_K_PER_MOL_ATOMS * n_atoms * 1e-3
    slope = (gibbs_kJ_per_mol[last] - gibbs_kJ_per_mol[last - 1]) / (T0 - grid[last - 1])
    entropy = -slope + Cp * np.log(T0 / (0.5 * (T0 + grid[last - 1])))
    beyond = gibbs_kJ_per_mol[last] - entropy * (grid - T0) - Cp * (grid * np.log(grid / T0) - (grid - T0))
    return np.asarray(np.where(grid > T0, beyond, gibbs_kJ_per_mol))
