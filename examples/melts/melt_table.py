"""Compare the package's own Ba-Ti-O table with the published one and with experiment.

    python examples/melts/melt_table.py          measure the replicas, ship their table, run the recipes with it, draw
                                                 the figures and fill docs/melt-table.md (some minutes)
    python examples/melts/melt_table.py --check  exit with 1 if the page or the shipped table is out of date

Reads examples/melts/ba-ti-o, where replicas are gathered, and writes src/tammann/data/ba-ti-o-melts.json, which is
``load_transport("tammann-2026")``, melt-runs.json beside this file, docs/images/melt-*.png, and all that is between
``<!-- from: NAME -->`` and ``<!-- to: NAME -->`` on the page.
"""

import json
import math
import re
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tammann import Recipe, load_phases
from tammann.composition import parse_formula
from tammann.kinetics import growth_constants
from tammann.kinetics.growth import table_layer
from tammann.thermo import draw_energies
from tammann.transport import OnsagerMeasurement, TransportTable, draw_transport, load_transport, save_transport
from tammann.units import BOLTZMANN_J_PER_K
from tammann.workflows.furnace import run_recipe
from tammann.workflows.melt import MeltState, VolumeRecord, largest_error, measure_melts
from tammann.workflows.melt.folder import CORRELATIONS, load_plan, load_replicas, state_folder
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.state import load_state
from tammann.workflows.melt.table import TABLE

HERE = Path(__file__).parent
EXAMPLES = HERE.parent
DOCS = EXAMPLES.parent / "docs"
OUT = HERE / "ba-ti-o"
SHIPPED = EXAMPLES.parent / "src" / "tammann" / "data" / "ba-ti-o-melts.json"
RUNS = HERE / "melt-runs.json"
PAGE = DOCS / "melt-table.md"
SLOT = re.compile(r"(<!-- from: ([a-z-]+) -->\n)(.*?)(<!-- to: \2 -->)", re.DOTALL)
IONS = ("Ba", "Ti", "O")
COLOURS = {1250.0: "#332288", 1500.0: "#56B4E9", 1750.0: "#009E73", 2000.0: "#D55E00"}
DRAWS = 200
RECIPES = {
    "batio3-1-1": "1:1, 1500 K",
    "bati2o5-1-2": "1:2, 1200, 1300, 1400 K",
    "ba2ti9o20-2-9": "2:9, 1400, 1680 K",
    "bati5o11-1-5": "1:5, 1250 to 1500 K",
}
SOURCES = ("karan-2026", "tammann-2026")


# -------------------------------------------------------------------------------------------------------- what is there


@cache
def plan() -> MeltPlan:
    return load_plan(OUT)


@cache
def formulas() -> tuple[str, ...]:
    """Rich in barium first."""
    return tuple(sorted(plan().melts, key=lambda f: -barium(f)))


@cache
def temperatures() -> tuple[float, ...]:
    return tuple(sorted(plan().temperatures_K))


@cache
def state(formula: str, T: float) -> MeltState | None:
    """What has been measured of a state, or None."""
    found = load_state(formula, T, state_folder(OUT, formula, T))
    return None if found.measurement is None else found


@cache
def measured_states() -> tuple[MeltState, ...]:
    """All states that have been measured, rich in barium first, by temperature."""
    return tuple(s for f in formulas() for T in temperatures() if (s := state(f, T)) is not None)


def D_of(s: MeltState, ion: str) -> float | None:
    """Its diffusivity, m²/s, or None where it was not shown to diffuse."""
    D = s.diffusivities_m2_per_s[ion].mean
    return None if math.isnan(D) else D


@cache
def ours() -> TransportTable | None:
    file = OUT / TABLE
    return load_transport(file) if file.exists() else None


@cache
def published() -> TransportTable:
    return load_transport("karan-2026")


def barium(formula: str) -> float:
    counts = parse_formula(formula)
    return counts.get("Ba", 0) / (counts.get("Ba", 0) + counts.get("Ti", 0))


def in_table(formula: str, T: float) -> bool:
    found = ours()
    return found is not None and any(entry.temperature_K == T for entry in found.of(formula))


def published_D(formula: str, T: float) -> dict[str, float] | None:
    """Self-diffusivities that the published table implies, with the volume of the phase."""
    entries = [entry for entry in published().of(formula) if entry.temperature_K == T]
    if not entries:
        return None
    phases = load_phases("Ba-Ti-O")
    volume = table_layer(published(), formula, phases, "full").volume_m3  # per atom
    counts = parse_formula(formula)
    kT = BOLTZMANN_J_PER_K * T
    return {
        ion: float(L) * kT * volume * sum(counts.values()) / counts[ion]
        for ion, L in zip(entries[0].species, entries[0].L_self, strict=True)
    }


