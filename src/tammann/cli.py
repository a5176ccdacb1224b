"""The command line: words and options in, tables and files out; everything else happens in the library.

Libraries are imported inside the commands that need them, so that ``tammann --help`` answers at once.
"""

import json
import math
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal

import typer

from tammann import __version__
from tammann.errors import DataError, ResultError, TammannError

__all__ = ["app", "call", "progress_bar"]

app = typer.Typer(
    name="tammann",
    help="From a solid-state recipe to the phases a furnace would give.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
REPEAT_SECONDS = 2.0
SHIPPED = "Ba-Ti-O"
LINES = 12
"""Reactions in one figure."""

System = Annotated[str, typer.Argument(help="A shipped system, a .csv or .json file of phases, or mp-api:A-B-C.")]
Energies = Annotated[str | None, typer.Option(metavar="NAME", help="Energy set; the system's default if not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Plot = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a figure: .png, .pdf or .svg.", callback=lambda file: _figure_name(file)),
]
Between = Annotated[tuple[str, str] | None, typer.Option(metavar="A B", help="Two phases, such as BaO TiO2.")]
Gases = Annotated[
    list[str] | None,
    typer.Option("--gas", metavar="GAS=PA", help="Partial pressure in Pa, such as CO2=40.5; repeatable."),
]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Cores to use; all of them if not given.")]


def call(arguments: Sequence[str]) -> int:
    """Run one command and say how it ended.

    Args:
        arguments: the words after ``tammann``.

    Returns:
        The exit status: 0, 1 where a part of what was asked for has failed, 2 where the input was bad (one sentence
        goes to standard error), 130 when interrupted, 141 when the reader of a pipe went away.
    """
    command = typer.main.get_command(app)
    interrupted = Event()
    try:
        # not through command.main, which has answers of its own to interruptions and broken pipes
        with _persistent_interruption(interrupted), command.make_context("tammann", _spread(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _interruption(arguments)
    except Exception as error:
        if interrupted.is_set():  # something stumbled over the interruption
            return _interruption(arguments)
        status = _answer(error)
        if status is None:
            raise
        return status
    return 0


def _answer(error: Exception) -> int | None:
    """The exit status for an error that the user can mend, told on standard error; None for a slip of ours."""
    # typer has its own click, older ones bring the package: known by what they can do
    message = getattr(error, "format_message", None)
    if message is not None:
        # a bare 'tammann' has been answered with the help already
        said = message().replace("Value error, ", "").rstrip(".")
        return _refuse(f"{said}. See the option --help.") if said else BAD_INPUT
    if isinstance(error, TammannError):
        return _refuse(str(error))
    if isinstance(error, BrokenPipeError):
        # whatever is left in the buffer has no reader; without this the interpreter complains on its way out
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{where}{(error.strerror or str(error)).lower()}; mend that and try again.")
    if isinstance(error, MemoryError):
        return _refuse(f"there is not enough memory ({str(error).rstrip('.') or 'none left'}); take a smaller grid.")
    return None


def _interruption(arguments: Sequence[str]) -> int:
    words = [word for word in arguments if word != "--resume"]
    again = f"; go on with: {shlex.join(['tammann', *words, '--resume'])}" if words[:1] in (["run"], ["melt"]) else "."
    print(f"\ntammann: interrupted{again}", file=sys.stderr)
    return INTERRUPTED


@contextmanager
def _persistent_interruption(interrupted: Event) -> Iterator[None]:
    """Ctrl-C, repeated every two seconds until the command has ended.

    A KeyboardInterrupt that falls into a callback of the compiler behind numba is dropped there with a printed
    traceback, and the run would go on.
    """
    if not hasattr(signal, "setitimer") or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def interrupt(*_: object) -> None:
        interrupted.set()
        signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS)
        raise KeyboardInterrupt

    def quietly(dropped: Any) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            hook(dropped)

    before = signal.signal(signal.SIGINT, interrupt), signal.signal(signal.SIGALRM, interrupt)
    hook, sys.unraisablehook = sys.unraisablehook, quietly
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGALRM, before[1])


def _refuse(sentence: str) -> int:
    line = " ".join(sentence.split())
    print(f"tammann: {line if line.endswith(('.', '?')) else line + '.'}", file=sys.stderr)
    return BAD_INPUT


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"tammann {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """From a solid-state recipe to the phases a furnace would give: which appear, when, how much, how sure and why."""


@app.command()
def run(
    recipe: Annotated[Path, typer.Argument(help="A recipe in YAML; 'tammann new' writes one.", metavar="RECIPE.yaml")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the results go; a new or empty directory.")],
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of all random numbers.")] = None,
    realizations: Annotated[int | None, typer.Option(metavar="N", help="How often the run is repeated.")] = None,
    size: Annotated[int | None, typer.Option(metavar="N", help="Cells per edge of the grid.")] = None,
    kinetics: Annotated[Literal["full", "self", "none"] | None, typer.Option(help="Which transport to use.")] = None,
    energies: Annotated[str | None, typer.Option(metavar="NAME", help="Energy set, or a .csv or .json file.")] = None,
    transport: Annotated[
        str | None, typer.Option(metavar="NAME", help="Transport table, a .json file of your own, or none.")
    ] = None,
    threads: Threads = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in DIR, if any.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Run a recipe: phase fractions in time, a summary and a report go into DIR.

    Options stand in for entries of the recipe.
    """
    from tammann.recipe import Recipe

    asked = Recipe.from_file(recipe).with_options(
        seed=seed, realizations=realizations, size=size, kinetics=kinetics, energies=energies, transport=transport
    )
    from tammann.furnace import run_recipe

    with progress_bar(hidden=quiet) as progress:
        summary = run_recipe(asked, out, threads=threads, resume=resume, progress=progress)
    if as_json:
        _print_json(summary)
    elif not quiet:
        _print_summary(summary, out)


def _print_summary(summary: Mapping[str, Any], out: Path) -> None:
    final: Mapping[str, float] = summary["final_mole_fractions"]
    low: Mapping[str, float] = summary.get("final_mole_fractions_low", final)
    high: Mapping[str, float] = summary.get("final_mole_fractions_high", final)
    baselines: Mapping[str, Mapping[str, float]] = summary.get("baselines", {})
    columns = ["phase", "mol %", "5 to 95 %", *(f"{name.replace('_', ' ')}, mol %" for name in baselines)]
    shares = {phase: [final.get(phase, 0.0), *(b.get(phase, 0.0) for b in baselines.values())] for phase in final}
    for baseline in baselines.values():
        shares |= {
            phase: [0.0, *(b.get(phase, 0.0) for b in baselines.values())] for phase in baseline if phase not in final
        }
    rows = [
        [phase, _percent(values[0]), f"{_percent(low.get(phase, 0))} to {_percent(high.get(phase, 0))}"]
        + [_percent(v) for v in values[1:]]
        for phase, values in sorted(shares.items(), key=lambda item: -item[1][0])
        if max(values) >= 5e-4
    ]
    _print_table(columns, rows)
    if summary.get("arrested"):
        print(
            f"The mixture arrested: no reactive contacts were left, with {_percent(summary['unreacted_fraction'])} % "
            "out of equilibrium; what is left is geometry, not selectivity."
        )
    if summary.get("fallback_share"):
        share = _percent(summary["fallback_share"])
        print(f"Reactions without transport data carried {share} % of the conversion.")
        if summary["fallback_share"] > 0.1:
            about = ("thermodynamic score", "as without data")
            _print_warnings(note for note in summary.get("warnings", ()) if any(words in note for words in about))
    notes = len(summary.get("warnings", ()))
    if notes:
        print(f"{notes} note{'s' * (notes > 1)} on data and method: in the report and in summary.json.")
    print(f"Report: {out / 'report.html'}")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


@app.command()
def reactions(
    system: System = SHIPPED,
    temperature_K: Annotated[float, typer.Option("--temperature-K", metavar="T", help="Temperature in K.")] = 1300.0,
    energies: Energies = None,
    between: Between = None,
    gas: Gases = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Rows of the table; 0 for all.")] = 40,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """List the balanced reactions of a system, the most exergonic first."""
    from tammann.reactions import enumerate_reactions, reaction_energy
    from tammann.thermo import load_phases

    phases = load_phases(system)
    pressures = _pressures(gas)
    every = enumerate_reactions(phases)
    energy = reaction_energy(every, _temperature(temperature_K), energies=energies, partial_pressure_Pa=pressures)
    chosen = [i for i in energy.argsort() if math.isfinite(energy[i])]
    if between is not None:
        pair = {phases.index(formula) for formula in between}
        chosen = [i for i in chosen if pair == _solid_reactants(every.coefficients[i], phases.is_gas)]
    if as_json:
        _print_json(
            {
                "equation": every[int(i)].equation,
                "reactants": dict(every[int(i)].reactants),
                "products": dict(every[int(i)].products),
                "temperature_K": temperature_K,
                "energy_eV_per_atom": float(energy[i]),
            }
            for i in chosen
        )
    else:
        shown = chosen[: limit or None]
        rows = [[every[int(i)].equation, f"{1000 * energy[i]:.1f}"] for i in shown]
        _print_table(["reaction", f"dG at {temperature_K:g} K, meV/atom"], rows)
        if len(shown) < len(chosen):
            print(f"{len(chosen) - len(shown)} more of {len(chosen)}; --limit 0 shows all.")
    if plot is not None:
        from tammann.plot import save_figure
        from tammann.plot.reactions import plot_reaction_energies

        drawn = [int(i) for i in chosen[:LINES]]
        save_figure(plot_reaction_energies(every, choose=drawn, energies=energies, partial_pressure_Pa=pressures), plot)


def _solid_reactants(row: Any, is_gas: Any) -> set[int]:
    return {int(p) for p in (row < 0).nonzero()[0] if not is_gas[p]}


@app.command()
def kd(
    system: System = SHIPPED,
    energies: Energies = None,
    kinetics: Annotated[Literal["full", "self"], typer.Option(help="With or without cross terms.")] = "full",
    form: Annotated[
        Literal["paper", "signed", "electroneutral"], typer.Option(help="How the fluxes of the ions are summed.")
    ] = "paper",
    between: Between = None,
    transport: Annotated[
        str | None, typer.Option(metavar="NAME", help="Transport table, or a .json file of your own.")
    ] = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Growth constants K_D of all products between two end members, by temperature."""
    from tammann.kinetics import growth_constants
    from tammann.thermo import load_phases
    from tammann.transport import load_transport

    phases, coefficients = load_phases(system), load_transport(transport or (SHIPPED if system == SHIPPED else None))
    if coefficients is None:
        raise DataError(f"--transport: expected transport data for {system}, got none; name a .json file.")
    # the table shows no bands, and they take a hundred times as long
    draws = 100 if as_json or plot is not None else 0
    table = growth_constants(
        phases, coefficients, energies=energies, mode=kinetics, form=form, between=between, draws=draws
    )
    if as_json:
        _print_json(table.to_dict(orient="records"))
    else:
        wide = table.pivot(index="phase", columns="temperature_K", values="K_D_m2_per_s")
        wide = wide.loc[table["phase"].drop_duplicates()]
        rows = [[str(phase), *(_figure(value, ".2e") for value in values)] for phase, *values in wide.itertuples()]
        _print_table(["K_D, m2/s", *(f"{t:g} K" for t in wide.columns)], rows)
        known = phases.energy_set(energies).temperature_K
        beyond = [f"{t:g}" for t in coefficients.temperatures_K() if not known[0] <= t <= known[-1]]
        outside = [f"Left out, no energies at {', '.join(beyond)} K (they reach from {known[0]:g} to {known[-1]:g} K)."]
        _print_warnings([*(outside if beyond else []), *coefficients.warnings])
    if plot is not None:
        from tammann.plot import plot_growth_constants, save_figure

        save_figure(plot_growth_constants(table), plot)


@app.command()
def hull(
    system: System = SHIPPED,
    temperature_K: Annotated[float, typer.Option("--temperature-K", metavar="T", help="Temperature in K.")] = 1300.0,
    energies: Energies = None,
    gas: Gases = None,
    between: Between = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Gibbs energies of formation of the phases, and how far each lies above the convex hull."""
    from tammann.thermo import energy_above_hull, load_phases

    phases = load_phases(system)
    pressures = _pressures(gas)
    T = _temperature(temperature_K)
    formation = phases.gibbs(T, energies=energies)
    above = energy_above_hull(phases, T, energies=energies, partial_pressure_Pa=pressures)
    error = phases.energy_set(energies).standard_error_eV_per_atom
    rows = [
        {
            "phase": phase.formula,
            "state": phase.state,
            "temperature_K": T,
            "formation_energy_eV_per_atom": formation[i],
            "standard_error_eV_per_atom": error[i],
            "energy_above_hull_eV_per_atom": above[i],
            "melting_point_K": phase.melting_point_K,
            "melting_point_source": phase.melting_point_source,
        }
        for i, phase in enumerate(phases)
    ]
    if as_json:
        _print_json(rows)
    else:
        # most stable first, phases without an energy last
        rows.sort(key=lambda row: (math.isnan(e := row["energy_above_hull_eV_per_atom"]), round(e, 6)))
        _print_table(
            ["phase", f"dG_f at {T:g} K, eV/atom", "error", "above hull, meV/atom", "melts, K"],
            [
                [
                    row["phase"] + (" (g)" if row["state"] == "gas" else ""),
                    _figure(row["formation_energy_eV_per_atom"], ".3f"),
                    _figure(row["standard_error_eV_per_atom"], ".3f"),
                    _figure(1000 * row["energy_above_hull_eV_per_atom"], ".1f"),
                    _figure(row["melting_point_K"], ".0f"),
                ]
                for row in rows
            ],
        )
        _print_warnings(phases.warnings, phases.energy_set(energies).warnings)
    if plot is not None:
        from tammann.plot import plot_hull, save_figure

        save_figure(plot_hull(phases, T, energies=energies, between=between or ("BaO", "TiO2")), plot)


@app.command("energies")
def show_energies(
    system: System = SHIPPED,
    energies: Energies = None,
    as_json: AsJson = False,
) -> None:
    """What an energy set is made of: sources, errors, and the shifts and constraints of an assessment."""
    from tammann.thermo import load_phases

    phases = load_phases(system)
    chosen = phases.energy_set(energies)
    rows = [
        {
            "phase": phase.formula,
            "shift_eV_per_atom": chosen.shifts_eV_per_atom[i],
            "standard_error_eV_per_atom": chosen.standard_error_eV_per_atom[i],
            "source": chosen.source[i],
        }
        for i, phase in enumerate(phases)
    ]
    if as_json:
        _print_json(
            {
                "name": chosen.name,
                "description": chosen.description,
                "sets": list(phases.energy_sets),
                "phases": rows,
                "constraints": [{"equation": c.equation, **asdict(c)} for c in chosen.constraints],
                "warnings": [*phases.warnings, *chosen.warnings],
            }
        )
        return
    print(f"{chosen.name}: {chosen.description}")
    print(f"Sets of {phases.system}: {', '.join(phases.energy_sets)}.")
    _print_table(
        ["phase", "shift, meV/atom", "error, meV/atom", "source"],
        [
            [
                row["phase"],
                _figure(1000 * row["shift_eV_per_atom"], "+.1f"),
                _figure(1000 * row["standard_error_eV_per_atom"], ".0f"),
                row["source"],
            ]
            for row in rows
        ],
    )
    for c in chosen.constraints:
        temperatures = " and ".join(f"{t:g}" for t in c.temperature_K)
        print(f"Given: {c.equation} ({c.kind} at {temperatures} K; {c.source})")
    _print_warnings(phases.warnings, chosen.warnings)


@app.command()
def validate(
    observations: Annotated[Path, typer.Argument(help="Observations in YAML.", metavar="FILE.yaml")],
    realizations: Annotated[int | None, typer.Option(metavar="N", help="In place of the file's.")] = None,
    size: Annotated[int | None, typer.Option(metavar="N", help="Cells per edge, in place of the recipes'.")] = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Hold recipes against what experiment saw, with three kinetics, the geometric null and plain equilibrium."""
    from tammann.validation import validate as hold_against

    with progress_bar(hidden=quiet) as progress:
        outcome = hold_against(observations, realizations=realizations, size=size, threads=threads, progress=progress)
    if as_json:
        _print_json(outcome.to_dict())
        return
    table = outcome.table()
    _print_table([str(name) for name in table.columns], [[str(cell) for cell in row] for row in table.to_numpy()])
    for line in outcome.notes:
        print(line)


@app.command()
def calibrate(
    recipe: Annotated[Path, typer.Argument(help="The experiment as a recipe.", metavar="RECIPE.yaml")],
    phase: Annotated[str, typer.Option(metavar="FORMULA", help="The phase that was measured at the end.")],
    mole_fraction: Annotated[float, typer.Option(metavar="X", help="Its mole fraction then, between 0 and 1.")],
    observation: Annotated[str, typer.Option(metavar="TEXT", help="Who saw it; kept with the calibration.")],
    realizations: Annotated[int, typer.Option(metavar="N", help="Runs behind each median, at least 2.")] = 4,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Find how many hours a sweep stands for, from one observation.

    Prints the lines to put into recipes; leave the observation out of any validation afterwards.
    """
    from tammann.calibration import calibrate as find
    from tammann.recipe import Recipe

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
        _print_json(
            {
                "hours_per_sweep": scale.hours_per_sweep,
                "relative_error": scale.relative_error,
                "mole_fraction": scale.mole_fraction,
                "observation": scale.observation,
            }
        )
        return
    print("calibration:")
    print(f"  hours_per_sweep: {scale.hours_per_sweep:.4g}  # within {100 * scale.relative_error:.0f} %, from the runs")
    print(f"  observation: {json.dumps(scale.observation, ensure_ascii=False)}")


@app.command()
def transport(
    trajectories: Annotated[
        list[Path],
        typer.Argument(
            metavar="TRAJECTORY...",
            help="LAMMPS dumps (also .gz), extended XYZ, ASE .traj, XDATCAR or .npz; those of one composition and "
            "temperature are replicas.",
        ),
    ],
    temperature_K: Annotated[
        list[float],
        typer.Option("--temperature-K", metavar="T...", help="Temperature in K: one, or one for each trajectory."),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the results go; a new or empty directory.")],
    timestep_fs: Annotated[
        float | None,
        typer.Option(metavar="X", help="Length of one dynamics step, where the file counts steps."),
    ] = None,
    frame_interval_ps: Annotated[
        float | None, typer.Option(metavar="X", help="Time from frame to frame, where the file counts no steps.")
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(metavar="A...", help="Elements of the atom types 1, 2, ... of a dump without elements."),
    ] = None,
    skip_ps: Annotated[float, typer.Option(metavar="X", min=0, help="Left out at the start of each trajectory.")] = 0.0,
    start: Annotated[int, typer.Option(metavar="N", min=0, help="First frame to read, counted from 0.")] = 0,
    stop: Annotated[int | None, typer.Option(metavar="N", help="Frame to stop before.")] = None,
    every: Annotated[int, typer.Option(metavar="N", min=1, help="Keep every so many frames.")] = 1,
    frame: Annotated[
        str, typer.Option(metavar="NAME", help="What is at rest: barycentric, laboratory or an element.")
    ] = "barycentric",
    regime_ps: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="A B",
            help="From A to B ps: times over which slopes are taken; found by a stated rule if not given.",
        ),
    ] = None,
    charges: Annotated[
        list[str] | None,
        typer.Option(metavar="A=Z...", help="Charges, such as Ba=2 O=-2; from the composition if not given."),
    ] = None,
    viscosity: Annotated[
        tuple[float, float] | None,
        typer.Option(
            "--viscosity-mPa-s",
            metavar="X ERR",
            help="Viscosity of the model in mPa s and its standard error, for the finite-size correction of D.",
        ),
    ] = None,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Whether to draw.")] = True,
    threads: Threads = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Measure Onsager coefficients, diffusivities and conductivities of molecular dynamics trajectories."""
    from tammann.diffusion import check_folder, measure_trajectories, write_diffusion

    check_folder(out)
    with progress_bar(hidden=quiet) as progress:
        found = measure_trajectories(
            trajectories,
            temperatures_K=temperature_K,
            timestep_fs=timestep_fs,
            frame_interval_ps=frame_interval_ps,
            types=types,
            skip_ps=skip_ps,
            start=start,
            stop=stop,
            every=every,
            frame=frame,
            regime_ps=regime_ps,
            charges=_charges(charges),
            viscosity_Pa_s=None if viscosity is None else (viscosity[0] * 1e-3, viscosity[1] * 1e-3),
            threads=threads,
            progress=progress,
        )
    write_diffusion(found, out, figures=figures)
    if as_json:
        print((out / "transport.json").read_text(encoding="utf-8"), end="")
    elif not quiet:
        _print_diffusion(found, out)


def _print_diffusion(found: Any, out: Path) -> None:
    for m, sigma in zip(found.measurements, found.conductivities, strict=True):
        print(f"{m.formula} at {m.temperature_K:g} K, {m.frame} frame, {_replicas(m)}")
        columns = ["ion", "D, m2/s", "L_self", "f", "slope", "diffusive"]
        if m.finite_size is not None:
            columns.insert(2, "D corrected")
        rows = []
        for i, symbol in enumerate(m.species):
            moves, stays = m.regime.diffusive[i], m.regime.immobile[i]
            row = [symbol, _with_error(m.D_m2_per_s[i], m.D_stderr[i])]
            if m.finite_size is not None:
                row.append(_with_error(m.finite_size.D_m2_per_s[i], m.finite_size.D_stderr[i]))
            row += [
                _with_error(m.apparent.L_self[i], m.apparent.L_self_stderr[i]) if moves else "-",
                _with_error(m.correlation_factor[i], m.correlation_factor_stderr[i]),
                _with_error(m.regime.slope[i], m.regime.slope_stderr[i]),
                "yes" if moves else "immobile" if stays else "no",
            ]
            rows.append(row)
        _print_table(columns, rows)
        if m.usable and len(m.species) > 1:
            _print_table(
                ["L, 1/(J m s)", *m.species],
                [
                    [one, *(_with_error(m.apparent.L[i, j], m.apparent.L_stderr[i, j]) for j in range(len(m.species)))]
                    for i, one in enumerate(m.species)
                ],
            )
        print(f"Regime {m.regime.from_ps:g} to {m.regime.to_ps:g} ps: {m.regime.rule}.")
        if sigma is not None:
            stated = ", ".join(f"{s} {z:+g}" for s, z in zip(sigma.species, sigma.charges, strict=True))
            print(
                f"Conductivity {_with_error(sigma.sigma_S_per_m, sigma.sigma_stderr)} S/m, Nernst-Einstein "
                f"{_with_error(sigma.nernst_einstein_S_per_m, sigma.nernst_einstein_stderr)} S/m, Haven ratio "
                f"{_with_error(sigma.haven_ratio, sigma.haven_stderr)}; charges {stated}."
            )
        _print_warnings(m.notes, (n for n in (() if sigma is None else sigma.notes) if "ransference" not in n))
        print()
    for formula, fits in found.activation.items():
        for symbol, fit in fits.items():
            print(
                f"{symbol} in {formula}: D = D0 exp(-Ea/kT), Ea "
                f"{_with_error(fit.activation_energy_eV, fit.activation_energy_stderr_eV)} eV, "
                f"ln(D0 / 1 m2/s) {_with_error(fit.ln_prefactor, fit.ln_prefactor_stderr)}."
            )
        _print_warnings(dict.fromkeys(note for fit in fits.values() for note in fit.notes))
    _print_warnings(found.notes)
    print("D: tracer diffusivity in this frame; L_self in 1/(J m s); f = L_ii/L_self - 1; slope: d ln MSD / d ln t;")
    print("1.23(45): 1.23 with a standard error of 0.45.")
    if not (out / "furnace.json").exists():
        print("No furnace.json: recipes take several elements, all of them diffusive, in the barycentric frame.")
    print(f"Written: {', '.join(sorted(path.name for path in out.iterdir()))} in {out}")


def _replicas(measurement: Any) -> str:
    number = measurement.n_replicas
    return f"{number} replica{'s' * (number > 1)}, {measurement.duration_ps:g} ps in all"


def _with_error(value: float, error: float | None, *, digits: int = 2) -> str:
    """A value with its standard error in the last digits, so many of it, such as 2.03(4)e-10."""
    if value is None or not math.isfinite(value):
        return "-"
    if error is None or not math.isfinite(error) or error <= 0:
        return f"{value:.4g}"
    exponent = math.floor(math.log10(max(abs(value), error)))
    power = exponent if abs(exponent) > 3 else 0
    mantissa, spread = value / 10.0**power, error / 10.0**power
    places = max(0, digits - 1 - math.floor(math.log10(spread)))
    shown = f"{mantissa:.{places}f}({spread * 10.0**places:.0f})"
    return f"{shown}e{power:+03d}" if power else shown


@app.command("melt")
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
    from tammann.md.plan import MeltPlan

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
        from tammann.melt import stored_plan

        before = stored_plan(out) if resume else None  # a formula alone says nothing of how it was begun
        base = ({} if before is None else before.model_dump(mode="json")) | {"melts": [plan]}
    asked = MeltPlan.from_dict(base | options)
    from tammann.melt import melt, steps_left

    if dry_run:
        cost = _steps(asked) | ({"left": steps_left(asked, out)} if resume else {})
        _print_json(cost) if as_json else _print_steps(asked, cost, out)
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
        _print_json(_melting(found))
    elif not quiet:
        _print_states(found.states)
        failures = _failures(found)
        _print_warnings(note for note in found.notes if note not in failures)
        if found.table is None:
            longer = f"--resume --longest-ps {4 * found.plan.lengths_ps()[-1]:g}"
            print(f"No state is diffusive, so there is no table; go on with {longer}, or hotter.")
        else:
            print(f"For recipes: {found.table}")
    for sentence in _failures(found):
        print(f"tammann: {sentence}", file=sys.stderr)
    if _failures(found):
        raise typer.Exit(FAILED)


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


@app.command("distil")
def distil_command(
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
    from tammann.melt import distil, load_melting

    with progress_bar(hidden=quiet) as report:
        new = distil(
            out, target, progress=None if report is None else lambda fraction, stage: report(fraction, stage, None)
        )
    found = load_melting(target)
    if as_json:
        apart = [str(place) for place in new.at_another_volume]
        _print_json({"new": [str(place) for place in new.taken], "at_another_volume": apart} | _melting(found))
    elif not quiet:
        _print_states(found.states)
        print(f"{len(new.taken)} replica{'s' * (len(new.taken) != 1)} new in {target}.")
        if new.at_another_volume:
            states = dict.fromkeys(str(place.parent) for place in new.at_another_volume)
            _print_warnings([f"Not taken, at another volume than in {target}: {', '.join(states)}."])
        _print_warnings(_failures(found))


def _failures(found: Any) -> list[str]:
    """What has failed, each with the state that it belongs to."""
    return [f"{s.formula} at {s.temperature_K:g} K: {sentence}" for s in found.states for sentence in s.failed]


def _print_states(states: Any) -> None:
    """What is known of melts, a line each, as narrow as a terminal."""

    def shown(value: float | None, error: float | None, per: float) -> str:
        if value is None:
            return "-"
        return _with_error(value / per, None if error is None else error / per, digits=1)

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
    _print_table([*columns, "in table"], rows)
    print("Replicas and their time together; density; viscosity; D in 1e-9 m2/s; standard errors in the last digit.")


def _melting(found: Any) -> dict[str, Any]:
    """Its states and its table, as JSON has them."""
    states = [asdict(state) | {"folder": str(state.folder)} for state in found.states]
    return {"states": states, "table": None if found.table is None else str(found.table)}


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Where to write it; - for the terminal.", metavar="[FILE]")] = Path(
        "recipe.yaml"
    ),
) -> None:
    """Write a recipe to start from, with every key explained."""
    from importlib.resources import files

    text = files("tammann").joinpath("data", "recipe.yaml").read_text(encoding="utf-8")
    if str(file) == "-":
        print(text, end="")
        return
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise ResultError(f"{file}: expected the name of a new file, got one that exists; choose another.") from None
    print(f"Wrote {file}; run it with: {shlex.join(['tammann', 'run', str(file), '--out', file.stem])}")


# ------------------------------------------------------------------------------------------------------------- options


def _charges(words: list[str] | None) -> dict[str, float] | None:
    """Charges in e from words such as Ba=2."""
    if not words:
        return None
    charges: dict[str, float] = {}
    for word in words:
        symbol, _, number = word.partition("=")
        try:
            charges[symbol] = float(number)
        except ValueError:
            charges[symbol] = math.nan
        if not symbol or not math.isfinite(charges[symbol]):
            raise DataError(f"--charges: expected an element and its charge, such as Ba=2, got {word!r}.")
    return charges


def _spread(arguments: Sequence[str]) -> list[str]:
    """Repeat an option that may take several words before each of them: --charges Ba=2 O=-2."""
    several = {
        "--charges": lambda word: "=" in word,
        "--temperature-K": _is_number,
        "--temperatures": _is_number,
        "--types": lambda word: word.isalpha() and len(word) < 3 and word[0].isupper() and not Path(word).exists(),
    }
    spread: list[str] = []
    option = ""
    for word in arguments:
        if word in several:
            option = word
            spread.append(word)
        elif option and spread[-1] != option and several[option](word):
            spread += [option, word]
        else:
            if not (option and spread[-1] == option):
                option = ""
            spread.append(word)
    return spread


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _pressures(gas: list[str] | None) -> dict[str, float] | None:
    """Partial pressures in Pa from words such as CO2=40.5."""
    if not gas:
        return None
    pressures: dict[str, float] = {}
    for word in gas:
        formula, _, number = word.partition("=")
        try:
            pressures[formula] = float(number)
        except ValueError:
            pressures[formula] = math.nan
        if not formula or not 0 < pressures[formula] < math.inf:
            raise DataError(f"--gas: expected a gas and its pressure in Pa, such as CO2=40.5, got {word!r}.")
    return pressures


def _figure_name(file: Path | None) -> Path | None:
    """Checked before anything is calculated for it."""
    if file is not None and file.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise ResultError(f"--plot: expected a file name that ends in .png, .pdf or .svg, got {str(file)!r}.")
    if file is not None and not file.parent.is_dir():
        raise ResultError(f"--plot: expected a directory that exists, got {str(file.parent)!r}; make it first.")
    return file


def _temperature(temperature_K: float) -> float:
    if not 300 <= temperature_K <= 2000:
        raise DataError(f"--temperature-K: expected a temperature from 300 to 2000 K, got {temperature_K:g}.")
    return temperature_K


# -------------------------------------------------------------------------------------------------------------- output


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal, or as wide as it needs to be where there is none."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False, collapse_padding=True, header_style="bold")
    for k, name in enumerate(columns):
        words = k == 0 or name in ("source", "observation", "when", "mark")
        table.add_column(name, justify="left" if words else "right", no_wrap=k == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=500)
    console.print(table)


def _print_warnings(*groups: Iterable[str]) -> None:
    for group in groups:
        for warning in group:
            print(f"Note: {warning}")


def _figure(value: float, form: str) -> str:
    # 0.0 is added after rounding, so that no figure reads -0.0
    return "-" if math.isnan(value) else format(round(float(value), 9) + 0.0 if abs(value) > 1e-3 else value, form)


def _print_json(value: Any) -> None:
    if isinstance(value, Iterator):
        value = list(value)
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    """Numbers of numpy as numbers of Python, and null for what is no number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def progress_bar(
    *, hidden: bool = False, window_s: float = 30.0
) -> Iterator[Callable[[float, str, float | None], None] | None]:
    """A bar on standard error with the stage, the temperature and the time left; nothing where there is no terminal.

    Args:
        hidden: Show nothing.
        window_s: Time that the speed is taken from, s: long where it is told seldom or comes in leaps.

    Yields:
        What a long calculation calls now and then with the fraction done (0 to 1), what it is at, and the temperature
        in K or None; None in place of it where nothing is to be shown.
    """
    if hidden or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[temperature]}"),
        TimeRemainingColumn(compact=True, table_column=Column(min_width=5, no_wrap=True)),
        console=Console(stderr=True),
        transient=True,
        expand=True,
        speed_estimate_period=window_s,
    )
    with bar:
        task = bar.add_task("starting", total=1.0, temperature="")

        def report(fraction: float, stage: str, temperature_K: float | None = None) -> None:
            temperature = "" if temperature_K is None else f"{temperature_K:.0f} K"
            bar.update(task, completed=fraction, description=stage, temperature=temperature)

        yield report
