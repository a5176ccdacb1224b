"""From reactions, transport and a recipe to the table of rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tammann._version import __version__
from tammann.errors import RecipeError, check_argument
from tammann.kinetics import selection
from tammann.kinetics.channels import between_local_equilibria, growth_of_channels, layers_of
from tammann.kinetics.coverage import coverage_warnings, layers_down_to
from tammann.kinetics.growth import Layer
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.rate_tables import RateTable
from tammann.kinetics.score import melt_exchange, nucleation_factor, onset, reduced_growth, score
from tammann.kinetics.selection import FurnaceConditions
from tammann.reactions import Reactions
from tammann.thermo.measured import warnings_about
from tammann.transport import TransportTable
from tammann.transport.learned import learned_warnings

if TYPE_CHECKING:
    from tammann.recipe import Recipe


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

    - Growth of one or two phases between two reactants: K_D of each product (see ``growth_constant``), driven by the
      difference of chemical potentials between the local equilibria on the two sides of the layer, open to the gases
      that the reaction exchanges; of two products the volume-weighted harmonic mean, because layers in series share one
      flux.
    - Decomposition of one phase into two: growth run backwards, so the layer is the phase itself between its products.
    - One solid to one solid with a gas: the layer of the product, through which what the gas carries must pass.
    - Without transport data for a layer: the thermodynamic score, named in ``warnings`` and marked in ``fallback``.

    x of the score uses the larger of the two reactants' particle radii (the coarser powder is used up last); phases
    that are no precursors have the recipe's. The driving force enters once: K_D vanishes with dG, forward as backward,
    so that the rate is net by itself; ``KineticsOptions`` says what other choices do. Gases of the atmosphere react at
    their partial pressure; any other gas can only be released, against a residual pressure. Below and above the
    tabulated temperatures see ``KineticsOptions``.

    With ``null`` the table is the geometric null: every reaction of two solids to one solid (gases released only where
    they carry away an element that the product lacks, absorbed from the atmosphere where it has them) has the same
    score, sigma2(T/Tm), whatever its energy. Reactions to two solids are left out: without energies each pair would
    also separate again, and the mixture would never arrest.

    Args:
        reactions: All reactions of the phases; the default energies serve where the recipe names a file.
        transport: Onsager coefficients, or None.
        recipe: Precursors, atmosphere, programme, particle sizes and kinetics.
        null: The geometric null in place of the score.
        scale: s, 1/(s eV); draws of an ensemble share ``metadata["scale_per_s_eV"]`` of the central table.
        options: In place of those of the recipe.

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
    check_argument("reactions", reactions, "Reactions", "what enumerate_reactions returns")
    check_argument("recipe", recipe, "Recipe", "what Recipe.from_file returns", error=RecipeError)
    check_argument("transport", transport, "TransportTable|NoneType", "what load_transport returns, or None")
    chosen = options or KineticsOptions.from_recipe(recipe)
    if scale is not None:
        chosen = chosen.model_copy(update={"scale": scale})
    phases = reactions.phases
    energies = selection.energy_set_of(phases, recipe)
    precursors = selection.precursors(phases, recipe, energies)
    furnace, important, warnings = selection.conditions(phases, recipe, chosen, energies)

    pool = reactions.take(selection.possible(reactions, precursors, furnace, chosen, null=null))
    phases.require_melting_points([*precursors, *np.flatnonzero(pool.coefficients.any(axis=0))])
    dG = furnace.energy(pool)
    candidates = _Candidates(
        pool, dG, np.isfinite(dG), np.zeros_like(dG), np.full_like(dG, np.nan), np.zeros(len(pool), dtype=bool)
    )
    used_scale, nothing_opens = None, None
    if null:
        candidates = candidates.take(candidates.open.all(axis=0)).reachable(precursors)
        ratio = furnace.temperature_K[:, None] / _lowest_melting_point(candidates.pool)
        candidates = _sharing(replace(candidates, score=onset(ratio, chosen)), chosen)
    else:
        stages = [(candidates, ""), *_narrowed(candidates, precursors, furnace, chosen)]
        layers = layers_of(transport, phases, chosen)
        candidates, used_scale = _scored(stages[-1][0], reactions, layers, transport, furnace, recipe, chosen)
        candidates = candidates.take((candidates.score > chosen.smallest_score).any(axis=0)).reachable(precursors)
        hottest = f"{furnace.temperature_K[-1]:g} K"
        stages.append((candidates, f"no score exceeds {chosen.smallest_score:g} up to {hottest}, which is too cold"))
        if not len(candidates.pool):
            nothing_opens = _why_nothing_opens(reactions, stages, precursors, furnace)
            important.insert(0, nothing_opens)
        else:
            open_ = np.atleast_1d((candidates.pool.coefficients != 0).any(axis=0))
            used = [gas for gas in furnace.pressure_Pa if open_[phases.index(gas)]]
            important += selection.gas_warnings(furnace, recipe, used, chosen.residual_pressure_Pa)
        warnings += coverage_warnings(
            candidates.pool, candidates.fallback, candidates.dG[0], layers, transport, furnace, chosen
        )
    taking_part = (candidates.pool.coefficients != 0).any(axis=0)
    present = [phase for phase, here in zip(phases, taking_part, strict=True) if here]
    if not null and chosen.transport != "none":
        T, names = furnace.temperature_K, [phase.formula for phase in present]
        important += learned_warnings(transport, names, coldest_K=float(T[0]), hottest_K=float(T[-1]))
    about = warnings_about(phases, [phase.formula for phase in present])
    warnings += [*about, *phases.energy_set(energies).warnings, *(transport.warnings if transport else ())]

    metadata = {
        "version": __version__,
        "system": phases.system,
        "energies": energies,
        "transport": "none" if transport is None else transport.name,
        "transport_source": "" if transport is None else transport.source,
        "kinetics": "null" if null else chosen.transport,
        "scale_per_s_eV": used_scale,
        "atmosphere_Pa": {gas: furnace.pressure_Pa[gas] for gas in furnace.supplied},
        "options": chosen.model_dump(),
        "nothing_opens": nothing_opens,
        "important_warnings": important,
    }
    molten = selection.molten_warnings(present, float(furnace.temperature_K[-1]))
    everything = tuple(dict.fromkeys([*important, *molten, *warnings]))
    return _assembled(candidates, precursors, furnace.temperature_K, recipe, chosen, metadata, everything)


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
    furnace = FurnaceConditions(energies or phases.default_energies, temperature, (), {})
    for with_data in (layers_down_to(chosen.reference_temperature_K, layers, chosen), layers):
        has = np.isin(np.arange(len(phases)), list(with_data))
        serving = simple & ~((solid > 0) & ~has).any(axis=1)
        if serving.any():
            break
    pool = reactions.take(np.flatnonzero(serving))
    dG = furnace.energy(pool)
    downhill = (dG < 0.0).all(axis=0)
    pool, dG = pool.take(np.flatnonzero(downhill)), dG[:, downhill]
    if not len(pool):
        return 1.0
    growth = growth_of_channels(pool, dG, layers, transport, furnace, chosen)
    x = reduced_growth(
        growth,
        dG,
        temperature[:, None],
        scale=1.0,
        radius_m=chosen.reference_radius_m,
        options=chosen,
        local_equilibrium=between_local_equilibria(pool, chosen),
    )
    largest = float(np.nanmax(x, initial=0.0))
    return largest if largest > 0 else 1.0


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Reactions that are not ruled out so far, and what is known of each; arrays run over temperature and reaction."""

    pool: Reactions
    dG: np.ndarray
    open: np.ndarray  # where the reaction may happen at all
    score: np.ndarray
    growth: np.ndarray  # K_D, NaN where there is none
    fallback: np.ndarray  # (R,) whether the thermodynamic score stands in for missing transport data

    def take(self, keep: np.ndarray | np.bool) -> _Candidates:
        """Keep some of the reactions."""
        arrays = (self.dG, self.open, self.score, self.growth, self.fallback)
        return _Candidates(self.pool.take(np.flatnonzero(keep)), *(array[..., keep] for array in arrays))

    def narrowed(self, where: np.ndarray) -> _Candidates:
        """Open only ``where``; reactions that are open nowhere are dropped."""
        still = self.open & where
        return replace(self, open=still).take(still.any(axis=0))

    def reachable(self, start: list[int]) -> _Candidates:
        """Keep those that can ever start from the phases ``start``."""
        return self.take(selection.reachable(self.pool, start))


