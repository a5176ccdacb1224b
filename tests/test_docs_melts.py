"""The pages on melts: every key of a plan, every file, and the numbers of the table as it stands."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from scripts import script
from tammann.characterization.order import CRYSTALLINE
from tammann.transport import load_transport
from tammann.workflows.melt.plan import MeltPlan

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "melts.md"
RERUN = "run: python examples/melts/melt_table.py"


def keys(model: type[BaseModel], above: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, field in model.model_fields.items():
        default = None if field.is_required() else field.get_default()
        if isinstance(default, BaseModel):
            found |= keys(type(default), f"{above}{key}.")
        else:
            found[above + key] = default
    return found


def test_every_key_of_a_plan_is_on_the_page_with_its_default():
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.split("|")]
        if len(cells) == 6 and line.startswith("| `"):
            rows[cells[1]] = cells[3]
    every = keys(MeltPlan)
    assert set(rows) == set(every) and len(every) > 20
    for key, default in every.items():
        if isinstance(default, tuple):
            assert [float(x) for x in rows[key].split(",")] == list(default), key
        elif isinstance(default, str):
            assert rows[key] == default, key
        elif default is not None:
            assert float(rows[key]) == default, key


def test_every_file_is_on_the_page():
    from tammann.workflows.melt import folder

    text = PAGE.read_text(encoding="utf-8")
    for name in (
        *folder.REPLICA_FILES,
        *folder.STATE_FILES,
        "plan.json",
        "transport_table.json",
        "melt.json",
        "transport.json",
    ):
        assert f"{name}`" in text, name


def test_flags_are_those_of_the_code():
    from tammann.workflows.melt import state

    text = PAGE.read_text(encoding="utf-8")
    assert f"{2 * state.CAVITY_A:g} Å wide" in text and f"above {CRYSTALLINE:g} of" in text
    assert f"no farther than {state.GLASS_A:g} Å" in text and f"beyond {state.PRESSURE_GPA:g} GPa" in text


@pytest.mark.slow
def test_the_table_page_is_current():
    """What examples/melts/melt_table.py writes is what the page says; run it where this fails."""
    table = script(DOCS.parent / "examples" / "melts" / "melt_table.py")
    text = (DOCS / "melt-table.md").read_text(encoding="utf-8")
    assert re.search(r"<!-- from: ", text) and table.filled(text) == text, RERUN
    assert table.same_table(table.shipped(), load_transport("tammann-2026")), "run: python examples/melts/melt_table.py"
