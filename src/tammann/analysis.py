"""Histories to numbers: phase fractions, conversion, the flow of matter, temperature regimes, Jander's law.

Every function is pure and takes a ``History``; tables are pandas, small results frozen dataclasses. Bands are the
5th and 95th percentile over realizations (and, where the run drew energies and transport, over that ensemble).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from tammann.errors import ResultError

if TYPE_CHECKING:
    from tammann.automaton.history import History

__all__ = [
    "BAND",
    "JanderFit",
    "ReactionFlow",
    "beside_baselines",
    "conversion",
    "fallback_share",
    "final_fractions",
    "final_mole_fractions",
    "fit_jander",
    "jander_curve",
    "jander_fit",
    "out_of_equilibrium",
    "phase_fractions",
    "precursors",
    "reaction_flow",
    "temperature_regimes",
    "unreacted",
]

BAND = (0.05, 0.95)
"""Quantiles between which a band lies."""

_PRESENT = 1e-9  # mole fraction below which a phase counts as never there


def _frame_columns(history: History) -> dict[str, np.ndarray]:
    hours = np.full(history.sweep.shape, np.nan) if history.time_h is None else np.asarray(history.time_h, dtype=float)
    return {"time_h": hours, "sweep": history.sweep, "temperature_K": history.temperature_K}


def _band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median and band over the first axis."""
    low, middle, high = np.quantile(values, (BAND[0], 0.5, BAND[1]), axis=0)
    return middle, low, high


def precursors(history: History) -> tuple[str, ...]:
    """Names of the phases that were there at the start, in the order of ``history.phases``.

    Example:
        >>> from tammann.example import example_history
        >>> precursors(example_history())
        ('BaO', 'TiO2')
    """
    start = history.moles[:, 0].max(axis=0)
    return tuple(name for name, amount in zip(history.phases, start, strict=True) if amount > _PRESENT * start.sum())


def phase_fractions(history: History) -> pd.DataFrame:
    """Mole, mass and volume fractions of every phase against time and temperature, as a tidy table.

    x_p = n_p / sum_q n_q over the condensed phases q, precursors, melt and solids of the ledger included, gas
    excluded; n in moles of formula units as each formula is written (``history.moles``). Mass and volume
    fractions weight n with ``molar_mass_kg`` and ``molar_volume_m3``.

    The fractions of one realization add up to one. Their medians, which this table holds, are taken phase by
    phase and therefore do not quite.

    Args:
        history: R realizations, F frames, P phases.

    Returns:
        One row a frame and phase, frames in order, phases in the order of ``history.phases``; phases that never
        exceed a mole fraction of 1e-9 in any realization are left out. Columns: ``time_h`` (h, NaN without a
        calibration), ``sweep``, ``temperature_K`` (K), ``phase``, ``mole_fraction`` (median),
        ``mole_fraction_low`` and ``mole_fraction_high`` (5th and 95th percentile; all three equal for one
        realization), ``mass_fraction`` and ``volume_fraction`` (medians).

    Example:
        >>> from tammann.example import example_history
        >>> table = phase_fractions(example_history())
        >>> table[table.phase == "BaTiO3"].mole_fraction.round(2).iloc[[0, -1]].tolist()
        [0.0, 0.86]
    """
    mole = history.fractions("mole")
    kept = np.flatnonzero((mole > _PRESENT).any(axis=(0, 1)))
    middle, low, high = _band(mole[:, :, kept])
    n_frames = history.sweep.size
    columns: dict[str, np.ndarray] = {name: np.repeat(c, kept.size) for name, c in _frame_columns(history).items()}
    columns["phase"] = np.tile(np.array([history.phases[k] for k in kept], dtype=object), n_frames)
    columns["mole_fraction"] = middle.ravel()
    columns["mole_fraction_low"] = low.ravel()
    columns["mole_fraction_high"] = high.ravel()
    columns["mass_fraction"] = np.median(history.fractions("mass")[:, :, kept], axis=0).ravel()
    columns["volume_fraction"] = np.median(history.fractions("volume")[:, :, kept], axis=0).ravel()
    return pd.DataFrame(columns)


