"""The page as HTML: its frame, and the elements that it is put together from.

Frame, style and script stand in ``page.html``, ``page.css`` and ``page.js`` beside this file. The page needs no
network: data, script and the charting library are inside it, and its content security policy keeps a browser from
fetching anything. The library is compressed, which browsers from 2023 on can undo; older ones show tables and a still
picture.
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from tammann.report.charts import Chart
from tammann.report.sentences import formula_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Panel = tuple[str, "Axes"]
"""What a figure shows in one sentence, and its axes."""


def fill(name: str, /, **values: object) -> str:
    """Return a fragment of HTML, ``NAME.html`` beside this file, with its placeholders filled."""
    return Template(_file(f"{name}.html").replace("\n<", "<").strip()).substitute(values)


def page_html(title: str, sections: Iterable[str], blocks: Iterable[str]) -> str:
    """Return the whole page: sections of HTML from top to bottom, empty ones left out, and blocks of ``data_block``.

    Without blocks there are no charts, and the page has no script.
    """
    blocks = list(blocks)
    plotly, script = (_plotly(), _file("page.js")) if blocks else ("", "")
    inside = {"sections": "\n".join(filter(None, sections)), "blocks": "\n".join(blocks), "plotly": plotly}
    code = {"style": _file("page.css"), "script": script}
    return Template(_file("page.html")).substitute(title=html.escape(title), **inside, **code)


def _file(name: str) -> str:
    return files("tammann.report").joinpath(name).read_text("utf-8")


@cache
def _plotly() -> str:
    """Return the charting library, compressed once for all reports of a process."""
    from plotly.offline import get_plotlyjs

    return _packed(get_plotlyjs().encode())


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, compresslevel=9, mtime=0)).decode()


def data_block(name: str, data: bytes | Mapping[str, Any]) -> str:
    """Return data inside the page: bytes compressed, anything else as JSON."""
    if isinstance(data, bytes):
        return f'<script type="text/plain" id="{name}">{_packed(data)}</script>'
    text = json.dumps(data).replace("<", r"\u003c")  # a closing tag in a name must not end the block
    return f'<script type="application/json" id="{name}">{text}</script>'


def chart_blocks(charts: Mapping[str, Any]) -> list[str]:
    """Return the charts inside the page, what sliders move through compressed beside the rest."""
    plain = {
        name: {**chart, "variants": [{k: v for k, v in one.items() if k != "frames"} for one in chart["variants"]]}
        for name, chart in charts.items()
    }
    frames = {
        name: [one["frames"] for one in chart["variants"]]
        for name, chart in charts.items()
        if any("frames" in one for one in chart["variants"])
    }
    blocks = [data_block("charts", plain)]
    if frames:
        blocks.append(data_block("frames", json.dumps(frames).encode()))
    return blocks


def text_html(text: str) -> str:
    """Return a text escaped, with subscripts in formulas."""
    return html.escape(formula_text(text))


def list_html(values: Iterable[str]) -> str:
    """Return a list of texts."""
    return "<ul>" + "".join(f"<li>{text_html(value)}</li>" for value in values) + "</ul>"


def figure_html(chart: Chart, caption: str, *, still: str = "", min_width_px: int = 0) -> str:
    """Return a card with a chart, which the script draws, its legend and a caption.

    ``still`` is an ``img`` for where scripts do not run; in a card narrower than ``min_width_px`` the chart scrolls.
    """
    variants = chart.variants if len(chart.variants) > 1 else ()
    buttons = "".join(
        f'<button type="button" aria-pressed="{str(k == 0).lower()}">{text_html(v["label"])}</button>'
        for k, v in enumerate(variants)
    )
    frames = [variant["frames"] for variant in chart.variants if "frames" in variant]
    slider = ""
    if frames:
        slider = (
            f'<label class="time"><span data-when="{chart.name}"></span><input type="range" data-time="{chart.name}" '
            f'min="0" max="{len(frames[0]) - 1}" value="{chart.variants[0]["at"]}" step="1" aria-label="time"></label>'
        )
    return fill(
        "chart",
        name=chart.name,
        buttons=buttons,
        slider=slider,
        describes=html.escape(chart.describes),
        height=chart.height_px,
        width=min_width_px,
        still=still,
        caption=text_html(caption),
    )


def panels_html(panels: Sequence[Panel]) -> str:
    """Return figures of matplotlib in as many columns as there is room for, each with its sentence."""
    cards = []
    for caption, ax in panels:
        described = html.escape(caption)
        cards.append(
            f'<figure><img alt="{described}" src="{_picture(ax)}">'
            f"<figcaption>{text_html(caption)}</figcaption></figure>"
        )
    return f'<div class="panels">{"".join(cards)}</div>' if cards else ""


def _picture(ax: Axes) -> str:
    """Return a figure as SVG in a data address."""
    from matplotlib import rc_context

    figure: Any = ax.get_figure(root=True)
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "tammann"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, facecolor="white")
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


def table_html(caption: str, columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts; the flag of a column says whether it holds numbers."""
    head = "".join(f'<th{" class=n" if number else ""} scope="col">{text_html(name)}</th>' for name, number in columns)
    body = "".join(
        "<tr>" + "".join(_cell(cell, number) for cell, (_, number) in zip(row, columns, strict=True)) + "</tr>"
        for row in rows
    )
    return _scrolling(caption, f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


def _cell(cell: str, number: bool) -> str:
    if not number:
        return f"<td{' class=long' * (' ' in cell)}>{text_html(cell)}</td>"
    # a number and its band may stand on two lines but are not broken themselves
    parts = cell.replace(" (", "\n(").split("\n")
    return "<td class=n>" + " ".join(f"<span>{text_html(part)}</span>" for part in parts) + "</td>"


def pairs_html(caption: str, values: Mapping[str, Any]) -> str:
    """Return a table of names and values, as they stand in a summary."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(str(key))}</th><td>{html.escape(_in_words(value))}</td></tr>'
        for key, value in values.items()
    )
    return _scrolling(caption, f"<tbody>{rows}</tbody>", kind=" class=pairs")


def _scrolling(caption: str, inside: str, *, kind: str = "") -> str:
    title = f"<caption><span>{text_html(caption)}</span></caption>"
    return f'<div class="scroll"><table{kind}>{title}{inside}</table></div>'


def _in_words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_in_words(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(_in_words(v) for v in value)
    return str(value)
