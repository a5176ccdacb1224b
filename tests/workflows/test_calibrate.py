"""What a calibration finds for either engine, and what it refuses before it runs anything."""

import pytest

from tammann import Recipe
from tammann.errors import RecipeError
from tammann.workflows.calibrate import calibrate
from tammann.workflows.furnace import run_recipe


@pytest.mark.parametrize("observation", ["", "  ", "two\nlines", "a bell\a", "x" * 1001])
def test_an_observation_is_one_line_of_text(observation, monkeypatch):
    monkeypatch.setattr("tammann.workflows.calibrate._run", None)  # nothing is run
    recipe = Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1300, "hold_h": 1}],
    )
    with pytest.raises(RecipeError, match="observation: expected who measured it, in one line of text") as caught:
        calibrate(recipe, phase="BaTiO3", mole_fraction=0.5, observation=observation)
    assert "\n" not in str(caught.value)


HELD = Recipe(
    precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
    programme=[{"temperature_K": 1300, "hold_h": 1}],
    start_temperature_K=1300,
    mixing=0.0,
    size_spread=0.0,
    diffusion={"cells": 30},
)
SEEN = {"phase": "BaTiO3", "mole_fraction": 0.6, "observation": "an example", "realizations": 2}


def test_conductivities_that_end_where_the_experiment_did():
    scale = calibrate(HELD, **SEEN)
    assert scale.hours_per_sweep is None and scale.mole_fraction == pytest.approx(0.6, abs=0.01)
    timed = HELD.with_options(calibration={"rate_factor": scale.rate_factor, "observation": scale.observation})
    history = run_recipe(timed.with_options(realizations=1), null=False).history
    assert history.fractions()[0, -1, history.phases.index("BaTiO3")] == pytest.approx(0.6, abs=0.01)
    # without spreads all realizations are alike
    assert scale.relative_error < 1e-9


def test_the_factor_goes_as_radius_squared_over_time():
    scale = calibrate(HELD, **SEEN)
    twice = HELD.with_options(particle_radius_um=2 * HELD.particle_radius_um)
    assert calibrate(twice, **SEEN).rate_factor / scale.rate_factor == pytest.approx(4.0, rel=0.02)
    longer = HELD.with_options(programme=[{"temperature_K": 1300, "hold_h": 10}])
    assert calibrate(longer, **SEEN).rate_factor / scale.rate_factor == pytest.approx(0.1, rel=0.02)


def test_a_calibration_does_not_depend_on_the_one_before():
    timed = HELD.with_options(calibration={"rate_factor": 1000.0, "observation": "another"})
    assert calibrate(timed, **SEEN).rate_factor == pytest.approx(calibrate(HELD, **SEEN).rate_factor, rel=0.02)


def test_sweeps_that_end_where_the_experiment_did():
    recipe = Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1300, "hold_h": 1}],
        start_temperature_K=1300,
        grid={"size": 10},
    )
    scale = calibrate(recipe, **SEEN | {"mole_fraction": 0.5})
    assert scale.rate_factor is None and scale.mole_fraction == pytest.approx(0.5, abs=0.05)
    assert 0 < scale.hours_per_sweep < 1 and scale.relative_error > 0


def test_what_no_time_reaches_is_refused():
    """Particles that hold too much of one precursor by a tenth never become all BaTiO3."""
    uneven = HELD.with_options(mixing=0.1)
    with pytest.raises(RecipeError, match="BaTiO3 reaches 0.89. and not 0.99 within .* times the nominal rate"):
        calibrate(uneven, **SEEN | {"mole_fraction": 0.99})
