"""Which layer is in the way: the share of the driving force that each phase takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.analysis.dissipation import dissipation, dissipation_by_step
from tammann.plot.layers import along_composition
from tammann.plot.style import INK, TIME_LABELS, formula_label, new_axes, phase_colours, temperature_strip, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History

SMALLEST = 0.02
"""Share below which a phase is drawn without a name."""


def plot_dissipation(history: History, *, programme: bool = True, ax: Axes | None = None) -> Axes:
    """Draw the share of the driving force that each phase takes, against time; means over realizations.

    Times before and after which less than 1 % of all energy is dissipated are left out.

    Args:
        history: A run of reactive diffusion.
        programme: Draw a strip with the temperature above.
        ax: Where to draw; by default a figure of its own.

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> plot_dissipation(History.example("reactive-diffusion")).get_ylabel()
        'share of the driving force'
    """
    table = dissipation(history)
    name, time = history.clock
    ax = ax or new_axes(6.4, 4.0)
    ax.set_ylim(0, 1)
    ax.set_xlabel(TIME_LABELS[name])
    ax.set_ylabel("share of the driving force")
    tidy(ax, grid=None)
    if table.empty:
        ax.set_xlim(time[0], time[-1])
        ax.text(0.5, 0.5, "nothing reacted", transform=ax.transAxes, ha="center", color=INK)
        return ax
    heat = table.pivot_table("dissipated_eV_per_atom", "phase", name, sort=False)
    shares = heat / heat.sum(axis=0)
    spent = heat.sum(axis=0).cumsum().to_numpy() / heat.to_numpy().sum()
    first, last = int((spent > 0.005).argmax()), int((spent > 0.995).argmax())
    ax.set_xlim(time[max(first - 1, 0)], time[last])
    colours = phase_colours(history.phases)
    floor = np.zeros(time.size)
    for phase in along_composition(history, heat.index):
        share = np.nan_to_num(shares.loc[phase].to_numpy())
        ax.fill_between(time, floor, floor + share, step="pre", color=colours[phase], linewidth=0.2, label=phase)
        floor = floor + share
    named = [p for p in heat.index if np.nanmax(shares.loc[p].to_numpy()[first : last + 1]) > SMALLEST]
    _legend(ax, along_composition(history, named)[::-1], colours)
    if programme:
        temperature_strip(ax, time, history.temperature_K)
    return ax


def plot_bottlenecks(history: History, *, ax: Axes | None = None) -> Axes:
    """Draw the share of the driving force that each phase takes in every step of the programme, as one bar a step.

    Args:
        history: A run of reactive diffusion.
        ax: Where to draw; by default a figure of its own.

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> plot_bottlenecks(History.example("reactive-diffusion")).get_xlabel()
        'share of the driving force in a step'
    """
    table = dissipation_by_step(history)
    stages = table["stage"].unique().tolist()
    ax = ax or new_axes(6.4, 1.3 + 0.55 * max(len(stages), 1))
    colours = phase_colours(history.phases)
    labels = []
    for row, stage in enumerate(stages):
        of_step = table[table["stage"] == stage].set_index("phase")
        left = 0.0
        for phase in along_composition(history, of_step.index):
            share = float(of_step.at[phase, "share"])
            ax.barh(row, share, left=left, height=0.66, color=colours[phase], edgecolor="white", linewidth=0.6)
            text = f"{formula_label(phase)}  {100 * share:.0f} %"
            if share > 0.018 * (len(phase) + 5):
                ax.text(left + share / 2, row, text, ha="center", va="center", fontsize=8.5, color="white")
            left += share
        spent = float(of_step["of_run"].iloc[0])
        of_all = f"{100 * spent:.0f} %" if spent >= 0.01 else "below 1 %"
        labels.append(f"step {stage + 1}, to {of_step['temperature_K'].iloc[0]:.0f} K\n{of_all} of all")
    ax.set_yticks(range(len(stages)), labels)
    ax.set_ylim(max(len(stages), 1) - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the driving force in a step")
    tidy(ax, grid=None)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    _legend(ax, along_composition(history, table[table["share"] > SMALLEST]["phase"]), colours)
    return ax


def _legend(ax: Axes, phases: list[str], colours: dict[str, str]) -> None:
    """Name the colours beside the axes."""
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=colours[p], label=formula_label(p)) for p in phases]
    spacing: Any = {"handlelength": 0.9, "handleheight": 0.9, "handletextpad": 0.45, "labelspacing": 0.35}
    ax.legend(handles=patches, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9, **spacing)
