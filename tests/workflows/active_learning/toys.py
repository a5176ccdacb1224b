"""Toy atoms for active learning: a Lennard-Jones teacher, a linear student with a grade, and broken potentials."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones

from tammann.structures import Configuration

SIGMA_A, EPSILON_EV = 3.4, 0.0104
CUTOFF_A = 8.0


def argon(times=3, spacing_A=5.26):
    from ase.build import bulk

    return Configuration.from_ase(bulk("Ar", "fcc", a=spacing_A, cubic=True).repeat(times))


def teacher():
    return LennardJones(sigma=SIGMA_A, epsilon=EPSILON_EV, rc=CUTOFF_A, smooth=True)


class Graded(Calculator):
    """Any calculator with the grade that a function of step number and atoms gives."""

    implemented_properties = ["energy", "forces", "stress", "extrapolation_grade"]

    def __init__(self, inner, grade):
        super().__init__()
        self.inner, self.grade, self.calls = inner, grade, 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = {
            "energy": self.inner.get_property("energy", atoms),
            "forces": self.inner.get_property("forces", atoms),
            "stress": self.inner.get_property("stress", atoms),
            "extrapolation_grade": self.grade(self.calls, atoms),
        }
        self.calls += 1


class Collapsing(Calculator):
    """A broken potential: pairs attract the more, the nearer they are, as a fit without repulsion does."""

    implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        from ase.neighborlist import neighbor_list

        i, d, vector = neighbor_list("idD", atoms, 6.0)
        pull = 0.5 * (6.0 - d)[:, None] * vector / d[:, None]
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, pull)
        self.results = {
            "energy": float(-0.125 * ((6.0 - d) ** 2).sum()),
            "forces": forces,
            "stress": np.zeros(6),
            "extrapolation_grade": 1.0,
        }
