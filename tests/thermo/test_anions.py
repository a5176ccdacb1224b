"""Corrections of anions, and what is said where there is none: the decomposition of calcite, measured at 1160 K."""

import math

import pytest

from own_energies import HEADER, computed, dump, write
from tammann.composition import parse_formula
from tammann.thermo import load_phases
from tammann.thermo.anions import anion_groups, named
from tammann.thermo.equilibrium import decomposition_temperature

CALCITE = "CaO,-3.29119,13.9,2886,\nCaCO3,{},12.26,1612,\n"


@pytest.mark.parametrize(
    ("formation", "expected_K"),  # experiment; the Materials Project without and with a correction of carbonates
    [(-2.50174, 1220.0), (-2.69090, 1890.0), (-2.52490, 1300.0)],
)
def test_the_decomposition_that_energies_imply_is_said(tmp_path, formation, expected_K):
    phases = load_phases(write(tmp_path, HEADER + CALCITE.format(formation)))
    T = decomposition_temperature(phases, "CaCO3")
    assert T == pytest.approx(expected_K, abs=10.0)
    said = next(w for w in phases.warnings if "carbonate" in w)
    assert "no correction" in said and f"CaCO3 decomposes at {T:.0f} K" in said


def calcium(adjusted):
    """CaCO3 with the formation energy of the Materials Project, -2.691 eV per atom, with or without its corrections."""
    from pymatgen.entries.computed_entries import CompositionEnergyAdjustment

    entries = [computed(f, 0.0, volume_A3_per_atom=20.0) for f in ("Ca", "C", "O2")]
    entries += [
        computed("CaO", -3.29119, volume_A3_per_atom=13.9), computed("CaCO3", -2.69090, volume_A3_per_atom=12.26)
    ]  # fmt: skip
    for entry in entries:
        entry.parameters["run_type"] = "GGA"
    if adjusted:
        correction = CompositionEnergyAdjustment(-0.687, 3, name="MP2020 anion correction (oxide)")
        entries[-1] = computed("CaCO3", -2.69090 + 0.687 * 3 / 5, volume_A3_per_atom=12.26)
        entries[-1].parameters["run_type"] = "GGA"
        entries[-1].energy_adjustments.append(correction)
    return entries


def test_corrected_entries_get_the_correction_of_carbonates(tmp_path):
    phases = load_phases(dump(tmp_path, calcium(adjusted=True)))
    assert decomposition_temperature(phases, "CaCO3") == pytest.approx(1300.0, abs=10.0)
    assert any("0.83 eV per CO3 was added" in w and "decomposes at 129" in w for w in phases.warnings)
    without = load_phases(dump(tmp_path, calcium(adjusted=False), "raw.json"))
    assert decomposition_temperature(without, "CaCO3") == pytest.approx(1890.0, abs=10.0)
    assert any("no correction" in w for w in without.warnings)


@pytest.mark.parametrize(
    ("kind", "compositions"),
    [
        ("carbonate", [{"Ca": 1, "C": 1, "O": 3}, {"Mg": 3, "Ca": 1, "C": 4, "O": 12},
                       {"Na": 1, "H": 1, "C": 1, "O": 3}]),
        ("nitrate", [{"Na": 1, "N": 1, "O": 3}, {"Ba": 1, "N": 2, "O": 6}]),
        ("sulfate", [{"Ca": 1, "S": 1, "O": 4}, {"Ca": 1, "S": 1, "O": 6, "H": 4}]),
        ("peroxide", [{"Na": 2, "O": 2}, {"Ba": 1, "O": 2}]),
        ("superoxide", [{"K": 1, "O": 2}]),
        (None, [{"Ti": 1, "O": 2}, {"Li": 2, "O": 1}, {"Ca": 1, "C": 2, "O": 4}, {"Ca": 1, "C": 2}, {"C": 1, "O": 2},
                {"Na": 2, "S": 1}, {"Li": 1, "Fe": 1, "O": 2}, {"Ti": 1}]),
    ],
)  # fmt: skip
def test_anions_by_composition(kind, compositions):
    assert {next(iter(groups), None) for c in compositions for groups in anion_groups(c)} == {kind}


