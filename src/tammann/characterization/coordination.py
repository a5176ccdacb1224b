"""Who sits next to whom: pair distributions, coordination numbers and shares of bonds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError

if TYPE_CHECKING:
    from tammann.md import Trajectory

__all__ = [
    "Coordination",
    "bond_fractions",
    "coordination_numbers",
    "crystal_nn_coordination",
    "radial_distribution",
]

BIN_A = 0.05
MOST_FRAMES = 200
"""Frames looked at, evenly spread over the trajectory: more are no news."""
BLOCKS = 5


@dataclass(frozen=True)
class Coordination:
    """Neighbours of one element around another.

    Attributes:
        centre: Element in the middle.
        neighbour: Element around it.
        cutoff_A: How far a neighbour may be, Å.
        mean: Neighbours per centre.
        stderr: Standard error of it, from stretches of the trajectory.
        nearest_A: Where the first peak of the pair distribution is, Å.
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
    """Return the pair distribution g(r) of two elements: 1 where nothing is known of the neighbour.

    g(r) = V/(N_a N_b) sum of pairs at r / (4 pi r**2 dr), without the atom itself; periodic images count as atoms.

    Args:
        trajectory: Any cell.
        centre: Element a.
        neighbour: Element b.
        r_max_A: Largest distance, Å; half the shortest height of the cell where None.
        bin_A: dr, Å.

    Returns:
        Middles of the bins, Å, and g there, both of shape (B,).

    Raises:
        DataError: An element that the trajectory does not have.
    """
    a, b = _atoms(trajectory, centre), _atoms(trajectory, neighbour)
    if r_max_A is None:
        r_max_A = float(_heights(trajectory.cells[0]).min()) / 2.0
    bins = max(2, int(r_max_A / bin_A))
    edges = np.linspace(0.0, bins * bin_A, bins + 1)
    counts, volumes, frames = np.zeros(bins), 0.0, 0
    for positions, cell in _frames(trajectory):
        distances = _distances(positions[a], positions[b], cell, edges[-1], same=centre == neighbour)
        counts += np.histogram(distances, edges)[0]
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
    """Count neighbours within the first minimum of the pair distribution, or within cutoffs given.

    Args:
        trajectory: Any cell.
        pairs: (centre, neighbour) of each number asked for.
        cutoffs_A: Cutoffs by pair, Å; the first minimum of g(r) after its first peak where none is given.

    Raises:
        DataError: An element that the trajectory does not have.
    """
    found = []
    for centre, neighbour in pairs:
        r, g = radial_distribution(trajectory, centre, neighbour)
        nearest, minimum = _first_shell(r, g)
        cutoff = (cutoffs_A or {}).get((centre, neighbour), minimum)
        a, b = _atoms(trajectory, centre), _atoms(trajectory, neighbour)
        per_frame = [
            _distances(positions[a], positions[b], cell, cutoff, same=centre == neighbour).size / len(a)
            for positions, cell in _frames(trajectory)
        ]
        mean, stderr = _mean(np.array(per_frame))
        found.append(Coordination(centre, neighbour, cutoff, mean, stderr, nearest))
    return tuple(found)


