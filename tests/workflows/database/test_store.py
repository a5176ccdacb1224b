"""The SQLite file: what goes in comes out, all or nothing, and other tools can read it."""

import sqlite3

import numpy as np
import pytest

from tammann.diffusivity.features import structure_features
from tammann.errors import DataError, ResultError
from tammann.workflows.database.store import FILE, Store, open_store
from workflows.database.toys import atoms_of, made_up_store, state


def test_what_goes_in_comes_out(tmp_path):
    store = made_up_store(tmp_path / "db")
    table = store.table()
    assert len(table) == 9 and set(table["formula"]) == {"Li2O", "Li2S", "LiF"}
    expected = structure_features(atoms_of({"Li": 2, "O": 1}), temperature_K=1500.0)
    row = table[(table["formula"] == "Li2O") & (table["temperature_K"] == 1500.0)].iloc[0]
    for name in ("LNC", "PF", "root_BR5_M"):
        assert row[name] == pytest.approx(expected[name])
    assert store.about()["tammann"] == "0"
    found = store.distribution("Li2O", 1500.0)
    assert found.species == ("Li", "O") and found.partial.shape == (2, 2, len(found.r_A))
    with sqlite3.connect(tmp_path / "db" / FILE) as plain:
        (n,) = plain.execute("SELECT count(*) FROM features").fetchone()
    plain.close()
    assert n == 9 * 44


def test_a_state_takes_the_place_of_the_one_before(tmp_path):
    store = made_up_store(tmp_path / "db")
    frame = atoms_of({"Li": 2, "O": 1})
    kept = store.distribution("Li2O", 1500.0)
    features = structure_features(frame, temperature_K=1500.0)
    store.keep(state(D=7e-9), features=features, elements={}, distribution=kept)
    found = store.query("SELECT D_m2_per_s FROM states WHERE formula = 'Li2O' AND temperature_K = ?", 1500.0)
    assert found["D_m2_per_s"].tolist() == [7e-9] and len(store.states()) == 9
    with pytest.raises(ResultError):  # a column that is not there: nothing of it is kept
        store.keep(state(D=1.0, colour=1), features=features, elements={}, distribution=kept)
    assert store.query("SELECT max(D_m2_per_s) AS D FROM states")["D"].iloc[0] < 1.0


def test_a_table_to_learn_from(tmp_path):
    store = made_up_store(tmp_path / "db")
    table = store.diffusivity_table()
    assert table.n_rows == 9 and table.ion == "Li" and "LNC" in table.names
    assert "toy" in table.source
    frame = atoms_of({"Li": 2, "O": 1})
    store.keep(state(diffusive=0, D=2e-9), features=structure_features(frame, temperature_K=1500.0), elements={},
               distribution=store.distribution("Li2O", 1000.0))  # fmt: skip
    assert store.diffusivity_table().n_rows == 8 and store.diffusivity_table(only_diffusive=False).n_rows == 9
    store.keep(state(crystalline=1, D=2e-9), features=structure_features(frame, temperature_K=1500.0), elements={},
               distribution=store.distribution("Li2O", 1000.0))  # fmt: skip
    assert store.diffusivity_table().n_rows == 8
    assert np.isclose(store.diffusivity_table(only_diffusive=False).D_m2_per_s, 2e-9, atol=0.0).sum() == 1


def test_errors(tmp_path):
    with pytest.raises(ResultError, match="found none"):
        open_store(tmp_path).states()
    (tmp_path / FILE).write_text("not a database at all, but long enough to be looked at")
    with pytest.raises(ResultError, match="something else"):
        Store(tmp_path / FILE).about()
    with pytest.raises(ResultError, match="something else"):
        Store(tmp_path / FILE).states()
    store = made_up_store(tmp_path / "db")
    with pytest.raises(DataError, match="query"):
        store.query("SELECT nothing FROM nowhere")
    with pytest.raises(DataError, match="LiCl at 1000 K"):
        store.distribution("LiCl", 1000.0)
    assert open_store(tmp_path / "db").path == open_store(tmp_path / "db" / FILE).path
