"""Gather the glasses and boundaries that the example made, for SevenNet-0 to say how right the fit was there.

python checks.py out out/checks.extxyz
"""

import sys
from pathlib import Path

from tammann.files import write_text
from tammann.potentials.frames import Frame, to_extxyz
from tammann.structures import Configuration
from tammann.structures.crystals import load_crystal
from tammann.workflows.grain_boundaries import load_grain_boundaries
from tammann.workflows.quenching import load_quenching

MOST_ATOMS = 1700  # SevenNet-0 takes 10 s and 4 GB for these


def main(out: str, target: str) -> None:
    """Write one frame of each."""
    frames = []

    def add(configuration: Configuration, kind: str, name: str) -> None:
        bare = Configuration(configuration.symbols, configuration.positions_A, configuration.cell_A)
        frames.append(Frame(bare, config_type=kind, trajectory=name))

    for (rate, seed), quench in load_quenching(Path(out, "rates")).quenches.items():
        add(quench.configuration, "glass", f"{rate:g} K/ps, {seed}")
    (annealed,) = load_quenching(Path(out, "anneal")).quenches.values()
    add(annealed.configuration, "annealed glass", "anneal")
    boundaries = load_grain_boundaries(Path(out, "boundaries"))
    for name in boundaries.states:
        configuration = boundaries.configuration(name)
        if configuration.n_atoms <= MOST_ATOMS:
            add(configuration, "boundary", name)
    add(load_crystal(Path(out, "crystal-ace.extxyz")), "crystal", "crystal")
    write_text(target, "".join(to_extxyz(frame) for frame in frames))


if __name__ == "__main__":
    main(*sys.argv[1:3])
