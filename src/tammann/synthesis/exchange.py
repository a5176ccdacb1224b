"""Solids that exchange gases with a furnace: which gas carries which element, and what a reaction costs with it.

Oxygen, carbon, hydrogen and nitrogen, and the halogens unless they stay in a salt, come and go as gases. Balancing a
reaction then needs the other elements only; the gases follow from what is left over. A gas that the atmosphere holds is
taken up or given off at its pressure; any other is given off only, against a residual pressure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.thermo import Phases, reaction_standard_error
from tammann.thermo.gases import gas
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA

HALOGENS = ("F", "Cl", "Br", "I")
VOLATILE = ("O", "C", "H", "N", *HALOGENS)
"""Elements that gases carry away."""

DENOMINATOR = 4
"""Amounts of gases are whole multiples of a quarter of the coefficients of the solids."""


@dataclass(frozen=True)
class Surroundings:
    """What the furnace does to precursors while they react.

    Attributes:
        temperature_K: Temperature.
        partial_pressure_Pa: Gases that the atmosphere holds; these can be taken up, too.
        release_pressure_Pa: Pressure against which all other gases leave.
    """

    temperature_K: float
    partial_pressure_Pa: Mapping[str, float] = field(default_factory=dict)
    release_pressure_Pa: float = 1.0

    def __post_init__(self) -> None:
        for name, pressure in (*self.partial_pressure_Pa.items(), ("release_pressure_Pa", self.release_pressure_Pa)):
            if not (np.isfinite(pressure) and pressure > 0):
                raise DataError(f"partial_pressure_Pa: {name} is {pressure!r}, expected a pressure above 0 Pa.")


def carriers(elements: Iterable[str], held: Iterable[str], *, ammonium: bool = False) -> list[dict[str, str]]:
    """Return which gas carries each volatile element away, in the ways to try one after the other.

    O2, CO2, H2O; nitrogen as NO2, as NH3 from ammonium salts, as N2 where the atmosphere holds it; halogens as HCl
    where hydrogen is at hand, as Cl2 where it is not.

    Example:
        >>> carriers(["C", "O"], held=["O2"])
        [{'C': 'CO2', 'O': 'O2'}]
    """
    there = [element for element in VOLATILE if element in elements]
    usual = {"O": "O2", "C": "CO2", "H": "H2O", "N": "N2" if "N2" in held else "NH3" if ammonium else "NO2"}
    ways = [{e: usual.get(e, f"{e}2") for e in there}]
    if "H" in there and any(e in HALOGENS for e in there):
        ways.insert(0, {e: usual.get(e, f"H{e}") for e in there})
    return [dict(sorted(way.items())) for way in ways]


@dataclass(frozen=True, eq=False)
class OpenSystem:
    """The phases of a system with the gases of a furnace.

    Attributes:
        phases: The system.
        surroundings: Temperature and gases.
        energies: Name of the energy set, the default set if None.
    """

    phases: Phases
    surroundings: Surroundings
    energies: str | None = None
    _potentials: dict[str, float] = field(default_factory=dict, repr=False)

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Symbols of the phases, and of the gases that could leave."""
        return tuple(sorted({*self.phases.elements, *VOLATILE}))

    @cached_property
    def gibbs_eV(self) -> np.ndarray:
        """Gibbs energy of formation per formula unit, shape (n,), NaN where the set has none."""
        T = self.surroundings.temperature_K
        return self.phases.gibbs(T, energies=self.energies) * self.phases.composition_matrix.sum(axis=1)

    def error_eV(self, moles: np.ndarray) -> float:
        """Return the standard error of a reaction's energy, eV per mole, from the moles of each phase, shape (n,)."""
        return float(reaction_standard_error(self.phases, moles, energies=self.energies))

    @cached_property
    def _solids(self) -> dict[tuple[tuple[str, int], ...], int]:
        there: dict[tuple[tuple[str, int], ...], int] = {}
        for i, phase in enumerate(self.phases):
            if phase.state == "solid":
                there.setdefault(composition_key(phase.composition), i)
        return there

    @cached_property
    def solids(self) -> tuple[int, ...]:
        """Positions of the solids with an energy, one for each composition."""
        return tuple(i for i in self._solids.values() if np.isfinite(self.gibbs_eV[i]))

    def solid(self, formula: str) -> int | None:
        """Return the position of a solid of any multiple of a formula, None where the set has no energy of it."""
        found = self._solids.get(composition_key(formula))
        return found if found is not None and np.isfinite(self.gibbs_eV[found]) else None

    def solid_units(self, formula: str) -> tuple[int, float]:
        """Return the position of a solid and how many of its formula units are one of this formula.

        Raises:
            DataError: The set has no energy of it.
        """
        found = self.solid(formula)
        if found is None:
            raise DataError(f"{formula} has no energy in {self.phases.system}.")
        return found, sum(parse_formula(formula).values()) / self.phases[found].n_atoms

    def row(self, composition: Mapping[str, int]) -> np.ndarray:
        """Return the atoms of each of ``elements`` in a formula unit, shape (E,)."""
        return np.array([composition.get(element, 0) for element in self.elements], dtype=np.int64)

    @cached_property
    def matrix(self) -> np.ndarray:
        """Atoms of each of ``elements`` in a formula unit of each phase, shape (n, E)."""
        return np.array([self.row(phase.composition) for phase in self.phases])

    def columns(self, elements: Iterable[str]) -> list[int]:
        """Return the positions of elements."""
        return [self.elements.index(element) for element in elements]

    def potential_eV(self, name: str) -> float:
        """Return the chemical potential of a gas at its pressure, eV per molecule."""
        if name not in self._potentials:
            T = self.surroundings.temperature_K
            composition = parse_formula(name)
            where = next(
                (i for i, p in enumerate(self.phases) if p.state == "gas" and dict(p.composition) == composition), None
            )
            if where is not None and np.isfinite(self.gibbs_eV[where]):
                G = float(self.gibbs_eV[where])
            else:
                phase, table, *_ = gas(name)
                G = float(np.interp(T, TEMPERATURES_K, table)) * phase.n_atoms
            pressure = self.surroundings.partial_pressure_Pa.get(name, self.surroundings.release_pressure_Pa)
            self._potentials[name] = G + BOLTZMANN_EV_PER_K * T * np.log(pressure / STANDARD_PRESSURE_PA)
        return self._potentials[name]

    def boiling_potential_eV(self, name: str) -> float:
        """Return the chemical potential of a gas that leaves as bubbles, at 1 bar or more, eV per molecule."""
        furnace = self.surroundings
        pressure = furnace.partial_pressure_Pa.get(name, furnace.release_pressure_Pa)
        missing = max(0.0, float(np.log(STANDARD_PRESSURE_PA / pressure)))
        return self.potential_eV(name) + BOLTZMANN_EV_PER_K * furnace.temperature_K * missing

    def exchanged(
        self, given_off: np.ndarray, volatile: Sequence[str], *, ammonium: bool = False
    ) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Return the gases that carry atoms away, how much of each, and whether the furnace allows it.

        Args:
            given_off: Atoms that reactions leave over, shape (R, E), negative where they lack some.
            volatile: Elements that may come and go.
            ammonium: Whether nitrogen leaves as NH3.

        Returns:
            Names of gases; molecules given off, shape (R, G); which reactions take up nothing but gases that are held,
            and leave over no atoms, shape (R,).
        """
        held = self.surroundings.partial_pressure_Pa
        others = [i for i, element in enumerate(self.elements) if element not in volatile]
        closed = ~given_off[:, others].any(axis=1)
        present = {e for e in volatile if given_off[:, self.elements.index(e)].any()}
        if present.intersection(HALOGENS) and "H" in volatile:
            present.add("H")
        if present & {"C", "N", "H"}:
            present.add("O")
        names: list[str] = []
        amounts = np.zeros((len(given_off), 0))
        allowed = np.zeros(len(given_off), dtype=bool)
        for way in carriers(present, held, ammonium=ammonium):
            gases = list(way.values())
            each = np.array([[parse_formula(g).get(e, 0) for e in way] for g in gases], dtype=float)
            number = given_off[:, self.columns(way)] @ np.linalg.inv(each.reshape(len(gases), len(way)))
            number = np.rint(number * DENOMINATOR) / DENOMINATOR
            good = closed & ~((number < 0) & np.array([g not in held for g in gases], dtype=bool)).any(axis=1)
            new = [g for g in gases if g not in names]
            names += new
            amounts = np.pad(amounts, ((0, 0), (0, len(new))))
            first = good & ~allowed
            amounts[np.ix_(first, [names.index(g) for g in gases])] = number[first]
            allowed |= good
        return names, amounts, allowed

    def reduced(self, rows: np.ndarray, volatile: Sequence[str], *, closed: bool = False) -> np.ndarray:
        """Return the part of compositions that the solids alone must balance, shape (n, K), int64.

        It is the atoms of the elements that stay. ``closed`` adds a column, twice the oxygen that is left when carbon
        leaves as CO2, hydrogen as H2O and nitrogen as NO2: what balances it needs no O2 and gives none off.
        """
        stay = [i for i, element in enumerate(self.elements) if element not in volatile and rows[:, i].any()]
        kept = rows[:, stay]
        if closed:
            weight = self.row({"O": 2, "C": -4, "H": -1, "N": -4})
            kept = np.column_stack([kept, rows @ weight])
        return kept
