"""What holds for the energy of any potential, checked on an ASE calculator."""

import numpy as np


def check_invariances(calculator, atoms, *, energy_eV=1e-4, force_eV_per_A=1e-3):
    """Energy does not change on rotation, translation, permutation; twice the cell has twice the energy."""
    rng = np.random.default_rng(3)

    def answer(copy):
        copy.calc = calculator
        return copy.get_potential_energy(), copy.get_forces()

    energy, forces = answer(atoms.copy())
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    turned = atoms.copy()
    turned.set_cell(atoms.cell.array @ turn.T)
    turned.positions = atoms.positions @ turn.T
    moved = atoms.copy()
    moved.positions += [0.7, -0.3, 11.0]
    order = rng.permutation(len(atoms))
    other, turned_forces = answer(turned)
    assert abs(other - energy) < energy_eV
    np.testing.assert_allclose(turned_forces, forces @ turn.T, atol=force_eV_per_A)
    for copy, expected in ((moved, forces), (atoms[order], forces[order])):
        other, found = answer(copy)
        assert abs(other - energy) < energy_eV
        np.testing.assert_allclose(found, expected, atol=force_eV_per_A)
    double, found = answer(atoms.repeat((2, 1, 1)))
    assert abs(double - 2 * energy) < 2 * energy_eV
    np.testing.assert_allclose(found[: len(atoms)], forces, atol=force_eV_per_A)


def check_forces(calculator, atoms, *, step_A=0.01, atol=5e-3):
    """Force of an atom is minus the central difference of the energy; stress is its derivative by strain over V."""

    def energy(copy):
        copy.calc = calculator
        return copy.get_potential_energy()

    start = atoms.copy()
    start.calc = calculator
    forces, stress = start.get_forces(), start.get_stress(voigt=False)
    for atom, axis in ((0, 0), (len(atoms) - 1, 1), (len(atoms) // 2, 2)):
        ends = []
        for sign in (1, -1):
            copy = atoms.copy()
            copy.positions[atom, axis] += sign * step_A
            ends.append(energy(copy))
        np.testing.assert_allclose(forces[atom, axis], -(ends[0] - ends[1]) / (2 * step_A), atol=atol)
    for i, j in ((0, 0), (1, 2)):
        ends = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[i, j] += sign * 1e-3
            strain[j, i] += sign * 1e-3
            copy = atoms.copy()
            copy.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
            ends.append(energy(copy))
        weight = 2.0  # e_ij and e_ji change together; on the diagonal the strain was added twice
        np.testing.assert_allclose(
            stress[i, j], (ends[0] - ends[1]) / (2e-3 * weight * atoms.get_volume()), atol=atol / 5
        )


def rattled_rock_salt(metal="Mg", anion="O", a=4.3, seed=1):
    """Return eight atoms off their sites."""
    from ase.build import bulk

    atoms = bulk(metal + anion, "rocksalt", a=a, cubic=True)
    atoms.rattle(0.1, seed=seed)
    return atoms
