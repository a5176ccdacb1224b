"""What is conserved where ions move through solids: the independent components of a powder, and its lattice sites.

Gases held at a pressure take their elements out of the balance (the frame of ``thermo.open_gases``); what the phases
that can form have in common takes out more: BaO + TiO2 in an inert gas has three elements and, its valences being
fixed, two components. A volume keeps its lattice sites while ions pass through it: the anions where they stay in the
solid, counted by their charge, and the other atoms where the gas exchanges the anions. One component fewer than there
are moves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from tammann.errors import DataError, RecipeError
from tammann.thermo import Phases, equilibrium
from tammann.thermo.open_gases import Frame, gas_frame

ANION_CHARGE: Mapping[str, int] = {
    "O": 2, "F": 1, "Cl": 1, "Br": 1, "I": 1, "S": 2, "Se": 2, "Te": 2, "N": 3, "P": 3, "As": 3, "C": 4,
}  # fmt: skip
"""Charges of the elements that can be the anions of a solid; of these only the first group present counts."""
Pressures = Callable[[float], Mapping[str, float]]
"""Gases and their pressures, Pa, against temperature, K."""
_ANION_GROUPS = (("O", "F", "Cl", "Br", "I"), ("S", "Se", "Te"), ("N",), ("P", "As"), ("C",))
_SMALL = 1e-9


@dataclass(frozen=True, eq=False)
class Components:
    """The solids that a powder can turn into, in terms of what is conserved.

    P solids, K free elements, D = directions of the fluxes (one less than the rank of their compositions), nT
    temperatures of the table of energies, G gases.

    Attributes:
        phases: The system.
        solids: Positions in ``phases`` of the solids that can form, shape (P,).
        free: Elements whose amounts are conserved in solids, length K.
        amounts: Atoms of the free elements per formula unit, shape (P, K).
        sites: Lattice sites per formula unit, shape (P,).
        valence: Charge of the ions of each element of the system, by what the precursors hold, shape (E,); NaN where
            they do not say.
        start: Moles of each solid that are mixed, shape (P,).
        anions: Free elements whose lattice is at rest.
        open_elements: Elements that the gas exchanges.
        directions: Orthonormal fluxes that leave every volume its sites, shape (D, K); a stand-in where nothing moves.
        y: With D = 1, the position of every solid between the ends, 0 to 1, shape (P,); else None.
        along: With D = 1, atoms of the free elements that cross per site and unit of y, shape (K,); else None.
        temperature_K: Shape (nT,).
        gibbs_eV: Per formula unit, in the frame of the gases, shape (nT, P).
        gases: Gases exchanged, length G.
        gas_content: Molecules of each gas that a formula unit holds beside its free elements, shape (P, G).
        release_only: Gases that can leave but not come, length G.
        formulas: Of the solids, length P.
    """

    phases: Phases
    solids: np.ndarray
    free: tuple[str, ...]
    amounts: np.ndarray
    sites: np.ndarray
    valence: np.ndarray
    start: np.ndarray
    anions: tuple[str, ...]
    open_elements: tuple[str, ...]
    directions: np.ndarray
    y: np.ndarray | None
    along: np.ndarray | None
    temperature_K: np.ndarray
    gibbs_eV: np.ndarray
    gases: tuple[str, ...]
    gas_content: np.ndarray
    release_only: np.ndarray
    formulas: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        moving = "one component moves" if len(self.directions) == 1 else f"{len(self.directions)} components move"
        moving = "nothing moves" if self.y is not None and not self.y.any() else moving
        return f"Components({len(self.solids)} solids, {moving}, sites: {' + '.join(self.anions) or 'cations'})"


def components(
    phases: Phases,
    precursors: Mapping[str, float],
    temperature_K: Sequence[float],
    *,
    energies: str | None = None,
    partial_pressure_Pa: Mapping[str, float] | Pressures | None = None,
    release_pressure_Pa: Mapping[str, float] | Pressures | float = 1.0,
) -> Components:
    """Find which solids a mixture can turn into and what is conserved on the way.

    Args:
        phases: The system.
        precursors: Moles of formula units.
        temperature_K: Temperatures of the programme.
        energies: Name of an energy set, the default set if None.
        partial_pressure_Pa: Gases of the atmosphere, Pa, or a function of temperature, K, that returns them.
        release_pressure_Pa: The same for gases that can leave but not come; one number for every other gas.

    Raises:
        DataError: A gas or a temperature is outside the data.
        RecipeError: A precursor has no energy, or holds nothing that a solid could keep.

    Example:
        >>> from tammann.thermo import load_phases
        >>> components(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, [300.0, 1500.0])
        Components(11 solids, one component moves, sites: O)
    """
    held_at = _function_of(partial_pressure_Pa or {})
    held = held_at(min(temperature_K))
    names = [phases.index(f) for f in precursors]
    matrix = phases.composition_matrix.astype(float)
    low, high = min(temperature_K), max(temperature_K)
    grid = phases.energy_set(energies).temperature_K
    table = np.unique(np.clip([low, high, *grid[(grid > low) & (grid < high)]], grid[0], grid[-1]))
    gibbs = phases.gibbs(table, energies=energies)
    for formula, p in zip(precursors, names, strict=True):
        if not np.isfinite(gibbs[:, p]).all():
            raise RecipeError(f"precursors: {formula} has no energy in {energies or phases.default_energies}")
    mine = {e for f in [*precursors, *held] for e in phases[phases.index(f)].composition}
    gaseous = [phase for phase in phases if phase.state == "gas" and phase.formula not in held]
    others = [phase.formula for phase in gaseous if mine.issuperset(phase.composition)]
    if isinstance(release_pressure_Pa, float | int):
        release_pressure_Pa = dict.fromkeys(others, float(release_pressure_Pa))
    release_at = _function_of(release_pressure_Pa, others)
    active, leaving = _active(phases, precursors, table, held_at, release_at, energies)
    leaving = _independent(phases, held, leaving)
    frames = []
    for t, T in enumerate(table.tolist()):
        open_pressures = {**held_at(T), **{gas: release_at(T)[gas] for gas in leaving}}
        try:
            frames.append(gas_frame(phases, gibbs[t], T, open_pressures))
        except DataError as error:
            if not leaving or not any(conflicting in str(error) for conflicting in leaving):
                raise
            beside = " and ".join(held) or "itself"
            raise RecipeError(
                f"precursors: the powder gives off {' and '.join(leaving)}, which beside {beside} would not stay a gas "
                f"at {T:g} K, as reactive diffusion needs; start hotter (start_temperature_K), or write engine: "
                "automaton"
            ) from None
    frame = frames[0]
    reduced = matrix @ frame.matrix
    there = np.isfinite(gibbs).all(axis=0) & ~phases.is_gas
    span = np.linalg.svd(reduced[sorted({*names, *active})])
    rank = int((span.S > _SMALL * span.S[0]).sum())
    basis = span.Vh[:rank]
    inside = np.abs(reduced - reduced @ basis.T @ basis).max(axis=1) < 1e-7
    empty = np.abs(reduced).max(axis=1) < _SMALL
    # what holds an element that neither the powder nor the gas has cannot form
    elements = np.any(matrix[names] > 0, axis=0)
    for gas in open_pressures:
        elements |= matrix[phases.index(gas)] > 0
    known = ~(matrix[:, ~elements] > 0).any(axis=1)
    candidate = np.flatnonzero(there & inside & ~empty & known)
    columns = np.flatnonzero(np.any(np.abs(reduced[candidate]) > _SMALL, axis=0))
    free = tuple(phases.elements[e] for e in frame.free[columns])
    amounts = reduced[candidate][:, columns]
    exchanged = {element for gas in open_pressures for element in phases[phases.index(gas)].composition}
    sites, anions = _lattice(free, amounts, exchanged)
    keep = sites > _SMALL
    candidate, amounts, sites = candidate[keep], amounts[keep], sites[keep]
    lost = [phases[p].formula for p in names if p not in candidate]
    if lost:
        mine = set(phases[phases.index(lost[0])].composition)
        gone = " and ".join(gas for gas in open_pressures if mine & set(phases[phases.index(gas)].composition))
        raise RecipeError(
            f"precursors: {lost[0]} could leave as a whole by {gone}, so that none of its lattice is sure to stay, "
            "as reactive diffusion needs; raise diffusion.residual_pressure_Pa until the gas stays, or write "
            "engine: automaton"
        )
    per_site = amounts / sites[:, None]
    differences = per_site - per_site[[candidate.tolist().index(names[0])]]
    _, s, vh = np.linalg.svd(differences)
    directions = vh[: int((s > 1e-7 * max(s[0], 1e-300)).sum())] if s.size else vh[:0]
    y = along = None
    if not len(directions):  # solids of one composition: they change into each other where they are
        directions = np.eye(len(free))[:1]
    if len(directions) == 1:
        coordinate = differences @ directions[0]
        # a precursor may fall apart into solids on either side of it
        ends = coordinate[np.isin(candidate, [*names, *active])]
        low_y, high_y = ends.min(), ends.max()
        keep = (coordinate >= low_y - 1e-7) & (coordinate <= high_y + 1e-7)
        candidate, amounts, sites = candidate[keep], amounts[keep], sites[keep]
        length = (high_y - low_y) or 1.0
        y = np.clip((coordinate[keep] - low_y) / length, 0.0, 1.0)
        along = directions[0] * length
        if along[np.abs(along).argmax()] < 0:  # which end is zero must not hang on a library's choice of sign
            y, along = 1.0 - y, -along
    offsets = np.array([f.offset for f in frames])
    energy = gibbs[:, candidate] * matrix[candidate].sum(axis=1) - offsets @ matrix[candidate].T
    gases = tuple(open_pressures)
    content = _gas_content(phases, gases, matrix[candidate], frame)
    return Components(
        phases=phases,
        solids=candidate,
        free=free,
        amounts=amounts,
        sites=sites,
        valence=_valences(phases, names, [phases.index(gas) for gas in open_pressures]),
        start=np.array([sum(m for f, m in zip(names, precursors.values(), strict=True) if f == p) for p in candidate]),
        anions=anions,
        open_elements=tuple(e for k, e in enumerate(phases.elements) if k not in frame.free and elements[k]),
        directions=directions,
        y=y,
        along=along,
        temperature_K=table,
        gibbs_eV=energy,
        gases=gases,
        gas_content=content,
        release_only=np.array([gas in leaving for gas in gases], dtype=bool),
        formulas=tuple(phases[int(p)].formula for p in candidate),
    )


def _function_of(
    pressures: Mapping[str, float] | Pressures, gases: Sequence[str] | None = None
) -> Callable[[float], dict[str, float]]:
    """Return pressures as a function of temperature, of some gases only."""

    def at(T: float) -> dict[str, float]:
        found = pressures(T) if callable(pressures) else pressures
        return {gas: found[gas] for gas in found if gases is None or gas in gases}

    return at


def _active(
    phases: Phases,
    precursors: Mapping[str, float],
    table: np.ndarray,
    held_at: Callable[[float], dict[str, float]],
    release_at: Callable[[float], dict[str, float]],
    energies: str | None,
) -> tuple[set[int], list[str]]:
    """Return the solids that some mixture of the precursors is in equilibrium with, and the gases that leave.

    A gas leaves if the powder as a whole gives it off, or a precursor by itself. What a neighbour would drive out of
    another where there is too much of one (Cl2 beside Mn(III) and an excess of a chloride) stays: once its element is
    left to the gas, nothing would keep the powder from taking it back. What the atmosphere makes by itself (SO3 of SO2
    and O2) takes nothing from the powder.
    """
    whole = [dict(precursors), *({formula: 1.0} for formula in precursors)]
    pairs = [{first: 1.0, second: ratio} for first, second in combinations(precursors, 2) for ratio in (0.2, 1.0, 5.0)]
    leaving: list[str] = []
    solids: set[int] = set()
    for mixtures in (whole, pairs):
        known = None if mixtures is whole else tuple(leaving)
        for T in table.tolist():
            of_atmosphere = {e for gas in held_at(T) for e in phases[phases.index(gas)].composition}
            release = {
                gas: pressure
                for gas, pressure in release_at(T).items()
                if known is None or gas in known or of_atmosphere.issuperset(phases[phases.index(gas)].composition)
            }
            for mixture in mixtures:
                found = equilibrium(
                    phases, mixture, T, energies=energies, partial_pressure_Pa=held_at(T), release_pressure_Pa=release
                )
                leaving += [name for name in found if name in release and name not in leaving]
                solids |= {phases.index(name) for name in found if phases[phases.index(name)].state != "gas"}
    return solids, leaving


def _independent(phases: Phases, held: Collection[str], leaving: Sequence[str]) -> list[str]:
    """Return the gases that leave, without those whose pressures follow from the others': SO3 from O2 and SO2."""
    rows = [phases.composition_matrix[phases.index(gas)] for gas in held]
    kept = []
    for gas in leaving:
        row = phases.composition_matrix[phases.index(gas)]
        if np.linalg.matrix_rank(np.array([*rows, row], dtype=float)) > len(rows):
            rows.append(row)
            kept.append(gas)
    return kept


