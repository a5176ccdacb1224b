"""Orderings over their compositions: energies of formation with the hull, and maps of what is stable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, PALETTE, legend_above, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.thermo.composition_hull import CompositionHull

MEV = 1000.0
HEIGHT = np.sqrt(3.0) / 2.0
"""Of a triangle of edge 1."""


def plot_formation_energies(
    hull: CompositionHull,
    share: tuple[str, Sequence[str]],
    *,
    series: tuple[str, Sequence[str]] | None = None,
    per: Literal["atom", "formula"] = "atom",
    kept: ArrayLike | None = None,
    which: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw energies of formation against a share: every structure a dot, the lowest of each composition a circle.

    Circles are filled where the structure is on the hull of the whole system. A line joins the lowest structures of a
    series that are convex among themselves; that through filled circles alone is the hull of a pseudo-binary system.

    Args:
        hull: As ``composition_hull`` returns it.
        share: An element and those it is a share of, such as ``("Br", ("Br", "Cl"))``: the horizontal axis.
        series: Another one, each of whose values is a series with its own colour, for a system of two shares.
        per: Energies per atom or per formula unit.
        kept: Numbers of structures to mark with a cross, such as those selected.
        which: Numbers of the structures to draw, such as all but those that only compete; all where None.
        ax: Where to draw; on a new figure where None.

    Raises:
        DataError: No structure has an energy of formation, or as ``CompositionHull.share``.

    Example:
        >>> from tammann.thermo.composition_hull import composition_hull
        >>> hull = composition_hull(["LiCl", "LiBr", "Li2BrCl"], [-8.0, -7.0, -15.1])
        >>> plot_formation_energies(hull, ("Br", ("Br", "Cl"))).get_ylabel()
        'energy of formation (meV/atom)'
    """
    energy = MEV * (hull.formation_eV_per_atom if per == "atom" else hull.formation_eV_per_formula)
    x = hull.share(*share)
    key = hull.share(*series).round(6) if series else np.zeros(len(hull))
    there = np.isfinite(energy) & np.isfinite(x) & np.isfinite(key)
    if which is not None:
        there &= np.isin(np.arange(len(hull)), which)
    if not there.any():
        raise DataError("hull: expected structures with an energy of formation and this share, got none.")
    ax = ax or new_axes(6.4, 4.2)
    handles: list[Any] = []
    values = np.unique(key[there])
    for colour, value in zip(_colours(len(values)), values, strict=True):
        own = there & (key == value)
        ax.plot(x[own], energy[own], ".", color=colour, markersize=3.5, alpha=0.45, linewidth=0, zorder=2)
        low = np.flatnonzero(own & hull.lowest)
        low = low[np.argsort(x[low])]
        # of total energies: the reference of a reciprocal system is not linear along a series
        corners = low[_convex(x[low], hull.energies_eV_per_atom[low])]
        name = f"{series[0]} {value:.3g}" if series else "lowest"
        ax.plot(x[corners], energy[corners], color=colour, linewidth=1.2, zorder=3)
        for stable in (False, True):
            some = low[hull.stable[low] == stable]
            face = colour if stable else "white"
            ax.plot(
                x[some], energy[some], "o", color=colour, markerfacecolor=face, markersize=6, zorder=4, clip_on=False
            )
        handles += ax.plot([], [], "o-", color=colour, markersize=6, label=name)
    if kept is not None:
        chosen = np.asarray(kept)
        handles += ax.plot(x[chosen], energy[chosen], "x", label="selected", color=INK, markersize=5, zorder=5)
    handles += ax.plot([], [], "o", color=INK, markersize=6, label="on the hull")
    handles += ax.plot([], [], "o", color=INK, markerfacecolor="white", markersize=6, label="above it")
    tidy(ax)
    ax.axhline(0.0, color=FAINT, linewidth=0.8, zorder=1)
    ax.set_xlabel(_share_label(*share))
    ax.set_ylabel(f"energy of formation (meV/{'atom' if per == 'atom' else 'formula unit'})")
    legend_above(ax, handles, ncols=min(len(handles), 4))
    return ax