@cache
def growth(source: str, T: float) -> dict[str, tuple[float, float, float]]:
    """K_D between BaO and TiO2 with a band of 5 to 95 %, by composition."""
    table = ours() if source == "ours" else published()
    entries = () if table is None else tuple(entry for entry in table.entries if entry.temperature_K == T)
    if not entries:
        return {}
    one = TransportTable(source, source, entries, end_members=("BaO", "TiO2"))
    rows = growth_constants(load_phases("Ba-Ti-O"), one, [T], draws=DRAWS if source == "ours" else 0)
    return {r.phase: (r.K_D_m2_per_s, r.K_D_low, r.K_D_high) for r in rows.itertuples()}


# ---------------------------------------------------------------------------------------------------------------- words


def table(columns: list[str], rows: list[list[str]], *, left: int = 1) -> str:
    align = ["---" if k < left else "---:" for k in range(len(columns))]
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join(align) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def pm(value: float | None, error: float | None, digits: int = 2) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if error is None else f"{value:.{digits}f} ± {error:.{digits}f}"


def so_far() -> str:
    """How much has been computed, and which errors are still large."""
    there = measured_states()
    every = len(formulas()) * len(temperatures())
    target, longest = plan().target_error, plan().longest_ps
    wide = [(s, error) for s in there if (error := largest_error(s.measurement)) > target]
    short = [s.name for s, _ in wide if min(s.melt.durations_ps.values()) < longest - 1.0]
    still = [f"{s.name} ({100 * error:.3g} %)" for s, error in wide if math.isfinite(error)]
    lines = [
        f"**As it stands: {sum(s.replicas for s in there)} of {every * plan().replicas} replicas "
        f"({sum(s.duration_ps for s in there) / 1000.0:.1f} ns), {len(there)} of {every} states; "
        f"{sum(in_table(s.formula, s.temperature_K) for s in there)} of them are diffusive and in the table.**",
        f"Replicas are at least {longest:g} ps long wherever an error of $D_i$ or $L_{{ii}}$ is above "
        f"{100 * target:.0f} % or an ion was not shown to diffuse"
        + (f", but for {', '.join(short)}, which are still to be made longer." if short else "."),
    ]
    if still:
        lines.append(f"In the table with a largest error above {100 * target:.0f} %: {', '.join(still)}.")
    return "\n".join(lines)


def reach() -> str:
    """From where to where each composition is in the table."""
    found = ours()
    assert found is not None
    groups: dict[str, list[str]] = {}
    for formula in formulas():
        known = [f"{entry.temperature_K:g}" for entry in found.of(formula)]
        groups.setdefault(", ".join(known), []).append(formula)
    lines = []
    for known, names in sorted(groups.items(), key=lambda item: (-item[0].count(","), item[0])):
        what = (
            f"at {known} K"
            if "," in known
            else f"at {known} K only, which is no line to continue"
            if known
            else "nowhere"
        )
        lines.append(f"- {', '.join(names)}: {what}")
    return "\n".join(lines)


def states() -> str:
    """Every state: replicas, and whether it is in the table."""
    rows = []
    for formula in formulas():
        row = [formula]
        for T in temperatures():
            s = state(formula, T)
            if s is None:
                row.append("not run yet")
                continue
            moves = zip(s.measurement.species, s.measurement.regime.diffusive, strict=True)
            stuck = [ion for ion, flag in moves if not flag]
            what = "yes" if in_table(formula, T) else f"no: {', '.join(stuck) or 'crystallised'}"
            row.append(f"{lengths(s)} ps: {what}{mark(s)}")
        rows.append(row)
    head = table(["in the table?", *(f"{T:g} K" for T in temperatures())], rows)
    return (
        f"{head}\n\n*no: the ions that were not shown to diffuse. †: the search for the volume had not converged. "
        "‡: mean pressure beyond 0.4 GPa. §: the energy still fell while it was recorded.*"
    )


def lengths(s: MeltState) -> str:
    """Lengths of the replicas, the same ones together: 300 + 2 × 1000."""
    each = Counter(round(x) for x in s.melt.durations_ps.values())
    return " + ".join(f"{n} × {length}" if n > 1 else str(length) for length, n in sorted(each.items()))


def mark(s: MeltState) -> str:
    marks = "†" * (not s.converged) + "‡" * (abs(s.melt.pressure_GPa) > 0.4) + "§" * s.melt.ageing
    return f" {marks}" if marks else ""


