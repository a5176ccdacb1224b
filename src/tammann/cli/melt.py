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
            metavar="DIR", help="Folder for the results; new, or with --resume the same. By default NAME-melt."
        ),
    ] = None,
    temperatures: Annotated[
        list[float] | None, typer.Option(metavar="T...", help="Temperatures in K, such as 1500 1750 2000.")
    ] = None,
    atoms: Annotated[int | None, typer.Option(metavar="N", help="Atoms in the box, about.")] = None,
    production_ps: Annotated[float | None, typer.Option(metavar="X", help="Length of each production.")] = None,
    longest_ps: Annotated[
        float | None, typer.Option(metavar="X", help="Length up to which productions are made longer.")
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
            min=1,
            max=1024,
            metavar="N",
            help="Productions at a time: a core each, or with torch-sim a place in one batch.",
        ),
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print the steps it would take; run nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Melt compositions by molecular dynamics and measure their transport, for the furnace.

    Options replace entries of the plan.
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
    is_file = Path(plan).suffix.lower() in (".yaml", ".yml") or Path(plan).is_file()
    out = out or Path(f"{Path(plan).stem}-melt")
    if is_file:
        base = MeltPlan.from_file(plan).model_dump(exclude_unset=True)
    else:
        from tammann.workflows.melt import load_plan

        before = load_plan(out).model_dump(mode="json") if resume else {}  # the other settings are those of the folder
        base = before | {"melts": [plan]}
    asked = MeltPlan.from_dict(base | options)
    from tammann.workflows.melt import run_melts, steps_left

    if dry_run:
        left = steps_left(asked, out, resume=resume)
        if as_json:
            print_json(asdict(asked.cost()) | ({"left": left} if resume else {}))
        else:
            _print_cost(asked)
            if resume:
                _print_left(left, out)
        return
    announced = quiet or as_json
    with progress_bar(hidden=quiet, window_s=3600.0) as report:

        def progress(fraction: float, what: str, temperature_K: float | None) -> None:
            nonlocal announced
            if not announced:  # all has been checked, and nothing has begun
                _print_cost(asked)
                announced = True
            if report is not None:
                report(fraction, what, temperature_K)

        found = run_melts(asked, out, resume=resume, workers=workers, progress=progress)
    failures = _failures(found)
    if as_json:
        print_json(_result(found))
    elif not quiet:
        _print_states(found.states)
        print_warnings(note for note in found.notes if note not in failures)
        if found.table is None:
            longer = f"--resume --longest-ps {4 * found.plan.lengths_ps()[-1]:g}"
            print(f"No state is diffusive, so there is no table; continue with {longer}, or take it hotter.")
        else:
            print(f"For recipes: {found.table}")
    for sentence in failures:
        print(f"tammann: {sentence}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


def _print_cost(plan: Any) -> None:
    cost = plan.cost()
    states, replicas = _counted(cost.states, "state"), _counted(cost.replicas, "replica")
    print(f"{states} of about {plan.atoms} atoms, {replicas} each, {plan.potential}:")
    for formula in plan.melts:
        print(f"  {formula}: {', '.join(f'{T:g}' for T in plan.temperatures_K)} K")
    longest = ""
    if plan.longest_ps is not None:
        percent = f"{100 * plan.target_error:g} %"
        longest = f" (up to {cost.steps_of_production_at_most:,} where errors are above {percent})"
    print(
        f"Steps of {plan.timestep_fs:g} fs: {cost.steps_of_production:,} of production{longest}, at most "
        f"{cost.steps_to_prepare_at_most:,} to find volumes and settle."
    )
    if (hours := cost.core_hours_at_most) is not None:
        print(f"At most about {f'{hours:.0f} hours' if hours > 2 else f'{60 * hours:.0f} minutes'} on one core.")


def _print_left(left: dict[str, int], out: Path) -> None:
    replicas = _counted(left["replicas"], "replica")
    what = f"{replicas}, at most {left['steps']:,} steps" if left["replicas"] else "nothing"
    print(f"Left to run in {out}: {what}.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def collect_command(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of tammann melt, which may be in use.")],
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="Where to gather it; new, or with the same plan in it.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Copy from DIR to TARGET what tammann melt needs to resume there: no trajectories.

    What TARGET has already stays, and all replicas there are measured together.
    """
    from tammann.workflows.melt import collect, load_melts

    with progress_bar(hidden=quiet) as report:
        new = collect(out, target, progress=report)
    found = load_melts(target)
    if as_json:
        apart = [str(folder) for folder in new.at_another_volume]
        print_json({"new": [str(folder) for folder in new.copied], "at_another_volume": apart} | _result(found))
    elif not quiet:
        _print_states(found.states)
        print(f"{_counted(len(new.copied), 'replica')} new in {target}.")
        if new.at_another_volume:
            states = dict.fromkeys(str(folder.parent) for folder in new.at_another_volume)
            print_warnings([f"Not copied, at another volume than in {target}: {', '.join(states)}."])
        print_warnings(_failures(found))


def _failures(found: Any) -> list[str]:
    """What has failed, each with the state that it belongs to."""
    return [f"{state.name}: {sentence}" for state in found.states for sentence in state.failed]


def _print_states(states: Any) -> None:
    """A line for each state, as narrow as a terminal."""

    def shown(value: float | None, error: float | None, unit: float) -> str:
        if value is None:
            return "-"
        return format_with_error(value / unit, None if error is None else error / unit, digits=1)

    elements = list(dict.fromkeys(symbol for state in states for symbol in state.diffusivities_m2_per_s))
    rows = []
    for state in states:
        eta = None if state.melt is None else state.melt.viscosity
        D = state.diffusivities_m2_per_s
        rows.append(
            [
                state.formula,
                f"{state.temperature_K:g}",
                f"{state.replicas}, {state.duration_ps:g}",
                "-" if state.melt is None else f"{state.melt.density_g_per_cm3:.2f}",
                "-" if eta is None else shown(eta.value_Pa_s, eta.stderr_Pa_s, 1e-3),
                *(shown(D[s].mean, D[s].stderr, 1e-9) if s in D else "-" for s in elements),
                "yes" if state.diffusive else "no",
            ]
        )
    columns = ["melt", "T, K", "runs, ps", "g/cm3", "mPa s", *(f"D({s})" for s in elements)]
    print_table([*columns, "in table"], rows)
    print("Replicas and their time together; density; viscosity; D in 1e-9 m2/s; standard errors in the last digit.")


def _result(found: Any) -> dict[str, Any]:
    """States and table, as JSON has them."""
    return {"states": [_state(s) for s in found.states], "table": None if found.table is None else str(found.table)}


def _state(state: Any) -> dict[str, Any]:
    eta = None if state.melt is None else state.melt.viscosity
    D = state.diffusivities_m2_per_s
    return {
        "formula": state.formula,
        "temperature_K": state.temperature_K,
        "folder": str(state.folder),
        "converged": state.converged,
        "diffusive": state.diffusive,
        "replicas": state.replicas,
        "duration_ps": state.duration_ps,
        "density_g_per_cm3": None if state.melt is None else state.melt.density_g_per_cm3,
        "viscosity_Pa_s": None if eta is None else eta.value_Pa_s,
        "viscosity_stderr_Pa_s": None if eta is None else eta.stderr_Pa_s,
        "D_m2_per_s": {symbol: estimate.mean for symbol, estimate in D.items()},
        "D_stderr_m2_per_s": {symbol: estimate.stderr for symbol, estimate in D.items()},
        "notes": state.notes,
        "failed": state.failed,
    }
