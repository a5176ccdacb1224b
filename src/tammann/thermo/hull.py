"""Which phases are stable: energies above the convex hull."""

from collections.abc import Mapping

from tammann.thermo.chemical_potential import chemical_potential_diagram
from tammann.thermo.phase import FloatArray, Phases


def energy_above_hull(
    phases: Phases,
    temperature_K: float,
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
) -> FloatArray:
    """Return how far each phase lies above the convex hull of Gibbs energies.

    e_p = g_p - h(x_p), with h(x) = max { x . mu : x_q . mu <= g_q for all q } the energy of the best mixture of phases
    at the same composition (linear-programming duality). With gases held at partial pressures it is the hull of grand
    potentials: a carbonate that decomposes in this atmosphere lies above it. Elements in their stable state belong to
    the hull whether or not they are listed as phases; a gas that is not held is pure, at 1 bar.

    Args:
        phases: The system.
        temperature_K: K.
        energies: Name of the energy set; the default set where none is given.
        partial_pressure_Pa: Gases held at a pressure, Pa.

    Returns:
        eV per atom of the phase as written, shape (n,): zero where stable, NaN where the set has no energy.

    Raises:
        DataError: The temperature or a gas is outside the data.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> float(energy_above_hull(phases, 1300.0)[phases.index("BaTiO3")])
        0.0
    """
    diagram = chemical_potential_diagram(
        phases, temperature_K, energies=energies, partial_pressure_Pa=partial_pressure_Pa
    )
    return diagram.energy_above_hull_eV_per_atom
