"""Gases against values of other tables (CODATA key values, CRC Handbook), and the rules of what is read as one."""

import numpy as np
import pytest

from own_energies import HEADER, write
from tammann.errors import DataError
from tammann.thermo import equilibrium, load_phases, with_gases
from tammann.thermo.gases import gas, gas_named, product_gases
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.phase import ELEMENT_GASES
from tammann.units import KJ_PER_MOL_IN_EV


@pytest.mark.parametrize(
    ("formula", "kJ_per_mol"),  # Gibbs energy of formation at 298 K
    [
        ("SO2", -300.1), ("SO3", -371.1), ("NH3", -16.4), ("HCl", -95.3), ("HF", -275.4), ("HBr", -53.4),
        ("H2S", -33.4), ("NO2", 51.3), ("N2O", 103.7), ("CH4", -50.5), ("SiF4", -1572.8), ("CS2", 67.1),
    ],
)  # fmt: skip
def test_molecules_have_the_energies_of_other_tables(formula, kJ_per_mol):
    phase, gibbs, error, _ = gas(gas_named(formula))
    assert phase.state == "gas" and phase.formula == formula
    assert gibbs[0] * phase.n_atoms / KJ_PER_MOL_IN_EV == pytest.approx(kJ_per_mol, abs=1.2)
    assert 0.0 < error * phase.n_atoms / KJ_PER_MOL_IN_EV < 3.0


def test_sulfur_dioxide_of_a_table_is_a_gas(tmp_path):
    text = HEADER + "CaO,-3.2912,13.9,2886,\nCaSO4,-2.4772,12.7,1733,\nSO2,-1.0254,14.0,200,\n"
    phases = load_phases(write(tmp_path, text))
    assert [p.formula for p in phases if p.state == "gas"] == ["O2", "SO2"]
    assert phases.gibbs(1500.0)[phases.index("SO2")] == pytest.approx(-0.871, abs=0.001)  # NIST-JANAF
    assert any("in place of the entries for SO2" in w for w in phases.warnings)
    # CaSO4 = CaO + SO2 + O2/2 at 1 bar wants some 1900 K and more; at 1e-6 bar it has long happened by 1500 K.
    low = dict.fromkeys(["SO2", "O2"], 0.1)
    assert set(equilibrium(phases, {"CaSO4": 1}, 1500.0, partial_pressure_Pa=low)) == {"CaO"}
    assert set(equilibrium(phases, {"CaSO4": 1}, 1000.0)) == {"CaSO4"}


@pytest.mark.parametrize("formula", ["SO2", "NH3", "HCl", "HF", "NO2", "Cl2O", "SiF4", "SiCl4", "H2O2", "CO", "C2O4"])
def test_what_can_only_be_a_gas_is_one(formula):
    assert gas_named(formula) is not None


@pytest.mark.parametrize(
    "formula", ["P4O10", "HgCl2", "TiO2", "NaCl", "MgO", "SiO2", "H3BO3", "VO2", "CrO3", "Ti", "S8"]
)
def test_what_could_be_a_solid_is_a_gas_by_name_only(formula):
    assert gas_named(formula) is None
    if formula in ("P4O10", "HgCl2", "TiO2", "NaCl", "VO2", "CrO3", "Ti"):
        assert gas_named(f"{formula}(g)") == f"{formula}(g)"


def test_a_vapour_does_not_become_the_reference_of_its_element(tmp_path):
    text = HEADER + "MgO,-3.05,9.4,3105,0.02\nMg,0,23,923,\nMg(g),,,,\n"
    phases = load_phases(write(tmp_path, text))
    assert [p.state for p in phases] == ["solid", "solid", "gas", "gas"][: len(phases)]
    assert phases["Mg(g)"].state == "gas" and phases["Mg"].state == "solid"
    # Magnesium boils at 1363 K.
    above = [phases.gibbs(T)[phases.index("Mg(g)")] for T in (1300.0, 1400.0)]
    assert above[0] > 0 > above[1] - 1e-3
    plain = load_phases(write(tmp_path, text.replace("Mg(g),,,,\n", ""), "plain.csv"))
    for T in (600.0, 1200.0):
        assert equilibrium(phases, {"MgO": 1, "Mg": 1}, T) == equilibrium(plain, {"MgO": 1, "Mg": 1}, T)
        np.testing.assert_array_equal(phases.gibbs(T)[:2], plain.gibbs(T)[:2])


def test_a_solid_whose_molecule_is_stabler_is_named(tmp_path):
    phases = load_phases(write(tmp_path, HEADER + "LiCl,-2.118,17,883,\nLi2O,-2.07,8.2,1711,\n"))
    said = next(w for w in phases.warnings if "gas of molecules" in w)
    assert "LiCl (from 1" in said and "Li2O" not in said  # LiCl boils near 1650 K


def test_gases_of_an_atmosphere_are_added_where_they_can_act():
    phases = load_phases("Ba-Ti-O")
    assert with_gases(phases, ["O2", "CO2", "N2", "Ar"]) is phases
    more = with_gases(phases, ["CO", "TiO2(g)"])
    assert [p.formula for p in more[len(phases) :]] == ["CO", "TiO2(g)"]
    assert more.index("TiO2") == phases.index("TiO2") and more["TiO2(g)"].state == "gas"
    np.testing.assert_array_equal(more.gibbs(1234.0)[: len(phases)], phases.gibbs(1234.0))
    for wrong in ("XeF2", "BaTiO4", "P4O10"):
        with pytest.raises(DataError, match=f"{wrong} is not a gas that Ba-Ti-O knows"):
            with_gases(phases, [wrong])
    with pytest.raises(DataError, match=r"write P4O10\(g\)"):
        with_gases(phases, ["P4O10"])


def test_the_gases_of_elements_are_their_reference():
    for formula in ELEMENT_GASES:
        assert not gas(formula)[1].any()
    assert gas("CO")[1].shape == TEMPERATURES_K.shape


@pytest.mark.parametrize("gas", ["O3(g)", "O(g)", "O3", "C2O4"])
def test_another_molecule_of_the_same_ratio_is_not_put_in_its_place(gas):
    with pytest.raises(DataError, match="is another molecule than the (O2|CO2) of Ba-Ti-O"):
        with_gases(load_phases("Ba-Ti-O"), [gas])


def test_a_gas_brings_its_elements_where_a_reaction_contains_it():
    phases = load_phases("Ba-Ti-O")
    more = with_gases(phases, ["H2"])
    assert [p.formula for p in more[len(phases) :]] == ["H2", "H2O"] and "H" in more.elements
    np.testing.assert_array_equal(more.gibbs(1234.0)[: len(phases)], phases.gibbs(1234.0))
    for lonely in ("SO2", "Cl2", "N2"):
        assert with_gases(phases, [lonely]) is phases


def test_product_gases_are_written_as_chemists_do(tmp_path):
    text = HEADER + "ZnS,-1.07,20,2100,\nNH4Cl,-0.54,16,611,\nZnSO4,-1.7,12.6,953,\n"
    names = product_gases(load_phases(write(tmp_path, text)))
    assert {"SO2", "SO3", "HCl", "H2S", "NH3", "S2(g)"} <= set(names) and "NO2" in names and "N2O4" not in names
