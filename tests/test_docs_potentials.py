"""The pages on potentials: the keys of plans are those of the code, and the tutorial says what its code prints."""

from pathlib import Path

import pytest

from scripts import script

DOCS = Path(__file__).parents[1] / "docs"


def test_keys_of_plans_are_documented():
    text = (DOCS / "potential-plans.md").read_text(encoding="utf-8")
    assert text.count("<!-- keys:") == 5
    found = script(DOCS / "plan_keys.py").with_tables(text)
    assert found == text, "run: python docs/plan_keys.py docs/potential-plans.md"


def test_every_subcommand_and_option_is_documented():
    import typer

    from tammann.cli.potential import app

    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    for name, command in typer.main.get_command(app).commands.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name} ")]
        for option in (o for p in command.params for o in p.opts if o.startswith("--")):
            if option not in ("--help", "--json", "--quiet", "--out"):
                assert f"`{option}`" in row, f"{name} {option}"


@pytest.mark.slow
def test_the_tutorial_shows_what_its_code_prints():
    text = (DOCS / "tutorial-potentials.md").read_text(encoding="utf-8")
    found = script(DOCS / "shown.py").with_output(text)
    assert found == text, "run: python docs/shown.py docs/tutorial-potentials.md"


def test_results_on_the_page_are_those_of_the_examples():
    text = (DOCS / "potentials.md").read_text(encoding="utf-8")
    found = script(DOCS / "potential_results.py").with_results(text)
    assert found == text, "run: python docs/potential_results.py"
