"""The page of a campaign of electrolytes: one HTML file with everything in it."""

from __future__ import annotations

import math
from typing import Any

from tammann._version import __version__
from tammann.composition import composition_key, conventional_formula
from tammann.plot.electrolytes import plot_conductivities
from tammann.report.page import Panel, list_html, page_html, pairs_html, panels_html, table_html, text_html
from tammann.workflows.electrolyte.composition_maps import composition_figures
from tammann.workflows.electrolyte.plan import ElectrolytePlan
from tammann.workflows.electrolyte.results import ElectrolyteResult, shown_conductivity, shown_share, two_digits


def electrolyte_page(result: ElectrolyteResult) -> str:
    """Return the page of a campaign."""
    plan = result.plan
    # files of ordered structures may have any name
    inside = plan.names if plan.host else tuple(_formula(plan, name) for name in plan.names)
    title = f"{plan.mobile} in {_listed(tuple(dict.fromkeys(inside)))}"
    sections = [
        f"<h1>{text_html(title)}</h1>",
        f'<p class="soft">{text_html(_subtitle(result))}</p>',
        _failures(result),
        _side_by_side(result),
        panels_html(_figures(result)),
        _stability(result),
        _temperatures(result),
        _orderings(result),
        _notes(result),
        pairs_html("The plan", _plan_rows(plan)),
    ]
    return page_html(title, sections, [])


def _subtitle(result: ElectrolyteResult) -> str:
    done = f"{len(result.conductions)} of {len(result.structures)} structures measured" if result.structures else ""
    return "; ".join(filter(None, (done, f"energies by {result.plan.potential}", f"tammann {__version__}")))


def _failures(result: ElectrolyteResult) -> str:
    return "<h2>What failed</h2>" + list_html(result.failures) if result.failures else ""


def _side_by_side(result: ElectrolyteResult) -> str:
    table = result.table()
    if not len(table):
        return ""
    at = f"{result.plan.conductivity_at_K:g} K"
    columns = [
        ("composition", False), ("structure", False), ("above hull, meV/atom", True), ("Ea, eV", True),
        (f"σ({at}), S/cm, H = 1", True), (f"σ({at}), S/cm, H measured", True), ("H", True), ("fewest hops", True),
        ("directions", True), ("barriers, eV", True),
    ]  # fmt: skip
    rows = []
    for row in table.to_dict("records"):
        energy = "-" if _nan(row["Ea_eV"]) else f"{row['Ea_eV']:.3f} ± {row['Ea_stderr_eV']:.3f}"
        barriers = [row[f"barrier_{d}d_eV"] for d in (1, 2, 3)]
        rows.append(
            [
                str(row["composition"]), str(row["structure"]), _number(row["above_hull_eV_per_atom"], 1000.0, ".1f"),
                energy, *(_sigma(row, name) for name in ("sigma_NE", "sigma_haven")),
                _number(row["haven_ratio"], 1.0, ".2f"), _number(row["fewest_hops"], 1.0, ".0f"),
                _number(row["dimension"], 1.0, ".0f"), ", ".join(f"{b:.2f}" for b in barriers if not _nan(b)) or "-",
            ]
        )  # fmt: skip
    caption = (
        "Energy above the hull of the structures computed; activation energy of D with its standard error; "
        "conductivity by the law through all temperatures, with its 95 % band; directions along which jumps lead "
        "without end, and barriers at which the density opens in one, two and three of them, at the hottest temperature"
    )
    return "<h2>Side by side</h2>" + table_html(caption, columns, rows)


def _sigma(row: dict[str, Any], name: str) -> str:
    return shown_conductivity(*(row[f"{name}{part}_S_per_cm"] for part in ("", "_low", "_high")))


def _figures(result: ElectrolyteResult) -> list[Panel]:
    measured = {name: each for name, each in result.conductions.items() if (each.table()["sigma_NE_S_per_m"] > 0).any()}
    if not measured:
        return composition_figures(result)
    caption = (
        "Conductivity against 1000/T. Filled: Nernst-Einstein with H = 1; open: with the measured Haven ratio. Lines "
        "and 95 % bands: Arrhenius' law through the former"
    )
    drawn = plot_conductivities(measured, at_K=result.plan.conductivity_at_K)
    return [(caption, drawn), *composition_figures(result)]


