"""Where solids decompose by the energies of a system: into others, and gases at 1 bar."""

from typing import NamedTuple

import numpy as np

from tammann.composition import parse_formula
from tammann.thermo.equilibrium import best_mixture
from tammann.thermo.hull import energy_above_hull
from tammann.thermo.phase import FloatArray, Phases

_STABLE_EV_PER_ATOM = 1e-7
_MOLECULES = {"P": "P4", "As": "As4", "S": "S2", "Se": "Se2", "Te": "Te2", "Br": "Br2", "I": "I2"}
"""What the vapours of elements consist of where they boil; all others are taken as single atoms."""


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
    Gibbs energy of that reaction is linear between two tabulated temperatures, and its zero the answer. Elements are
    in their stable state, above their boiling point a vapour such as Cd(g) or S2(g) at 1 bar. Other gases that are no
    phases of the system do not form.

    Args:
        phases: The system, with its gases.
        energies: Name of the energy set; the default set where none is given.

    Example:
        >>> from tammann.thermo import measured_phases
        >>> lime = decomposition_points(measured_phases(["Ca", "C", "O"]))["CaCO3"]
        >>> round(lime.temperature_K), lime.equation
        (1161, 'CaO + CO2')
    """
    grid = phases.energy_set(energies).temperature_K
    above = np.array([energy_above_hull(phases, float(T), energies=energies) for T in grid])
    atoms = phases.composition_matrix.sum(axis=1)
    # the elements in their stable state close the hull, whether or not they are phases
    per_atom = np.c_[phases.energy_set(energies).gibbs_eV_per_atom, np.zeros((len(grid), len(phases.elements)))]
    fractions = np.vstack([phases.atom_fractions, np.eye(len(phases.elements))])
    found = {}
    for i, phase in enumerate(phases):
        gone = above[:, i] > _STABLE_EV_PER_ATOM
        if phase.state != "solid" or len(phase.composition) < 2 or gone[0] or not gone.any():
            continue
        k = int(np.argmax(gone))
        mixture = best_mixture(fractions, per_atom[k], i)
        assert mixture is not None  # the elements are one
        shares = np.where(mixture[0] > 1e-9, mixture[0], 0.0)
        reaction = np.nan_to_num(per_atom) @ shares - per_atom[:, i]
        before, after = reaction[k - 1], reaction[k]
        share = before / (before - after) if before > after else 0.0
        products: dict[str, float] = {}
        for j in np.flatnonzero(shares).tolist():
            name, n_atoms = (phases[j].formula, int(atoms[j])) if j < len(phases) else _element(phases, per_atom[k], j)
            products[name] = products.get(name, 0.0) + float(shares[j]) * phase.n_atoms / n_atoms
        found[phase.formula] = Decomposition(float(grid[k - 1] + share * (grid[k] - grid[k - 1])), products)
    return found


def _element(phases: Phases, gibbs: FloatArray, column: int) -> tuple[str, int]:
    """Return the name of an element's stable state, and its atoms; ``column`` counts from the phases on."""
    element = phases.elements[column - len(phases)]
    own = {tuple(phase.composition): i for i, phase in enumerate(phases) if len(phase.composition) == 1}.get((element,))
    if own is None:
        return element, 1
    if not gibbs[own] > _STABLE_EV_PER_ATOM:
        return phases[own].formula, phases[own].n_atoms
    molecule = _MOLECULES.get(element, element)
    return f"{molecule}(g)", sum(parse_formula(molecule).values())
