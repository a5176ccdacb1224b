"""Write what the example on Li3(In,Y)(Br,Cl)6 gave into docs/electrolytes.md, from its results.json.

    python docs/electrolyte_results.py

tests/test_docs_electrolytes.py asks that nothing would change.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "examples" / "electrolytes" / "results.json"
PAGE = DOCS / "electrolytes.md"
SECTION = re.compile(r"(<!-- from: ([\w-]+) -->\n).*?(<!-- to: \2 -->)", re.DOTALL)
NAMES = {
    "Li3InCl6": "Li₃InCl₆",
    "Li3InBr6": "Li₃InBr₆",
    "Li3YCl6": "Li₃YCl₆",
    "Li3YBr6": "Li₃YBr₆",
    "Li3In0.5Y0.5Br3Cl3": "Li₃In₀.₅Y₀.₅Br₃Cl₃",
}
PUBLISHED = {  # Ea in eV, sigma(800 K) in S/cm: Deng et al. 2025
    "Li3InCl6": ("0.24", "0.57"),
    "Li3YBr6": ("0.29", ""),
    "Li3In0.5Y0.5Br3Cl3": ("0.28", "0.62"),
}


def with_results(page: str, found: dict[str, Any]) -> str:
    """The text of the page with its sections on results."""
    return SECTION.sub(lambda match: match[1] + SECTIONS[match[2]](found).strip() + "\n" + match[3], page)


def number(value: float | None, form: str, scale: float = 1.0) -> str:
    """A number as it is printed, or a dash."""
    return "-" if value is None else format(scale * value, form)


def with_error(value: float | None, error: float | None, form: str, scale: float = 1.0) -> str:
    """A number with its standard error, or a dash."""
    return "-" if value is None else f"{number(value, form, scale)} ± {number(error, form, scale)}"


def hull(found: dict[str, Any]) -> str:
    """Orderings and energies above the hull."""
    lines = ["| | distinct orderings | relaxed | above the hull, meV/atom | highest of those relaxed |"]
    lines.append("|---|---:|---:|---:|---:|")
    for name, record in found["orderings"].items():
        above = [1000 * r["above_hull_eV_per_atom"] for r in found["hull"] if r["structure"].rpartition("-")[0] == name]
        lines.append(f"| {NAMES[name]} | {record['distinct']} | {len(above)} | {min(above):.1f} | {max(above):.1f} |")
    return "\n".join(lines)


def rounds(found: dict[str, Any]) -> str:
    """Active learning, round by round."""
    lines = ["| round | ps reached | runs stopped | largest grade | labelled | forces on these before, meV/Å |"]
    lines.append("|---|---|---:|---:|---:|---:|")
    for r in found["active_learning"]["rounds"]:
        if r["round"]:
            stopped = r["stopped_by_grade"] + r["stopped_otherwise"]
            lines.append(
                f"| {r['round']} | {r['reached_ps']:.0f} of {r['wanted_ps']:g} | {stopped} | "
                f"{number(r['largest_grade'], '.3g')} | {r.get('labelled', 0)} | "
                f"{number(r.get('new_frames_forces_meV_per_A'), '.0f')} |"
            )
    return "\n".join(lines)


def errors(found: dict[str, Any]) -> str:
    """The fit against its teacher on frames of the runs at each temperature."""
    lines = ["| frames of the runs at | number | RMSE of energy, meV/atom | of forces, eV/Å | rms force, eV/Å |"]
    lines.append("|---|---:|---:|---:|---:|")
    kinds = [row for row in found["errors_on_production_runs"] if row["by"] == "config_type"]
    for r in sorted(kinds, key=lambda row: float(row["value"].removesuffix(" K"))):
        lines.append(
            f"| {r['value']} | {r['frames']} | {r['energy_rmse_meV_per_atom']:.1f} | "
            f"{r['force_rmse_eV_per_A']:.3f} | {r['force_rms_eV_per_A']:.2f} |"
        )
    return "\n".join(lines)


def conductivities(found: dict[str, Any]) -> str:
    """Side by side, beside the published ones."""
    lines = [
        "| | diffusive at temperatures | Ea, eV | Ea published | σ(800 K), S/cm, H = 1 (95 %) | σ published | H | "
        f"directions at {max(found['about']['plan']['temperatures_K']):g} K | barriers there, eV |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for r in found["table"]:
        energy, sigma = PUBLISHED.get(r["composition"], ("", ""))
        mine = with_error(r["Ea_eV"], r["Ea_stderr_eV"], ".3f")
        band = [r[f"sigma_NE{part}_S_per_cm"] for part in ("", "_low", "_high")]
        shown = "-" if band[0] is None else f"{band[0]:.2f} ({band[1]:.2f} to {band[2]:.2f})"
        barriers = [r[f"barrier_{d}d_eV"] for d in (1, 2, 3)]
        lines.append(
            f"| {NAMES[r['composition']]} | {number(r['temperatures'], '.0f')} | {mine} | {energy} | "
            f"{shown} | {sigma} | {number(r['haven_ratio'], '.2f')} | "
            f"{number(r['dimension'], '.0f')} | {', '.join(f'{b:.2f}' for b in barriers if b is not None)} |"
        )
    return "\n".join(lines)


def temperatures(found: dict[str, Any]) -> str:
    """Diffusivities and hops by temperature."""
    lines = ["| | T, K | D, 10⁻¹⁰ m²/s | σ, S/cm, H = 1 | H | hops | taken back | directions | diffusive |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    ways = {(p["structure"], p["temperature_K"]): p for p in found["pathways"]}
    for r in found["temperatures"]:
        way = ways[r["structure"], r["temperature_K"]]
        lines.append(
            f"| {NAMES[r['structure'].rpartition('-')[0]]} | {r['temperature_K']:g} | "
            f"{with_error(r['D_m2_per_s'], r['D_stderr'], '.1f', 1e10)} | "
            f"{with_error(r['sigma_NE_S_per_m'], r['sigma_NE_stderr'], '.2f', 0.01)} | "
            f"{with_error(r['haven_ratio'], r['haven_stderr'], '.1f')} | {r['hops']} | "
            f"{100 * way['returned']:.0f} % | {way['dimension']} | "
            f"{'yes' if r['diffusive'] else 'no'} |"
        )
    return "\n".join(lines)


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "hull": hull,
    "rounds": rounds,
    "errors": errors,
    "conductivities": conductivities,
    "temperatures": temperatures,
}


def main() -> None:
    """Fill the page."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(with_results(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
