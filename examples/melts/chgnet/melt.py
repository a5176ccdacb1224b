"""Molten BaTi2O5 at 2000 K with CHGNet and with pedone-2006 at the same density: python melt.py FOLDER MINUTES.

Writes g_of_r.csv and comparison.json beside itself. CHGNet takes 0.3 s a step on one core, so its run is a few ps;
another call with the same folder makes it longer.
"""

import contextlib
import csv
import json
import sys
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np

from tammann import __version__
from tammann.characterization import coordination_numbers, pair_distribution
from tammann.md.conditions import Conditions
from tammann.md.load import load_engine
from tammann.potentials import pedone_2006
from tammann.potentials.calculators import chgnet
from tammann.structures import random_packing
from tammann.trajectory import read_trajectory

lammps, ase = load_engine("lammps"), load_engine("ase")
out, minutes = Path(sys.argv[1]), float(sys.argv[2])
until = time.monotonic() + 60 * minutes
hot, melt = Conditions(3000.0), Conditions(2000.0)
density_g_per_cm3 = 4.82 - 0.0004 * 2000.0  # measured up to 1830 K and drawn on, Alderman 2016
volume_A3 = 8 * 313.056 / (0.602214076 * density_g_per_cm3)
ions = pedone_2006()
start = random_packing("BaTi2O5", atoms=64, volume_per_atom_A3=volume_A3 / 64, rng=1)
start = lammps.run(lammps.relax(start, ions), ions, hot, duration_ps=10.0, rng=1).configuration

# pedone-2006, as long as it likes
cooled = lammps.run(start, ions, hot, duration_ps=10.0, final_temperature_K=2000.0, rng=2).configuration
settled = lammps.run(cooled, ions, melt, duration_ps=10.0, rng=3).configuration
lammps.produce(settled, ions, melt, out / "pedone-2006", duration_ps=200.0, frame_fs=100.0, sample_fs=20.0, rng=4)

# CHGNet from the same hot melt, first hot so that it forgets where it came from
file = out / "settled.npz"
if not file.exists():
    hotter = ase.run(replace(start, velocities_A_per_ps=None), chgnet(), hot, duration_ps=1.0, rng=1)
    cooled = ase.run(hotter.configuration, chgnet(), hot, duration_ps=0.5, final_temperature_K=2000.0, rng=2)
    settled = ase.run(cooled.configuration, chgnet(), melt, duration_ps=0.5, rng=3).configuration
    np.savez(file, x=settled.positions_A, v=settled.velocities_A_per_ps)
held = np.load(file)
settled = replace(start, positions_A=held["x"], velocities_A_per_ps=held["v"])
PRODUCTION = {"frame_fs": 20.0, "sample_fs": 20.0, "rng": 4}


def stop_in_time(_):
    """End the run when the minutes are over."""
    if time.monotonic() > until:
        raise TimeoutError


with contextlib.suppress(TimeoutError):
    ase.produce(settled, chgnet(), melt, out / "chgnet", duration_ps=8.0, progress=stop_in_time, **PRODUCTION)
steps = max(int(file.stem.partition("-")[2]) for file in (out / "chgnet").glob("restart-*.bin"))
ase.produce(settled, chgnet(), melt, out / "chgnet", duration_ps=steps * 0.002, **PRODUCTION)  # as far as it has come


def displacement(trajectory, symbol):
    """Root mean square in 2 ps, Å."""
    x = trajectory.positions[:, trajectory.atoms_of(symbol)]
    lag = round(2.0 / trajectory.frame_interval_ps)
    return round(float(np.sqrt(((x[lag:] - x[:-lag]) ** 2).sum(axis=2).mean())), 2)


pairs = [("Ti", "O"), ("Ba", "O"), ("O", "O"), ("Ti", "Ti"), ("Ba", "Ti")]
found, curves = {}, {}
for name in ("pedone-2006", "chgnet"):
    trajectory = read_trajectory(next((out / name).glob("trajectory-*")), timestep_fs=2.0, temperature_K=2000.0)
    stress = np.load(next((out / name).glob("stress-*.npy")))
    shells = coordination_numbers(trajectory, pairs[:2])
    alike = coordination_numbers(trajectory, [("Ti", "O")], cutoffs_A={("Ti", "O"): 2.6})[0]
    found[name] = {
        "duration_ps": trajectory.duration_ps,
        "temperature_K": round(float(stress[:, 0].mean()), 1),
        "pressure_GPa": round(float(stress[:, 2:5].mean()), 2),
        "coordination": {
            f"{c.centre}-{c.neighbour}": {
                "mean": round(c.mean, 2),
                "stderr": round(c.stderr, 2),
                "cutoff_A": round(c.cutoff_A, 2),
                "nearest_A": round(c.nearest_A, 2),
            }
            for c in shells
        },
        "Ti-O within 2.6 A": {"mean": round(alike.mean, 2), "stderr": round(alike.stderr, 2)},
        "rms_displacement_in_2_ps_A": {symbol: displacement(trajectory, symbol) for symbol in trajectory.species},
    }
    distribution = pair_distribution(trajectory, bin_A=0.1)
    r = distribution.r_A
    curves |= {(name, pair): distribution.g(*pair) for pair in pairs}
head = {
    "made by": "examples/melts/chgnet/melt.py",
    "versions": {"tammann": __version__} | {p: metadata.version(p) for p in ("lammps", "chgnet", "torch", "ase")},
    "sources": [ions.source, chgnet().source],
    "melt": "BaTi2O5, 64 atoms, 2000 K, constant volume, Nose-Hoover chain, steps of 2 fs",
    "density_g_per_cm3": round(density_g_per_cm3, 3),
    "measured Ti-O coordination": "5.4 - 3.5e-4 T (1300 to 1830 K, drawn on to 2000 K: 4.7; Alderman 2016)",
}
here = Path(__file__).parent
(here / "comparison.json").write_text(json.dumps(head | found, indent=1) + "\n", encoding="utf-8")
with (here / "g_of_r.csv").open("w", newline="", encoding="utf-8") as opened:
    table = csv.writer(opened, lineterminator="\n")
    table.writerow(["r_A", *(f"{a}-{b} {name}" for name, (a, b) in curves)])
    table.writerows([f"{x:.2f}", *(f"{g[k]:.3f}" for g in curves.values())] for k, x in enumerate(r))
