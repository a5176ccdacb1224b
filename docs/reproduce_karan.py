"""Figures of Karan et al. (Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5) as this package gives them.

    python docs/reproduce_karan.py [FIGURE ...]    run, draw docs/images/karan-*.png, fill the page; all without names
    python docs/reproduce_karan.py --fill          fill the page from docs/karan-2026-figures.json

Each figure stands twice: with the settings of the paper and its authors' code (automaton) and by reactive diffusion.
Its numbers go to docs/karan-2026-figures.json with what was run, and from there into docs/reproducing-karan-2026.md.
About ten minutes on one core. Finished runs are kept in the folder that TAMMANN_RUNS names (by default a temporary
one), by recipe and source code, so that an interrupted call continues and a changed package runs anew.
"""

import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tammann import History, Recipe, __version__, growth_constants, load_phases, load_transport, run_recipe
from tammann.files import write_text
from tammann.plot import plot_correlation_factors, plot_growth_constants, save_figure
from tammann.plot.style import (
    FAINT,
    INK,
    along_products,
    formula_label,
    label_ends,
    phase_colours,
    temperature_strip,
    tidy,
)
from tammann.reactive_diffusion.components import components
from tammann.reactive_diffusion.conductivity import Mode, conductivities, site_volumes_m3
from tammann.thermo import parse_formula
from tammann.workflows.furnace import plain_equilibrium, prepare
from tammann.workflows.validation.evolution import PhaseEvolution
from tammann.workflows.validation.observations import Observation, Observations

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
IMAGES = DOCS / "images"
PAGE = DOCS / "reproducing-karan-2026.md"
MADE = DOCS / "karan-2026-figures.json"
DPI = 125

RECIPES = {"1:1": "batio3-1-1", "1:2": "bati2o5-1-2", "2:9": "ba2ti9o20-2-9", "1:5": "bati5o11-1-5"}
TARGETS = {"1:1": "BaTiO3", "1:2": "BaTi2O5", "2:9": "Ba2Ti9O20", "1:5": "BaTi5O11"}
ENGINES = ("paper", "diffusion")
TITLES = {"paper": "the paper's settings", "diffusion": "reactive diffusion"}
SIZE = 20
"""Cells per edge of the automaton."""
REALIZATIONS = {"paper": 4, "diffusion": 8}
CODE_RADIUS_UM = 0.01
"""r0 of the authors' code, at which the scale of ``preset: public-code`` is set."""
SWEEPS_PER_HOUR = (30.0, 100.0, 300.0, 1000.0)
SHOWN = 0.02
"""Mole fraction that the band of a phase has to reach to be drawn."""


# ------------------------------------------------------------------------------------------------------------ what runs


@dataclass(frozen=True)
class Run:
    """One recipe in one model.

    Attributes:
        ratio: BaO to TiO2, a key of RECIPES.
        engine: ``paper`` or ``diffusion``.
        transport: ``full``, or no transport: ``none`` for the automaton, ``equal`` for reactive diffusion.
        energies: Name of the energy set, None for that of the engine: the paper's, or the package's own.
        sweeps_per_hour: Of the automaton.
    """

    ratio: str
    engine: str
    transport: str = "full"
    energies: str | None = None
    sweeps_per_hour: float = 100.0

    @property
    def recipe(self) -> Recipe:
        """The recipe as it is run."""
        base = Recipe.from_file(ROOT / "examples" / "recipes" / f"{RECIPES[self.ratio]}.yaml")
        if self.engine == "diffusion":
            return base.with_options(
                engine="reactive-diffusion",
                conductivity=self.transport,
                energies=self.energies,
                realizations=REALIZATIONS["diffusion"],
            )
        # the published model has one table of energies: realizations differ in their random numbers alone
        changed = base.with_options(
            engine="automaton",
            energies=self.energies or "materials-project",
            size=SIZE,
            sweeps_per_hour=self.sweeps_per_hour,
            particle_radius_um=CODE_RADIUS_UM,
            ensemble={"realizations": REALIZATIONS["paper"], "energies": False, "transport": False},
        )
        kinetics = {"preset": "public-code", "transport": self.transport}
        return Recipe(**{**changed.model_dump(exclude_unset=True), "kinetics": kinetics})

    @property
    def settings(self) -> dict[str, Any]:
        """What a reader has to know to run it again."""
        recipe = self.recipe
        said = {
            "recipe": f"examples/recipes/{RECIPES[self.ratio]}.yaml",
            "engine": recipe.engine,
            "energies": recipe.energies,
            "transport": recipe.transport,
            "realizations": recipe.ensemble.realizations,
            "seed": recipe.seed,
            "programme": [[step.temperature_K, step.ramp_K_per_min, step.hold_h] for step in recipe.programme],
        }
        if recipe.engine == "automaton":
            return said | {
                "preset": recipe.kinetics.preset,
                "score": recipe.kinetics.score,
                "kinetics": recipe.kinetics.transport,
                "grid_size": recipe.grid.size,
                "particle_radius_um": recipe.particle_radius_um,
                "sweeps_per_hour": recipe.sweeps_per_hour,
            }
        return said | {
            "conductivity": recipe.diffusion.conductivity,
            "geometry": recipe.diffusion.geometry,
            "cells": recipe.diffusion.cells,
            "particle_radius_um": recipe.particle_radius_um,
            "size_spread": recipe.size_spread,
            "mixing": recipe.mixing,
        }


