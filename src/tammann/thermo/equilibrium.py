"""Equilibrium at a composition: the mixture of phases of lowest Gibbs energy, as a linear programme."""

from collections.abc import Iterable, Mapping

import numpy as np

from tammann.errors import DataError, check_argument
from tammann.thermo.open_gases import GasConflict, conflict_named, gas_frame
from tammann.thermo.phase import FloatArray, Phases
from tammann.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA


def equilibrium(
    phases: Phases,
    amounts: Mapping[str, float],
    temperature_K: float,
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | None = None,
    release_pressure_Pa: Mapping[str, float] | None = None,
    candidates: Iterable[str] | None = None,
) -> dict[str, float]:
    """Return the phases of lowest Gibbs energy that a mixture can turn into.

    A linear programme: minimise sum_q n_q G_q over moles n_q >= 0 with the elements of ``amounts`` conserved. Gases in
    ``partial_pressure_Pa`` are reservoirs: they are taken up or given off freely and are not listed in the result. A
    gas that is not held there can be given off, at 1 bar or its ``release_pressure_Pa``, but not taken up; it is
    listed.

    Args:
        phases: The system.
        amounts: Moles of formula units of what is mixed.
        temperature_K: K.
        energies: Name of the energy set; the default set where none is given.
        partial_pressure_Pa: Gases held at a pressure, Pa.
        release_pressure_Pa: Pressure, Pa, against which a gas that is not held can leave.
        candidates: Formulas that may form; all phases of the set where none are given.

    Returns:
        Moles of formula units of each phase present.

    Raises:
        DataError: An amount is not a positive number, or the candidates cannot hold the elements.

    Example:
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> {f: round(n, 6) for f, n in equilibrium(phases, {"BaO": 1, "TiO2": 1}, 1300.0).items()}
        {'BaTiO3': 1.0}
    """
    from scipy.optimize import linprog

    check_argument("phases", phases, "Phases", "what load_phases returns")
    check_argument("amounts", amounts, (Mapping,), "moles by formula, such as {'BaO': 1, 'TiO2': 1}")
    check_argument("temperature_K", temperature_K, (int, float, np.number), "a number of K")
    T = float(temperature_K)
    gibbs = phases.gibbs(T, energies=energies)
    frame = gas_frame(phases, gibbs, T, partial_pressure_Pa)
    matrix = phases.composition_matrix.astype(float)
    total = np.zeros(len(phases.elements))
    for formula, moles in amounts.items():
        if not (isinstance(moles, (int, float, np.number)) and np.isfinite(moles) and moles >= 0.0):
            raise DataError(f"amount of {formula} is {moles!r}: expected moles of formula units, zero or more")
        total += float(moles) * matrix[phases.index(formula)]
    if not total.any():
        raise DataError("amounts are all zero: expected at least one phase with a positive number of moles")
    columns = np.flatnonzero(np.isfinite(gibbs))
    if candidates is not None:
        columns = columns[np.isin(columns, [phases.index(formula) for formula in candidates])]
    columns = columns[~np.isin(columns, [phases.index(formula) for formula in partial_pressure_Pa or {}])]
    reduced = matrix @ frame.matrix
    molar = gibbs * matrix.sum(axis=1)
    for formula, pressure in (release_pressure_Pa or {}).items():
        molar[phases.index(formula)] += BOLTZMANN_EV_PER_K * T * np.log(pressure / STANDARD_PRESSURE_PA)
    energy = molar - matrix @ frame.offset
    scale = total.max()
    balance = frame.matrix.T @ total / scale
    result = linprog(energy[columns], A_eq=reduced[columns].T, b_eq=balance, bounds=(0.0, None), method="highs")
    if result.status in (3, 4):  # unbounded: the gases deposit a solid, or react, without end
        with conflict_named(phases, gibbs, T, partial_pressure_Pa, release_pressure_Pa):
            raise GasConflict
    if result.status != 0:
        raise DataError(
            f"no mixture of {', '.join(phases[int(i)].formula for i in columns)} holds the elements of "
            f"{', '.join(amounts)}: add candidates or a gas"
        )
    moles = result.x * scale
    return {phases[int(i)].formula: float(n) for i, n in zip(columns, moles, strict=True) if n > 1e-9 * scale}


def best_mixture(fractions: FloatArray, gibbs: FloatArray, phase: int) -> tuple[FloatArray, float] | None:
    """Return the mixture of other phases that has the lowest energy at the composition of a phase, None if none has it.

    The mixture is shares by atoms, shape (n,), and its energy in eV per atom. ``fractions`` are atom fractions, shape
    (n, E); ``gibbs`` eV per atom, shape (n,), NaN for a phase that does not take part.
    """
    from scipy.optimize import linprog

    others = np.flatnonzero(np.isfinite(gibbs) & (np.arange(len(gibbs)) != phase))
    if not len(others):
        return None
    result = linprog(gibbs[others], A_eq=fractions[others].T, b_eq=fractions[phase], bounds=(0, None), method="highs")
    if result.status != 0:
        return None
    shares = np.zeros(len(gibbs))
    shares[others] = result.x
    return shares, float(result.fun)


def decomposition_temperature(phases: Phases, formula: str) -> float:
    """Return where a phase that is stable in the cold becomes less stable than a mixture of others, gases at 1 bar.

    Returns:
        K, to 1 K; NaN where the phase is not stable at the lowest temperature, or is at the highest.

    Example:
        >>> from tammann.thermo import load_phases
        >>> round(decomposition_temperature(load_phases("Ba-Ti-O"), "BaO2"), -1)
        1060.0
    """
    i = phases.index(formula)

    def is_stable(T: float) -> bool:
        gibbs = phases.gibbs(T)
        mixture = best_mixture(phases.atom_fractions, gibbs, i)
        return mixture is None or mixture[1] >= gibbs[i]

    low, high = phases.energy_set().temperature_K[[0, -1]]
    if not is_stable(low) or is_stable(high):
        return float("nan")
    while high - low > 1.0:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if is_stable(middle) else (low, middle)
    return 0.5 * float(low + high)
