"""Potentials with a known flaw each, and a sound one: pairs of atoms with an energy given as a function of distance."""

from itertools import product

import numpy as np
from ase.build import bulk
from ase.calculators.calculator import Calculator

from tammann.structures import Configuration

CUTOFF_A = 5.0
MOST_IMAGES = 20_000


class Pairs(Calculator):
    """U = sum over pairs of u(r) within a cutoff, with forces and stress by hand."""

    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self, u, slope, cutoff_A=CUTOFF_A):
        super().__init__()
        self.u, self.slope, self.cutoff_A = u, slope, cutoff_A

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        i, r, d = neighbours(atoms.positions, atoms.cell.array, self.cutoff_A)
        pull = (self.slope(r) / r)[:, None] * d
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, pull)
        strain = 0.5 * np.einsum("pa,pb->ab", pull, d) / atoms.get_volume()
        self.results = {"energy": 0.5 * float(self.u(r).sum()), "forces": forces}
        self.results["stress"] = strain.ravel()[[0, 4, 8, 5, 2, 1]]


def neighbours(positions, cell, cutoff):
    """Index, distance and vector of all pairs; a table of all images is fastest for a few atoms."""
    reach = np.ceil(cutoff * np.linalg.norm(np.linalg.inv(cell), axis=0)).astype(int) + 1
    if (2 * reach + 1).prod() > MOST_IMAGES:
        raise RuntimeError("the cell has collapsed")
    images = np.array(list(product(*(range(-n, n + 1) for n in reach)))) @ cell
    d = positions[None, :, None] - positions[:, None, None] + images
    r = np.sqrt((d**2).sum(axis=-1))
    near = (r < cutoff) & (r > 1e-9)
    return np.nonzero(near)[0], r[near], d[near]


def smooth(r):
    """A switch that takes the energy to zero at the cutoff with two derivatives, and its slope."""
    x = np.clip(r / CUTOFF_A, 0.0, 1.0)
    return 1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2), -30.0 * x**2 * (1.0 - x) ** 2 / CUTOFF_A


def morse(r, depth=0.35, a=1.4, r0=2.6):
    y = np.exp(-a * (r - r0))
    return depth * ((1.0 - y) ** 2 - 1.0), 2.0 * depth * a * (1.0 - y) * y


def sound():
    """Morse pairs, switched off smoothly."""
    return Pairs(
        lambda r: morse(r)[0] * smooth(r)[0],
        lambda r: morse(r)[1] * smooth(r)[0] + morse(r)[0] * smooth(r)[1],
    )


def cut():
    """The same, cut off where it still is -0.02 eV."""
    return Pairs(lambda r: morse(r)[0], lambda r: morse(r)[1])


def collapsing():
    """Attraction that nothing stops at short distances."""
    return Pairs(
        lambda r: -2.0 * np.exp(-r) * smooth(r)[0],
        lambda r: 2.0 * np.exp(-r) * (smooth(r)[0] - smooth(r)[1]),
    )


def repelling():
    """Repulsion only: atoms that are not held by a box fly apart."""
    return Pairs(
        lambda r: 3.0 * np.exp(-r) * smooth(r)[0],
        lambda r: -3.0 * np.exp(-r) * (smooth(r)[0] - smooth(r)[1]),
    )


class Swirling(Pairs):
    """Forces with a swirl about the axis z: no energy has them as its gradient."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        inside = atoms.get_scaled_positions() * 2.0 * np.pi
        swirl = 0.3 * np.stack([np.sin(inside[:, 1]), -np.sin(inside[:, 0]), 0.0 * inside[:, 0]], axis=1)
        self.results["forces"] = self.results["forces"] + swirl


def swirling():
    made = sound()
    return Swirling(made.u, made.slope)


class Graded(Pairs):
    """A sound potential that knows how far atoms have moved from where it was first asked."""

    home = None

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        where = atoms.get_scaled_positions()
        self.home = where if self.home is None else self.home
        moved = where - self.home
        moved -= np.round(moved)
        self.results["extrapolation_grade"] = 1.0 + 40.0 * float(np.abs(moved @ atoms.cell.array).max())


def graded():
    made = sound()
    return Graded(made.u, made.slope)


def copper(repeat=1, rattle_A=0.1, seed=1):
    """Face-centred cubes of copper, rattled."""
    atoms = bulk("Cu", a=3.7, cubic=True).repeat(repeat)
    atoms.rattle(rattle_A, seed=seed)
    return Configuration.from_ase(atoms)


def droplet():
    """Four atoms close together in a large empty box."""
    places = 10.0 + 2.4 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    return Configuration(("Cu",) * 4, places, 20.0 * np.eye(3))


class Tired(Pairs):
    """Gives up at the tenth call."""

    calls = 0

    def calculate(self, *arguments, **keywords):
        self.calls += 1
        if self.calls > 9:
            raise RuntimeError("out of\nmemory")
        super().calculate(*arguments, **keywords)


def tired():
    made = sound()
    return Tired(made.u, made.slope)
