"""Write what the examples on potentials gave into docs/potentials.md, from their result files.

    python docs/potential_results.py

tests/test_docs_potentials.py asks that nothing would change.
"""

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS.parent / "examples" / "potentials"
PAGE = DOCS / "potentials.md"
SECTION = re.compile(r"(<!-- from: ([\w-]+) -->\n).*?(<!-- to: \2 -->)", re.DOTALL)


def with_results(page: str) -> str:
    """The text of the page with its sections on results, those whose file is there."""
    makers = {"ba-ti-o": ba_ti_o, "roads": roads}
    files = {"ba-ti-o": EXAMPLES / "ba-ti-o" / "results.json", "roads": EXAMPLES / "roads" / "roads.json"}

    def fill(match: re.Match[str]) -> str:
        name = match[2]
        if name not in makers or not files[name].is_file():
            return match[0]
        return match[1] + makers[name](json.loads(files[name].read_text(encoding="utf-8"))).strip() + "\n" + match[3]

    return SECTION.sub(fill, page)


def roads(found: dict[str, Any]) -> str:
    """Errors, cost and speed of each road."""
    frames = found["about"]["frames"]
    rows = []
    for name, road in found["roads"].items():
        train, test = road["errors"]
        energy, force = f"{1000 * test['energy_eV_per_atom']:.1f}", f"{test['force_eV_per_A']:.3f}"
        if train["energy_eV_per_atom"] is not None:
            energy += f" ({1000 * train['energy_eV_per_atom']:.1f})"
            force += f" ({train['force_eV_per_A']:.3f})"
        fit_s = _number(road["fit_cpu_s"], ".0f") or "-"
        rows.append(f"| {name} | {road['version']} | {energy} | {force} | {fit_s} | {1 / road['step_cpu_s']:.0f} |")
    stated = found["roads"].get("ace-jax", {}).get("stated_errors_times")
    calibration = (
        ""
        if stated is None
        else (
            f" The standard errors that it states are too small: multiply those of energies by {stated['energy']:.1f} and those of\n"
            f"forces by {stated['force']:.1f}, which a training run with ace-jax notes for its own test frames."
        )
    )
    return (
        f"""
{frames["train"]} frames for the fit and {frames["test"]} of other trajectories, all melts, for the test; CHGNet labels, CPU time of one core
(`examples/potentials/roads`).

| road | version | energy, meV/atom: test (fit) | force, eV/Å: test (fit) | fit, s | steps/s, {found["about"]["atoms_of_a_step"]} atoms |
|---|---|---:|---:|---:|---:|
"""
        + "\n".join(rows)
        + """

Energies and forces are root mean square errors. The expansion of this package is the default: evaluated
by numba without JAX or TensorFlow, and the only one with a grade at every step (which the steps here include).
The ladder ends no better than the ridge, whose minimum is unique, so the ridge is the default solver. ace-jax has 403 functions of two
factors here, and its errors are those of its own evaluation."""
        + calibration
        + _pacemaker(found["roads"])
        + "\n"
    )


def _pacemaker(roads: dict[str, Any]) -> str:
    if "pacemaker" not in roads:
        return ""
    settings = roads["pacemaker"]["settings"]
    return (
        f"\npacemaker, with Finnis-Sinclair embedding, {settings['functions_per_element']} functions of each element and "
        f"{settings['iterations']} iterations a stage,\nis what the reference used; its licence is academic, so it is no default."
    )


def ba_ti_o(found: dict[str, Any]) -> str:
    """Frames, rounds, errors and transport of the example."""
    f, active = found["frames"], found["active_learning"]
    rounds = [
        f"| {r['round']} | {_of(r['reached_ps'], r['wanted_ps'])} | {_stopped(r)} | {_percent(r['share_above_select'])} | "
        f"{_number(r['largest_grade'], '.3g')} | {r.get('labelled', 0)} | {_number(r.get('new_frames_forces_meV_per_A'), '.0f')} | {_number(r.get('energy_meV_per_atom'), '.1f')} | "
        f"{_number(r.get('forces_meV_per_A'), '.0f')} |"
        for r in active["rounds"]
    ]
    errors = [
        f"| {name} | {e['energy_rmse_meV_per_atom']:.1f} | {e['force_rmse_eV_per_A']:.3f} | {e['force_slope']:.3f} | "
        f"{e['stress_rmse_GPa']:.2f} |"
        for name, e in found["errors"].items()
    ]
    melts: list[str] = []
    stopped: list[str] = []
    for m in found["melts"]:
        grade = _number(m["largest_grade"], ".1f")
        state = ", ".join(ion for ion in ("Ba", "Ti", "O") if ion not in m["not_diffusive"])
        if not m["duration_ps"]:
            state = "not run"
        stopped += [f"{m['formula']} at {m['temperature_K']:g} K: {_lower(text)}" for text in m["failed"]]
        head = f"| {m['formula']}, {m['temperature_K']:g} K | {m['duration_ps']:g} | {grade} | {state} |"
        melts.append(
            head
            + f" {_number(m['density_g_per_cm3'], '.2f')} |"
            + "".join(f" {_triple(m[key])} |" for key in ("here", "pedone-2006", "published"))
        )
    return f"""
`examples/potentials/ba-ti-o/run.py`, from nothing and restartable: {f["initial"]} frames for the first fit (melts of rigid ions at 2000 to
4000 K, random cells, strained crystals), {f["test"]} for testing (melts of other trajectories), labelled by CHGNet; then active
learning on melts and quenches of Ba₂TiO₄, BaTiO₃ and BaTi₂O₅ at up to 2500 K, strained crystals and interfaces:

| round | ps reached | runs stopped | steps above {3}, % | largest grade | labelled | force on these before, meV/Å | energy, meV/atom | force, meV/Å |
|---|---|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rounds)}

![Grades and errors round by round](images/potential-active-learning.png)

*Errors on the test frames in the last two columns. It ended because {_why(active["outcome"])}.*

The final fit, {f["all"]} frames and {found["functions_per_element"]} functions of each element, on the test frames (root mean
square force {found["force_rms_eV_per_A"]:.2f} eV/Å):

| fit | energy, meV/atom | force, eV/Å | slope of forces | stress, GPa |
|---|---:|---:|---:|---:|
{chr(10).join(errors)}

*first: before active learning; low-energy: fitted to frames within 0.75 eV/atom of the lowest.*

Melts with the general fit, one replica of 100 atoms each, at the volume of zero pressure; a run ends where the grade of
a step passes {found["stop"]:g}:

| melt | ps | largest grade in its frames | shown to diffuse | density, g/cm³ | Ba, Ti, O here | `pedone-2006` | published |
|---|---:|---:|---|---:|---|---|---|
{chr(10).join(melts)}

*Onsager coefficients $L_{{ii}}$ in 10³⁸/(J m s), with standard errors where they are known, from slopes between 20 ps and a quarter of the
run; those of an ion that is not shown to diffuse there are slopes all the same. One replica leaves large errors:
[the package's own table](melt-table.md) took three of 300 to 1000 ps. The published table ends at 1750 K.*
{_sentences(stopped)}
{_side_by_side(found["report"])}
Active learning made the potential wider, not better on the test frames: the errors of the first fit there hardly change, while
on the configurations to which its runs led it the forces were wrong by {_new_forces(active["rounds"])} before they were learned.
{_met(active)}To reach the reference's accuracy (4,628 structures, 500 functions with Finnis-Sinclair
embedding) it would take ten times the frames, pacemaker's embedding, and labels by density-functional theory: CHGNet
itself is 0.28 eV/Å from PBE on such melts ([below](#against-gpaw)), as far as this fit is from CHGNet.
"""


