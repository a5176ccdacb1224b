"""tammann validate and tammann calibrate."""

import pytest

from cli.refusals import refused
from tammann.recipe import Recipe

ONE = """
precursors: [{phase: BaO, ratio: 1}, {phase: TiO2, ratio: 1}]
programme: [{temperature_K: 1300, hold_h: 1}]
start_temperature_K: 1300
diffusion: {cells: 20}
"""
SEEN = """
experiments:
  - recipe: one.yaml
    observations: [{observation: mostly BaTiO3, source: invented, major: BaTiO3}]
"""


@pytest.mark.parametrize(
    ("command", "says"), [("validate", "Compare recipes with observations"), ("calibrate", "from one observation")]
)
def test_help_says_what_they_do(command, says, call):
    outcome = call(command, "--help")
    assert outcome.status == 0 and says in outcome.out


def test_a_recipe_is_not_a_file_of_observations(call, recipes):
    message = refused(call("validate", recipes / "batio3-1-1.yaml"))
    assert "expected observations, got a recipe" in message


def test_calibrate_refuses_what_was_not_measured(call, recipes):
    options = ["--phase", "BaO", "--mole-fraction", "0.5", "--observation", "an example"]
    assert "expected a product" in refused(call("calibrate", recipes / "batio3-1-1.yaml", *options))


def test_what_calibrate_prints_calibrates_a_recipe(call, tmp_path):
    (tmp_path / "one.yaml").write_text(ONE)
    options = ["--phase", "BaTiO3", "--mole-fraction", "0.5", "--observation", "an: example", "--realizations", "2"]
    outcome = call("calibrate", tmp_path / "one.yaml", *options, "--quiet")
    assert outcome.status == 0
    timed = Recipe.from_text(ONE + outcome.out)
    assert timed.calibrated and timed.calibration.observation == "an: example" and 0.05 < timed.rate_factor < 1


def test_validate_prints_every_model_and_the_skill(call, tmp_path):
    (tmp_path / "one.yaml").write_text(ONE)
    (tmp_path / "seen.yaml").write_text(SEEN)
    outcome = call("validate", tmp_path / "seen.yaml", "--quick", "--size", "8", "--threads", "1", "--quiet")
    assert outcome.status == 0
    for words in ("full", "self", "equal", "null", "equil", "mostly BaTiO3", "skill"):
        assert words in outcome.out
