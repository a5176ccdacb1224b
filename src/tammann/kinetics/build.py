"""From reactions, transport and a recipe to the table of rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tammann._version import __version__
from tammann.errors import RecipeError
from tammann.kinetics import selection
from tammann.kinetics.channels import (
    between_local_equilibria,
    growth_of_channels,
    layers_down_to,
    layers_of,
    layers_without_barrier,
    wanted_layers,
)
from tammann.kinetics.growth import Layer
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.rate_tables import MOST_PHASES, RateTable
from tammann.kinetics.score import melt_exchange, nucleation_factor, reduced_growth, score, sigma2
from tammann.reactions import Reactions, reaction_energy
from tammann.transport import TransportTable

if TYPE_CHECKING:
    from tammann.recipe import Recipe
    from tammann.thermo import Phases

__all__ = ["rate_table", "reference_scale"]


def rate_table(
    reactions: Reactions,
    transport: TransportTable | None,
    recipe: Recipe,
    *,
    null: bool = False,
    scale: float | None = None,
    options: KineticsOptions | None = None,
) -> RateTable:
    """Return which contacts of a recipe's phases react, to what, and how fast, at the temperatures of its programme.

    A channel is kept where its score is above zero at some temperature and its solid reactants can be reached from the
    precursors and the gases of the atmosphere through other such channels.

    - Growth of one or two phases between two reactants: K_D of each product (see ``growth_constant``), with the
      difference of chemical potentials between the stability domains of the reactants, open to the gases that the
      reaction exchanges; of two products the volume-weighted harmonic mean, because layers in series share one flux.
    - Decomposition of one phase into two: growth run backwards, so the layer is the phase itself between its products,
      with the difference between the local equilibria of its two sides. It vanishes with dG, so that the rate is net by
      itself and goes without the net factor.
    - One solid to one solid with a gas: the layer of the product, with the difference between the domains of the two.
    - Without transport data for a layer: the thermodynamic score, announced in ``warnings`` and marked in ``fallback``.

    x of the score uses the larger of the two reactants' particle radii (the coarser powder is used up last); phases
    that are no precursors have the recipe's. Gases of the atmosphere react at their partial pressure; any other gas
    can only be released, against a residual pressure. Below and above the tabulated temperatures see
    ``KineticsOptions``.

    With ``null`` the table is the geometric null: every reaction of two solids to one solid (gases released only where
    they carry away an element that the product lacks, absorbed from the atmosphere where it has them) has the same
    score, sigma2(T/Tm), whatever its energy. Reactions to two solids are left out: without energies each pair would
    also unmix, and nothing could ever come to rest.

    Args:
        reactions: All reactions of the phases; their energies are the set that the recipe names, the default set where
            the recipe names a file.
        transport: Onsager coefficients, or None.
        recipe: Precursors, atmosphere, programme, particle sizes and kinetics.
        null: The geometric null in place of the score.
        scale: s, 1/(s eV), for draws of an ensemble, which share the scale of the central values
            (``metadata["scale_per_s_eV"]`` of their table).
        options: In place of those of the recipe.

    Returns:
        The table.

    Raises:
        RecipeError: A precursor or gas that the phases, or their energies, lack; or more than 254 phases can form.
        DataError: A temperature outside the energies, or outside the transport data where that is refused.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5; Gallant et al., Chem. Mater. 2025, 37, 210.

    Example:
        >>> from tammann.reactions import enumerate_reactions
        >>> from tammann.recipe import Recipe
        >>> from tammann.thermo import load_phases
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
        ... )
        >>> rates = rate_table(enumerate_reactions(load_phases("Ba-Ti-O")), None, recipe)
        >>> bool(rates.fallback.all()), rates.growth_constant_m2_per_s.shape == rates.score.shape
        (True, True)
    """
    chosen = options or KineticsOptions.from_recipe(recipe)
    if scale is not None:
        chosen = replace(chosen, scale=scale)
    phases = reactions.phases
    energies = selection.energy_set_of(phases, recipe)
    temperature = np.asarray(recipe.temperatures_K(), dtype=float)
    precursors = selection.precursors(phases, recipe, energies)
    atmosphere, pressures, warnings = selection.pressures(phases, recipe, chosen, energies)

    pool = reactions.take(
        selection.possible(reactions, precursors, atmosphere, pressures, temperature, chosen, energies, null=null)
    )
    dG = reaction_energy(pool, temperature, energies=energies, partial_pressure_Pa=pressures)
    chain = _Candidates(pool, dG, open=np.isfinite(dG))
    used_scale: float | None = None
    if null:
        chain = chain.take(np.asarray(chain.open.all(axis=0))).reachable(precursors)
        onset = sigma2(
            temperature[:, None] / _lowest_melting_point(chain.pool),
            b=chosen.b,
            c=chosen.c,
            prefactor=chosen.sigma2_prefactor,
        )
        nothing = np.full_like(chain.dG, np.nan)
        chain = replace(chain, score=onset, growth=nothing, fallback=np.zeros(len(chain.pool), dtype=bool))
    else:
        limit = 0.0 if chosen.score == "repaired" else chosen.uphill_limit_eV_per_atom
        chain = chain.narrowed(chain.dG < limit).reachable(precursors)
        near = selection.within_metastable_limit(chain.pool, temperature, atmosphere, pressures, chosen, energies)
        chain = chain.narrowed(near)
        if not chosen.coupled_release:
            chain = chain.narrowed(selection.release_allowed(chain.pool, temperature, pressures, energies))
        chain = chain.reachable(precursors)
        tabulated = layers_of(transport, phases, chosen)
        layers = layers_down_to(float(temperature[0]), tabulated, chosen)
        growth = growth_of_channels(
            chain.pool,
            chain.dG,
            temperature,
            layers,
            transport,
            chosen,
            energies=energies,
            partial_pressure_Pa=pressures,
        )
        if np.isfinite(growth).any():
            used_scale = chosen.scale or reference_scale(reactions, transport, options=chosen, energies=energies)
        value = _scores(chain, growth, temperature, used_scale, recipe, chosen)
        fallback = np.isnan(growth).any(axis=0) & (chosen.transport != "none")
        chain = replace(chain, score=value, growth=growth, fallback=fallback)
        chain = chain.take(np.asarray((value > chosen.smallest_score).any(axis=0))).reachable(precursors)
        warnings += _fallback_warning(chain, tabulated, layers, transport)
        outside = {p: layer for p, layer in layers.items() if temperature[0] < layer.temperature_K[0]}
        flat = layers_without_barrier(
            chain.pool,
            chain.dG[0],
            float(temperature[0]),
            outside,
            transport,
            chosen,
            energies=energies,
            partial_pressure_Pa=pressures,
        )
        warnings += _range_warnings(chain, temperature, tabulated, layers, flat, transport, chosen)
    warnings += [*phases.warnings, *phases.energy_set(energies).warnings, *(transport.warnings if transport else ())]

    metadata = {
        "version": __version__,
        "system": phases.system,
        "energies": energies,
        "transport": "none" if transport is None else transport.name,
        "transport_source": "" if transport is None else transport.source,
        "kinetics": "null" if null else chosen.transport,
        "scale_per_s_eV": used_scale,
        "atmosphere_Pa": {gas: pressures[gas] for gas in atmosphere},
        "options": asdict(chosen),
    }
    return _assembled(chain, precursors, temperature, recipe, chosen, metadata, tuple(dict.fromkeys(warnings)))


def reference_scale(
    reactions: Reactions,
    transport: TransportTable | None,
    *,
    options: KineticsOptions | None = None,
    energies: str | None = None,
) -> float:
    """Return s by convention: the largest x over the products of the end members is 1 at 1100 K for r0 = 1e-7 m.

    s = max_p K_D,p dG*_p / (r0² kB T) over the reactions of the two end members to one phase, with the mode and form
    of the options. Only ratios of growth constants carry meaning, so a table of other magnitude gives the same scores.
    Where the end members are not stated, or not among the phases, all reactions of two solids to one serve. Products
    with a single tabulated temperature above 1100 K count only where there are no others: the value held from there
    would be the fastest of all.

    Args:
        reactions: Reactions whose phases and energies are meant.
        transport: The table.
        options: Constants, reference radius and temperature.
        energies: Name of an energy set, the default set if None.

    Returns:
        s in 1/(s eV); 1 where no product has transport data.

    Raises:
        DataError: The reference temperature lies outside the energies.

    Example:
        >>> from tammann.reactions import enumerate_reactions
        >>> from tammann.thermo import load_phases
        >>> from tammann.transport import load_transport
        >>> s = reference_scale(enumerate_reactions(load_phases("Ba-Ti-O")), load_transport("karan-2026"))
        >>> 1e7 < s < 1e10
        True
    """
    chosen = options or KineticsOptions()
    phases = reactions.phases
    layers = layers_of(transport, phases, chosen)
    coefficients = reactions.coefficients
    solid = coefficients * ~phases.is_gas
    simple = (
        ((solid < 0).sum(axis=1) == 2) & ((solid > 0).sum(axis=1) == 1) & ~coefficients[:, phases.is_gas].any(axis=1)
    )
    ends = chosen.end_members or (None if transport is None else transport.end_members)
    if ends is not None and all(end in phases for end in ends):
        simple &= (coefficients[:, [phases.index(end) for end in ends]] < 0).all(axis=1)
    temperature = np.array([chosen.reference_temperature_K])
    for with_data in (layers_down_to(chosen.reference_temperature_K, layers, chosen), layers):
        has = np.isin(np.arange(len(phases)), list(with_data))
        serving = simple & ~((solid > 0) & ~has).any(axis=1)
        if serving.any():
            break
    pool = reactions.take(np.flatnonzero(serving))
    dG = reaction_energy(pool, temperature, energies=energies)
    downhill = (dG < 0.0).all(axis=0)
    pool, dG = pool.take(np.flatnonzero(downhill)), dG[:, downhill]
    if not len(pool):
        return 1.0
    growth = growth_of_channels(
        pool, dG, temperature, layers, transport, chosen, energies=energies, partial_pressure_Pa={}
    )
    x = reduced_growth(growth, dG, temperature[:, None], scale=1.0, radius_m=chosen.reference_radius_m, options=chosen)
    largest = float(np.nanmax(x, initial=0.0))
    return largest if largest > 0 else 1.0


@dataclass(frozen=True)
class _Candidates:
    """Reactions with what is known of each so far; arrays run over temperature and reaction."""

    pool: Reactions
    dG: np.ndarray
    open: np.ndarray  # where the reaction may happen at all
    score: np.ndarray | None = None
    growth: np.ndarray | None = None
    fallback: np.ndarray | None = None

    def take(self, keep: np.ndarray) -> _Candidates:
        """Some of the reactions."""
        return _Candidates(
            pool=self.pool.take(np.flatnonzero(keep)),
            dG=self.dG[:, keep],
            open=self.open[:, keep],
            score=None if self.score is None else self.score[:, keep],
            growth=None if self.growth is None else self.growth[:, keep],
            fallback=None if self.fallback is None else self.fallback[keep],
        )

    def narrowed(self, where: np.ndarray) -> _Candidates:
        """Open only ``where``; reactions that are open nowhere are dropped."""
        still = self.open & where
        return replace(self, open=still).take(still.any(axis=0))

    def reachable(self, start: list[int]) -> _Candidates:
        """Those that can ever start from the phases ``start``."""
        return self.take(selection.reachable(self.pool, start))


# ---------------------------------------------------------------- what a score needs to know of a reaction


def _scores(
    chain: _Candidates,
    growth: np.ndarray,
    temperature: np.ndarray,
    scale: float | None,
    recipe: Recipe,
    options: KineticsOptions,
) -> np.ndarray:
    """The score of every reaction, shape (nT, R), 0 where it is not open."""
    T = temperature[:, None]
    x = np.full_like(growth, np.nan)
    if scale is not None:
        radius = _radius(chain.pool, recipe)
        x = reduced_growth(growth, chain.dG, T, scale=scale, radius_m=radius, options=options)
    value = score(
        x,
        chain.dG,
        T,
        _lowest_melting_point(chain.pool),
        options=options,
        local_equilibrium=between_local_equilibria(chain.pool, options),
    )
    if options.nucleation_barrier_J_per_m2:
        value = value * nucleation_factor(
            chain.dG,
            T,
            gamma_J_per_m2=options.nucleation_barrier_J_per_m2,
            volume_A3_per_atom=_product_volume(chain.pool),
        )
    return np.where(chain.open, value, 0.0)


def _lowest_melting_point(pool: Reactions) -> np.ndarray:
    melting = np.array([phase.melting_point_K for phase in pool.phases])
    reactant = (pool.coefficients < 0) & ~pool.phases.is_gas
    return np.where(reactant, melting, np.inf).min(axis=1, initial=np.inf)


def _radius(pool: Reactions, recipe: Recipe) -> np.ndarray:
    """The larger of the reactants' particle radii, m, shape (R,)."""
    radius = np.full(len(pool.phases), recipe.particle_radius_um * 1e-6)
    for precursor in recipe.precursors:
        if precursor.particle_radius_um is not None:
            radius[pool.phases.index(precursor.phase)] = precursor.particle_radius_um * 1e-6
    reactant = (pool.coefficients < 0) & ~pool.phases.is_gas
    return np.where(reactant, radius, 0.0).max(axis=1, initial=0.0)