def bond_fractions(trajectory: Trajectory, *, cutoff_A: float = 5.0) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the share of each pair of elements among all pairs of atoms within a cutoff, with its standard error.

    Args:
        trajectory: Any cell.
        cutoff_A: Å.

    Returns:
        Share and standard error by pair of elements; the shares sum to 1.
    """
    species = tuple(dict.fromkeys(trajectory.symbols))
    pairs = list(combinations_with_replacement(species, 2))
    rows = []
    for positions, cell in _frames(trajectory):
        row = []
        for first, second in pairs:
            a, b = _atoms(trajectory, first), _atoms(trajectory, second)
            n = _distances(positions[a], positions[b], cell, cutoff_A, same=first == second).size
            row.append(n / 2.0 if first == second else float(n))
        total = sum(row)
        rows.append([n / total if total else math.nan for n in row])
    table = np.array(rows)
    return {pair: _mean(table[:, k]) for k, pair in enumerate(pairs)}


def crystal_nn_coordination(trajectory: Trajectory, *, frames: int = 3) -> dict[str, tuple[float, float]]:
    """Return the mean coordination number of each element by CrystalNN (pymatgen), oxygen or not.

    CrystalNN weighs the faces of Voronoi cells, so it needs no cutoff; it takes seconds for each frame.

    Args:
        trajectory: Any cell.
        frames: How many frames, evenly spread.

    Returns:
        Mean and standard error over the frames by element.

    Reference:
        Pan et al., Inorg. Chem. 2021, 60, 1590, doi 10.1021/acs.inorgchem.0c02996.
    """
    from warnings import catch_warnings, simplefilter

    from pymatgen.analysis.local_env import CrystalNN
    from pymatgen.core.structure import Structure

    judge = CrystalNN(weighted_cn=False, cation_anion=False, distance_cutoffs=None, x_diff_weight=0.0)
    rows: list[dict[str, list[int]]] = []
    for positions, cell in _frames(trajectory, most=frames):
        structure = Structure(cell, list(trajectory.symbols), positions, coords_are_cartesian=True, to_unit_cell=True)
        numbers: dict[str, list[int]] = {}
        with catch_warnings():
            simplefilter("ignore")  # it says for every site that there are no oxidation states
            for site, symbol in enumerate(trajectory.symbols):
                numbers.setdefault(symbol, []).append(int(judge.get_cn(structure, site)))
        rows.append(numbers)
    return {
        symbol: _mean(np.array([np.mean(row[symbol]) for row in rows])) for symbol in dict.fromkeys(trajectory.symbols)
    }


def _atoms(trajectory: Trajectory, symbol: str) -> np.ndarray:
    found = np.array([k for k, s in enumerate(trajectory.symbols) if s == symbol])
    if not found.size:
        raise DataError(
            f"{symbol}: the trajectory has no such atoms, only {', '.join(dict.fromkeys(trajectory.symbols))}."
        )
    return found


def _frames(trajectory: Trajectory, *, most: int = MOST_FRAMES) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    n = len(trajectory.positions)
    for k in np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)):
        yield np.asarray(trajectory.positions[k]), trajectory.cells[k if len(trajectory.cells) > 1 else 0]


def _heights(cell: np.ndarray) -> np.ndarray:
    """Distances between opposite faces of the cell, Å, shape (3,)."""
    return 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def _distances(a: np.ndarray, b: np.ndarray, cell: np.ndarray, r_max: float, *, same: bool) -> np.ndarray:
    """All distances below ``r_max`` from atoms of one kind to atoms of another and their images; not to themselves."""
    inverse = np.linalg.inv(cell)
    fractional = (b[None, :, :] - a[:, None, :]) @ inverse
    nearest = (fractional - np.round(fractional)) @ cell
    reach = np.ceil(r_max / _heights(cell) - 0.5).astype(int).clip(min=0)
    found = []
    for i in range(-reach[0], reach[0] + 1):
        for j in range(-reach[1], reach[1] + 1):
            for k in range(-reach[2], reach[2] + 1):
                r = np.linalg.norm(nearest + np.array([i, j, k]) @ cell, axis=-1)
                keep = r < r_max
                if same and (i, j, k) == (0, 0, 0):
                    np.fill_diagonal(keep, False)
                found.append(r[keep])
    return np.concatenate(found)


def _first_shell(r: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    """First peak of g(r) and the minimum after it, of a curve smoothed over a quarter of an Å."""
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
    """Mean and the standard error of it from blocks."""
    blocks = [float(part.mean()) for part in np.array_split(series, min(BLOCKS, len(series)))]
    error = float(np.std(blocks, ddof=1) / math.sqrt(len(blocks))) if len(blocks) > 1 else math.nan
    return float(series.mean()), error
