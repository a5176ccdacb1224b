"""Reactive diffusion: a recipe's particles, a cube of voxels against its size, and several components.

Seconds are those of one core, as the system counts them for this process, so that others on the machine matter little;
``wall_s`` is what passed on the clock. Cubes above 64^3 are run alone and on request (``reactive_diffusion.py 128``).
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from record import RESULTS, record

from tammann import load_phases, load_transport
from tammann.reactive_diffusion import engine, grid
from tammann.reactive_diffusion.components import Components, components
from tammann.reactive_diffusion.conductivity import Conductivities, conductivities
from tammann.reactive_diffusion.mesh import CELLS, couple
from tammann.reactive_diffusion.powder import mix, mix_grains
from tammann.reactive_diffusion.programme import Stretch, ramp_and_hold, table_temperatures
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.reactive_diffusion.tables import Tables, tabulate
from tammann.reactive_diffusion.voxels import run_grid

PRECURSORS = {"BaO": 1.0, "TiO2": 1.0}
PROGRAMME = [*ramp_and_hold(300.0, 1500.0, 10.0, 0.0), *ramp_and_hold(1500.0, 1500.0, 10.0, 4.0)]
RADIUS_M = 1e-7
SECTION = "reactive_diffusion_grid"


def clocked(task: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result of a task, its seconds of processor time and those on the clock."""
    begun, cpu = time.perf_counter(), time.process_time()
    result = task()
    return result, time.process_time() - cpu, time.perf_counter() - begun


def prepared() -> tuple[Components, Conductivities]:
    phases = load_phases("Ba-Ti-O")
    system = components(phases, PRECURSORS, [300.0, 1500.0])
    temperatures = table_temperatures(PROGRAMME, system.temperature_K)
    return system, conductivities(system, load_transport("Ba-Ti-O"), temperatures)


def where(system: Components) -> tuple[list[int], np.ndarray]:
    volumes = np.array([system.phases[int(p)].molar_volume_m3_per_mol for p in system.solids])
    return [system.formulas.index(formula) for formula in PRECURSORS], volumes


def chains() -> list[dict[str, Any]]:
    """A recipe's particles from the table of energies to a history: the first time, one after it, an ensemble."""

    def ensemble(realizations: int, spread: float) -> int:
        steps = 0
        for number in range(realizations):
            system, conduct = prepared()
            solids, volumes = where(system)
            powder = mix(
                [1.0, 1.0], solids, volumes, [RADIUS_M] * 2,
                size_spread=spread, mixing_spread=spread / 6.0, rng=np.random.default_rng(number),
            )  # fmt: skip
            if not spread:
                powder = type(powder)(powder.particles[:1], powder.contents[:1])
            history = simulate_powder(powder, system, conduct, PROGRAMME, rng=number)
            steps += int(history.diffusion.steps.sum()) if history.diffusion is not None else 0
        return steps

    rows = []
    for name, realizations, spread in (("one chain, first", 1, 0.0), ("one chain", 1, 0.0), ("32 chains", 8, 0.3)):
        steps, cpu, wall = clocked(lambda r=realizations, s=spread: ensemble(r, s))
        rows.append({"run": name, "cells": CELLS, "steps": steps, "cpu_s": cpu, "wall_s": wall})
    return rows


def cube(size: int) -> dict[str, Any]:
    """One cube of voxels through the 1:1 programme on one core."""
    system, conduct = prepared()
    solids, volumes = where(system)
    grains = mix_grains([1.0, 1.0], solids, volumes, [RADIUS_M] * 2, size=size, rng=1)
    tables, moles = tabulate(system, conduct), system.start * system.sites
    tracemalloc.start()
    run, cpu, wall = clocked(lambda: run_grid(grains.solid, moles, grains.voxel_m, tables, PROGRAMME))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    steps = sum(run.steps)
    return {
        "voxels": f"{size}^3", "steps": steps, "cycles_per_step": run.cycles / steps, "cpu_s": cpu, "wall_s": wall,
        "ns_per_voxel_and_step": cpu / steps / size**3 * 1e9, "bytes_per_voxel": peak / size**3,
    }  # fmt: skip


