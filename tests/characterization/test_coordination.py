"""Neighbours: ideal gases, crystals whose shells are known, and cells smaller than the distances asked for."""

import numpy as np
import pytest

from tammann.characterization import (
    bond_fractions,
    bragg_order,
    coordination_numbers,
    crystal_nn_coordination,
    largest_cavity,
    radial_distribution,
)
from tammann.errors import DataError
from tammann.md import trajectory_from_arrays


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
    with pytest.raises(DataError, match="no such atoms, only Mg, O"):
        radial_distribution(rock_salt(), "Ba", "O")
