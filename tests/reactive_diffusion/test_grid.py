"""The solver of a step on a cube: balances hold in every voxel, and its work does not grow with the cube."""

import numpy as np
import pytest

from reactive_diffusion.systems import hold
from reactive_diffusion.test_voxels import TABLES, moles_of, random_powder
from tammann.reactive_diffusion import grid
from tammann.reactive_diffusion.chain import chain_fluxes
from tammann.reactive_diffusion.grid import Solver, face_conductances
from tammann.reactive_diffusion.voxels import run_grid

Y = np.array([0.0, 0.3, 0.6, 1.0])
TIES = np.array([-1.0, -1.0 / 6.0, 1.125])


@pytest.mark.slow
def test_a_step_balances_every_voxel():
    """What a voxel gains is between the compositions of the phases at its potential, and sums to nothing."""
    rng = np.random.default_rng(0)
    kind = (random_powder(16) > 0).astype(np.uint8)
    solver = Solver(np.where(kind, 1.0, 0.0), kind, np.array([1.0, 1.3]))
    solver.psi[:], solver.level[:] = np.where(kind, 1.2, -1.1), np.where(kind, 6, 0)
    face_conductances(solver.y, 0.5 + rng.random(kind.shape), np.zeros(kind.shape), 0.05, *solver.c)
    gained = solver.solve(Y, TIES)
    assert abs(gained.sum()) < 1e-10 * np.abs(gained).sum()
    y = solver.y + gained / solver.sites[kind]
    expected_low = Y[np.searchsorted(TIES, solver.psi - 1e-7)]
    expected_high = Y[np.searchsorted(TIES, solver.psi + 1e-7)]
    outside = np.maximum(expected_low - y, 0.0) + np.maximum(y - expected_high, 0.0)
    assert outside.sum() < 2e-4 * np.abs(gained).sum()


def solver_of(kind):
    solver = Solver(np.where(kind, 1.0, 0.0), kind, np.array([1.0, 1.3]))
    solver.psi[:], solver.level[:] = np.where(kind, 1.2, -1.1), np.where(kind, 6, 0)
    return solver


@pytest.mark.parametrize("dt", [1e-2, 1.0, 1e2])
def test_a_grid_of_one_row_is_the_chain(dt, monkeypatch):
    """Slabs across a periodic cube: every row along them is two mirrored chains, step by step."""
    monkeypatch.setattr(grid, "IMBALANCE", 1e-11)
    N = 8
    kind = np.zeros((N, N, N), np.uint8)
    kind[N // 2 :] = 1
    solver = solver_of(kind)
    n = solver.sites[kind[N // 2 - 4 : N // 2 + 4, 0, 0]][2:6]
    y = np.array([0.0, 0.0, 1.0, 1.0])  # from the middle of one slab to the middle of the other
    half = np.full(kind.shape, 0.5)
    for _ in range(3):
        face_conductances(half, half, 0.0 * half, dt, *solver.c)
        gained = solver.solve(Y, TIES)
        crossed, _ = chain_fluxes(n, y, np.ones(3), dt, Y, TIES)
        change = np.append(crossed, 0.0) - np.append(0.0, crossed)
        np.testing.assert_allclose(gained[2:6, 3, 5], change, atol=1e-8)
        np.testing.assert_allclose(gained[2:6], np.broadcast_to(gained[2:6, :1, :1], (4, N, N)), atol=1e-9)
        y = y + change / n
        solver.y += gained / solver.sites[kind]


@pytest.mark.parametrize("dt", [1e-3, 1.0, 1e3, 1e6])
def test_gibbs_energy_falls_in_any_step(dt):
    """By more than is dissipated, up to what the solver leaves unbalanced; nothing is lost."""
    kind = (random_powder(16) > 0).astype(np.uint8)
    solver = solver_of(kind)
    n, g = solver.sites[kind], np.interp(Y, Y, np.concatenate([[0.0], np.cumsum(TIES * np.diff(Y))]))
    total, energy = (n * solver.y).sum(), (n * np.interp(solver.y, Y, g)).sum()
    for _ in range(5):
        face_conductances(solver.y, np.full(kind.shape, 0.5), np.zeros(kind.shape), dt, *solver.c)
        gained = solver.solve(Y, TIES)
        solver.y += gained / n
        solver.y.clip(0.0, 1.0, out=solver.y)
        heat = sum((c * (np.roll(solver.psi, -1, axis) - solver.psi) ** 2).sum() for axis, c in enumerate(solver.c))
        now = (n * np.interp(solver.y, Y, g)).sum()
        round_off = 1e-16 * max(dt, 1e3) * n.size  # of conductances times potentials
        assert energy - now >= heat - 2e-4 * np.abs(gained).sum() - round_off
        energy = now
    assert (n * solver.y).sum() == pytest.approx(total, rel=1e-6)
    if dt == 1e6:
        assert energy == pytest.approx(n.sum() * np.interp(total / n.sum(), Y, g), rel=1e-5)


@pytest.mark.slow
def test_cycles_do_not_grow_with_the_grid():
    """Multigrid cycles a step are the same from 16^3 to 48^3, up to a third."""
    found = []
    for N in (16, 32, 48):
        run = run_grid(random_powder(N), moles_of(random_powder(N)), 1.0, TABLES, hold(1000.0, 10.0, 2))
        found.append(run.cycles / sum(run.steps))
    assert max(found) < 1.34 * min(found), found
