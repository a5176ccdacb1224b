"""The command of solid electrolytes: electrolyte."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.options import AsJson, Quiet
from tammann.cli.output import format_number, format_with_error, print_json, print_table, print_warnings, progress_bar


def electrolyte_command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.yaml", help="Host, compositions, and how to compute them.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder; by default NAME-electrolytes.")] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="orderings, energies, hull, dynamics, pathways, conductivity; all by default."
        ),
    ] = None,
    potential: Annotated[
        str | None, typer.Option(metavar="NAME", help="A potential by name, file or MODULE:CALLABLE.")
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Structures and runs at a time.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue what is in DIR; finished stages are kept.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Order, relax and run disordered solid electrolytes: stability, conductivity and the ways of their ions.

    One table and one page at the end; options replace entries of the plan.
    """
    from tammann.parallel import pool_if_several
    from tammann.workflows.electrolyte import ElectrolytePlan, run_electrolytes

    asked = ElectrolytePlan.from_file(plan, replaced={"potential": potential} if potential else None)
    folder = out or Path(f"{plan.stem}-electrolytes")
    with progress_bar(hidden=quiet, window_s=3600.0) as report, pool_if_several(workers) as executor:
        found = run_electrolytes(asked, folder, resume=resume, stages=stage, progress=report, executor=executor)
    if as_json:
        print_json(_result(found))
    elif not quiet:
        if not found.structures:
            _print_orderings(found)
        elif not found.conductions:
            _print_hull(found)
        else:
            _print_electrolytes(found)
        print_warnings(found.failures, found.notes())
        print(f"Page: {folder / 'electrolytes.html'}")


def _print_electrolytes(found: Any) -> None:
    from tammann.workflows.electrolyte.results import two_digits

    at = f"{found.plan.conductivity_at_K:g} K"
    rows = []
    for row in found.table().to_dict("records"):
        band = f"{two_digits(row['sigma_NE_low_S_per_cm'])} to {two_digits(row['sigma_NE_high_S_per_cm'])}"
        rows.append(
            [
                row["structure"], format_number(1000 * row["above_hull_eV_per_atom"], ".1f"),
                format_with_error(row["Ea_eV"], row["Ea_stderr_eV"]), two_digits(row["sigma_NE_S_per_cm"]),
                "-" if math.isnan(row["sigma_NE_low_S_per_cm"]) else band,
                two_digits(row["sigma_haven_S_per_cm"]), format_number(row["haven_ratio"], ".2f"),
                format_number(row["fewest_hops"], ".0f"), format_number(row["dimension"], ".0f"),
            ]
        )  # fmt: skip
    columns = ["structure", "meV/atom", "Ea, eV", f"S/cm, {at}", "95 %", "with H", "H", "hops", "directions"]
    print_table(columns, rows)
    print(
        "Above the hull; conductivity by Nernst-Einstein with H = 1 and its band, then with the measured Haven ratio."
    )


def _print_hull(found: Any) -> None:
    chosen = set(found.structures)
    rows = [
        [
            row["structure"], str(row["formula"]), f"{row['energy_eV_per_atom']:.4f}",
            format_number(1000 * row["above_hull_eV_per_atom"], ".1f"), str(row["degeneracy"]),
            "yes" if row["structure"] in chosen else "no",
            "-" if row.get("stable", True) else str(row["decomposes_into"]),
        ]
        for row in found.hull.to_dict("records")
    ]  # fmt: skip
    print_table(
        ["structure", "formula", "eV/atom", "above hull, meV/atom", "degeneracy", "selected", "decomposes into"], rows
    )


def _print_orderings(found: Any) -> None:
    from tammann.workflows.electrolyte.results import shown_share

    rows = [
        [name, *(str(r[key]) for key in ("arrangements", "distinct", "kept")), shown_share(r["fraction_covered"])]
        for name, r in found.orderings.items()
    ]
    print_table(["composition", "arrangements", "distinct", "kept", "covered"], rows)


def _result(found: Any) -> dict[str, Any]:
    """Return tables, failures and notes, as JSON has them."""
    return {
        "electrolytes": found.table().to_dict("records"),
        "temperatures": found.temperatures().to_dict("records"),
        "hull": [] if found.hull is None else found.hull.to_dict("records"),
        "orderings": found.orderings,
        "pathways": [{"structure": s} | dict(way) for (s, _), way in found.pathways.items()],
        "failures": found.failures,
        "notes": found.notes(),
        "folder": found.out,
    }
