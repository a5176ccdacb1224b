"""Which reactions can happen at all: the elements, the atmosphere, and what equilibrium leaves open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import parse_formula
from tammann.errors import DataError, RecipeError
from tammann.files import DATA_SUFFIXES
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.rate_tables import MOST_PHASES
from tammann.reactions import Reactions, reaction_energy
from tammann.thermo.cautions import cautions
from tammann.thermo.phase import ELEMENT_GASES
from tammann.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA

if TYPE_CHECKING:
    from tammann.recipe import Recipe
    from tammann.thermo import Phase, Phases

_DEPTH_EV_PER_ATOM = 10.0
"""By how much energies are lowered, so that the elements, which stand at zero, take no part in a hull."""

_HIGHEST_PRESSURE_PA = 1e8
"""The highest that a recipe may state."""

_INERT = frozenset({"He", "Ne", "Ar", "Kr", "Xe", "N2"})
"""Gases of which it is no surprise that no phase takes them up."""


@dataclass(frozen=True, eq=False)
class FurnaceConditions:
    """Temperatures and gas pressures that reactions meet in the furnace.

    Attributes:
        energies: Name of the energy set.
        temperature_K: Temperatures of the programme, shape (nT,), ascending.
        supplied: Gases that the atmosphere holds; they can be taken up and given off.
        pressure_Pa: Pressure of every gas that can take part; those not supplied can only be given off.
        factor: Factor of a pressure at each temperature, (nT,), where the gases would react with each other.
    """

    energies: str
    temperature_K: np.ndarray
    supplied: tuple[str, ...]
    pressure_Pa: Mapping[str, float]
    factor: Mapping[str, np.ndarray] = field(default_factory=dict)

    def held_Pa(self, t: int) -> dict[str, float]:
        """Return the pressures of the gases that the atmosphere holds, at temperature number t."""
        return {gas: self.pressure_at(gas, self.temperature_K[t]) for gas in self.supplied}

    def released_Pa(self, t: int) -> dict[str, float]:
        """Return the pressures against which the other gases leave, at temperature number t."""
        T = self.temperature_K[t]
        return {gas: self.pressure_at(gas, T) for gas in self.pressure_Pa if gas not in self.supplied}

    def pressure_at(self, gas: str, T: float) -> float:
        """Return the pressure of a gas, Pa, at a temperature, K."""
        factor = np.exp(np.interp(T, self.temperature_K, np.log(self.factor[gas]))) if gas in self.factor else 1.0
        return float(self.pressure_Pa[gas] * factor)

    def at(self, temperature_K: np.ndarray) -> FurnaceConditions:
        """Return the furnace at other temperatures of its programme, shape (n,)."""
        logs = {
            gas: np.interp(temperature_K, self.temperature_K, np.log(values)) for gas, values in self.factor.items()
        }
        return replace(self, temperature_K=temperature_K, factor={gas: np.exp(x) for gas, x in logs.items()})

    def energy(self, reactions: Reactions) -> np.ndarray:
        """Return the Gibbs energy of reactions at every temperature, eV per atom, shape (nT, R)."""
        pressures = {gas: pressure * self.factor.get(gas, 1.0) for gas, pressure in self.pressure_Pa.items()}
        return reaction_energy(reactions, self.temperature_K, energies=self.energies, partial_pressure_Pa=pressures)

    def hull_corners(self, phases: Phases) -> Iterator[np.ndarray]:
        """Yield, at every temperature, the chemical potentials at the corners of this furnace's hull, eV, (nv, E).

        Gases of the atmosphere are held at their pressure; any other gas can be given off against its pressure but not
        taken up.
        """
        from tammann.thermo import chemical_potential_diagram

        for t, open_phases in enumerate(self.phases_at(phases, self.released_Pa)):
            yield chemical_potential_diagram(
                open_phases,
                float(self.temperature_K[t]),
                energies=self.energies,
                partial_pressure_Pa=self.held_Pa(t) or None,
            ).vertices_eV

    def phases_at(self, phases: Phases, pressures: Callable[[int], Mapping[str, float]]) -> Iterator[Phases]:
        """Yield, at every temperature, the phases with the energies of gases at the pressures of that temperature."""
        same = None if self.factor else at_pressure(phases, pressures(0), self.energies)
        for t in range(len(self.temperature_K)):
            yield same or at_pressure(phases, pressures(t), self.energies)


def gas_warnings(
    furnace: FurnaceConditions, recipe: Recipe, used: Collection[str], residual_pressure_Pa: float
) -> list[str]:
    """Return what to say of the gases of an atmosphere whose pressures the recipe states, by those that take part."""
    if isinstance(recipe.atmosphere, str):
        return []
    found = [
        f"The {gas} of the atmosphere takes part in no reaction that opens here."
        for gas in furnace.supplied
        if gas not in used
    ]
    leaving = sorted({*used} - {*furnace.supplied, *furnace.factor})
    if leaving:
        block = "kinetics" if recipe.engine == "automaton" else "diffusion"
        found.append(
            f"{', '.join(leaving)} can leave, against {residual_pressure_Pa:g} Pa ({block}.residual_pressure_Pa), but "
            "not come; state the pressures if you know them, since they decide how far solids are reduced or decompose."
        )
    return found


def molten_warnings(solids: Iterable[Phase], hottest_K: float) -> list[str]:
    """Return what to say of solids above their melting points."""
    molten = [phase.formula for phase in solids if phase.melting_point_K < hottest_K]
    if not molten:
        return []
    return [
        f"Molten at the hottest of the programme, {hottest_K:g} K: {', '.join(molten)}. Their energies are those of "
        "solids; a melt that mixes, wets or flows is not modelled."
    ]


def precursors(phases: Phases, recipe: Recipe, energies: str) -> list[int]:
    """Return the positions of the precursors.

    Raises:
        RecipeError: The phases or their energies lack one, or it is a gas.
    """
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


def energy_set_of(phases: Phases, recipe: Recipe) -> str:
    """Return the name of the recipe's energy set, which is the default one where it names a file or a database."""
    if recipe.energies in phases.energy_sets:
        return recipe.energies
    if recipe.energies.lower().endswith(DATA_SUFFIXES) or recipe.energies.startswith("mp-api"):
        return phases.default_energies
    there = ", ".join(phases.energy_sets)
    raise RecipeError(
        f"energies: {recipe.energies!r} is not a set of {phases.system}; choose one of {there}, or a file."
    )