def final_fractions(history: History, basis: Literal["mole", "mass", "volume"] = "mole") -> pd.DataFrame:
    """Fractions at the end, largest first: columns ``phase``, ``median``, ``low``, ``high``.

    Args:
        history: the run.
        basis: mole fraction of formula units, mass or volume fraction, as in ``phase_fractions``.

    Example:
        >>> from tammann.example import example_history
        >>> final_fractions(example_history()).phase.tolist()
        ['BaTiO3', 'Ba2TiO4', 'BaTi2O5', 'TiO2', 'BaO']
    """
    kept = np.flatnonzero((history.fractions("mole") > _PRESENT).any(axis=(0, 1)))
    middle, low, high = _band(history.fractions(basis)[:, -1][:, kept])
    names = [history.phases[k] for k in kept]
    table = pd.DataFrame({"phase": names, "median": middle, "low": low, "high": high})
    return table.sort_values("median", ascending=False, kind="stable", ignore_index=True)


def final_mole_fractions(history: History) -> dict[str, float]:
    """Median mole fraction of every phase at the end, largest first; phases that never appeared are left out.

    Example:
        >>> from tammann.example import example_history
        >>> max(final_mole_fractions(example_history()).items(), key=lambda item: item[1])[0]
        'BaTiO3'
    """
    table = final_fractions(history)
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
    run = final_fractions(history).set_index("phase")
    base = final_fractions(null).set_index("phase") if null is not None else None
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
    from tammann.thermo import parse_formula

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
    name, values = _conversions(history, precursor)
    middle, low, high = _band(values)
    return pd.DataFrame(
        {
            **_frame_columns(history),
            "precursor": name,
            "conversion": middle,
            "conversion_low": low,
            "conversion_high": high,
        }
    )


