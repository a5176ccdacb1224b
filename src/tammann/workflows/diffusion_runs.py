"""Realizations of a recipe by reactive diffusion: what they cost, one of them, and what only they can tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.history import History
from tammann.parallel import Progress, available_cores
from tammann.reactive_diffusion.powder import Powder, mix
from tammann.reactive_diffusion.simulate import simulate_powder
from tammann.workflows.prepared import PreparedDiffusion, PreparedRecipe, diffusion_of, stretches_of

SECONDS_PER_CHAIN = 0.04
"""Of 60 cells through one step of a programme, with one component and on one core."""
GENERAL_SLOWER = 100.0
"""How many times longer a chain takes whose components are several."""


@dataclass(frozen=True)
class DiffusionCost:
    """A rough estimate of what the realizations of a recipe will cost.

    Attributes:
        runs: Realizations, those of the null included.
        chains: Particles of each.
        seconds: Of all of them, s.
        runs_at_once: Realizations at a time.
        kernel_threads: Threads of each.
    """

    runs: int
    chains: int
    seconds: float
    runs_at_once: int
    kernel_threads: int = 1

    def __str__(self) -> str:
        about = f"{self.seconds:.0f} s" if self.seconds < 120 else f"{self.seconds / 60:.0f} min"
        cores = self.runs_at_once * self.kernel_threads
        return f"{self.chains} particles: about {about} on {cores} core{'s' * (cores > 1)}"

    def check(self, *, memory: bool = True) -> None:
        """Accept every run: particles are small."""


def diffusion_cost(prepared: PreparedRecipe, runs: int, null_runs: int, threads: int | None) -> DiffusionCost:
    """Estimate the cost of realizations and of those of the null."""
    diffusion, recipe = prepared.diffusion, prepared.recipe
    assert diffusion is not None
    spread = recipe.size_spread > 0 or recipe.mixing > 0
    count = len(recipe.precursors)
    chains = 1 if count == 1 else count * (2 if spread else 1)
    one = SECONDS_PER_CHAIN * recipe.diffusion.cells / 60.0 * len(recipe.programme)
    if diffusion.system.y is None:
        one *= GENERAL_SLOWER
    at_once = max(1, min(threads or available_cores(), runs + null_runs))
    return DiffusionCost(runs + null_runs, chains, max(1.0, one * chains * (runs + null_runs) / at_once), at_once)


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
    history = simulate_powder(
        # the first has the spreads themselves, one standard deviation to either side
        powder_of(prepared, diffusion, rng=np.random.default_rng(spreads) if number else None),
        diffusion.system,
        diffusion.conductivities,
        stretches_of(recipe),
        calibrated=recipe.calibrated,
        rng=np.random.default_rng(grinding),
        metadata=_metadata(prepared, diffusion, null=null),
    )
    if done is not None:
        history.save(done)
    return history


def powder_of(prepared: PreparedRecipe, diffusion: PreparedDiffusion, *, rng: np.random.Generator | None) -> Powder:
    """Return the particles of a recipe's powder; spreads are one standard deviation without a generator."""
    recipe, system = prepared.recipe, diffusion.system
    return mix(
        [precursor.ratio for precursor in recipe.precursors],
        [system.formulas.index(precursor.phase) for precursor in recipe.precursors],
        np.array([system.phases[int(p)].molar_volume_m3_per_mol for p in system.solids]),
        [1e-6 * (p.particle_radius_um or recipe.particle_radius_um) for p in recipe.precursors],
        size_spread=recipe.size_spread,
        mixing_spread=recipe.mixing,
        rng=rng,
        cells=recipe.diffusion.cells,
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
    dissipated = record.dissipated_eV_per_atom.mean(axis=0)
    stages = []
    for stage in np.unique(history.stage):
        by_phase = dissipated[history.stage == stage].sum(axis=0)
        total = float(by_phase.sum())
        if total > 0:
            most = int(by_phase.argmax())
            share = float(by_phase[most]) / total
            stages.append({"stage": int(stage), "phase": history.phases[most], "share": share})
    return {
        "conductivity": recipe.diffusion.conductivity,
        "rate_factor": recipe.rate_factor,
        "conductivity_scale": diffusion.conductivities.scale,
        "without_data_fraction": float(np.median(record.without_data_fraction)),
        "gibbs_left_eV_per_atom": float(np.median(record.gibbs_left_eV_per_atom[:, -1])),
        "bottleneck": stages,
        "steps": int(record.steps.sum()),
    }
