"""Commands that build and relax grains: structure boundary, polycrystal and coincidences."""

import math
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from tammann.cli.options import AsJson, Quiet
from tammann.cli.output import format_number, print_json, print_table, progress_bar

Crystal = Annotated[str, typer.Argument(metavar="CRYSTAL", help="A crystal of the package by name, or a file.")]


def boundary_command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.yaml", help="Which boundaries of which crystal.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder; by default NAME-boundaries.")] = None,
    potential: Annotated[
        str | None, typer.Option(metavar="NAME", help="A potential by name, file or MODULE:CALLABLE.")
    ] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="lammps, ase or torch-sim.")] = None,
    relax: Annotated[int | None, typer.Option(metavar="N", help="How many translations of each to relax.")] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Boundaries at a time.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is in DIR.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the best translations of grain boundaries, relax them, and return their energies.

    Each boundary leaves its relaxed bicrystals with labels; options replace entries of the plan.
    """
    from tammann.parallel import pool_if_several
    from tammann.workflows.grain_boundaries import GrainBoundaryPlan, run_grain_boundaries

    given = {"potential": potential, "engine": engine, "relax": relax}
    asked = GrainBoundaryPlan.from_file(plan, replaced={k: v for k, v in given.items() if v is not None})
    folder = out or Path(f"{plan.stem}-boundaries")
    with progress_bar(hidden=quiet, window_s=1800.0) as report, pool_if_several(workers) as executor:
        found = run_grain_boundaries(asked, folder, resume=resume, progress=report, executor=executor)
    table = found.table()
    if as_json:
        print_json({"folder": folder, "boundaries": table.to_dict("records")})
    elif not quiet:
        rows = [
            [
                row.boundary, f"{row.angle_deg:.2f}", f"{100 * row.strain:.2f}", str(row.atoms),
                format_number(row.energy_J_per_m2, ".3f"), f"{row.relaxed} of {row.candidates}", str(row.failed),
                row.failure or ("yes" if row.converged else "no"),
            ]
            for row in table.itertuples()
        ]  # fmt: skip
        print_table(["boundary", "degrees", "strain, %", "atoms", "J/m²", "relaxed", "failed", "converged"], rows)
        print(f"Relaxed boundaries: {folder}")


def polycrystal_command(
    crystal: Crystal,
    grains: Annotated[int, typer.Option(metavar="N", help="How many.")],
    box_A: Annotated[
        list[float], typer.Option("--box-A", metavar="X", help="Edge of the cube, Å; three times for a box.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Ends in .extxyz, .data (LAMMPS) or .cif.")],
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of places and orientations.")] = 1,
    size_spread: Annotated[
        float, typer.Option("--size-spread", metavar="X", help="Spread of the grains' radii (log-normal), from 0 to 1.")
    ] = 0.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fill a periodic box with grains of a crystal, unrelaxed.

    Overlaps are removed in whole formula units; grain and distance to the boundary are labels of the atoms.
    """
    from tammann.errors import DataError
    from tammann.structures.crystals import load_crystal
    from tammann.structures.polycrystal import polycrystal
    from tammann.structures.write import CIF, EXTXYZ, LAMMPS, write_structure

    endings = EXTXYZ + LAMMPS + CIF
    if out.suffix.lower() not in endings:
        raise DataError(f"--out {out}: expected a name that ends in {', '.join(endings)}; rename it.")
    if not out.parent.is_dir():
        raise DataError(f"--out {out}: there is no folder {out.parent}; make it, or name another.")
    if len(box_A) not in (1, 3):
        raise DataError(f"--box-A: expected one edge or three, got {len(box_A)}.")
    edges = box_A[0] if len(box_A) == 1 else box_A
    with progress_bar(hidden=quiet) as report:
        if report is not None:
            report(0.0, "growing grains", None)
        made = polycrystal(load_crystal(crystal), edges_A=edges, grains=grains, size_spread=size_spread, rng=seed)
        if report is not None:
            report(0.5, "writing", None)
        write_structure(made.configuration, out)
    n, volumes = made.configuration.n_atoms, made.volumes_A3
    diameters = (6.0 * volumes / math.pi) ** (1 / 3)
    if as_json:
        print_json(
            {
                "file": out, "atoms": n, "removed": made.removed, "volumes_A3": volumes.tolist(),
                "seeds_A": made.seeds_A.tolist(), "relaxed": False,
            }
        )  # fmt: skip
    elif not quiet:
        print(
            f"{len(volumes)} {'grain' if len(volumes) == 1 else 'grains'} of {diameters.min():.0f} to "
            f"{diameters.max():.0f} Å, {n} atoms "
            f"({sum(made.removed.values())} removed as overlaps), unrelaxed: {out}"
        )


def coincidences_command(
    crystal: Crystal,
    axis: Annotated[str, typer.Option(metavar="UVW", help="Lattice vector of three integers, such as 001 or 1,-1,0.")],
    largest_sigma: Annotated[int, typer.Option("--largest-sigma", metavar="N", help="Largest sigma to list.")] = 35,
    largest_strain: Annotated[
        float, typer.Option("--largest-strain", metavar="X", help="Largest strain; 0 for exact ones.")
    ] = 0.01,
    as_json: AsJson = False,
) -> None:
    """List the rotations about an axis after which two grains have lattice points in common.

    The strain that each needs is what a boundary of it would cost; the plane is its tilt of the shortest period.
    """
    from tammann.structures.coincidence import boundary_planes, find_coincidences
    from tammann.structures.crystals import load_crystal

    cell = load_crystal(crystal).cell_A
    found = find_coincidences(cell, _axis(axis), largest_sigma=largest_sigma, largest_strain=largest_strain)
    rows: list[dict[str, Any]] = []
    for each in found:
        planes = boundary_planes(cell, each)
        plane = next((p for p in planes if p.kind != "twist"), planes[-1])
        rows.append(
            {
                "sigma": each.sigma, "angle_deg": each.angle_deg, "strain": each.strain, "plane_1": plane.miller_1,
                "plane_2": plane.miller_2, "kind": plane.kind, "period_A": plane.period_A, "plane_strain": plane.strain,
            }
        )  # fmt: skip
    if as_json:
        print_json({"crystal": crystal, "axis": _axis(axis), "coincidences": rows})
        return
    table = [
        [
            str(row["sigma"]), f"{row['angle_deg']:.2f}", f"{100 * row['strain']:.3f}", _plane(row["plane_1"]),
            _plane(row["plane_2"]), row["kind"], f"{row['period_A']:.1f}", f"{100 * row['plane_strain']:.3f}",
        ]
        for row in rows
    ]  # fmt: skip
    if table:
        print_table(["Σ", "degrees", "strain, %", "plane 1", "plane 2", "kind", "period, Å", "its strain, %"], table)
    else:
        print("No coincidence within these limits; allow a larger --largest-sigma or --largest-strain.")


def _axis(text: str) -> tuple[int, int, int]:
    from tammann.errors import DataError

    words = text.split(",") if "," in text else re.findall(r"-?\d", text) if re.fullmatch(r"(-?\d)+", text) else []
    if len(words) != 3 or not all(re.fullmatch(r"\s*-?\d{1,3}\s*", word) for word in words):
        raise DataError(f"--axis {text!r}: expected three integers, such as 001 or 1,-1,0.")
    u, v, w = map(int, words)
    return u, v, w


def _plane(miller: tuple[int, int, int]) -> str:
    return "({} {} {})".format(*miller)
