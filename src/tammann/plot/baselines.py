"""Final phase fractions beside the two baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tammann.analysis import beside_baselines
from tammann.plot.style import BACKGROUND, FAINT, INK, formula_label, new_axes, phase_colours, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from tammann.history import History

__all__ = ["plot_baselines"]


def plot_baselines(
    history: History,
    *,
    null: History | None = None,
    equilibrium: Mapping[str, float] | pd.DataFrame | None = None,
    smallest: float = 0.005,
    ax: Axes | None = None,
) -> Axes:
    """Draw final mole fractions (median and band) with the geometric null and plain equilibrium on the same rows.

    Args:
        history: The run.
        null: The same recipe with all pair reactions equal.
        equilibrium: Mole fractions of the phases of lowest Gibbs energy at the end of the recipe, or that table
            over temperature (see ``tammann.analysis.beside_baselines``).
        smallest: Phases below this mole fraction in all three are left out.
        ax: Where to draw; by default a figure of its own.

    Example:
        >>> from tammann.example import example_history
        >>> ax = plot_baselines(example_history(), null=example_history(activity=0.3), equilibrium={"BaTiO3": 1.0})
        >>> ax.get_xlabel()
        'final mole fraction of formula units'
    """
    table = beside_baselines(history, null=null, equilibrium=equilibrium, smallest=smallest).set_index("phase")
    names = [str(name) for name in table.index]
    ax = new_axes(6.0, 1.3 + 0.42 * len(names)) if ax is None else ax
    colours = phase_colours([*history.phases, *names])
    kinds: list[tuple[str, str, str, float, str, bool]] = [("median", "low", "high", -0.14, "o", True)]
    if null is not None:
        kinds.append(("null", "null_low", "null_high", 0.18, "D", False))
    for row, name in enumerate(names):
        ax.axhspan(row - 0.5, row + 0.5, color=BACKGROUND if row % 2 == 0 else "white", zorder=0, linewidth=0)
        for middle, low, high, shift, marker, filled in kinds:
            colour = colours[name] if filled else "#555555"
            ax.plot(
                [table.at[name, low], table.at[name, high]],
                [row + shift] * 2,
                color=colour,
                linewidth=4 if filled else 2.4,
                alpha=0.35,
                zorder=2,
            )
            ax.plot(
                table.at[name, middle],
                row + shift,
                marker,
                color=colour,
                markerfacecolor=colour if filled else "white",
                markersize=7 if filled else 5.5,
                zorder=3,
                clip_on=False,
            )
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
    _legend(ax, null is not None, equilibrium is not None, history.realizations)
    return ax


def _legend(ax: Axes, null: bool, equilibrium: bool, realizations: int) -> None:
    from matplotlib.lines import Line2D

    text = "this run" + (f" (median and 5-95 % of {realizations})" if realizations > 1 else " (one realization)")
    dark = "#444444"
    handles = [Line2D([], [], marker="o", color=FAINT, markerfacecolor=dark, markeredgecolor=dark, linewidth=4)]
    labels = [text]
    if null:
        handles.append(
            Line2D([], [], marker="D", color=FAINT, markerfacecolor="white", markeredgecolor="#555555", linewidth=2.4)
        )
        labels.append("geometric null")
    if equilibrium:
        handles.append(Line2D([], [], marker="|", color=INK, linestyle="", markersize=12, markeredgewidth=1.8))
        labels.append("plain equilibrium")
    ax.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3,
        frameon=False,
        fontsize=8.5,
        borderaxespad=0.2,
        handletextpad=0.5,
        columnspacing=1.4,
    )
