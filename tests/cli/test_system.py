"""tammann system."""

import json

import pytest

from cli.refusals import refused
from tammann.thermo import measured_phases


def test_a_system_is_listed(call):
    told = call("system", "Sr-Ti-O-C").out
    assert "SrTiO3" in told and "NIST-JANAF" in told and "Gases: O2, CO2" in told and "at 1300 K" in told
    assert call("system", "Sr", "Ti", "O", "C").out == told == call("system", "SrTiO3", "CO2").out
    assert call("system", "Sr,Ti,O,C").out == told == call("system", "Sr, Ti", "O,C").out


def test_json_has_every_number_with_its_source(call):
    told = json.loads(call("system", "Sr-Ti-O-C", "--temperature-K", "1000", "--json").out)
    phases = measured_phases(["Sr", "Ti", "O", "C"])
    rows = {row["phase"]: row for row in told["phases"]}
    assert list(rows) == [phase.formula for phase in phases]
    row = rows["SrTiO3"]
    assert row["gibbs_eV_per_atom"] == pytest.approx(phases.gibbs(1000.0)[phases.index("SrTiO3")])
    assert row["gibbs_kJ_per_mol"] == pytest.approx(5 * 96.485 * row["gibbs_eV_per_atom"], rel=1e-4)
    for row in told["phases"]:
        assert row["source"] and (row["state"] == "gas" or row["melting_point_source"] and row["volume_source"])
    assert rows["SrTiO3"]["energy_above_hull_eV_per_atom"] == 0.0
    assert "CO" in told["more_gases"]


def test_what_is_missing_is_said(call):
    told = call("system", "Y-Mn-O").out
    assert "Missing: no table has a compound of Mn-Y-O" in told and "mp-api" in told


def test_no_solid_is_said_to_fall_apart_into_itself(call):
    told = call("system", "Cd,O").out
    assert "CdO = Cd(g) + 0.5 O2" in told and "CdO = CdO" not in told


def test_bad_words_are_refused(call):
    assert "'Xx', which is not an element" in refused(call("system", "Sr-Xx"))
    assert "no compound of He, Ne" in refused(call("system", "He-Ne"))
    assert "--temperature-K 3000: expected 300 to 2000 K" in refused(call("system", "MgO", "--temperature-K", "3000"))
