import json

import numpy as np
import pytest

from tammann.errors import DataError, ResultError
from tammann.potentials import load_potential
from tammann.potentials.calculators import calculator_of
from tammann.potentials.dataset import DataSet, Frame, frame_from_atoms, frame_to_atoms, read_dataset, write_dataset
from tammann.structures import Configuration
from tammann.structures.candidates import random_cell
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


def test_the_low_energy_version_knows_its_frames_better(labelled, tmp_path):
    plan = TrainingPlan(
        train=(str(labelled),), test_fraction=0.25, settings=SETTINGS | {"active_set": False},
        largest_force_eV_per_A=500.0, low_energy_eV_per_atom=3.0,
    )  # fmt: skip
    found = run_training(plan, tmp_path / "out")
    assert found.low_energy_file.exists() and found.low_energy_errors.notna().all(axis=None)
    with pytest.raises(DataError, match="low_energy"):
        run_training(plan.model_copy(update={"low_energy_eV_per_atom": 1e-6}), tmp_path / "none")


def test_what_is_left_out_is_said(labelled):
    data = read_dataset(labelled)
    plan = TrainingPlan(train=(str(labelled), str(labelled)), largest_force_eV_per_A=500.0)
    train, test, notes = prepare_frames(plan)
    assert len(train) + len(test) == len(data) and "repeated" in notes[0]


def test_unknown_settings_are_refused():
    with pytest.raises(DataError, match=r"settings\.degree"):
        TrainingPlan(train=("a.extxyz",), settings={"degree": 3})
