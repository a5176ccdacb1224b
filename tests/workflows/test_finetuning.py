"""Learning curves with a toy in place of a network: order, resuming, refusals, who wins."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from potentials.training_frames import toy_frames
from tammann.errors import DataError, ResultError
from tammann.potentials.calculators import ModelFile
from tammann.potentials.dataset import DataSet, write_dataset
from tammann.potentials.network_training import TrainedNetwork
from tammann.potentials.reference_energies import fit_reference_energies
from tammann.workflows import finetuning
from tammann.workflows.finetuning import FinetuningPlan, load_finetuning, run_finetuning


class Model:
    """Predicts energies and forces with a known relative error."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, wrong):
        self.wrong = wrong

    def get_property(self, name, atoms=None, allow_calculation=True):
        from ase.calculators.morse import MorsePotential

        copy = atoms.copy()
        copy.calc = MorsePotential(epsilon=0.1 * (1 + self.wrong), r0=3.75, rho0=5.0, rcut1=5.0, rcut2=6.0)
        return copy.calc.get_property(name, copy)

    def get_potential_energy(self, atoms=None, force_consistent=False):
        return self.get_property("energy", atoms)

    def get_forces(self, atoms=None):
        return self.get_property("forces", atoms)

    def get_stress(self, atoms=None):
        return self.get_property("stress", atoms)


def toy_fits(calls, *, stop_after=99):
    """Return ways to train whose error falls as one over the number of frames; scratch is ten times worse."""

    def fit(factor, mode):
        def train(frames, valid, path, settings):
            if len(calls) == stop_after:
                raise KeyboardInterrupt
            calls.append((mode, len(frames), settings.seed, frames[0].trajectory))
            path.write_bytes(b"toy")
            wrong = factor / len(frames) * (1 + 0.1 * settings.seed)
            model = ModelFile("toy", str(path), "0" * 64, "", "", made=Model(wrong))
            return TrainedNetwork(model, 3, ({"epoch": 1},), fit_reference_energies(frames), {"toy": "1"}, ("a note",))

        return train

    return {"fine-tuned": fit(0.1, "fine-tuned"), "from-scratch": fit(1.0, "from-scratch")}


@pytest.fixture
def plan(tmp_path):
    write_dataset(tmp_path / "train.extxyz", toy_frames(12))
    write_dataset(tmp_path / "test.extxyz", toy_frames(3, first=50))
    (tmp_path / "plan.yaml").write_text(
        "architecture: chgnet\ntrain: train.extxyz\ntest: test.extxyz\nsizes: [8, 2, 4]\nseeds: [1, 2]\n"
        "validation_fraction: 0.2\n"
    )
    return FinetuningPlan.from_file(tmp_path / "plan.yaml")


@pytest.mark.slow
def test_curves_that_are_known(plan, tmp_path):
    calls = []
    result = run_finetuning(plan, tmp_path / "out", fits=toy_fits(calls))
    assert result.complete and len(calls) == 12
    assert set(result.winners().values()) == {"fine-tuned"}
    curve = result.summary()["mean", "from-scratch"]
    np.testing.assert_allclose(curve.loc[2] / curve.loc[8], 4.0, rtol=1e-6)
    table = pd.read_csv(tmp_path / "out" / "learning-curves.csv")
    assert list(table["size"][:4]) == [2, 2, 4, 4] and (table.seed[:6] == 1).all()
    summary = json.loads((tmp_path / "out" / "learning-curves.json").read_text())
    assert summary["complete"] and summary["notes"] == ["a note"] and summary["plan"]["train"] == "train.extxyz"
    assert (tmp_path / "out" / "learning-curves-forces.png").exists()


