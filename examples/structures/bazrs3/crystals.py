"""Relax the crystal of BaZrS3 and its cell with a potential: what every structure of this example starts from.

python crystals.py POTENTIAL FILE
"""

import sys

from tammann.files import write_text
from tammann.potentials import load_potential
from tammann.potentials.calculators import calculator_of
from tammann.potentials.crystals import relax_crystal
from tammann.structures.crystals import load_crystal


def main(potential: str, target: str) -> None:
    """Write the crystal."""
    crystal, converged = relax_crystal(calculator_of(load_potential(potential)), load_crystal("BaZrS3"))
    if not converged:
        raise SystemExit(f"{potential}: the crystal of BaZrS3 does not come to rest")
    write_text(target, crystal.to_extxyz())


if __name__ == "__main__":
    main(*sys.argv[1:3])
