"""The command line, as a stranger uses it."""

import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import tammann
from tammann.cli import app, output, run
from tammann.errors import DataError, ResultError
from tammann.recipe import Recipe

COMMANDS = ("run", "reactions", "kd", "hull", "energies", "validate", "new")


def refused(outcome) -> str:
    """The one sentence of a refusal."""
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("tammann: ") and outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err
    return outcome.err


# ----------------------------------------------------------------------------------------------------------- front door


def test_help_names_every_command(call):
    outcome = call("--help")
    assert outcome.status == 0
    for command in COMMANDS:
        assert re.search(rf"│ {command}\s", outcome.out)
        assert call(command, "--help").status == 0


def test_run_has_the_promised_options(call):
    outcome = call("run", "--help")
    for option in ("--out", "--seed", "--realizations", "--size", "--kinetics", "--energies", "--threads", "--resume"):
        assert option in outcome.out


def test_version(call):
    assert call("--version").out == f"tammann {tammann.__version__}\n"


def test_help_needs_no_science(environment):
    script = (
        "import sys; from tammann.cli.app import call; call(['--help']);"
        "print(*sorted(set(sys.modules) & {'numpy', 'scipy', 'pandas', 'numba', 'pymatgen', 'matplotlib', 'ruamel'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(
    "words",
    [
        ["anneal"],
        ["run"],
        ["run", "recipe.yaml"],
        ["run", "recipe.yaml", "--out", "x", "--seed", "many"],
        ["run", "recipe.yaml", "--out", "x", "--threads", "0"],
        ["run", "recipe.yaml", "--out", "x", "--frobnicate"],
        ["hull", "--temperature-K", "hot"],
        ["new", "a", "b"],
    ],
)
def test_wrong_words_get_one_sentence(call, words):
    assert "--help" in refused(call(*words))


def test_nothing_at_all_gets_help(call):
    outcome = call()
    assert outcome.status == 2 and "Usage" in outcome.out and outcome.err == ""


# ------------------------------------------------------------------------------------------------- how a command ends


def ending(monkeypatch, call, error):
    """What becomes of an error out of the depths of the library."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(run.Path, "open", fail)
    return call("new", "recipe.yaml")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("phase 'XyO' is not\nin Ba-Ti-O"), "phase 'XyO' is not in Ba-Ti-O."),
        (ResultError("out: expected an empty directory."), "out: expected an empty directory."),
        (OSError(28, "No space left on device", "out/x.csv"), "out/x.csv: no space left on device"),
        (PermissionError(13, "Permission denied", "out"), "out: permission denied"),
        (MemoryError("Unable to allocate 60 GiB"), "not enough memory (Unable to allocate 60 GiB)"),
    ],
)
def test_errors_end_in_one_sentence(monkeypatch, call, error, words):
    assert words in refused(ending(monkeypatch, call, error))


def test_slips_of_our_own_are_not_hidden(monkeypatch, call):
    with pytest.raises(ZeroDivisionError):
        ending(monkeypatch, call, ZeroDivisionError("a bug"))


def test_interruption(monkeypatch, call, recipes):
    outcome = ending(monkeypatch, call, KeyboardInterrupt())
    assert outcome.status == 130
    assert outcome.err == "\ntammann: interrupted.\n"


def test_interrupted_run_says_how_to_go_on(monkeypatch, call, recipes):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Recipe, "from_file", interrupt)
    outcome = call("run", "my recipe.yaml", "--out", "there", "--resume")
    assert outcome.status == 130
    assert outcome.err == "\ntammann: interrupted; go on with: tammann run 'my recipe.yaml' --out there --resume\n"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals of posix")
def test_interruptions_are_repeated_until_heard(monkeypatch, call):
    def deaf(*_, **__):
        with contextlib.suppress(KeyboardInterrupt):  # as in a callback from C
            signal.raise_signal(signal.SIGINT)
            time.sleep(5)
        time.sleep(5)

    monkeypatch.setattr(app, "REPEAT_SECONDS", 0.05)
    monkeypatch.setattr(run.Path, "open", deaf)
    start = time.perf_counter()
    assert call("new", "recipe.yaml").status == 130
    assert time.perf_counter() - start < 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals of posix")
def test_what_stumbles_over_an_interruption_is_one(monkeypatch, call):
    def stumble(*_, **__):
        try:
            signal.raise_signal(signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise RuntimeError("no compiled object yet") from None

    monkeypatch.setattr(run.Path, "open", stumble)
    assert call("new", "recipe.yaml").status == 130


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_disk_behind_standard_output(process):
    with open("/dev/full", "w") as full:
        done = process("new", "-", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert "no space left" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes of posix")
def test_reader_that_leaves_early(process):
    read, write = os.pipe()
    os.close(read)
    done = process("new", "-", capture_output=False, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.returncode == 141 and done.stderr == ""


# ------------------------------------------------------------------------------------------------------------------ new


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


# ------------------------------------------------------------------------------------------------------- bad recipes


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


# ---------------------------------------------------------------------------------------------------------- tables


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


def test_figures_are_refused_before_any_work(call, tmp_path):
    assert "--plot: expected a file name that ends in" in refused(call("kd", "--plot", tmp_path / "figure.xyz"))
    assert "--plot: expected a directory" in refused(call("kd", "--plot", tmp_path / "nowhere" / "figure.png"))


def test_growth_constants_need_transport_data(call, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(
        "formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom\n"
        "SrO,-3.06,17.4,2804,0.04\nTiO2,-3.26,10.4,2130,0.04\nSrTiO3,-3.56,11.9,2353,0.04\n"
    )
    assert "--transport: expected transport data" in refused(call("kd", own))
    assert "SrO + TiO2 -> SrTiO3" in call("reactions", own).out


def test_unknown_systems(call):
    for command in ("kd", "hull", "reactions", "energies"):
        assert "Atlantis" in refused(call(command, "Atlantis"))


# ----------------------------------------------------------------------------------------------------------------- run


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


def test_json_has_no_numbers_that_are_none(capsys):
    import numpy as np

    output.print_json({"a": np.float64("nan"), "b": (np.int64(3), math.inf), "c": np.array([1.5]), "d": np.bool_(True)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [3, None], "c": [1.5], "d": True}


def test_progress_is_silent_in_a_pipe(capsys):
    with output.progress_bar() as progress:
        assert progress is None
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with output.progress_bar(hidden=True) as progress:
        assert progress is None
    with output.progress_bar() as progress:
        assert progress is not None
        progress(0.5, "step 1 of 2", 1234.4)
        progress(1.0, "writing", None)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "writing" in captured.err and "100%" in captured.err


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
