"""Potentials by import path, good and bad, for the engines."""

import os

import numpy as np
from ase.calculators.calculator import Calculator

from tammann.potentials import LammpsCommands, RigidIons, pedone_2006
from tammann.potentials.ewald import RigidIonsCalculator


def ions():
    """The rigid ions of pedone-2006, as somebody else's calculator."""
    return RigidIonsCalculator(pedone_2006())


def rigid():
    """Rigid ions of the reader's own."""
    theirs = pedone_2006()
    return RigidIons("mine", theirs.charges, theirs.pairs, theirs.cutoff_A, "my thesis")


def commands():
    return LammpsCommands("soft", ("Mg", "O"), ("pair_style lj/cut 4.0", "pair_coeff * * 0.01 2.0"))


class Traps(Calculator):
    """Every atom on a spring of its own to where it first was: U = k/2 (x - x0)**2, k = 1 eV/Å2."""

    implemented_properties = ["energy", "forces", "stress"]
    home = None

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        if self.home is None:
            self.home = atoms.positions.copy()
        away = atoms.positions - self.home
        away -= np.round(away @ np.linalg.inv(atoms.cell[:])) @ atoms.cell[:]
        self.results = {"energy": 0.5 * (away**2).sum(), "forces": -away, "stress": np.zeros(6)}


def nothing():
    """Atoms that feel nothing: an ideal gas."""
    return Nothing()


class Nothing(Calculator):
    implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3)), "stress": np.zeros(6)}


class Failing(RigidIonsCalculator):
    """Gives up at the fifth call."""

    calls = 0

    def calculate(self, *arguments, **keywords):
        self.calls += 1
        if self.calls > 4:
            raise RuntimeError("out of\nmemory")
        super().calculate(*arguments, **keywords)


def failing():
    return Failing(pedone_2006())


class Talking(RigidIonsCalculator):
    """Prints and warns at every call."""

    def calculate(self, *arguments, **keywords):
        import warnings

        print("computing")
        warnings.warn("something is deprecated", DeprecationWarning, stacklevel=1)
        super().calculate(*arguments, **keywords)


def talking():
    print("made")
    return Talking(pedone_2006())


def broken():
    raise ValueError("weights not found")


def no_calculator():
    return {"energy": 0.0}


def no_stress():
    calculator = Nothing()
    calculator.implemented_properties = ["energy", "forces"]
    return calculator


number = 7


def born():
    """A model of torch-sim for batches: U = sum over pairs of exp[(2.5 - r)/0.4] within 5 Å, in eV."""
    import torch
    from torch_sim.models.interface import ModelInterface

    class Born(ModelInterface):
        def __init__(self):
            super().__init__()
            self._device, self._dtype = torch.device("cpu"), torch.float64
            self._compute_stress = self._compute_forces = True

        def forward(self, state, **_):
            energies, forces, stresses = [], [], []
            for k in range(int(state.system_idx.max()) + 1):
                x = state.positions[state.system_idx == k].clone().requires_grad_(True)
                strain = torch.zeros(3, 3, dtype=x.dtype, requires_grad=True)
                cell = state.cell[k].mT
                stretched = cell + cell @ strain
                d = x[None, :] - x[:, None]
                n = torch.round((d @ torch.linalg.inv(cell)).detach())
                d = d + d @ strain - n @ stretched
                i, j = torch.triu_indices(len(x), len(x), 1)
                r = d[i, j].norm(dim=1)
                energy = torch.where(r < 5.0, torch.exp((2.5 - r) / 0.4) - np.exp(-2.5 / 0.4), 0.0).sum()
                f, s = torch.autograd.grad(energy, [x, strain])
                energies.append(energy.detach())
                forces.append(-f)
                stresses.append((s + s.mT) / 2 / torch.linalg.det(cell))
            return {"energy": torch.stack(energies), "forces": torch.cat(forces), "stress": torch.stack(stresses)}

    return Born()


def born_twice():
    """The same with every energy, force and stress twice as large."""
    once = born()

    def model(state):
        return {key: 2.0 * value for key, value in once(state).items()}

    return model


def breaking():
    """A model that takes its process with it."""

    def model(state):
        os._exit(70)

    return model