def conditions(
    phases: Phases, recipe: Recipe, options: KineticsOptions, energies: str, *, step_K: float = 25.0
) -> tuple[FurnaceConditions, list[str], list[str]]:
    """Return what reactions meet in the furnace of a recipe, and two lists of warnings.

    A gas that the data do not know is refused where the recipe states its pressure. Where it comes with an atmosphere
    that has a name, such as the CO2 of air over phases without carbon, it is named in the first list, of what changes
    the answer. Noble gases and nitrogen may be stated; they take no part, which the second list says.

    Raises:
        RecipeError: A gas is a solid of the phases or unknown to them; nothing of the atmosphere can act; or its gases
            cannot be held at the highest temperature.
    """
    known = _with_energy(phases, energies)
    gases = {phases[p].formula: options.residual_pressure_Pa for p in np.flatnonzero(phases.is_gas & known).tolist()}
    supplied: dict[str, float] = {}
    inert, unknown = [], []
    for formula, pressure in recipe.partial_pressure_Pa.items():
        written = phases[phases.index(formula)].formula if formula in phases else formula
        if written in gases:
            supplied[written] = pressure
        elif written in phases and phases[phases.index(written)].state != "gas":
            raise RecipeError(f"partial_pressure_Pa: {formula} is a solid of {phases.system}; name a gas.")
        elif written in _INERT and not set(parse_formula(written)) & set(phases.elements):
            inert.append(written)
        else:
            unknown.append(written)
    named = isinstance(recipe.atmosphere, str)
    if unknown and not (named and supplied):
        key = f"atmosphere: {recipe.atmosphere}" if named else "atmosphere.partial_pressure_Pa"
        usable = [gas for gas in gases if gas in (*ELEMENT_GASES, "CO2", "H2O")]
        raise RecipeError(
            f"{key}: no phase of {phases.system} can take up or give off {' or '.join(unknown)}; "
            f"{'write inert' if named else 'leave it out'}, add phases that do (in a script also the gases, by "
            f"tammann.kinetics.with_atmosphere), or name {' or '.join([*usable, 'an inert gas such as Ar'])}."
        )
    pressures = {**supplied, **{gas: pressure for gas, pressure in gases.items() if gas not in supplied}}
    furnace = FurnaceConditions(energies, recipe.temperatures_K(step_K), tuple(supplied), pressures)
    furnace, important = _balanced(furnace, phases)
    return (
        furnace,
        [
            *important,
            *cautions(phases, energies),
            *(
                f"The {gas} of {recipe.atmosphere} takes no part, because no phase of {phases.system} can take it up "
                "or give it off."
                for gas in unknown
            ),
        ],
        [f"The {gas} of the atmosphere is inert and takes no part." for gas in inert],
    )


