"""Pair distributions, coordination numbers and fractions of bonds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.md.block_average import block_stderr
from tammann.structures.configuration import wrapped

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

BIN_A = 0.05
MOST_FRAMES = 200
"""Frames analysed, evenly spread over the trajectory; more would be correlated."""
MOST_POSITIONS = 400_000
"""Frames times atoms analysed: each frame of a large box holds many neighbourhoods."""
FEWEST_FRAMES = 10
FARTHEST_A = 20.0
"""Largest distance of g(r) by default."""
SHELL_A = 10.0
"""Range of g(r) for its first minimum; ions in contact are less than half of this apart."""
MOST_PAIRS = 1_000_000
"""Pairs of atoms held in memory at a time, about 50 MB."""
MOST_SITES = 200
"""Sites of a frame given to CrystalNN, 5 ms each."""
FEWEST_SITES = 10
"""Of each element among them."""
AROUND_A = 14.0
"""CrystalNN looks 7 Å around a site, and twice as far where that does not enclose it."""


@dataclass(frozen=True)
class Coordination:
    """Neighbours of one element around another.

    Attributes:
        centre: Central element.
        neighbour: Element around it.
        cutoff_A: Largest distance of a neighbour, Å.
        mean: Neighbours per centre.
        stderr: Its standard error, from blocks of the trajectory.
        nearest_A: Position of the first peak of the pair distribution, Å.
    """

    centre: str
    neighbour: str
    cutoff_A: float
    mean: float
    stderr: float
    nearest_A: float


def radial_distribution(
    trajectory: Trajectory, centre: str, neighbour: str, *, r_max_A: float | None = None, bin_A: float = BIN_A
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pair distribution g(r) of two elements, which is 1 without correlation.

    g(r) = V/(N_a N_b) n(r) / (4 pi r² dr) with n(r) the pairs between r and r + dr, periodic images included and the
    atom itself excluded; the mean over 200 evenly spread frames, fewer in boxes of more than 2000 atoms.

    Args:
        trajectory: Any cell.
        centre: Element a.
        neighbour: Element b.
        r_max_A: Largest distance, Å; half the shortest height of the cell where None, 20 Å at most.
        bin_A: dr, Å.

    Returns:
        Middles of the bins, Å, and g there, both of shape (B,).

    Raises:
        DataError: An element that the trajectory does not have.
    """
    a, b = trajectory.atoms_of(centre), trajectory.atoms_of(neighbour)
    if r_max_A is None:
        r_max_A = min(float(_heights(trajectory.cells[0]).min()) / 2.0, FARTHEST_A)
    bins = max(2, int(r_max_A / bin_A))
    edges = np.linspace(0.0, bins * bin_A, bins + 1)
    counts, volumes, frames = np.zeros(bins), 0.0, 0
    for positions, cell in _frames(trajectory):
        for _, _, distances in _pairs(positions[a], positions[b], cell, edges[-1], same=centre == neighbour):
            counts += np.histogram(distances, bins, (0.0, edges[-1]))[0]
        volumes += abs(float(np.linalg.det(cell)))
        frames += 1
    shells = 4.0 / 3.0 * math.pi * np.diff(edges**3)
    pairs = len(a) * (len(b) - (centre == neighbour))
    g = counts / frames * (volumes / frames) / (pairs * shells) if pairs else np.zeros(bins)
    return (edges[1:] + edges[:-1]) / 2.0, g


