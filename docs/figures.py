"""Figures of the pages, and the figures in words that go with them, from real runs.

    python docs/figures.py [run] [grains] [arrest] [tables] [tutorial] [chemistry]

Writes docs/images/*.png and docs/runs.json; `python docs/fill.py` then puts the numbers into the pages.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tammann import (
    History,
    Recipe,
    enumerate_reactions,
    growth_constants,
    load_phases,
    load_transport,
    rate_table,
    simulate,
)
from tammann.analysis import beside_baselines, conversion, fallback_share, final_mole_fractions, reaction_flow
from tammann.plot import (
    plot_baselines,
    plot_correlation_factors,
    plot_growth_constants,
    plot_hull,
    plot_phase_fractions,
    plot_reaction_flow,
    plot_slices,
    save_figure,
)
from tammann.plot.growth_constants import MELTS_CAUTION
from tammann.workflows.furnace import run_recipe

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
EXAMPLES = DOCS.parent / "examples"
RUNS = DOCS / "runs.json"
DPI = 130


def run() -> dict[str, Any]:
    """The 1:1 recipe as shipped."""
    result = run_recipe(EXAMPLES / "recipes" / "batio3-1-1.yaml")
    history = result.history
    baselines = {"null": result.null, "equilibrium": result.equilibrium}
    save_figure(plot_phase_fractions(history), IMAGES / "phases.png", dpi=DPI)
    save_figure(plot_baselines(history, **baselines), IMAGES / "baselines.png", dpi=DPI)
    save_figure(plot_reaction_flow(history), IMAGES / "flow.png", dpi=DPI)
    save_figure(plot_slices(history), IMAGES / "slices.png", dpi=DPI)
    table = beside_baselines(history, **baselines)
    largest = table[["high", "null_high", "equilibrium"]].max(axis=1)
    flow = reaction_flow(history).reactions
    return {
        "final": json.loads(table[largest >= 5e-4].to_json(orient="records")),
        "element_drift": float(history.element_drift.max()),
        "fallback_share": fallback_share(history),
        "reactions": json.loads(flow.head(6).to_json(orient="records")),
    }


def grains() -> dict[str, Any]:
    """The end of the 1:1 recipe against the size of the initial grains, one realization each."""
    recipe = Recipe.from_file(EXAMPLES / "recipes" / "batio3-1-1.yaml")
    reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
    rates = rate_table(reactions, load_transport("Ba-Ti-O"), recipe)
    rows = []
    for cells in (1, 2, 3, 5):
        data = recipe.model_dump()
        data["grid"] |= {"grain_cells": cells, "size": 60}
        history = simulate(Recipe(**data), rates, rng=0)
        fractions = final_mole_fractions(history)
        used = conversion(history, "BaO")["conversion"].iloc[-1]
        rows.append({"grain_cells": cells, "BaTiO3": fractions["BaTiO3"], "BaO used up": float(used)})
    return {"rows": rows}


def arrest() -> dict[str, Any]:
    """The geometric null of the 1:1 recipe without any mobility of cells, held until nothing happens any more."""
    data = Recipe.from_file(EXAMPLES / "recipes" / "batio3-1-1.yaml").model_dump()
    data["grid"] |= {"size": 60, "melt_exchange_per_sweep": 0.0}
    data["programme"][0]["hold_h"] = 2.0
    recipe = Recipe(**data)
    reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
    history = simulate(recipe, rate_table(reactions, load_transport("Ba-Ti-O"), recipe, null=True))
    return {"final": final_mole_fractions(history), "arrested": bool(history.lattice.arrested.all())}


def tables() -> dict[str, Any]:
    """What the shipped data look like."""
    phases, transport = load_phases("Ba-Ti-O"), load_transport("Ba-Ti-O")
    assert transport is not None
    save_figure(plot_hull(phases, 1300.0), IMAGES / "hull.png", dpi=DPI)
    constants = plot_growth_constants(growth_constants(phases, transport), note=MELTS_CAUTION)
    save_figure(constants, IMAGES / "growth-constants.png", dpi=DPI)
    save_figure(plot_correlation_factors(transport), IMAGES / "correlation-factors.png", dpi=DPI)
    return {}


def tutorial() -> dict[str, Any]:
    """The first run of docs/tutorial.md: what it prints, and its figure."""
    import re
    import subprocess
    import tempfile

    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    recipe = re.search(r'```yaml title="first.yaml"\n(.*?)```', page, re.DOTALL)
    assert recipe is not None
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "first.yaml").write_text(recipe[1], encoding="utf-8")
        words = [sys.executable, "-m", "tammann", "run", "first.yaml", "--out", "first"]
        done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=True)
        history = History.open(Path(place) / "first" / "history.npz")
        shown = _shown(page, Path(place))
    save_figure(plot_phase_fractions(history), IMAGES / "tutorial.png", dpi=DPI)
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return {"printed": "\n".join(lines).strip("\n"), "shown": shown}


def _shown(page: str, place: Path) -> list[str]:
    """What each Python block of a page shows at a prompt, in order; nothing for those that show nothing."""
    import ast
    import contextlib
    import io
    import re

    namespace: dict[str, Any] = {}
    shown = []
    with contextlib.chdir(place):
        for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
            tree = ast.parse(text)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(tree, "tutorial.md", "exec"), namespace)
                value = (
                    None
                    if last is None
                    else eval(compile(ast.Expression(last.value), "tutorial.md", "eval"), namespace)
                )
            lines = [*printed.getvalue().splitlines(), *("" if value is None else str(value)).splitlines()]
            shown.append("\n".join(line.rstrip() for line in lines))
    return shown


def chemistry() -> dict[str, Any]:
    """MgO + SiO2 from a table of one's own, its known equilibria put in; as in docs/own-chemistry.md."""
    from tammann.kinetics import with_atmosphere
    from tammann.thermo import assess, load_constraints

    folder = EXAMPLES / "own-chemistry"
    phases = load_phases(folder / "mg-si-o.csv")
    constraints, reference = load_constraints(folder / "mg-si-o-equilibria.yaml")
    known = phases.with_energies(assess(phases, constraints, reference_temperature_K=reference), default=True)
    recipe = Recipe.from_file(folder / "enstatite.yaml")
    rates = rate_table(enumerate_reactions(with_atmosphere(known, recipe)), None, recipe)
    history = simulate(recipe, rates, realizations=4)
    save_figure(plot_phase_fractions(history), IMAGES / "enstatite.png", dpi=DPI)
    return {"final": final_mole_fractions(history)}


def main() -> None:
    made = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}
    IMAGES.mkdir(exist_ok=True)
    parts = {
        "run": run,
        "grains": grains,
        "arrest": arrest,
        "tables": tables,
        "tutorial": tutorial,
        "chemistry": chemistry,
    }
    for name in sys.argv[1:] or parts:
        made[name] = parts[name]()
    partial = RUNS.with_name(RUNS.name + ".partial")
    partial.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(partial, RUNS)
    for image in sorted(IMAGES.glob("*.png")):
        print(f"{image.name}: {image.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
