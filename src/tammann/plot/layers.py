"""The layers of a particle in space and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.analysis.layers import LayerTrack, layer_tracks
from tammann.analysis.profiles import core_of, diffusion_record, existing_particle, geometry_of
from tammann.plot.style import TIME_LABELS, formula_label, new_axes, phase_colours, temperature_strip, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tammann.history import History

IDLE = 0.002
"""Share of a particle's size that layers move by before a map of them begins."""


def plot_layers(
    history: History,
    *,
    particles: Sequence[int] | None = None,
    programme: bool = True,
    whole: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the layers of particles in space and time: radius against time, every phase in its colour.

    Where phases lie side by side, the one that there is most of is dotted with the colour of the next.

    Args:
        history: A run of reactive diffusion; layers are of its first realization.
        particles: Which, by index; by default one around each precursor.
        programme: Draw a strip with the temperature above.
        whole: Show the whole programme and the whole of each particle, rather than when and where layers move.
        ax: Where to draw; by default a figure of its own. It holds one child Axes a particle.

    Raises:
        ResultError: The run has no layers, or no such particle.

    Example:
        >>> from tammann.history import History
        >>> len(plot_layers(History.example("reactive-diffusion")).child_axes)
        2
    """
    from matplotlib.patches import Patch

    record = diffusion_record(history)
    existing_particle(history, 0)
    chosen = list(particles) if particles is not None else cores(history)
    for particle in chosen:
        existing_particle(history, particle)
    ax = ax or new_axes(6.4, 1.0 + 2.1 * len(chosen))
    ax.set_axis_off()
    name, time = history.clock
    colours = phase_colours(history.phases)
    first = 0 if whole else begin_frame(history, chosen)
    gap = 0.05
    height = (1.0 - gap * (len(chosen) - 1)) / len(chosen)
    seen: list[str] = []
    for row, particle in enumerate(chosen):
        panel = ax.inset_axes((0.0, 1.0 - (row + 1) * height - row * gap, 1.0, height))
        size = float(record.edges_m[particle, 0, -1])
        unit, factor = length_unit(size)
        tracks = layer_tracks(history, particle)
        for track in tracks:
            parts = track.phase.split(" + ")
            seen += parts
            look: dict[str, Any] = {"facecolor": colours[parts[0]], "edgecolor": colours[parts[0]], "linewidth": 0.3}
            if len(parts) > 1:
                look |= {"edgecolor": colours[parts[1]], "hatch": ".....", "linewidth": 0.0}
            panel.fill_between(track.time, factor * track.inner_m, factor * track.outer_m, **look)
        panel.set_xlim(time[first], time[-1])
        inner, outer = (0.0, size) if whole else reaction_zone(tracks, size)
        panel.set_ylim(factor * inner, factor * outer)
        tidy(panel, grid=None)
        sphere = geometry_of(history, particle) == "sphere"
        panel.set_ylabel(f"{'radius' if sphere else 'position'} ({unit})")
        if sphere and len(chosen) > 1:
            text = f"{formula_label(core_of(history, particle))} inside"
            panel.text(0.012, 0.05, text, transform=panel.transAxes, fontsize=8.5, color="white", va="bottom")
        last = row == len(chosen) - 1
        panel.tick_params(labelbottom=last)
        if last:
            panel.set_xlabel(TIME_LABELS[name])
        if row == 0 and programme:
            temperature_strip(panel, time, history.temperature_K, height=0.34 / (1 + 0.4 * (len(chosen) == 1)))
    patches = [Patch(facecolor=colours[p], label=formula_label(p)) for p in along_composition(history, seen)]
    spacing: Any = {"handlelength": 0.9, "handleheight": 0.9, "handletextpad": 0.45, "labelspacing": 0.35}
    ax.legend(handles=patches, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9, **spacing)
    return ax


def reaction_zone(tracks: Sequence[LayerTrack], size_m: float) -> tuple[float, float]:
    """Return the part of a particle in which products lie at any time, with a margin; all of it unless that is thin."""
    start = {track.phase for track in tracks if track.time[0] == tracks[0].time[0] and np.ptp(track.time) > 0
             and track.outer_m[0] > track.inner_m[0]}  # fmt: skip
    products = [track for track in tracks if track.phase not in start]
    if not products:
        return 0.0, size_m
    return zoomed(min(t.inner_m.min() for t in products), max(t.outer_m.max() for t in products), size_m)


def zoomed(inner_m: float, outer_m: float, size_m: float) -> tuple[float, float]:
    """Return a part of a particle with a margin, all of the particle unless that is less than half of it.

    Example:
        >>> zoomed(0.4, 0.6, 1.0), zoomed(0.2, 0.6, 1.0)
        ((0.3, 0.7), (0.0, 1.0))
    """
    margin = 0.5 * (outer_m - inner_m)
    low, high = max(inner_m - margin, 0.0), min(outer_m + margin, size_m)
    return (round(low, 15), round(high, 15)) if high - low < 0.5 * size_m else (0.0, size_m)


def cores(history: History) -> list[int]:
    """Return the first particle around each precursor."""
    names = [core_of(history, particle) for particle in range(len(diffusion_record(history).sites))]
    return [names.index(name) for name in dict.fromkeys(names)]


def begin_frame(history: History, particles: Iterable[int]) -> int:
    """Return the last frame before layers of these particles begin to move."""
    sites = diffusion_record(history).sites[list(particles)].sum(axis=2, dtype=float)
    moved = 0.5 * np.abs(sites - sites[:, :1]).sum(axis=2) / sites[:, :1].sum(axis=2)
    begun = (moved > IDLE).any(axis=0)
    return max(int(begun.argmax()) - 1, 0) if begun.any() else 0


def length_unit(size_m: float) -> tuple[str, float]:
    """Return the unit that suits a length and how many of it are a metre.

    Example:
        >>> length_unit(3e-7), length_unit(2e-5)
        (('nm', 1000000000.0), ('µm', 1000000.0))
    """
    return ("nm", 1e9) if size_m < 1e-6 else ("µm", 1e6)


def along_composition(history: History, phases: Iterable[str]) -> list[str]:
    """Return phases once each, from one end of the mixture to the other."""
    names = set(phases)
    atoms = history.composition / history.composition.sum(axis=1, keepdims=True)
    start = history.moles[0, 0]
    ends = np.flatnonzero(start > 0)
    along = atoms[ends[-1]] - atoms[ends[0]]
    order = np.argsort(atoms @ along, kind="stable")
    return [history.phases[k] for k in order if history.phases[k] in names]
