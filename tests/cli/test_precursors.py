"""tammann precursors."""

import json
import time
from pathlib import Path

import pytest


def test_strontium_titanate_in_air(call):
    outcome = call("precursors", "SrTiO3", "--temperature-K", 1100)
    assert outcome.status == 0, outcome.err
    assert outcome.out.startswith("SrTiO3 at 1100 K, O2 2.12e+04 Pa, CO2 40.5 Pa; energies in meV/atom")
    for name in ("SrO + TiO2", "SrCO3 + TiO2", "SrCl2 + TiO2 + Na2CO3 (NaCl left)"):
        assert name in outcome.out
    assert "Note: C1, C2 and the inverse hull are defined for two precursors." in outcome.out


def test_json_has_every_set_and_its_numbers(call):
    outcome = call("precursors", "SrTiO3", "--from-kinds", "oxide,carbonate,acetate", "--no-metathesis", "--json")
    found = json.loads(outcome.out)
    assert (found["target"], found["energies"], found["release_pressure_Pa"]) == ("SrTiO3", "measured", 1.0)
    by_name = {" + ".join(one["precursors"]): one for one in found["sets"]}
    carbonate = by_name["SrCO3 + TiO2"]
    assert carbonate["reaction"] == "SrCO3 + TiO2 -> SrTiO3 + CO2"
    assert carbonate["precursors"] == {"SrCO3": 1, "TiO2": 1} and carbonate["kinds"] == ["carbonate", "oxide"]
    assert carbonate["K_D_m2_per_s"] is None and carbonate["nucleation_barrier_eV"] is None
    assert by_name["Sr(CH3COO)2 + TiO2"]["reacts_as"] == "SrCO3 + TiO2"
    assert by_name["Sr(CH3COO)2 + TiO2"]["lead_meV_per_atom"] == carbonate["lead_meV_per_atom"]


def test_cobalt_takes_up_the_oxygen_of_air(call):
    outcome = call("precursors", "LiCoO2", "--from", "Li2CO3,Co3O4", "--temperature-K", 1100, "--json")
    assert json.loads(outcome.out)["sets"][0]["reaction"] == "6 Li2CO3 + 4 Co3O4 + O2 -> 12 LiCoO2 + 6 CO2"


def test_transport_where_there_is_any(call):
    outcome = call("precursors", "BaTiO3", "--energies", "Ba-Ti-O", "--from", "BaCO3,BaO,TiO2")
    assert outcome.status == 0, outcome.err
    assert "K_D, m2/s" in outcome.out


def test_own_energies_and_a_figure(call, tmp_path):
    table = tmp_path / "spinel.csv"
    table.write_text(
        "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K\n"
        "MgO,-3.05,9.4,3105\nAl2O3,-3.43,8.7,2327\nMgAl2O4,-3.38,9.6,2408\n",
        encoding="utf-8",
    )
    figure = tmp_path / "spinel.png"
    outcome = call("precursors", "MgAl2O4", "--energies", table, "--plot", figure)
    assert outcome.status == 0, outcome.err
    assert "MgO + Al2O3" in outcome.out and figure.stat().st_size > 10_000


def test_a_target_that_only_computed_entries_have(call):
    entries = Path(__file__).parents[2] / "examples" / "own-chemistry" / "y-mn-na-cl-o.json"
    words = ("precursors", "YMnO3", "--temperature-K", 923, "--from", "Y2O3,Mn2O3,YCl3,NaMnO2")
    assert "YMnO3 has no energy in the set 'measured'" in call(*words).err
    for source in (("--computed", entries), ("--energies", entries, "--fill")):
        outcome = call(*words, *source)
        assert outcome.status == 0, outcome.err
        assert "Y2O3 + Mn2O3" in outcome.out and "Y2O3 + YCl3 + NaMnO2 (NaCl left)" in outcome.out


@pytest.mark.slow  # pymatgen compiles for ten seconds
def test_nucleation_where_structures_are_given(call, tmp_path):
    perovskite, rocksalt = tmp_path / "SrTiO3.xyz", tmp_path / "SrO.xyz"
    perovskite.write_text(
        '5\nLattice="3.905 0 0 0 3.905 0 0 0 3.905"\nSr 0 0 0\nTi 1.9525 1.9525 1.9525\nO 1.9525 1.9525 0\n'
        "O 1.9525 0 1.9525\nO 0 1.9525 1.9525\n",
        encoding="utf-8",
    )
    rocksalt.write_text(
        '2\nLattice="0 2.58 2.58 2.58 0 2.58 2.58 2.58 0"\nSr 0 0 0\nO 2.58 2.58 2.58\n', encoding="utf-8"
    )
    words = ("precursors", "SrTiO3", "--from", "SrO,SrCO3,TiO2", "--structure", perovskite, "--structure", rocksalt)
    assert "barrier, eV" in call(*words).out
    sets = {one["reaction"]: one for one in json.loads(call(*words, "--json").out)["sets"]}
    assert sets["SrO + TiO2 -> SrTiO3"]["nucleation_barrier_eV"] > 0
    assert sets["SrCO3 + TiO2 -> SrTiO3 + CO2"]["nucleation_barrier_eV"] is None


def test_what_is_of_no_use_is_named(call):
    outcome = call("precursors", "SrTiO3", "--from", "SrCO3,TiO2,ZrO2")
    assert "Note: In no set that balances, has energies and releases energy: ZrO2." in outcome.out


def test_limit(call):
    few = call("precursors", "SrTiO3", "--limit", 2)
    assert "--limit 0 shows all" in few.out and few.out.count(" + ") < call("precursors", "SrTiO3").out.count(" + ")
    assert len(json.loads(call("precursors", "SrTiO3", "--limit", 2, "--json").out)["sets"]) == 2


def test_fast(call):
    call("precursors", "SrTiO3")
    start = time.perf_counter()
    call("precursors", "SrTiO3")
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["SrTiO7"], "SrTiO7 has no energy in the set 'measured' at 1300 K"),
        (["Sr9TiO3"], "no oxidation states of its elements add up to zero"),
        (["Sr("], "formula 'Sr(' cannot be read"),
        (["SrXxO3"], "'Xx', which is not an element"),
        (["SrTiO3", "--from-kinds", "salt"], "kind of precursor 'salt' is not on the list"),
        (["SrTiO3", "--from", "SrO"], "no precursor brings Ti"),
        (["SrTiO3", "--atmosphere", "smog"], "atmosphere 'smog' has no name here"),
        (["SrTiO3", "--temperature-K", 20], "temperature_K 20 is outside"),
        (["SrTiO3", "--energies", "nowhere.csv"], "nowhere.csv"),
        (["LiCoO2", "--from", "Li2CO3,CoO", "--atmosphere", "inert"], "without taking up O2"),
        (["SrTiO3", "--gas", "O2=-3"], "--gas: expected a gas and its pressure"),
        (["AcPaO3"], "AcPaO3"),
        (["SrTiO3", "--structure", "nowhere.cif"], "structure 'nowhere.cif': expected a file"),
    ],
)
def test_bad_input_gets_one_sentence(call, words, sentence):
    outcome = call("precursors", *words)
    assert outcome.status == 2 and sentence in outcome.err
    assert outcome.err.count("\n") == 1 and "Traceback" not in outcome.err and not outcome.out
