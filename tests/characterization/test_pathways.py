"""Ways through densities made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from characterization.test_basins import CELL, wells
from tammann.characterization import find_sites, lowest_path, percolation_thresholds
from tammann.characterization.basins import find_basins
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


def test_between_two_sites_the_way_follows_the_valley():
    """A bent valley between two wells: longer than the straight line, and over its pass."""
    bend = np.linspace(0.0, np.pi, 13)[1:-1]
    valley = np.column_stack([0.5 - 0.2 * np.cos(bend), 0.5 + 0.2 * np.sin(bend), np.full(11, 0.5)])
    density = wells([[0.3, 0.5, 0.5], [0.7, 0.5, 0.5], *valley], [1.0, 1.0, *[0.05] * 11], n=40, width=0.35, floor=0.0)
    sites = find_sites(density, least_ions=0.5)
    assert len(sites) == 2
    path = lowest_path(sites, start=0, end=1)
    pass_eV = density.kT_eV() * np.log(sites.basins.peaks_per_A3.max() / sites.basins.heights_per_A3[0])
    assert path.barrier_eV == pytest.approx(pass_eV, abs=0.1 * density.kT_eV())
    assert path.fractional[:, 1].max() > 0.66 and path.distance_A[-1] > 1.3 * 3.2
    assert density.free_energy_eV()[20, 20, 20] > path.barrier_eV + 2 * density.kT_eV()


def test_the_barrier_is_that_from_the_deepest_site():
    """Whichever of the sites comes first."""
    mirrored = find_sites(wells([[0.3, 0.5, 0.5], [0.7, 0.5, 0.5]], [0.6, 1.0], floor=0.0, width=0.7))
    for sites in (channel(), mirrored):
        basins, (first, *_) = sites.basins, percolation_thresholds(sites)
        # the second of the two passes along x closes the way
        along = [h for (a, b, *cell), h in zip(basins.passes.tolist(), basins.heights_per_A3, strict=True) if a != b][1]
        expected = sites.density.kT_eV() * np.log(basins.peaks_per_A3.max() / along)
        assert first.barrier_eV == pytest.approx(expected, abs=1e-12)


def test_where_the_cell_begins_does_not_matter():
    """A split site, its image and a third well in any place: ways, barriers and lengths are those of the crystal."""
    places = [[0.05, 0.5, 0.5], [-0.05, 0.5, 0.5], [0.5, 0.5, 0.45]]
    density = wells(places, [1.0, 0.9, 0.8], n=40, width=0.3, floor=0.0)
    assert len(find_basins(density, depth_kT=0.0, apart_A=0.0).ions) == 3
    found = []
    for shift in ((0, 0, 0), (7, 0, 0), (-9, 13, 26), (20, 20, 20)):
        moved = replace(density, values_per_A3=np.roll(density.values_per_A3, shift, axis=(0, 1, 2)))
        sites = find_sites(moved)
        assert len(sites) == 2
        path = lowest_path(sites)
        thresholds = percolation_thresholds(sites)
        assert thresholds[0].directions.tolist() == [[1, 0, 0]] and {t.dimension for t in thresholds} == {1}
        assert len(path.sites) == 3
        assert np.abs(path.fractional[-1] - path.fractional[0]) == pytest.approx([1, 0, 0])
        found.append([thresholds[0].barrier_eV, path.barrier_eV, path.distance_A[-1]])
    assert np.allclose(found, found[0], atol=1e-9)


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
