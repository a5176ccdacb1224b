"""The page on electrolytes says what its code prints, and has all keys of the plan."""

from pathlib import Path

import pytest

from scripts import script

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def page():
    return (DOCS / "electrolytes.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_shows_what_its_code_prints(page):
    assert script(DOCS / "shown.py").with_output(page) == page, "run: python docs/shown.py docs/electrolytes.md"


def test_the_page_has_all_keys_of_the_plan(page):
    assert script(DOCS / "plan_keys.py").with_tables(page) == page, "run: python docs/plan_keys.py docs/electrolytes.md"
