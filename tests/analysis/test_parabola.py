"""The parabola: exact without noise, honest errors, refused in a sentence where growth follows another law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import layered_history
from tammann.analysis import fit_parabola, parabolic_growth
from tammann.analysis.parabola import hold_frames
from tammann.errors import ResultError
from tammann.history import History

TIME = (np.arange(25) / 24) ** 2 * 7200.0


@settings(max_examples=25, deadline=None)
@given(k=st.floats(1e-24, 1e-10), start=st.floats(0.0, 2.0))
def test_a_parabola_is_found_at_any_scale(k, start):
    h = np.sqrt(start * 2 * k * TIME[-1] * 0.1 + 2 * k * TIME)
    fit = fit_parabola(TIME, h)
    assert fit.described and fit.k_m2_per_s == pytest.approx(k, rel=1e-5)


def test_the_error_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    truth, inside, total = 1e-17, 0, 400
    h = np.sqrt(2 * truth * TIME)
    for _ in range(total):
        fit = fit_parabola(TIME, h + rng.normal(0, 0.01 * h[-1], h.size), tolerance=0.2)
        inside += abs(fit.k_m2_per_s - truth) < fit.k_stderr_m2_per_s
    # 68.3 % expected of a normal error, a little less of Student's with 23 degrees of freedom
    assert inside / total == pytest.approx(0.683, abs=0.1)


@pytest.mark.parametrize(
    ("h", "why"),
    [
        (1e-7 * (TIME / 7200), "growth of X is not parabolic: the parabola misses its thickness by"),
        (1e-7 * (TIME / 7200) ** 0.2, "growth of X is not parabolic"),
        (np.full(25, 1e-7), "X does not grow during this hold"),
        (1e-7 * (1 - 0.5 * TIME / 7200), "X shrinks from 100 nm to 50 nm"),
        (np.zeros(25), "there is no X during this hold"),
        (1e-7 * (1 + 0.1 * TIME / 7200), "a straight line describes as well as a parabola"),
        (1e-7 * np.minimum(np.sqrt(TIME / 2000), 1), "growth of X is not parabolic"),  # a reactant is used up
    ],
)
def test_other_laws_are_refused(h, why):
    fit = fit_parabola(TIME, h, phase="X")
    assert not fit.described and why in fit.reason and np.isnan(fit.k_m2_per_s) and fit.reason in repr(fit)


def test_what_the_mesh_cannot_resolve_is_no_misfit_and_no_growth():
    h = np.sqrt(2e-18 * TIME) + 3e-9 * (-1.0) ** np.arange(25)
    assert "not parabolic" in fit_parabola(TIME, h, tolerance=0.02).reason
    assert fit_parabola(TIME, h, tolerance=0.02, resolution_m=4e-9).described
    assert "cells, too few to judge" in fit_parabola(TIME, h, resolution_m=4e-8).reason


def test_few_times_are_refused():
    assert "only 4 times" in fit_parabola(TIME[:4], np.sqrt(TIME[:4])).reason
    with pytest.raises(ValueError, match="shape"):
        fit_parabola(TIME, TIME[:3])


def test_the_layer_of_a_run_gives_its_constant():
    k = 2e-18
    h = np.sqrt(2 * k * TIME)
    bounds = np.column_stack([np.zeros(25), 5e-7 - h / 2, 5e-7 + h / 2, np.full(25, 1e-6)])
    run = layered_history(bounds, ["BaO", "BaTiO3", "TiO2"], times_h=TIME / 3600)
    fit = parabolic_growth(run, "BaTiO3")
    assert fit.k_m2_per_s == pytest.approx(k, rel=1e-3) and fit.k_stderr_m2_per_s < 0.01 * k
    assert (fit.time_unit, fit.temperature_K, fit.phase) == ("s", 1300.0, "BaTiO3")
    assert "shrinks" in parabolic_growth(run, "BaO").reason


def test_only_frames_of_the_hold_count():
    run = History.example("reactive-diffusion")
    for stage, T in ((0, 1200.0), (1, 1500.0)):
        frames = hold_frames(run, stage)
        assert len(frames) == 17 and (run.temperature_K[frames] == T).all()
    assert parabolic_growth(run, "BaTiO3", stage=0, particle=1).time_unit == "nominal s"
    with pytest.raises(ResultError, match="phase 'MgO' is not in this run"):
        parabolic_growth(run, "MgO")
    with pytest.raises(ResultError, match="stage 5 does not exist"):
        parabolic_growth(run, "BaTiO3", stage=5)
