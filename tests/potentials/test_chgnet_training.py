"""Training of CHGNet."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from potentials.physics import check_forces, check_invariances, rattled_rock_salt
from potentials.training_frames import toy_frames
from tammann.errors import DataError
from tammann.potentials import calculator_of, load_potential
from tammann.potentials.calculators import prepare
from tammann.potentials.chgnet_training import CHGNET_SETTINGS, published_chgnet, train_chgnet
from tammann.potentials.network_training import prediction_errors
from tammann.potentials.programs import predict


def test_a_missing_package_names_its_extra(monkeypatch, tmp_path):
    (tmp_path / "mine.chgnet.tar").write_bytes(b"no model")
    monkeypatch.setitem(sys.modules, "chgnet.model.dynamics", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[chgnet\]'"):
        load_potential(str(tmp_path / "mine.chgnet.tar")).build()


@pytest.fixture
def installed():
    pytest.importorskip("chgnet")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_training_lowers_the_error_and_the_file_is_a_potential(installed, tmp_path):
    """From random weights and from published ones: below what was, and a calculator whose forces are gradients."""
    train, valid, test = toy_frames(6), toy_frames(2, first=20), toy_frames(4, first=40)
    settings = replace(CHGNET_SETTINGS, max_epochs=8, batch_size=2, learning_rate=3e-3)
    before = prediction_errors(test, predict(published_chgnet(train, tmp_path / "before.chgnet.tar"), test))
    for start in ("0.3.0", None):
        trained = train_chgnet(train, valid, tmp_path / "mine.chgnet.tar", settings, start=start)
        after = prediction_errors(test, predict(trained.model, test))
        assert trained.history[-1]["train_f"] < 0.8 * trained.history[0]["train_f"]
        assert after["energy_rmse_eV_per_atom"] < 0.1 and trained.reference.rank == 1
        assert start is None or after["forces_rmse_eV_per_A"] < before["forces_rmse_eV_per_A"]
    calculator = calculator_of(prepare(load_potential(str(tmp_path / "mine.chgnet.tar")), ["Ar"]))
    check_forces(calculator, rattled_rock_salt("Ar", "Ar", a=6.2), step_A=0.02, atol=0.02)
    with pytest.raises(DataError, match="has been trained on Ar, not on Po"):
        prepare(load_potential(str(tmp_path / "mine.chgnet.tar")), ["Po"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_published_weights_move_only_by_the_elements(installed, tmp_path):
    """Forces are those of CHGNet; the mean energy is that of the labels."""
    frames = toy_frames(3)
    shifted = predict(published_chgnet(frames, tmp_path / "a.chgnet.tar"), frames)
    plain = predict(prepare(load_potential("chgnet"), ["Ar"]), frames)
    for one, other in zip(shifted, plain, strict=True):
        np.testing.assert_allclose(one.forces_eV_per_A, other.forces_eV_per_A, atol=1e-5)
    errors = prediction_errors(frames, shifted)
    assert errors["energy_rmse_eV_per_atom"] == pytest.approx(errors["energy_shifted_rmse_eV_per_atom"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_chgnet_is_invariant(installed):
    calculator = calculator_of(load_potential("chgnet"))
    check_invariances(calculator, rattled_rock_salt())
    check_forces(calculator, rattled_rock_salt(), step_A=0.02, atol=0.02)


def test_another_python_is_refused(installed, tmp_path):
    with pytest.raises(DataError, match="python: CHGNet is trained in this Python"):
        train_chgnet(toy_frames(1), toy_frames(1), tmp_path / "a", replace(CHGNET_SETTINGS, python="python"))
