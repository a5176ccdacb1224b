"""Gases held at a partial pressure, and the chemical potentials that they leave free.

A gas held at a partial pressure fixes one combination of potentials, a . mu = G + kB T ln(p / 1 bar) per molecule of
composition a. One of its elements is then no longer free (the one found in the fewest phases: C for CO2, O for O2), and
everything is done in the elements left over, a Legendre transform: BaCO3 under CO2 is BaO at a shifted energy.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tammann.errors import DataError
from tammann.thermo.phase import ELEMENT_GASES, FloatArray, Phases
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
    pivots = _eliminate(equations, phases, gases)
    free, matrix = _left_free(equations, pivots)
    offset = np.zeros(n_elements)
    offset[pivots] = equations[:, -1]
    # An element that the gases settle above its own solid would deposit (graphite from CO2 where O2 is scarce).
    for e in pivots:
        if f"{phases.elements[e]}2" not in ELEMENT_GASES and not matrix[e].any() and offset[e] > 1e-9:
            with conflict_named(phases, gibbs, T, partial_pressure_Pa):
                raise GasConflict
    return Frame(offset, matrix, free, coupled[free])


def free_directions(phases: Phases, gases: Sequence[int]) -> FloatArray:
    """Return how potentials can change while gases keep theirs: d mu = matrix @ d mu[free], shape (E, K).

    ``gases`` are positions of phases. The elements settled are those of ``gas_frame``, which no pressure decides.

    Raises:
        DataError: The potential of one gas follows from those of the others.
    """
    order = sorted(gases, key=lambda i: len(phases[i].composition))
    equations = np.pad(phases.composition_matrix[order].astype(float), ((0, 0), (0, 1)))
    return _left_free(equations, _eliminate(equations, phases, gases))[1]


def _eliminate(equations: FloatArray, phases: Phases, gases: Iterable[int]) -> list[int]:
    """Solve the equations of the gases, shape (G, E + 1), in place for one element each, and return which."""
    n_elements = len(phases.elements)
    rarity = np.count_nonzero(phases.composition_matrix, axis=0)
    pivots: list[int] = []
    for r in range(len(equations)):
        usable = [e for e in range(n_elements) if e not in pivots and abs(equations[r, e]) > 1e-9]
        if not usable:
            raise dependent_gases(phases[i].formula for i in gases)
        pivot = min(usable, key=lambda e: rarity[e])
        equations[r] /= equations[r, pivot]
        for other in range(len(equations)):
            if other != r:
                equations[other] -= equations[other, pivot] * equations[r]
        pivots.append(pivot)
    return pivots


def _left_free(equations: FloatArray, pivots: list[int]) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Return which elements the solved equations leave free, (K,), and the change of all with those, (E, K)."""
    n_elements = equations.shape[1] - 1
    free = np.setdiff1d(np.arange(n_elements), pivots)
    matrix = np.eye(n_elements)[:, free]
    matrix[pivots] = -equations[:, free]
    return free, matrix


def dependent_gases(names: Iterable[str]) -> DataError:
    """Return the error of gases whose pressures follow from one another."""
    return DataError(f"partial_pressure_Pa of {', '.join(names)} depend on one another: leave one of them out")


class GasConflict(DataError):
    """No chemical potentials fulfil the pressures of the gases that are held."""


@contextmanager
def conflict_named(
    phases: Phases,
    gibbs: FloatArray,
    T: float,
    held: Mapping[str, float] | None,
    released: Mapping[str, float] | None = None,
) -> Iterator[None]:
    """Say which gas would turn into what, where the gases cannot be held; arguments as for ``balanced_gases``."""
    try:
        yield
    except GasConflict as conflict:
        if conflict.args:
            raise
        _, _, reaction = balanced_gases(phases, gibbs, T, held or {}, released or {})
        raise GasConflict(
            "partial_pressure_Pa cannot be held: the gases would react with each other, or deposit an element or a "
            f"solid (at {T:g} K {reaction}); lower the pressures or add the gas that is missing (O2 beside CO2, say)"
        ) from None


def balanced_gases(
    phases: Phases, gibbs: FloatArray, T: float, held: Mapping[str, float], released: Mapping[str, float]
) -> tuple[float, float, str]:
    """Return by how much pressures must change until the gases that are held react no more with each other.

    The gases that can be made of the elements of those held leave against a pressure higher by one common factor, the
    smallest for which chemical potentials exist (H2 and O2 over steam; CO2 over CO, which would deposit carbon). Where
    none suffices, because a vapour lies above the saturation of its solid, those held are lowered by a common factor.

    Args:
        phases: The system.
        gibbs: Gibbs energies of formation at T, eV per atom, shape (n,).
        T: K.
        held: Gases at their pressure, Pa.
        released: Pressures against which others leave, Pa; 1 bar where none is given.

    Returns:
        ln of the factor of the gases that are released, minus ln of that of those held (infinite where none helps),
        both 0 where all is well; and the reaction that would happen, such as "CO -> C + CO2".
    """
    from scipy.optimize import linprog

    kT = BOLTZMANN_EV_PER_K * T
    mine = [phases.index(name) for name in held]
    if np.linalg.matrix_rank(phases.composition_matrix[mine]) < len(mine):
        raise dependent_gases(held)
    inside = ~(phases.composition_matrix[:, ~phases.composition_matrix[mine].any(axis=0)] > 0).any(axis=1)
    others = [i for i in np.flatnonzero(inside & np.isfinite(gibbs)).tolist() if i not in mine]
    columns = np.flatnonzero(phases.composition_matrix[mine].any(axis=0))
    pressures = {phases.index(name): p for name, p in (*released.items(), *held.items())}
    energy = {
        i: gibbs[i] * phases[i].n_atoms + kT * np.log(pressures.get(i, STANDARD_PRESSURE_PA) / STANDARD_PRESSURE_PA)
        for i in (*mine, *others)
    }
    # Elements without a gas of their own are always there, in their stable state.
    gaseous = {e for i in (*mine, *others) if phases[i].is_reference_gas for e in phases[i].composition}
    elements = [c for c in columns.tolist() if phases.elements[c] not in gaseous]
    names = [phases[i].formula for i in others] + [phases.elements[c] for c in elements]
    caps = np.vstack([phases.composition_matrix[others], np.eye(len(phases.elements))[elements]])[:, columns]
    rises = np.array([*(kT if phases[i].state == "gas" else 0.0 for i in others), *(0.0 for _ in elements)])
    solution = linprog(
        np.r_[np.zeros(len(columns)), 1.0, 1e3, 1e6],
        A_ub=np.c_[caps, -rises, np.zeros(len(caps)), -np.ones(len(caps))],
        b_ub=[*(energy[i] for i in others), *(0.0 for _ in elements)],
        A_eq=np.c_[
            phases.composition_matrix[mine][:, columns],
            np.zeros(len(mine)),
            np.full(len(mine), kT),
            np.zeros(len(mine)),
        ],
        b_eq=[energy[i] for i in mine],
        bounds=[(-100.0, 100.0)] * len(columns) + [(0.0, None)] * 3,
        method="highs",
    )
    rise, fall, lacking = solution.x[-3:]
    left = [phases[i].formula for i, n in zip(mine, solution.eqlin.marginals, strict=True) if n > 1e-9]
    right = [name for name, n in zip(names, solution.ineqlin.marginals, strict=True) if n < -1e-9]
    right += [phases[i].formula for i, n in zip(mine, solution.eqlin.marginals, strict=True) if n < -1e-9]
    return float(rise), float(fall) if lacking < 1e-9 else np.inf, f"{' + '.join(left)} -> {' + '.join(right)}"
