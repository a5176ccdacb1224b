"""The report of a run, section by section."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tammann.analysis import reaction_flow
from tammann.files import write_text
from tammann.report.charts import Chart, baseline_chart, flow_chart, growth_chart, phase_chart
from tammann.report.grid import grid_slices
from tammann.report.layer_charts import (
    bottleneck_chart,
    energy_chart,
    growth_fits,
    has_particles,
    layer_chart,
    profile_chart,
    thickness_chart,
)
from tammann.report.page import chart_blocks, figure_html, list_html, page_html, pairs_html, text_html
from tammann.report.sentences import headline, layer_sentences, notices
from tammann.report.tables import (
    baseline_table,
    bottleneck_table,
    growth_table,
    reaction_table,
    stage_table,
    unreacted_table,
)

if TYPE_CHECKING:
    from tammann.history import History
    from tammann.kinetics import RateTable
    from tammann.recipe import Recipe

NO_BREAK = "\u00a0"
SHOWN_ELSEWHERE = ("final_mole_fractions", "baselines", "bottleneck", "warnings", "important_warnings", "nothing_opens")
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
        baselines: ``null``, a History with all pair reactions (or all conductivities) equal, and ``equilibrium``,
            mole fractions by phase or a table over temperature (see ``tammann.analysis.beside_baselines``); either may
            be missing.
        rates: The rate table of the run; there is none of reactive diffusion.

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
    phases = phase_chart(history, null=null)
    beside = baseline_chart(history, null=null, equilibrium=equilibrium)
    own = _reactions(history, rates) if history.diffusion is None else _layers(history)
    grid, grid_blocks = grid_slices(history)

    title = recipe.title or _precursors(recipe)
    outlined = "the geometric null, all pair reactions equal"
    if history.diffusion is not None:
        outlined = "the null, all phases conducting equally well"
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
            f"Filled: this run with its band. Outlined: {outlined}"
            + (f", from {_realizations(null)} of its own" if null is not None else "")
            + ". Grey: plain equilibrium, the phases of lowest Gibbs energy.",
        ),
        baseline_table(history, null, equilibrium),
    ]
    in_grid = [f"<h2>In the {'grid' if history.diffusion is None else 'powder'}</h2>", grid] if grid else []
    sections += [*own.sections, *in_grid] if history.diffusion is None else [*in_grid, *own.sections]
    sections += _inputs(history, recipe, summary, rates)
    shown = (phases, beside, *own.charts)
    charts = {chart.name: {"height": chart.height_px, "variants": chart.variants} for chart in shown}
    write_text(path, page_html(title, sections, [*chart_blocks(charts), *grid_blocks]))


@dataclass(frozen=True)
class _Part:
    """Sections that only one engine has, and the charts in them."""

    sections: list[str]
    charts: list[Chart]


def _reactions(history: History, rates: RateTable | None) -> _Part:
    """Return which reactions carried the change, and why these."""
    flow = reaction_flow(history)
    flows = flow_chart(history, flow)
    growth = None if rates is None else growth_chart(flow, rates)
    caption = (
        "Share of all atoms that went from phase to phase, net of back and forth; means over realizations. "
        "Point at a phase for its share at the end."
    )
    sections = [
        "<h2>Which reactions carried it</h2>",
        figure_html(flows, caption, min_width_px=600) if flows is not None else "<p>Nothing has reacted.</p>",
        reaction_table(flow),
        unreacted_table(history),
    ]
    if growth is not None:
        caption = (
            "The reactions that carried the most, in the colour of their main product. A reaction without transport "
            "data has a score but no growth constant."
        )
        sections += ["<h2>Why these</h2>", figure_html(growth, caption)]
    return _Part(sections, [chart for chart in (flows, growth) if chart])


def _layers(history: History) -> _Part:
    """Return where the layers are, which of them is in the way, and how they grow."""
    bottleneck = bottleneck_chart(history)
    if bottleneck is None:
        return _Part(["<p>Nothing has reacted.</p>", unreacted_table(history)], [])
    energy = energy_chart(history)
    charts = [bottleneck, energy]
    sections = [
        "<h2>Where the driving force goes</h2>",
        f"<p>{text_html(' '.join(layer_sentences(history)).replace(' %', NO_BREAK + '%'))}</p>",
        figure_html(
            bottleneck,
            "Share of the Gibbs energy that each phase dissipates as ions drift through it. The largest share says "
            "where the driving force goes, not how much a better conductor there would help. Means over realizations.",
        ),
        bottleneck_table(history),
    ]
    if has_particles(history):
        fits = growth_fits(history)
        layers, profiles, thickness = layer_chart(history), profile_chart(history), thickness_chart(history, fits)
        charts += [layers, profiles]
        one = "In the first realization; what products swell or shrink by is not followed."
        sections = [
            "<h2>Layers in a particle</h2>",
            figure_html(layers, f"{one} Dots: two phases side by side, the dots in the colour of the rarer."),
            figure_html(
                profiles,
                "Share of the volume, share of each cation (or anion), and potential relative to the centre, eV per "
                "lattice site: it falls where ions drift, steeply in a layer that conducts badly. Move the slider.",
            ),
            *sections,
        ]
        if thickness is not None:
            charts.append(thickness)
            sections += [
                "<h2>How layers grow</h2>",
                figure_html(thickness, f"{one} Dashed: parabolas, where a layer grows by one on a hold."),
                growth_table(history, fits),
            ]
    sections += [
        "<h2>What is left to gain</h2>",
        figure_html(
            energy,
            "Gibbs energy of the powder above that of plain equilibrium at the same temperature. It only falls at "
            "constant temperature; equilibrium itself moves with temperature.",
        ),
        unreacted_table(history),
    ]
    return _Part(sections, charts)


def _opening(
    title: str, history: History, recipe: Recipe, summary: Mapping[str, Any], null: History | None, equilibrium: Any
) -> list[str]:
    """Return title, recipe in a line, result in a sentence, and what limits it."""
    calibration = recipe.calibration.observation if recipe.calibration else None
    notes = notices(history, summary=summary, calibration=calibration, null=null, equilibrium=equilibrium)
    about = f"{_precursors(recipe)}; {_atmosphere(recipe)}; {_programme(recipe)}"
    if history.diffusion is not None:
        about += f"; {_powder(recipe)}"
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


def _powder(recipe: Recipe) -> str:
    """Return how large the particles are, of each precursor where they differ."""
    radii = {p.phase: p.particle_radius_um or recipe.particle_radius_um for p in recipe.precursors}
    what = "grains" if recipe.diffusion.geometry == "grains" else "particles"
    if len(set(radii.values())) == 1:
        return f"{what} of {next(iter(radii.values())):g} µm radius"
    return f"{what} of " + ", ".join(f"{radius:g} µm radius ({phase})" for phase, radius in radii.items())


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
        pairs_html("How the rates were made" if history.diffusion is None else "How the run was made", metadata),
        pairs_html("Sources", sources) if sources else "",
        "<h2>Warnings about the data</h2>" + list_html(further) if further else "",
        f'<footer class="soft">tammann {html.escape(version)}</footer>',
    ]
