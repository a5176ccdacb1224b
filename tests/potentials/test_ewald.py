"""Rigid ions as an ASE calculator: energies, forces and stress against a slow twin and finite differences."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.fd import calculate_numerical_stress
from hypothesis import given, settings
from hypothesis import strategies as st

from potentials.ewald import energy
from tammann.errors import DataError
from tammann.potentials import pedone_2006
from tammann.potentials.calculators import calculator_of

TANGLE = Atoms(
    "BaTiO3SrO",
    positions=[
        [0.1, 0.2, 0],
        [3.4, 3.9, 3.5],
        [3.4, 3.7, 1.6],
        [5.4, 3.9, 3.2],
        [3.2, 1.9, 3.7],
        [7.0, 6.6, 0.4],
        [6.9, 0.3, 2.9],
    ],
    cell=7.6 * np.eye(3),
    pbc=True,
)
SLANTED = [[7.6, 0, 0], [1.5, 7.2, 0], [-0.8, 0.9, 8.0]]


def ions(atoms):
    atoms = atoms.copy()
    atoms.calc = calculator_of(pedone_2006())
    return atoms


def test_the_sum_is_that_of_the_twin():
    found = ions(TANGLE).get_potential_energy()
    twin = energy(TANGLE.positions, TANGLE.get_chemical_symbols(), 7.6, pedone_2006())
    assert found == pytest.approx(twin, abs=3e-4)


@settings(max_examples=15)
@given(st.integers(0, 6), st.integers(0, 2), st.booleans())
def test_forces_are_slopes(atom, axis, slanted):
    atoms = ions(TANGLE)
    if slanted:
        atoms.set_cell(SLANTED)
    found = atoms.get_forces()[atom, axis]
    h, sides = 5e-3, []
    for sign in (-1, 1):
        moved = ions(atoms)
        moved.positions[atom, axis] += sign * h
        sides.append(moved.get_potential_energy())
    assert found == pytest.approx(-(sides[1] - sides[0]) / (2 * h), abs=5e-3, rel=1e-3)
    np.testing.assert_allclose(atoms.get_forces().sum(axis=0), 0.0, atol=1e-9)


@pytest.mark.parametrize("cell", [7.6 * np.eye(3), SLANTED])
def test_stress_is_the_slope_with_strain(cell):
    atoms = ions(TANGLE)
    atoms.set_cell(cell)
    np.testing.assert_allclose(atoms.get_stress(), calculate_numerical_stress(atoms, 1e-4), atol=3e-5)


def test_the_choice_of_cell_and_images_changes_nothing():
    atoms, bigger, moved = ions(TANGLE), ions(TANGLE.repeat((2, 1, 1))), ions(TANGLE)
    moved.positions += [7.6 * 3 + 1.3, -2.2, 0.7]
    assert bigger.get_potential_energy() == pytest.approx(2 * atoms.get_potential_energy(), abs=1e-3)
    assert moved.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    np.testing.assert_allclose(bigger.get_stress(), atoms.get_stress(), atol=1e-5)


def test_charged_cells_have_a_background():
    """A single ion among its images: Madelung energy -2.837297 q2/(2 L) of a cubic lattice in a background."""
    lone = Atoms("Ba", cell=9.0 * np.eye(3), pbc=True)
    expected = -2.837297 * 14.399645 * 1.2**2 / (2 * 9.0)
    assert ions(lone).get_potential_energy() == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(ions(lone).get_stress()[:3], expected / 3 / 9.0**3 * -1, rtol=1e-3)


def test_what_the_sum_refuses():
    with pytest.raises(DataError, match="no parameters for Fe"):
        ions(Atoms("FeO", positions=[[0, 0, 0], [2, 0, 0]], cell=8 * np.eye(3), pbc=True)).get_potential_energy()
    with pytest.raises(DataError, match="closer than 0.5"):
        ions(Atoms("MgO", positions=[[0, 0, 0], [0.1, 0, 0]], cell=8 * np.eye(3), pbc=True)).get_potential_energy()
    with pytest.raises(DataError, match="periodic"):
        ions(Atoms("MgO", positions=[[0, 0, 0], [2, 0, 0]])).get_potential_energy()


def test_a_cell_too_small_for_any_wave_vector():
    """The primitive cell of rock salt gives the energy per atom of its cube."""
    calculator = calculator_of(pedone_2006())
    half = 2.15
    primitive = Atoms("MgO", [[0, 0, 0], [half, 0, 0]], cell=half * (np.ones((3, 3)) - np.eye(3)), pbc=True)
    doubled = primitive.repeat((2, 2, 2))
    energies = [calculator.get_property("energy", atoms) / len(atoms) for atoms in (primitive, doubled)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-5)
