"""Which reactions carried the change, and how the atoms went from reactants to products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tammann.analysis.fractions import existing_stage
from tammann.errors import ResultError
from tammann.notebook import ShownAsTable

if TYPE_CHECKING:
    from tammann.history import History


def refuse_without_reactions(history: History) -> None:
    """Refuse a run of reactive diffusion, which knows fluxes and layers but no reactions between two phases."""
    if history.diffusion is not None:
        raise ResultError("a run of reactive diffusion has no reaction channels; see its layers and bottlenecks")


def fallback_share(history: History) -> float:
    """Return the share of the converted atoms carried by reactions that were scored without transport data.

    Every event counts, forward or reverse, with the atoms of its solid reactants; the mean over realizations. The
    thermodynamic score is bounded by one and the diffusive one is not, so a large share makes a run's kinetics hard
    to read.

    Raises:
        ResultError: The run has no reactions: ``DiffusionRecord.without_data_fraction`` says the like of it.

    Example:
        >>> from tammann.history import History
        >>> round(fallback_share(History.example()), 2)
        0.5
    """
    refuse_without_reactions(history)
    atoms = np.where(history.reactants >= 0, history.composition.sum(axis=1)[history.reactants], 0.0)
    converted = history.extent.sum(axis=1) * (atoms * history.reactant_coefficients).sum(axis=1)
    total = converted.sum(axis=1)
    carried = converted[:, history.fallback].sum(axis=1)
    return float(np.divide(carried, total, out=np.zeros_like(total), where=total > 0).mean())


@dataclass(frozen=True, eq=False)
class ReactionFlow(ShownAsTable):
    """Which reactions carried the change, and how the atoms went from phase to phase.

    Means over realizations (a mean keeps every atom, a median would not), net of reverse reactions.

    Attributes:
        stage: Index of the programme's step, or None for the whole run.
        species: Names of all phases and gases of the run, whether they took part or not.
        reactions: ``equation`` (in its net direction), ``extent_mol`` (moles of reaction), ``atoms_mol`` (moles of
            atoms converted), ``share`` (of all net conversion), ``fallback``; largest first.
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

    def __repr__(self) -> str:
        which = "whole run" if self.stage is None else f"step {self.stage + 1}"
        return f"ReactionFlow({which}: {len(self.reactions)} reactions, {len(self.links)} links)"

    def table(self) -> pd.DataFrame:
        """Return ``reactions``, the largest first."""
        return self.reactions


def reaction_flow(history: History, stage: int | None = None) -> ReactionFlow:
    """Follow the atoms from reactants through intermediates to products, net of reverse reactions.

    A reaction and its reverse are taken together, with the difference of their extents; gases count as phases. Where
    only one reactant or one product of a reaction contains an element, the path of its atoms is known (carbon goes
    from BaCO3 to CO2). Atoms of the other elements take the same paths as far as their numbers allow (the oxygen of
    CO2 comes from the carbonate), and are otherwise shared in proportion to the numbers that leave and arrive.
    Opposite links are subtracted from each other, then closed circles are cancelled.

    Args:
        history: The run.
        stage: Index of a step of the programme; by default the whole run.

    Raises:
        ResultError: There is no such step, or the run has no reactions: reactive diffusion goes by fluxes.

    Example:
        >>> from tammann.history import History
        >>> flow = reaction_flow(History.example(), stage=0)
        >>> flow.reactions.equation[0], flow.nodes.role.tolist()
        ('2 BaO + TiO2 -> Ba2TiO4', ['reactant', 'reactant', 'intermediate', 'intermediate', 'product'])
    """
    refuse_without_reactions(history)
    per_stage = history.extent.mean(axis=0)
    extent = per_stage.sum(axis=0) if stage is None else per_stage[existing_stage(history, stage)]
    atoms = np.concatenate([history.composition, history.gas_composition.reshape(-1, len(history.elements))])
    active = np.flatnonzero(extent > 0)
    left, right = _sides(history, active)
    first, net, own = _net_of_reverse(left, right, extent[active], len(atoms))
    forward = (net > 0)[:, None]
    before = [np.where(forward, one[first], other[first]) for one, other in zip(left, right, strict=True)]
    after = [np.where(forward, other[first], one[first]) for one, other in zip(left, right, strict=True)]
    size = np.abs(net)[:, None, None]
    out, into = (size * number[:, :, None] * atoms[code] for code, number in (before, after))
    matrix = np.zeros((len(atoms), len(atoms)))
    np.add.at(matrix, (before[0][:, :, None], after[0][:, None, :]), _passed_on(out, into))
    matrix = _without_circles(np.maximum(matrix - matrix.T, 0))

    # Where the net direction has no channel of its own, the equation of the other is reversed.
    named = np.where(own >= 0, own, first)
    multiple = np.where(own >= 0, before[1].sum(axis=1) / left[1][named].sum(axis=1), 1.0)
    texts = [history.equations[c] for c in active[named]]
    equations = [
        text if here else " -> ".join(reversed(text.split(" -> "))) for text, here in zip(texts, own >= 0, strict=True)
    ]
    reactions = _sorted(
        equation=np.array(equations, dtype=object),
        extent_mol=np.abs(net) * multiple,
        atoms_mol=out.sum(axis=(1, 2)),
        fallback=history.fallback[active][named],
    )
    reactions.insert(3, "share", reactions["atoms_mol"] / (reactions["atoms_mol"].sum() or 1.0))
    names = (*history.phases, *history.gases)
    ends = np.nonzero(matrix)
    source, target = ([names[k] for k in end] for end in ends)
    links = _sorted(source=source, target=target, atoms_mol=matrix[ends])
    return ReactionFlow(stage, names, reactions, links, _nodes(history, stage, matrix, names, atoms.sum(axis=1)))


