"""What a matrix of transport coefficients must satisfy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tammann.errors import DataError
from tammann.transport import OnsagerCoefficients, nearest_positive_semidefinite, species_masses


def coefficients(L, **more):
    L = np.asarray(L, dtype=float)
    species = ("Ba", "Ti", "O")[: len(L)]
    return OnsagerCoefficients("BaTiO3", 1500.0, species, L, np.abs(np.diag(L)) + 1.0, **more)


@given(arrays(float, (3, 3), elements=st.floats(-1e3, 1e3)))
def test_projection_is_semidefinite_idempotent_and_nearest(matrix):
    matrix = matrix + matrix.T
    near = nearest_positive_semidefinite(matrix)
    values, vectors = np.linalg.eigh(matrix)
    size = np.abs(matrix).max() + 1e-12
    assert np.linalg.eigvalsh(near)[0] >= -1e-12 * size
    np.testing.assert_allclose(nearest_positive_semidefinite(near), near, atol=1e-10 * size)
    # No semidefinite matrix is nearer than the negative part is large.
    assert np.linalg.norm(near - matrix) == pytest.approx(np.linalg.norm(np.minimum(values, 0)), abs=1e-9 * size)


def test_independent_ions_have_no_correlation():
    ions = OnsagerCoefficients("BaTiO3", 1500.0, ("Ba", "Ti", "O"), np.diag([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    assert ions.correlation_factor.tolist() == [0.0, 0.0, 0.0]
    assert ions.distinct.tolist() == [0.0, 0.0, 0.0]
    assert ions.dissipative is not None and np.array_equal(ions.dissipative, ions.L)


def test_barycentric_matrix_has_no_deviation():
    m = species_masses(("Ba", "Ti", "O"))
    frame = np.eye(3) - np.outer(np.array([0.2, 0.2, 0.6]), m) / (m @ [0.2, 0.2, 0.6])
    L = frame @ np.diag([1.0, 2.0, 30.0]) @ frame.T
    assert coefficients(L).centre_of_mass_deviation == pytest.approx(0.0, abs=1e-12)
    L = L.copy()
    L[2, 2] *= 1.5
    assert coefficients(L).centre_of_mass_deviation > 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"L": [[1.0, 2.0], [0.0, 1.0]]}, "not symmetric"),
        ({"L": [[1.0]]}, "shape"),
        ({"L": [[np.nan, 0.0], [0.0, 1.0]]}, "not finite"),
        ({"L_self": [-1.0, 1.0]}, "negative"),
        ({"temperature_K": -5.0}, "above 0 K"),
        ({"species": ("Ba", "Ba")}, "distinct"),
        ({"L_stderr": [[-1.0, 0.0], [0.0, 0.0]]}, "negative"),
    ],
)
def test_refusals(change, message):
    good = {"formula": "BaO", "temperature_K": 1500.0, "species": ("Ba", "O"), "L": np.eye(2), "L_self": np.ones(2)}
    OnsagerCoefficients(**good)
    with pytest.raises(DataError, match=message):
        OnsagerCoefficients(**{**good, **change})


def test_unknown_element():
    with pytest.raises(DataError, match="Zz"):
        species_masses(("Zz",))
