"""Frames of four Ba-Ti-O melts for learning curves, by CHGNet: three compositions to pre-train on, one to fine-tune on.

Each trajectory is a random packing of about 30 atoms, relaxed for a few steps, then run at 2500 K; frames are 15 fs
apart, trajectories have nothing in common.

    python make_melt_frames.py FOLDER        # ten minutes on one core; continues where it was killed
"""

import sys
from datetime import date
from pathlib import Path

import numpy as np
from ase import units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.optimize import FIRE

from tammann.potentials import calculator_of, load_potential
from tammann.potentials.calculators import prepare
from tammann.potentials.dataset import DataSet, read_dataset, write_dataset
from tammann.potentials.frames import Label, frame_from_atoms
from tammann.structures.amorphous import random_packing

TRAJECTORIES = {"Ba2TiO4": (28, 4), "BaTiO3": (30, 3), "BaTi2O5": (32, 3), "BaTi4O9": (28, 7)}
"""Atoms and number of trajectories; BaTi4O9 is the target, its last two trajectories the test set."""
TARGET, TEST = "BaTi4O9", 2
FRAMES = 12
SEED = 14


def main(folder):
    """Write all frames, trajectory after trajectory, then the files that the training reads."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "melts.extxyz"
    potential = prepare(load_potential("chgnet"), ["Ba", "Ti", "O"])
    calculator = calculator_of(potential)
    frames = list(read_dataset(path)) if path.exists() else []
    done = {frame.trajectory for frame in frames}
    for number, (formula, (n_atoms, replicas)) in enumerate(TRAJECTORIES.items()):
        for replica in range(replicas):
            name = f"{formula}-{replica}"
            if name in done:
                continue
            rng = np.random.default_rng([SEED, number, replica])
            atoms = random_packing(formula, atoms=n_atoms, rng=rng).to_ase()
            atoms.calc = calculator
            FIRE(atoms, logfile=None).run(fmax=2.0, steps=30)
            MaxwellBoltzmannDistribution(atoms, temperature_K=2500, rng=rng)
            dynamics = Langevin(atoms, 1.5 * units.fs, temperature_K=2500, friction=0.02 / units.fs, rng=rng)
            for _ in range(FRAMES):
                dynamics.run(10)
                label = Label("chgnet 0.3.0", potential.source, date.today().isoformat(), "make_melt_frames.py")
                frames.append(frame_from_atoms(atoms, config_type="melt", trajectory=name, label=label))
            write_dataset(path, DataSet(tuple(frames)))

    def chosen(keep):
        return DataSet(tuple(f for f in frames if keep(*f.trajectory.split("-"))))

    first_test = TRAJECTORIES[TARGET][1] - TEST
    write_dataset(folder / "other-melts.extxyz", chosen(lambda formula, _: formula != TARGET))
    write_dataset(folder / "target-train.extxyz", chosen(lambda f, r: f == TARGET and int(r) < first_test))
    write_dataset(folder / "target-test.extxyz", chosen(lambda f, r: f == TARGET and int(r) >= first_test))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