def diffusivities() -> str:
    rows = []
    ratios = []
    for T in reversed(temperatures()):
        for formula in formulas():
            s = state(formula, T)
            if s is None or not any(s.measurement.regime.diffusive):
                continue
            theirs = published_D(formula, T)
            row = [f"{formula}, {T:g} K"]
            for ion in IONS:
                D, error = D_of(s, ion), s.diffusivities_m2_per_s[ion].stderr
                row.append("-" if D is None else pm(1e9 * D, 1e9 * error, 2 if error > 5e-12 else 3))
                if D is not None and theirs is not None:
                    ratios.append(theirs[ion] / D)
            row.append(missing(s, T))
            row += ["-" if theirs is None else f"{1e9 * theirs[ion]:.2g}" for ion in IONS]
            rows.append(row)
    if not rows:
        return "Nothing is diffusive yet."
    head = ["D, 1e-9 m²/s", *IONS, "box takes", *(f"{ion}, `karan-2026`" for ion in IONS)]
    words = ""
    if ratios:
        words = (
            f"\n\nWhere both have a value, the published ones are {min(ratios):.1f} to {max(ratios):.0f} times ours "
            f"(median {median(ratios):.0f})."
        )
    return table(head, rows) + words + speeds()


def box_takes(s: MeltState, T: float) -> float | None:
    """What the drag of the box takes from every D, by Yeh and Hummer with the viscosity of the melt, m²/s."""
    eta = s.melt.viscosity.value_Pa_s
    if eta is None or not s.melt.viscosity.converged:
        return None
    edge_m = (s.melt.volume_per_atom_A3 * s.melt.atoms) ** (1 / 3) * 1e-10
    return float(2.837297 * BOLTZMANN_J_PER_K * T / (6.0 * np.pi * eta * edge_m))


def missing(s: MeltState, T: float) -> str:
    takes = box_takes(s, T)
    return "-" if takes is None else f"{1e9 * takes:.2f}"


def box_share() -> str:
    """How much of the D without a box the box takes, per cent, from the least to the most."""
    shares = [
        100.0 * takes / (takes + D)
        for s in measured_states()
        if (takes := box_takes(s, s.temperature_K)) is not None
        for ion in IONS
        if (D := D_of(s, ion)) is not None
    ]
    return f"{min(shares):.0f} to {max(shares):.0f}"


def speeds() -> str:
    """How fast ions are in the rest beside the barium-rich, where both are there."""
    lines = []
    for T in reversed(temperatures()):
        parts = []
        for ion in IONS:
            here = {f: D_of(s, ion) for f in formulas() if (s := state(f, T)) is not None}
            here = {f: D for f, D in here.items() if D is not None}
            theirs = {f: D[ion] for f in here if (D := published_D(f, T)) is not None}
            sides = [[f for f in here if (barium(f) > 0.5) is rich] for rich in (False, True)]
            if all(sides):
                rest, rich = (median(here[f] for f in side) for side in sides)
                also = ""
                if len(theirs) == len(here):
                    other = median(theirs[f] for f in sides[0]) / median(theirs[f] for f in sides[1])
                    also = f" (published {other:.2g})"
                parts.append(f"{ion} {rest / rich:.2g}{also}")
        if parts:
            lines.append(f"- {T:g} K: {', '.join(parts)}")
    if not lines:
        return ""
    return (
        "\n\nD of compositions with Ba:Ti up to 1 over that of the barium-rich, medians of those above; slow ions that "
        "were not shown to diffuse are missing, and so these are upper limits where rows are incomplete:\n\n"
        + "\n".join(lines)
    )


def factors_of(m: OnsagerMeasurement) -> tuple[dict[str, float], dict[str, float]]:
    """Correlation factors by ion, and their standard errors."""
    return tuple(
        dict(zip(m.species, values.tolist(), strict=True))
        for values in (m.correlation_factor, m.correlation_factor_stderr)
    )