def _product_volume(pool: Reactions) -> np.ndarray:
    """Volume of the solid products per atom of the reaction, cubic Angstrom, shape (R,)."""
    atoms = pool.phases.composition_matrix.sum(axis=1)
    volume = np.array([0.0 if p.state == "gas" else p.volume_A3_per_atom * p.n_atoms for p in pool.phases])
    return np.maximum(pool.coefficients, 0) @ volume / (np.maximum(-pool.coefficients, 0) @ atoms)


# ---------------------------------------------------------------- what a reader should know, and the table


def _fallback_warning(
    chain: _Candidates, tabulated: Mapping[int, Layer], layers: Mapping[int, Layer], transport: TransportTable | None
) -> list[str]:
    """One sentence on the reactions without transport data: how many, and which compositions they lack."""
    assert chain.fallback is not None
    count = int(chain.fallback.sum())
    if not count:
        return []
    if transport is None:
        return [f"No transport data: all {count} reactions have the thermodynamic score."]
    phases = chain.pool.phases
    wanted = np.flatnonzero(wanted_layers(chain.pool)[chain.fallback].any(axis=0)).tolist()
    missing = ", ".join(phases[p].formula for p in wanted if p not in tabulated)
    alone = ", ".join(phases[p].formula for p in wanted if p in tabulated and p not in layers)
    if count == len(chain.pool) and missing and not any(p in tabulated for p in wanted):
        return [
            f"The transport table {transport.name} has none of the products ({missing}): every reaction goes by the "
            "thermodynamic score."
        ]
    reasons = [f"no data of {missing}"] if missing else []
    reasons += [f"one temperature only of {alone}"] if alone else []
    return [
        f"{count} of {len(chain.pool)} reactions have the thermodynamic score, because {transport.name} has "
        f"{' and '.join(reasons) or 'no data'} for the layer that would grow or decompose."
    ]


