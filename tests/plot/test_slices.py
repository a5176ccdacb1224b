"""Slices of snapshots."""

from dataclasses import replace

import numpy as np
import pytest

from tammann.errors import ResultError
from tammann.plot import (
    plot_slices,
)


def test_slices_show_the_snapshots(history):
    ax = plot_slices(history, snapshots=[0, -1], depth=3)
    images = [panel.images[0].get_array() for panel in ax.child_axes]
    np.testing.assert_array_equal(images[0], history.snapshots[0][3])
    np.testing.assert_array_equal(images[1], history.snapshots[-1][3])
    assert ax.child_axes[0].get_title() == "0.00 h, 300 K"
    with pytest.raises(ResultError, match="recorded no snapshots"):
        plot_slices(replace(history, snapshots=history.snapshots[:0], snapshot_frame=history.snapshot_frame[:0]))
    with pytest.raises(ResultError, match="not all there"):
        plot_slices(history, snapshots=[99])