def _narrowed(
    candidates: _Candidates, precursors: list[int], furnace: FurnaceConditions, options: KineticsOptions
) -> Iterator[tuple[_Candidates, str]]:
    """Yield what each filter leaves of the candidates, with the reason that it gives where that is nothing."""
    limit = 0.0 if options.score == "repaired" else options.uphill_limit_eV_per_atom
    candidates = candidates.narrowed(candidates.dG < limit).reachable(precursors)
    yield candidates, "every reaction is too far uphill"
    near = selection.within_metastable_limit(candidates.pool, furnace, options)
    candidates = candidates.narrowed(near).reachable(precursors)
    above = f"all products lie more than {options.metastable_limit_eV_per_atom} eV per atom above the hull"
    yield candidates, f"{above} (kinetics.metastable_limit_eV_per_atom)"
    if not options.coupled_release:
        candidates = candidates.narrowed(selection.release_allowed(candidates.pool, furnace)).reachable(precursors)
        yield candidates, "the solids left would take the gas up again (kinetics.coupled_release)"


def _scored(
    candidates: _Candidates,
    reactions: Reactions,
    layers: Mapping[int, Layer],
    transport: TransportTable | None,
    furnace: FurnaceConditions,
    recipe: Recipe,
    options: KineticsOptions,
) -> tuple[_Candidates, float | None]:
    """The candidates with growth constants and scores, and the scale s, None where nothing has a growth constant."""
    pool, dG, temperature = candidates.pool, candidates.dG, furnace.temperature_K
    warm = layers_down_to(float(temperature[0]), layers, options)
    growth = growth_of_channels(pool, dG, warm, transport, furnace, options)
    scale, x, T = None, np.full_like(growth, np.nan), temperature[:, None]
    local = between_local_equilibria(pool, options)
    if np.isfinite(growth).any():
        scale = options.scale or reference_scale(reactions, transport, options=options, energies=furnace.energies)
        x = reduced_growth(
            growth, dG, T, scale=scale, radius_m=_radius(pool, recipe), options=options, local_equilibrium=local
        )
    value = score(x, dG, T, _lowest_melting_point(pool), options=options, local_equilibrium=local)
    if options.nucleation_barrier_J_per_m2:
        gamma, volume = options.nucleation_barrier_J_per_m2, _product_volume(pool)
        value = value * nucleation_factor(dG, T, gamma_J_per_m2=gamma, volume_A3_per_atom=volume)
    fallback = np.isnan(growth).any(axis=0) & (options.transport != "none")
    value = np.where(candidates.open, value, 0.0)
    return _sharing(replace(candidates, score=value, growth=growth, fallback=fallback), options), scale


