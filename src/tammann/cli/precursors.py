"""The command that lists the precursors of a target: precursors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tammann.cli.options import AsJson, Computed, Fill, Gases, Plot, parse_pressures
from tammann.cli.output import format_number, merge_volume_warnings, print_json, print_table, print_warnings

if TYPE_CHECKING:
    import pandas as pd

    from tammann.synthesis import PrecursorSet

ROWS = 20
"""Sets in a table, if not said otherwise."""


def precursors(
    target: Annotated[str, typer.Argument(help="Formula of the compound to make, such as SrTiO3.")],
    atmosphere: Annotated[
        str, typer.Option(metavar="NAME", help="air, inert, oxygen, CO2 or vacuum; other gases with --gas.")
    ] = "air",
    gas: Gases = None,
    temperature_K: Annotated[float, typer.Option("--temperature-K", metavar="T", help="Temperature in K.")] = 1300.0,
    energies: Annotated[
        str, typer.Option(metavar="FILE", help="measured, a shipped system, or a .csv or .json file of phases.")
    ] = "measured",
    fill: Fill = False,
    computed: Computed = None,
    from_kinds: Annotated[
        str | None,
        typer.Option(
            metavar="KIND,...", help="Kinds of precursor, such as oxide,carbonate; the usual ones if not given."
        ),
    ] = None,
    from_precursors: Annotated[
        str | None, typer.Option("--from", metavar="FORMULA,...", help="Precursors to choose from instead of the list.")
    ] = None,
    max_precursors: Annotated[int | None, typer.Option(min=1, max=6, metavar="N", help="The most in a set.")] = None,
    metathesis: Annotated[bool, typer.Option(help="Whether an alkali halide may be a by-product.")] = True,
    structure: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Crystal of the target or a precursor (CIF, POSCAR), for nucleation; repeatable."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, max=10_000, metavar="N", help=f"Rows, 0 for all; {ROWS} of a table, all of JSON."),
    ] = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """List the sets of precursors that make a compound, on published criteria side by side."""
    from tammann.synthesis import precursor_sets, rank_precursors
    from tammann.synthesis.precursor_list import USUAL_KINDS

    candidates = _words(from_precursors)
    kinds = _words(from_kinds) or list(USUAL_KINDS)
    phases = _phases(target, energies, candidates, metathesis=metathesis, fill=fill, computed=computed)
    pressures = parse_pressures(gas)
    sets = precursor_sets(
        phases,
        target,
        atmosphere=atmosphere,
        partial_pressure_Pa=pressures,
        temperature_K=temperature_K,
        kinds=kinds,
        candidates=candidates,
        max_precursors=max_precursors,
        metathesis=metathesis,
    )
    table = rank_precursors(phases, sets, transport=_transport(target), structures=_structures(structure or []))
    if as_json:
        held = sets[0].surroundings.partial_pressure_Pa
        print_json(
            {
                "target": sets[0].target,
                "temperature_K": temperature_K,
                "partial_pressure_Pa": dict(held),
                "release_pressure_Pa": sets[0].surroundings.release_pressure_Pa,
                "energies": phases.default_energies,
                "sets": _records(table, sets, limit),
            }
        )
    else:
        _print(table, sets, temperature_K, ROWS if limit is None else limit or None)
        used = {p.formula for one in sets for p in one.precursors}
        if idle := [formula for formula in candidates or [] if formula not in used]:
            print_warnings([f"In no set that balances, has energies and releases energy: {', '.join(idle)}."])
        print_warnings(merge_volume_warnings([w for w in phases.warnings if _concerns(w, sets)]))
    if plot is not None:
        from tammann.plot import plot_precursors, save_figure

        save_figure(plot_precursors(table, target=sets[0].target), plot)


def _words(text: str | None) -> list[str] | None:
    """Return the words between commas, None without any."""
    return [word.strip() for word in (text or "").split(",") if word.strip()] or None


def _phases(
    target: str, energies: str, candidates: list[str] | None, *, metathesis: bool, fill: bool, computed: Path | None
) -> Any:
    """Return the phases with their energies, those of the library for the elements that could take part."""
    from tammann.composition import parse_formula
    from tammann.synthesis.exchange import VOLATILE
    from tammann.synthesis.search import SALT_CATIONS
    from tammann.thermo import load_phases

    elements = set(parse_formula(target))
    if energies != "measured":
        return load_phases(energies, fill=fill, computed=computed)
    for formula in candidates or []:
        elements |= set(parse_formula(formula))
    elements |= set(VOLATILE) | set(SALT_CATIONS if metathesis else ())
    return load_phases(f"measured:{'-'.join(sorted(elements))}", computed=computed)


def _structures(files: list[Path]) -> dict[str, Any]:
    """Return crystals by formula."""
    from collections import Counter

    from tammann.structures import read_structure

    crystals = [read_structure(file) for file in files]
    return {"".join(f"{e}{n}" for e, n in Counter(crystal.symbols).items()): crystal for crystal in crystals}


def _transport(target: str) -> Any:
    """Return the Onsager coefficients of the shipped system that holds the target's elements, None without one."""
    from tammann.composition import parse_formula
    from tammann.systems import SYSTEMS
    from tammann.transport import load_transport

    elements = set(parse_formula(target))
    return next((load_transport(name) for name in SYSTEMS if elements <= set(name.split("-"))), None)


