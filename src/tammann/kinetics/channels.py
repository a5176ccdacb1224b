"""Growth constants of many reactions at once: which layer grows, between what, driven by which difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tammann.errors import DataError
from tammann.kinetics.growth import Layer, phase_number, table_layer
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.selection import FurnaceConditions, at_pressure
from tammann.reactions import Reactions
from tammann.transport import TransportTable
from tammann.units import A3_IN_M3, BOLTZMANN_EV_PER_K

if TYPE_CHECKING:
    from tammann.thermo import Phases

_STEP_K = 100.0
"""Closest-point differences are continuous in temperature; they are computed this far apart and joined by lines."""


def layers_of(transport: TransportTable | None, phases: Phases, options: KineticsOptions) -> dict[int, Layer]:
    """Return the layers for which there are transport data, by the position of their phase."""
    if transport is None or options.transport == "none":
        return {}
    return {
        number: table_layer(transport, formula, phases, options.transport)
        for formula in transport.formulas
        if (number := phase_number(phases, formula)) is not None
    }


def growth_of_channels(
    pool: Reactions,
    dG_eV_per_atom: np.ndarray,
    layers: Mapping[int, Layer],
    transport: TransportTable | None,
    furnace: FurnaceConditions,
    options: KineticsOptions,
) -> np.ndarray:
    """Return K_D of every reaction, shape (nT, R), m²/s, NaN for all temperatures where a layer has no transport data.

    Two solids to one or two: the products are the layers, between the reactants. One solid to two: the solid is the
    layer, between its products. One to one with a gas: the product is the layer, between the two. See ``rate_table``.
    ``dG_eV_per_atom`` has the shape (nT, R).
    """
    temperature_K = furnace.temperature_K
    growth = np.full((len(temperature_K), len(pool)), np.nan)
    if not len(pool) or not (layers or options.missing_L_per_kT_per_m_s) or options.transport == "none":
        return growth
    phases, geometry = pool.phases, _geometry(pool)
    can = geometry.layers.any(axis=1)
    if options.missing_L_per_kT_per_m_s is None or options.form == "electroneutral":
        can &= ~geometry.layers[:, ~np.isin(np.arange(len(phases)), list(layers))].any(axis=1)
    rows = np.flatnonzero(can)
    if not len(rows):
        return growth
    atoms = phases.composition_matrix.sum(axis=1)
    total = dG_eV_per_atom[:, rows] * (np.maximum(-pool.coefficients[rows], 0) @ atoms)  # eV per reaction as written
    if options.form == "electroneutral":
        direction, per_atom = _directions(pool, rows, geometry)
        drive = total * per_atom
    else:
        difference = _differences(pool, rows, geometry, total, transport, furnace, options)

    def through(p: int, which: np.ndarray) -> np.ndarray:
        """K_D of the layer p in the reactions ``which`` of the rows, shape (nT, n)."""
        if p not in layers:
            value = _without_data(p, phases, difference[:, which], temperature_K, options)
        else:
            bracket = layers[p].bracket(
                temperature_K, below=options.below_range, above=options.above_range, nearest=options.nearest_temperature
            )
            if options.form == "electroneutral":
                along = direction[which][:, layers[p].columns]
                value = np.maximum(layers[p].electroneutral(along, drive[:, which], bracket), 0.0)
            else:
                value = layers[p].interpolated(difference[:, which], bracket, options.form)
        if options.molten_flux_per_kT_per_m_s is not None:
            molten = temperature_K > phases[p].melting_point_K
            value[molten] = _molten(p, phases, temperature_K[molten], options)[:, None]
        return value

    in_layer = geometry.layers[rows]
    volume = np.array([phase.volume_A3_per_atom * phase.n_atoms for phase in phases])
    volume_of = np.where(in_layer, np.abs(pool.coefficients[rows]) * volume, 0.0)
    inverse, largest = np.zeros_like(total), np.zeros_like(total)
    for p in np.flatnonzero(in_layer.any(axis=0)).tolist():
        which = np.flatnonzero(in_layer[:, p])
        value = through(p, which)
        with np.errstate(divide="ignore"):
            inverse[:, which] += volume_of[which, p] / volume_of[which].sum(axis=1) / value
        largest[:, which] = np.maximum(largest[:, which], value)
    growth[:, rows] = largest if options.two_products == "largest" else 1.0 / inverse
    return growth


def between_local_equilibria(pool: Reactions, options: KineticsOptions) -> np.ndarray:
    """Return which reactions are driven by the difference between local equilibria, which vanishes with dG, (R,)."""
    everywhere = options.form == "electroneutral" or options.potential_difference == "local-equilibrium"
    return _geometry(pool).backwards | everywhere


def wanted_layers(pool: Reactions) -> np.ndarray:
    """Return which phases are the layers that grow or decompose in each reaction, shape (R, P), bool."""
    return _geometry(pool).layers


class _Geometry(NamedTuple):
    """Which phases form the layer of each reaction, if anything has to diffuse, and between which two it lies."""

    layers: np.ndarray  # (R, P)
    ends: np.ndarray  # (R, 2), positions
    backwards: np.ndarray  # (R,), the layer is consumed: decomposition


def _geometry(pool: Reactions) -> _Geometry:
    gas = pool.phases.is_gas
    used, made = (pool.coefficients < 0) & ~gas, (pool.coefficients > 0) & ~gas
    grows = used.sum(axis=1) == 2
    backwards = ~grows & (made.sum(axis=1) == 2)
    exchanges = (pool.coefficients[:, gas] != 0).any(axis=1)
    layers = np.where(backwards[:, None], used, made & (grows | exchanges)[:, None])
    first = np.where(backwards[:, None], made, used)
    last = np.where(grows[:, None], used, made)
    ends = np.stack([first.argmax(axis=1), len(gas) - 1 - last[:, ::-1].argmax(axis=1)], axis=1)
    return _Geometry(layers, ends, backwards)


def _differences(
    pool: Reactions,
    rows: np.ndarray,
    geometry: _Geometry,
    total: np.ndarray,
    transport: TransportTable | None,
    furnace: FurnaceConditions,
    options: KineticsOptions,
) -> np.ndarray:
    """The difference of chemical potentials that drives each reaction, eV per atom, shape (nT, n_rows, E)."""
    phases, temperature = pool.phases, furnace.temperature_K
    gases = np.flatnonzero(phases.is_gas)
    result = np.zeros((len(temperature), len(rows), len(phases.elements)))
    local = geometry.backwards[rows] | (options.potential_difference == "local-equilibrium")
    result[:, local] = _across_local_equilibria(pool, rows[local], geometry, total[:, local])
    wanted: dict[tuple[int, ...], dict[tuple[int, int], list[int]]] = {}
    ends = None
    if options.potential_difference == "end-members":
        names = options.end_members or (transport.end_members if transport is not None else None)
        if names is None:
            raise DataError("end_members: neither the recipe nor the transport data name them; give two phases.")
        first, second = (phases.index(name) for name in names)
        ends = (first, second)
    for k, row in enumerate(rows):
        exchanged = tuple(int(g) for g in gases if pool.coefficients[row, g])
        if local[k]:
            continue
        if ends is not None:
            wanted.setdefault((), {}).setdefault(ends, []).append(k)
        else:
            low, high = sorted(geometry.ends[row].tolist())
            wanted.setdefault(exchanged, {}).setdefault((low, high), []).append(k)
    if not wanted:
        return result
    count = int(np.ceil((temperature[-1] - temperature[0]) / _STEP_K)) + 1
    coarse = np.linspace(temperature[0], temperature[-1], count) if count > 1 else temperature[:1]
    upper = np.clip(np.searchsorted(coarse, temperature), 1, max(count - 1, 1))
    lower = np.minimum(upper - 1, count - 1)
    upper = np.minimum(upper, count - 1)
    span = coarse[upper] - coarse[lower]
    weight = np.where(span > 0, (temperature - coarse[lower]) / np.where(span > 0, span, 1.0), 0.0)[:, None, None]
    for exchanged, pairs in wanted.items():
        named = [phases[g].formula for g in exchanged]
        # One call for all temperatures, unless pressures change with temperature.
        parts = np.split(coarse, range(1, count)) if furnace.factor else [coarse]
        distance = np.concatenate([_apart(phases, list(pairs), part, named, furnace) for part in parts])
        distance = (1.0 - weight) * distance[lower] + weight * distance[upper]
        for n, members in enumerate(pairs.values()):
            result[:, members] = distance[:, n, None]
    return result


def _apart(
    phases: Phases, pairs: list[tuple[int, int]], temperature: np.ndarray, named: list[str], furnace: FurnaceConditions
) -> np.ndarray:
    """Return the differences between the domains of pairs, with the gases ``named`` held, shape (nT, n_pairs, E).

    Where the gases of the atmosphere were balanced, those that leave against a raised pressure may not be held beside
    each other: then they only bound the potentials.
    """
    from tammann.thermo import closest_differences
    from tammann.thermo.open_gases import GasConflict

    def differences(held: dict[str, float], bounds: Iterable[str]) -> np.ndarray:
        pressures = {gas: furnace.pressure_at(gas, temperature[0]) for gas in bounds if gas not in held}
        bounded = at_pressure(phases, pressures, furnace.energies)
        return closest_differences(
            bounded, pairs, temperature, energies=furnace.energies, partial_pressure_Pa=held or None
        )

    held = {gas: furnace.pressure_at(gas, temperature[0]) for gas in named}
    try:
        return differences(held, furnace.factor)
    except GasConflict:
        if not furnace.factor:
            raise
        return differences({gas: held[gas] for gas in named if gas in furnace.supplied}, furnace.pressure_Pa)


def _across_local_equilibria(pool: Reactions, rows: np.ndarray, geometry: _Geometry, total: np.ndarray) -> np.ndarray:
    """The difference across layers in equilibrium with both neighbours, eV per atom, shape (nT, n_rows, E).

    It is in proportion to -dG and 0 uphill. Gases that the reaction exchanges have the same potential on both sides,
    but where one solid turns into another: then what has to pass the layer is the gas.
    """
    from tammann.thermo.local_equilibrium import difference_across_layers
    from tammann.thermo.open_gases import free_directions

    phases = pool.phases
    amounts = np.abs(pool.coefficients[rows]).astype(float)
    composition = phases.composition_matrix.astype(float)
    ends = geometry.ends[rows]
    first = np.take_along_axis(amounts, ends[:, :1], axis=1) * composition[ends[:, 0]]
    layer = (amounts * geometry.layers[rows]) @ composition
    through = np.take_along_axis(geometry.layers[rows], ends[:, 1:], axis=1)
    open_gases = (amounts > 0) & phases.is_gas & ~through
    unit = np.empty_like(first)
    for gases in np.unique(open_gases, axis=0):
        mine = (open_gases == gases).all(axis=1)
        free = free_directions(phases, np.flatnonzero(gases).tolist())
        unit[mine] = difference_across_layers(first[mine], layer[mine], free)
    return np.maximum(-total, 0.0)[:, :, None] * unit


def _directions(pool: Reactions, rows: np.ndarray, geometry: _Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Directions w of the neutral flux, shape (n_rows, E), and what turns eV per reaction into eV per atom / (a² b²).

    A gas belongs to the neighbour that holds an element the layer lacks; where that does not say, NaN.
    """
    phases = pool.phases
    composition = phases.composition_matrix.astype(float)
    direction = np.full((len(rows), len(phases.elements)), np.nan)
    per_atom = np.full(len(rows), np.nan)
    for k, row in enumerate(rows):
        nu, neighbours = pool.coefficients[row], geometry.ends[row]
        if geometry.layers[row, neighbours[1]]:
            continue
        within = composition[geometry.layers[row]].any(axis=0)
        ends = [abs(nu[p]) * composition[p] for p in neighbours]
        sign = 1.0 if geometry.backwards[row] else -1.0
        settled = True
        for g in np.flatnonzero(phases.is_gas & (nu != 0)):
            owners = [i for i, p in enumerate(neighbours) if (composition[p] * composition[g] * ~within).any()]
            settled = settled and len(owners) == 1
            if settled:
                ends[owners[0]] = ends[owners[0]] + sign * nu[g] * composition[g]
        outside = np.array([end[~within].any() or end.min() < 0 or end.sum() <= 0 for end in ends])
        if not settled or outside.any():
            continue
        atoms = np.array([end.sum() for end in ends])
        share = atoms / atoms.sum()
        direction[k] = ends[0] / atoms[0] - ends[1] / atoms[1]
        per_atom[k] = 1.0 / (atoms.sum() * share.prod() ** 2)
    return direction, per_atom


def _without_data(
    p: int, phases: Phases, difference: np.ndarray, temperature: np.ndarray, options: KineticsOptions
) -> np.ndarray:
    """K_D of a composition without data under the public code's rule, L_ii a stated constant times kB T."""
    assert options.missing_L_per_kT_per_m_s is not None
    x = phases.atom_fractions[p]
    ions = x > 0
    L = options.missing_L_per_kT_per_m_s * BOLTZMANN_EV_PER_K * temperature
    volume = phases[p].volume_A3_per_atom * A3_IN_M3
    value: Any = volume * L[:, None] * (np.abs(difference[:, :, ions]) / x[ions]).sum(axis=-1)
    return value


def _molten(p: int, phases: Phases, temperature: np.ndarray, options: KineticsOptions) -> np.ndarray:
    """K_D of a molten product under the public code's rule: the same fixed flux of every ion."""
    assert options.molten_flux_per_kT_per_m_s is not None
    x = phases.atom_fractions[p]
    flux = options.molten_flux_per_kT_per_m_s * BOLTZMANN_EV_PER_K * temperature
    return flux * phases[p].volume_A3_per_atom * A3_IN_M3 * (1.0 / x[x > 0]).sum()
