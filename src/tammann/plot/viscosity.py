"""The running Green-Kubo integral of a viscosity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tammann.plot.style import new_axes, shade_span, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.transport.viscosity import Viscosity


def plot_running_viscosity(viscosity: Viscosity, *, ax: Axes | None = None) -> Axes:
    """Draw the running Green-Kubo integral with its standard error, and the viscosity found, against time (ps).

    Args:
        viscosity: As ``tammann.transport.shear_viscosity`` returns it.
        ax: Where to draw; by default a figure of its own.

    Example:
        >>> from tammann.transport.viscosity import shear_viscosity
        >>> noise = np.random.default_rng(1).normal(size=(2000, 6))
        >>> eta = shear_viscosity(noise, volume_A3=1e3, temperature_K=1e3, frame_interval_ps=0.01)
        >>> plot_running_viscosity(eta).get_xlabel()
        'upper limit of the integral (ps)'
    """
    own = ax is None
    ax = ax or new_axes(5.2, 3.4)
    largest = float(np.abs(viscosity.running_Pa_s).max())
    factor, unit = (1e3, "mPa s") if largest < 0.1 else (1.0, "Pa s")
    time = viscosity.times_ps[1:]
    value, error = viscosity.running_Pa_s[1:] * factor, viscosity.running_stderr_Pa_s[1:] * factor
    colour = "#0072B2"
    ax.fill_between(time, value - error, value + error, color=colour, alpha=0.2, linewidth=0)
    ax.plot(time, value, color=colour, linewidth=1.6)
    ax.set_xscale("log")
    ax.set_xlim(time[0], time[-1])
    shade_span(ax, viscosity.regime_ps)
    if viscosity.converged:
        eta, wide = viscosity.value_Pa_s * factor, viscosity.stderr_Pa_s * factor
        ax.axhspan(eta - wide, eta + wide, color="#D55E00", alpha=0.18, linewidth=0)
        ax.axhline(eta, color="#D55E00", linewidth=1.2)
        digits = max(0, 1 - int(np.floor(np.log10(wide)))) if wide > 0 else 3
        text = f"{eta:.{digits}f} \N{PLUS-MINUS SIGN} {wide:.{digits}f} {unit}"
        ax.set_ylim(min(0.0, float((value - error).min())), max(1.45 * eta, 1.05 * float((value + error).max())))
    else:
        text = "no viscosity: not converged"
    ax.text(0.03, 0.95, text, transform=ax.transAxes, va="top", color="#D55E00", fontsize=10 if own else 9)
    ax.set_xlabel("upper limit of the integral (ps)")
    ax.set_ylabel(f"Green\N{EN DASH}Kubo integral ({unit})")
    tidy(ax)
    return ax
