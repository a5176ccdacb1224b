"""The page on learned diffusivities: its tables are those of the package and of what was measured."""

import json
from pathlib import Path

import pytest

from scripts import script

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "diffusivities.md"


def test_tables_are_current():
    text = PAGE.read_text(encoding="utf-8")
    assert script(DOCS / "diffusivity_results.py").with_tables(text) == text, (
        "run: python docs/diffusivity_results.py page"
    )


def test_the_page_shows_what_its_code_prints():
    text = PAGE.read_text(encoding="utf-8")
    assert script(DOCS / "shown.py").with_output(text) == text, "run: python docs/shown.py docs/diffusivities.md"


def test_what_was_measured_holds_nothing_of_the_table():
    """Errors and settings only: the table has no licence."""
    found = json.loads((DOCS / "diffusivities.json").read_text(encoding="utf-8"))
    assert found["table"].keys() == {"rows", "sha256"}
    assert "formula" not in json.dumps(found)
    hybrid, boosting = (
        found["cross_validation"][f"{name} grouped"]["rmse_D_m2_per_s"] for name in ("hybrid", "boosting")
    )
    assert hybrid[0] < 0.75 * boosting[0]
    assert found["activation"]["hybrid"]["mae_eV"][0] == pytest.approx(0.056, abs=0.002)
