"""Reading a LAMMPS dump: MB of text per second, and how far memory rises above what the process held before.

A walk of 320 atoms (and one of 20,000) is written with six digits, with seventeen, and compressed. Every reader goes
through the file in a process of its own, after a few frames that load all code, and ends with all positions in one
array: tammann unwrapped and sorted by id, MDAnalysis (single precision) and ASE as they give them. These two read the
uncompressed dumps of six digits, where they are installed.
"""

import gzip
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
from memory import held, highest
from record import record

REPEATS = 3
READERS = {"tammann": "tammann", "MDAnalysis": "MDAnalysis", "ASE": "ase"}
CASES = {
    "320 atoms, 6 digits": (320, 3000, "%.6g", ""),
    "320 atoms, 17 digits": (320, 2000, "%.17g", ""),
    "320 atoms, 6 digits, gzip": (320, 3000, "%.6g", ".gz"),
    "20,000 atoms, 6 digits": (20_000, 48, "%.6g", ""),
}


def write(path: Path, atoms: int, frames: int, form: str) -> int:
    """Write a dump; give the bytes of its text."""
    rng = np.random.default_rng(1)
    edge_A = 2.5 * atoms ** (1 / 3)
    x = rng.random((atoms, 3)) * edge_A
    row = f"%d %d {form} {form} {form} \n"
    length = 0
    with gzip.open(path, "wt", compresslevel=4) if path.suffix == ".gz" else open(path, "w") as file:
        for k in range(frames):
            x += rng.normal(scale=0.1, size=x.shape)
            numbers = [v for i, now in enumerate(x.tolist(), start=1) for v in (i, i % 3 + 1, *now)]
            box = f"0 {edge_A}\n" * 3
            text = (
                f"ITEM: TIMESTEP\n{100 * k}\nITEM: NUMBER OF ATOMS\n{atoms}\nITEM: BOX BOUNDS pp pp pp\n{box}"
                f"ITEM: ATOMS id type xu yu zu \n" + row * atoms % tuple(numbers)
            )
            length += file.write(text)
    return length


def read(reader: str, path: Path, stop: int | None) -> np.ndarray:
    if reader == "tammann":
        from tammann.trajectory import read_trajectory

        return read_trajectory(path, timestep_fs=1.0, types=("Ba", "Ti", "O"), stop=stop).positions
    if reader == "MDAnalysis":
        import MDAnalysis

        universe = MDAnalysis.Universe(str(path), format="LAMMPSDUMP", lammps_coordinate_convention="unwrapped")
        return np.array([frame.positions.copy() for frame in universe.trajectory[:stop]])
    import ase.io

    frames = ase.io.iread(path, index=slice(0, stop), format="lammps-dump-text")
    return np.array([atoms.positions for atoms in frames])


def measured(reader: str, path: Path) -> dict[str, float]:
    warnings.simplefilter("ignore")
    read(reader, path, 3)
    before = held()
    begin, begin_cpu = time.perf_counter(), time.process_time()
    positions = read(reader, path, None)
    return {
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - begin_cpu,
        "rise": highest() - before,
        "positions": positions.nbytes,
    }


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case, (atoms, frames, form, suffix) in CASES.items():
            path = Path(folder) / f"walk.dump{suffix}"
            length = write(path, atoms, frames, form)
            for reader, package in READERS.items():
                elsewhere = reader != "tammann"
                if importlib.util.find_spec(package) is None or (elsewhere and (suffix or form != "%.6g")):
                    continue
                words = [sys.executable, __file__, reader, str(path)]
                runs = [
                    json.loads(subprocess.run(words, capture_output=True, text=True, check=True, timeout=300).stdout)
                    for _ in range(1 if elsewhere else REPEATS)
                ]
                speeds = sorted(length / 1e6 / run["seconds"] for run in runs)
                rows.append(
                    {
                        "dump": case,
                        "MB of text": round(length / 1e6),
                        "reader": reader,
                        "MB/s": round(median(speeds), 1),
                        "slowest": round(speeds[0], 1),
                        "fastest": round(speeds[-1], 1),
                        "MB/s of processor time": round(median(length / 1e6 / run["cpu_seconds"] for run in runs), 1),
                        "memory rises by, MB": round(max(run["rise"] for run in runs) / 1e6),
                        "of which positions, MB": round(runs[0]["positions"] / 1e6),
                    }
                )
            path.unlink()
    record("reading", rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
