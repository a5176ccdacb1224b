"""The command that shows what measurements are known of some elements."""

import re
from typing import Annotated, Any

import typer

from tammann.cli.options import AsJson
from tammann.cli.output import format_number, print_json, print_table

Temperature = Annotated[float, typer.Option("--temperature-K", metavar="T", help="Of the Gibbs energies, in K.")]


def system(
    elements: Annotated[
        list[str],
        typer.Argument(metavar="ELEMENTS...", help="Symbols, as Sr-Ti-O-C or Sr,Ti,O,C or apart, or a formula."),
    ],
    temperature_K: Temperature = 1300.0,
    as_json: AsJson = False,
) -> None:
    """List what is measured of some elements: phases, Gibbs energies, melting points, volumes, gases, what lacks."""
    from tammann.composition import parse_formula
    from tammann.errors import DataError
    from tammann.thermo import energy_above_hull, measured_phases
    from tammann.thermo.decomposition import decomposition_points
    from tammann.thermo.gaps import gaps_of
    from tammann.thermo.gases import product_gases
    from tammann.units import KJ_PER_MOL_IN_EV

    symbols = sorted({e for word in elements for part in re.split("[-,]", word) if part for e in parse_formula(part)})
    phases = measured_phases(symbols)
    energies = phases.energy_set()
    grid = energies.temperature_K
    if not grid[0] <= temperature_K <= grid[-1]:
        raise DataError(f"--temperature-K {temperature_K:g}: expected {grid[0]:g} to {grid[-1]:g} K")
    gibbs = phases.gibbs(temperature_K)
    points = decomposition_points(phases)
    table: list[dict[str, Any]] = [
        {
            "phase": phase.formula,
            "state": phase.state,
            "gibbs_eV_per_atom": float(gibbs[i]),
            "gibbs_kJ_per_mol": float(gibbs[i]) * phase.n_atoms / KJ_PER_MOL_IN_EV,
            "standard_error_eV_per_atom": float(energies.standard_error_eV_per_atom[i]),
            "energy_above_hull_eV_per_atom": float(above),
            "source": energies.source[i],
            "melting_point_K": phase.melting_point_K,
            "melting_point_source": phase.melting_point_source,
            "decomposition_K": points[phase.formula].temperature_K if phase.formula in points else None,
            "decomposition_products": points[phase.formula].products if phase.formula in points else None,
            "volume_A3_per_atom": phase.volume_A3_per_atom,
            "volume_source": phase.volume_source,
        }
        for i, (phase, above) in enumerate(zip(phases, energy_above_hull(phases, temperature_K), strict=True))
    ]
    more_gases, missing = product_gases(phases), gaps_of(phases)
    if as_json:
        print_json(
            {
                "system": phases.system,
                "temperature_K": temperature_K,
                "phases": table,
                "more_gases": more_gases,
                "left_out": phases.left_out,
                "missing": missing,
            }
        )
        return
    rows = [
        [
            row["phase"],
            format_number(row["gibbs_kJ_per_mol"], ".1f"),
            format_number(row["gibbs_eV_per_atom"], ".3f"),
            format_number(row["standard_error_eV_per_atom"], ".3f"),
            format_number(1000 * row["energy_above_hull_eV_per_atom"], ".0f"),
            _mark(row["melting_point_K"], ".0f", row["melting_point_source"]),
            _mark(row["volume_A3_per_atom"], ".2f", row["volume_source"]),
            _short(row["source"]),
        ]
        for row in table
        if row["state"] == "solid"
    ]
    print(
        f"{phases.system}: Gibbs energies of formation at {temperature_K:g} K with standard errors, meV above the "
        "hull, melting or decomposition points in K, and volumes in A3 per atom."
    )
    print_table(["solid", "kJ/mol", "eV/atom", "error", "hull", "melts", "volume", "source"], rows)
    gases = ", ".join(row["phase"] for row in table if row["state"] == "gas")
    others = f"; where a recipe or an atmosphere brings them: {', '.join(more_gases)}" if more_gases else ""
    print(f"Gases: {gases}{others}.")
    for formula, point in points.items():
        print(
            f"Decomposes by these energies, gases at 1 bar: {formula} = {point.equation}, {point.temperature_K:.0f} K."
        )
    if any("~" in cell for row in rows for cell in row):
        print("~ estimated; the sources of every number: --json.")
    for formula, reason in phases.left_out.items():
        print(f"Left out: {formula}, {reason}.")
    for sentence in missing:
        print(f"Missing: {sentence}.")


def _mark(value: float, form: str, source: str) -> str:
    return ("~" if "estimated" in source else "") + format_number(value, form)


def _short(source: str) -> str:
    """Return who is behind an energy in a word or two, and by how much another source differs."""
    if source.startswith("reference of its element"):
        return "element"
    first, *others = source.split("; ")
    name = next((name for name in ("NIST-JANAF", "FREED") if first.startswith(name)), "published")
    differs = [other.partition(" kJ/mol of atoms in ") for other in others if " kJ/mol of atoms in " in other]
    notes = [f"{by} kJ/mol of atoms in {'FREED' if who.startswith('FREED') else 'print'}" for by, _, who in differs]
    return "; ".join([name, *notes])
