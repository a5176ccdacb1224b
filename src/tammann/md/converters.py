"""Trajectories of what other packages hold in memory; none of them is imported, only what the objects offer is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tammann.errors import DataError
from tammann.md.collecting import collect, in_blocks
from tammann.md.trajectory import Trajectory
from tammann.md.unwrapping import Frames

__all__ = ["arrays_as_frames", "trajectory_from_arrays"]


def trajectory_from_arrays(
    positions: Any,
    cells: Any,
    symbols: Sequence[str],
    *,
    frame_interval_ps: float,
    images: Any = None,
    wrapped: bool = True,
    temperature_K: float | None = None,
    source: str = "",
) -> Trajectory:
    """Make a trajectory of plain arrays, unwrapping where that is needed.

    Args:
        positions: Cartesian, shape (F, N, 3), Å.
        cells: rows are lattice vectors, shape (3, 3) or (F, 3, 3), Å.
        symbols: element of each atom, (N,).
        frame_interval_ps: time from each frame to the next, ps.
        images: shape (F, N, 3), whole numbers of lattice vectors to add to unwrap, or None for minimum images.
        wrapped: False where the positions are unwrapped already.
        temperature_K: temperature of the simulation, K.
        source: where the arrays are from.

    Returns:
        The trajectory; see ``unwrap`` for cells that change.

    Raises:
        DataError: shapes that do not fit, coordinates that are not finite, and what ``unwrap`` and ``Trajectory`` refuse.

    Example:
        >>> import numpy as np
        >>> x = np.array([[[9.0, 0, 0]], [[0.5, 0, 0]]])
        >>> trajectory_from_arrays(x, 10.0 * np.eye(3), ["O"], frame_interval_ps=0.1).positions[:, 0, 0].tolist()
        [9.0, 10.5]
    """
    block = arrays_as_frames(positions, cells, symbols, images=images, wrapped=wrapped)
    return collect(
        in_blocks(block),
        wrapped=wrapped,
        frame_interval_ps=frame_interval_ps,
        temperature_K=temperature_K,
        source=source,
    )


def arrays_as_frames(
    positions: Any, cells: Any, symbols: Sequence[str], *, images: Any = None, wrapped: bool = True
) -> Frames:
    """Check the shapes of plain arrays.

    Raises:
        DataError: they do not fit.
    """
    try:
        positions = np.asarray(positions, dtype=float)
        cells = np.asarray(cells, dtype=float)
        images = None if images is None else np.asarray(images, dtype=float)
    except (TypeError, ValueError):
        raise DataError("positions, cells or images are not arrays of numbers of one shape per frame.") from None
    symbols = tuple(str(symbol) for symbol in symbols)
    cells = cells[None] if cells.ndim == 2 else cells
    if positions.ndim != 3 or positions.shape[1:] != (len(symbols), 3) or 0 in positions.shape:
        raise DataError(
            f"positions have shape {positions.shape}, expected (frames, {len(symbols)}, 3) for {len(symbols)} symbols."
        )
    if cells.shape not in {(1, 3, 3), (len(positions), 3, 3)}:
        raise DataError(f"cells have shape {cells.shape}, expected (3, 3) or ({len(positions)}, 3, 3), one per frame.")
    if images is not None and not wrapped:
        raise DataError("images are given with wrapped=False; give images for wrapped positions, or neither.")
    if images is not None and images.shape != positions.shape:
        raise DataError(f"images have shape {images.shape}, expected that of positions, {positions.shape}.")
    return Frames(positions, cells, symbols, images=images)
