"""Phase fractions against time, below the temperature programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tammann.history import PRESENT, History, band
from tammann.plot.style import FAINT, INK, TIME_LABELS, formula_label, label_ends, new_axes, phase_colours, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_phase_fractions(history: History, *, smallest: float = 0.005, ax: Axes | None = None) -> Axes:
    """Draw mole fractions against time (h, or sweeps without a calibration), with bands and the programme.

    Args:
        history: The run.
        smallest: Phases whose band never reaches this mole fraction are left out, and counted in a note.
        ax: Where to draw; by default a figure of its own.

    Returns:
        The Axes of the fractions; the strip is its child.

    Example:
        >>> from tammann.history import History
        >>> plot_phase_fractions(History.example()).get_xlabel()
        'time (h)'
    """
    mole = history.fractions()
    there = np.flatnonzero((mole > PRESENT).any(axis=(0, 1)))
    middle, low, high = band(mole)
    shown = [k for k in there if high[:, k].max() >= smallest]
    name, x = history.clock
    colours = phase_colours(history.phases)
    ax = ax or new_axes(6.4, 4.2)
    ends = []
    for k in shown:
        phase = history.phases[k]
        ax.fill_between(x, low[:, k], high[:, k], color=colours[phase], alpha=0.18, linewidth=0)
        ax.plot(x, middle[:, k], color=colours[phase], linewidth=1.8, solid_capstyle="round", label=phase)
        ends.append((float(middle[-1, k]), formula_label(phase), colours[phase]))

    top = max(1.0 if not shown else float(high[:, there].max()) * 1.06, 0.1)
    ax.set_ylim(0, min(top, 1.02))
    ax.set_xlim(0, float(x[-1]))
    label_ends(ax, ends, large=True)
    ax.set_xlabel(TIME_LABELS[name])
    ax.set_ylabel("mole fraction of formula units")
    tidy(ax)
    if hidden := len(there) - len(shown):
        note = f"{hidden} phase{'s' if hidden > 1 else ''} with a median below {smallest:g} not drawn"
        ax.text(0.995, 0.985, note, transform=ax.transAxes, ha="right", va="top", fontsize=7.5, color=FAINT)
    _strip(ax, x, history.temperature_K)
    return ax


def _strip(ax: Axes, x: np.ndarray, temperature_K: np.ndarray) -> None:
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
