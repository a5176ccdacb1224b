"""How much Gibbs energy is left to gain, against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tammann.analysis.dissipation import gibbs_left
from tammann.plot.style import INK, TIME_LABELS, new_axes, temperature_strip, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History


def plot_gibbs_left(history: History, *, programme: bool = True, ax: Axes | None = None) -> Axes:
    """Draw the Gibbs energy above equilibrium against time, median and band.

    At constant temperature it only falls; with the temperature the equilibrium itself changes.

    Args:
        history: A run of reactive diffusion.
        programme: Draw a strip with the temperature above.
        ax: Where to draw; by default a figure of its own.

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> plot_gibbs_left(History.example("reactive-diffusion")).get_ylabel()
        'Gibbs energy left (meV per atom)'
    """
    table = gibbs_left(history)
    name, time = history.clock
    ax = ax or new_axes(6.4, 3.6)
    low, middle, high = (
        1e3 * table[column] for column in ("gibbs_left_low", "gibbs_left_eV_per_atom", "gibbs_left_high")
    )
    ax.fill_between(time, low, high, color=INK, alpha=0.15, linewidth=0)
    ax.plot(time, middle, color=INK, linewidth=1.8)
    ax.set_xlim(time[0], time[-1])
    ax.set_ylim(0, 1.06 * max(float(high.max()), 1e-6))
    ax.set_xlabel(TIME_LABELS[name])
    ax.set_ylabel("Gibbs energy left (meV per atom)")
    tidy(ax)
    if programme:
        temperature_strip(ax, time, history.temperature_K)
    return ax
