"""Displacement correlations and their log-log slopes against time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement, cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import INK, label_ends, new_axes, only_powers, shade_span, species_colours, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.transport.correlations import Correlations
    from tammann.transport.measurement import OnsagerMeasurement

_PAIR_COLOURS = ("#332288", "#999933", "#44AA99", "#7A7A7A", "#661100", "#AA4499")


def plot_correlations(
    correlations: Correlations | Sequence[Correlations],
    measurement: OnsagerMeasurement | None = None,
    *,
    curves: Sequence[str] = ("self", "collective"),
    ax: Axes | None = None,
) -> Axes:
    """Draw displacement correlations (square Angstrom per ion) against time (ps), both logarithmic.

    Per ion are the mean squared displacement of each species, <dr_i^2> (solid), and the collective ones,
    |<dX_i . dX_j>| / sqrt(N_i N_j), of like ions (dashed, colour of the species) and unlike (thin). Like ones of
    independent ions lie on the mean squared displacement. Where a correlation is negative its line is dotted.

    Args:
        correlations: Of one trajectory, or of replicas, whose mean is drawn.
        measurement: Shades its regime, and draws the slopes it found as thin black lines.
        curves: Of ``"self"`` and ``"collective"`` those to draw.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: Another name of a curve, or no correlations.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations
        >>> walk = Trajectory.example()
        >>> plot_correlations(displacement_correlations(walk)).get_xlabel()
        'time (ps)'
    """
    from tammann.transport.correlations import same_system

    wrong = [name for name in curves if name not in ("self", "collective")]
    if wrong or not curves:
        raise DataError(f"curves are {list(curves)}, expected self, collective or both.")
    replicas = same_system(correlations)
    first = replicas[0]
    own = ax is None
    ax = ax or new_axes(5.2, 3.8)
    kept = min(replica.self_A2.shape[-1] for replica in replicas)
    # Beyond half of the run a curve is drawn from its own ends.
    last = max(min(kept - 1, min(replica.n_frames for replica in replicas) // 2), 1)
    lags = np.unique(np.geomspace(1, last, 160).round().astype(int))
    time = lags * first.frame_interval_ps
    weights = [replica.n_frames for replica in replicas]
    colours = species_colours(first.species)
    ends: list[tuple[float, str, str]] = []
    lowest = []
    if "self" in curves:
        own_part = np.average([replica.self_part()[:, :kept] for replica in replicas], axis=0, weights=weights)
        for i, symbol in enumerate(first.species):
            curve = own_part[i, lags]
            ax.plot(time, curve, color=colours[symbol], linewidth=1.8, label=symbol)
            ends.append((float(curve[-1]), symbol, colours[symbol]))
            lowest.append(curve)
            if measurement is not None:
                _draw_slope(ax, measurement, i, own_part[i], first.frame_interval_ps)
    if "collective" in curves:
        together = np.average([replica.collective_part()[..., :kept] for replica in replicas], axis=0, weights=weights)
        pair_colours = cycle(_PAIR_COLOURS)
        for (i, one), (j, other) in combinations_with_replacement(enumerate(first.species), 2):
            curve = together[i, j, lags] / np.sqrt(float(first.counts[i]) * float(first.counts[j]))
            name = f"{one}\N{EN DASH}{other}"
            style: Any = "solid"
            if i == j:
                colour, width, style = colours[one], 1.3, (0, (4, 1.6))
                lowest.append(np.abs(curve))
            else:
                colour, width = next(pair_colours), 1.0
            ax.plot(
                time, np.where(curve > 0, curve, np.nan), color=colour, linewidth=width, linestyle=style, label=name
            )
            negative = np.where(curve < 0, -curve, np.nan)
            ax.plot(time, negative, color=colour, linewidth=width + 0.3, linestyle=(0, (1, 1.3)))
            if curve[-1] != 0:
                sign = "" if curve[-1] > 0 else " (\N{MINUS SIGN})"
                ends.append((float(abs(curve[-1])), name + sign, colour))
    ax.set_yscale("log")
    values = np.concatenate(lowest)
    values = values[values > 0]
    if values.size:
        # Uncorrelated unlike ions cross zero: their dips are cut off.
        ax.set_ylim(float(values.min()) / (4 if "collective" in curves else 1.6), float(values.max()) * 2)
    labels: dict[tuple[str, ...], str] = {
        ("self",): r"$\langle\Delta r^2\rangle$ (Å$^2$)",
        ("collective",): r"$|\langle\Delta\mathbf{X}_i\cdot\Delta\mathbf{X}_j\rangle|\,/\sqrt{N_i N_j}$ (Å$^2$)",
    }
    ax.set_ylabel(labels.get(tuple(curves), "displacement correlation per ion (Å$^2$)"))
    _against_time(ax, time, measurement, ends, own)
    tidy(ax, grid="both")
    only_powers(ax.yaxis)
    return ax


def plot_log_log_slope(
    correlations: Correlations | Sequence[Correlations],
    measurement: OnsagerMeasurement | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the local log-log slope of each mean squared displacement against time (ps), with its standard error.

    2 is free flight, 0 a cage, 1 diffusion; the band is one standard error either way. Slopes with errors above 0.5
    are not drawn.

    Args:
        correlations: Of one trajectory, or of replicas.
        measurement: Shades its regime.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: Fewer frames than one window of slopes needs.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> from tammann.transport import displacement_correlations
        >>> walk = Trajectory.example()
        >>> len(plot_log_log_slope(displacement_correlations(walk, frame="laboratory")).collections)
        2
    """
    from tammann.transport.correlations import same_system
    from tammann.transport.regime import log_log_slope

    replicas = same_system(correlations)
    slope = log_log_slope(replicas)
    own = ax is None
    ax = ax or new_axes(5.2, 3.2)
    colours = species_colours(replicas[0].species)
    ends = []
    for i, symbol in enumerate(replicas[0].species):
        clear = slope.stderr[i] <= 0.5
        time, value, error = slope.times_ps[clear], slope.value[i][clear], slope.stderr[i][clear]
        ax.fill_between(time, value - error, value + error, color=colours[symbol], alpha=0.2, linewidth=0)
        ax.plot(time, value, color=colours[symbol], linewidth=1.6, label=symbol)
        if time.size:
            ends.append((float(value[-1]), symbol, colours[symbol]))
    ax.axhline(1.0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    if measurement is not None and measurement.diffusive:
        # what is to be judged is how near to 1 the slopes are
        ax.set_ylim(0.5, 1.5)
        ax.set_yticks([0.5, 0.75, 1.0, 1.25, 1.5])
    else:
        ax.set_ylim(0.0, 2.1)
        ax.set_yticks([0.0, 0.5, 1.0, 1.5, 2.0])
    ax.set_ylabel(r"$\mathrm{d}\,\ln\langle\Delta r^2\rangle\,/\,\mathrm{d}\,\ln t$")
    _against_time(ax, slope.times_ps, measurement, ends, own)
    tidy(ax)
    return ax


def _draw_slope(ax: Axes, measurement: OnsagerMeasurement, i: int, curve: np.ndarray, interval: float) -> None:
    """6 D t over the regime, with the offset that the fit leaves free."""
    D = float(measurement.D_m2_per_s[i]) * 1e8  # square Angstrom per ps
    start, stop = measurement.regime_ps
    lags = np.unique(np.geomspace(max(start / interval, 1), stop / interval, 40).round().astype(int))
    lags = lags[lags < len(curve)]
    if not np.isfinite(D) or not lags.size:
        return
    time = lags * interval
    line = 6 * D * time + np.mean((curve[lags] - 6 * D * time)[: max(len(lags) // 4, 1)])
    ax.plot(time, np.where(line > 0, line, np.nan), color=INK, linewidth=0.9, linestyle=(0, (5, 2)), zorder=4)


def _against_time(
    ax: Axes, time: np.ndarray, measurement: OnsagerMeasurement | None, ends: list[tuple[float, str, str]], own: bool
) -> None:
    """Finish a plot against the logarithm of time, ps: shade the regime and name the lines at their ends."""
    ax.set_xscale("log")
    ax.set_xlim(time[0], time[-1])
    ax.set_xlabel("time (ps)")
    if measurement is not None:
        shade_span(ax, measurement.regime_ps)
    label_ends(ax, ends, own)
    only_powers(ax.xaxis)
