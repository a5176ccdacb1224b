"""Realizations of a recipe on the automaton: what they cost, one of them, and what only they can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tammann.analysis import fallback_share
from tammann.automaton.cost import RunCost, estimate_cost
from tammann.automaton.engine import realize
from tammann.history import History
from tammann.parallel import Progress, available_cores
from tammann.workflows.prepared import PreparedRecipe, rates_of

DRAWS_ESTIMATED = 8
"""Realizations whose rates are computed to estimate the cost of a run."""


def automaton_cost(prepared: PreparedRecipe, runs: int, null_runs: int, threads: int | None) -> RunCost:
    """Estimate the cost of realizations and of those of the null.

    Raises:
        RecipeError: A precursor would fill less than one cell of the grid.
    """
    tables = [rates_of(prepared, number, null=False) for number in range(min(runs, DRAWS_ESTIMATED))]
    if null_runs:
        tables.append(rates_of(prepared, 0, null=True))
    cores, recipe = threads or available_cores(), prepared.recipe
    costs = [estimate_cost(recipe, rates, runs=runs + null_runs, threads=cores) for rates in tables]
    return max(costs, key=lambda cost: cost.visits)


def realize_automaton(
    prepared: PreparedRecipe,
    number: int,
    null: bool,
    threads: int,
    checkpoints: Path | None,
    *,
    progress: Progress | None = None,
) -> History:
    """Run one member of the ensemble, or of the null's; the same wherever and whenever it is run."""
    recipe = prepared.recipe
    rates = rates_of(prepared, number, null=null)
    estimate_cost(recipe, rates, threads=threads).check()
    return realize(recipe, rates, recipe.seed, number, threads, checkpoints, progress=progress)


def automaton_figures(prepared: PreparedRecipe, history: History) -> dict[str, Any]:
    """Return the figures of ``summary.json`` that only a lattice has."""
    lattice, rates = history.lattice, prepared.rates
    assert lattice is not None and rates is not None
    return {
        "arrested": bool(np.mean(lattice.arrested) >= 0.5),
        "arrested_share": float(np.mean(lattice.arrested)),
        "fallback_share": fallback_share(history),
        "saturated_fraction": float(lattice.saturated_fraction.max()),
        "visits_per_second": float(lattice.visits.sum() / max(lattice.kernel_seconds.sum(), 1e-9)),
        "visits": int(lattice.visits.sum()),
        "hours_per_sweep": prepared.recipe.hours_per_sweep,
        "kinetics": rates.metadata["kinetics"],
    }
