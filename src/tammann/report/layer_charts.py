"""Charts of what only reactive diffusion tells: layers, profiles, bottlenecks, energy left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.analysis.dissipation import dissipation, gibbs_left
from tammann.analysis.layers import layer_thickness, layer_tracks
from tammann.analysis.parabola import ParabolicFit, hold_frames, parabolic_growth
from tammann.analysis.profiles import Profile, core_of, diffusion_record, geometry_of, profile
from tammann.plot.layers import along_composition, begin_frame, cores, length_unit, reaction_zone, zoomed
from tammann.plot.style import TIME_LABELS, moment_text, phase_colours, species_colours
from tammann.report.charts import HEAT, Chart, line_trace, numbers, times
from tammann.report.sentences import formula_text
from tammann.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from tammann.history import History

MOST_PROFILES = 48
"""Times between which the slider of a profile moves."""
_INK = "#1D1F21"

Fit = tuple[int, int, ParabolicFit]
"""Step, particle and fit of a layer."""


def has_particles(history: History) -> bool:
    """Tell whether a run recorded the cells of particles."""
    return history.diffusion is not None and len(history.diffusion.sites) > 0


def _label(history: History, particle: int) -> str:
    if geometry_of(history, particle) == "planar":
        return "couple"
    return f"{core_of(history, particle)} inside"


def _strip(history: History, first: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the temperature against time from a frame on, as a trace on the second vertical axis, and that axis."""
    x = numbers(history.clock[1][first:], 8)
    trace = line_trace(x, history.temperature_K[first:], "temperature", HEAT, "%{y:.0f} K", width=1.8, yaxis="y2",
                       showlegend=False, fill="tozeroy", fillcolor=HEAT + "1C")  # fmt: skip
    top = 1.1 * float(history.temperature_K.max())
    axis = {"title": {"text": "T (K)"}, "domain": [0.84, 1], "range": [250, top], "nticks": 4}
    return trace, axis


def _over_time(history: History, first: int, vertical: dict[str, Any]) -> dict[str, Any]:
    """Return the layout of a chart over time below the temperature."""
    name, time = history.clock
    return {
        "xaxis": {"title": {"text": TIME_LABELS[name]}, "anchor": "y", "range": numbers(time[[first, -1]], 8)},
        "yaxis": {"domain": [0, 0.79], **vertical},
        "yaxis2": _strip(history, first)[1],
        "margin": {"l": 64, "r": 8, "t": 10, "b": 52},
    }


def layer_chart(history: History) -> Chart:
    """Return the map of radius against time, every layer in the colour of its phase; one variant a core."""
    variants = []
    for particle in cores(history):
        first = begin_frame(history, [particle])
        size = float(diffusion_record(history).edges_m[particle, 0, -1])
        unit, factor = length_unit(size)
        tracks = layer_tracks(history, particle)
        colours = phase_colours(history.phases)
        names = along_composition(history, (part for track in tracks for part in track.phase.split(" + ")))
        known: set[str] = set()
        data = []
        for track in sorted(tracks, key=lambda t: names.index(t.phase.split(" + ")[0])):
            lead, *others = track.phase.split(" + ")
            colour = colours[lead]
            x = numbers(np.concatenate([track.time, track.time[::-1]]), 7)
            y = factor * np.concatenate([track.inner_m, track.outer_m[::-1]])
            trace = line_trace(x, y, formula_text(lead), colour, "", width=0.5, legendgroup=formula_text(lead),
                               showlegend=lead not in known, fill="toself", fillcolor=colour, hoveron="fills",
                               hoverinfo="text", text=formula_text(track.phase))  # fmt: skip
            del trace["hovertemplate"]
            if others:
                pattern = {"shape": ".", "fgcolor": colours[others[0]], "bgcolor": colour, "size": 5, "solidity": 0.4}
                trace |= {"fillpattern": pattern}
            known.add(lead)
            data.append(trace)
        inner, outer = reaction_zone(tracks, size)
        sphere = geometry_of(history, particle) == "sphere"
        title = f"{'radius' if sphere else 'position'} ({unit})"
        layout = _over_time(
            history, first, {"title": {"text": title}, "range": [factor * inner, factor * outer], "showgrid": False}
        )
        layout["hovermode"] = "closest"
        data.append(_strip(history, first)[0])
        variants.append({"label": _label(history, particle), "data": data, "layout": layout})
    return Chart("layers", "Layers of phases in a particle: radius against time.", 520, tuple(variants))


