"""Potentials of other people, by import path or name; rigid ions as an ASE calculator; refusals in one sentence."""

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.fd import calculate_numerical_stress
from hypothesis import given, settings
from hypothesis import strategies as st

from potentials.ewald import energy
from tammann.errors import DataError
from tammann.md.ase import AseEngine
from tammann.potentials import pedone_2006
from tammann.potentials.calculators import calculator_of, chgnet, imported_potential
from tammann.structures import Configuration

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
PAIR = Configuration(("Mg", "O"), np.array([[0, 0, 0], [2.1, 0, 0]]), 8.0 * np.eye(3))


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


@pytest.mark.parametrize(
    "path, words",
    [
        ("buckingham", "expected module:callable"),
        ("a b:c", "expected module:callable"),
        (":make", "expected module:callable"),
        ("no_such_package:make", "cannot import no_such_package .*PYTHONPATH"),
        ("potentials.toys:nowhere", "no callable nowhere"),
        ("potentials.toys:number", "no callable number"),
        ("potentials.toys:broken", "calling broken without arguments failed with ValueError: weights not found"),
        ("potentials.toys:no_calculator", "expected an ASE calculator, got dict"),
        ("potentials.toys:no_stress", "has no stress"),
        ("ase.calculators.emt:EMT", r"failed \(NotImplementedError: No EMT-potential for Mg\)"),
    ],
)
def test_one_sentence_each(path, words):
    with pytest.raises(DataError, match=words) as caught:
        AseEngine().single_point(PAIR, imported_potential(path))
    assert "\n" not in str(caught.value) and path.partition(":")[0] in str(caught.value)


def test_a_failure_on_the_way_is_one_sentence():
    from tammann.md.conditions import Conditions

    with pytest.raises(DataError, match=r"failing failed \(RuntimeError: out of memory\)") as caught:
        AseEngine().run(PAIR, imported_potential("potentials.toys:failing"), Conditions(300.0), duration_ps=0.1, rng=1)
    assert "\n" not in str(caught.value)


def test_other_people_print_and_warn_to_nobody(capsys):
    AseEngine().single_point(PAIR, imported_potential("potentials.toys:talking"))
    assert capsys.readouterr() == ("", "")


def test_chgnet_knows_what_it_was_made_for():
    with pytest.raises(DataError, match="PoO2: potential chgnet was not made for Po;"):
        chgnet().check(["Po", "O"], formula="PoO2")
    chgnet().check(["Ba", "Ti", "O", "U"])


def test_missing_packages_name_their_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "chgnet.model.dynamics", None)
    with pytest.raises(DataError, match=r"pip install 'tammann\[chgnet\]'"):
        AseEngine().single_point(PAIR, chgnet())


@pytest.mark.slow
def test_chgnet_knows_magnesia(capsys):
    """MgO in the Materials Project: -5.98 eV per atom, -6.33 with its correction of oxides; hardly any pressure."""
    pytest.importorskip("chgnet")
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = 4.26 * np.concatenate([faces, faces + [0.5, 0, 0]])
    per_atom, forces, pressure = AseEngine().single_point(
        Configuration(("Mg",) * 4 + ("O",) * 4, sites, 4.26 * np.eye(3)), chgnet()
    )
    assert per_atom == pytest.approx(-6.33, abs=0.05)
    assert np.abs(forces).max() < 1e-3 and np.abs(pressure).max() < 3.0
    assert capsys.readouterr().out == ""