def _concerns(warning: str, sets: "tuple[PrecursorSet, ...]") -> bool:
    """Tell whether a note begins with a phase that a set names."""
    named = {sets[0].target, *(formula for one in sets for formula in one.reacts_as)}
    return warning.partition(":")[0] in named


def _records(table: "pd.DataFrame", sets: "tuple[PrecursorSet, ...]", limit: int | None) -> list[dict[str, Any]]:
    by_name = {one.name: one for one in sets}
    found = []
    for row in table.head(limit or len(table)).to_dict(orient="records"):
        one = by_name[str(row.pop("precursors"))]
        found.append(
            {
                "precursors": one.amounts,
                "kinds": [p.kind for p in one.precursors],
                **{str(name): value for name, value in row.items()},
            }
        )
    return found


def _print(table: "pd.DataFrame", sets: "tuple[PrecursorSet, ...]", temperature_K: float, limit: int | None) -> None:
    """Print the sets, those that react as the same solids in one row."""
    table = table.assign(own=[p == r for p, r in zip(table["precursors"], table["reacts_as"], strict=True)])
    groups = [rows.sort_values("own", ascending=False, kind="stable") for _, rows in
              table.groupby(["reacts_as", "by_product"], sort=False)]  # fmt: skip
    extra = {"barrier, eV": ("nucleation_barrier_eV", ".1f"), "K_D, m2/s": ("K_D_m2_per_s", ".1e")}
    extra = {title: column for title, column in extra.items() if table[column[0]].notna().any()}
    rows = []
    for group in groups[:limit]:
        best = group.iloc[0]
        name = str(best["precursors"]) + (f" ({best['by_product']} left)" if best["by_product"] else "")
        rows.append(
            [
                name,
                f"+{len(group) - 1}" if len(group) > 1 else "",
                _with_error(best["driving_force_meV_per_atom"], best["driving_force_error_meV_per_atom"]),
                _with_error(best["lead_meV_per_atom"], best["lead_error_meV_per_atom"]),
                format_number(best["primary_competition_meV_per_atom"], ".0f"),
                format_number(best["secondary_competition_meV_per_atom"], ".0f"),
                format_number(best["inverse_hull_energy_meV_per_atom"], ".0f"),
                format_number(best["competing_phases"], ".0f"),
                *(format_number(best[name], form) for name, form in extra.values()),
                str(best["strongest_competitor"]) or "-",
                format_number(best["leads"], ".0f"),
                format_number(best["pareto_rank"], ".0f"),
            ]
        )
    columns = ["precursors", "alike", "driving force", "lead", "C1", "C2", "inverse hull", "competing"]
    columns += list(extra)
    gases = ", ".join(f"{g} {p:.3g} Pa" for g, p in sets[0].surroundings.partial_pressure_Pa.items()) or "inert"
    print(f"{sets[0].target} at {temperature_K:g} K, {gases}; energies in meV/atom, standard errors after ±.")
    print_table([*columns, "ahead of", "leads in", "Pareto rank"], rows)
    if len(groups) > len(rows):
        print(f"{len(groups) - len(rows)} more of {len(groups)}; --limit 0 shows all.")
    notes = []
    if any(len(group) > 1 for group in groups):
        notes.append("'alike' counts sets that have become the same solids by then; --json lists them.")
    if table["primary_competition_meV_per_atom"].isna().any():
        notes.append("C1, C2 and the inverse hull are defined for two precursors.")
    molten = dict.fromkeys(f for group in groups[:limit] for f in group["molten"].iloc[0].split(", ") if f)
    if molten:
        notes.append(f"Molten or gone at {temperature_K:g} K, so that these are no powders: {', '.join(molten)}.")
    print_warnings(notes)


def _with_error(value: float, error: float) -> str:
    known = format_number(value, ".0f")
    return known if known == "-" else f"{known} ± {error:.0f}"
