"""The command potential finetune, with toys in place of networks."""

import json

import pytest

from potentials.training_frames import toy_frames
from tammann.potentials.dataset import write_dataset
from tammann.workflows import finetuning
from workflows.test_finetuning import toy_fits


@pytest.fixture
def plan(tmp_path, monkeypatch):
    write_dataset(tmp_path / "train.extxyz", toy_frames(6))
    write_dataset(tmp_path / "test.extxyz", toy_frames(2, first=50))
    path = tmp_path / "argon.yaml"
    path.write_text(
        "architecture: chgnet\ntrain: train.extxyz\ntest: test.extxyz\nsizes: [2, 4]\nseeds: [1, 2]\n"
        "validation_fraction: 0.2\n"
    )
    fits = toy_fits([])
    monkeypatch.setattr(finetuning, "fit_function", lambda plan, mode, replay: fits[mode])
    monkeypatch.setattr(finetuning, "_record_before", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.slow
def test_a_table_and_its_numbers(plan, call):
    done = call("potential", "finetune", plan)
    assert done.status == 0 and "a note" in done.err
    assert "from-scratch" in done.out and "+-" in done.out and "argon-curves" in done.out
    again = call("potential", "finetune", plan, "--resume", "--json")
    assert json.loads(again.out)["winners"] == {"2": "fine-tuned", "4": "fine-tuned"}
    assert call("potential", "finetune", plan).status == 2


def test_refusals(tmp_path, call):
    (tmp_path / "a.yaml").write_text("architecture: chgnet\ntrain: a.xyz\ntest: b.xyz\nepochs: 3\n")
    told = call("potential", "finetune", tmp_path / "a.yaml")
    assert told.status == 2 and "epochs" in told.err and "Traceback" not in told.err
