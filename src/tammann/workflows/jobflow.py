"""Melts as jobs of jobflow, for clusters: distributed by FireWorks, jobflow-remote or run_locally.

One job finds the volume of each state, one records each replica once that is known, and a last one measures and writes
the transport table. All work in one folder that every machine sees, and a job that is run again continues where it was
interrupted::

    from jobflow import run_locally
    from tammann.workflows.jobflow import MeltMaker

    run_locally(MeltMaker(out="/shared/melts").make(plan))
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from tammann.errors import DataError
from tammann.files import json_safe
from tammann.workflows.melt import ReplicaRecord, VolumeRecord, measure_melts, record_replica
from tammann.workflows.melt.plan import MeltPlan

# MeltMaker says in one sentence that it is missing
jobflow: Any = importlib.import_module("jobflow") if importlib.util.find_spec("jobflow") else None
job: Any = jobflow.job if jobflow else lambda function: function
Maker: Any = jobflow.Maker if jobflow else object


@job
def record_job(
    plan: dict[str, Any], out: str, formula: str, temperature_K: float, replica: int | None = None, volume: Any = None
) -> dict[str, Any]:
    """Find the volume of one state or, once its ``volume`` is known, record one replica of it; return its record."""
    folder = record_replica(MeltPlan(**plan), out, formula=formula, temperature_K=temperature_K, replica=replica)
    return dict(json_safe(asdict((VolumeRecord if replica is None else ReplicaRecord).load(folder))))


@job
def measure_job(plan: dict[str, Any], out: str, replicas: Any = None) -> dict[str, Any]:
    """Measure all states once their ``replicas`` are recorded, write the table, and return its path and all notes."""
    made = measure_melts(MeltPlan(**plan), out)
    return {"table": None if made.table is None else str(made.table), "notes": list(made.notes)}


@dataclass
class MeltMaker(Maker):
    """Makes the flow of a plan: every replica is as long as ``production_ps``.

    How much longer a state needs is known only once it has been measured, so ``longest_ps`` is left to
    ``tammann melt --resume`` in the same folder, which also retries what has failed and draws the figures.

    Attributes:
        out: The folder that all jobs work in, seen by every machine.
        name: Name of the flow.
    """

    out: str = "melts"
    name: str = "melt"

    def make(self, plan: MeltPlan) -> Any:
        """Return the flow of a plan, a ``jobflow.Flow`` that ends in the path of the table; nothing is run or written.

        Each job has its number of steps of molecular dynamics, at most, as ``metadata["steps"]``.

        Raises:
            DataError: jobflow is not installed.
        """
        if jobflow is None:
            raise DataError("jobflow is not installed; pip install 'tammann[jobflow]' brings it.")
        out, data = os.path.abspath(self.out), plan.model_dump(mode="json")
        volumes, replicas = [], []
        for formula, temperature_K in product(plan.melts, plan.temperatures_K):
            state = f"{formula} at {temperature_K:g} K"
            volume = record_job(data, out, formula, temperature_K)
            volumes.append(_labelled(volume, f"volume of {state}", plan.steps_to_find_volume()))
            for replica in range(1, plan.replicas + 1):
                # waits for the volume by asking for one entry of its record
                known = volume.output["converged"]
                recorded = record_job(data, out, formula, temperature_K, replica, volume=known)
                steps = plan.steps_before(replica) + plan.conditions(temperature_K).steps(plan.production_ps)
                replicas.append(_labelled(recorded, f"{state}, replica {replica}", steps))
        table = measure_job(data, out, replicas=[recorded.output["duration_ps"] for recorded in replicas])
        # a state that fails leaves the others alone
        table.config = jobflow.JobConfig(on_missing_references=jobflow.OnMissing.NONE)
        _labelled(table, "measure and write the table", 0)
        return jobflow.Flow([*volumes, *replicas, table], output=table.output, name=self.name)


def _labelled(work: Any, name: str, steps: int) -> Any:
    work.name, work.metadata["steps"] = name, steps
    return work
