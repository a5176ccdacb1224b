"""Polycrystals: cells of the diagram, orientations, whole formula units and distances."""

from collections import Counter

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal
from tammann.structures.overlaps import overlap_distances, overlapping_pairs
from tammann.structures.polycrystal import Texture, polycrystal

PEROVSKITE = load_crystal("BaZrS3")
COPPER = Configuration(("Cu",) * 4, 1.805 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]), 3.61 * np.eye(3))


def check(made, crystal):
    configuration = made.configuration
    counts, unit = Counter(configuration.symbols), Counter(crystal.symbols)
    assert len({counts[symbol] / unit[symbol] for symbol in unit}) == 1
    pairs, _ = overlapping_pairs(configuration, overlap_distances(crystal))
    assert len(pairs) == 0
    assert sum(made.removed.values()) < 0.25 * configuration.n_atoms
    assert made.volumes_A3.sum() == pytest.approx(configuration.volume_A3)
    assert (configuration.positions_A >= 0).all() and (
        configuration.positions_A <= configuration.cell_A.diagonal()
    ).all()


@pytest.mark.parametrize("grains", [1, 2, 8])
@pytest.mark.parametrize("crystal", [COPPER, PEROVSKITE], ids=["Cu", "BaZrS3"])
def test_whole_and_without_overlaps(crystal, grains):
    """One grain meets only images of itself."""
    made = polycrystal(crystal, edges_A=(38.0, 42.0, 45.0), grains=grains, rng=grains)
    check(made, crystal)
    assert set(made.configuration.labels["grain"]) == set(range(1, grains + 1))


@pytest.mark.parametrize("size_spread", [0.0, 0.25])
def test_atoms_are_in_the_grain_of_the_nearest_seed(size_spread):
    """By brute force over images; in a Laguerre diagram the distances from the planes tell the weights."""
    made = polycrystal(COPPER, edges_A=40.0, grains=5, size_spread=size_spread, rng=4)
    check(made, COPPER)
    x, grain = made.configuration.positions_A, made.configuration.labels["grain"] - 1
    apart = x[:, None] - made.seeds_A[None]
    apart -= np.round(apart / 40.0) * 40.0
    squares = (apart**2).sum(axis=2)
    if size_spread == 0:
        assert (squares.argmin(axis=1) == grain).all()
        # distance to the nearest of the planes halfway to the other seeds and to images of the own one
        shifts = 40.0 * np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])
        for atom in range(0, len(x), 97):
            own = apart[atom, grain[atom]]
            d = made.seeds_A[None] - made.seeds_A[grain[atom]] + shifts[:, None]
            d = (d - np.round(d[13] / 40.0)[None] * 40.0).reshape(-1, 3)
            lengths = np.linalg.norm(d, axis=1)
            d, lengths = d[lengths > 1e-6], lengths[lengths > 1e-6]
            depth = (lengths / 2 - d @ own / lengths).min()
            assert made.configuration.labels["boundary_distance_A"][atom] == pytest.approx(depth, abs=1e-6)
    else:
        assert np.ptp(made.volumes_A3) > 0.2 * made.volumes_A3.mean()


def test_grains_are_the_crystal_as_turned():
    """Atoms well inside lie on the turned lattice through the seed."""
    made = polycrystal(PEROVSKITE, edges_A=50.0, grains=3, rng=7)
    configuration = made.configuration
    for grain in range(3):
        inner = (configuration.labels["grain"] == grain + 1) & (configuration.labels["boundary_distance_A"] > 4.0)
        zr = inner & (np.array(configuration.symbols) == "Zr")
        apart = configuration.positions_A[zr] - made.seeds_A[grain]
        apart -= np.round(apart / 50.0) * 50.0
        fractional = apart @ made.orientations[grain].T @ np.linalg.inv(PEROVSKITE.cell_A)
        halves = 2.0 * fractional
        assert len(halves) > 20
        np.testing.assert_allclose(halves, np.round(halves), atol=1e-6)


def test_the_same_seed_gives_the_same_atoms():
    first, second = (polycrystal(COPPER, edges_A=30.0, grains=4, rng=2) for _ in range(2))
    assert (first.configuration.positions_A == second.configuration.positions_A).all()


def test_random_orientations_favour_no_direction():
    made = polycrystal(COPPER, edges_A=60.0, grains=200, rng=3)
    for axis in range(3):
        mean = made.orientations[:, axis].mean(axis=0)
        assert np.linalg.norm(mean) < 3.0 / np.sqrt(200)


def test_a_texture_turns_one_direction_near_another():
    texture = Texture((1, 1, 1), (0, 1, 0), spread_deg=3.0)
    made = polycrystal(COPPER, edges_A=60.0, grains=100, texture=texture, rng=3)
    along = np.ones(3) / np.sqrt(3) @ made.orientations
    tilt = np.degrees(np.arccos(along[:, 1]))
    assert np.sqrt((tilt**2).mean()) == pytest.approx(3.0 * np.sqrt(2), rel=0.25)
    across = np.array([1, -1, 0]) / np.sqrt(2) @ made.orientations
    assert np.linalg.norm(across.mean(axis=0)) < 0.35


def test_given_seeds_and_orientations():
    turns = np.array([np.eye(3), np.eye(3)])
    made = polycrystal(COPPER, edges_A=36.1, seeds_A=[[0, 0, 0], [18.05, 0, 0]], orientations=turns)
    # two grains of one orientation, ten cells apart and five from each other: the perfect crystal
    assert made.configuration.n_atoms == 4000 and sum(made.removed.values()) > 0
    check(made, COPPER)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"grains": 0}, "grains: expected a whole number from 1"),
        ({"grains": 2.5}, "grains: expected a whole number from 1"),
        ({"edges_A": -3.0, "grains": 1}, "edges_A: expected one or three lengths above 0"),
        ({"edges_A": 3000.0, "grains": 1}, "expected at most 5000000"),
        ({"seeds_A": [[1, 1, 1], [1, 1, 1.5]]}, "seeds 1 and 2 are 0.5 Å apart"),
        ({"seeds_A": [[1, 1]]}, r"seeds_A has shape \(1, 2\)"),
        ({"seeds_A": [[1, 1, 1]], "grains": 2}, "grains is 2, but seeds_A has 1"),
        ({"grains": 1, "orientations": [-np.eye(3)]}, "stretches or mirrors"),
        ({"grains": 1, "orientations": np.eye(3)}, r"orientations has shape \(3, 3\)"),
        ({"grains": 1, "size_spread": 2.0}, "size_spread: expected a number from 0 to 1"),
        ({"grains": 1, "texture": Texture((0, 0, 0))}, "texture: expected two directions"),
        ({"edges_A": 8.0, "grains": 90}, "fewer than a unit cell"),
    ],
)
def test_what_is_refused(options, words):
    with pytest.raises(DataError, match=words):
        polycrystal(PEROVSKITE, **({"edges_A": 30.0} | options))
