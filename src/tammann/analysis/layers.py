"""Layers of products in a particle or a couple: where each begins and ends, and how thick it has grown."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tammann.analysis.profiles import diffusion_record, existing_particle, geometry_of, sites_per_formula

if TYPE_CHECKING:
    from tammann.history import History

SLIVER = 0.01
"""Share of a cell below which a phase is no layer of its own."""
MIXED_CELLS = 3
"""Neighbouring cells that hold the same phases together count as a mixture, from so many on; fewer hold a boundary."""


def layers(history: History, particle: int = 0) -> pd.DataFrame:
    """Tabulate the layers of a particle from the centre outwards, in every frame.

    A cell that a boundary runs through is divided at it, in proportion to the volumes. Where phases lie side by side in
    three cells or more they are one layer, named after both.

    Args:
        history: A run of reactive diffusion; layers are of its first realization.
        particle: Index of the particle.

    Returns:
        One row for each frame and layer: times and temperature as in ``History.frame_columns``, ``frame``, ``layer``
        (0 innermost), ``phase``, ``inner_m`` and ``outer_m`` (m, from the centre, or from the end of a couple).

    Raises:
        ResultError: The run has no layers, or no such particle.

    Example:
        >>> from tammann.history import History
        >>> table = layers(History.example("reactive-diffusion"))
        >>> table[table.frame == 0].phase.tolist()
        ['BaO', 'TiO2']
    """
    frames = _frames(history, particle)
    rows = [(frame, number, *layer) for frame, found in enumerate(frames) for number, layer in enumerate(found)]
    table = pd.DataFrame(rows, columns=["frame", "layer", "phase", "inner_m", "outer_m"])
    when = {name: values[table["frame"]] for name, values in history.frame_columns().items()}
    return pd.concat([pd.DataFrame(when), table], axis=1)


@dataclass(frozen=True, eq=False)
class LayerTrack:
    """One layer from where it appears to where it vanishes, as T points of a map of radius against time.

    Attributes:
        phase: Formula; two or more joined by `` + `` for a mixture.
        time: As ``History.clock`` counts it, shape (T,).
        inner_m: Shape (T,), m; equal to ``outer_m`` where the layer begins or ends between two frames.
        outer_m: Shape (T,), m.
    """

    phase: str
    time: np.ndarray
    inner_m: np.ndarray
    outer_m: np.ndarray


def layer_tracks(history: History, particle: int = 0) -> list[LayerTrack]:
    """Follow the layers of a particle from frame to frame; together they fill the map of radius against time.

    A layer that appears grows from no thickness in the frame before, one that vanishes shrinks to none in the frame
    after, between the neighbours that both frames have in common. Grinding cuts all layers off.

    Raises:
        ResultError: The run has no layers, or no such particle.

    Example:
        >>> from tammann.history import History
        >>> [track.phase for track in layer_tracks(History.example("reactive-diffusion"))][:3]
        ['BaO', 'TiO2', 'BaTi5O11']
    """
    time = history.clock[1]
    frames = _frames(history, particle)
    edges = diffusion_record(history).edges_m[particle]
    points: list[tuple[str, list[tuple[float, float, float]]]] = []
    living: list[int] = []  # tracks of the layers of the frame before
    before: list[tuple[str, float, float]] = []
    for frame, now in enumerate(frames):
        ground = frame > 0 and not np.array_equal(edges[frame], edges[frame - 1])
        if frame == 0 or ground:
            begin = float(time[frame - 1] if ground else time[0])
            for track, (_, a, b) in zip(living, before, strict=True):
                points[track][1].append((begin, a, b))
            living = []
            for phase, a, b in now:
                living.append(len(points))
                points.append((phase, [(begin, a, b), (float(time[frame]), a, b)]))
            before = now
            continue
        then: list[int] = []
        match = SequenceMatcher(None, [p for p, *_ in before], [p for p, *_ in now], autojunk=False)
        for kind, i, i_end, j, j_end in match.get_opcodes():
            if kind == "equal":
                for track, (_, a, b) in zip(living[i:i_end], now[j:j_end], strict=True):
                    points[track][1].append((float(time[frame]), a, b))
                    then.append(track)
                continue
            closes = now[j][1] if j < len(now) else now[-1][2]  # where layers that vanish, and that appear, have none
            opens = before[i][1] if i < len(before) else before[-1][2]
            if i < i_end and j < j_end:  # one takes the place of another
                closes = now[j_end - 1][2] if i == 0 else closes
                opens = before[i_end - 1][2] if i > 0 else opens
            for track in living[i:i_end]:
                points[track][1].append((float(time[frame]), closes, closes))
            for phase, a, b in now[j:j_end]:
                then.append(len(points))
                points.append((phase, [(float(time[frame - 1]), opens, opens), (float(time[frame]), a, b)]))
        living, before = then, now
    return [LayerTrack(phase, *np.array(rows).T) for phase, rows in points]


def layer_thickness(history: History, particle: int = 0) -> pd.DataFrame:
    """Tabulate how thick the layers of every phase are, against time.

    Several layers of one phase count together.

    Args:
        history: A run of reactive diffusion; layers are of its first realization.
        particle: Index of the particle.

    Returns:
        One row for each frame and phase that the particle ever holds: times and temperature as in
        ``History.frame_columns``, ``phase``, ``thickness_m`` (m) and ``thickness_um``.

    Raises:
        ResultError: The run has no layers, or no such particle.

    Example:
        >>> from tammann.history import History
        >>> table = layer_thickness(History.example("reactive-diffusion"))
        >>> table[table.phase == "BaTiO3"].thickness_um.round(3).iloc[[0, -1]].tolist()
        [0.0, 0.172]
    """
    thickness = thicknesses(history, particle)
    kept = np.flatnonzero(thickness.max(axis=0) > 1e-6 * thickness.sum(axis=1).max())
    columns = {name: np.repeat(values, kept.size) for name, values in history.frame_columns().items()}
    columns["phase"] = np.tile(np.array([history.phases[k] for k in kept], dtype=object), len(thickness))
    columns["thickness_m"] = thickness[:, kept].ravel()
    columns["thickness_um"] = 1e6 * columns["thickness_m"]
    return pd.DataFrame(columns)


def thicknesses(history: History, particle: int) -> np.ndarray:
    """Return the thickness of every phase in every frame, shape (F, P), m."""
    edges, share = _cells(history, particle)
    order, bounds = _stacked(history, particle, edges, share)
    pieces = np.zeros_like(share)
    np.put_along_axis(pieces, order, np.diff(bounds, axis=2), axis=2)
    total: np.ndarray = pieces.sum(axis=1)
    return total


def _cells(history: History, particle: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of the cells, (F, N + 1), and the volume fraction of every phase in them, (F, N, P)."""
    particle = existing_particle(history, particle)
    record = diffusion_record(history)
    volume = np.maximum(record.sites[particle] * (history.molar_volume_m3 / sites_per_formula(history)), 0.0)
    return record.edges_m[particle], volume / volume.sum(axis=2, keepdims=True)