@cache
def history_of(run: Run, *, null: bool = False) -> History:
    """Return the run, from the folder of runs if it is there; with ``null`` that of the engine's null."""
    folder = Path(os.environ.get("TAMMANN_RUNS", Path(tempfile.gettempdir()) / "tammann-karan-2026"))
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256((source_code() + run.recipe.to_yaml()).encode()).hexdigest()[:24]
    kept = {which: folder / f"{key}-{which}.npz" for which in ("run", "null")}
    wanted = kept["null" if null else "run"]
    if not wanted.exists():
        print(f"running {run}", flush=True)
        found = run_recipe(run.recipe, null=run.engine == "paper" and run.transport == "full", threads=1)
        found.history.save(kept["run"])
        if found.null is not None:
            found.null.save(kept["null"])
    return History.open(wanted)


@cache
def source_code() -> str:
    """Return a digest of the source and data that a run rests on."""
    digest = hashlib.sha256()
    package = ROOT / "src" / "tammann"
    rooms = ("data", "thermo", "reactions", "transport", "kinetics", "automaton", "reactive_diffusion")
    files = [package / "recipe.py", package / "history.py", *(package / "workflows").glob("*_runs.py")]
    for path in sorted([*files, *(path for room in rooms for path in (package / room).rglob("*"))]):
        if path.suffix in {".py", ".json", ".csv", ".yaml"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()


# -------------------------------------------------------------------------------------------------- what the paper says

TEXT = "Karan et al. 2026"


@cache
def statements(figure: str) -> tuple[Observation, ...]:
    """Return what is said of a figure: of 1:1 and 1:2 what the shipped file of observations has."""
    if figure in ("4a", "5a"):
        shipped = Observations.from_file(ROOT / "examples" / "observations" / "ba-ti-o.yaml")
        ratio = {"4a": "1:1", "5a": "1:2"}[figure]
        return next(each.observations for each in shipped.experiments if each.name == ratio)
    if figure == "4b":
        about = {"BaTiO3": 70.0, "Ba2TiO4": 15.0, "BaTi2O5": 20.0}
        return tuple(
            Observation(
                observation=f"without $K_D$ about {x:g} mol% {phase} at the end (read as within 5)",
                source=TEXT,
                amounts=({"phase": phase, "at_least_percent": x - 5, "at_most_percent": x + 5},),
            )
            for phase, x in about.items()
        )
    if figure in ("6a", "6b"):
        target = TARGETS[{"6a": "2:9", "6b": "1:5"}[figure]]
        said = f"{target} is the main phase at the end"
        return (Observation(observation=said, source=TEXT, major=target),)
    return ()


def judged(figure: str, ratio: str, runs: Mapping[str, Run]) -> list[dict[str, Any]]:
    """Return for every statement whether it holds in each model, and the amounts of its phases."""
    rows = []
    for said in statements(figure):
        row: dict[str, Any] = {"statement": said.observation, "source": said.source, "when": said.when.words}
        for engine, run in runs.items():
            evolution = PhaseEvolution.of_run(history_of(run), run.recipe)
            held = evolution.holds(said, detection_limit_mass_percent=1.0, basis="mole", target=TARGETS[ratio])
            row[engine] = {"holds": bool(held.mean() > 0.5), "share": float(held.mean())}
            row[engine]["percent"] = amounts_of(evolution, said)
        rows.append(row)
    return rows


def amounts_of(evolution: PhaseEvolution, said: Observation) -> dict[str, list[float]]:
    """Return least and largest amount of each phase of a statement in its time, mol%, medians over realizations."""
    reached = [(r, moments) for r, moments in enumerate(evolution.moments(said.when)) if moments.size]
    found: dict[str, list[float]] = {}
    for phase in said.phases:
        columns = [evolution.column(evolution.percent(r, moments, "mole"), phase) for r, moments in reached]
        if columns:
            ends = np.median([(column.min(), column.max()) for column in columns], axis=0)
            found[phase] = [round(float(x), 2) for x in ends]
    return found


def final_percent(history: History, smallest: float = 0.005) -> dict[str, float]:
    """Return what there is at the end, mol%, medians, largest first."""
    table = history.table()
    return {p: round(100 * float(x), 2) for p, x in zip(table["phase"], table["median"], strict=True) if x >= smallest}


# -------------------------------------------------------------------------------------------------------------- drawing


def two_panels(height_in: float = 4.1) -> tuple[Figure, Axes, Axes]:
    figure = Figure(figsize=(10.4, height_in), layout="constrained")
    # the title of the strip above the axes is not part of the layout
    figure.get_layout_engine().set(wspace=0.06, rect=(0, 0, 1, 0.955))  # type: ignore[union-attr, call-arg]
    left, right = figure.subplots(1, 2)
    return figure, left, right


def panel_title(ax: Axes, engine: str, letter: str, more: str = "") -> None:
    """Name a panel by its letter and engine."""
    words = f"{TITLES[engine]}{', ' + more if more else ''}"
    ax.set_title(rf"$\bf{{{letter}}}$   {words}", loc="left", fontsize=10, color=INK, pad=6)


@dataclass(frozen=True)
class Mark:
    """An amount that the text gives: ``about``, ``least`` or ``most`` of a phase, mol%, at some hour or the end."""

    phase: str
    percent: float
    kind: str = "about"
    time_h: float | None = None
    until_h: float | None = None


def shown_phases(history: History) -> list[str]:
    """Return the phases whose band reaches the mole fraction that is drawn."""
    high = np.percentile(history.fractions(), 75.0, axis=0).max(axis=0)
    return [name for name, x in zip(history.phases, high, strict=True) if x >= SHOWN]


def draw_evolution(ax: Axes, history: History, from_K: float, marks: Sequence[Mark]) -> Axes:
    """Draw mole fractions against the hours of the programme, the band of the middle half; return the strip above."""
    time = history.programme_h
    first = int(np.argmax(history.temperature_K >= from_K))
    colours = phase_colours(history.phases)
    percent = 100 * history.fractions()
    ends = []
    for name in shown_phases(history):
        low, middle, high = np.percentile(percent[:, :, history.phases.index(name)], [25.0, 50.0, 75.0], axis=0)
        ax.fill_between(time, low, high, color=colours[name], alpha=0.16, linewidth=0)
        ax.plot(time, middle, color=colours[name], linewidth=1.7, solid_capstyle="round")
        if middle[-1] >= 1.0:
            ends.append((float(middle[-1]), f"{formula_label(name)} {middle[-1]:.0f} %", colours[name]))
    ax.set_xlim(time[first], time[-1])
    ax.set_ylim(0, 102)
    tidy(ax)
    ax.set_xlabel("time of the programme (h)")
    label_ends(ax, ends, large=False)
    for k, mark in enumerate(marks):
        colour = phase_colours([mark.phase])[mark.phase]
        if mark.until_h is not None and mark.time_h is not None:
            ax.axvspan(mark.time_h, mark.until_h, color="#EDE7D9", linewidth=0, zorder=0)
            ax.plot([mark.time_h, mark.until_h], 2 * [mark.percent], color=colour, linewidth=1.2)
        x = mark.time_h if mark.time_h is not None else time[-1]
        x = x if mark.until_h is None else 0.5 * (x + mark.until_h)
        same = sum((m.kind, m.percent, m.time_h) == (mark.kind, mark.percent, mark.time_h) for m in marks[:k])
        x -= 0.03 * same * (time[-1] - time[first])
        ax.plot([x], [mark.percent], SHAPES[mark.kind], color=colour, clip_on=False, zorder=5, **HOLLOW)
    return temperature_strip(ax, time, history.temperature_K, height=0.2)


SHAPES = {"about": "o", "least": "^", "most": "v"}
HOLLOW: Mapping[str, Any] = {"markersize": 6.5, "markerfacecolor": "white", "markeredgewidth": 1.4}


def draw_pair(
    figure: str,
    histories: Mapping[str, History],
    more: Mapping[str, str],
    from_K: float,
    marks: Callable[[History], Sequence[Mark]],
) -> None:
    """Draw one recipe with both engines and write the picture of that figure."""
    page, *panels = two_panels(4.3)
    for ax, engine, letter in zip(panels, ENGINES, "ab", strict=True):
        strip = draw_evolution(ax, histories[engine], from_K, marks(histories[engine]))
        panel_title(strip, engine, letter, more[engine])
    panels[0].set_ylabel("share of formula units (mol%)")
    names = list(dict.fromkeys(name for history in histories.values() for name in shown_phases(history)))
    names.sort(key=lambda name: -barium_share(name))
    colours = phase_colours(names)
    handles = [Line2D([], [], color=colours[name], linewidth=2.2, label=formula_label(name)) for name in names]
    words = {"about": "text: about", "least": "text: at least", "most": "text: at most"}
    kinds = {mark.kind for mark in marks(histories["paper"])}
    handles += [
        Line2D([], [], linestyle="", marker=SHAPES[kind], color=FAINT, label=words[kind], **HOLLOW)
        for kind in SHAPES
        if kind in kinds
    ]
    page.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(len(handles), 7),
        frameon=False,
        fontsize=8.5,
        handlelength=1.3,
        columnspacing=1.6,
    )
    save_figure(page, IMAGES / f"karan-{figure}.png", dpi=DPI)


