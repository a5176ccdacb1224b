import numpy as np

from tammann.thermo.experiment import extended, measured_energy
from tammann.thermo.gibbs import TEMPERATURES_K


def test_a_table_that_ends_early_goes_on_along_its_last_200_kelvin():
    line = 3.0 - 0.01 * TEMPERATURES_K
    cut = np.where(TEMPERATURES_K <= 1600.0, line, np.nan)
    np.testing.assert_allclose(extended(cut), line)


def test_measured_energies_are_found_by_any_multiple():
    rutile = measured_energy({"O": 4, "Ti": 2})
    assert rutile is measured_energy({"Ti": 1, "O": 2}) and measured_energy({"Sr": 1, "O": 1}) is None
    assert abs(rutile.gibbs_eV_per_atom[0] + 888.615 / 96.48533212 / 3) < 1e-7
