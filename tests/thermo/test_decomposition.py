"""Decomposition on heating, against reaction energies worked out by hand and known sequences."""

import numpy as np
import pytest

from tammann.thermo import measured_phases
from tammann.thermo.decomposition import decomposition_points


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
    phases = measured_phases(["Na", "Al", "Si", "O", "H"])
    matrix = phases.composition_matrix
    points = decomposition_points(phases)
    assert "Al(OH)3" in points or "AlOOH" in points or "NaOH" in points or points == {}
    for formula, point in points.items():
        made = sum(n * matrix[phases.index(f)] for f, n in point.products.items())
        assert np.allclose(made, matrix[phases.index(formula)])
        assert 300.0 <= point.temperature_K <= 2000.0
