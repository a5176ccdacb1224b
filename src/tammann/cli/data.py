"""The commands that show what a run is computed from: reactions, kd, hull and energies."""

import math
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from tammann.cli.options import (
    AsJson,
    Between,
    Computed,
    Energies,
    Equilibria,
    Fill,
    Gases,
    MeltingPoints,
    Plot,
    System,
    parse_pressures,
)
from tammann.cli.output import format_number, merge_volume_warnings, print_json, print_table, print_warnings
from tammann.errors import DataError
from tammann.systems import DEFAULT_SYSTEM

ROWS = 40
"""Reactions in a table, if not said otherwise."""

LINES = 10
"""Reactions in one figure."""

Temperature = Annotated[float, typer.Option("--temperature-K", metavar="T", help="Temperature in K.")]


def reactions(
    system: System = DEFAULT_SYSTEM,
    temperature_K: Temperature = 1300.0,
    energies: Energies = None,
    between: Between = None,
    gas: Gases = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0, max=10_000, metavar="N", help=f"Rows, 0 for all; {ROWS} of a table and all of JSON if not given."
        ),
    ] = None,
    fill: Fill = False,
    computed: Computed = None,
    equilibria: Equilibria = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """List the balanced reactions of a system, the most exergonic first."""
    from tammann.kinetics import KineticsOptions
    from tammann.reactions import most_exergonic
    from tammann.thermo import energy_above_hull, load_phases

    loaded = load_phases(system, fill=fill, computed=computed, equilibria=equilibria)
    phases, pressures = _with_pressures(loaded, gas)
    _check_temperature(phases, temperature_K, energies)
    if limit is None and not as_json:
        limit = ROWS
    above = energy_above_hull(phases, temperature_K, energies=energies)
    gases = [phase.formula for phase in phases if phase.state == "gas"]
    metastable = KineticsOptions().metastable_limit_eV_per_atom or math.inf
    decaying = [g for g in gases if g not in pressures and above[phases.index(g)] > metastable]
    chosen, energy, count = most_exergonic(
        phases,
        temperature_K,
        number=limit or None,
        reactants=_two_phases(phases, between),
        gases=[g for g in gases if g not in decaying],
        energies=energies,
        partial_pressure_Pa=pressures,
    )
    if as_json:
        print_json(
            {
                "equation": reaction.equation,
                "reactants": dict(reaction.reactants),
                "products": dict(reaction.products),
                "temperature_K": temperature_K,
                "energy_eV_per_atom": float(value),
            }
            for reaction, value in zip(chosen, energy, strict=True)
        )
    else:
        rows = [
            [reaction.equation, format_number(1000 * value, ".1f")]
            for reaction, value in zip(chosen, energy, strict=True)
        ]
        print_table(["reaction", f"dG at {temperature_K:g} K, meV/atom"], rows)
        if len(chosen) < count:
            print(f"{count - len(chosen)} more of {count}; --limit 0 shows all.")
        if decaying:
            names = ", ".join(decaying)
            print_warnings([f"Left out, gases that fall apart at {temperature_K:g} K: {names}; name one with --gas."])
        print_warnings(merge_volume_warnings(phases.warnings))
    if plot is not None:
        from tammann.plot import plot_reaction_energies, save_figure

        save_figure(plot_reaction_energies(chosen[:LINES], energies=energies, partial_pressure_Pa=pressures), plot)


def _check_temperature(phases: Any, temperature_K: float, energies: str | None) -> None:
    known = phases.energy_set(energies)
    low, high = known.temperature_K[[0, -1]]
    if not low <= temperature_K <= high:
        raise DataError(
            f"--temperature-K: expected a temperature from {low:g} to {high:g} K, got {temperature_K:g}; there are no "
            f"others in {known.name}."
        )


def _with_pressures(phases: Any, gas: list[str] | None) -> tuple[Any, dict[str, float]]:
    """Return the phases with gases that are asked for, and partial pressures in Pa by the system's own formulas."""
    from tammann.thermo import with_gases

    pressures = parse_pressures(gas) or {}
    phases = with_gases(phases, pressures)
    for formula in pressures:
        if formula not in phases or not phases.is_gas[phases.index(formula)]:
            there = ", ".join(phase.formula for phase in phases if phase.state == "gas") or "it has none"
            raise DataError(f"--gas: expected a gas of {phases.system} ({there}), got {formula}.")
    return phases, {phases[formula].formula: pressure for formula, pressure in pressures.items()}


def _two_phases(phases: Any, between: tuple[str, str] | None) -> tuple[str, str] | None:
    """Return two different phases, by the formulas of the system."""
    if between is None:
        return None
    first, second = (phases[formula].formula for formula in between)
    if first == second:
        raise DataError(f"--between: expected two phases, got {first} twice.")
    return first, second


