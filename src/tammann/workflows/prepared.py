"""A recipe with its phases, energies and transport looked up, and what its engine needs of them worked out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tammann.composition import parse_formula
from tammann.errors import DataError, RecipeError
from tammann.files import DATA_SUFFIXES
from tammann.kinetics import KineticsOptions, RateTable, rate_table, relevant_reactions, with_atmosphere
from tammann.kinetics.selection import (
    FurnaceConditions,
    conditions,
    energy_set_of,
    gas_warnings,
    molten_warnings,
    precursors,
)
from tammann.reactions import Reactions
from tammann.reactive_diffusion.components import Components, components
from tammann.reactive_diffusion.conductivity import Conductivities, Mode, conductivities
from tammann.reactive_diffusion.programme import Stretch, ramp_and_hold, table_temperatures
from tammann.recipe import Recipe
from tammann.systems import DEFAULT_SYSTEM
from tammann.thermo import Phases, draw_energies, energy_above_hull, freed, load_phases
from tammann.thermo.measured import warnings_about
from tammann.transport import TransportTable, draw_transport, load_transport
from tammann.transport.learned import learned_warnings

UNTIMED = (
    "Time is not calibrated on an observation of such a powder: the order of events is predicted, and hours, "
    "temperatures of onset and how far the reaction gets in a short anneal only in order of magnitude."
)
"""What to say of reactive diffusion without a calibration."""
_ON_HULL_EV_PER_ATOM = 1e-6


@dataclass(frozen=True, eq=False)
class PreparedDiffusion:
    """What reactive diffusion needs to know of a recipe.

    Attributes:
        system: The solids that can form, and what is conserved.
        conductivities: How well each conducts the components, by the central energies and transport.
    """

    system: Components
    conductivities: Conductivities


@dataclass(frozen=True, eq=False)
class PreparedRecipe:
    """A recipe with its phases, energies and transport, ready to be run.

    Attributes:
        recipe: As it will be run.
        phases: Phases and their energies, gases of the atmosphere included.
        energies: Name of the energy set.
        furnace: Temperatures of the programme and pressures of the gases.
        transport: Onsager coefficients, or None.
        important_warnings: What changes the answer, as sentences.
        warnings: Every remark on data and method, those included.
        diffusion: For reactive diffusion, else None.
        reactions: For the automaton the balanced reactions that can open, else None.
        rates: For the automaton the table of rates by the central energies and transport, else None.
    """

    recipe: Recipe
    phases: Phases
    energies: str
    furnace: FurnaceConditions
    transport: TransportTable | None
    important_warnings: tuple[str, ...]
    warnings: tuple[str, ...]
    diffusion: PreparedDiffusion | None = None
    reactions: Reactions | None = None
    rates: RateTable | None = None

    def __repr__(self) -> str:
        mixture = " + ".join(f"{p.ratio:g} {p.phase}" for p in self.recipe.precursors)
        if self.rates is not None:
            return f"PreparedRecipe({mixture}: {len(self.phases)} phases, {len(self.rates.equations)} open reactions)"
        return f"PreparedRecipe({mixture}: {self.diffusion and self.diffusion.system})"

    @property
    def solids(self) -> tuple[str, ...]:
        """Formulas of the solids that can form."""
        if self.rates is not None:
            return self.rates.phases
        assert self.diffusion is not None
        return self.diffusion.system.formulas


def prepare(recipe: Recipe) -> PreparedRecipe:
    """Look up phases, energies and transport for a recipe, and work out what its engine needs of them.

    Raises:
        RecipeError: The data lack a phase, an energy set or a gas of the recipe.
        DataError: A file of energies or transport cannot be used.
    """
    phases = phases_for(recipe)
    for k, precursor in enumerate(recipe.precursors):
        try:
            written = phases[phases.index(precursor.phase)].formula
        except DataError as error:
            raise RecipeError(f"precursors[{k}].phase: {error}") from None
        if written != precursor.phase:
            raise RecipeError(
                f"precursors[{k}].phase: expected a formula as {phases.system} writes it, got {precursor.phase!r}; "
                f"write {written} and count its ratio in that formula"
            )
    phases = with_atmosphere(phases, recipe)
    transport = None if recipe.transport == "none" else load_transport(recipe.transport)
    energies = energy_set_of(phases, recipe)
    options = KineticsOptions.from_recipe(recipe)
    precursors(phases, recipe, energies)
    furnace, important, notes = conditions(phases, recipe, options, energies)
    plain = PreparedRecipe(recipe, phases, energies, furnace, transport, tuple(important), tuple(notes))
    if recipe.engine == "automaton":
        reactions = relevant_reactions(phases, recipe)
        rates = rate_table(reactions, transport, recipe)
        return replace(
            plain,
            reactions=reactions,
            rates=rates,
            important_warnings=rates.important_warnings,
            warnings=rates.warnings,
        )
    system = _components(plain)
    phases.require_volumes(system.solids)
    conduct = _conductivities(plain, system, null=False, scale=None)
    phases.require_melting_points(system.solids[[origin == "melting point" for origin in conduct.origin]])
    known = replace(plain, diffusion=PreparedDiffusion(system, conduct))
    used = [gas for gas, content in zip(system.gases, system.gas_content.T, strict=True) if np.ptp(content) > 1e-9]
    important = [*important, *gas_warnings(furnace, recipe, used, options.residual_pressure_Pa)]
    occurring = _occurring(known)
    if recipe.diffusion.conductivity != "equal":
        coldest, hottest = furnace.temperature_K[[0, -1]].tolist()
        important += learned_warnings(transport, occurring, coldest_K=coldest, hottest_K=hottest)
    notes = [*important, *_about_diffusion(known, occurring), *notes, *_about_data(known, occurring)]
    return replace(known, important_warnings=tuple(important), warnings=tuple(dict.fromkeys(notes)))


def at_setting(prepared: PreparedRecipe, recipe: Recipe) -> PreparedRecipe:
    """Return a prepared recipe with another powder, grid or time; what was looked up and worked out stays.

    Args:
        prepared: With the same precursors, programme, atmosphere, energies, transport and kinetics or conductivities.
        recipe: Which may differ in realizations, sizes and mixing (reactive diffusion), grid, seed and time.
    """
    if prepared.diffusion is None:
        return replace(prepared, recipe=recipe)
    known, factor = prepared.diffusion.conductivities, recipe.rate_factor / prepared.recipe.rate_factor
    scaled = replace(known, mobility=known.mobility * factor, scale=known.scale * factor)
    return replace(prepared, recipe=recipe, diffusion=replace(prepared.diffusion, conductivities=scaled))


def phases_for(recipe: Recipe) -> Phases:
    """Return the phases that a recipe's energies name, without the gases of its atmosphere."""
    name = recipe.energies
    own: dict[str, Any] = {"melting_points": recipe.melting_points, "equilibria": recipe.equilibria}
    if name.lower().endswith(DATA_SUFFIXES):
        return load_phases(name, fill=recipe.fill, computed=recipe.computed, **own)
    if name == "mp-api":
        return load_phases(f"mp-api:{'-'.join(recipe.elements)}", fill=recipe.fill, computed=recipe.computed, **own)
    if name == "measured":
        return load_phases(f"measured:{'-'.join(_elements(recipe))}", computed=recipe.computed, **own)
    phases = load_phases(DEFAULT_SYSTEM, fill=recipe.fill, computed=recipe.computed, **own)
    foreign = set(recipe.elements) - set(phases.elements)
    if foreign:
        raise RecipeError(
            f"precursors: expected elements of the shipped system {DEFAULT_SYSTEM}, got {', '.join(sorted(foreign))}; "
            "set energies to measured, to the path of your own CSV or JSON entries, or to mp-api"
        )
    if name not in phases.energy_sets:
        raise RecipeError(
            f"energies: expected {', '.join(phases.energy_sets)}, measured, a .csv or .json file, or mp-api, "
            f"got {name!r}"
        )
    return phases


