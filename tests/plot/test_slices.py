"""Slices of snapshots."""

from dataclasses import replace

import numpy as np
import pytest

from histories import with_lattice
from tammann.errors import ResultError
from tammann.history import History
from tammann.plot import plot_phase_fractions, plot_reaction_flow, plot_slices


def test_slices_show_the_snapshots(history):
    ax = plot_slices(history, snapshots=[0, -1], depth=3)
    images = [panel.images[0].get_array() for panel in ax.child_axes]
    np.testing.assert_array_equal(images[0], history.lattice.snapshots[0][3])
    np.testing.assert_array_equal(images[1], history.lattice.snapshots[-1][3])
    assert ax.child_axes[0].get_title() == "0.00 h, 300 K"
    with pytest.raises(ResultError, match="recorded no snapshots"):
        plot_slices(with_lattice(history, snapshots=history.lattice.snapshots[:0]))
    with pytest.raises(ResultError, match="not all there"):
        plot_slices(history, snapshots=[99])


def test_a_run_without_a_lattice_has_figures_but_no_slices(history):
    run = replace(history, lattice=None, calibrated=False)
    assert plot_phase_fractions(run).get_xlabel() == "time (h of the programme; not calibrated)"
    assert plot_reaction_flow(run).texts
    with pytest.raises(ResultError, match="recorded no snapshots"):
        plot_slices(run)


def test_slices_of_a_powder_of_grains_have_a_bar(history):
    run = History.example("reactive-diffusion")
    with pytest.raises(ResultError, match="recorded no snapshots"):
        plot_slices(run)
    cube = {"snapshots": np.ones((2, 1, 8, 8), np.uint8), "snapshot_frame": np.array([0, 5]), "voxel_m": 5e-8}
    panels = plot_slices(replace(run, diffusion=replace(run.diffusion, **cube))).child_axes
    assert len(panels) == 2 and [text.get_text() for text in panels[0].texts] == ["100 nm"]
    left, right = panels[0].lines[0].get_xdata()
    assert right - left == pytest.approx(2.0)  # two voxels of 50 nm