def _sorted(**columns: Any) -> pd.DataFrame:
    """Return the rows that pass on atoms, the largest first."""
    table = pd.DataFrame(columns).query("atoms_mol > 0")
    return table.sort_values("atoms_mol", ascending=False, kind="stable", ignore_index=True)


def _nodes(
    history: History, stage: int | None, matrix: np.ndarray, names: Sequence[str], atoms_per_unit: np.ndarray
) -> pd.DataFrame:
    """Return the table of the phases and gases that take part."""
    frames = np.arange(history.stage.size) if stage is None else np.flatnonzero(history.stage == stage)
    begin, end = (frames[0], frames[-1]) if frames.size else (0, 0)
    begin = max(begin - 1, 0)  # a step starts from the last frame of the one before
    moles, gas_moles = history.moles.mean(axis=0), history.gas_moles.mean(axis=0)
    start, finish = (np.concatenate([moles[f], gas_moles[f]]) * atoms_per_unit for f in (begin, end))
    into, out = matrix.sum(axis=0), matrix.sum(axis=1)
    kept = np.flatnonzero((into > 0) | (out > 0) | (start > 0)).tolist()
    return pd.DataFrame(
        {
            "name": [names[k] for k in kept],
            "role": [_role(k >= len(history.phases), into[k], out[k], start[k]) for k in kept],
            "atoms_start_mol": start[kept],
            "atoms_in_mol": into[kept],
            "atoms_out_mol": out[kept],
            "atoms_end_mol": finish[kept],
        }
    )


_Side = tuple[np.ndarray, np.ndarray]  # species (C, K) and their amounts per mole of reaction (C, K), 0 where none


def _sides(history: History, channels: np.ndarray) -> tuple[_Side, _Side]:
    """Return what each channel consumes and what it makes; species are phases, then gases."""
    gas = np.broadcast_to(np.arange(len(history.gases)) + len(history.phases), (channels.size, len(history.gases)))
    change = history.gas_coefficients[channels].reshape(gas.shape)

    def side(codes: np.ndarray, numbers: np.ndarray, gases: np.ndarray) -> _Side:
        code = codes[channels]
        solid = np.where(code >= 0, numbers[channels], 0.0)
        return np.hstack([np.maximum(code, 0), gas]), np.hstack([solid, np.maximum(gases, 0)])

    return (
        side(history.reactants, history.reactant_coefficients, -change),
        side(history.products, history.product_coefficients, change),
    )


def _net_of_reverse(
    left: _Side, right: _Side, extent: np.ndarray, n_species: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group channels that differ in direction or by a common factor.

    Of each group its first channel, the net extent in that direction, moles, and a channel of the net direction or -1.
    """
    taken, given = np.zeros((2, extent.size, n_species))
    for table, (code, number) in ((taken, left), (given, right)):
        np.add.at(table, (np.arange(extent.size)[:, None], code), number)

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
    """Return the atoms that each reaction passes on, (C, K, K), from those that leave and arrive, (C, K, E)."""
    total = out.sum(axis=1)
    known = ((out > 0).sum(axis=1) <= 1) | ((into > 0).sum(axis=1) <= 1)  # (C, E)
    share = np.divide(into, total[:, None, :], out=np.zeros_like(into), where=total[:, None, :] > 0)
    passed = np.einsum("cae,cbe->ceab", out, share)  # in proportion
    c, e = np.nonzero(~known)
    paths = np.einsum("ceab,ce->cab", passed, known)[c]
    rows, columns = out[c, :, e], into[c, :, e]
    for _ in range(60):  # iterative proportional fitting of the known paths to the sums of the others
        for axis, wanted in ((2, rows), (1, columns)):
            sums = paths.sum(axis=axis)
            factor = np.divide(wanted, sums, out=np.zeros_like(wanted), where=sums > 0)
            paths = paths * np.expand_dims(factor, axis)
    misses = np.abs(paths.sum(axis=2) - rows).max(axis=1, initial=0)
    misses += np.abs(paths.sum(axis=1) - columns).max(axis=1, initial=0)
    fits = misses <= 1e-9 * total[c, e]
    passed[c[fits], e[fits]] = paths[fits]
    return passed.sum(axis=1)


def _role(gas: bool, into: float, out: float, start: float) -> str:
    if gas:
        return "gas"
    if start > 0 and out > into:
        return "reactant"
    # A phase that passes on a twentieth of what it receives is on the way to something else.
    return "intermediate" if out > 0.05 * into else "product"


def _without_circles(matrix: np.ndarray) -> np.ndarray:
    """Cancel closed circles, each by its smallest link; in - out stays as it is."""
    matrix = matrix.copy()
    matrix[matrix < 1e-12 * max(matrix.sum(), 1e-300)] = 0.0
    while (circle := _find_circle(matrix)) is not None:
        steps = list(zip(circle, [*circle[1:], circle[0]], strict=True))
        smallest = min(matrix[a, b] for a, b in steps)
        for a, b in steps:
            matrix[a, b] = max(matrix[a, b] - smallest, 0.0)
    return matrix


def _find_circle(matrix: np.ndarray) -> list[int] | None:
    done: set[int] = set()

    def follow(node: int, path: list[int]) -> list[int] | None:
        if node in path:
            return path[path.index(node) :]
        if node not in done:
            for after in np.flatnonzero(matrix[node]).tolist():
                if circle := follow(after, [*path, node]):
                    return circle
            done.add(node)
        return None

    return next(filter(None, (follow(start, []) for start in range(len(matrix)))), None)