def _conversions(history: History, precursor: str | None) -> tuple[str, np.ndarray]:
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

    This is about precursors; ``history.unreacted_fraction`` is about every phase that would still react.

    Example:
        >>> from tammann.example import example_history
        >>> unreacted(example_history()).phase.tolist()
        ['BaO', 'TiO2']
    """
    rows = []
    for name in precursors(history):
        middle, low, high = _band(1 - _conversions(history, name)[1][:, -1])
        rows.append((name, float(middle), float(low), float(high)))
    return pd.DataFrame(rows, columns=["phase", "left", "left_low", "left_high"])


def fallback_share(history: History) -> float:
    """Share of the converted atoms that was carried by reactions scored without transport data.

    Every event counts, back and forth alike, with the atoms of its solid reactants; the mean over realizations.
    The thermodynamic score is bounded by one and the diffusive one is not, so a large share makes a run's
    kinetics hard to read.

    Example:
        >>> from tammann.example import example_history
        >>> round(fallback_share(example_history()), 2)
        0.5
    """
    atoms = np.where(history.reactants >= 0, history.composition.sum(axis=1)[history.reactants], 0.0)
    converted = history.extent.sum(axis=1) * (atoms * history.reactant_coefficients).sum(axis=1)
    total = converted.sum(axis=1)
    carried = converted[:, history.fallback].sum(axis=1)
    return float(np.divide(carried, total, out=np.zeros_like(total), where=total > 0).mean())


@dataclass(frozen=True, eq=False)
class ReactionFlow:
    """Which reactions carried the change, and how the atoms went from phase to phase.

    Means over realizations (a mean keeps every atom, a median would not), net of back and forth.

    Attributes:
        stage: index of the programme's step, or None for the whole run.
        species: names of all phases and gases of the run, whether they took part or not.
        reactions: ``equation`` (in the direction that prevailed), ``extent_mol`` (moles of reaction),
            ``atoms_mol`` (moles of atoms converted), ``share`` (of all net conversion), ``fallback``; largest first.
        links: ``source``, ``target``, ``atoms_mol``: moles of atoms that went from one phase to the other; opposite
            links and closed circles are cancelled, so that the links form no loop.
        nodes: ``name``, ``role`` (reactant, intermediate, product or gas), ``atoms_start_mol``, ``atoms_end_mol``,
            ``atoms_in_mol``, ``atoms_out_mol``; for a phase, start + in - out = end.
    """

    stage: int | None
    species: tuple[str, ...]
    reactions: pd.DataFrame
    links: pd.DataFrame
    nodes: pd.DataFrame


def reaction_flow(history: History, stage: int | None = None) -> ReactionFlow:
    """Follow the atoms from reactants through intermediates to products, net of back and forth.

    A reaction and its reverse are taken together, with the difference of their extents; gases take part like
    phases. Where only one reactant or one product of a reaction contains an element, the way of its atoms is known
    (carbon goes from BaCO3 to CO2). Atoms of the other elements, which carry no label, go the same ways as far as
    their numbers allow (the oxygen of CO2 comes from the carbonate), and else in proportion to the numbers that
    leave and arrive. Opposite links are subtracted from each other, then what goes round in closed circles.

    Args:
        history: the run.
        stage: index of a step of the programme; by default the whole run.

    Raises:
        ResultError: if there is no such step.

    Example:
        >>> from tammann.example import example_history
        >>> flow = reaction_flow(example_history(), stage=0)
        >>> flow.reactions.equation[0], flow.nodes.role.tolist()
        ('2 BaO + TiO2 -> Ba2TiO4', ['reactant', 'reactant', 'intermediate', 'intermediate', 'product'])
    """
    n_stages = history.extent.shape[1]
    if stage is not None and not 0 <= stage < n_stages:
        raise ResultError(f"stage {stage} does not exist; this run has steps 0 to {n_stages - 1}")
    per_stage = history.extent.mean(axis=0)
    extent = per_stage.sum(axis=0) if stage is None else per_stage[stage]

    n_phases, n_species = len(history.phases), len(history.phases) + len(history.gases)
    atoms = np.concatenate([history.composition, history.gas_composition.reshape(-1, len(history.elements))])
    active = np.flatnonzero(extent > 0)
    left, right = _sides(history, active)
    first, net, own = _net_of_reverse(left, right, extent[active], n_species)
    forward = net > 0
    before = [np.where(forward[:, None], one[first], other[first]) for one, other in zip(left, right, strict=True)]
    after = [np.where(forward[:, None], other[first], one[first]) for one, other in zip(left, right, strict=True)]
    size = np.abs(net)[:, None, None]
    out, into = (size * number[:, :, None] * atoms[code] for code, number in (before, after))
    matrix = np.zeros((n_species, n_species))
    np.add.at(matrix, (before[0][:, :, None], after[0][:, None, :]), _passed_on(out, into))

    # Where the direction that prevails has no channel of its own, the text of the other is turned round.
    texts = [history.equations[c] for c in active]
    named = np.where(own >= 0, own, first)
    multiple = np.where(own >= 0, before[1].sum(axis=1) / left[1][named].sum(axis=1), 1.0)
    equations = [
        texts[k] if here else " -> ".join(reversed(texts[k].split(" -> ")))
        for k, here in zip(named, own >= 0, strict=True)
    ]
    reactions = pd.DataFrame(
        {
            "equation": np.array(equations, dtype=object),
            "extent_mol": np.abs(net) * multiple,
            "atoms_mol": out.sum(axis=(1, 2)),
            "fallback": history.fallback[active][named],
        }
    )
    reactions = reactions[reactions["atoms_mol"] > 0]
    reactions = reactions.sort_values("atoms_mol", ascending=False, kind="stable", ignore_index=True)
    total_atoms = float(reactions["atoms_mol"].sum())
    reactions.insert(3, "share", reactions["atoms_mol"] / (total_atoms or 1.0))

    matrix = np.maximum(matrix - matrix.T, 0)
    matrix = _without_circles(matrix)
    names = (*history.phases, *history.gases)
    moles = history.moles.mean(axis=0)
    frames = np.arange(history.sweep.size) if stage is None else np.flatnonzero(history.stage == stage)
    begin, end = (frames[0], frames[-1]) if frames.size else (0, 0)
    begin = max(begin - 1, 0)  # a step starts from the last frame of the one before
    atoms_per_unit = atoms.sum(axis=1)
    start = np.concatenate([moles[begin], history.gas_moles.mean(axis=0)[begin]]) * atoms_per_unit
    finish = np.concatenate([moles[end], history.gas_moles.mean(axis=0)[end]]) * atoms_per_unit
    into, out = matrix.sum(axis=0), matrix.sum(axis=1)
    source, target = np.nonzero(matrix)
    links = pd.DataFrame(
        {
            "source": [names[k] for k in source],
            "target": [names[k] for k in target],
            "atoms_mol": matrix[source, target],
        }
    ).sort_values("atoms_mol", ascending=False, kind="stable", ignore_index=True)
    taking_part = [k for k in range(n_species) if into[k] > 0 or out[k] > 0 or start[k] > 0]
    nodes = pd.DataFrame(
        {
            "name": [names[k] for k in taking_part],
            "role": [_role(k >= n_phases, into[k], out[k], start[k]) for k in taking_part],
            "atoms_start_mol": start[taking_part],
            "atoms_in_mol": into[taking_part],
            "atoms_out_mol": out[taking_part],
            "atoms_end_mol": finish[taking_part],
        }
    )
    return ReactionFlow(stage, names, reactions, links, nodes)


_Side = tuple[np.ndarray, np.ndarray]  # species (C, K) and their amounts per mole of reaction (C, K), 0 where none


def _sides(history: History, channels: np.ndarray) -> tuple[_Side, _Side]:
    """What each channel takes and gives; species are phases, then gases."""
    gas = np.broadcast_to(np.arange(len(history.gases)) + len(history.phases), (channels.size, len(history.gases)))
    change = history.gas_coefficients[channels].reshape(gas.shape)
    sides = []
    for codes, numbers, sign in (
        (history.reactants, history.reactant_coefficients, -1),
        (history.products, history.product_coefficients, 1),
    ):
        code = codes[channels]
        solid = np.where(code >= 0, numbers[channels], 0.0)
        sides.append((np.hstack([np.maximum(code, 0), gas]), np.hstack([solid, np.maximum(sign * change, 0)])))
    return sides[0], sides[1]


def _net_of_reverse(
    left: _Side, right: _Side, extent: np.ndarray, n_species: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take channels that differ in direction or in a common factor together.

    Returns the first channel of each group, its net extent in that channel's direction and moles, and a channel of
    the direction that prevails, -1 if it has none.
    """
    tables = []
    for code, number in (left, right):
        table = np.zeros((extent.size, n_species))
        np.add.at(table, (np.arange(extent.size)[:, None], code), number)
        tables.append(table)
    taken, given = tables

    def keys(one: np.ndarray, other: np.ndarray) -> list[bytes]:
        unit = np.min(np.where(one > 0, one, np.inf), axis=1, initial=np.inf)
        both = np.hstack([one, other]) / np.where(np.isfinite(unit), unit, 1.0)[:, None]
        return [row.tobytes() for row in np.round(both, 6)]

    groups: dict[bytes, int] = {}
    first: list[int] = []
    member, factor = np.zeros(extent.size, dtype=int), np.ones(extent.size)
    for c, (ahead, back) in enumerate(zip(keys(taken, given), keys(given, taken), strict=True)):
        if back in groups:
            member[c] = groups[back]
            factor[c] = -taken[c].sum() / given[first[member[c]]].sum()
        elif ahead in groups:
            member[c] = groups[ahead]
            factor[c] = taken[c].sum() / taken[first[member[c]]].sum()
        else:
            groups[ahead] = member[c] = len(first)
            first.append(c)
    net = np.bincount(member, weights=factor * extent, minlength=len(first))
    own = np.full(len(first), -1)
    agrees = np.flatnonzero((factor > 0) == (net > 0)[member])[::-1]  # the earliest is written last
    own[member[agrees]] = agrees
    return np.array(first, dtype=int), net, own


