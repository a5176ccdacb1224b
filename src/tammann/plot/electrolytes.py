"""Figures of solid electrolytes: densities of the mobile ion, the free energy of its way, conductivity against 1/T."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tammann.errors import DataError
from tammann.plot.style import FAINT, INK, label_ends, new_axes, species_colours, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.characterization import FreeEnergyPath, IonDensity, IonSites
    from tammann.transport import IonConduction

AXES = ("a", "b", "c")
S_PER_M_IN_S_PER_CM = 0.01
NEAR_END = 0.2
"""Part of a way in which its label would pass over the end."""
EDGE_A = 0.2
"""Sites nearer to an edge of the cell are drawn at the opposite one as well."""


def plot_density(
    density: IonDensity,
    *,
    along: Literal["a", "b", "c"] = "c",
    at: float | None = None,
    sites: IonSites | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the density of an ion in a slice, or its mean along a lattice vector, over the two other lattice vectors.

    Args:
        density: Å^-3.
        along: The lattice vector that the slice cuts, or along which the mean is taken.
        at: Fractional coordinate of the slice; the mean over all of them where None.
        sites: Marked with circles as large as they are occupied, those within 1 Å of a slice.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: Another lattice vector.

    Example:
        >>> from tammann.characterization import ion_density
        >>> from tammann.trajectory import Trajectory
        >>> density = ion_density(Trajectory.example(), "Mg", spacing_A=1.0)
        >>> plot_density(density).get_title()
        'Mg, mean along c'
    """
    from matplotlib.colors import LogNorm
    from matplotlib.patheffects import withStroke

    if along not in AXES:
        raise DataError(f"along: expected a, b or c, got {along!r}.")
    axis = AXES.index(along)
    first, second = (k for k in range(3) if k != axis)
    n = density.shape[axis]
    if at is None:
        layer, title = density.values_per_A3.mean(axis=axis), f"{density.symbol}, mean along {along}"
    else:
        layer = np.take(density.values_per_A3, round(at * n) % n, axis=axis)
        title = f"{density.symbol}, {along} = {at:.2f}"
    # the plane as it lies: one vector to the right, the other at its angle
    x, y = density.cell_A[first], density.cell_A[second]
    right = x / np.linalg.norm(x)
    up = y - (y @ right) * right
    up /= np.linalg.norm(up)
    i, j = np.meshgrid(*[np.arange(m + 1) / m for m in layer.shape], indexing="ij")
    place = np.stack([i * (x @ right) + j * (y @ right), j * (y @ up)])
    ax = ax or new_axes(4.6, 4.0)
    closed = np.pad(layer, ((0, 1), (0, 1)), mode="wrap")
    top = float(closed.max())
    norm = LogNorm(vmin=max(top * 1e-3, 1e-12), vmax=top)
    mesh = ax.pcolormesh(
        *place,
        np.maximum(closed, max(top * 1e-3, 1e-12)),
        norm=norm,
        cmap="magma_r",
        shading="gouraud",
        rasterized=True,
    )
    figure: Any = ax.get_figure(root=True)
    bar = figure.colorbar(mesh, ax=ax, shrink=0.85)
    bar.set_label(r"density (Å$^{-3}$)", color=INK, fontsize=9)
    bar.ax.tick_params(labelsize=8, color=FAINT, labelcolor=INK)
    if sites is not None:
        far = sites.basins.fractional[:, axis] - (0.0 if at is None else at)
        height = abs(np.linalg.det(density.cell_A)) / np.linalg.norm(np.cross(x, y))
        near = np.full(len(far), True) if at is None else np.abs(far - np.round(far)) * height < 1.0
        f = (sites.basins.fractional[near] % 1.0)[:, [first, second]]
        # those at an edge on the other one as well
        images = (f[:, None] + np.stack(np.meshgrid(*[(-1, 0, 1)] * 2), axis=-1).reshape(-1, 2)).reshape(-1, 2)
        over = EDGE_A / np.array([x @ right, y @ up])
        shown = ((images >= -over) & (images <= 1.0 + over)).all(axis=1)
        points = images[shown] @ np.array([[x @ right, 0.0], [y @ right, y @ up]])
        sizes = (10 + 60 * np.repeat(sites.occupancies[near], 9))[shown]
        halo = [withStroke(linewidth=2.4, foreground=INK)]  # to be seen on dark and light
        ax.scatter(points[:, 0], points[:, 1], s=sizes, facecolors="none", edgecolors="white", linewidths=1.1,
                   path_effects=halo, clip_on=False, zorder=4)  # fmt: skip
    ax.set_xlim(place[0].min(), place[0].max())
    ax.set_ylim(place[1].min(), place[1].max())
    ax.set_aspect("equal")
    ax.set_xlabel(f"along {AXES[first]} (Å)")
    ax.set_ylabel(f"in the plane of {AXES[first]} and {AXES[second]} (Å)")
    ax.set_title(title, fontsize=10, color=INK)
    tidy(ax, grid=None)
    return ax


