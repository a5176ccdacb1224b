"""One convex programme: the exact chain's step, and a ternary that reaches the linear programme's end in one step."""

import numpy as np
from scipy.optimize import linprog

from tammann.reactive_diffusion.chain import chain_fluxes
from tammann.reactive_diffusion.convex import ConvexStep, split
from tammann.reactive_diffusion.local import convex_hull
from tammann.reactive_diffusion.tables import on_hull


def test_the_exact_step():
    rng = np.random.default_rng(0)
    y = np.array([0.0, 0.1, 0.25, 0.5, 0.6, 0.66, 0.7, 0.8, 0.9, 1.0])
    g = -0.9 * y * (1 - y) * (1 + 0.1 * rng.random(10))
    hull = convex_hull(y, g)
    N, n, z = 20, np.full(20, 3e7), (np.arange(20) >= 10) * 1.0
    C = np.full(N - 1, 1e7)
    step = ConvexStep(n, np.stack([np.arange(N - 1), np.arange(1, N)], axis=1), y[:, None])
    for k in range(10):
        dt = 0.01 * 2.0**k
        exact, _ = chain_fluxes(n, z, C, dt, y[hull], np.diff(g[hull]) / np.diff(y[hull]))
        Q, guess, _, used = step.solve(g, z[:, None], (1 / (C * dt))[:, None, None])
        assert (used == 1.0).all()
        np.testing.assert_allclose(-Q[:, 0], exact, atol=1e-3 * np.abs(exact).max())
        z = z + (np.append(exact, 0.0) - np.append(0.0, exact)) / n
        content = split(n, z[:, None], guess, y[:, None])
        np.testing.assert_allclose(content.sum(axis=1), n, rtol=1e-12)


def test_a_long_step_of_three_components_is_equilibrium():
    rng = np.random.default_rng(1)
    z = np.concatenate([np.eye(3)[:, :2], rng.dirichlet([1, 1, 1], 9)[:, :2]])
    g = np.concatenate([np.zeros(3), -0.3 * rng.random(9)])
    N, n = 12, np.ones(12)
    start = np.repeat(z[:3], 4, axis=0)
    step = ConvexStep(n, np.stack([np.arange(N - 1), np.arange(1, N)], axis=1), z)
    Q, guess, _, _ = step.solve(g, start, np.eye(2)[None] / np.full(N - 1, 1e6)[:, None, None])
    now = start.copy()
    now[:-1] -= Q
    now[1:] += Q
    content = split(n, now, guess, z)
    A = np.column_stack([np.ones(12), z]).T
    best = linprog(g, A_eq=A, b_eq=np.append(1.0, start.mean(axis=0)), method="highs").fun * N
    assert abs((content @ g).sum() - best) < 1e-4 * abs(best)


def test_phases_above_the_hull_are_found():
    rng = np.random.default_rng(2)
    z = np.concatenate([np.eye(3)[:, :2], rng.dirichlet([1, 1, 1], 20)[:, :2]])
    g = np.concatenate([np.zeros(3), -0.3 * rng.random(20)])
    A = np.column_stack([np.ones(23), z]).T
    floor = [linprog(g, A_eq=A, b_eq=np.append(1.0, point), method="highs").fun for point in z]
    np.testing.assert_array_equal(on_hull(z, g, 1e-6), g <= np.array(floor) + 1e-6)
