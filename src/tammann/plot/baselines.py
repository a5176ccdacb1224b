"""Final phase fractions beside the two baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tammann.analysis import beside_baselines
from tammann.analysis.fractions import null_name
from tammann.plot.style import BACKGROUND, FAINT, INK, formula_label, legend_above, new_axes, phase_colours, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from tammann.history import History


def plot_baselines(
    history: History,
    *,
    null: History | None = None,
    equilibrium: Mapping[str, float] | pd.DataFrame | None = None,
    smallest: float = 0.005,
    ax: Axes | None = None,
) -> Axes:
    """Draw final mole fractions (median and band) with the null and plain equilibrium on the same rows.

    Args:
        history: The run.
        null: The same recipe with all pair reactions equal, or with all conductivities equal.
        equilibrium: Mole fractions of the phases of lowest Gibbs energy at the end of the recipe, or that table
            over temperature (see ``tammann.analysis.beside_baselines``).
        smallest: Phases below this mole fraction in all three are left out.
        ax: Where to draw; by default a figure of its own.

    Example:
        >>> from tammann.history import History
        >>> ax = plot_baselines(History.example(), null=History.example(), equilibrium={"BaTiO3": 1.0})
        >>> ax.get_xlabel()
        'final mole fraction of formula units'
    """
    table = beside_baselines(history, null=null, equilibrium=equilibrium, smallest=smallest).set_index("phase")
    names = [str(name) for name in table.index]
    ax = ax or new_axes(6.0, 1.3 + 0.42 * len(names))
    colours = phase_colours([*history.phases, *names])
    for row, name in enumerate(names):
        ax.axhspan(row - 0.5, row + 0.5, color=BACKGROUND if row % 2 == 0 else "white", zorder=0, linewidth=0)
        _draw_run(ax, row - 0.14, table.loc[name, ["low", "median", "high"]], colours[name])
        if null is not None:
            _draw_run(ax, row + 0.18, table.loc[name, ["null_low", "null", "null_high"]], "#555555", null=True)
        if equilibrium is not None:
            level = table.at[name, "equilibrium"]
            ax.plot([level, level], [row - 0.38, row + 0.38], color=INK, linewidth=1.8, zorder=1.5)
    ax.set_yticks(range(len(names)), [formula_label(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(-0.012, 1.012)
    ax.set_xlabel("final mole fraction of formula units")
    tidy(ax, grid="x")
    ax.tick_params(axis="y", length=0, labelsize=10)
    ax.spines["left"].set_visible(False)
    _legend(ax, null_name(history) if null is not None else "", equilibrium is not None, history.realizations)
    return ax


def _draw_run(ax: Axes, height: float, band: pd.Series, colour: str, *, null: bool = False) -> None:
    """Draw the lowest, the median and the highest fraction as a bar with a mark."""
    low, median, high = band
    ax.plot([low, high], [height, height], color=colour, linewidth=2.4 if null else 4, alpha=0.35, zorder=2)
    mark: dict[str, Any] = (
        {"marker": "D", "mfc": "white", "markersize": 5.5} if null else {"marker": "o", "markersize": 7}
    )
    ax.plot(median, height, color=colour, linestyle="", zorder=3, clip_on=False, **mark)


def _legend(ax: Axes, null: str, equilibrium: bool, realizations: int) -> None:
    from matplotlib.lines import Line2D

    band = f"median and 5-95 % of {realizations}" if realizations > 1 else "one realization"
    marks: dict[str, dict[str, Any]] = {
        f"this run ({band})": {"marker": "o", "color": FAINT, "mfc": "#444444", "mec": "#444444", "linewidth": 4}
    }
    if null:
        marks[null] = {"marker": "D", "color": FAINT, "mfc": "white", "mec": "#555555", "linewidth": 2.4}
    if equilibrium:
        marks["plain equilibrium"] = {"marker": "|", "color": INK, "linestyle": "", "markersize": 12, "mew": 1.8}
    handles = [Line2D([], [], label=name, **mark) for name, mark in marks.items()]
    columns = 3 if sum(map(len, marks)) < 66 else 2  # what the width of the figure holds
    legend_above(ax, handles, ncols=columns, borderaxespad=0.2, handletextpad=0.5, columnspacing=1.4)
