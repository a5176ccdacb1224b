"""MACE from scratch: what the program is given, and a tiny training run where it is installed."""

import sys
from dataclasses import replace

import pytest

from potentials.physics import check_forces, check_invariances, rattled_rock_salt
from potentials.training_frames import toy_frames
from tammann.errors import DataError
from tammann.potentials import calculator_of, load_potential
from tammann.potentials.calculators import prepare
from tammann.potentials.dataset import read_dataset
from tammann.potentials.mace.finetune import finetune_mace
from tammann.potentials.mace.train import MACE_SETTINGS, MaceArchitecture, e0_argument, rename_keys, train_mace
from tammann.potentials.network_training import prediction_errors
from tammann.potentials.programs import predict, write_frames

SMALL = MaceArchitecture(channels=8, max_L=0, cutoff_A=4.5)


def test_the_defaults_are_those_of_deng():
    assert (MACE_SETTINGS.learning_rate, MACE_SETTINGS.max_epochs, MACE_SETTINGS.patience) == (0.01, 500, 20)


def test_labels_are_renamed_and_nothing_else(tmp_path):
    """ASE takes energy, forces and stress out of a frame when it reads it, where MACE does not look."""
    frames = toy_frames(2)
    write_frames(tmp_path, train=frames)
    rename_keys(tmp_path)
    text = (tmp_path / "train.extxyz").read_text()
    assert text.count("REF_energy=") == text.count("REF_stress=") == text.count(":REF_forces:R:3") == 2
    again = read_dataset(tmp_path / "train.extxyz")
    assert again[1].energy_eV == frames[1].energy_eV and again[1].trajectory == frames[1].trajectory


def test_reference_energies_go_by_atomic_number():
    assert e0_argument({"Ti": -1.5}) == "{22: -1.5}"


def test_a_missing_package_is_one_sentence(tmp_path):
    if "mace" in sys.modules:
        pytest.skip("it is installed")
    with pytest.raises(DataError, match="expected an interpreter with (mace-torch|torch) installed"):
        train_mace(toy_frames(2), toy_frames(1), tmp_path / "a.model", replace(MACE_SETTINGS, python="no-python"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_tiny_training_run_and_fine_tuning(tmp_path):
    """From scratch, then naive, then with two heads: errors fall, the stated learning rate is kept, forces are
    gradients."""
    pytest.importorskip("mace")
    train, valid, test, replay = (
        toy_frames(n, first=first, second="Kr") for n, first in ((8, 0), (2, 20), (4, 40), (4, 60))
    )
    settings = replace(MACE_SETTINGS, max_epochs=6, batch_size=2)
    scratch = train_mace(train, valid, tmp_path / "scratch.model", settings, architecture=SMALL)
    assert scratch.history[-1]["loss"] < scratch.history[0]["loss"] and scratch.epochs == 6
    found = {"scratch": prediction_errors(test, predict(scratch.model, test))}
    for name, frames in (("naive", None), ("heads", replay)):
        tuned = finetune_mace(
            train, valid, tmp_path / f"{name}.model", settings, foundation=tmp_path / "scratch.model", replay=frames
        )
        found[name] = prediction_errors(test, predict(tuned.model, test))
        assert found[name]["forces_rmse_eV_per_A"] < found["scratch"]["forces_rmse_eV_per_A"]
    potential = prepare(load_potential(str(tmp_path / "heads.model")), ["Ar"])
    atoms = rattled_rock_salt("Ar", "Ar", a=6.2)
    check_invariances(calculator_of(potential), atoms)
    check_forces(calculator_of(potential), atoms)
    with pytest.raises(DataError, match="knows Ar, Kr, but the frames hold Ne"):
        finetune_mace(
            toy_frames(2, element="Ne"), valid, tmp_path / "a.model", settings, foundation=tmp_path / "scratch.model"
        )
