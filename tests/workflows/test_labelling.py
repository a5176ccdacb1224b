import json
from pathlib import Path

import numpy as np
import pytest

from tammann.errors import DataError, ResultError
from tammann.potentials.dataset import Frame, write_dataset
from tammann.structures import Configuration
from tammann.workflows.labelling import LabellingPlan, run_labelling


def write_frames(path, n=3):
    rng = np.random.default_rng(0)
    cell = 4.2 * np.eye(3)
    frames = [Frame(Configuration(("Mg", "O"), np.array([[0, 0, 0], rng.normal(2.1, 0.1, 3)]), cell)) for _ in range(n)]
    write_dataset(path, frames)


def test_a_plan_labels_the_frames_beside_it(tmp_path):
    write_frames(tmp_path / "a.extxyz")
    (tmp_path / "plan.yaml").write_text("frames: [a.extxyz]\nlabeller: pedone-2006\ntimeout_s: 60.0\n")
    plan = LabellingPlan.from_file(tmp_path / "plan.yaml")
    found = run_labelling(plan, tmp_path / "out")
    assert len(found.dataset) == 3 and not found.failures
    assert json.loads((tmp_path / "out" / "label-plan.json").read_text())["labeller"] == "pedone-2006"
    again = run_labelling(plan.model_copy(update={"workers": 2}), tmp_path / "out", resume=True)
    assert [f.energy_eV for f in again.dataset] == [f.energy_eV for f in found.dataset]
    (tmp_path / "file").touch()
    with pytest.raises(ResultError, match="is a file"):
        run_labelling(plan, tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labeller: chgnet", "frames: expected a list of files"),
        ("frames: [a.xyz]\nlabeller: nobody", "labeller: potential: expected pedone-2006, chgnet"),
        ("frames: [a.xyz]\ngpaw:\n  cutoff_eV: 500.0", "gpaw: expected no such block with the labeller chgnet"),
        ("frames: [a.xyz]\nlabeller: gpaw\ngpaw:\n  cutoff_eV: 10.0", "gpaw.cutoff_eV: expected an energy from 100"),
        ("frames: [a.xyz]\nworkers: 0", "workers: expected a whole number from 1 to 1024, got 0"),
        ("frames: [a.xyz]\ntimeout: 5.0", "did you mean timeout_s"),
    ],
)
def test_wrong_plans_are_refused_in_one_sentence(text, message):
    with pytest.raises(DataError, match=message) as refused:
        LabellingPlan.from_text(text)
    assert "\n" not in str(refused.value)


def test_paths_are_taken_from_the_folder_of_the_plan():
    data = LabellingPlan.with_paths({"frames": ["a.xyz", "/b.xyz"], "labeller": "gpaw"}, "there")
    assert data == {"frames": [str(Path("there", "a.xyz")), "/b.xyz"], "labeller": "gpaw"}
