"""tammann reactions, kd, hull and energies."""

import json
import math
import re

import pytest

from cli.refusals import refused


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
    # What a band is made of is tested elsewhere: here draws of the transport alone make it, which are quick.
    monkeypatch.setattr("tammann.thermo.draw_energies", lambda phases, **_: phases)
    file = tmp_path / f"figure.{ending}"
    assert call(*command, "--plot", file).status == 0
    assert file.read_bytes().startswith(b"\x89PNG" if ending == "png" else b"<?xml")


def test_unknown_systems(call):
    for command in ("kd", "hull", "reactions", "energies"):
        assert "Atlantis" in refused(call(command, "Atlantis"))
