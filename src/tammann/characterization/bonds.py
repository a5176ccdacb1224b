"""Fractions of bonds between elements: among all neighbours within a distance, or those that CrystalNN finds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.characterization.coordination import mean_and_error
from tammann.characterization.frames import frames_of, species_of
from tammann.characterization.images import with_images
from tammann.characterization.rdf import kinds_of
from tammann.structures.configuration import Configuration, wrapped
from tammann.structures.pairs import count_pairs, find_pairs, heights_of

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

MOST_SITES = 200
"""Sites of a frame given to CrystalNN, 5 ms each."""
FEWEST_SITES = 10
"""Of each element among them."""
AROUND_A = 14.0
"""CrystalNN looks 7 Å around a site, and twice as far where that does not enclose it."""


def bond_fractions(
    source: Configuration | Sequence[Configuration] | Trajectory, *, cutoff_A: float = 5.0
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return fraction and standard error of each pair of elements among all pairs of atoms within a cutoff, Å.

    Raises:
        DataError: A distance out of range.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> round(bond_fractions(cscl)["Cs", "Cl"][0], 3)
        0.571
    """
    species = species_of(source)
    pairs = list(combinations_with_replacement(range(len(species)), 2))
    rows = []
    for frame in frames_of(source):
        kinds = kinds_of(frame, species)
        square = count_pairs(frame.positions_A, frame.cell_A, kinds, len(species), cutoff_A=cutoff_A, bins=1)[:, :, 0]
        total = square.sum() / 2.0  # each pair of atoms from both its ends
        each = [square[i, j] / 2.0 if i == j else square[i, j] for i, j in pairs]
        rows.append([n / total if total else math.nan for n in each])
    table = np.array(rows)
    return {(species[i], species[j]): mean_and_error(table[:, k]) for k, (i, j) in enumerate(pairs)}


def neighbour_fractions(
    configuration: Configuration, *, cutoff_A: float | None = 5.0, atoms: Sequence[int] | np.ndarray | None = None
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return what share of an atom's neighbours each element has, atom by atom.

    Args:
        configuration: N atoms in any cell.
        cutoff_A: All atoms within this distance are neighbours, Å; those that CrystalNN finds where None (about 5 ms
            an atom).
        atoms: Places of the n atoms; all where None.

    Returns:
        The S elements, and shares, shape (n, S), NaN for an atom without neighbours.

    Raises:
        DataError: A distance out of range.

    Reference:
        Karan et al., Nat. Mater. 2026, doi 10.1038/s41563-026-02596-5, describe melts by these fractions.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> species, shares = neighbour_fractions(cscl)
        >>> species, shares.round(3).tolist()
        (('Cs', 'Cl'), [[0.429, 0.571], [0.571, 0.429]])
    """
    species = tuple(dict.fromkeys(configuration.symbols))
    chosen = np.arange(configuration.n_atoms) if atoms is None else np.asarray(atoms, dtype=np.int64)
    if cutoff_A is None:
        counts = crystal_nn_neighbours(configuration, chosen, species)
    else:
        kinds = kinds_of(configuration, species)
        pairs = find_pairs(configuration.positions_A, configuration.cell_A, cutoff_A=cutoff_A)
        flat = pairs.centres * len(species) + kinds[pairs.indices]
        counts = np.bincount(flat, minlength=configuration.n_atoms * len(species)).reshape(-1, len(species))[chosen]
    with np.errstate(invalid="ignore"):
        return species, counts / counts.sum(axis=1, keepdims=True)


def crystal_nn_coordination(
    source: Configuration | Sequence[Configuration] | Trajectory, *, frames: int = 3
) -> dict[str, tuple[float, float]]:
    """Return the mean coordination number of each element by CrystalNN (pymatgen), whatever its neighbours.

    CrystalNN weighs the faces of Voronoi cells and needs no cutoff; it takes a second or two a frame. In boxes of up to
    200 atoms all sites are analysed, in larger ones about 200, evenly spaced and at least 10 of each element. The
    standard error is that over ``frames`` evenly spread frames.

    Reference:
        Pan et al., Inorg. Chem. 2021, 60, 1590, doi 10.1021/acs.inorgchem.0c02996.
    """
    rows: list[dict[str, float]] = []
    for frame in frames_of(source, frames):
        symbols = np.array(frame.symbols)
        share = min(1.0, MOST_SITES / len(symbols))
        row = {}
        for symbol in species_of(source):
            own = np.flatnonzero(symbols == symbol)
            sites = min(len(own), max(FEWEST_SITES, round(share * len(own))))
            some = own[np.linspace(0, len(own) - 1, sites).round().astype(int)]
            row[symbol] = float(crystal_nn_neighbours(frame, some, species_of(source)).sum(axis=1).mean())
        rows.append(row)
    return {symbol: mean_and_error(np.array([row[symbol] for row in rows])) for symbol in rows[0]}


def crystal_nn_neighbours(
    configuration: Configuration, atoms: Sequence[int] | np.ndarray, species: Sequence[str]
) -> np.ndarray:
    """Return how many neighbours of each element CrystalNN (pymatgen) finds around atoms, shape (n, S).

    Args:
        configuration: N atoms in any cell.
        atoms: Places of n atoms.
        species: The S elements.
    """
    from warnings import catch_warnings, simplefilter

    from pymatgen.analysis.local_env import CrystalNN

    judge = CrystalNN(weighted_cn=False, cation_anion=False, distance_cutoffs=None, x_diff_weight=0.0)
    around = _surroundings(configuration)
    found = np.zeros((len(atoms), len(species)), dtype=np.int64)
    with catch_warnings():
        simplefilter("ignore")  # one for every site: no oxidation states
        for row, site in enumerate(atoms):
            for near in judge.get_nn_info(*around(int(site))):
                found[row, list(species).index(near["site"].specie.symbol)] += 1
    return found


def _surroundings(configuration: Configuration) -> Callable[[int], tuple[Any, int]]:
    """Return a function from a site to a structure around it and the index of the site there.

    Every step of pymatgen loops over all atoms of the structure, so a large box is cut down to the surroundings.
    """
    from pymatgen.core.structure import Structure
    from scipy.spatial import cKDTree

    cell, symbols = configuration.cell_A, configuration.symbols
    if heights_of(cell).min() <= 2.0 * AROUND_A:
        whole = configuration.to_pymatgen()
        return lambda site: (whole, site)
    inside = wrapped(configuration.positions_A, cell)
    points, atoms = with_images(inside, cell, AROUND_A)
    tree = cKDTree(points)

    def around(site: int) -> tuple[Any, int]:
        near = sorted(tree.query_ball_point(points[site], AROUND_A))  # the site itself is nearer than its images
        edge = 4.0 * AROUND_A * np.eye(3)
        part = Structure(edge, [symbols[atoms[k]] for k in near], points[near], coords_are_cartesian=True)
        return part, near.index(site)

    return around
