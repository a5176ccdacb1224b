"""The page of a report on potentials: one HTML file with everything in it."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tammann._version import __version__
from tammann.plot.potentials import (
    plot_crystal_curves,
    plot_diffusivities,
    plot_energy_conservation,
    plot_errors,
    plot_pair_distribution,
    plot_parity,
    plot_phonons,
    plot_total_energy,
    plot_watched_runs,
)
from tammann.report.page import Panel, list_html, page_html, pairs_html, panels_html, table_html, text_html
from tammann.workflows.potential_report.melts import MeltStructure, diffusivity_ratios, distribution_difference
from tammann.workflows.potential_report.results import Judgement, PotentialReport

if TYPE_CHECKING:
    pass

ERRORS = (
    "energy_rmse_meV_per_atom",
    "energy_mae_meV_per_atom",
    "force_rmse_eV_per_A",
    "force_mae_eV_per_A",
    "force_rms_eV_per_A",
    "force_slope",
    "stress_rmse_GPa",
)
"""Columns of ``Evaluation.table`` in the table of errors."""


def report_page(report: PotentialReport) -> str:
    """Return the page of a report."""
    plan = report.plan
    verb = "is" if len(report.potentials) == 1 else "are"
    title = plan.title or f"How good {verb} {_listed([one.name for one in report.potentials])}?"
    sections = [
        f"<h1>{text_html(title)}</h1>",
        f'<p class="soft">{text_html(_subtitle(report))}</p>',
        _headline(report),
        _failures(report),
        "<h2>Side by side</h2>",
        _side_by_side(report),
        *_errors(report),
        *_physics(report),
        *_crystals(report),
        *_melts(report),
        *_about(report),
    ]
    return page_html(title, sections, [])


def _subtitle(report: PotentialReport) -> str:
    parts = []
    evaluations = [one.evaluation for one in report.potentials if one.evaluation]
    if evaluations:
        frames = len(evaluations[0].frames) + len(evaluations[0].failed)
        labelled = f", labelled by {_listed(report.labels)}" if report.labels else ""
        parts.append(f"{frames} labelled frames{labelled}")
    if report.reference is not None:
        parts.append(f"dynamics and crystals beside {report.reference.name}")
    parts.append(f"tammann {__version__}")
    return "; ".join(parts)


def _headline(report: PotentialReport) -> str:
    """Say what matters of each potential in one sentence."""
    sentences = []
    for one in report.potentials:
        said = []
        if one.evaluation is not None:
            row = one.evaluation.errors().iloc[0]
            said.append(
                f"{row['energy_rmse_meV_per_atom']:.3g} meV/atom and {row['force_rmse_eV_per_A']:.3g} eV/Å off "
                f"(forces of {row['force_rms_eV_per_A']:.2g} eV/Å)"
            )
        if one.melts:
            broken = [run for run in one.melts.values() if run.failure]
            good = f"stable for {_ps(one.survived_ps)} of melts"
            said.append(f"{len(broken)} of {len(one.melts)} melts failed" if broken else good)
        if math.isfinite(one.steps_per_s):
            said.append(f"{one.steps_per_s:.3g} steps/s at 100 atoms")
        sentences.append(f"<b>{html.escape(one.name)}</b>: {text_html('; '.join(said) or 'nothing was asked')}.")
    return f'<p class="headline">{"<br>".join(sentences)}</p>'


def _failures(report: PotentialReport) -> str:
    cautions = [f"{one.name}: {sentence}" for one in report.all for sentence in one.failures]
    good = [
        f"{one.name}: all {len(one.consistency.checks)} checks of gradients, invariances and smoothness passed"
        for one in report.all
        if one.consistency is not None and one.consistency.passed
    ]
    items = [f'<li class="caution">{text_html(text.rstrip("."))}.</li>' for text in cautions]
    items += [f"<li>{text_html(text)}.</li>" for text in good]
    return f'<ul class="notices">{"".join(items)}</ul>' if items else ""


def _side_by_side(report: PotentialReport) -> str:
    """Return the table with one column for each potential: there are more numbers than potentials."""
    table = report.table()
    rows: list[tuple[str, Callable[[Any], str]]] = [
        ("energy, RMSE (meV/atom)|energy_rmse_meV_per_atom", _number),
        ("forces, RMSE (eV/Å)|force_rmse_eV_per_A", _number),
        ("slope of forces|force_slope", lambda x: f"{x:.3f}"),
        ("stress, RMSE (GPa)|stress_rmse_GPa", _number),
        ("drift at constant energy (meV/atom/ps)|drift_meV_per_atom_ps", _number),
        ("power of the time step|drift_order", lambda x: f"{x:.2f}"),
        ("time survived in melts (ps)|survived_ps", lambda x: f"{x:.4g}"),
        ("runs that failed|failed_runs", lambda x: f"{x:.0f}"),
        ("highest extrapolation grade|highest_grade", _number),
        ("g(r) off beyond noise, worst pair|g_difference", lambda x: f"{100 * x:.1f} %"),
        ("D over that of the reference, worst|D_ratio", lambda x: f"{x:.2f}"),
        ("volume of crystals, worst (%)|volume_error_percent", lambda x: f"{x:+.2f}"),
        ("bulk modulus, worst (%)|bulk_modulus_error_percent", lambda x: f"{x:+.1f}"),
        ("lowest phonon (THz)|lowest_phonon_THz", lambda x: f"{-x:.2f}i" if x < -0.1 else f"{max(x, 0.0):.2f}"),
        ("speed at 100 atoms (steps/s)|steps_per_s_100_atoms", _number),
    ]
    body = []
    checks = [f"{p:.0f} of {n:.0f}" if n else "-" for p, n in zip(table["checks_passed"], table["checks"], strict=True)]
    for label, form in rows:
        name, _, column = label.partition("|")
        cells = [form(x) if math.isfinite(x) else "-" for x in table[column].astype(float)]
        if any(cell != "-" for cell in cells):
            body.append([name, *cells])
        if column == "stress_rmse_GPa" and any(cell != "-" for cell in checks):
            body.append(["checks passed", *checks])
    columns = [("", False), *((_unbroken(str(name)), True) for name in table["potential"])]
    return table_html("All potentials; a dash where nothing was asked or known", columns, body)


def _errors(report: PotentialReport) -> list[str]:
    judged = [one for one in report.potentials if one.evaluation is not None]
    if not judged:
        return []
    evaluations = [one.evaluation for one in judged if one.evaluation]
    sections = ["<h2>Errors on labelled frames</h2>"]
    panels: list[Panel] = []
    first = evaluations[0]
    kinds: tuple[tuple[Literal["config_type", "formula", "element"], str, int], ...] = (
        ("config_type", "configuration type", first.frames["config_type"].nunique()),
        ("formula", "composition", first.frames["formula"].nunique()),
        ("element", "element", first.forces["element"].nunique()),
    )
    for by, what, number in kinds:
        if number > 1 and by != "element":
            panels.append((f"Energies by {what}.", plot_errors(evaluations, by=by, quantity="energy")))
        if number > 1:
            panels.append((f"Force components by {what}.", plot_errors(evaluations, by=by)))
    sections.append(panels_html(panels))
    for one in evaluations:
        parity: list[Panel] = []
        if not one.frames.empty:
            offsets = ", ".join(f"{name} {value:+.3f}" for name, value in one.offsets_eV.items())
            taken = f"{one.alignment}, eV: {offsets}" if offsets else "nothing"
            parity.append((f"Energies; subtracted for each atom: {taken}.", plot_parity(one, "energy")))
        for element in sorted(set(one.forces["element"])):
            parity.append(
                (
                    f"Force components on {element}; darker where there are more.",
                    plot_parity(one, "force", element=element),
                )
            )
        if not one.stresses.empty:
            parity.append(("Stress components.", plot_parity(one, "stress")))
        sections += [f"<h3>{text_html(one.potential)}</h3>", panels_html(parity), _error_table(one)]
    return sections


def _error_table(one: Any) -> str:
    rows = []
    for row in one.table().to_dict("records"):
        kind = {"all": "all frames", "config_type": "type", "element": "forces on"}[row["by"]]
        name = kind if row["by"] == "all" else f"{kind} {row['value']}"
        rows.append([name, f"{row['frames']:.0f}", *(_number(row[key]) for key in ERRORS)])
    names = ("frames", "energy RMSE (meV/atom)", "MAE", "force RMSE (eV/Å)", "MAE", "RMS of labels", "slope",
             "stress RMSE (GPa)")  # fmt: skip
    caption = "Errors; the slope is that of predicted on reference forces through the origin, below 1 where too soft"
    return table_html(caption, [("", False), *((name, True) for name in names)], rows)


def _physics(report: PotentialReport) -> list[str]:
    sections: list[str] = []
    checked = [one for one in report.all if one.consistency is not None]
    drifts = {one.name: one.drift for one in report.all if one.drift is not None}
    if not checked and not drifts:
        return []
    sections.append("<h2>Physics</h2>")
    if checked:
        names = [check.name for check in checked[0].consistency.checks]  # type: ignore[union-attr]
        rows = []
        for k, name in enumerate(names):
            cells = []
            for one in checked:
                check = one.consistency.checks[k]  # type: ignore[union-attr]
                cells.append(f"{check.deviation:.1e} {check.unit}" + ("" if check.passed else " fails"))
            rows.append([name, *cells])
        caption = "Largest deviation in each check of gradients, invariances and smoothness, on one frame"
        table = table_html(caption, [("check", False), *((one.name, True) for one in checked)], rows)
        passed = ", ".join(f"{one.name} {_passed(one)}" for one in checked)
        sections.append(f"<details><summary>Checks passed: {text_html(passed)}</summary>{table}</details>")
    if drifts:
        sentence = (
            "Fluctuation of the total energy at constant energy: it goes as dt² where forces are the gradient of a "
            "smooth energy."
        )
        panels: list[Panel] = [(sentence, plot_energy_conservation(drifts, reference=_reference(report)))]
        for name, drift in drifts.items():
            about = f"Total energy of {drift.n_atoms} atoms at about {drift.temperature_K.mean():.0f} K."
            panels.append((about, plot_total_energy(drift, name=name)))
        sections.append(panels_html(panels))
    return sections


def _passed(one: Judgement) -> str:
    checks = one.consistency.checks if one.consistency else ()
    return f"{sum(check.passed for check in checks)} of {len(checks)}"


def _crystals(report: PotentialReport) -> list[str]:
    sections: list[str] = []
    names = list(dict.fromkeys(name for one in report.all for name in one.crystals))
    panels: list[Panel] = []
    for name in names:
        curves = {one.name: one.crystals[name] for one in report.all if name in one.crystals}
        text = f"{name}: energy against volume, atoms relaxed; equation of Birch and Murnaghan."
        panels.append((text, plot_crystal_curves(curves, reference=_reference(report))))
        phonons = {one.name: one.phonons[name] for one in report.all if name in one.phonons}
        if phonons:
            first = next(iter(phonons.values()))
            cells = " x ".join(map(str, first.supercell))
            modes = [f"{who} {', '.join(p.imaginary_modes)}" for who, p in phonons.items() if p.imaginary_modes]
            more = f" Imaginary at the corners: {'; '.join(modes)}." if modes else ""
            text = f"{name}: phonons in a supercell of {cells}, without long-range electric fields.{more}"
            panels.append((text, plot_phonons(phonons, reference=_reference(report))))
    if panels:
        sections += ["<h2>Crystals</h2>", panels_html(panels), _crystal_table(report, names)]
    return sections


def _crystal_table(report: PotentialReport, names: Sequence[str]) -> str:
    rows = []
    for name in names:
        for one in report.all:
            if name not in one.crystals:
                continue
            curve, phonons = one.crystals[name], one.phonons.get(name)
            lowest = "-" if phonons is None else _frequency(phonons.lowest_THz)
            highest = "-" if phonons is None else f"{phonons.frequencies_THz.max():.1f}"
            rows.append(
                [_unbroken(name), _unbroken(one.name), f"{curve.volume_A3_per_atom:.3f}",
                 f"{curve.bulk_modulus_GPa:.0f}", lowest, highest,
                 "yes" if curve.relaxed else "no"]
            )  # fmt: skip
    columns = [("crystal", False), ("potential", False), ("volume (Å³/atom)", True), ("bulk modulus (GPa)", True),
               ("lowest phonon (THz)", True), ("highest", True), ("relaxed", False)]  # fmt: skip
    return table_html("Crystals", columns, rows)


def _melts(report: PotentialReport) -> list[str]:
    names = list(dict.fromkeys(name for one in report.all for name in one.melts))
    if not names:
        return []
    reference = _reference(report)
    sections = ["<h2>Melts</h2>"]
    stop = report.plan.stop
    for name in names:
        runs = {one.name: one.melts[name] for one in report.all if name in one.melts}
        failed = [who for who, run in runs.items() if run.failure]
        series = {who: run.series for who, run in runs.items()}
        sections.append(f"<h3>{text_html(name)}</h3>")
        panels: list[Panel] = []
        pairs = list(dict.fromkeys(pair for run in runs.values() for pair in run.pairs))
        for pair in pairs:
            curves = {
                who: (run.r_A, run.g[run.pairs.index(pair)], run.g_stderr[run.pairs.index(pair)])
                for who, run in runs.items()
                if pair in run.pairs
            }
            panels.append((f"Pair distribution of {pair}; bands are two standard errors.",
                           plot_pair_distribution(curves, pair, reference=reference)))  # fmt: skip
        moving = {
            who: {s: (D, e, m) for s, D, e, m in zip(run.species, run.D_m2_per_s, run.D_stderr, run.diffusive,
                                                     strict=True)}
            for who, run in runs.items()
            if run.species
        }  # fmt: skip
        if moving:
            text = "Tracer diffusivities with standard errors; hollow where diffusion is not shown by so short a run."
            panels.append((text, plot_diffusivities(moving, reference=reference)))
        contact = plot_watched_runs(series, "closest_A", limit=stop.closest_A, failed=failed, reference=reference)
        panels.append(("Closest contact of two atoms, lowest and highest in short stretches.", contact))
        if any(math.isfinite(run.highest_grade) for run in runs.values()):
            grade = plot_watched_runs(series, "grade", limit=stop.grade, failed=failed, reference=reference)
            panels.append(("Extrapolation grade along the run.", grade))
        sections += [panels_html(panels), _melt_table(runs, reference)]
    return sections


def _melt_table(runs: dict[str, MeltStructure], reference: str | None) -> str:
    rows = []
    known = runs.get(reference or "")
    for who, run in runs.items():
        end = "no failure" if run.failure is None else run.failure.kind
        worst, ratios = "-", "-"
        if known is not None and who != reference:
            differences = distribution_difference(run, known)
            if differences:
                pair = max(differences, key=lambda p: differences[p][0] - differences[p][1])
                value, noise = differences[pair]
                worst = f"{pair} {100 * value:.1f} % (noise {100 * noise:.1f} %)"
            found = diffusivity_ratios(run, known)
            ratios = ", ".join(f"{s} {r:.2f} ± {e:.2f}" for s, (r, e) in found.items()) or "-"
        grade = _number(run.highest_grade)
        rows.append([_unbroken(who), f"{_ps(run.survived_ps)} of {_ps(run.asked_ps)}", end, grade, worst, ratios,
                     _number(run.steps_per_s)])  # fmt: skip
    names = (("potential", False), ("survived", True), ("end", False), ("highest grade", True),
             ("g(r) off, worst pair", False), ("D over the reference's", False), ("steps/s", True))  # fmt: skip
    first = next(iter(runs.values()))
    caption = f"{first.n_atoms} atoms in the same cell from the same start, at {first.temperature_K:g} K"
    return table_html(caption, names, rows)


def _about(report: PotentialReport) -> list[str]:
    known = {one.name: one.source + (f"; SHA-256 {one.digest[:16]}..." if one.digest else "") for one in report.all}
    plan = report.plan
    shown = {
        "files of labels": ", ".join(name.rpartition("/")[2] for name in plan.dataset) or "none",
        "energies aligned by": plan.align_energies,
        "a run fails where": f"two atoms are nearer than {plan.stop.closest_A:g} Å, an atom is farther than "
        f"{plan.stop.loneliest_A:g} Å from all others, the temperature is above twice that asked for and 500 K, or "
        + (f"the extrapolation grade is above {plan.stop.grade:g}" if plan.stop.grade else "forces are not finite"),
        "seed": plan.seed,
    }
    return [
        "<h2>How this was made</h2>",
        pairs_html("Potentials", known),
        pairs_html("Settings", shown),
        list_html(
            [
                "All melts start from one configuration, a random packing settled with the reference.",
                "Standard errors of g(r) are from five blocks of a run; those of D are of generalised least squares, "
                "widened where stretches of the run scatter more.",
                "Differences between two runs that are within their noise say nothing about the potentials. In a run "
                "too short for the melt to forget its start, blocks agree more than two runs would, and the noise "
                "stated is a lower bound.",
            ]
        ),
    ]


def _reference(report: PotentialReport) -> str | None:
    return None if report.reference is None else report.reference.name


def _unbroken(name: str) -> str:
    """Return a name with hyphens at which no line ends, for narrow columns."""
    return name.replace("-", "\u2011")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


def _frequency(value: float) -> str:
    return f"{-value:.2f}i" if value < -0.1 else f"{max(value, 0.0):.2f}"


def _ps(value: float) -> str:
    return f"{value:.3g} ps"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}" if names else "nothing"
