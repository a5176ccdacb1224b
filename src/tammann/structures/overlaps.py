"""Atoms too near to each other where two grains meet, and their removal in whole formula units."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.structures.candidates import least_distances
from tammann.structures.configuration import Configuration
from tammann.structures.contacts import closest_contacts, pairs_within

FRACTION = 0.75
"""Smallest distance at a boundary over that in the crystal."""


def overlap_distances(crystal: Configuration, *, fraction: float = FRACTION) -> dict[frozenset[str], float]:
    """Return below which distance atoms of two grains overlap, by pair of elements, Å.

    A fraction of the closest contact that the pair has in the crystal, but no more than ``least_distances``, for pairs
    that are far apart in the crystal without repelling each other there.

    Args:
        crystal: Unit cell.
        fraction: From 0 to 1; above 1 atoms of the crystal itself would overlap.

    Raises:
        DataError: A fraction that is not above 0 and below 1.

    Example:
        >>> salt = Configuration(("Na", "Cl"), np.array([[0, 0, 0], [2.8, 0, 0]]), 2.8 * (1 - np.eye(3)))
        >>> {"-".join(sorted(pair)): round(d, 2) for pair, d in overlap_distances(salt).items()}
        {'Cl': 2.84, 'Cl-Na': 2.1, 'Na': 2.97}
    """
    if not 0.0 < fraction < 1.0:
        raise DataError(f"fraction: expected a number above 0 and below 1, got {fraction}.")
    formula = "".join(f"{symbol}{count}" for symbol, count in Counter(crystal.symbols).items())
    usual = least_distances(formula, volume_per_atom_A3=crystal.volume_A3 / crystal.n_atoms)
    contacts = {frozenset(pair): fraction * distance for pair, distance in closest_contacts(crystal).items()}
    ionic = len(usual) > 1
    return {pair: min(d, usual[pair]) if ionic else d for pair, d in contacts.items()}


def overlapping_pairs(
    configuration: Configuration, distances_A: Mapping[frozenset[str], float], atoms: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of atoms nearer than the distance of their elements, images of the same atom among them.

    Args:
        configuration: N atoms in any cell.
        distances_A: As ``overlap_distances`` gives them.
        atoms: Numbers of the atoms to look at; all where None.

    Returns:
        Shape (pairs, 2), and by how much each is shorter than allowed, as a share from 0 to 1, shape (pairs,).
    """
    elements = sorted(set(configuration.symbols))
    numbers = {symbol: k for k, symbol in enumerate(elements)}
    kinds = np.array([numbers[symbol] for symbol in configuration.symbols])
    table = np.zeros((len(elements), len(elements)))
    for a, b in combinations_with_replacement(elements, 2):
        table[numbers[a], numbers[b]] = table[numbers[b], numbers[a]] = distances_A[frozenset((a, b))]
    chosen = np.arange(configuration.n_atoms) if atoms is None else np.asarray(atoms)
    found, lengths = pairs_within(configuration.positions_A[chosen], configuration.cell_A, float(table.max()))
    pairs = chosen[found]
    allowed = table[kinds[pairs[:, 0]], kinds[pairs[:, 1]]]
    # a crystal is made with contacts at the limit only by rounding
    close = lengths < allowed * (1.0 - 1e-9)
    return pairs[close], 1.0 - lengths[close] / allowed[close]


def remove_overlaps(
    configuration: Configuration,
    distances_A: Mapping[frozenset[str], float],
    *,
    formula: str,
    depths_A: np.ndarray,
    partners: np.ndarray | None = None,
    movable: np.ndarray | None = None,
) -> np.ndarray:
    """Return which atoms stay so that none overlap and whole formula units, hence no charge, are left.

    Of two atoms that overlap, worst first, the one with more overlaps goes, or else the one of the element in greater
    excess, or else the one nearer to the boundary. Then elements in excess of whole formula units lose the atoms
    nearest to the boundary.

    Args:
        configuration: N atoms.
        distances_A: As ``overlap_distances`` gives them.
        formula: Composition to keep.
        depths_A: Distance of each atom from the boundary, shape (N,), Å; only atoms within the largest distance of
            ``distances_A`` are looked at for overlaps.
        partners: For each atom the one that goes with it, shape (N,), such as its image by a symmetry; -1 for none.
        movable: Shape (N,), which atoms may go, such as those of a glass beside a crystal; the formula is theirs. All
            where None.

    Returns:
        Shape (N,), whether an atom stays.

    Raises:
        DataError: An element that is not in the formula, or nothing would be left.

    Example:
        >>> row = np.array([[0, 0, 0], [3, 0, 0], [6, 0, 0], [6.5, 0, 0]])
        >>> ions = Configuration(("Na", "Cl", "Na", "Cl"), row, 20.0 * np.eye(3))
        >>> apart = {frozenset(pair): 2.0 for pair in (("Na",), ("Cl",), ("Na", "Cl"))}
        >>> remove_overlaps(ions, apart, formula="NaCl", depths_A=np.array([1.0, 0.9, 0.1, 0.0])).tolist()
        [True, True, False, False]
    """
    unit = dict(composition_key(formula))
    symbols = configuration.symbols
    free = np.ones(len(symbols), dtype=bool) if movable is None else np.asarray(movable)
    counts = Counter(itertools.compress(symbols, free.tolist()))
    if set(counts) != set(unit):
        raise DataError(f"formula {formula}: expected the elements {', '.join(sorted(counts))}; correct it.")
    near = np.flatnonzero(depths_A <= max(distances_A.values()))
    pairs, shares = overlapping_pairs(configuration, distances_A, near)
    order = np.argsort(-shares, kind="stable")
    stays = np.ones(len(symbols), dtype=bool)
    degrees = np.bincount(pairs.ravel(), minlength=len(symbols))

    def drop(atom: int, alone: bool = False) -> None:
        other = -1 if partners is None or alone else int(partners[atom])
        for each in {atom, other} - {-1}:
            if stays[each]:
                stays[each] = False
                counts[symbols[each]] -= 1

    for first, second in pairs[order].tolist():
        if stays[first] and stays[second] and not free[first] == free[second]:
            drop(first if free[first] else second)
        elif stays[first] and stays[second] and free[first]:
            ranks = [(degrees[k], counts[symbols[k]] / unit[symbols[k]], -depths_A[k]) for k in (first, second)]
            drop(first if ranks[0] >= ranks[1] else second)
    step = 1 if partners is None else 2
    fits = min(counts[symbol] // number for symbol, number in unit.items())
    # where atoms go two by two, all excesses must be even, or the last atoms go alone
    choices = range(fits, max(fits - step, 0), -1)
    if not choices:
        raise DataError("no whole formula unit is left after removal of overlaps; use thicker grains.")
    units = next((k for k in choices if all((counts[s] - k * n) % step == 0 for s, n in unit.items())), fits)
    names = np.array(symbols)
    for symbol, number in unit.items():
        if counts[symbol] > units * number:
            atoms = np.flatnonzero((names == symbol) & stays & free)
            for atom in atoms[np.argsort(depths_A[atoms], kind="stable")].tolist():
                excess = counts[symbol] - units * number
                if excess <= 0:
                    break
                if stays[atom]:
                    drop(atom, excess < step)
    return stays
