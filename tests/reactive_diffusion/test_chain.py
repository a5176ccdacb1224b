"""The step on a chain is the exact minimum; layers grow as Wagner says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize

from reactive_diffusion.systems import REDOX, filled, hold, phases_of, prepare, toy_tables
from tammann.reactive_diffusion import engine
from tammann.reactive_diffusion.chain import chain_fluxes
from tammann.reactive_diffusion.local import convex_hull
from tammann.reactive_diffusion.mesh import Chain, couple
from tammann.reactive_diffusion.programme import ramp_and_hold

AVOGADRO = 6.02214076e23
Y, G = np.array([0.0, 0.25, 0.5, 0.6, 1.0]), np.array([0.0, -0.3, -0.5, -0.45, 0.0])
HULL = convex_hull(Y, G)
HY, HG = Y[HULL], G[HULL]
TIES = np.diff(HG) / np.diff(HY)


def energy(n, old, C, dt, crossed):
    y = old + (np.append(crossed, 0.0) - np.append(0.0, crossed)) / n
    if y.min() < -1e-13 or y.max() > 1 + 1e-13:
        return np.inf
    return n @ np.interp(y, HY, HG) + (crossed**2 / C).sum() / (2 * dt)


@st.composite
def chains(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    N = draw(st.integers(2, 8))
    old = rng.choice(np.append(HY, rng.random(4)), N)
    return rng, rng.random(N) + 0.1, old, 10 ** rng.uniform(-3, 3, N - 1), 10 ** rng.uniform(-3, 2)


@settings(max_examples=80, deadline=None)
@given(chains())
def test_the_step_is_the_minimum(chain):
    """No flux nearby costs less, the old state does not either, and psi and the fluxes belong together."""
    rng, n, old, C, dt = chain
    crossed, psi = chain_fluxes(n, old, C, dt, HY, TIES)
    least = energy(n, old, C, dt, crossed)
    np.testing.assert_allclose(crossed, C * dt * np.diff(psi), rtol=1e-9, atol=1e-9 * n.max())
    assert least <= energy(n, old, C, dt, np.zeros_like(crossed)) + 1e-12
    for size in 10.0 ** np.arange(-7, 0.5, 0.5):
        for _ in range(5):
            other = energy(n, old, C, dt, crossed + size * n.max() * rng.normal(size=crossed.size))
            assert other >= least - 1e-12 * (1 + abs(least))


@pytest.mark.parametrize("seed", range(5))
def test_the_step_against_a_general_minimiser(seed):
    rng = np.random.default_rng(seed)
    n, old, C, dt = rng.random(3) + 0.5, np.array([0.0, 0.4, 1.0]), rng.random(2) + 0.1, 0.5
    crossed, _ = chain_fluxes(n, old, C, dt, HY, TIES)
    found = minimize(lambda q: min(energy(n, old, C, dt, q), 1e3), np.zeros(2), method="Nelder-Mead",
                     options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000})  # fmt: skip
    assert energy(n, old, C, dt, crossed) <= found.fun + 1e-12
    np.testing.assert_allclose(crossed, found.x, atol=1e-4)


@pytest.mark.parametrize("dt", [1e-3, 1.0, 1e3, 1e9])
def test_gibbs_energy_falls_by_more_than_is_dissipated(dt):
    rng = np.random.default_rng(1)
    n, C, y = rng.random(30) + 0.1, rng.random(29), (np.arange(30) >= 12) * 1.0
    total = n @ y
    for _ in range(20):
        before = n @ np.interp(y, HY, HG)
        crossed, _ = chain_fluxes(n, y, C, dt, HY, TIES)
        y = y + (np.append(crossed, 0.0) - np.append(0.0, crossed)) / n
        assert before - n @ np.interp(y, HY, HG) >= (crossed**2 / C).sum() / dt - 1e-12 - 1e-16 * dt  # round-off
    assert n @ y == pytest.approx(total, rel=1e-13)
    if dt == 1e9:  # equilibrium: the hull at the mean composition
        assert n @ np.interp(y, HY, HG) == pytest.approx(n.sum() * np.interp(total / n.sum(), HY, HG), rel=1e-7)


def layers_of(run, chain, tables):
    """Thickness of each phase, shape (F, P), by its volume; unit area."""
    volume = run.sites.sum(axis=1) * tables.volume_m3
    return volume / volume.sum(axis=1, keepdims=True) * chain.edges_m[-1]


def steady_widths(y, ties, conductivity):
    """Growth constants a_i, h_i = a_i sqrt(t), of product layers between pure ends, sites of volume 1 / Avogadro.

    Flux j_i = Lambda_i (psi_i - psi_(i-1)) / h_i through product i (psi at its two ends are the ties); a front between
    phases p and p + 1 moves by (j_p - j_(p+1)) / (y_(p+1) - y_p) per site volume, and ends carry no flux.
    """
    from scipy.optimize import fsolve

    drop = np.diff(ties) * conductivity

    def rest(log_a):
        a = np.exp(log_a)
        j = np.concatenate([[0.0], drop / a, [0.0]])
        front = (j[1:] - j[:-1]) / np.diff(y)  # velocity of each front times sqrt(t), to the left
        return (front[:-1] - front[1:]) - a / 2

    return np.exp(fsolve(rest, np.log(np.sqrt(drop)), xtol=1e-13))


def even(left, right, cells):
    """A couple of slabs cut into cells of nearly one width."""
    k = round(left / (left + right) * cells)
    edges = np.concatenate([np.linspace(-left, 0.0, k + 1), np.linspace(0.0, right, cells - k + 1)[1:]])
    return Chain(edges + left, np.ones(cells - 1), np.diff(edges), (np.arange(cells) >= k) * 1, "planar")


def growth(y, g, conductivity, slabs, cells, tolerance):
    """Errors of the constants of growth, one a product, and of thickness against the root of time."""
    y, g = np.array(y), np.array(g)
    conductivity = np.broadcast_to(np.asarray(conductivity, float), y.shape)
    # sites of unit volume per mole: with 1 / Avogadro in both area and content, lengths are in metres
    expected = steady_widths(y, np.diff(g) / np.diff(y), conductivity[1:-1])
    tables = toy_tables(y, g, conductivity, volume=AVOGADRO)
    chain = even(*slabs, cells)
    run = engine.run(chain, filled(chain, tables), tables, hold(1000.0, 16.0, 4), tolerance=tolerance)
    widths = layers_of(run, chain, tables)[:, 1:-1]
    return widths[-1] / 4.0 / expected - 1.0, widths[-1] / widths[0] / 2.0 - 1.0


def order_of(errors, cells):
    return -np.polyfit(np.log(cells), np.log(errors), 1)[0]


@pytest.mark.parametrize("ends", [2.0, 20.0, 2e4])
def test_wagner(ends):
    """One product grows as the root of time with the analytic constant, whatever its reactants conduct.

    What is left is first order in the mesh, from the part of a layer that is counted beyond its front.
    """
    cells = (30, 60, 120, 240)
    errors = [growth([0.0, 0.5, 1.0], [0.0, -0.1, 0.0], [ends, 2.0, ends], (12.0, 12.0), N, 1e-5) for N in cells]
    constant, root = np.abs(np.array(errors)).max(axis=2).T
    assert constant[0] < 5e-3 and constant[-1] < 1e-3 and root[-1] < 2e-3
    assert order_of(constant, cells) > 0.7


def test_wagner_in_time():
    """The error of the steps falls faster than their length, which goes as the root of the tolerance."""
    found = [growth([0.0, 0.5, 1.0], [0.0, -0.1, 0.0], 2.0, (12.0, 12.0), 30, t)[0][0] for t in (1e-3, 1e-4, 1e-7)]
    assert abs(found[0] - found[2]) < 0.01 and abs(found[1] - found[2]) < 0.3 * abs(found[0] - found[2])


@pytest.mark.parametrize("conductivity, finest", [([1, 1, 2, 0.5, 1], 0.002), ([1e3, 1, 2, 0.05, 1e3], 0.01)])
def test_wagner_with_three_products(conductivity, finest):
    """First order in the mesh or better; a layer thinner than a cell, of a twentieth of the conductivity, included."""
    y, g = [0.0, 0.3, 0.5, 0.8, 1.0], [0.0, -0.5, -0.7, -0.5, 0.0]
    cells = (50, 100, 200, 400)
    errors = np.array([growth(y, g, conductivity, (18.0, 21.2), N, 1e-5)[0] for N in cells])
    assert order_of(np.abs(errors).max(axis=1), cells) > 0.8
    assert np.abs(errors[-1]).max() < finest


def test_first_order_in_time():
    """The error of backward Euler falls in proportion to the step."""
    n, C = np.full(40, 0.5), np.full(39, 2.0)
    start = (np.arange(40) >= 20) * 1.0

    def product(steps):
        y = start.copy()
        for _ in range(steps):
            crossed, _ = chain_fluxes(n, y, C, 20.0 / steps, HY, TIES)
            y = y + (np.append(crossed, 0.0) - np.append(0.0, crossed)) / n
        return n @ np.interp(y, HY, HG)

    exact, counts = product(20000), (160, 320, 640, 1280)
    assert 0.8 < order_of([abs(product(steps) - exact) for steps in counts], counts) < 1.3


@pytest.mark.parametrize("share, within", [(1e-2, 1e-2), (1e-3, 4e-3), (1e-4, 4e-3)])
def test_ginstling_brounshtein(share, within):
    """A core that shrinks at the centre of a sphere of product, all sites of one volume: 1 - 2x/3 - (1-x)^(2/3) = k t.

    The law holds the profile of the product for stationary, which it is as far as the product's own ``share`` of what
    diffuses is small; the deviation falls with it, down to what 200 cells allow.
    """
    y, g, lam = np.array([0.0, share, 1.0]), np.array([0.0, -share / 2.0, 0.0]), np.array([1.0, 1.0, 1e6])
    tables = toy_tables(y, g, lam, volume=AVOGADRO)
    ties = np.diff(g) / np.diff(y)
    edges = np.append(np.linspace(0.0, 1.0, 201), np.cbrt(1.05))
    chain = Chain(edges, 4 * np.pi * edges[1:-1] ** 2, 4 / 3 * np.pi * np.diff(edges**3), np.repeat([0, 1], [200, 1]),
                  "sphere")  # fmt: skip
    # every site of the core needs y_1 from outside: r (1 - r/R) dr/dt = -Lambda (psi_2 - psi_1) / y_1
    k = 2.0 * lam[1] * (ties[1] - ties[0]) / (y[1] - y[0])
    seconds = brentq(lambda t: 1 - 2 * 0.7 / 3 - 0.3 ** (2 / 3) - k * t, 0, 10 / k)
    run = engine.run(chain, filled(chain, tables), tables, hold(1000.0, seconds, 5), tolerance=1e-6)
    x = 1.0 - run.sites[:, :, 0].sum(axis=1) / filled(chain, tables)[:, 0].sum()
    law = 1 - 2 * x / 3 - (1 - x) ** (2 / 3)
    np.testing.assert_allclose(law, k * seconds * np.arange(1, 6) / 5, rtol=within)


def test_a_mirrored_couple_does_the_same():
    """Swapping the ends, and y for 1 - y, changes nothing."""
    y, g, lam = np.array([0.0, 0.3, 0.6, 1.0]), np.array([0.0, -0.3, -0.35, 0.1]), np.array([1.0, 2.0, 0.5, 1.0])
    one, two = toy_tables(y, g, lam, AVOGADRO), toy_tables(1 - y[::-1], g[::-1], lam[::-1], AVOGADRO)
    chain = couple([2.0, 3.0], cells=20)
    turned = Chain(chain.edges_m[-1] - chain.edges_m[::-1], chain.area_m2[::-1], chain.volume_m3[::-1],
                   1 - chain.layer[::-1], "planar")  # fmt: skip
    a = engine.run(chain, filled(chain, one), one, hold(1000.0, 3.0, 3))
    b = engine.run(turned, filled(turned, two), two, hold(1000.0, 3.0, 3))
    np.testing.assert_allclose(a.sites, b.sites[:, ::-1, ::-1], atol=1e-9)
    np.testing.assert_allclose(a.dissipated_eV, b.dissipated_eV[:, ::-1], rtol=1e-6, atol=1e-9)


def test_round_off_dissipates_nothing(tmp_path):
    """Where layers hardly conduct, what crosses is round-off, whose square over the conductance is no energy."""
    stretches = ramp_and_hold(300.0, 1500.0, 20.0, 0.5)
    powder = prepare(phases_of(REDOX, tmp_path), {"NiO": 1, "Fe2O3": 1}, stretches, gas={"O2": 21e3}, cells=24)
    for chain, content in zip(powder.powder.particles, powder.powder.contents, strict=True):
        done = engine.run(chain, content * powder.system.sites, powder.tables, stretches)
        spent = done.dissipated_eV.sum(axis=1)
        assert spent[:20].sum() < 1e-9 * spent.sum() and spent.sum() < 1.0
