"""The report of a run, section by section."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tammann.analysis import reaction_flow
from tammann.files import write_text
from tammann.report.charts import baseline_chart, flow_chart, growth_chart, phase_chart
from tammann.report.grid import grid_slices
from tammann.report.page import data_block, figure_html, list_html, page_html, pairs_html, text_html
from tammann.report.sentences import headline, notices
from tammann.report.tables import baseline_table, reaction_table, stage_table, unreacted_table

if TYPE_CHECKING:
    from tammann.history import History
    from tammann.kinetics import RateTable
    from tammann.recipe import Recipe

SHOWN_ELSEWHERE = ("final_mole_fractions", "baselines", "warnings", "important_warnings", "nothing_opens")
"""Beginnings of the keys of a summary that the page shows in another place."""


def write_report(
    path: str | os.PathLike[str],
    history: History,
    *,
    recipe: Recipe,
    summary: Mapping[str, Any],
    baselines: Mapping[str, Any] | None = None,
    rates: RateTable | None = None,
) -> None:
    """Write the report of a run as one HTML file, whole or not at all.

    Args:
        path: Name of the file.
        history: The run.
        recipe: The recipe as run; its title, atmosphere, calibration and YAML are shown.
        summary: Contents of ``summary.json``.
        baselines: ``null``, a History with all pair reactions equal, and ``equilibrium``, mole fractions by phase
            or a table over temperature (see ``tammann.analysis.beside_baselines``); either may be missing.
        rates: The rate table of the run.

    Example:
        >>> import tempfile
        >>> from tammann import Recipe
        >>> from tammann.history import History
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_report(folder + "/report.html", History.example(), recipe=recipe, summary={"seed": 0})
    """
    null, equilibrium = (dict(baselines or {}).get(name) for name in ("null", "equilibrium"))
    flow = reaction_flow(history) if history.diffusion is None else None
    phases = phase_chart(history, null=null)
    beside = baseline_chart(history, null=null, equilibrium=equilibrium)
    flows = None if flow is None else flow_chart(history, flow)
    growth = None if rates is None or flow is None else growth_chart(flow, rates)
    grid, grid_blocks = grid_slices(history)

    title = recipe.title or _precursors(recipe)
    sections = [
        *_opening(title, history, recipe, summary, null, equilibrium),
        "<h2>Which phases, and when</h2>",
        figure_html(
            phases,
            f"Median and band (5th to 95th percentile) of {_realizations(history)}. Medians are taken phase by phase "
            "and need not add up to 100 %. Drag to zoom in, double-click to zoom out.",
            still=_still(history),
        ),
        stage_table(history),
        "<h2>Beside the baselines</h2>",
        figure_html(
            beside,
            "Filled: this run with its band. Outlined: the geometric null, all pair reactions equal"
            + (f", from {_realizations(null)} of its own" if null is not None else "")
            + ". Grey: plain equilibrium, the phases of lowest Gibbs energy.",
        ),
        baseline_table(history, null, equilibrium),
        "<h2>Which reactions carried it</h2>",
        figure_html(
            flows,
            "Share of all atoms that went from phase to phase, net of back and forth; means over realizations. "
            "Point at a phase for its share at the end.",
            min_width_px=600,
        )
        if flows is not None
        else "<p>Nothing has reacted.</p>",
        *([] if flow is None else [reaction_table(flow), unreacted_table(history)]),
    ]
    if growth is not None:
        caption = (
            "The reactions that carried the most, in the colour of their main product. A reaction without transport "
            "data has a score but no growth constant."
        )
        sections += ["<h2>Why these</h2>", figure_html(growth, caption)]
    if grid:
        sections += ["<h2>In the grid</h2>", grid]
    sections += _inputs(history, recipe, summary, rates)
    charts = {c.name: {"height": c.height_px, "variants": c.variants} for c in (phases, beside, flows, growth) if c}
    write_text(path, page_html(title, sections, [data_block("charts", charts), *grid_blocks]))


def _opening(
    title: str, history: History, recipe: Recipe, summary: Mapping[str, Any], null: History | None, equilibrium: Any
) -> list[str]:
    """Return title, recipe in a line, result in a sentence, and what limits it."""
    calibration = recipe.calibration.observation if recipe.calibration else None
    notes = notices(history, summary=summary, calibration=calibration, null=null, equilibrium=equilibrium)
    about = f"{_precursors(recipe)}; {_atmosphere(recipe)}; {_programme(recipe)}"
    return [
        f"<h1>{text_html(title)}</h1>",
        f'<p class="soft">{text_html(about)}</p>',
        f'<p class="headline">{text_html(headline(history))}</p>',
        '<ul class="notices">' + "".join(f'<li class="{n.kind}">{text_html(n.text)}</li>' for n in notes) + "</ul>",
        '<p id="no-charts" class="soft" hidden>This browser cannot unpack the interactive charts; '
        "the tables hold the same numbers.</p>",
    ]


def _precursors(recipe: Recipe) -> str:
    return " + ".join(f"{p.ratio:g} {p.phase}" if p.ratio != 1 else p.phase for p in recipe.precursors)


def _realizations(history: History) -> str:
    return f"{history.realizations} realization{'s' * (history.realizations > 1)}"


def _atmosphere(recipe: Recipe) -> str:
    if isinstance(recipe.atmosphere, str):
        named = {"inert": "inert atmosphere", "CO2": "under CO2"}
        return named.get(recipe.atmosphere, f"in {recipe.atmosphere}")
    return "under " + ", ".join(f"{gas} at {p:g} Pa" for gas, p in recipe.partial_pressure_Pa.items())


def _programme(recipe: Recipe) -> str:
    parts = [
        f"{'reground, ' * step.regrind}{step.ramp_K_per_min:g} K/min to {step.temperature_K:g} K, {step.hold_h:g} h"
        for step in recipe.programme
    ]
    return "; ".join([*parts[:6], "..."] if len(parts) > 6 else parts)


def _still(history: History) -> str:
    """Return the first chart as a picture, for where scripts do not run."""
    from tammann.plot import plot_phase_fractions

    buffer = io.BytesIO()
    figure = plot_phase_fractions(history).get_figure(root=True)
    assert figure is not None
    figure.savefig(buffer, format="png", dpi=110, facecolor="white", metadata={"Software": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="phase fractions against time" src="data:image/png;base64,{data}">'


def _inputs(history: History, recipe: Recipe, summary: Mapping[str, Any], rates: RateTable | None) -> list[str]:
    """Return recipe, summary, how the rates were made, sources, and warnings about the data."""
    metadata = {**(rates.metadata if rates is not None else {}), **history.metadata}
    warnings = dict.fromkeys([*(rates.warnings if rates is not None else ()), *metadata.pop("warnings", ())])
    at_the_top = metadata.pop("important_warnings", ())
    metadata.pop("nothing_opens", None)
    sources = metadata.pop("sources", {})
    sources = dict(sources) if isinstance(sources, Mapping) else {"sources": sources}
    for name in [name for name in metadata if name.endswith("_source")]:
        sources[name.removesuffix("_source")] = metadata.pop(name)
    further = [str(text) for text in warnings if text not in at_the_top]
    version = str(summary.get("version", history.metadata.get("version", "")))
    return [
        "<h2>What went in</h2>",
        f"<pre>{html.escape(recipe.to_yaml())}</pre>",
        pairs_html("Summary", {k: v for k, v in summary.items() if not k.startswith(SHOWN_ELSEWHERE)}),
        pairs_html("How the rates were made", metadata),
        pairs_html("Sources", sources) if sources else "",
        "<h2>Warnings about the data</h2>" + list_html(further) if further else "",
        f'<footer class="soft">tammann {html.escape(version)}</footer>',
    ]
