"""Potentials beside what they should give: parity, errors, distributions, crystals, conservation of energy, grades."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, formula_label, legend_above, new_axes, species_colours, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from tammann.md.energy_drift import EnergyDrift
    from tammann.potentials.crystals import CrystalCurve
    from tammann.potentials.evaluate import Evaluation
    from tammann.potentials.phonons import Phonons

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#6B6B3A")
"""Of potentials, in their order; told apart also by those who do not tell red from green."""
MARKERS = "osD^vPX*"
PANEL_IN = (3.5, 3.0)
DENSE = 1500
"""More points than this are shown as a density."""

Quantity = Literal["energy", "force", "stress"]
_COLUMNS: dict[str, tuple[str, str, str, str, float]] = {
    "energy": ("frames", "eV_per_atom", "energy", "meV/atom", 1000.0),
    "force": ("forces", "eV_per_A", "force component", "eV/Å", 1.0),
    "stress": ("stresses", "GPa", "stress component", "GPa", 1.0),
}


def potential_colours(names: Sequence[str], reference: str | None = None) -> dict[str, str]:
    """Return a colour for each potential; that of the reference is the ink of the text.

    Example:
        >>> potential_colours(["mine", "chgnet"], reference="chgnet")
        {'mine': '#0072B2', 'chgnet': '#222222'}
    """
    others = [name for name in names if name != reference]
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(others)}
    return {name: INK if name == reference else colours[name] for name in names}


def plot_parity(
    evaluation: Evaluation,
    quantity: Quantity = "force",
    *,
    element: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw predictions against labels, with the errors of each configuration type.

    Few points are drawn one by one in the colour of their configuration type, many as a density with a logarithmic
    scale; the thin line is equality.

    Args:
        evaluation: As ``evaluate_potential`` returns it.
        quantity: ``energy`` (per atom, eV), ``force`` (components, eV/Å) or ``stress`` (components, GPa).
        element: Only forces on this element.
        ax: Axes; a new figure where None.

    Raises:
        DataError: No such labels.
    """
    table_name, unit, what, error_unit, scale = _COLUMNS[quantity]
    table = getattr(evaluation, table_name)
    if element is not None and quantity == "force":
        table = table[table["element"] == element]
    if table.empty:
        raise DataError(f"the evaluation of {evaluation.potential} has no {what} to draw; label the frames with it.")
    ax = ax or new_axes(*PANEL_IN)
    x, y = (table[f"{name}_{unit}"].to_numpy(dtype=float) for name in ("reference", "predicted"))
    low, high = _limits(np.concatenate([x, y]))
    types = sorted(set(table["config_type"]))
    rmse = {t: _rms((y - x)[(table["config_type"] == t).to_numpy()]) for t in types}
    if len(x) > DENSE:
        from matplotlib.colors import LogNorm

        colour = species_colours([element])[element] if element else COLOURS[0]
        ax.hexbin(x, y, gridsize=70, extent=(low, high, low, high), mincnt=1, linewidths=0.1, norm=LogNorm(),
                  cmap=_fade(colour))  # fmt: skip
    else:
        for t, colour in zip(types, _type_colours(types), strict=True):
            own = (table["config_type"] == t).to_numpy()
            ax.scatter(x[own], y[own], s=11, color=colour, alpha=0.7, linewidths=0, label=t, zorder=3)
    ax.axline((low, low), slope=1.0, color=INK, linewidth=0.8, zorder=4)
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    symbol = f" on {element}" if element else ""
    shown = {"eV_per_atom": "eV/atom", "eV_per_A": "eV/Å", "GPa": "GPa"}[unit]
    ax.set_xlabel(f"{what}{symbol}, label ({shown})")
    ax.set_ylabel(f"{evaluation.potential} ({shown})")
    lines = [f"RMSE {_rms(y - x) * scale:.3g} {error_unit}"]
    if len(types) > 1:
        lines += [f"{t} {value * scale:.3g}" for t, value in rmse.items()]
    ax.text(0.04, 0.96, "\n".join(lines), transform=ax.transAxes, va="top", fontsize=8.5, color=INK, linespacing=1.35)
    if len(x) <= DENSE and len(types) > 1:
        ax.legend(loc="lower right", frameon=False, fontsize=8, handletextpad=0.1, borderaxespad=0.2)
    tidy(ax, grid=None)
    ax.locator_params(nbins=5)
    return ax


