"""What a particle holds along its radius at one time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tammann.analysis.profiles import Profile, profile
from tammann.plot.layers import along_composition, length_unit, zoomed
from tammann.plot.style import (
    INK,
    formula_label,
    moment_text,
    new_axes,
    phase_colours,
    species_colours,
    spread_out,
    tidy,
)
from tammann.reactive_diffusion.components import ANION_CHARGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History


def plot_profile(
    history: History, frame: int = -1, *, particle: int = 0, whole: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw phases, composition and potential along the radius of a particle, or across a couple, at one time.

    Args:
        history: A run of reactive diffusion; profiles are of its first realization.
        frame: Index of the frame (see ``tammann.analysis.frame_at``); the last by default.
        particle: Index of the particle.
        whole: Show the whole particle, even where products take up little of it.
        ax: Where to draw; by default a figure of its own. It holds one child Axes a quantity.

    Raises:
        ResultError: The run has no profiles, or no such frame or particle.

    Example:
        >>> from tammann.analysis import frame_at
        >>> from tammann.history import History
        >>> run = History.example("reactive-diffusion")
        >>> ax = plot_profile(run, frame_at(run, temperature_K=1200))
        >>> [panel.get_ylabel() for panel in ax.child_axes]
        ['share of the volume', 'share of the cations', 'potential (eV per site)']
    """
    one = profile(history, frame, particle=particle)
    drawn = 2 + bool(one.elements)
    ax = ax or new_axes(6.2, 1.2 + 1.45 * drawn)
    ax.set_axis_off()
    unit, factor = length_unit(float(one.edges_m[-1] - one.edges_m[0]))
    edges = factor * one.edges_m
    colours = phase_colours(history.phases)
    height = (1.0 - 0.06 * (drawn - 1)) / drawn
    panels = [ax.inset_axes((0.0, 1.0 - (k + 1) * height - 0.06 * k, 1.0, height)) for k in range(drawn)]
    held = along_composition(history, (p for k, p in enumerate(one.phases) if one.volume_fraction[:, k].max() > 0.01))
    middles = 0.5 * (edges[1:] + edges[:-1])
    floor = np.zeros(len(middles))
    for name in held:
        share = one.volume_fraction[:, one.phases.index(name)]
        panels[0].stairs(floor + share, edges, baseline=floor, fill=True, facecolor=colours[name],
                         edgecolor=colours[name], linewidth=0.3)  # fmt: skip
        floor = floor + share
    panels[0].set_ylim(0, 1)
    panels[0].set_ylabel("share of the volume")
    start = profile(history, 0, particle=particle).volume_fraction.max(axis=0) > 0.5
    made = np.flatnonzero(one.volume_fraction[:, ~start].sum(axis=1) > 0.01)
    low, high = edges[0], edges[-1]
    if len(made) and not whole:
        low, high = zoomed(edges[made[0]], edges[made[-1] + 1], edges[-1])
    _name_layers(panels[0], edges.clip(low, high), one.volume_fraction, one.phases, colours)
    if one.elements:
        _draw_shares(panels[1], middles, one, (low, high))
        panels[1].set_ylim(-0.03, 1.03)
        anions = set(one.elements) & set(ANION_CHARGE)
        panels[1].set_ylabel("share of the cations" if not anions else "share of the ions\nof one sign")
    for number, psi in enumerate(one.potential_eV.T):
        panels[-1].plot(middles, psi, color=INK, linewidth=1.8, linestyle=["-", "--", ":", "-."][number % 4])
    panels[-1].set_ylabel("potential (eV per site)")
    _shade(panels[1:], edges, one.volume_fraction, one.phases, colours)
    for panel in panels:
        panel.set_xlim(low, high)
        tidy(panel, grid=None)
        panel.tick_params(labelbottom=panel is panels[-1])
        panel.yaxis.set_label_coords(-0.085, 0.5)
    panels[-1].set_xlabel(f"{'radius' if one.geometry == 'sphere' else 'position'} ({unit})")
    panels[0].set_title(moment_text(history, one.frame), loc="left", fontsize=9, color=INK, pad=24)
    return ax


def _draw_shares(ax: Axes, middles: np.ndarray, one: Profile, limits: tuple[float, float]) -> None:
    """Draw the share of every element and name it at its highest; elements that go together are named together."""
    shades = species_colours(one.elements)
    inside = np.flatnonzero((middles > limits[0]) & (middles < limits[1]))
    labels: dict[int, list[str]] = {}
    for number, (name, share) in enumerate(zip(one.elements, one.element_share.T, strict=True)):
        alike = next((k for k in labels if np.allclose(one.element_share[:, k], share, atol=0.01)), None)
        labels.setdefault(number if alike is None else alike, []).append(name)
        ax.plot(middles, share, color=shades[name], linewidth=1.8, linestyle="-" if alike is None else (0, (4, 3)))
    for number, names in labels.items():
        share = one.element_share[inside, number]
        top = inside[np.flatnonzero(share >= share.max() - 1e-3)]
        at = top[len(top) // 2]
        colour = shades[names[0]] if len(names) == 1 else INK
        ax.annotate(", ".join(names), (middles[at], one.element_share[at, number]), (0, -12), color=colour,
                    textcoords="offset points", fontsize=9.5, ha="center", annotation_clip=False)  # fmt: skip


def _largest(share: np.ndarray) -> list[tuple[int, int, int]]:
    """Return runs of cells with the same largest phase: first cell, last cell, phase."""
    leads = share.argmax(axis=1)
    cuts = np.flatnonzero(np.diff(leads)) + 1
    bounds = [0, *cuts.tolist(), len(leads)]
    return [(a, b - 1, int(leads[a])) for a, b in zip(bounds, bounds[1:], strict=False)]


def _name_layers(
    ax: Axes, edges: np.ndarray, share: np.ndarray, phases: tuple[str, ...], colours: dict[str, str]
) -> None:
    """Write the names of layers above them, moved apart where they are thin."""
    runs = [run for run in _largest(share) if edges[run[1] + 1] > edges[run[0]]]
    span = edges[-1] - edges[0]
    places = [(0.5 * (edges[a] + edges[b + 1]) - edges[0]) / span for a, b, _ in runs]
    apart = spread_out(places, 0.125, 0.03, 0.97)
    for (_, _, k), wanted, place in zip(runs, places, apart, strict=True):
        colour = colours[phases[k]]
        ax.plot([wanted, place], [1.0, 1.075], color=colour, linewidth=0.8, transform=ax.transAxes, clip_on=False)
        ax.text(place, 1.09, formula_label(phases[k]), color=colour, fontsize=8.5, ha="center", va="bottom",
                transform=ax.transAxes)  # fmt: skip


def _shade(
    panels: list[Axes], edges: np.ndarray, share: np.ndarray, phases: tuple[str, ...], colours: dict[str, str]
) -> None:
    """Tint what lies below a layer in its colour."""
    for a, b, k in _largest(share):
        for panel in panels:
            panel.axvspan(edges[a], edges[b + 1], color=colours[phases[k]], alpha=0.13, linewidth=0, zorder=0)
