"""Write what the example on BaZrS3 gave into docs/tutorial-bazrs3.md, from its results.json.

    python docs/bazrs3_results.py

tests/test_docs_structures.py asks that nothing would change.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "examples" / "structures" / "bazrs3" / "results.json"
PAGE = DOCS / "tutorial-bazrs3.md"
SECTION = re.compile(r"(<!-- from: ([\w-]+) -->\n).*?(<!-- to: \2 -->)", re.DOTALL)
PASCA = {"coordination": "5.9", "bond": "2.575", "by": {5: "2.50", 6: "2.58", 7: "2.66"}}
EXAFS = {"coordination": "5.2", "distance": "2.593"}


def with_results(page: str, found: dict[str, Any]) -> str:
    """The text of the page with its sections on results."""
    return SECTION.sub(lambda match: match[1] + SECTIONS[match[2]](found).strip() + "\n" + match[3], page)


def number(value: float | None, form: str) -> str:
    """A number as it is printed, or a dash."""
    return "-" if value is None else format(value, form)


def rounds(found: dict[str, Any]) -> str:
    """Both passes of active learning."""
    lines = ["| pass, round | ps reached | runs stopped | largest grade | labelled | forces on these before, meV/Å |"]
    lines.append("|---|---|---:|---:|---:|---:|")
    for name, key in (("60 atoms", "active_learning"), ("160 atoms", "active_learning_large")):
        for r in found[key]["rounds"]:
            if not r["round"]:
                continue
            stopped = r["stopped_by_grade"] + r["stopped_otherwise"]
            lines.append(
                f"| {name}, {r['round']} | {r['reached_ps']:.0f} of {r['wanted_ps']:g} | {stopped} | "
                f"{number(r['largest_grade'], '.3g')} | {r.get('labelled', 0)} | "
                f"{number(r.get('new_frames_forces_meV_per_A'), '.0f')} |"
            )
    return "\n".join(lines)


FITS = "boundaries", "melts", "glasses"


def errors(found: dict[str, Any]) -> str:
    """Errors of the fits by kind of configuration."""
    lines = ["| frames | " + " | ".join(f"{name}: meV/atom, eV/Å" for name in FITS) + " | rms force, eV/Å |"]
    lines.append("|---|---:|---:|---:|---:|")
    kinds = {"test": ("crystal", "melt", "search"), "checks": ("crystal", "boundary", "glass", "annealed glass")}
    for part, names in kinds.items():
        tables = [{r["value"]: r for r in found["errors"][fit][part]} for fit in FITS]
        for kind in (name for name in names if name in tables[0]):
            values = [
                f"{t[kind]['energy_rmse_meV_per_atom']:.1f}, {t[kind]['force_rmse_eV_per_A']:.3f}" for t in tables
            ]
            one = tables[0][kind]
            where = {"test": "random and strained, not fitted", "checks": "made here"}[part]
            lines.append(
                f"| {kind} ({one['frames']}; {where}) | {' | '.join(values)} | {one['force_rms_eV_per_A']:.2f} |"
            )
    return "\n".join(lines)


def cells(found: dict[str, Any]) -> str:
    """Cells of the crystal."""
    lines = ["| | a, Å | b, Å | c, Å |", "|---|---:|---:|---:|", "| PBEsol (Pașca et al.) | 6.962 | 7.089 | 9.964 |"]
    for name, title in (("sevennet", "SevenNet-0"), ("ace", "fit for boundaries")):
        a, b, c = found["cells_A"][name]
        lines.append(f"| {title} | {a:.3f} | {b:.3f} | {c:.3f} |")
    return "\n".join(lines)


def glass(found: dict[str, Any]) -> str:
    """The glass beside the crystal, the reference work and experiment."""
    g, c = found["glass"], found["crystal"]
    zr, crystal = g["shells"]["Zr-S"], c["shells"]["Zr-S"]
    by = {int(k): v for k, v in zr["bond_by_coordination_A"].items()}
    share = {int(k): v for k, v in zr["fractions"].items()}
    density = 100.0 * g["density_g_per_cm3"] / c["density_g_per_cm3"]
    rows = [
        ("density, parts of the crystal's", f"{density:.1f} %", "100 %", "92.5 %", ""),
        ("Zr-S coordination within 3.1 Å", f"{zr['coordination']:.2f}", f"{crystal['coordination']:.2f}", "5.9", ""),
        ("mean Zr-S, Å", f"{zr['mean_bond_A']:.3f}", f"{crystal['mean_bond_A']:.3f}", "2.575", ""),
        *(
            (f"Zr-S of {n}-fold Zr, Å ({100 * share[n]:.0f} % of Zr)", f"{by[n]:.3f}", "", PASCA["by"][n], "")
            for n in (5, 6, 7)
            if n in by
        ),
        ("Zr-S coordination, EXAFS", *(f"{each['exafs']['coordination']:.1f}" for each in (g, c)), "", "5.2"),
        ("Zr-S, EXAFS, Å", *(f"{each['exafs']['distance_A']:.3f}" for each in (g, c)), "", "2.593"),
        ("misfit of one Gaussian shell", *(f"{each['exafs']['misfit']:.2f}" for each in (g, c)), "", ""),
        ("Zr polyhedra sharing corners", f"{g['joints']['corner']:.2f}", f"{c['joints']['corner']:.2f}", "", ""),
        ("sharing edges", f"{g['joints']['edge']:.2f}", f"{c['joints']['edge']:.2f}", "", ""),
        ("maxima of S-Zr-S, degrees", ", ".join(f"{a:.0f}" for a in g["angle_maxima_deg"]),
         ", ".join(f"{a:.0f}" for a in c["angle_maxima_deg"]), "90, 150, 180", ""),
    ]  # fmt: skip
    lines = ["| | glass here | crystal here | glass of Pașca et al. | experiment |", "|---|---:|---:|---:|---:|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def rates(found: dict[str, Any]) -> str:
    """Glasses by their rate."""
    lines = ["| K/ps | seed | density, g/cm³ | energy, eV/atom | Zr-S coordination | order | crystalline |"]
    lines.append("|---:|---:|---:|---:|---:|---:|---|")
    for row, mean in zip(found["rates"], found["rates_means"], strict=True):
        lines.append(
            f"| {row['rate_K_per_ps']:g} | {row['seed']} | {mean['density_g_per_cm3']:.3f} | "
            f"{mean['energy_eV_per_atom']:.4f} | {row['shells']['Zr-S']['coordination']:.2f} | "
            f"{mean['bragg_order']:.2f} | {'yes' if mean['crystalline'] else 'no'} |"
        )
    return "\n".join(lines)


def boundaries(found: dict[str, Any]) -> str:
    """Energies of both potentials."""
    reference = {b["boundary"]: b for b in found["boundaries_sevennet"]}
    lines = [
        "| boundary | angle | atoms | fitted potential, J/m² | the same structure, SevenNet-0 | relaxed by SevenNet-0 |"
    ]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for b in sorted(found["boundaries"], key=lambda b: b["angle_deg"]):
        sigma = f"Σ{b['sigma']:.0f}, " if b["sigma"] and b["sigma"] > 0 else ""
        relaxed = reference.get(b["boundary"], {}).get("energy_J_per_m2")
        mark = "" if b["converged"] else "*"
        plane = "(" + b["plane_1"] + ")"
        lines.append(
            f"| {sigma}{plane} | {b['angle_deg']:.2f}° | {b['atoms']} | {b['energy_J_per_m2']:.2f}{mark} | "
            f"{number(b.get('sevennet_on_it_J_per_m2'), '.2f')} | {number(relaxed, '.2f')} |"
        )
    return "\n".join(lines)


def diffraction(found: dict[str, Any]) -> str:
    """Widths and ranges."""
    lines = [
        "| sample | atoms | highest point | width of the peak at 2.495 per Å | size by Scherrer, Å | "
        "rms G(r), 10 to 15 Å | 30 to 50 Å | 50 to 70 Å |"
    ]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in found["diffraction"]:
        lines.append(
            f"| {row['sample']} | {number(row['atoms'], ',d')} | {row['highest']:.0f} | "
            f"{number(row['fwhm_per_A'], '.4f')} | "
            f"{number(row['scherrer_A'], '.0f')} | "
            + " | ".join(number(value, ".3f") for value in row["g_rms_per_A2"].values())
            + " |"
        )
    return "\n".join(lines)


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "rounds": rounds,
    "errors": errors,
    "cells": cells,
    "glass": glass,
    "rates": rates,
    "boundaries": boundaries,
    "diffraction": diffraction,
}


if __name__ == "__main__":
    text = with_results(PAGE.read_text(encoding="utf-8"), json.loads(RESULTS.read_text(encoding="utf-8")))
    PAGE.write_text(text, encoding="utf-8")
