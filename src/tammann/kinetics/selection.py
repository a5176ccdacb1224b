"""Which reactions can happen at all: the elements, the atmosphere, and what equilibrium leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError, RecipeError
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.rate_tables import MOST_PHASES
from tammann.reactions import Reactions, reaction_energy
from tammann.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA

if TYPE_CHECKING:
    from tammann.recipe import Recipe
    from tammann.thermo import Phases

__all__ = [
    "possible",
    "precursors",
    "pressures",
    "reachable",
    "release_allowed",
    "relevant_phases",
    "within_metastable_limit",
]

_MANY = 40
"""Solids up to which all are kept: the reactions of 30 take 0.1 s, those of 60 some 8 s, as the fourth power."""


def precursors(phases: Phases, recipe: Recipe, energies: str) -> list[int]:
    """Positions of the precursors; refuses what the phases or their energies lack."""
    known = _with_energy(phases, energies)
    found = []
    for number, precursor in enumerate(recipe.precursors):
        try:
            index = phases.index(precursor.phase)
        except DataError as error:
            raise RecipeError(f"precursors[{number}].phase: {error}") from None
        if phases[index].state == "gas":
            raise RecipeError(f"precursors[{number}].phase: {precursor.phase} is a gas; put it into the atmosphere.")
        if not known[index]:
            having = [
                name for name, one in phases.energy_sets.items() if np.isfinite(one.gibbs_eV_per_atom[:, index]).all()
            ]
            raise RecipeError(
                f"energies: {energies!r} has no {precursor.phase}, a precursor; "
                f"choose {' or '.join(having) if having else 'a set that has it'}."
            )
        found.append(index)
    return found


def relevant_phases(phases: Phases, recipe: Recipe) -> Phases:
    """Leave out phases of a large system that cannot form in a recipe, before their reactions are enumerated.

    Of more than 40 solids those are kept that are made of the elements of the precursors and of the atmosphere and that
    lie, at some temperature of the programme, within the metastable limit of the hull of this furnace, and two standard
    errors of their energy more, because draws move them. Precursors and gases always stay. Smaller systems stay whole.

    Args:
        phases: All phases.
        recipe: Precursors, atmosphere, programme and kinetics.

    Raises:
        RecipeError: A precursor or gas that the phases, or their energies, lack; or more phases are left than the cells
            of a lattice can tell apart.

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
    from tammann.thermo import chemical_potential_diagram

    options = KineticsOptions.from_recipe(recipe)
    energies = energy_set_of(phases, recipe)
    start = precursors(phases, recipe, energies)
    supplied, pressure, _ = pressures(phases, recipe, options, energies)
    composition = phases.composition_matrix
    there = [*start, *(phases.index(gas) for gas in supplied)]
    keep: np.ndarray = np.logical_not((composition[:, ~(composition[there] > 0).any(axis=0)] > 0).any(axis=1))
    if options.metastable_limit_eV_per_atom is not None:
        free = {gas: p for gas, p in pressure.items() if gas not in supplied}
        furnace = _at_pressure(phases, free, energies)
        held = {gas: pressure[gas] for gas in supplied} or None
        temperature = recipe.temperatures_K(100.0)
        gibbs = phases.gibbs(temperature, energies=energies)
        above = np.full(len(phases), np.inf)
        for g, T in zip(gibbs, temperature.tolist(), strict=True):
            corners = chemical_potential_diagram(furnace, T, energies=energies, partial_pressure_Pa=held).vertices_eV
            above = np.fmin(above, g - (phases.atom_fractions @ corners.T).max(axis=1))
        error = phases.energy_set(energies).standard_error_eV_per_atom
        keep &= above <= options.metastable_limit_eV_per_atom + 2.0 * error
    keep[start] = True
    missing = ~(composition[keep] > 0).any(axis=0)
    keep |= phases.is_gas & ~(composition[:, missing] > 0).any(axis=1)
    left = int((keep & ~phases.is_gas).sum())
    if left > MOST_PHASES:
        raise RecipeError(
            f"precursors: {left} phases of {phases.system} could take part, expected at most {MOST_PHASES}; leave "
            "unlikely ones out of the energies, or lower kinetics.metastable_limit_eV_per_atom"
        )
    return phases.take(np.flatnonzero(keep))