def _balanced(furnace: FurnaceConditions, phases: Phases) -> tuple[FurnaceConditions, list[str]]:
    """Return the furnace at pressures where the gases of its atmosphere do not react with each other, and warnings."""
    from tammann.thermo.open_gases import balanced_gases

    if not furnace.supplied:
        return furnace, []
    held, released = furnace.held_Pa(0), furnace.released_Pa(0)
    elements = set().union(*(phases[gas].composition for gas in held))
    products = [gas for gas in released if elements.issuperset(phases[gas].composition)]
    temperature = furnace.temperature_K.tolist()
    gibbs = phases.gibbs(temperature, energies=furnace.energies)
    rise, fall, reactions = zip(
        *(balanced_gases(phases, g, T, held, released) for g, T in zip(gibbs, temperature, strict=True)), strict=True
    )
    if max(*rise, *fall) < 1e-6:
        return furnace, []
    # A little further, so that the potentials have room.
    up, down = (np.exp(sign * (x + 1e-3 * (x > 1e-6))) for sign, x in ((1.0, np.array(rise)), (-1.0, np.array(fall))))
    factor = {**dict.fromkeys(products, up), **dict.fromkeys(held, down)}
    residual = max((released[gas] for gas in products), default=np.inf)
    worst = -1 if down.min() > 0 else int(down.argmin())
    if down[worst] < 1 or _HIGHEST_PRESSURE_PA < residual * up[-1] < np.inf:
        lower = f"lower the pressures to {100 * down[worst]:.2g} %" if 0 < down[worst] < 1 else "lower the pressures"
        raise RecipeError(
            f"atmosphere: {' and '.join(held)} cannot be held at {temperature[worst]:g} K, where {reactions[worst]}; "
            f"{lower}, or state that of the gas that is missing."
        )
    warnings = []
    if up[-1] > 10:
        warnings.append(
            f"The gases of the atmosphere would react with each other ({reactions[-1]}), so that gases they make leave "
            f"against {residual * up[-1]:.2g} Pa at {temperature[-1]:g} K; state their pressures if you know them."
        )
    if (lowered := np.flatnonzero(down < 1)).size:
        warnings.append(
            f"The gases of the atmosphere would deposit a solid up to {temperature[lowered[-1]]:g} K "
            f"({reactions[lowered[-1]]}); their pressures are lowered there to where they do not."
        )
    return replace(furnace, factor=factor), warnings


def possible(
    reactions: Reactions, precursors: list[int], furnace: FurnaceConditions, options: KineticsOptions, *, null: bool
) -> np.ndarray:
    """Return the indices of the reactions that matter and atmosphere allow, before their own energies are asked.

    A phase can be made whose composition lies in the linear span of the precursors and of what the gas brings and
    carries away. So, unless oxygen can come or go, oxidation states stay what the precursors brought, and BaO + TiO2
    make neither peroxide nor reduced titanates. A gas of the atmosphere comes and goes. Another gas goes where solids
    at hand give it off downhill: one of them alone, or more if it carries away an element that the solids made with it
    lack.

    Two products of an exchange, LiCl + NaF -> LiF + NaCl, lie in that span only together. They widen it where together
    they lie below every mixture of the same atoms that could be made without them.

    With ``null`` only two solids to one, and only gases that carry away an element of the solids.
    """
    phases, coefficients, is_gas = reactions.phases, reactions.coefficients, reactions.phases.is_gas
    composition = phases.composition_matrix
    used, made = (coefficients < 0) & ~is_gas, (coefficients > 0) & ~is_gas
    n_reactants, n_products = used.sum(axis=1), made.sum(axis=1)
    supplied = np.zeros(len(phases), dtype=bool)
    supplied[[phases.index(gas) for gas in furnace.supplied]] = True
    # (R, E) elements in the solid products; a gas that holds another one has carried it away.
    in_product = np.stack([(made & (composition[:, e] > 0)).any(axis=1) for e in range(composition.shape[1])], axis=1)
    kind = np.ones(len(reactions), dtype=bool)
    if null:
        brought = used @ (composition > 0)
        for gas in np.flatnonzero(is_gas):
            leaves = ((composition[gas] > 0) & brought & ~in_product).any(axis=1)
            kind &= (coefficients[:, gas] <= 0) | leaves
        kind &= (n_reactants == 2) & (n_products == 1)
    elif not options.decomposition:
        kind &= (n_reactants == 2) | (coefficients[:, is_gas] != 0).any(axis=1)
    at_hand = supplied.copy()
    at_hand[precursors] = True
    while True:
        from_hand = ~(coefficients[:, ~at_hand] < 0).any(axis=1)
        may_leave = supplied.copy()
        for gas in np.flatnonzero(is_gas & ~supplied):
            releases = np.flatnonzero(from_hand & (coefficients[:, gas] > 0))
            carries = ((composition[gas] > 0) & ~in_product[releases]).any(axis=1)
            releases = releases[carries | (n_reactants[releases] == 1)]
            may_leave[gas] = bool((furnace.energy(reactions.take(releases)) < 0).any())
        makeable = _in_span(composition, at_hand | may_leave)
        gas_allowed = ~(coefficients[:, is_gas & ~supplied] < 0).any(axis=1)
        gas_allowed &= ~(coefficients[:, is_gas & ~may_leave] > 0).any(axis=1)
        open_ = kind & gas_allowed & ~(coefficients[:, ~makeable] < 0).any(axis=1)
        leaves_span = (coefficients[:, ~makeable] > 0).any(axis=1)
        exchanges = np.flatnonzero(open_ & leaves_span)
        made = _made_by_exchange(reactions.take(exchanges), furnace, options, makeable & (~is_gas | may_leave))
        if not made.any():
            return np.flatnonzero(open_ & ~leaves_span)
        at_hand |= made


