import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tammann.errors import DataError, ResultError
from tammann.potentials import load_potential
from tammann.potentials.calculators import calculator_of
from tammann.potentials.curation import energies_above_lowest
from tammann.potentials.dataset import DataSet, Frame, frame_from_atoms, frame_to_atoms, read_dataset, write_dataset
from tammann.potentials.network_training import NETWORK_SETTINGS
from tammann.structures import Configuration
from tammann.structures.candidates import random_cell
from tammann.workflows import training
from tammann.workflows.finetuning import FinetuningPlan
from tammann.workflows.training import TrainingPlan, prepare_frames, run_training

SETTINGS = {"cutoff_A": 4.5, "degrees": [6, 4], "l2": [1e-8, 1e-5]}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Small random cells of BaTiO3 with labels of rigid ions, three frames a trajectory."""
    calculator = calculator_of(load_potential("pedone-2006"))
    rng = np.random.default_rng(0)
    frames = []
    for k in range(8):
        cell = random_cell("BaTiO3", atoms=10, rng=k)
        for _ in range(3):
            moved = Configuration(
                cell.symbols, cell.positions_A + rng.normal(scale=0.05, size=cell.positions_A.shape), cell.cell_A
            )
            atoms = frame_to_atoms(Frame(moved))
            atoms.calc = calculator
            atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
            frames.append(frame_from_atoms(atoms, config_type="search", trajectory=f"cell-{k}"))
    path = tmp_path_factory.mktemp("frames") / "frames.extxyz"
    write_dataset(path, DataSet(tuple(frames)))
    return path


def test_a_plan_becomes_a_potential_with_its_errors(labelled, tmp_path):
    plan = TrainingPlan(train=(str(labelled),), test_fraction=0.25, settings=SETTINGS, largest_force_eV_per_A=500.0)
    found = run_training(plan, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["sha256"] == found.digest == load_potential(str(found.file)).digest
    # no trajectory on both sides
    train, test = (read_dataset(tmp_path / "out" / f"{name}.extxyz") for name in ("train", "test"))
    assert not {f.trajectory for f in train} & {f.trajectory for f in test}
    # the errors in the summary are those of the potential in the file
    calculator, squares = calculator_of(load_potential(str(found.file))), []
    calculator.stop_above = None
    for frame in test:
        atoms = frame_to_atoms(frame)
        labels = frame.forces_eV_per_A
        atoms.calc = calculator
        squares.append(np.mean((atoms.get_forces() - labels) ** 2))
    assert found.errors.loc["test", "force_eV_per_A"] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-6)
    spread = np.sqrt(np.mean([np.mean(frame.forces_eV_per_A**2) for frame in test]))
    assert found.errors.loc["test", "force_eV_per_A"] < 0.8 * spread
    with pytest.raises(ResultError):
        run_training(plan, tmp_path / "out")


def test_the_low_energy_version_is_fitted_and_tested_on_its_frames_alone(labelled, tmp_path, monkeypatch):
    seen = {}

    def train(plan, train, test, folder, name, tell):
        seen[name] = train, test
        (folder / name).write_bytes(b"toy")
        table = pd.DataFrame({"energy_eV_per_atom": [1.0, len(test)]}, ["train", "test"]).rename_axis("data")
        return folder / name, table, ()

    monkeypatch.setattr(training, "_train", train)
    limit = float(np.median(energies_above_lowest(read_dataset(labelled)))) + 1e-6
    plan = TrainingPlan(
        train=(str(labelled),), test_fraction=0.25, largest_force_eV_per_A=500.0, low_energy_eV_per_atom=limit
    )
    found = run_training(plan, tmp_path / "out")
    (fitted, tested), low = seen["potential"], seen["low-energy"]
    above = energies_above_lowest(fitted + tested) <= limit
    wanted = [frame for frame, near in zip([*fitted, *tested], above, strict=True) if near]
    assert [*low[0], *low[1]] == wanted and 0 < len(wanted) < len(above)
    assert found.low_energy_file == tmp_path / "out" / "low-energy"
    assert found.low_energy_errors.loc["test", "energy_eV_per_atom"] == len(low[1])


def test_a_limit_that_leaves_no_frames_is_refused_before_anything_is_fitted(labelled, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_train", None)
    plan = TrainingPlan(train=(str(labelled),), largest_force_eV_per_A=500.0, low_energy_eV_per_atom=1e-6)
    with pytest.raises(DataError, match="low_energy"):
        run_training(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_training_that_failed_goes_on_where_it_was(labelled, tmp_path, monkeypatch):
    calls = []

    def train(plan, train, test, folder, name, tell):
        calls.append(name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        (folder / name).write_bytes(b"toy")
        table = pd.DataFrame({"energy_eV_per_atom": [0.1, 0.2], "force_eV_per_A": [0.3, 0.4]}, ["train", "test"])
        return folder / name, table.rename_axis("data"), ("a note",)

    monkeypatch.setattr(training, "_train", train)
    plan = TrainingPlan(train=(str(labelled),), largest_force_eV_per_A=500.0, low_energy_eV_per_atom=3.0)
    with pytest.raises(ResultError, match="expected a training to resume"):
        run_training(plan, tmp_path / "out", resume=True)
    with pytest.raises(KeyboardInterrupt):
        run_training(plan, tmp_path / "out")
    with pytest.raises(ResultError, match="resume it"):
        run_training(plan, tmp_path / "out")
    with pytest.raises(ResultError, match="another plan"):
        run_training(plan.model_copy(update={"low_energy_eV_per_atom": 2.9}), tmp_path / "out", resume=True)
    found = run_training(plan, tmp_path / "out", resume=True)
    assert calls == ["potential", "low-energy", "low-energy"] and found.errors.loc["test", "force_eV_per_A"] == 0.4
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["notes"][-1] == "a note"


@pytest.mark.parametrize("architecture", ["chgnet", "mace", "sevennet"])
def test_networks_are_trained_with_the_weights_of_their_packages(architecture):
    plan = TrainingPlan(train=("a.extxyz",), architecture=architecture, settings={"max_epochs": 3})
    usual = NETWORK_SETTINGS[architecture]
    assert plan.build_settings() == replace(usual, max_epochs=3, seed=0)
    tuned = FinetuningPlan(architecture=architecture, train="a", test="b", foundation="a.model", stress_weight=7.0)
    found = tuned.settings("fine-tuned", 10, 1)
    assert (found.learning_rate, found.forces_weight) == (usual.learning_rate, usual.forces_weight)
    assert found.stress_weight == 7.0


def test_energies_without_weight_are_refused_with_sevennet():
    with pytest.raises(DataError, match="energy_weight: expected a number above 0 with SevenNet"):
        TrainingPlan(train=("a.extxyz",), architecture="sevennet", settings={"energy_weight": 0.0})
    with pytest.raises(DataError, match="energy_weight: expected a number above 0 with SevenNet"):
        FinetuningPlan(architecture="sevennet", train="a", test="b", energy_weight=0.0)


def test_what_is_left_out_is_said(labelled):
    data = read_dataset(labelled)
    plan = TrainingPlan(train=(str(labelled), str(labelled)), largest_force_eV_per_A=500.0)
    train, test, notes = prepare_frames(plan)
    assert len(train) + len(test) == len(data) and "repeated" in notes[0]


def test_unknown_settings_are_refused():
    with pytest.raises(DataError, match=r"settings\.degree"):
        TrainingPlan(train=("a.extxyz",), settings={"degree": 3})


def test_test_frames_that_are_trained_on_are_refused(labelled, tmp_path):
    data = read_dataset(labelled)
    for name, frames in {
        "trajectory": data.subset([0]),
        "repeats": DataSet((replace(data[0], trajectory="another name"),)),
    }.items():
        write_dataset(tmp_path / f"{name}.extxyz", frames)
        plan = TrainingPlan(
            train=(str(labelled),), test=(str(tmp_path / f"{name}.extxyz"),), largest_force_eV_per_A=500.0
        )
        with pytest.raises(DataError, match=f"test: .*{name}"):
            run_training(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_frames_of_one_trajectory_and_without_labels_are_refused_with_a_way_out(labelled, tmp_path):
    data = read_dataset(labelled)
    alike = DataSet(tuple(replace(frame, trajectory="one") for frame in data))
    write_dataset(tmp_path / "alike.extxyz", alike)
    with pytest.raises(DataError, match=r"one trajectory \(one\).*split_by: composition.*trajectory="):
        prepare_frames(TrainingPlan(train=(str(tmp_path / "alike.extxyz"),), largest_force_eV_per_A=500.0))
    bare = DataSet(tuple(Frame(frame.configuration) for frame in data))
    write_dataset(tmp_path / "bare.extxyz", bare)
    with pytest.raises(DataError, match="tammann potential label"):
        prepare_frames(TrainingPlan(train=(str(tmp_path / "bare.extxyz"),)))
