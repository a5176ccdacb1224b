"""The map of layers: its areas are the layers of the table."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from histories import layered_history
from tammann.errors import ResultError
from tammann.history import History
from tammann.plot import phase_colours, plot_layers
from tammann.plot.layers import along_composition, begin_frame, cores, reaction_zone


@pytest.fixture(scope="module")
def run():
    return History.example("reactive-diffusion")


def _growing(**options):
    h = np.linspace(0.0, 2e-7, 5)
    bounds = np.column_stack([np.zeros(5), 5e-7 - h / 2, 5e-7 + h / 2, np.full(5, 1e-6)])
    return layered_history(bounds, ["BaO", "BaTiO3", "TiO2"], times_h=np.arange(5.0), **options)


def test_areas_are_the_layers():
    ax = plot_layers(_growing(), whole=True)
    (panel,) = ax.child_axes
    colours = phase_colours(History.example("reactive-diffusion").phases)
    areas = {}
    for area in panel.collections:
        points = area.get_paths()[0].vertices
        x, y = points[:, 0], points[:, 1]
        size = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
        areas[to_hex(area.get_facecolor()[0]).upper()] = size
    assert areas[colours["BaTiO3"].upper()] == pytest.approx(0.5 * 4 * 0.2, rel=1e-3)  # a triangle of 4 h and 0.2 um
    assert sum(areas.values()) == pytest.approx(4 * 1.0, rel=1e-3)  # nothing between layers
    assert panel.get_ylabel() == "position (µm)" and panel.get_xlabel() == "time (h)"


def test_where_layers_move_fills_the_figure():
    (panel,) = plot_layers(_growing()).child_axes
    assert panel.get_ylim() == pytest.approx((0.3, 0.7), abs=1e-3)


def test_one_panel_a_core_and_the_programme_above(run):
    ax = plot_layers(run)
    assert len(ax.child_axes) == 2 and cores(run) == [0, 1]
    assert [len(panel.child_axes) for panel in ax.child_axes] == [1, 0]
    assert ax.child_axes[0].child_axes[0].get_ylabel() == "T (K)"
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(names) == len(set(names)) and "BaO" in names[0]
    assert plot_layers(run, particles=[1], programme=False).child_axes[0].child_axes == []
    with pytest.raises(ResultError, match="particle 9 is not recorded"):
        plot_layers(run, particles=[9])
    with pytest.raises(ResultError, match="only a run of the engine reactive-diffusion"):
        plot_layers(History.example())


def test_a_mixture_is_dotted(run):
    hatched = [area for panel in plot_layers(run).child_axes for area in panel.collections if area.get_hatch()]
    assert hatched


def test_a_run_in_which_nothing_moves_shows_everything():
    still = layered_history(np.tile([0.0, 5e-7, 1e-6], (3, 1)), ["BaO", "TiO2"], times_h=np.arange(3.0))
    assert begin_frame(still, [0]) == 0
    assert plot_layers(still).child_axes[0].get_ylim() == pytest.approx((0.0, 1.0))
    assert reaction_zone([], 1.0) == (0.0, 1.0)


def test_names_go_from_one_end_of_the_mixture_to_the_other(run):
    names = along_composition(run, ["TiO2", "BaTiO3", "Ba2TiO4", "BaO"])
    assert names == ["BaO", "Ba2TiO4", "BaTiO3", "TiO2"]
    swapped = replace(run, moles=run.moles[:, :, ::-1], phases=run.phases[::-1], composition=run.composition[::-1])
    assert along_composition(swapped, names) == names[::-1]
