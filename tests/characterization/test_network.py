"""Bonds by stated lengths, and the first minimum of g(r)."""

import numpy as np
import pytest

from characterization.crystals import perovskite, rock_salt
from tammann.characterization import bond_network, first_minimum_cutoffs
from tammann.characterization.network import cutoff_table
from tammann.errors import DataError
from tammann.structures import Configuration


def test_bonds_of_a_cell_smaller_than_they_are_long():
    """One cell of a perovskite, 4.2 Å: the bonds of every pair of elements, each from both ends."""
    network = bond_network(perovskite(), {("O", "Zr"): 2.5, ("Ba", "O"): 3.2})
    assert np.diff(network.between("Zr", "O").first).tolist() == [0, 6, 0, 0, 0]
    assert np.diff(network.between("O", "Zr").first).tolist() == [0, 0, 2, 2, 2]
    assert np.diff(network.between("Ba", "O").first).tolist() == [12, 0, 0, 0, 0]
    assert network.pairs.distances_A.max() < 3.2
    assert repr(network) == "BondNetwork(5 atoms, 18 bonds: O-Zr to 2.5 Å, Ba-O to 3.2 Å)"


def test_first_minima():
    found = first_minimum_cutoffs(rock_salt())
    assert 2.9 < found["Na", "Cl"] < 4.8 and 4.1 < found["Na", "Na"] < 5.6
    assert set(first_minimum_cutoffs(rock_salt(), [("Cl", "Na")])) == {("Cl", "Na")}


@pytest.mark.parametrize(
    ("cutoffs", "message"),
    [
        ({}, "expected a length for one pair"),
        ({("Zr", "S"): 3.0}, "there is no 'S'"),
        ({("Zr", "O"): 0.0}, "Zr-O: expected a length above 0 Å, at most 20, got 0"),
        ({("Zr", "O"): 25.0}, "got 25"),
        ({("Zr", "O"): float("nan")}, "got nan"),
        ({("Zr", "O"): 2.5, ("O", "Zr"): 2.6}, "expected one length for O-Zr, got two"),
    ],
)
def test_lengths_that_no_bond_has(cutoffs, message):
    with pytest.raises(DataError, match=message):
        bond_network(perovskite(), cutoffs)


def test_pairs_without_a_length_are_not_bonded():
    assert cutoff_table({("Zr", "O"): 2.5}, ("Ba", "Zr", "O"))[0].tolist() == [0, 0, 0]
    with pytest.raises(DataError, match="expected a length for Ba-O, got those of Zr-O; add it"):
        bond_network(perovskite(), {("Zr", "O"): 2.5}).between("Ba", "O")


def test_atoms_at_the_same_place_are_named():
    twice = Configuration(("Zr", "S", "S"), np.array([[0, 0, 0], [2.5, 0, 0], [2.5, 0, 0]]), 6.0 * np.eye(3))
    with pytest.raises(DataError, match="atoms 2 and 3 are at the same place"):
        bond_network(twice, {("Zr", "S"): 3.0})
