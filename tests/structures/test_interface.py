"""A crystal beside a glass: the crystal untouched, the glass in whole formula units."""

from collections import Counter

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.contacts import pairs_within
from tammann.structures.crystals import load_crystal
from tammann.structures.interface import crystal_glass
from tammann.structures.overlaps import overlap_distances
from tammann.structures.slabs import slab

CRYSTAL = load_crystal("BaZrS3")


def glass(edges=(20.4, 19.8, 18.0), units=70):
    rng = np.random.default_rng(3)
    symbols = ("Ba",) * units + ("Zr",) * units + ("S",) * 3 * units
    return Configuration(symbols, rng.random((5 * units, 3)) * edges, np.diag(edges))


@pytest.mark.parametrize("miller", [(0, 0, 1), (1, 1, 0)])
def test_only_the_glass_loses_atoms(miller):
    made = crystal_glass(CRYSTAL, glass(), miller, thickness_A=12.0, largest_strain=0.05)
    configuration = made.configuration
    inside = configuration.labels["grain"] == 1
    for part in (inside, ~inside):
        counts = Counter(configuration.take(part).symbols)
        assert counts["Ba"] == counts["Zr"] == counts["S"] / 3 > 20
    layers = inside.sum() * CRYSTAL.volume_A3 / CRYSTAL.n_atoms / made.area_A2
    assert layers == pytest.approx(slab(CRYSTAL, miller, thickness_A=12.0).cell_A[2, 2], rel=1e-6)
    distances = overlap_distances(CRYSTAL)
    pairs, lengths = pairs_within(configuration.positions_A, configuration.cell_A, 3.7)
    for (i, j), length in zip(pairs, lengths, strict=True):
        if inside[i] != inside[j]:
            assert length >= distances[frozenset((configuration.symbols[i], configuration.symbols[j]))] - 1e-9
    assert max(map(abs, made.strains)) <= 0.06
    assert configuration.labels["boundary_distance_A"].min() > -1e-6


def test_the_strain_is_that_of_the_glass():
    a, b = CRYSTAL.cell_A[0, 0], CRYSTAL.cell_A[1, 1]
    made = crystal_glass(CRYSTAL, glass((3.03 * a, 2.96 * b, 18.0)), (0, 0, 1), thickness_A=10.0)
    first, second = made.strains
    assert (1 + first) * (1 + second) == pytest.approx(made.area_A2 / (3.03 * a * 2.96 * b))
    # three cells either way, of which the better is taken
    assert made.area_A2 == pytest.approx(9 * a * b) and max(abs(first), abs(second)) <= 3 / 2.96 - 1


def test_a_gap_is_added_on_both_sides():
    heights = []
    for gap_A in (0.0, 1.5):
        made = crystal_glass(CRYSTAL, glass(), (0, 0, 1), thickness_A=12.0, largest_strain=0.05, gap_A=gap_A)
        heights.append(made.configuration.cell_A[2, 2])
    assert heights[1] - heights[0] == pytest.approx(3.0)
    # every atom is at least half the gap from the boundary in the middle of it
    assert made.configuration.labels["boundary_distance_A"].min() > 0.5 * 1.5 - 0.05


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"largest_strain": 1e-6}, "no cell of the plane fits"),
        ({"glass": Configuration(("Na",), np.zeros((1, 3)), 20.0 * np.eye(3))}, "expected the elements of the crystal"),
        ({"glass": Configuration(("Na",), np.zeros((1, 3)), np.eye(3) + 0.3)}, "perpendicular to the first two"),
        ({"thickness_A": -1.0}, "a thickness above 0"),
        ({"miller": (0, 0, 0)}, "not all zero"),
    ],
)
def test_what_is_refused(options, words):
    arguments = {"glass": glass(), "miller": (0, 0, 1), "largest_strain": 0.05} | options
    with pytest.raises(DataError, match=words):
        crystal_glass(CRYSTAL, **arguments)
