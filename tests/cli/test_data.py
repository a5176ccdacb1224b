"""tammann reactions, kd, hull and energies."""

import json
import math
import re
import time

import numpy as np
import pytest

from cli.refusals import refused
from own_energies import computed, dump


@pytest.mark.slow
def test_growth_constants(call):
    rows = json.loads(call("kd", "--json").out)
    assert set(rows[0]) == {"phase", "temperature_K", "K_D_m2_per_s", "K_D_low", "K_D_high"}
    assert {row["temperature_K"] for row in rows} == {750, 1000, 1250, 1500, 1750}
    K = {(row["phase"], row["temperature_K"]): row["K_D_m2_per_s"] for row in rows}
    assert max((k for k in K if k[1] == 1500), key=K.__getitem__) == ("Ba4Ti13O30", 1500)
    table = call("kd").out
    assert call("kd", "--kinetics", "self").out != table  # without draws for a band, which take their time
    assert "Ba4Ti13O30" in table and "1500 K" in table
    assert "'--form'" in refused(call("kd", "--form", "fig"))
    assert "'--kinetics'" in refused(call("kd", "--kinetics", "none"))


def test_growth_constants_of_no_product_are_refused(call):
    assert "--between: expected phases with a composition" in refused(call("kd", "--between", "BaO", "O2"))


