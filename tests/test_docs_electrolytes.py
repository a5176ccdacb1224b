"""The page on electrolytes says what its code prints, and has all keys of the plan."""

import json
from pathlib import Path

import pytest
from scipy.constants import Boltzmann, elementary_charge

from scripts import script
from tammann.files import digest

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLE = DOCS.parent / "examples" / "electrolytes"


@pytest.fixture(scope="module")
def page():
    return (DOCS / "electrolytes.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_shows_what_its_code_prints(page):
    assert script(DOCS / "shown.py").with_output(page) == page, "run: python docs/shown.py docs/electrolytes.md"


def test_the_page_has_all_keys_of_the_plan(page):
    assert script(DOCS / "plan_keys.py").with_tables(page) == page, "run: python docs/plan_keys.py docs/electrolytes.md"


@pytest.fixture(scope="module")
def example():
    return json.loads((EXAMPLE / "results.json").read_text(encoding="utf-8"))


def test_results_on_the_page_are_those_of_the_example(page, example):
    assert script(DOCS / "electrolyte_results.py").with_results(page, example) == page, (
        "run: python docs/electrolyte_results.py"
    )


def test_results_are_of_the_plans_beside_them(example):
    assert {name: digest(EXAMPLE / name) for name in example["about"]["files_sha256"]} == example["about"][
        "files_sha256"
    ]


def test_conductivities_are_those_of_the_diffusivities_at_one_volume(example):
    """V = n e2 D / kT sigma is that of eighty atoms, at each temperature the same."""
    volumes_A3 = {}
    for row in (r for r in example["temperatures"] if r["diffusive"]):
        ions = next(p["ions"] for p in example["pathways"] if p["structure"] == row["structure"])
        squared = ions * elementary_charge**2 * row["D_m2_per_s"] / (Boltzmann * row["temperature_K"])
        volumes_A3.setdefault(row["structure"], []).append(1e30 * squared / row["sigma_NE_S_per_m"])
    assert len(volumes_A3) == 5
    for structure, found in volumes_A3.items():
        assert found == pytest.approx([found[0]] * len(found), rel=1e-6), structure
        assert 20.0 < found[0] / 80 < 29.0  # Å3 per atom; Li3ErBr6 is measured as 26.4
