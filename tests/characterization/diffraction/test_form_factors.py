import numpy as np
import pytest

from tammann.characterization.diffraction import debye_waller, scattering_amplitudes
from tammann.errors import DataError


@pytest.mark.parametrize(("symbol", "electrons"), [("S", 16), ("Zr", 40), ("Ba", 56)])
def test_forward_scattering_counts_electrons(symbol, electrons):
    assert scattering_amplitudes([symbol], np.zeros(1))[symbol][0] == pytest.approx(electrons, abs=0.05)


def test_form_factors_agree_with_the_older_table_of_pymatgen():
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS

    q = np.linspace(0.5, 6.0, 30)
    s2 = (q / (4.0 * np.pi)) ** 2
    for symbol, z in (("Na", 11), ("S", 16), ("Zr", 40), ("Ba", 56)):
        a, b = np.array(ATOMIC_SCATTERING_PARAMS[symbol]).T
        older = z - 41.78214 * s2 * (a * np.exp(-b * s2[:, None])).sum(axis=1)
        np.testing.assert_allclose(scattering_amplitudes([symbol], q)[symbol], older, rtol=0.05)


def test_b_and_u_say_the_same():
    q = np.linspace(0.0, 10.0, 11)
    b, u = debye_waller(["S"], q, b_iso_A2=8.0 * np.pi**2 * 0.012), debye_waller(["S"], q, u_iso_A2={"S": 0.012})
    np.testing.assert_allclose(b["S"], u["S"], rtol=1e-12)
    np.testing.assert_allclose(u["S"], np.exp(-0.012 * q**2 / 2.0), rtol=1e-12)


def test_neutrons_have_no_length_for_polonium():
    with pytest.raises(DataError, match="'Po' has no tabulated scattering length"):
        scattering_amplitudes(["Po"], np.zeros(1), radiation="neutron")
