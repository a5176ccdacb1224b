"""Charts for the browser, as plotly specifications in the colours of a light page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tammann.analysis import ReactionFlow, beside_baselines, reaction_flow
from tammann.files import json_safe
from tammann.history import band
from tammann.plot._style import TIME_LABELS, phase_colours
from tammann.plot.flow import flow_columns, stack_nodes
from tammann.report.sentences import formula_text, percent

if TYPE_CHECKING:
    from tammann.history import History

__all__ = ["Chart", "baseline_chart", "flow_chart", "growth_chart", "phase_chart"]

_MOST_FRAMES = 800
_HEAT = "#C8553D"


@dataclass(frozen=True)
class Chart:
    """One chart with a choice of what it shows.

    Attributes:
        name: The id of its element.
        describes: What it shows, for those who cannot see it.
        height_px: Its height, px.
        variants: The choices, each with ``label``, and ``data`` and ``layout`` of plotly.
    """

    name: str
    describes: str
    height_px: int
    variants: tuple[dict[str, Any], ...]


def _numbers(values: np.ndarray, digits: int = 5) -> list[float | None]:
    """Return numbers rounded for a page, null for NaN, which JSON does not know."""
    rounded: list[float | None] = json_safe([float(f"{v:.{digits}g}") for v in values])
    return rounded


def _time(history: History, frames: np.ndarray) -> tuple[list[float | None], str, str]:
    name, time = history.clock
    return _numbers(time[frames], 8), TIME_LABELS[name], "sweep %{x:.4~g}" if name == "sweep" else "%{x:.3~f} h"


def _frames(history: History) -> np.ndarray:
    n = history.stage.size
    return np.unique(np.linspace(0, n - 1, min(n, _MOST_FRAMES)).astype(int))


def phase_chart(history: History, *, null: History | None = None, smallest: float = 0.002) -> Chart:
    """Return phase fractions against time with their bands, the temperature above; mole, mass or volume.

    Phases whose band never reaches ``smallest`` (in that basis) are left out. The null, where given, can be switched
    on in the legend.
    """
    frames = _frames(history)
    x, x_label, _ = _time(history, frames)
    colours = phase_colours(history.phases)
    variants = []
    for basis in ("mole", "mass", "volume"):
        middle, low, high = band(history.fractions(basis)[:, frames])
        data: list[dict[str, Any]] = []
        shown = [k for k in np.argsort(-middle[-1], kind="stable") if high[:, k].max() >= smallest]
        for k in shown:
            name, colour = formula_text(history.phases[k]), colours[history.phases[k]]
            if history.realizations > 1:
                data.append(
                    {
                        "type": "scatter",
                        "x": x + x[::-1],
                        "y": _numbers(np.concatenate([high[:, k], low[::-1, k]])),
                        "fill": "toself",
                        "fillcolor": colour + "2E",
                        "line": {"width": 0},
                        "mode": "lines",
                        "hoverinfo": "skip",
                        "legendgroup": name,
                        "showlegend": False,
                    }
                )
            data.append(
                {
                    "type": "scatter",
                    "x": x,
                    "y": _numbers(middle[:, k]),
                    "customdata": [[a, b] for a, b in zip(_numbers(low[:, k]), _numbers(high[:, k]), strict=True)],
                    "mode": "lines",
                    "name": name,
                    "legendgroup": name,
                    "line": {"color": colour, "width": 2.2},
                    "hovertemplate": "%{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})",
                }
            )
        if null is not None:
            data += _null_lines(null, basis, [history.phases[k] for k in shown], colours)
        data.append(
            {
                "type": "scatter",
                "x": x,
                "y": _numbers(history.temperature_K[frames]),
                "yaxis": "y2",
                "mode": "lines",
                "name": "temperature",
                "showlegend": False,
                "line": {"color": _HEAT, "width": 1.8},
                "fill": "tozeroy",
                "fillcolor": _HEAT + "1C",
                "hovertemplate": "%{y:.0f} K",
            }
        )
        unit = {"mole": "mole fraction of formula units", "mass": "mass fraction", "volume": "volume fraction"}[basis]
        t_max = float(history.temperature_K.max())
        layout = {
            "xaxis": {"title": {"text": x_label}, "anchor": "y", "range": [x[0], x[-1]]},
            "yaxis": {"title": {"text": unit}, "domain": [0, 0.76], "rangemode": "tozero"},
            "yaxis2": {"title": {"text": "T (K)"}, "domain": [0.82, 1], "range": [250, 1.1 * t_max], "nticks": 4},
            "hovermode": "x unified",
            "legend": {"traceorder": "normal", "y": 0.76, "yanchor": "top"},
            "margin": {"l": 64, "r": 8, "t": 10, "b": 52},
        }
        variants.append({"label": {"mole": "moles"}.get(basis, basis), "data": data, "layout": layout})
    return Chart("phases", "Phase fractions and temperature against time.", 520, tuple(variants))


def _null_lines(null: History, basis: Any, names: list[str], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    frames = _frames(null)
    x, _, _ = _time(null, frames)
    middle = np.median(null.fractions(basis)[:, frames], axis=0)
    lines: list[dict[str, Any]] = []
    for name in names:
        if name not in null.phases:
            continue
        lines.append(
            {
                "type": "scatter",
                "x": x,
                "y": _numbers(middle[:, null.phases.index(name)]),
                "mode": "lines",
                "name": "geometric null",
                "legendgroup": "geometric null",
                "showlegend": not lines,
                "visible": "legendonly",
                "line": {"color": colours[name], "width": 1.6, "dash": "dot"},
                "hovertemplate": f"{formula_text(name)} in the null: %{{y:.3f}}<extra></extra>",
            }
        )
    return lines


def baseline_chart(
    history: History,
    *,
    null: History | None = None,
    equilibrium: Mapping[str, float] | pd.DataFrame | None = None,
    smallest: float = 0.005,
) -> Chart:
    """Return final mole fractions with bands beside the geometric null and plain equilibrium."""
    table = beside_baselines(history, null=null, equilibrium=equilibrium, smallest=smallest)
    names = [formula_text(name) for name in table["phase"]]
    colours = phase_colours([*history.phases, *table["phase"]])
    rows = np.arange(len(names), dtype=float)
    hatched = {"color": "#9A9A9A00", "line": {"color": "#6E6E6E", "width": 1.6}}
    data: list[dict[str, Any]] = []

    def bars(label: str, columns: tuple[str, str, str] | tuple[str], shift: float, marker: dict[str, Any]) -> None:
        values = table[columns[0]].to_numpy(dtype=float)
        trace: dict[str, Any] = {
            "type": "bar",
            "orientation": "h",
            "y": (rows + shift).tolist(),
            "x": _numbers(values),
            "width": 0.25,
            "name": label,
            "marker": marker,
            "text": names,
            "textposition": "none",
            "hovertemplate": "%{text}: %{x:.3f}<extra>" + label + "</extra>",
        }
        if len(columns) == 3:
            low, high = (table[c].to_numpy(dtype=float) for c in columns[1:])
            trace["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": _numbers(high - values),
                "arrayminus": _numbers(values - low),
                "color": "#555555",
                "thickness": 1.5,
                "width": 4,
            }
        data.append(trace)

    bars("this run", ("median", "low", "high"), -0.27, {"color": [colours[name] for name in table["phase"]]})
    if null is not None:
        bars("geometric null", ("null", "null_low", "null_high"), 0.0, hatched)
    if equilibrium is not None:
        bars("plain equilibrium", ("equilibrium",), 0.27, {"color": "#9A9A9A"})
    layout = {
        "xaxis": {"title": {"text": "final mole fraction of formula units"}, "range": [0, 1.02]},
        "yaxis": {
            "tickvals": rows.tolist(),
            "ticktext": names,
            "range": [len(names) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
        },
        "barmode": "overlay",
        "showlegend": False,
        "margin": {"l": 96, "r": 16, "t": 8, "b": 48},
    }
    variant = {"label": "", "data": data, "layout": layout}
    return Chart("baselines", "Final fractions beside the two baselines.", 110 + 62 * len(names), (variant,))


def flow_chart(history: History, whole: ReactionFlow | None = None, *, smallest: float = 0.005) -> Chart | None:
    """Return the flow of atoms, for the whole run and for each step; None where nothing reacted."""
    steps: list[tuple[str, ReactionFlow]] = [("whole run", whole or reaction_flow(history))]
    n_stages = history.extent.shape[1]
    if n_stages > 1:
        for k in range(min(n_stages, 20)):
            here = history.temperature_K[history.stage == k]
            text = f"step {k + 1}" + (f", to {here[-1]:.0f} K" if here.size else "")
            steps.append((text, reaction_flow(history, k)))
    variants = []
    for label, flow in steps:
        total = float(flow.nodes["atoms_start_mol"].sum())
        links = flow.links[flow.links["atoms_mol"] >= smallest * total]
        if links.empty:
            continue
        linked = {*links["source"], *links["target"]}
        nodes = flow.nodes[flow.nodes["name"].isin(linked)].set_index("name")
        columns = flow_columns(nodes, links)
        last = max(columns.values())
        names = [str(name) for name in nodes.index]
        colours = phase_colours(flow.species)
        ends = [percent(v / total) for v in nodes["atoms_end_mol"]]
        height = ((nodes["atoms_start_mol"] + nodes["atoms_in_mol"]) / total).to_dict()
        bottom = stack_nodes(names, columns, height, links, 0.06)
        top = max(bottom[name] + height[name] for name in names)
        span = top - min(bottom.values())
        data = {
            "type": "sankey",
            "arrangement": "snap",
            "valueformat": ".1%",
            "node": {
                "label": [formula_text(name) for name in names],
                "customdata": ends,
                "color": [colours[name] for name in names],
                # The label of the last column stands left of it and needs room.
                "x": [
                    0.94 if columns[name] == last else 0.01 + 0.74 * columns[name] / max(last - 1, 1) for name in names
                ],
                "y": [min(max((top - bottom[n] - height[n] / 2) / span, 0.001), 0.999) for n in names],
                "pad": 22,
                "thickness": 16,
                "line": {"width": 0},
                "hovertemplate": "%{label}: %{customdata} of the atoms at the end<extra></extra>",
            },
            "link": {
                "source": [names.index(n) for n in links["source"]],
                "target": [names.index(n) for n in links["target"]],
                "value": _numbers(links["atoms_mol"].to_numpy() / total),
                "color": [colours[name] + "55" for name in links["source"]],
                "hovertemplate": "%{source.label} → %{target.label}: %{value} of all atoms<extra></extra>",
            },
        }
        variants.append({"label": label, "data": [data], "layout": {"margin": {"l": 8, "r": 8, "t": 12, "b": 28}}})
    if not variants:
        return None
    return Chart("flow", "Flow of atoms from reactants to products.", 400, tuple(variants))


def growth_chart(flow: ReactionFlow, rates: Any, *, most: int = 8) -> Chart | None:
    """Return growth constant, score and driving force against temperature, of the reactions that carried the most."""
    numbers = {text: c for c, text in enumerate(rates.equations)}
    chosen = [numbers[text] for text in flow.reactions["equation"] if text in numbers][:most]
    if not chosen:
        return None
    colours, dashes = _channel_styles(rates, chosen, phase_colours([*flow.species, *rates.phases]))
    T = _numbers(rates.temperature_K)
    quantities = (
        ("growth constant", rates.growth_constant_m2_per_s, 1.0, "K<sub>D</sub> (m²/s)", "log", "%{y:.2e} m²/s"),
        ("score", rates.score, 1.0, "score (reactions per sweep and contact)", "log", "%{y:.2e}"),
        (
            "driving force",
            rates.dG_eV_per_atom,
            1000.0,
            "ΔG (meV per atom of the reaction)",
            "linear",
            "%{y:.0f} meV/atom",
        ),
    )
    variants = []
    for label, values, factor, unit, scale, hover in quantities:
        array = np.asarray(values, dtype=float)[:, chosen] * factor
        if scale == "log":
            array = np.where(array > 0, array, np.nan)
        data = []
        for place, c in enumerate(chosen):
            if not np.isfinite(array[:, place]).any():
                continue
            text = formula_text(rates.equations[c])
            data.append(
                {
                    "type": "scatter",
                    "x": T,
                    "y": _numbers(array[:, place]),
                    "mode": "lines",
                    "name": text,
                    "line": {"color": colours[place], "width": 2, "dash": dashes[place]},
                    "hovertemplate": hover,
                }
            )
        if not data:
            continue
        layout = {
            "xaxis": {"title": {"text": "temperature (K)"}},
            "yaxis": {"title": {"text": unit}, "type": scale, "exponentformat": "power"},
            "hovermode": "x unified",
            "margin": {"l": 72, "r": 8, "t": 10, "b": 52},
            "legend": {"orientation": "h", "y": -0.2, "yanchor": "top"},
        }
        variants.append({"label": label, "data": data, "layout": layout})
    if not variants:
        return None
    return Chart("growth", "Kinetics of the reactions that carried the most.", 520, tuple(variants))


def _channel_styles(rates: Any, chosen: list[int], colours: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the colour of each channel's main product, and dashes that tell channels of one product apart."""
    atoms = np.asarray(rates.composition).sum(axis=1)
    seen: dict[str, int] = {}
    out, dashes = [], []
    for c in chosen:
        codes = [int(k) for k in rates.products[c] if k >= 0]
        amounts = [float(n) * atoms[k] for k, n in zip(codes, rates.product_coefficients[c], strict=False)]
        main = rates.phases[codes[int(np.argmax(amounts))]] if codes else rates.phases[0]
        out.append(colours[main])
        dashes.append(("solid", "dash", "dot", "dashdot", "longdash")[seen.get(main, 0) % 5])
        seen[main] = seen.get(main, 0) + 1
    return out, dashes
