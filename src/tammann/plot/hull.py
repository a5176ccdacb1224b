"""The convex hull between two end members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import INK, formula_label, legend_above, new_axes, spread_out, temperature_colours, tidy
from tammann.systems import shipped_system

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def end_members(phases: Any) -> tuple[str, str]:
    """Return the two phases that all compositions of a system lie between: its own if it ships, else found.

    All phases are looked at first, then the solids alone, since most pseudo-binary systems come with a gas.

    Raises:
        DataError: The compositions lie on no line.

    Example:
        >>> from tammann.thermo import load_phases
        >>> end_members(load_phases("Ba-Ti-O"))
        ('BaO', 'TiO2')
    """
    if (shipped := shipped_system(phases.system)) is not None:
        return shipped.end_members
    fractions = phases.atom_fractions
    for some in (np.arange(len(phases)), np.flatnonzero(~phases.is_gas)):
        offset = fractions[some] - fractions[some].mean(axis=0)
        _, length, axes = np.linalg.svd(offset, full_matrices=False)
        if length[0] > 1e-8 and length[1:].max(initial=0.0) < 1e-8:
            place = offset @ axes[0]
            first, last = sorted((int(some[place.argmin()]), int(some[place.argmax()])))
            return phases[first].formula, phases[last].formula
    raise DataError(
        f"--between: the compositions of {phases.system} do not lie on one line; name its two ends, such as "
        f"{phases[0].formula} {phases[1].formula}."
    )


def hull_line(
    phases: Any, temperature_K: float, *, between: tuple[str, str] | None = None, energies: str | None = None
) -> dict[str, np.ndarray]:
    """Return energies of formation from two end members, and which phases lie on the lower hull between them.

    dG_f(p) = g_p - [(1 - z) g_A + z g_B] with g the Gibbs energy per atom and z the share of the atoms that come
    from B; p is on the line when its composition is a mixture of A's and B's. Its standard error counts those of p, A
    and B as independent. A and B are those of ``end_members`` unless given.

    Returns:
        Arrays over the phases on the line in order of composition: ``phase`` (formulas), ``x`` (mole fraction of
        B in A(1-x)B(x), dimensionless), ``z`` (share of atoms), ``energy_eV_per_atom``, ``standard_error_eV_per_atom``
        and ``stable`` (bool).

    Raises:
        DataError: An end member is unknown, has no energy in this set, or is both ends.
    """
    from tammann.thermo import reaction_standard_error

    first, second = between or end_members(phases)
    ends = []
    for name in (first, second):
        if name not in phases:
            there = ", ".join(phase.formula for phase in phases)
            raise DataError(f"between: end member {name!r} is not among the phases; choose one of {there}.")
        ends.append(phases.index(name))
    if ends[0] == ends[1]:
        raise DataError(f"between: expected two phases, got {first} twice.")
    gibbs = np.asarray(phases.gibbs(float(temperature_K), energies=energies)).reshape(len(phases))
    for name, end in zip((first, second), ends, strict=True):
        if not np.isfinite(gibbs[end]):
            raise DataError(f"between: end member {name!r} has no energy in this set; choose another set or end.")
    matrix = np.asarray(phases.composition_matrix, dtype=float)
    n_first, n_second = matrix[ends].sum(axis=1)
    amounts = matrix @ np.linalg.pinv(matrix[ends])  # (n, 2) formula units of A and B
    on_line = (np.abs(amounts @ matrix[ends] - matrix).max(axis=1) < 1e-8) & (amounts.min(axis=1) > -1e-8)
    kept = np.flatnonzero(on_line & np.isfinite(gibbs))
    a, b = np.clip(amounts[kept], 0, None).T
    x, z = (b / (a + b)).round(12), b * n_second / (a * n_first + b * n_second)
    energy = gibbs[kept] - (1 - z) * gibbs[ends[0]] - z * gibbs[ends[1]]
    reactions = np.zeros((len(kept), len(phases)))  # per atom, from the ends
    reactions[np.arange(len(kept)), kept] = 1.0
    reactions[:, ends] -= np.column_stack([1 - z, z])
    spread = reaction_standard_error(phases, reactions / matrix.sum(axis=1), energies=energies)
    order = np.lexsort((energy, x))
    rows = order[np.unique(x[order], return_index=True)[1]]  # of two polymorphs the more stable
    return {
        "phase": np.array([phases[int(k)].formula for k in kept[rows]], dtype=object),
        "x": x[rows],
        "z": z[rows].round(12),
        "energy_eV_per_atom": energy[rows],
        "standard_error_eV_per_atom": np.where(np.isin(kept, ends), 0.0, spread)[rows],
        "stable": _on_lower_hull(z[rows].round(12), energy[rows]),
    }


def _on_lower_hull(z: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Return which points, from z = 0 to 1, are corners of the lower convex hull, shape (n,), bool."""
    from scipy.spatial import ConvexHull

    above = [[0.0, energy.max() + 1.0], [1.0, energy.max() + 1.0]]
    return np.isin(np.arange(z.size), ConvexHull([*np.column_stack([z, energy]), *above]).vertices)


