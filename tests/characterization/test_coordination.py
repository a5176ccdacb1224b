"""Coordination numbers of crystals whose shells are known, atom by atom and as means."""

import math
import tracemalloc

import numpy as np
import pytest

from characterization import crystals
from characterization.boxes import gas, rock_salt
from tammann.characterization import coordination_numbers, coordination_shell
from tammann.errors import DataError
from tammann.structures import Configuration


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


@pytest.mark.parametrize(
    ("crystal", "pair", "cutoff", "number", "length"),
    [
        (crystals.fcc(), ("Cu", "Cu"), None, 12, 3.6 / math.sqrt(2)),
        (crystals.rock_salt(), ("Na", "Cl"), None, 6, 2.82),
        (crystals.rock_salt(2), ("Cl", "Cl"), 4.5, 12, 5.64 / math.sqrt(2)),
        (crystals.perovskite(), ("Zr", "O"), None, 6, 2.1),
        (crystals.perovskite(), ("Ba", "O"), None, 12, 4.2 / math.sqrt(2)),
        (crystals.perovskite(), ("O", "Zr"), None, 2, 2.1),
        (crystals.diamond(), ("Si", "Si"), None, 4, 5.43 * math.sqrt(3) / 4),
        (crystals.barium_zirconium_sulfide(), ("Zr", "S"), 3.1, 6, 2.533),
    ],
)
def test_first_shells(crystal, pair, cutoff, number, length):
    shell = coordination_shell(crystal, *pair, cutoff_A=cutoff)
    assert shell.fractions == {number: 1.0} and shell.mean == number and math.isnan(shell.stderr)
    assert shell.mean_bond_length_A == pytest.approx(length, abs=1e-3 if pair == ("Zr", "S") else 1e-9)


def vacancy():
    """Rock salt without one of 32 chlorine ions: six of its neighbours have five."""
    salt = crystals.rock_salt(2)
    keep = np.arange(salt.n_atoms) != salt.symbols.index("Cl")
    symbols = tuple(s for s, k in zip(salt.symbols, keep, strict=True) if k)
    return Configuration(symbols, salt.positions_A[keep], salt.cell_A)


def test_histogram_and_bond_lengths_by_coordination():
    torn = vacancy()
    shell = coordination_shell(torn, "Na", "Cl", cutoff_A=3.5)
    assert shell.fractions == pytest.approx({5: 6 / 32, 6: 26 / 32})
    assert shell.mean == pytest.approx(6 - 6 / 32)
    five = shell.per_atom() == 5
    # pull the ions with five neighbours' partners away: their bonds alone get longer
    moved = Configuration(torn.symbols, torn.positions_A + 0.05 * five[:, None], torn.cell_A)
    found = coordination_shell(moved, "Na", "Cl", cutoff_A=3.5)
    assert found.bond_lengths_A[6] == pytest.approx(2.82, abs=1e-9)
    assert found.bond_lengths_A[5] > 2.82
    weights = np.array([5 * 6, 6 * 26])
    lengths = [found.bond_lengths_A[5], found.bond_lengths_A[6]]
    assert found.mean_bond_length_A == pytest.approx(np.average(lengths, weights=weights))
    assert found.table()["coordination"].tolist() == [5, 6]


def test_one_region_alone():
    torn = vacancy()
    five = coordination_shell(torn, "Na", "Cl", cutoff_A=3.5).per_atom() == 5
    assert five.sum() == 6
    assert coordination_shell(torn, "Na", "Cl", cutoff_A=3.5, atoms=five).fractions == {5: 1.0}
    with pytest.raises(DataError, match="one atom of 'Na' or more among those chosen, got none"):
        coordination_shell(torn, "Na", "Cl", cutoff_A=3.5, atoms=np.zeros(torn.n_atoms, bool))
    with pytest.raises(DataError, match="atoms: expected true or false for each of 63 atoms"):
        coordination_shell(torn, "Na", "Cl", cutoff_A=3.5, atoms=np.arange(3))


def test_several_frames():
    shell = coordination_shell(rock_salt(rattle=0.3, frames=20), "Mg", "O", cutoff_A=3.0)
    assert shell.numbers.shape == (20 * 32,) and shell.atoms.shape == (32,)
    assert shell.stderr > 0 and sum(shell.fractions.values()) == pytest.approx(1.0)
    assert shell.mean == pytest.approx(sum(n * share for n, share in shell.fractions.items()))


def test_no_neighbour_at_all():
    shell = coordination_shell(crystals.rock_salt(), "Na", "Cl", cutoff_A=2.0)
    assert shell.fractions == {0: 1.0} and shell.bond_lengths_A == {} and math.isnan(shell.mean_bond_length_A)


def test_unknown_elements_and_lengths():
    with pytest.raises(DataError, match="there is no 'Ba' in this structure of Mg, O"):
        coordination_shell(rock_salt(), "Ba", "O")
    with pytest.raises(DataError, match="at most 20, got 50"):
        coordination_shell(rock_salt(), "Mg", "O", cutoff_A=50.0)


def test_large_boxes_take_little_memory():
    """Of 20,000 atoms all distances are 10 GB."""
    box = gas(74.0 * np.eye(3), atoms=20_000, frames=2)
    tracemalloc.start()
    try:
        coordination_numbers(box, [("Ba", "O")], cutoffs_A={("Ba", "O"): 4.0})
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