GROUPS = {  # per formula, as a textbook of inorganic chemistry names the compound
    "carbonate": "CaCO3 Li2CO3 NaHCO3 MnCO3 FeCO3 PbCO3 Ag2CO3 Tl2CO3 NH4HCO3 Ca2CO3(OH)2 Pb2Cl2CO3 La2O2CO3 Bi2O2CO3 "
    "Ca5(SiO4)2CO3 Ca4Al6Si6O24CO3 Zn4CO3(OH)6H2O Cu2CO3(OH)2 MgCO3(H2O)3",
    "2 carbonate": "CaMg(CO3)2 Na2Ca(CO3)2 Zn5(CO3)2(OH)6 Cu3(CO3)2(OH)2",
    "3 carbonate": "La2(CO3)3 Na4UO2(CO3)3",
    "4 carbonate": "CaMg3(CO3)4",
    "nitrate": "NaNO3 AgNO3 TlNO3 NH4NO3 BiONO3 Ba2NO3(OH)3",
    "2 nitrate": "Ba(NO3)2 Ca(NO3)2(H2O)4 Pb(NO3)2 Co(NO3)2 Hg(NO3)2 UO2(NO3)2",
    "3 nitrate": "Fe(NO3)3(H2O)9 Al(NO3)3(H2O)9",
    "sulfate": "CaSO4 CaSO4(H2O)2 Na2SO4 NaHSO4 (NH4)2SO4 FeSO4 MnSO4 CrSO4 VOSO4 CuSO4(H2O)5 PbSO4 Pb2SO5 Hg2SO4 "
    "La2O2SO4 Na3SO4F KMgClSO4(H2O)3 Na8Al6Si6O24SO4 UO2SO4 TiOSO4",
    "2 sulfate": "KAl(SO4)2(H2O)12 Ce(SO4)2 Zr(SO4)2",
    "3 sulfate": "Fe2(SO4)3 Al2(SO4)3 Ca6Al2(SO4)3(OH)12(H2O)26",
    "carbonate and sulfate": "Pb4SO4CO3(OH)4",
    "carbonate and 2 sulfate": "Na6CO3(SO4)2",
    "2 carbonate and sulfate": "Pb4SO4(CO3)2(OH)2",
    "nitrate and sulfate": "Na3NO3SO4H2O",
    "pyrosulfate": "Na2S2O7 K2S2O7",
    "peroxosulfate": "K2S2O8 (NH4)2S2O8 KHSO5",
    "peroxide": "Li2O2 Na2O2 MgO2 CaO2 SrO2 BaO2 BaO2(H2O)8 ZnO2 CdO2 HgO2 UO4 UO4(H2O)4",
    "2 peroxide": "CrO5",
    "4 peroxide": "K3CrO8 K3NbO8",
    "2 carbonate and 3 peroxide": "Na4(CO3)2(H2O2)3",
    "superoxide": "NaO2 KO2 RbO2 CsO2",
    "2 superoxide": "Ca(O2)2",
    "peroxide and 2 superoxide": "Rb4O6",
    "ozonide": "KO3 CsO3",
    # carbides, cyanates, oxalates, formates, acetates; nitrides, nitrites; sulfides, sulfites and the like; silicates
    "none of these": "Al4O4C KOCN CaC2O4 CaC2O4(H2O)3 MnC2O4(H2O)2 Ca(HCO2)2 Mg(C2H3O2)2(H2O)4 Al3O3N Al23O27N5 "
    "AlON CaC2 Sr2TaO3N TaON CaTaO2N LaTiO2N Zr2ON2 Na4PO3N NaNO2 Na2HNO3 AgNO2 Ca(NO2)2(H2O)4 Na3Co(NO2)6 La10Si6O24S "
    "La2O2S Y2O2S Ba10V6O24S Na8Al6Si6O24S Na2S2O3 Na2S2O3(H2O)5 Na2SO3 Na2SO3(H2O)7 PbSO3 NaHSO3 Na2S2O5 Na2S2O6 "
    "Na2S2O4 Na2S4O6 Na3PO3S(H2O)12 MgNH4PO4(H2O)6 COCl2 CO2 SO3 "
    # oxides of high valence, mixed valence and holes, oxoanions, suboxides
    "MnO2 PbO2 TiO2 NiO2 CoO2 PrO2 AgO Fe3O4 Mn3O4 Pb3O4 Bi2O4 LiFeO2 LiMn2O4 LiNiO2 SrFeO3 BaNiO3 YBa2Cu3O7 "
    "K2FeO4 KMnO4 Na2CrO4 NaClO4 Ca(OCl)2 KIO3 LaHO Rb9O2 Cs11O3 Ti2O BaTiO3 Ba6Ti17O40 LiFePO4",
}  # fmt: skip


