"""Chains of cells: a particle of one precursor in shells of the others, or a diffusion couple."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

CELLS = 120
"""Cells of a chain."""
GRADING = 3.0
"""Logarithm of the ratio of the widest cell of a layer to the narrowest, which lies at its boundary."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Cells in a row, from the centre of a particle outwards or across a couple.

    Attributes:
        edges_m: Positions of the edges of the N cells, shape (N + 1,), m.
        area_m2: Of the inner faces, shape (N - 1,).
        volume_m3: Of the cells, shape (N,).
        layer: Which of the layers each cell belongs to, shape (N,).
        geometry: ``sphere`` or ``planar``.
    """

    edges_m: np.ndarray
    area_m2: np.ndarray
    volume_m3: np.ndarray
    layer: np.ndarray
    geometry: Literal["sphere", "planar"]

    @property
    def width_m(self) -> np.ndarray:
        """Widths of the cells, shape (N,)."""
        return np.diff(self.edges_m)


def sphere(core_radius_m: float, volumes: Sequence[float], cells: int = CELLS) -> Chain:
    """Return a core in concentric shells whose volumes relate to each other as stated.

    Args:
        core_radius_m: Radius of the innermost layer.
        volumes: Relative volumes of the layers from the centre outwards, two or more, each above zero.
        cells: Cells in all.

    Example:
        >>> chain = sphere(1e-7, [1.0, 7.0], cells=10)
        >>> round(float(chain.edges_m[-1] / 1e-7), 9), chain.layer.tolist()
        (2.0, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    """
    bounds = core_radius_m * np.cbrt(np.concatenate([[0.0], np.cumsum(volumes)]) / volumes[0])
    edges, layer = _graded(bounds, cells)
    return Chain(edges, 4.0 * np.pi * edges[1:-1] ** 2, 4.0 / 3.0 * np.pi * np.diff(edges**3), layer, "sphere")


def couple(thickness_m: Sequence[float], cells: int = CELLS) -> Chain:
    """Return slabs side by side, of unit area.

    Args:
        thickness_m: Of each slab, two or more.
        cells: Cells in all.

    Example:
        >>> couple([1e-6, 2e-6], cells=4).edges_m[[0, 2, 4]].round(12).tolist()
        [0.0, 1e-06, 3e-06]
    """
    edges, layer = _graded(np.concatenate([[0.0], np.cumsum(thickness_m)]), cells)
    return Chain(edges, np.ones(len(edges) - 2), np.diff(edges), layer, "planar")


def _graded(bounds: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of cells that are narrow at the inner bounds and wide elsewhere, and the layer of each cell."""
    layers = len(bounds) - 1
    counts = np.full(layers, cells // layers)
    counts[: cells - counts.sum()] += 1
    edges, layer = [bounds[:1]], []
    for k, count in enumerate(counts):
        left, right = k > 0, k < layers - 1
        s = np.linspace(0.0, 1.0, count + 1)[1:]
        if left and right:
            part = np.where(s < 0.5, 0.5 * _grow(2 * s), 1.0 - 0.5 * _grow(2 * (1 - s)))
        elif left:
            part = _grow(s)
        else:
            part = 1.0 - _grow(1.0 - s)
        part[-1] = 1.0
        edges.append(bounds[k] + (bounds[k + 1] - bounds[k]) * part)
        layer += [k] * count
    return np.concatenate(edges), np.array(layer)


def _grow(s: np.ndarray) -> np.ndarray:
    """Return positions between 0 and 1 that lie close together at 0."""
    return np.expm1(GRADING * s) / np.expm1(GRADING)
