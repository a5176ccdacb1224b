"""The page of a campaign holds its table, its figure, and what there is to say, and fetches nothing."""

from dataclasses import replace

from tammann.workflows.electrolyte import load_electrolytes, run_electrolytes
from tammann.workflows.electrolyte.page import electrolyte_page
from workflows.electrolyte.synthetic import campaign


def test_the_page(tmp_path):
    plan, out = campaign(tmp_path)
    empty = electrolyte_page(load_electrolytes(out))
    assert "oxide" in empty and "By temperature" not in empty
    run_electrolytes(plan, out, stages=["pathways", "conductivity"], resume=True)
    result = replace(load_electrolytes(out), failures=("oxide-001 & co: a <b>failure</b>.",))
    page = electrolyte_page(result)
    for part in ("Side by side", "By temperature", "Orderings", "What failed", "data:image/svg+xml", "σ(300 K)", "± "):
        assert part in page
    assert "<b>failure</b>" not in page and "12.0" in page  # meV/atom
