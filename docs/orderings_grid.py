"""Energies of orderings of Li3(In,Y)(Br,Cl)6 with CHGNet, and the figures of the page on orderings.

    python docs/orderings_grid.py FOLDER [compute]

With ``compute`` the orderings are relaxed in FOLDER, which takes a few minutes on one core and can be resumed, and
docs/orderings-grid.json is written. Without it the figures are drawn from that file.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tammann.md.relaxation_batch import relax_batch
from tammann.plot import save_figure
from tammann.plot.orderings import plot_composition_map, plot_formation_energies
from tammann.potentials import load_potential
from tammann.structures.ordering import (
    disordered_crystal,
    enumerate_orderings,
    ordering_block,
    select_orderings,
    with_ewald,
)
from tammann.thermo.composition_hull import composition_hull

DOCS = Path(__file__).parent
RESULTS = DOCS / "orderings-grid.json"
METALS = (0.0, 0.5, 1.0)
ANIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
EACH = 2
"""Orderings relaxed of each composition."""


def host(y: float, br: float):
    """Li3In(1-y)Y(y)Br(6br)Cl(6-6br) in the cell of Li3ErBr6, anions in cubic closest packing."""
    anions = {"Br": br, "Cl": 1.0 - br}
    return disordered_crystal(
        "C2/m",
        (6.890, 11.916, 6.842, 90, 109.77, 90),
        {
            "M": ({"In": 1.0 - y, "Y": y}, (0, 0, 0)),
            "Li1": ({"Li": 1.0}, (0, 1 / 3, 0)),
            "Li2": ({"Li": 0.5}, (0, 1 / 6, 1 / 2)),
            "X1": (anions, (1 / 4, 0, 3 / 4)),
            "X2": (anions, (1 / 4, 1 / 6, 1 / 4)),
        },
    )


def compute(folder: Path) -> None:
    """Relax the orderings and write their energies."""
    structures, rows = {}, []
    for y in METALS:
        for br in ANIONS:
            found = with_ewald(enumerate_orderings(ordering_block(host(y, br))))
            kept = found.lowest(EACH, rng=1)
            for k in range(len(kept)):
                name = f"Y{y:g}-Br{br:g}-{k}"
                structures[name] = kept.configuration(k)
                row = {"name": name, "degeneracy": int(kept.degeneracies[k]), "ewald_eV": float(kept.energies_eV[k])}
                rows.append({**row, "y": y, "br": br, "distinct": found.count.distinct, "raw": found.count.raw})

    # one ordering of every composition first
    structures = dict(sorted(structures.items(), key=lambda pair: pair[0].rpartition("-")[2]))

    def tell(done: float, what: str, temperature: float | None) -> None:
        print(f"{done:.2f} {what}", flush=True)

    batch = relax_batch(
        structures, load_potential("chgnet"), folder, force_eV_per_A=0.05, steps=200, rattle_A=0.02, progress=tell
    )
    for row in rows:
        frame = batch.frames.get(row["name"])
        symbols = structures[row["name"]].symbols
        row["atoms"] = {s: symbols.count(s) for s in dict.fromkeys(symbols)}
        row["relaxed"] = frame is not None and frame.config_type == "relaxed"
        row["energy_eV"] = None if frame is None else frame.energy_eV
        row["volume_A3_per_formula"] = None if frame is None else round(frame.configuration.volume_A3 / 2.0, 3)
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    RESULTS.write_text(text, encoding="utf-8")


def draw() -> None:
    """Draw the figures, and print what the page says."""
    rows = [row for row in json.loads(RESULTS.read_text(encoding="utf-8")) if row["energy_eV"] is not None]
    hull = composition_hull(
        [row["atoms"] for row in rows], [row["energy_eV"] for row in rows], formula_units=[2.0] * len(rows)
    )
    chosen = select_orderings(hull, 25, per="formula", degeneracies=[row["degeneracy"] for row in rows], rng=1)
    print(hull, chosen, f"{sum(row['relaxed'] for row in rows)} of {len(rows)} relaxed")
    print(hull.table()[hull.lowest].to_string())
    ax = plot_formation_energies(hull, ("Br", ("Br", "Cl")), series=("Y", ("In", "Y")), kept=chosen.chosen)
    save_figure(ax.figure, DOCS / "images" / "orderings-halide-hull.png")
    low = np.flatnonzero(hull.lowest)
    shares = np.stack([hull.share("Y", ("In", "Y")), hull.share("Br", ("Br", "Cl"))], axis=1)[low]
    volume = np.array([row["volume_A3_per_formula"] for row in rows])[low]
    ax = plot_composition_map(
        shares,
        hull.above_hull_eV_per_atom[low],
        labels=("Y / (In + Y)", "Br / (Br + Cl)"),
        values=volume,
        value_label="volume (Å$^3$ per formula unit)",
    )
    save_figure(ax.figure, DOCS / "images" / "orderings-halide-map.png")


if __name__ == "__main__":
    if "compute" in sys.argv[2:]:
        compute(Path(sys.argv[1]))
    draw()
