"""The commands of potentials."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tammann.potentials.dataset import Frame, read_dataset, write_dataset
from tammann.structures import Configuration


def write_frames(path, distances):
    cells = (Configuration(("Mg", "O"), np.array([[0, 0, 0], [d, 0, 0]]), 4.2 * np.eye(3)) for d in distances)
    write_dataset(path, [Frame(cell, config_type="melt", trajectory="run 1") for cell in cells])


def test_frames_are_labelled_and_summed_up(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_frames("a.extxyz", [2.1, 2.0])
    done = call("potential", "label", "a.extxyz", "--labeller", "pedone-2006")
    assert (done.status, done.err) == (0, "")
    assert "MgO" in done.out and "Mg-O 2.00" in done.out and "2 of 2 frames: a-labels/labelled.extxyz" in done.out
    assert all(frame.energy_eV < 0 for frame in read_dataset("a-labels/labelled.extxyz"))


def test_failures_are_told_and_can_be_tried_again(tmp_path, call):
    write_frames(tmp_path / "a.extxyz", [2.1, 0.1])
    (tmp_path / "plan.yaml").write_text("frames: [a.extxyz]\nlabeller: pedone-2006\n")
    told = call("potential", "label", tmp_path / "plan.yaml", "--out", tmp_path / "out", "--json")
    assert told.status == 1 and "frame 2 (run 1): two atoms are closer than 0.5 Å" in told.err
    assert json.loads(told.out)["labelled"] == 1 and json.loads(told.out)["failures"][0]["frame"] == 1
    again = call("potential", "label", tmp_path / "plan.yaml", "--out", tmp_path / "out", "--resume", "--quiet")
    assert again.status == 1 and again.out == ""


def test_wrong_words_are_refused(tmp_path, call):
    write_frames(tmp_path / "a.extxyz", [2.1])
    for words, message in (
        (("a.yaml",), "expected a file to read"),
        ((tmp_path / "none.xyz", "--labeller", "pedone-2006"), "expected a file, got none"),
        ((tmp_path / "a.extxyz", "--labeller", "nobody"), "labeller: potential: expected pedone-2006"),
        ((tmp_path / "a.extxyz", "--workers", 0), "workers: expected a whole number"),
    ):
        refused = call("potential", "label", *words, "--out", tmp_path / "out")
        assert refused.status == 2 and message in refused.err and refused.err.count("\n") == 1


ACTIVE = """
compositions: [TiO2]
crystals: [TiO2-rutile]
labeller: pedone-2006
atoms: 12
search_atoms: 6
proposals: {searches: 0, melts: 0, quenches: 0, crystals: 2, interfaces: 0}
training: {degrees: [5.0, 3.0], cutoff_A: 4.0}
crystal_picoseconds: 0.02
timestep_fs: 1.0
spacing_fs: 2.0
rounds: 1
frames_per_round: 4
"""


@pytest.mark.slow
def test_active_learning_prints_its_rounds_and_is_resumed(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(ACTIVE)
    done = call("potential", "active", "plan.yaml")
    assert (done.status, done.err) == (0, "")
    assert "onverged" in done.out and "Potential: plan-active/round-" in done.out
    assert (tmp_path / "plan-active" / "active-learning.csv").exists()
    again = call("potential", "active", "plan.yaml", "--resume", "--json")
    told = json.loads(again.out)
    assert told["rounds"][0]["training_frames"] > 10 and told["outcome"] in ("converged", "rounds", "exhausted")
    refused = call("potential", "active", "plan.yaml")
    assert refused.status == 2 and "resume it" in refused.err
    (tmp_path / "plan.yaml").write_text(ACTIVE + "grades: 5\n")
    refused = call("potential", "active", "plan.yaml", "--resume")
    assert refused.status == 2 and "grades" in refused.err


def test_a_data_set_is_listed_cleaned_and_drawn(tmp_path, call):
    write_frames(tmp_path / "a.extxyz", [2.1, 2.1, 0.9])
    done = call(
        *("potential", "data", tmp_path / "a.extxyz", "--deduplicate", "--closest-A", 1.5),
        *("--write", tmp_path / "b.extxyz", "--plot", tmp_path / "b.png"),
    )
    assert (done.status, done.err) == (0, "") and "1 of 3 frames, 2 atoms" in done.out
    assert len(read_dataset(tmp_path / "b.extxyz")) == 1 and (tmp_path / "b.png").stat().st_size > 10_000
    listed = json.loads(call("potential", "data", tmp_path / "a.extxyz", "--json").out)
    assert listed["kept"] == 3 and listed["summary"][0]["closest_Mg_O_A"] == 0.9


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of posix")
def test_active_learning_interrupted_by_ctrl_c_says_how_to_go_on(tmp_path, call):
    (tmp_path / "plan.yaml").write_text(ACTIVE.replace("crystal_picoseconds: 0.02", "crystal_picoseconds: 100.0"))
    words = ["potential", "active", str(tmp_path / "plan.yaml"), "--out", str(tmp_path / "out")]
    code = f"import sys; from tammann.cli.app import call; sys.exit(call({words!r}))"
    running = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True)
    state, until = tmp_path / "out" / "state.json", time.monotonic() + 120
    while time.monotonic() < until and not (state.exists() and "round-0/train" in state.read_text()):
        time.sleep(0.2)
    time.sleep(2.0)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and "--resume" in said and "Traceback" not in said
    assert not (tmp_path / "out" / "lock").exists()
    from tammann.workflows.active_learning import load_active_learning

    held = load_active_learning(tmp_path / "out")
    assert held.outcome is None and len(held.rounds) == 1 and held.model.exists()
