"""The volume of a melt: exact curves come back, noise is averaged, and what does not converge says so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from tammann.errors import DataError
from tammann.md.block_average import block_stderr
from tammann.md.conditions import MDRun
from tammann.md.equation_of_state import VolumePoint, equilibrate_volume, find_volume, fit_equation_of_state
from tammann.structures import Configuration

N = 10


def birch_murnaghan(volume, V0=200.0, B0=20.0, Bp=5.0):
    y = (V0 / volume) ** (2 / 3)
    return 1.5 * B0 * (y**3.5 - y**2.5) * (1 + 0.75 * (Bp - 4) * (y - 1))


def point(volume, pressure, stderr=0.01):
    return VolumePoint(volume, pressure, stderr, (volume - 200.0) ** 2 * 1e-5, 0.0, 2000.0, 4.0)


def start(volume):
    rng = np.random.default_rng(1)
    return Configuration(("Ba", "O") * (N // 2), rng.random((N, 3)) * volume ** (1 / 3), volume ** (1 / 3) * np.eye(3))


def matter(V0=200.0, noise=0.0, seed=1, drift=0.0, pressure=birch_murnaghan):
    """An engine whose atoms know their equation of state."""
    rng = np.random.default_rng(seed)
    calls = []

    def advance(configuration, duration_ps):
        calls.append((configuration.volume_A3, duration_ps))
        steps = round(duration_ps * 50)
        P = pressure(configuration.volume_A3, V0) + noise * rng.normal(size=(steps, 6))
        E = np.linspace(0, drift, steps)
        V = np.full(steps, configuration.volume_A3)
        return MDRun(configuration, duration_ps, np.full(steps, 2000.0), E, P, V)

    return advance, calls


@given(st.floats(150, 260), st.floats(2, 200), st.floats(3, 7))
def test_exact_curves_come_back(V0, B0, Bp):
    volumes = np.array([0.8, 1.0, 1.2]) * 200.0
    if not 0.72 * 200 < V0 < 1.4 * 200:
        return
    fit = fit_equation_of_state([point(v, birch_murnaghan(v, V0, B0, Bp)) for v in volumes])
    assert fit.volume_A3 == pytest.approx(V0, rel=1e-4)
    assert fit.bulk_modulus_GPa == pytest.approx(B0, rel=2e-2)


def test_other_pressures():
    volumes = np.array([160.0, 200.0, 240.0])
    wanted = birch_murnaghan(180.0)
    fit = fit_equation_of_state([point(v, birch_murnaghan(v)) for v in volumes], pressure_GPa=wanted)
    assert fit.volume_A3 == pytest.approx(180.0, rel=1e-4)


def test_runs_near_rest_decide():
    """A torn melt at a large volume, far off the curve, hardly moves the answer."""
    near = [point(v, birch_murnaghan(v)) for v in (160.0, 198.0, 202.0, 205.0)]
    torn = point(240.0, -0.3)
    assert fit_equation_of_state([*near, torn]).volume_A3 == pytest.approx(200.0, rel=0.002)


def test_no_rest_within_reach():
    fit = fit_equation_of_state([point(v, 1.0 + birch_murnaghan(v, 500.0)) for v in (160.0, 200.0, 240.0)])
    assert fit.volume_A3 is None and fit.bulk_modulus_GPa is None


def test_three_volumes_are_needed():
    with pytest.raises(DataError, match="three volumes"):
        fit_equation_of_state([point(100.0, 1.0), point(100.0, 1.1), point(120.0, -1.0)])


@pytest.mark.parametrize("scale", [0.55, 0.8, 1.0, 1.3, 2.5])
def test_the_volume_is_found_from_afar(scale):
    advance, calls = matter(noise=0.3)
    found = find_volume(start(scale * 200.0), advance)
    assert found.converged and not found.notes
    assert found.configuration.volume_A3 == pytest.approx(200.0, rel=0.01)
    assert [d for _, d in calls[:3]] == [4.0] * 3
    assert [d for _, d in calls[3:]] == pytest.approx([20.0 * 1.4**k for k in range(len(calls) - 3)])
    np.testing.assert_allclose([v for v, _ in calls[:3]], scale * 200.0 * np.array([0.8, 1.0, 1.2]))


def test_pressure_that_is_too_noisy_does_not_count_as_converged():
    advance, calls = matter(noise=60.0)
    found = find_volume(start(200.0), advance, attempts=3, pressure_tolerance_GPa=0.05)
    assert not found.converged and len(calls) == 6
    assert "not converged after 3 runs" in found.notes[0]


def test_pressure_that_cancels_by_chance_does_not_count_as_converged():
    """Means of zero from halves of +3 and -3 GPa know nothing of the pressure."""

    def advance(configuration, duration_ps):
        steps = round(duration_ps * 50)
        P = np.full((steps, 6), birch_murnaghan(configuration.volume_A3))
        P[steps // 4 :] += np.linspace(-3.0, 3.0, steps - steps // 4)[:, None]
        V = np.full(steps, configuration.volume_A3)
        return MDRun(configuration, duration_ps, np.full(steps, 2000.0), np.zeros(steps), P, V)

    assert not find_volume(start(200.0), advance, attempts=2).converged


def test_a_viscous_melt_whose_pressure_wanders_for_picoseconds():
    """Memory of 3 ps and 0.4 GPa: means over 15 ps scatter by 0.25 GPa, and only longer runs settle it."""

    def wandering(seed):
        rng = np.random.default_rng(seed)

        def advance(configuration, duration_ps):
            steps = round(duration_ps * 10)
            kept = np.exp(-0.1 / 3.0)
            kicks = 0.4 * np.sqrt(1 - kept**2) * rng.normal(size=steps)
            kicks[0] = 0.4 * rng.normal()
            wander = lfilter([1.0], [1.0, -kept], kicks)
            P = birch_murnaghan(configuration.volume_A3) + wander[:, None] * np.ones((1, 6))
            V = np.full(steps, configuration.volume_A3)
            return MDRun(configuration, duration_ps, np.full(steps, 2000.0), np.zeros(steps), P, V)

        return advance

    found = [find_volume(start(210.0), wandering(seed)) for seed in range(40)]
    assert sum(f.converged for f in found) >= 36
    # 20 GPa times 0.5 % is the tolerance of 0.1 GPa
    off = np.array([f.configuration.volume_A3 / 200.0 - 1.0 for f in found])
    assert np.sqrt(np.mean(off**2)) < 0.01


def test_an_energy_that_still_falls_does_not_count_as_converged():
    advance, _ = matter(drift=-0.2)
    found = find_volume(start(200.0), advance, attempts=2)
    assert not found.converged and "meV per atom" in found.notes[0]


def test_a_gas_is_noticed():
    """A pressure of N kB T/V: no volume is at rest."""
    advance, _ = matter(pressure=lambda V, V0: 50.0 / V)
    found = find_volume(start(200.0), advance, attempts=4)
    assert not found.converged and found.configuration.volume_A3 > 400.0


def breathing(towards=200.0, per_ps=0.2, noise=0.005, seed=1):
    """An engine at constant pressure: the volume goes a fifth of the rest of its way in every ps, and wavers."""
    rng = np.random.default_rng(seed)

    def advance(configuration, duration_ps):
        steps = round(duration_ps * 50)
        V = towards + (configuration.volume_A3 - towards) * np.exp(-per_ps * np.arange(steps) / 50)
        V = V * (1 + noise * rng.normal(size=steps))
        after = configuration.at_volume(V[-1])
        return MDRun(after, duration_ps, np.full(steps, 2000.0), np.zeros(steps), np.zeros((steps, 6)), V)

    return advance


def test_constant_pressure_settles():
    found = equilibrate_volume(start(300.0), breathing())
    assert found.converged and found.configuration.volume_A3 == pytest.approx(200.0, rel=0.005)
    assert len(found.points) > 1 and found.fit.volume_A3 is None


def test_evaporation_is_flagged():
    found = equilibrate_volume(start(200.0), breathing(towards=4000.0, per_ps=0.02), attempts=3)
    assert not found.converged and "still moved by" in found.notes[0]


def test_block_errors_see_correlation():
    rng = np.random.default_rng(3)
    white = rng.normal(size=100_000)
    assert block_stderr(white, blocks=50) == pytest.approx(1 / np.sqrt(1e5), rel=0.4)
    slow = np.repeat(rng.normal(size=1000), 100)
    assert block_stderr(slow, blocks=50) == pytest.approx(1 / np.sqrt(1000), rel=0.4)
    assert block_stderr(np.ones(1)) == np.inf


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("noise, attempts", [(2.0, 8), (60.0, 4)])
@pytest.mark.parametrize("find", [find_volume, equilibrate_volume])
def test_a_search_goes_on_where_it_was_left(find, noise, attempts):
    """Interrupted before every one of its runs, it ends as it would have undisturbed."""
    kept = []

    def searched(stop_after=None):
        counts = iter(range(len(kept[-1][1]) if kept else 0, 99))
        left = [stop_after]

        def advance(configuration, duration_ps):
            if left[0] == 0:
                raise Interrupted
            left[0] = None if left[0] is None else left[0] - 1
            seed = next(counts)
            if find is equilibrate_volume:
                return breathing(towards=4000.0, per_ps=0.002 * noise, seed=seed)(configuration, duration_ps)
            return matter(noise=noise, seed=seed)[0](configuration, duration_ps)

        at, points = kept[-1] if kept else (start(300.0), ())
        return find(at, advance, attempts=attempts, points=points, checkpoint=lambda *now: kept.append(now))

    undisturbed = searched()
    kept.clear()
    for _ in range(30):
        try:
            again = searched(stop_after=1)
            break
        except Interrupted:
            continue
    assert len(kept) >= 2 and again.points == undisturbed.points
    assert (again.converged, again.notes, again.fit) == (undisturbed.converged, undisturbed.notes, undisturbed.fit)
    np.testing.assert_array_equal(again.configuration.positions_A, undisturbed.configuration.positions_A)


def test_between_two_runs_where_the_curve_has_no_rest():
    """Noisy pressures on both sides of zero lead between them, not far away."""
    from tammann.md.equation_of_state import EquationOfState, _next_volume

    nothing = EquationOfState(None, None)
    points = [point(80.0, 5.0), point(100.0, 0.2), point(120.0, -0.6), point(104.0, -0.1)]
    assert 100.0 < _next_volume(nothing, points, 0.0) < 104.0
    assert _next_volume(nothing, points[:1] + [point(120.0, 1.0)], 0.0) > 120.0
