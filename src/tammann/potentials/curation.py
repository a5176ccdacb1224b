"""Frames that are worth fitting to: without duplicates, without collapsed or far too hot ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from tammann.errors import DataError
from tammann.potentials.dataset import DataSet, Frame
from tammann.potentials.reference_energies import fit_reference_energies
from tammann.structures.contacts import closest_contacts, nearest_distances

COARSE = 24
"""Distances of a fingerprint that are compared first."""


def energies_above_lowest(dataset: DataSet) -> np.ndarray:
    """Return by how much the energy per atom of each frame lies above the lowest, eV/atom, shape (n_frames,).

    The energies of single atoms that explain those of the frames best (``fit_reference_energies``) are subtracted
    first, so that compositions can be compared; frames without an energy have NaN.

    Raises:
        DataError: No frame has an energy.
    """
    atomic = fit_reference_energies(dataset, dataset.elements)
    left = []
    for frame in dataset:
        counts = [frame.configuration.symbols.count(element) for element in atomic.elements]
        energy = math.nan if frame.energy_eV is None else frame.energy_eV
        left.append((energy - float(counts @ atomic.energies_eV)) / frame.n_atoms)
    return np.asarray(left) - np.nanmin(left)


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
    fingerprints = [_fingerprint(frame) for frame in dataset]
    by_atoms: dict[tuple[tuple[str, int], ...], list[int]] = {}
    for index, frame in enumerate(dataset):
        by_atoms.setdefault(tuple(sorted(Counter(frame.configuration.symbols).items())), []).append(index)
    chosen: list[int] = []
    for indices in by_atoms.values():
        chosen += _unlike(indices, [fingerprints[i] for i in indices], dataset, tolerance_A)
    return dataset.subset(sorted(chosen))


def check_apart(train: DataSet, test: DataSet, *, tolerance_A: float = 0.01) -> None:
    """Refuse frames for testing that are known from training: of the same trajectory, or the same configuration.

    Args:
        train: Frames to fit.
        test: Frames to test on; those without a trajectory are compared as configurations only.
        tolerance_A: By how much distances of equal configurations differ at most, Å (``deduplicate``).

    Raises:
        DataError: A frame or a trajectory is on both sides.
    """
    shared = sorted({frame.trajectory for frame in train} & {frame.trajectory for frame in test} - {""})
    if shared:
        raise DataError(
            f"test: its trajectory {shared[0]} is in the training set too, so errors would look too small; split by "
            "trajectory, or give trajectories that are not the same other names."
        )
    from scipy.spatial import cKDTree

    sides: dict[tuple[tuple[str, int], ...], tuple[list[int], list[int]]] = {}
    for side, data in enumerate((train, test)):
        for index, frame in enumerate(data):
            atoms = tuple(sorted(Counter(frame.configuration.symbols).items()))
            sides.setdefault(atoms, ([], []))[side].append(index)
    for fitted, tested in sides.values():
        if not (fitted and tested):
            continue
        known = cKDTree(np.stack([_fingerprint(train[i]) for i in fitted]))
        for index in tested:
            if known.query(_fingerprint(test[index]), p=np.inf, distance_upper_bound=tolerance_A)[0] <= tolerance_A:
                raise DataError(
                    f"test: its frame {index + 1} ({test[index].formula}) repeats one of the training set, so errors "
                    "would look too small; remove it from one of them."
                )


def _unlike(indices: list[int], fingerprints: list[np.ndarray], dataset: DataSet, tolerance_A: float) -> list[int]:
    """Return indices of frames none of which repeats another; the fingerprints are of one length."""
    from scipy.spatial import cKDTree

    table = np.stack(fingerprints)
    some = np.unique(np.linspace(0, table.shape[1] - 1, COARSE).astype(int))
    # frames that differ in some distances need not be compared in all
    near = cKDTree(table[:, some]).query_ball_point(table[:, some], tolerance_A * (1 + 1e-9), p=np.inf)
    kept: set[int] = set()
    for row in sorted(range(len(indices)), key=lambda r: (dataset[indices[r]].energy_eV is None, r)):
        others = kept.intersection(near[row])
        if not any(np.abs(table[row] - table[other]).max() <= tolerance_A for other in others):
            kept.add(row)
    return [indices[row] for row in kept]


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
