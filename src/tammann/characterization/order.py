"""Has the melt crystallised, or torn open?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tammann.md import Trajectory

__all__ = ["bragg_order", "largest_cavity"]

LONGEST_PER_A = 5.0
FRAMES = 20


def bragg_order(trajectory: Trajectory, *, frames: int = FRAMES, longest_per_A: float = LONGEST_PER_A) -> float:
    """Return how near the strongest reflection comes to that of a crystal: 1 for a perfect one, about 10/N for a melt.

    max over q of <|sum_a exp(i q . r_a)|**2> / N**2, with q all vectors of the reciprocal cell up to ``longest_per_A``
    and the N atoms taken alike; the mean is over frames of the last quarter of the trajectory.

    Args:
        trajectory: Of N atoms.
        frames: How many frames.
        longest_per_A: Longest q, 1/Å.

    Example:
        >>> import numpy as np
        >>> from tammann.md import trajectory_from_arrays
        >>> grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), axis=-1).reshape(1, -1, 3) * 2.0
        >>> frames = np.repeat(grid, 2, axis=0)
        >>> solid = trajectory_from_arrays(frames, 8.0 * np.eye(3), ["O"] * 64, frame_interval_ps=1.0)
        >>> round(bragg_order(solid), 6)
        1.0
    """
    n_frames, n_atoms = len(trajectory.positions), len(trajectory.symbols)
    chosen = np.unique(np.linspace(0.75 * (n_frames - 1), n_frames - 1, frames).round().astype(int))
    reciprocal = 2.0 * math.pi * np.linalg.inv(trajectory.cells.mean(axis=0)).T
    most = np.ceil(longest_per_A / (2.0 * math.pi) * np.linalg.norm(trajectory.cells.mean(axis=0), axis=1)).astype(int)
    grids = np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij")
    indices = np.stack(grids, axis=-1).reshape(-1, 3)
    length = np.linalg.norm(indices @ reciprocal, axis=1)
    half = indices[:, 0] * 1_000_000 + indices[:, 1] * 1000 + indices[:, 2] > 0  # -q says what q says
    indices = indices[half & (length <= longest_per_A)]
    if not len(indices):
        return 0.0
    intensity = np.zeros(len(indices))
    for k in chosen:
        cell = trajectory.cells[k if len(trajectory.cells) > 1 else 0]
        phase = 2.0 * math.pi * (np.asarray(trajectory.positions[k]) @ np.linalg.inv(cell)) @ indices.T
        intensity += np.cos(phase).sum(axis=0) ** 2 + np.sin(phase).sum(axis=0) ** 2
    return float(intensity.max() / len(chosen) / n_atoms**2)


def largest_cavity(trajectory: Trajectory, *, frames: int = 5, spacing_A: float = 0.8) -> float:
    """Return the radius in Å of the largest sphere that holds no centre of an atom, 2.5 to 3.5 Å in a dense oxide melt.

    Args:
        trajectory: Of N atoms; frames of its last quarter are looked at.
        frames: How many frames.
        spacing_A: Of the grid that centres of spheres are tried on, Å.

    Example:
        >>> import numpy as np
        >>> from tammann.md import trajectory_from_arrays
        >>> lone = trajectory_from_arrays(np.zeros((2, 1, 3)), 8.0 * np.eye(3), ["O"], frame_interval_ps=1.0)
        >>> round(largest_cavity(lone), 2)  # half the diagonal of the cube
        6.93
    """
    from scipy.spatial import cKDTree

    n_frames = len(trajectory.positions)
    largest = 0.0
    for k in np.unique(np.linspace(0.75 * (n_frames - 1), n_frames - 1, frames).round().astype(int)):
        cell = trajectory.cells[k if len(trajectory.cells) > 1 else 0]
        fractional = np.asarray(trajectory.positions[k]) @ np.linalg.inv(cell)
        fractional -= np.floor(fractional)
        shifts = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        atoms = (fractional[None, :, :] + shifts[:, None, :]).reshape(-1, 3) @ cell
        counts = np.maximum(1, np.ceil(np.linalg.norm(cell, axis=1) / spacing_A)).astype(int)
        axes = [np.arange(n) / n for n in counts]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) @ cell
        largest = max(largest, float(cKDTree(atoms).query(grid)[0].max()))
    return largest
