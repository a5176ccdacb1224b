"""The page on orderings says what its code prints."""

from pathlib import Path

import pytest

from scripts import script

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_the_page_shows_what_its_code_prints():
    shown = script(DOCS / "shown.py")
    text = (DOCS / "orderings.md").read_text(encoding="utf-8")
    assert shown.with_output(text) == text, "run: python docs/shown.py docs/orderings.md"
