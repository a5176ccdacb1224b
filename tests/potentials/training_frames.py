"""A few labelled frames to train on: rattled rock salt in a Lennard-Jones-like toy, cheap and smooth."""

import numpy as np
from ase.build import bulk
from ase.calculators.morse import MorsePotential

from tammann.potentials.dataset import DataSet
from tammann.potentials.frames import frame_from_atoms


def toy_frames(n, *, first=0, element="Ar", a=5.3, second=None):
    """Return ``n`` frames of four atoms, their energies about -0.3 eV per atom."""
    frames = []
    for number in range(first, first + n):
        atoms = bulk(element, "fcc", a=a, cubic=True)
        atoms.symbols[0] = second or element
        atoms.set_cell(atoms.cell * (1 + 0.02 * np.sin(number)), scale_atoms=True)
        atoms.rattle(0.15, seed=number)
        atoms.calc = MorsePotential(epsilon=0.1, r0=3.75, rho0=5.0, rcut1=5.0, rcut2=6.0)
        atoms.get_potential_energy(), atoms.get_stress()
        frames.append(frame_from_atoms(atoms, config_type="toy", trajectory=f"t{number}"))
    return DataSet(tuple(frames))
