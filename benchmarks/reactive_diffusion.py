"""Wall time of reactive diffusion: a particle, a powder of voxels against its size, and several components."""

from __future__ import annotations

import time

import numpy as np

from tammann import load_phases, load_transport
from tammann.automaton.microstructure import mix_powders
from tammann.reactive_diffusion.components import components
from tammann.reactive_diffusion.conductivity import conductivities
from tammann.reactive_diffusion.powder import mix
from tammann.reactive_diffusion.programme import ramp_and_hold, table_temperatures
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.reactive_diffusion.tables import tabulate
from tammann.reactive_diffusion.voxels import run_grid

PRECURSORS = {"BaO": 1.0, "TiO2": 1.0}
PROGRAMME = ramp_and_hold(300.0, 1500.0, 10.0, 0.2)
VOXEL_M = 2.5e-8


def main() -> None:
    phases = load_phases("Ba-Ti-O")
    system = components(phases, PRECURSORS, [300.0, 1500.0])
    temperatures = table_temperatures(PROGRAMME, system.temperature_K)
    conduct = conductivities(system, load_transport("Ba-Ti-O"), temperatures)
    volumes = np.array([phases[int(p)].molar_volume_m3_per_mol for p in system.solids])
    powder = mix([1.0, 1.0], [system.formulas.index(f) for f in PRECURSORS], volumes, [1e-7, 1e-7])
    for _ in range(2):
        begun = time.perf_counter()
        history = simulate_powder(powder, system, conduct, PROGRAMME)
        print(f"two particles: {time.perf_counter() - begun:.2f} s, {history.diffusion.steps[0]} steps")
    tables = tabulate(system, conduct)
    for size in (16, 32, 64):
        grid = mix_powders(system.start, volumes, size=size, grain_cells=8.0, rng=1)
        solid = grid.phase.astype(int).reshape((size,) * 3) - 1
        begun = time.perf_counter()
        run = run_grid(solid, system.start * system.sites, VOXEL_M, tables, PROGRAMME)
        seconds, steps = time.perf_counter() - begun, sum(run.steps)
        each = seconds / steps / size**3 * 1e9
        print(
            f"{size}^3: {seconds:.1f} s, {steps} steps, {run.cycles / steps:.2f} cycles a step, {each:.0f} ns a voxel"
        )


if __name__ == "__main__":
    main()
