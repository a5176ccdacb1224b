"""A rigid crystal that drifts through a cell that breathes, as at constant pressure: its structure is known exactly."""

import numpy as np

RELATIVE = 0.02
EDGE_A = 12.0
CSCL = ("Cs",) * 27 + ("Cl",) * 27


def drifting_crystal(frames=200, cells_passed=4.0, tilt=0.0):
    """Return CsCl, three cells each way, folded into cells that vary by 2 %: positions, cells and images.

    All atoms keep their distances in fractional coordinates, so the closest contact is that of the edge of each frame.
    """
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), -1).reshape(-1, 3) / 3 + 0.01
    sites = np.vstack([grid, grid + 1 / 6])
    paths = sites + cells_passed * np.linspace(0.0, 1.0, frames)[:, None, None] * np.array([1.0, -0.5, 0.0])
    images = np.floor(paths)
    scale = 1.0 + RELATIVE * np.sin(0.3 * np.arange(frames))
    shape = np.eye(3) + tilt * np.eye(3, k=-1)
    cells = EDGE_A * scale[:, None, None] * shape
    return np.matmul(paths - images, cells), cells, images


def contacts(cells):
    """Return the closest contact of each frame where ``tilt`` is 0, Å."""
    return np.sqrt(3.0) / 2.0 * np.linalg.norm(cells[:, 0], axis=1) / 3.0
