"""What precursors turn into: at temperatures that are in every textbook."""

import numpy as np
import pytest

from made_up import system as made_up
from tammann.synthesis import OpenSystem, Precursor, Surroundings, precursor_sets
from tammann.synthesis.heating import solids_when_hot
from tammann.thermo import load_phases, measured_phases
from tammann.units import BOLTZMANN_EV_PER_K

AIR = {"O2": 21000.0, "CO2": 40.0}


def standing_for(formula, kind, to, *, T=1300.0, gases=AIR, energies="experiment-anchored"):
    system = OpenSystem(load_phases("Ba-Ti-O"), Surroundings(T, gases), energies)
    return solids_when_hot(system, Precursor(formula, kind, to))[:1]


def test_what_air_oxidizes():
    assert standing_for("Ti2O3", "oxide", "") == standing_for("Ti", "element", "") == ["TiO2"]
    assert standing_for("TiO2", "oxide", "") == ["TiO2"]
    assert standing_for("Ti2O3", "oxide", "", gases={}) == ["Ti2O3"]


def test_barium_peroxide_and_carbonate():
    """BaO2 has 1 bar of O2 at some 1070 K, BaCO3 1 bar of CO2 near 1750 K, whatever the air holds."""
    without = {"O2": 21000.0}
    assert standing_for("BaO2", "oxide", "BaO", T=800.0, gases=without) == ["BaO2"]
    assert standing_for("BaO2", "oxide", "BaO", T=1200.0, gases=without) == ["BaO"]
    assert standing_for("BaCO3", "carbonate", "BaO", T=1500.0) == ["BaCO3"]
    assert standing_for("BaCO3", "carbonate", "BaO", T=1900.0) == ["BaO"]


@pytest.mark.parametrize(
    "elements, oxide, T, gases, expected",
    [
        ("Sr C O", "SrO", 1100.0, {"CO2": 1e5}, "SrCO3"),  # 1 bar of CO2 over SrCO3 near 1450 K
        ("Sr C O", "SrO", 1700.0, {"CO2": 1e5}, "SrO"),
        ("Sr C O", "SrO", 1100.0, {}, "SrO"),
        ("Li C O", "Li2O", 900.0, AIR, "Li2CO3"),
        ("Mg C O", "MgO", 1100.0, {"CO2": 1e5}, "MgO"),  # 1 bar over MgCO3 near 670 K
        ("Ca C O", "CaO", 1000.0, AIR, "CaO"),  # 40 Pa over CaCO3 near 820 K
        ("Ca C O", "CaO", 700.0, AIR, "CaCO3"),
    ],
)
def test_what_carbon_dioxide_turns_into_carbonate(elements, oxide, T, gases, expected):
    system = OpenSystem(measured_phases(elements.split()), Surroundings(T, gases))
    assert solids_when_hot(system, Precursor(oxide, "oxide"))[0] == expected


def test_the_oxide_and_the_carbonate_drive_alike_under_carbon_dioxide():
    """Strontium oxide is carbonate there, and the titanate gains no more from it; under argon it does."""
    phases = measured_phases(["Sr", "Ti", "O", "C"])

    def driving(precursor, atmosphere):
        (one,) = precursor_sets(
            phases, "SrTiO3", candidates=[precursor, "TiO2"], atmosphere=atmosphere, temperature_K=1100.0, uphill=True
        )
        return one.gibbs_eV_per_target

    assert driving("SrO", "CO2") == pytest.approx(driving("SrCO3", "CO2"))
    assert driving("SrO", "inert") < driving("SrO", "CO2") - 0.4


def test_decomposition_at_1_bar_by_hand():
    """SrCO3 -> SrO + CO2 costs 1 eV at 1 bar, so it stays, however little CO2 there is; one that gains 1 eV goes."""
    for energy, expected in ((-1.0, "SrCO3"), (1.0, "SrO")):
        phases = made_up("Sr-O-C", {"SrO": 0.0, "SrCO3": energy, "CO2": 0.0, "O2": 0.0})
        for gases in ({}, {"CO2": 1e-3}):
            system = OpenSystem(phases, Surroundings(1300.0, gases, 1e-6))
            assert system.boiling_potential_eV("CO2") == pytest.approx(0.0)
            assert solids_when_hot(system, Precursor("SrCO3", "carbonate", "SrO"))[0] == expected
    pressed = OpenSystem(phases, Surroundings(1300.0, {"CO2": 1e7}))
    assert pressed.boiling_potential_eV("CO2") == pytest.approx(BOLTZMANN_EV_PER_K * 1300.0 * np.log(100.0))


def test_what_nobody_knows():
    assert standing_for("BaC2O4", "oxalate", "BaCO3") == ["BaCO3"]
    assert standing_for("BaSO4", "other", "") == []
