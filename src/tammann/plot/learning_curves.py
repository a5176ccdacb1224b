"""Learning curves: the error of a potential on frames left out against the number of frames that it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from tammann.errors import DataError
from tammann.plot.style import FAINT, PALETTE, new_axes, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LABELS = {
    "forces_rmse_eV_per_A": ("RMSE of forces (eV/Å)", 1.0),
    "energy_rmse_eV_per_atom": ("RMSE of energies (meV/atom)", 1e3),
    "energy_shifted_rmse_eV_per_atom": ("RMSE of energies without their mean (meV/atom)", 1e3),
    "stress_rmse_eV_per_A3": ("RMSE of stresses (GPa)", 160.2177),
    "forces_slope": ("slope of forces on labels", 1.0),
}
"""What can be drawn, and the factor to its unit on the axis."""
MARKERS = "osD^v"


def plot_learning_curves(
    table: pd.DataFrame, quantity: str = "forces_rmse_eV_per_A", *, before: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the error against the number of training frames, a curve for every mode, with error bars over seeds.

    Args:
        table: One row a fit, with the columns ``mode``, ``size``, ``seed`` and the quantity.
        quantity: One of ``LABELS``.
        before: The quantity for the foundation model before training, drawn as a line.
        ax: Where to draw.

    Returns:
        The axes; points are means over the seeds, bars one standard deviation between seeds.

    Raises:
        DataError: No such column, or no row.

    Example:
        >>> import pandas as pd
        >>> rows = [("from-scratch", 8, 1, 0.4), ("from-scratch", 16, 1, 0.2)]
        >>> table = pd.DataFrame(rows, columns=["mode", "size", "seed", "forces_rmse_eV_per_A"])
        >>> plot_learning_curves(table).get_ylabel()
        'RMSE of forces (eV/Å)'
    """
    if quantity not in table or quantity not in LABELS or table.empty:
        raise DataError(f"quantity: expected one of {', '.join(q for q in LABELS if q in table)}, got {quantity!r}.")
    ax = ax or new_axes(4.8, 3.6)
    label, factor = LABELS[quantity]
    for number, (mode, rows) in enumerate(table.groupby("mode", sort=False)):
        grouped = rows.groupby("size")[quantity]
        mean, spread = factor * grouped.mean(), factor * grouped.std(ddof=1).fillna(0.0)
        ax.errorbar(
            mean.index.to_numpy(dtype=float),
            mean.to_numpy(),
            yerr=spread.to_numpy(),
            marker=MARKERS[number % len(MARKERS)],
            color=PALETTE[number % len(PALETTE)],
            capsize=3,
            label=str(mode),
        )
    if before is not None and np.isfinite(before):
        ax.axhline(factor * before, color=FAINT, linestyle="--", linewidth=1, label="before training")
    sizes = sorted(table["size"].unique())
    ax.set_xscale("log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    if quantity != "forces_slope":
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_locator(NullLocator())
    ax.margins(y=0.15)
    tidy(ax)
    ax.set_xlabel("training frames")
    ax.set_ylabel(label)
    ax.legend(frameon=False)
    return ax