def factors() -> str:
    """Correlation factors with their errors."""
    rows = []
    apart: list[float] = []
    of_ion: dict[str, float] = {}
    for T in reversed(temperatures()):
        for formula in formulas():
            if not in_table(formula, T):
                continue
            m = state(formula, T).measurement
            entries = [e for e in published().of(formula) if e.temperature_K == T]
            theirs = dict(zip(entries[0].species, entries[0].correlation_factor, strict=True)) if entries else {}
            f, error = factors_of(m)
            rows.append(
                [
                    f"{formula}, {T:g} K",
                    *(f"{f[ion]:+.2f} ± {error[ion]:.2f}" for ion in IONS),
                    *(f"{theirs[ion]:+.2f}" if ion in theirs else "-" for ion in IONS),
                ]
            )
            for ion in theirs:
                apart.append((f[ion] - theirs[ion]) / error[ion])
                of_ion[ion] = of_ion.get(ion, 0.0) + apart[-1] ** 2
    if not rows:
        return "Nothing is diffusive yet."
    words = ""
    if apart:
        from scipy.special import chdtrc

        chi2, wide = float(np.sum(np.square(apart))), sum(abs(x) > 2.0 for x in apart)
        p = float(chdtrc(len(apart), chi2))
        words = (
            f"\n\nOf {len(apart)} factors that both have, {wide} are more than two of our standard errors apart; 5 % "
            "would be by chance, were the published ones exact and ours alone in error. chi² is "
            f"{chi2:.0f} for {len(apart)} (p {'below 1e-6' if p < 1e-6 else f'= {p:.1g}'}; "
            f"{', '.join(f'{x:.0f} of it from {ion}' for ion, x in of_ion.items())})."
        )
    return table(["f", *IONS, *(f"{ion}, `karan-2026`" for ion in IONS)], rows) + words


def growth_table() -> str:
    rows = []
    for T in reversed(temperatures()):
        mine, theirs = growth("ours", T), growth("theirs", T)
        for formula in formulas():
            if formula in mine:
                value, low, high = mine[formula]
                rows.append(
                    [
                        f"{formula}, {T:g} K",
                        f"{value:.1e}",
                        f"{low:.1e} to {high:.1e}",
                        f"{theirs[formula][0]:.1e}" if formula in theirs else "-",
                    ]
                )
    if not rows:
        return "Nothing is diffusive yet."
    return table(["K_D, m²/s", "ours", "5 to 95 %", "`karan-2026`"], rows) + "\n\n" + contrast()


def contrast() -> str:
    """Median of the rest over that of the barium-rich, over compositions that are in both tables, or ours alone."""
    lines = []
    for T in reversed(temperatures()):
        mine, theirs = growth("ours", T), growth("theirs", T)
        both = [f for f in mine if f in theirs] if theirs else list(mine)
        rich = [f for f in both if barium(f) > 0.5]
        rest = [f for f in both if barium(f) <= 0.5]
        if not rich or not rest:
            lacking = "no other composition than barium-rich ones" if rich else "no barium-rich composition"
            lines.append(f"- {T:g} K: cannot be said; {lacking if both else 'no composition'} is in the table.")
            continue
        value = median(mine[f][0] for f in rest) / median(mine[f][0] for f in rich)
        low, high = contrast_band(T, tuple(rest), tuple(rich))
        line = f"- {T:g} K: **{value:.2g}** ({low:.2g} to {high:.2g}; {', '.join(rest)} over {', '.join(rich)})"
        if theirs:
            other = median(theirs[f][0] for f in rest) / median(theirs[f][0] for f in rich)
            line += f"; the published table gives {other:.2g} for the same compositions"
        lines.append(line + ".")
    head = "K_D of compositions with Ba:Ti up to 1 over that of the barium-rich, medians (5 to 95 % of draws):"
    return head + "\n\n" + "\n".join(lines)


@cache
def contrast_band(T: float, rest: tuple[str, ...], rich: tuple[str, ...]) -> tuple[float, float]:
    """5th and 95th percentile of the contrast over draws of transport and energies."""
    found = ours()
    assert found is not None
    one = replace(found, entries=tuple(entry for entry in found.entries if entry.temperature_K == T))
    phases, rng = load_phases("Ba-Ti-O"), np.random.default_rng(0)
    ratios = []
    for _ in range(DRAWS):
        drawn = draw_transport(one, rng=rng)
        rows = growth_constants(draw_energies(phases, rng=rng), drawn, [T], draws=0)
        K = dict(zip(rows.phase, rows.K_D_m2_per_s, strict=True))
        ratios.append(median(K[f] for f in rest) / median(K[f] for f in rich))
    low, high = np.percentile(ratios, [5.0, 95.0])
    return float(low), float(high)


def experiment() -> str:
    rows = []
    for what, formula, T, mine, error, measured, theirs, digits in comparisons():
        off = f"{100.0 * (mine / measured - 1.0):+.0f} %"
        if theirs is not None:
            off += f", {(mine - measured) / np.hypot(theirs, error or 0.0):+.1f} standard errors"
        rows.append([what, formula, f"{T:g}", pm(mine, error, digits), pm(measured, theirs, digits), off])
    return table(["", "melt", "T, K", "here", "measured", "difference"], rows, left=2)


