"""What a calculator is asked, whichever shape its answers have."""

import numpy as np
import pytest

from potentials.broken import Pairs, copper, graded, sound
from tammann.errors import DataError
from tammann.potentials.response import judged, respond, tensor_of


def test_stress_is_the_same_tensor_from_six_and_nine_numbers():
    tensor = np.array([[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]])
    for shape in (np.array([1.0, 2, 3, 4, 5, 6]), tensor, tensor.ravel()):
        np.testing.assert_array_equal(tensor_of(shape), tensor)


def test_atoms_outside_the_cell_are_the_same_atoms():
    inside = copper()
    shifted = type(inside)(inside.symbols, inside.positions_A + 3 * inside.cell_A[0], inside.cell_A)
    one, other = (respond(sound(), c) for c in (inside, shifted))
    assert one.energy_eV == pytest.approx(other.energy_eV)
    np.testing.assert_allclose(one.forces_eV_per_A, other.forces_eV_per_A, atol=1e-10)
    assert one.grade is None


def test_the_grade_is_read_and_the_stop_taken_off():
    calculator = graded()
    calculator.stop_above = 5.0
    patient = judged(calculator)
    assert patient.stop_above is None and calculator.stop_above == 5.0
    assert respond(patient, copper()).grade == pytest.approx(1.0)
    assert judged(patient) is patient


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="mine returned numbers that are not finite"):
        respond(Pairs(lambda r: r * np.nan, lambda r: r * 0.0), copper(), name="mine")
