"""Which phases and reactions of a large system are looked at: those that a recipe could open, its draws included."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tammann.kinetics import selection
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.selection import FurnaceConditions
from tammann.reactions import Reactions

if TYPE_CHECKING:
    from tammann.recipe import Recipe
    from tammann.thermo import Phases

_MANY = 40
"""Solids up to which all are kept: the reactions of 30 take 0.1 s, those of 60 some 8 s, as the fourth power."""


def relevant_phases(phases: Phases, recipe: Recipe) -> Phases:
    """Leave out phases of a large system that cannot form in a recipe, before their reactions are enumerated.

    Of more than 40 solids those are kept whose elements the precursors and the atmosphere bring and that lie, at some
    temperature of the programme, within the metastable limit of the hull of this furnace plus two standard errors of
    their energy, because draws move them; gases too. Precursors and the gases of the atmosphere always stay.
    Smaller systems stay whole.

    Raises:
        RecipeError: The phases, or their energies, lack a precursor or gas; or more phases are left than the cells of a
            lattice can tell apart.

    Example:
        >>> from tammann.recipe import Recipe
        >>> from tammann.thermo import load_phases
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
        ... )
        >>> phases = load_phases("Ba-Ti-O")
        >>> relevant_phases(phases, recipe) is phases
        True
    """
    solids = int((~phases.is_gas).sum())
    if solids <= _MANY:
        return phases
    options = KineticsOptions.from_recipe(recipe)
    energies = selection.energy_set_of(phases, recipe)
    start = selection.precursors(phases, recipe, energies)
    supplied, pressure, *_ = selection.atmosphere(phases, recipe, options, energies)
    composition = phases.composition_matrix
    there = [*start, *(phases.index(gas) for gas in supplied)]
    keep: np.ndarray = np.logical_not((composition[:, ~(composition[there] > 0).any(axis=0)] > 0).any(axis=1))
    if options.metastable_limit_eV_per_atom is not None:
        furnace = FurnaceConditions(energies, recipe.temperatures_K(100.0), supplied, pressure)
        gibbs = selection.at_pressure(phases, furnace.released_Pa, energies).gibbs(
            furnace.temperature_K, energies=energies
        )
        above = np.full(len(phases), np.inf)
        for g, corners in zip(gibbs, furnace.hull_corners(phases), strict=True):
            above = np.fmin(above, g - (phases.atom_fractions @ corners.T).max(axis=1))
        error = phases.energy_set(energies).standard_error_eV_per_atom
        keep &= above <= options.metastable_limit_eV_per_atom + 2.0 * error
    keep[there] = True
    selection.require_few_phases(int((keep & ~phases.is_gas).sum()), phases.system, "could take part")
    return phases.take(np.flatnonzero(keep))


def may_open(phases: Phases, recipe: Recipe) -> Callable[[Reactions], np.ndarray] | None:
    """Return what tells which reactions of a large system can open in a recipe, for ``enumerate_reactions``.

    Of more than 40 solids those are kept that take up no gas but the atmosphere's and that, at some temperature of the
    programme, go downhill to products within the metastable limit of the hull, both by two standard errors of their
    energies. Reactions of the precursors alone, and of two solids to one, always stay: which gases may leave, the
    scale of the rates and the geometric null are found from them. Of smaller systems all stay: the answer is None.
    """
    if int((~phases.is_gas).sum()) <= _MANY:
        return None
    options = KineticsOptions.from_recipe(recipe)
    energies = selection.energy_set_of(phases, recipe)
    supplied, pressure, *_ = selection.atmosphere(phases, recipe, options, energies)
    furnace = FurnaceConditions(energies, recipe.temperatures_K(100.0), supplied, pressure)
    limit = options.metastable_limit_eV_per_atom
    corners = [] if limit is None else list(furnace.hull_corners(phases))
    uphill = 0.0 if options.score == "repaired" else options.uphill_limit_eV_per_atom
    atoms = phases.composition_matrix.astype(float).sum(axis=1)
    gibbs = phases.gibbs(furnace.temperature_K, energies=energies)
    variance = (2.0 * phases.energy_set(energies).standard_error_eV_per_atom * atoms) ** 2
    locked = phases.is_gas & ~np.isin([phase.formula for phase in phases], supplied)
    others = ~phases.is_gas
    others[selection.precursors(phases, recipe, energies)] = False

    def keep(reactions: Reactions) -> np.ndarray:
        coefficients = reactions.coefficients.astype(float)
        solid = coefficients * ~phases.is_gas
        kept = ((solid < 0).sum(axis=1) == 2) & ((solid > 0).sum(axis=1) == 1)
        kept |= ~(coefficients[:, others] < 0).any(axis=1)
        takes_up = (coefficients[:, locked] < 0).any(axis=1)
        rows = np.flatnonzero(~kept & ~takes_up)
        kept &= ~takes_up
        error = np.sqrt(coefficients[rows] ** 2 @ variance) / (np.maximum(-coefficients[rows], 0.0) @ atoms)
        downhill = furnace.energy(reactions.take(rows)) < uphill + error
        if limit is None:
            kept[rows[downhill.any(axis=0)]] = True
        for t, corner in enumerate(corners):
            here = rows[downhill[t] & ~kept[rows]]
            made = np.maximum(solid[here], 0.0)
            above = selection.above_hull(made, phases, gibbs[t], corner)
            kept[here[above <= limit * (made @ atoms) + np.sqrt(made**2 @ variance)]] = True
        return kept

    return keep
