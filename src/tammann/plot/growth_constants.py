"""Growth constants of the products by composition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import INK, along_products, new_axes, temperature_colours

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MELTS_CAUTION = "Measured in melts, eleven orders of magnitude too fast for a furnace: only ratios carry meaning."
"""What a figure of the transport data that ship should say."""


def plot_growth_constants(constants: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw K_D (m^2/s, logarithmic) of each product, ordered by composition, one colour per temperature.

    Bars reach from ``K_D_low`` to ``K_D_high``; those of one product stand side by side.

    Args:
        constants: Columns ``phase``, ``temperature_K`` (K), ``K_D_m2_per_s`` and, if known, ``K_D_low`` and
            ``K_D_high`` (m^2/s), as ``tammann.kinetics.growth_constants`` returns.
        note: A caution on the data, written above the axes.
        ax: Where to draw, a figure of its own if None.

    Raises:
        DataError: There is no K_D above zero to draw.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"phase": ["BaTiO3", "BaTi2O5"], "K_D_m2_per_s": [1e-8, 2e-8]})
        >>> table["temperature_K"] = 1500.0
        >>> plot_growth_constants(table).get_yscale()
        'log'
    """
    rows = constants[constants["K_D_m2_per_s"] > 0]
    if rows.empty:
        raise DataError("there is no K_D_m2_per_s above zero to draw; give the table of growth_constants")
    ax = ax or new_axes(6.6, 4.0)
    names = along_products(ax, rows["phase"])
    temperatures = sorted(rows["temperature_K"].unique())
    colours = temperature_colours(len(temperatures))
    beside: Any = {"textcoords": "offset points", "fontsize": 9, "va": "center", "annotation_clip": False}
    for k, temperature in enumerate(temperatures):
        here = rows[rows["temperature_K"] == temperature].set_index("phase")
        there = [name for name in names if name in here.index]
        x = np.array([names.index(name) for name in there]) + 0.11 * (k - 0.5 * (len(temperatures) - 1))
        y = here.loc[there, "K_D_m2_per_s"].to_numpy(dtype=float)
        ax.plot(x, y, color=colours[k], linewidth=0.8, alpha=0.3, zorder=2)
        if {"K_D_low", "K_D_high"} <= set(here.columns):
            low, high = (here.loc[there, c].to_numpy(dtype=float) for c in ("K_D_low", "K_D_high"))
            wide = np.isfinite(low) & np.isfinite(high) & (high > low) & (low > 0)
            ax.vlines(x[wide], low[wide], high[wide], color=colours[k], linewidth=1.6, alpha=0.75, zorder=2.5)
            for end in (low, high):
                ax.plot(x[wide], end[wide], "_", color=colours[k], markersize=5, zorder=2.5)
        ax.plot(x, y, "osD^v<>p"[k % 8], color=colours[k], markersize=4.8, markeredgecolor="white", zorder=3)
        ax.annotate(f"{temperature:g} K", (len(names) - 0.4, y[-1]), (4, 0), color=colours[k], **beside)
    ax.set_yscale("log")
    ax.set_ylabel(r"growth constant $K_\mathrm{D}$ (m$^2$/s)")
    ax.set_title(note, loc="left", fontsize=8.5, color=INK)
    return ax
