"""The commands of disordered structures: tammann structure quench, and others."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.options import AsJson, Quiet
from tammann.cli.output import print_json, print_table, progress_bar
from tammann.cli.structure_build import boundary_command, coincidences_command, polycrystal_command
from tammann.cli.structure_look import analyse_command, compare_command

app = typer.Typer(
    name="structure",
    help="Make and look at disordered structures.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("analyse")(analyse_command)
app.command("compare")(compare_command)


@app.command("quench")
def quench_command(
    start: Annotated[
        str, typer.Argument(metavar="PLAN.yaml|START", help="A plan; or a formula, a crystal by name, or its file.")
    ],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder; by default NAME-quench.")] = None,
    potential: Annotated[
        str | None, typer.Option(metavar="NAME", help="A potential by name, file or MODULE:CALLABLE.")
    ] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="lammps, ase or torch-sim.")] = None,
    atoms: Annotated[int | None, typer.Option(metavar="N", help="About how many.")] = None,
    random_start: Annotated[
        bool, typer.Option("--random-start", help="Pack atoms at random though a crystal has the name.")
    ] = False,
    rate: Annotated[
        list[float] | None, typer.Option("--rate", metavar="X", help="Cooling rate, K/ps; give it again for more.")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", metavar="N", help="Of the start and the velocities; again for more.")
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Runs at a time.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Melt, and quench at one or several rates.

    Each run leaves the glass and its history of density and energy; options replace entries of the plan.
    """
    from tammann.parallel import pool_if_several
    from tammann.workflows.quenching import QuenchPlan, run_quenching

    given: dict[str, Any] = {
        "potential": potential, "engine": engine, "atoms": atoms, "rates_K_per_ps": rate or None, "seeds": seed or None,
    }  # fmt: skip
    if random_start:
        given["random_start"] = True
    given = {key: value for key, value in given.items() if value is not None}
    if Path(start).suffix.lower() in (".yaml", ".yml"):
        plan = QuenchPlan.from_file(start, replaced=given)
    else:
        plan = QuenchPlan(**given | {"start": start})
    folder = out or Path(f"{Path(start).stem}-quench")
    with progress_bar(hidden=quiet, window_s=1800.0) as report, pool_if_several(workers) as executor:
        found = run_quenching(plan, folder, resume=resume, progress=report, executor=executor)
    table = found.table()
    if as_json:
        print_json({"folder": folder, "quenches": table.to_dict("records")})
    elif not quiet:
        rows = [
            [
                f"{row.rate_K_per_ps:g}", str(row.seed), str(row.atoms), f"{row.density_g_per_cm3:.3f}",
                f"{row.energy_eV_per_atom:.4f}", f"{row.temperature_K:.0f}", f"{row.bragg_order:.3f}",
            ]
            for row in table.itertuples()
        ]  # fmt: skip
        print_table(["K/ps", "seed", "atoms", "g/cm³", "eV/atom", "K", "order"], rows)
        if solid := int(table["crystalline"].sum()):
            print(
                f"{solid} of {len(table)} are crystalline (order: strongest reflection over a perfect crystal's): "
                "not melted, which takes a higher melt_K, more time or a random start, or crystallised."
            )
        print(f"Glasses and their histories: {folder}")


app.command("boundary")(boundary_command)
app.command("polycrystal")(polycrystal_command)
app.command("coincidences")(coincidences_command)