def profile_chart(history: History) -> Chart:
    """Return phases, composition and potential along the radius, with a slider over time; one variant a core."""
    variants = []
    for particle in cores(history):
        first = begin_frame(history, [particle])
        chosen = np.unique(np.linspace(first, history.stage.size - 1, MOST_PROFILES).astype(int))
        profiles = [profile(history, int(frame), particle=particle) for frame in chosen]
        size = float(profiles[0].edges_m[-1])
        unit, factor = length_unit(size)
        held = np.max([one.volume_fraction.max(axis=0) for one in profiles], axis=0)
        names = along_composition(history, (p for p, most in zip(history.phases, held, strict=True) if most > 0.01))
        frames = [
            {"label": moment_text(history, one.frame), "data": _profile_traces(history, one, names, factor)}
            for one in profiles
        ]
        psi = np.concatenate([one.potential_eV.ravel() for one in profiles])
        room = 0.05 * (np.ptp(psi) or 1.0)
        inner, outer = _zone(history, particle, profiles)
        sphere = geometry_of(history, particle) == "sphere"
        layout = {
            "xaxis": {
                "title": {"text": f"{'radius' if sphere else 'position'} ({unit})"},
                "range": [factor * inner, factor * outer],
                "anchor": "y3",
            },
            "yaxis": {"title": {"text": "volume"}, "domain": [0.56, 1], "range": [0, 1], "nticks": 3},
            "yaxis2": {"title": {"text": "cations"}, "domain": [0.29, 0.51], "range": [-0.05, 1.05], "nticks": 3},
            "yaxis3": {"title": {"text": "potential (eV)"}, "domain": [0, 0.24], "nticks": 3,
                       "range": numbers(np.array([psi.min() - room, psi.max() + room]))},
            "barmode": "stack",
            "bargap": 0,
            "hovermode": "closest",
            "margin": {"l": 64, "r": 8, "t": 10, "b": 52},
        }  # fmt: skip
        heat = diffusion_record(history).dissipated_eV_per_atom[0].sum(axis=1).cumsum()[chosen]
        at = int((heat >= 0.5 * heat[-1]).argmax())
        variants.append({"label": _label(history, particle), "data": [], "layout": layout, "frames": frames, "at": at})
    return Chart("profile", "Phases, composition and potential along the radius.", 560, tuple(variants))


def _zone(history: History, particle: int, profiles: list[Profile]) -> tuple[float, float]:
    """Return the part of a particle in which there are products in any of the profiles, or all of it."""
    start = diffusion_record(history).sites[particle, 0].max(axis=0) > 0
    size = float(profiles[0].edges_m[-1])
    made = [(one.edges_m, np.flatnonzero(one.volume_fraction[:, ~start].sum(axis=1) > 0.01)) for one in profiles]
    ends = [(edges[cells[0]], edges[cells[-1] + 1]) for edges, cells in made if cells.size]
    return zoomed(min(a for a, _ in ends), max(b for _, b in ends), size) if ends else (0.0, size)


def _profile_traces(history: History, one: Profile, names: list[str], factor: float) -> list[dict[str, Any]]:
    """Return bars as wide as the cells for the phases, and lines for composition and potential."""
    colours = phase_colours(history.phases)
    edges = factor * one.edges_m
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    data: list[dict[str, Any]] = []
    for name in names:
        share = one.volume_fraction[:, one.phases.index(name)]
        there = np.flatnonzero(share > 5e-4)
        text = formula_text(name)
        bars = {"x": numbers(middle[there], 6), "width": numbers(width[there]), "y": numbers(share[there], 3)}
        look = {"marker": {"color": colours[name], "line": {"width": 0}}, "line": {"color": colours[name]}}
        data.append({"type": "bar", **bars, **look, "name": text, "legendgroup": text, "hovertemplate": "%{y:.2f}"})
    x = numbers(middle, 6)
    shades = species_colours(one.elements)
    for element, share in zip(one.elements, one.element_share.T, strict=True):
        data.append(line_trace(x, share, f"share of {element}", shades[element], "%{y:.3f}", yaxis="y2", dash="dot"))
    for number, psi in enumerate(one.potential_eV.T):
        name = "potential" if len(one.potential_eV.T) == 1 else f"potential {number + 1}"
        data.append(line_trace(x, psi, name, _INK, "%{y:.3f} eV per site", yaxis="y3", dash="dash"))
    return data


def bottleneck_chart(history: History) -> Chart | None:
    """Return what each phase takes of the driving force against time, as a share and as energy; None for nothing."""
    table = dissipation(history)
    if table.empty:
        return None
    name, time = history.clock
    heat = table.pivot_table("dissipated_eV_per_atom", "phase", name, sort=False)
    spent = heat.sum(axis=0).cumsum().to_numpy() / heat.to_numpy().sum()
    first, last = max(int((spent > 0.005).argmax()) - 1, 0), int((spent > 0.995).argmax())
    colours = phase_colours(history.phases)
    phases = along_composition(history, heat.index)
    share = (heat / heat.sum(axis=0)).fillna(0.0)
    energy = 1e3 * heat.cumsum(axis=1)
    quantities = (
        ("share", share, "share of the driving force", "%{y:.1%}", "vh", [0, 1], last),
        ("energy", energy, "Gibbs energy spent (meV per atom)", "%{y:.1f} meV", "linear", None, time.size - 1),
    )
    variants = []
    for label, values, title, hover, shape, span, end in quantities:
        shown = [p for p in phases if values.loc[p].to_numpy()[first : end + 1].max() > 1e-3 * values.to_numpy().max()]
        frames = np.unique(np.linspace(first, end, 600).astype(int))
        x = numbers(time[frames], 8)
        data = []
        for phase in shown:
            trace = line_trace(x, values.loc[phase].to_numpy()[frames], formula_text(phase), colours[phase], hover,
                               width=0.5, stackgroup="one", fillcolor=colours[phase])  # fmt: skip
            trace["line"]["shape"] = shape
            data.append(trace)
        vertical: dict[str, Any] = {"title": {"text": title}, "showgrid": False}
        layout = _over_time(history, first, vertical | ({"range": span} if span else {"rangemode": "tozero"}))
        layout["xaxis"]["range"] = numbers(time[[first, end]], 8)
        layout["hovermode"] = "x unified"
        data.append(_strip(history, first)[0])
        variants.append({"label": label, "data": data, "layout": layout})
    return Chart("bottleneck", "Share of the driving force that each phase takes.", 480, tuple(variants))


