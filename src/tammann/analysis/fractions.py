"""Phase fractions and conversion, and how far they are from the baselines and from equilibrium."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

import numpy as np
import pandas as pd

from tammann.composition import atomic_masses, parse_formula
from tammann.errors import ResultError
from tammann.history import PRESENT, Basis, History, band

DIFFERENCE = 0.01
"""Gap between two bands, in mole fraction or in mass fraction, above which a phase differs from a baseline."""


def precursors(history: History) -> tuple[str, ...]:
    """Return the names of the phases that are present at the start, in the order of ``history.phases``.

    Example:
        >>> from tammann.history import History
        >>> precursors(History.example())
        ('BaO', 'TiO2')
    """
    start = history.moles[:, 0].max(axis=0)
    return tuple(name for name, amount in zip(history.phases, start, strict=True) if amount > PRESENT * start.sum())


def existing_stage(history: History, stage: int) -> int:
    """Return the index of a step of the programme; refuse one that the run does not have."""
    if not 0 <= stage < (n_stages := history.extent.shape[1]):
        raise ResultError(f"stage {stage} does not exist; this run has steps 0 to {n_stages - 1}")
    return stage


def null_name(history: History) -> str:
    """Return what the null of a run's engine is called: what it would do if kinetics told no phases apart.

    Example:
        >>> from tammann.history import History
        >>> null_name(History.example()), null_name(History.example("reactive-diffusion"))
        ('geometric null', 'equal conductivities')
    """
    return "geometric null" if history.diffusion is None else "equal conductivities"


def final_mole_fractions(history: History) -> dict[str, float]:
    """Return the median mole fraction of every phase at the end, largest first.

    Example:
        >>> from tammann.history import History
        >>> max(final_mole_fractions(History.example()).items(), key=lambda item: item[1])[0]
        'BaTiO3'
    """
    return dict(history.table()[["phase", "median"]].itertuples(index=False))


def beside_baselines(
    history: History,
    *,
    null: History | None = None,
    equilibrium: Mapping[str, float] | pd.DataFrame | None = None,
    smallest: float = 0.0,
) -> pd.DataFrame:
    """Compare final mole fractions with the engine's null and with plain equilibrium.

    A phase differs from a baseline where the run's band and the baseline's (a point for equilibrium) are more than
    1 % apart, either in mole fraction or in mass fraction: a formula unit is as large as one writes it, and 1 mol %
    of Ba6Ti17O40 is 9 % of the mass. Only a phase that differs from both baselines is evidence of kinetics.

    Args:
        history: The run.
        null: The same recipe with all pair reactions equal, or with all conductivities equal.
        equilibrium: Mole fractions by phase at the end; or a table with columns ``temperature_K``, ``phase`` and
            ``mole_fraction``, of which the rows nearest to the run's last temperature are used.
        smallest: Leave out phases that stay below this mole fraction in all three, bands included.

    Returns:
        Columns ``phase``, ``median``, ``low``, ``high``, ``null``, ``null_low``, ``null_high``, ``equilibrium``
        (NaN where not given), and ``differs``: True only if both baselines are given, the run has more than one
        realization, and the phase differs from both.

    Example:
        >>> from tammann.history import History
        >>> table = beside_baselines(History.example(), null=History.example(), equilibrium={"BaTiO3": 1.0})
        >>> table.differs.any()
        np.False_
    """
    balance = None if equilibrium is None else _final_equilibrium(equilibrium, float(history.temperature_K[-1]))
    mole = _three_bands(history, null, balance, "mole")
    mass = _three_bands(history, null, _by_mass(balance, history, null), "mass")
    apart = (_gaps(mole) > DIFFERENCE) | (_gaps(mass).reindex(mole.index) > DIFFERENCE)
    mole["differs"] = apart.all(axis=1) & (history.realizations > 1)
    largest = mole[["high", "null_high", "equilibrium"]].max(axis=1)
    return mole[largest >= smallest].reset_index()


def _three_bands(
    history: History, null: History | None, balance: Mapping[str, float] | None, basis: Basis
) -> pd.DataFrame:
    """Return median and band of the run and of the null, and equilibrium, by phase; NaN where not given."""
    run = history.table(basis).set_index("phase")
    other = (history if null is None else null).table(basis).set_index("phase")
    other.columns = pd.Index(["null", "null_low", "null_high"])
    level = pd.Series(balance or {}, name="equilibrium", dtype=float)
    table = pd.concat([run, other, level], axis=1).fillna(0.0).rename_axis("phase")
    if null is None:
        table[list(other)] = nan
    if balance is None:
        table["equilibrium"] = nan
    return table


def _gaps(table: pd.DataFrame) -> pd.DataFrame:
    """Return how far the run's band is from either baseline; NaN where there is no baseline."""
    low, high, level = table["low"], table["high"], table["equilibrium"]
    null = np.maximum(low - table["null_high"], table["null_low"] - high)
    return pd.DataFrame({"null": null, "equilibrium": np.maximum(low - level, level - high)})


