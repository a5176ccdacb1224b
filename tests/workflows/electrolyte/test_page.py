"""The page of a campaign holds its table, its figure, and what there is to say, and fetches nothing."""

from dataclasses import replace

import numpy as np
import pytest

from tammann.workflows.electrolyte import ElectrolytePlan, load_electrolytes, run_electrolytes
from tammann.workflows.electrolyte.page import electrolyte_page
from workflows.electrolyte.oxides import write_plan
from workflows.electrolyte.synthetic import campaign


def test_the_page(tmp_path):
    plan, out = campaign(tmp_path)
    empty = electrolyte_page(load_electrolytes(out))
    assert "oxide" in empty and "By temperature" not in empty
    assert "<h1>Li in Li₂O₃</h1>" in empty and "100 %" in empty and "dynamics.hot_ps" in empty
    run_electrolytes(plan, out, stages=["pathways", "conductivity"], resume=True)
    result = replace(load_electrolytes(out), failures=("oxide-001 & co: a <b>failure</b>.",))
    page = electrolyte_page(result)
    for part in ("Side by side", "By temperature", "Orderings", "What failed", "data:image/svg+xml", "σ(300 K)", "± "):
        assert part in page
    assert "<b>failure</b>" not in page and "12.0" in page  # meV/atom


@pytest.mark.slow
def test_what_is_not_known_is_a_dash_and_compositions_are_rows(tmp_path):
    plan, out = campaign(tmp_path)
    result = run_electrolytes(plan, out, stages=["conductivity"], resume=True)
    unknown = {key: replace(each, along=np.full(3, np.nan)) for key, each in result.planar.items()}
    assert len(unknown) == 3 and "nan" not in electrolyte_page(replace(result, planar=unknown)).partition("By temp")[2]
    host = ElectrolytePlan.from_file(write_plan(tmp_path))
    page = electrolyte_page(run_electrolytes(host, tmp_path / "host", stages=["orderings"]))
    assert "composition NaLiO</th><td>Li 0.5 Na 0.5 on T</td>" in page
