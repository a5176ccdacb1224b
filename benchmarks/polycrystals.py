"""Time to build polycrystals and bicrystals of BaZrS3, and a boundary of copper beside aimsgb.

Polycrystals are those of Pasca et al. (J. Mater. Chem. A 2025, 13, 35447) in size: 6 grains with 615,000 atoms, 8 and
50 grains with 313,000. They are built with overlaps removed and every label, compilation left out; checked are whole
formula units and that no two atoms overlap. The Sigma 5 boundary of copper is also built by aimsgb, where that is
installed in this Python or in the one that the variable PEERS_PYTHON names.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from statistics import median

import numpy as np
from record import record

REPEATS = 3
POLYCRYSTALS = {"6 grains": (6, 615_214), "8 grains": (8, 313_449), "50 grains": (50, 312_370)}
PEER = """
import json, time
from aimsgb import Grain, GrainBoundary
from pymatgen.core import Lattice
cu = Grain.from_spacegroup("Fm-3m", Lattice.cubic(3.61), ["Cu"], [[0, 0, 0]])
walls, cpus = [], []
for _ in range(5):
    begin, begin_cpu = time.perf_counter(), time.process_time()
    made = GrainBoundary([0, 0, 1], 5, [1, 2, 0], cu, uc_a=2, uc_b=2).build_gb()
    walls.append(time.perf_counter() - begin)
    cpus.append(time.process_time() - begin_cpu)
print(json.dumps({"wall": sorted(walls)[2], "cpu": sorted(cpus)[2], "atoms": len(made)}))
"""


def timed(build):
    """Median of wall time and of processor time of all threads, s, and what was built."""
    build()  # compiles
    walls, cpus = [], []
    for _ in range(REPEATS):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        made = build()
        walls.append(time.perf_counter() - begin)
        cpus.append(time.process_time() - begin_cpu)
    return median(walls), median(cpus), made


def main() -> None:
    from tammann.structures import Configuration
    from tammann.structures.coincidence import find_coincidences, symmetric_tilt, tilt_plane
    from tammann.structures.crystals import load_crystal
    from tammann.structures.grain_boundary import bicrystal
    from tammann.structures.overlaps import overlap_distances, overlapping_pairs
    from tammann.structures.polycrystal import polycrystal

    crystal = load_crystal("BaZrS3")
    rows = []

    def add(case, build, unit, program="tammann"):
        wall, cpu, made = timed(build)
        configuration = made.configuration
        counts, cell = Counter(configuration.symbols), Counter(unit.symbols)
        assert len({counts[symbol] / cell[symbol] for symbol in cell}) == 1
        assert len(overlapping_pairs(configuration, overlap_distances(unit))[0]) == 0
        rows.append(
            {"case": case, "program": program, "atoms": configuration.n_atoms, "s": wall, "s of processor": cpu}
        )

    for case, (grains, atoms) in POLYCRYSTALS.items():
        # atoms that overlap are about 3 % of all
        edge_A = (1.03 * atoms / crystal.n_atoms * crystal.volume_A3) ** (1 / 3)
        add(
            case,
            lambda edge_A=edge_A, grains=grains: polycrystal(crystal, edges_A=edge_A, grains=grains, rng=1),
            crystal,
        )
    low = symmetric_tilt(crystal.cell_A, (0, 0, 1), angle_deg=1.5)
    add("tilt of 1.5 degrees", lambda: bicrystal(crystal, low, thickness_A=100.0), crystal)
    copper = Configuration(
        ("Cu",) * 4, 1.805 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]), 3.61 * np.eye(3)
    )
    sigma_5 = tilt_plane(copper.cell_A, (0, 0, 1), (2, 1, 0), (2, -1, 0))
    add("Sigma 5 (210) of copper", lambda: bicrystal(copper, sigma_5, thickness_A=15.0), copper)
    done = subprocess.run(
        [os.environ.get("PEERS_PYTHON", sys.executable), "-c", PEER], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        peer = json.loads(done.stdout.splitlines()[-1])
        rows.append(
            {
                "case": "Sigma 5 (210) of copper",
                "program": "aimsgb",
                "atoms": peer["atoms"],
                "s": peer["wall"],
                "s of processor": peer["cpu"],
            }
        )
    wall, cpu, found = timed(
        lambda: find_coincidences(crystal.cell_A, (0, 0, 1), largest_sigma=35, largest_strain=0.01)
    )
    rows.append(
        {"case": f"{len(found)} coincidences up to Sigma 35", "program": "tammann", "atoms": 0, "s": wall,
         "s of processor": cpu}
    )  # fmt: skip
    record("polycrystals", rows)


if __name__ == "__main__":
    main()
