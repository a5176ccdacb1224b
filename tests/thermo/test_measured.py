"""The library of measured energies against equilibria with known answers."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from tammann.composition import composition_key, elements_of
from tammann.errors import DataError
from tammann.systems import data_file
from tammann.thermo import freed, handbook, load_phases, measured, measured_phases, reaction_standard_error
from tammann.thermo.experiment import MeasuredSolid
from tammann.thermo.freed import _text
from tammann.thermo.gibbs import TEMPERATURES_K
from tammann.thermo.measured import _compared
from tammann.units import KJ_PER_MOL_IN_EV


def reaction_kJ(phases, coefficients, T):
    """Gibbs energy of a reaction, kJ/mol, and its standard error; coefficients by formula."""
    moles = np.zeros(len(phases))
    for formula, n in coefficients.items():
        moles[phases.index(formula)] = n
    assert not np.abs(moles @ phases.composition_matrix).max() > 1e-12, "the reaction does not balance"
    total = phases.gibbs(T) @ (moles * phases.composition_matrix.sum(axis=1))
    return total / KJ_PER_MOL_IN_EV, float(reaction_standard_error(phases, moles)) / KJ_PER_MOL_IN_EV


DECOMPOSITIONS = [  # temperature at which the gas reaches 1 bar, measured, and by how much the library may miss it, K
    ("CaCO3", {"CaO": 1, "CO2": 1}, 1161, 20, "Ca-C-O", "Smyth and Adams 1923"),
    ("MgCO3", {"MgO": 1, "CO2": 1}, 673, 20, "Mg-C-O", "Harker and Tuttle 1955"),
    ("SrCO3", {"SrO": 1, "CO2": 1}, 1465, 45, "Sr-C-O", "between 1423 and 1508 K, Rhodes et al. 2015"),
    ("BaCO3", {"BaO": 1, "CO2": 1}, 1705, 45, "Ba-C-O", "Lander 1951"),
    ("Ca(OH)2", {"CaO": 1, "H2O": 1}, 785, 20, "Ca-H-O", "Halstead and Moore 1957"),
    ("Mg(OH)2", {"MgO": 1, "H2O": 1}, 540, 20, "Mg-H-O", "Barnes and Ernst 1963"),
    ("CuO", {"Cu2O": 0.5, "O2": 0.25}, 1395, 20, "Cu-O", "Smyth and Roberts 1920"),
    ("Co3O4", {"CoO": 3, "O2": 0.5}, 1240, 40, "Co-O", "O'Neill 1985"),
    ("Mn2O3", {"Mn3O4": 2 / 3, "O2": 1 / 6}, 1250, 40, "Mn-O", "Hahn and Muan 1960"),
    ("Ag2O", {"Ag": 2, "O2": 0.5}, 463, 20, "Ag-O", "Otto 1966"),
]


@pytest.mark.parametrize(("solid", "products", "measured_K", "within_K", "system", "source"), DECOMPOSITIONS)
def test_solids_decompose_at_one_bar_where_they_were_seen_to(solid, products, measured_K, within_K, system, source):
    phases = measured_phases(system.split("-"))
    energies, _ = reaction_kJ(phases, {solid: -1.0, **products}, TEMPERATURES_K)
    assert np.all(np.diff(energies[:12]) < 0.0), "gas is given off: its entropy drives the reaction"
    assert float(np.interp(0.0, -energies, TEMPERATURES_K)) == pytest.approx(measured_K, abs=within_K), source


def test_the_page_on_energies_has_these_temperatures():
    page = (Path(__file__).parents[2] / "docs" / "energies.md").read_text(encoding="utf-8")
    plain = page.translate(str.maketrans("₁₂₃₄", "1234"))
    for solid, products, _, _, system, source in DECOMPOSITIONS:
        found = re.search(rf"^\| {re.escape(solid)} \| [^|]* \| (\d+) ± (\d+) \| ([^|]*) \|$", plain, re.MULTILINE)
        assert found is not None, solid
        energies, error = reaction_kJ(measured_phases(system.split("-")), {solid: -1.0, **products}, TEMPERATURES_K)
        slope = (energies[0] - energies[-1]) / (TEMPERATURES_K[-1] - TEMPERATURES_K[0])
        assert float(found[1]) == pytest.approx(np.interp(0.0, -energies, TEMPERATURES_K), abs=1.0), solid
        if _text():  # which widens some errors
            assert float(found[2]) == pytest.approx(error / slope, abs=1.5), solid
        names = source.removeprefix("between 1423 and 1508 K, ")
        assert names.split(" 1")[0].split(" et al.")[0] in found[3], "who saw it"


EXCHANGES = [  # run to the right, at 1000 K unless a molten salt would be far hotter
    ({"Al": 2, "Fe2O3": 1}, {"Al2O3": 1, "Fe": 2}, "thermite"),
    ({"Mg": 2, "TiO2": 1}, {"MgO": 2, "Ti": 1}, "magnesiothermy"),
    ({"CaO": 1, "MgCO3": 1}, {"CaCO3": 1, "MgO": 1}, "lime takes the carbon dioxide of magnesite"),
    ({"BaO": 1, "SrCO3": 1}, {"BaCO3": 1, "SrO": 1}, "and baryta that of strontianite"),
    ({"CaO": 1, "SiO2": 1}, {"CaSiO3": 1}, "cement"),
    ({"MgO": 1, "Al2O3": 1}, {"MgAl2O4": 1}, "spinel"),
    ({"SrO": 1, "TiO2": 1}, {"SrTiO3": 1}, "perovskite"),
    ({"BaO": 1, "CaTiO3": 1}, {"BaTiO3": 1, "CaO": 1}, "the stronger base"),
    ({"Na2O": 1, "CaCl2": 1}, {"NaCl": 2, "CaO": 1}, "metathesis: the hard ions pair"),
    ({"CuO": 1, "H2": 1}, {"Cu": 1, "H2O": 1}, "copper from its oxide in hydrogen"),
    ({"Cr2O3": 1, "H2": 3}, {"Cr": 2, "H2O": 3}, "but not chromium"),
    ({"TiCl3": 2, "Mg": 3}, {"Ti": 2, "MgCl2": 3}, "Kroll"),
]


@pytest.mark.parametrize(("left", "right", "what"), EXCHANGES, ids=[what for *_, what in EXCHANGES])
def test_exchange_reactions_go_the_way_they_are_known_to(left, right, what):
    phases = measured_phases(frozenset().union(*map(elements_of, [*left, *right])))
    energy, error = reaction_kJ(phases, {**{f: -float(n) for f, n in left.items()}, **right}, 1000.0)
    assert (energy > error) if what == "but not chromium" else (energy < -error), (energy, error)


def test_one_solid_a_composition_and_every_solid_complete():
    phases = measured_phases(["Sr", "Ti", "O", "C"])
    solids = [phase for phase in phases if phase.state == "solid"]
    assert len({composition_key(phase.composition) for phase in solids}) == len(solids)
    assert {"SrCO3", "SrO", "TiO2", "SrTiO3", "Sr2TiO4", "Sr", "Ti", "C"} <= {phase.formula for phase in solids}
    for phase in solids:
        assert 5.0 < phase.volume_A3_per_atom < 60.0 and phase.volume_source
        assert 300.0 < phase.melting_point_K < 5000.0 and phase.melting_point_source
        assert phase.observed
    energies = phases.energy_set()
    assert energies.name == "measured" and np.isfinite(energies.gibbs_eV_per_atom).all()
    compounds = np.array([len(phase.composition) > 1 for phase in phases])
    assert (energies.standard_error_eV_per_atom[compounds] > 0.0).all() and all(energies.source)
    assert [phase.formula for phase in phases if phase.state == "gas"] == ["O2", "CO2"]


def test_what_is_not_estimated_stays_unknown():
    bare = measured_phases(["Sr", "Ti", "O"], fill=False)
    filled = measured_phases(["Sr", "Ti", "O"])
    assert [phase.formula for phase in bare] == [phase.formula for phase in filled]
    for plain, full in zip(bare, filled, strict=True):
        if np.isfinite(plain.melting_point_K):
            assert plain.melting_point_K == full.melting_point_K
        elif plain.state == "solid":
            assert not plain.melting_point_source and "estimated" in full.melting_point_source


@pytest.mark.skipif(not _text(), reason="the package reaction-network, which carries FREED, is not installed")
def test_where_sources_differ_both_are_named_and_the_error_is_wide():
    phases = measured_phases(["Ti", "B"])
    energies, at = phases.energy_set(), phases.index("TiB2")
    assert "NIST-JANAF" in energies.source[at] and "FREED" in energies.source[at]
    assert energies.standard_error_eV_per_atom[at] * 96.485 == pytest.approx(16.4 / math.sqrt(2.0), abs=0.5)


def test_sources_whose_curves_cross_differ():
    tilted = 4.0 * np.linspace(-1.0, 1.0, len(TEMPERATURES_K))  # kJ/mol: no difference on average
    first = MeasuredSolid("MgO", np.zeros(len(TEMPERATURES_K)), 1.0, "the first", 3105.0)
    both = _compared(first, MeasuredSolid("MgO", tilted, 1.0, "the second"))
    up_to = TEMPERATURES_K <= 1500.0
    assert both.standard_error_kJ_per_mol == pytest.approx(np.sqrt(np.mean(tilted[up_to] ** 2) / 2.0))
    assert "the second" in both.source
    assert _compared(first, MeasuredSolid("MgO", tilted / 8.0, 1.0, "the third")) is first


def test_a_plain_install_has_three_systems(monkeypatch):
    """Without the optional packages: fewer compounds, and complete ones."""
    for module, caches in (
        (freed, (freed._text, freed._formulas)),
        (handbook, (handbook._rows, handbook._by_tenth, handbook._properties)),
    ):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
        for cached in caches:
            cached.cache_clear()
    measured._library.cache_clear()
    try:
        for elements, target in (
            (["Sr", "Ti", "O", "C"], "SrTiO3"),
            (["Mg", "Al", "O"], "MgAl2O4"),
            (["Li", "Co", "O", "C"], "LiCoO2"),
        ):
            phases = measured_phases(elements)
            assert target in phases
            phases.require_melting_points()
            solids = [phase for phase in phases if phase.state == "solid"]
            assert all(np.isfinite(phase.volume_A3_per_atom) for phase in solids)
    finally:
        for cached in (freed._text, freed._formulas, handbook._rows, handbook._by_tenth, handbook._properties):
            cached.cache_clear()
        measured._library.cache_clear()


def test_elements_without_data_get_a_sentence():
    for wrong, match in (
        (["Sr", "Xx"], "'Xx' is not an element"),
        ("SrTiO3", "a list of symbols"),
        ([], "are empty"),
        (["He", "Ne"], "no compound of He, Ne"),
    ):
        with pytest.raises(DataError, match=match):
            measured_phases(wrong)


def test_a_system_is_loaded_by_name_with_melting_points_of_ones_own(tmp_path):
    table = tmp_path / "melting.csv"
    table.write_text("formula,melting_point_K,source\nTiSrO3,2300,my furnace\n")
    phases = load_phases("measured:C-O-Ti-Sr", melting_points=table)
    strontium_titanate = phases[phases.index("SrTiO3")]
    assert (strontium_titanate.melting_point_K, strontium_titanate.melting_point_source) == (2300.0, "my furnace")
    assert phases.system == "C-O-Sr-Ti"


def test_what_ships_is_small():
    files = ["janaf.csv", "literature.csv", "properties.csv"]
    assert sum(len(data_file(f"measured/{name}").read_bytes()) for name in files) < 200_000


def test_what_a_reader_should_know_is_said():
    warnings = measured_phases(["Na", "Cl", "Mn", "Y", "O"]).warnings
    assert any("melting points of" in w and "are estimated" in w for w in warnings)
    assert any("more stable as a gas of molecules at 1 bar: NaCl (from 1700 K)" in w for w in warnings)
