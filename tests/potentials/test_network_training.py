"""Errors of predictions with known answers; settings out of range."""

from dataclasses import replace

import numpy as np
import pytest

from potentials.training_frames import toy_frames
from tammann.errors import DataError
from tammann.potentials.dataset import DataSet, Frame
from tammann.potentials.network_training import NetworkSettings, prediction_errors, shift_energies
from tammann.structures import Configuration

PAIR = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.1, 0, 0]]), 8.0 * np.eye(3))


def test_known_errors():
    """A model that is soft by a fifth, 0.1 eV per atom too high, and one frame another 0.2 higher."""
    forces = np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    stress = np.diag([0.01, 0, 0])
    labelled = DataSet(tuple(Frame(PAIR, -10.0, forces, stress) for _ in range(2)))
    predicted = DataSet(tuple(Frame(PAIR, e, 0.8 * forces, 2 * stress) for e in (-9.8, -9.4)))
    errors = prediction_errors(labelled, predicted)
    assert errors["energy_mae_eV_per_atom"] == pytest.approx(0.2)
    assert errors["energy_rmse_eV_per_atom"] == pytest.approx(np.sqrt(0.05))
    assert errors["energy_shifted_rmse_eV_per_atom"] == pytest.approx(0.1)
    assert errors["forces_slope"] == pytest.approx(0.8)
    assert errors["forces_rmse_eV_per_A"] == pytest.approx(0.2 / np.sqrt(3))
    assert errors["stress_mae_eV_per_A3"] == pytest.approx(0.01 / 9)
    assert errors["forces_rms_eV_per_A"] == pytest.approx(1 / np.sqrt(3))


def test_frames_without_stress_have_no_error_of_it():
    labelled = DataSet((Frame(PAIR, -10.0, np.ones((2, 3))),))
    assert not any(name.startswith("stress") for name in prediction_errors(labelled, labelled))
    with pytest.raises(DataError, match="energy and forces for every frame"):
        prediction_errors(DataSet((Frame(PAIR),)), DataSet((Frame(PAIR),)))


def test_settings_out_of_range():
    with pytest.raises(DataError, match="patience: expected a number above 0, got 0"):
        NetworkSettings(patience=0)


def test_shifted_energies_lack_only_what_no_sum_over_atoms_gives():
    train, test = (toy_frames(3, first=n) + toy_frames(3, first=n, second="Kr") for n in (0, 20))

    def off(data):
        own = {"Ar": 2.0, "Kr": -5.0}
        return DataSet(
            tuple(replace(f, energy_eV=f.energy_eV + sum(own[s] for s in f.configuration.symbols)) for f in data)
        )

    found = shift_energies(train, off(train), off(test))
    assert [f.energy_eV for f in found] == pytest.approx([f.energy_eV for f in test], abs=1e-9)
    with pytest.raises(DataError, match="holds Xe, which is in no training frame"):
        shift_energies(train, off(train), toy_frames(1, second="Xe"))
