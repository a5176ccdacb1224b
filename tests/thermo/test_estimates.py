import math

import numpy as np
import pytest

from tammann.composition import parse_formula
from tammann.errors import DataError
from tammann.thermo.estimates import (
    estimated_melting_point,
    estimated_volume,
    melting_terms,
    volume_terms,
)
from tammann.units import KJ_PER_MOL_IN_EV

# Cell volumes from diffraction, Angstrom^3 per formula: the Crystallography Open Database and the papers it cites.
CELLS = {
    "SrTiO3": 59.5, "CaTiO3": 55.9, "LiCoO2": 32.2, "YMnO3": 62.2, "NaMnO2": 48.0, "LiMnO2": 36.9, "MgAl2O4": 66.0,
    "ZnFe2O4": 75.2, "Y2Ti2O7": 128.6, "LaAlO3": 54.5, "KNbO3": 64.8, "YOCl": 50.2, "LaOCl": 58.1, "NaCl": 44.9,
    "CsCl": 70.2, "CaF2": 40.8, "Li4Ti5O12": 219.0, "Y3Al5O12": 216.4, "BaZrO3": 73.7, "Li2CO3": 58.4, "SrCO3": 64.8,
    "ZnS": 39.6, "GaN": 22.8, "Ca3N2": 93.6, "Sr2TiO4": 95.4, "NaAlO2": 49.4, "LiFePO4": 72.8, "TiN": 19.0,
}  # fmt: skip
# Enthalpies of formation at 298 K, kJ/mol (NIST-JANAF, Robie and Hemingway), and melting points, K.
MELTING = {
    "MgO": (-601.6, 3105), "NaCl": (-411.2, 1074), "LiF": (-616.9, 1121), "Al2O3": (-1675.7, 2327),
    "SrTiO3": (-1672.4, 2353), "CaTiO3": (-1660.6, 2248), "MgAl2O4": (-2299.1, 2408), "K2CO3": (-1150.2, 1174),
    "CaF2": (-1225.9, 1691), "Fe2SiO4": (-1478.2, 1490), "LiAlO2": (-1188.7, 1973), "ZrO2": (-1097.5, 2950),
    "PbO": (-219.4, 1160), "TiC": (-184.5, 3290), "Na2SO4": (-1387.9, 1157), "BaTiO3": (-1651.0, 1891),
}  # fmt: skip


def volume_scores():
    rows = []
    for formula, cell in CELLS.items():
        composition = parse_formula(formula)
        estimate = estimated_volume(composition)
        true = cell / sum(composition.values())
        rows.append((estimate.value / true - 1.0) / estimate.relative_error)
    return np.array(rows)


def melting_scores():
    rows = []
    for formula, (kilojoules, true) in MELTING.items():
        composition = parse_formula(formula)
        energy = kilojoules * KJ_PER_MOL_IN_EV / sum(composition.values())
        estimate = estimated_melting_point(composition, energy)
        rows.append(math.log(estimate.value / true) / estimate.relative_error)
    return np.array(rows)


@pytest.mark.parametrize("scores", [volume_scores(), melting_scores()], ids=["volumes", "melting points"])
def test_stated_errors_are_those_found_on_other_data(scores):
    assert 0.5 < np.sqrt(np.mean(scores**2)) < 1.4
    assert np.abs(scores).max() < 3.0
    assert np.mean(np.abs(scores) < 1.0) > 0.5


@pytest.mark.parametrize("times", [2, 3, 7])
def test_a_multiple_of_a_formula_is_the_same_compound(times):
    once, many = parse_formula("CaTiO3"), {e: times * n for e, n in parse_formula("CaTiO3").items()}
    assert estimated_volume(once).value == pytest.approx(estimated_volume(many).value, rel=1e-12)
    assert estimated_volume(once).relative_error == pytest.approx(estimated_volume(many).relative_error, rel=1e-12)
    assert estimated_melting_point(once, -3.4).value == pytest.approx(estimated_melting_point(many, -3.4).value)


def test_a_compound_is_the_sum_of_its_ions():
    """Where no correction applies, three NaCl and a NaBr are what three and one of their volumes are."""
    chloride, bromide = ({"Na": 1, "Cl": 1}, {"Na": 1, "Br": 1})
    together = 8 * estimated_volume({"Na": 4, "Cl": 3, "Br": 1}).value
    apart = 3 * 2 * estimated_volume(chloride).value + 2 * estimated_volume(bromide).value
    assert together == pytest.approx(apart, rel=1e-9)


def test_an_element_has_its_own_volume():
    assert estimated_volume({"Cs": 1}).value == pytest.approx(115.0, rel=0.05)
    assert "element" in estimated_volume({"Cu": 1}).source


def test_ions_grow_down_a_group():
    halides = [estimated_volume({"K": 1, x: 1}).value for x in ("F", "Cl", "Br", "I")]
    alkali = [estimated_volume({m: 1, "Cl": 1}).value for m in ("Li", "Na", "K", "Rb", "Cs")]
    earths = [estimated_volume({m: 1, "O": 1}).value for m in ("Mg", "Ca", "Sr", "Ba")]
    assert all(np.diff(values).min() > 0.0 for values in (halides, alkali, earths))


def test_melting_points_rise_with_the_energy_that_binds():
    weak, strong = (estimated_melting_point({"Mg": 1, "O": 1}, energy, 9.3).value for energy in (-1.5, -3.1))
    assert strong > weak


def test_errors_are_wider_where_data_are_few():
    common, rare = estimated_volume({"Na": 1, "Cl": 1}), estimated_volume({"Os": 1, "Ba": 1, "O": 4})
    assert rare.relative_error > common.relative_error


def test_an_ion_that_no_compound_has_takes_the_volume_of_its_element():
    assert estimated_volume({"Na": 1, "Y": 3}).relative_error > estimated_volume({"Ti": 1, "Al": 3}).relative_error


def test_sources_state_the_median_error():
    assert "median error 6% for compounds left out" in estimated_volume({"Na": 1, "Cl": 1}).source
    assert "median error 14% for compounds left out" in estimated_melting_point({"Na": 1, "Cl": 1}, -2.1).source


def test_an_element_without_data_is_named():
    with pytest.raises(DataError, match=r"^Fr cation has no increment .* give volume_A3_per_atom"):
        estimated_volume({"Fr": 1, "Cl": 1})
    with pytest.raises(DataError, match=r"^Fr has no tabulated enthalpy"):
        estimated_melting_point({"Fr": 1, "Cl": 1}, -2.0, 30.0)


def test_terms_count_ions_of_the_formula_as_written():
    assert volume_terms({"Ti": 2, "O": 4}) == {name: 2 * n for name, n in volume_terms({"Ti": 1, "O": 2}).items()}
    assert melting_terms({"Ti": 2, "O": 4}, -3.2, 10.4) == pytest.approx(melting_terms({"Ti": 1, "O": 2}, -3.2, 10.4))
