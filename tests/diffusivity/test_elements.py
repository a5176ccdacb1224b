"""The shipped values of the elements."""

import pytest

from tammann.diffusivity.elements import PROPERTIES, element_values
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
