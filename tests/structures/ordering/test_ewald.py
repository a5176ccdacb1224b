"""Electrostatic energies against Madelung's constants and pymatgen."""

import numpy as np
import pytest
from pymatgen.analysis.ewald import EwaldSummation

from disordered_hosts import HOST
from tammann.errors import DataError
from tammann.structures.ordering import (
    DisorderedStructure,
    enumerate_orderings,
    ewald_energies,
    ewald_matrix,
    ordering_block,
    sample_orderings,
    with_ewald,
)
from tammann.units import COULOMB_EV_A

SCALE = COULOMB_EV_A / EwaldSummation.CONV_FACT
"""The two take e2/(4 pi eps0) from different years of CODATA, 7e-10 apart."""


def theirs(structure, charges):
    structure = structure.copy()
    structure.add_oxidation_state_by_element({k: v for k, v in charges.items() if k != "vacancy"})
    return EwaldSummation(structure, acc_factor=20)


def test_madelung_of_rock_salt():
    fcc = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    m = ewald_matrix([[0, 0, 0], [0.5, 0.5, 0.5]], fcc)
    q = np.array([1.0, -1.0])
    assert 0.5 * q @ m @ q / COULOMB_EV_A == pytest.approx(-1.747564594633182 / 0.5, abs=1e-12)


@pytest.mark.parametrize("repeat", [(1, 1, 1), (1, 1, 2)])
def test_pymatgen(repeat):
    block = ordering_block(HOST, repeat)
    found = with_ewald(sample_orderings(block, 5, rng=1))
    for energy, atoms in zip(found.energies_eV, found, strict=True):
        assert energy == pytest.approx(theirs(atoms.to_pymatgen(), block.charges).total_energy * SCALE, abs=1e-8)


def test_pymatgen_of_a_charged_cell_and_its_matrix():
    """Skewed and long: with the background and the energy of each ion in its own images."""
    rng = np.random.default_rng(2)
    cell = np.array([[3.0, 0.2, 0.1], [-1.0, 5.0, 0.3], [0.5, 2.0, 11.0]])
    fractional, q = rng.random((7, 3)), np.array([1, 1, 2, -1, 3, -2, 1.0])
    structure = DisorderedStructure(cell, fractional, ({"Li": 1.0},) * 7, ("Li",) * 7)
    from pymatgen.core import Structure

    charged = Structure(structure.cell_A, [f"Na{abs(x):g}{'+' if x > 0 else '-'}" for x in q], fractional)
    energy = EwaldSummation(charged, acc_factor=20).total_energy * SCALE
    assert 0.5 * q @ ewald_matrix(fractional, cell) @ q == pytest.approx(energy, abs=1e-8)


def test_shifted_turned_and_repeated():
    rng = np.random.default_rng(3)
    cell, fractional = np.diag([3.0, 4.0, 5.0]) + 0.3 * rng.random((3, 3)), rng.random((4, 3))
    q = np.array([1.0, -2.0, 3.0, -2.0])
    once = 0.5 * q @ ewald_matrix(fractional, cell) @ q
    assert 0.5 * q @ ewald_matrix(fractional + [0.3, 1.7, -2.2], cell) @ q == pytest.approx(once, abs=1e-9)
    twice = np.vstack([fractional / [1, 1, 2], fractional / [1, 1, 2] + [0, 0, 0.5]])
    qq = np.tile(q, 2)
    assert 0.5 * qq @ ewald_matrix(twice, cell * [[1], [1], [2]]) @ qq == pytest.approx(2 * once, abs=1e-9)


def test_equivalent_arrangements_have_one_energy():
    block = ordering_block(HOST)
    energies = ewald_energies(block)
    first = enumerate_orderings(block).arrangements[777]
    images = first[block.permutations]
    assert np.ptp(energies.energies_eV(images)) < 1e-9


def test_what_has_no_energy():
    free = HOST.with_charges(dict.fromkeys(("Li", "In", "Y", "Br", "Cl"), 0.0))
    with pytest.raises(DataError, match="expected charges"):
        ewald_energies(ordering_block(free))
    with pytest.raises(DataError, match="sites 0 and 1 coincide"):
        ewald_matrix([[0, 0, 0], [1, 0, 0]], np.eye(3))
    with pytest.raises(DataError, match=r"expected shape \(n, 18\)"):
        ewald_energies(ordering_block(HOST)).energies_eV(np.zeros((3, 4)))