def _sharing(candidates: _Candidates, options: KineticsOptions) -> _Candidates:
    """The candidates with scores lowered so that those of a contact sum to the largest of them, if that is chosen.

    Reactions of the same solids share the area of one contact (or, of a solid alone, its volume) in proportion to their
    scores, so that more of them, which differ little, do not make it react faster.
    """
    if options.contact_area == "each":
        return candidates
    solids = (candidates.pool.coefficients < 0) & ~candidates.pool.phases.is_gas
    _, contact = np.unique(solids, axis=0, return_inverse=True)
    total, largest = np.zeros((2, int(contact.max(initial=-1)) + 1, len(candidates.score)))
    np.add.at(total, contact, candidates.score.T)
    np.maximum.at(largest, contact, candidates.score.T)
    share = np.divide(largest, total, out=np.zeros_like(total), where=total > 0.0)
    return replace(candidates, score=candidates.score * share[contact].T)


def _why_nothing_opens(
    reactions: Reactions, stages: list[tuple[_Candidates, str]], precursors: list[int], furnace: FurnaceConditions
) -> str:
    """One sentence on the filter that no reaction of the precursors passed, and the reaction that came closest."""
    phases = reactions.phases
    names = " and ".join(phases[p].formula for p in precursors)
    at_hand = np.zeros(len(phases), dtype=bool)
    at_hand[[*precursors, *(phases.index(gas) for gas in furnace.supplied)]] = True
    pool = _starting(reactions, at_hand)
    reason = "equilibrium has none of the products, which the elements at hand do not make one by one"
    for (before, _), (after, why) in zip(stages[:-1], stages[1:], strict=True):
        if len(_starting(before.pool, at_hand)) and not len(after.pool):
            pool, reason = _starting(before.pool, at_hand), why
            break
    dG = furnace.energy(pool)
    if not np.isfinite(dG).any():
        return f"Nothing reacts: the phases of {phases.system} have no balanced reaction of {names} in this atmosphere."
    t, row = np.unravel_index(np.nanargmin(dG), dG.shape)
    if dG[t, row] >= 0:
        reason = f"every reaction is uphill up to {furnace.temperature_K[-1]:g} K"
    return (
        f"Nothing reacts: of {names}, {reason}; the closest is {pool[int(row)].equation} with {dG[t, row]:+.3f} eV per "
        f"atom at {furnace.temperature_K[t]:g} K."
    )


