"""Solids from original papers and assessments, which ship with the package: enthalpy, entropy and heat capacity."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from tammann.composition import composition_key, elements_of, parse_formula
from tammann.systems import read_rows
from tammann.thermo.experiment import MeasuredSolid
from tammann.thermo.gibbs import TEMPERATURES_K, elemental_gibbs_energies
from tammann.thermo.phase import FloatArray
from tammann.units import KJ_PER_MOL_IN_EV, ROOM_TEMPERATURE_K

STANDARD_ERROR_KJ_PER_MOL_ATOMS = 2.0
"""Where the source states none."""
_T0 = ROOM_TEMPERATURE_K
_HEAT_CAPACITY = ("cp_a", "cp_b", "cp_c", "cp_d", "cp_e")


def gibbs_of_formation(
    composition: Mapping[str, int],
    enthalpy_kJ_per_mol: float,
    entropy_J_per_K_per_mol: float,
    heat_capacity: Iterable[float],
    heat_capacity_to_K: float = math.inf,
) -> FloatArray:
    """Return the Gibbs energy of formation of a solid from its enthalpy, entropy and heat capacity.

    G(T) = dH + int Cp dT - T (S + int Cp/T dT) - sum_i n_i (G_i(T) - H_i(298)), with Cp = a + b T + c T^-2 + d T^-1/2 +
    e T^2 in J/(K mol) and the integrals from 298.15 K; beyond the temperature to which Cp was fitted it keeps its value
    there. The elements' energies are those that the descriptor of Bartel et al. uses.

    Args:
        composition: Atoms per formula unit.
        enthalpy_kJ_per_mol: Standard enthalpy of formation at 298.15 K, kJ per mole of formula units.
        entropy_J_per_K_per_mol: Standard entropy S at 298.15 K.
        heat_capacity: The five numbers a to e.
        heat_capacity_to_K: Where the fit of Cp ends.

    Returns:
        kJ per mole of formula units at ``TEMPERATURES_K``, shape (nT,).

    Example:
        >>> lime = gibbs_of_formation({"Ca": 1, "O": 1}, -635.1, 38.1, (51.28, 3.2e-3, -9.4e5, 0.0, 0.0))
        >>> lime[[0, 7]].round().tolist()
        [-603.0, -531.0]
    """
    a, b, c, d, e = heat_capacity
    T = np.minimum(TEMPERATURES_K, heat_capacity_to_K)
    terms = ((a, 0.0), (b, 1.0), (c, -2.0), (d, -0.5), (e, 2.0))
    enthalpy, entropy = np.zeros_like(T), np.full_like(T, entropy_J_per_K_per_mol)
    for factor, power in terms:
        enthalpy += factor * (T ** (power + 1.0) - _T0 ** (power + 1.0)) / (power + 1.0)
        entropy += factor * (np.log(T / _T0) if power == 0.0 else (T**power - _T0**power) / power)
    end = min(heat_capacity_to_K, TEMPERATURES_K[-1])
    last = sum(factor * end**power for factor, power in terms)
    enthalpy += last * (TEMPERATURES_K - T)
    entropy += last * np.log(TEMPERATURES_K / T)
    elements = elemental_gibbs_energies()
    references = sum(count * elements[element] for element, count in composition.items()) / KJ_PER_MOL_IN_EV
    return np.asarray(enthalpy_kJ_per_mol + 1e-3 * (enthalpy - TEMPERATURES_K * entropy) - references)


@cache
def _rows() -> tuple[tuple[frozenset[str], dict[str, str]], ...]:
    return tuple((elements_of(row["formula"]), row) for row in read_rows("measured/literature.csv"))


def literature_solids(elements: Iterable[str]) -> Mapping[tuple[tuple[str, int], ...], MeasuredSolid]:
    """Return the solids of the package's table of published measurements made of some elements, by ``composition_key``.

    Of several rows of one formula, which are its polymorphs, the stablest counts at each temperature.

    Args:
        elements: Symbols; a solid may hold any of them, and no other.

    Example:
        >>> [solid.formula for solid in literature_solids(["Sr", "Ti", "O"]).values()]
        ['Sr2TiO4', 'SrTiO3']
    """
    wanted = frozenset(elements)
    forms: dict[tuple[tuple[str, int], ...], list[dict[str, str]]] = defaultdict(list)
    for held, row in _rows():
        if held <= wanted:
            forms[composition_key(row["formula"])].append(row)
    return {key: _solid(rows) for key, rows in forms.items()}


def _solid(rows: list[dict[str, str]]) -> MeasuredSolid:
    first = rows[0]
    n_atoms = sum(parse_formula(first["formula"]).values())
    curves = [
        gibbs_of_formation(
            parse_formula(row["formula"]),
            float(row["enthalpy_kJ_per_mol"]),
            float(row["entropy_J_per_K_per_mol"]),
            [float(row[name] or 0.0) for name in _HEAT_CAPACITY],
            float(row["cp_to_K"] or "inf"),
        )
        for row in rows
    ]
    return MeasuredSolid(
        first["formula"],
        np.min(curves, axis=0),
        float(first["standard_error_kJ_per_mol"] or STANDARD_ERROR_KJ_PER_MOL_ATOMS * n_atoms),
        "; ".join(dict.fromkeys(row["source"] for row in rows)),
    )