def _passed_on(out: np.ndarray, into: np.ndarray) -> np.ndarray:
    """Atoms that each reaction passes on, (C, K, K), from those that leave and those that arrive, (C, K, E)."""
    total = out.sum(axis=1)
    known = ((out > 0).sum(axis=1) <= 1) | ((into > 0).sum(axis=1) <= 1)  # (C, E)
    share = np.divide(into, total[:, None, :], out=np.zeros_like(into), where=total[:, None, :] > 0)
    passed = np.einsum("cae,cbe->ceab", out, share)  # in proportion
    c, e = np.nonzero(~known)
    ways = np.einsum("ceab,ce->cab", passed, known)[c]
    rows, columns = out[c, :, e], into[c, :, e]
    for _ in range(60):  # iterative proportional fitting of the known ways to the sums of the others
        for axis, wanted in ((2, rows), (1, columns)):
            sums = ways.sum(axis=axis)
            factor = np.divide(wanted, sums, out=np.zeros_like(wanted), where=sums > 0)
            ways = ways * np.expand_dims(factor, axis)
    misses = np.abs(ways.sum(axis=2) - rows).max(axis=1, initial=0)
    misses += np.abs(ways.sum(axis=1) - columns).max(axis=1, initial=0)
    fits = misses <= 1e-9 * total[c, e]
    passed[c[fits], e[fits]] = ways[fits]
    return passed.sum(axis=1)


