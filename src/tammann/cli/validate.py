"""The commands that hold recipes against experiment: validate and calibrate."""

import json
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tammann.cli.options import AsJson, Threads
from tammann.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from tammann.workflows.validation import Validation


def validate(
    observations: Annotated[Path, typer.Argument(help="Observations in YAML.", metavar="FILE.yaml")],
    realizations: Annotated[
        int | None, typer.Option(metavar="N", help="Of the recipes as written, in place of the file's.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Cells per edge of the automaton, in place of the recipes'.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The recipes as written only, once, without the range of what is unknown.")
    ] = False,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Compare recipes with observations: both engines, the geometric null and plain equilibrium.

    Every observation is also judged over the file's range of sizes, mixing and time: 23/36 is at 23 of 36 settings.
    """
    from tammann.workflows.validation import validate as compare

    with progress_bar(hidden=quiet) as progress:
        outcome = compare(
            observations,
            realizations=1 if quick and realizations is None else realizations,
            size=size,
            over_range=not quick,
            threads=threads,
            progress=progress,
        )
    if as_json:
        print_json(outcome.to_dict())
        return
    _print_validation(outcome)


def _print_validation(outcome: "Validation") -> None:
    """Print the observations with their numbers, the models side by side by number, and the notes."""
    from tammann.workflows.validation.results import COLUMNS

    table = outcome.table()
    for k, row in enumerate(table.to_dict(orient="records"), start=1):
        line = f"{row['recipe']}, {row['when']}: {row['observation']} ({row['mark']})"
        print(textwrap.fill(line, width=100, initial_indent=f"{k:>3}  ", subsequent_indent="     "))
    columns = [name for model, name in COLUMNS.items() if model in outcome.models]
    rows = [[str(k), *row] for k, row in enumerate(table[columns].to_numpy().tolist(), start=1)]
    print_table(["", *columns], rows)
    print("full, self, equal: reactive diffusion with these conductivities; a.: the automaton; equil.: equilibrium.")
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
    """Find the time scale of a chemistry and powder from one observation: of conductivities, or of a sweep.

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
    key = "hours_per_sweep" if scale.rate_factor is None else "rate_factor"
    print(
        f"  {key}: {getattr(scale, key):.4g}  # within {100 * scale.relative_error:.0f} %, from the spread of the runs"
    )
    print(f"  observation: {json.dumps(scale.observation, ensure_ascii=False)}")
