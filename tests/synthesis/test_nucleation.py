"""The metric of nucleation, by hand, and distances between crystals."""

import math

import numpy as np
import pytest

from tammann.structures import Configuration
from tammann.synthesis import OpenSystem, precursor_sets
from tammann.synthesis.nucleation import (
    competing_phases,
    epitaxial_mismatch,
    nucleation_barrier_eV,
    structural_distance,
    wetting_factor,
)


def perovskite(a, big, small):
    positions = a * np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    return Configuration((big, small, "O", "O", "O"), positions, a * np.eye(3))


def rocksalt(a, metal):
    corners = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    return Configuration((metal,) * 4 + ("O",) * 4, a * np.concatenate([corners, corners + [0.5, 0, 0]]), a * np.eye(3))


def test_barrier_by_hand():
    """gamma = 2 J/m2 = 0.1248 eV/A2; q = 0.5, f = 0.5: 16 pi 0.1248^3 0.5 / (3 0.03^2) + 10 * 0.4 eV."""
    gamma = 2.0 / 1.602176634e-19 * 1e-20
    expected = 16 * math.pi * gamma**3 * 0.5 / (3 * 0.03**2) + 4.0
    assert nucleation_barrier_eV(-0.03, epitaxy=0.6, similarity=0.4) == pytest.approx(expected)
    assert nucleation_barrier_eV(0.01, epitaxy=0.6, similarity=0.4) == math.inf
    assert nucleation_barrier_eV(-0.03, epitaxy=0.0, similarity=0.0) == 0.0


def test_wetting_by_hand():
    """q = 0.25 is S = 0.5: (2 - 1.5 + 0.125) / 4."""
    assert wetting_factor(0.25) == pytest.approx(0.15625)
    assert wetting_factor(2.0) == 1.0


def test_distances_between_crystals():
    strontium, barium, oxide = perovskite(3.905, "Sr", "Ti"), perovskite(4.0, "Ba", "Ti"), rocksalt(5.16, "Sr")
    assert structural_distance(strontium, barium) == pytest.approx(0.0, abs=1e-9)  # size and elements do not count
    assert structural_distance(strontium, oxide) == pytest.approx(structural_distance(oxide, strontium))
    assert 0.05 < structural_distance(strontium, oxide) < 1.0
    doubled = Configuration(
        strontium.symbols * 2,
        np.concatenate([strontium.positions_A, strontium.positions_A + [3.905, 0, 0]]),
        strontium.cell_A * np.array([[2], [1], [1]]),
    )
    assert structural_distance(strontium, doubled) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow  # pymatgen compiles for ten seconds
def test_cube_on_cube_matches():
    pytest.importorskip("pymatgen")
    assert epitaxial_mismatch(perovskite(3.905, "Sr", "Ti"), perovskite(3.905, "Sr", "Ti")) == pytest.approx(
        3.905**2 / 1000, rel=1e-6
    )


def test_competing_phases_by_hand(toy):
    one = precursor_sets(toy, "SrTiO3", candidates=["SrO", "TiO2"])[0]
    assert competing_phases(OpenSystem(toy, one.surroundings), one) == ("Sr2TiO4",)