def _role(gas: bool, into: float, out: float, start: float) -> str:
    if gas:
        return "gas"
    if start > 0 and out > into:
        return "reactant"
    # A phase that passes on a twentieth of what it receives is on the way to something else.
    return "intermediate" if out > 0.05 * into else "product"


def _without_circles(matrix: np.ndarray) -> np.ndarray:
    """Cancel what goes round in circles, the smallest link of each circle first to go; in - out stays as it is."""
    matrix = matrix.copy()
    matrix[matrix < 1e-12 * max(matrix.sum(), 1e-300)] = 0.0
    while (circle := _find_circle(matrix)) is not None:
        steps = list(zip(circle, [*circle[1:], circle[0]], strict=True))
        smallest = min(matrix[a, b] for a, b in steps)
        for a, b in steps:
            matrix[a, b] = max(matrix[a, b] - smallest, 0.0) if matrix[a, b] > smallest else 0.0
    return matrix


def _find_circle(matrix: np.ndarray) -> list[int] | None:
    done: set[int] = set()
    for start in range(matrix.shape[0]):
        path: list[int] = []
        stack: list[tuple[int, list[int]]] = [(start, np.flatnonzero(matrix[start]).tolist())]
        path.append(start)
        while stack:
            node, following = stack[-1]
            if not following or node in done:
                done.add(node)
                stack.pop()
                path.pop()
                continue
            after = following.pop(0)
            if after in path:
                return path[path.index(after) :]
            if after not in done:
                stack.append((after, np.flatnonzero(matrix[after]).tolist()))
                path.append(after)
    return None


