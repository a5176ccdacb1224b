"""What is known of BaO-TiO2, written out, and a system of two made-up oxides to assess."""

import numpy as np
import pytest

from tammann.thermo import EnergySet, Phase, Phases, energy_above_hull, parse_formula


def per_formula(phases, T):
    g = phases.gibbs(T)
    return {p.formula: g[i] * p.n_atoms for i, p in enumerate(phases)}


def on_hull(phases, formula, T):
    return energy_above_hull(phases, T)[phases.index(formula)] < 1e-8


def check_known_equilibria(phases):
    """Every line of the published table of equilibria, written out without the library's own reader."""

    def dititanate(T):  # 11 BaTi2O5 -> 5 BaTiO3 + Ba6Ti17O40
        G = per_formula(phases, T)
        return (5 * G["BaTiO3"] + G["Ba6Ti17O40"] - 11 * G["BaTi2O5"]) / 88

    assert dititanate(1473.0) == pytest.approx(0.0, abs=1e-9)
    assert dititanate(1400.0) > 0 > dititanate(1550.0)
    for T in (1500.0, 1600.0, 1700.0):
        assert not on_hull(phases, "BaTi2O5", T)

    def nonatitanate(T):  # Ba2Ti9O20 -> 2 BaTi4O9 + TiO2
        G = per_formula(phases, T)
        return (2 * G["BaTi4O9"] + G["TiO2"] - G["Ba2Ti9O20"]) / 31

    assert nonatitanate(1693.0) == pytest.approx(0.0, abs=1e-9)
    for T in (1373.0, 1473.0, 1573.0, 1680.0):
        assert nonatitanate(T) > 0 and on_hull(phases, "Ba2Ti9O20", T)
    for T in (600.0, 800.0, 1000.0, 1200.0, 1320.0):  # it is stable from about 1373 K only
        assert not on_hull(phases, "Ba2Ti9O20", T)
        G = per_formula(phases, T)
        assert G["BaTi4O9"] + G["BaTi5O11"] < G["Ba2Ti9O20"]
    assert nonatitanate(1750.0) < 0 and not on_hull(phases, "Ba2Ti9O20", 1750.0)

    for T in (1473.0, 1600.0, 1800.0):  # 2 BaTi5O11 -> Ba2Ti9O20 + TiO2
        G = per_formula(phases, T)
        assert G["Ba2Ti9O20"] + G["TiO2"] - 2 * G["BaTi5O11"] <= 1e-9
    for T in (1473.0, 1550.0, 1650.0, 1723.0):
        for formula in ("Ba6Ti17O40", "Ba4Ti13O30", "BaTi4O9"):
            assert on_hull(phases, formula, T)


def binary(error: float = 0.04) -> Phases:
    """Mg-O with two made-up oxides; Mg3O2 lies 0.1 eV/atom above MgO + Mg."""
    energies = {"Mg": 0.0, "MgO": -3.0, "Mg3O2": -2.3, "O2": 0.0}
    made = tuple(
        Phase(f, parse_formula(f), state="gas" if f == "O2" else "solid", volume_A3_per_atom=10, melting_point_K=2000)
        for f in energies
    )
    T = np.array([300.0, 2000.0])
    table = np.tile(list(energies.values()), (2, 1))
    computed = np.array([False, False, True, False])
    one = EnergySet("made", "", T, table, np.where(computed, error, 0.0), ("",) * 4, computed, np.zeros(4), np.zeros(4))
    return Phases("Mg-O", ("Mg", "O"), made, {"made": one}, "made")
