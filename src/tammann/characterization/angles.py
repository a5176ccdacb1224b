"""Distributions of bond angles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.coordination import centres_of
from tammann.characterization.frames import check_elements, frames_of, species_of
from tammann.characterization.network import bond_network
from tammann.errors import DataError
from tammann.structures.configuration import Configuration

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

BIN_DEG = 1.0


@dataclass(frozen=True, eq=False, repr=False)
class AngleDistribution:
    """Angles between the bonds of an atom to two others.

    Attributes:
        triplet: Elements of one end, the centre and the other end.
        angle_deg: Middles of the bins, degrees, shape (B,).
        density: Share of the angles per degree, which integrates to 1; shape (B,).
        n_angles: Angles found.
        mean_deg: Their mean, degrees.
        spread_deg: Their standard deviation, degrees.
    """

    triplet: tuple[str, str, str]
    angle_deg: np.ndarray
    density: np.ndarray
    n_angles: int
    mean_deg: float
    spread_deg: float

    def __repr__(self) -> str:
        name = "-".join(self.triplet)
        return f"AngleDistribution({name}, {self.n_angles} angles, {self.mean_deg:.1f} ± {self.spread_deg:.1f} degrees)"

    @property
    def per_solid_angle(self) -> np.ndarray:
        """The density over that of directions at random, sin(angle) / 2 per radian: 1 without preference."""
        half = 0.5 * (self.angle_deg[1] - self.angle_deg[0])
        edges = np.radians(np.append(self.angle_deg - half, self.angle_deg[-1] + half))
        return np.asarray(self.density * 2.0 * half / (0.5 * -np.diff(np.cos(edges))))

    def share(self, low_deg: float, high_deg: float) -> float:
        """Return the share of the angles in bins whose middles lie between two angles, degrees."""
        inside = (self.angle_deg >= low_deg) & (self.angle_deg < high_deg)
        return float(self.density[inside].sum() * (self.angle_deg[1] - self.angle_deg[0]))


def bond_angles(
    source: Configuration | Sequence[Configuration] | Trajectory,
    triplet: tuple[str, str, str],
    *,
    cutoffs_A: Mapping[tuple[str, str], float],
    bin_deg: float = BIN_DEG,
    atoms: np.ndarray | None = None,
    threads: int | None = None,
) -> AngleDistribution:
    """Return the distribution of the angles end-centre-end between bonds.

    Args:
        source: One configuration or several, or a trajectory, of which evenly spread frames are taken.
        triplet: Elements of one end, the centre and the other end, such as ("S", "Zr", "S").
        cutoffs_A: Length up to which centre and end are bonded, Å, for the one or two pairs of elements.
        bin_deg: Width of a bin, degrees; made a little narrower where 180 is not a multiple of it.
        atoms: Which atoms may be centres, true or false for each, shape (N,); all where None.
        threads: Cores; all of them where None.

    Raises:
        DataError: An element that is not there, a pair without a length, or a number out of range.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> found = bond_angles(cscl, ("Cl", "Cs", "Cl"), cutoffs_A={("Cs", "Cl"): 3.7})
        >>> found.n_angles, found.angle_deg[found.density > 0].tolist()
        (28, [70.5, 109.5, 179.5])
    """
    from tammann.characterization.network_kernels import add_angles  # numba is slow to import

    if not 0.0 < bin_deg <= 90.0:
        raise DataError(f"bin_deg: expected a width above 0 degrees, at most 90, got {bin_deg:g}.")
    first, centre, last = triplet
    check_elements(triplet, species_of(source))
    bins = int(np.ceil(180.0 / bin_deg - 1e-9))
    counts, sums = np.zeros(bins, dtype=np.int64), np.zeros(2)
    for frame in frames_of(source):
        network = bond_network(frame, cutoffs_A, threads=threads)
        one, other = network.between(centre, first), network.between(centre, last)
        add_angles(
            centres_of(frame, centre, atoms), first == last, one.first, one.vectors_A / one.distances_A[:, None],
            other.first, other.vectors_A / other.distances_A[:, None], counts, sums,
        )  # fmt: skip
    total = int(counts.sum())
    edges = np.linspace(0.0, 180.0, bins + 1)
    mean = float(sums[0] / total) if total else float("nan")
    spread = float(np.sqrt(max(0.0, sums[1] / total - mean**2))) if total else float("nan")
    density = counts / max(total, 1) / (edges[1] - edges[0])
    return AngleDistribution(triplet, 0.5 * (edges[1:] + edges[:-1]), density, total, mean, spread)