def temperature_regimes(
    full: History,
    thermodynamic: History,
    self_diffusion: History | None = None,
    *,
    tolerance: float = 0.05,
    started: float = 0.05,
) -> pd.DataFrame:
    """Say at each temperature what controls the outcome: activation, diffusion or thermodynamics.

    The runs share one recipe and differ in their kinetics. With d = 1/2 sum_p |x_p - x'_p| the distance between
    the median phase fractions (by volume) of two runs, 0 when equal and 1 when they share no phase, and y the
    share of the precursors' atoms that has reacted, the regime at a temperature is

    - ``activation`` while y < ``started`` in both runs: nothing moves yet, with or without diffusion;
    - ``diffusion`` where d(full, thermodynamic) exceeds both ``tolerance`` and the scatter between realizations:
      what is there is what could grow fast enough;
    - ``thermodynamics`` otherwise: both have reacted and agree, so that the driving force decides.

    What a run is at a temperature depends on what it was before: use a steady ramp, and read holds with care.

    Args:
        full: transport with the full Onsager matrix.
        thermodynamic: the same recipe without transport (``transport: none``).
        self_diffusion: the same with self terms only; adds the part that ion correlations play.
        tolerance: smallest distance that counts, dimensionless.
        started: smallest conversion that counts, dimensionless.

    Returns:
        The last frame of every stretch of equal temperature: ``stage``, ``sweep``, ``temperature_K`` (K),
        ``converted_full``, ``converted_thermodynamic``, ``distance_thermodynamic``, ``distance_self`` (NaN
        without that run), ``scatter`` (mean distance of a realization from its run's median, the larger of the
        runs), ``regime`` and ``correlations_matter`` (distance_self exceeds tolerance and scatter).

    Raises:
        ResultError: if the runs do not have the same frames.

    Example:
        >>> from tammann.example import example_history
        >>> table = temperature_regimes(example_history(), example_history(activity=5.0))
        >>> table.regime.iloc[0]
        'activation'
    """
    others = [thermodynamic, *([self_diffusion] if self_diffusion is not None else [])]
    for other in others:
        same = other.sweep.shape == full.sweep.shape and np.array_equal(other.sweep, full.sweep)
        if not same or not np.allclose(other.temperature_K, full.temperature_K):
            raise ResultError(
                "these runs have different frames; compare runs of one recipe that differ in kinetics only"
            )
    runs = [full, *others]
    names = list(dict.fromkeys(name for run in runs for name in run.phases))
    medians, scatters, converted = [], [], []
    for run in runs:
        wide = np.zeros((run.realizations, run.sweep.size, len(names)))
        wide[:, :, [names.index(name) for name in run.phases]] = run.fractions("volume")
        median = np.median(wide, axis=0)
        medians.append(median)
        scatters.append(0.5 * np.abs(wide - median).sum(axis=2).mean(axis=0))
        converted.append(_converted_atoms(run))
    scatter = np.max(scatters, axis=0)
    apart = [0.5 * np.abs(medians[0] - other).sum(axis=1) for other in medians[1:]]
    least = np.maximum(tolerance, scatter)
    asleep = np.maximum(converted[0], converted[1]) < started
    regime = np.where(asleep, "activation", np.where(apart[0] > least, "diffusion", "thermodynamics"))
    distance_self = apart[1] if self_diffusion is not None else np.full(scatter.shape, nan)
    change = np.flatnonzero((np.diff(full.temperature_K) != 0) | (np.diff(full.stage) != 0))
    last = np.append(change, full.sweep.size - 1)
    return (
        pd.DataFrame(
            {
                "stage": full.stage,
                "sweep": full.sweep,
                "temperature_K": full.temperature_K,
                "converted_full": converted[0],
                "converted_thermodynamic": converted[1],
                "distance_thermodynamic": apart[0],
                "distance_self": distance_self,
                "scatter": scatter,
                "regime": regime.astype(object),
                "correlations_matter": distance_self > least,
            }
        )
        .iloc[last]
        .reset_index(drop=True)
    )


def _converted_atoms(history: History) -> np.ndarray:
    """Share of the precursors' atoms that has left them, median over realizations, shape (F,)."""
    columns = [history.phases.index(name) for name in precursors(history)]
    left = history.moles[:, :, columns] @ history.composition.sum(axis=1)[columns]
    return np.median(1 - left / left[:, :1], axis=0)


@dataclass(frozen=True)
class JanderFit:
    """A fit of Jander's law to conversion against time.

    Attributes:
        rate: K_D/r0^2 per unit of time; NaN where the law does not describe the data.
        rate_stderr: its standard error, likewise.
        time_unit: ``h`` or ``sweep``: the rate is per that.
        degrees_of_freedom: of the standard error (Student's t); infinite where errors were given.
        offset: 2 K_D t/r0^2 that had passed when the fit's time begins, dimensionless.
        K_D_m2_per_s: K_D in m^2/s where time is in hours and a radius was given, else NaN.
        K_D_stderr_m2_per_s: its standard error.
        largest_misfit: largest |y - fit| within the window, in units of conversion.
        points: number of points of time within the window.
        described: whether Jander's law describes the data.
        reason: why not, in words; empty where it does.
    """

    rate: float
    rate_stderr: float
    time_unit: str
    degrees_of_freedom: float
    offset: float
    K_D_m2_per_s: float
    K_D_stderr_m2_per_s: float
    largest_misfit: float
    points: int
    described: bool
    reason: str


