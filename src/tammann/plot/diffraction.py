"""Powder patterns and G(r): one above the other, their partials, beside a measurement, and the size of grains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, formula_label, new_axes, spread_out, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.characterization.diffraction import Agreement, PairFunction, PowderPattern, WilliamsonHall

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#6B6B3A")
GAP = 1.1
"""Distance between curves that are stacked, in heights of the highest."""


def plot_patterns(
    patterns: Mapping[str, PowderPattern],
    *,
    wavelength: str | float | None = None,
    marks: Sequence[float] | None = None,
    each: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw patterns one above the other, the first at the bottom.

    Args:
        patterns: Label to pattern.
        wavelength: Draw against two theta for this wavelength, Å or the name of a line, instead of Q; X-rays then with
            the polarization factor.
        marks: Places of reflections, in the unit of the axis, as ticks below.
        each: Scale each to its own highest point, so that broad peaks can be seen beside sharp ones; where not, all
            have one scale.
        ax: Axes; a new figure where None.

    Raises:
        DataError: No pattern, or X-rays beside neutrons.
    """
    kinds = {pattern.radiation for pattern in patterns.values()}
    if len(kinds) != 1:
        raise DataError(f"{len(patterns)} patterns of {len(kinds)} radiations were given, expected some of one.")
    curves = {label: _curve(pattern, wavelength) for label, pattern in patterns.items()}
    unit = "each to its highest" if each else "electrons²" if kinds == {"xray"} else "fm²"
    if each:
        curves = {label: (x, y / y.max()) for label, (x, y) in curves.items()}
    axis = r"$Q$ (Å$^{-1}$)" if wavelength is None else r"$2\theta$ (degrees)"
    ax = _stacked(curves, ax)
    if marks is not None:
        low, high = ax.get_ylim()
        ax.plot(marks, np.full(len(marks), low - 0.02 * (high - low)), "|", color=INK, markersize=6, clip_on=False)
        ax.set_ylim(low - 0.05 * (high - low), high)
    ax.set(xlabel=axis, ylabel=f"intensity{'' if each else ' per atom'} ({unit})")
    return ax


def plot_pair_functions(functions: Mapping[str, PairFunction], *, ax: Axes | None = None) -> Axes:
    """Draw G(r) one above the other, the first at the bottom, all on one scale, each with its zero.

    Raises:
        DataError: None given.
    """
    if not functions:
        raise DataError("no pair function was given, expected one or more.")
    curves = {label: (found.r_A, found.G_per_A2) for label, found in functions.items()}
    ax = _stacked(curves, ax, zeros=True)
    ax.set(xlabel=r"$r$ (Å)", ylabel=r"$G(r)$ (Å$^{-2}$)")
    return ax


def plot_partials(pattern: PowderPattern, *, ax: Axes | None = None) -> Axes:
    """Draw what each pair of elements contributes to the intensity, and their sum."""
    ax = ax or new_axes(6.0, 3.6)
    ax.axhline(0.0, color=FAINT, linewidth=0.7)
    for k, ((a, b), values) in enumerate(pattern.partial_intensities.items()):
        ax.plot(pattern.q_per_A, values, color=COLOURS[k % len(COLOURS)], linewidth=1.0, label=f"{a}-{b}")
    ax.plot(pattern.q_per_A, pattern.intensity, color=INK, linewidth=1.2, label="sum")
    unit = "electrons²" if pattern.radiation == "xray" else "fm²"
    ax.set(xlabel=r"$Q$ (Å$^{-1}$)", ylabel=f"intensity per atom ({unit})")
    ax.set_xlim(pattern.q_per_A[0], pattern.q_per_A[-1])
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8.5)
    tidy(ax)
    return ax


