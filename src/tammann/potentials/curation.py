"""Frames that are worth fitting to: without duplicates, without collapsed or far too hot ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from tammann.errors import DataError
from tammann.potentials.dataset import DataSet, Frame
from tammann.structures.contacts import closest_contacts, nearest_distances


def fit_atomic_energies(dataset: DataSet) -> dict[str, float]:
    """Return the energy of an atom of each element that fits the energies of the frames best, eV.

    Least squares of E = sum_i n_i e_i, with n_i atoms of element i in a frame and e_i returned, weighted by 1/N. Where
    the compositions do not tell the elements apart, as on a line of BaO and TiO2, the solution of the smallest norm is
    taken: the sums over the compositions at hand are right, the single e_i mean nothing.

    Raises:
        DataError: No frame has an energy.

    Example:
        >>> from tammann.structures import Configuration
        >>> cell = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> {e: round(x, 6) for e, x in fit_atomic_energies(DataSet((Frame(cell, energy_eV=-12.0),))).items()}
        {'Ba': -6.0, 'O': -6.0}
    """
    labelled = [frame for frame in dataset if frame.energy_eV is not None]
    if not labelled:
        raise DataError("energy_eV: expected frames with energies, got none; label them first.")
    elements = dataset.elements
    counts = np.array([[frame.configuration.symbols.count(e) / frame.n_atoms for e in elements] for frame in labelled])
    energies = np.array([frame.energy_eV / frame.n_atoms for frame in labelled if frame.energy_eV is not None])
    found, *_ = np.linalg.lstsq(counts, energies, rcond=1e-10)
    return {element: float(energy) for element, energy in zip(elements, found, strict=True)}


def energies_above_lowest(dataset: DataSet) -> np.ndarray:
    """Return by how much the energy per atom of each frame lies above the lowest, eV/atom, shape (n_frames,).

    The energies of the atoms (``fit_atomic_energies``) are subtracted first, so that compositions can be compared;
    frames without an energy have NaN.
    """
    atomic = fit_atomic_energies(dataset)
    left = np.array(
        [
            math.nan
            if frame.energy_eV is None
            else (frame.energy_eV - sum(atomic[symbol] for symbol in frame.configuration.symbols)) / frame.n_atoms
            for frame in dataset
        ]
    )
    return np.asarray(left - np.nanmin(left))


def filter_frames(
    dataset: DataSet,
    *,
    energy_above_lowest_eV_per_atom: float | None = None,
    closest_A: float | Mapping[tuple[str, str], float] | None = None,
    largest_force_eV_per_A: float | None = None,
) -> DataSet:
    """Return the frames within limits; a limit that is None, or whose quantity a frame lacks, removes nothing.

    Args:
        dataset: Frames.
        energy_above_lowest_eV_per_atom: Largest energy above the lowest, eV/atom (``energies_above_lowest``).
        closest_A: Closest contact allowed, Å, for all pairs or by pair of elements in either order.
        largest_force_eV_per_A: Largest force on an atom, eV/Å.

    Raises:
        DataError: A limit is not above 0, or there is an energy limit and no energy.
    """
    pairs, for_all = (closest_A, None) if isinstance(closest_A, Mapping) else ({}, closest_A)
    for limit in (energy_above_lowest_eV_per_atom, largest_force_eV_per_A, for_all, *pairs.values()):
        if limit is not None and not limit > 0:
            raise DataError(f"limit of a filter: expected a number above 0, got {limit!r}.")
    keep = np.ones(len(dataset), dtype=bool)
    if energy_above_lowest_eV_per_atom is not None:
        keep &= ~(energies_above_lowest(dataset) > energy_above_lowest_eV_per_atom)
    for index, frame in enumerate(dataset):
        if closest_A is not None and keep[index]:
            keep[index] = all(
                distance >= (pairs.get(pair, pairs.get(pair[::-1], for_all or 0.0)))
                for pair, distance in closest_contacts(frame.configuration).items()
            )
        if largest_force_eV_per_A is not None and frame.forces_eV_per_A is not None:
            keep[index] &= np.linalg.norm(frame.forces_eV_per_A, axis=1).max() <= largest_force_eV_per_A
    return dataset.subset(np.flatnonzero(keep))


def deduplicate(dataset: DataSet, *, tolerance_A: float = 0.01) -> DataSet:
    """Return the frames without those that repeat an earlier one, also moved, rotated or with atoms in another order.

    Two frames are the same where they have the same atoms, their lattice vectors agree in length and angle, and so do
    the sorted distances of each pair of elements (the nearest image of each two atoms), all to within a tolerance.
    Mirror images are the same, too. Of two equal frames a labelled one is kept, else the first.

    Args:
        dataset: Frames.
        tolerance_A: By how much a distance may differ, Å.

    Raises:
        DataError: The tolerance is not above 0.
    """
    if not tolerance_A > 0:
        raise DataError(f"tolerance_A: expected a distance above 0 Å, got {tolerance_A!r}.")
    order = sorted(range(len(dataset)), key=lambda i: (dataset[i].energy_eV is None, i))
    by_atoms: dict[tuple[tuple[str, int], ...], list[np.ndarray]] = {}
    chosen = []
    for index in order:
        atoms = tuple(sorted(Counter(dataset[index].configuration.symbols).items()))
        own = _fingerprint(dataset[index])
        others = by_atoms.setdefault(atoms, [])
        if not any(np.abs(own - other).max() <= tolerance_A for other in others):
            others.append(own)
            chosen.append(index)
    return dataset.subset(sorted(chosen))


def _fingerprint(frame: Frame) -> np.ndarray:
    """Return the lengths of lattice vectors and of their sums, and the sorted distances by pair, Å."""
    configuration = frame.configuration
    a, b, c = configuration.cell_A
    lattice = [np.linalg.norm(vector) for vector in (a, b, c, b + c, a + c, a + b)]
    distances, symbols = nearest_distances(configuration), np.array(configuration.symbols)
    elements = sorted(set(configuration.symbols))
    parts = [np.array(lattice)]
    for i, first in enumerate(elements):
        for second in elements[i:]:
            block = distances[np.ix_(symbols == first, symbols == second)]
            parts.append(np.sort(block.ravel() if first != second else block[np.triu_indices(len(block), 1)]))
    return np.concatenate(parts)
