"""What a calibration refuses before it runs anything."""

import pytest

from tammann import Recipe
from tammann.errors import RecipeError
from tammann.workflows.calibrate import calibrate


@pytest.mark.parametrize("observation", ["", "  ", "two\nlines", "a bell\a", "x" * 1001])
def test_an_observation_is_one_line_of_text(observation, monkeypatch):
    monkeypatch.setattr("tammann.workflows.calibrate.simulate", None)  # nothing is run
    recipe = Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1300, "hold_h": 1}],
    )
    with pytest.raises(RecipeError, match="observation: expected who measured it, in one line of text") as caught:
        calibrate(recipe, phase="BaTiO3", mole_fraction=0.5, observation=observation)
    assert "\n" not in str(caught.value)
