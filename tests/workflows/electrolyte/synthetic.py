"""A folder as if dynamics had been made: ions that hop with a known barrier along chosen directions."""

import gzip
import json

from hopping import attempt, hopping
from tammann.files import write_text
from tammann.potentials.dataset import Frame, write_dataset
from tammann.structures import Configuration
from tammann.workflows.electrolyte import ElectrolytePlan, run_electrolytes
from tammann.workflows.electrolyte.motion import Run, run_folder

ENERGY_EV = 0.2
TEMPERATURES_K = (600.0, 800.0, 1000.0)
DYNAMICS = {"hot_ps": 260.0, "hot_drop_ps": 10.0, "cold_ps": 360.0, "cold_drop_ps": 10.0, "timestep_fs": 2.0}


def rates(T, faster=(1.0, 1.0, 0.0)):
    return tuple(attempt(T, ENERGY_EV, 2.0 * f) for f in faster)


def walk_of(T, frames):
    return hopping(rates(T), frames=frames, transit_ps=0.2, ions=18, anion="O", temperature_K=T, seed=int(T))


def dump(walk, every):
    """The text of a LAMMPS dump of unwrapped positions."""
    lines = []
    lengths = walk.cells[0].diagonal()
    for k in range(walk.n_frames):
        lines += ["ITEM: TIMESTEP", str(k * every), "ITEM: NUMBER OF ATOMS", str(walk.n_atoms)]
        lines += ["ITEM: BOX BOUNDS pp pp pp", *(f"0.0 {x}" for x in lengths), "ITEM: ATOMS id element xu yu zu"]
        rows = zip(range(1, walk.n_atoms + 1), walk.symbols, walk.positions[k].tolist(), strict=True)
        lines += [f"{n} {s} {x:.4f} {y:.4f} {z:.4f}" for n, s, (x, y, z) in rows]
    return "\n".join(lines) + "\n"


def campaign(folder):
    """Return the plan and the folder of a campaign whose dynamics is there."""
    start = walk_of(800.0, 2)
    structure = Configuration(start.symbols, start.positions[0], start.cells[0])
    write_text(folder / "oxide.extxyz", structure.to_extxyz())
    plan = ElectrolytePlan(
        structures=[str(folder / "oxide.extxyz")],
        potential="ase.calculators.lj:LennardJones",
        temperatures_K=TEMPERATURES_K,
        charges={"Li": 1.0, "O": -2.0},
        dynamics=DYNAMICS,
    )
    out = folder / "out"
    run_electrolytes(plan, out, stages=["orderings"])
    (out / "relaxed").mkdir()
    write_dataset(out / "relaxed" / "oxide-001.extxyz", [Frame(structure)])
    (out / "hull").mkdir()
    write_text(out / "hull" / "selected.json", json.dumps({"selected": ["oxide-001"], "failures": {}}))
    write_text(
        out / "hull" / "hull.csv",
        "structure,formula,atoms,energy_eV_per_atom,above_hull_eV_per_atom,degeneracy,selected\n"
        "oxide-001,Li2O3,45,-1,0.012,1,True\n",
    )
    for T in TEMPERATURES_K:
        place = run_folder(out, Run("oxide-001", T, 1))
        place.mkdir(parents=True)
        frames = round(plan.dynamics.times_ps(T)[0] * 10)
        (place / f"trajectory-{frames * 50}.dump.gz").write_bytes(
            gzip.compress(dump(walk_of(T, frames + 1), 50).encode())
        )
    return plan, out
