"""Which reactions of a large system are looked at: those that a recipe could open, its draws included."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from tammann.kinetics import selection
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.selection import FurnaceConditions
from tammann.reactions import Reactions, enumerate_reactions
from tammann.thermo.correlated_errors import reaction_standard_error

if TYPE_CHECKING:
    from tammann.recipe import Recipe
    from tammann.thermo import Phases

_MANY = 40
"""Solids up to which all are kept: the reactions of 30 take 0.1 s, those of 60 some 8 s, as the fourth power."""

_MARGIN = 2.0
"""Standard errors that a draw of the energies may help a reaction by."""


def relevant_reactions(phases: Phases, recipe: Recipe) -> Reactions:
    """Return the balanced reactions that may matter in a recipe: all, of up to 40 solids.

    Of more solids a reaction is left out where it takes up a gas that the atmosphere lacks, needs an element that
    nothing brings, or is at no temperature of the table of rates both downhill and to products within the metastable
    limit of the hull, each by two standard errors of the energies. Reactions of the precursors alone, of two solids to
    one, and of one solid that gives off a gas stay: from them follow the scale of the rates, the geometric null, which
    gases may leave, and why nothing opens. The table of rates is therefore that of all reactions.

    Raises:
        RecipeError: The phases, or their energies, lack a precursor or gas.
        DataError: The phases are too many, as in ``enumerate_reactions``.

    Example:
        >>> from tammann.recipe import Recipe
        >>> from tammann.thermo import load_phases
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
        ... )
        >>> len(relevant_reactions(load_phases("Ba-Ti-O"), recipe))
        33954
    """
    if int((~phases.is_gas).sum()) <= _MANY:
        return enumerate_reactions(phases)
    options = KineticsOptions.from_recipe(recipe)
    energies = selection.energy_set_of(phases, recipe)
    start = sorted(set(selection.precursors(phases, recipe, energies)))
    furnace, *_ = selection.conditions(phases, recipe, options, energies)
    corners = None if options.metastable_limit_eV_per_atom is None else list(furnace.hull_corners(phases))
    near = _near_hull(phases, start, furnace, options, corners)

    # Reactions of the precursors alone tell which other gases may leave.
    own, leaves = [], near.copy()
    for which in (*combinations(start, 1), *combinations(start, 2)):
        own.append(enumerate_reactions(phases, reactants=[phases[p].formula for p in which]))
        downhill = (furnace.energy(own[-1]) < _errors(own[-1], energies)).any(axis=0)
        leaves |= (own[-1].coefficients[downhill] > 0).any(axis=0)
    gases = [phases[g].formula for g in np.flatnonzero(phases.is_gas & leaves)]
    keep = _may_matter(phases, start, near, furnace, options, corners)
    pool = enumerate_reactions(phases, gases=gases, exchanging=near, keep=keep)
    far = [_makes_two_with(~near & ~phases.is_gas, block) for block in own]
    tables = [block.coefficients[rows] for block, rows in zip(own, far, strict=True)]
    return Reactions(phases=phases, coefficients=np.concatenate([pool.coefficients, *tables]))


def _near_hull(
    phases: Phases,
    start: list[int],
    furnace: FurnaceConditions,
    options: KineticsOptions,
    corners: list[np.ndarray] | None,
) -> np.ndarray:
    """Return which phases exchanges may involve, shape (P,), bool: precursors, and what elements and hull let form.

    Gases that the atmosphere lacks leave only where they lie on the hull, see ``release_allowed``.
    """
    composition = phases.composition_matrix
    at_hand = [*start, *(phases.index(gas) for gas in furnace.supplied)]
    foreign = ~(composition[at_hand] > 0).any(axis=0)
    near: np.ndarray = np.logical_not((composition[:, foreign] > 0).any(axis=1))
    margin = _MARGIN * phases.energy_set(furnace.energies).standard_error_eV_per_atom
    limit = options.metastable_limit_eV_per_atom
    if corners is not None and limit is not None:
        solid = (_above(phases, furnace, corners) <= limit + margin).any(axis=0)
        near &= solid | phases.is_gas
    if not options.coupled_release:
        leaves = ~phases.is_gas
        for t, closed in enumerate(furnace.phases_at(phases, lambda t: furnace.held_Pa(t) | furnace.released_Pa(t))):
            alone = FurnaceConditions(furnace.energies, furnace.temperature_K[[t]], (), {})
            leaves |= (_above(closed, alone, list(alone.hull_corners(closed))) <= 1e-6 + margin).any(axis=0)
        near &= leaves
    near[at_hand] = True
    return near


def _above(phases: Phases, furnace: FurnaceConditions, corners: list[np.ndarray]) -> np.ndarray:
    """Return how far each phase lies above the hull with these corners, eV per atom, shape (nT, P)."""
    hull = np.array([(phases.atom_fractions @ corner.T).max(axis=1) for corner in corners])
    return phases.gibbs(furnace.temperature_K, energies=furnace.energies) - hull


def _may_matter(
    phases: Phases,
    start: list[int],
    near: np.ndarray,
    furnace: FurnaceConditions,
    options: KineticsOptions,
    corners: list[np.ndarray] | None,
) -> Callable[[Reactions], np.ndarray]:
    """Return what tells which of some reactions to keep."""
    limit = options.metastable_limit_eV_per_atom
    uphill = 0.0 if options.score == "repaired" else options.uphill_limit_eV_per_atom
    atoms = phases.composition_matrix.sum(axis=1)
    variance = (_MARGIN * phases.energy_set(furnace.energies).standard_error_eV_per_atom * atoms) ** 2
    locked = phases.is_gas & ~np.isin([phase.formula for phase in phases], furnace.supplied)
    others = ~phases.is_gas
    others[start] = False
    # Between the temperatures of its table the energy of a reaction is linear: it is lowest at one of these.
    grid, T = phases.energy_set(furnace.energies).temperature_K, furnace.temperature_K
    turning = furnace.at(np.unique([T[0], *grid[(grid > T[0]) & (grid < T[-1])], T[-1]]))

    def keep(reactions: Reactions) -> np.ndarray:
        coefficients = reactions.coefficients
        solid = coefficients * ~phases.is_gas
        n_used, n_made = (solid < 0).sum(axis=1), (solid > 0).sum(axis=1)
        takes_up = (coefficients[:, locked] < 0).any(axis=1)
        kept = (n_used == 2) & (n_made == 1)
        kept |= (n_used == 1) & (coefficients[:, locked] > 0).any(axis=1)
        kept |= ~(coefficients[:, others] < 0).any(axis=1)
        kept &= ~takes_up
        rows = np.flatnonzero(~kept & ~takes_up & ~(coefficients[:, ~near] != 0).any(axis=1))
        error = _errors(reactions.take(rows), furnace.energies)
        some = (turning.energy(reactions.take(rows)) < uphill + error).any(axis=0)
        rows, error = rows[some], error[some]
        downhill = furnace.energy(reactions.take(rows)) < uphill + error
        if corners is None or limit is None:
            kept[rows[downhill.any(axis=0)]] = True
            return kept
        made = np.maximum(solid[rows], 0.0)
        content, energy = selection.made_of(
            made, phases, phases.gibbs(furnace.temperature_K, energies=furnace.energies)
        )
        allowed = limit * content.sum(axis=1) + np.sqrt(made**2 @ variance)
        for here, made_energy, corner in zip(downhill, energy, corners, strict=True):
            open_ = np.flatnonzero(here & ~kept[rows])
            above = selection.above_hull(content[open_], made_energy[open_], corner)
            kept[rows[open_[above <= allowed[open_]]]] = True
        return kept

    return keep


def _errors(reactions: Reactions, energies: str) -> np.ndarray:
    """Return the margin of the energies of reactions, eV per atom, shape (R,)."""
    phases, coefficients = reactions.phases, reactions.coefficients.astype(float)
    atoms = phases.composition_matrix.sum(axis=1)
    error = _MARGIN * reaction_standard_error(phases, coefficients, energies=energies)
    return np.asarray(error / (np.maximum(-coefficients, 0.0) @ atoms))


def _makes_two_with(which: np.ndarray, reactions: Reactions) -> np.ndarray:
    """Return which reactions make two solids, one of them of ``which``, shape (R,), bool."""
    made = reactions.coefficients > 0
    return (made[:, ~reactions.phases.is_gas].sum(axis=1) == 2) & made[:, which].any(axis=1)
