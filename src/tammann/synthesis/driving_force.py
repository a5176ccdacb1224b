"""The driving force of a target, and its lead over everything else that two of its precursors could form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from tammann.synthesis.exchange import HALOGENS, OpenSystem
from tammann.synthesis.interface import InterfaceReactions
from tammann.synthesis.precursor_set import PrecursorSet

CONTROL_EV_PER_ATOM = 0.060
"""Lead above which the first product was the one of largest driving force, in 37 pairs of precursors."""


def driving_force_eV_per_atom(one: PrecursorSet) -> float:
    r"""Return the Gibbs energy that forming the target releases, per atom of the precursors.

    -dG / N with dG = G_T + G_salt + sum_g n_g mu_g - sum_i a_i G_i (``one.gibbs_eV_per_target``) and N = sum_i a_i N_i
    (``one.atoms_of_precursors``): the atoms of gases that leave count, those of gases taken up do not. The publication
    says per atom and no more; without gases all ways of counting agree.

    Args:
        one: The set of precursors.

    Returns:
        eV per atom, positive where the target forms.

    Reference:
        Szymanski et al., Sci. Adv. 2024, 10, eadp3309, doi 10.1126/sciadv.adp3309.

    Example:
        >>> from tammann.synthesis import precursor_sets
        >>> from tammann.thermo import load_phases
        >>> sets = precursor_sets(load_phases("Ba-Ti-O"), "BaTiO3", candidates=["BaO", "TiO2"])
        >>> round(driving_force_eV_per_atom(sets[0]), 3)
        0.311
    """
    return float(-one.gibbs_eV_per_target / sum(one.atoms_of_precursors))


def lead_eV_per_atom(driving_force: float, competing: np.ndarray) -> float:
    """Return by how much the driving force of the target exceeds that of any competing phase.

    dG_max(others) - dG(target) in absolute values; where nothing else would form, its lead over no reaction at all.
    From 0.060 eV per atom (``CONTROL_EV_PER_ATOM``) the target was the first product in experiment, whatever the ratio
    of the mixture; below, kinetics decides.

    Args:
        driving_force: Of the target, eV per atom, positive.
        competing: Of each competing phase, eV per atom, positive where it forms, shape (m,).

    Reference:
        Szymanski et al., Sci. Adv. 2024, 10, eadp3309, doi 10.1126/sciadv.adp3309.

    Example:
        >>> import numpy as np
        >>> round(lead_eV_per_atom(0.30, np.array([0.22, -0.1])), 3)
        0.08
    """
    return float(driving_force - max(0.0, float(np.max(competing, initial=0.0))))


def competing_forces(
    system: OpenSystem, one: PrecursorSet, reactions: Sequence[InterfaceReactions]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the driving forces of the other phases that pairs of the precursors form, each without another solid.

    A halide of a metal that the target lacks may come with them, where one comes with the target.

    Args:
        system: Phases and gases.
        one: The set of precursors.
        reactions: Those of every pair of its solids.

    Returns:
        Driving forces, eV per atom of the precursors, shape (m,); the positions of the phases, shape (m,); and the
        formula units of all phases that each reaction takes and makes, per atom of the precursors, shape (m, n).
    """
    target = system.solid_units(one.target)[0]
    salts = [i for i in system.solids if _is_salt(system, i, one)]
    forces, phases = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    amounts = [np.zeros((0, len(system.phases)))]
    for pair in reactions:
        alone = (pair.products[:, 1] < 0) & ~np.isin(pair.products[:, 0], salts)
        for column in (0, 1):
            beside = np.isin(pair.products[:, 1 - column], salts)
            here = (alone if column == 0 else np.zeros_like(alone)) | (beside & (pair.products[:, column] >= 0))
            here &= ~pair.forming(target)
            forces.append(-pair.energy_eV_per_atom[here])
            phases.append(pair.products[here, column])
            amounts.append(_of_all(system, pair, here))
    return np.concatenate(forces), np.concatenate(phases), np.concatenate(amounts)


def lead_error_eV_per_atom(system: OpenSystem, one: PrecursorSet, competitor: np.ndarray | None) -> float:
    """Return the standard error of a lead, with the errors that solids share, those of gases counted as none.

    Args:
        system: Phases and gases.
        one: The set of precursors.
        competitor: Formula units of all phases that the competing reaction takes and makes, per atom of the precursors,
            shape (n,); None where there is none.
    """
    made = dict(one.solid_reaction.products)
    terms = [(f, -n) for f, n in one.solid_reaction.reactants if f in one.reacts_as]
    terms += [(f, n) for f, n in made.items() if f in (one.target, one.by_product)]
    total = np.zeros(len(system.phases))
    for formula, n in terms:
        i, units = system.solid_units(formula)
        total[i] += n * units / made[one.target] / sum(one.atoms_of_precursors)
    if competitor is not None:
        total -= competitor
    return system.error_eV(total)


def _of_all(system: OpenSystem, pair: InterfaceReactions, which: np.ndarray) -> np.ndarray:
    """Return amounts of some reactions over all phases, shape (m, n)."""
    ends = [system.solid_units(formula)[0] for formula in (pair.first, pair.second)]
    places = np.column_stack([np.broadcast_to(ends, (int(which.sum()), 2)), pair.products[which]])
    spread = np.zeros((len(places), len(system.phases)))
    rows = np.arange(len(places))
    for column in range(4):
        spread[rows, places[:, column]] += np.where(places[:, column] >= 0, pair.amounts[which, column], 0.0)
    return spread


def pairs_of(one: PrecursorSet) -> list[tuple[str, str]]:
    """Return every pair of the solids that react."""
    return list(combinations(dict.fromkeys(one.reacts_as), 2))


def _is_salt(system: OpenSystem, i: int, one: PrecursorSet) -> bool:
    """Tell whether a phase is a halide of one metal that the target lacks, in a set that leaves one."""
    if one.by_product is None:
        return False
    elements = set(system.phases[i].composition)
    metals = elements - set(HALOGENS)
    return len(elements) == 2 and len(metals) == 1 and not elements & set(system.phases[one.target].composition)
