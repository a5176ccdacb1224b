"""Stress with a known memory gives back its viscosity, as often as the stated error says."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

from tammann.errors import DataError
from tammann.transport.slope_fit import slope_weights, spread_lags
from tammann.transport.viscosity import _running, shear_components, shear_viscosity
from tammann.units import BOLTZMANN_J_PER_K

CELL = {"volume_A3": 1000.0, "temperature_K": 1000.0, "frame_interval_ps": 0.01}
UNIT = 1000e-30 * 1e18 / (BOLTZMANN_J_PER_K * 1000.0)  # V / kB T for stress in GPa, Pa per (GPa^2)


def fluid(rng, frames, memory=10.0, size=1.0, pressure=7.0):
    """Stress whose five traceless components forget within ``memory`` frames, with a pressure that wanders."""
    rng = np.random.default_rng(rng)
    keep = np.exp(-1 / memory)
    noise = rng.standard_normal((6, frames))
    noise[:, 0] /= np.sqrt(1 - keep**2)
    yz, xz, xy, a, b, p = size * lfilter([np.sqrt(1 - keep**2)], [1, -keep], noise, axis=1)
    zz = 2 * b / np.sqrt(3)
    p = pressure + 5 * p
    return np.stack([p + a - zz / 2, p - a - zz / 2, p + zz, yz, xz, xy], axis=1)


def viscosity_of(memory=10.0, size=1.0, interval=0.01):
    """V/(kB T) times the trapezoidal integral of size² exp(-t/memory), sampled at every frame."""
    return UNIT * 1e-12 * size**2 * interval / 2 / np.tanh(0.5 / memory)


def test_units_by_hand():
    # <P²> = 1 GPa², decay 0.1 ps, V/(kB T) = 1e-27/1.380649e-20: eta = 1e18 * 1e-13 * 7.243e-8 = 7.243e-3 Pa s
    assert viscosity_of() == pytest.approx(7.243e-3, rel=2e-3)
    eta = shear_viscosity(fluid(1, 400_000), **CELL)
    assert eta.converged and eta.value_Pa_s == pytest.approx(7.243e-3, rel=0.05)
    assert eta.stderr_Pa_s < 0.02 * eta.value_Pa_s
    twice = shear_viscosity(2 * fluid(1, 400_000), **CELL)
    assert twice.value_Pa_s == pytest.approx(4 * eta.value_Pa_s)
    shorter = shear_viscosity(fluid(1, 400_000), **{**CELL, "frame_interval_ps": 0.005, "temperature_K": 500.0})
    assert shorter.value_Pa_s == pytest.approx(eta.value_Pa_s)
    assert shorter.regime_ps[0] == pytest.approx(eta.regime_ps[0] / 2)


def coverage(repeats, regime_ps=None, frames=20_000):
    truth = viscosity_of()
    results = [shear_viscosity(fluid(seed, frames), regime_ps=regime_ps, **CELL) for seed in range(repeats)]
    kept = [r for r in results if r.converged]
    value, stderr = np.array([[r.value_Pa_s, r.stderr_Pa_s] for r in kept]).T
    held = np.mean(np.abs(value - truth) < 1.96 * stderr)
    return len(kept) / repeats, held, value.mean() / truth, value.std() / stderr.mean()


def test_error_over_a_given_regime_is_the_scatter():
    kept, held, mean, ratio = coverage(60, regime_ps=(0.6, 9.6))
    assert kept > 0.95
    assert 0.87 <= held <= 1.0
    assert mean == pytest.approx(1.0, abs=0.03)
    assert ratio == pytest.approx(1.0, abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("regime_ps", [None, (0.6, 9.6)])
def test_the_interval_holds_the_truth_as_often_as_it_says(regime_ps):
    kept, held, mean, ratio = coverage(600, regime_ps)
    assert kept > 0.97
    assert 0.93 <= held <= 0.97
    assert mean == pytest.approx(1.0, abs=0.01)
    # Stress that remembers makes the scatter smaller than a Brownian coordinate's, by memory over start at most.
    assert 0.83 < ratio < 1.05


def test_components_are_independent_of_one_mean_square_and_of_the_orientation():
    stress = fluid(2, 50_000, memory=0.2)
    parts = shear_components(stress)
    np.testing.assert_allclose(np.cov(parts), np.eye(5), atol=0.03)
    turn = Rotation.from_euler("xyz", [20, 50, 70], degrees=True).as_matrix()
    xx, yy, zz, yz, xz, xy = stress.T
    tensor = np.moveaxis(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]), -1, 0)
    turned = turn @ tensor @ turn.T
    rows = turned[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    np.testing.assert_allclose((shear_components(rows) ** 2).sum(axis=0), (parts**2).sum(axis=0), rtol=1e-9)
    traceless = tensor - np.trace(tensor, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    np.testing.assert_allclose(2 * (parts**2).sum(axis=0), (traceless**2).sum(axis=(1, 2)), rtol=1e-9)
    stress = fluid(3, 30_000, memory=5.0)
    tensor = np.moveaxis(stress.T[[[0, 5, 4], [5, 1, 3], [4, 3, 2]]], -1, 0)
    rows = (turn @ tensor @ turn.T)[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    one, other = shear_viscosity(stress, **CELL), shear_viscosity(rows, **CELL)
    assert other.value_Pa_s == pytest.approx(one.value_Pa_s, rel=1e-9)
    assert other.stderr_Pa_s == pytest.approx(one.stderr_Pa_s, rel=1e-9)


def test_pressure_and_sign_do_not_matter():
    stress = fluid(3, 20_000)
    eta = shear_viscosity(stress, **CELL)
    squeezed = stress.copy()
    squeezed[:, :3] += 100.0 + 0.01 * np.arange(20_000)[:, None]
    assert shear_viscosity(squeezed, **CELL).value_Pa_s == pytest.approx(eta.value_Pa_s, rel=1e-6)
    assert shear_viscosity(-stress, **CELL).value_Pa_s == pytest.approx(eta.value_Pa_s, rel=1e-9)


def test_running_integral_agrees_with_its_plain_twin_and_the_slope():
    stress = fluid(4, 3000)
    eta = shear_viscosity(stress, regime_ps=(0.6, 7.0), **CELL)
    parts = shear_components(stress)
    C = np.array([np.mean(parts[:, lag:] * parts[:, : 3000 - lag]) for lag in range(701)])
    plain = np.concatenate([[0.0], np.cumsum((C[1:] + C[:-1]) / 2)]) * 0.01 * 1e-12 * UNIT
    lags = np.round(eta.times_ps / 0.01).astype(int)
    np.testing.assert_allclose(eta.running_Pa_s, plain[lags], rtol=1e-8, atol=1e-12)
    long = shear_viscosity(fluid(5, 200_000), **CELL)
    at = np.searchsorted(long.times_ps, long.regime_ps[0])
    assert abs(long.running_Pa_s[at] - long.value_Pa_s) < 3 * long.running_stderr_Pa_s[at]


def test_error_of_the_running_integral_is_its_scatter():
    runs = [[shear_components(fluid(seed, 5000))] for seed in range(200)]
    parts = [_running(run, 80, 400) for run in runs]
    lags = parts[0][0]
    scatter = np.std([running for _, running, _ in parts], axis=0)
    stated = np.mean([error for _, _, error in parts], axis=0)
    for lag in (2, 10, 40, 100, 380):
        k = np.searchsorted(lags, lag)
        assert stated[k] == pytest.approx(scatter[k], rel=0.25), lag
    # Long after the memory: 2 eta sqrt(t / (n T)).
    k = np.searchsorted(lags, 380)
    assert stated[k] == pytest.approx(2 * 10 * np.sqrt(380 / (5 * 5000)), rel=0.15)


def test_error_of_the_running_integral_without_memory():
    # <P²> = 1 in every frame alone: Var = t / (n T), from the t products of each frame with later ones.
    lags, _, error = _running([shear_components(fluid(1, 100_000, memory=0.05))], 3, 50)
    np.testing.assert_allclose(error[1:], np.sqrt(lags[1:] / (5 * 100_000)), rtol=0.02)


def test_replicas_combine():
    one = shear_viscosity(fluid(6, 40_000), regime_ps=(0.6, 9.6), **CELL)
    runs = [fluid(seed, 40_000) for seed in range(6, 10)]
    four = shear_viscosity(runs, regime_ps=(0.6, 9.6), **CELL)
    assert four.stderr_Pa_s / four.value_Pa_s == pytest.approx(0.5 * one.stderr_Pa_s / one.value_Pa_s, rel=1e-6)
    alone = [shear_viscosity(run, regime_ps=(0.6, 9.6), **CELL).value_Pa_s for run in runs]
    assert four.value_Pa_s == pytest.approx(np.mean(alone), rel=1e-9)
    np.testing.assert_allclose(four.value_Pa_s, viscosity_of(), rtol=0.15)
    assert four.block_stderr_Pa_s == pytest.approx(four.stderr_Pa_s, rel=0.7)
    uneven = shear_viscosity([runs[0], runs[1][:20_000]], **CELL)
    assert uneven.converged
    regime = {"regime_ps": (0.6, 9.6), **CELL}
    parts = [shear_viscosity(run, **regime) for run in (runs[0], runs[1][:10_000])]
    both = shear_viscosity([runs[0], runs[1][:10_000]], **regime)
    relative = np.array([r.stderr_Pa_s / r.value_Pa_s for r in (*parts, both)])
    assert relative[2] ** -2 == pytest.approx((relative[:2] ** -2).sum(), rel=1e-9)
    stacked = shear_viscosity(np.stack(runs), regime_ps=(0.6, 9.6), **CELL)
    assert stacked.value_Pa_s == four.value_Pa_s


def test_frozen_stress_is_flagged():
    frozen = fluid(7, 20_000)
    frozen[:, 5] += 3.0
    eta = shear_viscosity(frozen, **CELL)
    assert not eta.converged and np.isnan(eta.value_Pa_s) and np.isnan(eta.stderr_Pa_s)
    assert any("mean shear stress of 3" in note for note in eta.notes)
    assert np.isfinite(eta.running_Pa_s).all()


def test_a_solid_is_flagged():
    # Stress that is the derivative of a bounded coordinate integrates to nothing.
    steps = np.diff(fluid(8, 20_001, memory=3.0), axis=0)
    eta = shear_viscosity(steps, **CELL)
    assert not eta.converged and np.isnan(eta.value_Pa_s)
    bounded = 0
    for seed in range(20):
        steps = np.diff(fluid(seed, 10_001, memory=3.0), axis=0)
        eta = shear_viscosity(steps, regime_ps=(0.6, 9.6), **CELL)
        assert not eta.converged
        bounded += any("bounded" in note for note in eta.notes)
    assert bounded >= 18


def test_a_run_too_short_for_its_regime_is_flagged():
    eta = shear_viscosity(fluid(1, 200), regime_ps=(0.6, 1.9), **CELL)
    assert not eta.converged and any("two standard errors" in note for note in eta.notes)


def test_stated_error_is_that_of_five_brownian_series():
    eta = shear_viscosity(fluid(2, 20_000), regime_ps=(0.6, 9.6), **CELL)
    thin = 60 // 8
    fit = slope_weights(spread_lags(60 // thin, 960 // thin), len(range(0, 20_000, thin)))
    assert eta.stderr_Pa_s / eta.value_Pa_s == pytest.approx(np.sqrt(2 * fit.variances[0] / 5), rel=1e-9)


def test_a_regime_before_the_memory_is_lost_is_flagged():
    eta = shear_viscosity(fluid(9, 20_000, memory=30.0), regime_ps=(0.3, 4.8), **CELL)
    assert not eta.converged
    assert any("not linear" in note for note in eta.notes)


def test_quiet_fluid_has_no_notes_and_a_coarse_one_has():
    assert shear_viscosity(fluid(10, 40_000), **CELL).notes == ()
    # what is forgotten between two frames cannot be integrated: here most of the viscosity
    coarse = shear_viscosity(fluid(10, 40_000, memory=0.5), **CELL)
    assert not coarse.converged and any("within one frame" in note for note in coarse.notes)
    # with a slow part beside the fast one, which carries most of it, it can
    both = fluid(10, 40_000, memory=10.0) + fluid(11, 40_000, memory=0.3, size=1.2)
    mixed = shear_viscosity(both, **CELL)
    assert mixed.converged and any("within one frame" in note for note in mixed.notes)


@pytest.mark.parametrize(
    ("stress", "change", "message"),
    [
        (np.ones((100, 5)), {}, r"\(frames, 6\)"),
        (np.ones(100), {}, r"\(frames, 6\)"),
        ([], {}, "no run"),
        (np.full((100, 6), np.nan), {}, "not finite"),
        (np.ones((20, 6)), {}, "65 or more"),
        (np.ones((0, 6)), {}, "65 or more"),
        (np.ones((100, 6)), {"volume_A3": 0.0}, "volume_A3"),
        (np.ones((100, 6)), {"temperature_K": np.nan}, "temperature_K"),
        (np.ones((100, 6)), {"frame_interval_ps": -1.0}, "frame_interval_ps"),
        (np.ones((100, 6)), {"regime_ps": (0.5, 0.6)}, "regime_ps"),
        (np.ones((100, 6)), {"regime_ps": (0.1, 2.0)}, "regime_ps"),
    ],
)
def test_refusals(stress, change, message):
    with pytest.raises(DataError, match=message):
        shear_viscosity(stress, **{**CELL, **change})


def test_no_stress_at_all():
    eta = shear_viscosity(np.ones((200, 6)) * [1, 1, 1, 0, 0, 0], **CELL)
    assert not eta.converged and np.isnan(eta.value_Pa_s)
