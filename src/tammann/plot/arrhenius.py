"""Diffusivities and the like against 1/T."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, label_ends, new_axes, species_colours, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.transport.arrhenius import ArrheniusFit


def plot_arrhenius(fits: ArrheniusFit | Mapping[str, ArrheniusFit], *, ax: Axes | None = None) -> Axes:
    """Draw points with standard errors, the line and its 95 % band against 1000/T (1/K), with T (K) above.

    Args:
        fits: One, or several by name; a name that is an element has its colour.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: No fit.

    Example:
        >>> from tammann.transport import fit_arrhenius
        >>> fit = fit_arrhenius([1000.0, 1200.0, 1500.0], [1e-12, 5e-12, 3e-11], [1e-13, 5e-13, 3e-12])
        >>> plot_arrhenius({"O": fit}).get_yscale()
        'log'
    """
    named = dict(fits) if isinstance(fits, Mapping) else {"": fits}
    if not named:
        raise DataError("there is no fit to draw; give one of fit_arrhenius.")
    every = np.concatenate([fit.temperatures_K for fit in named.values()])
    low, high = float(every.min()), float(every.max())
    own = ax is None
    ax = ax or new_axes(5.2, 4.0)
    colours = species_colours(tuple(named))
    line_ends = []
    for k, (name, fit) in enumerate(named.items()):
        colour = colours[name] if name else "#0072B2"
        T = 1 / np.linspace(1 / fit.temperatures_K.max(), 1 / fit.temperatures_K.min(), 80)
        ax.fill_between(1000 / T, *fit.interval(T), color=colour, alpha=0.22, linewidth=0)
        ax.plot(1000 / T, fit.predict(T)[0], color=colour, linewidth=1.4, zorder=2)
        marks: Any = {"fmt": "os^Dv<>p"[k % 8], "markersize": 5, "markeredgecolor": "white", "markeredgewidth": 0.6}
        bars: Any = {"yerr": fit.stderr, "elinewidth": 1.1, "capsize": 2.5}
        ax.errorbar(1000 / fit.temperatures_K, fit.values, color=colour, zorder=3, **marks, **bars)
        energy = f"{fit.activation_energy_eV:.2f} \N{PLUS-MINUS SIGN} {fit.activation_energy_stderr_eV:.2f} eV"
        energy = energy.replace("-", "\N{MINUS SIGN}")
        line_ends.append((float(fit.predict(T[-1])[0]), f"{name}  {energy}".strip(), colour))
    ax.set_yscale("log")
    pad = 0.04 * (1000 / low - 1000 / high)
    left, right = max(1000 / high - pad, 1e-6), 1000 / low + pad
    ax.set_xlim(left, right)
    ax.set_xlabel(r"1000/$T$ (K$^{-1}$)")
    ax.set_ylabel(r"$D$ (m$^2$/s)")
    tidy(ax, grid="both")
    ax.tick_params(which="minor", labelsize=8, labelcolor=INK, color=FAINT)
    above = ax.secondary_xaxis("top", functions=2 * (lambda x: 1000.0 / np.maximum(x, 1e-9),))
    above.set_xlabel(r"$T$ (K)", color=INK)
    above.set_xticks(_round_temperatures(1000 / right, 1000 / left))
    above.minorticks_off()
    above.tick_params(labelsize=9, color=FAINT, labelcolor=INK)
    above.spines[:].set_color(FAINT)
    label_ends(ax, line_ends, own)
    return ax


def _round_temperatures(low: float, high: float) -> list[float]:
    """Round temperatures for an axis in 1/T, the hotter of two left out where they would touch."""
    from matplotlib.ticker import MaxNLocator

    ticks: list[float] = []
    width = 1 / low - 1 / high
    for T in MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high):
        if low <= T <= high and (not ticks or 1 / ticks[-1] - 1 / T >= 0.13 * width):
            ticks.append(float(T))
    return ticks
