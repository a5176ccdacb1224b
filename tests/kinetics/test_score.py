"""The score: limits, overflow, and what must vanish."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.kinetics import PUBLIC_CODE, KineticsOptions
from tammann.kinetics.score import (
    driving_factor,
    melt_exchange,
    net_factor,
    nucleation_factor,
    reduced_growth,
    score,
    sigma1,
    sigma2,
)

REPAIRED = KineticsOptions()
LITERAL = KineticsOptions(score="literal")


@given(st.floats(-1e8, 1e8))
def test_softplus_never_overflows(x):
    value = float(sigma1(x))
    assert value == pytest.approx(max(0.0, x) + math.log1p(math.exp(-3 * abs(x))) / 3, rel=1e-12)


def test_sigma1_of_paper_and_code():
    assert float(sigma1(0.0)) == pytest.approx(math.log(2) / 3)
    assert float(sigma1(1.5, linear_above=2.0)) == pytest.approx(float(sigma1(1.5)))
    assert float(sigma1(2.5, linear_above=2.0)) == 2.5


def test_tammann_factor():
    assert float(sigma2(0.8)) == pytest.approx(0.5 * math.log(2))
    assert float(sigma2(0.8, prefactor=1.0)) == pytest.approx(math.log(2))
    assert float(sigma2(1e4)) == pytest.approx(0.5 * (14e4 - 11.2))


def test_driving_factor_is_one_plus_erf():
    grid = np.linspace(-0.2, 0.2, 9)
    expected = [1 + math.erf(-35 * (g + 0.03)) for g in grid]
    np.testing.assert_allclose(driving_factor(grid), expected, atol=1e-12)
    assert float(driving_factor(0.5)) > 0.0  # far uphill still resolved


@given(st.floats(0, 50), st.floats(300, 2000), st.floats(1200, 2500))
def test_repaired_score_vanishes_at_equilibrium_uphill_and_without_flux(x, T, Tm):
    assert float(score(x, 0.0, T, Tm, options=REPAIRED)) == 0.0
    assert float(score(x, 0.05, T, Tm, options=REPAIRED)) == 0.0
    assert float(score(0.0, -0.3, T, Tm, options=REPAIRED)) == 0.0
    assert float(score(np.nan, 0.0, T, Tm, options=REPAIRED)) == 0.0
    assert float(score(x, 0.01, T, Tm, options=REPAIRED, local_equilibrium=True)) == 0.0


def test_literal_score_does_neither():
    floor = math.log(2) / 3 * float(sigma2(1500 / 1891))
    assert float(score(0.0, -0.3, 1500, 1891, options=LITERAL)) == pytest.approx(floor)
    assert float(score(0.0, 0.3, 1500, 1891, options=LITERAL)) == pytest.approx(floor)


def test_thermodynamic_score_is_bounded_by_the_onset():
    onset = float(sigma2(1500 / 1891))
    assert float(score(np.nan, -5.0, 1500, 1891, options=REPAIRED)) == pytest.approx(onset)
    assert float(score(np.nan, -5.0, 1500, 1891, options=LITERAL)) == pytest.approx(onset)
    half = 0.5 * float(driving_factor(-0.02)) * onset
    assert float(score(np.nan, -0.02, 1500, 1891, options=LITERAL)) == pytest.approx(half)


def test_net_factor_near_equilibrium_is_linear():
    kT = 8.617333262e-5 * 1300
    assert float(net_factor(-1e-9, 1300)) == pytest.approx(1e-9 / kT, rel=1e-6)
    assert float(net_factor(-10.0, 1300)) == 1.0


@pytest.mark.parametrize("local", [False, True])
def test_the_repaired_score_falls_to_zero_in_proportion_to_the_driving_force(local):
    """Between local equilibria x is itself in proportion to -dG and carries no net factor; otherwise the factor is."""
    dG = np.array([-1e-6, -1e-7, -1e-8])
    x = 40.0 * -dG if local else np.full(3, 0.7)
    S = score(x, dG, 1400.0, 1891.0, options=REPAIRED, local_equilibrium=local)
    np.testing.assert_allclose(S / -dG, S[-1] / -dG[-1], rtol=1e-3)
    onset = float(sigma2(1400.0 / 1891.0))
    rest = float(sigma1(0.7) - sigma1(0.0)) / (8.617333262e-5 * 1400)
    assert S[-1] / -dG[-1] == pytest.approx(onset * (20.0 if local else rest), rel=1e-3)


def test_reduced_growth_goes_as_one_over_radius_squared():
    one = reduced_growth(1e-7, -0.2, 1200, scale=1e8, radius_m=1e-7)
    assert float(reduced_growth(1e-7, -0.2, 1200, scale=1e8, radius_m=2e-7)) == pytest.approx(float(one) / 4)
    by_hand = 1e-7 * 2.0 / (1e-14 * 8.617333262e-5 * 1200 * 1e8)
    assert float(one) == pytest.approx(by_hand, rel=1e-9)


def test_a_growth_constant_that_vanishes_with_the_driving_force_takes_no_second_one():
    one, same = (reduced_growth(1e-7, dG, 1200, scale=1e8, local_equilibrium=True) for dG in (-1e-6, -0.3))
    assert float(one) == float(same) == pytest.approx(1e-7 / (1e-14 * 8.617333262e-5 * 1200 * 1e8), rel=1e-9)
    # The literal score has dG* whatever drives the layer.
    near, far = (
        reduced_growth(1e-7, dG, 1200, scale=1e8, options=LITERAL, local_equilibrium=True) for dG in (-1e-6, -0.3)
    )
    assert float(far) > 10 * float(near)


def test_public_code_choices():
    assert float(score(100.0, -0.3, 1500, 1891, options=PUBLIC_CODE)) == pytest.approx(20.0)
    uphill = float(score(100.0, 0.02, 1500, 1891, options=PUBLIC_CODE))
    expected = 0.5 * (1 + math.erf(-35 * 0.05)) * float(sigma2(1500 / 1891, prefactor=1.0))
    assert uphill == pytest.approx(expected)


def test_nucleation_barrier_falls_with_gamma():
    values = [
        float(nucleation_factor(-0.05, 1300, gamma_J_per_m2=g, volume_A3_per_atom=13.0)) for g in (0.0, 0.01, 0.05)
    ]
    assert values[0] == 1.0 > values[1] > values[2] >= 0.0
    gamma, dg = 0.02, 0.05 * 1.602176634e-19 / 13e-30
    barrier = 16 * math.pi * gamma**3 / (3 * dg**2)
    value = float(nucleation_factor(-0.05, 1300, gamma_J_per_m2=gamma, volume_A3_per_atom=13.0))
    assert value == pytest.approx(math.exp(-barrier / (1.380649e-23 * 1300)))


def test_melt_exchange():
    assert float(melt_exchange(0.925, above=None)) == pytest.approx(0.5)
    grid = melt_exchange(np.linspace(0, 3, 50), above=None)
    assert (np.diff(grid) > 0).all() and 0 <= grid[0] and grid[-1] <= 1


@given(st.floats(0.3, 0.95))
def test_below_the_cut_nothing_moves_and_the_cut_is_no_step(above):
    assert (melt_exchange(np.linspace(0, above, 20), above=above) == 0.0).all()
    hotter = melt_exchange(np.linspace(above, 3, 50), above=above)
    assert (np.diff(hotter) > 0).all() and hotter[-1] < 1
    assert 0 < float(melt_exchange(above + 1e-6, above=above)) < 1e-4
    assert float(melt_exchange(1e6, above=above)) == pytest.approx(1.0)
    raw = melt_exchange([above, 1.0], above=None)
    assert float(melt_exchange(1.0, above=above)) == pytest.approx((raw[1] - raw[0]) / (1 - raw[0]))