def _range_warnings(
    chain: _Candidates,
    temperature: np.ndarray,
    tabulated: Mapping[int, Layer],
    layers: Mapping[int, Layer],
    flat: Sequence[int],
    transport: TransportTable | None,
    options: KineticsOptions,
) -> list[str]:
    """What was done outside the tabulated temperatures, of the layers that some reaction wants."""
    if transport is None or options.transport == "none":
        return []
    assert chain.fallback is not None
    wanted = wanted_layers(chain.pool)
    used = [p for p in np.flatnonzero(wanted[~chain.fallback].any(axis=0)).tolist() if p in layers]
    lowest = {p: float(layers[p].temperature_K[0]) for p in used}
    highest = {p: float(layers[p].temperature_K[-1]) for p in used}
    alone = {
        p: float(tabulated[p].temperature_K[0])
        for p in np.flatnonzero(wanted.any(axis=0)).tolist()
        if p in tabulated and p not in layers
    }
    phases = chain.pool.phases
    warnings = []
    below = _ends([p for p in used if temperature[0] < lowest[p]], lowest, phases)
    if below:
        continues = options.below_range == "continue" and not options.nearest_temperature
        how = "continue along the line of ln K_D against 1/T" if continues else "are held"
        warnings.append(f"Below {below}, where {transport.name} has no data, growth constants {how}.")
        if continues and flat:
            names = ", ".join(phases[p].formula for p in flat)
            warnings.append(
                f"Between the lowest two temperatures of {transport.name} growth of {names} is no slower at the colder "
                "one, so below it growth is held: a cold solid as fast as a hot melt."
            )
    if alone:
        names = ", ".join(f"{phases[p].formula} ({T:g} K)" for p, T in alone.items())
        warnings.append(
            f"A single temperature in {transport.name} gives no line to continue below it: {names} "
            f"{'count' if len(alone) > 1 else 'counts'} as without data, unless kinetics.below_range is hold."
        )
    above = _ends([p for p in used if temperature[-1] > highest[p]], highest, phases)
    if above:
        warnings.append(f"Above {above}, where {transport.name} has no data, growth constants are held.")
    return warnings


