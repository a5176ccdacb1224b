"""Learned diffusivities from the command line."""

import json

import numpy as np
import pandas as pd
import pytest

from cli.refusals import refused
from diffusivity.made_up_table import made_up_table
from diffusivity.test_local_features import antifluorite, rock_salt
from tammann.structures.write import write_structure
from tammann.transport import load_transport


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_structure(rock_salt(), "salt.extxyz")
    write_structure(antifluorite(), "oxide.extxyz")
    made_up_table(noise=0.2).save("table.csv")
    return tmp_path


def test_features(here, call):
    done = call("features", "salt.extxyz", "oxide.extxyz", "--out", "features.csv", "--json")
    assert done.status == 0
    salt, oxide = json.loads(done.out)
    assert salt["formula"] == "LiF" and salt["LNC"] == 26.0 and oxide["LLB"] == 18.0 and "temperature_K" not in salt
    assert set(pd.read_csv("features.csv").columns) >= {"PF", "root_BR5_M", "density_g_per_cm3"}
    shown = call("features", "salt.extxyz", "--temperatures", "1000", "1500").out
    assert shown.count("LiF") == 2 and "1500" in shown
    head = next(line for line in shown.splitlines() if "LASD" in line)
    assert all(word in head for word in ("LASD (Å)", "density (g/cm³)", "temperature (K)", "LNC "))
    assert call("features", "BaO", "--ion", "Ba", "--quiet").out == ""


def test_definitions_with_units_and_sources(call):
    done = call("features", "--definitions")
    lines = done.out.splitlines()
    rows = [line for line in lines if line.rstrip().endswith(("Zheng", "Sendek"))]
    assert done.status == 0 and len(rows) == 44 and max(map(len, lines)) <= 120
    volume = next(row for row in rows if row.split()[0] == "AAV")
    assert "Å³" in volume and "V/N" in volume and "Sendek" in volume
    assert sum("doi" in line for line in lines) == 2  # in full once, below


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("features", "BaO"), "got the elements Ba, O; name one of them as the ion (--ion)"),
        (("features", "salt.extxyz", "--ion", "Qq"), "salt: Li4F4: expected the mobile ion Qq in it"),
        (("features", "salt.extxyz", "--out", "nowhere/f.csv"), "--out: expected a folder that exists"),
        (("features", "salt.extxyz", "--out", "."), "--out: expected a file to write, got the folder"),
        (("diffusivity", "train", ".", "--table", "table.csv"), "MODEL.json: expected a file to write"),
        (("features", "salt.extxyz", "--temperatures", "0"), "temperature_K: expected a number above 0 K"),
        (("diffusivity", "train", "nowhere/m.json", "--table", "table.csv"), "MODEL.json: expected a folder"),
        (("diffusivity", "predict", "m.json", "salt.extxyz", "--transport", "nowhere/t.json"), "--transport: expected"),
        (("diffusivity", "train", "m.json", "--table", "odd.csv"), "odd.csv"),
        (("features", "nowhere.cif"), "nowhere.cif"),
        (("features", "molecule.xyz"), "cell"),
        (("features", "odd.extxyz"), "Es: no"),
        (("diffusivity", "train", "m.json"), "--table: expected a table"),
        (("diffusivity", "train", "m.json", "--table", "table.csv", "--model", "magic"), "model: expected one of"),
        (("diffusivity", "train", "m.json", "--table", "no.dat"), "no.dat: expected a table of diffusivities, got no"),
        (("diffusivity", "predict", "table.csv", "salt.extxyz"), "table.csv"),
        (("diffusivity", "validate", "--table", "table.csv", "--folds", "50"), "folds: expected 2 to 20"),
    ],
)
def test_refused(here, call, words, sentence):
    (here / "molecule.xyz").write_text("2\n\nLi 0 0 0\nF 0 0 1.6\n")
    write_structure(rock_salt(anion="Es"), "odd.extxyz")
    (here / "odd.csv").write_text("formula,temperature_K,D_m2_per_s\nQq2O,1000,1e-9\n")
    assert sentence in refused(call(*words))


def test_trained_and_predicted(here, call):
    done = call("diffusivity", "train", "model.json", "--table", "table.csv", "--model", "symbolic")
    assert done.status == 0 and "1/kBT" in done.out and "compositions not seen" in done.out
    words = ("diffusivity", "predict", "model.json", "salt.extxyz", "--temperatures", "1500", "300")
    whole = json.loads(call(*words, "--json").out)
    assert (whole["ion"], whole["confidence"]) == ("Li", 0.9)
    found = whole["predictions"]
    assert [one["temperature_K"] for one in found] == [1500.0, 300.0] and found[1]["outside_temperatures"]
    assert all(one["D_low_m2_per_s"] < one["D_m2_per_s"] < one["D_high_m2_per_s"] for one in found)
    assert whole["activation"] == {}  # of two temperatures there is none
    three = ("--temperatures", "1000", "1500", "2000")
    (energy,) = json.loads(call("diffusivity", "predict", "model.json", "salt.extxyz", *three, "--json").out)[
        "activation"
    ].values()
    assert energy["Ea_eV"] == pytest.approx(0.33, abs=0.1) and 0 < energy["Ea_stderr_eV"] < 0.2
    assert "Ea eV" in call("diffusivity", "predict", "model.json", "salt.extxyz", *three).out
    shown = call(*words, "--transport", "learned.json")
    assert "flagged as learned" in shown.out and "Note:" in shown.out
    table = load_transport("learned.json")
    (head,) = [line for line in shown.out.splitlines() if "distance" in line]
    assert "from (90 %)" in head and "to (90 %)" in head and "far beyond" in shown.out
    cold = next(line for line in shown.out.splitlines() if line.split()[:2] == ["salt", "300"])
    assert cold.rstrip().endswith("temperature")
    assert found[1]["D_high_m2_per_s"] / found[1]["D_m2_per_s"] > found[0]["D_high_m2_per_s"] / found[0]["D_m2_per_s"]
    assert table.warnings[0].startswith("Learned") and table.formulas == ("LiF",)
    assert np.isfinite(table.entries[0].L_self).all()


def test_validated(here, call):
    words = ("diffusivity", "validate", "--table", "table.csv", "--model", "symbolic", "--seeds", "2", "--folds", "4")
    done = call(*words, "--plot", "validation.png", "--json")
    grouped, by_row = json.loads(done.out)
    assert grouped["folds"] == "by composition" and grouped["leaked"] == 0.0 and by_row["leaked"] > 0.8
    assert (here / "validation.png").stat().st_size > 1000
    assert "by composition" in call(*words).out
