"""Phase fractions against time, below the temperature programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tammann.plot.style import (
    FAINT,
    TIME_LABELS,
    formula_label,
    label_ends,
    new_axes,
    phase_colours,
    temperature_strip,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History

GONE = 5e-4
"""Mole fraction below which a phase has gone by the end."""


def plot_phase_fractions(
    results: History | pd.DataFrame, *, smallest: float = 0.005, programme: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw mole fractions against time (h, or sweeps without a calibration), with bands and the programme.

    Args:
        results: A run, or the table of ``History.phase_fractions`` (or ``phase_fractions.csv``).
        smallest: Phases whose band never reaches this mole fraction are left out, and counted in a note.
        programme: Draw a strip with the temperature above.
        ax: Where to draw; by default a figure of its own.

    Returns:
        The Axes of the fractions; the strip is its child.

    Example:
        >>> from tammann.history import History
        >>> plot_phase_fractions(History.example()).get_xlabel()
        'time (h)'
    """
    table = results if isinstance(results, pd.DataFrame) else results.phase_fractions()
    ax = ax or new_axes(6.4, 4.2)
    along = next(name for name in TIME_LABELS if name in table and table[name].notna().any())
    frames = table[table["phase"] == table["phase"].iloc[0]]
    x_end = float(frames[along].iloc[-1])
    largest = table.groupby("phase", sort=False)["mole_fraction_high"].max()
    shown = [str(name) for name in largest.index[largest >= smallest]]
    colours = phase_colours(largest.index if isinstance(results, pd.DataFrame) else results.phases)

    ends, gone = [], []
    for name in shown:
        rows = table[table["phase"] == name]
        x = rows[along].to_numpy()
        band = rows["mole_fraction_low"], rows["mole_fraction_high"]
        ax.fill_between(x, *band, color=colours[name], alpha=0.18, linewidth=0)
        ax.plot(x, rows["mole_fraction"], color=colours[name], linewidth=1.8, solid_capstyle="round", label=name)
        if rows["mole_fraction_high"].iloc[-1] >= GONE:
            ends.append((float(rows["mole_fraction"].iloc[-1]), formula_label(name), colours[name]))
        else:
            gone.append((formula_label(name), colours[name]))

    top = max(1.0 if not shown else float(table["mole_fraction_high"].max()) * 1.06, 0.1)
    ax.set_ylim(0, min(top, 1.02))
    ax.set_xlim(0, x_end)
    label_ends(ax, ends, large=True, gone=gone)
    ax.set_xlabel(TIME_LABELS[along])
    ax.set_ylabel("mole fraction of formula units")
    tidy(ax)
    if hidden := len(largest) - len(shown):
        note = f"{hidden} phase{'s' if hidden > 1 else ''} with a median below {smallest:g} not drawn"
        ax.annotate(note, (1.0, 0.0), (0, -36), xycoords="axes fraction", textcoords="offset points", ha="right",
                    va="top", fontsize=7.5, color=FAINT)  # fmt: skip
    if programme:
        temperature_strip(ax, frames[along].to_numpy(), frames["temperature_K"].to_numpy())
    return ax