def energy_set_of(phases: Phases, recipe: Recipe) -> str:
    """The energy set that the recipe names; the default one where it names a file or a database instead."""
    if recipe.energies in phases.energy_sets:
        return recipe.energies
    if recipe.energies.lower().endswith((".csv", ".json")) or recipe.energies.startswith("mp-api"):
        return phases.default_energies
    there = ", ".join(phases.energy_sets)
    raise RecipeError(
        f"energies: {recipe.energies!r} is not a set of {phases.system}; choose one of {there}, or a file."
    )


def pressures(
    phases: Phases, recipe: Recipe, options: KineticsOptions, energies: str
) -> tuple[list[str], dict[str, float], list[str]]:
    """Gases that the atmosphere supplies, the pressure of every gas that can take part, and warnings."""
    known = _with_energy(phases, energies)
    stated = recipe.partial_pressure_Pa
    supplied: list[str] = []
    pressures: dict[str, float] = {}
    warnings: list[str] = []
    for formula, pressure in stated.items():
        if formula not in phases:
            warnings.append(
                f"{formula} of the atmosphere is not among the phases of {phases.system} and takes no part."
            )
            continue
        index = phases.index(formula)
        if not phases.is_gas[index]:
            raise RecipeError(f"partial_pressure_Pa: {formula} is a solid of {phases.system}; name a gas.")
        if not known[index]:
            warnings.append(f"{formula} of the atmosphere has no energy in {energies} and takes no part.")
            continue
        supplied.append(phases[index].formula)
        pressures[phases[index].formula] = pressure
    for phase, gas, has_energy in zip(phases, phases.is_gas, known.tolist(), strict=True):
        if gas and has_energy and phase.formula not in pressures:
            pressures[phase.formula] = options.residual_pressure_Pa
    return supplied, pressures, warnings


def possible(
    reactions: Reactions,
    precursors: list[int],
    atmosphere: list[str],
    partial_pressure_Pa: Mapping[str, float],
    temperature_K: np.ndarray,
    options: KineticsOptions,
    energies: str,
    *,
    null: bool,
) -> np.ndarray:
    """Return the indices of the reactions that matter and atmosphere allow, before their own energies are asked.

    All phases of a reaction must be made of the precursors and of what the gas brings and carries away: their
    compositions lie in the linear span of those. So, unless oxygen can come or go, oxidation states stay what the
    precursors brought, and BaO + TiO2 make neither peroxide nor reduced titanates. A gas of the atmosphere comes and
    goes. Another gas goes where precursors give it off downhill: one of them alone, or more if it carries away an
    element that the solids made with it lack.

    Args:
        reactions: All reactions.
        precursors: Positions of the precursors.
        atmosphere: Gases that the atmosphere holds.
        partial_pressure_Pa: Pressure of every gas.
        temperature_K: Temperatures of the programme, shape (nT,).
        options: Whether one phase may decompose.
        energies: Name of the energy set.
        null: Only two solids to one, and only gases that carry away an element.
    """
    phases = reactions.phases
    coefficients, is_gas = reactions.coefficients, phases.is_gas
    composition = phases.composition_matrix
    solid = coefficients * ~is_gas
    n_reactants, n_products = (solid < 0).sum(axis=1), (solid > 0).sum(axis=1)
    supplied = np.zeros(len(phases), dtype=bool)
    supplied[[phases.index(gas) for gas in atmosphere]] = True
    others = np.ones(len(phases), dtype=bool)
    others[precursors] = False
    from_precursors = ~(coefficients[:, others] < 0).any(axis=1)
    # (R, E) elements in the solid products; a gas that holds another one has carried it away.
    in_product = (solid > 0).astype(int) @ (composition > 0) > 0
    may_leave = supplied.copy()
    for gas in np.flatnonzero(is_gas & ~supplied):
        releases = np.flatnonzero(from_precursors & (coefficients[:, gas] > 0))
        carries = ((composition[gas] > 0) & ~in_product[releases]).any(axis=1)
        releases = releases[carries | (n_reactants[releases] == 1)]
        dG = reaction_energy(
            reactions.take(releases), temperature_K, energies=energies, partial_pressure_Pa=partial_pressure_Pa
        )
        may_leave[gas] = bool((dG < 0).any())
    generators = composition[np.concatenate([precursors, np.flatnonzero(may_leave)])].astype(float)
    basis = np.linalg.svd(generators, full_matrices=False)
    basis_rows = basis[2][basis[1] > 1e-9 * basis[1][0]]
    outside = composition - composition @ basis_rows.T @ basis_rows
    foreign = np.abs(outside).max(axis=1) > 1e-7
    allowed = ~(coefficients[:, foreign] != 0).any(axis=1)
    allowed &= ~(coefficients[:, is_gas & ~supplied] < 0).any(axis=1)
    allowed &= ~(coefficients[:, is_gas & ~may_leave] > 0).any(axis=1)
    if null:
        for gas in np.flatnonzero(is_gas):
            leaves = ((composition[gas] > 0) & ~in_product).any(axis=1)
            allowed &= (coefficients[:, gas] <= 0) | leaves
        allowed &= (n_reactants == 2) & (n_products == 1)
    elif not options.decomposition:
        allowed &= (n_reactants == 2) | (coefficients[:, is_gas] != 0).any(axis=1)
    return np.flatnonzero(allowed)


