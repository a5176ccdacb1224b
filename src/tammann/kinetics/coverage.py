"""Where transport data reach in temperature and composition, and what is said where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tammann.kinetics.channels import growth_of_channels, wanted_layers
from tammann.kinetics.growth import Layer
from tammann.kinetics.options import KineticsOptions
from tammann.kinetics.selection import FurnaceConditions
from tammann.reactions import Reactions
from tammann.transport import TransportTable

if TYPE_CHECKING:
    from tammann.thermo import Phases


def layers_down_to(temperature_K: float, layers: Mapping[int, Layer], options: KineticsOptions) -> dict[int, Layer]:
    """Return the layers whose data serve from a temperature upwards.

    Below its lowest two temperatures a layer continues their line. Of one temperature there is no line, and holding its
    value would make a cold solid as fast as a hot melt, so such a layer serves only where all is held by choice.
    """
    if options.below_range != "continue" or options.nearest_temperature:
        return dict(layers)
    return {
        number: layer
        for number, layer in layers.items()
        if len(layer.temperature_K) > 1 or layer.temperature_K[0] <= temperature_K + 1e-9
    }


def coverage_warnings(
    pool: Reactions,
    fallback: np.ndarray,
    coldest_dG_eV_per_atom: np.ndarray,
    tabulated: Mapping[int, Layer],
    transport: TransportTable | None,
    furnace: FurnaceConditions,
    options: KineticsOptions,
) -> list[str]:
    """Return what was done where the transport data do not reach, a sentence each.

    ``fallback`` says which of the R reactions lack data; ``tabulated`` comes from ``layers_of``.
    """
    count = int(fallback.sum())
    if transport is None:
        return [f"No transport data: all {count} reactions have the thermodynamic score."] if count else []
    if options.transport == "none":
        return []
    phases, temperature = pool.phases, furnace.temperature_K
    layers = layers_down_to(float(temperature[0]), tabulated, options)
    wanted = wanted_layers(pool)
    warnings = []
    if count:
        of_fallback = np.flatnonzero(wanted[fallback].any(axis=0)).tolist()
        warnings.append(_fallback_warning(count, len(pool), of_fallback, tabulated, layers, transport, phases))
    used = {p: layers[p].temperature_K for p in np.flatnonzero(wanted[~fallback].any(axis=0)).tolist() if p in layers}
    below = _ends([p for p, T in used.items() if temperature[0] < T[0]], {p: T[0] for p, T in used.items()}, phases)
    if below:
        continues = options.below_range == "continue" and not options.nearest_temperature
        how = "continue along the line of ln K_D against 1/T" if continues else "are held"
        warnings.append(f"Below {below}, where {transport.name} has no data, growth constants {how}.")
        flat = _layers_without_barrier(pool, coldest_dG_eV_per_atom, layers, transport, furnace, options)
        if continues and flat:
            warnings.append(
                f"Between the lowest two temperatures of {transport.name} growth of {_names(flat, phases)} is no "
                "slower at the colder one, so below it growth is held: a cold solid as fast as a hot melt."
            )
    alone = [p for p in np.flatnonzero(wanted.any(axis=0)).tolist() if p in tabulated and p not in layers]
    if alone:
        names = ", ".join(f"{phases[p].formula} ({tabulated[p].temperature_K[0]:g} K)" for p in alone)
        warnings.append(
            f"A single temperature in {transport.name} gives no line to continue below it: {names} "
            f"{'count' if len(alone) > 1 else 'counts'} as without data, unless kinetics.below_range is hold."
        )
    above = _ends([p for p, T in used.items() if temperature[-1] > T[-1]], {p: T[-1] for p, T in used.items()}, phases)
    if above:
        warnings.append(f"Above {above}, where {transport.name} has no data, growth constants are held.")
    return warnings


def _fallback_warning(
    count: int,
    total: int,
    wanted: Sequence[int],
    tabulated: Mapping[int, Layer],
    layers: Mapping[int, Layer],
    transport: TransportTable,
    phases: Phases,
) -> str:
    """How many reactions have no transport data, and which compositions they lack."""
    missing = _names([p for p in wanted if p not in tabulated], phases)
    alone = _names([p for p in wanted if p in tabulated and p not in layers], phases)
    if count == total and missing and not any(p in tabulated for p in wanted):
        return (
            f"The transport table {transport.name} has none of the products ({missing}): every reaction goes by the "
            "thermodynamic score."
        )
    reasons = [f"no data of {missing}"] if missing else []
    reasons += [f"one temperature only of {alone}"] if alone else []
    return (
        f"{count} of {total} reactions have the thermodynamic score, because {transport.name} has "
        f"{' and '.join(reasons) or 'no data'} for the layer that would grow or decompose."
    )


def _layers_without_barrier(
    pool: Reactions,
    dG_eV_per_atom: np.ndarray,
    layers: Mapping[int, Layer],
    transport: TransportTable,
    furnace: FurnaceConditions,
    options: KineticsOptions,
) -> list[int]:
    """Layers colder than their data whose growth is no slower with L of the lowest temperature than of the next.

    The growth constants of all reactions through a layer are compared, with the differences of the lowest temperature
    of the furnace; their median decides.
    """
    coldest = furnace.at(furnace.temperature_K[:1])
    T = furnace.temperature_K[0]
    several = {p: one for p, one in layers.items() if len(one.temperature_K) > 1 and T < one.temperature_K[0]}
    held = options.model_copy(update={"below_range": "hold"})

    def growth(k: int) -> np.ndarray:
        """K_D with L of the temperature k of each table, shape (R,)."""
        single = {p: replace(one, temperature_K=one.temperature_K[[k]], L=one.L[[k]]) for p, one in several.items()}
        return growth_of_channels(pool, dG_eV_per_atom[None], single, transport, coldest, held)[0]

    colder, warmer = growth(0), growth(1)
    wanted = wanted_layers(pool) & ((colder > 0) & (warmer > 0))[:, None]
    ratio = np.divide(colder, warmer, out=np.zeros_like(colder), where=warmer > 0)
    return [p for p in several if wanted[:, p].any() and np.median(ratio[wanted[:, p]]) >= 1.0]


def _names(which: Sequence[int], phases: Phases) -> str:
    return ", ".join(phases[p].formula for p in which)


def _ends(outside: Sequence[int], end_K: Mapping[int, float], phases: Phases) -> str:
    """The ends of the tables of some compositions, K, with their names where not all have the same."""
    if len(outside) == len(end_K) and len(set(end_K.values())) == 1:
        return f"{end_K[outside[0]]:g} K"
    groups: dict[float, list[str]] = {}
    for p in outside:
        groups.setdefault(end_K[p], []).append(phases[p].formula)
    return " and ".join(f"{T:g} K ({', '.join(names)})" for T, names in sorted(groups.items()))
