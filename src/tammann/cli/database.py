"""The command of databases: tammann database."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tammann.cli.diffusivity import check_folder
from tammann.cli.options import AsJson, Plot, Quiet
from tammann.cli.output import format_number, format_with_error, print_json, print_table, progress_bar
from tammann.errors import DataError

if TYPE_CHECKING:
    from tammann.workflows.database import DatabaseResult, Parity


def database_command(
    plan: Annotated[str, typer.Argument(metavar="PLAN.yaml|DIR", help="A plan to carry out, or a folder to look at.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder; by default NAME-database.")] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Runs at a time.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the database: .csv a table, .json for MPContribs.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Hold this database, of a surrogate, against a reference.")
    ] = None,
    plot: Plot = None,
    by: Annotated[str, typer.Option("--by", metavar="WHAT", help="Of the figure: element or anion.")] = "element",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make a database of disordered structures and their diffusivities from a list of compositions."""
    from tammann.workflows.database import (
        DatabasePlan,
        compare_databases,
        export_contributions,
        export_table,
        load_database,
        load_plan,
        open_store,
        run_database,
    )

    if export is not None and export.suffix not in (".csv", ".json"):
        raise DataError(f"--export: expected a file name that ends in .csv or .json, got {str(export)!r}.")
    check_folder("--export", export)
    if by not in ("element", "anion"):
        raise DataError(f"--by: expected element or anion, got {by!r}.")
    reference = None if compare is None else open_store(compare)
    if reference is not None:
        reference.about()  # refused now rather than after the dynamics
    folder = Path(plan)
    if not folder.exists():
        raise DataError(
            f"{plan}: expected a plan (.yaml) or a folder of tammann database, got neither; check the name."
        )
    if folder.is_dir() and out is not None:
        raise DataError(
            f"--out: expected no folder beside {plan}, which is one already, got {str(out)!r}; leave it out."
        )
    if folder.is_dir() and not resume:
        found = load_database(folder)
    else:
        if folder.is_dir():
            asked = load_plan(folder)
        else:
            asked, folder = DatabasePlan.from_file(plan), out or Path(f"{folder.stem}-database")
        with progress_bar(hidden=quiet, window_s=3600.0) as report:
            found = run_database(asked, folder, resume=resume, progress=report, workers=workers)
    if export is not None:
        (export_table if export.suffix == ".csv" else export_contributions)(found.store, export)
    if plot is not None:
        from tammann.plot import save_figure
        from tammann.plot.diffusivities import plot_database
        from tammann.workflows.database import distributions_by

        save_figure(plot_database(distributions_by(found.store, by)), plot)
    parity = None if reference is None else compare_databases(reference, found.store)
    if as_json:
        print_json(_as_json(found, parity))
    elif not quiet:
        _print(found, parity)
        if export is not None:
            print(f"Written: {export}")
    for sentence in found.failures:
        print(f"tammann: {sentence}", file=sys.stderr)
    if found.failures:
        raise typer.Exit(1)


def _as_json(found: "DatabaseResult", parity: "Parity | None") -> dict[str, Any]:
    from tammann.workflows.database import activation_table

    data = {
        "folder": found.out,
        "states": found.table().to_dict("records"),
        "activation": activation_table(found.store).to_dict("records"),
        "failures": found.failures,
    }
    if parity is not None:
        data["parity"] = {"states": parity.states.to_dict("records"), "features": parity.features.to_dict("records")}
    return data


def _print(found: "DatabaseResult", parity: "Parity | None") -> None:
    from tammann.diffusivity.definitions import with_unit
    from tammann.workflows.database import activation_table

    if parity is not None:
        rows = [
            [
                row.formula, f"{row.temperature_K:g}", f"{row.rdf_r_squared:.3f}", f"{row.density_g_per_cm3:.3f}",
                f"{row.surrogate_density_g_per_cm3:.3f}", format_with_error(row.ln_D_ratio, row.ln_D_ratio_stderr),
            ]
            for row in parity.states.itertuples()
        ]  # fmt: skip
        print_table(["composition", "K", "R² of g(r)", "g/cm³", "surrogate", "ln D ratio"], rows)
        rows = [
            [
                with_unit(row.feature), format_number(row.reference_spread, ".3g"),
                format_number(row.mean_difference, ".3g"), format_number(row.rms_difference, ".3g"),
                format_number(row.r_squared, ".3f"),
            ]
            for row in parity.features.itertuples()
        ]  # fmt: skip
        print_table(["feature", "spread in reference", "mean difference", "root mean square", "R²"], rows)
        print(f"{parity!r}")
        return
    rows = [
        [
            row.formula, f"{row.temperature_K:g}", str(row.atoms), f"{row.density_g_per_cm3:.3f}",
            format_with_error(row.D_m2_per_s, row.D_stderr_m2_per_s), "" if row.diffusive else "not diffusive",
        ]
        for row in found.store.states().itertuples()
    ]  # fmt: skip
    print_table(["composition", "K", "atoms", "g/cm³", f"D({found.plan.ion}) m²/s", "mark"], rows)
    energies = activation_table(found.store)
    if len(energies):
        cells = [
            [r.formula, format_with_error(r.Ea_eV, r.Ea_stderr_eV), str(r.temperatures)] for r in energies.itertuples()
        ]
        print_table(["composition", "Ea eV", "temperatures"], cells)
    limits = found.store.query("SELECT * FROM amorphous_limits")
    if len(limits):
        cells = [
            [
                row.formula, f"{row.energy_eV_per_atom:.4f}",
                "-" if row.above_hull_eV_per_atom is None or row.above_hull_eV_per_atom != row.above_hull_eV_per_atom
                else f"{1000 * row.above_hull_eV_per_atom:.0f}",
                f"{row.relaxed} of {row.frames}",
            ]
            for row in limits.itertuples()
        ]  # fmt: skip
        print_table(["amorphous limit", "eV/atom", "meV/atom above hull", "frames relaxed"], cells)
    print(f"Database: {found.store.path}")
