"""Bicrystals: whole formula units, both boundaries alike, no energy at no angle."""

from collections import Counter

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.coincidence import boundary_planes, find_coincidences, symmetric_tilt, tilt_plane
from tammann.structures.contacts import pairs_within
from tammann.structures.crystals import load_crystal
from tammann.structures.grain_boundary import (
    bicrystal,
    boundary_energy,
    inversion_centre,
    irreducible_translations,
    lowest_energy,
    scan_translations,
)
from tammann.structures.overlaps import overlap_distances, overlapping_pairs

PEROVSKITE = load_crystal("BaZrS3")
COPPER = Configuration(("Cu",) * 4, 1.805 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]), 3.61 * np.eye(3))


def check(made, crystal):
    """Whole formula units, no overlap, and each grain as in the crystal away from the boundaries."""
    configuration = made.configuration
    counts, unit = Counter(configuration.symbols), Counter(crystal.symbols)
    assert len({counts[symbol] / unit[symbol] for symbol in unit}) == 1
    pairs, _ = overlapping_pairs(configuration, overlap_distances(crystal))
    assert len(pairs) == 0
    assert set(configuration.labels["grain"]) == {1, 2}
    before = sum(bulk.n_atoms for bulk in made.bulk)
    assert configuration.n_atoms <= before


def surroundings(configuration, atoms, radius_A=6.0):
    """Sorted distances to the neighbours of some atoms, which no rotation changes."""
    pairs, lengths = pairs_within(configuration.positions_A, configuration.cell_A, radius_A)
    lists = []
    for atom in atoms:
        lists.append(np.sort(lengths[(pairs == atom).any(axis=1)]))
    return lists


@pytest.mark.parametrize("angle_deg", [1.5, 5.0, 9.5, 30.0])
def test_tilts_of_the_perovskite_are_whole_and_alike(angle_deg):
    plane = symmetric_tilt(PEROVSKITE.cell_A, (0, 0, 1), angle_deg=angle_deg)
    assert plane.strain == 0.0 and abs(plane.angle_deg - angle_deg) <= 0.25
    made = bicrystal(PEROVSKITE, plane, thickness_A=15.0)
    check(made, PEROVSKITE)
    assert made.alike and max(made.strains) < 1e-9


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, 0.17)])
@pytest.mark.parametrize("along", [((2, 1, 0), (2, -1, 0)), ((5, 0, 0), (3, 4, 0))])
def test_both_boundaries_have_the_same_surroundings(along, shift):
    """Symmetric and asymmetric, at any translation: inversion takes each atom of one to one of the other."""
    made = bicrystal(COPPER, tilt_plane(COPPER.cell_A, (0, 0, 1), *along), thickness_A=14.0, shift=shift)
    check(made, COPPER)
    assert made.alike
    configuration = made.configuration
    # heights are measured from the middle of grain 1
    cell = configuration.cell_A
    height = (configuration.positions_A @ np.linalg.inv(cell))[:, 2]
    height = (height - np.round(height)) * cell[2, 2]
    first = configuration.labels["boundary_distance_A"] < 4.0
    near = [np.flatnonzero(first & (side * height > 0)) for side in (1, -1)]
    assert len(near[0]) == len(near[1]) > 10
    lists = [sorted(map(tuple, (np.round(s[:8], 5) for s in surroundings(configuration, each)))) for each in near]
    np.testing.assert_allclose(np.array(lists[0]), np.array(lists[1]), atol=1e-4)


def test_an_asymmetric_plane_is_called_so():
    assert tilt_plane(COPPER.cell_A, (0, 0, 1), (5, 0, 0), (3, 4, 0)).kind == "asymmetric tilt"
    assert tilt_plane(COPPER.cell_A, (0, 0, 1), (4, 1, 0), (4, -1, 0)).kind == "symmetric tilt"


