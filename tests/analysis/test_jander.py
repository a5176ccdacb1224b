"""Jander's law: exact without noise, honest errors, refused where it does not hold."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from tammann.analysis import fit_jander, jander_curve, jander_fit
from tammann.errors import ResultError
from tammann.history import History


def test_jander_curve_obeys_the_law():
    time = np.linspace(0.1, 30, 50)
    y = jander_curve(time, rate=0.01)
    inside = y < 1
    np.testing.assert_allclose(1 - np.cbrt(1 - y[inside]), np.sqrt(2 * 0.01 * time[inside]), rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(1e-6, 1e3), offset=st.floats(0.0, 0.1))
def test_jander_fit_is_exact_without_noise(rate, offset):
    time = np.linspace(0.002, 0.2, 30) / rate
    fit = fit_jander(time, jander_curve(time, rate, offset), standard_error=0.01, offset=True)
    assert fit.described
    assert fit.rate == pytest.approx(rate, rel=1e-5)
    assert fit.offset == pytest.approx(offset, abs=1e-6)


def test_jander_fit_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    time = np.linspace(0.5, 30, 25)
    truth, inside, total = 0.008, 0, 400
    for _ in range(total):
        y = jander_curve(time, truth) + rng.normal(0, 0.01, time.size)
        fit = fit_jander(time, y, standard_error=0.01, tolerance=0.05)
        assert fit.described
        inside += abs(fit.rate - truth) < fit.rate_stderr
    # 68.3 % expected; four standard deviations of a binomial over 400 draws are 9.3 %.
    assert inside / total == pytest.approx(0.683, abs=0.093)


@pytest.mark.slow
def test_jander_fit_covers_the_truth_with_correlated_realizations():
    rng = np.random.default_rng(8)
    time = np.linspace(0.5, 30, 25)
    truth, inside, total, runs = 0.008, 0, 300, 5
    limit = student.ppf(0.5 + 0.683 / 2, runs - 1)
    for _ in range(total):
        rates = truth * (1 + 0.05 * rng.normal(size=runs))  # each run is off as a whole: points are correlated
        y = np.array([jander_curve(time, rate) for rate in rates]) + rng.normal(0, 0.002, (runs, time.size))
        fit = fit_jander(time, y)
        assert fit.degrees_of_freedom == runs - 1
        inside += abs(fit.rate - truth) < limit * fit.rate_stderr
    assert inside / total == pytest.approx(0.683, abs=4 * np.sqrt(0.683 * 0.317 / total))


def test_jander_fit_flags_what_it_does_not_describe(history):
    time = np.linspace(0, 10, 40)
    first_order = 1 - np.exp(-0.3 * time)
    fit = fit_jander(time, first_order, standard_error=0.003)
    assert not fit.described
    assert np.isnan(fit.rate) and np.isnan(fit.rate_stderr)
    assert "not parabolic" in fit.reason
    assert fit.largest_misfit > 0.03
    few = fit_jander(time[:3], first_order[:3])
    assert "points" in few.reason and not few.described
    falling = fit_jander(time, np.linspace(0.5, 0.4, 40), standard_error=0.001, offset=True)
    assert not falling.described
    assert not jander_fit(history).described  # the limiting precursor is long gone in the last step


def test_jander_fit_of_a_history_uses_the_hold_and_the_units(history):
    hold = np.flatnonzero((history.stage == 0) & (history.temperature_K == 1100.0))
    truth = np.array([0.010, 0.011, 0.009, 0.010])
    moles = history.moles.copy()
    time = history.time_h[hold] - history.time_h[hold[0]]
    for r in range(4):
        moles[r, hold, 1] = 1 - jander_curve(time, truth[r], 0.05)
    run = replace(history, moles=moles)
    fit = jander_fit(run, stage=0, precursor="TiO2", radius_m=1e-7)
    assert fit.described and fit.time_unit == "h"
    assert fit.rate == pytest.approx(truth.mean(), rel=1e-6)
    assert fit.rate_stderr == pytest.approx(truth.std(ddof=1) / 2, rel=1e-6)
    assert fit.K_D_m2_per_s == pytest.approx(truth.mean() * 1e-14 / 3600)
    sweeps = jander_fit(replace(run, calibrated=False), stage=0, precursor="TiO2", radius_m=1e-7)
    assert sweeps.time_unit == "sweep"
    assert sweeps.rate == pytest.approx(truth.mean() / 100, rel=1e-6)
    assert np.isnan(sweeps.K_D_m2_per_s)
    nominal = jander_fit(replace(run, calibrated=False, lattice=None), stage=0, precursor="TiO2", radius_m=1e-7)
    assert nominal.time_unit == "nominal h" and nominal.rate == fit.rate and np.isnan(nominal.K_D_m2_per_s)
    with pytest.raises(ResultError, match="stage 5"):
        jander_fit(run, stage=5)


def test_fit_jander_refuses_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"expected \(T,\) and \(R, T\)"):
        fit_jander(np.arange(4.0), np.zeros(5))
    with pytest.raises(ValueError, match="one series"):
        fit_jander(np.arange(4.0), np.zeros((2, 4)), standard_error=0.1)


def test_a_fit_shows_itself_in_one_line():
    t = np.linspace(1, 20, 20)
    fit = fit_jander(t, jander_curve(t, rate=0.01), standard_error=0.01)
    assert repr(fit).startswith("JanderFit(rate 0.01 +/- 0.000") and repr(fit).endswith(" per h)")
    assert dict(fit.table().to_numpy())["points"] == fit.points
    assert repr(fit_jander(t, 0 * t)) == "JanderFit(only 0 points have a conversion between 0.01 and 0.95)"


def test_particles_of_reactive_diffusion_are_judged_like_others():
    fit = jander_fit(History.example("reactive-diffusion"), stage=0, precursor="TiO2")
    assert fit.time_unit == "nominal h" and (fit.described or fit.reason)
