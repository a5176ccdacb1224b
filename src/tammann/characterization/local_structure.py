"""All of the local structure of a sample at once: density, g(r), first shells, angles, polyhedra, rings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.characterization.angles import AngleDistribution, bond_angles
from tammann.characterization.coordination import CoordinationShell, coordination_shell
from tammann.characterization.exafs import FirstShell, first_shell
from tammann.characterization.frames import MOST_FRAMES, check_elements, frames_of, species_of
from tammann.characterization.network import LONGEST_A, SHELL_A, bond_network, cutoff_table
from tammann.characterization.polyhedra import Connectivity, polyhedra_connectivity
from tammann.characterization.rdf import BIN_A, PairDistribution, pair_distribution
from tammann.characterization.rings import LONGEST, RingStatistics, ring_statistics
from tammann.composition import atomic_masses, composition_key, conventional_formula
from tammann.errors import DataError
from tammann.parallel import Progress
from tammann.structures.amorphous import CHARGES
from tammann.structures.configuration import Configuration
from tammann.structures.pairs import heights_of
from tammann.units import A3_IN_CM3_PER_MOL

if TYPE_CHECKING:
    import pandas as pd

    from tammann.trajectory import Trajectory

LONGEST_DEFAULT_A = 12.0
"""Range of g(r) where the cell does not say how far it is independent of its images."""


@dataclass(frozen=True, eq=False, repr=False)
class LocalStructure:
    """Local structure of a sample, in one frame or the mean of several.

    Attributes:
        formula: Of all atoms, reduced.
        n_atoms: Atoms of the first frame.
        n_frames: Frames in the means.
        density_g_per_cm3: Mean density, g/cm³.
        distribution: All partial g(r) and running coordination numbers.
        cutoffs_A: By bonded pair of elements, centre of the polyhedra first, the longest bond, Å.
        by_minimum: Pairs whose cutoff is the first minimum of g(r), and not given.
        shells: Neighbours in both directions of every pair.
        angles: Between bonds, about either end of every pair.
        joints: Of the polyhedra about the first element of every pair of two.
        absorption: First shells as X-ray absorption would report them, about the first element of every pair.
        rings: Of the network of each pair asked for, in the last frame.
    """

    formula: str
    n_atoms: int
    n_frames: int
    density_g_per_cm3: float
    distribution: PairDistribution
    cutoffs_A: Mapping[tuple[str, str], float]
    by_minimum: frozenset[tuple[str, str]]
    shells: tuple[CoordinationShell, ...]
    angles: tuple[AngleDistribution, ...]
    joints: tuple[Connectivity, ...]
    absorption: tuple[FirstShell, ...]
    rings: Mapping[tuple[str, str], RingStatistics] = field(default_factory=dict)

    def __repr__(self) -> str:
        bonds = ", ".join(f"{a}-{b} to {cutoff:.3g} Å" for (a, b), cutoff in self.cutoffs_A.items())
        return f"LocalStructure({self.formula}, {self.n_atoms} atoms, {self.density_g_per_cm3:.3f} g/cm³; {bonds})"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what was found as tables.

        Returns:
            ``coordination`` (share of the centres and mean length of bonds, Å, by coordination number),
            ``first_shells`` (Å, Å² and Å³), ``angle_distributions`` (share per degree), ``joints`` (polyhedra joined
            to one) and ``rings`` (rings per bonded atom), by name; without those that are empty.
        """
        import pandas as pd

        coordination = pd.concat(
            [
                shell.table().assign(centre=shell.centre, neighbour=shell.neighbour, cutoff_A=shell.cutoff_A)
                for shell in self.shells
            ],
            ignore_index=True,
        )[["centre", "neighbour", "cutoff_A", "coordination", "fraction", "bond_length_A"]]
        angles = {"angle_deg": self.angles[0].angle_deg} if self.angles else {}
        angles |= {"-".join(one.triplet): one.density for one in self.angles}
        rings = [
            {"pair": "-".join(pair), "size": size, "rings_per_atom": number / max(1, int(one.bonded.sum()))}
            for pair, one in self.rings.items()
            for size, number in one.rings.items()
        ]
        joints = [
            {"centre": one.centre, "ligand": one.ligand, **one.per_polyhedron, "isolated": one.isolated}
            for one in self.joints
        ]
        tables = {
            "coordination": coordination,
            "first_shells": pd.DataFrame([vars(one) for one in self.absorption]),
            "angle_distributions": pd.DataFrame(angles),
            "joints": pd.DataFrame(joints),
            "rings": pd.DataFrame(rings),
        }
        return {name: table for name, table in tables.items() if len(table)}

    def as_dict(self) -> dict[str, Any]:
        """Return all but the curves as plain values."""
        return {
            "formula": self.formula,
            "atoms": self.n_atoms,
            "frames": self.n_frames,
            "density_g_per_cm3": self.density_g_per_cm3,
            "cutoffs_A": {
                "-".join(pair): {"cutoff_A": cutoff, "rule": self.rule(pair)} for pair, cutoff in self.cutoffs_A.items()
            },
            "coordination": [
                {
                    "centre": shell.centre, "neighbour": shell.neighbour, "cutoff_A": shell.cutoff_A,
                    "mean": shell.mean, "stderr": shell.stderr, "bond_length_A": shell.mean_bond_length_A,
                    "fractions": shell.fractions, "bond_lengths_A": shell.bond_lengths_A,
                }
                for shell in self.shells
            ],
            "angles": [
                {"triplet": "-".join(one.triplet), "mean_deg": one.mean_deg, "spread_deg": one.spread_deg,
                 "angles": one.n_angles, "maxima_deg": angle_maxima(one)}
                for one in self.angles
            ],
            "joints": [
                {"centre": one.centre, "ligand": one.ligand, "per_polyhedron": one.per_polyhedron,
                 "isolated": one.isolated, "distances_A": one.distances_A}
                for one in self.joints
            ],
            "first_shells": [vars(one) for one in self.absorption],
            "rings": {
                "-".join(pair): {"longest": one.longest, "rings": one.rings, "bonded_atoms": int(one.bonded.sum())}
                for pair, one in self.rings.items()
            },
        }  # fmt: skip

    def rule(self, pair: tuple[str, str]) -> str:
        """Return where the cutoff of a pair is from: ``given`` or ``first minimum``."""
        return "first minimum" if pair in self.by_minimum else "given"