@pytest.mark.parametrize("crystal", [COPPER, PEROVSKITE], ids=["Cu", "BaZrS3"])
def test_no_angle_gives_the_crystal_and_no_energy(crystal):
    from ase.calculators.lj import LennardJones

    made = bicrystal(crystal, symmetric_tilt(crystal.cell_A, (0, 0, 1), angle_deg=0.0), thickness_A=8.0)
    assert made.configuration.n_atoms == sum(bulk.n_atoms for bulk in made.bulk) and made.alike

    def energy(configuration):
        atoms = configuration.to_ase()
        atoms.calc = LennardJones(sigma=2.2, epsilon=0.4, rc=6.0, smooth=True)
        return atoms.get_potential_energy()

    found = boundary_energy(made, energy(made.configuration), (energy(made.bulk[0]), energy(made.bulk[1])))
    assert abs(found) < 1e-9


def test_the_bulk_of_a_strained_bicrystal_has_its_strain():
    """Uniform crystals under each grain's own strain: no energy is charged for the strain itself."""
    coincidence = next(
        each
        for each in find_coincidences(PEROVSKITE.cell_A, (0, 0, 1), largest_sigma=5, largest_strain=0.012)
        if each.sigma == 5
    )
    assert 0.01 < coincidence.strain < 0.012
    plane = next(p for p in boundary_planes(PEROVSKITE.cell_A, coincidence, largest_period_A=60) if p.strain > 0.005)
    with pytest.raises(DataError, match=r"needs a strain of 1.* %; allow it with largest_strain"):
        bicrystal(PEROVSKITE, plane)
    made = bicrystal(PEROVSKITE, plane, thickness_A=12.0, largest_strain=0.012)
    check(made, PEROVSKITE)
    assert made.strains[0] == pytest.approx(plane.strain / 2, rel=0.02)
    assert bicrystal(PEROVSKITE, plane, thickness_A=12.0, largest_strain=0.012, share=0.0).strains[0] < 1e-12
    for bulk in made.bulk:
        np.testing.assert_allclose(bulk.cell_A[:2], made.configuration.cell_A[:2], atol=1e-9)


def test_twist_boundaries():
    sigma_5 = find_coincidences(COPPER.cell_A, (0, 0, 1), largest_sigma=5, largest_strain=0.0)[0]
    twist = boundary_planes(COPPER.cell_A, sigma_5)[-1]
    made = bicrystal(COPPER, twist, thickness_A=10.0)
    check(made, COPPER)
    assert twist.kind == "twist" and made.area_A2 == pytest.approx(5 * 3.61**2)


def test_a_scan_finds_a_lower_energy():
    plane = tilt_plane(COPPER.cell_A, (0, 0, 1), (2, 1, 0), (2, -1, 0))

    def energy(configuration):
        from ase.calculators.lj import LennardJones

        atoms = configuration.to_ase()
        atoms.calc = LennardJones(sigma=2.3, epsilon=0.4, rc=5.5, smooth=True)
        return atoms.get_potential_energy()

    candidates = list(scan_translations(COPPER, plane, steps=(2, 3), gaps_A=(0.0, 0.4), thickness_A=9.0))
    assert len(candidates) == 12
    for each in candidates:
        check(each, COPPER)
    best, lowest = lowest_energy(candidates, energy)
    assert lowest > 0 and best in candidates
    assert lowest <= lowest_energy(candidates[:1], energy)[1]


def test_a_relaxed_crystal_has_lost_its_inversion_by_a_little_and_gets_it_back():
    noise = np.random.default_rng(1).normal(0.0, 5e-4, PEROVSKITE.positions_A.shape)
    relaxed = Configuration(PEROVSKITE.symbols, PEROVSKITE.positions_A + noise, PEROVSKITE.cell_A)
    plane = symmetric_tilt(PEROVSKITE.cell_A, (0, 0, 1), angle_deg=53.9)
    made = bicrystal(relaxed, plane, thickness_A=12.0)
    check(made, PEROVSKITE)
    assert made.alike
    exact = bicrystal(PEROVSKITE, plane, thickness_A=12.0).configuration
    assert made.configuration.symbols == exact.symbols
    apart = (made.configuration.positions_A - exact.positions_A) @ np.linalg.inv(exact.cell_A)
    apart = (apart - np.round(apart)) @ exact.cell_A
    apart -= apart.mean(axis=0)  # the centre itself has moved
    assert np.abs(apart).max() < 5e-3


