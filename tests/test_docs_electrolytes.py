"""The page on electrolytes says what its code prints, and has all keys of the plan."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def page():
    return (DOCS / "electrolytes.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_shows_what_its_code_prints(page):
    assert script("shown").with_output(page) == page, "run: python docs/shown.py docs/electrolytes.md"


def test_the_page_has_all_keys_of_the_plan(page):
    assert script("plan_keys").with_tables(page) == page, "run: python docs/plan_keys.py docs/electrolytes.md"
