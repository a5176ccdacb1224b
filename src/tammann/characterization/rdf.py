"""Pair distributions g(r) of all pairs of elements, running coordination numbers, the first shell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.characterization.frames import MOST_FRAMES, check_elements, chosen_frames, frames_of, species_of
from tammann.errors import DataError
from tammann.parallel import Progress
from tammann.structures.configuration import Configuration
from tammann.structures.pairs import count_pairs, heights_of

if TYPE_CHECKING:
    import pandas as pd

    from tammann.trajectory import Trajectory

BIN_A = 0.05
FARTHEST_A = 20.0
"""Largest distance by default."""
SMOOTH_A = 0.25
"""Distances over which g(r) is smoothed before its first minimum is sought."""
BLOCKS = 5
MOST_BINS = 1_000_000


@dataclass(frozen=True, eq=False, repr=False)
class PairDistribution:
    """Pair distributions of S elements in B bins of equal width.

    Attributes:
        species: The elements.
        r_A: Middles of the bins, Å, shape (B,).
        partial: g_ab(r), shape (S, S, B), symmetric in a and b.
        total: g(r) of all atoms whatever their elements, shape (B,).
        coordination: n_ab, the mean number of atoms b nearer to an atom a than the upper end of a bin, shape (S, S, B).
        stderr: Standard errors of ``partial`` from five blocks of frames, the same shape; None for fewer frames.
        density_per_A3: Mean number densities, shape (S,), 1/Å³.
        n_frames: Frames in the mean.
    """

    species: tuple[str, ...]
    r_A: np.ndarray
    partial: np.ndarray
    total: np.ndarray
    coordination: np.ndarray
    stderr: np.ndarray | None
    density_per_A3: np.ndarray
    n_frames: int

    def __repr__(self) -> str:
        end = self.r_A[-1] + 0.5 * self.bin_A
        return (
            f"PairDistribution({'-'.join(self.species)}, to {end:g} Å in {len(self.r_A)} bins, {self.n_frames} frames)"
        )

    @property
    def bin_A(self) -> float:
        """Width of a bin, Å."""
        return float(2.0 * self.r_A[0])

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of elements, each once."""
        return tuple(combinations_with_replacement(self.species, 2))

    def g(self, centre: str, neighbour: str) -> np.ndarray:
        """Return the pair distribution of two elements, shape (B,).

        Raises:
            DataError: An element that is not there.
        """
        return np.asarray(self.partial[self._places(centre, neighbour)])

    def running(self, centre: str, neighbour: str) -> np.ndarray:
        """Return the running coordination n(r) of one element around another, at the upper ends of bins, shape (B,).

        Raises:
            DataError: An element that is not there.
        """
        return np.asarray(self.coordination[self._places(centre, neighbour)])

    def first_shell(self, centre: str, neighbour: str) -> tuple[float, float]:
        """Return the first peak of g(r), and the first minimum after it, Å.

        Both are sought in g(r) smoothed over a quarter of an Å. The minimum is the lowest value before 1.9 times the
        distance of the peak, the middle of a gap.

        Raises:
            DataError: An element that is not there, or no pair within reach.
        """
        g = self.g(centre, neighbour)
        if not g.any():
            raise DataError(
                f"{centre}-{neighbour}: expected a pair within {self.r_A[-1]:.3g} Å, got none; give a longer cutoff_A."
            )
        return _first_shell(self.r_A, g)

    def table(self) -> pd.DataFrame:
        """Return all curves as a table: ``r_A``, ``total``, ``Zr-S`` for g(r) and ``n Zr-S`` for n(r) of each pair."""
        import pandas as pd

        columns: dict[str, Any] = {"r_A": self.r_A, "total": self.total}
        columns |= {f"{a}-{b}": self.g(a, b) for a, b in self.pairs}
        columns |= {f"n {a}-{b}": self.running(a, b) for a in self.species for b in self.species}
        return pd.DataFrame(columns)

    def _places(self, centre: str, neighbour: str) -> tuple[int, int]:
        check_elements((centre, neighbour), self.species)
        return self.species.index(centre), self.species.index(neighbour)


