"""The convex hull of total energies over all compositions between some end members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.composition import composition_key, conventional_formula, parse_formula
from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.thermo.equilibrium import best_mixture
from tammann.thermo.phase import FloatArray

if TYPE_CHECKING:
    import pandas as pd

STABLE_EV_PER_ATOM = 1e-7
SHARE = 1e-7
"""Smaller shares of a mixture are rounding."""
AMOUNT_DIGITS = 6


@dataclass(frozen=True, eq=False, repr=False)
class CompositionHull(ShownAsTable):
    """Structures of a pseudo-binary, pseudo-ternary or larger system, and how far each is from being stable.

    Attributes:
        elements: Of all structures.
        counts: Atoms of each element in each structure, shape (n, E).
        energies_eV_per_atom: Total energies, shape (n,), eV per atom.
        formula_units: Formula units in each structure, shape (n,).
        end_members: Numbers of the structures at the end members, the lowest of each.
        formation_eV_per_atom: Energy from the best mixture of end members, shape (n,), eV per atom; NaN for a structure
            whose composition is no mixture of them.
        above_hull_eV_per_atom: Energy above the best mixture of all structures, shape (n,), eV per atom; zero on the
            hull.
        lowest: Whether a structure is the lowest of its composition, shape (n,), bool.
        products: For each structure, by number, the shares by atoms of the structures in the lowest mixture of its
            composition: of one on the hull, itself.
    """

    elements: tuple[str, ...]
    counts: np.ndarray
    energies_eV_per_atom: FloatArray
    formula_units: FloatArray
    end_members: tuple[int, ...]
    formation_eV_per_atom: FloatArray
    above_hull_eV_per_atom: FloatArray
    lowest: np.ndarray
    products: tuple[Mapping[int, float], ...]

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        ends = ", ".join(self.formulas[k] for k in self.end_members)
        return f"CompositionHull({len(self)} structures between {ends}; {int(self.stable.sum())} on the hull)"

    @property
    def formulas(self) -> tuple[str, ...]:
        """Formula of each structure, the same for all multiples."""
        return tuple(_formula(self.elements, row) for row in self.counts)

    @property
    def stable(self) -> np.ndarray:
        """Whether each structure is on the hull, shape (n,), bool."""
        return np.asarray(self.above_hull_eV_per_atom <= STABLE_EV_PER_ATOM)

    @property
    def atoms_per_formula(self) -> FloatArray:
        """Atoms in a formula unit, shape (n,)."""
        return np.asarray(self.counts.sum(axis=1) / self.formula_units)

    @property
    def above_hull_eV_per_formula(self) -> FloatArray:
        """Energy above the hull, shape (n,), eV per formula unit."""
        return np.asarray(self.above_hull_eV_per_atom * self.atoms_per_formula)

    @property
    def formation_eV_per_formula(self) -> FloatArray:
        """Energy of formation from the end members, shape (n,), eV per formula unit."""
        return np.asarray(self.formation_eV_per_atom * self.atoms_per_formula)

    def share(self, element: str, among: Sequence[str]) -> FloatArray:
        """Return the share of an element among several in each structure, shape (n,), such as of Y among In and Y.

        Raises:
            DataError: An element is in none of the structures.
        """
        for each in (element, *among):
            if each not in self.elements:
                raise DataError(f"share: expected elements of {', '.join(self.elements)}, got {each!r}.")
        columns = [self.elements.index(each) for each in among]
        total = self.counts[:, columns].sum(axis=1)
        own = self.counts[:, self.elements.index(element)]
        return np.asarray(np.divide(own, total, out=np.full(len(self), np.nan), where=total > 0))

    def decomposition(self, number: int) -> dict[str, float]:
        """Return what a structure falls apart into: how many of each formula from one of its own (``formulas``).

        A structure on the hull stays itself; one above the lowest of its composition turns into that, or into what that
        falls apart into.

        Example:
            >>> hull = composition_hull(["Li3YCl6", "LiCl", "YCl3"], [-40.0, -8.5, -15.0])
            >>> hull.decomposition(0), round(float(hull.above_hull_eV_per_formula[0]), 3)
            ({'LiCl': 3.0, 'YCl3': 1.0}, 0.5)
        """
        reduced = self.counts.sum(axis=1) / np.gcd.reduce(self.counts, axis=1)
        atoms = {k: share * reduced[number] / reduced[k] for k, share in self.products[number].items()}
        return {self.formulas[k]: round(float(n), AMOUNT_DIGITS) for k, n in atoms.items()}

    def table(self) -> pd.DataFrame:
        """Return one row for each structure; ``decomposes_into`` is empty for one on the hull."""
        import pandas as pd

        return pd.DataFrame(
            {
                "formula": self.formulas,
                "atoms": self.counts.sum(axis=1),
                "energy_eV_per_atom": self.energies_eV_per_atom,
                "formation_eV_per_atom": self.formation_eV_per_atom,
                "above_hull_eV_per_atom": self.above_hull_eV_per_atom,
                "above_hull_eV_per_formula": self.above_hull_eV_per_formula,
                "lowest": self.lowest,
                "stable": self.stable,
                "decomposes_into": [
                    "" if stable else " + ".join(_term(*each) for each in self.decomposition(k).items())
                    for k, stable in enumerate(self.stable)
                ],
            }
        )


def composition_hull(
    compositions: Sequence[Mapping[str, int] | str],
    energies_eV: Sequence[float] | FloatArray,
    *,
    end_members: Sequence[str] | None = None,
    formula_units: Sequence[float] | FloatArray | None = None,
) -> CompositionHull:
    """Return how far structures lie above the convex hull of their total energies.

    The hull at a composition x is the lowest energy of a mixture, h(x) = min { sum_j w_j e_j : sum_j w_j x_j = x,
    w_j >= 0 }, with x_j atom fractions and e_j energies per atom. The energy of formation is e - h_ends(x), with the
    mixtures of h_ends those of end members alone: for as many end members as the system has corners of a simplex the
    usual one, for a reciprocal system such as Li3(In,Y)(Br,Cl)6 with its four end members the lowest of theirs.

    Args:
        compositions: Atoms by element in each structure, or its formula; n of them.
        energies_eV: Total energy of each structure as written, shape (n,), eV.
        end_members: Formulas, each of a structure that is there; all extreme compositions where None. Other structures,
            such as binary halides that compete, may lie beyond them.
        formula_units: How many each structure holds, shape (n,); by default its formula is reduced.

    Raises:
        DataError: Numbers that do not fit or are not finite, or an end member that is not there.

    Example:
        >>> hull = composition_hull(["LiCl", "LiBr", "Li2BrCl"], [-8.0, -7.0, -15.1])
        >>> hull, hull.formation_eV_per_atom.round(3).tolist()
        (CompositionHull(3 structures between LiCl, LiBr; 3 on the hull), [0.0, 0.0, -0.025])
    """
    rows = [parse_formula(c) if isinstance(c, str) else dict(c) for c in compositions]
    energies = np.asarray(energies_eV, dtype=float)
    if not rows or energies.shape != (len(rows),) or not np.isfinite(energies).all():
        raise DataError(f"energies_eV: expected a finite energy of each of {len(rows)} structures, got {energies}.")
    elements = tuple(dict.fromkeys(element for row in rows for element in row))
    counts = np.array([[row.get(element, 0) for element in elements] for row in rows])
    atoms = counts.sum(axis=1)
    if formula_units is None:
        units = np.array([np.gcd.reduce(row) for row in counts], dtype=float)
    else:
        units = np.asarray(formula_units, dtype=float)
    if units.shape != (len(rows),) or not (units > 0).all():
        raise DataError(f"formula_units: expected a number above 0 for each of {len(rows)} structures, got {units}.")
    per_atom = energies / atoms
    # of each composition the lowest structure takes part in mixtures
    first: dict[tuple[tuple[str, int], ...], int] = {}
    keys = [composition_key({e: int(n) for e, n in row.items() if n}) for row in rows]
    for k in np.lexsort((np.arange(len(rows)), per_atom)).tolist():
        first.setdefault(keys[k], k)
    places = sorted(first.values())
    fractions = counts[places] / atoms[places, None]
    lowest = per_atom[places]
    ends = _extremes(fractions) if end_members is None else _named(end_members, [keys[k] for k in places])
    above, formation, into = {}, {}, {}
    only_ends = np.where(np.isin(np.arange(len(places)), ends), lowest, np.nan)
    for i, k in enumerate(places):
        others = best_mixture(fractions, lowest, i)
        above[keys[k]] = min(lowest[i], others[1]) if others else lowest[i]
        into[keys[k]] = {k: 1.0}
        if others and lowest[i] - others[1] > STABLE_EV_PER_ATOM:
            into[keys[k]] = {places[j]: float(others[0][j]) for j in np.flatnonzero(others[0] > SHARE).tolist()}
        mixture = best_mixture(fractions, only_ends, i)
        reference = mixture[1] if mixture else np.nan
        # an end member of a reciprocal system is no mixture of the others
        formation[keys[k]] = np.fmin(reference, lowest[i]) if i in ends else reference
    hull = np.array([above[key] for key in keys])
    ideal = np.array([formation[key] for key in keys])
    distance = np.maximum(per_atom - hull, 0.0)
    distance[distance < 1e-12] = 0.0
    return CompositionHull(
        elements,
        counts,
        per_atom,
        units,
        tuple(places[i] for i in ends),
        per_atom - ideal,
        distance,
        np.isin(np.arange(len(rows)), places),
        tuple(into[key] for key in keys),
    )


def _formula(elements: Sequence[str], row: np.ndarray) -> str:
    held = {element: int(n) for element, n in zip(elements, row, strict=True) if n}
    return conventional_formula(dict(composition_key(held)))


def _term(formula: str, amount: float) -> str:
    return formula if amount == 1.0 else f"{amount:.4g} {formula}"


def _extremes(fractions: FloatArray) -> list[int]:
    """Return the compositions that are no mixture of the others."""
    flat = np.zeros(len(fractions))
    return [i for i in range(len(fractions)) if len(fractions) == 1 or best_mixture(fractions, flat, i) is None]


def _named(names: Sequence[str], keys: Sequence[tuple[tuple[str, int], ...]]) -> list[int]:
    found = []
    for name in names:
        key = composition_key(name)
        if key not in keys:
            there = ", ".join(conventional_formula(dict(key)) for key in keys[:12])
            raise DataError(f"end member {name!r}: expected a composition that is there, such as {there}; compute it.")
        found.append(keys.index(key))
    return found