def plot_hull(
    phases: Any,
    temperature_K: float | Sequence[float],
    *,
    between: tuple[str, str] | None = None,
    energies: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw energies of formation from two end members (eV/atom) with the lower hull: filled stable, open not.

    Bars are standard errors. Energies are per atom, so the hull's straight lines are straight in the share of atoms;
    against the mole fraction that is drawn they bend slightly.

    Args:
        phases: ``tammann.thermo.Phases``.
        temperature_K: One temperature or several.
        between: Formulas of the end members, those of ``end_members`` if None.
        energies: Name of an energy set, the default set if None.
        ax: Where to draw, a figure of its own if None.

    Raises:
        DataError: As ``hull_line``.
    """
    temperatures = np.atleast_1d(np.asarray(temperature_K, dtype=float)).tolist()
    between = between or end_members(phases)
    lines = [hull_line(phases, t, between=between, energies=energies) for t in temperatures]
    ax = ax or new_axes(6.4, 4.2)
    colours = temperature_colours(len(temperatures)) if len(temperatures) > 1 else ["#0072B2"]
    for colour, line in zip(colours, lines, strict=True):
        _draw_line(ax, line, [phases[name].n_atoms for name in between], colour)
    _label_phases(ax, lines)
    first, second = (formula_label(name) for name in between)
    ax.set_xlim(0, 1)
    ax.set_xlabel(f"x in ({first})$_{{1-x}}$({second})$_x$")
    ax.set_ylabel(f"Gibbs energy of formation\nfrom {first} and {second} (eV/atom)", fontsize=9)
    tidy(ax)
    from matplotlib.lines import Line2D

    colour_of = dict(zip(temperatures, colours, strict=True))
    handles = [Line2D([], [], color=colour, linewidth=1.6, label=f"{t:g} K") for t, colour in colour_of.items()]
    for face, text in ((INK, "on the hull"), ("white", "above it")):
        handles.append(Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=face, label=text))
    legend_above(ax, handles, ncols=7)
    corner: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
    ax.annotate(f"energies: {phases.energy_set(energies).name}", (1, 1), (0, 7), fontsize=8.5, color=INK, **corner)
    return ax


def _draw_line(ax: Axes, line: dict[str, np.ndarray], n_atoms: Sequence[int], colour: Any) -> None:
    stable, x, energy = line["stable"], line["x"], line["energy_eV_per_atom"]
    z = line["z"][stable]
    # z = x n_B / ((1 - x) n_A + x n_B), turned round for the curve.
    fine = np.unique(np.concatenate([np.linspace(0, 1, 401), z]))
    x_fine = fine * n_atoms[0] / (fine * n_atoms[0] + (1 - fine) * n_atoms[1])
    ax.plot(x_fine, np.interp(fine, z, energy[stable]), color=colour, linewidth=1.4, zorder=2)
    spread = line["standard_error_eV_per_atom"]
    ax.vlines(x, energy - spread, energy + spread, color=colour, linewidth=1.0, alpha=0.55, zorder=2.5)
    for kind, face in ((stable, colour), (~stable, "white")):
        ax.plot(x[kind], energy[kind], "o", markersize=6, color=colour, markerfacecolor=face, zorder=3, clip_on=False)


def _label_phases(ax: Axes, lines: list[dict[str, np.ndarray]]) -> None:
    """Name every compound below its lowest point, moved apart sideways where they crowd."""
    lowest: dict[str, tuple[float, float]] = {}
    for line in lines:
        for name, x, energy in zip(line["phase"], line["x"], line["energy_eV_per_atom"], strict=True):
            if 0 < x < 1:
                lowest[name] = min(lowest.get(name, (x, energy)), (x, energy))
    if not lowest:
        return
    depth = min(0.0, *((line["energy_eV_per_atom"] - line["standard_error_eV_per_atom"]).min() for line in lines))
    height = max(line["energy_eV_per_atom"].max() for line in lines)
    span = max(height - depth, 0.02)
    places = spread_out([x for x, _ in lowest.values()], 0.052, 0.0, 1.0)
    upright: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "top", "fontsize": 8.5, "color": INK}
    pointer = {"arrowstyle": "-", "color": "#CFCFCB", "linewidth": 0.7, "shrinkB": 4, "shrinkA": 1}
    for (name, point), place in zip(lowest.items(), places, strict=True):
        ax.annotate(formula_label(name), point, (place, depth - 0.06 * span), arrowprops=pointer, **upright)
    ax.set_ylim(depth - 0.42 * span, height + 0.06 * span)
