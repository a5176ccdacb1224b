"""Structure and diffusion of a run: known answers for an ideal gas of walkers, and differences within noise."""

import numpy as np
import pandas as pd
import pytest

from tammann.md.watched import WatchedRun
from tammann.trajectory import Trajectory
from tammann.workflows.potential_report.melts import diffusivity_ratios, distribution_difference, melt_structure

D = 2.0e-9
DT_PS = 0.05


def walkers(seed, *, D_m2_per_s=D, frames=1200, n=40, bound=False):
    """Independent walkers in a cube of 14 Å: g(r) = 1 and a known diffusivity."""
    rng = np.random.default_rng(seed)
    step = np.sqrt(2.0 * D_m2_per_s * 1e8 * DT_PS)
    start = rng.uniform(0.0, 14.0, size=(1, n, 3))
    paths = start + np.concatenate(
        [np.zeros((1, n, 3)), rng.normal(scale=step, size=(frames - 1, n, 3)).cumsum(axis=0)]
    )
    if bound:
        paths[:, 1::2] = paths[:, ::2] + [2.0, 0.0, 0.0]
    trajectory = Trajectory(("Ba", "O") * (n // 2), paths, 14.0 * np.eye(3)[None], DT_PS, temperature_K=2000.0)
    time = np.arange(frames) * DT_PS
    series = pd.DataFrame({"time_ps": time, "temperature_K": 2000.0, "energy_eV_per_atom": -3.0, "closest_A": 1.5,
                           "loneliest_A": 2.5, "grade": np.nan})  # fmt: skip
    return WatchedRun("walk", n, 2000.0, time[-1], time[-1], None, series, trajectory, 100.0)


def test_an_ideal_gas_of_walkers():
    found = melt_structure(walkers(1), settle_ps=1.0)
    assert found.pairs == ("Ba-Ba", "Ba-O", "O-O") and found.species == ("Ba", "O")
    far = found.r_A > 3.0
    alone = np.array([[1 - 1 / 20], [1.0], [1 - 1 / 20]])  # one of twenty like atoms is no neighbour of itself
    assert (found.g / alone)[:, far].mean() == pytest.approx(1.0, abs=0.02)
    within = np.abs(found.g - alone)[:, far] < 3.0 * found.g_stderr[:, far] + 0.02
    assert within.mean() > 0.9
    assert found.diffusive == (True, True)
    # at rest is the centre of mass, which moves with the atoms: D_i (1 - 2 m_i/M + sum m²/M²)
    masses = np.array([137.327, 15.999])
    whole = 20.0 * masses.sum()
    expected = D * (1.0 - 2.0 * masses / whole + 20.0 * (masses**2).sum() / whole**2)
    assert np.all(np.abs(found.D_m2_per_s - expected) < 4.0 * found.D_stderr)
    assert np.all(found.D_stderr < 0.3 * D) and found.mean_energy_eV_per_atom == -3.0


@pytest.mark.slow
def test_two_runs_of_the_same_differ_by_their_noise():
    one, other = (melt_structure(walkers(seed), settle_ps=0.0) for seed in (1, 2))
    for difference, noise in distribution_difference(one, other).values():
        assert difference == pytest.approx(noise, rel=0.4)
    for ratio, error in diffusivity_ratios(one, other).values():
        assert abs(ratio - 1.0) < 4.0 * error


@pytest.mark.slow
def test_runs_of_different_structure_or_speed_differ_by_more():
    one = melt_structure(walkers(1), settle_ps=0.0)
    bound = melt_structure(walkers(2, bound=True), settle_ps=0.0)
    found = distribution_difference(bound, one)
    difference, noise = found["Ba-O"]
    assert difference > 1.5 * noise
    assert all(value < 1.5 * noise for pair, (value, noise) in found.items() if pair != "Ba-O")
    faster = melt_structure(walkers(3, D_m2_per_s=2.0 * D), settle_ps=0.0)
    for ratio, error in diffusivity_ratios(faster, one).values():
        assert ratio == pytest.approx(2.0, abs=4.0 * error) and error < 1.0


def test_a_run_that_was_too_short_has_neither():
    found = melt_structure(walkers(1, frames=14), settle_ps=0.5)
    assert found.pairs == () and found.species == () and found.g.size == 0
    whole = melt_structure(walkers(1), settle_ps=0.5)
    assert distribution_difference(found, whole) == {} == diffusivity_ratios(found, whole)
