"""Numbers into pages: all between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->`` is written by a function here.

    python docs/fill.py            rewrite README.md and docs/*.md
    python docs/fill.py --check    say which pages are out of date, and exit with 1 if any is

Figures come from the library (tables of data), from docs/runs.json (real runs, see figures.py) and from
benchmarks/results.json (measured; where that file is not there yet the page says so).
"""

import csv
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
RESULTS = ROOT / "benchmarks" / "results.json"
NOT_YET = "*Not measured yet: run the scripts of `benchmarks/`, then `python docs/fill.py`.*"
SLOT = re.compile(r"(<!-- begin: ([a-z0-9-]+) -->\n)(.*?)(<!-- end: \2 -->)", re.DOTALL)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, left: int = 1) -> str:
    """A Markdown table, its first ``left`` columns aligned left."""
    align = ["---" if k < left else "---:" for k in range(len(columns))]
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join(align) + " |"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


# ------------------------------------------------------------------------------------------------------------ real runs


@cache
def runs() -> dict[str, Any]:
    return dict(json.loads((DOCS / "runs.json").read_text(encoding="utf-8")))


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def outcome() -> str:
    """The end of the 1:1 recipe beside its baselines."""
    rows = [
        [
            row["phase"],
            percent(row["median"]),
            f"{percent(row['low'])} to {percent(row['high'])}",
            percent(row["null"]),
            percent(row["equilibrium"]),
        ]
        for row in runs()["run"]["final"]
        if max(row["median"], row["null"], row["equilibrium"]) >= 0.0005
    ]
    head = ["phase at the end, mol %", "median", "5 to 95 %", "equal conductivities", "plain equilibrium"]
    return f"The recipe above ends with\n\n{table(head, rows)}"


def reactions() -> str:
    """What carried the change in the 1:1 recipe, by the automaton."""
    rows = [[f"`{row['equation']}`", percent(row["share"])] for row in runs()["automaton"]["reactions"]]
    return table(["reaction, in the direction that prevailed", "share of the converted atoms, %"], rows)


def arrest() -> str:
    """Where geometry alone arrests."""
    found = runs()["arrest"]
    final = found["final"]
    assert found["arrested"]
    shares = ", ".join(f"{percent(final[phase])} mol% {phase}" for phase in ("BaTiO3", "Ba2TiO4", "BaTi2O5"))
    return f"**{shares}**, arrested."


def chemistries() -> str:
    """Every worked example at the end, beside its baselines."""
    rows = []
    for name, found in runs()["chemistries"]["recipes"].items():
        final = [row for row in found["final"] if max(row["median"], row["null"], row["equilibrium"]) >= 0.005]
        mixed = [[mole_percent(row[column]) for row in final] for column in ("median", "null", "equilibrium")]
        shares = [", ".join(f"{row['phase']} {x}" for row, x in zip(final, m, strict=True) if x) for m in mixed]
        rows.append([f"`{name}.yaml`", f"{found['temperature_K']:.0f}", *shares])
    return table(["recipe", "hold, K", "at the end, mol %", "equal conductivities", "plain equilibrium"], rows, left=5)


def mole_percent(share: float) -> str:
    """A mole fraction in percent, empty where it rounds to nothing."""
    return f"{100 * share:.1f}" if share >= 0.0005 else ""


def spinel() -> str:
    """Growth of the spinel layer against temperature."""
    found = runs()["chemistries"]["spinel"]
    rows = [
        [f"{row['temperature_K']:.0f}", f"{row['thickness_um']:.2f}", f"{row['k_m2_per_s']:.1e}"]
        for row in found["rows"]
    ]
    head = ["K", "MgAl2O4 after 24 h, µm (nominal)", "k of h² = 2 k t, m²/s (nominal)"]
    energy = f"The slope of ln k against 1/T is **{found['activation_energy_kJ_per_mol']:.0f} kJ/mol**."
    return f"{table(head, rows)}\n\n{energy}"