def pair_distribution(
    source: Configuration | Sequence[Configuration] | Trajectory,
    *,
    cutoff_A: float | None = None,
    bin_A: float = BIN_A,
    frames: int = MOST_FRAMES,
    threads: int | None = None,
    progress: Progress | None = None,
) -> PairDistribution:
    """Return pair distributions g_ab(r) of all pairs of elements, which are 1 without correlation.

    g_ab(r) = V / (N_a N_b) n_ab(r) / (4 pi r² dr), with n_ab(r) the pairs between r and r + dr, periodic images
    included and the atom itself excluded, and n_ab the integral of (N_b / V) g_ab 4 pi r² dr. A cell and its supercell
    have the same g(r). (Of N_a atoms without interaction an atom misses itself: their g_aa is 1 - 1/N_a.)

    Pairs are counted and not stored: memory does not grow with the distance.

    Args:
        source: One configuration or several, in any cell, or a trajectory, of which evenly spread frames are taken.
        cutoff_A: Largest distance, Å; half the shortest height of the cell where None, 20 Å at most.
        bin_A: dr, Å; made a little narrower where the distance is not a multiple of it.
        frames: Most frames of a trajectory; fewer where it has more than 2000 atoms.
        threads: Cores; all of them where None. The result does not depend on it.
        progress: Called with the fraction done.

    Raises:
        DataError: A distance or width out of range.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> found = pair_distribution(cscl, cutoff_A=5.0)
        >>> found
        PairDistribution(Cs-Cl, to 5 Å in 100 bins, 1 frames)
        >>> found.running("Cs", "Cl")[-1].item(), found.running("Cs", "Cs")[-1].item()
        (8.0, 6.0)
    """
    species, chosen = species_of(source), chosen_frames(source, frames)
    if cutoff_A is None:
        cutoff_A = min(float(heights_of(next(frames_of(source)).cell_A).min()) / 2.0, FARTHEST_A)
    if not (0.0 < bin_A <= cutoff_A < math.inf and cutoff_A / bin_A <= MOST_BINS):
        raise DataError(
            f"cutoff_A, bin_A: expected a distance above 0 Å and bins no wider than it, got {cutoff_A:g} and {bin_A:g}."
        )
    bins = math.ceil(cutoff_A / bin_A - 1e-9)
    n_blocks = min(BLOCKS, len(chosen))
    counts = np.zeros((n_blocks, len(species), len(species), bins))
    numbers, products = np.zeros(len(species)), np.zeros((n_blocks, len(species), len(species)))
    density = np.zeros(len(species))
    for k, frame in enumerate(frames_of(source, frames)):
        kinds = kinds_of(frame, species)
        part = None if progress is None else _part(progress, k, len(chosen))
        block = k * n_blocks // len(chosen)
        counts[block] += count_pairs(
            frame.positions_A, frame.cell_A, kinds, len(species), cutoff_A=cutoff_A, bins=bins, threads=threads,
            progress=part,
        )  # fmt: skip
        each = np.bincount(kinds, minlength=len(species))
        numbers += each
        products[block] += np.outer(each, each) / frame.volume_A3
        density += each / frame.volume_A3 / len(chosen)
    edges = np.linspace(0.0, cutoff_A, bins + 1)
    shells = 4.0 / 3.0 * math.pi * np.diff(edges**3)
    with np.errstate(invalid="ignore"):  # no block may hold an element that only some configurations have
        blocks = counts / (products[..., None] * shells)
    whole = counts.sum(axis=0)
    return PairDistribution(
        species,
        0.5 * (edges[1:] + edges[:-1]),
        whole / (products.sum(axis=0)[..., None] * shells),
        whole.sum(axis=(0, 1)) / (products.sum() * shells),
        np.cumsum(whole, axis=2) / numbers[:, None, None],
        blocks.std(axis=0, ddof=1) / math.sqrt(n_blocks) if n_blocks == BLOCKS else None,
        density,
        len(chosen),
    )


def kinds_of(configuration: Configuration, species: Sequence[str]) -> np.ndarray:
    """Return the place of each atom's element among ``species``, shape (N,).

    Example:
        >>> kinds_of(Configuration(("Ba", "O"), np.zeros((2, 3)), np.eye(3)), ("O", "Ba")).tolist()
        [1, 0]
    """
    place = {symbol: k for k, symbol in enumerate(species)}
    return np.array([place[symbol] for symbol in configuration.symbols], dtype=np.int64)


def _part(progress: Progress, k: int, n: int) -> Progress:
    """Return what tells the progress of one frame as that of all."""
    return lambda done, what, kelvin: progress((k + done) / n, f"frame {k + 1} of {n}", None)


def _first_shell(r: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    """Return the first peak of g(r), smoothed over a quarter of an Å, and the minimum after it."""
    width = max(1, round(SMOOTH_A / (r[1] - r[0]))) if len(r) > 1 else 1
    smooth = np.convolve(g, np.ones(width) / width, mode="same")
    above = np.flatnonzero(smooth > 1.0)
    if not above.size:
        return float(r[np.argmax(smooth)]), float(r[-1])
    begin = int(above[0])
    below = np.flatnonzero(smooth[begin:] < 1.0)
    end = begin + int(below[0]) if below.size else len(r)
    # sharp peaks are flat once smoothed, and so are gaps: the middle of the first run that is as high, or as low
    top = smooth[begin:end].max()
    peak = begin + _middle_of_first_run(smooth[begin:end] > top * (1.0 - 1e-9))
    # the minimum lies before the second shell, which is nearer than twice the first
    last = max(min(len(r), int(np.searchsorted(r, 1.9 * r[peak]))), peak + 1)
    after = smooth[peak:last]
    return float(r[peak]), float(r[peak + _middle_of_first_run(after < after.min() + top * 1e-9)])


def _middle_of_first_run(chosen: np.ndarray) -> int:
    begin = int(np.argmax(chosen))
    others = np.flatnonzero(~chosen[begin:])
    end = begin + int(others[0]) if others.size else len(chosen)
    return (begin + end - 1) // 2
