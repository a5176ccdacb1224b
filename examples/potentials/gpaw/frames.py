"""Write small cells of Ba-Ti-O melts to label: independent random packings, melted by rigid ions, moved by CHGNet.

Two packings of each of four compositions, at 2500 K and at 2000 K, in cubes of the volume that melts of rigid ions have
at 2000 K (examples/melts/ba-ti-o); 1 ps with the potential pedone-2006, then CHGNet, recorded after 0.2 and 0.5 ps. All
cells of a composition are equal, so that energies at a fixed plane-wave cut-off can be compared: another cell has
another number of plane waves. About 5 minutes on one core.

    python frames.py melts.extxyz
"""

import sys
from pathlib import Path

import numpy as np
from ase import units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

from tammann.potentials.calculators import calculator_of, chgnet, prepare
from tammann.potentials.dataset import DataSet, Frame, write_dataset
from tammann.potentials.rigid_ions import pedone_2006
from tammann.structures import Configuration, random_packing

MELTS = {"Ba2TiO4": (21, 22.548), "BaTiO3": (20, 19.950), "BaTi2O5": (24, 18.157), "BaTi4O9": (28, 17.341)}
"""Atoms, and volume per atom in Å3."""
TEMPERATURES_K = (2500.0, 2000.0)
TIMESTEP_FS, MELTED_STEPS, RECORDED_STEPS = 2.0, 500, (100, 250)


def main(out: Path) -> None:
    """Run the melts and write the recorded instants."""
    potential = prepare(chgnet(), "O")
    frames: list[Frame] = []
    for temperature_K in TEMPERATURES_K:
        for number, (formula, (n_atoms, volume_A3)) in enumerate(MELTS.items()):
            rng = np.random.default_rng([int(temperature_K), number])
            packing = random_packing(formula, atoms=n_atoms, volume_per_atom_A3=volume_A3, rng=rng)
            atoms = packing.to_ase()
            atoms.calc = calculator_of(pedone_2006())
            MaxwellBoltzmannDistribution(atoms, temperature_K=temperature_K, rng=rng)
            settings = {"temperature_K": temperature_K, "friction": 0.02 / units.fs, "rng": rng}
            Langevin(atoms, TIMESTEP_FS * units.fs, **settings).run(MELTED_STEPS)
            atoms.calc = calculator_of(potential)
            md = Langevin(atoms, TIMESTEP_FS * units.fs, **settings)
            for steps in RECORDED_STEPS:
                md.run(steps - md.nsteps)
                configuration = Configuration(tuple(packing.symbols), atoms.positions, packing.cell_A)
                frames.append(Frame(configuration, config_type="melt", trajectory=f"{formula}-{temperature_K:.0f}K"))
            write_dataset(out, DataSet(tuple(frames)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