@pytest.mark.slow
def test_modes_see_the_same_frames_and_larger_sets_hold_smaller_ones(plan, tmp_path):
    calls = []
    run_finetuning(plan, tmp_path / "out", fits=toy_fits(calls))
    firsts = {(mode, seed): {name for m, _, s, name in calls if (m, s) == (mode, seed)} for mode, _, seed, _ in calls}
    assert all(len(names) == 1 for names in firsts.values())  # the first frame of each size is the same
    assert firsts["fine-tuned", 1] == firsts["from-scratch", 1] != firsts["fine-tuned", 2]


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_next_fit(plan, tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        run_finetuning(plan, tmp_path / "out", fits=toy_fits(calls, stop_after=5))
    assert not load_finetuning(tmp_path / "out").complete and len(load_finetuning(tmp_path / "out").table) == 5
    with pytest.raises(ResultError, match="holds learning curves already; resume"):
        run_finetuning(plan, tmp_path / "out", fits=toy_fits(calls))
    more = plan.model_copy(update={"seeds": (1, 2, 3)})
    assert run_finetuning(more, tmp_path / "out", resume=True, fits=toy_fits(calls)).complete
    assert len(calls) == len(set(calls)) == 18
    other = plan.model_copy(update={"patience": 5})
    with pytest.raises(ResultError, match="holds a plan with patience 20, got 5"):
        run_finetuning(other, tmp_path / "out", resume=True, fits=toy_fits(calls))


def test_data_that_would_flatter_are_refused(plan, tmp_path):
    write_dataset(tmp_path / "test.extxyz", toy_frames(3, first=5))
    with pytest.raises(DataError, match="its trajectory t5 is in the training set too"):
        run_finetuning(plan, tmp_path / "out", fits=toy_fits([]))
    few = plan.model_copy(update={"sizes": (500,), "test": tmp_path / "more.extxyz"})
    write_dataset(tmp_path / "more.extxyz", toy_frames(3, first=70))
    with pytest.raises(DataError, match="sizes: 500 frames asked for, but train.extxyz has 10 beside the 2"):
        run_finetuning(few, tmp_path / "out", fits=toy_fits([]))


@pytest.mark.parametrize(
    "lines, words",
    [
        ("modes: [multi-head]", "multi-head is of mace and needs replay"),
        ("architecture: mace", "expected the file of a MACE model, got none; nothing is downloaded"),
        ("sizes: [4, 4]", "sizes: expected each value once"),
        ("learning_rate: 0", "learning_rate: expected a learning rate above 0"),
    ],
)
def test_plans_that_cannot_be(lines, words):
    known = {"architecture": "chgnet", "train": "a.xyz", "test": "b.xyz"}
    key, _, value = lines.partition(": ")
    text = "\n".join(f"{k}: {v}" for k, v in {**known, key: value}.items())
    with pytest.raises(DataError, match=words):
        FinetuningPlan.from_text(text)


def test_larger_sets_get_fewer_epochs():
    plan = FinetuningPlan(architecture="chgnet", train="a", test="b", most_frame_visits=600, max_epochs=100)
    assert [plan.epochs_at_most(size) for size in (5, 10, 40, 1000)] == [100, 60, 15, 1]
    assert plan.settings("from-scratch", 1, 7).batch_size == 1


@pytest.mark.parametrize("architecture", ["sevennet", "mace", "chgnet"])
def test_the_record_before_training_has_the_energies_of_the_labels(architecture, plan, tmp_path, monkeypatch):
    model = ModelFile("toy", "", "0" * 64, "", "", made=Model(0.0))
    for name in ("foundation_file", "mace_file", "published_chgnet"):
        monkeypatch.setattr(finetuning, name, lambda *_: model)

    def predict(_, data, python=None):  # right but for 3 eV an atom
        return DataSet(tuple(replace(frame, energy_eV=frame.energy_eV + 3.0 * frame.n_atoms) for frame in data))

    monkeypatch.setattr(finetuning, "predict", predict)
    wanted = plan.model_copy(update={"architecture": architecture, "foundation": "toy.model"})
    (tmp_path / "fits").mkdir()
    finetuning._record_before(wanted, tmp_path, toy_frames(4), toy_frames(2, first=50))
    errors = json.loads((tmp_path / "fits" / "before.json").read_text())["errors"]
    assert errors["energy_rmse_eV_per_atom"] == pytest.approx(0.0, abs=1e-9)
