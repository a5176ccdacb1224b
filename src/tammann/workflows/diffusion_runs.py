"""Realizations of a recipe by reactive diffusion: what they cost, one of them, and what only they can tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.analysis import dissipation_by_step
from tammann.automaton.cost import machine_memory
from tammann.errors import RecipeError
from tammann.history import History
from tammann.parallel import Progress, available_cores
from tammann.reactive_diffusion.powder import Grains, Powder, mix, mix_grains
from tammann.reactive_diffusion.simulate import simulate_grains, simulate_powder
from tammann.workflows.prepared import PreparedDiffusion, PreparedRecipe, diffusion_of, stretches_of

SECONDS_PER_CHAIN = 0.15
"""Of 120 cells through one step of a programme, with one component and on one core, draws and tables included."""
GENERAL_SLOWER = 20.0
"""How many times longer a chain takes whose components are several."""
SECONDS_PER_VOXEL = 1e-4
"""Of a periodic cube through one step of a programme, on one core."""
BYTES_PER_VOXEL = 100.0


@dataclass(frozen=True)
class DiffusionCost:
    """A rough estimate of what the realizations of a recipe will cost.

    Attributes:
        runs: Realizations, those of the null included.
        powder: What each of them is.
        seconds: Of all of them, s.
        bytes_per_run: Peak memory of one, beside the package's own.
        memory_bytes: Of this machine; infinite where the system does not tell.
        runs_at_once: Realizations at a time.
        kernel_threads: Threads of each.
    """

    runs: int
    powder: str
    seconds: float
    bytes_per_run: float
    memory_bytes: float
    runs_at_once: int
    kernel_threads: int

    def __str__(self) -> str:
        about = f"{self.seconds:.0f} s" if self.seconds < 120 else f"{self.seconds / 60:.0f} min"
        cores = self.runs_at_once * self.kernel_threads
        return f"{self.powder}: about {about} on {cores} core{'s' * (cores > 1)}"

    def check(self, *, memory: bool = True) -> None:
        """Refuse what does not fit into the memory of this machine, where ``memory`` says so.

        Raises:
            RecipeError: With what it needs.
        """
        if memory and self.bytes_per_run > self.memory_bytes:
            raise RecipeError(
                f"diffusion.voxels: this cube needs {self.bytes_per_run / 1e9:.2g} GB, this machine has "
                f"{self.memory_bytes / 1e9:.2g} GB; take fewer"
            )


def diffusion_cost(prepared: PreparedRecipe, runs: int, null_runs: int, threads: int | None) -> DiffusionCost:
    """Estimate the cost of realizations and of those of the null."""
    diffusion, recipe = prepared.diffusion, prepared.recipe
    assert diffusion is not None
    cores, number, memory = threads or available_cores(), runs + null_runs, machine_memory()
    if recipe.diffusion.geometry == "grains":
        voxels = float(recipe.diffusion.voxels) ** 3
        needed = voxels * BYTES_PER_VOXEL
        at_once = max(1, int(min(cores, number, memory / needed)))
        kernel_threads = cores if cores > number else 1
        at_once = 1 if kernel_threads > 1 else at_once
        seconds = voxels * SECONDS_PER_VOXEL * len(recipe.programme) * number / (at_once * kernel_threads)
        powder = f"{recipe.diffusion.voxels}^3 voxels"
        return DiffusionCost(number, powder, max(1.0, seconds), needed, memory, at_once, kernel_threads)
    count = len(recipe.precursors)
    chains = 1 if count == 1 else count * (2 if recipe.size_spread > 0 or recipe.mixing > 0 else 1)
    one = SECONDS_PER_CHAIN * recipe.diffusion.cells / 120.0 * len(recipe.programme)
    one *= GENERAL_SLOWER if diffusion.system.y is None else 1.0
    at_once = max(1, min(cores, number))
    powder = f"{chains} particle{'s' * (chains > 1)}"
    return DiffusionCost(number, powder, max(1.0, one * chains * number / at_once), 0.0, memory, at_once, 1)


def realize_diffusion(
    prepared: PreparedRecipe,
    number: int,
    null: bool,
    threads: int,
    checkpoints: Path | None,
    *,
    progress: Progress | None = None,
) -> History:
    """Run one member of the ensemble, or of the null's; the same wherever and whenever it is run."""
    done = None if checkpoints is None else checkpoints / f"realization-{number:04d}.npz"
    if done is not None and done.exists():
        return History.open(done)
    recipe = prepared.recipe
    if progress is not None:
        progress(0.0, "growing layers", recipe.start_temperature_K)
    diffusion = diffusion_of(prepared, number, null=null)
    spreads, grinding = np.random.SeedSequence(recipe.seed, spawn_key=(number, 13)).spawn(2)
    options: dict[str, Any] = {
        "calibrated": recipe.calibrated,
        "checkpoint": None if checkpoints is None else checkpoints / f"realization-{number:04d}.state.npz",
        "progress": progress,
        "rng": np.random.default_rng(grinding),
        "metadata": _metadata(prepared, diffusion, null=null),
    }
    system, conduct, stretches = diffusion.system, diffusion.conductivities, stretches_of(recipe)
    if recipe.diffusion.geometry == "grains":
        grains = grains_of(prepared, diffusion, rng=np.random.default_rng(spreads))
        history = simulate_grains(grains, system, conduct, stretches, threads=threads, **options)
    else:
        # the first has the spreads themselves, one standard deviation to either side
        powder = powder_of(prepared, diffusion, rng=np.random.default_rng(spreads) if number else None)
        nuclei = recipe.diffusion.interface_energy_J_per_m2
        history = simulate_powder(powder, system, conduct, stretches, interface_energy_J_per_m2=nuclei, **options)
    if done is not None:
        history.save(done)
        options["checkpoint"].unlink(missing_ok=True)
    return history