def local_structure(
    source: Configuration | Sequence[Configuration] | Trajectory,
    *,
    cutoffs_A: Mapping[tuple[str, str], float | None] | None = None,
    rings: Sequence[tuple[str, str]] = (),
    longest_ring: int = LONGEST,
    r_max_A: float | None = None,
    bin_A: float = BIN_A,
    frames: int = MOST_FRAMES,
    threads: int | None = None,
    progress: Progress | None = None,
) -> LocalStructure:
    """Return density, pair distributions, first shells, angles, joints of polyhedra and rings of a sample.

    Args:
        source: One configuration or several, or a trajectory, of which evenly spread frames are taken.
        cutoffs_A: Bonded pairs of elements, centre of the polyhedra first, and the longest bond of each, Å; where that
            is None, the first minimum of g(r). Without any, the pairs of ``bonded_pairs`` by their first minima.
        rings: Pairs, of those bonded, whose networks are searched for rings, in the last frame.
        longest_ring: Bonds of the longest ring sought.
        r_max_A: Range of g(r), Å; where None half the shortest height of the cell, but 12 Å for a small cell.
        bin_A: Width of its bins, Å.
        frames: Most frames of a trajectory.
        threads: Cores; all of them where None.
        progress: Called with the fraction done.

    Raises:
        DataError: Atoms that are of no element, elements that are not there, a distance that no bond has, or one
            within which there is no bond.

    Example:
        >>> from tammann.structures.crystals import load_crystal
        >>> found = local_structure(load_crystal("BaZrS3"), cutoffs_A={("Zr", "S"): 3.1}, r_max_A=8.0)
        >>> found
        LocalStructure(BaZrS3, 20 atoms, 4.386 g/cm³; Zr-S to 3.1 Å)
        >>> found.shells[0].mean, found.joints[0].per_polyhedron["corner"]
        (6.0, 6.0)
    """
    source = tuple(frames_of(source, frames))  # the same ones for everything
    species = species_of(source)
    masses = atomic_masses()
    if strange := [symbol for symbol in species if symbol not in masses]:
        raise DataError(f"species: expected elements, got {', '.join(strange)}; rename these atoms.")
    given = {pair: None for pair in bonded_pairs(species)} if cutoffs_A is None else dict(cutoffs_A)
    check_elements([symbol for pair in given for symbol in pair], species)
    # lengths that nobody would call a bond are refused before anything is computed; 1 stands for those to be found
    cutoff_table({pair: 1.0 if cutoff is None else cutoff for pair, cutoff in given.items()}, species)
    first = source[0]
    if r_max_A is None:
        half = 0.5 * float(heights_of(first.cell_A).min())
        r_max_A = min(max(half, LONGEST_DEFAULT_A), LONGEST_A)
    distribution = pair_distribution(source, cutoff_A=r_max_A, bin_A=bin_A, threads=threads, progress=progress)
    near = pair_distribution(source, cutoff_A=SHELL_A, threads=threads) if r_max_A < SHELL_A else distribution
    cutoffs: dict[tuple[str, str], float] = {}
    for pair, cutoff in given.items():
        cutoffs[pair] = near.first_shell(*pair)[1] if cutoff is None else cutoff
    _check_rings(rings, cutoffs)
    shells = [coordination_shell(source, a, b, cutoff_A=cutoff, threads=threads) for (a, b), cutoff in cutoffs.items()]
    for shell in shells:
        if not shell.numbers.any():
            g = near.g(shell.centre, shell.neighbour)
            nearest = f"{near.r_A[g > 0].min():.2f} Å" if g.any() else f"more than {SHELL_A:g} Å"
            raise DataError(
                f"cutoff of {shell.centre}-{shell.neighbour}: expected one beyond their closest contact, {nearest}, "
                f"got {shell.cutoff_A:g} Å; give a longer one."
            )
    both = [one for shell in shells for one in _with_reverse(source, shell, threads)]
    return LocalStructure(
        formula=conventional_formula(dict(composition_key(Counter(first.symbols)))),
        n_atoms=first.n_atoms,
        n_frames=len(source),
        density_g_per_cm3=_density(source),
        distribution=distribution,
        cutoffs_A=cutoffs,
        by_minimum=frozenset(pair for pair, cutoff in given.items() if cutoff is None),
        shells=tuple(both),
        angles=tuple(
            bond_angles(source, (end, centre, end), cutoffs_A={pair: cutoff}, threads=threads)
            for pair, cutoff in cutoffs.items()
            for centre, end in dict.fromkeys((pair, pair[::-1]))
        ),
        joints=tuple(
            polyhedra_connectivity(source, a, b, cutoff_A=cutoff, threads=threads)
            for (a, b), cutoff in cutoffs.items()
            if a != b
        ),
        absorption=tuple(
            first_shell(source, a, b, cutoff_A=cutoff, threads=threads) for (a, b), cutoff in cutoffs.items()
        ),
        rings={
            pair: ring_statistics(
                bond_network(source[-1], {pair: cutoffs[pair]}, threads=threads), longest=longest_ring
            )
            for pair in rings
        },
    )


