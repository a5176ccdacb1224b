"""One grain boundary: its translations scanned, the best of them relaxed, piece by piece in a folder."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tammann.errors import DataError, ResultError
from tammann.files import json_safe, read_json, write_text
from tammann.md.load import load_engine
from tammann.md.relaxation import Relaxation, relax_structure
from tammann.potentials import load_potential
from tammann.structures import Configuration
from tammann.structures.coincidence import BoundaryPlane
from tammann.structures.crystals import load_crystal
from tammann.structures.grain_boundary import Bicrystal, boundary_energy, scan_translations
from tammann.workflows.grain_boundaries.plan import Boundary, GrainBoundaryPlan, Vector

STATE, BEST = "state.json", "boundary.extxyz"
NO_NUMBER = "the energy of the potential is no finite number."
SAME_J_PER_M2 = 1e-6
"""Candidates whose unrelaxed energies differ by less are images of each other by symmetry."""


def boundary_folder(out: Path, name: str) -> Path:
    """Return the folder of one boundary.

    Example:
        >>> boundary_folder(Path("out"), "tilt 9.5 about 0 0 1").name
        'tilt-9.5-about-0-0-1'
    """
    return out / name.replace(" ", "-")


def search_boundary(
    plan: GrainBoundaryPlan, out: Path, number: int, told: Callable[[float], None] | None = None
) -> None:
    """Compute one boundary of a plan, or the rest of it, in its folder.

    Args:
        plan: Plan.
        out: Folder of the whole.
        number: Of the boundary in the plan, from 0.
        told: Called with the fraction done.

    Raises:
        DataError: The engine or potential fails on the crystal itself.
        ResultError: The folder holds files that cannot be understood.
    """
    crystal = load_crystal(plan.crystal)
    block = plan.boundaries[number]
    name = block.name(plan.axis)
    plane = block.find(crystal, plan.axis, largest_strain=plan.largest_strain)
    folder = boundary_folder(out, name)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / STATE
    state: dict[str, Any] = read_json(file, error=ResultError) if file.exists() else {"candidates": []}
    if state.get("finished"):
        return
    potential, engine = load_potential(plan.potential), load_engine(plan.engine)

    def relax(configuration: Configuration, steps: int, per_atom: bool = False) -> Relaxation:
        force = plan.force_eV_per_A
        return relax_structure(configuration, potential, engine, steps=steps, force_eV_per_A=force, per_atom=per_atom)

    def keep() -> None:
        write_text(file, json.dumps(json_safe(state), indent=1) + "\n")

    made = list(
        scan_translations(
            crystal,
            plane,
            steps=plan.translations,
            gaps_A=plan.gaps_A,
            thickness_A=plan.thickness_A,
            largest_strain=plan.largest_strain,
        )
    )
    if "bulk" not in state:
        state["plane"] = _described(block, block.axis or plan.axis, plane, made[0])
        state["bulk"] = [_bulk(name, each, relax, plan.steps) for each in made[0].bulk]
        keep()
    before, after = ([bulk[key] for bulk in state["bulk"]] for key in ("unrelaxed_eV", "energy_eV"))
    rows = state["candidates"]
    for each in made[len(rows) :]:
        rows.append(_unrelaxed(each, relax, before))
        keep()
    chosen = _chosen(rows, plan.relax)
    for done, k in enumerate(chosen):
        if told is not None:
            told(done / len(chosen))
        if rows[k]["energy_J_per_m2"] is None and not rows[k]["failure"]:
            _relaxed(made[k], rows[k], relax, plan.steps, after, folder)
            keep()
    good = [row for row in rows if row["energy_J_per_m2"] is not None]
    if good:
        best = min(good, key=lambda row: row["energy_J_per_m2"])
        write_text(folder / BEST, (folder / best["file"]).read_text(encoding="utf-8"))
    state["finished"] = True
    keep()
    if told is not None:
        told(1.0)


def _described(block: Boundary, axis: Vector, plane: BoundaryPlane, made: Bicrystal) -> dict[str, Any]:
    return {
        "axis": " ".join(map(str, axis)),
        "sigma": block.sigma,
        "angle_deg": plane.angle_deg,
        "kind": plane.kind,
        "plane_1": " ".join(map(str, plane.miller_1)),
        "plane_2": " ".join(map(str, plane.miller_2)),
        "strain": plane.strain,
        "area_A2": made.area_A2,
    }


def _bulk(name: str, crystal: Configuration, relax: Callable[..., Relaxation], steps: int) -> dict[str, Any]:
    """Return the energies of the crystal of one grain, eV for all of its atoms."""
    try:
        unrelaxed, relaxed = relax(crystal, 0), relax(crystal, steps)
    except DataError as error:
        raise DataError(f"{name}, the crystal itself: {error}") from None
    if relaxed.failure:
        raise DataError(f"{name}, the crystal itself: {relaxed.failure}")
    n = crystal.n_atoms
    return {
        "atoms": n,
        "unrelaxed_eV": unrelaxed.energy_eV,
        "energy_eV": relaxed.energy_eV,
        "converged": relaxed.converged,
    }


def _unrelaxed(made: Bicrystal, relax: Callable[..., Relaxation], bulk_eV: list[float]) -> dict[str, Any]:
    """Return what is known of a translation before its relaxation."""
    row: dict[str, Any] = {
        **dict(zip(("shift_1_A", "shift_2_A", "gap_A"), made.shift_A, strict=True)),
        "atoms": made.configuration.n_atoms,
        "removed": sum(made.removed.values()),
        "alike": made.alike,
        **dict.fromkeys(("unrelaxed_J_per_m2", "energy_J_per_m2", "largest_force_eV_per_A", "steps", "converged")),
        "failure": "",
    }
    try:
        energy_eV = relax(made.configuration, 0).energy_eV
    except DataError as error:
        return {**row, "failure": str(error)}
    energy = boundary_energy(made, energy_eV, (bulk_eV[0], bulk_eV[1]))
    if not math.isfinite(energy):
        return {**row, "failure": NO_NUMBER}
    return {**row, "unrelaxed_J_per_m2": energy}


def _chosen(rows: list[dict[str, Any]], number: int | None) -> list[int]:
    """Return which translations to relax: all, or the lowest of those that differ."""
    known = [k for k, row in enumerate(rows) if row["unrelaxed_J_per_m2"] is not None]
    if number is None:
        return known
    known.sort(key=lambda k: (rows[k]["unrelaxed_J_per_m2"], k))
    different: list[int] = []
    latest: dict[int, float] = {}  # energy of the last one taken, by number of atoms
    for k in known:
        atoms, energy = rows[k]["atoms"], rows[k]["unrelaxed_J_per_m2"]
        if energy - latest.get(atoms, -math.inf) >= SAME_J_PER_M2:
            different.append(k)
            latest[atoms] = energy
    return different[:number]


def _relaxed(
    made: Bicrystal,
    row: dict[str, Any],
    relax: Callable[..., Relaxation],
    steps: int,
    bulk_eV: list[float],
    folder: Path,
) -> None:
    """Relax a translation, and note what came of it in its row."""
    try:
        found = relax(made.configuration, steps, per_atom=True)
    except DataError as error:
        row["failure"] = str(error)
        return
    row |= {
        "largest_force_eV_per_A": found.largest_force_eV_per_A,
        "steps": found.steps,
        "converged": found.converged,
        "failure": found.failure or ("" if math.isfinite(found.energy_eV) else NO_NUMBER),
    }
    if not row["failure"]:
        row["energy_J_per_m2"] = boundary_energy(made, found.energy_eV, (bulk_eV[0], bulk_eV[1]))
    row["file"] = "shift-{:.3f}-{:.3f}-gap-{:g}.extxyz".format(*made.shift_A)
    write_text(folder / row["file"], found.configuration.to_extxyz())
