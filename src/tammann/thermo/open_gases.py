"""Gases held at a partial pressure, and the chemical potentials that they leave free.

A gas held at a partial pressure fixes one combination of potentials, a . mu = G + kB T ln(p / 1 bar) per molecule of
composition a. One of its elements is then no longer free (the one found in the fewest phases: C for CO2, O for O2), and
everything is done in the elements left over, a Legendre transform: BaCO3 under CO2 is BaO at a shifted energy.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tammann.errors import DataError
from tammann.thermo.phase import FloatArray, Phases
from tammann.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA


@dataclass(frozen=True)
class Frame:
    """The potentials that open gases leave free: mu = offset + matrix @ mu[free]."""

    offset: FloatArray  # eV, shape (E,)
    matrix: FloatArray  # shape (E, K)
    free: npt.NDArray[np.intp]  # columns of the system's elements, shape (K,)
    coupled: npt.NDArray[np.bool_]  # whether an open gas contains the element, shape (K,)


def gas_frame(phases: Phases, gibbs: FloatArray, T: float, partial_pressure_Pa: Mapping[str, float] | None) -> Frame:
    """Return the frame that open gases leave, one element eliminated for each by Gauss-Jordan on the gases' equations.

    ``gibbs`` are the Gibbs energies of formation at T (K), eV per atom, shape (n,).

    Raises:
        DataError: A formula is not a gas with an energy, a pressure is not positive, or the gases cannot all be held.
    """
    n_elements = len(phases.elements)
    gases = {}
    for name, pressure in (partial_pressure_Pa or {}).items():
        if name not in phases:
            raise DataError(
                f"partial_pressure_Pa {name!r} is not in {phases.system}: no phase of it exchanges this gas"
            )
        gases[phases.index(name)] = pressure
    equations = np.zeros((len(gases), n_elements + 1))
    # Gases of one element first: O2 settles O, so that CO2 beside it settles C.
    for row, i in zip(equations, sorted(gases, key=lambda i: len(phases[i].composition)), strict=True):
        phase, pressure = phases[i], gases[i]
        if phase.state != "gas":
            raise DataError(
                f"partial_pressure_Pa {phase.formula!r} is a solid in {phases.system}: expected a gas, such as "
                f"{phase.formula}(g) for its molecule"
            )
        if not (np.isfinite(pressure) and pressure > 0.0):
            raise DataError(f"partial_pressure_Pa of {phase.formula} is {pressure!r}: expected Pa above zero")
        if not np.isfinite(gibbs[i]):
            raise DataError(f"the energies have no {phase.formula}: choose a set that has it, or leave the gas out")
        row[:-1] = phases.composition_matrix[i]
        row[-1] = gibbs[i] * phase.n_atoms + BOLTZMANN_EV_PER_K * T * np.log(pressure / STANDARD_PRESSURE_PA)
    coupled = (equations[:, :-1] != 0.0).any(axis=0)
    rarity = np.count_nonzero(phases.composition_matrix, axis=0)
    pivots: list[int] = []
    for r in range(len(equations)):
        usable = [e for e in range(n_elements) if e not in pivots and abs(equations[r, e]) > 1e-9]
        if not usable:
            names = ", ".join(phases[i].formula for i in gases)
            raise DataError(f"partial_pressure_Pa of {names} depend on one another: leave one of them out")
        pivot = min(usable, key=lambda e: rarity[e])
        equations[r] /= equations[r, pivot]
        for other in range(len(equations)):
            if other != r:
                equations[other] -= equations[other, pivot] * equations[r]
        pivots.append(pivot)
    free = np.setdiff1d(np.arange(n_elements), pivots)
    matrix = np.eye(n_elements)[:, free]
    offset = np.zeros(n_elements)
    offset[pivots] = equations[:, -1]
    matrix[pivots] = -equations[:, free]
    # An element that the gases settle above its own solid would deposit (graphite from CO2 where O2 is scarce).
    pure = {element for i in gases for element in phases[i].composition if phases[i].is_reference_gas}
    for e in pivots:
        if phases.elements[e] not in pure and not matrix[e].any() and offset[e] > 1e-9:
            raise gases_conflict()
    return Frame(offset, matrix, free, coupled[free])


def gases_conflict() -> DataError:
    """Return the error of pressures that no chemical potentials fulfil."""
    return DataError(
        "partial_pressure_Pa cannot be held: the gases would react with each other, or deposit an element or a solid; "
        "lower the pressures or add the gas that is missing (O2 beside CO2, say)"
    )
