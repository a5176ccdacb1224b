"""Ranks, first arrangements and canonical ones, against lists of permutations."""

from itertools import permutations

import numpy as np
import pytest

from tammann.structures.ordering.kernels import (
    canonical,
    every_arrangement,
    first_of_orbits,
    fixing_operations,
    rank_of,
)

RING = np.array([np.roll(np.arange(6), k) for k in range(6)])


@pytest.mark.parametrize("counts", [(2, 3), (1, 2, 2), (0, 3, 1), (4,)])
def test_ranks_count_arrangements_in_lexicographic_order(counts):
    row = [k for k, n in enumerate(counts) for _ in range(n)]
    every = sorted(set(permutations(row)))
    assert every_arrangement(np.array(counts), len(every)).tolist() == [list(a) for a in every]
    left = np.empty(len(counts), np.int64)
    ranks = [rank_of(np.array(a, np.int8), np.array(counts), len(every), left) for a in every]
    assert ranks == list(range(len(every)))


def test_necklaces():
    """Two beads of six on a ring that can be turned: 3 necklaces, next to each other, one apart, opposite."""
    firsts, sizes, found = first_of_orbits(RING, np.array([4, 2]), 15, 3)
    assert found == 3
    assert firsts.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 1], [0, 0, 1, 0, 0, 1]]
    assert sizes.tolist() == [6, 6, 3]


def test_more_orbits_than_announced_are_told():
    assert first_of_orbits(RING, np.array([4, 2]), 15, 2)[2] == 3


def test_canonical_is_the_smallest_image():
    rng = np.random.default_rng(3)
    drawn = rng.permuted(np.tile(np.array([0, 0, 0, 1, 1, 2], np.int8), (50, 1)), axis=1)
    firsts, fixing = canonical(drawn, RING)
    for row, first, fixed in zip(drawn, firsts, fixing, strict=True):
        images = [tuple(row[g].tolist()) for g in RING]
        assert tuple(first.tolist()) == min(images)
        assert fixed == images.count(min(images))
    assert (fixing_operations(drawn, RING).sum(axis=1) == fixing).all()