def jander_curve(time: np.ndarray, rate: float, offset: float = 0.0) -> np.ndarray:
    """Conversion of spheres behind a parabolic layer: y = 1 - (1 - sqrt(2 K_D t)/r0)^3.

    Args:
        time: shape (T,), any unit.
        rate: K_D/r0^2 per that unit.
        offset: 2 K_D t/r0^2 at time zero, dimensionless.

    Returns:
        Conversion, shape (T,), dimensionless, one once the layers meet.

    Example:
        >>> jander_curve(np.array([0.0, 2.0, 50.0]), rate=0.01).round(3).tolist()
        [0.0, 0.488, 1.0]
    """
    depth = np.sqrt(np.clip(2 * rate * np.asarray(time, dtype=float) + offset, 0.0, 1.0))
    return 1 - (1 - depth) ** 3


def fit_jander(
    time: np.ndarray,
    conversion: np.ndarray,
    *,
    standard_error: np.ndarray | float | None = None,
    window: tuple[float, float] = (0.01, 0.95),
    offset: bool = False,
    tolerance: float = 0.03,
    radius_m: float | None = None,
    time_unit: Literal["h", "sweep"] = "h",
) -> JanderFit:
    """Fit Jander's law 1 - (1 - y)^(1/3) = sqrt(2 K_D t)/r0 to conversion against time.

    Weighted least squares in y (not in the transformed variable, where noise would bias it). Successive
    conversions of one run are correlated, so with several realizations each is fitted on its own and the
    standard error is that of their mean, which holds whatever the correlation; with one, errors must be given
    (independent ones) or are taken from the residuals and their autocorrelation.

    Args:
        time: shape (T,), time at constant temperature, in ``time_unit``.
        conversion: y, shape (T,) or (R, T), dimensionless.
        standard_error: of y, shape (T,) or a number, for one series of independent points.
        window: only points with a mean conversion between these are used.
        offset: fit a layer that is there at time zero too (a hold after a ramp).
        tolerance: the law describes the data where no mean conversion is further from the fit than this, or
            than three of its standard errors if that is more.
        radius_m: r0, m, to turn the rate into K_D.
        time_unit: unit of ``time``.

    Raises:
        ValueError: if the shapes do not match, or errors are given with several series.

    References:
        W. Jander, Z. Anorg. Allg. Chem. 163, 1 (1927), doi:10.1002/zaac.19271630102.

    Example:
        >>> t = np.linspace(1, 20, 20)
        >>> fit = fit_jander(t, jander_curve(t, rate=0.01), standard_error=0.01)
        >>> round(fit.rate, 4), fit.described
        (0.01, True)
    """
    from scipy.optimize import least_squares

    time = np.asarray(time, dtype=float)
    series = np.atleast_2d(np.asarray(conversion, dtype=float))
    if time.ndim != 1 or series.shape[1] != time.size:
        raise ValueError(f"time has shape {time.shape} and conversion {np.shape(conversion)}; expected (T,) and (R, T)")
    if standard_error is not None and series.shape[0] > 1:
        raise ValueError("standard_error is for one series; with several, their spread gives the error")

    def refused(reason: str, points: int = 0, misfit: float = nan) -> JanderFit:
        return JanderFit(nan, nan, time_unit, nan, nan, nan, nan, misfit, points, False, reason)

    mean = series.mean(axis=0)
    used = (mean >= window[0]) & (mean <= window[1])
    points = int(used.sum())
    n_parameters = 2 if offset else 1
    if points < n_parameters + 3:
        return refused(f"only {points} points have a conversion between {window[0]:g} and {window[1]:g}", points)
    t, y = time[used], series[:, used]
    if np.ptp(y.mean(axis=0)) < 1e-6:
        return refused("the conversion does not change", points)
    sigma = np.ones(points) if standard_error is None else np.broadcast_to(standard_error, time.shape)[used]
    if (sigma <= 0).any():
        raise ValueError("standard_error must be above zero")

    def solve(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters (rate and 2 K_D t/r0^2 at the first point, if fitted) and their unit-weight covariance."""
        depth = (1 - np.cbrt(1 - np.clip(values, 0, 1))) ** 2
        slope = np.polyfit(t, depth, 1)[0] / 2 if offset else float(t @ depth / (t @ t)) / 2
        scale = max(abs(slope), 1e-12 / np.ptp(t))
        guess = [slope / scale] + ([float(depth[0])] if offset else [])

        def residuals(p: np.ndarray) -> np.ndarray:
            shifted = t - t[0] if offset else t
            return (jander_curve(shifted, p[0] * scale, p[1] if offset else 0.0) - values) / sigma

        found = least_squares(residuals, guess, x_scale="jac", method="trf", max_nfev=200)
        covariance = np.linalg.pinv(found.jac.T @ found.jac)
        return np.array([found.x[0] * scale, *found.x[1:]]), covariance * scale**2

    fits = [solve(values) for values in y]
    parameters = np.mean([p for p, _ in fits], axis=0)
    shifted = t - t[0] if offset else t
    rate = float(parameters[0])
    at_start = float(parameters[1] - 2 * rate * t[0]) if offset else 0.0
    fitted = jander_curve(shifted, rate, float(parameters[1]) if offset else 0.0)
    residual = y.mean(axis=0) - fitted
    if series.shape[0] > 1:
        freedom = float(series.shape[0] - 1)
        stderr = float(np.std([p[0] for p, _ in fits], ddof=1) / np.sqrt(series.shape[0]))
        noise = np.std(y, axis=0, ddof=1) / np.sqrt(series.shape[0])
    elif standard_error is not None:
        freedom = float("inf")
        stderr = float(np.sqrt(fits[0][1][0, 0]))
        noise = sigma
    else:
        freedom = float(points - n_parameters)
        variance = float(residual @ residual / freedom)
        lag = float(residual[1:] @ residual[:-1] / max(residual @ residual, 1e-300))
        # A first-order autoregressive series of n points is worth n (1 - r)/(1 + r) independent ones.
        stderr = float(np.sqrt(fits[0][1][0, 0] * variance * (1 + max(lag, 0.0)) / (1 - min(max(lag, 0.0), 0.99))))
        noise = np.zeros(points)
    misfit = float(np.abs(residual).max())
    if rate <= 0:
        return refused("the conversion does not grow as a layer does", points, misfit)
    # Jander's fit may miss within the noise; three standard errors at the worst of many points is no surprise.
    if (np.abs(residual) > np.maximum(tolerance, 3 * noise)).any():
        return refused(
            f"Jander's law misses the conversion by {misfit:.3f}; growth is not parabolic here", points, misfit
        )
    to_SI = nan if radius_m is None or time_unit != "h" else radius_m**2 / 3600.0
    return JanderFit(rate, stderr, time_unit, freedom, at_start, rate * to_SI, stderr * to_SI, misfit, points, True, "")


def jander_fit(
    history: History,
    *,
    stage: int | None = None,
    precursor: str | None = None,
    radius_m: float | None = None,
    window: tuple[float, float] = (0.01, 0.95),
    tolerance: float = 0.03,
) -> JanderFit:
    """Fit Jander's law to the conversion of a precursor during the hold of one step (see ``fit_jander``).

    Args:
        history: the run.
        stage: index of the step; by default the last. Frames at the step's final temperature are used.
        precursor: its formula; by default the limiting one (see ``conversion``).
        radius_m: particle radius r0, m, to turn the rate into K_D (needs a calibrated time).
        window: range of conversion that is used.
        tolerance: misfit in conversion that is let pass.

    Raises:
        ResultError: if there is no such step or precursor.

    Example:
        >>> from tammann.example import example_history
        >>> jander_fit(example_history(), stage=0).time_unit
        'h'
    """
    n_stages = history.extent.shape[1]
    stage = n_stages - 1 if stage is None else stage
    if not 0 <= stage < n_stages:
        raise ResultError(f"stage {stage} does not exist; this run has steps 0 to {n_stages - 1}")
    _, values = _conversions(history, precursor)
    frames = np.flatnonzero(history.stage == stage)
    hold = frames[history.temperature_K[frames] == history.temperature_K[frames[-1]]] if frames.size else frames
    time = history.sweep if history.time_h is None else history.time_h
    return fit_jander(
        np.asarray(time, dtype=float)[hold] - float(time[hold[0]]) if hold.size else np.zeros(0),
        values[:, hold],
        window=window,
        offset=True,
        tolerance=tolerance,
        radius_m=radius_m,
        time_unit="sweep" if history.time_h is None else "h",
    )