def _new_forces(rounds: list[dict[str, Any]]) -> str:
    """Root mean square errors of forces on the frames of each round before it learned them."""
    errors = [r["new_frames_forces_meV_per_A"] for r in rounds if r.get("new_frames_forces_meV_per_A")]
    return " and ".join(f"{_number(e, '.0f')}" for e in errors) + " meV/Å"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _sentences(stopped: list[str]) -> str:
    return "" if not stopped else "\nNot to the end of the plan: " + " ".join(stopped) + "\n"


def _met(active: dict[str, Any]) -> str:
    return "Then its runs met nothing new. " if active["outcome"] == "converged" else ""


REPORT = {
    "forces, eV/Å": ("force_rmse_eV_per_A", ".3f"),
    "energy drift, meV/atom/ps": ("drift_meV_per_atom_ps", ".2f"),
    "melts, ps without failure": ("survived_ps", ".0f"),
    "g(r) off CHGNet's beyond noise, worst pair, %": ("g_difference", ".1%"),
    "volume of crystals off CHGNet's, worst, %": ("volume_error_percent", ".1f"),
    "bulk modulus off CHGNet's, worst, %": ("bulk_modulus_error_percent", ".1f"),
    "lowest phonon of cubic BaTiO₃, THz (negative: imaginary)": ("lowest_phonon_THz", ".1f"),
    "steps/s, 100 atoms, one core": ("steps_per_s_100_atoms", ".3g"),
}


def _side_by_side(rows: list[dict[str, Any]] | None) -> str:
    """The table of the report."""
    if not rows:
        return ""
    names = {"potential.ace.npz": "this potential", "pedone-2006": "`pedone-2006`", "chgnet": "CHGNet"}
    lines = ["The report (`report.yaml`) sets it beside rigid ions and CHGNet, melts of 70 atoms at 2000 K:", ""]
    lines += ["| | " + " | ".join(names[row["potential"]] for row in rows) + " |", "|---|" + "---:|" * len(rows)]
    for title, (key, form) in REPORT.items():
        values = [(_number(row.get(key), form).replace("%", "") or "-").replace("-0.0", "0.0") for row in rows]
        lines.append(f"| {title} | " + " | ".join(values) + " |")
    return "\n".join(lines) + "\n"


OUTCOMES = {
    "converged": "the criterion was met: no run stopped and few steps above the threshold",
    "rounds": "the rounds were spent",
}


def _stopped(r: dict[str, Any]) -> str:
    return str(r["stopped_by_grade"] + r["stopped_otherwise"]) if r["runs"] else ""


def _why(outcome: str) -> str:
    return OUTCOMES.get(outcome, outcome)


def _of(reached: float | None, wanted: float | None) -> str:
    return "" if not wanted else f"{reached:.0f} of {wanted:.0f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2g}"


def _number(value: Any, form: str) -> str:
    value = value["value"] if isinstance(value, dict) else value
    return "" if value is None else f"{value:{form}}"


def _short(value: float, digits: int) -> str:
    """Return a number rounded to some digits, without an exponent."""
    return f"{float(f'{value:.{digits}g}'):g}"


def _triple(ions: dict[str, dict[str, float | None]] | None) -> str:
    if ions is None:
        return "-"
    parts = []
    for symbol in ("Ba", "Ti", "O"):
        value, error = ions[symbol]["L"], ions[symbol]["L_stderr"]
        parts.append(_short(value / 1e38, 2) + (f" ± {_short(error / 1e38, 1)}" if error else ""))
    return ", ".join(parts)


if __name__ == "__main__":
    PAGE.write_text(with_results(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
