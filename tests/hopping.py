"""Ions that hop on a known lattice: kinetic Monte Carlo whose rates, diffusivities and dimension are chosen.

On a lattice of sites, orthorhombic or of any three vectors, an ion waits for an exponential time of mean 1/sum of
rates, then moves to a neighbour on a straight line within a time of transit; independent ions, so that the Haven ratio
is one.
"""

import numpy as np

from tammann.trajectory import Trajectory
from tammann.units import BOLTZMANN_EV_PER_K


def attempt(temperature_K, energy_eV, frequency_per_ps=10.0):
    """Arrhenius' law, 1/ps."""
    return frequency_per_ps * np.exp(-energy_eV / (BOLTZMANN_EV_PER_K * temperature_K))


def hopping(
    rates_per_ps,
    *,
    spacing_A=(3.0, 3.0, 3.0),
    repeats=(3, 3, 3),
    ions=12,
    frames=4000,
    interval_ps=0.1,
    transit_ps=0.2,
    rattle_A=0.25,
    anion="Cl",
    temperature_K=800.0,
    seed=1,
):
    """Return a trajectory: Li that hop along +-a, +-b, +-c with a rate for each of both ways, and rattling anions.

    The anions sit in the middle of every cell of sites, whose vectors are ``spacing_A``, three lengths or rows of
    three. D_x = rate_x spacing_x^2 / (1 + all rates x transit) where these are orthogonal.
    """
    rng = np.random.default_rng(seed)
    rates = np.repeat(np.asarray(rates_per_ps, float), 2)
    steps = np.array([s * np.eye(3, dtype=int)[axis] for axis in range(3) for s in (1, -1)])
    vectors, repeats = vectors_of(spacing_A), np.asarray(repeats)
    times = np.arange(frames) * interval_ps
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in repeats], indexing="ij"), axis=-1).reshape(-1, 3)
    starts = grid[rng.permutation(len(grid))[:ions]] if ions <= len(grid) else rng.integers(0, repeats, (ions, 3))
    paths = np.empty((frames, ions, 3))
    for n, start in enumerate(starts):
        knots, places, now, site = [0.0], [start], 0.0, start.copy()
        while now < times[-1]:
            now += rng.exponential(1.0 / rates.sum())
            knots.append(now)
            places.append(site)
            site = site + steps[rng.choice(6, p=rates / rates.sum())]
            now += transit_ps
            knots.append(now)
            places.append(site)
        for axis in range(3):
            paths[:, n, axis] = np.interp(times, knots, np.array(places)[:, axis])
    positions = paths @ vectors + rng.normal(scale=rattle_A, size=paths.shape)
    anions = (grid + 0.5) @ vectors + rng.normal(scale=0.1, size=(frames, len(grid), 3))
    symbols = ("Li",) * ions + (anion,) * len(grid)
    cell = vectors * repeats[:, None]
    return Trajectory(
        symbols, np.concatenate([positions, anions], axis=1), cell[None], interval_ps, temperature_K=temperature_K
    )


def vectors_of(spacing_A):
    """Return lattice vectors in rows from these, or from three lengths."""
    spacing = np.asarray(spacing_A, float)
    return np.diag(spacing) if spacing.ndim == 1 else spacing


def hopping_tensor(rates_per_ps, *, spacing_A=(3.0, 3.0, 3.0), transit_ps=0.2):
    """Return the tensor of diffusion, sum of rate v v / (1 + all rates x transit), m²/s."""
    rates, vectors = np.asarray(rates_per_ps, float), vectors_of(spacing_A)
    return np.einsum("k,ka,kb->ab", rates, vectors, vectors) / (1.0 + 2.0 * rates.sum() * transit_ps) * 1e-8


def hopping_D(rates_per_ps, *, spacing_A=(3.0, 3.0, 3.0), transit_ps=0.2):
    """Return the diffusivities along x, y, z, m²/s."""
    return np.diag(hopping_tensor(rates_per_ps, spacing_A=spacing_A, transit_ps=transit_ps))
