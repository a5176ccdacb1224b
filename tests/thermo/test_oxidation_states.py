import pytest

from tammann.composition import parse_formula
from tammann.thermo.oxidation_states import oxidation_states


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("NaCl", {"Na": 1, "Cl": -1}),
        ("KClO4", {"K": 1, "Cl": 7, "O": -2}),
        ("YOCl", {"Y": 3, "O": -2, "Cl": -1}),
        ("CaCO3", {"Ca": 2, "C": 4, "O": -2}),
        ("LiCoO2", {"Li": 1, "Co": 3, "O": -2}),
        ("LiMn2O4", {"Li": 1, "Mn": 3.5, "O": -2}),
        ("BaO2", {"Ba": 2, "O": -1}),
        ("Mg(OH)2", {"Mg": 2, "O": -2, "H": 1}),
        ("MgH2", {"Mg": 2, "H": -1}),
        ("NH4Cl", {"N": -3, "H": 1, "Cl": -1}),
        ("Na2SO4", {"Na": 1, "S": 6, "O": -2}),
        ("ZnS", {"Zn": 2, "S": -2}),
        ("Mg2Si", {"Mg": 2, "Si": -4}),
        ("NiAl", {"Ni": 0, "Al": 0}),
        ("Fe", {"Fe": 0}),
    ],
)
def test_states_that_a_chemist_would_write(formula, expected):
    assert oxidation_states(parse_formula(formula)) == pytest.approx(expected)


@pytest.mark.parametrize("formula", ["Fe3O4", "Pb3O4", "Co3O4", "LiMn2O4", "YBa2Cu3O7", "BaFe12O19", "NaN3", "FeS2"])
def test_charges_balance(formula):
    composition = parse_formula(formula)
    states = oxidation_states(composition)
    assert sum(n * states[e] for e, n in composition.items()) == pytest.approx(0.0, abs=1e-12)


def test_multiples_have_the_same_states():
    assert oxidation_states({"Fe": 6, "O": 8}) == oxidation_states({"O": 4, "Fe": 3})
