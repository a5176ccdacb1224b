"""The search for a volume, checked by the numbers in the figure."""

import numpy as np

from tammann.md.equation_of_state import VolumePoint
from tammann.plot import plot_volume_search


def test_a_volume_search_shows_its_runs_and_where_it_ended():
    runs = [
        VolumePoint(v, p, 0.05, -8.0, 0.0, 2000.0, t)
        for v, p, t in ((80, 5, 4), (120, -2, 4), (99, 0.3, 20), (101, 0, 28))
    ]
    ax = plot_volume_search(runs, 10)
    curve = next(line for line in ax.lines if len(line.get_xdata()) > 50)
    x, y = curve.get_xdata(), curve.get_ydata()
    assert x[0] == 8.0 and x[-1] == 12.0 and (np.diff(y) < 0).all()
    assert abs(np.interp(10.1, x, y)) < 0.1
    assert ax.get_legend_handles_labels()[1] == ["runs", "the last one, 10.10 Å³ per atom"]
    sizes = [line.get_markersize() for line in ax.lines if line.get_marker() == "o"]
    assert sizes[:2] == [sizes[0]] * 2 and sizes[0] < sizes[2] < sizes[3]
    low, high = ax.get_ylim()
    assert low < -0.3 and high < 5  # the far run is off the axes, those near rest fill them
