"""The automaton's realizations: their cost is known before they start."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tammann.automaton.cost import RunCost, estimate_cost
from tammann.errors import RecipeError
from tammann.recipe import Recipe
from tammann.workflows import automaton_runs, furnace
from tammann.workflows.furnace import run_recipe
from tammann.workflows.prepared import prepare


def recipe(*, size=8, realizations=3, **entries):
    plain = {
        "precursors": [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        "start_temperature_K": 1200,
        "programme": [{"temperature_K": 1300, "ramp_K_per_min": 60, "hold_h": 0.05}],
        "grid": {"size": size},
        "ensemble": {"realizations": realizations},
        "seed": 5,
    }
    return Recipe(**plain | entries)


def test_the_cost_is_that_of_the_costliest_draw(monkeypatch):
    """With ln L uncertain by 2, K_D of a draw is easily ten times the central one, and so are the visits."""
    prepared = prepare(recipe(realizations=4, kinetics={"transport_relative_error": 2.0}))
    cost, central = furnace.run_cost(prepared, null=False, threads=1), estimate_cost(prepared.recipe, prepared.rates)
    visits = run_recipe(prepared, null=False, threads=1).history.lattice.visits
    assert visits[0] <= central.visits < visits.max() <= cost.visits
    monkeypatch.setattr("tammann.automaton.cost.LONGEST_SECONDS", 0.5 * (central.visits + cost.visits) / 1e8)
    for executor in (None, ThreadPoolExecutor(1)):
        monkeypatch.setattr(RunCost, "seconds", property(lambda cost: cost.visits / 1e8))
        with pytest.raises(RecipeError, match="this run would take"):
            run_recipe(prepared, null=False, threads=1, executor=executor)
    # of draws that were not looked at beforehand, each is before it starts
    monkeypatch.setattr(automaton_runs, "DRAWS_ESTIMATED", 1)
    with pytest.raises(RecipeError, match="this run would take"):
        run_recipe(prepared, null=False, threads=1)