def barium_share(formula: str) -> float:
    count = parse_formula(formula)
    return count.get("Ba", 0) / max(count.get("Ba", 0) + count.get("Ti", 0), 1)


def hour_at(history: History, temperature_K: float) -> float:
    """Return when a ramp first reaches a temperature, h."""
    return float(np.interp(temperature_K, np.maximum.accumulate(history.temperature_K), history.programme_h))


def end_of_step(history: History, step: int) -> float:
    return float(history.programme_h[np.flatnonzero(history.stage == step - 1)[-1]])


# -------------------------------------------------------------------------------------------------------------- figures


def growth_of_single_products(mode: Mode, temperatures_K: Sequence[float]) -> pd.DataFrame:
    """Return k of Wagner's law h² = 2 k t for each product alone between BaO and TiO2, nominal m²/s.

    k = V Lambda dpsi / (y (1 - y)), dpsi = -dG / (y (1 - y)), with dG the Gibbs energy of formation from BaO and TiO2
    per site, y the place between them, Lambda the conductivity and V the volume of a site.
    """
    T = np.asarray(temperatures_K, dtype=float)
    transport = load_transport("karan-2026")
    system = components(load_phases("Ba-Ti-O"), {"BaO": 1.0, "TiO2": 1.0}, list(T))
    found = conductivities(system, transport, T, mode=mode)
    assert system.y is not None
    site = system.gibbs_eV / system.sites
    site = np.array([np.interp(T, system.temperature_K, column) for column in site.T]).T
    ends = [system.formulas.index(name) for name in ("BaO", "TiO2")]
    y = np.abs(system.y - system.y[ends[0]])
    dG = site - (1 - y) * site[:, ends[:1]] - y * site[:, ends[1:]]
    volume = site_volumes_m3(system)
    rows = []
    for k, formula in enumerate(system.formulas):
        if found.origin[k] == "table":
            each = volume[k] * found.scalar[:, k] * -dG[:, k] / (y[k] * (1 - y[k])) ** 2
            rows += [
                (formula, float(t), float(v), float(c)) for t, v, c in zip(T, each, found.scalar[:, k], strict=True)
            ]
    return pd.DataFrame(rows, columns=["phase", "temperature_K", "K_D_m2_per_s", "conductivity"])