def comparisons() -> list[tuple[str, str, float, float, float | None, float, float | None, int]]:
    """What, melt, temperature, here, standard error, measured, its error, digits."""
    found: list[tuple[str, str, float, float, float | None, float, float | None, int]] = []
    for T in temperatures():
        s = state("BaTi2O5", T)
        if s is not None:
            found.append(("density, g/cm³", "BaTi2O5", T, *density(s), 4.82 - 0.0004 * T, 0.55, 2))
    for T in temperatures():
        s = state("BaTi2O5", T)
        if s is not None:
            line, apart = 5.4 - 3.5e-4 * T, float(np.hypot(0.1, 0.7e-4 * T))
            found.append(("O around Ti", "BaTi2O5", T, *titanium(s), line, apart, 3))
    s = state("BaTiO3", 2000.0)
    if s is not None:
        found.append(("O around Ti", "BaTiO3", 2000.0, *titanium(s), 4.4, 0.2, 3))
    for formula in ("BaTi2O5", "BaTi4O9"):
        for T in (1750.0, 2000.0):
            s = state(formula, T)
            if s is not None and s.melt.viscosity.converged:
                eta = s.melt.viscosity
                mine = 1e3 * eta.value_Pa_s, 1e3 * eta.stderr_Pa_s
                found.append(("viscosity, mPa s", formula, T, *mine, float(measured_viscosity(T)), None, 1))
    return found


def density(s: MeltState) -> tuple[float, float | None]:
    """With the error that the pressure left over, and its own error, make by the bulk modulus."""
    modulus = s.volume.fit.bulk_modulus_GPa
    value = s.melt.density_g_per_cm3
    return value, None if modulus is None else value * float(
        np.hypot(s.melt.pressure_GPa, s.melt.pressure_stderr_GPa)
    ) / modulus


def measured_viscosity(T: Any) -> Any:
    """The Arrhenius line through what Wilke et al. (2024) state, 30 mPa s near 1750 K and 10 near 2100 K."""
    slope = np.log(3.0) / (1 / 1750.0 - 1 / 2100.0)
    return 30.0 * np.exp(slope * (1 / np.asarray(T, dtype=float) - 1 / 1750.0))


def titanium(s: MeltState) -> tuple[float, float | None]:
    here = next(c for c in s.melt.coordination if (c.centre, c.neighbour) == ("Ti", "O"))
    return here.mean, here.stderr


# ---------------------------------------------------------------------------------------------------------- the furnace


def shipped() -> TransportTable:
    """The table as it is shipped: that of the folder under its own name."""
    found = ours()
    if found is None:
        raise SystemExit(f"{OUT}: no state is diffusive, so there is no table.")
    return replace(
        found,
        name="tammann-2026",
        source=f"{found.source}; examples/melts/ba-ti-o.yaml",
        warnings=(
            *found.warnings,
            f"Boxes of 200 atoms make D {box_share()} % too small (Yeh and Hummer), most of all that of Ti; ratios of "
            "compositions feel less of it.",
            "The potential was fitted to crystals and not to transport; held against experiment in docs/melt-table.md.",
        ),
    )


def same_table(one: TransportTable, other: TransportTable | None) -> bool:
    if other is None or len(one.entries) != len(other.entries) or one.warnings != other.warnings:
        return False
    pairs = zip(one.entries, other.entries, strict=True)
    return all(a.formula == b.formula and np.allclose(a.L, b.L, rtol=1e-9, atol=0.0) for a, b in pairs)


def run_recipes() -> None:
    """Run the recipes of the paper with both tables and with none."""
    found: dict[str, Any] = {}
    for name in RECIPES:
        recipe = Recipe.from_file(EXAMPLES / "recipes" / f"{name}.yaml")
        for source in (*SOURCES, "none"):
            run = run_recipe(recipe.with_options(transport=source), null=False)
            history = run.history
            peak = np.median(history.fractions("mole"), axis=0).max(axis=0)
            rows = history.table().itertuples()
            found.setdefault(name, {})[source] = {
                "final": {row.phase: [row.median, row.low, row.high] for row in rows},
                "peak": dict(zip(history.phases, peak.tolist(), strict=True)),
                "without_data": run.summary["without_data_fraction"],
            }
            last = run.equilibrium["temperature_K"].iloc[-1]
            end = run.equilibrium[run.equilibrium["temperature_K"] == last]
            found[name]["equilibrium"] = dict(zip(end["phase"], end["mole_fraction"], strict=True))
    RUNS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


@cache
def runs() -> dict[str, Any]:
    return dict(json.loads(RUNS.read_text(encoding="utf-8")))


