"""Features of a structure: what surrounds the mobile ions, and the way from one to the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from tammann.composition import atomic_masses
from tammann.diffusivity.composition_features import split_composition
from tammann.diffusivity.definitions import LOCAL_FEATURES
from tammann.diffusivity.elements import element_values
from tammann.errors import DataError
from tammann.structures import Configuration
from tammann.structures.pairs import PairList, find_pairs, heights_of
from tammann.units import A3_IN_CM3_PER_MOL

NEIGHBOURS_A = 4.0
"""Up to which distance atoms are neighbours (Sendek et al. 2017)."""
SHELL_A = 1.0
"""Width of the first shell of anions around an anion beyond the nearest one."""
FARTHEST_A = 40.0
"""Up to which distance the nearest ion or anion is looked for."""
CLOSEST_A = 0.3
"""No two atoms of a structure are nearer, whatever the temperature."""
SAME_A = 1e-6
"""Distances that differ by less are one, so that round-off decides nothing in crystals."""


def anion_of(symbols: tuple[str, ...] | list[str], ion: str, anion: str | None = None) -> str:
    """Return the element that counts as the anion.

    Args:
        symbols: Elements.
        ion: The mobile ion.
        anion: ``None`` for the most electronegative element, ``"published"`` for the last one in the alphabet, which
            the table of Zheng et al. took in all its 207 compositions, or a symbol.

    Raises:
        DataError: The element named is not there or is the ion, or one has no electronegativity.

    Example:
        >>> anion_of(["Li", "S", "Zn"], "Li"), anion_of(["Li", "S", "Zn"], "Li", "published")
        ('S', 'Zn')
    """
    there = sorted(set(symbols))
    if anion == "published":
        return there[-1]
    if anion is not None:
        if anion not in there:
            raise DataError(f"anion: expected one of {', '.join(there)}, 'published' or nothing, got {anion!r}.")
        if anion == ion:
            raise DataError(f"anion: expected another element than the mobile ion {ion}; leave it out.")
        return anion
    known = element_values("electronegativity")
    return max((symbol for symbol in there if symbol != ion), key=lambda symbol: known.mean({symbol: 1}))


def local_features(
    configuration: Configuration, *, ion: str = "Li", anion: str | None = None, cutoff_A: float = NEIGHBOURS_A
) -> dict[str, float]:
    """Return the features of a structure, by name (``feature_definitions``), from one list of neighbours.

    Neighbours are all atoms within ``cutoff_A``, periodic images included. The straight path of an ion leads to the
    nearest other ion (of several at one distance the mean over all is taken); its width is the smallest distance from
    that stretch to any third atom, less the covalent radius of that atom.

    Args:
        configuration: N atoms in a periodic cell.
        ion: The mobile ion, any element.
        anion: As ``anion_of`` takes it.
        cutoff_A: Å.

    Raises:
        DataError: There is no such ion, nothing beside it, an element without a radius or electronegativity, two atoms
            in one place, or an ion so far from all others that this can be no condensed phase.

    Reference:
        Sendek et al., Energy Environ. Sci. 2017, 10, 306, doi 10.1039/C6EE02697D.

    Example:
        >>> from tammann.structures.crystals import load_crystal
        >>> found = local_features(load_crystal("BaO"), ion="Ba")
        >>> round(found["LASD"], 3), found["LNC"]
        (2.769, 18.0)
    """
    symbols = np.array(configuration.symbols)
    counts, _ = split_composition(Counter(configuration.symbols), ion)
    anion = anion_of(list(counts), ion, anion)
    n, volume = configuration.n_atoms, configuration.volume_A3
    kinds = sorted(counts)
    of_atom = np.searchsorted(kinds, symbols)
    X = np.array([element_values("electronegativity").mean({symbol: 1}) for symbol in kinds])[of_atom]
    radius = np.array([element_values("covalent_radius_A").mean({symbol: 1}) for symbol in kinds])[of_atom]
    sphere = 4.0 / 3.0 * np.pi * radius**3
    mass = sum(count * atomic_masses()[symbol] for symbol, count in counts.items())
    is_ion, is_anion = symbols == ion, symbols == anion

    around = _Surroundings(configuration, is_ion, is_anion, radius, cutoff_A)
    near = around.pairs.distances_A <= cutoff_A
    centres, others = around.centres[near], around.pairs.indices[near]
    numbers = np.bincount(centres, minlength=n)
    difference = np.abs(X[centres] - X[others])
    total = np.bincount(centres, difference, minlength=n)
    bonded = is_ion & (numbers > 0)
    of_ion = is_ion[centres]
    if not bonded.any() or not (numbers[~is_ion] > 0).any():
        raise DataError(
            f"{ion}: expected atoms within {cutoff_A:g} Å of it and of the others, got too few; is it a molecule, "
            "or is the cell too large?"
        )
    anion_nearest = around.nearest(is_anion, is_anion)
    in_shell = around.within(is_anion, anion_nearest + SHELL_A)
    width, to_centre, electronegativity = around.straight_paths(X)
    found = {
        "AAV": volume / n,
        "LBI": float((total[bonded] / numbers[bonded]).mean()),
        "SDLI": float(difference[of_ion].std()),
        "SBI": float(difference[~of_ion].mean()),
        "ENS": float(X[~is_ion].mean()),
        "AFC": float(in_shell.mean()),
        "AASD": float(anion_nearest[is_anion].mean()),
        "VPA": volume / is_anion.sum(),
        "LASD": float(around.nearest(is_ion, is_anion)[is_ion].mean()),
        "LLSD": float(around.ion_nearest[is_ion].mean()),
        "LNC": float(numbers[is_ion].mean()),
        "SDLC": float(numbers[is_ion].std()),
        "LLB": float(is_ion[others[of_ion]].sum() / is_ion.sum()),
        "SNC": float(numbers[~is_ion].mean()),
        "PF": float(sphere.sum() / volume),
        "SPF": float(sphere[~is_ion].sum() / volume),
        "SLPW": width,
        "SLPW_pp": to_centre,
        "SLPE": electronegativity,
        "density_g_per_cm3": mass / (volume * A3_IN_CM3_PER_MOL),
    }
    found["RBI"] = found["LBI"] / found["SBI"] if found["SBI"] > 0 else np.nan
    found["RNC"] = found["LNC"] / found["SNC"]
    return {feature.name: float(found[feature.name]) for feature in LOCAL_FEATURES}


@dataclass(init=False, eq=False)
class _Surroundings:
    """All pairs as far as any of the features needs, found in one or a few passes."""

    pairs: PairList
    centres: np.ndarray
    ion_nearest: np.ndarray  # (N,), Å, infinite for other atoms

    def __init__(
        self, atoms: Configuration, is_ion: np.ndarray, is_anion: np.ndarray, radius: np.ndarray, cutoff_A: float
    ) -> None:
        self.is_ion, self.radius, self.n = is_ion, radius, atoms.n_atoms
        spread = float(radius.max() - radius.min())
        reach = max(cutoff_A, min(7.0, 2.2 * (atoms.volume_A3 / atoms.n_atoms) ** (1.0 / 3.0) + 1.0))
        while True:
            self.pairs = find_pairs(atoms.positions_A, atoms.cell_A, cutoff_A=reach, threads=1)
            self.centres = self.pairs.centres
            closest = float(self.pairs.distances_A.min(initial=np.inf))
            if closest < CLOSEST_A:
                raise DataError(
                    f"expected atoms that are {CLOSEST_A:g} Å or more apart, got two at {closest:.2g} Å; leave one out."
                )
            self.ion_nearest = self.nearest(is_ion, is_ion)
            needed = [
                self.nearest(is_anion, is_anion)[is_anion].max() + SHELL_A,
                self.nearest(is_ion, is_anion)[is_ion].max(),
                # no third atom that could be in the way lies farther from the ion
                (self.ion_nearest + self._second())[is_ion].max() + spread,
            ]
            if max(needed) <= reach - SAME_A:
                return
            if reach >= FARTHEST_A:
                raise DataError(
                    f"expected another ion and an anion within {FARTHEST_A:g} Å of each, got none in a cell of heights "
                    f"{', '.join(f'{h:.3g}' for h in heights_of(atoms.cell_A))} Å; is it a molecule?"
                )
            reach = min(FARTHEST_A, max(1.3 * reach, max(needed) + 0.01 if np.isfinite(max(needed)) else 0.0))

    def nearest(self, centre: np.ndarray, neighbour: np.ndarray) -> np.ndarray:
        """Return the distance from each ``centre`` to its nearest ``neighbour``, Å, infinite elsewhere, shape (N,)."""
        chosen = centre[self.centres] & neighbour[self.pairs.indices]
        found = np.full(self.n, np.inf)
        np.minimum.at(found, self.centres[chosen], self.pairs.distances_A[chosen])
        return found

    def within(self, kind: np.ndarray, reach_A: np.ndarray) -> np.ndarray:
        """Return how many of a kind lie within a distance of each of that kind, shape (number of them,)."""
        chosen = kind[self.centres] & kind[self.pairs.indices]
        chosen &= self.pairs.distances_A <= reach_A[self.centres] + SAME_A
        return np.bincount(self.centres[chosen], minlength=self.n)[kind]

    def _second(self) -> np.ndarray:
        """Return the distance from each ion to the nearest atom that is not the end of its path, Å."""
        ends = self.is_ion[self.centres] & self.is_ion[self.pairs.indices]
        ends &= self.pairs.distances_A <= self.ion_nearest[self.centres] + SAME_A
        found = np.full(self.n, np.inf)
        np.minimum.at(found, self.centres[~ends], self.pairs.distances_A[~ends])
        # where several ions are equally near, each of them is in the way of the path to another
        several = np.bincount(self.centres[ends], minlength=self.n) > 1
        return np.where(several, np.minimum(found, self.ion_nearest), found)

    def straight_paths(self, X: np.ndarray) -> tuple[float, float, float]:
        """Return width, distance to the nearest centre and electronegativity of straight paths, means over ions."""
        pairs, centres = self.pairs, self.centres
        starts = self.is_ion[centres] & self.is_ion[pairs.indices]
        paths = np.flatnonzero(starts & (pairs.distances_A <= self.ion_nearest[centres] + SAME_A))
        first, last = pairs.first[centres[paths]], pairs.first[centres[paths] + 1]
        # every path with every neighbour of its ion, one after the other
        lengths = last - first
        path = np.repeat(np.arange(len(paths)), lengths)
        third = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) + np.repeat(first, lengths)
        keep = third != paths[path]
        path, third = path[keep], third[keep]
        along, at = pairs.vectors_A[paths[path]], pairs.vectors_A[third]
        share = np.einsum("ij,ij->i", along, at) / pairs.distances_A[paths[path]] ** 2
        away = np.linalg.norm(at - np.clip(share, 0.0, 1.0)[:, None] * along, axis=1)
        free = away - self.radius[pairs.indices[third]]
        narrowest, closest = (_smallest(path, values, len(paths)) for values in (free, away))
        # of several atoms that define the width the mean
        defining = free <= narrowest[path] + SAME_A
        weight = np.bincount(path[defining], minlength=len(paths))
        of_path = np.bincount(path[defining], X[pairs.indices[third[defining]]], minlength=len(paths)) / weight
        ion = centres[paths]
        number = np.bincount(ion, minlength=self.n)
        means = [
            (np.bincount(ion, v, minlength=self.n)[self.is_ion] / number[self.is_ion]).mean()
            for v in (narrowest, closest, of_path)
        ]
        return float(means[0]), float(means[1]), float(means[2])


def _smallest(groups: np.ndarray, values: np.ndarray, number: int) -> np.ndarray:
    found = np.full(number, np.inf)
    np.minimum.at(found, groups, values)
    return found
