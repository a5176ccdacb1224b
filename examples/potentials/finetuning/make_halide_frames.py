"""Frames of Li3YCl6 for learning curves: rattled and strained crystals and short molecular dynamics, by SevenNet-0.

Twenty atoms, cubic close-packed chlorine with yttrium and lithium in octahedra (C2/m). Every trajectory starts from a
crystal of its own strain; three of four go to training and validation, one of each temperature to the test set.

    python make_halide_frames.py halide.extxyz        # ten minutes on one core; continues where it was killed
"""

import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
from ase import units
from ase.filters import FrechetCellFilter
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.optimize import FIRE
from ase.spacegroup import crystal

from tammann.potentials import calculator_of, load_potential
from tammann.potentials.calculators import prepare
from tammann.potentials.dataset import DataSet, read_dataset, write_dataset
from tammann.potentials.frames import Label, frame_from_atoms

TEMPERATURES_K = (300.0, 600.0, 900.0, 1200.0)
TRAJECTORIES = 3  # of each temperature; the last of each is for the test set
FRAMES = 9
STEPS_BETWEEN = 12
STEPS_BEFORE = 24
TIMESTEP_FS = 2.0
SEED = 13

potential = prepare(load_potential("sevennet-0"), ["Li", "Y", "Cl"])
calculator = calculator_of(potential)


def ideal():
    """Return the relaxed crystal, 20 atoms."""
    atoms = crystal(
        ["Y", "Li", "Li", "Cl", "Cl"],
        [(0, 0.5, 0), (0, 0.5, 0.5), (0, 0.17, 0.5), (0.226, 0, 0.22), (0.251, 0.175, 0.78)],
        spacegroup=12,
        cellpar=[6.5, 11.2, 6.4, 90, 109, 90],
    )
    atoms.rattle(0.02, seed=SEED)  # off the saddle points that symmetry holds
    atoms.calc = calculator
    FIRE(FrechetCellFilter(atoms), logfile=None).run(fmax=0.03, steps=200)
    return atoms


def strained(atoms, rng, largest=0.03):
    """Return a copy whose cell is strained at random, at most 3 % in every component."""
    strain = rng.uniform(-largest, largest, (3, 3))
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    copy.calc = calculator
    return copy


def labelled(atoms, kind, trajectory):
    """Return a frame with the energy, forces and stress of SevenNet-0."""
    atoms.get_potential_energy()  # the calculator is shared, and may hold the answer to another configuration
    label = Label("sevennet-0", potential.source, date.today().isoformat(), "make_halide_frames.py")
    return frame_from_atoms(atoms, config_type=kind, trajectory=trajectory, label=label)


def main(path):
    """Write the frames, trajectory after trajectory."""
    frames = list(read_dataset(path)) if path.exists() else []
    done = {frame.trajectory for frame in frames}
    start = ideal()
    for number, temperature in enumerate(TEMPERATURES_K):
        for replica in range(TRAJECTORIES):
            name = f"{temperature:.0f}K-{replica}"
            if name in done:
                continue
            rng = np.random.default_rng([SEED, number, replica])
            atoms = strained(start, rng)
            atoms.rattle(0.03 + 0.05 * number / 3, rng=rng)
            frames.append(labelled(atoms, "rattled", name))
            MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
            dynamics = Langevin(
                atoms, TIMESTEP_FS * units.fs, temperature_K=temperature, friction=0.02 / units.fs, rng=rng
            )
            dynamics.run(STEPS_BEFORE)
            for _ in range(FRAMES):
                dynamics.run(STEPS_BETWEEN)
                frames.append(labelled(atoms, f"md {temperature:.0f} K", name))
            write_dataset(path, DataSet(tuple(frames)))
    test = DataSet(tuple(frame for frame in frames if frame.trajectory.endswith(f"-{TRAJECTORIES - 1}")))
    train = DataSet(tuple(frame for frame in frames if not frame.trajectory.endswith(f"-{TRAJECTORIES - 1}")))
    write_dataset(path.with_name("halide-test.extxyz"), test)
    write_dataset(path.with_name("halide-train.extxyz"), train)
    print(json.dumps({"train": len(train), "test": len(test)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
