"""Active learning, fit by fit: how far runs get, how sure the potential is of them, and how wrong it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogFormatter, MaxNLocator, NullFormatter

from tammann.plot.style import FAINT, INK, PALETTE, new_axes, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STOP = "#B2182B"
ERROR_LABELS = {
    "energy_meV_per_atom": "energy (meV/atom)",
    "forces_meV_per_A": "forces (meV/Å)",
    "virial_meV_per_atom": "virial (meV/atom)",
}


def active_learning_figure(table: pd.DataFrame, *, select_above: float, stop_above: float) -> Figure:
    """Draw grades, time reached and errors against the number of the fit, one panel each.

    The runs of a round were made with the fit of the round before, so they are drawn at that fit.

    Args:
        table: One row a round, as ``ActiveLearningResult.table`` returns it.
        select_above: Grade above which configurations are collected.
        stop_above: Grade above which a run is stopped.

    Example:
        >>> import pandas as pd
        >>> rows = {"reached_ps": [0, 5.0], "wanted_ps": [0, 9.0], "largest_grade": [None, 7.0],
        ...         "share_above_select": [None, 0.1], "training_frames": [9, 20], "energy_meV_per_atom": [8.0, 5.0]}
        >>> len(active_learning_figure(pd.DataFrame(rows), select_above=5.0, stop_above=100.0).axes)
        4
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.3), layout="constrained")
    grades, times, errors = figure.subplots(1, 3)
    plot_grades(table, select_above=select_above, stop_above=stop_above, ax=grades)
    plot_times(table, ax=times)
    plot_errors(table, ax=errors)
    return figure


def plot_grades(table: pd.DataFrame, *, select_above: float, stop_above: float, ax: Axes | None = None) -> Axes:
    """Draw the largest grade of the molecular dynamics with each fit, and the share of steps above ``select_above``."""
    ax = ax or new_axes(4.0, 3.3)
    fits, rows = _explored(table)
    largest = rows["largest_grade"].to_numpy(dtype=float)
    ax.axhline(stop_above, color=STOP, linewidth=0.9, linestyle="--")
    ax.axhline(select_above, color=FAINT, linewidth=0.9, linestyle="--")
    ax.plot(fits, largest, "o-", color=INK, markersize=5, linewidth=1.2)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(LogFormatter(minor_thresholds=(0, 0)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    known = [*largest[np.isfinite(largest) & (largest > 0)], select_above, stop_above]
    ax.set_ylim(min(known) / 2.5, max(known) * 4.0)
    shares = rows["share_above_select"].to_numpy(dtype=float)
    for fit, grade, share in zip(fits, largest, shares, strict=True):
        if np.isfinite(grade) and np.isfinite(share):
            text = f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1g} %"
            ax.annotate(text, (fit, grade), (0, 7), textcoords="offset points", ha="center", fontsize=8, color=INK)
    for value, side, text, colour in ((stop_above, "right", "stop", STOP), (select_above, "left", "collect", FAINT)):
        at = (float(side == "right"), value)
        shift = (-2 if side == "right" else 2, 2)
        ax.annotate(text, at, shift, ax.get_yaxis_transform(), "offset points", ha=side, fontsize=8, color=colour)
    ax.set_ylabel("largest grade")
    ax.set_title("steps above 'collect' in %", fontsize=9, color=INK)
    _fit_axis(ax, len(table))
    return ax


def plot_times(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the molecular dynamics reached with each fit, and asked for, ps."""
    ax = ax or new_axes(4.0, 3.3)
    fits, rows = _explored(table)
    ax.bar(fits, rows["wanted_ps"], width=0.7, facecolor="none", edgecolor=FAINT, linewidth=1.0, label="asked for")
    ax.bar(fits, rows["reached_ps"], width=0.7, color=PALETTE[0], label="reached")
    ax.set_ylabel("molecular dynamics (ps)")
    ax.set_ylim(0, 1.28 * max(1e-9, float(rows["wanted_ps"].max() if len(rows) else 1.0)))
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper left")
    _fit_axis(ax, len(table))
    return ax


def plot_errors(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the errors on the fixed test frames relative to those of the first fit, and the number of frames."""
    ax = ax or new_axes(4.0, 3.3)
    rows = table[table["training_frames"] > 0]
    fits = np.arange(len(rows))
    drawn = [name for name in ERROR_LABELS if name in rows and float(rows[name].iloc[0] or 0.0) > 0]
    for colour, name in zip(PALETTE, drawn, strict=False):
        values = rows[name].to_numpy(dtype=float)
        label = f"{ERROR_LABELS[name]}: {values[0]:.3g} to {values[-1]:.3g}"
        ax.plot(fits, values / values[0], "o-", color=colour, markersize=4, linewidth=1.2, label=label)
    ax.set_ylabel("error on test frames, first fit = 1")
    top = max([1.0, *(float((rows[name] / rows[name].iloc[0]).max()) for name in drawn)])
    ax.set_ylim(0, 1.55 * top)
    if drawn:
        ax.legend(frameon=False, fontsize=7.5, loc="upper left")
    _fit_axis(ax, len(table))
    frames = ax.twinx()
    frames.plot(fits, rows["training_frames"], "s:", color=FAINT, markersize=4, linewidth=1.0)
    frames.set_ylabel("training frames", color=FAINT)
    frames.tick_params(colors=FAINT, labelsize=9)
    frames.set_ylim(0, 1.15 * max(1.0, float(rows["training_frames"].max() if len(rows) else 1.0)))
    frames.spines[["top", "left", "bottom"]].set_visible(False)
    frames.spines["right"].set_color(FAINT)
    return ax


def _explored(table: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the number of the fit, and the row of the round that explored it."""
    rows = table.iloc[1:]
    return np.arange(len(rows)), rows


def _fit_axis(ax: Axes, rounds: int) -> None:
    ax.set_xlabel("fit")
    ax.set_xlim(-0.6, max(rounds - 2, 0) + 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(ax)
