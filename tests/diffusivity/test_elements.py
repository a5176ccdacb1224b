"""The shipped values of the elements."""

import numpy as np
import pytest

from tammann.diffusivity.elements import PROPERTIES, element_values, recover_values
from tammann.errors import DataError


def test_known_values():
    assert element_values("electronegativity").values["F"] == 3.98
    assert element_values("covalent_radius_A").values["O"] == 0.66
    assert 65 < element_values("bulk_modulus_GPa").values["Al"] < 80  # experiment: 76 GPa
    assert 15 < element_values("shear_modulus_GPa").values["Al"] < 30  # experiment: 26 GPa
    assert element_values("cohesive_energy_eV").values["Li"] == pytest.approx(1.65, abs=0.02)


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_is_there_for_the_elements_of_electrolytes(name):
    known = element_values(name).values
    assert {*"Li Na K Mg Ca Al Si P S O F Cl Br I N C B H Zr Ti Nb Ta Y La Ge Sn Zn Cs".split()} <= set(known)
    assert min(known.values()) > 0


def test_one_that_is_missing_is_named():
    with pytest.raises(DataError, match="Xe: no bulk modulus"):
        element_values("bulk_modulus_GPa").mean({"Xe": 1, "F": 2})


def test_values_come_back_from_means_over_atoms_and_from_nothing_else():
    formulas, known = ["Li2O", "LiF", "Li2OF2", "LiPO3"], {"Li": 1.5, "O": 3.4, "F": 4.0}
    means = np.array([(2 * 1.5 + 3.4) / 3, (1.5 + 4.0) / 2, (3.0 + 3.4 + 8.0) / 5, 2.0])
    found = recover_values("electronegativity", formulas, means, source="mine").values
    assert {symbol: found[symbol] for symbol in known} == pytest.approx(known, rel=1e-9)
    assert (found["Li"] + found["P"] + 3 * found["O"]) / 5 == pytest.approx(2.0)
    with pytest.raises(DataError, match="right column"):
        recover_values("electronegativity", ["Li2O", "LiO", "LiO2"], np.array([1.0, 9.0, 4.0]), source="mine")
