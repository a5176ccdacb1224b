"""Figures of the pages, and the figures in words that go with them, from real runs.

    python docs/figures.py [run] [automaton] [grains] [arrest] [tables] [tutorial] [layers] [chemistry] [chemistries]

Writes docs/images/*.png and docs/runs.json; `python docs/fill.py` then puts the numbers into the pages.
"""

import ast
import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    plot_layers,
    plot_phase_fractions,
    plot_precursors,
    plot_reaction_flow,
    plot_slices,
    save_figure,
)
from tammann.plot.growth_constants import MELTS_CAUTION
from tammann.synthesis import precursor_sets, rank_precursors
from tammann.thermo import measured_phases
from tammann.workflows.couple import couple_recipe, run_couple
from tammann.workflows.furnace import run_recipe
from tammann.workflows.prepared import at_setting, prepare

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
EXAMPLES = DOCS.parent / "examples"
RUNS = DOCS / "runs.json"
DPI = 130
WIDTH = 96
"""Columns of what a command prints, on a page."""
GAS_CONSTANT_KJ = 8.314462618e-3


def run() -> dict[str, Any]:
    """The 1:1 recipe as shipped."""
    result = run_recipe(EXAMPLES / "recipes" / "batio3-1-1.yaml")
    history = result.history
    baselines = {"null": result.null, "equilibrium": result.equilibrium}
    save_figure(layers_above_fractions(history), IMAGES / "phases.png", dpi=DPI)
    save_figure(plot_baselines(history, **baselines), IMAGES / "baselines.png", dpi=DPI)
    save_figure(plot_layers(history, particles=(0, 2)), IMAGES / "layers.png", dpi=DPI)
    table = beside_baselines(history, **baselines)
    largest = table[["high", "null_high", "equilibrium"]].max(axis=1)
    return {
        "final": json.loads(table[largest >= 5e-4].to_json(orient="records")),
        "element_drift": float(history.element_drift.max()),
        "bottleneck": result.summary["bottleneck"],
    }


def layers_above_fractions(history: History, particle: int = 0) -> Axes:
    """Layers of a particle, and below them, on the same axis of time, the phases of the whole powder."""
    figure = Figure(figsize=(7.0, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(1.0, 1.35))
    plot_layers(history, particles=(particle,), ax=above)
    plot_phase_fractions(history, smallest=0.03, programme=False, ax=below)
    (panel,) = above.child_axes[:1]
    panel.set_xlabel("")
    below.set_xlim(panel.get_xlim())
    return below


def automaton() -> dict[str, Any]:
    """The 1:1 recipe as the automaton runs it."""
    recipe = Recipe.from_file(EXAMPLES / "recipes" / "batio3-1-1.yaml").with_options(engine="automaton")
    history = run_recipe(recipe).history
    save_figure(plot_reaction_flow(history), IMAGES / "flow.png", dpi=DPI)
    save_figure(plot_slices(history), IMAGES / "slices.png", dpi=DPI)
    flow = reaction_flow(history).reactions
    return {
        "element_drift": float(history.element_drift.max()),
        "fallback_share": fallback_share(history),
        "reactions": json.loads(flow.head(6).to_json(orient="records")),
    }


def grains() -> dict[str, Any]:
    """The end of the 1:1 recipe against the size of the initial grains, one realization each."""
    recipe = Recipe.from_file(EXAMPLES / "recipes" / "batio3-1-1.yaml").with_options(engine="automaton")
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
    recipe = Recipe.from_file(EXAMPLES / "recipes" / "batio3-1-1.yaml").with_options(engine="automaton")
    data = recipe.model_dump()
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
    library = measured_phases("Sr Ti O C H N F Cl Br I Li Na K".split())
    sets = rank_precursors(library, precursor_sets(library, "SrTiO3", temperature_K=1100.0))
    save_figure(plot_precursors(sets, target="SrTiO3"), IMAGES / "precursors.png", dpi=DPI)
    constants = plot_growth_constants(growth_constants(phases, transport), note=MELTS_CAUTION)
    save_figure(constants, IMAGES / "growth-constants.png", dpi=DPI)
    save_figure(plot_correlation_factors(transport), IMAGES / "correlation-factors.png", dpi=DPI)
    return {}


def tutorial() -> dict[str, Any]:
    """What docs/tutorial.md prints and shows, and its figures."""
    return page("tutorial.md")


def layers() -> dict[str, Any]:
    """What docs/tutorial-layers.md prints and shows, and its figures."""
    return page("tutorial-layers.md")


def page(name: str) -> dict[str, Any]:
    """Work through a page in an empty folder: what its commands print, what its Python shows; figures are kept."""
    text = (DOCS / name).read_text(encoding="utf-8")
    printed: list[str] = []
    shown: list[str] = []
    namespace: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        for language, title, code in re.findall(
            r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', text, re.DOTALL | re.MULTILINE
        ):
            if title:
                Path(title).write_text(code, encoding="utf-8")
            elif language == "console":
                printed += [_printed(line[2:]) for line in code.splitlines() if line.startswith("$ ")]
            elif language == "python":
                shown.append(_shown(code, namespace))
        for image in sorted(Path().glob("*.png")):
            shutil.copy(image, IMAGES / image.name)
    return {"printed": printed, "shown": shown}


def _printed(line: str) -> str:
    """Return what a command prints to standard output."""
    words = [sys.executable, "-m", *shlex.split(line)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "118"})
    lines = [text.rstrip() for text in done.stdout.splitlines()]
    return "\n".join(part for text in lines for part in _wrapped(text)).strip("\n")