def test_a_crystal_without_inversion_says_so():
    blende = Configuration(
        ("Zn",) * 4 + ("S",) * 4,
        np.concatenate([COPPER.positions_A, COPPER.positions_A + 0.9025]) * 5.41 / 3.61,
        5.41 * np.eye(3),
    )
    assert inversion_centre(blende) is None
    made = bicrystal(blende, tilt_plane(blende.cell_A, (0, 0, 1), (2, 1, 0), (2, -1, 0)), thickness_A=12.0)
    check(made, blende)
    assert not made.alike


@pytest.mark.parametrize(
    "options, words",
    [
        ({"thickness_A": 0.0}, "a thickness above 0 Å"),
        ({"share": 2.0}, "share from 0 to 1"),
        ({"fraction": 1.2}, "below 1"),
    ],
)
def test_what_is_refused(options, words):
    plane = symmetric_tilt(COPPER.cell_A, (0, 0, 1), angle_deg=36.87)
    with pytest.raises(DataError, match=words):
        bicrystal(COPPER, plane, **options)


IRON = Configuration(("Fe", "Fe"), np.array([[0, 0, 0], [1.43, 1.43, 1.43]]), 2.86 * np.eye(3))


@pytest.mark.parametrize(
    ("crystal", "kind", "share"),
    [
        (IRON, "symmetric tilt", 1.0),  # (2 1 0)
        (IRON, "asymmetric tilt", 1 / 5),
        (IRON, "twist", 1 / 25),
        (COPPER, "twist", 1 / 50),  # the square lattice of face centres has half the area
    ],
)
def test_translations_by_the_irreducible_cell_repeat_the_boundary(crystal, kind, share):
    sigma_5 = find_coincidences(crystal.cell_A, (0, 0, 1), largest_sigma=5, largest_strain=0.0)[0]
    plane = next(p for p in boundary_planes(crystal.cell_A, sigma_5, largest_period_A=20.0) if p.kind == kind)
    cell = irreducible_translations(crystal, plane)
    assert abs(np.linalg.det(cell)) == pytest.approx(share)
    origin = np.array([0.123, 0.061])

    def distances(shift):
        made = bicrystal(crystal, plane, thickness_A=8.0, shift=tuple(shift), gap_A=2.0, fraction=0.3).configuration
        return np.sort(pairs_within(made.positions_A, made.cell_A, 6.0)[1])

    here = distances(origin)
    for there in (origin + cell[0], origin + cell[1], origin - 2 * cell[0] + cell[1]):
        np.testing.assert_allclose(distances(there)[: len(here) - 100], here[: len(here) - 100], atol=1e-5)
    between = distances(origin + 0.5 * cell[0])
    n = min(len(between), len(here)) - 100
    assert np.abs(between[:n] - here[:n]).max() > 1e-3


def test_the_grid_of_translations_lies_in_the_irreducible_cell():
    sigma_5 = find_coincidences(IRON.cell_A, (0, 0, 1), largest_sigma=5, largest_strain=0.0)[0]
    twist = boundary_planes(IRON.cell_A, sigma_5, largest_period_A=10.0)[-1]
    made = list(scan_translations(IRON, twist, steps=(2, 2), thickness_A=8.0, gaps_A=(1.0,)))
    period = 2.86 * 5**0.5
    shifts = np.array([each.shift_A[:2] for each in made])
    # the irreducible cell is a square with a fifth of the period on a side, and half of its diagonal is the farthest
    nearest = np.abs(shifts - period * np.round(shifts / period))
    assert len(made) == 4 and np.linalg.norm(nearest, axis=1).max() == pytest.approx(0.5 * 2**0.5 * period / 5)
