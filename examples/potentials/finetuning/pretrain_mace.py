"""Pre-train a small MACE on melts of Ba2TiO4, BaTiO3 and BaTi2O5, to be fine-tuned on another composition.

    python make_melt_frames.py FOLDER
    python pretrain_mace.py FOLDER PYTHON      # PYTHON: the interpreter that has mace-torch

writes ``pretrained.model`` and ``pretrained.json`` with what it is, and 24 of its frames as ``replay.extxyz``.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from tammann.files import json_safe, write_text
from tammann.potentials.dataset import read_dataset, split, write_dataset
from tammann.potentials.mace.train import MaceArchitecture, train_mace
from tammann.potentials.network_training import NetworkSettings, prediction_errors
from tammann.potentials.programs import predict

SEED = 15
REPLAY = 24


def main(folder, python):
    """Train, test on the validation set and on the target, which it has not seen."""
    frames = read_dataset(folder / "other-melts.extxyz")
    train, valid = split(frames, "trajectory", 0.1, rng=SEED)
    settings = NetworkSettings(
        max_epochs=40, batch_size=4, energy_weight=10.0, seed=SEED, precision="float32", python=python
    )
    architecture = MaceArchitecture(channels=16, max_L=0)
    begin = time.monotonic()
    trained = train_mace(train, valid, folder / "pretrained.model", settings, architecture=architecture)
    chosen = np.random.default_rng(SEED).permutation(len(train))[:REPLAY]
    write_dataset(folder / "replay.extxyz", train.subset(sorted(chosen.tolist())))
    record = {
        "sha256": trained.model.digest,
        "channels": architecture.channels,
        "frames": {"train": len(train), "validation": len(valid), "formulas": train.formulas},
        "epochs": trained.epochs,
        "seconds": round(time.monotonic() - begin, 1),
        "versions": trained.versions,
        "notes": trained.notes,
        "validation": prediction_errors(valid, predict(trained.model, valid, python=python)),
        "settings": {key: value for key, value in vars(settings).items() if key != "python"},
        "history": [{k: row[k] for k in ("epoch", "loss", "rmse_e_per_atom", "rmse_f")} for row in trained.history],
    }
    write_text(folder / "pretrained.json", json.dumps(json_safe(record), indent=1) + "\n")
    print(json.dumps(json_safe({**record["validation"], "epochs": trained.epochs}), indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
