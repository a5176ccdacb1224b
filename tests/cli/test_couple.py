"""tammann couple."""

import json

import numpy as np
import pytest

from cli.refusals import refused

WORDS = ("couple", "BaO", "TiO2", "--temperature-K", "1300", "--hold-h", "1", "--conductivity", "equal")


@pytest.mark.slow
def test_layers_in_order(call, tmp_path):
    outcome = call(*WORDS, "--plot", tmp_path / "layers.png", "--out", tmp_path / "out")
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    order = [line.split()[0] for line in lines if line.split()[1:2] and line.split()[-1] in ("reactant", "parabolic")]
    assert order[0] == "BaO" and order[-1] == "TiO2" and "Ba2TiO4" in order
    assert any(line.startswith("Sequence: BaO | Ba2TiO4 | BaTiO3 |") for line in lines)
    assert any(line.startswith("Most of the driving force goes into Ba") for line in lines)
    assert "Not calibrated" in outcome.out and "nominal s" in outcome.out
    assert (tmp_path / "layers.png").stat().st_size > 5000
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "history.npz", "layers.csv", "recipe.yaml", "summary.json"
    }  # fmt: skip
    again = refused(call(*WORDS, "--out", tmp_path / "out"))
    assert "is not empty" in again


def test_json_and_both_spellings(call):
    first = json.loads(call(*WORDS, "--json").out)
    second = json.loads(
        call("couple", "BaO", "TiO2", "--temperature_K", "1300", "--hold_h", "1", "--conductivity", "equal",
             "--rate-factor", "4", "--thickness-um", "50", "60", "--json").out
    )  # fmt: skip
    assert first["sequence"] == second["sequence"] and not first["calibrated"] and not second["calibrated"]
    assert first["thickness_um"] == [None, None] and second["thickness_um"] == pytest.approx([50.0, 60.0])
    k = {row["phase"]: row["k_m2_per_s"] for row in first["layers"]}
    faster = {row["phase"]: row["k_m2_per_s"] for row in second["layers"]}
    assert faster["BaTiO3"] / k["BaTiO3"] == pytest.approx(4.0, rel=0.01)
    assert np.isclose(sum(row["dissipation"] for row in first["layers"]), 1.0, atol=0.02)


@pytest.mark.slow
def test_a_recipe_and_what_stands_in_for_its_entries(call, tmp_path):
    path = tmp_path / "couple.yaml"
    path.write_text(
        "precursors:\n  - {phase: BaCO3, ratio: 1}\n  - {phase: TiO2, ratio: 1}\natmosphere: air\n"
        "programme:\n  - {temperature_K: 1200, hold_h: 1}\n"
    )
    words = ("couple", path, "--conductivity", "equal", "--json")
    whole = json.loads(call(*words).out)
    assert whole["temperature_K"] == 1200.0 and whole["duration_h"] > 2 and whole["gas_mol_per_m2"]["CO2"] > 0
    other = json.loads(call(*words, "--temperature-K", "1300", "--hold-h", "0.5", "--gas", "CO2=1e5").out)
    assert other["temperature_K"] == 1300.0 and other["duration_h"] == 0.5
    assert "--hold-h: expected it beside temperature_K" in refused(call(*words, "--temperature-K", "1300"))


@pytest.mark.parametrize(
    "words, said",
    [
        (("BaO", "TiO2"), "--temperature-K: expected a number"),
        (("BaO", "TiO2", "--temperature-K", "1300"), "--hold-h: expected a number"),
        (("BaO", "--temperature-K", "1300", "--hold-h", "1"), "expected two formulas or one recipe"),
        (("BaO", "BaO", "--temperature-K", "1300", "--hold-h", "1"), "two different solids"),
        (("BaO", "SrO", "--temperature-K", "1300", "--hold-h", "1"), "got Sr"),
        (("BaO", "O2", "--temperature-K", "1300", "--hold-h", "1"), "O2 is a gas"),
        (("BaO", "TiO2", "--temperature-K", "13000", "--hold-h", "1"), "from 300 to 2000 K"),
        (("BaO", "TiO2", "--temperature-K", "1300", "--hold-h", "1", "--thickness-um", "0", "1"), "two thicknesses"),
        (("BaO", "TiO2", "--temperature-K", "1300", "--hold-h", "1", "--rate-factor", "-1"), "rate_factor"),
        (("BaO", "TiO2", "--temperature-K", "1300", "--hold-h", "1", "--conductivity", "none"), "--conductivity"),
        (("BaO", "TiO2", "--temperature-K", "1300", "--hold-h", "1", "--energies", "no.csv"), "no.csv"),
        (("BaO", "TiO2", "--temperature-K", "1300", "--hold-h", "1", "--gas", "CO2"), "--gas"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, words, said):
    assert said in refused(call("couple", *words))
