"""Sets of precursors on two criteria."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, SHADE, atoms_of, formula_label, legend_above, new_axes, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

AXES = {
    "driving_force_meV_per_atom": "driving force (meV/atom)",
    "lead_meV_per_atom": "lead over the strongest competitor (meV/atom)",
    "primary_competition_meV_per_atom": "primary competition $C_1$ (meV/atom)",
    "secondary_competition_meV_per_atom": "secondary competition $C_2$ (meV/atom)",
    "inverse_hull_energy_meV_per_atom": "inverse-hull energy (meV/atom)",
    "competing_phases": "competing phases",
}
"""Criteria that can be drawn, and their labels."""

ROUTES = {
    "oxides": ("#0072B2", "o"),
    "carbonate": ("#009E73", "s"),
    "hydroxide or nitrate": ("#56B4E9", "D"),
    "halide": ("#D55E00", "^"),
    "metathesis": ("#CC79A7", "v"),
}
"""Colour and mark of each family of sets."""

CONTROL_MEV_PER_ATOM = 60.0
MOST_LABELS = 12


def route_of(reacts_as: str, by_product: str) -> str:
    """Return the family of a set, from the solids that react.

    Example:
        >>> route_of("SrCO3 + TiO2", ""), route_of("SrCl2 + TiO2 + Na2CO3", "NaCl")
        ('carbonate', 'metathesis')
    """
    if by_product:
        return "metathesis"
    elements = {e for formula in reacts_as.split(" + ") for e in atoms_of(formula)}
    for route, marks in (
        ("halide", {"F", "Cl", "Br", "I"}),
        ("hydroxide or nitrate", {"H", "N"}),
        ("carbonate", {"C"}),
    ):
        if elements & marks:
            return route
    return "oxides"


def plot_precursors(
    table: pd.DataFrame,
    *,
    x: str = "driving_force_meV_per_atom",
    y: str = "lead_meV_per_atom",
    target: str = "",
    labels: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Draw sets of precursors on two criteria, one mark for those that react as the same solids.

    Filled marks are of Pareto rank 1 on all criteria; bars are standard errors where the table has them. With the lead
    on the vertical axis the band above 60 meV/atom is shaded, in which the first product of 37 pairs was the one of
    largest driving force (Szymanski et al., Sci. Adv. 2024, 10, eadp3309).

    Args:
        table: What ``rank_precursors`` returns.
        x: Column on the horizontal axis.
        y: Column on the vertical axis.
        target: Formula for the title.
        labels: How many sets are named, the first of the table.
        ax: Where to draw, a figure of its own if None.

    Raises:
        DataError: A column is no criterion, or no set has both.

    Example:
        >>> from tammann.synthesis import precursor_sets, rank_precursors
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> table = rank_precursors(phases, precursor_sets(phases, "BaTiO3"))
        >>> plot_precursors(table, target="BaTiO3").get_xlabel()
        'driving force (meV/atom)'
    """
    for name, column in (("x", x), ("y", y)):
        if column not in AXES:
            raise DataError(f"{name}: {column!r} is no criterion to draw: expected {', '.join(AXES)}.")
    points = table.drop_duplicates(["reacts_as", "by_product"])
    points = points[np.isfinite(points[x].astype(float)) & np.isfinite(points[y].astype(float))].reset_index(drop=True)
    if points.empty:
        raise DataError(f"table: no set of precursors has both {x} and {y}.")
    ax = ax or new_axes(6.6, 4.6)
    routes = [route_of(r, b) for r, b in zip(points["reacts_as"], points["by_product"], strict=True)]
    for k, route in enumerate(routes):
        _draw_point(ax, points.iloc[k], x, y, route)
    ax.margins(0.12, 0.14)
    if y == "lead_meV_per_atom":
        low, high = ax.get_ylim()
        top = max(high, CONTROL_MEV_PER_ATOM + 0.12 * (high - low))
        ax.axhspan(CONTROL_MEV_PER_ATOM, top, color=SHADE, linewidth=0, zorder=0)
        ax.axhline(0.0, color=FAINT, linewidth=0.8, zorder=0.5)
        ax.set_ylim(low, top)
        words = f"from {CONTROL_MEV_PER_ATOM:g} meV/atom the first product follows from thermodynamics"
        ax.annotate(words, (1, 1), (-4, -4), xycoords="axes fraction", textcoords="offset points", ha="right", va="top",
                    fontsize=8, color="#6F6A5C")  # fmt: skip
    ax.set_xlabel(AXES[x])
    ax.set_ylabel(AXES[y])
    tidy(ax)
    _explain(ax, routes, surpassed=bool((points["pareto_rank"] > 1).any()))
    if target:
        ax.set_title(f"precursors of {formula_label(target)}", loc="right", fontsize=9, color=INK)
    _name(ax, points, x, y, min(labels, MOST_LABELS))
    return ax