def barium_rich(formula: str) -> bool:
    count = parse_formula(formula)
    return count["Ba"] > count["Ti"]


def contrast(table: pd.DataFrame, temperature_K: float) -> dict[str, Any]:
    """Return how much faster layers with Ba:Ti up to 1 grow than those above, and which grows fastest."""
    here = table[table["temperature_K"] == temperature_K].set_index("phase")["K_D_m2_per_s"]
    rich = [name for name in here.index if barium_rich(name)]
    poor = here.drop(rich)
    return {
        "median_ratio": round(float(poor.median() / here[rich].median()), 1),
        "largest": str(here.idxmax()),
        "Ba4Ti13O30_over_rich": [round(float(here["Ba4Ti13O30"] / here[rich].max()), 1),
                                 round(float(here["Ba4Ti13O30"] / here[rich].min()), 1)],
    }  # fmt: skip


def figure_2a() -> dict[str, Any]:
    """Correlation factors, and what correlations do to the one conductivity that counts in reactive diffusion."""
    transport = load_transport("karan-2026")
    assert transport is not None
    page, left, right = two_panels(3.9)
    plot_correlation_factors(transport, temperature_K=1500.0, ax=left)
    left.set_title("", loc="right")
    panel_title(left, "paper", "a", "1500 K")
    full, own = (
        growth_of_single_products(mode, [1500.0]).set_index("phase")["conductivity"] for mode in ("full", "self")
    )
    # each mode has a level of its own; what counts is how a solid stands to the others
    relative = (full / own) / np.exp(np.log(full / own).mean())
    names = along_products(right, relative.index)
    colours = phase_colours(names)
    for n, name in enumerate(names):
        right.bar(n, relative[name] - 1, 0.62, bottom=1, color=colours[name])
    right.axhline(1, color=INK, linewidth=0.9)
    right.set_yscale("log")
    right.set_ylim(0.5, 2)
    ticks = (0.5, 0.7, 1.0, 1.4, 2.0)
    right.set_yticks(ticks, [f"{t:g}" for t in ticks])
    right.set_yticks([], minor=True)
    right.set_ylabel(r"$\Lambda_\mathrm{full}/\Lambda_\mathrm{self}$, over the geometric mean")
    panel_title(right, "diffusion", "b", "1500 K")
    save_figure(page, IMAGES / "karan-2a.png", dpi=DPI)
    factors = {
        f: dict(zip(e.species, (round(float(x), 3) for x in e.correlation_factor), strict=True))
        for f in names
        for e in [transport.at(f, 1500.0)]
    }
    return {
        "correlation_factors": factors,
        "conductivity_full_over_self": {name: round(float(relative[name]), 3) for name in names},
    }


