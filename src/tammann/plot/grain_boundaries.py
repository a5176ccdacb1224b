"""Grain boundaries and polycrystals: energies, coincidences, translations, and the grains themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, PALETTE, legend_above, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.structures import Configuration
    from tammann.structures.coincidence import Coincidence

MARKERS = "osD^vPX*"
MOST_POINTS = 40_000


def plot_boundary_energies(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    names: Mapping[float, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw boundary energies against the misorientation angle, one line for each potential or kind of boundary.

    A line joins the lowest energies of a series at each angle.

    Args:
        series: Pairs of an angle, degrees, and an energy, J/m2, by the name of what gave them.
        names: What to write above the highest point at an angle, such as {16.26: "Sigma 25"}.
        ax: Where to draw; on a new figure where None.

    Raises:
        DataError: No energies.

    Example:
        >>> ax = plot_boundary_energies({"relaxed": [(0.0, 0.0), (5.0, 0.6), (9.5, 0.8)]})
        >>> ax.get_ylabel()
        'boundary energy (J/m$^2$)'
    """
    if not any(len(points) for points in series.values()):
        raise DataError("series: expected at least one pair of an angle and an energy, got none.")
    ax = ax or new_axes()
    handles: list[Any] = []
    top: dict[float, float] = {}
    for k, (name, points) in enumerate(series.items()):
        if not len(points):
            continue
        angles, energies = np.array(sorted(points)).T
        lowest = np.flatnonzero(np.diff(angles, prepend=-np.inf) > 0)  # of each angle, joined by the line
        colour, marker = PALETTE[k % len(PALETTE)], MARKERS[k % len(MARKERS)]
        ax.plot(angles, energies, linestyle="", marker=marker, color=colour, markersize=5)
        handles += ax.plot(
            angles[lowest], energies[lowest], marker=marker, color=colour, markersize=5, linewidth=1.2, label=name
        )
        for angle, energy in zip(angles.tolist(), energies.tolist(), strict=True):
            top[angle] = max(energy, top.get(angle, energy))
    for angle, text in (names or {}).items():
        nearest = min(top, key=lambda a: abs(a - angle))
        ax.annotate(
            text.replace("Sigma ", "Σ"), (nearest, top[nearest]), xytext=(0, 7), textcoords="offset points",
            ha="center", fontsize=8.5, color=INK,
        )  # fmt: skip
    tidy(ax)
    ax.set_xlim(left=0.0)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]), top=1.12 * max(top.values()) or 1.0)
    ax.set_xlabel("misorientation (degrees)")
    ax.set_ylabel("boundary energy (J/m$^2$)")
    if len(series) > 1:
        legend_above(ax, handles, ncols=min(len(series), 4))
    return ax


def plot_coincidences(coincidences: Sequence[Coincidence], *, most_named: int = 12, ax: Axes | None = None) -> Axes:
    """Draw the strain that each coincidence needs against its angle; small sigma are large and named.

    Args:
        coincidences: As ``find_coincidences`` gives them.
        most_named: How many of the smallest sigma to name.
        ax: Where to draw; on a new figure where None.

    Raises:
        DataError: No coincidence.
    """
    if not coincidences:
        raise DataError("coincidences: expected at least one, got none; allow a larger strain or sigma.")
    ax = ax or new_axes()
    angles = np.array([each.angle_deg for each in coincidences])
    strains = 100.0 * np.array([each.strain for each in coincidences])
    sigmas = np.array([each.sigma for each in coincidences])
    ax.scatter(angles, strains, s=400.0 / sigmas, color=PALETTE[0], alpha=0.75, linewidth=0)
    span = max(float(strains.max()), 0.1)
    tidy(ax)
    ax.set_ylim(-0.06 * span, 1.15 * span)
    ax.set_xlabel("misorientation (degrees)")
    ax.set_ylabel("largest principal strain (%)")
    placed: list[tuple[float, float]] = []
    wide = max(float(np.ptp(angles)), 10.0)
    for k in np.lexsort((strains, sigmas))[:most_named]:
        here = float(angles[k]) / wide, float(strains[k]) / span
        # a name that would cover another is left out
        if all(abs(here[0] - x) > 0.07 or abs(here[1] - y) > 0.06 for x, y in placed):
            placed.append(here)
            ax.annotate(
                f"Σ{sigmas[k]}", (angles[k], strains[k]), xytext=(0, 4 + 9.0 / np.sqrt(sigmas[k])),
                textcoords="offset points", ha="center", fontsize=8.5, color=INK,
            )  # fmt: skip
    return ax


