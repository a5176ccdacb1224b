"""Time to count, enumerate, sample and rank orderings, beside SHRY, bsym and pymatgen.

Blocks of 2x3x4 cells of a primitive orthorhombic and an fcc lattice with half of their 24 sites occupied, a smaller one
of 16 sites, and Li3In0.5Y0.5Br3Cl3 in its conventional cell (three sublattices at once). Every program runs in a
process of its own, and once on a block of 4 sites before the clock starts. Peers are measured where they are installed,
or by the Python that the variable PEERS names. Electrostatic energies are those of the orderings of the last block: by
one matrix, and by pymatgen's EwaldSummation for each structure. Times are those of the processor.
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS = {"tammann": "tammann", "SHRY": "shry", "bsym": "bsym", "pymatgen": "pymatgen"}
SMALL = ([[3, 0, 0], [0, 4, 0], [0, 0, 5]], (1, 2, 2))
BLOCKS = {
    "orthorhombic 2x2x4, 8 of 16": ([[3, 0, 0], [0, 4, 0], [0, 0, 5]], (2, 2, 4)),
    "orthorhombic 2x3x4, 12 of 24": ([[3, 0, 0], [0, 4, 0], [0, 0, 5]], (2, 3, 4)),
    "fcc 2x3x4, 12 of 24": ([[0, 2, 2], [2, 0, 2], [2, 2, 0]], (2, 3, 4)),
}
HALIDE = "Li3In0.5Y0.5Br3Cl3, 20 atoms"
PARTS = {
    "tammann": [*BLOCKS, HALIDE, "energies", "matrix", "sampled"],
    "SHRY": list(BLOCKS),
    "bsym": ["orthorhombic 2x2x4, 8 of 16", "orthorhombic 2x3x4, 12 of 24"],
    "pymatgen": ["energies"],
}


def halide() -> Any:
    from tammann.structures.ordering import disordered_crystal

    mixed = {"Br": 0.5, "Cl": 0.5}
    sites = {
        "M": ({"In": 0.5, "Y": 0.5}, (0, 0, 0)),
        "Li1": ({"Li": 1.0}, (0, 1 / 3, 0)),
        "Li2": ({"Li": 0.5}, (0, 1 / 6, 1 / 2)),
        "X1": (mixed, (1 / 4, 0, 3 / 4)),
        "X2": (mixed, (1 / 4, 1 / 6, 1 / 4)),
    }
    return disordered_crystal("C2/m", (6.890, 11.916, 6.842, 90, 109.77, 90), sites)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    out = function()
    return time.process_time() - begun, out


def with_tammann(task: str) -> dict[str, Any]:
    from tammann.structures import ordering as o

    def block(lattice: Any, repeat: Any) -> Any:
        site = o.DisorderedStructure(
            np.array(lattice, float), [[0, 0, 0]], ({"Cu": 0.5, "Au": 0.5},), ("M",), {"Cu": 0, "Au": 0}
        )
        return o.ordering_block(site, repeat)

    o.enumerate_orderings(block(*SMALL))
    if task in BLOCKS:
        whole = block(*BLOCKS[task])
        counting, count = timed(lambda: o.count_orderings(whole))
        seconds, found = timed(lambda: o.enumerate_orderings(whole))
        assert int(found.degeneracies.sum()) == count.raw
        return {"seconds": seconds, "of": len(found), "what": f"enumerated (counted in {1e3 * counting:.1f} ms)"}
    cell = o.ordering_block(halide())
    found = o.enumerate_orderings(cell)
    energies = o.ewald_energies(cell)
    if task == HALIDE:
        seconds, found = timed(lambda: o.enumerate_orderings(o.ordering_block(halide())))
        return {"seconds": seconds, "of": len(found), "what": "enumerated, symmetry included"}
    if task == "matrix":
        seconds, _ = timed(lambda: o.ewald_energies(cell))
        return {"seconds": seconds, "of": 1, "what": "Ewald matrix of 22 sites"}
    if task == "sampled":
        large = o.ordering_block(halide(), (2, 2, 2))
        o.sample_orderings(large, 10, rng=1)
        seconds, found = timed(lambda: o.sample_orderings(large, 10_000, rng=2))
        return {
            "seconds": seconds,
            "of": len(found),
            "what": "drawn on 144 sites, made canonical under 64 operations",
        }
    many = np.tile(found.arrangements, (200, 1))
    energies.energies_eV(many[:10])
    seconds, _ = timed(lambda: energies.energies_eV(many))
    return {"seconds": seconds, "of": len(many), "what": "Ewald energies"}


def with_shry(task: str) -> dict[str, Any]:
    import shry
    from pymatgen.core import Structure

    def substitutor(lattice: Any, repeat: Any) -> Any:
        return shry.Substitutor(Structure(lattice, [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]]) * repeat)

    list(substitutor(*SMALL).weights())
    seconds, weights = timed(lambda: list(substitutor(*BLOCKS[task]).weights()))
    return {"seconds": seconds, "of": len(weights), "what": "enumerated"}


def with_bsym(task: str) -> dict[str, Any]:
    from bsym.interface.pymatgen import unique_structure_substitutions
    from pymatgen.core import Structure

    lattice, repeat = BLOCKS[task]
    structure = Structure(lattice, ["Cu"], [[0, 0, 0]]) * repeat
    n = len(structure) // 2
    seconds, found = timed(lambda: unique_structure_substitutions(structure, "Cu", {"Cu": n, "Au": n}))
    return {"seconds": seconds, "of": len(found), "what": "enumerated"}


def with_pymatgen(task: str) -> dict[str, Any]:
    from pymatgen.analysis.ewald import EwaldSummation

    from tammann.structures import ordering as o

    cell = o.ordering_block(halide())
    structures = []
    for atoms in o.sample_orderings(cell, 20, rng=1):
        structure = atoms.to_pymatgen()
        structure.add_oxidation_state_by_element({"Li": 1, "In": 3, "Y": 3, "Br": -1, "Cl": -1})
        structures.append(structure)
    _ = EwaldSummation(structures[0]).total_energy
    seconds, _ = timed(lambda: [EwaldSummation(structure).total_energy for structure in structures])
    return {"seconds": seconds, "of": len(structures), "what": "Ewald energies"}


def main() -> None:
    from record import record

    rows = []
    for program, tasks in PARTS.items():
        for task in tasks:
            theirs = program in ("SHRY", "bsym")
            if theirs and "PEERS" not in os.environ and importlib.util.find_spec(PROGRAMS[program]) is None:
                continue
            python = os.environ.get("PEERS", sys.executable) if theirs else sys.executable
            done = subprocess.run([python, __file__, program, task], capture_output=True, text=True, timeout=600)
            if done.returncode:
                print(f"{program}, {task}: ended with {done.returncode} {done.stderr[-300:]}")
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            rows.append(
                {
                    "program": program,
                    "block": task if task in BLOCKS or task == HALIDE else HALIDE,
                    "what": found["what"],
                    "number": found["of"],
                    "seconds": round(found["seconds"], 4),
                    "per second": round(found["of"] / max(found["seconds"], 1e-9)),
                }
            )
    record("orderings", rows)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        warnings.simplefilter("ignore")
        run = {"tammann": with_tammann, "SHRY": with_shry, "bsym": with_bsym, "pymatgen": with_pymatgen}
        print(json.dumps(run[sys.argv[1]](sys.argv[2])))
    else:
        main()