def sweep() -> str:
    """Every pair of oxides that was fired, and how it ended."""
    with (DOCS / "sweep.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    ended = Counter(row["outcome"] for row in found)
    reacted = sum(row["outcome"] == "report" and forms_a_new_oxide(row) for row in found)
    rows = []
    for row in found:
        if row["outcome"] != "report" or forms_a_new_oxide(row):
            pair, hold = f"{row['first']} + {row['second']}", f"{float(row['temperature_K']):.0f}"
            why_not = row["products"].split(",")[0].split(" (")[0]
            end = row["products"] if row["outcome"] == "report" else f"{row['outcome']}: {why_not}"
            rows.append([pair, row["atmosphere"], hold, end])
    said = (
        f"Of {len(found)} pairs {ended['report']} ended in a report, {ended['refused']} were refused in one sentence, "
        f"{ended['fault']} ended otherwise. In {reacted} a compound of both cations formed: these, and those refused, "
        "are below, all of them in `docs/sweep.csv`. Most pairs have none in the library, or are too cold."
    )
    head = ["1 + 1 cations", "in", "K", "at the end, mol %, or why not"]
    return f"{said}\n\n{table(head, rows, left=4)}"


def forms_a_new_oxide(row: dict[str, str]) -> bool:
    """Whether a product of a pair holds the cations of both."""
    both = [re.match(r"[A-Z][a-z]?", row[key]) for key in ("first", "second")]
    cations = {match[0] for match in both if match}
    products = (part.rsplit(" ", 1)[0] for part in row["products"].split(", "))
    return any(cations <= set(re.findall(r"[A-Z][a-z]?", product)) for product in products)


def printed(page: str, number: int) -> Callable[[], str]:
    """What a command of a page prints."""
    return lambda: f"```text\n{runs()[page]['printed'][number - 1]}\n```"


def shown(page: str, number: int) -> Callable[[], str]:
    """What a Python block of a page shows."""
    return lambda: f"```text\n{runs()[page]['shown'][number - 1]}\n```"


def grains() -> str:
    """The end of the 1:1 recipe against grain size."""
    rows = [
        [row["grain_cells"], percent(row["BaTiO3"]), percent(row["BaO used up"])] for row in runs()["grains"]["rows"]
    ]
    return table(["diameter of the grains, cells", "BaTiO3 at the end, mol %", "BaO used up, %"], rows)


# ----------------------------------------------------------------------------------------------------------- validation

VALIDATION = DOCS / "validation.json"
SHORT = {
    "full": "full",
    "self": "self",
    "equal": "equal",
    "automaton-full": "aut. full",
    "automaton-self": "aut. self",
    "automaton-none": "aut. none",
    "null": "null",
    "equilibrium": "equil.",
}
SHORT_OF_RD = ("full", "self", "equal")
FILES_OF_OBSERVATIONS = ("ba-ti-o", "ba-ti-o-carbonate", "ba-ti-o-particle-size")


@cache
def validations() -> dict[str, Any]:
    return dict(json.loads(VALIDATION.read_text(encoding="utf-8")))


def over(held: int, of: int) -> str:
    if of == 0:
        return "-"
    words = "yes" if held > of / 2 else "no"
    return words if of == 1 else f"{words} {held}/{of}"


def validation_table(name: str) -> Callable[[], str]:
    """The observations of one file in all models."""

    def write() -> str:
        rows = []
        for k, row in enumerate(validations()[name]["observations"], start=1):
            words = f"{row['experiment']}, {row['when']}: {row['observation']}"
            rows.append([k, words, *(over(*row["over"][model]) for model in SHORT), row["mark"]])
        return table(["", "observation", *SHORT.values(), "mark"], rows, left=2)

    return write


def validation_summary() -> str:
    """How many statements hold in each model, by file and together, and the skill over each baseline together."""
    rows = []
    for model in SHORT:
        row = [validations()["ba-ti-o"]["models"][model]]
        total = counted = 0
        for name in FILES_OF_OBSERVATIONS:
            found = validations()[name]["satisfied"][model]
            row.append(f"{found['satisfied']} of {found['counted']}")
            total, counted = total + found["satisfied"], counted + found["counted"]
        row.append(f"**{total} of {counted}**")
        for baseline in ("null", "equilibrium", "equal"):
            each = [
                s
                for name in FILES_OF_OBSERVATIONS
                for s in validations()[name]["skill"]
                if (s["model"], s["baseline"]) == (model, baseline)
            ]
            gained, lost = (sum(s[key] for s in each) for key in ("gained", "lost"))
            row.append(f"{gained - lost:+d} = {gained} - {lost}" if each else "")
        rows.append(row)
    titles = ["oxides", "carbonate", "particle size", "all", "over null", "over equilibrium", "over equal"]
    return table(["statements that hold", *titles], rows)


def validation_where() -> str:
    """How many statements hold at one value of each input, all files together."""
    rows = []
    for value in ("mixing 0", "mixing 0.02", "mixing 0.05", "mixing 0.1", "size x0.5", "size x1", "size x2",
                  "time x0.333", "time x1", "time x3"):  # fmt: skip
        counts = [sum(validations()[n]["where"][model][value] for n in FILES_OF_OBSERVATIONS) for model in SHORT_OF_RD]
        rows.append([value, *counts])
    return table(["statements that hold, all files, at", *SHORT_OF_RD], rows)


# ----------------------------------------------------------------------------------------------------------------- data


def energies_from_oxides() -> str:
    """Gibbs energies from BaO and TiO2 in the three sets."""
    from tammann import load_phases

    phases = load_phases("Ba-Ti-O")
    line = ("Ba2TiO4", "BaTiO3", "BaTi2O5", "Ba6Ti17O40", "Ba4Ti13O30", "BaTi4O9", "Ba2Ti9O20", "BaTi5O11")
    rows = []
    for formula in line:
        row = [formula]
        for name in phases.energy_sets:
            for T in (1000.0, 1500.0):
                per_atom = phases.gibbs(T, energies=name)
                parts = phases[formula].composition
                total = per_atom[phases.index(formula)] * phases[formula].n_atoms
                total -= parts["Ba"] * 2 * per_atom[phases.index("BaO")]
                total -= parts["Ti"] * 3 * per_atom[phases.index("TiO2")]
                row.append(f"{1000 * total / phases[formula].n_atoms:.0f}")
        rows.append(row)
    columns = [f"{name}, {T} K" for name in phases.energy_sets for T in (1000, 1500)]
    return table(["from BaO and TiO2, meV per atom", *columns], rows)


def precursors_batio3() -> str:
    """BaTiO3 from three sources of barium, on the criteria."""
    from tammann import load_phases
    from tammann.synthesis import precursor_sets, rank_precursors

    phases = load_phases("Ba-Ti-O")
    candidates = ["BaO", "BaCO3", "BaO2", "TiO2"]
    dry = {"partial_pressure_Pa": {"O2": 21000.0}, "release_pressure_Pa": 40.0}
    sets = precursor_sets(phases, "BaTiO3", candidates=candidates, temperature_K=1100, **dry)
    rows = []
    for row in rank_precursors(phases, sets).to_dict(orient="records"):
        force, lead = (f"{row[f'{k}_meV_per_atom']:.0f} ± {row[f'{k}_error_meV_per_atom']:.0f}"
                       for k in ("driving_force", "lead"))  # fmt: skip
        others = [f"{row[f'{k}_meV_per_atom']:.0f}" for k in ("primary_competition", "secondary_competition",
                                                              "inverse_hull_energy")]  # fmt: skip
        rows.append([row["precursors"], row["reacts_as"], force, lead, *others, row["strongest_competitor"],
                     row["pareto_rank"]])  # fmt: skip
    columns = ["precursors", "react as", "driving force, meV/atom", "lead", "C1", "C2", "inverse hull", "ahead of"]
    return table([*columns, "Pareto rank"], rows, left=2)


def shifts() -> str:
    """What the assessment changed."""
    from tammann import load_phases
    from tammann.thermo import shifts_table

    rows = [
        [
            row["phase"],
            f"{row['shift_meV_per_atom']:+.1f}",
            f"{row['standard_errors']:+.2f}",
            f"{row['entropy_J_per_K_per_mol_atoms']:+.2f}",
        ]
        for row in shifts_table(load_phases("Ba-Ti-O")).to_dict(orient="records")
    ]
    head = ["phase", "shift at 1473 K, meV per atom", "in standard errors", "entropy added, J/K per mole of atoms"]
    return table(head, rows).replace("-0.00", "0.00").replace("+0.00", "0.00").replace("+0.0 ", "0.0 ")


def constraints() -> str:
    """What the assessment was told."""
    from tammann import load_phases

    chosen = load_phases("Ba-Ti-O").energy_set("assessed")
    rows = [
        [
            c.equation,
            c.kind,
            ", ".join(f"{T:g}" for T in c.temperature_K),
            "" if c.entropy_J_per_K_per_mol_atoms is None else f"{c.entropy_J_per_K_per_mol_atoms:+g}",
            c.source,
        ]
        for c in chosen.constraints
    ]
    return table(
        ["equilibrium", "what holds", "at, K", "reaction entropy stated, J/K per mole of atoms", "source"], rows, left=5
    )


def growth_table() -> str:
    """K_D between BaO and TiO2."""
    from tammann import growth_constants, load_phases, load_transport

    constants = growth_constants(load_phases("Ba-Ti-O"), load_transport("Ba-Ti-O"), draws=0)
    wide = constants.pivot(index="phase", columns="temperature_K", values="K_D_m2_per_s")
    rows = [[phase, *(f"{value:.1e}" for value in wide.loc[phase])] for phase in _barium_rich_first(wide.index)]
    return table(["K_D, m²/s", *(f"{T:g} K" for T in wide.columns)], rows)


def growth_ratios() -> str:
    """Medians over compositions, as the literature discusses them."""
    from tammann import growth_constants, load_phases, load_transport
    from tammann.thermo import parse_formula

    phases, transport = load_phases("Ba-Ti-O"), load_transport("Ba-Ti-O")
    found = {}
    for mode in ("full", "self"):
        constants = growth_constants(phases, transport, mode=mode, draws=0)  # type: ignore[arg-type]
        found[mode] = constants.pivot(index="phase", columns="temperature_K", values="K_D_m2_per_s")
    atoms = {phase: parse_formula(phase) for phase in found["full"].index}
    rich = [phase for phase, count in atoms.items() if count["Ba"] > count["Ti"]]
    poor = [phase for phase, count in atoms.items() if count["Ba"] <= count["Ti"]]
    rows = []
    for mode, wide in found.items():
        median = [wide.loc[poor, T].median() / wide.loc[rich, T].median() for T in (1250.0, 1500.0, 1750.0)]
        single = [wide.loc["Ba4Ti13O30", 1500.0] / wide.loc[phase, 1500.0] for phase in rich]
        largest = [wide[T].idxmax() for T in (1250.0, 1500.0)]
        rows.append(
            [
                f"`{mode}`",
                *(f"{value:.0f}" for value in median),
                f"{min(single):.0f} to {max(single):.0f}",
                ", ".join(dict.fromkeys(largest)),
            ]
        )
    head = [
        "transport",
        "1250 K",
        "1500 K",
        "1750 K",
        "Ba4Ti13O30 over the Ba-rich, 1500 K",
        "largest, 1250 and 1500 K",
    ]
    return table(head, rows)


def correlation_factors() -> str:
    """f_i at 1500 K."""
    from tammann import load_transport

    transport = load_transport("Ba-Ti-O")
    assert transport is not None
    rows = []
    for formula in _barium_rich_first(transport.formulas):
        entry = transport.at(formula, 1500.0)
        rows.append([formula, *(f"{value:+.2f}" for value in entry.correlation_factor)])
    return table(["f_i at 1500 K", "Ba", "Ti", "O"], rows)


def transport_warnings() -> str:
    """Every defect that the loader meets, in its own words."""
    from tammann import load_transport

    transport = load_transport("Ba-Ti-O")
    assert transport is not None
    return "\n".join(f"- {warning}" for warning in transport.warnings)


def _barium_rich_first(formulas: Iterable[str]) -> list[str]:
    from tammann.thermo import parse_formula

    return sorted(formulas, key=lambda f: parse_formula(f)["Ti"] / parse_formula(f)["Ba"])


# ------------------------------------------------------------------------------------------------------------- measured


@cache
def measured() -> dict[str, Any] | None:
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else None


def rows_of(section: str) -> list[dict[str, Any]] | None:
    found = measured()
    return None if found is None or section not in found else list(found[section]["rows"])


def machine() -> str:
    """The machine of the measured figures, in one sentence."""
    found = measured()
    if not found:
        return NOT_YET
    said = []
    for content in found.values():
        m = content["machine"]
        versions = f"Python {m['python']}, numpy {m['numpy']}, numba {m['numba']}"
        said.append(f"{m['cpu']}, {m['cores']} cores, {m['system']}, {versions}")
    return f"Measured on: {'; '.join(dict.fromkeys(said))}."


def _speed(size: int, threads: int) -> float | None:
    for row in rows_of("visits") or ():
        if row["cells per edge"] == size and row["threads"] == threads:
            return float(row["visits per second, millions"])
    return None


def headline() -> str:
    """The few figures of the README."""
    if measured() is None:
        return NOT_YET
    rows: list[list[str]] = []
    known = [(f"{r['run']} ({r['cells']} cells)", r) for r in rows_of("reactive_diffusion_chains") or ()]
    known += [(f"grains on {_cubed(r['voxels'])} voxels", r) for r in (rows_of("reactive_diffusion_grid") or ())[-1:]]
    rows += [[f"reactive diffusion, {what}, processor time", f"{_seconds(r['cpu_s'])} s"] for what, r in known]
    for size in (100, 200):
        one, two = _speed(size, 1), _speed(size, 2)
        if one is not None:
            speed = f"{one:.0f}" + (f" on one core, {two:.0f} on two" if two is not None else " on one core")
            rows.append([f"automaton: millions of visits per second while reactions go on, {size}³ cells", speed])
    for row in rows_of("enumeration") or ():
        if row["phases"] == 32:
            rows.append([f"all {row['directed reactions']:,} reactions of 32 phases", f"{row['seconds']:.2g} s"])
    for row in rows_of("startup") or ():
        if row["command"] == "tammann --help":
            rows.append(["`tammann --help`", f"{row['seconds']:.2f} s"])
    for row in rows_of("whole_run") or ():
        rows.append([f"`tammann run --engine automaton`, 1:1 recipe, {row['run']}", f"{row['wall seconds']:.0f} s"])
    memory = _bytes_per_cell()
    if memory is not None:
        rows.append(["automaton: peak memory per cell, beside what is recorded", f"{memory:.0f} bytes"])
    return f"{table(['', 'measured'], rows)}\n\n{machine()}"


def _bytes_per_cell() -> float | None:
    for row in rows_of("memory") or ():
        if row["powder"] == "random mixture":
            return float(row["bytes per cell, snapshots left out"])
    return None


def _seconds(seconds: float) -> str:
    """Two digits."""
    return f"{seconds:.2g}" if seconds < 10 else f"{float(f'{seconds:.2g}'):.0f}"


def _cubed(text: str) -> str:
    return text.replace("^3", "³")


def chains() -> str:
    """Particles of one component."""
    rows = rows_of("reactive_diffusion_chains")
    if rows is None:
        return NOT_YET
    head = ["particles of the 1:1 recipe", "cells each", "steps", "processor, s"]
    return table(head, [[r["run"], r["cells"], f"{r['steps']:,}", f"{r['cpu_s']:.2g}"] for r in rows])


def general() -> str:
    """Chains of several components."""
    rows = rows_of("reactive_diffusion_general")
    if rows is None:
        return NOT_YET
    keys = ("components", "cells", "phases", "steps")
    lines = [[*(r[k] for k in keys), f"{r['cpu_s']:.2g}"] for r in rows]
    return table([*keys, "processor, s"], lines, left=0)


def cubes() -> str:
    """Grains on periodic cubes."""
    rows = rows_of("reactive_diffusion_grid")
    if rows is None:
        return NOT_YET
    head = ["voxels", "steps", "cycles a step", "processor, s", "ns a voxel and step", "peak bytes a voxel"]
    lines = [
        [
            _cubed(r["voxels"]),
            r["steps"],
            f"{r['cycles_per_step']:.1f}",
            _seconds(r["cpu_s"]),
            f"{r['ns_per_voxel_and_step']:.0f}",
            f"{r['bytes_per_voxel']:,.0f}",
        ]
        for r in rows
    ]
    return table(head, lines, left=0)


def sweeps() -> str:
    """Updates of voxels beside a copy in memory."""
    rows = rows_of("reactive_diffusion_sweeps")
    if rows is None or "copy_GB_per_s" not in rows[0]:
        return NOT_YET
    head = ["voxels", "millions of updates per second", "moved, GB/s", "a copy in memory, GB/s"]
    lines = [
        [
            _cubed(r["voxels"]),
            f"{r['million_updates_per_s']:.0f}",
            f"{r['GB_per_s']:.1f}",
            f"{r['copy_GB_per_s']:.0f}",
        ]
        for r in rows
    ]
    return table(head, lines, left=0)


def chains_campaign() -> str:
    """What 10,000 recipes cost by reactive diffusion."""
    for row in rows_of("reactive_diffusion_chains") or ():
        if row["run"] == "32 chains":
            hours = 1e4 * row["cpu_s"] / 3600
            return f"By reactive diffusion, eight realizations of four particles a recipe: {hours:.0f} core hours."
    return NOT_YET


def section(name: str) -> str:
    """A whole section of results.json as it was measured."""
    rows = rows_of(name)
    if rows is None:
        return NOT_YET
    return table(list(rows[0]), [[_plain(value) for value in row.values()] for row in rows])


def _plain(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cycles() -> float | None:
    rows = rows_of("whole_run")
    return None if rows is None else float(rows[-1]["cycles per realization"])


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.2g} {unit}" if seconds < 100 * length else f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.2g} s"


def large_grid() -> str:
    """What one realization of the 1:1 recipe costs on a large grid."""
    cycles, memory, one, two = _cycles(), _bytes_per_cell(), _speed(200, 1), _speed(200, 2)
    if cycles is None or memory is None or one is None:
        return NOT_YET
    rows = []
    for size in (100, 200, 500, 1000):
        visits = cycles * size**3
        row = [f"{size}³", f"{size**3:.0e}".replace("e+0", "e"), f"{visits:.1e}".replace("e+", "e")]
        row += [f"{memory * size**3 / 1e9:.2g} GB", _duration(visits / (one * 1e6))]
        row.append("" if two is None else _duration(visits / (two * 1e6)))
        rows.append(row)
    head = ["grid", "cells", "visits", "memory", "one core", "two cores"]
    said = (
        f"One realization of the 1:1 recipe makes {cycles:,.0f} cycles of visits whatever the grid. With the speed "
        f"measured at 200³ and {memory:.0f} bytes per cell:"
    )
    return f"{said}\n\n{table(head, rows, left=0)}"


def campaign() -> str:
    """What 10,000 recipes cost."""
    rows = rows_of("whole_run")
    if rows is None:
        return NOT_YET
    available = int((measured() or {})["whole_run"]["machine"]["cores"])
    lines = []
    for row in rows[1:]:
        cores = min(available, int(row["realizations"]))
        core_hours = 1e4 * float(row["wall seconds"]) * cores / 3600
        lines.append(
            [
                row["realizations"],
                f"{core_hours:,.0f}",
                f"{60 * core_hours / 64:,.0f} min",
                f"{60 * core_hours / 1024:,.1f} min",
                f"{1e4 * float(row['folder, MB']) / 1e3:,.0f} GB",
            ]
        )
    head = ["realizations a recipe", "core hours", "on 64 cores", "on 1024 cores", "folders as written"]
    return table(head, lines, left=0)


def learning_curve(name: str) -> Callable[[], str]:
    """Errors of fine-tuned models and models from scratch, from ``examples/potentials/finetuning/results``."""

    def write() -> str:
        folder = ROOT / "examples" / "potentials" / "finetuning" / "results"
        with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
            fits = list(csv.DictReader(file))
        before = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["before"]
        modes = list(dict.fromkeys(fit["mode"] for fit in fits))
        quantities = ("forces_rmse_eV_per_A", "energy_rmse_eV_per_atom")

        def cell(size: str, mode: str, quantity: str) -> str:
            found = [1000 * float(fit[quantity]) for fit in fits if (fit["size"], fit["mode"]) == (size, mode)]
            if not found:
                return "-"
            mean = sum(found) / len(found)
            digits = max(0, 1 - math.floor(math.log10(mean)))
            if len(found) == 1:
                return f"{mean:.{digits}f} (1 seed)"
            spread = math.sqrt(sum((x - mean) ** 2 for x in found) / (len(found) - 1))
            return f"{mean:.{digits}f} ± {spread:.{digits}f}" + (f" ({len(found)} seeds)" if len(found) < 3 else "")

        sizes = sorted({fit["size"] for fit in fits}, key=int)
        rows = [[size, *(cell(size, mode, quantity) for quantity in quantities for mode in modes)] for size in sizes]
        units = ("forces, meV/Å", "energy, meV/atom")
        head = ["frames", *(f"{mode}: {unit}" for unit in units for mode in modes)]
        first = (
            f"Before training {1000 * before[quantities[0]]:.0f} meV/Å and {1000 * before[quantities[1]]:.1f} meV/atom."
        )
        return f"{table(head, rows, left=0)}\n\n{first}"

    return write


FILLERS: dict[str, Callable[[], str]] = {
    **{f"finetuning-{name}": learning_curve(name) for name in ("halide", "melt")},
    "outcome": outcome,
    **{f"{page}-run-{number}": printed(page, number) for page in ("tutorial", "layers") for number in range(1, 5)},
    **{f"{page}-output-{number}": shown(page, number) for page in ("tutorial", "layers") for number in range(1, 12)},
    "reactions": reactions,
    "grains": grains,
    "validation-summary": validation_summary,
    "validation-where": validation_where,
    **{f"validation-{name}": validation_table(name) for name in FILES_OF_OBSERVATIONS},
    "arrest": arrest,
    "chemistries": chemistries,
    "spinel": spinel,
    "sweep": sweep,
    "energies-from-oxides": energies_from_oxides,
    "precursors-batio3": precursors_batio3,
    "shifts": shifts,
    "constraints": constraints,
    "growth-table": growth_table,
    "growth-ratios": growth_ratios,
    "correlation-factors": correlation_factors,
    "transport-warnings": transport_warnings,
    "measured": headline,
    "machine": machine,
    "chains": chains,
    "general": general,
    "cubes": cubes,
    "sweeps": sweeps,
    "chains-campaign": chains_campaign,
    "visits": lambda: section("visits"),
    "enumeration": lambda: section("enumeration"),
    "startup": lambda: section("startup"),
    "memory": lambda: section("memory"),
    "whole-run": lambda: section("whole_run"),
    "diffusion": lambda: section("diffusion"),
    "diffusion-largest": lambda: section("diffusion_largest"),
    "reading": lambda: section("reading"),
    "large-grid": large_grid,
    "campaign": campaign,
}


def filled(text: str) -> str:
    """A page with all its slots written anew."""
    return SLOT.sub(lambda match: f"{match[1]}{FILLERS[match[2]]().rstrip()}\n{match[4]}", text)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def main() -> int:
    stale = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = filled(text)
        if new != text:
            stale.append(page)
            if "--check" not in sys.argv:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        print(f"{page.relative_to(ROOT)}: {'out of date' if '--check' in sys.argv else 'written'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