def plot_translations(energies_J_per_m2: ArrayLike, *, edges_A: tuple[float, float], ax: Axes | None = None) -> Axes:
    """Draw the energies of a scan of rigid translations as a map, the lowest marked.

    Args:
        energies_J_per_m2: Shape (I, J), J/m2, for translations of i/I and j/J of the two edges of the boundary.
        edges_A: Lengths of the two edges, Å.
        ax: Where to draw; on a new figure where None.

    Raises:
        DataError: Not a table of finite numbers.
    """
    table = np.asarray(energies_J_per_m2, dtype=float)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise DataError(f"energies_J_per_m2: expected a table of finite numbers, got shape {table.shape}.")
    ax = ax or new_axes(5.2, 4.0)
    sizes = edges_A[0] / table.shape[0], edges_A[1] / table.shape[1]
    spread = (-0.5 * sizes[0], edges_A[0] - 0.5 * sizes[0], -0.5 * sizes[1], edges_A[1] - 0.5 * sizes[1])
    image = ax.imshow(table.T, origin="lower", extent=spread, aspect="auto", cmap="viridis")
    i, j = np.unravel_index(int(table.argmin()), table.shape)
    ax.plot(i * sizes[0], j * sizes[1], marker="*", color="white", markersize=12, markeredgecolor=INK, linestyle="")
    tidy(ax, grid=None)
    ax.set_xlabel("translation along the first edge (Å)")
    ax.set_ylabel("translation along the second edge (Å)")
    figure = ax.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(image, ax=ax)
    bar.set_label("boundary energy (J/m$^2$)")
    return ax


def plot_grains(
    configuration: Configuration,
    *,
    label: str = "grain",
    along: int = 2,
    slice_A: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a slice of a structure seen along an axis, its atoms coloured by a label.

    Args:
        configuration: With the label, such as ``grain`` or ``boundary_distance_A``.
        label: Whole numbers are shown in colours of their own, others on a scale.
        along: Axis 0, 1 or 2 to look along.
        slice_A: Lower and upper end of the slice along it, Å; the lowest tenth, but at least 6 Å, where None.
        ax: Where to draw; on a new figure where None.

    Raises:
        DataError: No such label or axis, or no atom in the slice.
    """
    if label not in configuration.labels or configuration.labels[label].ndim != 1:
        known = ", ".join(configuration.labels) or "none"
        raise DataError(f"label {label!r}: expected one of the labels of the structure ({known}).")
    if along not in (0, 1, 2):
        raise DataError(f"along: expected the axis 0, 1 or 2, got {along}.")
    from tammann.structures.configuration import wrapped

    cell = configuration.cell_A
    positions = wrapped(configuration.positions_A, cell) @ cell
    x, y = positions[:, (along + 1) % 3], positions[:, (along + 2) % 3]
    z = positions[:, along]
    low, high = slice_A or (float(z.min()), float(z.min()) + max(6.0, 0.1 * float(np.ptp(z))))
    chosen = np.flatnonzero((z >= low) & (z <= high))
    if not len(chosen):
        raise DataError(f"slice_A: no atom lies between {low} and {high} Å along axis {along}; choose another slice.")
    if len(chosen) > MOST_POINTS:
        chosen = chosen[:: len(chosen) // MOST_POINTS + 1]
    wide, tall = float(np.ptp(x[chosen])) or 1.0, float(np.ptp(y[chosen])) or 1.0
    ax = ax or new_axes(*(np.array([wide, tall]) / max(wide, tall) * 5.5 + [1.2, 0.8]).tolist())
    values = configuration.labels[label][chosen]
    # atoms about 2 Å wide
    figure = ax.get_figure(root=True)
    assert figure is not None
    size = float(np.clip((2.0 * 5.5 * 72 / max(wide, tall)) ** 2, 0.3, 90.0))
    if values.dtype.kind in "iub":
        kinds = {value: k for k, value in enumerate(sorted(set(configuration.labels[label].tolist())))}
        ax.scatter(
            x[chosen], y[chosen], s=size, linewidth=0, color=[PALETTE[kinds[v] % len(PALETTE)] for v in values.tolist()]
        )
    else:
        points = ax.scatter(x[chosen], y[chosen], s=size, linewidth=0, c=values, cmap="viridis")
        figure.colorbar(points, ax=ax, shrink=0.8).set_label(_worded(label))
    tidy(ax, grid=None)
    ax.set_aspect("equal")
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.set_xlabel(f"{'xyz'[(along + 1) % 3]} (Å)")
    ax.set_ylabel(f"{'xyz'[(along + 2) % 3]} (Å)")
    return ax


def _worded(label: str) -> str:
    """The name of a label with its unit in brackets."""
    for ending, unit in (("_eV", "eV"), ("_A", "Å")):
        if label.endswith(ending):
            label = f"{label.removesuffix(ending)} ({unit})"
    return label.replace("_", " ")
