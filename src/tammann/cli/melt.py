"""The commands of melts: melt, and collect for work done on several machines."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.output import format_with_error, print_json, print_table, print_warnings, progress_bar


def melt_command(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN.yaml|FORMULA", help="A plan in YAML, or a formula such as BaTiO3.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where everything goes; new, or with --resume the same. By default NAME-melt."
        ),
    ] = None,
    temperatures: Annotated[
        list[float] | None, typer.Option(metavar="T...", help="Temperatures in K, such as 1500 1750 2000.")
    ] = None,
    atoms: Annotated[int | None, typer.Option(metavar="N", help="Atoms in the box, about.")] = None,
    production_ps: Annotated[float | None, typer.Option(metavar="X", help="Length of each production.")] = None,
    longest_ps: Annotated[
        float | None, typer.Option(metavar="X", help="Length up to which states with large errors are gone on with.")
    ] = None,
    replicas: Annotated[int | None, typer.Option(metavar="N", help="Productions of each state.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="lammps, ase or torch-sim.")] = None,
    potential: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="pedone-2006, chgnet, MODULE:CALLABLE or a .yaml of LAMMPS commands."),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of all random numbers.")] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Productions at a time: a core each, or with torch-sim a place in one batch."
        ),
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in DIR.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be run and its steps; run nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Melt compositions by molecular dynamics and measure their transport, for the furnace.

    Options stand in for entries of the plan.
    """
    from tammann.workflows.melt.plan import MeltPlan

    given = {
        "temperatures_K": temperatures,
        "atoms": atoms,
        "production_ps": production_ps,
        "longest_ps": longest_ps,
        "replicas": replicas,
        "engine": engine,
        "potential": potential,
        "seed": seed,
    }
    options = {key: value for key, value in given.items() if value is not None}
    written = Path(plan).suffix.lower() in (".yaml", ".yml") or Path(plan).is_file()
    out = out or Path(f"{Path(plan).stem}-melt")
    if written:
        base = MeltPlan.from_file(plan).model_dump(exclude_unset=True)
    else:
        from tammann.workflows.melt import stored_plan

        before = stored_plan(out) if resume else None  # a formula alone says nothing of how it was begun
        base = ({} if before is None else before.model_dump(mode="json")) | {"melts": [plan]}
    asked = MeltPlan.from_dict(base | options)
    from tammann.workflows.melt import melt, steps_left

    if dry_run:
        cost = _steps(asked) | ({"left": steps_left(asked, out)} if resume else {})
        print_json(cost) if as_json else _print_steps(asked, cost, out)
        return

    with progress_bar(hidden=quiet, window_s=3600.0) as report:
        found = melt(
            asked,
            out,
            resume=resume,
            workers=workers,
            progress=None if report is None else lambda fraction, stage: report(fraction, stage, None),
        )
    if as_json:
        print_json(_melting(found))
    elif not quiet:
        _print_states(found.states)
        failures = _failures(found)
        print_warnings(note for note in found.notes if note not in failures)
        if found.table is None:
            longer = f"--resume --longest-ps {4 * found.plan.lengths_ps()[-1]:g}"
            print(f"No state is diffusive, so there is no table; go on with {longer}, or hotter.")
        else:
            print(f"For recipes: {found.table}")
    for sentence in _failures(found):
        print(f"tammann: {sentence}", file=sys.stderr)
    if _failures(found):
        raise typer.Exit(1)


def _steps(plan: Any) -> dict[str, Any]:
    """What a plan asks for, in steps of molecular dynamics."""
    states = len(plan.melts) * len(plan.temperatures_K)
    produce = round(plan.replicas * plan.production_ps * 1000.0 / plan.timestep_fs)
    prepare = plan.steps_to_find_volume() + sum(plan.steps_of_replica(n + 1) for n in range(plan.replicas)) - produce
    longest = round(plan.replicas * plan.lengths_ps()[-1] * 1000.0 / plan.timestep_fs)
    return {
        "states": states,
        "replicas": plan.replicas,
        "steps_to_prepare_at_most": states * prepare,
        "steps_of_production": states * produce,
        "steps_of_production_at_most": states * longest,
        "atom_steps_at_most": states * (prepare + longest) * plan.atoms,
    }


