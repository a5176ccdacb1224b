"""Ways through densities made by hand."""

import numpy as np
import pytest

from characterization.test_basins import CELL, wells
from tammann.characterization import find_sites, lowest_path, percolation_thresholds
from tammann.errors import DataError


def channel():
    """Two wells along x with a strait between, and a wider gap to the image."""
    return find_sites(wells([[0.3, 0.5, 0.5], [0.7, 0.5, 0.5]], [1.0, 0.6], floor=0.0, width=0.7))


def test_barriers_rise_with_the_dimension():
    thresholds = percolation_thresholds(channel())
    assert [each.dimension for each in thresholds] == [1, 2, 3]
    barriers = [each.barrier_eV for each in thresholds]
    assert barriers == sorted(barriers) and thresholds[0].directions.tolist() == [[1, 0, 0]]


def test_the_path_goes_over_the_pass_and_back_to_its_image():
    sites = channel()
    path = lowest_path(sites)
    assert path.sites == (path.sites[0], 1 - path.sites[0], path.sites[0]) and path.distance_A[-1] == pytest.approx(8.0)
    assert path.barrier_eV == pytest.approx(percolation_thresholds(sites)[0].barrier_eV, abs=1e-6)
    step = path.fractional[-1] - path.fractional[0]
    assert step.tolist() == [1.0, 0.0, 0.0] or step.tolist() == [-1.0, 0.0, 0.0]
    assert len(path.table()) == len(path.distance_A)


def test_between_two_sites():
    sites = channel()
    deep = int(np.argmax(sites.basins.peaks_per_A3))
    path = lowest_path(sites, start=deep, end=1 - deep)
    kT = sites.density.kT_eV()
    assert path.distance_A[-1] == pytest.approx(0.4 * CELL[0, 0], abs=0.3)
    assert path.free_energy_eV[-1] == pytest.approx(kT * np.log(1 / 0.6), abs=0.1 * kT)


def test_the_way_of_least_resistance_goes_round():
    """Two low passes in series are less of a resistance than one high pass, and the least rho of the path tells it."""
    bridge = [[0.3, 0.5, 0.5], [0.5, 0.68, 0.5], [0.7, 0.5, 0.5]]
    density = wells(bridge, [1.0, 0.8, 1.0], floor=0.0, width=0.5)
    sites = find_sites(density)
    where = [int(np.abs(sites.basins.fractional - place).sum(axis=1).argmin()) for place in bridge]
    path = lowest_path(sites, start=where[0], end=where[2])
    assert path.sites == tuple(where)
    # half way between two Gaussians of height 1 and 0.8; the straight line is worse
    F, kT = density.free_energy_eV(), density.kT_eV()
    half = 0.5 * np.hypot(1.6, 1.44)
    expected = half**2 / (2 * 0.5**2) - np.log(1.8)
    assert path.barrier_eV == pytest.approx(kT * expected, abs=0.2 * kT)
    assert path.barrier_eV < F[10:23, 16, 16].max() - kT
    index = np.round(path.fractional * 32).astype(int).T % 32
    assert F[tuple(index)].max() == pytest.approx(path.barrier_eV, abs=1e-9)


def test_bad_input_is_told():
    sites = channel()
    for wrong in ({"start": 99}, {"start": -1}, {"start": 0, "end": 7}):
        with pytest.raises(DataError, match="numbers of sites, 0 to 1"):
            lowest_path(sites, **wrong)
    with pytest.raises(DataError, match="image of the start"):
        lowest_path(sites, start=0, cell=(0, 0, 0))


def test_where_nothing_leads():
    """Wells that do not touch have no way; the sentence says what to do."""
    sites = find_sites(wells([[0.5, 0.5, 0.5]], [1.0], floor=0.0, width=0.3))
    assert percolation_thresholds(sites)[:0] == ()
    with pytest.raises(DataError, match="run longer or hotter"):
        lowest_path(sites, cell=(0, 0, 7))
