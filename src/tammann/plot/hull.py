"""The convex hull between two end members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot._style import INK, atoms_of, formula_label, new_axes, spread_out, temperature_colours, tidy
from tammann.systems import DEFAULT_SYSTEM, SYSTEMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["hull_line", "plot_hull"]


def hull_line(
    phases: Any,
    temperature_K: float,
    *,
    between: tuple[str, str] = SYSTEMS[DEFAULT_SYSTEM].end_members,
    energies: str | None = None,
) -> dict[str, np.ndarray]:
    """Energies of formation from two end members, and which phases lie on the lower hull between them.

    dG_f(p) = g_p - [(1 - z) g_A + z g_B] with g the Gibbs energy per atom and z the share of the atoms that come
    from B; p is on the line when its composition is a mixture of A's and B's.

    Args:
        phases: ``tammann.thermo.Phases``.
        temperature_K: K.
        between: formulas of A and B.
        energies: name of an energy set; by default the phases' own.

    Returns:
        Arrays over the phases on the line in order of composition: ``phase`` (formulas), ``x`` (mole fraction of
        B in A(1-x)B(x), dimensionless), ``z`` (share of atoms), ``energy_eV_per_atom`` and ``stable`` (bool).

    Raises:
        DataError: if an end member is unknown or has no energy in this set.
    """
    formulas = [phase.formula for phase in phases]
    gibbs = np.asarray(phases.gibbs(float(temperature_K), energies=energies)).reshape(len(formulas))
    counts = [{**atoms_of(phase.formula), **dict(phase.composition)} for phase in phases]
    ends = []
    for name in between:
        if name not in formulas:
            raise DataError(f"end member {name!r} is not among the phases; choose one of {', '.join(formulas)}")
        ends.append(formulas.index(name))
    elements = sorted({symbol for count in counts for symbol in count})
    matrix = np.array([[count.get(symbol, 0) for symbol in elements] for count in counts], dtype=float)
    n_first, n_second = matrix[ends].sum(axis=1)
    best: dict[tuple[float, float], tuple[float, int]] = {}
    for k in range(len(formulas)):
        amounts, *_ = np.linalg.lstsq(matrix[ends].T, matrix[k], rcond=None)
        if np.abs(matrix[ends].T @ amounts - matrix[k]).max() > 1e-8 or amounts.min() < -1e-8:
            continue
        if not np.isfinite(gibbs[k]):
            if k in ends:
                raise DataError(f"end member {formulas[k]!r} has no energy in this set; choose another set or end")
            continue
        a, b = np.clip(amounts, 0, None)
        z = b * n_second / (a * n_first + b * n_second)
        key = (round(b / (a + b), 12), float(z))
        energy = gibbs[k] - (1 - z) * gibbs[ends[0]] - z * gibbs[ends[1]]
        if key not in best or energy < best[key][0]:  # of two polymorphs the more stable
            best[key] = (float(energy), k)
    keys = sorted(best)
    z = np.array([key[1] for key in keys])
    energy = np.array([best[key][0] for key in keys])
    stable = np.zeros(z.size, dtype=bool)
    corner: list[int] = []
    for k in range(z.size):  # the lower hull from left to right
        while len(corner) > 1 and (energy[corner[-1]] - energy[corner[-2]]) * (z[k] - z[corner[-2]]) >= (
            energy[k] - energy[corner[-2]]
        ) * (z[corner[-1]] - z[corner[-2]]):
            corner.pop()
        corner.append(k)
    stable[corner] = True
    return {
        "phase": np.array([formulas[best[key][1]] for key in keys], dtype=object),
        "x": np.array([key[0] for key in keys]),
        "z": z,
        "energy_eV_per_atom": energy,
        "stable": stable,
    }


def plot_hull(
    phases: Any,
    temperature_K: float | Sequence[float],
    *,
    between: tuple[str, str] = SYSTEMS[DEFAULT_SYSTEM].end_members,
    energies: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw energies of formation from two end members (eV/atom) with the lower hull: filled stable, open not.

    Energies are per atom, so the hull's straight lines are straight in the share of atoms; against the mole
    fraction that is drawn they bend slightly.

    Args:
        phases: ``tammann.thermo.Phases``.
        temperature_K: one temperature or several, K.
        between: formulas of the end members.
        energies: name of an energy set; by default the phases' own.
        ax: where to draw; by default a figure of its own.

    Raises:
        DataError: if an end member is unknown or has no energy in this set.
    """
    temperatures = [float(t) for t in np.atleast_1d(np.asarray(temperature_K, dtype=float))]
    ax = new_axes(6.4, 4.2) if ax is None else ax
    colours = temperature_colours(len(temperatures)) if len(temperatures) > 1 else ["#0072B2"]
    lines = [hull_line(phases, t, between=between, energies=energies) for t in temperatures]
    for colour, line in zip(colours, lines, strict=True):
        stable = line["stable"]
        z, energy = line["z"][stable], line["energy_eV_per_atom"][stable]
        # z = x n_B / ((1 - x) n_A + x n_B), turned round for the curve.
        n_first, n_second = (sum(atoms_of(name).values()) for name in between)
        fine = np.unique(np.concatenate([np.linspace(0, 1, 401), z]))
        x_fine = fine * n_first / (fine * n_first + (1 - fine) * n_second)
        ax.plot(x_fine, np.interp(fine, z, energy), color=colour, linewidth=1.4, zorder=2)
        for kind, face in ((stable, colour), (~stable, "white")):
            ax.plot(
                line["x"][kind],
                line["energy_eV_per_atom"][kind],
                "o",
                markersize=6,
                color=colour,
                markerfacecolor=face,
                zorder=3,
                clip_on=False,
            )
    _label_phases(ax, lines)
    first, second = (formula_label(name) for name in between)
    ax.set_xlim(0, 1)
    ax.set_xlabel(f"x in ({first})$_{{1-x}}$({second})$_x$")
    ax.set_ylabel(f"Gibbs energy of formation from {first} and {second} (eV/atom)", fontsize=9)
    tidy(ax)
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=c, linewidth=1.6) for c in colours]
    labels = [f"{t:g} K" for t in temperatures]
    for face, text in ((INK, "on the hull"), ("white", "above it")):
        handles.append(Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=face))
        labels.append(text)
    ax.legend(handles, labels, frameon=False, fontsize=8.5, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=7)
    return ax


def _label_phases(ax: Axes, lines: list[dict[str, np.ndarray]]) -> None:
    """Name every compound below its lowest point, moved apart sideways where they crowd."""
    lowest: dict[str, tuple[float, float]] = {}
    for line in lines:
        for name, x, energy in zip(line["phase"], line["x"], line["energy_eV_per_atom"], strict=True):
            if 0 < x < 1 and (name not in lowest or energy < lowest[name][1]):
                lowest[str(name)] = (float(x), float(energy))
    if not lowest:
        return
    depth = min(energy for _, energy in lowest.values())
    floor = depth * 1.12
    places = spread_out([x for x, _ in lowest.values()], 0.052, 0.0, 1.0)
    for (name, (x, energy)), place in zip(lowest.items(), places, strict=True):
        ax.annotate(
            formula_label(name),
            xy=(x, energy),
            xytext=(place, floor),
            rotation=90,
            ha="center",
            va="top",
            fontsize=8.5,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": "#CFCFCB", "linewidth": 0.7, "shrinkB": 4, "shrinkA": 1},
        )
    ax.set_ylim(depth * 1.45, max(0.02, -0.06 * depth))
