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
"""Share of all energy dissipated below which a stretch of a run says nothing about its bottleneck."""
BEGUN = 0.01
"""Share of its energy with which a stretch begins: a ramp from room temperature is idle at first."""
IDLE = 1e-6
"""Share of all energy dissipated below which nothing went on."""


def dissipation(history: History) -> pd.DataFrame:
    """Tabulate the Gibbs energy that each phase dissipates, against time.

    Ions drift through a layer down their potential, and what that costs, the sum of flux times difference of
    potential, is what the reaction spends of its driving force there: layers in series share the driving force as
    resistors share a voltage. The layer with the largest share is the bottleneck.

    Returns:
        One row for each frame and phase that dissipates at all: ``time_h`` (h, NaN without a calibration),
        ``programme_h`` without one, ``temperature_K`` (K), ``phase``, ``dissipated_eV_per_atom`` (since the frame
        before, eV per atom of the mixture) and ``share`` (of all phases in that frame, NaN where nothing is
        dissipated); means over realizations.

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
        Columns ``stage`` (index of the step), ``temperature_K`` (at its end, K), ``phase``, ``share`` (median over
        realizations, dimensionless), ``share_low``, ``share_high`` (5th and 95th percentile), ``of_run`` (share of
        the step in what the whole run dissipates, mean). Steps in which nothing
        goes on are left out.

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
        middle, low, high = band(of_phase[busy] / spent[busy])
        kept = np.flatnonzero(high > 0)
        rows = pd.DataFrame(
            {
                "stage": int(stage),
                "temperature_K": float(history.temperature_K[frames[-1]]),
                "phase": [history.phases[k] for k in kept],
                "share": middle[kept],
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

    A stretch ends where another phase takes the lead, or with a step's ramp or hold; stretches of less than 2 % of
    all energy dissipated are counted with the one before. Means over realizations.

    Returns:
        Columns ``stage``, ``start_K``, ``end_K`` (K; equal on a hold), ``start`` and ``end`` (time, as
        ``History.clock`` counts it), ``phase``, ``share`` (of what the stretch dissipates), ``of_run`` (share of the
        stretch in what the whole run dissipates).

    Raises:
        ResultError: The run is of another engine.

    Example:
        >>> from tammann.history import History
        >>> bottlenecks(History.example("reactive-diffusion")).phase.tolist()
        ['Ba2TiO4', 'Ba2TiO4', 'Ba2TiO4', 'Ba2TiO4']
    """
    heat = diffusion_record(history).dissipated_eV_per_atom.mean(axis=0)
    T, time, total = history.temperature_K, history.clock[1], heat.sum()
    names = ["stage", "start_K", "end_K", "start", "end", "phase", "share", "of_run"]
    if total <= 0:
        return pd.DataFrame(columns=names)
    holds = np.append(False, np.diff(T) == 0)
    part = np.append(0, np.cumsum((np.diff(history.stage) != 0) | (np.diff(holds.astype(int)) != 0)))
    runs: list[list[int]] = []
    for frame in np.flatnonzero(heat.sum(axis=1) > 0):
        before = runs[-1][-1] if runs else None
        leads = before is not None and heat[before].argmax() == heat[frame].argmax() and part[before] == part[frame]
        if leads:
            runs[-1].append(int(frame))
        else:
            runs.append([int(frame)])
    runs = _merged(runs, heat, part)
    rows = []
    for frames in runs:
        spent = heat[frames].sum(axis=0)
        begun = np.cumsum(heat[frames].sum(axis=1)) > BEGUN * spent.sum()
        first = max(frames[int(begun.argmax())] - 1, 0)
        k = int(spent.argmax())
        share, of_run = spent[k] / spent.sum(), spent.sum() / total
        stage = int(history.stage[frames[-1]])
        rows.append((stage, T[first], T[frames[-1]], time[first], time[frames[-1]], history.phases[k], share, of_run))
    return pd.DataFrame(rows, columns=names)


def _merged(runs: list[list[int]], heat: np.ndarray, part: np.ndarray) -> list[list[int]]:
    """Put runs of frames together until neighbours of one part differ in their leading phase and none is negligible."""
    while True:
        spent = [heat[frames].sum() for frames in runs]
        leads = [int(heat[frames].sum(axis=0).argmax()) for frames in runs]
        same = [part[a[-1]] == part[b[0]] for a, b in zip(runs, runs[1:], strict=False)]
        join = next((k for k in range(len(same)) if same[k] and leads[k] == leads[k + 1]), None)
        if join is None:
            small = [k for k in range(len(runs)) if spent[k] < NEGLIGIBLE * heat.sum() and len(runs) > 1]
            if not small:
                return runs
            k = min(small, key=lambda k: spent[k])  # noqa: B023 - used at once
            beside = [j for j in (k - 1, k) if 0 <= j < len(same)]
            inside = [j for j in beside if same[j]]
            if not inside:  # a whole ramp or hold in which hardly anything is spent
                runs = runs[:k] + runs[k + 1 :]
                continue
            join = max(inside, key=lambda j: spent[j] + spent[j + 1])  # noqa: B023 - used at once
        runs = [*runs[:join], runs[join] + runs[join + 1], *runs[join + 2 :]]


def gibbs_left(history: History) -> pd.DataFrame:
    """Tabulate the Gibbs energy above equilibrium, against time: what the powder could still gain by reacting.

    Returns:
        One row for each frame: ``time_h`` (h, NaN without a calibration), ``programme_h`` without one,
        ``temperature_K`` (K), ``gibbs_left_eV_per_atom`` (eV per atom of the mixture, median over realizations),
        ``gibbs_left_low``, ``gibbs_left_high`` (5th and 95th percentile).

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