def reachable(pool: Reactions, start: list[int]) -> np.ndarray:
    """Which reactions can ever start, from the phases ``start`` and what the reactions make, shape (R,), bool."""
    needs = (pool.coefficients < 0) & ~pool.phases.is_gas
    makes = (pool.coefficients > 0) & ~pool.phases.is_gas
    reached = np.zeros(len(pool.phases), dtype=bool)
    reached[start] = True
    while True:
        active = np.logical_not(needs[:, ~reached].any(axis=1))
        more = reached | makes[active].any(axis=0)
        if (more == reached).all():
            return active
        reached = more


def within_metastable_limit(
    pool: Reactions,
    temperature_K: np.ndarray,
    atmosphere: list[str],
    partial_pressure_Pa: Mapping[str, float],
    options: KineticsOptions,
    energies: str,
) -> np.ndarray:
    """Return where the solids that a reaction makes lie close enough to the hull to form, shape (nT, R), bool.

    A product further above the hull than the limit, or two products that are so together, do not appear: they would at
    once turn into what lies below. The hull is that of this furnace: gases of the atmosphere are held at their
    pressure, any other gas can be given off at its residual pressure but not taken up.

    Args:
        pool: R reactions.
        temperature_K: Shape (nT,).
        atmosphere: Gases that the atmosphere holds.
        partial_pressure_Pa: Pressure of every gas.
        options: The limit, None for none.
        energies: Name of the energy set.
    """
    limit = options.metastable_limit_eV_per_atom
    if limit is None or not len(pool):
        return np.ones((len(temperature_K), len(pool)), dtype=bool)
    from tammann.thermo import chemical_potential_diagram

    phases = pool.phases
    free = {gas: pressure for gas, pressure in partial_pressure_Pa.items() if gas not in atmosphere}
    furnace = _at_pressure(phases, free, energies)
    held = {gas: partial_pressure_Pa[gas] for gas in atmosphere} or None
    made = np.maximum(pool.coefficients, 0) * ~phases.is_gas
    composition = phases.composition_matrix
    atoms = composition.sum(axis=1)
    content = made @ composition
    gibbs = phases.gibbs(temperature_K, energies=energies)
    per_formula = np.nan_to_num(gibbs) * atoms
    close = np.empty((len(temperature_K), len(pool)), dtype=bool)
    for t, T in enumerate(temperature_K.tolist()):
        corners = chemical_potential_diagram(furnace, T, energies=energies, partial_pressure_Pa=held).vertices_eV
        each = gibbs[t] - (composition @ corners.T).max(axis=1) / atoms
        together = made @ per_formula[t] - (content @ corners.T).max(axis=1)
        far = ~(each <= limit)
        close[t] = (together <= limit * content.sum(axis=1)) & ~(made[:, far] > 0).any(axis=1)
    return close


