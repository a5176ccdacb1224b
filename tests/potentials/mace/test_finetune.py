"""Fine-tuning of MACE: what the program is told."""

import pytest

from potentials.training_frames import toy_frames
from tammann.errors import DataError
from tammann.potentials.mace import finetune
from tammann.potentials.mace.finetune import finetune_mace


def test_the_foundation_is_a_file(tmp_path):
    with pytest.raises(DataError, match="medium: expected a file to read"):  # a name that would be downloaded
        finetune_mace(toy_frames(2), toy_frames(1), tmp_path / "a.model", foundation="medium")


def test_the_stated_learning_rate_is_kept_and_energies_are_explicit(tmp_path, monkeypatch):
    """Two heads: the switch without which MACE takes 0.0001; energies of the foundation plus what is missing."""
    (tmp_path / "base.model").write_bytes(b"weights")
    told = {}

    def run(train, valid, path, settings, options, reference, replay=None, replay_valid=None):
        told.update(options=options, replay=replay, replay_valid=replay_valid, rate=settings.learning_rate)

    monkeypatch.setattr(finetune, "run_mace", run)
    monkeypatch.setattr(finetune, "_own_energies", lambda *_: {"Ar": -1.0, "O": -2.0})
    frames, replay = toy_frames(3), toy_frames(6, first=30)
    shifted = type(frames)(tuple(type(f)(f.configuration, f.energy_eV - 4.0, f.forces_eV_per_A) for f in frames))
    monkeypatch.setattr(finetune, "predict", lambda *_, **__: shifted)  # the model is 1 eV per atom too low
    finetune_mace(frames, frames, tmp_path / "a.model", foundation=tmp_path / "base.model", replay=replay)
    assert {"--multiheads_finetuning=True", "--force_mh_ft_lr=True"} <= set(told["options"])
    assert told["rate"] == 0.01 and len(told["replay"]) == len(told["replay_valid"]) == 3
    (energies,) = (o.partition("=")[2] for o in told["options"] if o.startswith("--E0s"))
    assert {z: round(e, 9) for z, e in eval(energies).items()} == {18: 0.0, 8: -2.0}
    finetune_mace(frames, frames, tmp_path / "a.model", foundation=tmp_path / "base.model", shift=False)
    assert "--multiheads_finetuning=False" in told["options"] and told["replay"] is None
    (energies,) = (o.partition("=")[2] for o in told["options"] if o.startswith("--E0s"))
    assert eval(energies) == {18: -1.0, 8: -2.0}
    monkeypatch.setattr(finetune, "_own_energies", lambda *_: {"Ar": -1.0})
    with pytest.raises(DataError, match="cannot give two heads to a model of one element"):
        finetune_mace(frames, frames, tmp_path / "a.model", foundation=tmp_path / "base.model", replay=replay)
