"""Brownian walks whose Onsager matrix is known."""

import numpy as np

from tammann.trajectory import Trajectory, trajectory_from_arrays
from tammann.units import BOLTZMANN_J_PER_K

OMEGA = np.array([[2.55, -1.35], [-1.35, 1.77]])
"""Collective diffusion <dX_i dX_j> = 2 Omega_ij t along each axis, Å²/ps."""

ALONE = np.array([0.15, 0.08])
"""What each ion does by itself, Å²/ps along each axis, beside what it does in step with the others."""

COUNTS = (3, 5)


def correlated_walk(
    rng, frames, *, interval_ps=0.1, counts=COUNTS, omega=OMEGA, alone=ALONE, symbols=("Na", "Cl"), box=20.0
):
    """Ions whose collective diffusion is ``omega`` and whose own diffusion is ``own_diffusion``."""
    counts = np.array(counts)
    common = (omega - np.diag(counts * alone)) / np.outer(counts, counts)
    values, vectors = np.linalg.eigh(common)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    assert values.min() > -1e-12
    scale = np.sqrt(2.0 * interval_ps)
    together = np.einsum("ij,fja->fia", root, rng.normal(size=(frames, len(counts), 3)))
    steps = np.repeat(together, counts, axis=1)
    steps += np.repeat(np.sqrt(alone), counts)[None, :, None] * rng.normal(size=(frames, counts.sum(), 3))
    names = [symbol for symbol, n in zip(symbols, counts, strict=True) for _ in range(n)]
    start = rng.uniform(0.0, box, size=(1, counts.sum(), 3))
    return trajectory_from_arrays(
        start + scale * np.cumsum(steps, axis=0), box * np.eye(3), names, frame_interval_ps=interval_ps, wrapped=False
    )


def own_diffusion(*, counts=COUNTS, omega=OMEGA, alone=ALONE):
    """D of a single ion, Å²/ps."""
    counts = np.array(counts)
    return alone + (np.diag(omega) - counts * alone) / counts**2


def independent_walk(rng, frames, *, D=(0.02, 0.05), counts=(4, 4), symbols=("Na", "Cl"), interval_ps=0.1, box=20.0):
    """Ions that know nothing of each other."""
    counts = np.array(counts)
    steps = (
        rng.normal(size=(frames, counts.sum(), 3)) * np.repeat(np.sqrt(2 * np.array(D) * interval_ps), counts)[:, None]
    )
    names = [symbol for symbol, n in zip(symbols, counts, strict=True) for _ in range(n)]
    return trajectory_from_arrays(
        rng.uniform(0.0, box, size=(1, counts.sum(), 3)) + np.cumsum(steps, axis=0),
        box * np.eye(3),
        names,
        frame_interval_ps=interval_ps,
        wrapped=False,
    )


def in_SI(omega, *, temperature_K, volume_A3):
    """L = Omega / (kB T V), 1/(J m s), from Å²/ps."""
    return np.asarray(omega) * 1e-8 / (BOLTZMANN_J_PER_K * temperature_K * volume_A3 * 1e-30)


def moved(trajectory: Trajectory, positions, cells=None) -> Trajectory:
    """The same atoms elsewhere."""
    return Trajectory(
        trajectory.symbols,
        positions,
        trajectory.cells if cells is None else cells,
        trajectory.frame_interval_ps,
        trajectory.temperature_K,
    )