def _draw_point(ax: Axes, row: pd.Series, x: str, y: str, route: str) -> None:
    colour, mark = ROUTES[route]
    error = {name: row.get(name.replace("_meV", "_error_meV"), np.nan) for name in (x, y)}
    ax.errorbar(
        row[x], row[y],
        xerr=error[x] if np.isfinite(error[x]) else None, yerr=error[y] if np.isfinite(error[y]) else None,
        fmt=mark, markersize=6.5, color=colour, markerfacecolor=colour if row["pareto_rank"] == 1 else "white",
        elinewidth=1.0, ecolor=(*_rgb(colour), 0.3), zorder=4 - 0.01 * row["pareto_rank"],
    )  # fmt: skip


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def _explain(ax: Axes, routes: list[str], *, surpassed: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker=mark, linestyle="", color=colour, label=route)
        for route, (colour, mark) in ROUTES.items()
        if route in routes
    ]
    for face, text in ((INK, "Pareto rank 1"), ("white", "surpassed"))[: 1 + surpassed]:
        handles.append(Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=face, label=text))
    legend_above(ax, handles, ncols=5 if len(handles) <= 5 else 4, columnspacing=1.2, handletextpad=0.2)


def _name(ax: Axes, points: pd.DataFrame, x: str, y: str, number: int) -> None:
    """Name the first sets beside their marks, where names cover neither each other nor marks and bars."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    taken = _marks_and_bars(ax, points, x, y)
    frame = ax.get_window_extent()
    pixels = figure.dpi / 72.0
    names: list[tuple[float, float, float, float]] = []
    pointers: list[tuple[float, float, float, float]] = []
    for k in range(min(number, len(points))):
        label = " + ".join(formula_label(f) for f in str(points["reacts_as"][k]).split(" + "))
        here = float(points[x][k]), float(points[y][k])
        text = ax.annotate(label, here, (0, 0), textcoords="offset points", fontsize=8, color=INK)
        box = text.get_window_extent()
        text.remove()
        px, py = ax.transData.transform(here)
        best = None
        for distance in (8.0, 15.0, 24.0, 34.0, 46.0):
            for angle in np.deg2rad([0, 180, 30, 150, -30, -150, 60, 120, -60, -120, 90, -90]):
                dx, dy = distance * np.cos(angle) * pixels, distance * np.sin(angle) * pixels
                left = px + dx - (box.width if np.cos(angle) < -0.1 else 0.5 * box.width * (abs(np.cos(angle)) < 0.1))
                low = py + dy - 0.5 * box.height
                edges = (left, low, left + box.width, low + box.height)
                outside = edges[0] < frame.x0 or edges[2] > frame.x1 or edges[1] < frame.y0 or edges[3] > frame.y1
                clash = sum(_overlap(edges, other) for other in taken) + 1e5 * outside + 0.02 * distance
                clash += sum(_overlap(part, name) for part in _pointer((px, py), edges) for name in names)
                clash += sum(_overlap(edges, part) for part in pointers)
                if best is None or clash < best[0]:
                    best = clash, edges, distance
        if best is None or best[0] > 40.0:
            continue
        _, edges, distance = best
        middle = (0.5 * (edges[0] + edges[2]) - px) / pixels, (0.5 * (edges[1] + edges[3]) - py) / pixels
        arrow = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
        ax.annotate(label, here, middle, textcoords="offset points", ha="center", va="center", fontsize=8, color=INK,
                    arrowprops=arrow if distance > 10 else None, zorder=5)  # fmt: skip
        taken.append(edges)
        names.append(edges)
        pointers += _pointer((px, py), edges)


def _pointer(
    here: tuple[float, float], box: tuple[float, float, float, float]
) -> list[tuple[float, float, float, float]]:
    """Return small boxes along the line from a mark to the middle of its name, pixels."""
    parts = []
    for share in np.linspace(0.0, 1.0, 21):
        px = (1 - share) * here[0] + share * 0.5 * (box[0] + box[2])
        py = (1 - share) * here[1] + share * 0.5 * (box[1] + box[3])
        parts.append((px - 3, py - 3, px + 3, py + 3))
    return parts


def _marks_and_bars(ax: Axes, points: pd.DataFrame, x: str, y: str) -> list[tuple[float, float, float, float]]:
    """Return boxes around the marks and their bars, and around texts that are there, pixels."""
    at = ax.transData.transform(points[[x, y]].to_numpy(float))
    boxes = []
    for k, (px, py) in enumerate(at):
        boxes.append((px - 7, py - 7, px + 7, py + 7))
        for column, other in ((x, 0), (y, 1)):
            error = float(points[k : k + 1].get(column.replace("_meV", "_error_meV"), points[x] * np.nan).iloc[0])
            if np.isfinite(error):
                shift = [0.0, 0.0]
                shift[other] = error
                far = ax.transData.transform(points.loc[k, [x, y]].to_numpy(float) + shift)
                wide, high = abs(far[0] - px) + 1.0, abs(far[1] - py) + 1.0
                boxes.append((px - wide, py - high, px + wide, py + high))
    for text in ax.texts:
        box = text.get_window_extent()
        boxes.append((box.x0, box.y0, box.x1, box.y1))
    return boxes


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Return the area that two boxes share, pixels."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)