def figure_2b() -> dict[str, Any]:
    """Growth constants of every product between BaO and TiO2."""
    phases, transport = load_phases("Ba-Ti-O"), load_transport("karan-2026")
    assert transport is not None
    temperatures = [float(t) for t in transport.temperatures_K()]
    tables = {
        mode: {
            "paper": growth_constants(phases, transport, energies="materials-project", mode=mode, draws=0),
            "diffusion": growth_of_single_products(mode, temperatures),
        }
        for mode in ("full", "self")
    }
    page, *panels = two_panels(4.2)
    for ax, engine, letter in zip(panels, ENGINES, "ab", strict=True):
        plot_growth_constants(tables["full"][engine], ax=ax)
        panel_title(ax, engine, letter)
    panels[1].set_ylabel(r"Wagner's constant $k$ (m$^2$ per nominal s)")
    save_figure(page, IMAGES / "karan-2b.png", dpi=DPI)
    return {
        mode: {engine: {f"{T:g}": contrast(t, T) for T in (1250.0, 1500.0, 1750.0)} for engine, t in both.items()}
        for mode, both in tables.items()
    }


def evolution_figure(
    figure: str, ratio: str, transports: Mapping[str, str], from_K: float, marks: Callable[[History], Sequence[Mark]]
) -> dict[str, Any]:
    """One recipe with both engines."""
    runs = {engine: Run(ratio, engine, transports[engine]) for engine in ENGINES}
    histories = {engine: history_of(run) for engine, run in runs.items()}
    without = {"none": "without $K_\\mathrm{D}$", "equal": "equal conductivities", "full": ""}
    more = {engine: without[transports[engine]] for engine in ENGINES}
    draw_pair(figure, histories, more, from_K, marks)
    return {
        "settings": {engine: run.settings for engine, run in runs.items()},
        "final_percent": {engine: final_percent(history) for engine, history in histories.items()},
        "largest_percent": {
            engine: {
                name: round(100 * float(x), 2)
                for name, x in zip(history.phases, np.median(history.fractions(), axis=0).max(axis=0), strict=True)
                if x >= 0.005
            }
            for engine, history in histories.items()
        },
        "statements": judged(figure, ratio, runs),
    }


