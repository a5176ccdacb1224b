"""Layers whose bounds are known are found where they are."""

import numpy as np
import pytest

from histories import layered_history
from tammann.analysis import layer_thickness, layers
from tammann.history import History

NAMES = ["BaO", "Ba2TiO4", "BaTiO3", "TiO2"]


@pytest.mark.parametrize("geometry", ["planar", "sphere"])
def test_bounds_within_cells_are_exact(geometry):
    bounds = [[0.0, 5e-7, 5e-7, 5e-7, 1e-6], [0.0, 4.037e-7, 4.45e-7, 6.013e-7, 1e-6]]
    run = layered_history(bounds, NAMES, times_h=[0.0, 1.0], geometry=geometry)
    table = layers(run)
    assert table[table.frame == 0].phase.tolist() == ["BaO", "TiO2"]
    later = table[table.frame == 1]
    assert later.phase.tolist() == NAMES
    np.testing.assert_allclose(later.outer_m, bounds[1][1:], rtol=1e-5)
    np.testing.assert_allclose(later.inner_m, bounds[1][:-1], rtol=1e-5, atol=1e-12)
    thick = layer_thickness(run)
    for k, phase in enumerate(NAMES):
        got = thick[thick.phase == phase].thickness_m.to_numpy()
        np.testing.assert_allclose(got, np.diff(bounds, axis=1)[:, k], rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(thick.thickness_um, 1e6 * thick.thickness_m)


def test_two_layers_of_one_phase_count_together():
    bounds = [[0.0, 2e-7, 5e-7, 8e-7, 1e-6]]
    run = layered_history(bounds, ["TiO2", "BaO", "TiO2", "BaO"], times_h=[0.0])
    assert layers(run).phase.tolist() == ["TiO2", "BaO", "TiO2", "BaO"]
    thick = layer_thickness(run).set_index("phase").thickness_m
    assert thick["TiO2"] == pytest.approx(5e-7, rel=1e-5) and thick["BaO"] == pytest.approx(5e-7, rel=1e-5)


def test_phases_side_by_side_in_many_cells_are_a_mixture():
    run = layered_history([[0.0, 5e-7, 1e-6]], ["TiO2", "BaO"], times_h=[0.0])
    sites = run.diffusion.sites
    titania = run.phases.index("TiO2")
    product = run.phases.index("BaTi2O5")
    sites[0, 0, :10, product] = sites[0, 0, :10, titania] * 0.3
    sites[0, 0, :10, titania] *= 0.7
    found = layers(run)
    assert found.phase.iloc[0] in ("TiO2 + BaTi2O5", "BaTi2O5 + TiO2")
    assert found.phase.tolist()[1:] == ["TiO2", "BaO"]
    assert found.outer_m.iloc[0] == pytest.approx(2e-7)


def test_layers_fill_every_particle():
    run = History.example("reactive-diffusion")
    for c in range(2):
        table = layers(run, c)
        radius = run.diffusion.edges_m[c, 0, -1]
        for _, rows in table.groupby("frame"):
            assert rows.inner_m.iloc[0] == 0.0 and rows.outer_m.iloc[-1] == pytest.approx(radius)
            np.testing.assert_allclose(rows.inner_m.to_numpy()[1:], rows.outer_m.to_numpy()[:-1])
        total = layer_thickness(run, c).groupby("programme_h").thickness_m.sum()
        np.testing.assert_allclose(total, radius, rtol=1e-5)
