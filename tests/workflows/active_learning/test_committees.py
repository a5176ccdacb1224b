"""Committees in active learning: folds that do not leak, members resumed, disagreement as the grade."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.potentials.ace.fit import AceSettings, train_ace
from tammann.potentials.dataset import DataSet, Frame, Label
from tammann.structures.candidates import rattled, supercell
from tammann.structures.crystals import load_crystal
from tammann.workflows.active_learning import ActiveLearningPlan, Task
from tammann.workflows.active_learning.committees import (
    ExploreCommittee,
    TrainCommittee,
    committee_of,
    folds,
    load_committee,
    select_largest_grades,
)
from tammann.workflows.active_learning.wiring import functions_of

PLAN = ActiveLearningPlan(
    compositions=("TiO2",), labeller="pedone-2006", timestep_fs=1.0, spacing_fs=2.0, select_above=0.5, stop_above=5.0
)
SETTINGS = AceSettings(degrees=(6.0, 4.0), cutoff_A=4.0, active_set=False)


def member(train, valid, folder, seed):
    file = folder / "potential.ace.npz"
    train_ace(train, valid, SETTINGS).model.save(file)
    return file


def crystal(seed, displacement_A):
    return rattled(supercell(load_crystal("TiO2-rutile"), 12), displacement_A=displacement_A, rng=seed)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("committee")
    frames = tuple(Frame(crystal(k, 0.08), trajectory=f"c{k}", label=Label("x")) for k in range(10))
    labelled = functions_of(PLAN).label(DataSet(frames), folder).dataset
    return TrainCommittee(member)(DataSet(labelled.frames[:8]), DataSet(labelled.frames[8:]), folder)


def test_every_trajectory_is_left_out_by_one_member_only():
    frames = DataSet(tuple(replace(Frame(crystal(0, 0.0)), trajectory=f"t{k % 7}") for k in range(40)))
    left = [{frame.trajectory for frame in part} for _, part in folds(frames, 3)]
    assert set.union(*left) == {f"t{k}" for k in range(7)} and sum(map(len, left)) == 7
    for fitted, part in folds(frames, 3):
        assert len(fitted) + len(part) == 40
        assert not {frame.trajectory for frame in fitted} & {frame.trajectory for frame in part}
    with pytest.raises(DataError, match="trajectories"):
        folds(frames, 8)


def test_members_are_named_in_a_file_and_not_trained_twice(trained, tmp_path):
    names = json.loads(trained.model.read_text())["members"]
    assert names == [f"member-{k}/potential.ace.npz" for k in (1, 2, 3)]
    assert 0 < trained.errors["forces_meV_per_A"] < 2000

    def never(*args):
        raise AssertionError

    frames = DataSet(tuple(Frame(crystal(k, 0.1), -1.0, np.zeros((12, 3)), trajectory=f"c{k}") for k in range(3)))
    again = TrainCommittee(never)(frames, frames, trained.model.parent)
    assert again.model == trained.model


def test_members_agree_near_what_they_know_and_not_far_from_it(trained):
    calculator = load_committee(trained.model, ["Ti", "O"])
    deviations = []
    for displacement in (0.05, 0.3):
        atoms = crystal(50, displacement).to_ase()
        calculator.get_property("forces", atoms)
        deviations.append(calculator.results["extrapolation_grade"])
    assert deviations[1] > 5 * deviations[0]


def test_a_run_is_watched_by_the_disagreement(trained):
    run = ExploreCommittee(PLAN)(Task("a", "crystal", crystal(50, 0.3), 300.0, None, 0.02, 0, 1), trained.model)
    assert run.configurations and run.largest_grade > 0.5


def test_the_largest_grades_are_taken_and_unknown_ones_last():
    assert select_largest_grades([None] * 4, [1.0, float("nan"), 3.0, 2.0], None, 3) == [2, 3, 0]


@pytest.mark.parametrize(
    ("architecture", "training", "members", "start"),
    [
        ("chgnet", {"max_epochs": 5}, 3, None),
        ("sevennet", {"members": 2, "start": "sevennet-l3i5", "max_epochs": 5}, 2, "sevennet-l3i5"),
        ("mace", {"channels": 16, "max_epochs": 5}, 3, None),
    ],
)
def test_settings_reach_the_trainer(architecture, training, members, start):
    found = committee_of(PLAN.model_copy(update={"architecture": architecture, "training": training}))
    assert (found.members, found.member.start, found.member.settings.max_epochs) == (members, start, 5)
    assert found.member.size.channels == training.get("channels", 32)


@pytest.mark.parametrize("training", [{"members": 1}, {"epochs": 3}, {"channels": 8}, {"seed": 3}])
def test_settings_that_are_none_are_refused(training):
    with pytest.raises(DataError, match=f"training.{next(iter(training))}"):
        committee_of(PLAN.model_copy(update={"architecture": "chgnet", "training": training}))


@pytest.mark.slow
def test_a_committee_of_chgnets_is_trained_and_watched(tmp_path):
    pytest.importorskip("chgnet")
    plan = PLAN.model_copy(update={"architecture": "chgnet", "training": {"members": 2, "max_epochs": 1}})
    functions = functions_of(plan)
    frames = tuple(Frame(crystal(k, 0.08), trajectory=f"c{k}") for k in range(6))
    labelled = functions.label(DataSet(frames), tmp_path).dataset
    found = functions.train(DataSet(labelled.frames[:4]), DataSet(labelled.frames[4:]), tmp_path)
    assert found.errors["forces_meV_per_A"] > 0
    run = functions.simulate(Task("a", "crystal", crystal(50, 0.1), 300.0, None, 0.005, 0, 1), found.model)
    assert np.isfinite(run.grades).all() and run.largest_grade > 0
