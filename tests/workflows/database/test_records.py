"""What tells a state that has changed, and where its frames are."""

from pathlib import Path

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.workflows.database.plan import DatabasePlan
from tammann.workflows.database.records import elements_of, fingerprint, frames_file, is_kept, keep_state, load_frames
from tammann.workflows.database.store import FILE, Store
from tammann.workflows.melt import load_melts
from tammann.workflows.melt.state import MeltState
from workflows.database.toys import atoms_of, made_up_store, state


def test_a_state_is_known_by_its_replicas_and_frames(tmp_path):
    plan = DatabasePlan.from_text("compositions: [Li2O]").model_copy(update={"potential": "toy"})
    melt = MeltState("Li2O", 1500.0, tmp_path / "melts" / "Li2O" / "1500K")
    assert not is_kept(Store(tmp_path / "none.sqlite"), tmp_path, plan, melt)
    store = made_up_store(tmp_path)
    assert not is_kept(store, tmp_path, plan, melt)
    row = state(provenance={"fingerprint": fingerprint(melt, plan.frames)})
    store.keep(row, features={}, elements={}, distribution=store.distribution("Li2O", 1000.0))
    assert not is_kept(store, tmp_path, plan, melt)  # its frames are not there
    file = frames_file(tmp_path, "Li2O", 1500.0)
    file.parent.mkdir()
    file.write_text(2 * atoms_of({"Li": 2, "O": 1}).to_extxyz())
    assert is_kept(store, tmp_path, plan, melt) and len(load_frames(tmp_path, "Li2O", 1500.0)) == 2
    assert not is_kept(store, tmp_path, plan.model_copy(update={"frames": 3}), melt)


def test_a_state_without_replicas_is_refused(tmp_path):
    plan = DatabasePlan.from_text("compositions: [Li2O]")
    with pytest.raises(DataError, match="finished replica"):
        keep_state(Store(tmp_path / FILE), tmp_path, plan, MeltState("Li2O", 1500.0, Path(tmp_path)))


def test_diffusivities_of_all_elements_are_those_of_the_measurement():
    melts = Path(__file__).parents[3] / "examples" / "melts" / "ba-ti-o"
    measured = [state for state in load_melts(melts).states if state.measurement is not None]
    known = next(state for state in measured if state.measurement.regime.diffusive.count(True) >= 2)
    found, m = elements_of(known), known.measurement
    assert sum(one["fraction"] for one in found.values()) == pytest.approx(1.0)
    for k, symbol in enumerate(m.species):
        if m.regime.diffusive[k]:
            assert found[symbol]["D_m2_per_s"] == pytest.approx(float(m.D_m2_per_s[k]))
            assert found[symbol]["D_stderr_m2_per_s"] == pytest.approx(float(m.D_stderr[k]))
    assert np.sum([one["diffusive"] for one in found.values()]) >= 2
