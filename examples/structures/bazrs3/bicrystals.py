"""Make two small bicrystals, unrelaxed, for active learning to know what atoms at boundaries meet.

python bicrystals.py CRYSTAL FOLDER
"""

import sys
from pathlib import Path

from tammann.files import write_text
from tammann.structures.coincidence import symmetric_tilt
from tammann.structures.crystals import load_crystal
from tammann.structures.grain_boundary import bicrystal

ANGLES_DEG = 37.0, 53.0


def main(crystal: str, folder: str) -> None:
    """Write the bicrystals."""
    grain = load_crystal(crystal)
    for angle_deg in ANGLES_DEG:
        plane = symmetric_tilt(grain.cell_A, (0, 0, 1), angle_deg=angle_deg, tolerance_deg=2.0)
        made = bicrystal(grain, plane, thickness_A=10.0, shift=(0.25, 0.25), gap_A=0.3)
        write_text(Path(folder, f"bicrystal-{angle_deg:.0f}.extxyz"), made.configuration.to_extxyz())


if __name__ == "__main__":
    main(*sys.argv[1:3])
