"""The automaton's realizations: their cost is known before they start."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tammann.automaton.cost import RunCost, estimate_cost
from tammann.errors import RecipeError
from tammann.workflows import automaton_runs, furnace
from tammann.workflows.furnace import run_recipe
from tammann.workflows.prepared import prepare
from workflows.grids import recipe


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
