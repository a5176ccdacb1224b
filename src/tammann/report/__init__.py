"""One self-contained page per run: the result, how sure it is, what carried it, and everything that went in.

The page needs no network: data, script and the charting library are inside it, and its content security policy
keeps a browser from fetching anything. The library is compressed, which browsers from 2023 on can undo; older ones
show the tables and a still picture.
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.analysis import ReactionFlow, beside_baselines, reaction_flow, unreacted
from tammann.files import write_text
from tammann.plot._style import moment_text, phase_colours
from tammann.report.charts import Chart, baseline_chart, flow_chart, growth_chart, phase_chart
from tammann.report.page import CONTENT_SECURITY_POLICY, SCRIPT, STYLE
from tammann.report.sentences import formula_text, headline, notices, percent

if TYPE_CHECKING:
    from tammann.history import History
    from tammann.kinetics import RateTable
    from tammann.recipe import Recipe

__all__ = ["write_report"]

_MOST_CELLS = 2_000_000  # bytes of the grid, before compression, that a page carries
_WIDEST_SLICE = 256
_SHOWN_ELSEWHERE = {
    "final_mole_fractions",
    "final_mole_fractions_low",
    "final_mole_fractions_high",
    "baselines",
    "warnings",
}


def write_report(
    path: str | os.PathLike[str],
    history: History,
    *,
    recipe: Recipe,
    summary: Mapping[str, Any],
    baselines: Mapping[str, Any] | None = None,
    rates: RateTable | Sequence[RateTable] | None = None,
) -> None:
    """Write the report of a run as one HTML file, whole or not at all.

    Args:
        path: of the file.
        history: the run.
        recipe: as run; its title, atmosphere, calibration and YAML are shown.
        summary: contents of ``summary.json``; shown as they are.
        baselines: ``null``, a History with all pair reactions equal, and ``equilibrium``, mole fractions by phase
            or a table over temperature (see ``tammann.analysis.beside_baselines``); either may be missing.
        rates: the rate table of the run, or one a realization, of which the first is shown.

    Raises:
        OSError: if the file cannot be written.

    Example:
        >>> import tempfile
        >>> from tammann import Recipe
        >>> from tammann.example import example_history
        >>> recipe = Recipe(
        ...     precursors=[{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_report(folder + "/report.html", example_history(), recipe=recipe, summary={"seed": 0})
    """
    text = _page(history, recipe, summary, dict(baselines or {}), rates)
    write_text(path, text)


def _page(history: History, recipe: Any, summary: Mapping[str, Any], baselines: Mapping[str, Any], rates: Any) -> str:
    null, equilibrium = baselines.get("null"), baselines.get("equilibrium")
    table = rates[0] if isinstance(rates, Sequence) and len(rates) else rates
    precursors = " + ".join(f"{p.ratio:g} {p.phase}" if p.ratio != 1 else p.phase for p in recipe.precursors)
    title = recipe.title or precursors
    calibration = recipe.calibration.observation if recipe.calibration else None
    notes = notices(history, summary=summary, calibration=calibration, null=null, equilibrium=equilibrium)

    charts = [phase_chart(history, null=null), baseline_chart(history, null=null, equilibrium=equilibrium)]
    carried = reaction_flow(history)
    flow = flow_chart(history, carried)
    growth = growth_chart(carried, table) if table is not None and len(table.equations) else None
    phases, beside = charts
    charts += [chart for chart in (flow, growth) if chart is not None]

    grid, grid_data = _slices(history)
    sections = [
        f"<h1>{_text(title)}</h1>",
        f'<p class="soft">{_text(precursors)}; {_text(_atmosphere(recipe))}; {_text(_programme(recipe))}</p>',
        f'<p class="headline">{_text(headline(history))}</p>',
        '<ul class="notices">' + "".join(f'<li class="{n.kind}">{_text(n.text)}</li>' for n in notes) + "</ul>",
        '<p id="no-charts" class="soft" hidden>This browser cannot unpack the interactive charts; '
        "the tables hold the same numbers.</p>",
        "<h2>Which phases, and when</h2>",
        _figure(
            phases,
            f"Median and band (5th to 95th percentile) of {_count(history.realizations, 'realization')}. "
            "Medians are taken phase by phase and need not add up to 100 %.",
            still=_still(history),
        ),
        _stage_table(history),
        "<h2>Beside the baselines</h2>",
        _figure(
            beside,
            "Filled: this run with its band. Outlined: the geometric null, all pair reactions equal. "
            "Grey: plain equilibrium, the phases of lowest Gibbs energy.",
        ),
        _baseline_table(history, null, equilibrium),
        "<h2>Which reactions carried it</h2>",
        _figure(
            flow,
            "Share of all atoms that went from phase to phase, net of back and forth; means over realizations. "
            "Point at a phase for its share at the end.",
            min_width_px=600,
        )
        if flow is not None
        else "<p>Nothing has reacted.</p>",
        _reaction_table(carried),
        _unreacted_table(history),
    ]
    if growth is not None:
        sections += [
            "<h2>Why these</h2>",
            _figure(
                growth,
                "The reactions that carried the most, in the colour of their main product. A reaction "
                "without transport data has a score but no growth constant.",
            ),
        ]
    if grid:
        sections += ["<h2>In the grid</h2>", grid]
    version = str(summary.get("version", history.metadata.get("version", "")))
    sections += [
        "<h2>What went in</h2>",
        f"<pre>{html.escape(recipe.to_yaml())}</pre>",
        _mapping_table("Summary", {k: v for k, v in summary.items() if k not in _SHOWN_ELSEWHERE}),
        _provenance(history, table),
        f'<footer class="soft">tammann {html.escape(version)}</footer>',
    ]
    blocks = [
        _data("charts", json.dumps({c.name: {"height": c.height_px, "variants": c.variants} for c in charts})),
        f'<script type="text/plain" id="plotly">{_plotly()}</script>',
        grid_data,
        f"<script>{SCRIPT}</script>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in sections if part)
        + "\n</main>\n"
        + "\n".join(blocks)
        + "\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    """Escaped, with subscripts in formulas."""
    return html.escape(formula_text(text))


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _atmosphere(recipe: Any) -> str:
    if isinstance(recipe.atmosphere, str):
        named = {"inert": "inert atmosphere", "oxygen": "in oxygen", "CO2": "under CO2"}
        return named.get(recipe.atmosphere, f"in {recipe.atmosphere}")
    return "under " + ", ".join(f"{gas} at {p:g} Pa" for gas, p in recipe.partial_pressure_Pa.items())


def _programme(recipe: Any) -> str:
    parts = []
    for step in recipe.programme:
        grind = "reground, " if step.regrind else ""
        parts.append(f"{grind}{step.ramp_K_per_min:g} K/min to {step.temperature_K:g} K, {step.hold_h:g} h")
    return "; ".join(parts[:6]) + ("; ..." if len(parts) > 6 else "")


def _figure(chart: Chart, caption: str, *, still: str = "", min_width_px: int = 0) -> str:
    variants = chart.variants if len(chart.variants) > 1 else ()
    buttons = "".join(
        f'<button type="button" aria-pressed="{"true" if k == 0 else "false"}">{_text(v["label"])}</button>'
        for k, v in enumerate(variants)
    )
    return (
        f'<figure><div class="choice" data-chart="{chart.name}">{buttons}<button type="button" class="save" '
        'title="save as SVG">SVG</button></div>'
        f'<div class="scroll"><div class="chart" id="{chart.name}" role="img" '
        f'aria-label="{html.escape(chart.describes)}" '
        f'style="min-height:{chart.height_px}px;min-width:{min_width_px}px">{still}</div></div>'
        f'<div class="legend" data-legend="{chart.name}"></div><figcaption>{_text(caption)}</figcaption></figure>'
    )


def _still(history: History) -> str:
    """The first chart as a picture, for where scripts do not run."""
    from tammann.plot import plot_phase_fractions

    buffer = io.BytesIO()
    figure = plot_phase_fractions(history).get_figure(root=True)
    assert figure is not None
    figure.savefig(buffer, format="png", dpi=110, facecolor="white", metadata={"Software": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="phase fractions against time" src="data:image/png;base64,{data}">'


def _table(caption: str, columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """A table of escaped texts; the flag of a column says whether it holds numbers."""
    head = "".join(f'<th{" class=n" if number else ""} scope="col">{_text(name)}</th>' for name, number in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td class=n>{_number(cell)}</td>" if number else f"<td{' class=long' * (' ' in cell)}>{_text(cell)}</td>"
            for cell, (_, number) in zip(row, columns, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption><span>{_text(caption)}</span></caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(cell: str) -> str:
    """A number and its band, which may stand on two lines but are not broken themselves."""
    return " ".join(f"<span>{_text(part)}</span>" for part in cell.replace(" (", "\n(").split("\n"))


def _stage_table(history: History) -> str:
    fractions = history.phase_fractions()
    shown = len(fractions) // history.stage.size
    last_frames = [int(np.flatnonzero(history.stage == k)[-1]) for k in np.unique(history.stage)]
    ends = [fractions.iloc[frame * shown : (frame + 1) * shown].set_index("phase") for frame in last_frames]
    order = ends[-1]["mole_fraction"].sort_values(ascending=False, kind="stable").index
    kept = [name for name in order if max(float(end.at[name, "mole_fraction"]) for end in ends) >= 0.001]
    columns = [("phase", False)]
    columns += [(f"end of step {k + 1}, {history.temperature_K[f]:.0f} K", True) for k, f in enumerate(last_frames)]
    columns += [("mass, at the end", True), ("volume, at the end", True)]
    rows = []
    for name in kept:
        cells = [str(name)]
        for end in ends:
            band = ""
            if history.realizations > 1:
                low, high = (100 * float(end.at[name, c]) for c in ("mole_fraction_low", "mole_fraction_high"))
                band = f" ({low:.1f} to {high:.1f})"
            cells.append(percent(float(end.at[name, "mole_fraction"])) + band)
        cells += [percent(float(ends[-1].at[name, c])) for c in ("mass_fraction", "volume_fraction")]
        rows.append(cells)
    return _table("Mole fractions of formula units at the end of each step: median (band)", columns, rows)


def _baseline_table(history: History, null: History | None, equilibrium: Any) -> str:
    if null is None and equilibrium is None:
        return ""
    table = beside_baselines(history, null=null, equilibrium=equilibrium, smallest=0.001)

    def cell(row: Mapping[str, Any], middle: str, low: str, high: str) -> str:
        if not np.isfinite(row[middle]):
            return "not computed"
        band = f" ({100 * row[low]:.1f} to {100 * row[high]:.1f})" if row[high] > row[low] else ""
        return percent(row[middle]) + band

    rows = [
        (
            row["phase"],
            cell(row, "median", "low", "high"),
            cell(row, "null", "null_low", "null_high"),
            cell(row, "equilibrium", "equilibrium", "equilibrium"),
            "yes" if row["differs"] else "no",
        )
        for row in table.to_dict("records")
    ]
    columns = [
        ("phase", False),
        ("this run", True),
        ("geometric null", True),
        ("plain equilibrium", True),
        ("differs from both", False),
    ]
    return _table("Final mole fractions of formula units beside the baselines", columns, rows)


def _reaction_table(flow: ReactionFlow) -> str:
    reactions = flow.reactions
    reactions = reactions[reactions["share"] >= 0.001].head(12)
    if reactions.empty:
        return ""
    rows = [
        (row["equation"], percent(row["share"]), f"{row['extent_mol']:.3g}", "no" if row["fallback"] else "yes")
        for row in reactions.to_dict("records")
    ]
    columns = [
        ("reaction", False),
        ("share of conversion", True),
        ("moles of reaction", True),
        ("transport data", False),
    ]
    return _table("Reactions by the atoms they converted, net of their reverse", columns, rows)


def _unreacted_table(history: History) -> str:
    rows = []
    for row in unreacted(history).to_dict("records"):
        band = ""
        if history.realizations > 1:
            band = f" ({100 * row['left_low']:.1f} to {100 * row['left_high']:.1f})"
        rows.append((row["phase"], percent(row["left"]) + band))
    return _table("Precursors left at the end: median (band)", [("precursor", False), ("left", True)], rows)


def _mapping_table(caption: str, values: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(str(key))}</th><td>{html.escape(_plain(value))}</td></tr>'
        for key, value in values.items()
    )
    return f'<div class="scroll"><table class="pairs"><caption><span>{html.escape(caption)}</span></caption><tbody>{rows}</tbody></table></div>'


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(_plain(v) for v in value)
    return str(value)


def _provenance(history: History, rates: Any) -> str:
    """How the rates were made, sources, and warnings of the data."""
    metadata = {**(getattr(rates, "metadata", None) or {}), **history.metadata}
    warnings = list(dict.fromkeys([*getattr(rates, "warnings", ()), *metadata.pop("warnings", ())]))
    sources = metadata.pop("sources", {})
    sources = dict(sources) if isinstance(sources, Mapping) else {"sources": sources}
    for name in [name for name in metadata if name.endswith("_source")]:
        sources[name.removesuffix("_source")] = metadata.pop(name)
    parts = [_mapping_table("How the rates were made", metadata)]
    if sources:
        parts.append(_mapping_table("Sources", sources))
    if warnings:
        parts.append("<h2>Warnings about the data</h2>" + _list(warnings))
    return "\n".join(parts)


def _list(values: Iterable[Any]) -> str:
    return "<ul>" + "".join(f"<li>{_text(_plain(value))}</li>" for value in values) + "</ul>"


def _data(name: str, text: str) -> str:
    """JSON inside the page; a closing tag in a name must not end the block."""
    return f'<script type="application/json" id="{name}">{text.replace("<", chr(92) + "u003c")}</script>'


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, compresslevel=9, mtime=0)).decode()


@cache
def _plotly() -> str:
    """The library, compressed once for all reports of a process."""
    from plotly.offline import get_plotlyjs

    return _packed(get_plotlyjs().encode())


def _slices(history: History) -> tuple[str, str]:
    """Layers of the grid of the first realization: the figure, and the data behind it."""
    lattice = history.lattice
    count = 0 if lattice is None else len(lattice.snapshots)
    if lattice is None or count == 0:
        return "", ""
    size = lattice.snapshots.shape[1]
    width = min(size, _WIDEST_SLICE)
    chosen = np.unique(np.linspace(0, count - 1, min(count, 24)).astype(int))
    depths = max(1, min(size, _MOST_CELLS // (chosen.size * width * width)))
    layers = np.unique(np.linspace(0, size - 1, depths).astype(int)) if depths > 1 else np.array([size // 2])
    cells = np.stack([lattice.snapshots[k][layers, :width, :width] for k in chosen])
    colours = phase_colours(history.phases)
    present = np.unique(cells)
    key = "".join(
        f'<span style="--swatch:{colours[name]}">{_text(name)}</span>'
        for code, name in enumerate(history.phases, start=1)
        if code in present
    )
    if 0 in present:
        key += '<span style="--swatch:transparent">empty</span>'
    info = {
        "width": width,
        "height": width,
        "size": size,
        "layers": layers.tolist(),
        "times": [moment_text(history, frame) for frame in lattice.snapshot_frame[chosen]],
        "phases": [formula_text(name) for name in history.phases],
        "colours": [colours[name] for name in history.phases],
    }
    window = f" A window of {width} x {width} cells is shown." if width < size else ""
    figure = (
        '<figure><div class="slices"><canvas id="canvas" role="img" aria-label="slice through the grid"></canvas>'
        '<div class="controls"><label><span id="slice-when"></span>'
        f'<input id="slice-time" type="range" min="0" max="{chosen.size - 1}" value="{chosen.size - 1}" step="1" '
        'aria-label="time"></label><label><span id="slice-where"></span>'
        f'<input id="slice-depth" type="range" min="0" max="{layers.size - 1}" value="{layers.size // 2}" step="1" '
        f'aria-label="depth"{" disabled" if layers.size == 1 else ""}></label>'
        f'<div class="key">{key}</div></div></div>'
        f"<figcaption>First realization; {size}³ cells. A cell has the colour of its phase, however full it is."
        f"{window}</figcaption></figure>"
    )
    data = (
        _data("grid-info", json.dumps(info))
        + f'<script type="text/plain" id="grid">{_packed(cells.tobytes())}</script>'
    )
    return figure, data
