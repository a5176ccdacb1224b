"""Signs that a melt has crystallised (Bragg reflections) or torn open (cavities)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.images import with_images
from tammann.structures.configuration import wrapped

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

    from tammann.trajectory import Trajectory

CRYSTALLINE = 0.2
"""Order above which a melt or glass counts as crystalline, in boxes that are not so small that disorder reaches it by
chance: melts of 100 atoms and more stay below 0.1, crystals near their melting point keep more than 0.3 of a perfect
crystal's reflection."""
LONGEST_PER_A = 5.0
SPACING_A = 0.8
"""Spacing of the grid of trial centres of cavities."""
FRAMES, CAVITY_FRAMES = 20, 5
MOST_POSITIONS = 100_000
"""Frames times atoms analysed: a large box needs no mean over many frames."""
FEWEST_FRAMES = 3
MOST_VECTORS = 600_000
"""Reciprocal vectors considered: all up to 3.3 per Å in an oxide melt of 100,000 atoms, beyond the first strong
reflections of any oxide; less than 200 MB."""
MOST_PHASES = 2_000_000
"""Vectors times atoms up to which phases are summed directly; beyond, by a Fourier transform."""
CHUNK = 500_000
"""Phases held at a time, 4 MB each of phase, cosine and sine."""
NEAR_A = 8.0
"""First range of periodic images, enough but for the cavities of a torn melt."""
BLOCKS = 1000
"""Blocks of 27 grid points refined at a time."""


def bragg_order(trajectory: Trajectory) -> float:
    """Return the strongest reflection relative to a perfect crystal's: 1 for a crystal, about 10/N for a melt.

    max over q of <|sum_a exp(i q . r_a)|²> / N², with q all vectors of the reciprocal cell up to 5 per Å (the 600,000
    shortest at most) and equal weights of the N atoms; the mean over 20 frames of the last quarter of the trajectory,
    fewer in boxes of more than 5000 atoms.

    Example:
        >>> import numpy as np
        >>> from tammann.trajectory import trajectory_from_arrays
        >>> grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), axis=-1).reshape(1, -1, 3) * 2.0
        >>> frames = np.repeat(grid, 2, axis=0)
        >>> solid = trajectory_from_arrays(frames, 8.0 * np.eye(3), ["O"] * 64, frame_interval_ps=1.0)
        >>> round(bragg_order(solid), 6)
        1.0
    """
    n_atoms = len(trajectory.symbols)
    mean_cell = trajectory.cells.mean(axis=0)
    longest = _longest(abs(float(np.linalg.det(mean_cell))))
    reciprocal = 2.0 * math.pi * np.linalg.inv(mean_cell).T
    most = np.ceil(longest / (2.0 * math.pi) * np.linalg.norm(mean_cell, axis=1)).astype(int)
    # the intensities at q and -q are equal, so the last index need not be below 0
    x, y, z = np.ogrid[-most[0] : most[0] + 1, -most[1] : most[1] + 1, 0 : most[2] + 1]
    metric = reciprocal @ reciprocal.T
    squares = metric[0, 0] * x**2 + metric[1, 1] * y**2 + metric[2, 2] * z**2
    squares = squares + (2.0 * metric[0, 1] * x * y + 2.0 * metric[0, 2] * x * z + 2.0 * metric[1, 2] * y * z)
    within = squares <= longest**2
    within[: most[0] + 1, most[1], 0] = within[:, : most[1], 0] = False
    indices = np.argwhere(within) - [most[0], most[1], 0]
    del squares, within
    if not len(indices):
        return 0.0
    intensity = np.zeros(len(indices))
    chosen = _last_quarter(trajectory, FRAMES)
    for k in chosen:
        fractional = wrapped(*trajectory.frame(k))
        if len(indices) * n_atoms <= MOST_PHASES:
            _add_direct(intensity, fractional, indices)
        else:
            _add_by_transform(intensity, fractional, indices, most)
    return float(intensity.max() / len(chosen) / n_atoms**2)


