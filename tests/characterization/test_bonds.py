"""Fractions of bonds of crystals and gases, over all atoms and atom by atom."""

import numpy as np
import pytest

from characterization import crystals
from characterization.boxes import SKEWED, gas, rock_salt
from tammann.characterization import bond_fractions, bonds, crystal_nn_coordination, neighbour_fractions
from tammann.structures import Configuration


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


def test_fractions_atom_by_atom():
    """Their mean by number of neighbours is the fraction of all bonds."""
    box = gas(SKEWED, frames=2)
    frame = Configuration(box.symbols, *box.frame(0))
    species, shares = neighbour_fractions(frame)
    assert shares.shape == (60, 2) and shares.sum(axis=1) == pytest.approx(1.0)
    species, salt = neighbour_fractions(crystals.rock_salt(), cutoff_A=4.2)
    assert species == ("Na", "Cl") and salt[0] == pytest.approx([12 / 18, 6 / 18])
    _, some = neighbour_fractions(crystals.rock_salt(), cutoff_A=4.2, atoms=[7, 0])
    assert some == pytest.approx(np.array([[6, 12], [12, 6]]) / 18)


def test_an_atom_without_neighbours():
    lone = Configuration(("Na", "Cl"), np.array([[0.0, 0, 0], [10, 10, 10]]), 20.0 * np.eye(3))
    assert np.isnan(neighbour_fractions(lone)[1]).all()


def test_an_interface_differs_from_the_bulk():
    """Rock salt with a vacuum: an ion of the surface has 5 unlike and 8 like neighbours, not 6 and 12."""
    salt = crystals.rock_salt(2)
    slab = Configuration(salt.symbols, salt.positions_A, np.diag([11.28, 11.28, 30.0]))
    species, shares = neighbour_fractions(slab, cutoff_A=4.2)
    z = slab.positions_A[:, 2]
    surface = (z < 0.1) | (z > z.max() - 0.1)
    like = np.where(np.array(slab.symbols) == "Na", shares[:, 0], shares[:, 1])
    assert like[surface] == pytest.approx(8 / 13) and like[~surface] == pytest.approx(12 / 18)


def test_crystal_nn_knows_rock_salt():
    found = crystal_nn_coordination(rock_salt(frames=2), frames=1)
    assert found["Mg"][0] == 6.0 and found["O"][0] == 6.0
    species, shares = neighbour_fractions(crystals.perovskite(), cutoff_A=None)
    assert shares[1].tolist() == [0.0, 0.0, 1.0]  # zirconium among oxygen
    assert shares[2, 0] + shares[2, 1] == 1.0  # oxygen among the metals


def test_crystal_nn_of_a_few_sites_of_a_large_box(monkeypatch):
    """Each site is judged in a piece of the box as it is in all of it."""
    large = rock_salt(repeats=6, rattle=0.35, frames=2)
    monkeypatch.setattr(bonds, "MOST_SITES", 20)
    cut = crystal_nn_coordination(large, frames=1)
    monkeypatch.setattr(bonds, "AROUND_A", 1e3)
    assert crystal_nn_coordination(large, frames=1) == cut
    assert cut["Mg"][0] != 6.0
