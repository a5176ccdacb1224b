"""Straight lines in 1/T: what went in comes out, as often as its errors say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.transport import fit_arrhenius
from tammann.units import BOLTZMANN_EV_PER_K

T = np.array([1000.0, 1200.0, 1500.0, 1800.0, 2200.0])


def law(temperature, energy=0.9, ln_prefactor=-16.0):
    return np.exp(ln_prefactor - energy / (BOLTZMANN_EV_PER_K * np.asarray(temperature)))


@given(st.floats(-3, 5), st.floats(-40, 40), st.lists(st.floats(0.001, 0.2), min_size=5, max_size=5))
def test_exact_points_give_back_the_law(energy, ln_prefactor, relative):
    values = law(T, energy, ln_prefactor)
    fit = fit_arrhenius(T, values, np.array(relative) * values)
    assert fit.activation_energy_eV == pytest.approx(energy, abs=1e-8)
    assert fit.ln_prefactor == pytest.approx(ln_prefactor, abs=1e-6)
    np.testing.assert_allclose(fit.predict(T)[0], values, rtol=1e-7)
    assert fit.chi2_per_dof == pytest.approx(0.0, abs=1e-6)
    assert not fit.scaled


def test_errors_by_hand():
    # Two points: Ea = kB ln(y2/y1) / (1/T1 - 1/T2), and its error is that of the logarithms.
    fit = fit_arrhenius([1000, 2000], [1.0, 3.0], [0.1, 0.15])
    arm = 1 / 1000 - 1 / 2000
    assert fit.activation_energy_eV == pytest.approx(BOLTZMANN_EV_PER_K * np.log(3) / arm)
    assert fit.activation_energy_stderr_eV == pytest.approx(BOLTZMANN_EV_PER_K * np.hypot(0.1, 0.05) / arm)
    value, error = fit.predict([1000.0, 2000.0])
    np.testing.assert_allclose(value, [1.0, 3.0])
    np.testing.assert_allclose(error, [0.1, 0.15])
    assert np.isnan(fit.chi2_per_dof) and any("Two points" in note for note in fit.notes)


def test_covariance_against_the_normal_equations():
    relative = np.array([0.02, 0.1, 0.05, 0.03, 0.2])
    fit = fit_arrhenius(T, law(T), relative * law(T))
    X = np.stack([np.ones(5), -1 / (BOLTZMANN_EV_PER_K * T)], axis=1)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(X.T @ np.diag(relative**-2) @ X), rtol=1e-8)


@pytest.mark.parametrize("known", [True, False])
def test_the_interval_holds_the_truth_as_often_as_it_says(known):
    rng = np.random.default_rng(3)
    relative = np.array([0.03, 0.05, 0.08, 0.04, 0.06]) if known else np.full(5, 0.05)
    repeats = 2000
    held = {"energy": 0, "line": 0, "between": 0}
    scaled = 0
    for _ in range(repeats):
        values = law(T) * np.exp(relative * rng.standard_normal(5))
        fit = fit_arrhenius(T, values, relative * values if known else None)
        scaled += fit.scaled
        reach = fit.quantile(0.95) * fit.activation_energy_stderr_eV
        held["energy"] += abs(fit.activation_energy_eV - 0.9) < reach
        for name, at in (("line", 800.0), ("between", 1600.0)):
            low, high = fit.interval(at)
            held[name] += low < law(at) < high
    for name, count in held.items():
        assert 0.935 < count / repeats < 0.97, (name, count / repeats)
    assert scaled == repeats if not known else scaled / repeats < 0.02


def test_a_bent_line_is_named_and_its_errors_grow():
    bent = law(T) + law(T, 0.2, -24.0)
    fit = fit_arrhenius(T, bent, 0.01 * bent)
    assert fit.scaled and fit.p_value < 0.01
    assert "one line" in fit.notes[0]
    straight = fit_arrhenius(T, law(T), 0.01 * law(T))
    ratio = fit.activation_energy_stderr_eV / straight.activation_energy_stderr_eV
    assert ratio == pytest.approx(np.sqrt(fit.chi2_per_dof))


def test_interval_is_asymmetric_and_widens_outside():
    fit = fit_arrhenius(T, law(T), 0.1 * law(T))
    value, _ = fit.predict(900.0)
    low, high = fit.interval(900.0)
    assert high - value > value - low > 0
    assert high / value == pytest.approx(value / low)
    widths = np.divide(*reversed(fit.interval([700.0, 1000.0, 1450.0])))
    assert widths[0] > widths[1] > widths[2]


@given(st.floats(1e-20, 1e20))
def test_a_change_of_unit_changes_only_the_prefactor(unit):
    values = law(T) * np.array([1.1, 0.9, 1.0, 1.05, 0.97])
    one, other = (fit_arrhenius(T, k * values, 0.1 * k * values) for k in (1.0, unit))
    assert other.activation_energy_eV == pytest.approx(one.activation_energy_eV, abs=1e-9)
    assert other.ln_prefactor - one.ln_prefactor == pytest.approx(np.log(unit), abs=1e-8)
    assert other.chi2_per_dof == pytest.approx(one.chi2_per_dof, rel=1e-6)


def test_a_very_uncertain_point_is_named():
    values = law(T)
    fit = fit_arrhenius(T, values, values * [0.5, 0.1, 0.1, 0.1, 0.1])
    assert any("1000 K is 50 %" in note for note in fit.notes)


@pytest.mark.parametrize(
    ("temperatures", "values", "stderr", "message"),
    [
        ([1000.0], [1.0], [0.1], "at least two"),
        ([1000.0, 1000.0], [1.0, 2.0], [0.1, 0.1], "at least two"),
        ([1000.0, 1500.0], [1.0, 0.0], [0.1, 0.1], "1500 K are 0"),
        ([1000.0, 1500.0], [1.0, np.nan], [0.1, 0.1], "1500 K are nan"),
        ([1000.0, 1500.0], [1.0, 2.0], [0.1, np.nan], "1500 K is nan"),
        ([1000.0, 1500.0], [1.0, 2.0], [0.1, 0.0], "above zero"),
        ([1000.0, 1500.0], [1.0, 2.0], [0.1], "one standard error"),
        ([1000.0, 1500.0], [1.0, 2.0], None, "three or more"),
        ([1000.0, -1500.0], [1.0, 2.0], None, "above 0 K"),
        ([1000.0, 1500.0], [1.0, 2.0, 3.0], None, "one value for each"),
    ],
)
def test_refusals(temperatures, values, stderr, message):
    with pytest.raises(DataError, match=message):
        fit_arrhenius(temperatures, values, stderr)
    fit = fit_arrhenius(T, law(T), None)
    with pytest.raises(DataError, match="confidence"):
        fit.interval(1000.0, confidence=95)
    with pytest.raises(DataError, match="above 0 K"):
        fit.predict(0.0)