def bragg_noise(n_atoms: int, volume_A3: float, *, chance: float = 1e-3) -> float:
    """Return the ``bragg_order`` that a disordered box reaches by chance, at most 1: a threshold for small boxes.

    For N = ``n_atoms`` atoms at random |sum_a exp(i q . r_a)|² / N is exponentially distributed with mean 1, so its
    maximum over n vectors q, n = volume q³ / (12 pi²) with the longest q, exceeds ln(n / chance) in fewer than
    ``chance`` of all arrangements. That is one arrangement, as in a glass; the mean over the frames of a melt stays far
    below.

    Example:
        >>> [round(bragg_noise(n, 20.0 * n), 2) for n in (40, 80, 200, 10_000)]
        [0.34, 0.18, 0.08, 0.0]
    """
    vectors = max(1.0, volume_A3 * _longest(volume_A3) ** 3 / (12.0 * math.pi**2))
    return min(1.0, math.log(vectors / chance) / n_atoms)


def largest_cavity(trajectory: Trajectory) -> float:
    """Return the radius of the largest sphere without the centre of an atom, Å: 2.5 to 3.5 in a dense oxide melt.

    Five frames of the last quarter are analysed, fewer in boxes of more than 20,000 atoms.

    Example:
        >>> import numpy as np
        >>> from tammann.trajectory import trajectory_from_arrays
        >>> lone = trajectory_from_arrays(np.zeros((2, 1, 3)), 8.0 * np.eye(3), ["O"], frame_interval_ps=1.0)
        >>> round(largest_cavity(lone), 2)  # half the diagonal of the cube
        6.93
    """
    from scipy.spatial import cKDTree

    largest = 0.0
    for k in _last_quarter(trajectory, CAVITY_FRAMES):
        positions, cell = trajectory.frame(k)
        inside = wrapped(positions, cell)
        counts = np.maximum(1, np.ceil(np.linalg.norm(cell, axis=1) / SPACING_A)).astype(int)
        reach = NEAR_A
        while (found := _farthest(cKDTree(with_images(inside, cell, reach)[0]), cell, counts)) > reach:
            reach *= 2.0  # nearer images may have been left out
        largest = max(largest, found)
    return largest


def _last_quarter(trajectory: Trajectory, frames: int) -> list[int]:
    n_frames = len(trajectory.positions)
    frames = min(frames, max(FEWEST_FRAMES, MOST_POSITIONS // len(trajectory.symbols)))
    return np.unique(np.linspace(0.75 * (n_frames - 1), n_frames - 1, frames).round().astype(int)).tolist()


def _longest(volume_A3: float) -> float:
    """Return the length up to which reciprocal vectors are considered, 1/Å."""
    return min(LONGEST_PER_A, (12.0 * math.pi**2 * MOST_VECTORS / volume_A3) ** (1.0 / 3.0))


def _add_direct(intensity: np.ndarray, fractional: np.ndarray, indices: np.ndarray) -> None:
    """Add |sum_a exp(i q . r_a)|**2 of each vector, summed directly."""
    chunk = max(1, CHUNK // len(fractional))
    for start in range(0, len(indices), chunk):
        phase = 2.0 * math.pi * fractional @ indices[start : start + chunk].T
        intensity[start : start + chunk] += np.cos(phase).sum(axis=0) ** 2 + np.sin(phase).sum(axis=0) ** 2


def _add_by_transform(intensity: np.ndarray, fractional: np.ndarray, indices: np.ndarray, most: np.ndarray) -> None:
    """Add the same from a non-uniform fast Fourier transform."""
    from tammann.characterization.diffraction.wave_grid import wave_amplitudes  # numba is slow to import

    waves = wave_amplitudes(fractional, most, threads=1)
    intensity += np.abs(waves[tuple((indices + [most[0], most[1], 0]).T)].astype(complex)) ** 2


def _farthest(tree: cKDTree, cell: np.ndarray, counts: np.ndarray) -> float:
    """The largest distance from a point of a grid over the cell to the nearest atom, Å.

    The grid is searched in blocks of 27 points. Within a block the distance exceeds that of its middle by no more than
    the distance from there, so most blocks need no refinement.
    """
    middles = np.stack(np.meshgrid(*[np.arange(1, n + 2, 3) for n in counts], indexing="ij"), axis=-1).reshape(-1, 3)
    offsets = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    growth = float(np.linalg.norm(offsets / counts @ cell, axis=1).max())
    nearest = tree.query(middles % counts / counts @ cell)[0]
    largest = float(nearest.max())
    order = np.argsort(-nearest)
    for start in range(0, len(order), BLOCKS):
        some = order[start : start + BLOCKS]
        if nearest[some[0]] + growth <= largest:
            break
        points = (middles[some, None, :] + offsets).reshape(-1, 3) % counts / counts @ cell
        largest = max(largest, float(tree.query(points)[0].max()))
    return largest
