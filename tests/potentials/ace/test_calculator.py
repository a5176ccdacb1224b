from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ase.calculators.fd import calculate_numerical_stress
from scipy.spatial.transform import Rotation

from potentials.ace.expansions import cell_of_atoms, expansion
from tammann.errors import DataError
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.potentials import load_potential
from tammann.potentials.ace.calculator import AceCalculator, load_calculator
from tammann.potentials.calculators import calculator_of
from tammann.potentials.extrapolation import make_active_set
from tammann.structures import Configuration


@cache
def graded():
    model = expansion((4, 4))
    rows = [[], [], []]
    for seed in range(40):
        atoms = cell_of_atoms(12, seed=seed)
        symbols = atoms.get_chemical_symbols()
        functions = model.single(symbols, atoms.positions, atoms.cell.array, functions=True).functions
        for z, part in enumerate(rows):
            part.append(functions[model.species(symbols) == z])
    return replace(
        model, active_sets=tuple(make_active_set(np.concatenate(part), thresholds=(2.0, 5.0)) for part in rows)
    )


def test_forces_and_stress_are_slopes_of_the_energy():
    atoms = cell_of_atoms(12)
    atoms.calc = AceCalculator(expansion())
    forces, stress = atoms.get_forces(), atoms.get_stress()
    for i, axis in ((0, 0), (5, 1), (11, 2)):
        energies = []
        for step in (1e-4, -1e-4):
            moved = atoms.copy()
            moved.positions[i, axis] += step
            moved.calc = AceCalculator(expansion())
            energies.append(moved.get_potential_energy())
        assert forces[i, axis] == pytest.approx(-(energies[0] - energies[1]) / 2e-4, abs=2e-6)
    np.testing.assert_allclose(stress, calculate_numerical_stress(atoms, 1e-5), atol=1e-8)
    assert np.abs(forces.sum(axis=0)).max() < 1e-12


def test_invariance():
    atoms = cell_of_atoms(12)
    model = expansion()

    def energy_and_forces(a):
        a.calc = AceCalculator(model)
        return a.get_potential_energy(), a.get_forces()

    energy, forces = energy_and_forces(atoms.copy())
    turn = Rotation.random(random_state=1).as_matrix()
    turned = atoms.copy()
    turned.set_cell(atoms.cell.array @ turn.T)
    turned.positions = atoms.positions @ turn.T + 0.37
    e, f = energy_and_forces(turned)
    assert e == pytest.approx(energy, abs=1e-10)
    np.testing.assert_allclose(f, forces @ turn.T, atol=1e-10)
    order = np.random.default_rng(0).permutation(12)
    e, f = energy_and_forces(atoms[order])
    assert e == pytest.approx(energy, abs=1e-10)
    np.testing.assert_allclose(f, forces[order], atol=1e-10)
    e, f = energy_and_forces(atoms.repeat((2, 1, 3)))
    assert e == pytest.approx(6 * energy, abs=1e-9)
    np.testing.assert_allclose(f[:12], forces, atol=1e-10)


def test_neighbours_are_kept_only_as_long_as_they_serve():
    # a walk of many small steps, with atoms put back into the cell and the cell strained on the way
    rng, model = np.random.default_rng(0), expansion((4, 4))
    atoms = cell_of_atoms(12)
    kept = AceCalculator(model)
    for step in range(60):
        atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
        if step % 7 == 0:
            atoms.wrap()
        if step % 11 == 0:
            atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(scale=0.01, size=(3, 3))), scale_atoms=True)
        atoms.calc = kept
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = AceCalculator(model)
        assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
        np.testing.assert_allclose(forces, atoms.get_forces(), atol=1e-9)


def test_grades_are_at_most_one_on_the_data_and_large_far_from_it():
    model = graded()
    calculator = AceCalculator(model, grade=True)
    for seed in (0, 17):
        atoms = cell_of_atoms(12, seed=seed)
        atoms.calc = calculator
        atoms.get_potential_energy()
        assert calculator.results["extrapolation_grade"] <= 1.01
    squeezed = cell_of_atoms(12, seed=0)
    squeezed.set_cell(0.8 * squeezed.cell.array, scale_atoms=True)
    squeezed.calc = calculator
    squeezed.get_potential_energy()
    assert calculator.results["extrapolation_grade"] > 5.0
    assert calculator.results["extrapolation_grade"] == calculator.results["extrapolation_grades"].max()


@pytest.mark.parametrize("name", ["ase", "lammps"])
def test_molecular_dynamics_ends_where_the_potential_knows_nothing(name, tmp_path):
    if name == "lammps":
        pytest.importorskip("lammps")
    path = tmp_path / "mine.ace.npz"
    graded().save(path)
    potential, engine = load_potential(str(path)), load_engine(name)
    atoms = cell_of_atoms(12, edge=5.5)
    cell = 0.7 * 5.5 * np.eye(3)
    squeezed = Configuration(tuple(atoms.get_chemical_symbols()), 0.7 * atoms.positions, cell)
    # a configuration at rest may be anything, one in motion not
    engine.single_point(squeezed, potential)
    with pytest.raises(DataError, match="extrapolation grade"):
        engine.run(squeezed, potential, Conditions(300.0, timestep_fs=0.1), duration_ps=0.01, rng=0)


def test_a_file_is_a_potential_by_its_name(tmp_path):
    path = tmp_path / "mine.ace.npz"
    model = graded().save(path)
    potential = load_potential(str(path))
    assert potential.digest == model.digest
    potential.check(["Ba", "O"])
    with pytest.raises(DataError, match="Sr"):
        potential.check(["Sr"])
    atoms = cell_of_atoms(12)
    atoms.calc = AceCalculator(model)
    energy = atoms.get_potential_energy()
    atoms.calc = calculator_of(potential)
    assert atoms.get_potential_energy() == energy
    assert load_calculator(str(path)).stop_above == 5.0
    with pytest.raises(DataError, match="no such file"):
        load_potential(str(tmp_path / "none.ace.npz"))
    (tmp_path / "bad.ace.npz").write_text("no archive")
    with pytest.raises(DataError, match="cannot read"):
        load_potential(str(tmp_path / "bad.ace.npz"))
