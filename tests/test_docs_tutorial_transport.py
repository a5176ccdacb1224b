"""The pages on measured transport say what their code prints and what the molten salt gave."""

import json
import math
from pathlib import Path

from scripts import script

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial-transport.md"
SALT = ROOT / "examples" / "molten-salt"


def test_the_page_shows_what_its_code_prints():
    text = PAGE.read_text(encoding="utf-8")
    found = script(ROOT / "docs" / "shown.py").with_output(text)
    assert found.count("```text") > 6
    assert found == text, "run: python docs/shown.py docs/tutorial-transport.md"


def test_the_molten_salt_is_what_was_measured(monkeypatch):
    """The tables of both pages are those of measured.json."""
    monkeypatch.syspath_prepend(SALT)
    analyse = script(SALT / "analyse.py")
    records = json.loads((SALT / "measured.json").read_text(encoding="utf-8"))
    assert analyse.comparison(records) in (SALT / "README.md").read_text(encoding="utf-8")
    at_1200 = [record for record in records if record["temperature_K"] == 1200.0]
    assert analyse.comparison(at_1200) in PAGE.read_text(encoding="utf-8")


def test_the_potential_has_the_units_of_lammps(monkeypatch):
    """The nearest ions of crystalline NaCl attract by what the equation says, in J and m, as in eV and Å."""
    monkeypatch.syspath_prepend(SALT)
    lines = [line.split() for line in script(SALT / "simulate.py").pair_coefficients()]
    _, _, _, A, rho, sigma, C, D = next(line for line in lines if line[1:3] == ["1", "2"])
    r = 2.81

    ours = float(A) * math.exp((float(sigma) - r) / float(rho)) - float(C) / r**6 + float(D) / r**8
    joules = (
        0.338e-19 * math.exp((1.17 + 1.585 - r) / 0.317) - 11.2e-79 / (r * 1e-10) ** 6 - 13.9e-99 / (r * 1e-10) ** 8
    )
    assert abs(ours * 1.602176634e-19 - joules) < 1e-6 * abs(joules)
