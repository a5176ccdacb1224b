"""Where solids decompose by the energies of a system: into others, and gases at 1 bar."""

from typing import NamedTuple

import numpy as np

from tammann.thermo.equilibrium import equilibrium
from tammann.thermo.hull import energy_above_hull
from tammann.thermo.phase import Phases

_STABLE_EV_PER_ATOM = 1e-7


class Decomposition(NamedTuple):
    """Above which temperature, K, a solid is less stable than what moles of which products it turns into."""

    temperature_K: float
    products: dict[str, float]

    @property
    def equation(self) -> str:
        """The products as a line of text."""
        return " + ".join(f"{n:.3g} {f}" if abs(n - 1.0) > 5e-4 else f for f, n in self.products.items())


def decomposition_points(phases: Phases, *, energies: str | None = None) -> dict[str, Decomposition]:
    """Return where the compounds of a system that are stable when cold decompose on heating, by formula.

    At each tabulated temperature the distance from the hull says which have decomposed, and equilibrium into what. The
    Gibbs energy of that reaction is linear between two tabulated temperatures, and its zero the answer. Gases that are
    no phases of the system do not form.

    Args:
        phases: The system, with its gases.
        energies: Name of the energy set; the default set where none is given.

    Example:
        >>> from tammann.thermo import measured_phases
        >>> lime = decomposition_points(measured_phases(["Ca", "C", "O"]))["CaCO3"]
        >>> round(lime.temperature_K), lime.equation
        (1163, 'CaO + CO2')
    """
    grid = phases.energy_set(energies).temperature_K
    above = np.array([energy_above_hull(phases, float(T), energies=energies) for T in grid])
    gibbs = phases.energy_set(energies).gibbs_eV_per_atom * phases.composition_matrix.sum(axis=1)
    found = {}
    for i, phase in enumerate(phases):
        gone = above[:, i] > _STABLE_EV_PER_ATOM
        if phase.state != "solid" or len(phase.composition) < 2 or gone[0] or not gone.any():
            continue
        k = int(np.argmax(gone))
        products = equilibrium(phases, {phase.formula: 1.0}, float(grid[k]), energies=energies)
        reaction = sum(n * gibbs[:, phases.index(f)] for f, n in products.items()) - gibbs[:, i]
        before, after = reaction[k - 1], reaction[k]
        share = before / (before - after) if before > after else 0.0
        found[phase.formula] = Decomposition(float(grid[k - 1] + share * (grid[k] - grid[k - 1])), products)
    return found
