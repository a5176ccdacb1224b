"""Basins of a density: which maximum every voxel belongs to, and the passes between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tammann.characterization.density import IonDensity
from tammann.characterization.percolation import Joined
from tammann.errors import DataError


@dataclass(frozen=True, eq=False)
class Basins:
    """The maxima of a density, and all that drains into each.

    Attributes:
        labels: Number of the maximum of every voxel, -1 for none, shape (nx, ny, nz).
        images: Cell in which that maximum lies as seen from the voxel, shape (nx, ny, nz, 3).
        fractional: Of the maxima, shape (S, 3), from 0 to 1 but for less than a voxel.
        peaks_per_A3: Their densities, Å^-3, shape (S,).
        ions: Integral of the density over each basin, shape (S,).
        passes: Basins a and b and the cell of b as seen from that of a, of every pass between two that touch, shape
            (E, 5).
        heights_per_A3: Density at each pass, Å^-3, shape (E,), falling.
    """

    labels: np.ndarray
    images: np.ndarray
    fractional: np.ndarray
    peaks_per_A3: np.ndarray
    ions: np.ndarray
    passes: np.ndarray
    heights_per_A3: np.ndarray


MOST_MAXIMA = 1 << 20
"""So many fit into the keys of ``find_saddles``."""


def find_basins(
    density: IonDensity, *, depth_kT: float = 1.0, least_ions: float = 0.01, apart_A: float = 1.0
) -> Basins:
    """Return the basins of a density by steepest ascent, those of noise joined to their neighbours.

    From the highest pass on, a basin is joined to the one across where its free energy rises by less than ``depth_kT``
    kB T from its maximum to the pass, where it holds fewer than ``least_ions``, or where the two maxima are nearer to
    each other than ``apart_A``: parts of one split site, between which an ion rattles. The higher maximum stays.
    Basins of so few ions with no neighbour are left out. The passes between those that stay are as high as any path
    between their maxima can be; those lower than what a single ion leaves in a single frame (``visit_per_A3``) are
    tails of the smoothing, over which no ion has been seen to go, and are left out.

    Args:
        density: Smoothed, so that a maximum is more than the noise of counting.
        depth_kT: In units of kB T.
        least_ions: Time average.
        apart_A: Å; 0 for none, as of protons, whose sites on either side of a hydrogen bond are nearer than 1 Å.

    Raises:
        DataError: A number out of range, no basin at all, or a million maxima of noise.

    Reference:
        Edelsbrunner, Letscher, Zomorodian, Discrete Comput. Geom. 2002, 28, 511, doi 10.1007/s00454-002-2885-2 (maxima
        joined by their persistence); Henkelman, Arnaldsson, Jónsson, Comput. Mater. Sci. 2006, 36, 354, doi
        10.1016/j.commatsci.2005.04.010 (ascent on a grid).

    Example:
        >>> from tammann.characterization import ion_density
        >>> from tammann.trajectory import Trajectory
        >>> walk = ion_density(Trajectory.example(), "Mg", spacing_A=1.0, smoothing_A=1.5)
        >>> found = find_basins(walk)
        >>> bool(abs(found.ions.sum() - 10) < 1e-6)
        True
    """
    from tammann.characterization.density_kernels import ascend, find_saddles  # numba is slow to import

    if not depth_kT >= 0 or not least_ions >= 0 or not apart_A >= 0:
        raise DataError(
            f"depth_kT, least_ions, apart_A: expected 0 or more, got {depth_kT:g}, {least_ions:g} and {apart_A:g}."
        )
    values, shape = np.asarray(density.values_per_A3), np.array(density.shape)
    steps = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1) / shape
    lengths = np.linalg.norm(steps @ density.cell_A, axis=-1)
    labels, images, tops = ascend(values, lengths, 0.0)
    if len(tops) >= MOST_MAXIMA:
        raise DataError(
            f"the density of {density.symbol} has {len(tops)} maxima, expected fewer than {MOST_MAXIMA}; take a larger "
            "smoothing_A or spacing_A."
        )
    ends, heights = find_saddles(values, labels, images)
    weights = np.bincount(labels[labels >= 0], values[labels >= 0], len(tops)) * density.voxel_A3
    order = np.argsort(-heights, kind="stable")
    ends, heights = ends[order], heights[order]
    seen = heights >= density.visit_per_A3 * (1.0 - 1e-9)
    joined = Joined(len(tops), weights=weights.astype(float), peaks=values[tuple(tops.T)].astype(float))
    _join(joined, density, tops, ends, heights, (depth_kT, least_ions, apart_A))
    kept = [root for root in joined.roots() if joined.weights[root] >= least_ions]
    if not kept:
        raise DataError(f"the density of {density.symbol} has no site of {least_ions:g} ions; take fewer least_ions.")
    number = np.full(len(tops), -1)
    number[kept] = np.arange(len(kept))
    root, offset = joined.roots_and_offsets()
    new = number[root]
    inside = labels >= 0
    images = images.astype(np.int64)
    images[inside] += offset[labels[inside]]
    labels = np.where(inside, new[np.maximum(labels, 0)], -1).astype(np.int32)
    images[labels < 0] = 0
    passes, heights = _passes(ends[seen], heights[seen], new, offset)
    places = np.array([_refined(values, top) for top in tops[kept]]) / shape
    # a maximum between the last grid point and the first stays near its voxel: it belongs to that cell
    return Basins(
        labels, images.astype(np.int8), places, values[tuple(tops[kept].T)], joined.weights[kept], passes, heights
    )


def _join(
    joined: Joined,
    density: IonDensity,
    tops: np.ndarray,
    ends: np.ndarray,
    heights: np.ndarray,
    limits: tuple[float, float, float],
) -> None:
    """Join basins over their passes, the highest first, until none that is too shallow, empty or near can be."""
    depth, least, apart = limits
    values, shape = density.values_per_A3, np.array(density.shape)
    place = cache(lambda k: _refined(values, tops[k]) / shape)  # of few of the maxima of noise is it asked
    before = -1
    while joined.joins != before:
        before = joined.joins
        for (a, b, *cell), height in zip(ends.tolist(), heights.tolist(), strict=True):
            one, other = joined.root(a), joined.root(b)
            if one == other:
                continue
            weak, strong = (one, other) if joined.peaks[one] < joined.peaks[other] else (other, one)
            if joined.weights[weak] >= least and np.log(joined.peaks[weak]) - np.log(height) >= depth:
                step = place(other) - place(one) + joined.between_roots(a, b, np.array(cell))
                if np.linalg.norm(step @ density.cell_A) >= apart:
                    continue
            joined.join(a, b, np.array(cell), keep=strong)


def _passes(
    ends: np.ndarray, heights: np.ndarray, new: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Passes between basins that are left, the highest of each pair and image, from high to low."""
    a, b = new[ends[:, 0]], new[ends[:, 1]]
    cell = ends[:, 2:] + offset[ends[:, 1]] - offset[ends[:, 0]]
    keep = (a >= 0) & (b >= 0) & ((a != b) | cell.any(axis=1))
    a, b, cell, heights = a[keep], b[keep], cell[keep], heights[keep]
    sign = np.array([next((x for x in row if x), 0) for row in cell.tolist()])
    turn = (b < a) | ((a == b) & (sign < 0))
    a, b = np.where(turn, b, a), np.where(turn, a, b)
    cell = np.where(turn[:, None], -cell, cell)
    rows = np.column_stack([a, b, cell]).astype(np.int64).reshape(-1, 5)
    _, first = np.unique(rows, axis=0, return_index=True)  # the first is the highest
    first = np.sort(first)
    return rows[first], heights[first]


def _refined(values: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Return a maximum between grid points: the top of a parabola in ln(rho) along each lattice vector."""
    place = top.astype(float)
    for axis in range(3):
        n = values.shape[axis]
        around = []
        for step in (-1, 0, 1):
            index = top.copy()
            index[axis] = (top[axis] + step) % n
            around.append(values[tuple(index)])
        if min(around) > 0 and n > 2:
            low, here, high = np.log(around)
            bend = low - 2.0 * here + high
            if bend < 0:
                place[axis] += float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5))
    return place