def plot_agreement(agreement: Agreement, *, x_label: str = r"$Q$ (Å$^{-1}$)", ax: Axes | None = None) -> Axes:
    """Draw a measurement, the computed curve through it, and their difference below."""
    ax = ax or new_axes(6.0, 3.6)
    x, y = agreement.measured.x, agreement.measured.y
    rest = y - agreement.calculated
    offset = min(y.min(), agreement.calculated.min()) - 1.1 * max(rest.max(), 0.02 * np.ptp(y))
    ax.plot(x, y, ".", color=FAINT, markersize=3, label="measured")
    ax.plot(x, agreement.calculated, color=COLOURS[0], linewidth=1.1, label="computed")
    ax.axhline(offset, color=FAINT, linewidth=0.7)
    ax.plot(x, rest + offset, color=COLOURS[1], linewidth=0.9, label="difference")
    ax.set(xlabel=x_label, ylabel="as measured")
    ax.set_xlim(x[0], x[-1])
    ax.text(0.98, 0.96, rf"$R_w$ = {100 * agreement.r_w:.1f} %", transform=ax.transAxes, ha="right", va="top",
            fontsize=9, color=INK)  # fmt: skip
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False, fontsize=8.5)
    tidy(ax)
    return ax


def plot_williamson_hall(results: Mapping[str, WilliamsonHall], *, ax: Axes | None = None) -> Axes:
    """Draw widths of peaks against Q with the lines through them: size where they begin, strain in their slope."""
    ax = ax or new_axes(5.0, 3.6)
    for k, (label, found) in enumerate(results.items()):
        colour = COLOURS[k % len(COLOURS)]
        ax.plot(found.q_per_A, found.fwhm_per_A, "o", color=colour, markersize=5)
        slope = 2.0 * found.strain
        start = float(np.mean(found.fwhm_per_A - slope * found.q_per_A))
        q = np.array([0.0, 1.05 * found.q_per_A.max()])
        words = f"{formula_label(label)}: {found.diameter_A:.0f} Å, strain {100 * found.strain:.2f} %"
        ax.plot(q, start + slope * q, color=colour, linewidth=1.1, label=words)
    ax.set(xlabel=r"$Q$ (Å$^{-1}$)", ylabel=r"full width at half maximum (Å$^{-1}$)")
    ax.set_xlim(left=0.0)
    ax.set_ylim(bottom=0.0)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=8.5)
    tidy(ax)
    return ax


def _curve(pattern: PowderPattern, wavelength: str | float | None) -> tuple[np.ndarray, np.ndarray]:
    if wavelength is None:
        return pattern.q_per_A, pattern.intensity
    from tammann.characterization.diffraction import polarization, two_theta_of

    angles = two_theta_of(pattern.q_per_A, wavelength)
    reached = np.isfinite(angles)
    factor = polarization(angles[reached]) if pattern.radiation == "xray" else 1.0
    return angles[reached], pattern.intensity[reached] * factor


def _stacked(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], ax: Axes | None, *, zeros: bool = False) -> Axes:
    """Draw curves at equal distances, each named at its right end."""
    step = GAP * max(float(y.max() - min(0.0, y.min())) for _, y in curves.values()) if len(curves) > 1 else 0.0
    step *= 0.6 if len(curves) > 3 else 1.0  # peaks of many patterns may reach into the gaps above them
    ax = ax or new_axes(6.0, 2.6 + 0.6 * len(curves))
    ends = []
    for k, (_, (x, y)) in enumerate(curves.items()):
        colour = COLOURS[k % len(COLOURS)]
        if zeros:
            ax.axhline(k * step, color=FAINT, linewidth=0.6, zorder=0)
        ax.plot(x, y + k * step, color=colour, linewidth=1.0)
        ends.append(float(np.mean(y[-max(1, len(y) // 50) :]) + k * step))
    ax.set_xlim(min(x[0] for x, _ in curves.values()), max(x[-1] for x, _ in curves.values()))
    tidy(ax, grid="x")
    low, high = ax.get_ylim()
    if len(curves) > 1:
        ax.set_yticks([])
        places = spread_out(ends, 0.05 * (high - low), low, high)
        for k, (label, place) in enumerate(zip(curves, places, strict=True)):
            ax.annotate(label, (1.01, place), xycoords=("axes fraction", "data"), color=COLOURS[k % len(COLOURS)],
                        fontsize=9, va="center")  # fmt: skip
    return ax
