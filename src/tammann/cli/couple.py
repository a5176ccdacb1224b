"""The command couple: layers between two solids."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tammann.cli.options import AsJson, Gases, Plot, parse_pressures
from tammann.cli.output import format_percent, format_with_error, print_json, print_table, print_warnings
from tammann.errors import RecipeError


def couple(
    solids: Annotated[
        list[str], typer.Argument(metavar="A B | RECIPE.yaml", help="Two formulas, or a recipe of two precursors.")
    ],
    temperature_K: Annotated[
        float | None, typer.Option("--temperature-K", "--temperature_K", metavar="T", help="Of the hold, in K.")
    ] = None,
    hold_h: Annotated[float | None, typer.Option("--hold-h", "--hold_h", metavar="H", help="Its length in h.")] = None,
    ramp_K_per_min: Annotated[
        float | None,
        typer.Option(
            "--ramp-K-per-min", "--ramp_K_per_min", metavar="X", help="Heating from 300 K; at once if not given."
        ),
    ] = None,
    thickness_um: Annotated[
        tuple[float, float] | None,
        typer.Option("--thickness-um", "--thickness_um", metavar="A B", help="Of both solids; endless if not given."),
    ] = None,
    energies: Annotated[str | None, typer.Option(metavar="NAME", help="Energy set, or a .csv or .json file.")] = None,
    melting_points: Annotated[
        str | None, typer.Option(metavar="FILE", help="CSV table: formula, melting_point_K, source.")
    ] = None,
    transport: Annotated[
        str | None, typer.Option(metavar="NAME", help="Transport table, a .json file of your own, or none.")
    ] = None,
    conductivity: Annotated[
        Literal["full", "self", "equal"] | None, typer.Option(help="With cross terms, without, or all solids alike.")
    ] = None,
    rate_factor: Annotated[
        float | None, typer.Option(metavar="X", help="Factor on the nominal conductivities, from a calibration.")
    ] = None,
    gas: Gases = None,
    cells: Annotated[
        int | None, typer.Option(min=20, max=2000, metavar="N", help="Cells of the mesh; 240, or 80 where more moves.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write layers, history and summary; a new or empty directory.")
    ] = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Let two solids react through one plane contact: the layers, their growth, and which is in the way.

    With a recipe, options stand in for its entries.
    """
    from tammann.files import check_empty
    from tammann.workflows.couple import couple_recipe, run_couple, stated_factor, write_couple

    pressures = parse_pressures(gas)
    if out is not None:
        check_empty(out, advice="name another folder")
    if len(solids) == 2:
        if temperature_K is None or hold_h is None:
            missing = "--temperature-K" if temperature_K is None else "--hold-h"
            raise RecipeError(f"{missing}: expected a number with two formulas, got none; give it, or name a recipe")
        recipe = couple_recipe(
            solids[0],
            solids[1],
            temperature_K=temperature_K,
            hold_h=hold_h,
            ramp_K_per_min=ramp_K_per_min,
            energies=energies,
            melting_points=melting_points,
            transport=transport,
            conductivity=conductivity,
            rate_factor=rate_factor,
            partial_pressure_Pa=pressures,
        )
    elif len(solids) == 1 and solids[0].lower().endswith((".yaml", ".yml")):
        recipe = _recipe(
            solids[0],
            {"temperature_K": temperature_K, "hold_h": hold_h, "ramp_K_per_min": ramp_K_per_min},
            energies=energies,
            melting_points=melting_points,
            transport=transport,
            conductivity=conductivity,
            calibration=None if rate_factor is None else stated_factor(rate_factor),
            atmosphere=None if pressures is None else {"partial_pressure_Pa": pressures},
        )
    else:
        raise RecipeError(f"A B: expected two formulas or one recipe in YAML, got {' '.join(solids)}")
    run = run_couple(recipe, thickness_um=thickness_um, cells=cells)
    if out is not None:
        write_couple(run, out)
    if as_json:
        print_json(run.to_dict())
    else:
        _print_layers(run)
        if out is not None:
            print(f"Written to {out}: layers.csv, history.npz, summary.json, recipe.yaml")
    if plot is not None:
        from tammann.plot import save_figure

        save_figure(run.plot(), plot)


def _recipe(path: str, step: dict[str, float | None], **entries: Any) -> Any:
    """Return the recipe of a file with the entries that options state."""
    from tammann.recipe import Recipe

    recipe = Recipe.from_file(path)
    stated = {key: value for key, value in step.items() if value is not None}
    if stated:
        if not {"temperature_K", "hold_h"} <= stated.keys():
            missing = "--hold-h" if "hold_h" not in stated else "--temperature-K"
            raise RecipeError(
                f"{missing}: expected it beside {', '.join(stated)}, which replace the recipe's programme"
            )
        entries["programme"] = [stated]
        if "ramp_K_per_min" not in stated:
            entries["start_temperature_K"] = stated["temperature_K"]
    return recipe.with_options(engine="reactive-diffusion", **entries)


def _print_layers(run: Any) -> None:
    """Print the layers in order, what is in the way, and the notes."""
    rows = [
        [
            row.phase,
            "endless" if row.thickness_um == float("inf") else format_with_error(row.thickness_um, row.mesh_error_um),
            format_with_error(row.k_m2_per_s, row.k_stderr_m2_per_s),
            format_percent(row.dissipation),
            "-" if row.growth == "reactant" else row.conductivity,
            row.growth.partition(":")[0].removeprefix(f"growth of {row.phase} is "),
        ]
        for row in run.layers.itertuples()
    ]
    unit = "m2/s" if run.history.calibrated else "m2 per nominal s"
    print_table(["layer", "thickness, um", f"k, {unit}", "dissipates, %", "conductivity", "growth"], rows)
    print(f"Sequence: {' | '.join(run.sequence)}")
    if run.bottleneck is not None:
        print(f"Most of the driving force goes into {run.bottleneck}.")
    print_warnings(run.warnings)
    if run.notes:
        print(f"{len(run.notes)} more note{'s' * (len(run.notes) > 1)} on the data: see --json.")
