"""Periodic images slow diffusion by kB T / (eta L): limits, one number by hand, and cells it does not hold for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tammann.errors import DataError
from tammann.transport.finite_size import correct_finite_size

MELT = {"cell_A": 20.0, "temperature_K": 2000.0, "viscosity_Pa_s": 2e-3, "viscosity_stderr": 2e-4}


def test_by_hand():
    # 2.837297 * 1.380649e-23 * 2000 / (6 pi * 2e-3 * 20e-10) = 1.0391e-9 m^2/s
    corrected = correct_finite_size([1e-9, 3e-9], D_stderr=[1e-10, 0.0], **MELT)
    assert corrected.correction_m2_per_s == pytest.approx(1.0391e-9, rel=1e-4)
    np.testing.assert_allclose(corrected.D_m2_per_s, [2.0391e-9, 4.0391e-9], rtol=1e-4)
    assert corrected.correction_stderr == pytest.approx(1.0391e-10, rel=1e-4)
    np.testing.assert_allclose(corrected.D_stderr, [np.hypot(1e-10, 1.0391e-10), 1.0391e-10], rtol=1e-4)
    assert "larger than a coefficient" in corrected.notes[-1]


@pytest.mark.parametrize("change", [{"cell_A": np.inf}, {"viscosity_Pa_s": np.inf}])
def test_nothing_is_added_in_the_limits(change):
    corrected = correct_finite_size(1e-9, D_stderr=1e-10, **{**MELT, **change})
    assert corrected.correction_m2_per_s == 0.0 and corrected.correction_stderr == 0.0
    assert float(corrected.D_m2_per_s) == 1e-9 and float(corrected.D_stderr) == 1e-10
    assert corrected.notes == ()


@given(st.floats(1.5, 5.0))
def test_goes_as_one_over_the_edge_and_the_viscosity(k):
    one = correct_finite_size(1e-9, **MELT).correction_m2_per_s
    assert correct_finite_size(1e-9, **{**MELT, "cell_A": 20 * k}).correction_m2_per_s == pytest.approx(one / k)
    eta = MELT["viscosity_Pa_s"] * k
    assert correct_finite_size(1e-9, **{**MELT, "viscosity_Pa_s": eta}).correction_m2_per_s == pytest.approx(one / k)


def test_a_turned_or_fluctuating_cube_is_a_cube():
    from scipy.spatial.transform import Rotation

    turned = 20 * Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
    expected = correct_finite_size(1e-9, **MELT).correction_m2_per_s
    for cell in (turned, np.stack([np.eye(3) * edge for edge in (19.5, 20.0, 20.5)])):
        corrected = correct_finite_size(1e-9, **{**MELT, "cell_A": cell})
        assert corrected.correction_m2_per_s == pytest.approx(expected)
        assert corrected.box_length_A == pytest.approx(20.0)


SHEARED = 20 * np.eye(3)
SHEARED[1, 0] = 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell_A": np.diag([20.0, 20.0, 21.0])}, "cube"),
        ({"cell_A": SHEARED}, "87.1 degrees, expected a cube"),
        ({"cell_A": np.zeros((3, 3))}, "length zero"),
        ({"cell_A": -1.0}, "above 0 Angstrom"),
        ({"cell_A": [20.0, 20.0, 20.0]}, "shape"),
        ({"viscosity_Pa_s": 0.0}, "viscosity_Pa_s"),
        ({"viscosity_Pa_s": np.nan}, "viscosity_Pa_s"),
        ({"viscosity_stderr": None}, "viscosity_stderr"),
        ({"temperature_K": 0.0}, "temperature_K"),
        ({"D_stderr": [1.0, 2.0]}, "D_stderr"),
    ],
)
def test_refusals(change, message):
    with pytest.raises(DataError, match=message):
        correct_finite_size(1e-9, **{**MELT, **change})


def test_a_cell_within_one_percent_passes():
    assert correct_finite_size(1e-9, **{**MELT, "cell_A": np.diag([20.0, 20.1, 19.9])}).correction_m2_per_s > 0
