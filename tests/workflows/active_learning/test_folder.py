"""State and files of a folder: whole, and refused where they are not what they should be."""

from pathlib import Path

import pytest

from tammann.errors import ResultError
from tammann.structures import write_structure
from tammann.structures.crystals import load_crystal
from tammann.workflows.active_learning.folder import (
    STATE,
    load_active_learning,
    load_active_plan,
    load_state,
    open_active_learning,
)
from workflows.active_learning.toys import plan


def test_a_step_is_done_once_and_remembered_on_disk(tmp_path):
    state, calls = open_active_learning(plan(), tmp_path, resume=False), []
    for _ in range(2):
        assert state.step("round-1/label", lambda: calls.append(1) or 7) == 7
    assert len(calls) == 1 and load_state(tmp_path).done == {"round-1/label": 7}


def test_a_step_that_fails_is_not_remembered(tmp_path):
    state = open_active_learning(plan(), tmp_path, resume=False)
    with pytest.raises(ZeroDivisionError):
        state.step("round-1/label", lambda: 1 / 0)
    assert load_state(tmp_path).done == {}


def test_the_plan_is_read_again_as_it_was(tmp_path):
    open_active_learning(plan(training={"order": 3}), tmp_path, resume=False)
    assert load_active_plan(tmp_path) == plan(training={"order": 3})
    result = load_active_learning(tmp_path)
    assert result.rounds == () and result.outcome is None and result.model is None


def test_rounds_and_criterion_may_change_and_nothing_else(tmp_path):
    open_active_learning(plan(), tmp_path, resume=False)
    open_active_learning(plan(rounds=9, criterion={"share_above": 0.5}), tmp_path, resume=True)
    assert load_active_plan(tmp_path).rounds == 9
    with pytest.raises(ResultError, match="atoms 16, got 20"):
        open_active_learning(plan(atoms=20), tmp_path, resume=True)


def test_files_named_from_one_directory_are_found_from_another(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_structure(load_crystal("BaO"), "own.extxyz")
    named = plan(crystals=("own.extxyz", "BaTiO3-cubic"), initial="frames.extxyz")
    open_active_learning(named, Path("out"), resume=False)
    monkeypatch.chdir(tmp_path)
    found = load_active_plan("here/out")
    assert found.crystals == (str(tmp_path / "here" / "own.extxyz"), "BaTiO3-cubic")
    assert found.initial == str(tmp_path / "here" / "frames.extxyz")
    # all of it moved elsewhere, and resumed there
    (tmp_path / "here").rename(tmp_path / "there")
    assert load_active_plan("there/out").crystals[0] == str(tmp_path / "there" / "own.extxyz")
    monkeypatch.chdir(tmp_path / "there")
    open_active_learning(named, Path("out"), resume=True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"done": 3}'])
def test_a_state_that_is_none_is_refused(tmp_path, text):
    (tmp_path / STATE).write_text(text)
    with pytest.raises(ResultError, match=STATE):
        load_state(tmp_path)
