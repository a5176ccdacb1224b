"""The commands that hold recipes against experiment: validate and calibrate."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tammann.cli.options import AsJson, Threads
from tammann.cli.output import print_json, print_table, progress_bar


def validate(
    observations: Annotated[Path, typer.Argument(help="Observations in YAML.", metavar="FILE.yaml")],
    realizations: Annotated[int | None, typer.Option(metavar="N", help="In place of the file's.")] = None,
    size: Annotated[int | None, typer.Option(metavar="N", help="Cells per edge, in place of the recipes'.")] = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Compare recipes with observations: three kinetics, the geometric null and plain equilibrium."""
    from tammann.workflows.validation import validate as compare

    with progress_bar(hidden=quiet) as progress:
        outcome = compare(observations, realizations=realizations, size=size, threads=threads, progress=progress)
    if as_json:
        print_json(outcome.to_dict())
        return
    table = outcome.table()
    print_table([str(name) for name in table.columns], [[str(cell) for cell in row] for row in table.to_numpy()])
    for line in outcome.notes:
        print(line)


def calibrate(
    recipe: Annotated[Path, typer.Argument(help="The experiment as a recipe.", metavar="RECIPE.yaml")],
    phase: Annotated[str, typer.Option(metavar="FORMULA", help="The phase that was measured at the end.")],
    mole_fraction: Annotated[float, typer.Option(metavar="X", help="Its mole fraction then, between 0 and 1.")],
    observation: Annotated[str, typer.Option(metavar="TEXT", help="Who measured it; kept with the calibration.")],
    realizations: Annotated[int, typer.Option(metavar="N", help="Runs behind each median, at least 2.")] = 4,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Find how many hours a sweep stands for, from one observation.

    Prints the lines to put into recipes; leave the observation out of any validation afterwards.
    """
    from tammann.recipe import Recipe
    from tammann.workflows.calibrate import calibrate as find

    with progress_bar(hidden=quiet) as progress:
        scale = find(
            Recipe.from_file(recipe),
            phase=phase,
            mole_fraction=mole_fraction,
            observation=observation,
            realizations=realizations,
            progress=progress,
        )
    if as_json:
        print_json(asdict(scale))
        return
    print("calibration:")
    print(f"  hours_per_sweep: {scale.hours_per_sweep:.4g}  # within {100 * scale.relative_error:.0f} %, from the runs")
    print(f"  observation: {json.dumps(scale.observation, ensure_ascii=False)}")
