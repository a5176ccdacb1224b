"""Energies made to agree with known equilibria.

A computed energy is off by tens of meV per atom, a phase diagram turns on a few. An assessment takes the smallest
shifts of the computed energies that make stated equilibria come out, so that what is known is put in once, visibly, and
the rest of the energies stays as computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from tammann.errors import DataError
from tammann.thermo.equilibrium import best_mixture
from tammann.thermo.phase import Constraint, EnergySet, FloatArray, Phases, interpolated
from tammann.units import AVOGADRO_PER_MOL, EV_IN_J

if TYPE_CHECKING:
    import pandas as pd


class ContradictionError(DataError):
    """No shifts satisfy all that is stated."""


_J_PER_MOL_IN_EV = 1.0 / (AVOGADRO_PER_MOL * EV_IN_J)
_Reactions: TypeAlias = list[tuple[FloatArray, Constraint]]  # with the weights of the energies in dG


def _row(phases: Phases, constraint: Constraint) -> FloatArray:
    """Weights w with dG = w . g per atom of the left side, for g in eV per atom; shape (n,)."""
    row = np.zeros(len(phases))
    matrix = phases.composition_matrix
    balance = np.zeros(len(phases.elements))
    for sign, side in ((-1.0, constraint.left), (1.0, constraint.right)):
        for formula, moles in side:
            i = phases.index(formula)
            row[i] += sign * moles * matrix[i].sum()
            balance += sign * moles * matrix[i]
    if np.abs(balance).max() > 1e-9:
        element = phases.elements[int(np.argmax(np.abs(balance)))]
        raise DataError(f"equilibrium {constraint.equation!r} does not balance in {element}: mend its coefficients")
    return row / -row[row < 0].sum()


def _smallest(
    equalities: FloatArray, targets: FloatArray, inequalities: FloatArray, limits: FloatArray
) -> FloatArray | None:
    """Return the shortest u with E u = f and G u >= h, or None where there is none.

    Least-distance programming: the equalities leave u = u0 + Z w with u0 at right angles to Z, and the shortest w with
    G Z w >= h - G u0 comes from a non-negative least-squares problem (Lawson and Hanson, Solving Least Squares
    Problems, 1974, ch. 23).
    """
    from scipy.optimize import nnls

    u, s, vt = np.linalg.svd(equalities, full_matrices=True)
    rank = np.count_nonzero(s > 1e-10 * s.max(initial=0.0))
    start = vt[:rank].T @ ((u[:, :rank].T @ targets) / s[:rank])
    if np.abs(equalities @ start - targets).max(initial=0.0) > 1e-8 * (1.0 + np.abs(targets).max(initial=0.0)):
        return None
    free = vt[rank:].T
    G = inequalities @ free
    h = limits - inequalities @ start
    if np.all(h <= 1e-12):
        return start
    norms = np.linalg.norm(G, axis=1)
    if np.any((norms < 1e-10) & (h > 1e-9)):
        return None
    G, h = G[norms >= 1e-10] / norms[norms >= 1e-10, None], h[norms >= 1e-10] / norms[norms >= 1e-10]
    system = np.vstack([G.T, h / h.max()])
    target = np.append(np.zeros(len(G.T)), 1.0)
    y, residual = nnls(system, target, maxiter=50 * system.shape[1])
    if residual < 1e-7:
        return None
    # The conditions that bind, met to rounding.
    binding = y > 1e-12 * y.max()
    w = np.linalg.lstsq(G[binding], h[binding], rcond=None)[0]
    return start + free @ w


def _pair_rows(fractions: FloatArray, phase: int) -> FloatArray:
    """Return the atom shares of every two phases that together make up a phase, less the phase itself; shape (m, n)."""
    others = np.flatnonzero(np.arange(len(fractions)) != phase)
    first, second = others[np.array(np.triu_indices(len(others), 1))]
    along = fractions[second] - fractions[first]
    square = (along**2).sum(axis=1)
    reach = fractions[phase] - fractions[first]
    share = (reach * along).sum(axis=1) / np.where(square > 1e-12, square, np.inf)
    off = np.abs(reach - share[:, None] * along).max(axis=1)
    fits = np.flatnonzero((share > 0.0) & (share < 1.0) & (off < 1e-9))
    rows = np.zeros((len(fits), len(fractions)))
    rows[np.arange(len(fits)), first[fits]] = 1.0 - share[fits]
    rows[np.arange(len(fits)), second[fits]] = share[fits]
    rows[:, phase] = -1.0
    return rows


def assess(
    phases: Phases,
    constraints: Sequence[Constraint],
    *,
    energies: str | None = None,
    name: str = "assessed",
    reference_temperature_K: float = 300.0,
) -> EnergySet:
    """Find the smallest shifts of computed energies that satisfy known equilibria.

    Minimise sum_p (d_p / sigma_p)^2 over the computed phases p, with d_p the shift of the Gibbs energy per atom and
    sigma_p its standard error, such that every constraint holds for g_p(T) + d_p - s_p (T - T_ref). Where phases share
    errors it is |u|^2 with d = L u, L the loadings of the set. Measured energies stay as they are. Where a constraint
    states a reaction entropy, the entropies s_p are found first, as the smallest (in the same units of standard errors)
    that give it; T_ref, ``reference_temperature_K``, is where d_p is counted, best near the equilibria.

    Phases on the hull are enforced by adding, until none is missing, the mixture that would replace them.

    Args:
        phases: The system.
        constraints: Known equilibria.
        energies: Name of the set to start from; the default set where none is given.
        name: Name of the new set.
        reference_temperature_K: T_ref.

    Returns:
        A new energy set that carries its shifts, entropies and constraints.

    Raises:
        DataError: The constraints contradict each other or name a phase without an energy.

    Example:
        >>> import numpy as np
        >>> from tammann.thermo import load_constraints, load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> constraints, reference = load_constraints("Ba-Ti-O")
        >>> made = assess(phases, constraints, energies="experiment-anchored", reference_temperature_K=reference)
        >>> bool(np.abs(made.shifts_eV_per_atom).max() < 0.04)
        True
    """
    start = phases.energy_set(energies)
    solved = solve_constraints(phases, start, constraints, reference_temperature_K)
    return replace(
        solved,
        name=name,
        description=f"The smallest shifts of {start.name} that satisfy {len(constraints)} known equilibria.",
        source=described_shifts(start.source, solved.shifts_eV_per_atom),
        constraints=tuple(constraints),
        base=start.name,
        reference_temperature_K=reference_temperature_K,
    )


def described_shifts(source: Sequence[str], shifts_eV_per_atom: FloatArray) -> tuple[str, ...]:
    """Return the sources of energies with what an assessment did to each."""
    return tuple(
        f"{text}; shifted by {1e3 * shift:+.1f} meV/atom to satisfy known equilibria" if abs(shift) > 1e-9 else text
        for text, shift in zip(source, shifts_eV_per_atom, strict=True)
    )


def solve_constraints(
    phases: Phases, start: EnergySet, constraints: Sequence[Constraint], reference: float
) -> EnergySet:
    """Return the energies with the smallest shifts and entropies that satisfy the constraints; see ``assess``."""
    grid, table, sigma = start.temperature_K, start.gibbs_eV_per_atom, start.standard_error_eV_per_atom
    reactions = [(_row(phases, constraint), constraint) for constraint in constraints if constraint.kind != "on-hull"]
    on_hull = [
        (phases.index(f), T, c.margin_eV_per_atom) for c in constraints for f in c.phases for T in c.temperature_K
    ]
    movable = np.flatnonzero(start.is_computed & np.isfinite(table).all(axis=0) & (sigma > 0.0))
    _check_energies(phases, start, reactions, constraints)
    entropies = _entropy_shifts(start, reactions, movable)
    table = table - entropies * (grid[:, None] - reference)
    values = {T: interpolated(grid, table, T) for constraint in constraints for T in constraint.temperature_K}
    equal_rows, targets, rows, limits = _conditions(phases.atom_fractions, reactions, on_hull, values)

    loadings = None if start.loadings_eV_per_atom is None else start.loadings_eV_per_atom[movable]

    def scaled(rows: list[FloatArray]) -> FloatArray:
        moved = np.array(rows).reshape(-1, len(phases))[:, movable]
        return moved * sigma[movable] if loadings is None else moved @ loadings

    shifts = np.zeros(len(phases))
    for _ in range(200):
        u = _smallest(scaled(equal_rows), np.array(targets), scaled(rows), np.array(limits))
        if u is None:
            equations = "; ".join(dict.fromkeys(constraint.equation for _, constraint in reactions))
            raise ContradictionError(
                "the constraints contradict each other or the measured energies: "
                f"no shifts satisfy {equations} together with the phases on the hull"
            )
        shifts[movable] = sigma[movable] * u if loadings is None else loadings @ u
        before = len(rows)
        for phase, T, margin in on_hull:
            shifted = values[T] + shifts
            best = best_mixture(phases.atom_fractions, shifted, phase)
            if best is not None and best[1] - shifted[phase] < margin - 1e-9:
                row = best[0].copy()
                row[phase] -= 1.0
                rows.append(row)
                limits.append(float(margin - row @ np.nan_to_num(values[T])))
        if len(rows) == before:
            return replace(
                start,
                gibbs_eV_per_atom=table + shifts,
                shifts_eV_per_atom=shifts,
                entropy_shifts_eV_per_K_per_atom=entropies,
            )
    raise DataError(
        "the phases on the hull could not be satisfied in 200 rounds: check the constraints for contradictions"
    )


def _check_energies(phases: Phases, start: EnergySet, reactions: _Reactions, constraints: Sequence[Constraint]) -> None:
    named = {int(i) for row, _ in reactions for i in np.flatnonzero(row)}
    lacking = [i for i in sorted(named) if not np.isfinite(start.gibbs_eV_per_atom[:, i]).all()]
    if lacking:
        formula = phases[lacking[0]].formula
        raise DataError(f"energies {start.name!r} lack {formula}, which the constraints name: choose another set")
    low, high = start.temperature_K[[0, -1]]
    outside = [T for constraint in constraints for T in constraint.temperature_K if not low <= T <= high]
    if outside:
        raise DataError(
            f"temperature_K {outside[0]:g} of a constraint is outside the energies: expected {low:g} to {high:g}"
        )


def _entropy_shifts(start: EnergySet, reactions: _Reactions, movable: npt.NDArray[np.intp]) -> FloatArray:
    """Return the smallest entropies, eV/K per atom, shape (n,), that give the stated reaction entropies."""
    grid, table, sigma = start.temperature_K, start.gibbs_eV_per_atom, start.standard_error_eV_per_atom[movable]
    entropies = np.zeros(table.shape[1])
    rows, wanted = [], []
    for row, constraint in reactions:
        if constraint.entropy_J_per_K_per_mol_atoms is not None:
            T = constraint.temperature_K[0]
            step = interpolated(grid, table, T + 50.0) - interpolated(grid, table, T - 50.0)
            stated = constraint.entropy_J_per_K_per_mol_atoms * _J_PER_MOL_IN_EV
            wanted.append(stated + (row @ np.nan_to_num(step)) / 100.0)
            rows.append(row[movable] * sigma)
    if rows:
        u = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
        if np.abs(np.array(rows) @ u - wanted).max() > 1e-12:
            raise DataError("the stated reaction entropies contradict each other: leave one of them out")
        entropies[movable] = sigma * u
    return entropies


def _conditions(
    fractions: FloatArray,
    reactions: _Reactions,
    on_hull: Sequence[tuple[int, float, float]],
    values: Mapping[float, FloatArray],
) -> tuple[list[FloatArray], list[float], list[FloatArray], list[float]]:
    """Return rows and targets of the equalities, row . d = target, and of the inequalities, row . d >= target."""
    equal_rows, targets, rows, limits = [], [], [], []
    for row, constraint in reactions:
        for T in constraint.temperature_K:
            dG = float(row @ np.nan_to_num(values[T]))
            if constraint.kind == "equality":
                equal_rows.append(row)
                targets.append(-dG)
            else:
                sign = 1.0 if constraint.kind == "left-stable" else -1.0
                rows.append(sign * row)
                limits.append(constraint.margin_eV_per_atom - sign * dG)
    # Mixtures of two phases replace a phase on a line; those of more are found as they are needed.
    pairs = {phase: _pair_rows(fractions, phase) for phase, _, _ in on_hull}
    for phase, T, margin in on_hull:
        known = pairs[phase]
        known = known[~(known[:, ~np.isfinite(values[T])] != 0.0).any(axis=1)]
        rows.extend(known)
        limits.extend(margin - known @ np.nan_to_num(values[T]))
    return equal_rows, targets, rows, limits


def shifts_table(phases: Phases, *, energies: str | None = None) -> "pd.DataFrame":
    """List what an assessment did to each energy.

    Args:
        phases: The system.
        energies: Name of an assessed set; the default set where none is given.

    Returns:
        One row a phase that was shifted: phase, shift_meV_per_atom (at the reference temperature), standard_errors
        (the shift in units of its standard error), entropy_J_per_K_per_mol_atoms, source. Largest shift first.

    Example:
        >>> from tammann.thermo import load_phases
        >>> list(shifts_table(load_phases("Ba-Ti-O")).columns)[:2]
        ['phase', 'shift_meV_per_atom']
    """
    import pandas as pd

    chosen = phases.energy_set(energies)
    shifts, entropies = chosen.shifts_eV_per_atom, chosen.entropy_shifts_eV_per_K_per_atom
    rows = np.flatnonzero((np.abs(shifts) > 1e-9) | (np.abs(entropies) > 1e-12))
    rows = rows[np.argsort(-np.abs(shifts[rows]), kind="stable")]
    return pd.DataFrame(
        {
            "phase": [phases[int(i)].formula for i in rows],
            "shift_meV_per_atom": 1e3 * shifts[rows],
            "standard_errors": shifts[rows] / chosen.standard_error_eV_per_atom[rows],
            "entropy_J_per_K_per_mol_atoms": entropies[rows] / _J_PER_MOL_IN_EV,
            "source": [chosen.source[int(i)] for i in rows],
        }
    )