def release_allowed(
    pool: Reactions, temperature_K: np.ndarray, partial_pressure_Pa: Mapping[str, float], energies: str
) -> np.ndarray:
    """Return where a reaction that gives off gas may do so, shape (nT, R), bool; true for reactions that do not.

    It may where its products, the gas at its pressure, lie no higher than the best that the same atoms could reach
    while keeping that gas (and losing others), and where the solids that are left would not take the gas up again:
    among the chemical potentials mu at which they are at equilibrium, without the gas, are some with a . mu >= g, a and
    g the composition and the Gibbs energy of the gas. Otherwise the heat of an exchange between solids, or the loss of
    another gas, would pay for a gas that no equilibrated solid gives off: BaO + 6 TiO2 would lose oxygen to form
    reduced titanates in any atmosphere, and BaO2 + TiO2 more oxygen than the peroxide has to spare.

    Args:
        pool: R reactions.
        temperature_K: Shape (nT,).
        partial_pressure_Pa: Pressure of every gas.
        energies: Name of the energy set.
    """
    phases = pool.phases
    allowed = np.ones((len(temperature_K), len(pool)), dtype=bool)
    atoms = phases.composition_matrix.sum(axis=1)
    furnace = _at_pressure(phases, partial_pressure_Pa, energies)
    per_formula = np.nan_to_num(furnace.gibbs(temperature_K, energies=energies)) * atoms
    for gas in np.flatnonzero(phases.is_gas):
        rows = np.flatnonzero(pool.coefficients[:, gas] > 0)
        if not len(rows):
            continue
        from tammann.thermo import chemical_potential_diagram

        made = np.maximum(pool.coefficients[rows], 0)
        content = made @ phases.composition_matrix
        kept = phases[int(gas)].formula
        left = content - made[:, [gas]] * phases.composition_matrix[gas]
        for t, T in enumerate(temperature_K.tolist()):
            corners = chemical_potential_diagram(furnace, T, energies=energies, without=[kept]).vertices_eV
            best = (content @ corners.T).max(axis=1)
            allowed[t, rows] &= made @ per_formula[t] <= best + 1e-9 * content.sum(axis=1)
            energy = left @ corners.T
            stable = energy >= energy.max(axis=1, keepdims=True) - 1e-9 * left.sum(axis=1, keepdims=True)
            gives = corners @ phases.composition_matrix[gas] >= per_formula[t, gas] - 1e-9
            allowed[t, rows] &= (stable & gives).any(axis=1)
    return allowed


def _at_pressure(phases: Phases, pressures: Mapping[str, float], energies: str) -> Phases:
    """The same phases, with the energies of some gases taken at a pressure instead of at 1 bar."""
    one = phases.energy_set(energies)
    gibbs = one.gibbs_eV_per_atom.copy()
    for gas, pressure in pressures.items():
        index = phases.index(gas)
        thermal = BOLTZMANN_EV_PER_K * one.temperature_K
        gibbs[:, index] += thermal * np.log(pressure / STANDARD_PRESSURE_PA) / phases[index].n_atoms
    return phases.with_energies(replace(one, gibbs_eV_per_atom=gibbs))


def _with_energy(phases: Phases, energies: str) -> np.ndarray:
    """Which phases the energy set has at all its temperatures, shape (n,)."""
    return np.asarray(np.isfinite(phases.energy_set(energies).gibbs_eV_per_atom).all(axis=0))
