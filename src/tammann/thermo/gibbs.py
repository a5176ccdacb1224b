"""From a formation energy at 0 K to a Gibbs energy of formation at T.

Computed energies are for 0 K (or 298 K enthalpies, which differ little); the descriptor of Bartel et al. adds the
thermal part of a solid, and tabulated Gibbs energies of the elements bring the reference to the same temperature.
"""

from collections.abc import Mapping
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.thermo._tables import read_columns
from tammann.thermo.phase import FloatArray

TEMPERATURES_K: FloatArray = np.arange(300.0, 2001.0, 100.0)
"""Temperatures at which shipped energy sets are tabulated."""
COMPUTED_STANDARD_ERROR_EV_PER_ATOM = 0.040
"""A fair standard error of a computed formation energy; it decides little in reactions that are not close calls."""

THERMAL_PART = "thermal part by the descriptor of Bartel et al. 2018"


@cache
def elemental_gibbs_energies() -> Mapping[str, FloatArray]:
    """Return G(T) of the elements at ``TEMPERATURES_K``, eV per atom relative to their enthalpy at 298 K."""
    temperature, table = read_columns("elements/gibbs_energies.csv")
    assert np.array_equal(temperature, TEMPERATURES_K)
    return table


def reduced_mass(composition: Mapping[str, int]) -> float:
    """Average the reduced masses of all pairs of elements, in amu.

    m = sum over pairs (a_i + a_j) m_i m_j / (m_i + m_j) / ((n - 1) sum_i a_i), with a_i the atoms of element i in the
    formula and n the number of elements (eq. 6 of Bartel et al.); any multiple of the formula gives the same.

    Example:
        >>> round(reduced_mass({"Ti": 1, "O": 2}), 3)
        11.991
    """
    masses = atomic_masses()
    pairs = combinations(composition.items(), 2)
    total = sum((a + b) * masses[i] * masses[j] / (masses[i] + masses[j]) for (i, a), (j, b) in pairs)
    return total / ((len(composition) - 1) * sum(composition.values()))


def bartel_gibbs(
    composition: Mapping[str, int],
    formation_energy_eV_per_atom: float,
    volume_A3_per_atom: float,
    temperature_K: npt.ArrayLike = TEMPERATURES_K,
) -> FloatArray:
    """Return a solid's Gibbs energy of formation from its formation energy and volume.

    dG(T) = dH + [-2.48e-4 ln V - 8.94e-5 m/V] T + 0.181 ln T - 0.882 - sum_i x_i G_i(T), with dH
    ``formation_energy_eV_per_atom``, V ``volume_A3_per_atom``, m :func:`reduced_mass` in amu, x_i atom fractions and
    G_i the elements' Gibbs energies. An element is its own reference: zero.

    The descriptor was fitted to experiment from 300 to 1800 K (mean error about 60 meV/atom for the Gibbs energy, less
    for differences between similar solids). Its temperature term grows with ln V, so that a wrong polymorph's volume
    shifts stability at high temperature.

    Args:
        composition: Atoms per formula unit.
        formation_energy_eV_per_atom: eV per atom at 0 K.
        volume_A3_per_atom: Angstrom^3 per atom.
        temperature_K: K, any shape, 300 to 2000.

    Returns:
        eV per atom, the shape of ``temperature_K``.

    Raises:
        DataError: An element has no tabulated Gibbs energy, or the volume is not positive.

    Reference:
        Bartel et al., Nat. Commun. 2018, 9, 4168, doi 10.1038/s41467-018-06682-4.

    Example:
        >>> bartel_gibbs({"Ti": 1, "O": 2}, -3.49, 10.4, [300.0, 1000.0]).round(2).tolist()
        [-3.3, -2.89]
    """
    T = np.asarray(temperature_K, dtype=float)
    if len(composition) == 1:
        return np.zeros(T.shape)
    if not volume_A3_per_atom > 0.0:
        raise DataError(f"volume_A3_per_atom {volume_A3_per_atom!r} is not positive: expected Angstrom^3 per atom")
    elements = elemental_gibbs_energies()
    missing = [element for element in composition if element not in elements]
    if missing:
        raise DataError(
            f"element {missing[0]} has no tabulated Gibbs energy, which the descriptor needs: "
            f"leave its phases out, or expect one of {', '.join(elements)}"
        )
    n = sum(composition.values())
    reference = sum(count * np.interp(T, TEMPERATURES_K, elements[e]) for e, count in composition.items()) / n
    V, m = volume_A3_per_atom, reduced_mass(composition)
    thermal = (-2.48e-4 * np.log(V) - 8.94e-5 * m / V) * T + 0.181 * np.log(T) - 0.882
    return formation_energy_eV_per_atom + thermal - reference


def enthalpy_of(gibbs_eV_per_atom: FloatArray, temperature_K: FloatArray = TEMPERATURES_K) -> float:
    """Return the enthalpy of formation near room temperature, eV per atom, from the first two values of a curve G(T).

    Example:
        >>> round(enthalpy_of(bartel_gibbs({"Ti": 1, "O": 2}, -3.26, 10.4)), 1)
        -3.3
    """
    (T, other), (G, further) = temperature_K[:2], gibbs_eV_per_atom[:2]
    return float(G - T * (further - G) / (other - T))
