"""Coincidences: the known ones of cubic lattices, and those of an orthorhombic one with their strains."""

import math

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures.coincidence import boundary_planes, deformations, find_coincidences, symmetric_tilt, tilt_plane
from tammann.structures.crystals import load_crystal

CUBE = 4.0 * np.eye(3)
FCC = 2.0 * (1.0 - np.eye(3))
PBNM = load_crystal("BaZrS3").cell_A
HEXAGONAL = np.array([[3.0, 0, 0], [-1.5, 1.5 * math.sqrt(3), 0], [0, 0, 4.9]])


@pytest.mark.parametrize(
    ("cell", "axis", "known"),  # Grimmer, Bollmann and Warrington, Acta Cryst. A 1974, 30, 197
    [
        (CUBE, (0, 0, 1), [(5, 36.87), (13, 22.62), (17, 28.07), (25, 16.26)]),
        (CUBE, (1, 1, 1), [(3, 60.0), (7, 38.21), (13, 27.80), (19, 46.83), (21, 21.79)]),
        (CUBE, (1, 1, 0), [(3, 70.53), (9, 38.94), (11, 50.48), (17, 86.63), (19, 26.53)]),
        (FCC, (1, 1, -1), [(5, 36.87), (13, 22.62), (17, 28.07), (25, 16.26)]),  # [001] of the cube
        (HEXAGONAL, (0, 0, 1), [(7, 21.79), (13, 27.80), (19, 13.17)]),
    ],
)
def test_known_coincidences(cell, axis, known):
    found = find_coincidences(cell, axis, largest_sigma=25, largest_strain=0.0)
    assert [(each.sigma, round(each.angle_deg, 2)) for each in found] == known
    assert max(each.strain for each in found) < 1e-6


@pytest.mark.parametrize("sigma", [25, 31, 35])
def test_orthorhombic_coincidences_state_their_strain(sigma):
    """The stated strain and angle take the vectors of grain 2 to those of grain 1, in this very lattice."""
    found = [each for each in find_coincidences(PBNM, (0, 0, 1), largest_strain=0.01) if each.sigma == sigma]
    assert found
    for each in found:
        one, two = (vectors @ PBNM for vectors in (each.vectors_1, each.vectors_2))
        gradient = np.linalg.solve(two[:, :2], one[:, :2])
        np.testing.assert_allclose(np.linalg.svd(gradient, compute_uv=False) - 1.0, each.strains, atol=1e-9)
        assert 1e-4 < each.strain <= 0.01
        assert abs(np.linalg.det(each.vectors_1[:, :2])) == pytest.approx(sigma)


def test_no_exact_coincidence_in_the_orthorhombic_lattice():
    assert find_coincidences(PBNM, (0, 0, 1), largest_sigma=35, largest_strain=0.0) == ()


def test_a_tilt_needs_only_the_strain_along_the_boundary():
    for each in find_coincidences(PBNM, (0, 0, 1), largest_sigma=13, largest_strain=0.01):
        for plane in boundary_planes(PBNM, each, largest_period_A=80.0)[:-1]:
            assert plane.strain <= each.strain + 1e-9
            one, two = deformations(PBNM, plane)
            assert one[0, 0] == two[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("angle_deg", [1.5, 2.5, 4.0, 6.0, 9.5])
def test_low_angles(angle_deg):
    """Without strain, at the period b / (2 sin(theta / 2)) of Frank's rule."""
    plane = symmetric_tilt(PBNM, (0, 0, 1), angle_deg=angle_deg, tolerance_deg=0.3)
    assert plane.kind == "symmetric tilt" and plane.strain == 0.0
    assert abs(plane.angle_deg - angle_deg) <= 0.3
    assert plane.period_A == pytest.approx(PBNM[1, 1] / math.sin(math.radians(plane.angle_deg) / 2.0), rel=1e-6)


def test_planes_of_sigma_5():
    sigma_5 = find_coincidences(CUBE, (0, 0, 1), largest_sigma=5, largest_strain=0.0)[0]
    planes = boundary_planes(CUBE, sigma_5, largest_period_A=30.0)
    kinds = {tuple(sorted(map(abs, plane.miller_1))): plane.kind for plane in planes if plane.kind != "twist"}
    assert kinds[0, 1, 2] == kinds[0, 1, 3] == "symmetric tilt"
    asymmetric = [plane for plane in planes if plane.kind == "asymmetric tilt"]
    assert {(0, 0, 1), (0, 3, 4)} in [
        {tuple(sorted(map(abs, m))) for m in (plane.miller_1, plane.miller_2)} for plane in asymmetric
    ]
    assert all(plane.strain < 1e-9 for plane in planes)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: find_coincidences(CUBE, (0, 0, 2)), "without a common factor"),
        (lambda: find_coincidences(PBNM, (1, 2, 3)), "no lattice plane is perpendicular"),
        (lambda: find_coincidences(CUBE, (0, 0, 1), largest_sigma=0), "from 1 to 200"),
        (lambda: find_coincidences(CUBE, (0, 0, 1), largest_strain=2.0), "from 0 to 0.2"),
        (lambda: tilt_plane(CUBE, (0, 0, 1), (1, 0, 1), (1, 0, 0)), "along_1: expected a lattice vector perpendicular"),
        (lambda: symmetric_tilt(CUBE, (0, 0, 1), angle_deg=120.0), "from 0 to 90 degrees, got 120"),
        (lambda: symmetric_tilt(CUBE, (0, 0, 1), angle_deg=0.01, tolerance_deg=0.001), "allow a larger tolerance"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()


def test_a_strain_that_undoes_the_rotation_is_no_coincidence():
    cell = np.diag([6.96228, 7.08885, 9.96352])
    found = find_coincidences(cell, (0, 1, 0), largest_sigma=31, largest_strain=0.02)
    assert found
    assert all(np.radians(each.angle_deg) > each.strain for each in found)


@pytest.mark.parametrize("edge_A", [3.7845, 4.0, 5.6402])
def test_the_cell_of_a_coincidence_does_not_grow_with_how_far_one_looks(edge_A):
    cell = edge_A * np.eye(3)
    for each in find_coincidences(cell, (0, 0, 1), largest_sigma=35):
        assert abs(np.linalg.det(np.vstack([each.vectors_1, (0, 0, 1)]))) == pytest.approx(each.sigma)
