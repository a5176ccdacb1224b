"""What controls the outcome at each temperature: runs with and without kinetics compared."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tammann.analysis.fractions import precursors
from tammann.errors import ResultError

if TYPE_CHECKING:
    from tammann.history import History

SMALLEST = 0.05
"""Distance between two runs, and conversion, below which there is none to speak of."""


def temperature_regimes(full: History, thermodynamic: History, self_diffusion: History | None = None) -> pd.DataFrame:
    """Tell at each temperature what controls the outcome: activation, diffusion or thermodynamics.

    The runs share one recipe and differ in their kinetics. Let d = 1/2 sum_p |x_p - x'_p| be the distance between the
    median volume fractions of two runs (0 when equal, 1 when they share no phase), and y the share of the precursors'
    atoms that has reacted. The regime at a temperature is

    - ``activation`` while y < 0.05 in both runs: nothing reacts yet, with or without diffusion;
    - ``diffusion`` where d(full, thermodynamic) exceeds both 0.05 and the scatter between realizations:
      the phases that form are those that grow fast enough;
    - ``thermodynamics`` otherwise: both have reacted and agree, so the driving force decides.

    The phases at a temperature depend on the history before it: use a steady ramp, and read holds with care.

    Args:
        full: Transport with the full Onsager matrix.
        thermodynamic: The same recipe without transport (``transport: none``), or with equal conductivities.
        self_diffusion: The same with self terms only; adds the effect of ion correlations.

    Returns:
        The last frame of every interval of equal temperature: ``stage``, ``time_h`` (h), ``sweep`` (on a lattice),
        ``temperature_K`` (K), ``converted_full``, ``converted_thermodynamic``, ``distance_thermodynamic``,
        ``distance_self`` (NaN without that run), ``scatter`` (mean distance of a realization from its run's
        median, the larger of the runs), ``regime`` and ``correlations_matter`` (distance_self exceeds
        0.05 and scatter).

    Raises:
        ResultError: The runs do not have the same frames.

    Example:
        >>> from tammann.history import History
        >>> table = temperature_regimes(History.example(), History.example())
        >>> table.regime.iloc[0]
        'activation'
    """
    runs = [run for run in (full, thermodynamic, self_diffusion) if run is not None]
    for run in runs[1:]:
        same = np.array_equal(run.programme_h, full.programme_h)
        if not same or not np.allclose(run.temperature_K, full.temperature_K):
            raise ResultError(
                "these runs have different frames; compare runs of one recipe that differ only in kinetics"
            )
    names = list(dict.fromkeys(name for run in runs for name in run.phases))
    medians, scatters, converted = [], [], []
    for run in runs:
        wide = np.zeros((run.realizations, run.stage.size, len(names)))
        wide[:, :, [names.index(name) for name in run.phases]] = run.fractions("volume")
        median = np.median(wide, axis=0)
        medians.append(median)
        scatters.append(0.5 * np.abs(wide - median).sum(axis=2).mean(axis=0))
        own = [run.phases.index(name) for name in precursors(run)]
        left = run.moles[:, :, own] @ run.composition.sum(axis=1)[own]
        converted.append(np.median(1 - left / left[:, :1], axis=0))
    scatter = np.max(scatters, axis=0)
    apart = [0.5 * np.abs(medians[0] - other).sum(axis=1) for other in medians[1:]]
    least = np.maximum(SMALLEST, scatter)
    idle = np.maximum(converted[0], converted[1]) < SMALLEST
    regime = np.where(idle, "activation", np.where(apart[0] > least, "diffusion", "thermodynamics"))
    distance_self = apart[1] if self_diffusion is not None else np.full(scatter.shape, nan)
    change = np.flatnonzero((np.diff(full.temperature_K) != 0) | (np.diff(full.stage) != 0))
    last = np.append(change, full.stage.size - 1)
    columns = {
        "stage": full.stage,
        **full.frame_columns(),
        "converted_full": converted[0],
        "converted_thermodynamic": converted[1],
        "distance_thermodynamic": apart[0],
        "distance_self": distance_self,
        "scatter": scatter,
        "regime": regime.astype(object),
        "correlations_matter": distance_self > least,
    }
    return pd.DataFrame({name: values[last] for name, values in columns.items()})