def coordination_numbers(
    trajectory: Trajectory,
    pairs: Sequence[tuple[str, str]],
    *,
    cutoffs_A: Mapping[tuple[str, str], float] | None = None,
) -> tuple[Coordination, ...]:
    """Count neighbours of pairs (centre, neighbour) of elements, in any cell.

    Neighbours are nearer than the cutoff of the pair, Å, where given, else than the first minimum of g(r) after its
    first peak, sought up to half the shortest height of the cell, 10 Å at most.

    Raises:
        DataError: An element that the trajectory does not have.
    """
    found = []
    reach = min(float(_heights(trajectory.cells[0]).min()) / 2.0, SHELL_A)
    for centre, neighbour in pairs:
        r, g = radial_distribution(trajectory, centre, neighbour, r_max_A=reach)
        nearest, minimum = _first_shell(r, g)
        cutoff = (cutoffs_A or {}).get((centre, neighbour), minimum)
        a, b = trajectory.atoms_of(centre), trajectory.atoms_of(neighbour)
        per_frame = [
            sum(len(r) for _, _, r in _pairs(positions[a], positions[b], cell, cutoff, same=centre == neighbour))
            / len(a)
            for positions, cell in _frames(trajectory)
        ]
        mean, stderr = _mean(np.array(per_frame))
        found.append(Coordination(centre, neighbour, cutoff, mean, stderr, nearest))
    return tuple(found)


def bond_fractions(trajectory: Trajectory, *, cutoff_A: float = 5.0) -> dict[tuple[str, str], tuple[float, float]]:
    """Return fraction and standard error of each pair of elements among all pairs of atoms within a cutoff, Å."""
    species = trajectory.species
    kinds = np.array([species.index(symbol) for symbol in trajectory.symbols])
    pairs = list(combinations_with_replacement(range(len(species)), 2))
    rows = []
    for positions, cell in _frames(trajectory):
        bonds = np.zeros(len(species) ** 2)
        for i, j, _ in _pairs(positions, positions, cell, cutoff_A, same=True):
            bonds += np.bincount(kinds[i] * len(species) + kinds[j], minlength=len(bonds))
        square = bonds.reshape(len(species), -1)  # each pair of atoms from both its ends
        total = bonds.sum() / 2.0
        each = [square[i, j] / 2.0 if i == j else square[i, j] for i, j in pairs]
        rows.append([n / total if total else math.nan for n in each])
    table = np.array(rows)
    return {(species[i], species[j]): _mean(table[:, k]) for k, (i, j) in enumerate(pairs)}


def crystal_nn_coordination(trajectory: Trajectory, *, frames: int = 3) -> dict[str, tuple[float, float]]:
    """Return the mean coordination number of each element by CrystalNN (pymatgen), whatever its neighbours.

    CrystalNN weighs the faces of Voronoi cells and needs no cutoff; it takes a second or two a frame. In boxes of up to
    200 atoms all sites are analysed, in larger ones about 200, evenly spaced and at least 10 of each element. The
    standard error is that over ``frames`` evenly spread frames.

    Reference:
        Pan et al., Inorg. Chem. 2021, 60, 1590, doi 10.1021/acs.inorgchem.0c02996.
    """
    from warnings import catch_warnings, simplefilter

    from pymatgen.analysis.local_env import CrystalNN

    judge = CrystalNN(weighted_cn=False, cation_anion=False, distance_cutoffs=None, x_diff_weight=0.0)
    share = min(1.0, MOST_SITES / len(trajectory.symbols))
    chosen = {}
    for symbol in trajectory.species:
        atoms = trajectory.atoms_of(symbol)
        sites = min(len(atoms), max(FEWEST_SITES, round(share * len(atoms))))
        chosen[symbol] = atoms[np.linspace(0, len(atoms) - 1, sites).round().astype(int)]
    rows: list[dict[str, list[int]]] = []
    with catch_warnings():
        simplefilter("ignore")  # one for every site: no oxidation states
        for positions, cell in _frames(trajectory, most=frames):
            around = _surroundings(trajectory.symbols, positions, cell)
            rows.append({s: [int(judge.get_cn(*around(site))) for site in sites] for s, sites in chosen.items()})
    return {symbol: _mean(np.array([np.mean(row[symbol]) for row in rows])) for symbol in chosen}