def _lattice(
    free: tuple[str, ...], amounts: np.ndarray, exchanged: Collection[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the sites per formula unit of every solid, and the anions at rest, none where the gas exchanges them.

    Where SO2 leaves, the O of a sulfide is what it lacks to give its S off: no atoms to be counted.
    """
    for group in _ANION_GROUPS:
        there = [k for k, element in enumerate(free) if element in group]
        if there:
            sites = amounts[:, there] @ [float(ANION_CHARGE[free[k]]) for k in there]
            if len(there) < len(free) and (sites > _SMALL).all():
                return sites, tuple(free[k] for k in there)
            break
    return amounts[:, [element not in exchanged for element in free]].sum(axis=1), ()


def _valences(phases: Phases, precursors: Sequence[int], gases: Sequence[int]) -> np.ndarray:
    """Return the charges of ions that make precursors and compound gases neutral, NaN where these leave them open."""
    valence = np.full(len(phases.elements), np.nan)
    everything = phases.composition_matrix.astype(float)
    compounds = [g for g in gases if np.count_nonzero(everything[g]) > 1]
    for rows in ([*precursors, *compounds], [*precursors]):
        matrix = everything[rows]
        held = {element for e, element in enumerate(phases.elements) if matrix[:, e].any()}
        group = next((g for g in _ANION_GROUPS if held & set(g)), ())
        anions = [e for e, element in enumerate(phases.elements) if element in held & set(group)]
        others = np.setdiff1d(np.flatnonzero(matrix.any(axis=0)), anions)
        charge = matrix[:, anions] @ np.array([float(ANION_CHARGE[phases.elements[e]]) for e in anions])
        inverse = np.linalg.pinv(matrix[:, others])
        found = inverse @ charge
        if np.abs(matrix[:, others] @ found - charge).max(initial=0.0) > 1e-6:
            continue
        certain = np.abs(inverse @ matrix[:, others] - np.eye(len(others))).max(axis=1, initial=0.0) < 1e-9
        valence[anions] = [-ANION_CHARGE[phases.elements[e]] for e in anions]
        valence[others[certain]] = found[certain]
        return valence
    return valence


def _gas_content(phases: Phases, gases: Sequence[str], matrix: np.ndarray, frame: Frame) -> np.ndarray:
    """Return the molecules of each gas that solids hold, relative to solids of their free elements alone."""
    if not gases:
        return np.zeros((len(matrix), 0))
    molecules = phases.composition_matrix[[phases.index(gas) for gas in gases]].astype(float)
    pivots = np.setdiff1d(np.arange(len(phases.elements)), frame.free)
    return np.linalg.solve(molecules[:, pivots].T, matrix[:, pivots].T).T
