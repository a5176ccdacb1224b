"""How the final phase fractions of a recipe change with the mesh: cells of a particle, the automaton's grid and grains.

Run ``python benchmarks/convergence.py [particles] [automaton]``; prints Markdown tables. With the central values of
energies and transport, so that only the mesh differs; the automaton's spread is over realizations.
"""

import sys
from pathlib import Path

import numpy as np

from tammann import History, Recipe, run_recipe, simulate
from tammann.workflows.furnace import prepare

RECIPES = Path(__file__).resolve().parents[1] / "examples" / "recipes"
NAMES = ("batio3-1-1.yaml", "bati2o5-1-2.yaml", "ba2ti9o20-2-9.yaml")
CELLS = (30, 60, 120, 240)
SIZES = (15, 30, 45)
GRAINS = (1.0, 2.0, 3.0, 5.0)
REALIZATIONS = 3


def final(history: History, phases: list[str]) -> np.ndarray:
    """Mole fractions at the end, %, shape (R, phases asked for)."""
    shares = 100 * history.fractions()[:, -1]
    own = [history.phases.index(p) if p in history.phases else None for p in phases]
    return np.stack([np.zeros(len(shares)) if k is None else shares[:, k] for k in own], axis=1)


def largest(history: History) -> list[str]:
    """The four phases of which there is most, but for traces."""
    end = history.fractions()[0, -1]
    return [history.phases[k] for k in np.argsort(-end)[:4] if end[k] > 5e-3]


def particles(recipe: Recipe) -> list[str]:
    """Reactive diffusion: cells along a particle, one powder of four."""
    central = recipe.with_options(realizations=1)
    fine = run_recipe(central, null=False).history
    phases = largest(fine)
    lines = ["| cells of a particle | " + " | ".join(phases) + " |", "|---" * (1 + len(phases)) + "|"]
    for cells in CELLS:
        run = run_recipe(central.with_options(diffusion={"cells": cells}), null=False)
        lines.append(f"| {cells} | " + " | ".join(f"{x:.1f}" for x in final(run.history, phases)[0]) + " |")
    return lines


def automaton(recipe: Recipe) -> list[str]:
    """The automaton: the grid's edge, and the grains; mean and standard deviation over realizations."""
    recipe = recipe.with_options(engine="automaton")
    rates = prepare(recipe).rates
    phases = largest(simulate(recipe, rates, realizations=1))
    head = ["cells per edge", "grain, cells", *phases]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for size, grain in [(n, 1.0) for n in SIZES] + [(30, g) for g in GRAINS[1:]]:
        grid = {**recipe.grid.model_dump(), "size": size, "grain_cells": grain}
        found = final(simulate(recipe.with_options(grid=grid), rates, realizations=REALIZATIONS), phases)
        shown = [f"{m:.1f} ± {s:.1f}" for m, s in zip(found.mean(axis=0), found.std(axis=0, ddof=1), strict=True)]
        lines.append(f"| {size} | {grain:g} | " + " | ".join(shown) + " |")
    return lines


if __name__ == "__main__":
    for engine in sys.argv[1:] or ("particles", "automaton"):
        for name in NAMES:
            recipe = Recipe.from_file(RECIPES / name)
            table = particles(recipe) if engine == "particles" else automaton(recipe)
            print("\n".join([f"### {recipe.title}", "", *table, ""]), flush=True)