def kd(
    system: System = DEFAULT_SYSTEM,
    energies: Energies = None,
    kinetics: Annotated[Literal["full", "self"], typer.Option(help="With or without cross terms.")] = "full",
    form: Annotated[
        Literal["paper", "signed", "electroneutral"], typer.Option(help="How the fluxes of the ions are summed.")
    ] = "paper",
    between: Between = None,
    transport: Annotated[
        str | None, typer.Option(metavar="NAME", help="Transport table, or a .json file of your own.")
    ] = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Show growth constants K_D of all products between two end members, by temperature."""
    from tammann.kinetics import growth_constants
    from tammann.thermo import load_phases
    from tammann.transport import load_transport

    phases = load_phases(system)
    coefficients = load_transport(transport or (DEFAULT_SYSTEM if system == DEFAULT_SYSTEM else None))
    between = _two_phases(phases, between)
    if coefficients is None:
        raise DataError(f"--transport: expected transport data for {system}, got none; name a .json file.")
    # the table shows no bands, and they take a hundred times as long
    draws = 100 if as_json or plot is not None else 0
    table = growth_constants(
        phases, coefficients, energies=energies, mode=kinetics, form=form, between=between, draws=draws
    )
    if table.empty:
        raise DataError(f"--between: expected phases with a composition of {coefficients.name} between them, got none.")
    if as_json:
        print_json(table.to_dict(orient="records"))
    else:
        wide = table.pivot(index="phase", columns="temperature_K", values="K_D_m2_per_s")
        wide = wide.loc[table["phase"].drop_duplicates()]
        rows = [
            [str(phase), *(format_number(value, ".2e") for value in values)] for phase, *values in wide.itertuples()
        ]
        print_table(["K_D, m2/s", *(f"{t:g} K" for t in wide.columns)], rows)
        known = phases.energy_set(energies).temperature_K
        beyond = [f"{t:g}" for t in coefficients.temperatures_K() if not known[0] <= t <= known[-1]]
        outside = [f"Left out, no energies at {', '.join(beyond)} K (they reach from {known[0]:g} to {known[-1]:g} K)."]
        print_warnings([*(outside if beyond else []), *coefficients.warnings])
    if plot is not None:
        from tammann.plot import plot_growth_constants, save_figure
        from tammann.plot.growth_constants import MELTS_CAUTION

        note = "" if (transport or "").endswith(".json") else MELTS_CAUTION
        save_figure(plot_growth_constants(table, note=note), plot)


def hull(
    system: System = DEFAULT_SYSTEM,
    temperature_K: Temperature = 1300.0,
    energies: Energies = None,
    gas: Gases = None,
    between: Between = None,
    melting_points: MeltingPoints = None,
    fill: Fill = False,
    computed: Computed = None,
    equilibria: Equilibria = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Show Gibbs energies of formation of the phases, and how far each lies above the convex hull."""
    from tammann.plot.hull import end_members
    from tammann.thermo import energy_above_hull, load_phases

    loaded = load_phases(system, melting_points=melting_points, fill=fill, computed=computed, equilibria=equilibria)
    phases, pressures = _with_pressures(loaded, gas)
    T = temperature_K
    _check_temperature(phases, T, energies)
    ends = _two_phases(phases, between)
    if plot is not None and ends is None:
        ends = end_members(phases)
    chosen = phases.energy_set(energies)
    kept = ["phase", "state", "melting_point_K", "melting_point_source"]
    table = phases.table().rename(columns={"formula": "phase"})[kept]
    table["temperature_K"] = T
    table["formation_energy_eV_per_atom"] = phases.gibbs(T, energies=energies)
    table["standard_error_eV_per_atom"] = chosen.standard_error_eV_per_atom
    table["energy_above_hull_eV_per_atom"] = energy_above_hull(
        phases, T, energies=energies, partial_pressure_Pa=pressures
    )
    if as_json:
        print_json(table.to_dict(orient="records"))
    else:
        # most stable first, phases without an energy last
        table = table.sort_values("energy_above_hull_eV_per_atom", key=lambda e: e.round(6), kind="stable")
        rows = [
            [
                row.phase.removesuffix("(g)") + (" (g)" if row.state == "gas" else ""),
                format_number(row.formation_energy_eV_per_atom, ".3f"),
                format_number(row.standard_error_eV_per_atom, ".3f"),
                format_number(1000 * row.energy_above_hull_eV_per_atom, ".1f"),
                format_number(row.melting_point_K, ".0f"),
            ]
            for row in table.itertuples()
        ]
        print_table(["phase", f"dG_f at {T:g} K, eV/atom", "error", "above hull, meV/atom", "melts, K"], rows)
        print_warnings(merge_volume_warnings(phases.warnings), chosen.warnings)
    if plot is not None:
        from tammann.plot import plot_hull, save_figure

        save_figure(plot_hull(phases, T, energies=energies, between=ends), plot)


def show_energies(
    system: System = DEFAULT_SYSTEM,
    energies: Energies = None,
    fill: Fill = False,
    computed: Computed = None,
    equilibria: Equilibria = None,
    as_json: AsJson = False,
) -> None:
    """Show the sources and errors of an energy set, and the shifts and constraints of an assessment."""
    from tammann.thermo import load_phases

    phases = load_phases(system, fill=fill, computed=computed, equilibria=equilibria)
    chosen = phases.energy_set(energies)
    columns = ["shift_eV_per_atom", "standard_error_eV_per_atom", "source"]
    table = chosen.table()[columns].assign(phase=[phase.formula for phase in phases])[["phase", *columns]]
    if as_json:
        print_json(
            {
                "name": chosen.name,
                "description": chosen.description,
                "sets": list(phases.energy_sets),
                "phases": table.to_dict(orient="records"),
                "constraints": [{"equation": c.equation, **asdict(c)} for c in chosen.constraints],
                "warnings": [*phases.warnings, *chosen.warnings],
            }
        )
        return
    print(f"{chosen.name}: {chosen.description}")
    print(f"Sets of {phases.system}: {', '.join(phases.energy_sets)}.")
    rows = [
        [name, format_number(1000 * shift, "+.1f"), format_number(1000 * error, ".0f"), source]
        for name, shift, error, source in table.itertuples(index=False)
    ]
    print_table(["phase", "shift, meV/atom", "error, meV/atom", "source"], rows)
    for c in chosen.constraints:
        temperatures = " and ".join(f"{t:g}" for t in c.temperature_K)
        print(f"Given: {c.equation} ({c.kind} at {temperatures} K; {c.source})")
    print_warnings(merge_volume_warnings(phases.warnings), chosen.warnings)
