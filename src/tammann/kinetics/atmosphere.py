"""The gases that a recipe brings into a system: those of its atmosphere, and those that its solids give off."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from tammann.composition import parse_formula
from tammann.kinetics import selection
from tammann.kinetics.options import KineticsOptions
from tammann.thermo import Phases, equilibrium, with_gases
from tammann.thermo.gases import product_gases
from tammann.thermo.open_gases import balanced_gases

if TYPE_CHECKING:
    from tammann.recipe import Recipe

_STEP_K = 100.0


def with_atmosphere(phases: Phases, recipe: Recipe) -> Phases:
    """Return the phases with the gases that a recipe exchanges, before their reactions are enumerated.

    These are the gases of its atmosphere (of one with a name those of the system's elements and oxygen, if any), and
    the molecules that equilibrium gives off, against the residual pressure, at some temperature of the programme: by
    one precursor, by two of them, either in excess, or by the mixture; and what the stated gases make of each other. So
    the SO2 of ZnSO4 and the H2O of Fe2O3 in H2 leave without being named, as CO2 does. A molecule that could be a solid
    as well, such as Zn(g), enters only where it is named.

    Raises:
        RecipeError: The phases lack a precursor, or the gases of the atmosphere cannot be held.
        DataError: A gas of the atmosphere is not known.

    Example:
        >>> from tammann.recipe import Recipe
        >>> from tammann.thermo import load_phases
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 900, "hold_h": 1}],
        ...     atmosphere={"partial_pressure_Pa": {"H2": 1e5}},
        ... )
        >>> [phase.formula for phase in with_atmosphere(load_phases("Ba-Ti-O"), recipe)][-2:]
        ['H2', 'H2O']
    """
    stated = list(recipe.partial_pressure_Pa)
    if isinstance(recipe.atmosphere, str):
        usual = {*phases.elements, "O"}
        stated = [gas for gas in stated if usual.issuperset(parse_formula(gas))] or stated
    phases = with_gases(phases, stated)
    return with_gases(phases, _given_off(phases, recipe))


def _given_off(phases: Phases, recipe: Recipe) -> list[str]:
    """Return the gases that are no phase yet and that equilibrium gives off, alone, in pairs or in the mixture."""
    possible = product_gases(phases)
    if not possible:
        return []
    every = with_gases(phases, possible)
    energies = selection.energy_set_of(phases, recipe)
    selection.precursors(phases, recipe, energies)
    furnace, *_ = selection.conditions(every, recipe, KineticsOptions.from_recipe(recipe), energies, step_K=_STEP_K)
    powders = list(dict.fromkeys(precursor.phase for precursor in recipe.precursors))
    mixtures = [{powder: 1.0} for powder in powders]
    mixtures += [{one: 1.0, two: ratio} for one, two in combinations(powders, 2) for ratio in (0.1, 1.0, 10.0)]
    mixtures.append({precursor.phase: precursor.ratio for precursor in recipe.precursors})
    found: set[str] = set()
    stated = {gas: furnace.pressure_Pa[gas] for gas in furnace.supplied}
    others = {gas: pressure for gas, pressure in furnace.pressure_Pa.items() if gas not in stated}
    gibbs = every.gibbs(furnace.temperature_K, energies=energies)
    for t, T in enumerate(furnace.temperature_K.tolist()):
        if furnace.factor and not isinstance(recipe.atmosphere, str):  # what its gases make of each other
            found.update(balanced_gases(every, gibbs[t], T, stated, others)[2].split(" -> ")[1].split(" + "))
        pressures = {"partial_pressure_Pa": furnace.held_Pa(t), "release_pressure_Pa": furnace.released_Pa(t)}
        for mixture in mixtures:
            found.update(equilibrium(every, mixture, T, energies=energies, **pressures))
    return [gas for gas in possible if gas in found]
