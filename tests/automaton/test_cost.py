"""What a run will cost is said before it starts, and what cannot fit or end is refused."""

import math

import pytest

from automaton import toys
from tammann.automaton import cost, simulate
from tammann.automaton.cost import estimate_cost
from tammann.errors import RecipeError
from tammann.recipe import Recipe
from tammann.workflows.furnace import prepare


def one_to_one(**entries):
    return Recipe(
        precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        programme=[{"temperature_K": 1300, "ramp_K_per_min": 60, "hold_h": 0.1}],
        **{"grid": {"size": 8}, **entries},
    )


@pytest.mark.slow
def test_visits_are_bounded_from_above_and_not_far_away():
    """The kernel chooses the length of its cycles by the phases that are there, the estimate by those that can be."""
    prepared = prepare(one_to_one())
    expected = estimate_cost(prepared.recipe, prepared.rates)
    made = simulate(prepared.recipe, prepared.rates).lattice
    assert made.visits[0] <= expected.visits < 1.5 * made.visits[0]
    assert expected.sweeps == pytest.approx(made.sweep[-1])


def test_memory_and_time_go_as_the_cells():
    rates = toys.all_pairs()
    small, large = (estimate_cost(toys.recipe({"BaO": 1, "TiO2": 1}, size=n, sweeps=9), rates) for n in (200, 400))
    assert large.visits == pytest.approx(8 * small.visits)
    assert 8e6 * 9 < small.bytes_per_run < 8e6 * 16  # docs/scaling.md: 14.4 bytes per cell with snapshots
    grains = estimate_cost(toys.recipe({"BaO": 1, "TiO2": 1}, size=100, sweeps=9, grain_cells=3), rates)
    assert grains.bytes_per_run == pytest.approx(110e6, rel=0.2)  # measured: 109.7 bytes per cell


def test_a_grid_beyond_memory_is_refused_with_the_largest_that_fits(monkeypatch):
    monkeypatch.setitem(estimate_cost.__globals__, "machine_memory", lambda: 2e9)
    recipe = toys.recipe({"BaO": 1, "TiO2": 1}, size=1000, sweeps=1)
    with pytest.raises(
        RecipeError, match=r"grid.size: 1000\^3 cells need 9 GB, this machine has 2 GB; take at most 599"
    ):
        estimate_cost(recipe, toys.all_pairs()).check()
    assert estimate_cost(recipe.with_options(size=500), toys.all_pairs(), runs=8, threads=4).runs_at_once == 1
    assert estimate_cost(recipe.with_options(size=350), toys.all_pairs(), runs=8, threads=4).runs_at_once == 4


def test_a_run_that_cannot_end_is_refused(monkeypatch):
    """6.4e7 cells, 1e5 sweeps and scores of 1e4 are 6e16 visits and more: 6e8 s at 1e8 visits per second."""
    monkeypatch.setitem(estimate_cost.__globals__, "machine_memory", lambda: 1e12)
    recipe = toys.recipe({"BaO": 1, "TiO2": 1}, size=400, sweeps=1e5)
    with pytest.raises(RecipeError, match="this run would take .* years: .*sweeps_per_hour"):
        estimate_cost(recipe, toys.all_pairs(score=1e4)).check()


def test_a_sentence_says_it():
    whole = cost.RunCost(1000, 1, 300.0, 2.2e12, 9e9, math.inf, 1, 16)
    assert str(whole) == "1000^3 cells, 300 sweeps, 2.2e+12 visits a run: about 23 min and 9 GB on 16 cores"


def test_cores_go_to_one_large_grid_or_to_many_small_ones():
    rates = toys.all_pairs()
    for size, runs, threads, expected in [
        (200, 2, 16, (1, 16)),
        (30, 2, 16, (2, 1)),
        (30, 12, 4, (4, 1)),
        (30, 1, 1, (1, 1)),
    ]:
        found = estimate_cost(
            toys.recipe({"BaO": 1, "TiO2": 1}, size=size, sweeps=1), rates, runs=runs, threads=threads
        )
        assert (found.runs_at_once, found.kernel_threads) == expected