def sweeps(size: int) -> dict[str, Any]:
    """Updates per second of the nonlinear sweep on one core, and the bytes it moves, beside a copy in memory."""
    rng = np.random.default_rng(0)
    kind = (rng.random((size,) * 3) < 0.5).astype(np.uint8)
    y, ties = np.array([0.0, 0.3, 0.6, 1.0]), np.array([-1.0, -1.0 / 6.0, 1.125])
    solver = grid.Solver(kind.astype(float), kind, np.array([1.0, 1.3]))
    each = sum(a.itemsize for a in (solver.y, solver.kind, *solver.c)) + 2 * (8 + 1)  # psi and level come and go
    grid.face_conductances(solver.y, np.full(kind.shape, 0.5), np.zeros(kind.shape), 0.05, *solver.c)
    source, target = np.ones(64_000_000), np.empty(64_000_000)
    with grid.kernel_threads(1):
        arguments = solver.psi, solver.level, solver.y, solver.sites, kind, *solver.c, y, ties
        grid.nonlinear_sweep(*arguments)
        sweep = min(clocked(lambda: grid.nonlinear_sweep(*arguments))[1] for _ in range(9))
    copy = min(clocked(lambda: np.copyto(target, source))[1] for _ in range(5))
    return {
        "voxels": f"{size}^3", "million_updates_per_s": kind.size / sweep / 1e6,
        "GB_per_s": kind.size / sweep * each / 1e9, "copy_GB_per_s": 2 * source.nbytes / copy / 1e9,
    }  # fmt: skip


def general() -> list[dict[str, Any]]:
    """Three components on 60 cells, every phase stable somewhere, at invented energies."""
    rows = []
    for phases in (15, 30):
        rng = np.random.default_rng(1)
        z = np.concatenate([np.eye(3)[:, :2], rng.dirichlet([1, 1, 1], phases - 3)[:, :2]])
        g = -0.5 * (1.0 - (np.column_stack([z, 1.0 - z.sum(axis=1)]) ** 2).sum(axis=1))
        mobility = np.exp(rng.normal(size=phases))[:, None, None] * np.eye(2)
        tables = Tables(
            np.array([900.0, 1100.0]), np.tile(g, (2, 1)), np.tile(mobility, (2, 1, 1, 1)), np.full(phases, 6.02e23),
            z, np.zeros((phases, 0)), np.zeros(0, bool), np.arange(phases) < 3, False,
        )  # fmt: skip
        chain = couple([2.0, 2.0, 2.0], cells=60)
        content = np.zeros((60, phases))
        content[np.arange(60), chain.layer] = chain.volume_m3 / 6.02e23
        stretches = [Stretch(1000.0, 1000.0, 1.5, 0) for _ in range(20)]
        run, cpu, wall = clocked(lambda c=chain, n=content, t=tables, s=stretches: engine.run(c, n, t, s))
        steps = sum(run.steps)
        rows.append({
            "components": 3, "cells": 60, "phases": phases, "steps": steps, "cpu_s": cpu, "wall_s": wall,
            "cpu_s_per_200_steps": cpu / steps * 200,
        })  # fmt: skip
    return rows


def kept(sizes: list[int]) -> list[dict[str, Any]]:
    """Rows of cubes of other sizes, as measured before."""
    before = json.loads(Path(RESULTS).read_text(encoding="utf-8")).get(SECTION, {"rows": []})["rows"]
    return [row for row in before if row["voxels"] not in {f"{size}^3" for size in sizes}]


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [16, 32, 64]
    if len(sys.argv) == 1:
        record("reactive_diffusion_chains", chains())
        record("reactive_diffusion_general", general())
        record("reactive_diffusion_sweeps", [sweeps(size) for size in (32, 64, 128)])
    cube(16)  # compiled
    rows = kept(sizes)
    for size in sizes:
        rows.append(cube(size))
        record(SECTION, sorted(rows, key=lambda row: int(row["voxels"][:-2])))


if __name__ == "__main__":
    main()
