"""Gathering what several machines have done, without trajectories."""

import json

import numpy as np
import pytest

from tammann.errors import ResultError
from tammann.transport import load_transport
from tammann.workflows.melt import (
    CollectResult,
    collect,
    load_melts,
    run_melts,
)
from tammann.workflows.melt.plan import MeltPlan
from workflows.melt.toys import fabricate, plan


@pytest.mark.slow
def test_resuming_where_only_small_files_are_left(installed, tmp_path):
    """A collected folder says the same, takes a third replica, and is not run again for what it has."""
    whole = run_melts(plan(production_ps=20.0), tmp_path / "o")
    taken = collect(tmp_path / "o", tmp_path / "small").copied
    small = tmp_path / "small"
    assert [p.name for p in taken] == ["replica-1", "replica-2"] and collect(tmp_path / "o", small).copied == ()
    left = {f.name for f in small.rglob("*") if f.is_file()}
    assert left - {"transport_table.json"} == {
        *("plan.json", "volume.json", "melt.npz", "structure.extxyz", "melt.json", "transport.json"),
        *("replica.json", "curves.npz", "slow-stress.npz"),
    }
    for name in ("melt.json", "transport.json"):
        assert (small / "MgO" / "4500K" / name).read_text() == (whole.states[0].folder / name).read_text()
    before = {f: f.stat().st_mtime_ns for f in small.rglob("curves.npz")}
    more = run_melts(plan(production_ps=20.0, replicas=3), small, resume=True)
    assert {f: f.stat().st_mtime_ns for f in before} == before
    assert json.loads((more.states[0].folder / "transport.json").read_text())["n_replicas"] == 3
    assert [f.parent.name for f in small.rglob("trajectory-*")] == ["replica-3"]
    # a longer production cannot be had of what has no trajectory: said, not run
    longer = run_melts(plan(production_ps=22.0, replicas=3), small, resume=True)
    assert "Shorter than the plan's 22 ps: replica-1 (20 ps), replica-2 (20 ps)." in longer.states[0].notes
    assert json.loads((more.states[0].folder / "melt.json").read_text())["duration_ps"] == pytest.approx(62.0)
    # recorded before there were small files: they are made of the trajectory, and it is not run again
    for old in ("curves.npz", "slow-stress.npz"):
        (whole.states[0].folder / "replica-2" / old).unlink()
    assert [p.name for p in collect(tmp_path / "o", tmp_path / "other").copied] == ["replica-1", "replica-2"]
    run_melts(plan(production_ps=20.0), tmp_path / "o", resume=True)
    for name in ("melt.json", "transport.json"):
        text = (whole.states[0].folder / name).read_text()
        assert text == (tmp_path / "other" / "MgO" / "4500K" / name).read_text()


def test_collecting_gathers_and_overwrites_nothing(installed, tmp_path):
    fabricate(tmp_path / "one", replicas=2, rng=np.random.default_rng(3))
    _, state, _ = fabricate(tmp_path / "two", replicas=3, rng=np.random.default_rng(4))
    for folder in (tmp_path / "one", tmp_path / "two"):
        for name in ("melt.npz", "structure.extxyz"):
            (folder / "MgO" / "4500K" / name).write_text(folder.name)
    target = tmp_path / "all"
    assert len(collect(tmp_path / "one", target).copied) == 2
    seen = []
    assert collect(tmp_path / "two", target, progress=lambda f, what, T: seen.append((f, what))).copied == (
        target / "MgO" / "4500K" / "replica-3",
    )
    assert seen == [(1.0, "MgO at 4500 K, replica 3")]
    here = target / "MgO" / "4500K"
    assert (here / "melt.npz").read_text() == "one"
    assert (here / "replica-2" / "curves.npz").read_bytes() != (state / "replica-2" / "curves.npz").read_bytes()
    assert (
        json.loads((here / "transport.json").read_text())["n_replicas"] == 3
        and (target / "transport_table.json").exists()
    )
    # a narrower plan takes nothing out of the one there
    narrow = plan(melts=["CaO"], temperatures_K=[4000], replicas=1, production_ps=50.0)
    (tmp_path / "narrow").mkdir()
    (tmp_path / "narrow" / "plan.json").write_text(json.dumps({"plan": narrow.model_dump(mode="json")}))
    assert collect(tmp_path / "narrow", target) == CollectResult((), ())
    joined = MeltPlan(**json.loads((target / "plan.json").read_text())["plan"])
    assert joined.melts == ("MgO", "CaO") and joined.temperatures_K == (4000.0, 4500.0)
    assert joined.replicas == 3 and joined.production_ps == 100.0
    assert load_transport(target / "transport_table.json").formulas == ("MgO",)
    # a longer one takes the place of a shorter one
    record = json.loads((state / "replica-2" / "replica.json").read_text())
    (state / "replica-2" / "replica.json").write_text(json.dumps(record | {"duration_ps": 200.0}))
    assert [p.name for p in collect(tmp_path / "two", target).copied] == ["replica-2"]
    assert json.loads((here / "melt.json").read_text())["duration_ps"] == 400.0
    # at another volume it is another melt
    volume = (state / "volume.json").read_text()
    (state / "volume.json").write_text(volume.replace("508.0", "509.0"))
    (state / "replica-2" / "replica.json").write_text(json.dumps(record | {"duration_ps": 300.0}))
    assert collect(tmp_path / "two", target) == CollectResult((), tuple(state / f"replica-{k}" for k in (2,)))
    (state / "volume.json").write_text(volume)
    # half a replica is none
    (state / "replica-2" / "replica.json").write_text("{")
    assert collect(tmp_path / "two", target).copied == ()
    with pytest.raises(ResultError, match="expected a folder of tammann melt"):
        collect(tmp_path, target)


def test_collecting_knows_a_formula_by_its_elements(installed, tmp_path):
    """One machine was asked for MgO, the other for OMg: the same melt, one folder."""
    fabricate(tmp_path / "one", replicas=2, rng=np.random.default_rng(3))
    other, state, _ = fabricate(tmp_path / "two", replicas=3, rng=np.random.default_rng(4))
    for folder in (tmp_path / "one" / "MgO" / "4500K", state):
        (folder / "melt.npz").touch()
        (folder / "structure.extxyz").touch()
    state.parent.rename(tmp_path / "two" / "OMg")
    renamed = other.model_dump(mode="json") | {"melts": ["OMg"]}
    (tmp_path / "two" / "plan.json").write_text(json.dumps({"plan": renamed}))
    collect(tmp_path / "one", tmp_path / "all")
    assert [str(p.relative_to(tmp_path)) for p in collect(tmp_path / "two", tmp_path / "all").copied] == [
        "all/MgO/4500K/replica-3"
    ]
    assert {f.name for f in (tmp_path / "all").iterdir() if f.is_dir()} == {"MgO"}
    assert load_melts(tmp_path / "all").states[0].replicas == 3