def plot_free_energy(paths: FreeEnergyPath | Mapping[str, FreeEnergyPath], *, ax: Axes | None = None) -> Axes:
    """Draw the free energy along a way of an ion, eV against Å, with the sites it passes as marks.

    The barrier is written at the highest pass of one way, and at the ends of several.

    Args:
        paths: One, or several by name.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: None.
    """
    named = dict(paths) if isinstance(paths, Mapping) else {"": paths}
    if not named:
        raise DataError("there is no path to draw; give one of lowest_path.")
    own = ax is None
    ax = ax or new_axes(5.2, 3.4)
    colours = species_colours(tuple(named))
    ends = []
    for name, path in named.items():
        colour = colours[name]
        ax.plot(path.distance_A, path.free_energy_eV, color=colour, linewidth=1.5)
        inner = path.free_energy_eV[1:-1]
        low = np.flatnonzero((inner <= path.free_energy_eV[:-2]) & (inner < path.free_energy_eV[2:])) + 1
        marks = np.unique([0, *low, len(path.distance_A) - 1])
        ax.plot(
            path.distance_A[marks], path.free_energy_eV[marks], "o", color=colour, markersize=5,
            markeredgecolor="white", clip_on=False, zorder=3,
        )  # fmt: skip
        if len(named) == 1:
            top = int(path.free_energy_eV.argmax())
            along = path.distance_A[top] / path.distance_A[-1]
            side = "left" if along < NEAR_END else "right" if along > 1.0 - NEAR_END else "center"  # within the axes
            ax.annotate(
                f"{name}  {path.barrier_eV:.2f} eV".strip(), (path.distance_A[top], path.free_energy_eV[top]), (0, 4),
                textcoords="offset points", ha=side, fontsize=9.5, color=colour,
            )  # fmt: skip
        else:
            ends.append((float(path.free_energy_eV[-1]), f"{name}  {path.barrier_eV:.2f} eV", colour))
    ax.set_xlabel("along the way (Å)")
    ax.set_ylabel(r"$-k_\mathrm{B}T\,\ln\rho$ (eV)")
    ax.margins(y=0.1)
    ax.set_ylim(bottom=0.0)
    ax.set_xlim(left=0.0)
    tidy(ax)
    label_ends(ax, ends, own)
    return ax


def plot_conductivities(
    conductions: Mapping[str, IonConduction], *, at_K: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw conductivities (S/cm, logarithmic) against 1000/T (1/K): points, the law and its 95 % band.

    Filled points and lines are those of Nernst and Einstein (H = 1); open points have the measured Haven ratio.

    Args:
        conductions: By name.
        at_K: Temperature to which the lines are drawn, K; to the coldest point where None.
        ax: Where to draw; by default a figure of its own.

    Raises:
        DataError: None with a point.
    """
    own = ax is None
    tables = {name: each.table() for name, each in conductions.items()}
    tables = {name: t[t["sigma_NE_S_per_m"] > 0] for name, t in tables.items()}
    if not any(len(t) for t in tables.values()):
        raise DataError("there is no conductivity to draw: no ion was shown to diffuse; run longer or hotter.")
    ax = ax or new_axes(5.4, 4.2)
    colours = species_colours(tuple(tables))
    ends = []
    for k, (name, table) in enumerate(tables.items()):
        if not len(table):
            continue
        colour, each = colours[name], conductions[name]
        T = table["temperature_K"].to_numpy()
        points = table["sigma_NE_S_per_m"].to_numpy() * S_PER_M_IN_S_PER_CM
        bars = table["sigma_NE_stderr"].to_numpy() * S_PER_M_IN_S_PER_CM
        style: Any = {"fmt": "os^Dv<>p"[k % 8], "markersize": 5, "elinewidth": 1.0, "capsize": 2.0, "color": colour}
        ax.errorbar(1000 / T, points, yerr=np.minimum(bars, 0.9 * points), markeredgecolor="white", zorder=3, **style)
        with_haven = table["sigma_S_per_m"].to_numpy() * S_PER_M_IN_S_PER_CM
        good = with_haven > 0
        spread = np.minimum(table["sigma_stderr"].to_numpy()[good] * S_PER_M_IN_S_PER_CM, 0.9 * with_haven[good])
        ax.errorbar(1000 / T[good], with_haven[good], yerr=spread, markerfacecolor="white", zorder=2, **style)
        end = points[-1] if T[-1] < T[0] else points[0]
        label = name
        if each.diffusion is not None:
            coldest = min(T.min(), at_K or T.min())
            inverse = np.linspace(1 / T.max(), 1 / coldest, 60)
            line = [each.conductivity_at(1 / x) for x in inverse]
            values, low, high = (
                np.array([getattr(e, f"{part}_S_per_m") for e in line]) * S_PER_M_IN_S_PER_CM
                for part in ("sigma", "low", "high")
            )
            ax.fill_between(1000 * inverse, low, high, color=colour, alpha=0.2, linewidth=0)
            ax.plot(1000 * inverse, values, color=colour, linewidth=1.3)
            fit = each.diffusion
            end = float(values[-1])
            label = (
                f"{name}  {fit.activation_energy_eV:.2f} \N{PLUS-MINUS SIGN} {fit.activation_energy_stderr_eV:.2f} eV"
            )
        ends.append((float(end), label, colour))
    ax.set_yscale("log")
    ax.set_xlabel(r"1000/$T$ (K$^{-1}$)")
    ax.set_ylabel(r"$\sigma$ (S/cm)")
    tidy(ax, grid="both")
    if ax.get_ylim()[1] < 100 * ax.get_ylim()[0]:  # few powers of ten: plain numbers between them
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "235" else "")
    label_ends(ax, ends, own)
    return ax
