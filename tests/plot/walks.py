"""Curves of made-up walks, and what the tests of figures ask of axes."""

import numpy as np

from tammann.plot.style import SHADE
from tammann.trajectory import trajectory_from_arrays
from tammann.transport import displacement_correlations


def curves_of(seed, symbols=("Ba", "Ti", "O", "O", "O"), frames=600, step=0.1):
    steps = step * np.random.default_rng(seed).normal(size=(frames, 4 * len(symbols), 3))
    walk = trajectory_from_arrays(
        steps.cumsum(axis=0), 12.0 * np.eye(3), list(symbols) * 4, frame_interval_ps=0.1, wrapped=False
    )
    return displacement_correlations(walk)


def named(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def shaded(ax):
    from matplotlib.colors import to_rgba

    return [patch for patch in ax.patches if patch.get_facecolor() == to_rgba(SHADE)]


def no_overlap(ax):
    """The words beside the axes do not touch."""
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    boxes = sorted((t.get_window_extent() for t in ax.texts if t.get_position()[0] == 1.04), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 1 for below, above in zip(boxes, boxes[1:], strict=False))
    return len(boxes)
