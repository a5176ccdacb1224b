"""Correlation factors of the ions by composition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import ELEMENT_COLOURS, FAINT, INK, along_products, new_axes, phase_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_correlation_factors(transport: Any, *, temperature_K: float = 1500.0, ax: Axes | None = None) -> Axes:
    """Draw the correlation factors f_i = L_ii/L_ii^self - 1 of each ion by composition, as grouped bars.

    Zero means that ions move independently of their own kind; -1 that their collective transport is cancelled.

    Args:
        transport: a transport table, or any iterable of entries with ``formula``, ``temperature_K`` (K),
            ``species``, ``L`` (shape (S, S)) and ``L_self`` (shape (S,)), both 1/(J m s).
        temperature_K: K; entries at other temperatures are passed over.
        ax: where to draw; by default a figure of its own.

    Raises:
        DataError: if there is no entry at that temperature.

    Example:
        >>> from types import SimpleNamespace
        >>> entry = SimpleNamespace(formula="BaO", temperature_K=1500.0, species=("Ba", "O"),
        ...                         L=np.array([[0.3, 0.1], [0.1, 0.8]]), L_self=np.array([1.0, 1.0]))
        >>> [round(float(bar.get_height()), 2) for bar in plot_correlation_factors([entry]).patches]
        [-0.7, -0.2]
    """
    entries = list(getattr(transport, "entries", transport))
    here = {e.formula: e for e in entries if abs(e.temperature_K - temperature_K) < 0.5}
    if not here:
        there = ", ".join(f"{t:g}" for t in sorted({e.temperature_K for e in entries}))
        raise DataError(f"temperature_K {temperature_K:g} is not in this transport table; choose one of {there}")
    ax = ax or new_axes(6.6, 3.6)
    names = along_products(ax, here)
    species = list(dict.fromkeys(s for e in here.values() for s in e.species))
    colours = {**phase_colours(species), **ELEMENT_COLOURS}
    width = 0.8 / len(species)
    for k, symbol in enumerate(species):
        own = [n for n, name in enumerate(names) if symbol in here[name].species]
        factor = []
        for entry in (here[names[n]] for n in own):
            i = list(entry.species).index(symbol)
            factor.append(float(entry.L[i][i]) / float(entry.L_self[i]) - 1)
        x = np.array(own) + (k - (len(species) - 1) / 2) * width
        ax.bar(x, factor, width * 0.9, color=colours[symbol], label=symbol)
    ax.axhline(0, color=INK, linewidth=0.9)
    ax.set_ylabel(r"correlation factor $f_i = L_{ii}/L_{ii}^\mathrm{self} - 1$")
    ax.legend(frameon=False, fontsize=9, ncols=len(species), loc="upper left", handlelength=0.9, handletextpad=0.4)
    ax.set_title(f"{temperature_K:g} K", loc="right", fontsize=9, color=FAINT)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top + 0.15 * (top - bottom))  # room for the legend
    return ax
