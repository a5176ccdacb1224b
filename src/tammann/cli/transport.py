"""The command transport: from trajectories to Onsager coefficients."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.options import Quiet, Threads, parse_numbers
from tammann.cli.output import format_with_error, print_table, print_warnings, progress_bar


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
        float | None, typer.Option(metavar="X", help="Length of one dynamics step, where the file counts steps.")
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
    every: Annotated[int, typer.Option(metavar="N", min=1, help="Keep one frame in N.")] = 1,
    unwrapped: Annotated[
        bool, typer.Option("--unwrapped", help="Positions were never folded into the cell, as ASE leaves them.")
    ] = False,
    frame: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What is at rest: barycentric, laboratory, or elements such as O or La+O; if not given, the framework "
            "of a solid whose other ions diffuse, else barycentric.",
        ),
    ] = None,
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Show complete results of these files in DIR, or begin again.")
    ] = False,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Whether to draw.")] = True,
    threads: Threads = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure Onsager coefficients, diffusivities and conductivities of molecular dynamics trajectories."""
    from tammann.workflows.transport import TransportPlan, run_transport

    plan = TransportPlan(
        trajectories=trajectories,
        temperatures_K=temperature_K,
        timestep_fs=timestep_fs,
        frame_interval_ps=frame_interval_ps,
        types=types,
        skip_ps=skip_ps,
        start=start,
        stop=stop,
        every=every,
        wrapped=not unwrapped,
        frame=frame,
        regime_ps=regime_ps,
        charges=parse_numbers(charges, "--charges", "an element and its charge, such as Ba=2"),
        viscosity_Pa_s=None if viscosity is None else (viscosity[0] * 1e-3, viscosity[1] * 1e-3),
    )
    with progress_bar(hidden=quiet) as progress:
        found = run_transport(plan, out, resume=resume, figures=figures, threads=threads, progress=progress)
    if as_json:
        print((out / "transport.json").read_text(encoding="utf-8"), end="")
    elif not quiet:
        _print_diffusion(found, out)


def _print_diffusion(found: Any, out: Path) -> None:
    for m, sigma in zip(found.measurements, found.conductivities, strict=True):
        replicas = f"{m.n_replicas} replica{'s' * (m.n_replicas > 1)}, {m.duration_ps:g} ps in all"
        print(f"{m.formula} at {m.temperature_K:g} K, {m.frame} frame, {replicas}")
        columns = ["ion", "D, m2/s", "L_self", "f", "slope", "diffusive"]
        if m.finite_size is not None:
            columns.insert(2, "D corrected")
        rows = []
        for i, symbol in enumerate(m.species):
            moves, stays = m.regime.diffusive[i], m.regime.immobile[i]
            row = [symbol, format_with_error(m.D_m2_per_s[i], m.D_stderr[i])]
            if m.finite_size is not None:
                row.append(format_with_error(m.finite_size.D_m2_per_s[i], m.finite_size.D_stderr[i]))
            row += [
                format_with_error(m.apparent.L_self[i], m.apparent.L_self_stderr[i]) if moves else "-",
                format_with_error(m.correlation_factor[i], m.correlation_factor_stderr[i]),
                format_with_error(m.regime.slope[i], m.regime.slope_stderr[i]),
                "yes" if moves else "immobile" if stays else "no",
            ]
            rows.append(row)
        print_table(columns, rows)
        if m.usable and len(m.species) > 1:
            matrix = zip(m.species, m.apparent.L, m.apparent.L_stderr, strict=True)
            rows = [[one, *map(format_with_error, L, error)] for one, L, error in matrix]
            print_table(["L, 1/(J m s)", *m.species], rows)
        print(f"Regime {m.regime.from_ps:g} to {m.regime.to_ps:g} ps: {m.regime.rule}.")
        if sigma is not None:
            stated = ", ".join(f"{s} {z:+g}" for s, z in zip(sigma.species, sigma.charges, strict=True))
            print(
                f"Conductivity {format_with_error(sigma.sigma_S_per_m, sigma.sigma_stderr)} S/m, Nernst-Einstein "
                f"{format_with_error(sigma.nernst_einstein_S_per_m, sigma.nernst_einstein_stderr)} S/m, Haven ratio "
                f"{format_with_error(sigma.haven_ratio, sigma.haven_stderr)}; charges {stated}."
            )
        print_warnings(m.notes, (n for n in (() if sigma is None else sigma.notes) if "ransference" not in n))
        print()
    for formula, fits in found.activation.items():
        for symbol, fit in fits.items():
            print(
                f"{symbol} in {formula}: D = D0 exp(-Ea/kT), Ea "
                f"{format_with_error(fit.activation_energy_eV, fit.activation_energy_stderr_eV)} eV, "
                f"ln(D0 / 1 m2/s) {format_with_error(fit.ln_prefactor, fit.ln_prefactor_stderr)}."
            )
        print_warnings(dict.fromkeys(note for fit in fits.values() for note in fit.notes))
    print_warnings(found.notes)
    print("D: tracer diffusivity in this frame; L_self in 1/(J m s); f = L_ii/L_self - 1; slope: d ln MSD / d ln t;")
    print("1.23(45): 1.23 with a standard error of 0.45.")
    files = ", ".join(sorted(path.name for path in out.iterdir()))
    print(f"{'Written' if found.correlations else 'Found'}: {files} in {out}")
