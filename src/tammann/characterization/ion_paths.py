"""Where the mobile ions of a trajectory are, as fractional coordinates in a framework at rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError, check_argument
from tammann.structures.configuration import Configuration

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

CHUNK_NUMBERS = 6_000_000
"""Coordinates held at a time."""


def ion_paths(
    trajectory: Trajectory, symbol: str, *, framework: Configuration | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the unwrapped fractional coordinates of the ions of an element, some frames at a time.

    Drift is taken out: the mean position of all other atoms, the framework, is held where it is on average, or where
    ``framework`` has it. Where there are none, positions are taken as they are.

    Args:
        trajectory: Unwrapped positions.
        symbol: The element.
        framework: Mean positions of all other atoms in another trajectory of the same crystal, such as a replica.

    Yields:
        Which frames, and coordinates, shape (frames, ions, 3).

    Raises:
        DataError: There is no such element, or a framework of other atoms.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> [paths.shape for _, paths in ion_paths(Trajectory.example(), "Mg")]
        [(2000, 10, 3)]
    """
    check_argument("trajectory", trajectory, "Trajectory", "what read_trajectory returns")
    ions = trajectory.atoms_of(symbol)
    others = np.setdiff1d(np.arange(trajectory.n_atoms), ions)
    step = max(1, CHUNK_NUMBERS // (3 * trajectory.n_atoms))
    rest = None if not len(others) else _drift(trajectory, others, step)
    hold = None if rest is None else rest.mean(axis=0)
    if framework is not None and hold is not None:
        own = mean_framework(trajectory, symbol)
        assert own is not None
        hold = hold + rigid_shift(own, framework)
    for start in range(0, trajectory.n_frames, step):
        frames = slice(start, min(start + step, trajectory.n_frames))
        paths = _fractional(trajectory, frames, ions)
        yield frames, paths if rest is None else paths - (rest[frames] - hold)[:, None]


def mean_framework(trajectory: Trajectory, symbol: str) -> Configuration | None:
    """Return the mean positions of all atoms but those of an element, or None where there are no others.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> mean_framework(Trajectory.example(), "Mg")
        Configuration(O, 10 atoms, 8000.0 Å3)
    """
    others = np.setdiff1d(np.arange(trajectory.n_atoms), trajectory.atoms_of(symbol))
    if not len(others):
        return None
    step = max(1, CHUNK_NUMBERS // (3 * trajectory.n_atoms))
    total = np.zeros((len(others), 3))
    for start in range(0, trajectory.n_frames, step):
        total += _fractional(trajectory, slice(start, start + step), others).sum(axis=0)
    cell = trajectory.cells.mean(axis=0)
    symbols = tuple(trajectory.symbols[k] for k in others)
    return Configuration(symbols, (total / trajectory.n_frames) @ cell, cell)


def rigid_shift(one: Configuration, other: Configuration) -> np.ndarray:
    """Return by how much a crystal must be moved to lie on another one, fractional, each from -0.5 to 0.5, shape (3,).

    Raises:
        DataError: Other atoms.
    """
    if one.symbols != other.symbols:
        raise DataError("the frameworks have other atoms, or in another order; take trajectories of one crystal.")
    steps = other.positions_A @ np.linalg.inv(other.cell_A) - one.positions_A @ np.linalg.inv(one.cell_A)
    # about the first atom's, as the images of atoms may differ
    shift = steps[0] + (steps - steps[0] - np.round(steps - steps[0])).mean(axis=0)
    return np.asarray(shift - np.round(shift))


def _drift(trajectory: Trajectory, atoms: np.ndarray, step: int) -> np.ndarray:
    """Mean fractional coordinates of some atoms in every frame, shape (F, 3)."""
    parts = [
        _fractional(trajectory, slice(start, start + step), atoms).mean(axis=1)
        for start in range(0, trajectory.n_frames, step)
    ]
    return np.concatenate(parts)


def _fractional(trajectory: Trajectory, frames: slice, atoms: np.ndarray) -> np.ndarray:
    positions = trajectory.cell_positions(frames)[:, atoms]
    if not np.isfinite(positions).all():
        raise DataError("positions are not all finite; the run may have blown up, leave it out.")
    cells = trajectory.cells if len(trajectory.cells) == 1 else trajectory.cells[frames]
    return np.asarray(positions @ np.linalg.inv(cells))
