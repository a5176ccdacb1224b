import json

import numpy as np
import pytest

from potentials.toy_labellers import ToyLabeller, frames_of
from tammann.errors import DataError, ResultError
from tammann.potentials.dataset import DataSet, read_dataset
from tammann.potentials.labelling import label_frames


def test_labels_go_to_their_frames_and_failures_are_told(tmp_path):
    frames = frames_of(["Mg", "Ar", "Mg", "Kr", "Xe"])
    seen = []
    found = label_frames(frames, ToyLabeller(), tmp_path / "out", workers=2, progress=lambda *news: seen.append(news))
    assert [f.trajectory for f in found.dataset] == ["run 0", "run 2"]
    assert [f.energy_eV for f in found.dataset] == pytest.approx([0.0, 0.02])
    label = found.dataset[1].label
    assert (label.method, label.source, label.run) == ("toy", "toy 1.0", "run 2") and label.date[:2] == "20"
    assert {f.index: f.reason for f in found.failures} == {
        1: "RuntimeError: density did not converge",
        3: "energy_eV is nan, expected a finite number; leave the frame out or label it anew.",
        4: "forces_eV_per_A has shape (1, 3), expected (2, 3); label the frame anew.",
    }
    assert "run 3" in (tmp_path / "out" / "failures.csv").read_text()
    assert seen[-1][0] == 1.0 and seen[-1][1].startswith("5 of 5 frames")
    back = read_dataset(tmp_path / "out" / "labelled.extxyz")
    assert [f.energy_eV for f in back] == [f.energy_eV for f in found.dataset]
    assert back[0].label.source == "toy 1.0"


def test_any_number_of_workers_gives_the_same(tmp_path):
    frames = frames_of(["Mg"] * 9)
    one, three = (label_frames(frames, ToyLabeller(), tmp_path / str(n), workers=n) for n in (1, 3))
    for first, second in zip(one.dataset, three.dataset, strict=True):
        assert first.energy_eV == second.energy_eV and first.trajectory == second.trajectory
        assert np.array_equal(first.forces_eV_per_A, second.forces_eV_per_A)


def test_what_was_labelled_is_not_labelled_again_after_a_kill_at_any_byte(tmp_path):
    frames, calls = frames_of(["Mg", "Ar", "Mg", "Mg"]), tmp_path / "calls"
    labeller, out = ToyLabeller(str(tmp_path)), tmp_path / "out"
    whole = label_frames(frames, labeller, out)
    record = (out / "labels.jsonl").read_bytes()
    rng = np.random.default_rng(0)
    for length in [*rng.integers(0, len(record), 4), len(record)]:
        (out / "labels.jsonl").write_bytes(record[:length])
        for file in ("labelled.extxyz", "failures.csv"):
            (out / file).unlink(missing_ok=True)
        calls.write_text("")
        found = label_frames(frames, labeller, out, resume=True)
        finished = max(0, record[:length].count(b"\n") - 1)  # without the heading
        assert len(calls.read_text().split()) == len(frames) - finished
        assert [f.energy_eV for f in found.dataset] == [f.energy_eV for f in whole.dataset]
        assert found.failures == whole.failures


def test_failed_frames_can_be_tried_again(tmp_path):
    frames, labeller = frames_of(["Ar", "Mg"]), ToyLabeller(str(tmp_path))
    label_frames(frames, labeller, tmp_path / "out")
    (tmp_path / "calls").unlink()
    label_frames(frames, labeller, tmp_path / "out", resume=True, retry_failed=True)
    assert (tmp_path / "calls").read_text().split() == ["0.00"]
    lines = (tmp_path / "out" / "labels.jsonl").read_text().splitlines()
    assert [json.loads(line).get("frame") for line in lines] == [None, 1, 0]


def test_a_folder_of_other_labels_is_refused(tmp_path):
    frames = frames_of(["Mg"])
    label_frames(frames, ToyLabeller(), tmp_path / "out")
    with pytest.raises(ResultError, match="not empty; name a new folder, or resume"):
        label_frames(frames, ToyLabeller(), tmp_path / "out")
    with pytest.raises(ResultError, match="labels of another labeller"):
        label_frames(frames, ToyLabeller(scale=2.0), tmp_path / "out", resume=True)
    with pytest.raises(ResultError, match="labels of another number of frames"):
        label_frames(frames * 2, ToyLabeller(), tmp_path / "out", resume=True)
    with pytest.raises(ResultError, match="labels of another set of frames"):
        label_frames(frames_of(["Ca"]), ToyLabeller(), tmp_path / "out", resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    with pytest.raises(ResultError, match="it holds no labels to resume"):
        label_frames(frames, ToyLabeller(), tmp_path / "other", resume=True)


def test_impossible_requests_are_refused(tmp_path):
    with pytest.raises(DataError, match="expected at least one to label"):
        label_frames(DataSet(()), ToyLabeller(), tmp_path / "out")
    with pytest.raises(DataError, match="workers, timeout_s: expected numbers above 0"):
        label_frames(frames_of(["Mg"]), ToyLabeller(), tmp_path / "out", timeout_s=0.0)
    with pytest.raises(DataError, match="expected pedone-2006, chgnet"):
        label_frames(frames_of(["Mg"]), "nobody", tmp_path / "out")
