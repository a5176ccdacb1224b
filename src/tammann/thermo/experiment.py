"""Measured Gibbs energies, volumes and melting points that ship with the package."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.thermo._tables import read_columns, read_rows
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.phase import FloatArray, Phase
from tammann.units import KJ_PER_MOL_IN_EV

GASES = ("O2", "N2", "H2", "F2", "Cl2", "CO2", "CO", "H2O")
"""Formulas that are read as gases."""

_STANDARD_ERROR_KJ_PER_MOL = {"CO2": 0.13, "CO": 0.17, "H2O": 0.04, "TiO2": 0.8}
# CODATA key values (Cox, Wagman and Medvedev 1989) for the enthalpies of formation of CO2, CO, H2O and rutile;
# for the rest the 2 kJ/mol within which FREED and JANAF agree.
_OTHERS_STANDARD_ERROR_KJ_PER_MOL = 2.0


@dataclass(frozen=True)
class MeasuredEnergy:
    """A measured Gibbs energy of formation.

    Attributes:
        gibbs_eV_per_atom: at ``TEMPERATURES_K``, shape (nT,).
        standard_error_eV_per_atom: of the whole curve.
        source: where it is from.
        measured_to_K: the table ends here; beyond, the line through its last 200 K goes on.
    """

    gibbs_eV_per_atom: FloatArray
    standard_error_eV_per_atom: float
    source: str
    measured_to_K: float


@dataclass(frozen=True)
class MeasuredProperties:
    """Measured volume and melting point of a phase; NaN where none is carried."""

    structure: str
    volume_A3_per_atom: float
    volume_source: str
    melting_point_K: float
    melting_point_source: str


@cache
def measured_energies() -> Mapping[str, MeasuredEnergy]:
    """Give the measured Gibbs energies of formation, by formula."""
    temperature, table = read_columns("experiment", "gibbs_of_formation.csv")
    assert np.array_equal(temperature, TEMPERATURES_K)
    result = {}
    for formula, kilojoules in table.items():
        atoms = sum(parse_formula(formula).values())
        known = np.isfinite(kilojoules)
        last = int(np.flatnonzero(known)[-1])
        slope = (kilojoules[last] - kilojoules[last - 2]) / (temperature[last] - temperature[last - 2])
        beyond = kilojoules[last] + slope * (temperature - temperature[last])
        error = _STANDARD_ERROR_KJ_PER_MOL.get(formula, _OTHERS_STANDARD_ERROR_KJ_PER_MOL)
        to = float(temperature[last])
        source = "experiment: " + ("NIST-JANAF tables" if formula in ("H2O", "TiO") else "FREED (thermart.net)")
        if to < TEMPERATURES_K[-1]:
            source += f", extrapolated above {to:g} K"
        result[formula] = MeasuredEnergy(
            np.where(known, kilojoules, beyond) * KJ_PER_MOL_IN_EV / atoms, error * KJ_PER_MOL_IN_EV / atoms, source, to
        )
    return result


def measured_energy(composition: Mapping[str, int]) -> MeasuredEnergy | None:
    """Give the measured Gibbs energy of a composition, or None."""
    for formula, energy in measured_energies().items():
        if composition_key(parse_formula(formula)) == composition_key(composition):
            return energy
    return None


@cache
def _properties() -> Mapping[tuple[tuple[str, int], ...], MeasuredProperties]:
    def number(text: str) -> float:
        return float(text) if text else float("nan")

    return {
        composition_key(parse_formula(row["formula"])): MeasuredProperties(
            row["structure"],
            number(row["volume_A3_per_atom"]),
            row["volume_source"],
            number(row["melting_point_K"]),
            row["melting_point_source"],
        )
        for row in read_rows("experiment", "properties.csv")
    }


def measured_properties(composition: Mapping[str, int]) -> MeasuredProperties | None:
    """Give the measured volume and melting point of a composition, or None."""
    return _properties().get(composition_key(composition))


def is_gas(composition: Mapping[str, int]) -> bool:
    """Tell whether a composition is read as a gas."""
    return composition_key(composition) in {composition_key(parse_formula(g)) for g in GASES}


def gas(formula: str) -> tuple[Phase, FloatArray, float, str]:
    """Give a gas as a phase, with its Gibbs energy, eV per atom, shape (nT,), standard error and source.

    The gas of an element is its reference: zero.
    """
    composition = parse_formula(formula)
    phase = Phase(formula, composition, state="gas", observed=True)
    if len(composition) == 1:
        return phase, np.zeros(len(TEMPERATURES_K)), 0.0, "reference of its element"
    energy = measured_energies()[formula]
    return phase, energy.gibbs_eV_per_atom, energy.standard_error_eV_per_atom, energy.source


def gases_of(elements: set[str]) -> list[str]:
    """Give the gases that a system of these elements exchanges: those of its elements, CO2 and H2O."""
    return [g for g in GASES if g != "CO" and set(parse_formula(g)) <= elements]