def _surroundings(
    symbols: tuple[str, ...], positions: np.ndarray, cell: np.ndarray
) -> Callable[[int], tuple[Any, int]]:
    """Return a function from a site to a structure around it and the index of the site there.

    Every step of pymatgen loops over all atoms of the structure, so a large box is cut down to the surroundings.
    """
    from pymatgen.core.structure import Structure
    from scipy.spatial import cKDTree

    if _heights(cell).min() <= 2.0 * AROUND_A:
        whole = Structure(cell, list(symbols), positions, coords_are_cartesian=True, to_unit_cell=True)
        return lambda site: (whole, site)
    inside = wrapped(positions, cell)
    points, atoms = with_images(inside, cell, AROUND_A)
    tree = cKDTree(points)

    def around(site: int) -> tuple[Any, int]:
        near = sorted(tree.query_ball_point(points[site], AROUND_A))  # the site itself is nearer than its images
        edge = 4.0 * AROUND_A * np.eye(3)
        part = Structure(edge, [symbols[atoms[k]] for k in near], points[near], coords_are_cartesian=True)
        return part, near.index(site)

    return around


def _frames(trajectory: Trajectory, *, most: int = MOST_FRAMES) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    n = len(trajectory.positions)
    most = min(most, max(FEWEST_FRAMES, MOST_POSITIONS // len(trajectory.symbols)))
    for k in np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)):
        yield trajectory.frame(k)


def _heights(cell: np.ndarray) -> np.ndarray:
    """Return the distances between opposite faces of the cell, Å, shape (3,)."""
    return 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def with_images(fractional: np.ndarray, cell: np.ndarray, reach_A: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the atoms of a cell, then their images within ``reach_A``: positions, Å, and indices of the atoms."""
    atoms = np.arange(len(fractional))
    margins = reach_A / _heights(cell) + 1e-9
    for axis, margin in enumerate(margins.tolist()):
        copies, owners = [fractional], [atoms]
        for shift in range(-math.ceil(margin), math.ceil(margin) + 1):
            moved = fractional[:, axis] + shift
            near = (moved >= -margin) & (moved <= 1.0 + margin)
            if shift:
                copies.append(fractional[near] + shift * np.eye(3)[axis])
                owners.append(atoms[near])
        fractional, atoms = np.concatenate(copies), np.concatenate(owners)
    return fractional @ cell, atoms


def _pairs(
    a: np.ndarray, b: np.ndarray, cell: np.ndarray, r_max: float, *, same: bool
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield indices in ``a`` and ``b`` of pairs nearer than ``r_max``, images included, and their distances, in parts.

    Where ``same``, an atom is no neighbour of itself.
    """
    from scipy.spatial import cKDTree

    centres = wrapped(a, cell) @ cell
    points, atoms = with_images(wrapped(b, cell), cell, r_max)
    tree = cKDTree(points)
    expected = max(1.0, len(b) / abs(float(np.linalg.det(cell))) * 4.0 / 3.0 * math.pi * r_max**3)
    chunk = max(1, int(MOST_PAIRS / expected))
    for start in range(0, len(a), chunk):
        found = cKDTree(centres[start : start + chunk]).sparse_distance_matrix(tree, r_max, output_type="ndarray")
        i, j, r = found["i"] + start, found["j"], found["v"]
        keep = r < r_max
        if same:
            keep &= i != j  # the atoms themselves come first, in their order
        yield i[keep], atoms[j[keep]], r[keep]


def _first_shell(r: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    """Return the first peak of g(r), smoothed over a quarter of an Å, and the minimum after it."""
    width = max(1, round(0.25 / (r[1] - r[0])))
    smooth = np.convolve(g, np.ones(width) / width, mode="same")
    above = np.flatnonzero(smooth > 1.0)
    if not above.size:
        return float(r[np.argmax(smooth)]), float(r[-1])
    begin = int(above[0])
    below = np.flatnonzero(smooth[begin:] < 1.0)
    end = begin + int(below[0]) if below.size else len(r)
    peak = begin + int(np.argmax(smooth[begin:end]))
    # the minimum lies before the second shell, which is nearer than twice the first
    last = min(len(r), int(np.searchsorted(r, 1.9 * r[peak])))
    valley = peak + int(np.argmin(smooth[peak : max(last, peak + 1)]))
    return float(r[peak]), float(r[valley])


def _mean(series: np.ndarray) -> tuple[float, float]:
    """Return the mean and its standard error from blocks."""
    return float(series.mean()), block_stderr(series) if len(series) > 1 else math.nan