@pytest.mark.parametrize(("formula", "groups"), [(f, kind) for kind, text in GROUPS.items() for f in text.split()])
def test_groups_balance_the_charge(formula, groups):
    assert [named(likely) for likely in anion_groups(parse_formula(formula))] == [groups]


def test_a_composition_that_leaves_it_open_is_said_and_not_corrected(tmp_path):
    assert anion_groups(parse_formula("CuO2")) == [{"peroxide": 1.0}, {}]  # Cu(IV) is as unheard of
    rows = "CuO,-0.8,10.0,1500,0.02\nCuO2,-0.5,11.0,1500,0.02\n"
    (said,) = [w for w in load_phases(write(tmp_path, HEADER + rows)).warnings if "leaves open" in w]
    assert "CuO2 (peroxide, or none of these)" in said and "CuO (" not in said


def adjusted(formula, *names):
    from pymatgen.entries.computed_entries import ConstantEnergyAdjustment

    entry = computed(formula, -2.0, volume_A3_per_atom=15.0)
    entry.energy_adjustments.extend(ConstantEnergyAdjustment(0.0, name=f"MP2020 anion correction ({n})") for n in names)
    return entry


def test_each_carbonate_group_is_corrected_and_nothing_else(tmp_path):
    elements = [computed(f, 0.0, volume_A3_per_atom=20.0) for f in ("Na", "C", "S", "O2", "Al")]
    salts = [adjusted("Na6C1S2O11", "oxide", "S"), adjusted("Al4O4C", "oxide"), adjusted("Na2O2", "peroxide")]
    phases = load_phases(dump(tmp_path, [*elements, *salts]))
    raw = [computed(f, -2.0, volume_A3_per_atom=15.0) for f in ("Na6C1S2O11", "Al4O4C", "Na2O2")]
    plain = load_phases(dump(tmp_path, [*elements, *raw], "raw.json"))
    added = {f: float((phases.gibbs(1000.0) - plain.gibbs(1000.0))[phases.index(f)]) for f in ("Na6CS2O11", "Al4CO4")}
    assert added == pytest.approx({"Na6CS2O11": 0.830 / 20, "Al4CO4": 0.0}, abs=1e-12)
    said = " | ".join(phases.warnings)
    assert "Na6CS2O11 (carbonate and 2 sulfate): 0.83 eV per CO3 was added" in said
    assert "the correction of sulfides is in the energies, which sulfates should not have" in said
    assert "Na2O2 (peroxide): the correction of peroxides of the Materials Project (2020) is in the energies" in said
    assert "Al4CO4 (" not in said


def test_no_decomposition_is_none():
    phases = load_phases("Ba-Ti-O")
    assert math.isnan(decomposition_temperature(phases, "BaTiO3"))
    assert decomposition_temperature(phases, "BaO2") == pytest.approx(1070.0, abs=40.0)  # measured near 1070 K
