"""How the final phase fractions of a recipe change with the size of the grid and of the grains.

Run ``python benchmarks/convergence.py [RECIPE.yaml ...]``; prints one Markdown table a recipe. With the central values
of energies and transport, so that only the grid differs; the spread is over realizations.
"""

import sys
from pathlib import Path

import numpy as np

from tammann import Recipe, simulate
from tammann.workflows.furnace import prepare

RECIPES = Path(__file__).resolve().parents[1] / "examples" / "recipes"
SIZES = (15, 30, 45, 60)
GRAINS = (1.0, 2.0, 3.0, 5.0)
REALIZATIONS = 3


def row(recipe: Recipe, phases: list[str]) -> list[str]:
    """Mean and standard deviation over realizations, mol %, of the phases asked for."""
    known = prepare(recipe)
    history = simulate(recipe, known.rates, realizations=REALIZATIONS)
    final = 100 * history.fractions()[:, -1]
    cells = []
    for phase in phases:
        own = final[:, history.phases.index(phase)] if phase in history.phases else np.zeros(REALIZATIONS)
        cells.append(f"{own.mean():.1f} ± {own.std(ddof=1):.1f}")
    return cells


def table(path: Path) -> str:
    """Both tables of one recipe."""
    recipe = Recipe.from_file(path)
    known = prepare(recipe)
    first = simulate(recipe, known.rates, realizations=1)
    final = first.fractions()[0, -1]
    phases = [first.phases[k] for k in np.argsort(-final)[:4]]
    lines = [f"### {recipe.title}", "", "| cells per edge | grain, cells | " + " | ".join(phases) + " |"]
    lines.append("|---|---|" + "---|" * len(phases))
    for size, grain in [(n, 1.0) for n in SIZES] + [(30, g) for g in GRAINS[1:]]:
        data = recipe.model_dump()
        data["grid"] |= {"size": size, "grain_cells": grain}
        lines.append(f"| {size} | {grain:g} | " + " | ".join(row(Recipe(**data), phases)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in sys.argv[1:] or [
        RECIPES / "batio3-1-1.yaml",
        RECIPES / "bati2o5-1-2.yaml",
        RECIPES / "ba2ti9o20-2-9.yaml",
    ]:
        print(table(Path(name)), flush=True)
