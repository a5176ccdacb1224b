"""What is said of learned coefficients in a run, and when."""

import numpy as np
import pytest

from tammann.transport import OnsagerCoefficients, TransportTable
from tammann.transport.learned import LEARNED, is_learned, learned_warnings

SAID = "Learned, not measured: L of Li2O."


def entry(formula, temperature_K, source):
    return OnsagerCoefficients(formula, temperature_K, ("Li", "O"), np.eye(2), np.ones(2), source=source)


@pytest.fixture
def table():
    learned = [entry("Li2O", T, f"{LEARNED}: Li by hybrid") for T in (1000.0, 1500.0)]
    measured = [entry("Li2O2", T, "molecular dynamics") for T in (800.0, 900.0)]
    return TransportTable("both", "x", (*learned, *measured), None, (SAID, "About volumes."))


def test_within_its_temperatures_only_the_flag_is_said(table):
    assert [is_learned(one) for one in table.entries] == [True, True, False, False]
    assert learned_warnings(table, ["Li2O"], coldest_K=1000.0, hottest_K=1500.0) == (SAID,)


@pytest.mark.parametrize(("coldest", "hottest"), [(300.0, 1500.0), (1000.0, 1501.0)])
def test_beyond_its_temperatures_that_is_said_too(table, coldest, hottest):
    said, beyond = learned_warnings(table, ["Li4O2"], coldest_K=coldest, hottest_K=hottest)  # of one composition
    assert said == SAID and "Li2O (1000 to 1500 K)" in beyond and f"{coldest:g} and {hottest:g} K" in beyond


def test_nothing_is_said_where_no_learned_phase_occurs(table):
    assert learned_warnings(table, ["Li2O2", "O2"], coldest_K=300.0, hottest_K=2000.0) == ()
    assert learned_warnings(None, ["Li2O"], coldest_K=300.0, hottest_K=2000.0) == ()
