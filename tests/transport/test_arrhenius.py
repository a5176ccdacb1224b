"""Interpolation in 1/T."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.transport import arrhenius_weights, interpolate_arrhenius

TABLE = np.array([750.0, 1000.0, 1250.0, 1500.0, 1750.0])


def along(values, temperature, **options):
    lower, upper, weight = arrhenius_weights(TABLE, temperature, **options)
    return interpolate_arrhenius(values[lower], values[upper], weight)


@given(st.floats(100, 40000), st.floats(1e-20, 1e20), st.floats(750, 1750))
def test_exact_for_one_activation_energy(barrier, prefactor, T):
    values = prefactor * np.exp(-barrier / TABLE)
    assert along(values, [T])[0] == pytest.approx(prefactor * np.exp(-barrier / T), rel=1e-9)


def test_values_of_the_table_are_kept():
    values = np.array([3.0, 1.0, 0.0, 7.0, 2.0])
    np.testing.assert_allclose(along(values, TABLE), values, rtol=1e-12)
    assert along(values, [1100.0])[0] == 0.0


def test_beyond_the_table():
    values = np.exp(-9000.0 / TABLE)
    assert along(values, [500.0])[0] == pytest.approx(np.exp(-9000.0 / 500.0))
    assert along(values, [500.0], below="hold")[0] == pytest.approx(values[0])
    assert along(values, [2000.0])[0] == pytest.approx(values[-1])
    for options, T in (({"below": "refuse"}, 700.0), ({"above": "refuse"}, 1800.0)):
        with pytest.raises(DataError, match=f"{T:g} is outside"):
            along(values, [T], **options)


def test_noise_does_not_make_a_cold_solid_fast():
    values = np.array([5.0, 1.0, 2.0, 3.0, 4.0])
    assert along(values, [400.0])[0] == pytest.approx(5.0)


def test_nearest():
    values = np.arange(5.0)
    assert along(values, [1100.0, 1200.0], nearest=True).tolist() == [1.0, 2.0]
