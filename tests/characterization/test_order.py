"""Bragg order and cavities of gases and crystals."""

import tracemalloc

import numpy as np
import pytest

from characterization.boxes import SKEWED, gas, rock_salt
from tammann.characterization import bragg_noise, bragg_order, largest_cavity, order
from tammann.trajectory import trajectory_from_arrays


@pytest.mark.parametrize("cell", [18.0 * np.eye(3), 1.8 * SKEWED], ids=["cube", "skewed"])
def test_order_by_grid(cell, monkeypatch):
    box = gas(cell, atoms=150, frames=3)
    direct = bragg_order(box)
    monkeypatch.setattr(order, "MOST_PHASES", 0)
    assert bragg_order(box) == pytest.approx(direct, rel=1e-5)
    warm = rock_salt(repeats=3, rattle=0.2)
    by_grid = bragg_order(warm)
    monkeypatch.undo()
    assert by_grid == pytest.approx(bragg_order(warm), rel=1e-5)


def test_large_boxes_take_little_memory():
    """Of 20,000 atoms all phases are 70 GB, all distances 10 GB."""
    box = gas(74.0 * np.eye(3), atoms=20_000, frames=2)
    tracemalloc.start()
    try:
        assert bragg_order(box) < 0.003
        largest_cavity(box)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("atoms", [30, 60])
def test_atoms_at_random_stay_below_the_noise(atoms):
    """At a chance of 1 in 20 no more than 1 in 20 of 400 arrangements is above, and none far below."""
    cell = (20.0 * atoms) ** (1 / 3) * np.eye(3)
    x = np.random.default_rng(4).random((400, 1, atoms, 3)).repeat(2, axis=1) @ cell
    found = np.array(
        [bragg_order(trajectory_from_arrays(one, cell, ["O"] * atoms, frame_interval_ps=1.0)) for one in x]
    )
    limit = bragg_noise(atoms, 20.0 * atoms, chance=0.05)
    assert (found > limit).mean() < 0.05
    assert np.median(found) > 0.5 * limit
    assert limit < bragg_noise(atoms, 20.0 * atoms) <= 1.0


def test_crystals_are_far_above_the_noise():
    hot = rock_salt(edge=4.2, rattle=0.25)  # 64 atoms that stray a tenth of the distance to their neighbours
    assert bragg_order(hot) > 2.0 * bragg_noise(64, 8.4**3)
    assert bragg_noise(5, 100.0) == 1.0


def test_order_of_crystals_and_gases():
    assert bragg_order(rock_salt()) == pytest.approx(1.0)
    warm = bragg_order(rock_salt(rattle=0.2))
    assert 0.3 < warm < 0.9  # exp(-q2 u2) with q = 2.5 to 5 per Å
    assert bragg_order(gas(10.0 * np.eye(3), atoms=300, frames=40)) < 0.03


def test_cavities():
    assert largest_cavity(rock_salt(edge=5.0)) == pytest.approx(2.5 * np.sqrt(3) / 2, abs=0.2)
    half = rock_salt()
    kept = half.positions[0][:, 0] < 5.0
    torn = trajectory_from_arrays(
        half.positions[:, kept],
        half.cells[0],
        np.array(half.symbols)[kept].tolist(),
        frame_interval_ps=1.0,
        wrapped=False,
    )
    assert largest_cavity(torn) > 3.5
