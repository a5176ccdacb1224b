"""What the figures share: colours of phases, formulas with subscripts, a figure to draw on, a way to write it."""

from __future__ import annotations

import os
import re
import zlib
from collections import ChainMap
from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.files import whole_file
from tammann.systems import SYSTEMS, load_colours

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tammann.history import History

INK = "#222222"
FAINT = "#9A9A9A"
BACKGROUND = "#F4F4F2"
SHADE = "#EDE7D9"
"""Behind the regime of a fit."""

PALETTE = tuple(load_colours("palette").values())
ELEMENT_COLOURS = load_colours("elements")

TIME_LABELS = {
    "time_h": "time (h)",
    "sweep": "time (sweeps; not calibrated)",
    "programme_h": "time (h of the programme; not calibrated)",
}
"""Labels of the time axis, by the names that ``History.clock`` gives."""


def moment_text(history: History, frame: int) -> str:
    """Return time and temperature of a frame, such as 'sweep 120, 1300 K'."""
    name, time = history.clock
    when = f"sweep {time[frame]:.0f}" if name == "sweep" else f"{time[frame]:.2f} h"
    return f"{when}, {history.temperature_K[frame]:.0f} K"


def phase_colours(phases: Iterable[str]) -> dict[str, str]:
    """Return a colour per phase, as #rrggbb: fixed for common phases of the shipped systems, else by the formula.

    A colour that an earlier phase of the same call has is skipped while others are free, so figures of one run pass
    all its phases.

    Example:
        >>> phase_colours(["BaTiO3", "TiO2"])
        {'BaTiO3': '#0072B2', 'TiO2': '#7A7A7A'}
    """
    names = list(dict.fromkeys(phases))
    shipped = ChainMap(*(dict(system.colours) for system in SYSTEMS.values()))
    colours = {name: shipped[name] for name in names if name in shipped}
    for name in names:
        if name not in colours:
            first = zlib.crc32(name.encode()) % len(PALETTE)
            around = PALETTE[first:] + PALETTE[:first]
            colours[name] = next((c for c in around if c not in colours.values()), around[0])
    return {name: colours[name] for name in names}


def formula_label(formula: str) -> str:
    r"""Return a formula with subscripts, as matplotlib's mathtext.

    Example:
        >>> formula_label("BaTiO3")
        '$\\mathregular{BaTiO_{3}}$'
    """
    if not re.fullmatch(r"[A-Za-z0-9.()\[\]]+", formula):
        return formula.replace("$", r"\$")
    return r"$\mathregular{" + re.sub(r"(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)", r"_{\1}", formula) + "}$"


def atoms_of(formula: str) -> dict[str, int]:
    """Return the atoms per formula unit; nothing for a name that is no formula."""
    from tammann.composition import parse_formula

    try:
        return parse_formula(formula)
    except DataError:
        return {}


def new_axes(width_in: float = 6.0, height_in: float = 4.0) -> Axes:
    """Return axes on a figure of their own."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained").add_subplot()


def tidy(ax: Axes, *, grid: str | None = "y") -> None:
    """Take away what carries no information."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(color=FAINT, labelcolor=INK, labelsize=9)
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(axis=grid, color="#E6E6E3", linewidth=0.7)  # type: ignore[arg-type]


