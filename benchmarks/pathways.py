"""Densities and jumps of mobile ions: the density on a grid beside GEMDAT, then sites, jumps and percolation.

Synthetic ions that hop on a simple cubic lattice of 4 Å: 256 ions, 512 sites, 10,000 frames, a grid of 0.2 Å. Every
program runs in a process of its own, on the same positions, once before the clock starts on a few frames. GEMDAT is
measured where it is installed, or by the Python that the variable PEERS names; its density is a histogram, so ours is
timed without and with the Gaussian. Times are those of the processor.

    python benchmarks/pathways.py
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

IONS, SITES, SPACING_A, FRAMES, GRID_A = 256, 8, 4.0, 10_000, 0.2


def positions(path: Path) -> None:
    """Write unwrapped positions of ions that hop, Å, and the edge of the cube."""
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[np.arange(SITES)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    place = grid[rng.permutation(len(grid))[:IONS]]
    steps = np.zeros((FRAMES, IONS, 3))
    hops = rng.random((FRAMES, IONS)) < 0.02
    axis, sign = rng.integers(0, 3, hops.sum()), rng.choice([-1, 1], hops.sum())
    steps[(*np.nonzero(hops), axis)] = sign
    where = place + steps.cumsum(axis=0)
    # half a hop later half way: what leads from site to site is seen
    between = np.concatenate([where[:1], 0.5 * (where[1:] + where[:-1])])
    paths = np.where((steps != 0).any(axis=-1, keepdims=True), between, where) * SPACING_A
    np.savez(path, x=paths + rng.normal(scale=0.3, size=paths.shape), edge=SITES * SPACING_A)


def density(program: str, x: np.ndarray, edge: float) -> np.ndarray:
    """Return counts on the grid."""
    if program == "GEMDAT":
        from gemdat import Trajectory, trajectory_to_volume
        from pymatgen.core import Lattice, Species

        walk = Trajectory(
            species=[Species("Li", 1)] * x.shape[1],
            coords=(x / edge) % 1.0,
            lattice=Lattice.cubic(edge),
            time_step=1e-13,
        )
        return np.asarray(trajectory_to_volume(walk, resolution=GRID_A).data)
    from tammann.characterization import ion_density

    return np.asarray(ion_density(_walk(x, edge), "Li", spacing_A=GRID_A, smoothing_A=0.0).values_per_A3)


def _walk(x: np.ndarray, edge: float):  # type: ignore[no-untyped-def]
    from tammann.trajectory import Trajectory

    return Trajectory(("Li",) * x.shape[1], x, edge * np.eye(3)[None], 0.1, temperature_K=800.0)


def timed(program: str, file: str) -> dict[str, float]:
    """Measure one program, in this process."""
    with np.load(file) as arrays:
        x, edge = arrays["x"], float(arrays["edge"])
    density(program, x[:20], edge)
    begin = time.process_time()
    found = density(program, x, edge)
    out = {"density_s": time.process_time() - begin, "voxels": found.size}
    if program == "tammann":
        from tammann.characterization import find_jumps, find_sites, ion_density, percolation_thresholds

        walk = _walk(x, edge)
        for name, frames in (("warm", 200), ("timed", FRAMES)):  # compiled before
            part = walk.frames(0, frames)
            clocks = [time.process_time()]
            smooth = ion_density(part, "Li", spacing_A=GRID_A, smoothing_A=0.25)
            clocks.append(time.process_time())
            sites = find_sites(smooth)
            clocks.append(time.process_time())
            jumps = find_jumps(part, sites)
            clocks.append(time.process_time())
            percolation_thresholds(sites)
            clocks.append(time.process_time())
            if name == "timed":
                parts = ("smoothed_s", "sites_s", "jumps_s", "percolation_s")
                out |= dict(zip(parts, np.diff(clocks).tolist(), strict=True))
                out |= {"sites": len(sites), "jumps": len(jumps)}
    return out


def main() -> None:
    """Measure all programs that there are, and record them."""
    from record import record

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "x.npz")
        positions(file)
        for program, package in (("tammann", "tammann"), ("GEMDAT", "gemdat")):
            python = sys.executable if importlib.util.find_spec(package) else os.environ.get("PEERS", "")
            if not python:
                continue
            done = subprocess.run(
                [python, "-W", "ignore", __file__, program, str(file)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{program}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                continue
            rows.append({"program": program, "ions": IONS, "frames": FRAMES} | json.loads(done.stdout.splitlines()[-1]))
    columns = dict.fromkeys(name for row in rows for name in row)
    record("pathways", [{name: row.get(name, "") for name in columns} for row in rows])


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(timed(*sys.argv[1:3])))
    else:
        main()
