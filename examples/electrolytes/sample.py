"""Write the lowest ordering of each composition, doubled, and frames to begin to learn from.

These are of short hot runs of the lowest orderings under random strain; of all orderings that were relaxed, strained
and rattled: a frame of a run costs dozens of steps of the teacher, a rattled one none, and elements that are rare in
every frame need many. In the crystals metals are 6.4 to 7 Å apart, and lithium almost 4 Å; that they repel each other
nearer than that is told by random cells of the same formulas, by pairs brought close, and by metals in the places of
lithium.

python sample.py out sevennet-0
"""

import sys
from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from tammann.md.ensemble_frames import sample_ensemble
from tammann.md.load import load_engine
from tammann.potentials import load_potential
from tammann.potentials.dataset import DataSet, Frame, read_dataset, write_dataset
from tammann.structures import Configuration, write_structure
from tammann.structures.candidates import antisite, close_pair, random_cell, rattled, repeated, strained
from tammann.workflows.electrolyte import load_electrolytes

TEMPERATURE_K = 1000.0
DURATION_PS, EQUILIBRATION_PS, FRAMES = 0.6, 0.1, 16
STRAIN = 0.02
RANDOM = 30  # cells of each formula
METALS = ("In", "Y")
NEARER = (0.85, 0.75, 0.65, 0.55)  # of the distance of two ions of like charge
NEARER_OPPOSITE = (0.9, 0.8, 0.75, 0.7)  # of ions that touch
ANTISITES = 8  # of each metal in each crystal
RATTLED, RATTLE_A = 20, (0.05, 0.2)  # of each ordering, from the least to the greatest displacement


def displaced(folder: Path) -> DataSet:
    """Return strained and rattled frames of all relaxed orderings."""
    rng, frames = np.random.default_rng(1), []
    for file in sorted(folder.glob("*.extxyz")):
        cell = repeated(read_dataset(file)[0].configuration, (1, 1, 2))
        for displacement_A in np.linspace(*RATTLE_A, RATTLED):
            moved = rattled(strained(cell, limit=STRAIN, rng=rng), displacement_A=float(displacement_A), rng=rng)
            frames.append(Frame(moved, config_type="rattled", trajectory=file.stem))
    return DataSet(tuple(frames))


def random_cells(formulas: Sequence[str]) -> DataSet:
    """Return random cells of each formula."""
    cells = [(f, random_cell(f, atoms=20, rng=seed)) for f in formulas for seed in range(RANDOM)]
    return DataSet(tuple(Frame(cell, config_type="search", trajectory=f"random {f}") for f, cell in cells))


def close_pairs(crystals: Mapping[str, Configuration]) -> DataSet:
    """Return crystals with two ions too close, of all pairs of elements but metals, which have others between them."""
    rng, frames = np.random.default_rng(2), []
    for name, crystal in crystals.items():
        for first, second in combinations_with_replacement(sorted(set(crystal.symbols)), 2):
            if first in METALS and second in METALS:
                continue
            opposite = (first in ("Br", "Cl")) != (second in ("Br", "Cl"))
            for factor in NEARER_OPPOSITE if opposite else NEARER:
                moved = close_pair(rattled(crystal, rng=rng), first, second, factor=factor, rng=rng)
                frames.append(Frame(moved, config_type="close pair", trajectory=f"close pairs of {name}"))
    return DataSet(tuple(frames))


def antisites(crystals: Mapping[str, Configuration]) -> DataSet:
    """Return rattled crystals with a metal in the place of lithium, beside other metals."""
    rng, frames = np.random.default_rng(3), []
    for name, crystal in crystals.items():
        for metal in (m for m in METALS if m in crystal.symbols):
            for displacement_A in np.linspace(*RATTLE_A, ANTISITES):
                changed = antisite(crystal, metal, "Li", rng=rng)
                moved = rattled(strained(changed, limit=STRAIN, rng=rng), displacement_A=float(displacement_A), rng=rng)
                frames.append(Frame(moved, config_type="antisite", trajectory=f"antisites of {name}"))
    return DataSet(tuple(frames))


def main(out: str, potential: str, duration_ps: str = str(DURATION_PS), frames: str = str(FRAMES)) -> None:
    """Write ``out/crystals`` and ``out/frames.extxyz``."""
    found = load_electrolytes(out)
    folder = Path(out, "crystals")
    folder.mkdir(exist_ok=True)
    crystals = {}
    for structure in found.structures:
        composition = structure.rpartition("-")[0]
        relaxed = read_dataset(Path(out, "relaxed", f"{structure}.extxyz"))[0].configuration
        crystals[composition] = repeated(relaxed, (1, 1, 2))
        write_structure(crystals[composition], folder / f"{composition}.extxyz")
    data = sample_ensemble(
        crystals,
        load_potential(potential),
        load_engine("ase"),
        Path(out, "sampling"),
        temperature_K=TEMPERATURE_K,
        frames=int(frames),
        duration_ps=float(duration_ps),
        equilibration_ps=EQUILIBRATION_PS,
        strain_limit=STRAIN,
        timestep_fs=2.0,
        seed=1,
    )
    faulty = close_pairs(crystals) + antisites(crystals)
    still = displaced(Path(out, "relaxed")) + random_cells(data.formulas) + faulty
    write_dataset(Path(out, "frames.extxyz"), data + still)


if __name__ == "__main__":
    main(*sys.argv[1:])