def _starting(reactions: Reactions, at_hand: np.ndarray) -> Reactions:
    """The reactions that consume nothing but what is at hand."""
    return reactions.take(np.flatnonzero(~(reactions.coefficients[:, ~at_hand] < 0).any(axis=1)))


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


def _assembled(
    candidates: _Candidates,
    precursors: list[int],
    temperature: np.ndarray,
    recipe: Recipe,
    options: KineticsOptions,
    metadata: Mapping[str, object],
    warnings: tuple[str, ...],
) -> RateTable:
    pool = candidates.pool
    phases, coefficients = pool.phases, pool.coefficients
    used = (coefficients != 0).any(axis=0)
    used[precursors] = True
    solids, gases = np.flatnonzero(used & ~phases.is_gas), np.flatnonzero(used & phases.is_gas)
    selection.require_few_phases(len(solids), phases.system, "can form")
    elements = np.flatnonzero(phases.composition_matrix[np.concatenate([solids, gases])].any(axis=0))
    melting = np.array([phases[p].melting_point_K for p in solids])
    reactants, reactant_coefficients = _side(-coefficients[:, solids])
    products, product_coefficients = _side(coefficients[:, solids])
    ratio = temperature[:, None] / melting
    exchange = recipe.grid.melt_exchange_per_sweep * melt_exchange(ratio, above=options.melt_exchange_above)
    if recipe.grid.solid_exchange_per_sweep:
        exchange = exchange + recipe.grid.solid_exchange_per_sweep * onset(ratio, options)
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
        score=candidates.score,
        dG_eV_per_atom=candidates.dG,
        growth_constant_m2_per_s=np.where(candidates.fallback, np.nan, candidates.growth),
        fallback=candidates.fallback,
        equations=tuple(reaction.equation for reaction in pool),
        exchange=np.clip(exchange, 0.0, 1.0),
        metadata=metadata,
        warnings=warnings,
    )


def _side(amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The one or two columns of each row that are positive, -1 where there is no second, and their values."""
    padded = np.pad(amounts, ((0, 0), (0, 2)))
    order = np.argsort(padded <= 0, axis=1, kind="stable")[:, :2]
    values = np.take_along_axis(padded, order, axis=1)
    there = values > 0
    return np.where(there, order, -1), np.where(there, values, 0).astype(float)