def marks_4a(history: History) -> list[Mark]:
    window = hour_at(history, 1000.0), hour_at(history, 1050.0)
    return [Mark("Ba2TiO4", 27.0, "most", *window), Mark("BaTi2O5", 5.0, "most")]


def marks_4b(history: History) -> list[Mark]:
    return [Mark("BaTiO3", 70.0), Mark("Ba2TiO4", 15.0), Mark("BaTi2O5", 20.0)]


def marks_5a(history: History) -> list[Mark]:
    return [Mark("BaTi2O5", 90.0, "least"), Mark("BaTiO3", 5.0, "most"), Mark("Ba6Ti17O40", 5.0, "most")]


def no_marks(history: History) -> list[Mark]:
    return []


FULL = {"paper": "full", "diffusion": "full"}
WITHOUT = {"paper": "none", "diffusion": "equal"}


def ends() -> dict[str, Any]:
    """The end of all four ratios in every model, and plain equilibrium with both sets of energies."""
    found: dict[str, Any] = {}
    for ratio in RECIPES:
        automaton = Run(ratio, "paper")
        own_energies = Run(ratio, "diffusion", energies="materials-project")
        row = {
            "the paper's settings": final_percent(history_of(automaton)),
            "the same without $K_D$": final_percent(history_of(Run(ratio, "paper", "none"))),
            "the same, all pair reactions alike (geometric null)": final_percent(history_of(automaton, null=True)),
            "reactive diffusion": final_percent(history_of(Run(ratio, "diffusion"))),
            "reactive diffusion, equal conductivities": final_percent(history_of(Run(ratio, "diffusion", "equal"))),
            "reactive diffusion, the paper's energies": final_percent(history_of(own_energies)),
        }
        for name, run in (
            ("equilibrium, assessed energies", Run(ratio, "diffusion")),
            ("equilibrium, the paper's energies", own_energies),
        ):
            table = plain_equilibrium(prepare(run.recipe))
            last = table[table["temperature_K"] == run.recipe.programme[-1].temperature_K]
            row[name] = {
                p: round(100 * x, 2) for p, x in zip(last["phase"], last["mole_fraction"], strict=True) if x > 5e-3
            }
        found[ratio] = row
    return found


def sweeps() -> dict[str, Any]:
    """What the number of sweeps decides, which the sources do not give: BaTiO3 at the end of 1:1."""
    runs = {f"{s:g}": Run("1:1", "paper", sweeps_per_hour=s) for s in SWEEPS_PER_HOUR}
    return {s: final_percent(history_of(run)).get("BaTiO3", 0.0) for s, run in runs.items()}


FIGURES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "2a": figure_2a,
    "2b": figure_2b,
    "4a": partial(evolution_figure, "4a", "1:1", FULL, 750.0, marks_4a),
    "4b": partial(evolution_figure, "4b", "1:1", WITHOUT, 750.0, marks_4b),
    "5a": partial(evolution_figure, "5a", "1:2", FULL, 750.0, marks_5a),
    "5b": partial(evolution_figure, "5b", "1:2", WITHOUT, 750.0, no_marks),
    "6a": partial(evolution_figure, "6a", "2:9", FULL, 750.0, no_marks),
    "6b": partial(evolution_figure, "6b", "1:5", FULL, 750.0, no_marks),
    "ends": ends,
    "sweeps": sweeps,
}


# ----------------------------------------------------------------------------------------------------------------- page

