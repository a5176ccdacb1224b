"""Basins of densities made by hand."""

import numpy as np
import pytest

from characterization.boxes import SKEWED
from tammann.characterization.basins import find_basins
from tammann.characterization.density import IonDensity
from tammann.errors import DataError

CELL = 8.0 * np.eye(3)


def wells(places, depths, cell=CELL, n=32, width=0.8, floor=1e-4):
    """Gaussians at fractional places, on a floor."""
    points = np.stack(np.meshgrid(*[np.arange(n) / n] * 3, indexing="ij"), axis=-1)
    rho = np.full((n, n, n), floor)
    for place, depth in zip(places, depths, strict=True):
        steps = points - np.array(place)
        squares = (((steps - np.round(steps)) @ cell) ** 2).sum(axis=-1)
        rho += depth * np.exp(-0.5 * squares / width**2)
    ions = 3
    rho *= ions / rho.mean() / abs(np.linalg.det(cell))
    return IonDensity("Li", rho, cell, ions, 10**9, 1.0, 0.25, 800.0)


@pytest.mark.parametrize("cell", [CELL, SKEWED], ids=["cubic", "triclinic"])
def test_maxima_between_grid_points_and_across_faces(cell):
    places = np.array([[0.01, 0.99, 0.3], [0.52, 0.47, 0.6]])
    found = find_basins(wells(places, [1.0, 0.5], cell))
    order = np.argsort(-found.peaks_per_A3)
    steps = found.fractional[order] - places
    assert np.abs((steps - np.round(steps)) @ cell).max() < 0.05
    assert found.ions.sum() == pytest.approx(3.0) and found.labels.min() == 0


def test_every_voxel_knows_in_which_cell_its_maximum_lies():
    """The maximum is never further from a voxel than half the longest diagonal, as it is with two equal wells."""
    density = wells([[0.02, 0.5, 0.5], [0.52, 0.5, 0.5]], [1.0, 1.0])
    found = find_basins(density)
    index = np.argwhere(found.labels >= 0)
    label = found.labels[tuple(index.T)]
    steps = found.fractional[label] + found.images[tuple(index.T)] - index / 32
    assert np.abs(steps[:, 0]).max() <= 0.27 and np.abs(steps[:, 1:]).max() <= 0.52


def test_shallow_and_empty_basins_are_joined():
    """A shoulder of 0.5 kT is no site of its own, and neither is a well of next to no ions."""
    places = [[0.3, 0.5, 0.5], [0.55, 0.5, 0.5], [0.5, 0.5, 0.05]]
    density = wells(places, [1.0, 1.0, 0.01])
    assert len(find_basins(density, depth_kT=0.0, least_ions=0.0).ions) == 3
    assert len(find_basins(density, depth_kT=0.0, least_ions=0.2).ions) == 2
    shallow = find_basins(density, depth_kT=3.0, least_ions=0.2)
    assert len(shallow.ions) == 1 and shallow.ions[0] == pytest.approx(3.0)


@pytest.mark.parametrize("middle", [0.5, 0.0], ids=["inside", "across a face"])
@pytest.mark.parametrize("cell", [CELL, SKEWED], ids=["cubic", "triclinic"])
def test_the_parts_of_a_split_site_are_one_site(middle, cell):
    """Two deep wells 0.9 Å apart are one basin of all their ions; further apart than asked for they are two."""
    half = 0.45 / np.linalg.norm(cell[0])
    places = [[middle + half, 0.5, 0.5], [middle - half, 0.5, 0.5], [middle + 0.5, 0.1, 0.1]]
    density = wells(places, [1.0, 0.9, 1.0], cell, n=64, width=0.15, floor=0.0)
    assert len(find_basins(density, apart_A=0.0).ions) == 3 == len(find_basins(density, apart_A=0.8).ions)
    found = find_basins(density)
    assert sorted(found.ions.round(2).tolist()) == [1.03, 1.97] and found.ions.sum() == pytest.approx(3.0)
    # the higher part is where the site is, and every voxel of the other one leads to it the short way
    one = int(np.argmax(found.ions))
    step = (found.fractional[one] - places[0]) @ np.eye(3)
    assert np.abs(step - np.round(step)).max() < 0.01
    index = np.argwhere((found.labels == one) & (density.values_per_A3 > 0.1))
    away = found.fractional[one] + found.images[tuple(index.T)] - index / 64
    assert np.linalg.norm(away @ cell, axis=1).max() < 1.6


def test_a_chain_of_near_maxima_does_not_run_together():
    """Of maxima 0.8 Å apart in a row neighbours are joined, not all: what counts is how far from the highest."""
    places = [[0.1 * k + 0.1, 0.5, 0.5] for k in range(5)]
    found = find_basins(wells(places, [1.0, 0.8, 0.9, 0.8, 1.0], n=80, width=0.12, floor=0.0), depth_kT=0.0)
    assert len(found.ions) == 3 and found.ions.sum() == pytest.approx(3.0)


def test_bad_limits_are_told():
    density = wells([[0.5, 0.5, 0.5]], [1.0])
    for wrong in ({"depth_kT": -1.0}, {"least_ions": -1.0}, {"apart_A": float("nan")}):
        with pytest.raises(DataError, match="expected 0 or more"):
            find_basins(density, **wrong)


def test_passes_are_those_between_the_wells():
    """Two wells half a cell apart along x touch on both sides, and each its own images along y and z."""
    density = wells([[0.25, 0.5, 0.5], [0.75, 0.5, 0.5]], [1.0, 1.0])
    found = find_basins(density)
    rows = {tuple(row) for row in found.passes.tolist()}
    between = {row for row in rows if row[0] != row[1] and row[3:] == (0, 0)}
    assert {row[2] for row in between} in ({0, -1}, {0, 1})
    middle = density.values_per_A3[16, 16, 16]
    assert found.heights_per_A3[0] == pytest.approx(middle, rel=0.05)
    assert (np.diff(found.heights_per_A3) <= 0).all()


def test_no_site_at_all():
    with pytest.raises(DataError, match="least_ions"):
        find_basins(wells([[0.5, 0.5, 0.5]], [1.0]), least_ions=5.0)