def chgnet() -> str:
    found = json.loads((HERE / "chgnet" / "comparison.json").read_text(encoding="utf-8"))
    rows = []
    for name in ("pedone-2006", "chgnet"):
        run = found[name]
        ti, ba = run["coordination"]["Ti-O"], run["coordination"]["Ba-O"]
        within, moved = run["Ti-O within 2.6 A"], run["rms_displacement_in_2_ps_A"]
        rows.append(
            [
                f"`{name}`",
                f"{run['duration_ps']:g}",
                f"{run['pressure_GPa']:+.1f}",
                f"{ti['nearest_A']:.2f}",
                pm(ti["mean"], ti["stderr"]),
                pm(within["mean"], within["stderr"]),
                f"{ba['nearest_A']:.2f}",
                pm(ba["mean"], ba["stderr"], 1),
                ", ".join(f"{ion} {moved[ion]:.2f}" for ion in IONS),
            ]
        )
    rows.append(["measured", "", "", "", pm(5.4 - 3.5e-4 * 2000.0, float(np.hypot(0.1, 0.14))), "", "", "", ""])
    head = ["", "ps", "P, GPa", "Ti-O, Å", "O around Ti", "within 2.6 Å", "Ba-O, Å", "O around Ba", "moved in 2 ps, Å"]
    return f"{found['melt']}, {found['density_g_per_cm3']:g} g/cm³, the measured density.\n\n{table(head, rows)}"


def furnace() -> str:
    rows, words = [], []
    for name, title in RECIPES.items():
        found = runs()[name]
        for source in (*SOURCES, "none", "equilibrium"):
            label = f"`{source}`" if source in SOURCES else {"none": "none: melting points"}.get(source, source)
            if source == "equilibrium":
                parts = [(phase, f"{100 * x:.0f}", x) for phase, x in found[source].items()]
                share = ""
            else:
                final = found[source]["final"]
                parts = [
                    (p, f"{100 * m:.0f} ({100 * lo:.0f} to {100 * hi:.0f})", m) for p, (m, lo, hi) in final.items()
                ]
                share = f"{100 * found[source]['without_data']:.0f} %"
            parts = sorted((part for part in parts if part[2] >= 0.015), key=lambda part: -part[2])
            rows.append([title, label, ", ".join(f"{phase} {text}" for phase, text, _ in parts), share])
        words.append(f"- {title}: {change(found)}")
    head = ["recipe", "transport", "phases at the end, mol% (5 to 95 %)", "without data"]
    return table(head, rows, left=3) + "\n\n" + "\n".join(words)


def change(found: dict[str, Any]) -> str:
    """What the second source does to a recipe, in words: by the medians and bands of what is left at the end."""
    ends = [{phase: x[0] for phase, x in found[source]["final"].items()} for source in SOURCES]
    main = [max(end, key=lambda phase: end[phase]) for end in ends]
    says = f"the main phase is {main[0]} with both" if main[0] == main[1] else f"{main[1]} in place of {main[0]} leads"
    moved = apart(found[SOURCES[0]], found[SOURCES[1]])
    says += f"; from the published table to ours {moved}" if moved else "; no band is apart from the other's"
    beside = apart(found["none"], found[SOURCES[1]])
    share = 100 * found[SOURCES[1]]["without_data"]
    says += (
        f". From melting points alone to ours {beside}" if beside else ". Melting points alone do not differ from it"
    )
    return f"{says} ({share:.0f} % of the driving force had no data)." if round(share) else f"{says}."


