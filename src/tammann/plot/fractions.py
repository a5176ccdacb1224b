"""Phase fractions against time, below the temperature programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tammann.plot.style import FAINT, INK, TIME_LABELS, formula_label, label_ends, new_axes, phase_colours, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History


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
    own = ax is None
    ax = ax or new_axes(6.4, 4.2)
    along = next(name for name in TIME_LABELS if name in table and table[name].notna().any())
    frames = table[table["phase"] == table["phase"].iloc[0]]
    x_end = float(frames[along].iloc[-1])
    largest = table.groupby("phase", sort=False)["mole_fraction_high"].max()
    shown = [str(name) for name in largest.index[largest >= smallest]]
    colours = phase_colours(largest.index if isinstance(results, pd.DataFrame) else results.phases)

    ends = []
    for name in shown:
        rows = table[table["phase"] == name]
        x = rows[along].to_numpy()
        band = rows["mole_fraction_low"], rows["mole_fraction_high"]
        ax.fill_between(x, *band, color=colours[name], alpha=0.18, linewidth=0)
        ax.plot(x, rows["mole_fraction"], color=colours[name], linewidth=1.8, solid_capstyle="round", label=name)
        ends.append((float(rows["mole_fraction"].iloc[-1]), formula_label(name), colours[name]))

    top = max(1.0 if not shown else float(table["mole_fraction_high"].max()) * 1.06, 0.1)
    ax.set_ylim(0, min(top, 1.02))
    ax.set_xlim(0, x_end)
    label_ends(ax, ends, large=True)
    ax.set_xlabel(TIME_LABELS[along])
    ax.set_ylabel("mole fraction of formula units")
    tidy(ax)
    if hidden := len(largest) - len(shown):
        note = f"{hidden} phase{'s' if hidden > 1 else ''} with a median below {smallest:g} not drawn"
        ax.text(0.995, 0.985, note, transform=ax.transAxes, ha="right", va="top", fontsize=7.5, color=FAINT)
    if programme:
        _strip(ax, frames[along].to_numpy(), frames["temperature_K"].to_numpy(), own)
    return ax


def _strip(ax: Axes, x: np.ndarray, temperature_K: np.ndarray, own: bool) -> None:
    strip = ax.inset_axes((0, 1.04, 1, 0.2), sharex=ax)
    strip.fill_between(x, temperature_K, 250, color="#C8553D", alpha=0.12, linewidth=0)
    strip.plot(x, temperature_K, color="#C8553D", linewidth=1.4)
    tidy(strip, grid=None)
    strip.tick_params(labelbottom=False, bottom=False, labelsize=8)
    strip.set_ylim(250, max(float(temperature_K.max()) * 1.12, 300))
    holds = _holds(x, temperature_K)
    strip.set_yticks(sorted({round(float(temperature_K[0])), *(round(t) for _, t in holds)})[:4] if holds else [])
    strip.set_ylabel("T (K)", fontsize=9, color=INK)
    for place, _ in holds[:-1]:
        for one in (strip, ax):
            one.axvline(place, color=FAINT, linewidth=0.7, linestyle=(0, (2, 3)), zorder=0)


def _holds(x: np.ndarray, temperature_K: np.ndarray) -> list[tuple[float, float]]:
    """Return where each hold ends, and its temperature; the highest and last temperatures if there is no hold."""
    flat = np.abs(np.diff(temperature_K)) < 1e-6
    ends = [k for k in range(1, x.size) if flat[k - 1] and (k == x.size - 1 or not flat[k])]
    if not ends:
        ends = sorted({int(temperature_K.argmax()), x.size - 1})
    return [(float(x[k]), float(temperature_K[k])) for k in ends]