def _in_span(composition: np.ndarray, generators: np.ndarray) -> np.ndarray:
    """Return which compositions lie in the linear span of the chosen ones, shape (n,), bool."""
    basis = np.linalg.svd(composition[generators].astype(float), full_matrices=False)
    basis_rows = basis[2][basis[1] > 1e-9 * basis[1][0]]
    outside = composition - composition @ basis_rows.T @ basis_rows
    return np.asarray(np.abs(outside).max(axis=1) <= 1e-7)


def _made_by_exchange(
    exchanges: Reactions, furnace: FurnaceConditions, options: KineticsOptions, makeable: np.ndarray
) -> np.ndarray:
    """Return the products of downhill exchanges that lie below all that could be made without them, shape (n,), bool.

    ``exchanges`` go from phases that can be made, ``makeable``, to some that cannot be made one by one. Every fourth
    temperature is looked at.
    """
    phases = exchanges.phases
    found = np.zeros(len(phases), dtype=bool)
    coarse = furnace.at(furnace.temperature_K[(len(furnace.temperature_K) - 1) % 4 :: 4])
    downhill = coarse.energy(exchanges) < 0
    exchanges, downhill = exchanges.take(np.flatnonzero(downhill.any(axis=0))), downhill[:, downhill.any(axis=0)]
    if not len(exchanges):
        return found
    downhill &= within_metastable_limit(exchanges, coarse, options)
    one = phases.energy_set(furnace.energies)
    alone = phases.with_energies(
        replace(one, gibbs_eV_per_atom=np.where(makeable, one.gibbs_eV_per_atom - _DEPTH_EV_PER_ATOM, np.nan))
    )
    made = np.maximum(exchanges.coefficients, 0.0) * ~phases.is_gas
    most = (_DEPTH_EV_PER_ATOM - 1e-6) * (made @ phases.composition_matrix.sum(axis=1))
    content, energy = made_of(made, phases, phases.gibbs(coarse.temperature_K, energies=coarse.energies))
    for t, corners in enumerate(coarse.hull_corners(alone)):
        lower = downhill[t] & (above_hull(content, energy[t], corners) < most)
        found |= (made[lower] > 0).any(axis=0) & ~makeable
    return found


def reachable(pool: Reactions, start: list[int]) -> np.ndarray:
    """Return which reactions can ever start, from the phases ``start`` and what reactions make, shape (R,), bool."""
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


def within_metastable_limit(pool: Reactions, furnace: FurnaceConditions, options: KineticsOptions) -> np.ndarray:
    """Return where the solids that a reaction makes lie close enough to the hull to form, shape (nT, R), bool.

    A product further above the hull of this furnace than the limit, or two products that are so together, do not
    appear: they would at once turn into what lies below.
    """
    limit = options.metastable_limit_eV_per_atom
    close = np.ones((len(furnace.temperature_K), len(pool)), dtype=bool)
    if limit is None or not len(pool):
        return close
    phases = pool.phases
    made = np.maximum(pool.coefficients, 0.0) * ~phases.is_gas
    composition = phases.composition_matrix.astype(float)
    atoms = composition.sum(axis=1)
    gibbs = phases.gibbs(furnace.temperature_K, energies=furnace.energies)
    content, energy = made_of(made, phases, gibbs)
    for t, corners in enumerate(furnace.hull_corners(phases)):
        each = gibbs[t] - (composition @ corners.T).max(axis=1) / atoms
        far = ~(each <= limit)
        together = above_hull(content, energy[t], corners)
        close[t] = (together <= limit * (made @ atoms)) & ~(made[:, far] > 0).any(axis=1)
    return close


