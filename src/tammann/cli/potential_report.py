"""The command that judges potentials: potential report."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.options import AsJson, Quiet
from tammann.cli.output import print_json, print_table, print_warnings, progress_bar

COLUMNS = {
    "energy_rmse_meV_per_atom": ("E, meV/at", ".3g"),
    "force_rmse_eV_per_A": ("F, eV/A", ".3g"),
    "force_slope": ("slope", ".3f"),
    "stress_rmse_GPa": ("S, GPa", ".3g"),
    "checks_passed": ("checks", ".0f"),
    "drift_meV_per_atom_ps": ("drift", ".2g"),
    "drift_order": ("dt^", ".1f"),
    "survived_ps": ("ps", ".3g"),
    "failed_runs": ("failed", ".0f"),
    "highest_grade": ("grade", ".3g"),
    "D_ratio": ("D/D0", ".2f"),
    "steps_per_s_100_atoms": ("steps/s", ".3g"),
}
"""Columns of the table printed, which is that of ``table.csv`` made narrow."""


def report_command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.yaml", help="Which potentials, against what.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; by default NAME-report.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR; parts done are kept.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Judge potentials: errors, physics, crystals, dynamics; one page and a table of them side by side."""
    from tammann.workflows.potential_report import PotentialReportPlan, run_potential_report

    asked = PotentialReportPlan.from_file(plan)
    folder = out or Path(f"{plan.stem}-report")
    with progress_bar(hidden=quiet, window_s=600.0) as report:
        found = run_potential_report(asked, folder, resume=resume, progress=report)
    if as_json:
        print_json(_result(found))
    elif not quiet:
        _print_potentials(found)
        print_warnings(f"{one.name}: {sentence}" for one in found.all for sentence in one.failures)
        print(f"Page: {found.page}")


def _print_potentials(found: Any) -> None:
    table = found.table()
    shown = {name: form for name, form in COLUMNS.items() if table[name].notna().any()}
    rows = [
        [
            row["potential"],
            *("-" if math.isnan(row[name]) else format(row[name], form) for name, (_, form) in shown.items()),
        ]
        for row in table.to_dict("records")
    ]
    print_table(["potential", *(title for title, _ in shown.values())], rows)
    print("Root mean square errors; drift in meV/atom/ps; time survived in melts; speed of 100 atoms.")


def _result(found: Any) -> dict[str, Any]:
    """Return the table and all failures, as JSON has them."""
    return {
        "potentials": found.table().to_dict("records"),
        "failures": {one.name: list(one.failures) for one in found.all},
        "page": found.page,
    }
