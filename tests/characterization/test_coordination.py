"""Neighbours: ideal gases, crystals whose shells are known, and cells smaller than the distances asked for."""

import tracemalloc

import numpy as np
import pytest

from tammann.characterization import (
    bond_fractions,
    bragg_noise,
    bragg_order,
    coordination,
    coordination_numbers,
    crystal_nn_coordination,
    largest_cavity,
    order,
    radial_distribution,
)
from tammann.errors import DataError
from tammann.trajectory import trajectory_from_arrays


def gas(cell, atoms=60, frames=120, seed=1):
    x = np.random.default_rng(seed).random((frames, atoms, 3)) @ cell
    kinds = ["Ba"] * (atoms // 3) + ["O"] * (atoms - atoms // 3)
    return trajectory_from_arrays(x, cell, kinds, frame_interval_ps=1.0, wrapped=False)


def rock_salt(repeats=2, edge=5.0, rattle=0.0, frames=6, seed=2):
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    metal = (cells + faces).reshape(-1, 3)
    sites = np.concatenate([metal, metal + [0.5, 0, 0]]) * edge
    x = sites + np.random.default_rng(seed).normal(scale=rattle, size=(frames, *sites.shape))
    kinds = ["Mg"] * len(metal) + ["O"] * len(metal)
    return trajectory_from_arrays(x, repeats * edge * np.eye(3), kinds, frame_interval_ps=1.0, wrapped=False)


SKEWED = np.array([[9.0, 0, 0], [4.0, 8.0, 0], [-3.0, 2.0, 10.0]])


@pytest.mark.parametrize("cell", [10.0 * np.eye(3), SKEWED], ids=["cube", "skewed"])
@pytest.mark.parametrize("pair", [("Ba", "O"), ("O", "O")])
def test_ideal_gas(cell, pair):
    """g(r) = 1, also beyond the cell, where neighbours are images."""
    r, g = radial_distribution(gas(cell), *pair, r_max_A=12.0, bin_A=1.0)
    assert len(r) == 12 and r[0] == pytest.approx(0.5)
    # of its own images an atom knows: leave those distances to the pair of unlike atoms
    assert g[2:8] == pytest.approx(1.0, abs=0.06)


def test_rock_salt_shells():
    found = coordination_numbers(rock_salt(rattle=0.05), [("Mg", "O"), ("O", "O")], cutoffs_A={("O", "O"): 4.2})
    assert [c.mean for c in found] == [6.0, 12.0]
    assert found[0].nearest_A == pytest.approx(2.5, abs=0.06)
    assert 2.7 < found[0].cutoff_A < 4.3 and found[0].stderr == 0.0


def test_neighbours_beyond_a_small_cell():
    """One cubic cell of 5 Å holds the same shells as eight."""
    pair = ("Mg", "Mg")
    small, large = (coordination_numbers(rock_salt(repeats=n), [pair], cutoffs_A={pair: 5.1}) for n in (1, 3))
    assert small[0].mean == large[0].mean == 18.0


def test_bond_fractions_of_rock_salt():
    """Within 3.6 Å an ion has 6 unlike and 12 like neighbours: a third of all pairs, and a third of each like kind."""
    shares = bond_fractions(rock_salt(), cutoff_A=3.6)
    assert {pair: round(mean, 9) for pair, (mean, _) in shares.items()} == {
        ("Mg", "Mg"): round(1 / 3, 9),
        ("Mg", "O"): round(1 / 3, 9),
        ("O", "O"): round(1 / 3, 9),
    }


def test_bond_fractions_of_a_gas_follow_composition():
    shares = bond_fractions(gas(SKEWED), cutoff_A=5.0)
    assert sum(mean for mean, _ in shares.values()) == pytest.approx(1.0)
    assert shares["Ba", "O"][0] == pytest.approx(20 * 40 / (60 * 59 / 2), abs=4 * shares["Ba", "O"][1] + 0.01)


def test_crystal_nn_knows_rock_salt():
    found = crystal_nn_coordination(rock_salt(frames=2), frames=1)
    assert found["Mg"][0] == 6.0 and found["O"][0] == 6.0


def test_neighbours_one_by_one():
    """Every image within reach, in a cell with no right angle, and none twice."""
    x = gas(SKEWED, atoms=12, frames=2).positions[0]
    shifts = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) @ SKEWED
    for b, same in ((x, True), (x[5:], False)):
        r = np.linalg.norm(b[None, :, None] + shifts - x[:, None, None], axis=-1)
        wanted = np.argwhere((r < 8.9) & (r > 1e-9))
        i, j, found = (
            np.concatenate(part) for part in zip(*coordination._pairs(x, b, SKEWED, 8.9, same=same), strict=True)
        )
        if not same:  # an atom that is in both lists is a neighbour of itself
            i, j, found = (part[found > 1e-9] for part in (i, j, found))
        assert sorted(zip(i, j, strict=True)) == sorted((a, b) for a, b, _ in wanted.tolist())
        np.testing.assert_allclose(np.sort(found), np.sort(r[(r < 8.9) & (r > 1e-9)]))


def test_pairs_by_the_piece(monkeypatch):
    whole = [radial_distribution(gas(SKEWED), "O", "O")[1], bond_fractions(gas(SKEWED))["Ba", "O"]]
    monkeypatch.setattr(coordination, "MOST_PAIRS", 50)
    np.testing.assert_array_equal(whole[0], radial_distribution(gas(SKEWED), "O", "O")[1])
    assert bond_fractions(gas(SKEWED))["Ba", "O"] == whole[1]


def test_crystal_nn_of_a_few_sites_of_a_large_box(monkeypatch):
    """Each site is judged in a piece of the box as it is in all of it."""
    large = rock_salt(repeats=6, rattle=0.35, frames=2)
    monkeypatch.setattr(coordination, "MOST_SITES", 20)
    cut = crystal_nn_coordination(large, frames=1)
    monkeypatch.setattr(coordination, "AROUND_A", 1e3)
    assert crystal_nn_coordination(large, frames=1) == cut
    assert cut["Mg"][0] != 6.0


@pytest.mark.parametrize("cell", [18.0 * np.eye(3), 1.8 * SKEWED], ids=["cube", "skewed"])
def test_order_by_grid(cell, monkeypatch):
    box = gas(cell, atoms=150, frames=3)
    direct = bragg_order(box)
    monkeypatch.setattr(order, "MOST_PHASES", 0)
    assert bragg_order(box) == pytest.approx(direct, rel=5e-3)
    warm = rock_salt(repeats=3, rattle=0.2)
    by_grid = bragg_order(warm)
    monkeypatch.undo()
    assert by_grid == pytest.approx(bragg_order(warm), rel=5e-3)


def test_large_boxes_take_little_memory():
    """Of 20,000 atoms all phases are 70 GB, all distances 10 GB."""
    box = gas(74.0 * np.eye(3), atoms=20_000, frames=2)
    tracemalloc.start()
    try:
        assert bragg_order(box) < 0.003
        bond_fractions(box, cutoff_A=4.0)
        largest_cavity(box)
        coordination_numbers(box, [("Ba", "O")])
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


def test_unknown_element():
    with pytest.raises(DataError, match="there is no 'Ba' in this trajectory of Mg, O"):
        radial_distribution(rock_salt(), "Ba", "O")
