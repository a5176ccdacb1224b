"""Pairs of atoms within a distance, periodic images included: counted without storing them, or listed.

A cell list in fractional coordinates. Its cells are smaller than the distance asked for, and a stencil of columns of
cells names all that can hold a partner, however skew the lattice and however many periods away; atoms of a column lie
next to each other in memory. ``tests/structures/test_pairs.py`` holds the slow twin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tammann.errors import DataError
from tammann.parallel import Progress, available_cores, run_tasks

FINENESS = 4
"""Most cells across the distance asked for; more of them waste fewer distances and make shorter loops."""
ATOMS_PER_CELL = 5.0
"""Fewest on average, but in cells as wide as the distance: measured for glasses of 10,000 and 100,000 atoms, by one
core, from 3 to 30 Å."""
FEWEST_PER_CELL = 2.0
"""Fewest on average at distances so short that few atoms are within them."""
MOST_OFFSETS = 5_000_000
"""Cells of the stencil, before the far ones are left out; more are asked for only by mistake."""
TASKS_PER_THREAD = 8
FEW_PAIRS = 1_000_000
"""So many are found in milliseconds, by one thread."""


@dataclass(frozen=True, eq=False)
class PairList:
    """Neighbours of every atom, atom by atom.

    Attributes:
        first: Where those of each atom begin, and the end; shape (N + 1,).
        indices: The neighbours, shape (P,); a pair of atoms stands in it from both its ends.
        images: Lattice vectors added to the neighbour, integers, shape (P, 3).
        vectors_A: From the atom to that image of the neighbour, Å, shape (P, 3).
        distances_A: Their lengths, Å, shape (P,).
    """

    first: np.ndarray
    indices: np.ndarray
    images: np.ndarray
    vectors_A: np.ndarray
    distances_A: np.ndarray

    @property
    def centres(self) -> np.ndarray:
        """The atom that each neighbour belongs to, shape (P,)."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def only(self, keep: np.ndarray) -> PairList:
        """Return the list with those neighbours alone for which ``keep``, shape (P,), is true."""
        first = np.concatenate([[0], np.cumsum(keep)])[self.first]
        return PairList(first, self.indices[keep], self.images[keep], self.vectors_A[keep], self.distances_A[keep])


def heights_of(cell_A: np.ndarray) -> np.ndarray:
    """Return the distances between opposite faces of a cell, Å, shape (3,).

    Example:
        >>> heights_of(np.diag([2.0, 3.0, 4.0])).tolist()
        [2.0, 3.0, 4.0]
    """
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(cell_A), axis=0))


