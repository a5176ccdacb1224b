"""Melts as jobs of jobflow, for clusters: the same functions, shared out by FireWorks, jobflow-remote or run_locally.

One job finds the volume of each state, one records each replica once that is known, and a last one measures and writes
the table for the furnace. All work in one folder that every machine sees, and each job that is run again goes on where
it was left::

    from jobflow import run_locally
    from tammann.workflows.jobflow import MeltMaker

    flow = MeltMaker(out="/shared/melts").make(plan)
    for name, steps in planned(flow):
        print(name, steps)
    run_locally(flow)
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.workflows.melt import find_melt, measure_melts, record_replica
from tammann.workflows.melt.plan import MeltPlan

# what is missing is said in one sentence where a flow is asked for
jobflow: Any = importlib.import_module("jobflow") if importlib.util.find_spec("jobflow") else None
job: Any = jobflow.job if jobflow else lambda function: function
Maker: Any = jobflow.Maker if jobflow else object

__all__ = ["MeltMaker", "find_volume_job", "measure_job", "planned", "record_replica_job"]


@job
def find_volume_job(plan: dict[str, Any], out: str, formula: str, temperature_K: float) -> dict[str, Any]:
    """Find the volume of one state; its record is handed on.

    Args:
        plan: A ``MeltPlan`` as plain data.
        out: The folder of the plan.
        formula: One of its melts.
        temperature_K: One of its temperatures, K.
    """
    folder = find_melt(MeltPlan.from_dict(plan), out, formula=formula, temperature_K=temperature_K)
    return _record(folder / "volume.json")


@job
def record_replica_job(
    plan: dict[str, Any], out: str, formula: str, temperature_K: float, replica: int, volume: Any = None
) -> dict[str, Any]:
    """Record one replica of one state; its record is handed on.

    Args:
        plan: A ``MeltPlan`` as plain data.
        out: The folder of the plan.
        formula: One of its melts.
        temperature_K: One of its temperatures, K.
        replica: From 1 on.
        volume: What ``find_volume_job`` hands on, to be waited for.
    """
    folder = record_replica(
        MeltPlan.from_dict(plan), out, formula=formula, temperature_K=temperature_K, replica=replica
    )
    return _record(folder / "replica.json")


@job
def measure_job(plan: dict[str, Any], out: str, replicas: Any = None) -> dict[str, Any]:
    """Measure all states from what has been recorded, and write the table for the furnace; nothing is run.

    Args:
        plan: A ``MeltPlan`` as plain data.
        out: The folder of the plan.
        replicas: What ``record_replica_job`` hands on, to be waited for.

    Returns:
        The path of the table, or None where no state is diffusive, and what is to be known, failures included.
    """
    made = measure_melts(MeltPlan.from_dict(plan), out)
    return {"table": None if made.table is None else str(made.table), "notes": list(made.notes)}


@dataclass
class MeltMaker(Maker):
    """Makes the flow of a plan: every replica is as long as ``production_ps``.

    How much longer a state needs is known only when it has been measured, so ``longest_ps`` is left to
    ``tammann melt --resume`` in the same folder, which also tries again what has failed and draws the figures.

    Attributes:
        out: The folder that all jobs work in, seen by every machine.
        name: Of the flow.
    """

    out: str = "melts"
    name: str = "melt"

    def make(self, plan: MeltPlan) -> Any:
        """Make the flow; nothing is run or written.

        Args:
            plan: What to compute.

        Returns:
            A ``jobflow.Flow`` whose last job hands on the path of the table. Each job has its number of steps of
            molecular dynamics, at most, as ``metadata["steps"]``.

        Raises:
            DataError: jobflow is not installed.
        """
        if jobflow is None:
            raise DataError("jobflow is not installed; pip install 'tammann[jobflow]' brings it.")
        out, data = os.path.abspath(self.out), plan.model_dump(mode="json")
        volumes, replicas = [], []
        for formula in plan.melts:
            for temperature in plan.temperatures_K:
                volume = find_volume_job(data, out, formula, temperature)
                _describe(volume, f"volume of {formula} at {temperature:g} K", plan.steps_to_find_volume())
                volumes.append(volume)
                for replica in range(1, plan.replicas + 1):
                    # waits for the volume by asking for one entry of its record
                    recorded = record_replica_job(
                        data, out, formula, temperature, replica, volume=volume.output["converged"]
                    )
                    _describe(
                        recorded, f"{formula} at {temperature:g} K, replica {replica}", plan.steps_of_replica(replica)
                    )
                    replicas.append(recorded)
        table = measure_job(data, out, replicas=[recorded.output["duration_ps"] for recorded in replicas])
        table.config = jobflow.JobConfig(
            on_missing_references=jobflow.OnMissing.NONE
        )  # a state that fails leaves the others alone
        _describe(table, "measure and write the table", 0)
        return jobflow.Flow([*volumes, *replicas, table], output=table.output, name=self.name)


def planned(flow: Any) -> tuple[tuple[str, int], ...]:
    """What a flow would run: the name of each job and its steps of molecular dynamics, at most.

    Args:
        flow: Of ``MeltMaker.make``.
    """
    return tuple((job.name, int(job.metadata["steps"])) for job, _ in flow.iterflow())


def _describe(work: Any, name: str, steps: int) -> None:
    work.name = name
    work.metadata["steps"] = steps


def _record(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record