def bonded_pairs(species: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of elements that are bonded by default: cations and anions, or all pairs without either.

    Anions are halogens, chalcogens and nitrogen.

    Example:
        >>> bonded_pairs(("Ba", "Zr", "S"))
        (('Ba', 'S'), ('Zr', 'S'))
        >>> bonded_pairs(("Cu", "Zr"))
        (('Cu', 'Cu'), ('Cu', 'Zr'), ('Zr', 'Zr'))
    """
    anions = [symbol for symbol in species if symbol in CHARGES]
    cations = [symbol for symbol in species if symbol not in CHARGES]
    if not anions or not cations:
        return tuple(combinations_with_replacement(species, 2))
    return tuple((cation, anion) for cation in cations for anion in anions)


def angle_maxima(distribution: AngleDistribution, *, window_deg: float = 6.0, least: float = 0.1) -> list[float]:
    """Return where a distribution of angles has its maxima, degrees, once smoothed over some degrees.

    Args:
        distribution: Of angles.
        window_deg: Width of the smoothing, degrees.
        least: Lowest maximum that counts, over the highest.

    Example:
        >>> from tammann.structures.crystals import load_crystal
        >>> cubic = load_crystal("BaTiO3-cubic")
        >>> angle_maxima(bond_angles(cubic, ("O", "Ti", "O"), cutoffs_A={("Ti", "O"): 2.3}))
        [90.0, 180.0]
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    step = float(distribution.angle_deg[1] - distribution.angle_deg[0])
    # angles end at 0 and 180 degrees, and beyond them they come back
    smooth = gaussian_filter1d(distribution.density, 0.5 * window_deg / step, mode="reflect")
    if not smooth.any():
        return []
    reflected = np.concatenate([smooth[::-1], smooth, smooth[::-1]])
    tops, _ = find_peaks(reflected, prominence=least * float(smooth.max()))
    n = len(smooth)
    places = [0.5 * step + step * (top - n) for top in tops if n - 1 <= top <= 2 * n]
    edges = [min(180.0, max(0.0, round(place))) for place in places]
    return sorted({float(edge) for edge in edges})


def _with_reverse(
    source: Sequence[Configuration], shell: CoordinationShell, threads: int | None
) -> list[CoordinationShell]:
    if shell.centre == shell.neighbour:
        return [shell]
    reverse = coordination_shell(source, shell.neighbour, shell.centre, cutoff_A=shell.cutoff_A, threads=threads)
    return [shell, reverse]


def _check_rings(rings: Sequence[tuple[str, str]], cutoffs: Mapping[tuple[str, str], float]) -> None:
    for pair in rings:
        if pair not in cutoffs:
            raise DataError(
                f"rings: expected one of the bonded pairs {', '.join('-'.join(p) for p in cutoffs)}, got "
                f"{'-'.join(pair)}; give it a cutoff too."
            )


def _density(source: Sequence[Configuration]) -> float:
    masses = atomic_masses()
    densities = [
        sum(masses[symbol] * n for symbol, n in Counter(frame.symbols).items()) / (A3_IN_CM3_PER_MOL * frame.volume_A3)
        for frame in source
    ]
    return float(np.mean(densities))