def count_pairs(
    positions_A: np.ndarray,
    cell_A: np.ndarray,
    kinds: np.ndarray,
    n_kinds: int,
    *,
    cutoff_A: float,
    bins: int,
    threads: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Count pairs by distance and by the kinds of their atoms; pairs are not stored.

    Args:
        positions_A: Shape (N, 3), Å.
        cell_A: Shape (3, 3), Å, rows are lattice vectors.
        kinds: Of the atoms, integers from 0, shape (N,).
        n_kinds: K, one more than the largest possible kind.
        cutoff_A: End of the last bin, Å; longer than the cell if need be.
        bins: Number of bins of equal width, B.
        threads: Cores; all of them where None. The counts do not depend on it.
        progress: Called with the fraction done.

    Returns:
        Neighbours of kind b around all atoms of kind a, by distance, int64, shape (K, K, B): every pair from both its
        ends, so that the array is symmetric in a and b.

    Raises:
        DataError: A distance or number of bins out of range.

    Example:
        >>> found = count_pairs(np.array([[0.0, 0, 0], [2, 2, 2]]), 4.0 * np.eye(3), np.array([0, 1]), 2,
        ...                     cutoff_A=4.5, bins=9)
        >>> found[0, 1].tolist(), found[0, 0].tolist()
        ([0, 0, 0, 0, 0, 0, 8, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 6])
    """
    from tammann.structures.pair_kernels import count_by_distance  # numba is slow to import

    if bins < 1:
        raise DataError(f"bins: expected 1 or more, got {bins}.")
    kinds = np.ascontiguousarray(kinds, dtype=np.int64)
    grid = _grid(positions_A, cell_A, kinds, n_kinds, cutoff_A)
    width = cutoff_A / bins
    whole = np.zeros((n_kinds, n_kinds, bins), dtype=np.int64)
    length = max(bins, math.ceil(grid.farthest_A / width)) + 2
    x, y, z = grid.sorted_A
    half = _half(grid.columns)

    def task(begin: int, end: int, progress: Callable[..., None]) -> np.ndarray:
        found = np.zeros((n_kinds, n_kinds, length), dtype=np.int64)
        for a in range(n_kinds):
            for b in range(a, n_kinds):
                count_by_distance(begin, end, a == b, grid.first[a], grid.first[b], x, y, z, grid.numbers, grid.cell_A,
                       half if a == b else grid.columns, 1.0 / width, found[a, b])  # fmt: skip
        return found[:, :, :bins]

    for found in _in_parts(task, grid, threads, progress):
        whole += found
    return whole + whole.transpose(1, 0, 2)


def find_pairs(positions_A: np.ndarray, cell_A: np.ndarray, *, cutoff_A: float, threads: int | None = None) -> PairList:
    """List all pairs nearer than a distance.

    Args:
        positions_A: Shape (N, 3), Å; they may lie outside the cell.
        cell_A: Shape (3, 3), Å, rows are lattice vectors.
        cutoff_A: Å; longer than the cell if need be.
        threads: Cores; all of them where None.

    Raises:
        DataError: A distance out of range.

    Example:
        >>> found = find_pairs(np.array([[0.0, 0, 0], [2, 2, 2]]), 4.0 * np.eye(3), cutoff_A=3.5)
        >>> np.diff(found.first).tolist(), found.distances_A.round(3).max().item()
        ([8, 8], 3.464)
    """
    from tammann.structures.pair_kernels import count_neighbours, fill_neighbours  # numba is slow to import

    n = len(positions_A)
    grid = _grid(positions_A, cell_A, np.zeros(n, dtype=np.int64), 1, cutoff_A)
    x, y, z = grid.sorted_A
    counts = np.zeros(n, dtype=np.int64)
    common = (grid.first[0], x, y, z, grid.order, grid.numbers, grid.cell_A, grid.columns, cutoff_A**2)

    def count(begin: int, end: int, progress: Callable[..., None]) -> None:
        count_neighbours(begin, end, *common, counts)

    _in_parts(count, grid, threads, None)
    first = np.concatenate([[0], np.cumsum(counts)])
    total = int(first[-1])
    indices, images, vectors = np.empty(total, np.int64), np.empty((total, 3), np.int64), np.empty((total, 3))

    def fill(begin: int, end: int, progress: Callable[..., None]) -> None:
        fill_neighbours(begin, end, *common, grid.periods, first, indices, images, vectors)

    _in_parts(fill, grid, threads, None)
    return PairList(first, indices, images, vectors, np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


@dataclass(frozen=True, eq=False)
class _Grid:
    """Atoms sorted by kind and cell, and the cells around each that can hold a partner."""

    cell_A: np.ndarray
    numbers: np.ndarray  # of cells along each lattice vector
    order: np.ndarray
    periods: np.ndarray  # lattice vectors by which each atom was moved into the cell
    sorted_A: tuple[np.ndarray, np.ndarray, np.ndarray]
    first: np.ndarray  # (K, cells + 1)
    columns: np.ndarray  # (C, 4): offsets along a and b, first and last along c
    farthest_A: float

    n_pairs: float  # expected

    @property
    def n_cells(self) -> int:
        return int(np.prod(self.numbers))


def _grid(positions_A: np.ndarray, cell_A: np.ndarray, kinds: np.ndarray, n_kinds: int, cutoff_A: float) -> _Grid:
    cell = np.ascontiguousarray(cell_A, dtype=float)
    positions = np.asarray(positions_A, dtype=float)
    n = len(positions)
    if not 0.0 < cutoff_A < math.inf:
        raise DataError(f"cutoff_A: expected a distance above 0 Å, got {cutoff_A:g}.")
    heights = heights_of(cell)
    fewest, usual = (
        (abs(float(np.linalg.det(cell))) * atoms / max(n, 1)) ** (1.0 / 3.0)
        for atoms in (FEWEST_PER_CELL, ATOMS_PER_CELL)
    )
    side = max(cutoff_A / FINENESS, min(cutoff_A, usual), fewest)
    numbers = np.maximum(1, (heights / side).astype(np.int64))
    reach = np.ceil(cutoff_A * numbers / heights).astype(np.int64)
    if math.prod((2 * reach + 1).tolist()) > MOST_OFFSETS:
        raise DataError(
            f"cutoff_A: expected at most some tens of periods of the cell, whose heights are "
            f"{', '.join(f'{h:.3g}' for h in heights)} Å, got {cutoff_A:g} Å; give a shorter one."
        )
    columns, farthest = _stencil(cell / numbers[:, None], reach, cutoff_A)
    fractional = positions @ np.linalg.inv(cell)
    periods = np.floor(fractional)
    fractional -= periods
    at = np.minimum((fractional * numbers).astype(np.int64), numbers - 1)  # rounding may give 1.0 itself
    index = (at[:, 0] * numbers[1] + at[:, 1]) * numbers[2] + at[:, 2]
    cells = int(np.prod(numbers))
    order = np.argsort(kinds * cells + index, kind="stable")
    first = np.searchsorted((kinds * cells + index)[order], np.arange(n_kinds * cells + 1))
    table = np.stack([first[k * cells : (k + 1) * cells + 1] for k in range(n_kinds)])
    inside = (fractional @ cell)[order]
    expected = n**2 * 2.0 / 3.0 * math.pi * cutoff_A**3 / abs(float(np.linalg.det(cell)))
    return _Grid(
        cell,
        numbers,
        order,
        periods.astype(np.int64),
        tuple(np.ascontiguousarray(inside.T)),
        table,
        columns,
        farthest,
        expected,
    )


def _stencil(edges: np.ndarray, reach: np.ndarray, cutoff_A: float) -> tuple[np.ndarray, float]:
    """Return columns of cells that come within the cutoff of a cell, and the longest distance to a point of them.

    Args:
        edges: Of one cell, rows, shape (3, 3), Å.
        reach: Largest offset along each.
        cutoff_A: Å.
    """
    axes = [np.arange(-m, m + 1) for m in reach.tolist()]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    metric = edges @ edges.T
    # nearest points of two cells: minimize |(o + t) edges|², each t in [-1, 1], one coordinate after the other
    t = np.clip(-offsets.astype(float), -1.0, 1.0)
    for _ in range(12):
        for k in range(3):
            rest = (offsets + t) @ metric[k] - metric[k, k] * t[:, k]
            t[:, k] = np.clip(-rest / metric[k, k], -1.0, 1.0)
    slope = 2.0 * (offsets + t) @ metric
    squares = 0.5 * np.einsum("ij,ij->i", slope, offsets + t)
    # what is still to gain is at most the gap of the linearised problem, so far cells are never near by mistake
    gap = np.einsum("ij,ij->i", slope, t) + np.abs(slope).sum(axis=1)
    near = offsets[squares - gap < cutoff_A**2 * (1.0 + 1e-9)]
    corners = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    farthest = max(float(np.linalg.norm((near + corner) @ edges, axis=1).max()) for corner in corners)
    keys, where = np.unique(near[:, :2], axis=0, return_inverse=True)
    last = np.full(len(keys), -np.iinfo(np.int64).max)
    first = -last
    np.minimum.at(first, where.ravel(), near[:, 2])
    np.maximum.at(last, where.ravel(), near[:, 2])
    return np.column_stack([keys, first, last]).astype(np.int64), farthest


def _half(columns: np.ndarray) -> np.ndarray:
    """Return one of each offset and its opposite; that of a cell to itself is left out."""
    a, b = columns[:, 0], columns[:, 1]
    half = columns[(a > 0) | ((a == 0) & (b >= 0))].copy()
    half[(half[:, 0] == 0) & (half[:, 1] == 0), 2] = 1
    return half


def _in_parts(task: Callable[..., Any], grid: _Grid, threads: int | None, progress: Progress | None) -> Sequence[Any]:
    """Run a task on all cells in parts, several at a time."""
    threads = available_cores() if threads is None else threads
    if threads < 1:
        raise DataError(f"threads: expected 1 or more, got {threads}.")
    if grid.n_pairs < FEW_PAIRS:
        threads = 1
    cells = grid.n_cells
    parts = min(cells, threads * TASKS_PER_THREAD)
    ends = np.linspace(0, cells, parts + 1).round().astype(int).tolist()
    spans = {f"part {k + 1}": (ends[k], ends[k + 1]) for k in range(parts)}
    if threads == 1 and progress is None:
        return [task(*span, progress=None) for span in spans.values()]
    return run_tasks(task, spans, threads=threads, progress=progress)
