"""Where the Gibbs energy goes: which layer takes the driving force, and how much is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tammann.analysis.profiles import diffusion_record
from tammann.history import band

if TYPE_CHECKING:
    from tammann.history import History

NEGLIGIBLE = 0.02
"""Share of all energy dissipated below which it does not matter which phase it is put down to."""
BEGUN = 0.01
"""Share of its energy with which a stretch begins: a ramp from room temperature is idle at first."""
IDLE = 1e-6
"""Share of all energy dissipated below which nothing went on."""


def dissipation(history: History) -> pd.DataFrame:
    """Tabulate the Gibbs energy that each phase dissipates, against time.

    Ions drift through a layer down their potential, and what that costs, the sum of flux times difference of
    potential, is what the reaction spends of its driving force there. The layer with the largest share is called the
    bottleneck: where the energy goes. The share is no measure of how much a better conductor there would help: the
    differences of potential are set by the equilibria at a layer's two faces, and a worse conductor is a thinner layer.

    Returns:
        One row for each frame and phase that dissipates at all: times and temperature as in
        ``History.frame_columns``, ``phase``, ``dissipated_eV_per_atom`` (since the frame before, eV per atom of the
        mixture) and ``share`` (of all phases in that frame, NaN where nothing is dissipated); means over realizations.

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> table = dissipation(History.example("reactive-diffusion"))
        >>> table.groupby("phase").dissipated_eV_per_atom.sum().idxmax()
        'Ba2TiO4'
    """
    heat = diffusion_record(history).dissipated_eV_per_atom.mean(axis=0)
    total = heat.sum(axis=1, keepdims=True)
    share = np.divide(heat, total, out=np.full_like(heat, np.nan), where=total > 0)
    kept = np.flatnonzero(heat.any(axis=0))
    columns = {name: np.repeat(values, kept.size) for name, values in history.frame_columns().items()}
    columns["phase"] = np.tile(np.array([history.phases[k] for k in kept], dtype=object), len(heat))
    columns["dissipated_eV_per_atom"] = heat[:, kept].ravel()
    columns["share"] = share[:, kept].ravel()
    return pd.DataFrame(columns)


def dissipation_by_step(history: History) -> pd.DataFrame:
    """Tabulate the share of each phase in what every step of the programme dissipates, the bottleneck first.

    Returns:
        Columns ``stage`` (index of the step), ``temperature_K`` (at its end, K), ``phase``, ``share`` (of the energy
        that all realizations dissipate, so that shares add up to one), ``share_low``, ``share_high`` (5th and 95th
        percentile over realizations), ``of_run`` (share of the step in what the whole run dissipates). Steps in
        which nothing goes on are left out.

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> table = dissipation_by_step(History.example("reactive-diffusion"))
        >>> table.groupby("stage").phase.first().tolist()
        ['Ba2TiO4', 'Ba2TiO4']
    """
    heat = diffusion_record(history).dissipated_eV_per_atom
    total = heat.sum()
    tables = []
    for stage in np.unique(history.stage):
        frames = np.flatnonzero(history.stage == stage)
        of_phase = heat[:, frames].sum(axis=1)
        spent = of_phase.sum(axis=1, keepdims=True)
        busy = spent[:, 0] > IDLE * heat.sum(axis=(1, 2))
        if not busy.any():
            continue
        _, low, high = band(of_phase[busy] / spent[busy])
        mean = of_phase.sum(axis=0) / spent.sum()
        kept = np.flatnonzero(high > 0)
        rows = pd.DataFrame(
            {
                "stage": int(stage),
                "temperature_K": float(history.temperature_K[frames[-1]]),
                "phase": [history.phases[k] for k in kept],
                "share": mean[kept],
                "share_low": low[kept],
                "share_high": high[kept],
                "of_run": float(of_phase.sum() / total),
            }
        )
        tables.append(rows.sort_values("share", ascending=False, kind="stable"))
    names = ["stage", "temperature_K", "phase", "share", "share_low", "share_high", "of_run"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)


def bottlenecks(history: History) -> pd.DataFrame:
    """Tabulate which layer takes the largest part of the driving force, stretch by stretch.

    Ramps and holds are cut into as few stretches as describe the run: where another phase takes the lead, unless less
    than 2 % of all energy would be put down to another phase without the cut. Ramps and holds in which less than that
    is dissipated are left out. Means over realizations.

    Returns:
        Columns ``stage``, ``start_K``, ``end_K`` (K; equal on a hold), ``start`` and ``end`` (time, as
        ``History.clock`` counts it), ``phase``, ``share`` (of what the stretch dissipates), ``next_phase``,
        ``next_share`` (the second in line), ``of_run`` (share of the stretch in what the whole run dissipates).

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> bottlenecks(History.example("reactive-diffusion")).phase.tolist()
        ['Ba2TiO4', 'Ba2TiO4', 'Ba2TiO4', 'Ba2TiO4']
    """
    heat = diffusion_record(history).dissipated_eV_per_atom.mean(axis=0)
    T, time, total = history.temperature_K, history.clock[1], heat.sum()
    names = ["stage", "start_K", "end_K", "start", "end", "phase", "share", "next_phase", "next_share", "of_run"]
    holds = np.append(False, np.diff(T) == 0)
    part = np.append(0, np.cumsum((np.diff(history.stage) != 0) | (np.diff(holds.astype(int)) != 0)))
    rows = []
    for number in np.unique(part):
        frames = np.flatnonzero(part == number)
        if total <= 0 or heat[frames].sum() < NEGLIGIBLE * total:
            continue
        for first, last in _stretches(heat[frames] / total):
            inside = frames[first : last + 1]
            spent = heat[inside].sum(axis=0)
            lead, other = np.argsort(-spent, kind="stable")[:2]
            begun = np.cumsum(heat[inside].sum(axis=1)) > BEGUN * spent.sum()
            begin, end = max(inside[int(begun.argmax())] - 1, 0), inside[-1]
            shares = spent[[lead, other]] / spent.sum()
            ends = (T[begin], T[end], time[begin], time[end])
            own, second = (history.phases[k] for k in (lead, other))
            rows.append((int(history.stage[end]), *ends, own, shares[0], second, shares[1], spent.sum() / total))
    return pd.DataFrame(rows, columns=names)


def _stretches(heat: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last frame of stretches with one leading phase each, from the parts of all energy, (F, P).

    Neighbours are put together as long as what the one leading phase of both takes is hardly less than what their own
    leading phases take.
    """
    bounds = [(f, f) for f in range(len(heat))]
    spent = list(heat)
    while len(bounds) > 1:
        loss = [a.max() + b.max() - (a + b).max() for a, b in zip(spent, spent[1:], strict=False)]
        k = int(np.argmin(loss))
        if loss[k] > NEGLIGIBLE:
            break
        bounds[k : k + 2] = [(bounds[k][0], bounds[k + 1][1])]
        spent[k : k + 2] = [spent[k] + spent[k + 1]]
    return bounds


def gibbs_left(history: History) -> pd.DataFrame:
    """Tabulate the Gibbs energy above equilibrium, against time: what the powder could still gain by reacting.

    Returns:
        One row for each frame: times and temperature as in ``History.frame_columns``, ``gibbs_left_eV_per_atom`` (eV
        per atom of the mixture, median over realizations), ``gibbs_left_low``, ``gibbs_left_high`` (5th and 95th
        percentile).

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> left = gibbs_left(History.example("reactive-diffusion")).gibbs_left_eV_per_atom
        >>> bool(left.iloc[-1] < 0.1 * left.iloc[0])
        True
    """
    values = band(diffusion_record(history).gibbs_left_eV_per_atom)
    names = ("gibbs_left_eV_per_atom", "gibbs_left_low", "gibbs_left_high")
    return pd.DataFrame({**history.frame_columns(), **dict(zip(names, values, strict=True))})
