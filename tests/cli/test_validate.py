"""tammann validate and tammann calibrate."""

import pytest

from cli.refusals import refused


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