def _stability(result: ElectrolyteResult) -> str:
    if result.hull is None or "decomposes_into" not in result.hull:
        return ""
    table = result.hull[result.hull["lowest"]]
    columns = [
        ("formula", False), ("structure", False), ("formation, meV/atom", True), ("above hull, meV/atom", True),
        ("above hull, meV/formula unit", True), ("formula unit", False), ("decomposes into", False),
    ]  # fmt: skip
    rows = [
        [
            str(row["formula"]), str(row["structure"]), _number(row["formation_eV_per_atom"], 1000.0, ".1f"),
            _number(row["above_hull_eV_per_atom"], 1000.0, ".1f"),
            _number(row["above_hull_eV_per_formula"], 1000.0, ".1f"), str(row["formula_unit"]),
            "-" if row["stable"] else str(row["decomposes_into"]),
        ]
        for row in table.to_dict("records")
    ]  # fmt: skip
    caption = (
        "The lowest structure of each formula; formation from the end members, distance from all that was computed. "
        "Formula units of one host have the same sites at all compositions"
    )
    return "<h2>Stability</h2>" + table_html(caption, columns, rows)


def _temperatures(result: ElectrolyteResult) -> str:
    table = result.temperatures()
    if not len(table):
        return ""
    columns = [
        ("structure", False), ("T, K", True), ("D, m²/s", True), ("D collective, m²/s", True), ("σ, S/cm, H = 1", True),
        ("σ, S/cm, measured", True), ("H", True), ("hops", True), ("along a, b, c, m²/s", True), ("diffusive", False),
    ]  # fmt: skip
    rows = []
    for row in table.to_dict("records"):
        planar = result.planar.get((row["structure"], row["temperature_K"]))
        known = planar is not None and any(map(math.isfinite, planar.along))
        along = ", ".join(_number(D, 1.0, ".1e") for D in planar.along) if planar is not None and known else "-"
        pairs = [("D_m2_per_s", "D_stderr", 1.0), ("D_collective_m2_per_s", "D_collective_stderr", 1.0)]
        pairs += [("sigma_NE_S_per_m", "sigma_NE_stderr", 0.01), ("sigma_S_per_m", "sigma_stderr", 0.01)]
        values = [
            "-" if _nan(row[value]) else f"{row[value] * scale:#.3g} ± {two_digits(row[error] * scale)}"
            for value, error, scale in pairs
        ]
        haven = "-" if _nan(row["haven_ratio"]) else f"{row['haven_ratio']:.2f} ± {row['haven_stderr']:.2f}"
        rows.append(
            [
                row["structure"], f"{row['temperature_K']:g}", *values, haven, str(row["hops"]), along,
                "yes" if row["diffusive"] else "no",
            ]
        )  # fmt: skip
    return "<h2>By temperature</h2>" + table_html("Measured, with standard errors", columns, rows)


def _orderings(result: ElectrolyteResult) -> str:
    rows = [
        [
            name, str(record["arrangements"]), str(record["distinct"]), str(record["kept"]),
            shown_share(record["fraction_covered"]), str(record["origin"]),
        ]
        for name, record in result.orderings.items()
    ]  # fmt: skip
    columns = [
        ("composition", False), ("arrangements", True), ("distinct", True), ("kept", True), ("covered", True),
        ("how", False),
    ]  # fmt: skip
    return "<h2>Orderings</h2>" + table_html("Of the block of each composition", columns, rows) if rows else ""


def _notes(result: ElectrolyteResult) -> str:
    notes = result.notes()
    return "<h2>Remarks</h2>" + list_html(notes) if notes else ""


def _plan_rows(plan: ElectrolytePlan) -> dict[str, Any]:
    """Return the keys of a plan that are not those by default, a row for each composition and each key of a block."""
    rows: dict[str, Any] = {}
    for key, value in plan.model_dump(mode="json", exclude_defaults=True).items():
        if key == "compositions":
            for name, each in zip(plan.names, plan.compositions, strict=True):
                on = [
                    f"{' '.join(f'{s} {x:g}' for s, x in own.items())} on {at}" for at, own in each.occupancies.items()
                ]
                rows[f"composition {name}"] = ", ".join(on) or "that of the host"
        elif isinstance(value, dict) and key != "charges":
            rows |= {f"{key}.{inner}": each for inner, each in value.items()}
        else:
            rows[key] = value
    return rows


def _formula(plan: ElectrolytePlan, name: str) -> str:
    return conventional_formula(dict(composition_key(plan.composition(name))))


def _number(value: float, scale: float, form: str) -> str:
    return "-" if _nan(value) else format(value * scale, form)


def _nan(value: Any) -> bool:
    return value is None or not math.isfinite(float(value))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