def rising(values: Sequence[float]) -> np.ndarray:
    """Return the nearest sequence that never falls: neighbours that do are pooled (isotonic regression)."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values).x) if len(values) else np.empty(0)


def spread_out(wanted: ArrayLike, least: float, low: float, high: float) -> np.ndarray:
    """Move positions apart by at least ``least``, each as little as possible, within [low, high] if they fit."""
    places = np.asarray(wanted, dtype=float)
    order = np.argsort(places, kind="stable")
    steps = least * np.arange(places.size)
    placed = np.empty_like(places)
    placed[order] = np.clip(rising(places[order] - steps), low, max(low, high - least * (places.size - 1))) + steps
    return placed


def along_products(ax: Axes, formulas: Iterable[str]) -> list[str]:
    """Name products along the horizontal axis, by the falling share of the first element among all but oxygen."""
    cations = {name: {s: n for s, n in atoms_of(name).items() if s != "O"} for name in formulas}
    element = min((symbol for count in cations.values() for symbol in count), default="O")
    names = sorted(cations, key=lambda name: -cations[name].get(element, 0) / max(sum(cations[name].values()), 1))
    tidy(ax)
    ax.set_xticks(
        range(len(names)), [formula_label(name) for name in names], rotation=45, ha="right", rotation_mode="anchor"
    )
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_xlabel(f"product, {element}-rich to {element}-poor")
    return names


def temperature_colours(number: int) -> list[Any]:
    """Return a colour for each temperature, from cold blue to hot orange, each dark enough on white."""
    from matplotlib import colormaps

    return [colormaps["plasma"](v) for v in np.linspace(0.0, 0.78, max(number, 2))][:number]


def species_colours(species: Sequence[str]) -> dict[str, str]:
    """Return a colour each: that of the element where it has one, another that is free where not."""
    free = cycle(["#0072B2", "#E69F00", "#CC79A7", "#882255", "#6699CC", "#B8860B"])
    colours = ELEMENT_COLOURS | {symbol: next(free) for symbol in sorted(set(species) - set(ELEMENT_COLOURS))}
    return {symbol: colours[symbol] for symbol in species}


def shade_span(ax: Axes, span: tuple[float, float]) -> None:
    """Shade and name the times of a fit, on a logarithmic axis whose limits are set."""
    left, right = ax.get_xlim()
    start, stop = max(span[0], left), min(span[1], right)
    ax.axvspan(start, stop, color=SHADE, linewidth=0, zorder=0)
    where = ((start * stop) ** 0.5, 0.015)
    ax.annotate("fit", where, xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8, color="#6F6A5C")


def label_ends(ax: Axes, ends: list[tuple[float, str, str]], large: bool, gone: Sequence[tuple[str, str]] = ()) -> None:
    """Name lines at their right ends, moved apart where they end close together.

    Args:
        ax: Whose limits are set.
        ends: Value, text and colour of each line.
        large: Letters of a figure rather than of a panel.
        gone: Text and colour of lines that have fallen to nothing; they are listed where there is room between others.
    """
    size = 9.5 if large else 8.5
    figure = ax.get_figure(root=True)
    assert figure is not None
    height = ax.get_position().height * figure.get_figheight() * 72
    across, least = ax.transAxes, 1.4 * size / height
    to_axes = ax.transData + ax.transAxes.inverted()
    wanted = [float(np.clip(to_axes.transform((ax.get_xlim()[1], value))[1], 0, 1)) for value, _, _ in ends]
    places = spread_out(wanted, least, 0.0, 1.0)
    bounds = np.sort([-least / 2, *places, 1.0 + least / 2])
    room = np.diff(bounds)
    listed = bool(gone) and room.max() >= least * (len(gone) + 2)
    if gone and not listed:
        ends = [*ends, *((ax.get_ylim()[0], *one) for one in gone)]
        label_ends(ax, ends, large)
        return
    for (_, text, colour), value, place in zip(ends, wanted, places, strict=True):
        ax.plot([1.0, 1.03], [value, place], color=colour, linewidth=0.8, transform=across, clip_on=False)
        ax.text(1.04, place, text, color=colour, fontsize=size, va="center_baseline", transform=across)
    if not listed:
        return
    widest = int(room.argmax())
    top = 0.5 * (bounds[widest] + bounds[widest + 1]) + 0.5 * least * len(gone)
    for line, (text, colour) in enumerate([("gone by the end:", FAINT), *gone]):
        ax.text(1.04, top - least * line, text, color=colour, fontsize=size - (line == 0), va="center_baseline",
                transform=across)  # fmt: skip


def legend_above(ax: Axes, handles: Sequence[Artist], **spacing: Any) -> None:
    """Explain lines and marks above the axes, from the left."""
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, fontsize=8.5, **spacing)


def only_powers(axis: Any) -> None:
    """Drop the numbers between powers of ten where two of these are on the axis: in small panels they would touch."""
    from matplotlib.ticker import NullFormatter

    low, high = sorted(axis.get_view_interval())
    if np.floor(np.log10(high) + 1e-9) > np.ceil(np.log10(low) - 1e-9):
        axis.set_minor_formatter(NullFormatter())


def temperature_strip(ax: Axes, x: np.ndarray, temperature_K: np.ndarray, *, height: float = 0.2) -> Axes:
    """Draw the temperature programme in a strip above the axes, whose limits are set, and mark where holds end.

    Args:
        ax: Below; the strip is its child.
        x: Times, shape (F,), as on its horizontal axis.
        temperature_K: Shape (F,), K.
        height: Of the strip, as a share of that of the axes.
    """
    strip = ax.inset_axes((0, 1.0 + 0.2 * height, 1, height), sharex=ax)
    strip.fill_between(x, temperature_K, 250, color="#C8553D", alpha=0.12, linewidth=0)
    strip.plot(x, temperature_K, color="#C8553D", linewidth=1.4)
    tidy(strip, grid=None)
    strip.tick_params(labelbottom=False, bottom=False, labelsize=8)
    strip.set_ylim(250, max(float(temperature_K.max()) * 1.12, 300))
    holds = _holds(x, temperature_K)
    strip.set_yticks(_apart([round(float(temperature_K[0])), *(round(t) for _, t in holds)], strip.get_ylim()))
    strip.set_ylabel("T (K)", fontsize=9, color=INK)
    for place, _ in holds[:-1]:
        for one in (strip, ax):
            one.axvline(place, color=FAINT, linewidth=0.7, linestyle=(0, (2, 3)), zorder=0)
    return strip


def _apart(values: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """Return the highest and lowest value and those between that leave room for their numbers."""
    kept: list[float] = []
    for value in sorted(set(values), key=lambda v: (-abs(v - 0.5 * (max(values) + min(values))), -v)):
        if all(abs(value - other) > 0.2 * (limits[1] - limits[0]) for other in kept):
            kept.append(value)
    return sorted(kept)


def _holds(x: np.ndarray, temperature_K: np.ndarray) -> list[tuple[float, float]]:
    """Return where each hold ends, and its temperature; the highest and last temperatures if there is no hold."""
    flat = np.abs(np.diff(temperature_K)) < 1e-6
    ends = [k for k in range(1, x.size) if flat[k - 1] and (k == x.size - 1 or not flat[k])]
    if not ends:
        ends = sorted({int(temperature_K.argmax()), x.size - 1})
    return [(float(x[k]), float(temperature_K[k])) for k in ends]


def save_figure(figure: Axes | Figure, path: str | os.PathLike[str], *, dpi: int = 200) -> None:
    """Write a figure, or the one that an Axes belongs to; the ending of the name says which format.

    The file appears whole or not at all, and holds no date, so that the same figure drawn anew gives the same bytes.

    Example:
        >>> import tempfile, pathlib
        >>> ax = new_axes()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_figure(ax, pathlib.Path(folder) / "empty.png")
        ...     [file.name for file in pathlib.Path(folder).iterdir()]
        ['empty.png']
    """
    from matplotlib import rc_context

    whole = figure if hasattr(figure, "savefig") else figure.get_figure(root=True)
    assert whole is not None
    kind = Path(path).suffix.lstrip(".").lower() or "png"
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    # Without a salt of its own an SVG has identifiers drawn at random.
    with whole_file(path) as file, rc_context({"svg.hashsalt": "tammann"}):
        whole.savefig(file, format=kind, dpi=dpi, metadata=metadata, facecolor="white")
