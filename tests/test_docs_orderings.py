"""The page on orderings says what its code prints."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_the_page_shows_what_its_code_prints():
    spec = importlib.util.spec_from_file_location("shown", DOCS / "shown.py")
    assert spec is not None and spec.loader is not None
    shown = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shown)
    text = (DOCS / "orderings.md").read_text(encoding="utf-8")
    assert shown.with_output(text) == text, "run: python docs/shown.py docs/orderings.md"
