"""The page on active learning: every key of a plan with its default, every column of the table."""

from pathlib import Path

from pydantic import BaseModel

from tammann.workflows.active_learning import ActiveLearningPlan, RoundResult
from tammann.workflows.active_learning.rounds import round_row

PAGE = Path(__file__).parents[1] / "docs" / "active-learning.md"


def keys(model: type[BaseModel], above: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, field in model.model_fields.items():
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        found |= keys(type(default), f"{above}{key}.") if isinstance(default, BaseModel) else {above + key: default}
    return found


def test_every_key_of_a_plan_is_on_the_page_with_its_default():
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.split("|")]
        if len(cells) == 6 and line.startswith("| `"):
            rows[cells[1]] = cells[3]
    every = keys(ActiveLearningPlan)
    assert set(rows) == set(every)
    for key, default in every.items():
        if key == "compositions":
            continue
        if not default and default != 0:
            assert rows[key] == "none", key
        elif isinstance(default, tuple):
            assert [float(x) for x in rows[key].split(",")] == list(default), key
        elif isinstance(default, str):
            assert rows[key] == default, key
        else:
            assert float(rows[key]) == default, key


def test_every_column_of_the_table_is_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    columns = [*round_row(RoundResult(1)), "energy_meV_per_atom", "forces_meV_per_A"]
    assert all(f"`{column}`" in text for column in columns if column != "round")
