"""The commands that show what a run is computed from: reactions, kd, hull and energies."""

import math
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from tammann.cli.options import (
    AsJson,
    Between,
    Energies,
    Gases,
    Plot,
    System,
    check_temperature,
    parse_pressures,
)
from tammann.cli.output import format_number, print_json, print_table, print_warnings
from tammann.errors import DataError
from tammann.systems import DEFAULT_SYSTEM, SYSTEMS

LINES = 12
"""Reactions in one figure."""


def reactions(
    system: System = DEFAULT_SYSTEM,
    temperature_K: Annotated[float, typer.Option("--temperature-K", metavar="T", help="Temperature in K.")] = 1300.0,
    energies: Energies = None,
    between: Between = None,
    gas: Gases = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Rows of the table; 0 for all.")] = 40,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """List the balanced reactions of a system, the most exergonic first."""
    from tammann.reactions import enumerate_reactions, reaction_energy
    from tammann.thermo import load_phases, with_gases

    pressures = parse_pressures(gas)
    phases = with_gases(load_phases(system), pressures or ())
    every = enumerate_reactions(phases)
    energy = reaction_energy(every, check_temperature(temperature_K), energies=energies, partial_pressure_Pa=pressures)
    chosen = [i for i in energy.argsort() if math.isfinite(energy[i])]
    if between is not None:
        pair = {phases.index(formula) for formula in between}
        chosen = [i for i in chosen if pair == _solid_reactants(every.coefficients[i], phases.is_gas)]
    if as_json:
        print_json(
            {
                "equation": every[int(i)].equation,
                "reactants": dict(every[int(i)].reactants),
                "products": dict(every[int(i)].products),
                "temperature_K": temperature_K,
                "energy_eV_per_atom": float(energy[i]),
            }
            for i in chosen
        )
    else:
        shown = chosen[: limit or None]
        rows = [[every[int(i)].equation, f"{1000 * energy[i]:.1f}"] for i in shown]
        print_table(["reaction", f"dG at {temperature_K:g} K, meV/atom"], rows)
        if len(shown) < len(chosen):
            print(f"{len(chosen) - len(shown)} more of {len(chosen)}; --limit 0 shows all.")
        print_warnings(phases.warnings)
    if plot is not None:
        from tammann.plot import save_figure
        from tammann.plot.reactions import plot_reaction_energies

        drawn = [int(i) for i in chosen[:LINES]]
        save_figure(plot_reaction_energies(every, choose=drawn, energies=energies, partial_pressure_Pa=pressures), plot)


def _solid_reactants(row: Any, is_gas: Any) -> set[int]:
    return {int(p) for p in (row < 0).nonzero()[0] if not is_gas[p]}


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
    """Growth constants K_D of all products between two end members, by temperature."""
    from tammann.kinetics import growth_constants
    from tammann.thermo import load_phases
    from tammann.transport import load_transport

    phases, coefficients = (
        load_phases(system),
        load_transport(transport or (DEFAULT_SYSTEM if system == DEFAULT_SYSTEM else None)),
    )
    if coefficients is None:
        raise DataError(f"--transport: expected transport data for {system}, got none; name a .json file.")
    # the table shows no bands, and they take a hundred times as long
    draws = 100 if as_json or plot is not None else 0
    table = growth_constants(
        phases, coefficients, energies=energies, mode=kinetics, form=form, between=between, draws=draws
    )
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

        save_figure(plot_growth_constants(table), plot)


def hull(
    system: System = DEFAULT_SYSTEM,
    temperature_K: Annotated[float, typer.Option("--temperature-K", metavar="T", help="Temperature in K.")] = 1300.0,
    energies: Energies = None,
    gas: Gases = None,
    between: Between = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Gibbs energies of formation of the phases, and how far each lies above the convex hull."""
    from tammann.thermo import energy_above_hull, load_phases, with_gases

    pressures = parse_pressures(gas)
    phases = with_gases(load_phases(system), pressures or ())
    T = check_temperature(temperature_K)
    formation = phases.gibbs(T, energies=energies)
    above = energy_above_hull(phases, T, energies=energies, partial_pressure_Pa=pressures)
    error = phases.energy_set(energies).standard_error_eV_per_atom
    rows = [
        {
            "phase": phase.formula,
            "state": phase.state,
            "temperature_K": T,
            "formation_energy_eV_per_atom": formation[i],
            "standard_error_eV_per_atom": error[i],
            "energy_above_hull_eV_per_atom": above[i],
            "melting_point_K": phase.melting_point_K,
            "melting_point_source": phase.melting_point_source,
        }
        for i, phase in enumerate(phases)
    ]
    if as_json:
        print_json(rows)
    else:
        # most stable first, phases without an energy last
        rows.sort(key=lambda row: (math.isnan(e := row["energy_above_hull_eV_per_atom"]), round(e, 6)))
        print_table(
            ["phase", f"dG_f at {T:g} K, eV/atom", "error", "above hull, meV/atom", "melts, K"],
            [
                [
                    row["phase"] + (" (g)" if row["state"] == "gas" else ""),
                    format_number(row["formation_energy_eV_per_atom"], ".3f"),
                    format_number(row["standard_error_eV_per_atom"], ".3f"),
                    format_number(1000 * row["energy_above_hull_eV_per_atom"], ".1f"),
                    format_number(row["melting_point_K"], ".0f"),
                ]
                for row in rows
            ],
        )
        print_warnings(phases.warnings, phases.energy_set(energies).warnings)
    if plot is not None:
        from tammann.plot import plot_hull, save_figure

        save_figure(
            plot_hull(phases, T, energies=energies, between=between or SYSTEMS[DEFAULT_SYSTEM].end_members), plot
        )


def show_energies(
    system: System = DEFAULT_SYSTEM,
    energies: Energies = None,
    as_json: AsJson = False,
) -> None:
    """What an energy set is made of: sources, errors, and the shifts and constraints of an assessment."""
    from tammann.thermo import load_phases

    phases = load_phases(system)
    chosen = phases.energy_set(energies)
    rows = [
        {
            "phase": phase.formula,
            "shift_eV_per_atom": chosen.shifts_eV_per_atom[i],
            "standard_error_eV_per_atom": chosen.standard_error_eV_per_atom[i],
            "source": chosen.source[i],
        }
        for i, phase in enumerate(phases)
    ]
    if as_json:
        print_json(
            {
                "name": chosen.name,
                "description": chosen.description,
                "sets": list(phases.energy_sets),
                "phases": rows,
                "constraints": [{"equation": c.equation, **asdict(c)} for c in chosen.constraints],
                "warnings": [*phases.warnings, *chosen.warnings],
            }
        )
        return
    print(f"{chosen.name}: {chosen.description}")
    print(f"Sets of {phases.system}: {', '.join(phases.energy_sets)}.")
    print_table(
        ["phase", "shift, meV/atom", "error, meV/atom", "source"],
        [
            [
                row["phase"],
                format_number(1000 * row["shift_eV_per_atom"], "+.1f"),
                format_number(1000 * row["standard_error_eV_per_atom"], ".0f"),
                row["source"],
            ]
            for row in rows
        ],
    )
    for c in chosen.constraints:
        temperatures = " and ".join(f"{t:g}" for t in c.temperature_K)
        print(f"Given: {c.equation} ({c.kind} at {temperatures} K; {c.source})")
    print_warnings(phases.warnings, chosen.warnings)
