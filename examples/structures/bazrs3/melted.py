"""Take the melt of lowest energy that active learning has labelled: what the glasses start from.

A packing of thousands of atoms at random is beyond the training data, whose random cells are small, and a crystal
without surfaces does not melt in picoseconds. Images of this small melt forget each other in the large box.

python melted.py out/active out/melted.extxyz
"""

import sys
from pathlib import Path

from tammann.files import write_text
from tammann.potentials.dataset import read_dataset


def main(active: str, target: str) -> None:
    """Write the atoms."""
    frames = [f for file in sorted(Path(active).glob("round-*/labelled.xyz")) for f in read_dataset(file)]
    melts = [f for f in frames if f.config_type == "melt" and f.trajectory.startswith("round-")]
    lowest = min(melts, key=lambda f: f.energy_eV / f.n_atoms)
    write_text(target, lowest.configuration.to_extxyz())


if __name__ == "__main__":
    main(*sys.argv[1:3])
