"""Formulas and their keys."""

import pytest

from tammann.composition import atomic_masses, composition_key, conventional_formula, parse_formula
from tammann.errors import DataError


def test_composition_key_of_formulas():
    assert composition_key("Ba2Ti2O6") == composition_key("TiBaO3")
    for text in ("", "ba", "BaO-", "Ba0", "Ba2.5"):
        with pytest.raises(DataError):
            composition_key(text)


@pytest.mark.parametrize(
    "formula",
    [
        "SrTiO3", "MgAl2O4", "LiCoO2", "ZnFe2O4", "YMnO3", "Ca(OH)2", "AlOOH", "Fe2(SO4)3", "Mg3(PO4)2", "NaHCO3",
        "KHF2", "NH4Cl", "(NH4)2SO4", "H3BO3", "LiAlH4", "NaBH4", "Na2Si2O5", "BaCO3", "KMnO4", "TiC", "Ca(NO3)2",
    ],
)  # fmt: skip
def test_formulas_are_spelled_as_chemists_do(formula):
    shuffled = dict(sorted(parse_formula(formula).items()))
    assert conventional_formula(shuffled) == formula
    assert parse_formula(conventional_formula(shuffled)) == shuffled


def test_every_element_has_its_place():
    for element in atomic_masses():
        assert conventional_formula({element: 2}) == f"{element}2"
