"""Committees: the mean of their members, and a grade that is zero where they agree."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from tammann.errors import DataError
from tammann.potentials.committee import CommitteeCalculator, force_deviations


def copper():
    atoms = bulk("Cu", cubic=True).repeat(2)
    atoms.rattle(0.1, seed=1)
    return atoms


def test_members_that_agree_have_no_deviation_and_their_own_forces():
    atoms = copper()
    atoms.calc = CommitteeCalculator([EMT(), EMT()])
    alone = copper()
    alone.calc = EMT()
    assert np.allclose(atoms.get_forces(), alone.get_forces())
    assert atoms.get_potential_energy() == pytest.approx(alone.get_potential_energy())
    assert np.allclose(atoms.get_stress(), alone.get_stress())
    assert atoms.calc.results["extrapolation_grade"] == 0.0


def test_the_grade_is_the_largest_deviation_of_an_atom():
    atoms = copper()
    members = [EMT(), LennardJones(sigma=2.3, epsilon=0.4, rc=5.0, smooth=True)]
    atoms.calc = CommitteeCalculator(members)
    mean = atoms.get_forces()
    forces = np.array([member.get_property("forces", atoms) for member in members])
    assert np.allclose(mean, forces.mean(axis=0))
    expected = 0.5 * np.linalg.norm(forces[0] - forces[1], axis=1)
    assert atoms.calc.results["extrapolation_grades"] == pytest.approx(expected)
    assert atoms.calc.results["extrapolation_grade"] == pytest.approx(expected.max())


def test_mean_forces_are_the_gradient_of_the_mean_energy():
    atoms = copper()
    atoms.calc = CommitteeCalculator([EMT(), LennardJones(sigma=2.3, epsilon=0.4, rc=5.0, smooth=True)])
    force, h = atoms.get_forces()[3, 1], 1e-5
    energies = []
    for step in (h, -h):
        moved = copper()
        moved.positions[3, 1] += step
        moved.calc = atoms.calc
        energies.append(moved.get_potential_energy())
    assert force == pytest.approx(-(energies[0] - energies[1]) / (2 * h), abs=1e-5)


def test_the_deviation_is_invariant_under_rotation():
    rng = np.random.default_rng(1)
    forces = rng.normal(size=(4, 10, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert force_deviations(forces @ turn) == pytest.approx(force_deviations(forces))


def test_one_member_is_no_committee():
    with pytest.raises(DataError, match="two calculators"):
        CommitteeCalculator([EMT()])
    with pytest.raises(DataError, match="two members"):
        force_deviations(np.zeros((1, 4, 3)))
