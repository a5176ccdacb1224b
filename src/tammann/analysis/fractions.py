"""How much of which phase: fractions, conversion, and how far from the baselines and from equilibrium."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

import numpy as np
import pandas as pd

from tammann.errors import ResultError
from tammann.history import PRESENT, History, band

__all__ = [
    "beside_baselines",
    "conversion",
    "final_mole_fractions",
    "out_of_equilibrium",
    "precursors",
    "unreacted",
]


def precursors(history: History) -> tuple[str, ...]:
    """Names of the phases that were there at the start, in the order of ``history.phases``.

    Example:
        >>> from tammann.example import example_history
        >>> precursors(example_history())
        ('BaO', 'TiO2')
    """
    start = history.moles[:, 0].max(axis=0)
    return tuple(name for name, amount in zip(history.phases, start, strict=True) if amount > PRESENT * start.sum())


def final_mole_fractions(history: History) -> dict[str, float]:
    """Median mole fraction of every phase at the end, largest first; phases that never appeared are left out.

    Example:
        >>> from tammann.example import example_history
        >>> max(final_mole_fractions(example_history()).items(), key=lambda item: item[1])[0]
        'BaTiO3'
    """
    table = history.table()
    return {str(name): float(value) for name, value in zip(table["phase"], table["median"], strict=True)}


def beside_baselines(
    history: History,
    *,
    null: History | None = None,
    equilibrium: Mapping[str, float] | pd.DataFrame | None = None,
    tolerance: float = 0.01,
) -> pd.DataFrame:
    """Final mole fractions next to the geometric null and plain equilibrium, and where they differ from both.

    A phase differs from a baseline where the run's band and the baseline's (a point for equilibrium) are further
    apart than ``tolerance``. Only a phase that differs from both is evidence of kinetics.

    Args:
        history: the run.
        null: the same recipe with all pair reactions equal.
        equilibrium: mole fractions by phase at the end; or a table with columns ``temperature_K``, ``phase`` and
            ``mole_fraction``, of which the rows nearest to the run's last temperature are used.
        tolerance: in mole fraction.

    Returns:
        Columns ``phase``, ``median``, ``low``, ``high``, ``null``, ``null_low``, ``null_high``, ``equilibrium``
        (NaN where not given), and ``differs``: True only if both baselines are there, the run has more than one
        realization, and the phase differs from both.

    Example:
        >>> from tammann.example import example_history
        >>> table = beside_baselines(example_history(), null=example_history(seed=1), equilibrium={"BaTiO3": 1.0})
        >>> table.differs.any()
        np.False_
    """
    run = history.table().set_index("phase")
    base = null.table().set_index("phase") if null is not None else None
    balance = None if equilibrium is None else _final_equilibrium(equilibrium, float(history.temperature_K[-1]))
    names = list(dict.fromkeys([*run.index, *(base.index if base is not None else ()), *(balance or ())]))
    rows = []
    for name in names:
        middle, low, high = _row(run, name)
        null_middle, null_low, null_high = (nan, nan, nan) if base is None else _row(base, name)
        level = nan if balance is None else balance.get(name, 0.0)
        from_null = max(low - null_high, null_low - high) > tolerance  # False where there is none
        from_balance = max(low - level, level - high) > tolerance
        differs = from_null and from_balance and history.realizations > 1
        rows.append((name, middle, low, high, null_middle, null_low, null_high, level, differs))
    columns = ["phase", "median", "low", "high", "null", "null_low", "null_high", "equilibrium", "differs"]
    return pd.DataFrame(rows, columns=columns)


def out_of_equilibrium(history: History, equilibrium: Mapping[str, float] | pd.DataFrame) -> float:
    """Share of the atoms that would have to change phase to reach plain equilibrium, at the end.

    1 - sum_p min(a_p, e_p) with a_p the share of the condensed atoms in phase p (median over realizations of the
    sum) and e_p the same at equilibrium: 0 at equilibrium, 1 where no phase is right.

    Args:
        history: the run.
        equilibrium: mole fractions by phase or a table over temperature, as in ``beside_baselines``.

    Example:
        >>> from tammann.example import example_history
        >>> run = example_history(realizations=1)
        >>> out_of_equilibrium(run, final_mole_fractions(run)) < 1e-9, out_of_equilibrium(run, {"BaO": 1}) > 0.99
        (True, True)
    """
    from tammann.composition import parse_formula

    balance = _final_equilibrium(equilibrium, float(history.temperature_K[-1]))
    size = dict(zip(history.phases, history.composition.sum(axis=1), strict=True))
    there = {name: x * size.get(name, 0.0) or x * sum(parse_formula(name).values()) for name, x in balance.items()}
    total = sum(there.values())
    wanted = np.array([there.get(name, 0.0) for name in history.phases]) / (total or 1.0)
    atoms = history.moles[:, -1] * history.composition.sum(axis=1)
    share = atoms / atoms.sum(axis=1, keepdims=True)
    return float(np.median(1 - np.minimum(share, wanted).sum(axis=1)))


def _row(table: pd.DataFrame, name: str) -> tuple[float, float, float]:
    if name not in table.index:
        return 0.0, 0.0, 0.0
    return float(table.at[name, "median"]), float(table.at[name, "low"]), float(table.at[name, "high"])


def _final_equilibrium(equilibrium: Mapping[str, float] | pd.DataFrame, temperature_K: float) -> dict[str, float]:
    if not isinstance(equilibrium, pd.DataFrame):
        return {str(name): float(value) for name, value in equilibrium.items()}
    away = (equilibrium["temperature_K"] - temperature_K).abs()
    rows = equilibrium[away == away.min()]
    return {str(n): float(v) for n, v in zip(rows["phase"], rows["mole_fraction"], strict=True)}


def conversion(history: History, precursor: str | None = None) -> pd.DataFrame:
    """How much of a precursor has been used up, against time: y = 1 - n(t)/n(0).

    Args:
        history: the run.
        precursor: its formula; by default the limiting one, which is the precursor used up the furthest at the
            end (in the median). A carbonate that has merely decomposed counts as used up.

    Returns:
        One row a frame: ``time_h`` (h), ``sweep``, ``temperature_K`` (K), ``precursor``, and the dimensionless
        ``conversion`` (median), ``conversion_low``, ``conversion_high``.

    Raises:
        ResultError: if the phase was not there at the start.

    Example:
        >>> from tammann.example import example_history
        >>> y = conversion(example_history())
        >>> y.precursor[0], bool(y.conversion.iloc[-1] > 0.99)
        ('BaO', True)
    """
    name, values = conversions(history, precursor)
    middle, low, high = band(values)
    return pd.DataFrame(
        {
            **history.frame_columns(),
            "precursor": name,
            "conversion": middle,
            "conversion_low": low,
            "conversion_high": high,
        }
    )


def conversions(history: History, precursor: str | None) -> tuple[str, np.ndarray]:
    """Conversion of one precursor, shape (R, F)."""
    names = precursors(history)
    if precursor is not None and precursor not in names:
        raise ResultError(f"precursor {precursor!r} was not there at the start; choose one of {', '.join(names)}")
    columns = [history.phases.index(name) for name in names]
    moles = history.moles[:, :, columns]
    start = moles[:, :1]
    # A realization of a random packing may, in principle, start without a grain of a minor precursor.
    used = 1 - np.divide(moles, start, out=np.ones_like(moles), where=start > 0)
    k = names.index(precursor) if precursor is not None else int(np.median(used[:, -1], axis=0).argmax())
    return names[k], used[:, :, k]


def unreacted(history: History) -> pd.DataFrame:
    """Share of each precursor that is left at the end: columns ``phase``, ``left``, ``left_low``, ``left_high``.

    This is about precursors; ``history.reactive_fraction`` is about every phase that would still react.

    Example:
        >>> from tammann.example import example_history
        >>> unreacted(example_history()).phase.tolist()
        ['BaO', 'TiO2']
    """
    rows = []
    for name in precursors(history):
        middle, low, high = band(1 - conversions(history, name)[1][:, -1])
        rows.append((name, float(middle), float(low), float(high)))
    return pd.DataFrame(rows, columns=["phase", "left", "left_low", "left_high"])
