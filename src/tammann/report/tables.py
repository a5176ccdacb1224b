"""The tables of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.analysis import ReactionFlow, beside_baselines, dissipation_by_step, unreacted
from tammann.analysis.fractions import null_name
from tammann.analysis.parabola import ParabolicFit
from tammann.analysis.profiles import core_of, geometry_of
from tammann.report.page import list_html, table_html
from tammann.report.sentences import percent, with_band

if TYPE_CHECKING:
    from tammann.history import History

SMALLEST = 0.001
"""Fraction below which a phase or reaction is left out of a table; for a phase the upper end of its band counts."""


def stage_table(history: History) -> str:
    """Return the phases at the end of each step: median and band of the mole fraction, then mass and volume."""
    fractions = history.phase_fractions()
    n_phases = len(fractions) // history.stage.size
    last_frames = [int(np.flatnonzero(history.stage == k)[-1]) for k in np.unique(history.stage)]
    ends = [fractions.iloc[frame * n_phases : (frame + 1) * n_phases].set_index("phase") for frame in last_frames]
    order = ends[-1]["mole_fraction"].sort_values(ascending=False, kind="stable").index
    columns = [f"end of step {k + 1}, {history.temperature_K[f]:.0f} K" for k, f in enumerate(last_frames)]
    numbers = [(name, True) for name in (*columns, "mass, at the end", "volume, at the end")]
    names = ["mole_fraction", "mole_fraction_low", "mole_fraction_high"]
    rows = []
    for phase in order:
        bands = [end.loc[phase, names].tolist() for end in ends]
        if max(high for _, _, high in bands) >= SMALLEST:
            mass_and_volume = ends[-1].loc[phase, ["mass_fraction", "volume_fraction"]]
            rows.append([str(phase), *(with_band(*band) for band in bands), *map(percent, mass_and_volume)])
    caption = "Mole fractions of formula units at the end of each step: median (band)"
    return table_html(caption, [("phase", False), *numbers], rows)


def baseline_table(history: History, null: History | None, equilibrium: Any) -> str:
    """Return the final phases beside the two baselines."""
    if null is None and equilibrium is None:
        return ""
    table = beside_baselines(history, null=null, equilibrium=equilibrium, smallest=SMALLEST)
    rows = [
        (row[0], with_band(*row[1:4]), with_band(*row[4:7]), with_band(*[row[7]] * 3), "yes" if row[8] else "no")
        for row in table.itertuples(index=False)  # phase, run, null, equilibrium, differs
    ]
    numbers = [(name, True) for name in ("this run", null_name(history), "plain equilibrium")]
    caption = (
        "Final mole fractions of formula units beside the baselines; a phase differs where bands are more than 1 % of "
        "the formula units or of the mass apart"
    )
    return table_html(caption, [("phase", False), *numbers, ("differs from both", False)], rows)


def reaction_table(flow: ReactionFlow) -> str:
    """Return the reactions that converted most atoms."""
    reactions = flow.reactions[flow.reactions["share"] >= SMALLEST].head(12)
    if reactions.empty:
        return ""
    rows = [
        (row["equation"], percent(row["share"]), f"{row['extent_mol']:.3g}", "no" if row["fallback"] else "yes")
        for row in reactions.to_dict("records")
    ]
    numbers = [("share of conversion", True), ("moles of reaction", True)]
    columns = [("reaction", False), *numbers, ("transport data", False)]
    return table_html("Reactions by the atoms they converted, net of their reverse", columns, rows)


def unreacted_table(history: History) -> str:
    """Return how much of each precursor is left."""
    rows = [(phase, with_band(*left)) for phase, *left in unreacted(history).itertuples(index=False)]
    return table_html("Precursors left at the end: median (band)", [("precursor", False), ("left", True)], rows)


def bottleneck_table(history: History) -> str:
    """Return the share of the driving force that each phase takes in every step of the programme."""
    table = dissipation_by_step(history)
    if table.empty:
        return ""
    steps = table.drop_duplicates("stage")
    columns = [(f"step {row.stage + 1}, to {row.temperature_K:.0f} K", True) for row in steps.itertuples()]
    order = table.groupby("phase")["share"].max().sort_values(ascending=False)
    rows = []
    for phase in order.index[order >= 10 * SMALLEST]:
        own = table[table["phase"] == phase].set_index("stage")
        cells = [
            with_band(*own.loc[k, ["share", "share_low", "share_high"]]) if k in own.index else "0 %"
            for k in steps["stage"]
        ]
        rows.append([str(phase), *cells])
    rows.append(["Gibbs energy spent in the step", *(percent(float(share)) for share in steps["of_run"])])
    caption = "Share of the driving force that each layer takes: mean (band over realizations)"
    return table_html(caption, [("layer", False), *columns], rows)


def growth_table(history: History, fits: list[tuple[int, int, ParabolicFit]]) -> str:
    """Return the parabolic constants of layers, and in sentences why others have none."""
    rows, refused = [], []
    for _, particle, fit in fits:
        sphere = geometry_of(history, particle) == "sphere"
        where = f"around {core_of(history, particle)}" if sphere else "in the couple"
        if fit.described:
            k = f"{fit.k_m2_per_s:.2e} ± {fit.k_stderr_m2_per_s:.0e}"
            ends = f"{1e9 * fit.start_m:.3g} to {1e9 * fit.end_m:.3g}"
            rows.append((f"{fit.phase}, {where}", f"{fit.temperature_K:.0f}", ends, k))
        else:
            refused.append(f"{where}, {fit.temperature_K:.0f} K: {fit.reason}.")
    unit = "s" if history.calibrated else "nominal s"
    numbers = [("T (K)", True), ("thickness (nm)", True), (f"k (m² per {unit})", True)]
    text = ""
    if rows:
        caption = "Parabolic constants on holds: h² = h₀² + 2 k t, with the standard error of the fit"
        text = table_html(caption, [("layer", False), *numbers], rows)
    if refused:
        summary = f"Why {len(refused)} layers have no parabolic constant"
        text += f'<details class="soft"><summary>{summary}</summary>{list_html(refused)}</details>'
    return text