def _stacked(history: History, particle: int, edges: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of the phases in every cell, from inside out, (F, N, P), and their bounds, (F, N, P + 1).

    They follow the composition, which goes from that of the cell inside to that of the cell outside.
    """
    atoms = history.composition / history.composition.sum(axis=1, keepdims=True)
    mean = share @ atoms
    padded = np.concatenate([mean[:, :1], mean, mean[:, -1:]], axis=1)
    order = np.argsort((padded[:, 2:] - padded[:, :-2]) @ atoms.T, axis=2, kind="stable")
    filled = np.cumsum(np.take_along_axis(share, order, axis=2), axis=2)
    filled = np.concatenate([np.zeros_like(filled[:, :, :1]), filled], axis=2)
    power = 3 if geometry_of(history, particle) == "sphere" else 1
    inner, outer = edges[:, :-1, None] ** power, edges[:, 1:, None] ** power
    return order, (inner + (outer - inner) * filled) ** (1.0 / power)


def _frames(history: History, particle: int) -> list[list[tuple[str, float, float]]]:
    """Return phase, begin and end of the layers of every frame."""
    edges, share = _cells(history, particle)
    share = np.where(share < SLIVER, 0.0, share)
    share /= share.sum(axis=2, keepdims=True)
    order, bounds = _stacked(history, particle, edges, share)
    return [_layers_of(history.phases, *frame) for frame in zip(share, order, bounds, strict=True)]


def _layers_of(
    phases: tuple[str, ...], share: np.ndarray, order: np.ndarray, bounds: np.ndarray
) -> list[tuple[str, float, float]]:
    """Return phase, begin and end of the layers of one frame."""
    held: list[tuple[int, ...]] = [tuple(np.flatnonzero(cell).tolist()) for cell in share]
    found: list[tuple[str, float, float]] = []
    cell = 0
    while cell < len(held):
        last = cell
        while last + 1 < len(held) and held[last + 1] == held[cell]:
            last += 1
        if len(held[cell]) > 1 and last - cell + 1 >= MIXED_CELLS:
            most = sorted(held[cell], key=lambda k: -share[cell : last + 1, k].sum())  # noqa: B023 - used at once
            pieces = [(" + ".join(phases[k] for k in most), bounds[cell, 0], bounds[last, -1])]
        else:
            pieces = [
                (phases[order[i, k]], bounds[i, k], bounds[i, k + 1])
                for i in range(cell, last + 1)
                for k in np.flatnonzero(bounds[i, 1:] > bounds[i, :-1]).tolist()
            ]
        for phase, inner, outer in pieces:
            if found and found[-1][0] == phase:
                found[-1] = (phase, found[-1][1], float(outer))
            else:
                found.append((phase, float(inner), float(outer)))
        cell = last + 1
    return found
