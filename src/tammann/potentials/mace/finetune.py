"""Fine-tuning of a MACE from any file: naively, or with two heads and frames of the pre-training (replay).

Naive fine-tuning fits the new frames alone and forgets what is not in them. Multi-head fine-tuning fits a new head to
them while the old head goes on fitting frames that the foundation model was trained on, given by file. In that mode the
program of MACE 0.3 replaces the learning rate that it is given by 0.0001, and says so in its log only; here
``--force_mh_ft_lr=True`` makes it keep the one that is stated.

Reference:
    Batatia et al., J. Chem. Phys. 2025, 163, 184110, doi 10.1063/5.0297006.
"""

from __future__ import annotations

import json
import os
from functools import cache

import numpy as np
from ase.data import chemical_symbols

from tammann.errors import DataError
from tammann.potentials.dataset import DataSet
from tammann.potentials.mace.calculator import mace_file
from tammann.potentials.mace.train import MACE_SETTINGS, e0_argument, run_mace
from tammann.potentials.network_training import NetworkSettings, TrainedNetwork
from tammann.potentials.programs import predict, python_of, run_text
from tammann.potentials.reference_energies import fit_reference_energies

E0_SCRIPT = """
import json, sys, torch
model = torch.load(sys.argv[1], map_location="cpu", weights_only=False)
energies = torch.atleast_2d(model.atomic_energies_fn.atomic_energies)[-1]
print(json.dumps({int(z): float(e) for z, e in zip(model.atomic_numbers, energies)}))
"""
REPLAY_VALID = 8
"""Frames of the replay that are validated on; the decision when to stop rests on the new head alone."""


def finetune_mace(
    train: DataSet,
    valid: DataSet,
    path: str | os.PathLike[str],
    settings: NetworkSettings = MACE_SETTINGS,
    *,
    foundation: str | os.PathLike[str],
    replay: DataSet | None = None,
    replay_weight: float = 1.0,
    shift: bool = True,
) -> TrainedNetwork:
    """Fine-tune a MACE from a file.

    The reference energies are those of the foundation model plus what is missing to the labels, by least squares of
    least norm.

    Args:
        train: Frames to fit.
        valid: Frames that decide when to stop; of other trajectories.
        path: Where the model goes; its name should end in ``.model``.
        settings: How long and how fast, and which Python.
        foundation: File of the foundation model; nothing is downloaded.
        replay: Frames that it was trained on, with their labels; without them the fine-tuning is naive.
        replay_weight: Weight of the old head in the loss.
        shift: Whether to shift the reference energies; not needed where the labels of both trainings are of one method.

    Raises:
        DataError: No such file, elements that it does not know, ``mace-torch`` is not installed in that Python, or
            training failed.
    """
    model = mace_file(foundation)
    own = _own_energies(os.path.abspath(foundation), model.digest, settings.python)
    unknown = sorted({*train.elements, *valid.elements} - set(own))
    if unknown:
        raise DataError(
            f"foundation: {model.name} knows {', '.join(sorted(own))}, but the frames hold {', '.join(unknown)}; take "
            "another foundation model."
        )
    predicted = predict(model, train, python=python_of(settings.python)) if shift else train
    missing = fit_reference_energies(train, predicted=predicted)
    energies = {element: own[element] + missing.by_element.get(element, 0.0) for element in own}
    options = [f"--foundation_model={os.path.abspath(foundation)}", f"--E0s={e0_argument(energies)}"]
    if replay is not None and len(own) == 1:
        # its list of energies becomes a number there
        raise DataError(
            "replay: the program of MACE 0.3 cannot give two heads to a model of one element; leave it out."
        )
    if replay is None:
        options += ["--multiheads_finetuning=False"]
        heads = {}
    else:
        options += [
            "--multiheads_finetuning=True",
            "--force_mh_ft_lr=True",
            f"--weight_pt_head={replay_weight}",
            f"--num_samples_pt={len(replay)}",
        ]
        order = np.random.default_rng(settings.seed).permutation(len(replay))
        held = min(REPLAY_VALID, len(replay) // 2)
        heads = {"replay": replay.subset(sorted(order[held:])), "replay_valid": replay.subset(sorted(order[:held]))}
    return run_mace(train, valid, path, settings, options, missing, **heads)


@cache
def _own_energies(foundation: str, digest: str, python: str | None) -> dict[str, float]:
    """Return the reference energies of a model by element, read in the Python that has MACE."""
    text = run_text([python_of(python), "-c", E0_SCRIPT, foundation])
    return {chemical_symbols[int(number)]: energy for number, energy in json.loads(text.splitlines()[-1]).items()}