def _ends(outside: Sequence[int], end_K: Mapping[int, float], phases: Phases) -> str:
    """The ends of the tables of some compositions, K, with their names where not all have the same."""
    if len(outside) == len(end_K) and len(set(end_K.values())) == 1:
        return f"{end_K[outside[0]]:g} K"
    groups: dict[float, list[str]] = {}
    for p in outside:
        groups.setdefault(end_K[p], []).append(phases[p].formula)
    return " and ".join(f"{T:g} K ({', '.join(names)})" for T, names in sorted(groups.items()))


def _assembled(
    chain: _Candidates,
    precursors: list[int],
    temperature: np.ndarray,
    recipe: Recipe,
    options: KineticsOptions,
    metadata: Mapping[str, object],
    warnings: tuple[str, ...],
) -> RateTable:
    assert chain.score is not None and chain.growth is not None and chain.fallback is not None
    pool = chain.pool
    phases, coefficients = pool.phases, pool.coefficients
    used = (coefficients != 0).any(axis=0)
    used[precursors] = True
    solids, gases = np.flatnonzero(used & ~phases.is_gas), np.flatnonzero(used & phases.is_gas)
    if len(solids) > MOST_PHASES:
        raise RecipeError(
            f"precursors: {len(solids)} phases of {phases.system} can form, expected at most {MOST_PHASES}; leave "
            "unlikely ones out of the energies, or lower kinetics.metastable_limit_eV_per_atom"
        )
    elements = np.flatnonzero(phases.composition_matrix[np.concatenate([solids, gases])].any(axis=0))
    melting = np.array([phases[p].melting_point_K for p in solids])
    reactants, reactant_coefficients = _side(-coefficients[:, solids])
    products, product_coefficients = _side(coefficients[:, solids])
    ratio = temperature[:, None] / melting
    exchange = recipe.grid.melt_exchange_per_sweep * melt_exchange(ratio, above=options.melt_exchange_above)
    if recipe.grid.solid_exchange_per_sweep:
        onset = sigma2(ratio, b=options.b, c=options.c, prefactor=options.sigma2_prefactor)
        exchange = exchange + recipe.grid.solid_exchange_per_sweep * onset
    return RateTable(
        phases=tuple(phases[p].formula for p in solids),
        elements=tuple(phases.elements[e] for e in elements),
        composition=phases.composition_matrix[np.ix_(solids, elements)],
        molar_volume_m3=np.array([phases[p].molar_volume_m3_per_mol for p in solids]),
        molar_mass_kg=np.array([phases[p].molar_mass_kg_per_mol for p in solids]),
        melting_point_K=melting,
        gases=tuple(phases[p].formula for p in gases),
        gas_composition=phases.composition_matrix[np.ix_(gases, elements)],
        temperature_K=temperature,
        reactants=reactants,
        reactant_coefficients=reactant_coefficients,
        products=products,
        product_coefficients=product_coefficients,
        gas_coefficients=coefficients[:, gases],
        score=chain.score,
        dG_eV_per_atom=chain.dG,
        growth_constant_m2_per_s=np.where(chain.fallback, np.nan, chain.growth),
        fallback=chain.fallback,
        equations=tuple(reaction.equation for reaction in pool),
        exchange=np.clip(exchange, 0.0, 1.0),
        metadata=metadata,
        warnings=warnings,
    )


def _side(amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The one or two columns of each row that are positive, -1 where there is no second, and their values."""
    order = np.argsort(amounts <= 0, axis=1, kind="stable")[:, :2]
    if order.shape[1] < 2:
        order = np.pad(order, ((0, 0), (0, 2 - order.shape[1])))
    values = np.take_along_axis(amounts, order, axis=1) if amounts.shape[1] else np.zeros((len(amounts), 2))
    if amounts.shape[1] == 1:
        values[:, 1] = 0
    there = values > 0
    return np.where(there, order, -1), np.where(there, values, 0).astype(float)
