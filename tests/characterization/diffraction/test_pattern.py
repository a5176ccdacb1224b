import numpy as np
import pytest

from tammann.characterization.diffraction import debye_pattern
from tammann.characterization.diffraction.pattern import check_q
from tammann.errors import DataError
from tammann.structures.configuration import Configuration


def test_a_null_alloy_has_an_intensity_and_no_structure_factor():
    """Titanium (-3.37 fm) and zirconium (7.16 fm) cancel at 68 % of Ti."""
    rng = np.random.default_rng(1)
    alloy = Configuration(("Ti",) * 680 + ("Zr",) * 320, 20.0 * rng.random((1000, 3)), 20.0 * np.eye(3))
    pattern = debye_pattern(alloy, np.linspace(1.0, 5.0, 20), radiation="neutron")
    assert (pattern.intensity > 0.0).all()
    with pytest.raises(DataError, match="not defined; use intensity"):
        _ = pattern.structure_factor


def test_independent_atoms_scatter_their_mean_square():
    pair = Configuration(("Na", "Cl"), np.array([[0.0, 0, 0], [2e3, 0, 0]]), np.eye(3))
    pattern = debye_pattern(pair, np.array([5.0, 5.001]))
    np.testing.assert_allclose(pattern.intensity, pattern.mean_square_amplitude, rtol=1e-3)
    assert pattern.mean_square_amplitude[0] == pytest.approx(np.mean([f[0] ** 2 for f in pattern.amplitudes.values()]))


@pytest.mark.parametrize("q", [[], [1.0], [0.0, 1.0], [1.0, np.nan], [2.0, 1.0], [[1.0, 2.0]]])
def test_a_grid_that_does_not_rise_is_refused(q):
    with pytest.raises(DataError, match="rise from above 0"):
        check_q(q)