def _print_steps(plan: Any, cost: dict[str, Any], out: Path) -> None:
    states = f"{cost['states']} state{'s' * (cost['states'] != 1)}"
    replicas = f"{cost['replicas']} replica{'s' * (cost['replicas'] != 1)} each"
    print(f"{states} of about {plan.atoms} atoms, {replicas}, {plan.potential}:")
    for formula in plan.melts:
        print(f"  {formula}: {', '.join(f'{T:g}' for T in plan.temperatures_K)} K")
    print(f"Steps of {plan.timestep_fs:g} fs: {cost['steps_of_production']:,} of production", end="")
    if plan.longest_ps is not None:
        most = cost["steps_of_production_at_most"]
        print(f" (up to {most:,} where errors are above {100 * plan.target_error:g} %)", end="")
    print(", ", end="")
    print(f"at most {cost['steps_to_prepare_at_most']:,} to find volumes and settle.")
    if "left" in cost:
        left = cost["left"]
        count = f"{left['replicas']} replica{'s' * (left['replicas'] != 1)}"
        what = f"{count}, at most {left['steps']:,} steps" if left["replicas"] else "nothing"
        print(f"Left to run in {out}: {what}.")


def collect_command(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of tammann melt, which may be at work.")],
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="Where it is gathered; new, or with the same plan in it.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Copy from DIR to TARGET what is needed to go on there with tammann melt: no trajectories.

    What TARGET has already stays, and all replicas there are measured together.
    """
    from tammann.workflows.melt import collect, load_melting

    with progress_bar(hidden=quiet) as report:
        new = collect(
            out, target, progress=None if report is None else lambda fraction, stage: report(fraction, stage, None)
        )
    found = load_melting(target)
    if as_json:
        apart = [str(place) for place in new.at_another_volume]
        print_json({"new": [str(place) for place in new.taken], "at_another_volume": apart} | _melting(found))
    elif not quiet:
        _print_states(found.states)
        print(f"{len(new.taken)} replica{'s' * (len(new.taken) != 1)} new in {target}.")
        if new.at_another_volume:
            states = dict.fromkeys(str(place.parent) for place in new.at_another_volume)
            print_warnings([f"Not taken, at another volume than in {target}: {', '.join(states)}."])
        print_warnings(_failures(found))


def _failures(found: Any) -> list[str]:
    """What has failed, each with the state that it belongs to."""
    return [f"{s.formula} at {s.temperature_K:g} K: {sentence}" for s in found.states for sentence in s.failed]


def _print_states(states: Any) -> None:
    """What is known of melts, a line each, as narrow as a terminal."""

    def shown(value: float | None, error: float | None, per: float) -> str:
        if value is None:
            return "-"
        return format_with_error(value / per, None if error is None else error / per, digits=1)

    elements = list(dict.fromkeys(symbol for state in states for symbol in state.D_m2_per_s))
    rows = [
        [
            state.formula,
            f"{state.temperature_K:g}",
            f"{state.replicas}, {state.duration_ps:g}",
            "-" if state.density_g_per_cm3 is None else f"{state.density_g_per_cm3:.2f}",
            shown(state.viscosity_Pa_s, state.viscosity_stderr_Pa_s, 1e-3),
            *(shown(state.D_m2_per_s.get(s), state.D_stderr_m2_per_s.get(s), 1e-9) for s in elements),
            "yes" if state.diffusive else "no",
        ]
        for state in states
    ]
    columns = ["melt", "T, K", "runs, ps", "g/cm3", "mPa s", *(f"D({s})" for s in elements)]
    print_table([*columns, "in table"], rows)
    print("Replicas and their time together; density; viscosity; D in 1e-9 m2/s; standard errors in the last digit.")


def _melting(found: Any) -> dict[str, Any]:
    """Its states and its table, as JSON has them."""
    states = [asdict(state) | {"folder": str(state.folder)} for state in found.states]
    return {"states": states, "table": None if found.table is None else str(found.table)}
