"""Decomposition on heating, against reaction energies worked out by hand and known sequences."""

import pytest

from tammann.composition import parse_formula
from tammann.thermo import measured_phases
from tammann.thermo.decomposition import decomposition_points
from tammann.thermo.freed import _text

needs_freed = pytest.mark.skipif(not _text(), reason="its energy is in FREED only")


def test_the_point_is_where_the_reaction_energy_is_zero():
    phases = measured_phases(["Mg", "C", "O"])
    point = decomposition_points(phases)["MgCO3"]
    assert point.equation == "MgO + CO2"
    gibbs = phases.gibbs(point.temperature_K) * phases.composition_matrix.sum(axis=1)
    energy = gibbs[phases.index("MgO")] + gibbs[phases.index("CO2")] - gibbs[phases.index("MgCO3")]
    assert energy == pytest.approx(0.0, abs=1e-9)


def test_manganese_oxides_lose_oxygen_one_after_the_other():
    points = decomposition_points(measured_phases(["Mn", "O"]))
    assert 700 < points["MnO2"].temperature_K < 900  # pyrolusite, 1 bar of oxygen
    assert points["MnO2"].products == pytest.approx({"Mn2O3": 0.5, "O2": 0.25})
    assert points["Mn2O3"].products == pytest.approx({"Mn3O4": 2 / 3, "O2": 1 / 6})
    assert points["MnO2"].temperature_K < points["Mn2O3"].temperature_K
    assert "MnO" not in points


def test_products_have_the_atoms_of_the_solid():
    points = decomposition_points(measured_phases(["Ca", "Mg", "C", "O", "H"]))
    assert {"Ca(OH)2", "Mg(OH)2", "CaCO3", "MgCO3", "CaMg(CO3)2"} <= set(points)
    assert "CaCO3" in points["CaMg(CO3)2"].products, "dolomite loses the carbon dioxide of magnesia first"
    for formula, point in points.items():
        made: dict[str, float] = {}
        for product, n in point.products.items():
            for element, count in parse_formula(product).items():
                made[element] = made.get(element, 0.0) + n * count
        assert made == pytest.approx(parse_formula(formula))
        assert 300.0 <= point.temperature_K <= 2000.0


@pytest.mark.parametrize(
    "elements, formula, products, lowest, highest",
    [
        ("Cd O", "CdO", {"Cd(g)": 1.0, "O2": 0.5}, 1500.0, 1850.0),
        ("Hg O", "HgO", {"Hg(g)": 1.0, "O2": 0.5}, 700.0, 780.0),  # 1 bar near 750 K
        # cinnabar sublimes at 856 K (CRC Handbook), where both gases together have 1 bar; here each has
        pytest.param("Hg S", "HgS", {"Hg(g)": 1.0, "S2(g)": 0.5}, 850.0, 950.0, marks=needs_freed),
        ("Fe S", "FeS2", {"FeS": 1.0, "S2(g)": 0.5}, 900.0, 1050.0),  # pyrite, 1016 K (Kullerud and Yoder, 1959)
    ],
)
def test_compounds_of_volatile_elements_fall_apart_into_vapours(elements, formula, products, lowest, highest):
    point = decomposition_points(measured_phases(elements.split()))[formula]
    assert point.products == pytest.approx(products)
    assert lowest < point.temperature_K < highest


@pytest.mark.parametrize(
    "elements", [pytest.param("Zn S", marks=needs_freed), "Pb S", "K O", "Li C", "Mg N", "Cd O Te"]
)
def test_no_compound_falls_apart_into_itself(elements):
    points = decomposition_points(measured_phases(elements.split()))
    assert points and not any(formula in point.products for formula, point in points.items())