SLOT = re.compile(r"(<!-- from: ([a-z0-9-]+) -->\n)(.*?)(<!-- to: \2 -->)", re.DOTALL)


@cache
def made() -> dict[str, Any]:
    return dict(json.loads(MADE.read_text(encoding="utf-8")))


def rows_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shares(found: Mapping[str, float], smallest: float = 0.5) -> str:
    return ", ".join(f"{name} {x:.1f}" for name, x in found.items() if x >= smallest)


def verdict(figure: str) -> str:
    """How many statements hold with each engine, in one sentence, and the table of them."""
    rows = made()[figure]["statements"]
    final = made()[figure]["final_percent"]
    verbs = {"paper": ("agree", "do not agree"), "diffusion": ("agrees", "does not agree")}

    def said(engine: str) -> str:
        hold = sum(row[engine]["holds"] for row in rows)
        words = verbs[engine][hold == 0] + (" in part" if 0 < hold < len(rows) else "")
        counted = f"{hold} of {len(rows)} statement{'s' * (len(rows) > 1)}"
        return f"{TITLES[engine]} {words}, {counted} (at the end {shares(final[engine], 1.0)} mol%)"

    text = f"*{capital(said('paper'))}; {said('diffusion')}.*"

    def cell(found: Mapping[str, Any]) -> str:
        split = f" (holds in {100 * found['share']:.0f} % of the runs)" if 0 < found["share"] < 1 else ""
        return f"{'yes' if found['holds'] else '**no**'}{split}: {ranges(found['percent'])}"

    table = [
        [
            row["statement"],
            row["when"],
            re.sub(r", (doi|arXiv) [^;,]*", "", row["source"]),
            *(cell(row[engine]) for engine in ENGINES),
        ]
        for row in rows
    ]
    head = ["statement", "when", "source", *(f"{TITLES[engine]}, mol%" for engine in ENGINES)]
    note = NOTES[figure]() if figure in NOTES else ""
    return f"{text}\n\n{rows_table(head, table)}\n\n{note}".rstrip()


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def largest(figure: str, engine: str, phase: str) -> str:
    return f"{made()[figure]['largest_percent'][engine].get(phase, 0.0):.0f}"


def note_4a() -> str:
    return (
        "By diffusion Ba2TiO4 stays thin because the table makes it a poor conductor: it reaches "
        f"{largest('4a', 'diffusion', 'Ba2TiO4')} mol% with the table's conductivities and "
        f"{largest('4b', 'diffusion', 'Ba2TiO4')} with equal ones."
    )


def note_5a() -> str:
    return (
        "BaTiO3 comes first with both, but only early in the first step, whose 10 h are ours: it reaches "
        f"{largest('5a', 'paper', 'BaTiO3')} mol% with the paper's settings and "
        f"{largest('5a', 'diffusion', 'BaTiO3')} by reactive diffusion."
    )


def note_6b() -> str:
    return (
        f"By reactive diffusion BaTi5O11 reaches {largest('6b', 'diffusion', 'BaTi5O11')} mol% on the way; BaTi4O9 "
        f"reaches {largest('6b', 'diffusion', 'BaTi4O9')} there and {largest('6b', 'paper', 'BaTi4O9')} mol% with the "
        "paper's settings."
    )


NOTES: Mapping[str, Callable[[], str]] = {"4a": note_4a, "5a": note_5a, "6b": note_6b}


