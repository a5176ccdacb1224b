"""The page on structures says what its code prints."""

import json
from pathlib import Path

import pytest

from scripts import script

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_the_page_shows_what_its_code_prints():
    shown = script(DOCS / "shown.py")
    text = (DOCS / "structures.md").read_text(encoding="utf-8")
    assert shown.with_output(text) == text, "run: python docs/shown.py docs/structures.md"


def test_results_on_the_page_of_bazrs3_are_those_of_the_example():
    page = script(DOCS / "bazrs3_results.py")
    text = (DOCS / "tutorial-bazrs3.md").read_text(encoding="utf-8")
    found = json.loads(page.RESULTS.read_text(encoding="utf-8"))
    assert page.with_results(text, found) == text, "run: python docs/bazrs3_results.py"


def test_the_example_of_bazrs3_shows_the_trend_of_grains():
    page = script(DOCS / "bazrs3_results.py")
    rows = {row["sample"]: row for row in json.loads(page.RESULTS.read_text(encoding="utf-8"))["diffraction"]}
    boxes = [rows[name] for name in ("crystal", "1 grain", "8 grains", "50 grains")]
    widths = [row["fwhm_per_A"] for row in boxes]
    reach = [row["g_rms_per_A2"]["30-50 Å"] for row in boxes]
    assert widths == sorted(widths) and reach == sorted(reach, reverse=True)
    volume_A3 = 200.0**3
    for row, grains in zip(boxes[1:], (1, 8, 50), strict=True):
        sphere_A = (6.0 * volume_A3 / grains / 3.141592653589793) ** (1 / 3)
        assert row["scherrer_A"] == pytest.approx(sphere_A, rel=0.1)
