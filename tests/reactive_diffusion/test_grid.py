"""The solver of a step on a cube: balances hold in every voxel, and its work does not grow with the cube."""

import numpy as np
import pytest

from reactive_diffusion.systems import hold
from reactive_diffusion.test_voxels import TABLES, moles_of, random_powder
from tammann.reactive_diffusion.grid import Solver, face_conductances
from tammann.reactive_diffusion.voxels import run_grid

Y = np.array([0.0, 0.3, 0.6, 1.0])
TIES = np.array([-1.0, -1.0 / 6.0, 1.125])


def test_a_step_balances_every_voxel():
    """What a voxel gains is between the compositions of the phases at its potential, and sums to nothing."""
    rng = np.random.default_rng(0)
    kind = (random_powder(16) > 0).astype(np.uint8)
    solver = Solver(np.where(kind, 1.0, 0.0), kind, np.array([1.0, 1.3]))
    solver.psi[:], solver.level[:] = np.where(kind, 1.2, -1.1), np.where(kind, 6, 0)
    face_conductances(0.5 + rng.random(kind.shape), 0.05, *solver.c)
    gained = solver.solve(Y, TIES)
    assert abs(gained.sum()) < 1e-10 * np.abs(gained).sum()
    y = solver.y + gained / solver.sites[kind]
    expected_low = Y[np.searchsorted(TIES, solver.psi - 1e-7)]
    expected_high = Y[np.searchsorted(TIES, solver.psi + 1e-7)]
    outside = np.maximum(expected_low - y, 0.0) + np.maximum(y - expected_high, 0.0)
    assert outside.sum() < 2e-4 * np.abs(gained).sum()


@pytest.mark.slow
def test_cycles_do_not_grow_with_the_grid():
    """Multigrid cycles a step are the same from 16^3 to 48^3, up to a third."""
    found = []
    for N in (16, 32, 48):
        run = run_grid(random_powder(N), moles_of(random_powder(N)), 1.0, TABLES, hold(1000.0, 10.0, 2))
        found.append(run.cycles / sum(run.steps))
    assert max(found) < 1.34 * min(found), found
