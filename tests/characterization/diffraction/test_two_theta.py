import numpy as np
import pytest

from tammann.characterization.diffraction import q_of, two_theta_of, wavelength_of
from tammann.characterization.diffraction.two_theta import WAVELENGTHS_A
from tammann.errors import DataError


def test_there_and_back():
    angles = np.array([10.0, 45.0, 120.0])
    np.testing.assert_allclose(two_theta_of(q_of(angles, "MoKa1"), "MoKa1"), angles)


def test_wavelengths_agree_with_those_of_pymatgen():
    from pymatgen.analysis.diffraction.xrd import WAVELENGTHS

    for name, length in WAVELENGTHS_A.items():
        assert length == pytest.approx(WAVELENGTHS[name], rel=1e-4), name


@pytest.mark.parametrize("wavelength", ["CuKx", 0.0, -1.0, float("nan")])
def test_wavelengths_that_are_none_are_refused(wavelength):
    with pytest.raises(DataError, match="wavelength"):
        wavelength_of(wavelength)


def test_angles_beyond_backscattering_are_refused():
    with pytest.raises(DataError, match="0 to 180"):
        q_of(np.array([190.0]), 1.0)