def release_allowed(pool: Reactions, furnace: FurnaceConditions) -> np.ndarray:
    """Return where a reaction that gives off gas may do so, shape (nT, R), bool; true for reactions that do not.

    It may where its products, the gas at its pressure, lie no higher than the best that the same atoms could reach
    while keeping that gas (and losing others), and where the solids that are left would not take the gas up again:
    among the chemical potentials mu at which they are at equilibrium, without the gas, are some with a . mu >= g, a and
    g the composition and the Gibbs energy of the gas. Otherwise the heat of an exchange between solids, or the loss of
    another gas, would pay for a gas that no equilibrated solid gives off: BaO + 6 TiO2 would lose oxygen to form
    reduced titanates in any atmosphere, and BaO2 + TiO2 more oxygen than the peroxide has to spare.
    """
    from tammann.thermo import chemical_potential_diagram

    phases = pool.phases
    allowed = np.ones((len(furnace.temperature_K), len(pool)), dtype=bool)
    composition = phases.composition_matrix.astype(float)
    atoms = composition.sum(axis=1)
    open_phases = list(furnace.phases_at(phases, lambda t: furnace.released_Pa(t) | furnace.held_Pa(t)))
    gibbs = np.array(
        [p.gibbs(T, energies=furnace.energies) for p, T in zip(open_phases, furnace.temperature_K, strict=True)]
    )
    for gas in np.flatnonzero(phases.is_gas):
        rows = np.flatnonzero(pool.coefficients[:, gas] > 0)
        if not len(rows):
            continue
        made = np.maximum(pool.coefficients[rows], 0.0)
        kept = phases[int(gas)].formula
        gibbs_of_gas = np.nan_to_num(gibbs[:, gas]) * atoms[gas]
        content, energy = made_of(made, phases, gibbs)
        left = content - made[:, [gas]] * composition[gas]
        for t, T in enumerate(furnace.temperature_K.tolist()):
            corners = chemical_potential_diagram(
                open_phases[t], T, energies=furnace.energies, without=[kept]
            ).vertices_eV
            low = above_hull(content, energy[t], corners) <= 1e-9 * content.sum(axis=1)
            left_energy = left[low] @ corners.T
            stable = left_energy >= left_energy.max(axis=1, keepdims=True) - 1e-9 * left[low].sum(axis=1, keepdims=True)
            gives = corners @ composition[gas] >= gibbs_of_gas[t] - 1e-9
            low[low] = (stable & gives).any(axis=1)
            allowed[t, rows] &= low
    return allowed


def made_of(made: np.ndarray, phases: Phases, gibbs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the atoms, shape (R, E), and Gibbs energies, eV, (nT, R), of products in formula units, shape (R, P).

    ``gibbs`` are those of the phases, eV per atom, shape (nT, P).
    """
    composition = phases.composition_matrix.astype(float)
    return made @ composition, (np.nan_to_num(gibbs) * composition.sum(axis=1)) @ made.T


def above_hull(content: np.ndarray, energy: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the Gibbs energy of products above the hull of their atoms, eV per reaction as written, shape (R,).

    ``content`` are their atoms, shape (R, E), ``energy`` eV, (R,), ``corners`` those of the hull, eV, (nv, E).
    """
    hull = [(part @ corners.T).max(axis=1) for part in np.array_split(content, 1 + len(content) // 50_000)]
    return np.asarray(energy - np.concatenate(hull))


def require_few_phases(n: int, system: str, what: str) -> None:
    """Refuse more phases than the cells of a lattice can tell apart; ``what`` says what they do.

    Raises:
        RecipeError: There are more.
    """
    if n > MOST_PHASES:
        raise RecipeError(
            f"precursors: {n} phases of {system} {what}, expected at most {MOST_PHASES}; leave "
            "unlikely ones out of the energies, or lower kinetics.metastable_limit_eV_per_atom"
        )


def at_pressure(phases: Phases, pressures: Mapping[str, float], energies: str) -> Phases:
    """Return the same phases, with the energies of some gases taken at a pressure instead of at 1 bar."""
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
