"""Measured Gibbs energies of formation, volumes and melting points that ship with the package."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.systems import read_rows
from tammann.thermo._tables import read_columns
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.phase import FloatArray
from tammann.units import KJ_PER_MOL_IN_EV

STATED_ERRORS_KJ_PER_MOL = MappingProxyType({
    "CO2": 0.13, "CO": 0.17, "H2O": 0.04, "TiO2": 0.8, "Al2O3": 1.3, "AlF3": 1.3, "B2O3": 1.4, "BeO": 2.5, "CaO": 0.9,
    "MgF2": 1.2, "MgO": 0.3, "SiO2": 1.0,
})  # fmt: skip
"""Of enthalpies of formation: Cox, Wagman and Medvedev, CODATA Key Values for Thermodynamics (1989)."""
STANDARD_ERROR_KJ_PER_MOL = 2.0
"""For the rest: FREED and JANAF agree within that."""
GRAPH_NETWORK_SOURCE = "graph-network estimate: Hong et al., PNAS 2022, 119, e2209630119, doi 10.1073/pnas.2209630119"
"""Source of estimated melting points."""


class MeasuredEnergy(NamedTuple):
    """A measured Gibbs energy of formation at ``TEMPERATURES_K``, shape (nT,), and the error of the whole curve."""

    gibbs_eV_per_atom: FloatArray
    standard_error_eV_per_atom: float
    source: str


class MeasuredProperties(NamedTuple):
    """Measured volume and melting point of a phase; NaN where none is carried."""

    structure: str
    volume_A3_per_atom: float
    volume_source: str
    melting_point_K: float
    melting_point_source: str


@dataclass(frozen=True, eq=False)
class MeasuredSolid:
    """A solid as one collection of measurements has it.

    Attributes:
        formula: One mole of it is what the energies are of.
        gibbs_kJ_per_mol: Of formation from the elements in their stable state at T and 1 bar, at ``TEMPERATURES_K``,
            shape (nT,); the solid's own beyond its melting point.
        standard_error_kJ_per_mol: Of the whole curve.
        source: Who measured or assessed it.
        melting_point_K: Melting or decomposition temperature; NaN where the collection states none.
        melting_point_source: Who measured it.
    """

    formula: str
    gibbs_kJ_per_mol: FloatArray
    standard_error_kJ_per_mol: float
    source: str
    melting_point_K: float = math.nan
    melting_point_source: str = ""

    @property
    def composition(self) -> dict[str, int]:
        """Atoms per formula unit."""
        return parse_formula(self.formula)

    @property
    def n_atoms(self) -> int:
        """Atoms per formula unit, counted."""
        return sum(self.composition.values())


def extended(values: FloatArray) -> FloatArray:
    """Continue a column on ``TEMPERATURES_K`` beyond its last value, along the line through its last 200 K."""
    known = np.isfinite(values)
    last = int(np.flatnonzero(known)[-1])
    slope = (values[last] - values[last - 2]) / (TEMPERATURES_K[last] - TEMPERATURES_K[last - 2])
    return np.where(known, values, values[last] + slope * (TEMPERATURES_K - TEMPERATURES_K[last]))


@cache
def _energies() -> Mapping[tuple[tuple[str, int], ...], MeasuredEnergy]:
    temperature, table = read_columns("experiment/gibbs_of_formation.csv")
    assert np.array_equal(temperature, TEMPERATURES_K)
    result = {}
    for formula, kilojoules in table.items():
        atoms = sum(parse_formula(formula).values())
        error = STATED_ERRORS_KJ_PER_MOL.get(formula, STANDARD_ERROR_KJ_PER_MOL)
        to = float(temperature[np.isfinite(kilojoules)][-1])
        source = "experiment: " + ("NIST-JANAF tables" if formula in ("H2O", "TiO") else "FREED (thermart.net)")
        if to < TEMPERATURES_K[-1]:
            source += f", extrapolated above {to:g} K"
        result[composition_key(formula)] = MeasuredEnergy(
            extended(kilojoules) * KJ_PER_MOL_IN_EV / atoms, error * KJ_PER_MOL_IN_EV / atoms, source
        )
    return result


def measured_energy(composition: Mapping[str, int]) -> MeasuredEnergy | None:
    """Return the measured Gibbs energy of a composition, or None."""
    return _energies().get(composition_key(composition))


@cache
def _properties(table: str) -> Mapping[tuple[tuple[str, int], ...], MeasuredProperties]:
    return {
        composition_key(row["formula"]): MeasuredProperties(
            row["structure"],
            float(row["volume_A3_per_atom"] or "nan"),
            row["volume_source"],
            float(row["melting_point_K"] or "nan"),
            row["melting_point_source"],
        )
        for row in read_rows(table)
    }


def measured_properties(composition: Mapping[str, int]) -> MeasuredProperties | None:
    """Return the measured volume and melting point of a composition, or None."""
    return _properties("experiment/properties.csv").get(composition_key(composition))


def library_properties(composition: Mapping[str, int]) -> MeasuredProperties | None:
    """Return the measured volume and melting point that ship for the library of measured energies, or None."""
    return _properties("measured/properties.csv").get(composition_key(composition))
