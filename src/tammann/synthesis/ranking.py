"""Sets of precursors side by side on every criterion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.synthesis.competition import (
    inverse_hull_energy_eV_per_atom,
    primary_competition_eV_per_atom,
    secondary_competition_eV_per_atom,
)
from tammann.synthesis.driving_force import (
    CONTROL_EV_PER_ATOM,
    competing_forces,
    driving_force_eV_per_atom,
    lead_error_eV_per_atom,
    lead_eV_per_atom,
    pairs_of,
)
from tammann.synthesis.exchange import OpenSystem
from tammann.synthesis.interface import InterfaceReactions, interface_reactions
from tammann.synthesis.layer_growth import layer_growth_constant_m2_per_s
from tammann.synthesis.nucleation import (
    competing_phases,
    epitaxial_mismatch,
    nucleation_barrier_eV,
    structural_distance,
)
from tammann.synthesis.precursor_set import PrecursorSet
from tammann.thermo import Phases

if TYPE_CHECKING:
    import pandas as pd

    from tammann.structures import Configuration
    from tammann.transport import TransportTable

CRITERIA: Mapping[str, int] = {
    "driving_force_meV_per_atom": 1,
    "lead_meV_per_atom": 1,
    "primary_competition_meV_per_atom": -1,
    "secondary_competition_meV_per_atom": -1,
    "inverse_hull_energy_meV_per_atom": 1,
    "competing_phases": -1,
    "nucleation_barrier_eV": -1,
    "K_D_m2_per_s": 1,
}
"""The criteria, each a column; 1 where more is better, -1 where less is."""


def rank_precursors(
    phases: Phases,
    sets: Sequence[PrecursorSet],
    *,
    transport: TransportTable | None = None,
    structures: Mapping[str, Configuration] | None = None,
    energies: str | None = None,
) -> pd.DataFrame:
    """Return sets of precursors of one target on every published criterion, side by side.

    Nothing is weighed against anything: ``pareto_rank`` is 1 for the sets that no other surpasses (is as good in all
    criteria that a set has, and better in one), 2 for those surpassed by these alone, and so on; ``leads`` counts the
    criteria in which a set is the best. Rows are in order of the two, then of the lead.

    Args:
        phases: The system of the sets.
        sets: What ``precursor_sets`` returns.
        transport: Onsager coefficients, for the growth constant of a layer of the target.
        structures: Crystals of the target and its precursors by formula, for the barrier of nucleation.
        energies: Name of the energy set that the sets were made with.

    Returns:
        One row a set. The columns ``precursors``, ``reaction``, ``reacts_as``, ``by_product``; then each of
        ``CRITERIA``, NaN where it cannot be had (competition is defined for two precursors);
        ``driving_force_error_meV_per_atom`` and ``lead_error_meV_per_atom``, standard errors;
        ``thermodynamic_control``, whether the lead is 60 meV per atom or more; ``strongest_competitor``, the phase that
        the lead is counted from; ``molten``, which solids are above their melting point; ``leads``; ``pareto_rank``.

    Raises:
        DataError: There are no sets, or they have several targets.

    Example:
        >>> from tammann.synthesis import precursor_sets
        >>> from tammann.thermo import load_phases
        >>> phases = load_phases("Ba-Ti-O")
        >>> words = {"atmosphere": "oxygen", "temperature_K": 1100}  # in air BaO is carbonate by then
        >>> sets = precursor_sets(phases, "BaTiO3", candidates=["BaO", "BaCO3", "TiO2"], **words)
        >>> rank_precursors(phases, sets)[["precursors", "pareto_rank"]].values.tolist()[0]
        ['BaCO3 + TiO2', 1]
    """
    import pandas as pd

    if len({one.target for one in sets}) != 1:
        raise DataError("sets: expected sets of precursors of one target, what precursor_sets returns.")
    system = OpenSystem(phases, sets[0].surroundings, energies)
    interfaces: dict[tuple[object, ...], InterfaceReactions] = {}
    alike: dict[tuple[object, ...], dict[str, object]] = {}
    rows = []
    for one in sets:
        key = (tuple(sorted(one.reacts_as)), one.by_product, one.halogens)
        if key not in alike:
            for pair in pairs_of(one):
                if (*pair, one.halogens) not in interfaces:
                    interfaces[(*pair, one.halogens)] = interface_reactions(system, *pair, stays=one.halogens)
            pairs = [interfaces[(*pair, one.halogens)] for pair in pairs_of(one)]
            alike[key] = _criteria(system, one, pairs) | {
                "nucleation_barrier_eV": _barrier(system, one, structures or {}),
            }
        row: dict[str, object] = {
            "precursors": one.name,
            "reaction": one.reaction.equation,
            "reacts_as": " + ".join(one.reacts_as),
            "by_product": one.by_product or "",
            **alike[key],
            "K_D_m2_per_s": layer_growth_constant_m2_per_s(phases, one, transport, energies=energies),
        }
        rows.append(row)
    table = pd.DataFrame(rows)
    table["leads"] = sum(_leads(table[name].to_numpy(float) * sign) for name, sign in CRITERIA.items())
    table["pareto_rank"] = pareto_rank(
        np.column_stack([table[name].to_numpy(float) * sign for name, sign in CRITERIA.items()])
    )
    order = np.lexsort((-table["lead_meV_per_atom"].fillna(0.0), -table["leads"], table["pareto_rank"]))
    first = ["precursors", "reaction", "reacts_as", "by_product", *CRITERIA]
    rest = [name for name in table.columns if name not in first]
    return table.iloc[order][[*first, *rest]].reset_index(drop=True)


def _criteria(system: OpenSystem, one: PrecursorSet, pairs: Sequence[InterfaceReactions]) -> dict[str, object]:
    """Return what depends on the solids that react."""
    force = driving_force_eV_per_atom(one)
    atoms = one.atoms_of_precursors
    forces, others, amounts = competing_forces(system, one, pairs)
    strongest = int(np.argmax(forces)) if len(forces) and forces.max() > 0 else None
    C1 = C2 = inverse = math.nan
    if len(pairs) == 1:
        pair, fraction = pairs[0], atoms[1] / sum(atoms)
        rest = ~pair.forming(system.solid_units(one.target)[0])
        C1 = primary_competition_eV_per_atom(-force, pair.energy_eV_per_atom[rest])
        C2 = secondary_competition_eV_per_atom(fraction, pair.fraction, pair.energy_eV_per_atom)
        inverse = inverse_hull_energy_eV_per_atom(fraction, -force, pair.fraction[rest], pair.energy_eV_per_atom[rest])
    error = lead_error_eV_per_atom(system, one, None if strongest is None else amounts[strongest])
    lead = lead_eV_per_atom(force, forces) if pairs else math.nan
    return {
        "driving_force_meV_per_atom": 1000.0 * force,
        "lead_meV_per_atom": 1000.0 * lead,
        "primary_competition_meV_per_atom": 1000.0 * C1,
        "secondary_competition_meV_per_atom": 1000.0 * C2,
        "inverse_hull_energy_meV_per_atom": 1000.0 * inverse,
        "competing_phases": float(len(competing_phases(system, one))),
        "driving_force_error_meV_per_atom": 1000.0 * one.standard_error_eV_per_target / sum(atoms),
        "lead_error_meV_per_atom": 1000.0 * error,
        "thermodynamic_control": bool(lead >= CONTROL_EV_PER_ATOM),
        "strongest_competitor": "" if strongest is None else system.phases[int(others[strongest])].formula,
        "molten": ", ".join(_molten(system, one)),
    }


def _molten(system: OpenSystem, one: PrecursorSet) -> list[str]:
    """Return the solids of a set that are above the melting point they are listed with."""
    T = system.surroundings.temperature_K
    solids = dict.fromkeys((*one.reacts_as, *([one.by_product] if one.by_product else [])))
    return [formula for formula in solids if system.phases[system.solid_units(formula)[0]].melting_point_K < T]


def _barrier(system: OpenSystem, one: PrecursorSet, structures: Mapping[str, Configuration]) -> float:
    """Return the barrier of nucleation on the most similar of the precursors whose structure is given, else NaN."""
    known = {composition_key(formula): crystal for formula, crystal in structures.items()}
    target = known.get(composition_key(one.target))
    precursors = [known[composition_key(f)] for f in one.reacts_as if composition_key(f) in known]
    if target is None or not precursors:
        return math.nan
    volume = abs(float(np.linalg.det(np.asarray(target.cell_A)))) / len(target.symbols)
    atoms = system.phases[one.target].n_atoms
    return nucleation_barrier_eV(
        one.gibbs_eV_per_target / (volume * atoms),
        epitaxy=min(epitaxial_mismatch(target, crystal) for crystal in precursors),
        similarity=min(structural_distance(target, crystal) for crystal in precursors),
    )


def _leads(values: np.ndarray) -> np.ndarray:
    """Return which values are the largest, to rounding; none where none is known, or where all are the same."""
    if np.isnan(values).all() or np.nanmax(values) - np.nanmin(values) < 1e-6 * max(1e-30, abs(np.nanmax(values))):
        return np.zeros(len(values), dtype=int)
    best = np.nanmax(values)
    return (values >= best - 1e-9 * abs(best)).astype(int)


def pareto_rank(values: np.ndarray) -> np.ndarray:
    """Return the Pareto rank of each row, 1 for those that no other row surpasses.

    A row surpasses another if it has all that the other has, nowhere less and somewhere more.

    Args:
        values: Shape (n, m), more is better, NaN where not known.

    Returns:
        Ranks from 1, shape (n,), int64.

    Example:
        >>> import numpy as np
        >>> pareto_rank(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [0.0, 0.0]])).tolist()
        [1, 1, 2, 3]
    """
    tolerance = 1e-9 * np.nanmax(np.abs(np.nan_to_num(values)), axis=0, initial=0.0)
    rows, alike = np.unique(values, axis=0, return_inverse=True)
    surpasses = np.zeros((len(rows), len(rows)), dtype=bool)
    for k, row in enumerate(rows):
        difference = rows - row  # NaN is neither more nor less
        lacks = (np.isnan(rows) & ~np.isnan(row)).any(axis=1)
        surpasses[:, k] = ~lacks & ~(difference < -tolerance).any(axis=1) & (difference > tolerance).any(axis=1)
    rank = np.zeros(len(rows), dtype=np.int64)
    left = np.ones(len(rows), dtype=bool)
    while left.any():
        front = left & ~surpasses[left].any(axis=0)
        rank[front] = rank.max() + 1
        left &= ~front
    return rank[alike.reshape(-1)]
