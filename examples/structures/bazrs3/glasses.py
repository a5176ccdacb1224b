"""Take frames of the first glasses, at 300 K and warmed, for SevenNet-0 to label.

Grades are low in what a quench ends in, so that active learning selects hardly any of it.

python glasses.py FOLDER_OF_QUENCHES POTENTIAL FILE
"""

import sys

import numpy as np

from tammann.files import write_text
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.potentials import load_potential
from tammann.potentials.frames import Frame, to_extxyz
from tammann.structures import Configuration
from tammann.workflows.quenching import load_quenching

WARMED_K = 600.0, 1200.0


def main(quenches: str, potential_file: str, target: str) -> None:
    """Write three frames of each glass."""
    potential, engine, frames = load_potential(potential_file), load_engine("ase"), []
    for (rate, seed), quench in load_quenching(quenches).quenches.items():
        last = quench.configuration
        for temperature_K in (None, *WARMED_K):
            if temperature_K is not None:
                rng = np.random.default_rng([int(rate), seed, int(temperature_K)])
                conditions = Conditions(temperature_K, 2.0, "nose-hoover", 100.0)
                last = engine.run(last, potential, conditions, duration_ps=1.0, rng=rng).configuration
            bare = Configuration(last.symbols, last.positions_A, last.cell_A)
            frames.append(Frame(bare, config_type="glass", trajectory=f"quench-{rate:g}-{seed}"))
    write_text(target, "".join(to_extxyz(frame) for frame in frames))


if __name__ == "__main__":
    main(*sys.argv[1:4])