def ranges(percent: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(
        f"{name} {low:.1f}" if f"{low:.1f}" == f"{high:.1f}" else f"{name} {low:.1f} to {high:.1f}"
        for name, (low, high) in percent.items()
    )


def ends_only(figure: str) -> str:
    final = made()[figure]["final_percent"]
    return " ".join(f"*{TITLES[e].capitalize()}: at the end {shares(final[e], 1.0)} mol%.*" for e in ENGINES)


def slot_2a() -> str:
    found = made()["2a"]
    rows = [
        [name, *(f"{found['correlation_factors'][name][ion]:+.2f}" for ion in ("Ba", "Ti", "O")), f"{ratio:.2f}"]
        for name, ratio in found["conductivity_full_over_self"].items()
    ]
    head = ["1500 K", "f(Ba)", "f(Ti)", "f(O)", "conductivity, full over self, relative"]
    return rows_table(head, rows)


def slot_2b() -> str:
    found = made()["2b"]
    T = ("1250", "1500", "1750")
    rows = [
        [f"{TITLES[engine]}, `{mode}`", *(f"{found[mode][engine][t]['median_ratio']:.1f}" for t in T),
         " to ".join(f"{x:.1f}" for x in found[mode][engine]["1500"]["Ba4Ti13O30_over_rich"]),
         found[mode][engine]["1500"]["largest"]]
        for engine in ENGINES for mode in ("full", "self")
    ]  # fmt: skip
    head = ["", "1250 K", "1500 K", "1750 K", "Ba4Ti13O30 over the Ba-rich, 1500 K", "largest, 1500 K"]
    return rows_table(head, rows)


def slot_ends() -> str:
    found = made()["ends"]
    models = list(found["1:1"])
    return rows_table(["at the end, mol%", *found], [[m, *(shares(found[r][m], 1.0) for r in found)] for m in models])


def slot_sweeps() -> str:
    found = made()["sweeps"]
    return rows_table(["sweeps per hour", *found], [["1:1: BaTiO3, mol%", *(f"{x:.1f}" for x in found.values())]])


def slot_settings() -> str:
    """What was run, from the numbers of Fig. 4a."""
    paper, other = (made()["4a"]["settings"][engine] for engine in ENGINES)
    rows = [
        ["engine", *(f"`{each['engine']}`" for each in (paper, other))],
        ["energies", *(f"`{each['energies']}`" for each in (paper, other))],
        ["transport", f"`{paper['transport']}`", f"`{other['transport']}`, `conductivity: {other['conductivity']}`"],
        [
            "law",
            f"`kinetics.preset: {paper['preset']}`, which is `score: {paper['score']}`",
            "Onsager's metric, no score",
        ],
        [
            "powder",
            f"{paper['grid_size']}³ cells, random mixture, r₀ = {paper['particle_radius_um']:g} µm",
            f"spheres, {other['cells']} cells along each, radius {other['particle_radius_um']:g} µm, "
            f"`size_spread: {other['size_spread']:g}`, `mixing: {other['mixing']:g}`",
        ],
        ["time", f"{paper['sweeps_per_hour']:g} sweeps per hour, nominal", "nominal conductivities"],
        [
            "realizations",
            f"{paper['realizations']}, all with the same energies",
            f"{other['realizations']}, energies drawn within their errors",
        ],
        ["seed, version", *(f"{each['seed']}, {made()['version']}" for each in (paper, other))],
    ]
    return rows_table(["", *(TITLES[e] for e in ENGINES)], rows)


SLOTS: Mapping[str, Callable[[], str]] = {
    "settings": slot_settings,
    "fig-2a": slot_2a,
    "fig-2b": slot_2b,
    **{f"fig-{figure}": partial(verdict, figure) for figure in ("4a", "4b", "5a", "6a", "6b")},
    "fig-5b": partial(ends_only, "5b"),
    "ends": slot_ends,
    "sweeps": slot_sweeps,
}


FORMULA = re.compile(r"(?<![\w`/-])((?:Ba|Ti)(?:Ti|\d)*O\d*)(?![\w`/-])")


def subscripted(text: str) -> str:
    """Return a text with the numbers in formulas as subscripts."""
    return FORMULA.sub(lambda match: match[1].translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")), text)


def filled(text: str) -> str:
    """Return the page with all its slots written anew."""
    there = [match[2] for match in SLOT.finditer(text)]
    if sorted(there) != sorted(SLOTS):
        raise SystemExit(f"{PAGE.name}: expected the slots {sorted(SLOTS)}, found {sorted(there)}.")
    return SLOT.sub(lambda match: f"{match[1]}{subscripted(SLOTS[match[2]]()).rstrip()}\n{match[4]}", text)


def main() -> None:
    asked = sys.argv[1:]
    if asked != ["--fill"]:
        unknown = set(asked) - set(FIGURES)
        if unknown:
            raise SystemExit(f"{sorted(unknown)[0]}: expected one of {', '.join(FIGURES)}.")
        found = made() if MADE.exists() else {}
        for name in asked or FIGURES:
            found = found | {name: FIGURES[name](), "version": __version__}
            write_text(MADE, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        made.cache_clear()
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
