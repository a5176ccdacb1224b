"""SevenNet: the input of its program, its learning curve, and a tiny training run where it is installed."""

from dataclasses import replace

import pytest

from potentials.training_frames import toy_frames
from tammann.errors import DataError
from tammann.potentials.network_training import prediction_errors
from tammann.potentials.programs import predict
from tammann.potentials.sevennet_training import (
    SEVENNET_SETTINGS,
    _waited,
    foundation_file,
    read_curve,
    train_sevennet,
    training_input,
)


def test_the_input_continues_from_weights_or_begins_without():
    tuned = training_input({"channel": 4}, SEVENNET_SETTINGS, "a.pth", scratch=False)
    assert tuned["train"]["continue"]["checkpoint"] == "a.pth" and tuned["model"]["train_shift_scale"]
    scratch = training_input({"channel": 4}, SEVENNET_SETTINGS, "a.pth", scratch=True)
    assert "continue" not in scratch["train"] and scratch["data"]["shift"] == "elemwise_reference_energies"


def test_epochs_without_progress_are_counted(tmp_path):
    assert read_curve(tmp_path) == () and _waited(()) == 0
    losses = [3.0, 1.0, 2.0, 1.5]
    rows = "\n".join(f"{number},0.1,{loss}" for number, loss in enumerate(losses, 1))
    (tmp_path / "lc.csv").write_text(f"epoch,lr,validset_TotalLoss\n{rows}\n5,0.1")  # a line half written
    curve = read_curve(tmp_path)
    assert [row["validset_TotalLoss"] for row in curve] == losses and _waited(curve) == 2


def test_a_missing_package_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="expected an interpreter with sevenn installed"):
        train_sevennet(toy_frames(1), toy_frames(1), tmp_path / "a.pth", replace(SEVENNET_SETTINGS, python="no-python"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_tiny_fine_tuning(tmp_path):
    pytest.importorskip("sevenn")
    train, valid, test = toy_frames(4), toy_frames(2, first=20), toy_frames(3, first=40)
    before = prediction_errors(test, predict(foundation_file("sevennet-0"), test))
    trained = train_sevennet(train, valid, tmp_path / "a.pth", replace(SEVENNET_SETTINGS, max_epochs=4, batch_size=2))
    after = prediction_errors(test, predict(trained.model, test))
    assert len(trained.history) == 4
    assert after["forces_rmse_eV_per_A"] < before["forces_rmse_eV_per_A"]