def plot_composition_map(
    shares: ArrayLike,
    above_hull_eV: ArrayLike,
    *,
    labels: Sequence[str],
    values: ArrayLike | None = None,
    value_label: str = "",
    limit_eV: float = 1e-7,
    named: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw compositions on a square of two shares, or in a triangle of three, with a property as contours.

    Stable compositions are filled circles, others open ones with their energy above the hull in meV beside them.

    Args:
        shares: Of each composition, shape (n, 2), or (n, 3) with rows that sum to 1.
        above_hull_eV: Of the lowest structure of each composition, shape (n,), eV per atom or per formula.
        labels: Of the two axes, or of the three corners.
        values: A property of each composition, shape (n,), such as log10 of a conductivity; NaN where it is not known.
        value_label: Name and unit of the property.
        limit_eV: Up to which energy above the hull a composition counts as stable.
        named: Whether to write the energies above the hull.
        ax: Where to draw; on a new figure where None.

    Raises:
        DataError: Shapes that do not fit, or shares that do not sum to 1.

    Example:
        >>> corners = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> ax = plot_composition_map(corners, [0, 0, 0, 0.01], labels=("Y share", "Br share"))
        >>> ax.get_xlabel(), ax.texts[0].get_text()
        ('Y share', '10')
    """
    from matplotlib.patheffects import withStroke

    points, above = np.asarray(shares, dtype=float), np.asarray(above_hull_eV, dtype=float)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or above.shape != (len(points),):
        raise DataError(f"shares: expected shape (n, 2) or (n, 3), and n energies, got {points.shape}, {above.shape}.")
    if len(labels) != points.shape[1]:
        raise DataError(f"labels: expected {points.shape[1]}, got {len(labels)}.")
    ax = ax or new_axes(5.6, 4.6)
    if points.shape[1] == 3:
        if not np.allclose(points.sum(axis=1), 1.0, atol=1e-6):
            raise DataError("shares: expected three that sum to 1 at each composition.")
        # corners at the lower left, the lower right and the top
        points = np.stack([points[:, 1] + 0.5 * points[:, 2], HEIGHT * points[:, 2]], axis=1)
        _triangle(ax, labels)
    else:
        tidy(ax, grid=None)
        ax.set_xlabel(labels[0])
        ax.set_ylabel(labels[1])
        ax.set_xlim(-0.06, 1.06)
        ax.set_ylim(-0.06, 1.06)
    if values is not None:
        _contours(ax, points, np.asarray(values, dtype=float), value_label)
    stable = above <= limit_eV
    common: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 7, "color": INK, "zorder": 4}
    handles = [
        *ax.plot(*points[stable].T, label="stable", clip_on=False, **common),
        *ax.plot(*points[~stable].T, label="metastable", markerfacecolor="white", clip_on=False, **common),
    ]
    halo = [withStroke(linewidth=2.0, foreground="white")]
    for (x, y), energy in zip(points[~stable & named], above[~stable & named], strict=True):
        text = f"{MEV * energy:.3g}"
        ax.annotate(text, (x, y), (5, 5), textcoords="offset points", fontsize=8, color=INK, path_effects=halo)
    note = "metastable, meV above the hull" if named and (~stable).any() else "metastable"
    handles[1].set_label(note)
    legend_above(ax, handles if (~stable).any() else handles[:1], ncols=2)
    return ax


def plot_composition_line(
    shares: ArrayLike,
    values: ArrayLike,
    above_hull_eV: ArrayLike,
    *,
    label: str,
    value_label: str,
    band: tuple[ArrayLike, ArrayLike] | None = None,
    limit_eV: float = 1e-7,
    ax: Axes | None = None,
) -> Axes:
    """Draw a property against a share along a pseudo-binary line, logarithmically.

    Stable compositions are filled circles, others open ones with their energy above the hull in meV beside them.

    Args:
        shares: Of each composition, shape (n,).
        values: The property, shape (n,), above zero; NaN where it is not known.
        above_hull_eV: Of the lowest structure of each composition, shape (n,), eV per atom or per formula.
        label: Of the horizontal axis.
        value_label: Name and unit of the property.
        band: Lower and upper limits of the property, shape (n,) each.
        limit_eV: Up to which energy above the hull a composition counts as stable.
        ax: Where to draw; on a new figure where None.

    Raises:
        DataError: Shapes that do not fit, or no property is known.

    Example:
        >>> ax = plot_composition_line([0, 0.5, 1], [1e-3, 2e-3, 1e-4], [0, 0.01, 0], label="Br", value_label="S/cm")
        >>> ax.texts[0].get_text()
        '10'
    """
    x, y, above = (np.asarray(each, dtype=float) for each in (shares, values, above_hull_eV))
    if x.ndim != 1 or y.shape != x.shape or above.shape != x.shape:
        raise DataError(f"values: expected shape ({x.size},), and so many energies, got {y.shape} and {above.shape}.")
    known = np.isfinite(y) & (y > 0)
    if not known.any():
        raise DataError("values: expected one that is known and above zero, got none.")
    order = np.flatnonzero(known)[np.argsort(x[known], kind="stable")]
    ax = ax or new_axes(5.6, 4.0)
    ax.plot(x[order], y[order], color=FAINT, linewidth=1.0, zorder=2)
    if band is not None:
        low, high = (np.asarray(each, dtype=float)[order] for each in band)
        ax.vlines(x[order], low, high, color=INK, linewidth=1.0, zorder=3)
    stable = above[order] <= limit_eV
    common: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 7, "color": INK, "zorder": 4}
    handles = [
        *ax.plot(x[order][stable], y[order][stable], label="stable", **common),
        *ax.plot(x[order][~stable], y[order][~stable], label="metastable, meV above the hull", markerfacecolor="white",
                 **common),
    ]  # fmt: skip
    for k in order[~stable]:
        ax.annotate(f"{MEV * above[k]:.3g}", (x[k], y[k]), (6, 5), textcoords="offset points", fontsize=8, color=INK)
    ax.set_yscale("log")
    ax.set_xlim(-0.05, 1.05)
    ax.set_xlabel(label)
    ax.set_ylabel(value_label)
    tidy(ax)
    legend_above(ax, handles if (~stable).any() else handles[:1], ncols=2)
    return ax


def _colours(number: int) -> list[Any]:
    from matplotlib import colormaps

    if number <= len(PALETTE):
        return list(PALETTE[:number])
    return [colormaps["viridis"](v) for v in np.linspace(0.0, 0.9, number)]


def _convex(x: np.ndarray, y: np.ndarray) -> list[int]:
    """Return which points, in order of x, are on the lower convex hull."""
    kept: list[int] = []
    for k in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2:]
            if (y[b] - y[a]) * (x[k] - x[a]) < (y[k] - y[a]) * (x[b] - x[a]):
                break
            kept.pop()
        kept.append(k)
    return kept


def _share_label(element: str, among: Sequence[str]) -> str:
    return f"{element} / ({' + '.join(among)})"


def _triangle(ax: Axes, labels: Sequence[str]) -> None:
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.plot([0, 1, 0.5, 0], [0, 0, HEIGHT, 0], color=INK, linewidth=1.0, zorder=3)
    for share in (0.25, 0.5, 0.75):
        for a, b in (
            ((share, 0), (0.5 + share / 2, HEIGHT * (1 - share))),
            ((share, 0), (share / 2, HEIGHT * share)),
            ((share / 2, HEIGHT * share), (1 - share / 2, HEIGHT * share)),
        ):
            ax.plot(*zip(a, b, strict=True), color=FAINT, linewidth=0.6, zorder=2)
    for label, (x, y), (dx, dy) in zip(
        labels, ((0, 0), (1, 0), (0.5, HEIGHT)), ((0, -0.05), (0, -0.05), (0, 0.03)), strict=True
    ):
        across: Any = "center"
        ax.text(x + dx, y + dy, label, ha=across, va="top" if dy < 0 else "bottom", fontsize=9.5, color=INK)
    ax.set_xlim(-0.08, 1.08)
    ax.set_ylim(-0.12, HEIGHT + 0.1)


def _contours(ax: Axes, points: np.ndarray, values: np.ndarray, label: str) -> None:
    if values.shape != (len(points),):
        raise DataError(f"values: expected {len(points)}, got shape {values.shape}.")
    known = np.isfinite(values)
    spread = points[known] - points[known].mean(axis=0) if known.any() else points[:0]
    if known.sum() < 3 or np.linalg.matrix_rank(spread, tol=1e-9) < 2:
        raise DataError("values: expected at least three that are known, not on one line, for contours.")
    x, y, z = points[known, 0], points[known, 1], values[known]
    drawn = ax.tricontourf(x, y, z, levels=12, cmap="YlGnBu", zorder=0.5)
    ax.tricontour(x, y, z, levels=12, colors="white", linewidths=0.4, zorder=0.6)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.colorbar(drawn, ax=ax, label=label, shrink=0.85)
