"""Density and energy of quenches against temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tammann.plot.style import INK, PALETTE, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

POINTS = 40
"""Means drawn along a quench."""


def quench_figure(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw density and potential energy against the temperature of the thermostat, means over parts of each quench.

    Runs of one rate have one colour; the points of the last stage are filled.

    Args:
        histories: Tables as ``Quench.table`` returns them, by a label ``RATE K/ps, SEED``.

    Example:
        >>> import pandas as pd
        >>> rows = {"stage": ["quench"] * 9 + ["anneal"], "target_K": [*range(2000, 200, -200), 300.0],
        ...         "density_g_per_cm3": [3.0] * 10, "energy_eV_per_atom": [-8.0] * 10}
        >>> len(quench_figure({"10 K/ps, 1": pd.DataFrame(rows)}).axes)
        2
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    rates = list(dict.fromkeys(label.rpartition(",")[0] for label in histories))
    for label, table in histories.items():
        rate = label.rpartition(",")[0]
        colour = PALETTE[rates.index(rate) % len(PALETTE)]
        quench, end = table[table["stage"] == "quench"], table[table["stage"] == "anneal"]
        name = None if rate in axes[0].get_legend_handles_labels()[1] else rate
        for ax, column in zip(axes, ("density_g_per_cm3", "energy_eV_per_atom"), strict=True):
            parts = np.array_split(np.arange(len(quench)), min(POINTS, len(quench)) or 1)
            points = [quench.iloc[part][["target_K", column]].mean() for part in parts if len(part)]
            ax.plot(
                [p["target_K"] for p in points], [p[column] for p in points], "-", color=colour, linewidth=1.2,
                label=name if ax is axes[0] else None,
            )  # fmt: skip
            if len(end):
                half = end.iloc[len(end) // 2 :]
                ax.plot(half["target_K"].mean(), half[column].mean(), "o", color=colour, markersize=5)
    axes[0].set_ylabel("density (g/cm³)")
    axes[1].set_ylabel("potential energy (eV/atom)")
    axes[0].legend(frameon=False, fontsize=8, title="cooling rate", title_fontsize=8, labelcolor=INK)
    for ax in axes:
        ax.set_xlabel("temperature (K)")
        tidy(ax)
    return figure
