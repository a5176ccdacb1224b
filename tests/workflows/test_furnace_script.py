"""The example of the README as a user runs it: a file without a guard, ``python -c``, standard input."""

import subprocess
import sys

import pytest

SCRIPT = """
from tammann import Recipe, run_recipe{more}
print("script")
recipe = Recipe(
    precursors=[{{"phase": "BaO", "ratio": 1}}, {{"phase": "TiO2", "ratio": 1}}],
    programme=[{{"temperature_K": 1300, "hold_h": 0.05}}],
    grid={{"size": 8}},
    ensemble={{"realizations": 2}},
)
{run}
"""
RUN = "print(run_recipe(recipe, threads=2).history.realizations)"


def ways(text, folder):
    (folder / "script.py").write_text(text)
    return {"file": (["script.py"], None), "-c": (["-c", text], None), "stdin": (["-"], text)}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["file", "-c", "stdin"])
def test_a_recipe_runs_wherever_the_lines_stand(way, environment, tmp_path):
    words, text = ways(SCRIPT.format(more="", run=RUN), tmp_path)[way]
    done = subprocess.run(
        [sys.executable, *words], input=text, capture_output=True, text=True, timeout=120, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["script", "2"]


@pytest.mark.slow
def test_validation_runs_in_a_script_too(environment, tmp_path):
    """Its worker processes import the package and not the script."""
    (tmp_path / "one.yaml").write_text(
        "precursors: [{phase: BaO, ratio: 1}, {phase: TiO2, ratio: 1}]\n"
        "programme: [{temperature_K: 1400, hold_h: 0.1}]\ngrid: {size: 8}\n"
    )
    (tmp_path / "seen.yaml").write_text(
        "experiments:\n  - recipe: one.yaml\n    observations:\n"
        "      - {observation: mostly BaTiO3, source: invented, major: BaTiO3}\n"
    )
    run = "print(len(validate('seen.yaml', realizations=1, threads=2).judgements))"
    words, _ = ways(SCRIPT.format(more=", validate", run=run), tmp_path)["file"]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=120, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["script", "1"]
