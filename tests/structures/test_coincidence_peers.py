"""Coincidences of cubic lattices beside aimsgb, where it is installed."""

import numpy as np
import pytest

from tammann.structures.coincidence import find_coincidences

aimsgb = pytest.importorskip("aimsgb")


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 1, 0), (1, 1, 1)])
def test_the_same_coincidences(axis):
    """All of its sigma and angles."""
    theirs = aimsgb.GBInformation(list(axis), 35)
    ours = find_coincidences(3.61 * np.eye(3), axis, largest_sigma=35, largest_strain=0.0)
    assert {each.sigma for each in ours} == {int(sigma) for sigma in theirs}
    fold = {(0, 0, 1): 90.0, (1, 1, 0): 180.0, (1, 1, 1): 120.0}[axis]
    for sigma, entry in theirs.items():
        for angle in map(float, entry["Theta"]):
            folded = min(angle % fold, -angle % fold)
            assert any(each.sigma == sigma and abs(each.angle_deg - folded) < 0.01 for each in ours)
    # it lists one angle a sigma about [110], and so lacks the second one of 33
    assert len(ours) == len(theirs) + (axis == (1, 1, 0))
