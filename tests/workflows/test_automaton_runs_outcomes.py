"""Where the automaton brings whole recipes, on small grids."""

from pathlib import Path

import pytest

from tammann.recipe import Recipe
from tammann.workflows.furnace import run_recipe

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"


def outcome(name, kinetics=None, **entries):
    """Mole fractions at the end of a shipped recipe on 12³ cells, one realization."""
    recipe = Recipe.from_file(RECIPES / f"{name}.yaml").with_options(engine="automaton", **entries)
    data = recipe.model_dump() | {"kinetics": kinetics or {}}
    data["grid"]["size"], data["ensemble"]["realizations"] = 12, 1
    return run_recipe(Recipe(**data), null=False, threads=1).summary["final_mole_fractions"]


@pytest.mark.slow
def test_one_to_two_arrives_where_the_driving_force_counts_once():
    assert outcome("bati2o5-1-2")["BaTi2O5"] > 0.9
    # With that of the reactants' domains it counts three times, and stops half-way.
    assert outcome("bati2o5-1-2", {"potential_difference": "reactants"})["BaTi2O5"] < 0.6


@pytest.mark.slow
def test_the_literal_score_does_not_unmix():
    """1:2 becomes BaTi2O5 and 1:1 mostly BaTiO3, where uphill reactions and decomposition led to TiO2 and BaO."""
    literal, given = {"score": "literal"}, {"energies": "materials-project", "sweeps_per_hour": 300.0}
    assert outcome("bati2o5-1-2", literal, **given)["BaTi2O5"] > 0.99
    assert outcome("batio3-1-1", literal, **given)["BaTiO3"] > 0.75
    ungated = literal | {"decomposition": True, "constants": {"thermodynamic_above_eV_per_atom": None}}
    unmixed = outcome("bati2o5-1-2", ungated, **given)
    assert unmixed["TiO2"] > 0.5 and unmixed.get("BaTi2O5", 0.0) < 0.1
