"""tammann new and tammann run."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from cli.refusals import refused
from tammann.cli import run
from tammann.recipe import Recipe


def test_run_has_the_promised_options(call):
    outcome = call("run", "--help")
    for option in ("--out", "--seed", "--realizations", "--size", "--kinetics", "--energies", "--threads", "--resume"):
        assert option in outcome.out


def test_new_writes_a_recipe_once(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = call("new")
    assert outcome.status == 0 and "tammann run recipe.yaml --out recipe" in outcome.out
    assert Recipe.from_file("recipe.yaml").precursors[1].phase == "TiO2"
    (tmp_path / "recipe.yaml").write_text("mine")
    assert "recipe.yaml: expected the name of a new file" in refused(call("new"))
    assert (tmp_path / "recipe.yaml").read_text() == "mine"
    assert call("new", "other.yaml").status == 0
    assert Recipe.from_text(call("new", "-").out) == Recipe.from_file("other.yaml")
    assert "no such file" in refused(call("new", tmp_path / "nowhere" / "recipe.yaml"))
    assert f"got a folder; try {tmp_path / 'recipe.yaml'}" in refused(call("new", tmp_path))


def test_bad_recipes_are_refused(call, recipes, tmp_path):
    good = (recipes / "batio3-1-1.yaml").read_text()
    bad = {
        "empty": b"",
        "cut": good[:40].encode(),
        "binary": b"\x00\xff\xfe",
        "element": good.replace("TiO2", "XyO2").encode(),
        "phase": good.replace("TiO2", "ZrO2").encode(),
        "key": (good + "frobnicate: 3\n").encode(),
        "negative": re.sub(r"([a-z_]+_K: *)[0-9.]+", r"\1-5", good).encode(),
        "text": re.sub(r"([a-z_]+_K: *)[0-9.]+", r"\1hot", good).encode(),
    }
    for name, raw in bad.items():
        path = tmp_path / f"{name}.yaml"
        path.write_bytes(raw)
        outcome = call("run", path, "--out", tmp_path / name)
        refused(outcome)
        assert not (tmp_path / name / "summary.json").exists()
    refused(call("run", tmp_path / "none.yaml", "--out", tmp_path / "o"))
    refused(call("run", tmp_path, "--out", tmp_path / "o"))


def test_summary_as_a_table(capsys, tmp_path):
    run._print_summary(
        {
            "final_mole_fractions": {"BaTiO3": 0.9, "TiO2": 0.1, "BaO2": 1e-6},
            "final_mole_fractions_low": {"BaTiO3": 0.8, "TiO2": 0.0},
            "final_mole_fractions_high": {"BaTiO3": 1.0, "TiO2": 0.2},
            "baselines": {"geometric_null": {"BaTiO3": 0.687, "Ba2TiO4": 0.153}, "equilibrium": {"BaTiO3": 1.0}},
            "arrested": True,
            "unreacted_fraction": 0.25,
            "fallback_share": 0.125,
            "warnings": ["nothing is certain"],
        },
        tmp_path,
    )
    text = capsys.readouterr().out
    assert re.search(r"BaTiO3\s+90\.0\s+80\.0 to 100\.0\s+68\.7\s+100\.0", text)
    assert re.search(r"Ba2TiO4\s+0\.0\s+0\.0 to 0\.0\s+15\.3\s+0\.0", text)
    assert "BaO2" not in text
    assert "arrested" in text and "25.0 %" in text and "12.5 %" in text and "\n1 note on data and method" in text
    assert str(tmp_path / "report.html") in text


def test_notes_that_change_the_answer_come_first(capsys, tmp_path):
    important = "Nothing reacts: every reaction is uphill."
    run._print_summary(
        {"final_mole_fractions": {"BaO": 1.0}, "important_warnings": [important], "warnings": [important, "a", "b"]},
        tmp_path,
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Note: {important}"
    assert "2 more notes on data and method: in the report and in summary.json." in lines


@pytest.mark.slow
def test_a_terminal_says_what_a_run_will_cost(call, monkeypatch, recipes, tmp_path):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    done = call(
        "run", recipes / "batio3-1-1.yaml", "--size", 8, "--realizations", 2, "--threads", 1, "--out", tmp_path / "o"
    )
    assert done.status == 0
    assert "2 realizations and 2 of the geometric null, each 8^3 cells, " in done.err
    assert re.search(r"sweeps, [\d.e+]+ visits a run: about \d+ s and \d+ MB on 1 core", done.err)


@pytest.mark.slow
def test_run_writes_what_it_promises(process, recipes, tmp_path):
    out = tmp_path / "out"
    options = ["--out", out, "--seed", 3, "--size", 12, "--realizations", 2, "--threads", 1]
    done = process("run", recipes / "batio3-1-1.yaml", *options, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    summary = json.loads(done.stdout)
    assert summary == json.loads((out / "summary.json").read_text())
    assert summary["seed"] == 3 and summary["element_drift"] <= 1e-10
    for name in ("phase_fractions.csv", "report.html", "phases.png", "recipe.yaml"):
        assert (out / name).stat().st_size > 0
    again = process("run", recipes / "batio3-1-1.yaml", *options)
    assert again.returncode == 2 and again.stderr.count("\n") == 1
    finished = process("run", recipes / "batio3-1-1.yaml", *options, "--resume", "--quiet")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of posix")
def test_control_c(recipes, tmp_path, environment):
    command = [
        sys.executable,
        "-m",
        "tammann",
        "run",
        str(recipes / "bati2o5-1-2.yaml"),
        "--out",
        str(tmp_path / "out"),
    ]
    command += ["--size", "100", "--realizations", "1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as running:
        time.sleep(6)
        os.killpg(running.pid, signal.SIGINT)
        try:
            out, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130
    assert out == "" and "Traceback" not in err and "--resume" in err
