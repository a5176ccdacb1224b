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


def test_where_nothing_leads():
    """Wells that do not touch have no way; the sentence says what to do."""
    sites = find_sites(wells([[0.5, 0.5, 0.5]], [1.0], floor=0.0, width=0.3))
    assert percolation_thresholds(sites)[:0] == ()
    with pytest.raises(DataError, match="run longer or hotter"):
        lowest_path(sites, cell=(0, 0, 7))