def _wrapped(line: str) -> list[str]:
    """Return a line of prose in parts that a page has room for; tables stay whole."""
    prose = len(line) > WIDTH and "  " not in line.strip() and "─" not in line
    return textwrap.wrap(line, WIDTH) if prose else [line]


def _shown(code: str, namespace: dict[str, Any]) -> str:
    """Return what a block of Python shows at a prompt; nothing where it shows nothing."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "page", "exec"), namespace)
        value = None if last is None else eval(compile(ast.Expression(last.value), "page", "eval"), namespace)
    lines = [*printed.getvalue().splitlines(), *("" if value is None else str(value)).splitlines()]
    return "\n".join(line.rstrip() for line in lines)


def chemistry() -> dict[str, Any]:
    """MgO + SiO2 from a table of one's own, its known equilibria put in; as in docs/own-chemistry.md."""
    run = run_recipe(Recipe.from_file(EXAMPLES / "own-chemistry" / "enstatite-known.yaml"))
    save_figure(plot_layers(run.history, particles=(0, 2)), IMAGES / "enstatite.png", dpi=DPI)
    return {"final": final_mole_fractions(run.history), "without_data_fraction": run.summary["without_data_fraction"]}


def chemistries() -> dict[str, Any]:
    """The recipes of ``examples/chemistries`` as they ship, and the growth of spinel against temperature."""
    found = {path.stem: _worked(path) for path in sorted((EXAMPLES / "chemistries").glob("*.yaml"))}
    return {"recipes": found, "spinel": _spinel()}


def _worked(path: Path) -> dict[str, Any]:
    """One recipe beside its baselines, with the gas it exchanged and when; several components, one realization."""
    prepared = prepare(Recipe.from_file(path))
    assert prepared.diffusion is not None
    moving = len(prepared.diffusion.system.directions)
    if moving > 1:
        prepared = at_setting(prepared, prepared.recipe.with_options(realizations=1))
    begun = time.monotonic()
    result = run_recipe(prepared, threads=1)
    seconds, history = time.monotonic() - begun, result.history
    if path.stem == "srtio3":
        save_figure(layers_above_fractions(history, particle=0), IMAGES / "srtio3.png", dpi=DPI)
    table = beside_baselines(history, null=result.null, equilibrium=result.equilibrium)
    largest = table[["high", "null_high", "equilibrium"]].max(axis=1)
    powder = history.moles[0, 0].sum()
    gas = {g: float(history.gas_moles[0, -1, k] / powder) for k, g in enumerate(history.gases)}
    return {
        "title": prepared.recipe.title,
        "temperature_K": prepared.recipe.programme[-1].temperature_K,
        "moving": moving,
        "realizations": history.realizations,
        "final": json.loads(table[largest >= 5e-4].to_json(orient="records")),
        "gas_mol_per_mol_of_powder": gas,
        "onset_K": _onsets(history),
        "bottleneck": result.summary["bottleneck"],
        "seconds": seconds,
    }


def _onsets(history: History) -> dict[str, float]:
    """Temperature at which each phase that is not put in first holds 1 mol % of the solids, K."""
    shares = history.fractions()[0]
    there = (shares > 0.01) & (shares[0] == 0.0)
    return {
        phase: float(history.temperature_K[int(there[:, k].argmax())])
        for k, phase in enumerate(history.phases)
        if there[:, k].any()
    }


def _spinel() -> dict[str, Any]:
    """Parabolic constants of MgAl2O4 between MgO and Al2O3, and their activation energy."""
    rows = []
    for T in (1473.0, 1573.0, 1673.0, 1773.0, 1873.0):
        recipe = couple_recipe("MgO", "Al2O3", temperature_K=T, hold_h=24, energies="measured", transport="none")
        layer = run_couple(recipe).layers.set_index("phase").loc["MgAl2O4"]
        k = float(layer.k_m2_per_s)
        rows.append({"temperature_K": T, "thickness_um": float(layer.thickness_um), "k_m2_per_s": k})
    slope = np.polyfit([1.0 / row["temperature_K"] for row in rows], [np.log(row["k_m2_per_s"]) for row in rows], 1)[0]
    return {"rows": rows, "activation_energy_kJ_per_mol": float(-slope * GAS_CONSTANT_KJ)}


def main() -> None:
    made = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}
    IMAGES.mkdir(exist_ok=True)
    parts = {
        "run": run,
        "automaton": automaton,
        "grains": grains,
        "arrest": arrest,
        "tables": tables,
        "tutorial": tutorial,
        "layers": layers,
        "chemistry": chemistry,
        "chemistries": chemistries,
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
