"""Charts for the browser, as plotly specifications in the colours of a light page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tammann.analysis import ReactionFlow, beside_baselines, reaction_flow
from tammann.analysis.fractions import null_name
from tammann.history import Basis, band
from tammann.plot.flow import flow_columns, stack_nodes
from tammann.plot.style import TIME_LABELS, phase_colours
from tammann.report.sentences import formula_text, percent

if TYPE_CHECKING:
    from tammann.history import History

_MOST_FRAMES = 800
_SMALLEST = 0.005  # fraction of the atoms or formula units below which a ribbon or bar is left out
HEAT = "#C8553D"


@dataclass(frozen=True)
class Chart:
    """One chart: the id of its element, what it describes for those who cannot see it, and its height.

    Its variants are the choices of what it shows, each with ``label``, and ``data`` and ``layout`` of plotly; a variant
    with a slider has ``frames``, each with ``label`` and its own ``data``, and ``at``, which of them is shown first.
    """

    name: str
    describes: str
    height_px: int
    variants: tuple[dict[str, Any], ...]


def numbers(values: np.ndarray, digits: int = 5) -> list[float | None]:
    """Return numbers rounded for a page, null for NaN, which JSON does not know."""
    return [float(f"{v:.{digits}g}") if isfinite(v) else None for v in np.asarray(values, dtype=float).tolist()]


def times(history: History) -> tuple[np.ndarray, list[float | None], str]:
    """Return the frames that are drawn, their times and the label of the axis."""
    name, time = history.clock
    frames = np.unique(np.linspace(0, time.size - 1, min(time.size, _MOST_FRAMES)).astype(int))
    return frames, numbers(time[frames], 8), TIME_LABELS[name]


def line_trace(x: list[float | None], y: np.ndarray, name: str, colour: str, hover: str, **more: Any) -> dict[str, Any]:
    """Return a trace: a line with a name, a colour and what is shown where one points at it."""
    line = {"color": colour, "width": more.pop("width", 2), "dash": more.pop("dash", "solid")}
    return {"type": "scatter", "mode": "lines", "x": x, "y": numbers(y), "name": name, "line": line,
            "hovertemplate": hover, **more}  # fmt: skip


def phase_chart(history: History, *, null: History | None = None) -> Chart:
    """Return phase fractions against time with their bands, the temperature above; mole, mass or volume.

    The null, where given, can be switched on in the legend.
    """
    frames, x, x_label = times(history)
    heat = line_trace(x, history.temperature_K[frames], "temperature", HEAT, "%{y:.0f} K", width=1.8, yaxis="y2",
                 showlegend=False, fill="tozeroy", fillcolor=HEAT + "1C")  # fmt: skip
    hottest = 1.1 * float(history.temperature_K.max())
    bases: tuple[tuple[Basis, str, str], ...] = (
        ("mole", "moles", "mole fraction of formula units"),
        ("mass", "mass", "mass fraction"),
        ("volume", "volume", "volume fraction"),
    )
    variants = []
    for basis, label, unit in bases:
        layout = {
            "xaxis": {"title": {"text": x_label}, "anchor": "y", "range": [x[0], x[-1]]},
            "yaxis": {"title": {"text": unit}, "domain": [0, 0.76], "rangemode": "tozero"},
            "yaxis2": {"title": {"text": "T (K)"}, "domain": [0.82, 1], "range": [250, hottest], "nticks": 4},
            "hovermode": "x unified",
            "legend": {"traceorder": "normal", "y": 0.76, "yanchor": "top"},
            "margin": {"l": 64, "r": 8, "t": 10, "b": 52},
        }
        variants.append({"label": label, "data": [*_phase_lines(history, null, basis), heat], "layout": layout})
    return Chart("phases", "Phase fractions and temperature against time.", 520, tuple(variants))


def _phase_lines(history: History, null: History | None, basis: Basis) -> list[dict[str, Any]]:
    """Return a band and a line for each phase whose band reaches 0.2 %, then the lines of the null."""
    frames, x, _ = times(history)
    colours = phase_colours(history.phases)
    middle, low, high = band(history.fractions(basis)[:, frames])
    shown = [k for k in np.argsort(-middle[-1], kind="stable") if high[:, k].max() >= 0.002]
    data: list[dict[str, Any]] = []
    for k in shown:
        name, colour = formula_text(history.phases[k]), colours[history.phases[k]]
        if history.realizations > 1:
            around = np.concatenate([high[:, k], low[::-1, k]])
            data.append(line_trace(x + x[::-1], around, "", colour, "", width=0, legendgroup=name, showlegend=False,
                              fill="toself", fillcolor=colour + "2E", hoverinfo="skip"))  # fmt: skip
        ends = [[a, b] for a, b in zip(numbers(low[:, k]), numbers(high[:, k]), strict=True)]
        hover = "%{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})"
        data.append(line_trace(x, middle[:, k], name, colour, hover, width=2.2, legendgroup=name, customdata=ends))
    if null is None:
        return data
    frames, x, _ = times(null)
    middle = np.median(null.fractions(basis)[:, frames], axis=0)
    names = [name for name in (history.phases[k] for k in shown) if name in null.phases]
    label = null_name(history)
    for name in names:
        hover = f"{formula_text(name)} in the null: %{{y:.3f}}<extra></extra>"
        data.append(line_trace(x, middle[:, null.phases.index(name)], label, colours[name], hover, width=1.6,
                               dash="dot", legendgroup=label, showlegend=name == names[0],
                               visible="legendonly"))  # fmt: skip
    return data


def baseline_chart(
    history: History, *, null: History | None = None, equilibrium: Mapping[str, float] | pd.DataFrame | None = None
) -> Chart:
    """Return final mole fractions with bands beside the null and plain equilibrium."""
    table = beside_baselines(history, null=null, equilibrium=equilibrium, smallest=_SMALLEST)
    names = [formula_text(name) for name in table["phase"]]
    colours = phase_colours([*history.phases, *table["phase"]])
    rows = np.arange(len(names), dtype=float)

    def bars(label: str, columns: list[str], shift: float, marker: dict[str, Any]) -> dict[str, Any]:
        values, *ends = (table[column].to_numpy(dtype=float) for column in columns)
        trace: dict[str, Any] = {
            **{"type": "bar", "orientation": "h", "y": (rows + shift).tolist(), "x": numbers(values), "width": 0.25},
            **{"name": label, "marker": marker, "text": names, "textposition": "none"},
            "hovertemplate": "%{text}: %{x:.3f}<extra>" + label + "</extra>",
        }
        if ends:
            above, below = numbers(ends[1] - values), numbers(values - ends[0])
            trace["error_x"] = {"type": "data", "symmetric": False, "array": above, "arrayminus": below,
                                "color": "#555555", "thickness": 1.5, "width": 4}  # fmt: skip
        return trace

    outlined = {"color": "#9A9A9A00", "line": {"color": "#6E6E6E", "width": 1.6}}
    filled = {"color": [colours[name] for name in table["phase"]]}
    data = [bars("this run", ["median", "low", "high"], -0.27, filled)]
    if null is not None:
        data.append(bars(null_name(history), ["null", "null_low", "null_high"], 0.0, outlined))
    if equilibrium is not None:
        data.append(bars("plain equilibrium", ["equilibrium"], 0.27, {"color": "#9A9A9A"}))
    ticks = {"tickvals": rows.tolist(), "ticktext": names, "range": [len(names) - 0.4, -0.6]}
    layout = {
        "xaxis": {"title": {"text": "final mole fraction of formula units"}, "range": [0, 1.02]},
        "yaxis": {**ticks, "showgrid": False, "zeroline": False},
        "barmode": "overlay",
        "showlegend": False,
        "margin": {"l": 96, "r": 16, "t": 8, "b": 48},
    }
    variant = {"label": "", "data": data, "layout": layout}
    return Chart("baselines", "Final fractions beside the two baselines.", 110 + 62 * len(names), (variant,))


def flow_chart(history: History, whole: ReactionFlow | None = None) -> Chart | None:
    """Return the flow of atoms, for the whole run and for each step; None where nothing reacted."""
    flows = {"whole run": whole or reaction_flow(history)}
    n_stages = history.extent.shape[1]
    for k in range(min(n_stages, 20) if n_stages > 1 else 0):
        here = history.temperature_K[history.stage == k]
        flows[f"step {k + 1}" + (f", to {here[-1]:.0f} K" if here.size else "")] = reaction_flow(history, k)
    layout = {"margin": {"l": 8, "r": 8, "t": 12, "b": 28}}
    traces = {label: _sankey(flow) for label, flow in flows.items()}
    variants = [{"label": label, "data": [trace], "layout": layout} for label, trace in traces.items() if trace]
    return Chart("flow", "Flow of atoms from reactants to products.", 400, tuple(variants)) if variants else None


def _sankey(flow: ReactionFlow) -> dict[str, Any] | None:
    """Return nodes and links, placed as in ``tammann.plot.plot_reaction_flow``; None without any link."""
    total = float(flow.nodes["atoms_start_mol"].sum())
    links = flow.links[flow.links["atoms_mol"] >= _SMALLEST * total]
    if links.empty:
        return None
    nodes = flow.nodes[flow.nodes["name"].isin({*links["source"], *links["target"]})].set_index("name")
    names = [str(name) for name in nodes.index]
    columns = flow_columns(nodes, links)
    last = max(columns.values())
    height = ((nodes["atoms_start_mol"] + nodes["atoms_in_mol"]) / total).to_dict()
    bottom = stack_nodes(names, columns, height, links, 0.06)
    top = max(bottom[name] + height[name] for name in names)
    span = top - min(bottom.values())
    colours = phase_colours(flow.species)
    # The label of the last column stands left of it and needs room.
    across = {name: 0.94 if c == last else 0.01 + 0.74 * c / max(last - 1, 1) for name, c in columns.items()}
    down = {name: (top - bottom[name] - height[name] / 2) / span for name in names}
    return {
        **{"type": "sankey", "arrangement": "snap", "valueformat": ".1%"},
        "node": {
            "label": [formula_text(name) for name in names],
            "customdata": [percent(v / total) for v in nodes["atoms_end_mol"]],
            "color": [colours[name] for name in names],
            "x": [across[name] for name in names],
            "y": [min(max(down[name], 0.001), 0.999) for name in names],
            **{"pad": 22, "thickness": 16, "line": {"width": 0}},
            "hovertemplate": "%{label}: %{customdata} of the atoms at the end<extra></extra>",
        },
        "link": {
            "source": [names.index(n) for n in links["source"]],
            "target": [names.index(n) for n in links["target"]],
            "value": numbers(links["atoms_mol"].to_numpy() / total),
            "color": [colours[name] + "55" for name in links["source"]],
            "hovertemplate": "%{source.label} → %{target.label}: %{value} of all atoms<extra></extra>",
        },
    }


def growth_chart(flow: ReactionFlow, rates: Any) -> Chart | None:
    """Return growth constant, score and driving force against temperature, of the reactions that carried the most."""
    channels = {text: c for c, text in enumerate(rates.equations)}
    chosen = [channels[text] for text in flow.reactions["equation"] if text in channels][:8]
    if not chosen:
        return None
    styles = list(_channel_styles(rates, chosen, phase_colours([*flow.species, *rates.phases])))
    T = numbers(rates.temperature_K)
    growth, score = (np.where(a > 0, a, np.nan) for a in (rates.growth_constant_m2_per_s, rates.score))
    quantities = (
        ("growth constant", growth, "K<sub>D</sub> (m²/s)", "log", "%{y:.2e} m²/s"),
        ("score", score, "score (reactions per sweep and contact)", "log", "%{y:.2e}"),
        ("driving force", 1000 * rates.dG_eV_per_atom, "ΔG (meV per atom of the reaction)", "linear",
         "%{y:.0f} meV/atom"),
    )  # fmt: skip
    variants = []
    for label, values, unit, scale, hover in quantities:
        data = [
            line_trace(T, values[:, c], formula_text(rates.equations[c]), colour, hover, dash=dash)
            for c, (colour, dash) in zip(chosen, styles, strict=True)
            if np.isfinite(values[:, c]).any()
        ]
        layout = {
            "xaxis": {"title": {"text": "temperature (K)"}},
            "yaxis": {"title": {"text": unit}, "type": scale, "exponentformat": "power"},
            "hovermode": "x unified",
            "margin": {"l": 72, "r": 8, "t": 10, "b": 52},
            "legend": {"orientation": "h", "y": -0.2, "yanchor": "top"},
        }
        if data:
            variants.append({"label": label, "data": data, "layout": layout})
    describes = "Kinetics of the reactions that carried the most."
    return Chart("growth", describes, 520, tuple(variants)) if variants else None


def _channel_styles(rates: Any, chosen: list[int], colours: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the colour of each channel's main product, and a dash that tells channels of one product apart."""
    atoms = np.asarray(rates.composition).sum(axis=1)
    seen: Counter[str] = Counter()
    for c in chosen:
        amounts = np.where(rates.products[c] >= 0, rates.product_coefficients[c] * atoms[rates.products[c]], -1)
        main = rates.phases[max(0, rates.products[c][np.argmax(amounts)])]
        yield colours[main], ("solid", "dash", "dot", "dashdot", "longdash")[seen[main] % 5]
        seen[main] += 1
