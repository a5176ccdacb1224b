"""Which orderings to go on with: chosen at random by their energy above the hull, the lowest always kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.thermo.composition_hull import CompositionHull
from tammann.units import BOLTZMANN_EV_PER_K


@dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """Structures chosen.

    Attributes:
        chosen: Their numbers, ascending, shape (m,).
        always: Whether each of all structures is kept whatever is drawn, as the lowest of its composition or group,
            shape (n,).
        probabilities: Of each of all structures to be the first one drawn, shape (n,); they sum to 1.
    """

    chosen: np.ndarray
    always: np.ndarray
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.chosen)

    def __repr__(self) -> str:
        kept = int(self.always[self.chosen].sum())
        return f"Selection({len(self)} of {len(self.always)} structures, {kept} as the lowest of their composition)"


def selection_probabilities(
    energies_eV: ArrayLike, *, temperature_K: float, degeneracies: ArrayLike | None = None
) -> np.ndarray:
    """Return p_i = g_i exp(-E_i / k_B T) / sum_j g_j exp(-E_j / k_B T).

    Args:
        energies_eV: Above the hull, shape (n,), eV, of whatever unit (atom, formula) the statistics is to be.
        temperature_K: T, K.
        degeneracies: g, shape (n,); 1 for all where None.

    Returns:
        Shape (n,).

    Raises:
        DataError: Shapes that do not fit, an energy that is not finite, a degeneracy or a temperature not above zero.

    Example:
        >>> even = selection_probabilities([0.0, BOLTZMANN_EV_PER_K * 800 * np.log(3)], temperature_K=800)
        >>> even.round(6).tolist()
        [0.75, 0.25]
    """
    logarithm = _weights(energies_eV, temperature_K, degeneracies)
    weights = np.exp(logarithm - logarithm.max())
    return np.asarray(weights / weights.sum())


def select_orderings(
    hull: CompositionHull,
    number: int,
    *,
    per: Literal["atom", "formula"],
    degeneracies: ArrayLike | None,
    temperature_K: float = 800.0,
    groups: Sequence[str | None] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Selection:
    """Choose structures at random without replacement, with p proportional to g exp(-E_hull / k_B T).

    The lowest structure of each composition is kept first; of the others one after the other is drawn with the
    probabilities above among those left (as the largest of ln p plus a Gumbel number), until there are ``number``.

    Per atom all structures within tens of meV of the hull are about as likely at 800 K (k_B T = 69 meV); per formula
    unit of ten atoms the choice is ten times as sharp. Both occur in the literature, as do g and none, so that both
    must be said.

    Args:
        hull: Of n structures, as ``composition_hull`` returns it.
        number: Of structures to choose, the lowest of each composition included; all where there are fewer.
        per: Of what E_hull is.
        degeneracies: g, shape (n,), or None for a choice by the energy alone.
        temperature_K: T, K.
        groups: Name of the group of each structure, of each of which the lowest is kept, such as two polymorphs of one
            composition; None for a structure that is not to be chosen, such as one that only competes. Compositions
            where it is None.
        rng: Seed or generator.

    Raises:
        DataError: Fewer structures are asked for than there are compositions, or as ``selection_probabilities``.

    Example:
        >>> from tammann.thermo.composition_hull import composition_hull
        >>> hull = composition_hull(["LiCl", "LiCl", "LiBr", "LiBr"], [-8.0, -7.9, -7.0, -6.0])
        >>> select_orderings(hull, 3, per="atom", degeneracies=None, rng=1).chosen.tolist()
        [0, 1, 2]
    """
    if per not in ("atom", "formula"):
        raise DataError(f"per: expected atom or formula, got {per!r}.")
    energies = hull.above_hull_eV_per_atom if per == "atom" else hull.above_hull_eV_per_formula
    logarithm = _weights(energies, temperature_K, degeneracies)
    always, open_to_choice = np.asarray(hull.lowest), np.ones(len(hull), dtype=bool)
    if groups is not None:
        if len(groups) != len(hull):
            raise DataError(f"groups: expected one for each of {len(hull)} structures, got {len(groups)}.")
        always, open_to_choice = np.zeros(len(hull), dtype=bool), np.array([name is not None for name in groups])
        first: dict[str, int] = {}
        for k in np.argsort(hull.energies_eV_per_atom, kind="stable").tolist():
            if (name := groups[k]) is not None:
                first.setdefault(name, k)
        always[list(first.values())] = True
    if number < int(always.sum()):
        raise DataError(
            f"number: expected at least {int(always.sum())}, the lowest structure of each composition, got {number}."
        )
    keys = logarithm + np.random.default_rng(rng).gumbel(size=len(logarithm))
    keys[always] = np.inf
    order = np.argsort(-keys, kind="stable")
    chosen = np.sort(order[open_to_choice[order]][:number])
    likely = np.zeros(len(hull))
    held = None if degeneracies is None else np.asarray(degeneracies, dtype=float)[open_to_choice]
    likely[open_to_choice] = selection_probabilities(
        energies[open_to_choice], temperature_K=temperature_K, degeneracies=held
    )
    return Selection(chosen, always, likely)


def _weights(energies_eV: ArrayLike, temperature_K: float, degeneracies: ArrayLike | None) -> np.ndarray:
    """Return ln g - E / k_B T."""
    energies = np.asarray(energies_eV, dtype=float)
    g = np.ones_like(energies) if degeneracies is None else np.asarray(degeneracies, dtype=float)
    if energies.ndim != 1 or not len(energies) or not np.isfinite(energies).all():
        raise DataError(f"energies: expected finite numbers, one for each structure, got {energies}.")
    if g.shape != energies.shape or not (g > 0).all():
        raise DataError(f"degeneracies: expected a number above 0 for each of {len(energies)} structures, got {g}.")
    if not temperature_K > 0:
        raise DataError(f"temperature_K: expected a number above 0, got {temperature_K}.")
    return np.asarray(np.log(g) - energies / (BOLTZMANN_EV_PER_K * temperature_K))
