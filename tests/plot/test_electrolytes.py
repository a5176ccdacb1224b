"""Figures of electrolytes draw what they are given."""

import numpy as np
import pytest

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
    assert len(marks.get_offsets()) == layer.sum() and ax.get_aspect() == 1.0
    assert plot_density(density, along="a").get_title() == "Li, mean along a"
    with pytest.raises(DataError, match="a, b or c"):
        plot_density(density, along="x")


def test_the_free_energy_of_a_path(walk):
    path = lowest_path(find_sites(ion_density(walk, "Li")))
    ax = plot_free_energy(path)
    line = ax.lines[0]
    assert line.get_ydata().max() == pytest.approx(path.barrier_eV) and "eV" in ax.get_ylabel()
    with pytest.raises(DataError, match="no path"):
        plot_free_energy({})


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
    with pytest.raises(DataError, match="no conductivity"):
        plot_conductivities({})
