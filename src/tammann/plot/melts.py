"""The search for the volume of a melt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.plot.style import INK, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.md.equation_of_state import VolumePoint

GREY, BLUE = "#8C8C8C", "#0072B2"


def plot_volume_search(
    points: Sequence[VolumePoint], n_atoms: int, *, pressure_GPa: float = 0.0, ax: Axes | None = None
) -> Axes:
    """Draw the mean pressures (GPa) of a volume search against volume per atom, and the fitted equation of state.

    Larger symbols are longer runs; the band is one standard error of the fit; the last run is at the final volume.

    Args:
        points: Runs at three volumes or more, as ``tammann.md.equation_of_state.find_volume`` returns them.
        n_atoms: Atoms in the box.
        pressure_GPa: Target pressure, GPa.
        ax: Axes; a new figure where None.

    Raises:
        DataError: Fewer than three volumes.

    Example:
        >>> from tammann.md.equation_of_state import VolumePoint
        >>> runs = [VolumePoint(v, p, 0.05, -8.0, 0.0, 2000.0, 4.0) for v, p in ((80, 5), (100, 0.1), (120, -2))]
        >>> plot_volume_search(runs, 10).get_xlabel()
        'volume per atom (Å³)'
    """
    from tammann.md.equation_of_state import fitted_pressure

    ax = ax or new_axes(5.2, 3.4)
    volumes = np.array([p.volume_A3 for p in points])
    grid = np.linspace(volumes.min(), volumes.max(), 120)
    curve = np.array([fitted_pressure(points, v, pressure_GPa) for v in grid])
    per_atom = grid / n_atoms
    ax.axhline(pressure_GPa, color=GREY, linewidth=0.8)
    ax.fill_between(per_atom, curve[:, 0] - curve[:, 1], curve[:, 0] + curve[:, 1], color=BLUE, alpha=0.2, lw=0)
    ax.plot(per_atom, curve[:, 0], color=BLUE, linewidth=1.2)
    longest = max(p.duration_ps for p in points)
    for k, p in enumerate(points):
        last = k == len(points) - 1
        ax.errorbar(
            p.volume_A3 / n_atoms,
            p.pressure_GPa,
            p.pressure_stderr_GPa if np.isfinite(p.pressure_stderr_GPa) else None,
            fmt="o",
            markersize=4.0 + 4.0 * p.duration_ps / longest,
            color="#D55E00" if last else INK,
            markeredgecolor="white",
            label=f"the last one, {p.volume_A3 / n_atoms:.2f} Å³ per atom" if last else "runs" if k == 0 else None,
        )
    # runs near the target pressure matter, and the first ones may be tens of GPa away
    near = sorted(abs(p.pressure_GPa - pressure_GPa) for p in points)[: max(3, len(points) - 2)]
    reach = max(1.0, 1.3 * near[-1])
    ax.set_ylim(pressure_GPa - reach, pressure_GPa + reach)
    shown = volumes[[abs(p.pressure_GPa - pressure_GPa) <= reach for p in points]] / n_atoms
    inside = per_atom[np.abs(curve[:, 0] - pressure_GPa) <= reach]
    left, right = min(shown.min(), inside.min()), max(shown.max(), inside.max())
    ax.set_xlim(left - 0.05 * (right - left), right + 0.05 * (right - left))
    ax.set_xlabel("volume per atom (Å³)")
    ax.set_ylabel("pressure (GPa)")
    ax.legend(frameon=False, fontsize=9)
    tidy(ax)
    return ax