def _elements(recipe: Recipe) -> list[str]:
    """Return the elements of a recipe's precursors, and of the gases of its atmosphere that can react with them."""
    gases = set(recipe.partial_pressure_Pa) - {"N2", "He", "Ne", "Ar", "Kr", "Xe"}
    return sorted({*recipe.elements, *(element for gas in gases for element in parse_formula(gas))})


def stretches_of(recipe: Recipe) -> list[Stretch]:
    """Return the programme of a recipe as reactive diffusion takes it."""
    return [
        stretch
        for stage, (step, start_K, _) in enumerate(recipe.steps())
        for stretch in ramp_and_hold(
            start_K, step.temperature_K, step.ramp_K_per_min, step.hold_h, stage=stage, regrind=step.regrind
        )
    ]


def rates_of(prepared: PreparedRecipe, number: int, *, null: bool) -> RateTable:
    """Return the automaton's table of rates of a realization: the null's, the central one, or that of a draw."""
    reactions, rates = prepared.reactions, prepared.rates
    assert reactions is not None and rates is not None
    if null:
        return rate_table(reactions, prepared.transport, prepared.recipe, null=True)
    if number == 0:
        return rates
    drawn = _drawn(prepared, number)
    reactions = replace(reactions, phases=drawn.phases)
    return rate_table(reactions, drawn.transport, prepared.recipe, scale=rates.metadata["scale_per_s_eV"])


def diffusion_of(prepared: PreparedRecipe, number: int, *, null: bool) -> PreparedDiffusion:
    """Return system and conductivities of a realization: the null's, the central ones, or those of a draw.

    In the null all solids conduct alike, on their own nominal level times the recipe's factor; the energies are those
    of the same realization.
    """
    central = prepared.diffusion
    assert central is not None
    if number == 0 and not null:
        return central
    drawn = _drawn(prepared, number) if number else prepared
    system = central.system if drawn.phases is prepared.phases else _components(drawn)
    if null:
        return PreparedDiffusion(system, _conductivities(prepared, system, null=True, scale=None))
    conduct = _conductivities(drawn, system, null=False, scale=central.conductivities.scale)
    return PreparedDiffusion(system, conduct)