def thickness_chart(history: History, fits: list[Fit]) -> Chart | None:
    """Return the thickness of the products' layers against time, with those of the fits that hold; None for nothing."""
    variants = []
    name, time = history.clock
    colours = phase_colours(history.phases)
    for particle in cores(history):
        first = begin_frame(history, [particle])
        table = layer_thickness(history, particle).pivot_table("thickness_m", "phase", name, sort=False)
        products = [p for p in table.index if table.loc[p].iloc[0] < 1e-3 * table.iloc[:, 0].sum()]
        if not products:
            continue
        most = float(table.loc[products].to_numpy().max())
        unit, factor = length_unit(most)
        shown = along_composition(history, (p for p in products if table.loc[p].max() > 0.02 * most))
        x = numbers(time[first:], 8)
        data = [
            line_trace(x, factor * table.loc[p].to_numpy()[first:], formula_text(p), colours[p], "%{y:.3g} " + unit,
                       width=2.2)
            for p in shown
        ]  # fmt: skip
        for stage, own, fit in fits:
            if own != particle or not fit.described:
                continue
            frames = hold_frames(history, stage)
            since = (history.programme_h[frames] - history.programme_h[frames[0]]) * SECONDS_PER_HOUR
            curve = factor * np.sqrt(fit.start_m**2 + 2 * fit.k_m2_per_s * since)
            hover = f"parabola of {formula_text(fit.phase)}: %{{y:.3g}} {unit}<extra></extra>"
            first_one = not any(trace["name"] == "parabola" for trace in data)
            data.append(line_trace(numbers(time[frames], 8), curve, "parabola", _INK, hover, width=1.4, dash="dash",
                                   legendgroup="parabola", showlegend=first_one))  # fmt: skip
        layout = _over_time(history, first, {"title": {"text": f"thickness ({unit})"}, "rangemode": "tozero"})
        layout["hovermode"] = "x unified"
        data.append(_strip(history, first)[0])
        variants.append({"label": _label(history, particle), "data": data, "layout": layout})
    return Chart("thickness", "Thickness of layers against time.", 460, tuple(variants)) if variants else None


def growth_fits(history: History) -> list[Fit]:
    """Return stage, particle and fit of every product that there is at the end of a hold, around every precursor."""
    found = []
    for particle in cores(history):
        table = layer_thickness(history, particle).pivot_table("thickness_m", "phase", history.clock[0], sort=False)
        size = float(table.iloc[:, 0].sum())
        for stage in np.unique(history.stage).tolist():
            frames = hold_frames(history, stage)
            for phase in along_composition(history, table.index):
                h = table.loc[phase].to_numpy()
                if h[0] < 1e-3 * size and frames.size > 1 and h[frames[-1]] > 1e-3 * size:
                    found.append((stage, particle, parabolic_growth(history, phase, stage=stage, particle=particle)))
    return found


def energy_chart(history: History) -> Chart:
    """Return the Gibbs energy above equilibrium against time, with its band."""
    frames, x, _ = times(history)
    table = gibbs_left(history).iloc[frames]
    middle, low, high = (
        1e3 * table[column].to_numpy() for column in ("gibbs_left_eV_per_atom", "gibbs_left_low", "gibbs_left_high")
    )
    data: list[dict[str, Any]] = []
    if history.realizations > 1:
        around = np.concatenate([high, low[::-1]])
        data.append(line_trace(x + x[::-1], around, "", _INK, "", width=0, showlegend=False, fill="toself",
                               fillcolor="#7A7A7A44", hoverinfo="skip"))  # fmt: skip
    data.append(line_trace(x, middle, "energy left", _INK, "%{y:.1f} meV per atom", width=2.2, showlegend=False))
    data.append(_strip(history, 0)[0])
    layout = _over_time(history, 0, {"title": {"text": "left (meV per atom)"}, "rangemode": "tozero"})
    layout["hovermode"] = "x unified"
    return Chart(
        "energy", "Gibbs energy above equilibrium against time.", 380, ({"label": "", "data": data, "layout": layout},)
    )