def test_growth_constants_need_transport_data(call, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(
        "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
        "SrO,-3.06,17.4,2804,0.04\nTiO2,-3.26,10.4,2130,0.04\nSrTiO3,-3.56,11.9,2353,0.04\n"
    )
    assert "--transport: expected transport data" in refused(call("kd", own))
    assert "SrO + TiO2 -> SrTiO3" in call("reactions", own).out


def test_reactions(call):
    rows = json.loads(call("reactions", "--between", "TiO2", "BaO", "--temperature-K", "1000", "--json").out)
    assert [row["energy_eV_per_atom"] for row in rows] == sorted(row["energy_eV_per_atom"] for row in rows)
    titanate = next(row for row in rows if row["products"] == {"BaTiO3": 1})
    assert titanate["reactants"] == {"BaO": 1, "TiO2": 1}
    assert titanate["energy_eV_per_atom"] == pytest.approx(-0.320, abs=0.01)  # measured, at 1000 K
    assert titanate["equation"] == "BaO + TiO2 -> BaTiO3"
    few = call("reactions", "--between", "BaO", "TiO2", "--limit", "3").out
    assert len(re.findall("->", few)) == 3 and "--limit 0" in few
    assert "is not in Ba-Ti-O" in refused(call("reactions", "--between", "BaO", "SrO"))


def test_carbon_dioxide_holds_back_decarbonation(call):
    def energy(*gas: str) -> float:
        rows = json.loads(
            call("reactions", "--between", "BaCO3", "BaTiO3", "--temperature-K", "922", *gas, "--json").out
        )
        return next(row["energy_eV_per_atom"] for row in rows if row["products"] == {"Ba2TiO4": 1, "CO2": 1})

    assert energy("--gas", "CO2=40.53") == pytest.approx(0.0, abs=4e-3)  # in equilibrium at 922 K under 400 ppm
    assert energy("--gas", "CO2=101325") > 0.05
    assert "--gas: expected a gas and its pressure in Pa" in refused(call("reactions", "--gas", "CO2"))
    assert "--gas: expected" in refused(call("hull", "--gas", "CO2=-1"))


def test_hull(call):
    rows = {row["phase"]: row for row in json.loads(call("hull", "--temperature-K", "1300", "--json").out)}
    assert rows["BaTiO3"]["energy_above_hull_eV_per_atom"] == pytest.approx(0, abs=1e-9)
    assert rows["Ba3TiO5"]["energy_above_hull_eV_per_atom"] > 0.005
    assert all(v is None or not isinstance(v, float) or math.isfinite(v) for row in rows.values() for v in row.values())
    table = call("hull").out
    assert table.index("BaTiO3") < table.index("Ba3TiO5")
    assert "from 300 to 2000 K, got 5" in refused(call("hull", "--temperature-K", "5"))
    assert "materials-project" in refused(call("hull", "--energies", "assesed"))


def test_energies(call):
    told = json.loads(call("energies", "--json").out)
    assert told["name"] == "assessed"
    assert {"assessed", "experiment-anchored", "materials-project"} <= set(told["sets"])
    shifts = {row["phase"]: row["shift_eV_per_atom"] for row in told["phases"]}
    assert any(abs(shift) > 1e-4 for shift in shifts.values()) and told["constraints"]
    untouched = json.loads(call("energies", "--energies", "materials-project", "--json").out)
    assert all(row["shift_eV_per_atom"] == 0 for row in untouched["phases"])
    printed = call("energies").out
    assert "Ba6Ti17O40" in printed and "Given: " in printed


@pytest.mark.parametrize(
    ("command", "ending"),
    [(["kd"], "svg"), (["hull"], "png"), (["hull"], "svg"), (["reactions", "--between", "BaO", "TiO2"], "png")],
)
def test_figures(call, tmp_path, monkeypatch, command, ending):
    # Bands are tested elsewhere: here draws of the transport alone make it, which are quick.
    monkeypatch.setattr("tammann.thermo.draw_energies", lambda phases, **_: phases)
    file = tmp_path / f"figure.{ending}"
    assert call(*command, "--plot", file).status == 0
    assert file.read_bytes().startswith(b"\x89PNG" if ending == "png" else b"<?xml")
    if command == ["kd"]:  # matplotlib leaves the text of each label as a comment
        assert "only ratios carry meaning" in file.read_text()


def test_limit_counts_for_json_as_well(call):
    assert len(json.loads(call("reactions", "--json", "--limit", 2).out)) == 2
    every = json.loads(call("reactions", "--between", "BaO", "TiO2", "--json").out)
    assert (
        len(every) == len(json.loads(call("reactions", "--between", "BaO", "TiO2", "--json", "--limit", 0).out)) == 32
    )
    assert every[:2] == json.loads(call("reactions", "--between", "BaO", "TiO2", "--json", "--limit", 2).out)


@pytest.mark.parametrize("command", ["reactions", "hull", "kd"])
def test_a_phase_and_itself_are_no_pair(call, command):
    assert "--between: expected two phases, got TiO2 twice" in refused(call(command, "--between", "TiO2", "Ti2O4"))


@pytest.mark.parametrize("command", ["reactions", "hull"])
def test_numbers_and_gases_out_of_sense(call, command):
    for T in ("1e9", "-5", "nan", "0"):
        assert "--temperature-K: expected a temperature from 300 to 2000 K" in refused(
            call(command, "--temperature-K", T)
        )
    assert "XeF2 is not a gas" in refused(call(command, "--gas", "XeF2=100"))
    assert "--gas: expected a gas of Ba-Ti-O (O2, CO2), got SO2" in refused(call(command, "--gas", "SO2=100"))
    assert "got BaO" in refused(call(command, "--gas", "BaO=100"))
    for pressure in ("1e300", "nan", "-1", "0"):
        assert "--gas: expected" in refused(call(command, "--gas", f"CO2={pressure}"))


def own_phases(path, *rows):
    header = "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
    path.write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def test_a_figure_of_an_own_hull_finds_its_ends_or_names_the_option(call, tmp_path):
    oxides = ["SrO,-3.06,17.4,2804,0.04", "TiO2,-3.26,10.4,2130,0.04", "SrTiO3,-3.56,11.9,2353,0.04"]
    file = tmp_path / "hull.svg"
    assert call("hull", own_phases(tmp_path / "line.csv", *oxides), "--plot", file).status == 0
    assert file.stat().st_size > 0
    plane = own_phases(tmp_path / "plane.csv", *oxides, "Ti2O3,-3.1,10.5,2115,0.04")
    assert "--between: the compositions of O-Sr-Ti do not lie on one line" in refused(
        call("hull", plane, "--plot", file)
    )
    assert call("hull", plane, "--between", "SrO", "TiO2", "--plot", file).status == 0


def test_melting_points_of_a_table(call, tmp_path):
    own = own_phases(tmp_path / "own.csv", "SrO,-3.06,17.4,2804,0.04", "TiO2,-3.26,10.4,2130,0.04")
    table = tmp_path / "melting.csv"
    table.write_text("formula,melting_point_K,source\nSrO,2938,measured\n")
    rows = {row["phase"]: row for row in json.loads(call("hull", own, "--melting-points", table, "--json").out)}
    assert rows["SrO"]["melting_point_K"] == 2938 and rows["SrO"]["melting_point_source"] == "measured"
    assert rows["TiO2"]["melting_point_K"] == 2130


def test_competitors_of_the_library_are_added_and_listed(call, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("formula,formation_enthalpy_298K_kJ_per_mol\nMg2TiO4,-2164.4\n")
    alone = json.loads(call("hull", own, "--json").out)
    filled = call("hull", own, "--fill")
    assert [row["phase"] for row in alone] == ["Mg2TiO4", "O2"]
    assert all(f" {formula} " in f" {' '.join(filled.out.split())} " for formula in ("MgO", "TiO2", "MgTiO3"))
    assert "added from the library of measured energies: " in " ".join(filled.out.split())
    equations = [row["equation"] for row in json.loads(call("reactions", own, "--fill", "--json").out)]
    assert any(set(text.split()) >= {"MgO", "TiO2", "Mg2TiO4"} for text in equations)
    assert "cannot go with Ba-Ti-O" in refused(call("hull", "Ba-Ti-O", "--fill"))


def test_entries_without_melting_points_or_volumes_have_a_hull_and_reactions(call, tmp_path):
    rows = [("Mg", -1.5), ("Al", -3.7), ("O2", -4.9), ("MgO", -6.2), ("Al2O3", -7.9), ("MgAl2O4", -7.35)]
    file = dump(tmp_path, [computed(formula, energy) for formula, energy in rows])
    phases = {row["phase"]: row for row in json.loads(call("hull", file, "--json").out)}
    assert phases["MgO"]["melting_point_K"] == 3105 and phases["MgAl2O4"]["melting_point_K"] > 2000
    assert json.loads(call("reactions", file, "--json").out)


def many_compounds(number):
    """Compounds of five elements at one line of a CSV file each."""
    rng = np.random.default_rng(1)
    amounts = np.unique(rng.integers(0, 7, (3 * number, 5)), axis=0)
    amounts = amounts[(np.gcd.reduce(amounts, axis=1) == 1) & ((amounts > 0).sum(axis=1) > 1)]
    assert len(amounts) >= number
    for row in rng.permutation(amounts)[:number]:
        formula = "".join(f"{element}{n}" for element, n in zip(("Na", "Mn", "Y", "O", "Cl"), row, strict=True) if n)
        yield f"{formula},{rng.uniform(-3, -1):.3f},,1500,0.04"


def test_many_phases(call, tmp_path):
    """300 phases: between two of them at once, all together refused at once."""
    own = own_phases(tmp_path / "many.csv", "NaCl,-2.1,22,1074,0.04", "MnO2,-1.8,9,1200,0.04", *many_compounds(298))
    start = time.perf_counter()
    rows = json.loads(call("reactions", own, "--between", "NaCl", "MnO2", "--json", "--limit", 5).out)
    assert len(rows) == 5 and all(set(row["reactants"]) >= {"NaCl", "MnO2"} for row in rows)
    sentence = refused(call("reactions", own))
    assert " solids and " in sentence and "between two of them" in sentence and "grid" not in sentence
    assert time.perf_counter() - start < 20


def test_gases_that_fall_apart_take_part_if_named(call, tmp_path):
    rows = ("NaCl,-2.1,22,1074,0.04", "Na2O,-1.4,14,1405,0.04", "NaClO3,-0.5,15,521,0.04", "ClO2,0.4,20,263,0.04")
    own = own_phases(tmp_path / "own.csv", *rows)
    plain = call("reactions", own, "--limit", "0").out
    assert "ClO2" not in re.findall(r"\w+", plain.split("Note")[0]) and "fall apart at 1300 K: ClO2" in plain
    assert " ClO2" in call("reactions", own, "--gas", "ClO2=1", "--limit", "0").out.split("Note")[0]


def test_unknown_systems(call):
    for command in ("kd", "hull", "reactions", "energies"):
        assert "Atlantis" in refused(call(command, "Atlantis"))
