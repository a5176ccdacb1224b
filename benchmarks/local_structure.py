"""Local structure of a large box: all partial g(r), and neighbours within 5 Å, beside freud, ASE and matscipy.

A disordered BaZrS3 of 310,000 atoms (the crystal repeated, its atoms moved at random by 0.3 Å along each axis) and one
of 10,240. Every program runs in a process of its own, given the same positions, and once before the clock starts on a
small box. Peers are measured where they are installed, or by the Python that the variable PEERS names. freud has no
partial g(r), so it counts each of the six pairs of elements by a query of its own, on the small box alone. Times are
those of the processor on all cores, and by the clock.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CELL_A = np.array([6.96228, 7.08885, 9.96352])
SITES = (
    ("Zr", (0.0, 0.0, 0.0)),
    ("Ba", (0.48884, 0.95159, 0.25)),
    ("S", (0.43869, 0.49600, 0.75)),
    ("S", (0.70948, 0.78991, 0.53238)),
)
RANGES_A, BIN_A, NEAR_A = {10_240: 20.0, 310_000: 30.0}, 0.02, 5.0
PROGRAMS = {"tammann": "tammann", "freud": "freud", "ASE": "ase", "matscipy": "matscipy"}


def box(atoms: int, path: Path) -> None:
    """Write positions, edges and kinds (0 Ba, 1 Zr, 2 S) of a disordered box."""
    from ase.spacegroup import crystal

    a, b, c = CELL_A  # the axes b, c, a of Pbnm are those of Pnma
    standard = [(y, z, x) for _, (x, y, z) in SITES]
    cell = crystal([s for s, _ in SITES], standard, spacegroup=62, cellpar=[b, c, a, 90, 90, 90])
    repeats = {10_240: (8, 8, 8), 310_000: (25, 20, 31)}[atoms]
    cell = cell.repeat(repeats)
    rng = np.random.default_rng(1)
    x = cell.positions + rng.normal(scale=0.3, size=cell.positions.shape)
    edges = cell.cell.lengths()
    kinds = np.array([("Ba", "Zr", "S").index(s) for s in cell.get_chemical_symbols()])
    np.savez(path, x=x % edges, edges=edges, kinds=kinds)


def distribution(
    program: str, x: np.ndarray, edges: np.ndarray, kinds: np.ndarray, threads: int, range_A: float
) -> float:
    """Count all partials; return the number of Zr-S pairs in reach, on which programs must agree."""
    bins = round(range_A / BIN_A)
    if program == "tammann":
        from tammann.structures.pairs import count_pairs

        counts = count_pairs(x, np.diag(edges), kinds, 3, cutoff_A=range_A, bins=bins, threads=threads)
        return float(counts[1, 2].sum())
    import freud

    freud.parallel.set_num_threads(threads)
    whole = freud.box.Box(*edges)
    centred = x - edges / 2.0
    pairs = 0.0
    for a in range(3):
        for b in range(a, 3):
            rdf = freud.density.RDF(bins=bins, r_max=range_A)
            rdf.compute((whole, centred[kinds == a]), query_points=centred[kinds == b] if a != b else None)
            if (a, b) == (1, 2):
                pairs = float(rdf.n_r[-1] * (kinds == 2).sum())
    return pairs


def neighbours(program: str, x: np.ndarray, edges: np.ndarray, threads: int) -> float:
    """List all neighbours within 5 Å; return their number."""
    if program == "tammann":
        from tammann.structures.pairs import find_pairs

        return float(len(find_pairs(x, np.diag(edges), cutoff_A=NEAR_A, threads=threads).indices))
    if program == "freud":
        import freud

        freud.parallel.set_num_threads(threads)
        query = freud.locality.AABBQuery(freud.box.Box(*edges), x - edges / 2.0)
        return float(len(query.query(x - edges / 2.0, {"r_max": NEAR_A, "exclude_ii": True}).toNeighborList()))
    from ase import Atoms

    atoms = Atoms(f"H{len(x)}", positions=x, cell=edges, pbc=True)
    if program == "ASE":
        from ase.neighborlist import neighbor_list
    else:
        from matscipy.neighbours import neighbour_list as neighbor_list
    return float(len(neighbor_list("ijD", atoms, NEAR_A)[0]))


def measured(program: str, task: str, path: str, threads: int) -> dict[str, float]:
    data = np.load(path)
    x, edges, kinds = data["x"], data["edges"], data["kinds"]
    small = np.all(x < 31.0, axis=1)
    work = {"g(r)": lambda *a: distribution(program, *a, threads, RANGES_A.get(len(kinds), 20.0)),
            "neighbours": lambda x, edges, kinds: neighbours(program, x, edges, threads)}[task]  # fmt: skip
    work(x[small], np.full(3, 62.0), kinds[small])
    begin, begin_cpu = time.perf_counter(), time.process_time()
    pairs = work(x, edges, kinds)
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - begin_cpu, "pairs": pairs}


def main() -> None:
    from record import record

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for atoms in (10_240, 310_000):
            path = Path(folder) / f"{atoms}.npz"
            box(atoms, path)
            for task, programs in (("g(r)", ("tammann", "freud")), ("neighbours", tuple(PROGRAMS))):
                for program in programs:
                    if (program, task, atoms) == ("freud", "g(r)", 310_000):
                        continue  # many minutes
                    alone = program not in ("tammann", "freud")
                    for threads in (1,) if alone else (min(2, cores),) if program == "freud" else (1, min(2, cores)):
                        if (
                            program != "tammann"
                            and "PEERS" not in os.environ
                            and (importlib.util.find_spec(PROGRAMS[program]) is None)
                        ):
                            continue
                        python = sys.executable if program == "tammann" else os.environ.get("PEERS", sys.executable)
                        words = [python, __file__, program, task, str(path), str(threads)]
                        done = subprocess.run(words, capture_output=True, text=True, timeout=600)
                        if done.returncode:
                            print(f"{program}, {task}, {atoms}: ended with {done.returncode} {done.stderr[-300:]}")
                            continue
                        found = json.loads(done.stdout)
                        rows.append(
                            {
                                "what": f"all g(r) to {RANGES_A[atoms]:g} Å"
                                if task == "g(r)"
                                else f"pairs to {NEAR_A:g} Å",
                                "atoms": atoms,
                                "program": program,
                                "threads": threads,
                                "seconds": round(found["seconds"], 2),
                                "seconds of processor time": round(found["cpu"], 2),
                                "pairs found": int(found["pairs"]),
                            }
                        )
    record("local_structure", rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(*sys.argv[1:4], int(sys.argv[4]))))
    else:
        main()
