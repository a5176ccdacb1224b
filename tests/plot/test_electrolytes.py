"""Figures of electrolytes draw what they are given."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from hopping import attempt, hopping
from tammann.characterization import find_sites, ion_density, lowest_path
from tammann.errors import DataError
from tammann.plot.electrolytes import plot_conductivities, plot_density, plot_free_energy
from tammann.transport import displacement_correlations, ion_conduction, measure_onsager


@pytest.fixture(scope="module")
def walk():
    return hopping((0.1, 0.05, 0.0), frames=1500)


def test_a_density_slice_and_its_mean(walk):
    density = ion_density(walk, "Li")
    sites = find_sites(density)
    ax = plot_density(density, along="c", at=0.0, sites=sites)
    mesh, marks = ax.collections
    assert mesh.get_array().max() == pytest.approx(density.values_per_A3[:, :, 0].max())
    # of three layers of sites one is within an Å of the slice
    layer = np.abs(sites.positions_A[:, 2] - 9 * np.round(sites.positions_A[:, 2] / 9)) < 1.0
    assert ax.get_aspect() == 1.0
    # those at an edge are drawn at the opposite one as well: three by three sites make four by four
    drawn = np.asarray(marks.get_offsets())
    assert layer.sum() == 9 and len(drawn) == 16
    assert np.sort(drawn[:, 0]) == pytest.approx(np.repeat([0, 3, 6, 9], 4), abs=0.2)
    assert plot_density(density, along="a").get_title() == "Li, mean along a"
    with pytest.raises(DataError, match="a, b or c"):
        plot_density(density, along="x")


def test_sites_are_drawn_where_the_density_is():
    """In a slanted plane too: each mark lies on a maximum of what is drawn beneath."""
    walk = hopping((0.0, 0.05, 0.0), spacing_A=[[3.0, 0, 0], [0.8, 3.5, 0], [0, 0.5, 4.0]], ions=2, frames=300)
    density = ion_density(walk, "Li")
    sites = find_sites(density)
    ax = plot_density(density, along="c", sites=sites)
    mesh, marks = ax.collections
    grid, values = np.asarray(mesh.get_coordinates()), np.asarray(mesh.get_array())
    away = np.linalg.norm(grid[:, :, None] - np.asarray(marks.get_offsets()), axis=-1).reshape(values.size, -1)
    assert (values.ravel()[away.argmin(axis=0)] > 0.1 * values.max()).all() and away.min(axis=0).max() < 0.25
    corners = np.array([grid[-1, 0], grid[0, -1]])
    assert np.linalg.norm(corners, axis=1) == pytest.approx(np.linalg.norm(walk.cells[0][:2], axis=1))
    assert corners[0] @ corners[1] == pytest.approx(walk.cells[0][0] @ walk.cells[0][1])


def test_the_free_energy_of_a_path(walk):
    path = lowest_path(find_sites(ion_density(walk, "Li")))
    ax = plot_free_energy(path)
    line = ax.lines[0]
    assert line.get_ydata().max() == pytest.approx(path.barrier_eV) and "eV" in ax.get_ylabel()
    (label,) = ax.texts
    assert label.xy[1] == pytest.approx(path.barrier_eV) and label.get_text() == f"{path.barrier_eV:.2f} eV"
    with pytest.raises(DataError, match="no path"):
        plot_free_energy({})


@pytest.mark.parametrize(("top_A", "side"), [(0.5, "left"), (5.0, "center"), (9.5, "right")])
def test_the_barrier_is_written_within_the_axes(top_A, side):
    along = np.linspace(0.0, 10.0, 201)
    path = SimpleNamespace(distance_A=along, free_energy_eV=0.3 * np.exp(-((along - top_A) ** 2)), barrier_eV=0.3)
    (label,) = plot_free_energy({"Li3YBr6": path}).texts
    assert label.get_ha() == side and label.xy[0] == pytest.approx(top_A)


def test_conductivities_reach_to_the_temperature_asked_for():
    found = []
    for T in (600.0, 900.0):
        jumps = 3 * (attempt(T, 0.2, 2.0),)
        walk = hopping(jumps, frames=2500, temperature_K=T, ions=20, seed=int(T))
        found.append(measure_onsager(displacement_correlations(walk, frame="Cl")))
    conduction = ion_conduction(found, "Li", charges={"Li": 1.0, "Cl": -1.0})
    ax = plot_conductivities({"LiCl": conduction}, at_K=300.0)
    longest = max((line.get_xdata() for line in ax.lines), key=len)
    assert max(longest) == pytest.approx(1000 / 300) and ax.get_yscale() == "log"
    # in S/cm: the points of Nernst and Einstein, and their law at the cold end
    points = np.sort(ax.containers[0].lines[0].get_ydata())
    assert points == pytest.approx(np.sort(conduction.table()["sigma_NE_S_per_m"]) / 100)
    line = max(ax.lines, key=lambda each: len(each.get_xdata()))
    cold = conduction.conductivity_at(300.0)
    assert line.get_ydata()[np.argmax(line.get_xdata())] == pytest.approx(cold.sigma_S_per_m / 100)
    (band,) = (each for each in ax.collections if isinstance(each, PolyCollection))
    assert band.get_paths()[0].vertices[:, 1].min() == pytest.approx(cold.low_S_per_m / 100)
    with pytest.raises(DataError, match="no conductivity"):
        plot_conductivities({})
