"""Elements that boil below 2000 K, and others."""

import numpy as np
import pytest

from tammann.thermo.condensed_elements import condensed_element, continued
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.janaf import janaf_solids


def test_elements_that_do_not_boil_are_zero():
    for element in ("Y", "La", "Ag", "Sn", "Ge"):
        assert not condensed_element(element).gibbs_kJ_per_mol.any()
    assert condensed_element("Xe") is None


@pytest.mark.parametrize("element", ["Zn", "Mg", "Sr", "K", "Na", "Hg"])
def test_above_the_boiling_point_the_liquid_is_that_of_janaf(element):
    ours = condensed_element(element).gibbs_kJ_per_mol
    known = next(iter(janaf_solids([element]).values())).gibbs_kJ_per_mol
    assert np.abs(ours - known).max() < 3.0


def test_a_continued_solid_keeps_slope_and_heat_capacity():
    T = TEMPERATURES_K
    whole = -1e-3 * (20.0 * T + 27.0 * (T * np.log(T) - T))
    cut = np.where(T > 1000.0, np.nan, whole)
    assert np.allclose(continued(cut, 7, 1), whole, atol=0.02)
