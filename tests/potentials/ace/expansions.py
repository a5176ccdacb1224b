"""Small expansions with random coefficients and cells of any shape, for tests."""

import numpy as np
from ase import Atoms

from tammann.potentials.ace.basis import make_basis
from tammann.potentials.ace.model import AceModel, Radii

ELEMENTS = ("Ba", "Ti", "O")


def expansion(degrees=(6, 6, 6, 5), *, cutoff=4.5, seed=0) -> AceModel:
    rng = np.random.default_rng(seed)
    basis = make_basis(ELEMENTS, degrees, l_weight=1.0)
    pair = rng.uniform(0.9, 1.1, (3, 3))
    pair = 0.5 * (pair + pair.T)
    radii = Radii(cutoff, 2.0 * pair, 1.0 * pair, 0.5, 1.2 * pair, 2.0 * pair)
    return AceModel(basis, radii, rng.normal(size=(3, len(basis))) * 1e-2 / basis.degrees**2, rng.normal(size=3))


def cell_of_atoms(n: int = 12, *, seed: int = 1, edge: float = 5.5, closest: float = 1.5) -> Atoms:
    """Return random atoms, none nearer than ``closest``, in a slanted cell smaller than twice the cutoff."""
    rng = np.random.default_rng(seed)
    cell = edge * np.eye(3) + rng.uniform(-0.6, 0.6, (3, 3))
    atoms = Atoms(cell=cell, pbc=True)
    while len(atoms) < n:
        trial = atoms + Atoms(ELEMENTS[len(atoms) % 3], [rng.uniform(size=3) @ cell])
        near = trial.get_all_distances(mic=True)[-1, :-1]
        if not len(near) or near.min() > closest:
            atoms = trial
    return atoms