def _by_mass(balance: Mapping[str, float] | None, history: History, null: History | None) -> Mapping[str, float] | None:
    """Turn mole fractions at equilibrium into mass fractions."""
    if balance is None:
        return None
    runs = [history] if null is None else [history, null]
    kg_per_mol = {n: m for run in runs for n, m in zip(run.phases, run.molar_mass_kg, strict=True)}
    for name in balance.keys() - kg_per_mol.keys():
        kg_per_mol[name] = sum(atomic_masses()[e] * n for e, n in parse_formula(name).items()) / 1000
    total = sum(x * kg_per_mol[name] for name, x in balance.items()) or 1.0
    return {name: x * kg_per_mol[name] / total for name, x in balance.items()}


def out_of_equilibrium(history: History, equilibrium: Mapping[str, float] | pd.DataFrame) -> float:
    """Return the share of the atoms that would have to change phase to reach plain equilibrium, at the end.

    1 - sum_p min(a_p, e_p) with a_p the share of the condensed atoms in phase p and e_p the same at equilibrium: 0
    at equilibrium, 1 where no phase is right; the median over realizations.

    ``equilibrium`` is given as in ``beside_baselines``.

    Example:
        >>> from tammann.history import History
        >>> run = History.example()
        >>> out_of_equilibrium(run, final_mole_fractions(run)) < 0.01, out_of_equilibrium(run, {"BaO": 1}) > 0.99
        (True, True)
    """
    balance = _final_equilibrium(equilibrium, float(history.temperature_K[-1]))
    size = dict(zip(history.phases, history.composition.sum(axis=1), strict=True))
    atoms_in = {name: x * (size.get(name) or sum(parse_formula(name).values())) for name, x in balance.items()}
    total = sum(atoms_in.values())
    wanted = np.array([atoms_in.get(name, 0.0) for name in history.phases]) / (total or 1.0)
    atoms = history.moles[:, -1] * history.composition.sum(axis=1)
    share = atoms / atoms.sum(axis=1, keepdims=True)
    return float(np.median(1 - np.minimum(share, wanted).sum(axis=1)))


def _final_equilibrium(equilibrium: Mapping[str, float] | pd.DataFrame, temperature_K: float) -> dict[str, float]:
    if not isinstance(equilibrium, pd.DataFrame):
        return dict(equilibrium)
    away = (equilibrium["temperature_K"] - temperature_K).abs()
    return dict(equilibrium.loc[away == away.min(), ["phase", "mole_fraction"]].itertuples(index=False))


def conversion(history: History, precursor: str | None = None) -> pd.DataFrame:
    """Tabulate how much of a precursor has been used up, against time: y = 1 - n(t)/n(0).

    Args:
        history: The run.
        precursor: Its formula; by default the limiting one, of which the least is left at the end (in the median).
            A carbonate that has merely decomposed counts as used up.

    Returns:
        One row for each frame: ``time_h`` (h), ``sweep``, ``temperature_K`` (K), ``precursor``, and the
        dimensionless ``conversion`` (median), ``conversion_low``, ``conversion_high``.

    Raises:
        ResultError: The phase was not present at the start.

    Example:
        >>> from tammann.history import History
        >>> y = conversion(History.example())
        >>> y.precursor[0], bool(y.conversion.iloc[-1] > 0.99)
        ('BaO', True)
    """
    name, values = conversions(history, precursor)
    bands = dict(zip(("conversion", "conversion_low", "conversion_high"), band(values), strict=True))
    return pd.DataFrame({**history.frame_columns(), "precursor": name, **bands})


def conversions(history: History, precursor: str | None) -> tuple[str, np.ndarray]:
    """Return the name of a precursor, by default the limiting one, and its conversion, shape (R, F)."""
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
    """Tabulate the share of each precursor left at the end: columns ``phase``, ``left``, ``left_low``, ``left_high``.

    Example:
        >>> from tammann.history import History
        >>> unreacted(History.example()).phase.tolist()
        ['BaO', 'TiO2']
    """
    rows = [(name, *map(float, band(1 - conversions(history, name)[1][:, -1]))) for name in precursors(history)]
    return pd.DataFrame(rows, columns=["phase", "left", "left_low", "left_high"])
