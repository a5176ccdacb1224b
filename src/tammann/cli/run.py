"""The commands of the furnace: run and new."""

import shlex
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tammann.cli.options import Fill, Quiet, Threads
from tammann.cli.output import format_percent, print_json, print_table, print_warnings, progress_bar
from tammann.errors import RecipeError, ResultError


def run(
    recipe: Annotated[Path, typer.Argument(help="A recipe in YAML; 'tammann new' writes one.", metavar="RECIPE.yaml")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the results go; a new or empty directory.")],
    engine: Annotated[
        Literal["reactive-diffusion", "automaton"] | None, typer.Option(help="Layers that grow, or cells that react.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of all random numbers.")] = None,
    realizations: Annotated[int | None, typer.Option(metavar="N", help="How often the run is repeated.")] = None,
    size: Annotated[int | None, typer.Option(metavar="N", help="Cells per edge of the automaton's grid.")] = None,
    conductivity: Annotated[
        Literal["full", "self", "equal"] | None, typer.Option(help="What layers conduct, in reactive diffusion.")
    ] = None,
    kinetics: Annotated[
        Literal["full", "self", "none"] | None, typer.Option(help="Which transport the automaton uses.")
    ] = None,
    energies: Annotated[str | None, typer.Option(metavar="NAME", help="Energy set, or a .csv or .json file.")] = None,
    fill: Fill = False,
    transport: Annotated[
        str | None, typer.Option(metavar="NAME", help="Transport table, a .json file of your own, or none.")
    ] = None,
    threads: Threads = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the checkpoints in DIR, if any.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Run a recipe: phase fractions in time, a summary and a report go into DIR.

    Options stand in for entries of the recipe.
    """
    from tammann.recipe import Recipe

    asked = Recipe.from_file(recipe).with_options(
        engine=engine,
        seed=seed,
        realizations=realizations,
        size=size,
        conductivity=conductivity,
        kinetics=kinetics,
        energies=energies,
        transport=transport,
        **({"fill": True} if fill else {}),
    )
    from tammann.files import check_empty
    from tammann.workflows.furnace import prepare, run_cost, run_recipe

    if not resume:
        check_empty(out, advice="name another folder, or add --resume to continue the run in it")
    prepared = prepare(asked)
    cost = run_cost(prepared, threads=threads)
    number = asked.ensemble.realizations
    null = "of the geometric null" if asked.engine == "automaton" else "with equal conductivities"
    heading = f"{number} realization{'s' * (number > 1)} and {cost.runs - number} {null}, each {cost}"
    with progress_bar(hidden=quiet, heading=heading) as progress:
        result = run_recipe(prepared, out, threads=threads, resume=resume, progress=progress)
    if as_json:
        print_json(result.summary)
    elif not quiet:
        _print_summary(result.summary, out)


def _print_summary(summary: Mapping[str, Any], out: Path) -> None:
    final: Mapping[str, float] = summary["final_mole_fractions"]
    low: Mapping[str, float] = summary.get("final_mole_fractions_low", final)
    high: Mapping[str, float] = summary.get("final_mole_fractions_high", final)
    baselines: Mapping[str, Mapping[str, float]] = summary.get("baselines", {})
    columns = ["phase", "mol %", "5 to 95 %", *(f"{name.replace('_', ' ')}, mol %" for name in baselines)]
    banded = summary.get("realizations") != 1  # one realization has no band
    shares = {
        phase: [fractions.get(phase, 0.0) for fractions in (final, *baselines.values())]
        for phase in chain(final, *baselines.values())
    }
    rows = [
        [
            phase,
            format_percent(values[0]),
            f"{format_percent(low.get(phase, 0))} to {format_percent(high.get(phase, 0))}" if banded else "-",
        ]
        + [format_percent(v) for v in values[1:]]
        for phase, values in sorted(shares.items(), key=lambda item: -item[1][0])
        if max(values) >= 5e-4 or high.get(phase, 0) >= 5e-3
    ]
    printed = list(summary.get("important_warnings", ()))
    print_warnings(printed)
    print_table(columns, rows)
    if summary.get("arrested"):
        share = format_percent(summary["unreacted_fraction"])
        print(
            f"The mixture arrested: no reactive contacts were left, with {share} "
            "% out of equilibrium; what is left is geometry, not selectivity."
        )
    if summary.get("fallback_share"):
        share = format_percent(summary["fallback_share"])
        print(f"Reactions without transport data carried {share} % of the conversion.")
        if summary["fallback_share"] > 0.1:
            about = ("thermodynamic score", "as without data")
            missing = [note for note in summary.get("warnings", ()) if any(words in note for words in about)]
            print_warnings(missing)
            printed += missing
    if summary.get("engine") == "reactive-diffusion":
        printed += _print_layers(summary)
    notes = len(set(summary.get("warnings", ())) - set(printed))
    if notes:
        more = "more " * bool(printed)
        print(f"{notes} {more}note{'s' * (notes > 1)} on data and method: in the report and in summary.json.")
    print(f"Report: {out / 'report.html'}")


def _print_layers(summary: Mapping[str, Any]) -> list[str]:
    """Print which layers were in the way and what is relative; return the notes that it printed."""
    from tammann.workflows.prepared import UNTIMED

    steps, spent = [], sum(stage["dissipated_eV_per_atom"] for stage in summary["bottleneck"])
    for stage in summary["bottleneck"]:
        if stage["dissipated_eV_per_atom"] < 0.01 * spent:  # next to nothing happened
            continue
        when = f" in step {stage['stage'] + 1}" if len(summary["bottleneck"]) > 1 else ""
        steps.append(f"{stage['phase']}{when} ({format_percent(stage['share'])} %)")
    if steps:
        print(f"The layer that took most of the driving force: {', '.join(steps)}.")
    if summary["without_data_fraction"] > 5e-4:
        share = format_percent(summary["without_data_fraction"])
        print(f"Phases without transport data, whose melting points stand in, took {share} % of it.")
    if not summary["calibrated"]:
        print(UNTIMED)
    return [] if summary["calibrated"] else [UNTIMED]


def new(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Where to write it, - for the terminal; recipe.yaml, or the target's name.", metavar="[FILE]"
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="FORMULA", help="What is to be made.")] = None,
    precursors: Annotated[
        list[str] | None, typer.Option("--from", metavar="A B ...", help="What it is made from, with --target.")
    ] = None,
    atmosphere: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --target: air (if not given), inert, oxygen, CO2, vacuum."),
    ] = None,
    energies: Annotated[
        str | None, typer.Option(metavar="NAME", help="A .csv or .json file, with --target; measured if not given.")
    ] = None,
    computed: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="With --target: computed energies of what nobody has measured."),
    ] = None,
    temperature_K: Annotated[
        float | None,
        typer.Option("--temperature-K", metavar="T", help="Of the hold, with --target; chosen if not given."),
    ] = None,
) -> None:
    """Write a recipe to start from: for a target and its precursors, or one with every key explained."""
    from tammann.systems import data_file

    notes: tuple[str, ...] = ()
    if target is not None:
        if not precursors:
            raise RecipeError(
                f"--target: expected --from and its precursors beside it, got none; try tammann precursors {target}."
            )
        from tammann.workflows.starting_recipe import starting_recipe

        made = starting_recipe(
            target, precursors, atmosphere=atmosphere or "air", energies=energies or "measured",
            computed=computed, temperature_K=temperature_K, folder=Path("." if file is None else file).parent,
        )  # fmt: skip
        text, notes = made.text, made.notes
    else:
        given = {
            "--from": precursors,
            "--atmosphere": atmosphere,
            "--energies": energies,
            "--computed": computed,
            "--temperature-K": temperature_K,
        }
        alone = next((name for name, value in given.items() if value), None)
        if alone is not None:
            raise RecipeError(f"{alone}: expected --target beside it, got none; name what is to be made.")
        text = data_file("recipe.yaml").read_text(encoding="utf-8")
    if file is None:
        file = Path("recipe.yaml" if target is None else f"{target.lower()}.yaml")
    if str(file) == "-":
        print(text, end="")
        return
    if file.is_dir():
        raise ResultError(f"{file}: expected the name of a new file, got a folder; try {file / 'recipe.yaml'}.")
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise ResultError(f"{file}: expected the name of a new file, got one that exists; choose another.") from None
    for note in notes:
        print(note)
    print(f"Wrote {file}; run it with: {shlex.join(['tammann', 'run', str(file), '--out', file.stem])}")
