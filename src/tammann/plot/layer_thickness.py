"""How thick layers have grown, and which of them follow a parabola."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tammann.analysis.layers import layer_thickness
from tammann.analysis.parabola import hold_frames, parabolic_growth
from tammann.analysis.profiles import core_of, diffusion_record, geometry_of
from tammann.plot.layers import begin_frame, length_unit
from tammann.plot.style import (
    FAINT,
    INK,
    TIME_LABELS,
    formula_label,
    label_ends,
    new_axes,
    phase_colours,
    temperature_strip,
    tidy,
)
from tammann.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History

ROOM = 0.045
"""Of the height of the axes, for a constant of growth beside another."""


def plot_layer_thickness(
    history: History, *, particle: int = 0, smallest: float = 0.02, programme: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw the thickness of the products' layers against time, with parabolas where they grow by them on a hold.

    Args:
        history: A run of reactive diffusion; layers are of its first realization.
        particle: Index of the particle.
        smallest: Layers that stay below this share of the thickest product are left out, and so are the precursors.
        programme: Draw a strip with the temperature above.
        ax: Where to draw; by default a figure of its own.

    Raises:
        ResultError: The run has no layers, or no such particle.

    Example:
        >>> from tammann.history import History
        >>> plot_layer_thickness(History.example("reactive-diffusion"), particle=1).get_ylabel()
        'thickness (nm)'
    """
    table = layer_thickness(history, particle)
    size = float(np.ptp(diffusion_record(history).edges_m[particle, 0]))
    largest = table.groupby("phase", sort=False)["thickness_m"].max()
    start = table.groupby("phase", sort=False)["thickness_m"].first()
    products = largest[start < 1e-3 * size]
    shown = [str(name) for name in products.index if products[name] >= smallest * products.max()]
    name, time = history.clock
    unit, factor = length_unit(float(largest[shown].max()) if shown else size)
    ax = ax or new_axes(6.4, 4.0)
    colours = phase_colours(history.phases)
    ax.set_xlim(time[begin_frame(history, [particle])], time[-1])
    ends: list[tuple[float, str, str]] = []
    vanished: list[tuple[str, str]] = []
    top = 0.0
    for phase in shown:
        h = factor * table[table["phase"] == phase]["thickness_m"].to_numpy()
        ax.plot(time, h, color=colours[phase], linewidth=1.8, label=phase)
        if h[-1] > 0.01 * factor * products.max():
            ends.append((float(h[-1]), formula_label(phase), colours[phase]))
        else:
            vanished.append((formula_label(phase), colours[phase]))
        top = max(top, float(h.max()))
    ax.set_ylim(0, 1.08 * top if top else 1.0)
    for stage in np.unique(history.stage):
        frames = hold_frames(history, int(stage))
        named: list[float] = []
        for phase in sorted(shown, key=lambda p: -products[p]):
            fit = parabolic_growth(history, phase, stage=int(stage), particle=particle)
            if not fit.described:
                continue
            since = (history.programme_h[frames] - history.programme_h[frames[0]]) * SECONDS_PER_HOUR
            curve = factor * np.sqrt(fit.start_m**2 + 2 * fit.k_m2_per_s * since)
            ax.plot(time[frames], curve, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=3)
            if any(abs(curve[-1] - other) < ROOM * top for other in named):
                continue
            named.append(float(curve[-1]))
            text = rf"$k$ = {_power(fit.k_m2_per_s)} m$^2$ per {fit.time_unit}"
            ax.annotate(text, (time[frames[-1]], curve[-1]), (-8, 6), textcoords="offset points", fontsize=8, zorder=4,
                        color=colours[phase], ha="right",
                        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.6})  # fmt: skip
    label_ends(ax, ends, large=True, gone=vanished)
    ax.set_xlabel(TIME_LABELS[name])
    ax.set_ylabel(f"thickness ({unit})")
    tidy(ax)
    if geometry_of(history, particle) == "sphere":
        note = f"layers around {formula_label(core_of(history, particle))}"
        ax.text(0.012, 0.985, note, transform=ax.transAxes, va="top", fontsize=8.5, color=FAINT)
    if programme:
        temperature_strip(ax, time, history.temperature_K)
    return ax


def _power(value: float) -> str:
    """Return a number as mathtext, such as 1.8 x 10^-19."""
    digits, exponent = f"{value:.1e}".split("e")
    return rf"{digits}$\times$10$^{{{int(exponent)}}}$"
