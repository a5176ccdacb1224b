"""Features of compositions against hand calculation and the columns of the published table."""

import math

import numpy as np
import pytest

from tammann.diffusivity.composition_features import composition_features, recover_elements, split_composition
from tammann.diffusivity.definitions import COMPOSITION_FEATURES, feature_definitions
from tammann.diffusivity.elements import element_values
from tammann.diffusivity.table import load_published
from tammann.errors import DataError

from . import published


def test_by_hand():
    found = composition_features("Li2O")
    B = (2 * 13.933 + 14.311) / 3
    R, M = (2 * 1.45 + 0.6) / 3, (2 * 6.941 + 15.9994) / 3
    assert found["ion_fraction"] == pytest.approx(2 / 3)
    assert found["bulk_modulus_GPa"] == pytest.approx(B) and found["bulk_modulus_others_GPa"] == pytest.approx(14.311)
    assert found["root_BR5_M"] == pytest.approx(math.sqrt(B * R**5 / M), rel=1e-4)
    G, E = found["shear_modulus_GPa"], found["cohesive_energy_eV"]
    assert found["root_GR5_M"] == pytest.approx(math.sqrt(G * R**5 / M), rel=1e-4)
    assert found["root_ER2_M"] == pytest.approx(math.sqrt(E * R**2 / M), rel=1e-4)
    others = [found[f"{name}_others{unit}"] for name, unit in (("cohesive_energy", "_eV"), ("radius", "_A"))]
    assert found["root_ER2_M_others"] == pytest.approx(math.sqrt(others[0] * others[1] ** 2 / 15.9994), rel=1e-4)
    assert found["radius_ratio"] == pytest.approx(0.6 / R)
    assert found["electronegativity_difference"] == pytest.approx(3.44 - (2 * 0.98 + 3.44) / 3)


def test_multiples_and_order_change_nothing():
    one, other = composition_features("Li3PS4"), composition_features({"S": 8, "Li": 6, "P": 2})
    assert one == pytest.approx(other)


def test_elements_are_recovered_from_means():
    formulas = ["LiF", "Li2O", "Li3N", "LiNO3", "Li2O2F"]
    column = np.array([composition_features(formula)["cohesive_energy_eV"] for formula in formulas])
    found = recover_elements(formulas, {"cohesive_energy_eV": column, "PF": column}, source="test")
    known = element_values("cohesive_energy_eV").values
    assert found["cohesive_energy_eV"].values == pytest.approx({s: known[s] for s in ("Li", "F", "O", "N")})
    # P and S stand in one proportion only
    formulas = ["LiF", "Li2F", "LiPS"]
    column = np.array([composition_features(formula)["radius_A"] for formula in formulas])
    assert set(recover_elements(formulas, {"radius_A": column}, source="test")["radius_A"].values) == {"Li", "F"}
    with pytest.raises(DataError, match="do not fit"):
        recover_elements(["Li", "LiF", "LiF2"], {"radius_A": np.array([1.0, 2.0, 9.0])}, source="test")


def test_errors():
    with pytest.raises(DataError, match="mobile ion Na"):
        split_composition("LiF", "Na")
    with pytest.raises(DataError, match="other elements"):
        composition_features("Li")
    with pytest.raises(DataError, match="He: no electronegativity|He: no"):
        composition_features("LiHe")


def test_definitions_are_those_of_the_published_table():
    table = feature_definitions()
    assert table["name"].is_unique and (table["definition"] != "").all() and (table["source"] != "").all()
    path = published.path()
    header = path.read_text().partition("\n")[0].split()
    known = {word.strip('"') for word in header} - {"Unnamed:", "0", "formula", "diff_coeff_mul_thousand"}
    assert set(table["column"]) - {""} == known


def test_published_columns_that_follow_from_the_composition_come_back():
    """All 21 of them, in all 792 rows, from values of the elements that the table itself determines."""
    table = load_published(published.path())
    assert len(table.elements["bulk_modulus_GPa"].values) == 60
    found = {f: composition_features(f, values=table.elements) for f in set(table.formulas)}
    for feature in COMPOSITION_FEATURES:
        ours = np.array([found[formula][feature.name] for formula in table.formulas])
        np.testing.assert_allclose(ours, table.column(feature.name), rtol=1e-9, atol=1e-12, err_msg=feature.name)
    # radii, electronegativities and masses are the shipped ones, moduli and cohesive energies are not
    for name, within in {"radius_A": 1e-6, "electronegativity": 1e-6, "mass_g_per_mol": 2e-3}.items():
        shipped = element_values(name).values
        assert all(abs(shipped[s] / v - 1) < within for s, v in table.elements[name].values.items()), name
    ratio = [element_values("cohesive_energy_eV").values[s] / v
             for s, v in table.elements["cohesive_energy_eV"].values.items()]  # fmt: skip
    assert 0.9 < np.median(ratio) < 1.1


def test_published_columns_that_follow_from_the_composition_and_the_volume():
    from tammann.composition import parse_formula

    table = load_published(published.path())
    volume, X = table.column("AAV"), element_values("electronegativity")
    radius = element_values("covalent_radius_A").values
    parsed = [parse_formula(formula) for formula in table.formulas]

    def filled(others):
        return np.array([
            sum(n * 4 / 3 * np.pi * radius[s] ** 3 for s, n in c.items() if s != "Li" or not others) / sum(c.values())
            for c in parsed
        ]) / volume  # fmt: skip

    assert np.mean(np.abs(filled(False) / table.column("PF") - 1) < 0.01) == pytest.approx(0.942, abs=0.001)
    assert np.mean(np.abs(filled(True) / table.column("SPF") - 1) < 0.01) == pytest.approx(0.990, abs=0.001)
    last = np.array([sum(c.values()) / c[max(c)] for c in parsed])
    np.testing.assert_allclose(last * volume, table.column("VPA"), rtol=1e-8)
    right = np.array([sum(c.values()) / c[max(c, key=X.values.__getitem__)] for c in parsed])
    assert np.mean(np.abs(right * volume / table.column("VPA") - 1) < 1e-6) == pytest.approx(0.552, abs=0.001)
    np.testing.assert_allclose(table.column("LBI") / table.column("SBI"), table.column("RBI"), rtol=1e-7)
    np.testing.assert_allclose(table.column("LNC") / table.column("SNC"), table.column("RNC"), rtol=1e-7)
    ens = [X.mean({s: n for s, n in c.items() if s != "Li"}) for c in parsed]
    np.testing.assert_allclose(ens, table.column("ENS"), rtol=1e-9)