def powder_of(prepared: PreparedRecipe, diffusion: PreparedDiffusion, *, rng: np.random.Generator | None) -> Powder:
    """Return the particles of a recipe's powder; spreads are one standard deviation without a generator."""
    recipe = prepared.recipe
    return mix(
        *_precursors(prepared, diffusion),
        size_spread=recipe.size_spread,
        mixing_spread=recipe.mixing,
        rng=rng,
        cells=recipe.diffusion.cells,
    )


def grains_of(prepared: PreparedRecipe, diffusion: PreparedDiffusion, *, rng: np.random.Generator) -> Grains:
    """Return the grains of a recipe's powder."""
    recipe = prepared.recipe
    return mix_grains(
        *_precursors(prepared, diffusion),
        size=recipe.diffusion.voxels,
        voxels_per_grain=recipe.diffusion.voxels_per_grain,
        size_spread=recipe.size_spread,
        rng=rng,
    )


def _precursors(
    prepared: PreparedRecipe, diffusion: PreparedDiffusion
) -> tuple[list[float], list[int], np.ndarray, list[float]]:
    """Return moles, positions among the solids, molar volumes of all solids, m^3, and radii, m."""
    recipe, system = prepared.recipe, diffusion.system
    return (
        [precursor.ratio for precursor in recipe.precursors],
        [system.formulas.index(precursor.phase) for precursor in recipe.precursors],
        np.array([system.phases[int(p)].molar_volume_m3_per_mol for p in system.solids]),
        [1e-6 * (p.particle_radius_um or recipe.particle_radius_um) for p in recipe.precursors],
    )


def _metadata(prepared: PreparedRecipe, diffusion: PreparedDiffusion, *, null: bool) -> dict[str, Any]:
    recipe, transport = prepared.recipe, prepared.transport
    return {
        "version": __version__,
        "engine": recipe.engine,
        "system": prepared.phases.system,
        "energies": prepared.energies,
        "transport": "none" if transport is None else transport.name,
        "transport_source": "" if transport is None else transport.source,
        "conductivity": "equal" if null else recipe.diffusion.conductivity,
        "conductivity_scale": diffusion.conductivities.scale,
        "conductivity_origin": dict(zip(diffusion.system.formulas, diffusion.conductivities.origin, strict=True)),
        "atmosphere_Pa": {gas: prepared.furnace.pressure_Pa[gas] for gas in prepared.furnace.supplied},
        "seed": recipe.seed,
        "important_warnings": list(prepared.important_warnings),
        "warnings": list(prepared.warnings),
    }


def diffusion_figures(prepared: PreparedRecipe, history: History) -> dict[str, Any]:
    """Return the figures of ``summary.json`` that only reactive diffusion has."""
    record, diffusion, recipe = history.diffusion, prepared.diffusion, prepared.recipe
    assert record is not None and diffusion is not None
    steps = dissipation_by_step(history).groupby("stage", as_index=False).first()
    spent = float(record.dissipated_eV_per_atom.sum(axis=(1, 2)).mean())
    stages = [
        {
            "stage": int(step.stage),
            "phase": step.phase,
            "share": step.share,
            "dissipated_eV_per_atom": spent * step.of_run,
        }
        for step in steps.itertuples()
    ]
    return {
        "conductivity": recipe.diffusion.conductivity,
        "rate_factor": recipe.rate_factor,
        "conductivity_scale": diffusion.conductivities.scale,
        "without_data_fraction": float(np.median(record.without_data_fraction)),
        "gibbs_left_eV_per_atom": float(np.median(record.gibbs_left_eV_per_atom[:, -1])),
        "bottleneck": stages,
        "steps": int(record.steps.sum()),
    }
