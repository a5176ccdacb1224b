"""The commands of melts: melt, and collect for work done on several machines."""

import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.options import AsJson, Quiet
from tammann.cli.output import format_number, format_with_error, print_json, print_table, print_warnings, progress_bar


def melt_command(
    plan: Annotated[str, typer.Argument(metavar="PLAN.yaml|FORMULA", help="A plan, or a formula such as BaTiO3.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results; by default NAME-melt.")
    ] = None,
    temperatures: Annotated[list[float] | None, typer.Option(metavar="T...", help="In K, such as 1500 2000.")] = None,
    atoms: Annotated[int | None, typer.Option(metavar="N", help="Atoms in the box, about.")] = None,
    production_ps: Annotated[float | None, typer.Option(metavar="X", help="Length of each production.")] = None,
    longest_ps: Annotated[float | None, typer.Option(metavar="X", help="Length up to which they are extended.")] = None,
    replicas: Annotated[int | None, typer.Option(metavar="N", help="Productions of each state.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="lammps, ase or torch-sim.")] = None,
    potential: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="pedone-2006, chgnet, MODULE:CALLABLE or a .yaml of LAMMPS commands."),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of all random numbers.")] = None,
    workers: Annotated[
        int,
        typer.Option(min=1, max=1024, metavar="N", help="Productions at a time: a core each, or one batch on a GPU."),
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check all, print the steps it takes, run nothing.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Melt compositions by molecular dynamics and measure their transport, for the furnace.

    Options replace entries of the plan.
    """
    from tammann.workflows.melt import run_melts

    out = out or Path(f"{Path(plan).stem}-melt")
    given: dict[str, Any] = {"temperatures_K": temperatures, "production_ps": production_ps, "longest_ps": longest_ps}
    given |= {"atoms": atoms, "replicas": replicas, "engine": engine, "potential": potential, "seed": seed}
    asked = _plan(plan, {key: value for key, value in given.items() if value is not None}, out if resume else None)
    if dry_run:
        _print_what_is_left(asked, out, resume, as_json)
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
        longer = f"continue with --resume --longest-ps {4 * found.plan.lengths_ps()[-1]:g}, or take it hotter."
        none = f"No state is diffusive, so there is no table; {longer}"
        print(f"For recipes: {found.table}" if found.table else none)
    for sentence in failures:
        print(f"tammann: {sentence}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


def _plan(plan: str, given: dict[str, Any], resumed: Path | None) -> Any:
    """The plan of a file, or that of a formula with the settings of a resumed folder, with the options given."""
    from tammann.workflows.melt import load_plan
    from tammann.workflows.melt.plan import MeltPlan

    if Path(plan).suffix.lower() in (".yaml", ".yml") or Path(plan).is_file():
        return MeltPlan.from_file(plan, replaced=given)
    base = (load_plan(resumed).model_dump(mode="json") if resumed else {}) | {"melts": [plan]}
    return MeltPlan(**base | given)


def _print_what_is_left(plan: Any, out: Path, resume: bool, as_json: bool) -> None:
    from tammann.workflows.melt import steps_left

    left = steps_left(plan, out, resume=resume)
    if as_json:
        print_json(asdict(plan.cost()) | ({"left": left} if resume else {}))
        return
    _print_cost(plan)
    if resume:
        missing = f"{_counted(left['replicas'], 'replica')}, at most {left['steps']:,} steps"
        print(f"Left to run in {out}: {missing if left['replicas'] else 'nothing'}.")


def _print_cost(plan: Any) -> None:
    cost = plan.cost()
    states, replicas = _counted(cost.states, "state"), _counted(cost.replicas, "replica")
    print(f"{states} of about {plan.atoms} atoms, {replicas} each, {plan.potential}:")
    for formula in plan.melts:
        print(f"  {formula}: {', '.join(f'{T:g}' for T in plan.temperatures_K)} K")
    longest = f" (up to {cost.steps_of_production_at_most:,} where errors are above {100 * plan.target_error:g} %)"
    production = f"{cost.steps_of_production:,} of production{longest if plan.longest_ps is not None else ''}"
    settling = f"at most {cost.steps_to_prepare_at_most:,} to find volumes and settle"
    print(f"Steps of {plan.timestep_fs:g} fs: {production}, {settling}.")
    if (hours := cost.core_hours_at_most) is not None:
        print(f"At most about {f'{hours:.0f} hours' if hours > 2 else f'{60 * hours:.0f} minutes'} on one core.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def collect_command(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of tammann melt, which may be in use.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A new folder, or one with the same plan in it.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Copy from DIR to TARGET what tammann melt needs to resume there: no trajectories.

    What TARGET has already stays, and all replicas there are measured together.
    """
    from tammann.workflows.melt import collect, load_melts

    with progress_bar(hidden=quiet) as report:
        new = collect(out, target, progress=report)
    found = load_melts(target)
    if as_json:
        print_json({"new": new.copied, "at_another_volume": new.at_another_volume} | _result(found))
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
    elements = list(dict.fromkeys(symbol for state in states for symbol in state.diffusivities_m2_per_s))
    rows = []
    for state in map(_state, states):
        measured = state["density_g_per_cm3"], state["viscosity_Pa_s"], state["viscosity_stderr_Pa_s"]
        density, eta, eta_stderr = (math.nan if value is None else value for value in measured)
        D = [(state["D_m2_per_s"].get(s, math.nan), state["D_stderr_m2_per_s"].get(s, math.nan)) for s in elements]
        rows.append(
            [
                state["formula"],
                f"{state['temperature_K']:g}",
                f"{state['replicas']}, {state['duration_ps']:g}",
                format_number(density, ".2f"),
                format_with_error(1e3 * eta, 1e3 * eta_stderr, digits=1),
                *(format_with_error(1e9 * mean, 1e9 * stderr, digits=1) for mean, stderr in D),
                "yes" if state["diffusive"] else "no",
            ]
        )
    columns = ["melt", "T, K", "runs, ps", "g/cm3", "mPa s", *(f"D({s})" for s in elements), "in table"]
    print_table(columns, rows)
    print("Replicas and their time together; density; viscosity; D in 1e-9 m2/s; standard errors in the last digit.")


def _result(found: Any) -> dict[str, Any]:
    """States and table, as JSON has them."""
    return {"states": [_state(state) for state in found.states], "table": found.table}


def _state(state: Any) -> dict[str, Any]:
    melt, D = state.melt, state.diffusivities_m2_per_s
    names = ("formula", "temperature_K", "folder", "converged", "diffusive", "replicas", "duration_ps")
    return {name: getattr(state, name) for name in names} | {
        "density_g_per_cm3": melt and melt.density_g_per_cm3,
        "viscosity_Pa_s": melt and melt.viscosity.value_Pa_s,
        "viscosity_stderr_Pa_s": melt and melt.viscosity.stderr_Pa_s,
        "D_m2_per_s": {symbol: estimate.mean for symbol, estimate in D.items()},
        "D_stderr_m2_per_s": {symbol: estimate.stderr for symbol, estimate in D.items()},
        "notes": state.notes,
        "failed": state.failed,
    }
