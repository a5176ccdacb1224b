"""The page on electrolytes says what its code prints, and has all keys of the plan."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
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
    results = script(DOCS / "electrolyte_results.py")
    assert {match[2] for match in results.SECTION.finditer(page)} == set(results.SECTIONS)
    assert results.with_results(page, example) == page, "run: python docs/electrolyte_results.py"


def test_results_are_of_the_plans_beside_them(example):
    inputs = "li3mx6.cif", "plan.yaml", "sample.py", "active.yaml"
    assert example["about"]["files_sha256"] == {name: digest(EXAMPLE / name) for name in inputs}


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


def test_what_the_page_says_of_the_example_is_so(page, example):
    """Numbers in sentences, which no script writes."""
    rows, ways = example["temperatures"], example["pathways"]
    known = [row for row in rows if row["diffusive"]]
    hops, returned = [row["hops"] for row in rows], [round(100 * way["returned"]) for way in ways]
    errors = [round(100 * row["D_stderr"] / row["D_m2_per_s"]) for row in known]
    text = " ".join(page.split())
    assert f"{min(hops)} to {max(hops)} hops" in text and f"{min(returned)} to {max(returned)} %" in text
    assert (len(rows) - len(known), len(rows)) == (3, 14) and "three times in fourteen" in text
    assert f"errors of {min(errors)} to {max(errors)} %" in text
    highest = 1000 * max(row["above_hull_eV_per_atom"] for row in example["table"])
    assert f"{highest:.1f} meV/atom is an upper bound" in text
    rounds = example["active_learning"]["rounds"]
    assert rounds[0]["training_frames"] == 654 and "fitted to 654 of them" in text
    mixing = 7 * np.log(2) * Boltzmann * 800 / elementary_charge / 10  # one metal and six halogens of ten atoms
    assert f"-{1000 * mixing:.0f} meV/atom at 800 K" in text
    (failure,) = example["failures"]
    assert "step 21335" in failure and "after 43 ps" in text  # of 2 fs
    longer = pd.read_csv(EXAMPLE / "longer-runs.csv").query("temperature_K == 700")
    assert (~longer["diffusive"]).sum() == 4 and len(longer) == 5 and "four of five at 700 K" in text