def apart(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Phases whose bands do not meet, largest changes first."""
    moved = []
    for phase in sorted(set(one["final"]) | set(other["final"])):
        a, b = (each["final"].get(phase, [0.0, 0.0, 0.0]) for each in (one, other))
        if max(a[1] - b[2], b[1] - a[2]) > 0.01:
            moved.append((abs(a[0] - b[0]), f"{phase} {100 * a[0]:.0f} to {100 * b[0]:.0f} mol%"))
    return ", ".join(text for _, text in sorted(moved, reverse=True))


SLOTS = {
    "so-far": so_far,
    "states": states,
    "reach": reach,
    "diffusivities": diffusivities,
    "factors": factors,
    "growth": growth_table,
    "experiment": experiment,
    "chgnet": chgnet,
    "furnace": furnace,
}


def filled(text: str) -> str:
    """The page with all its slots written anew; each of them must be there."""
    there = {match[2] for match in SLOT.finditer(text)}
    if there != set(SLOTS):
        raise SystemExit(f"{PAGE.name}: expected the slots {sorted(SLOTS)}, found {sorted(there)}.")
    return SLOT.sub(lambda match: f"{match[1]}{SLOTS[match[2]]().rstrip()}\n{match[4]}", text)


# -------------------------------------------------------------------------------------------------------------- figures


def draw() -> None:
    import matplotlib

    matplotlib.use("Agg")
    draw_diffusivities()
    draw_factors()
    draw_growth()
    draw_experiment()
    draw_example()
    draw_chgnet()


def draw_chgnet() -> None:
    rows = np.genfromtxt(HERE / "chgnet" / "g_of_r.csv", delimiter=",", names=True, deletechars="")
    axes = panels(3)
    for ax, pair in zip(axes, ("Ti-O", "Ba-O", "O-O"), strict=True):
        for name, colour in (("pedone-2006", "#0072B2"), ("chgnet", "#D55E00")):
            ax.plot(rows["r_A"], rows[f"{pair}_{name}"], color=colour, lw=1.3, label=name)
        ax.axhline(1.0, color="#9A9A9A", lw=0.7)
        ax.set_xlim(1.2, 5.0)
        ax.set_xlabel("r, Å")
        ax.set_title(pair.replace("-", "\N{EN DASH}"), fontsize=10)
    axes[0].set_ylabel("g(r)")
    axes[0].legend(frameon=False, fontsize=9)
    finish(axes, "melt-chgnet.png")


def draw_example() -> None:
    """The figures of one state, as ``tammann melt`` leaves them."""
    from tammann.plot import plot_volume_search, save_figure, transport_figure
    from tammann.transport import load_correlations, measure_onsager

    folder = state_folder(OUT, "BaTiO3", 2000.0)
    volume = VolumeRecord.load(folder)
    save_figure(plot_volume_search(volume.points, volume.atoms), DOCS / "images" / "melt-volume.png", dpi=110)
    curves = [load_correlations(replica.folder / CORRELATIONS) for replica in load_replicas(folder)]
    page = transport_figure(curves, measure_onsager(curves))
    save_figure(page, DOCS / "images" / "melt-transport.png", dpi=110)


def panels(count: int, *, height: float = 3.4) -> Any:
    from matplotlib.figure import Figure

    from tammann.plot.style import tidy

    axes = Figure(figsize=(9.5, height), layout="constrained").subplots(1, count, squeeze=False)[0]
    for ax in axes:
        tidy(ax)
    return axes


def legend_below(axes: Any) -> None:
    handles = dict(
        reversed([pair for ax in axes for pair in zip(*reversed(ax.get_legend_handles_labels()), strict=True)])
    )
    axes[0].figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=4, fontsize=8, frameon=False
    )


def finish(axes: Any, name: str) -> None:
    from tammann.plot import save_figure

    save_figure(axes[0], DOCS / "images" / name, dpi=110)


def draw_diffusivities() -> None:
    axes = panels(3)
    for ax, ion in zip(axes, IONS, strict=True):
        for T in temperatures():
            x, y, error = [], [], []
            for f in formulas():
                s = state(f, T)
                if s is not None and (D := D_of(s, ion)) is not None:
                    x.append(barium(f)), y.append(D), error.append(s.diffusivities_m2_per_s[ion].stderr)
            if x:
                ax.errorbar(x, y, error, fmt="o", color=COLOURS[T], ms=5, label=f"here, {T:g} K")
            theirs = [(barium(f), D[ion]) for f in formulas() if (D := published_D(f, T)) is not None]
            if theirs and T >= 1500:
                ax.plot(*zip(*theirs, strict=True), "--x", color=COLOURS[T], lw=0.8, ms=5, label=f"karan-2026, {T:g} K")
        ax.set_yscale("log")
        ax.set_xlim(0.1, 0.85)
        ax.set_xlabel("Ba/(Ba + Ti)")
        ax.set_title(ion, fontsize=10)
    axes[0].set_ylabel("D, m²/s")
    legend_below(axes)
    finish(axes, "melt-diffusivities.png")


def draw_factors() -> None:
    axes = panels(3)
    for ax, ion in zip(axes, IONS, strict=True):
        ax.axhline(0.0, color="#9A9A9A", lw=0.7)
        for T in temperatures():
            mine = [(f, *factors_of(state(f, T).measurement)) for f in formulas() if in_table(f, T)]
            if mine:
                x = [barium(f) for f, _, _ in mine]
                y = [values[ion] for _, values, _ in mine]
                error = [errors[ion] for _, _, errors in mine]
                ax.errorbar(x, y, error, fmt="o", color=COLOURS[T], ms=5, label=f"here, {T:g} K")
            theirs = [
                (barium(f), dict(zip(e.species, e.correlation_factor, strict=True))[ion])
                for f in formulas()
                for e in published().of(f)
                if e.temperature_K == T
            ]
            if theirs and T >= 1500:
                ax.plot(*zip(*theirs, strict=True), "--x", color=COLOURS[T], lw=0.8, ms=5, label=f"karan-2026, {T:g} K")
        ax.set_xlim(0.1, 0.85)
        ax.set_ylim(-1.2, 2.2)
        ax.set_xlabel("Ba/(Ba + Ti)")
        ax.set_title(ion, fontsize=10)
    axes[0].set_ylabel("correlation factor")
    legend_below(axes)
    finish(axes, "melt-correlation-factors.png")


def draw_growth() -> None:
    axes = panels(2)
    for ax, source, title in zip(axes, ("ours", "theirs"), ("here", "karan-2026"), strict=True):
        for T in temperatures():
            found = growth(source, T)
            names = [f for f in formulas() if f in found]
            if names:
                x = [barium(f) for f in names]
                y = np.array([found[f][0] for f in names])
                low, high = (np.array([found[f][k] for f in names]) for k in (1, 2))
                error = (
                    None if source == "theirs" else np.abs(np.array([y - np.minimum(low, y), np.maximum(high, y) - y]))
                )
                ax.errorbar(x, y, error, fmt="o-", lw=0.7, ms=5, color=COLOURS[T], label=f"{T:g} K")
        ax.set_yscale("log")
        ax.set_xlim(0.1, 0.85)
        ax.set_xlabel("Ba/(Ba + Ti)")
        ax.set_title(title, fontsize=10)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize=8, frameon=False)
    axes[0].set_ylabel("growth constant, m²/s")
    finish(axes, "melt-growth-constants.png")


def draw_experiment() -> None:
    from tammann.plot.style import formula_label, phase_colours

    axes = panels(3)
    T = np.linspace(1250.0, 2000.0, 50)
    inside = (T >= 1300) & (T <= 1830)
    for ax, line in ((axes[0], 4.82 - 0.0004 * T), (axes[1], 5.4 - 3.5e-4 * T)):
        ax.plot(T, line, ":", color="#222222", lw=0.8)
        ax.plot(T[inside], line[inside], color="#222222", label=f"{formula_label('BaTi2O5')}, measured")
        error = 0.55 if ax is axes[0] else np.hypot(0.1, 0.7e-4 * T)
        ax.fill_between(T, line - error, line + error, color="#EDE7D9", lw=0)
    axes[1].errorbar([1970], [4.4], [0.2], fmt="s", color="#222222", ms=4, label=f"{formula_label('BaTiO3')}, measured")
    axes[2].plot([1750, 2100], [30, 10], "s", color="#222222", ms=5, label="measured")
    span = np.linspace(1750.0, 2100.0, 30)
    axes[2].plot(span, measured_viscosity(span), ":", color="#222222", lw=0.8)
    shown = ("BaTi2O5", "BaTi4O9", "BaTiO3", "Ba2TiO4")
    colours = phase_colours(shown)
    for formula in shown:
        there = [(t, s) for t in temperatures() if (s := state(formula, t)) is not None]
        look = {"color": colours[formula], "ms": 5, "label": formula_label(formula)}
        if there and formula == "BaTi2O5":
            axes[0].plot([t for t, _ in there], [s.melt.density_g_per_cm3 for _, s in there], "o", **look)
        if there and formula in ("BaTi2O5", "BaTiO3"):
            numbers = [titanium(s) for _, s in there]
            axes[1].errorbar([t for t, _ in there], [n[0] for n in numbers], [n[1] for n in numbers], fmt="o", **look)
        flows = [(t, s.melt.viscosity) for t, s in there if s.melt.viscosity.converged]
        if flows:
            y = [1e3 * v.value_Pa_s for _, v in flows]
            axes[2].errorbar([t for t, _ in flows], y, [1e3 * v.stderr_Pa_s for _, v in flows], fmt="o", **look)
    axes[1].set_ylim(3.85, 5.2)
    axes[2].set_yscale("log")
    axes[2].set_yticks([5, 10, 20, 30, 40], ["5", "10", "20", "30", "40"])
    axes[2].minorticks_off()
    for ax, label in zip(axes, ("density, g/cm³", "O around Ti", "viscosity, mPa s"), strict=True):
        ax.set_xlabel("T, K")
        ax.set_ylabel(label)
        ax.legend(fontsize=7, frameon=False)
    finish(axes, "melt-experiment.png")


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        late = [PAGE.name] if filled(text) != text else []
        late += [] if same_table(shipped(), load_transport("tammann-2026")) else [SHIPPED.name]
        print("\n".join(f"{name}: out of date" for name in late))
        return 1 if late else 0
    measure_melts(plan(), OUT)
    save_transport(shipped(), SHIPPED)
    run_recipes()
    draw()
    PAGE.write_text(filled(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