def plot_errors(
    evaluations: Sequence[Evaluation],
    *,
    by: Literal["config_type", "formula", "element"] = "config_type",
    quantity: Quantity = "force",
    ax: Axes | None = None,
) -> Axes:
    """Draw the root mean square errors of potentials for each configuration type, composition or element.

    Args:
        evaluations: Of the same data set.
        by: What the rows are.
        quantity: ``energy``, ``force`` or ``stress``.
        ax: Axes; a new figure where None.
    """
    column = {
        "energy": "energy_rmse_meV_per_atom",
        "force": "force_rmse_eV_per_A",
        "stress": "stress_rmse_GPa",
    }[quantity]
    tables = [one.errors(by)[column].dropna() for one in evaluations]
    rows = sorted({value for table in tables for value in table.index})
    ax = ax or new_axes(PANEL_IN[0], max(1.9, 1.1 + 0.34 * len(rows)))
    for k, (one, table) in enumerate(zip(evaluations, tables, strict=True)):
        places = [rows.index(value) for value in table.index]
        ax.plot(table.to_numpy(), places, MARKERS[k % 8], color=COLOURS[k % len(COLOURS)], markersize=7,
                markeredgecolor="white", label=one.potential, zorder=3, clip_on=False)  # fmt: skip
    ax.set_yticks(range(len(rows)), [formula_label(row) if by == "formula" else row for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(left=0.0)
    plural = {"energy": "energies", "force": "force components", "stress": "stress components"}[quantity]
    ax.set_xlabel(f"RMSE of {plural} ({_COLUMNS[quantity][3]})")
    tidy(ax, grid="both")
    legend_above(ax, ax.get_legend_handles_labels()[0], ncols=1)
    return ax


def plot_pair_distribution(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    pair: str,
    *,
    reference: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw g(r) of a pair of elements under several potentials, with bands of two standard errors.

    Args:
        curves: By potential: distances, Å, g and its standard error, each of shape (B,).
        pair: Such as ``Ba-O``.
        reference: The potential that the others are held against, drawn in black.
        ax: Axes; a new figure where None.
    """
    ax = ax or new_axes(*PANEL_IN)
    colours = potential_colours(list(curves), reference)
    for name in sorted(curves, key=lambda n: n == reference):
        r, g, error = curves[name]
        ax.fill_between(r, g - 2.0 * error, g + 2.0 * error, color=colours[name], alpha=0.22, linewidth=0)
        style = (0, (4, 2)) if name == reference else "-"
        ax.plot(r, g, color=colours[name], linewidth=1.3, linestyle=style, label=name)
    ax.axhline(1.0, color=FAINT, linewidth=0.7, zorder=0)
    ax.set_ylim(bottom=0.0)
    starts = [float(r[g > 0.0][0]) for r, g, _ in curves.values() if (g > 0.0).any()]
    ax.set_xlim(max(0.0, min(starts, default=0.0) - 0.4), max(float(r[-1]) for r, _, _ in curves.values()))
    ax.set_xlabel("r (Å)")
    ax.set_ylabel(f"g(r), {pair}")
    tidy(ax)
    legend_above(ax, ax.get_legend_handles_labels()[0])
    return ax


def plot_diffusivities(
    values: Mapping[str, Mapping[str, tuple[float, float, bool]]],
    *,
    reference: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw tracer diffusivities of the elements of a melt under several potentials, with standard errors.

    Args:
        values: By potential and element: D and its standard error, m²/s, and whether the element is shown to diffuse;
            where not, the symbol is hollow.
        reference: Drawn in black.
        ax: Axes; a new figure where None.
    """
    ax = ax or new_axes(*PANEL_IN)
    elements = list(dict.fromkeys(symbol for one in values.values() for symbol in one))
    colours = potential_colours(list(values), reference)
    for k, (name, one) in enumerate(values.items()):
        shift = 0.16 * (k - (len(values) - 1) / 2.0)
        for symbol, (D, error, moves) in one.items():
            ax.errorbar(elements.index(symbol) + shift, 1e9 * D, 1e9 * error if math.isfinite(error) else None,
                        fmt=MARKERS[k % 8], color=colours[name], markersize=6, capsize=2.5, linewidth=1.1,
                        markerfacecolor=colours[name] if moves else "white",
                        label=name if symbol == next(iter(one)) else None)  # fmt: skip
    ax.set_xticks(range(len(elements)), elements)
    ax.set_xlim(-0.6, len(elements) - 0.4)
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("D (10$^{-9}$ m²/s)")
    tidy(ax)
    legend_above(ax, ax.get_legend_handles_labels()[0])
    return ax


def plot_watched_runs(
    series: Mapping[str, pd.DataFrame],
    quantity: Literal["grade", "closest_A", "temperature_K"] = "grade",
    *,
    limit: float | None = None,
    failed: Sequence[str] = (),
    reference: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the grade, the closest contact or the temperature along runs, and where they failed.

    Args:
        series: By potential, as ``WatchedRun.series``; those without a grade are left out of its figure.
        quantity: A column of it.
        limit: What ends a run, drawn as a line.
        failed: Potentials whose run ended early; a cross marks its end.
        reference: Drawn in black.
        ax: Axes; a new figure where None.
    """
    ax = ax or new_axes(*PANEL_IN)
    colours = potential_colours(list(series), reference)
    for name, table in series.items():
        known = table[np.isfinite(table[quantity].to_numpy(dtype=float))]
        if known.empty:
            continue
        t, y = known["time_ps"].to_numpy(dtype=float), known[quantity].to_numpy(dtype=float)
        lows, highs, middle = _thinned(t, y)
        ax.fill_between(middle, lows, highs, color=colours[name], alpha=0.45, linewidth=0.6, label=name)
        if name in failed:
            ax.plot(t[-1], y[-1], "X", color=colours[name], markersize=9, markeredgecolor="white", zorder=5)
    names = {"grade": "extrapolation grade", "closest_A": "closest contact (Å)", "temperature_K": "temperature (K)"}
    if quantity == "grade":
        ax.set_yscale("log")
    if limit is not None:
        ax.axhline(limit, color="#B3541E", linewidth=1.0, linestyle=(0, (5, 3)))
        ax.annotate("stop", (1.0, limit), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8,
                    color="#B3541E")  # fmt: skip
    ax.set_xlim(left=0.0)
    ax.set_xlabel("time (ps)")
    ax.set_ylabel(names[quantity])
    tidy(ax)
    legend_above(ax, ax.get_legend_handles_labels()[0])
    return ax


def plot_energy_conservation(
    drifts: Mapping[str, EnergyDrift], *, reference: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how the total energy fluctuates at constant energy against the time step, beside dt squared.

    Args:
        drifts: By potential, as ``energy_drift`` returns them.
        reference: Drawn in black.
        ax: Axes; a new figure where None.
    """
    ax = ax or new_axes(*PANEL_IN)
    colours = potential_colours(list(drifts), reference)
    for k, (name, one) in enumerate(drifts.items()):
        ax.loglog(one.timesteps_fs, one.fluctuation_meV_per_atom, MARKERS[k % 8] + "-", color=colours[name],
                  linewidth=1.2, markersize=6, markeredgecolor="white", label=f"{name}, dt$^{{{one.order:.1f}}}$"
                  )  # fmt: skip
    steps = np.array(sorted({float(dt) for one in drifts.values() for dt in one.timesteps_fs}))
    lowest = min(float(one.fluctuation_meV_per_atom[0] / one.timesteps_fs[0] ** 2) for one in drifts.values())
    ax.loglog(steps, 0.5 * lowest * steps**2, color=FAINT, linewidth=1.0, linestyle=(0, (4, 3)), label="dt$^2$")
    ax.set_xticks(steps, [f"{dt:g}" for dt in steps])
    ax.minorticks_off()
    ax.set_xlabel("time step (fs)")
    ax.set_ylabel("energy fluctuation (meV/atom)")
    tidy(ax, grid="both")
    legend_above(ax, ax.get_legend_handles_labels()[0])
    return ax


def plot_total_energy(drift: EnergyDrift, *, name: str = "", ax: Axes | None = None) -> Axes:
    """Draw the total energy against time at constant energy, one line for each time step.

    Args:
        drift: As ``energy_drift`` returns it.
        name: Of the potential.
        ax: Axes; a new figure where None.
    """
    ax = ax or new_axes(*PANEL_IN)
    shades = ("#9EC9E2", "#4292C6", "#08519C", "#08306B", "#041B3D", "#000000")
    for k, dt in enumerate(drift.timesteps_fs):
        label = f"{dt:g} fs: {drift.drift_meV_per_atom_ps[k]:+.2g} ± {drift.drift_stderr_meV_per_atom_ps[k]:.1g}"
        ax.plot(drift.times_ps[k], drift.energies_meV_per_atom[k], color=shades[k % 6], linewidth=1.0, label=label)
    ax.set_xlim(left=0.0)
    ax.set_xlabel("time (ps)")
    ax.set_ylabel("total energy (meV/atom)")
    tidy(ax)
    title = f"{name}: " * bool(name) + "drift in meV/(atom ps)"
    handles = ax.get_legend_handles_labels()[0]
    legend_above(ax, handles, title=title, title_fontsize=8.5, alignment="left")
    return ax


def plot_crystal_curves(
    curves: Mapping[str, CrystalCurve], *, reference: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the energy of a crystal against its volume, each curve above its own minimum.

    Args:
        curves: By potential, as ``crystal_curve`` returns them.
        reference: Drawn in black.
        ax: Axes; a new figure where None.
    """
    ax = ax or new_axes(*PANEL_IN)
    colours = potential_colours(list(curves), reference)
    for k, (name, curve) in enumerate(curves.items()):
        v, e = curve.volumes_A3_per_atom, 1000.0 * (curve.energies_eV_per_atom - curve.energy_eV_per_atom)
        smooth = np.linspace(v.min(), v.max(), 100)
        fit = np.polynomial.Polynomial.fit(v, e, min(4, len(v) - 1))
        ax.plot(smooth, fit(smooth), color=colours[name], linewidth=1.2)
        ax.plot(v, e, MARKERS[k % 8], color=colours[name], markersize=5.5, markeredgecolor="white",
                label=f"{name}: {curve.volume_A3_per_atom:.2f} Å³, {curve.bulk_modulus_GPa:.0f} GPa")  # fmt: skip
    ax.set_ylim(bottom=-0.5)
    ax.set_xlabel("volume (Å³ per atom)")
    ax.set_ylabel("energy (meV/atom)")
    tidy(ax)
    legend_above(ax, ax.get_legend_handles_labels()[0])
    return ax


def plot_phonons(phonons: Mapping[str, Phonons], *, reference: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw phonon bands; imaginary frequencies are below zero, in a shaded part.

    Potentials are drawn over each other on the path of the first, stretched to the same length: relaxed cells differ a
    little.

    Args:
        phonons: By potential, as ``crystal_phonons`` returns them.
        reference: Drawn in black.
        ax: Axes; a new figure where None.
    """
    ax = ax or new_axes(*PANEL_IN)
    colours = potential_colours(list(phonons), reference)
    first = next(iter(phonons.values()))
    end = float(first.distances[-1])
    for name in sorted(phonons, key=lambda n: n == reference):
        one = phonons[name]
        x = one.distances * (end / one.distances[-1])
        style = (0, (4, 2)) if name == reference else "-"
        lines = ax.plot(x, one.frequencies_THz, color=colours[name], linewidth=0.9, linestyle=style, alpha=0.9)
        state = "" if one.stable else f", to {-one.lowest_THz:.1f}i THz"
        lines[0].set_label(f"{name}{state}")
    low, high = ax.get_ylim()
    if not all(one.stable for one in phonons.values()):
        ax.axhspan(low, 0.0, color="#F3E3DA", zorder=0, linewidth=0)
        ax.annotate("imaginary", (0.99, low), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8,
                    color="#8A4B2A", xytext=(0, 2), textcoords="offset points")  # fmt: skip
    else:
        low = 0.0
    ax.set_ylim(low, high)
    corners: dict[float, str] = {}
    for label, place in first.labels:
        known = corners.get(place)
        corners[place] = label if known in (None, label) else f"{known}|{label}"
    for place in corners:
        ax.axvline(place, color=FAINT, linewidth=0.6, zorder=0)
    ax.axhline(0.0, color=INK, linewidth=0.6)
    ax.set_xticks(list(corners), list(corners.values()))
    ax.set_xlim(0.0, end)
    ax.set_ylabel("frequency (THz)")
    tidy(ax, grid=None)
    legend_above(ax, ax.get_legend_handles_labels()[0])
    return ax


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def _limits(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.1
    return low - margin, high + margin


def _type_colours(types: Sequence[str]) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(len(types))]


def _fade(colour: str) -> Any:
    """Return a map of colours from a pale to a deep shade of a colour."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    rgb = np.array(to_rgb(colour))
    pale, deep = 1.0 - 0.25 * (1.0 - rgb), 0.55 * rgb
    return LinearSegmentedColormap.from_list("fade", [pale, rgb, deep])


def _thinned(t: np.ndarray, y: np.ndarray, points: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lowest and highest value in each of at most ``points`` stretches, and the middles of these in time."""
    parts = np.array_split(np.arange(len(t)), min(points, max(2, len(t) // 2)))
    lows, highs, middle = (np.array([f(x[p]) for p in parts if len(p)]) for f, x in
                           ((np.min, y), (np.max, y), (np.mean, t)))  # fmt: skip
    return lows, highs, middle