def _drawn(prepared: PreparedRecipe, number: int) -> PreparedRecipe:
    """Return a recipe with energies and transport drawn within their errors, as far as its ensemble says."""
    recipe = prepared.recipe
    energies_rng, transport_rng = (
        np.random.default_rng(s) for s in np.random.SeedSequence(recipe.seed, spawn_key=(number, 11)).spawn(2)
    )
    phases, transport = prepared.phases, prepared.transport
    if recipe.ensemble.energies:
        phases = draw_energies(phases, energies=prepared.energies, rng=energies_rng)
    if recipe.ensemble.transport and transport is not None:
        own = recipe.kinetics if recipe.engine == "automaton" else recipe.diffusion
        transport = draw_transport(transport, relative_error=own.transport_relative_error, rng=transport_rng)
    return replace(prepared, phases=phases, transport=transport)


def _components(prepared: PreparedRecipe) -> Components:
    furnace = prepared.furnace
    others = [gas for gas in furnace.pressure_Pa if gas not in furnace.supplied]
    return components(
        prepared.phases,
        {precursor.phase: precursor.ratio for precursor in prepared.recipe.precursors},
        furnace.temperature_K.tolist(),
        energies=prepared.energies,
        partial_pressure_Pa=lambda T: {gas: furnace.pressure_at(gas, T) for gas in furnace.supplied},
        release_pressure_Pa=lambda T: {gas: furnace.pressure_at(gas, T) for gas in others},
    )


def _conductivities(prepared: PreparedRecipe, system: Components, *, null: bool, scale: float | None) -> Conductivities:
    """Return conductivities on a given scale, or on the nominal one times the recipe's factor."""
    recipe = prepared.recipe
    mode: Mode = "equal" if null else recipe.diffusion.conductivity
    grid = table_temperatures(stretches_of(recipe), system.temperature_K)
    found = conductivities(system, prepared.transport, grid, mode=mode, scale=scale)
    if scale is not None or recipe.rate_factor == 1.0:
        return found
    factor = recipe.rate_factor
    return replace(found, mobility=found.mobility * factor, scale=found.scale * factor)


# What there is to say of the data.


def _occurring(prepared: PreparedRecipe) -> tuple[str, ...]:
    """Return the solids that a run may hold: what is mixed, and what is stable somewhere under its gases.

    Where nuclei have to form, metastable solids appear as well.
    """
    assert prepared.diffusion is not None
    system, furnace = prepared.diffusion.system, prepared.furnace
    if prepared.recipe.diffusion.interface_energy_J_per_m2:
        return system.formulas
    stable = system.start > 0
    for T in system.temperature_K.tolist():
        held = {gas: furnace.pressure_at(gas, T) for gas in system.gases}
        above = energy_above_hull(prepared.phases, T, energies=prepared.energies, partial_pressure_Pa=held)
        stable = stable | (above[system.solids] < _ON_HULL_EV_PER_ATOM)
    return tuple(name for name, here in zip(system.formulas, stable, strict=True) if here)


def _about_diffusion(prepared: PreparedRecipe, occurring: Collection[str]) -> Iterator[str]:
    recipe, diffusion = prepared.recipe, prepared.diffusion
    assert diffusion is not None
    system, conduct = diffusion.system, diffusion.conductivities
    if not recipe.calibrated:
        yield UNTIMED
    origins = zip(system.formulas, conduct.origin, strict=True)
    ruled = [name for name, origin in origins if origin == "melting point" and name in occurring]
    if ruled:
        yield (
            f"Without transport data, so that melting points set how well they conduct (van Liempt's rule): "
            f"{', '.join(ruled)}."
        )
    table = prepared.transport
    if table is not None and recipe.ensemble.transport and not recipe.diffusion.transport_relative_error:
        if all(entry.L_stderr is None for entry in table.entries):
            yield (
                f"{table.name} states no standard errors, so that the bands hold none of transport "
                "(diffusion.transport_relative_error)."
            )
    hottest = float(prepared.furnace.temperature_K[-1])
    yield from molten_warnings((system.phases[system.phases.index(name)] for name in occurring), hottest)
    if table is not None and recipe.diffusion.conductivity != "equal":
        low, high = table.temperatures_K()[[0, -1]]
        coldest = float(prepared.furnace.temperature_K[0])
        if coldest < low or hottest > high:
            yield (
                f"The transport data end at {low:g} and {high:g} K: colder, conductivities follow the line of their "
                "logarithm against 1/T (never rising on cooling); hotter, they are those of the end."
            )


def _about_data(prepared: PreparedRecipe, occurring: Collection[str]) -> Iterator[str]:
    if prepared.recipe.energies == "measured" and not freed.is_installed():
        yield "Compounds that only FREED has are missing here; pip install 'tammann[measured]' brings them."
    yield from warnings_about(prepared.phases, occurring)
    yield from prepared.phases.energy_set(prepared.energies).warnings
    if prepared.transport is not None:
        yield from prepared.transport.warnings
