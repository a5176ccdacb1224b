"""Options of the kinetics against the recipe that states them."""

import pytest

from tammann.kinetics import PUBLIC_CODE, KineticsOptions
from tammann.recipe import Recipe
from tammann.recipe_blocks import Kinetics, ScoreConstants


def options(**kinetics):
    return KineticsOptions.from_recipe(
        Recipe(
            precursors=[{"phase": "BaO", "ratio": 1}],
            programme=[{"temperature_K": 900, "hold_h": 1}],
            kinetics=kinetics,
        )
    )


def test_defaults_are_the_same_in_both_places():
    assert options() == KineticsOptions()
    assert options(preset="public-code") == PUBLIC_CODE


def test_every_option_has_a_key():
    keys = set(Kinetics.model_fields) | set(ScoreConstants.model_fields)
    assert set(KineticsOptions.model_fields) <= keys
    assert not set(Kinetics.model_fields) & set(ScoreConstants.model_fields)


@pytest.mark.parametrize(
    ("key", "value"),
    [("residual_pressure_Pa", 5.0), ("metastable_limit_eV_per_atom", None), ("coupled_release", True)],
)
def test_a_key_reaches_its_option(key, value):
    assert getattr(options(**{key: value}), key) == value


@pytest.mark.parametrize("key", ["sigma2_prefactor", "sigma1_linear_above", "melt_exchange_above", "smallest_score"])
def test_a_constant_reaches_its_option(key):
    assert getattr(options(constants={key: 0.25}), key) == 0.25
