"""Replicas and the potential that they were recorded with."""

import hashlib
import json

import numpy as np
import pytest

from tammann.errors import ResultError
from tammann.workflows.melt import (
    measure_melts,
    record_replica,
    run_melts,
)
from workflows.melt.toys import fabricate


def test_a_potential_whose_file_has_changed_is_refused(installed, tmp_path):
    """What was recorded with one file and what is recorded with another are no replicas of one melt."""
    out, file = tmp_path / "o", tmp_path / "mine.yaml"
    file.write_text("elements: [Mg, O]\ncommands: |\n  pair_style zbl 3 4\n  pair_coeff * * 12 8\n")
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(15))
    asked = chosen.model_copy(update={"potential": str(file)})
    (out / "plan.json").write_text(json.dumps({"plan": asked.model_dump(mode="json")}))
    record = json.loads((state / "replica-2" / "replica.json").read_text())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    (state / "replica-2" / "replica.json").write_text(json.dumps(record | {"potential_version": f"sha256:{digest}"}))
    assert run_melts(asked, out, resume=True).states[0].replicas == 2
    file.write_text(file.read_text().replace("3 4", "3 5"))
    for refused in (
        lambda: run_melts(asked, out, resume=True),
        lambda: record_replica(asked, out, formula="MgO", temperature_K=4500.0),
    ):
        with pytest.raises(ResultError, match="replica-2: was recorded with another .*mine.yaml than there is now"):
            refused()
    assert measure_melts(asked, out).states[0].replicas == 2  # nothing is recorded
