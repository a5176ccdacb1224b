"""What a run shows, and what limits it, in plain sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from tammann.analysis import beside_baselines, bottlenecks, fallback_share, out_of_equilibrium, precursors
from tammann.analysis.fractions import DIFFERENCE
from tammann.composition import parse_formula
from tammann.errors import DataError

if TYPE_CHECKING:
    from tammann.history import History

# A word of nothing but chemical symbols, numbers and brackets.
_WORD = re.compile(r"(?<![A-Za-z0-9.\-])(?:\(|[A-Z][a-z]?)(?:[A-Z][a-z]?|[0-9]+|[()])*(?![A-Za-z0-9])")
_GASES = {"Br2", "Cl2", "F2", "H2", "I2", "N2", "O2", "O3"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Notice:
    """One thing the reader should know, in a plain sentence or two: a ``caution`` where it limits the result."""

    kind: Literal["caution", "note"]
    text: str


def formula_text(text: str) -> str:
    """Write the numbers of formulas in a text as subscripts; coefficients and other numbers stay.

    Example:
        >>> formula_text("2 BaO + TiO2 -> Ba2TiO4")
        '2 BaO + TiO₂ → Ba₂TiO₄'
    """

    def lowered(match: re.Match[str]) -> str:
        word = match[0]
        try:
            elements = parse_formula(word)
        except DataError:
            return word
        if len(elements) == 1 and word not in _GASES:  # C2 is more often a space group than carbon
            return word
        return re.sub(r"(?<=[A-Za-z)])[0-9]+", lambda number: number[0].translate(_SUBSCRIPTS), word)

    return _WORD.sub(lowered, text).replace("->", "→")


def percent(share: float) -> str:
    """Return a share as a percentage, with the digits that matter.

    Example:
        >>> percent(0.8649), percent(0.0312), percent(0.0000012), percent(0.0)
        ('86.5 %', '3.1 %', 'below 0.1 %', '0 %')
    """
    if share == 0:
        return "0 %"
    return f"{100 * share:.1f} %" if abs(share) >= 0.0005 else "below 0.1 %"


def with_band(middle: float, low: float, high: float) -> str:
    """Return a share as a percentage, with its band where it has one.

    Example:
        >>> with_band(0.001, 0.0, 0.27), with_band(0.5, 0.5, 0.5)
        ('0.1 % (0.0 to 27.0)', '50.0 %')
    """
    if not np.isfinite(middle):
        return "not computed"
    return percent(middle) + (f" ({100 * low:.1f} to {100 * high:.1f})" if high > max(low, 0.0005) else "")


def headline(history: History) -> str:
    """Return the result in a sentence; where nothing can react, why not comes first.

    Named are up to five phases, those with the largest medians, by moles or, where that is more, by mass, from 0.5 %
    on, and before them those whose bands reach twice as high.

    Example:
        >>> from tammann.history import History
        >>> headline(History.example())
        'After 6.0 h, at 1500 K: 85.8 % BaTiO₃ (band 83.7 to 87.0 %), ... by formula units.'
    """
    table = history.table()
    mass = history.table("mass").set_index("phase")["median"].reindex(table["phase"]).to_numpy()
    table["weight"] = np.maximum(np.maximum(table["median"], mass), 0.5 * table["high"])
    seen = (table["median"] >= 5e-4) | (table["high"] >= 0.05)
    named = (
        table[seen & (table["weight"] >= 0.005)]
        .nlargest(5, "weight")
        .sort_values("median", ascending=False, kind="stable")
    )
    parts = []
    for row in named.to_dict("records"):
        band = f" (band {100 * row['low']:.1f} to {100 * row['high']:.1f} %)" if row["high"] > row["low"] else ""
        parts.append(f"{100 * row['median']:.1f} % {formula_text(row['phase'])}{band}")
    name, time = history.clock
    when = f"After {time[-1]:.0f} sweeps" if name == "sweep" else f"After {time[-1]:.1f} h"
    text = f"{when}, at {history.temperature_K[-1]:.0f} K: {', '.join(parts)} by formula units."
    if reacted(history):
        return text
    return f"{formula_text(history.metadata.get('nothing_opens') or 'Nothing has reacted.')} {text}"


def reacted(history: History) -> bool:
    """Tell whether anything has reacted, in any realization."""
    if history.diffusion is None:
        return bool(history.extent.any())
    return float(np.abs(history.moles - history.moles[:, :1]).max()) > 1e-6 * float(history.moles.max())


def notices(
    history: History,
    *,
    summary: Mapping[str, Any] | None = None,
    calibration: str | None = None,
    null: History | None = None,
    equilibrium: Mapping[str, float] | pd.DataFrame | None = None,
) -> tuple[Notice, ...]:
    """Return everything that limits how the result may be read: first what changes the answer, cautions before notes.

    ``summary`` holds what ``summary.json`` does, ``calibration`` the observation that the hours rest on.

    Example:
        >>> from dataclasses import replace
        >>> from tammann.history import History
        >>> [n.text for n in notices(replace(History.example(), calibrated=False)) if "calibration" in n.text]
        ['Time is in sweeps; no calibration was given, so nothing here says how many hours it takes.']
    """
    summary = summary or {}
    said = history.metadata.get("nothing_opens") if not reacted(history) else None
    found = [
        *(Notice("caution", text) for text in history.metadata.get("important_warnings", ()) if text != said),
        *_about_the_end(history, equilibrium),
        _about_baselines(history, null, equilibrium),
        *_about_inputs(history, summary.get("energies_were_told", ())),
        *_about_transport(history, summary),
        _about_time(history, calibration, summary.get("hours_per_sweep")),
        *_about_lattice(history),
    ]
    if history.realizations == 1:
        text = "There is one realization and so no band: nothing here says how sure the result is."
        found.append(Notice("caution", text))
    drift = float(np.max(history.element_drift, initial=0.0))
    if drift > 1e-10:
        found.insert(0, Notice("caution", f"Elements are conserved only to {drift:.1e}; do not trust this run."))
    else:
        found.append(Notice("note", f"Every element is conserved to {drift:.0e} of its amount, gas included."))
    return tuple(sorted(found, key=lambda notice: notice.kind != "caution"))


def _about_the_end(history: History, equilibrium: Mapping[str, float] | pd.DataFrame | None) -> Iterator[Notice]:
    """Say whether the run arrested, or ended while the powder was still reacting."""
    runs = history.realizations
    still = float(np.median(history.reactive_fraction))
    arrested = 0 if history.lattice is None else int(np.sum(history.lattice.arrested))
    if arrested:
        who = "" if runs == 1 else f" in {'all' if arrested == runs else arrested} of {runs} realizations"
        yield Notice(
            "caution",
            f"No reactive contacts are left{who}; {percent(still)} of the atoms are in phases that would still react "
            "if they met: this is geometry, not selectivity.",
        )
    elif still > 0.001:
        far = f"{percent(still)} of the atoms are in phases that would react further with others that are present."
        if equilibrium is not None:
            away = out_of_equilibrium(history, equilibrium)
            far = f"{percent(away)} of the atoms would still have to change phase to reach plain equilibrium."
        yield Notice("caution", f"The programme ended while the powder was still reacting: {far}")


def _about_transport(history: History, summary: Mapping[str, Any]) -> Iterator[Notice]:
    """Say how much went without transport data, or that transport was left out."""
    if history.diffusion is not None:
        yield from _about_conductivities(history, str(_told(history, summary, "conductivity")))
        return
    kinetics = str(_told(history, summary, "kinetics"))
    if (share := fallback_share(history)) > 0.001:
        yield Notice(
            "caution",
            f"{percent(share)} of the conversion was carried by reactions whose products have no transport data. "
            "Their speed is the thermodynamic score, which is bounded where the diffusive one is not.",
        )
    if kinetics == "none":
        text = "Transport was left out: reactions are ranked by their driving force and temperature alone."
        yield Notice("note", text)


def _told(history: History, summary: Mapping[str, Any], key: str) -> Any:
    """Return what the summary says, or the run itself, or nothing."""
    return summary.get(key, history.metadata.get(key, ""))


def _about_conductivities(history: History, mode: str) -> Iterator[Notice]:
    """Say what the conductivities of the layers rest on."""
    assert history.diffusion is not None
    if mode == "equal":
        text = "All phases conduct alike: this is the null, in which energies and shapes alone decide."
        yield Notice("note", text)
        return
    if mode == "self":
        text = (
            "Only self-diffusion enters: how the ions drag each other (off-diagonal Onsager coefficients) is left out."
        )
        yield Notice("note", text)
    if (share := float(np.mean(history.diffusion.without_data_fraction))) > 0.005:
        yield Notice(
            "caution",
            f"{percent(share)} of the driving force was spent in phases without transport data; they conduct by a rule "
            "of melting points (van Liempt), right in order of magnitude at best.",
        )


def _about_time(history: History, calibration: str | None, hours_per_sweep: float | None) -> Notice:
    """Say what the time axis rests on."""
    if history.time_h is not None:
        text = "Hours rest on one calibration, which is therefore not a prediction"
        return Notice("note", f"{text}: {calibration}" if calibration else f"{text}.")
    if history.diffusion is not None:
        return Notice(
            "caution",
            "Time is in the programme's nominal hours, as no calibration was given: how far the reaction comes, "
            "thicknesses and parabolic constants are nominal, too. Which layers form, in which order, how they relate "
            "to each other and their shares of the driving force can be read.",
        )
    unit = "sweeps" if history.clock[0] == "sweep" else "the programme's nominal hours"
    text = f"Time is in {unit}; no calibration was given, so nothing here says how many hours it takes."
    if hours_per_sweep:
        text += (
            f" The programme's hours were counted as {1 / hours_per_sweep:.4g} sweeps each, a nominal figure on which "
            "the result depends and which the bands leave out."
        )
    return Notice("caution", text)


def _about_lattice(history: History) -> Iterator[Notice]:
    """Say which rates a sweep could not resolve, and which products found no free cell."""
    lattice = history.lattice
    if lattice is None:
        return
    saturated = float(np.max(lattice.saturated_fraction, initial=0.0))
    if saturated > 0.01:
        yield Notice(
            "caution",
            f"{percent(saturated)} of the reaction events were faster than a sweep can resolve and were slowed down; "
            "more sweeps per hour would resolve them.",
        )
    waiting = float(np.median(lattice.ledger_moles[:, -1].sum(axis=1) / history.moles[:, -1].sum(axis=1)))
    if waiting > 0.005:
        yield Notice(
            "note",
            f"{percent(waiting)} of the formula units wait beside the grid for a free place (second products of "
            "reactions); they are counted in every fraction.",
        )


def _about_baselines(
    history: History, null: History | None, equilibrium: Mapping[str, float] | pd.DataFrame | None
) -> Notice:
    """Say what the baselines give, and which phases differ from both."""
    if null is None and equilibrium is None:
        text = "The two baselines were not computed, so nothing here shows that kinetics had a part in the result."
        return Notice("caution", text)
    table = beside_baselines(history, null=null, equilibrium=equilibrium)
    parts = []
    if null is not None:
        what = "the geometric null (all pair reactions equal)"
        if history.diffusion is not None:
            what = "the null (all phases conduct equally well)"
        parts.append(f"{what} gives {_listed(table, 'null')}")
    if equilibrium is not None:
        parts.append(f"plain equilibrium gives {_listed(table, 'equilibrium')}")
    text = "; ".join(parts)
    text = text[0].upper() + text[1:] + ". A result is evidence of kinetics only where it differs from both"
    apart = [formula_text(name) for name, differs in zip(table["phase"], table["differs"], strict=True) if differs]
    if history.realizations == 1:
        return Notice("caution", text + "; with one realization that cannot be judged.")
    if null is None or equilibrium is None:
        return Notice("caution", text + "; only one of them was computed.")
    text += f": here {_and(apart)}." if apart else ": here none does."
    if null is not None and not reacted(null) and history.diffusion is None:
        text += " The null, which knows only reactions of two solids to one, has none here: compare with equilibrium."
    text += f" Bands have to be more than {100 * DIFFERENCE:g} % of the formula units or of the mass apart."
    arrested = history.lattice is not None and history.lattice.arrested.any()
    if apart and not arrested and float(np.median(history.reactive_fraction)) > 0.001:
        text += " The run had not ended, so part of that is how far it came, not where it was heading."
    return Notice("note" if apart else "caution", text)


def layer_sentences(history: History) -> list[str]:
    """Return which layer took the driving force, stretch by stretch, in sentences; none where nothing was spent.

    Example:
        >>> from tammann.history import History
        >>> print(layer_sentences(History.example("reactive-diffusion"))[0].split(' (')[0])
        Between 460 and 1200 K the layer of Ba₂TiO₄ took 35 % of the driving force
    """
    sentences: list[str] = []
    before = ""
    for row in bottlenecks(history).to_dict("records"):
        when, share = _stretch(history, row), f"{100 * row['share']:.0f} %"
        if row["phase"] == before:
            sentences[-1] += f"; {when} {share}"
            continue
        before = row["phase"]
        where = "transport in" if before in precursors(history) else "the layer of"
        text = f"{when} {where} {formula_text(before)} took {share} of the driving force"
        if row["share"] < 0.5:
            text += f" ({formula_text(row['next_phase'])} {100 * row['next_share']:.0f} %)"
        volume = _share_of_products(history, row)
        if np.isfinite(volume) and row["share"] > 1.5 * volume:
            text += f", though it made up only {100 * volume:.0f} % of the products' volume"
        sentences.append(text[0].upper() + text[1:])
    return [text + "." for text in sentences]


def _stretch(history: History, row: Mapping[str, Any]) -> str:
    """Return when a stretch of a run was, such as 'between 900 and 1200 K' or 'on the hold at 1200 K'."""
    if row["start_K"] != row["end_K"]:
        low, high = sorted((row["start_K"], row["end_K"]))
        return f"between {low:.0f} and {high:.0f} K"
    time = history.clock[1]
    own = time[(history.stage == row["stage"]) & (history.temperature_K == row["end_K"])]
    text = f"on the hold at {row['end_K']:.0f} K"
    if row["end"] < own[-1]:
        return f"in the first {row['end'] - own[0]:.1f} h {text}"
    return f"after {row['start'] - own[0]:.1f} h {text}" if row["start"] > own[0] + 0.1 * np.ptp(own) else text


def _share_of_products(history: History, stretch: Mapping[str, Any]) -> float:
    """Return the share of a phase in the volume of all that is not a precursor; NaN for a precursor.

    Frames of a stretch count by the energy that is dissipated up to them: layers when most went on.
    """
    starts = precursors(history)
    if stretch["phase"] in starts or history.diffusion is None:
        return float("nan")
    time = history.clock[1]
    frames = np.flatnonzero((time > stretch["start"]) & (time <= stretch["end"]))
    spent = history.diffusion.dissipated_eV_per_atom[:, frames].sum(axis=2)
    volume = np.einsum("rf,rfp->p", spent, history.fractions("volume")[:, frames])
    made = sum(v for name, v in zip(history.phases, volume, strict=True) if name not in starts)
    return float(volume[history.phases.index(stretch["phase"])] / made) if made > 0 else float("nan")


def _about_inputs(history: History, told: Sequence[str]) -> Iterator[Notice]:
    """Say which phases of the result the energies were constrained on."""
    named = {word for text in told for word in re.split(r"[^A-Za-z0-9]+", text)}
    found = [row.phase for row in history.table().itertuples() if row.median >= 0.005 and row.phase in named]
    if found:
        yield Notice(
            "note",
            f"The energies are constrained by {len(told)} known equilibria (listed below), which name "
            f"{_and([formula_text(name) for name in found])}: that these phases are stable where those say so is an "
            "input, not a prediction.",
        )


def _listed(table: pd.DataFrame, column: str) -> str:
    rows = table[table[column] >= 0.005].sort_values(column, ascending=False)
    parts = [f"{percent(v)} {formula_text(n)}" for n, v in zip(rows["phase"], rows[column], strict=True)]
    return _and(parts[:5])


def _and(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + (parts[-1] if parts else "nothing")
