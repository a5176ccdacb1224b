"""Make the frames with which the potential begins: melts of rigid ions, random cells and strained crystals.

The melts are run with ``pedone-2006``, which costs next to nothing, at volumes from four fifths to all of the estimate
and at 2000 to 4000 K, so that the first fit sees close contacts and dense and thin melts; every trajectory starts from
a packing of its own. Those with the number 5 are kept for testing.

    python initial.py frames.extxyz
    tammann potential label frames.extxyz --labeller chgnet --out labels
    python initial.py split labels/labelled.extxyz
"""

import sys
from pathlib import Path

import numpy as np

from tammann.md.conditions import Conditions
from tammann.md.engine import Start
from tammann.md.load import load_engine
from tammann.potentials import load_potential
from tammann.potentials.dataset import DataSet, Frame, read_dataset, write_dataset
from tammann.structures import random_packing
from tammann.structures.candidates import random_cell, rattled, strained, supercell
from tammann.structures.crystals import load_crystal

MELTS = ("Ba2TiO4", "BaTiO3", "BaTi2O5", "BaTi4O9")
CRYSTALS = ("BaO", "TiO2-rutile", "TiO2-anatase", "BaTiO3-cubic", "BaTiO3-tetragonal", "BaTiO3-hexagonal")
TEMPERATURES_K = (2000.0, 3000.0, 4000.0, 2500.0, 2000.0)
VOLUME_SCALES = (1.0, 0.92, 0.85, 0.80, 0.88)
ATOMS = 30
FRAMES = 10
APART_FS = 500


def main(out: str) -> None:
    """Write the frames."""
    rigid_ions, engine = load_potential("pedone-2006"), load_engine("lammps")
    frames = []
    for number, (temperature, scale) in enumerate(zip(TEMPERATURES_K, VOLUME_SCALES, strict=True), start=1):
        for index, formula in enumerate(MELTS):
            packing = engine.relax(random_packing(formula, atoms=ATOMS, rng=[number, index]), rigid_ions, steps=200)
            packing = packing.at_volume(packing.volume_A3 * scale)
            start = Start(Conditions(temperature, timestep_fs=1.0), rng=100 * number + index)
            with engine.simulation(packing, rigid_ions, start) as simulation:
                simulation.advance(2000, sample_every=100)
                for _ in range(FRAMES):
                    simulation.advance(APART_FS, sample_every=100)
                    frames.append(
                        Frame(simulation.configuration(), config_type="melt", trajectory=f"melt-{formula}-{number}")
                    )
    for index, formula in enumerate((*MELTS, "BaO", "TiO2")):
        for k in range(6):
            rng = np.random.default_rng([7, index, k])
            cell = random_cell(formula, atoms=int(rng.integers(8, 17)), rng=rng)
            frames.append(Frame(cell, config_type="search", trajectory=f"search-{formula}-{k + 1}"))
    for index, name in enumerate(CRYSTALS):
        for k in range(6):
            rng = np.random.default_rng([8, index, k])
            cell = rattled(
                strained(supercell(load_crystal(name), 20), limit=0.03, rng=rng), displacement_A=0.08, rng=rng
            )
            frames.append(Frame(cell, config_type="crystal", trajectory=f"crystal-{name}-{k + 1}"))
    write_dataset(out, DataSet(tuple(frames)))


def divide(labelled: str) -> None:
    """Write ``train.extxyz`` and ``test.extxyz`` above the folder of labels, whole trajectories to either."""
    data = read_dataset(labelled)
    tested = [k for k, frame in enumerate(data) if frame.trajectory.startswith("melt-") and frame.trajectory[-1] == "5"]
    fitted = sorted(set(range(len(data))) - set(tested))
    place = Path(labelled).resolve().parent.parent
    write_dataset(place / "train.extxyz", data.subset(fitted))
    write_dataset(place / "test.extxyz", data.subset(tested))


if __name__ == "__main__":
    divide(sys.argv[2]) if sys.argv[1] == "split" else main(sys.argv[1])
