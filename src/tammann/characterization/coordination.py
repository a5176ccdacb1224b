"""Coordination numbers: per atom, as histograms, with the bond lengths of each, and as means with errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.frames import check_elements, frames_of, species_of
from tammann.characterization.network import SHELL_A, bond_network
from tammann.characterization.rdf import pair_distribution
from tammann.errors import DataError
from tammann.md.block_average import block_stderr
from tammann.structures.configuration import Configuration

if TYPE_CHECKING:
    import pandas as pd

    from tammann.trajectory import Trajectory


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


@dataclass(frozen=True, eq=False, repr=False)
class CoordinationShell:
    """Neighbours of one element around each atom of another, in one frame or several.

    Attributes:
        centre: Central element.
        neighbour: Element around it.
        cutoff_A: Largest distance of a neighbour, Å.
        n_atoms: Atoms of the first frame.
        atoms: The n centres, their places in the first frame.
        numbers: Neighbours of every centre, all frames one after the other, shape (F n,).
        lengths_A: Mean distance to them, Å, NaN without any; shape (F n,).
        mean: Neighbours per centre.
        stderr: Its standard error from blocks of frames; NaN for one frame.
    """

    centre: str
    neighbour: str
    cutoff_A: float
    n_atoms: int
    atoms: np.ndarray
    numbers: np.ndarray
    lengths_A: np.ndarray
    mean: float
    stderr: float

    def __repr__(self) -> str:
        return f"CoordinationShell({self.mean:.3g} {self.neighbour} within {self.cutoff_A:g} Å of {self.centre})"

    @property
    def fractions(self) -> dict[int, float]:
        """Share of the centres by coordination number."""
        counts = np.bincount(self.numbers)
        return {n: float(counts[n] / counts.sum()) for n in np.flatnonzero(counts).tolist()}

    @property
    def bond_lengths_A(self) -> dict[int, float]:
        """Mean length of the bonds of the centres of each coordination number, Å."""
        return {n: float(self.lengths_A[self.numbers == n].mean()) for n in self.fractions if n > 0}

    @property
    def mean_bond_length_A(self) -> float:
        """Mean length of all bonds, Å; NaN without any."""
        bonded = self.numbers > 0
        if not bonded.any():
            return math.nan
        return float(np.average(self.lengths_A[bonded], weights=self.numbers[bonded]))

    def per_atom(self) -> np.ndarray:
        """Return the coordination numbers of the first frame, -1 for atoms that are no centres, shape (N,)."""
        found = np.full(self.n_atoms, -1, dtype=np.int64)
        found[self.atoms] = self.numbers[: len(self.atoms)]
        return found

    def table(self) -> pd.DataFrame:
        """Return coordination numbers with their share of the centres and the mean length of their bonds, Å."""
        import pandas as pd

        lengths = self.bond_lengths_A
        rows = [
            {"coordination": n, "fraction": share, "bond_length_A": lengths.get(n, math.nan)}
            for n, share in self.fractions.items()
        ]
        return pd.DataFrame(rows, columns=["coordination", "fraction", "bond_length_A"])


def coordination_shell(
    source: Configuration | Sequence[Configuration] | Trajectory,
    centre: str,
    neighbour: str,
    *,
    cutoff_A: float | None = None,
    atoms: np.ndarray | None = None,
    threads: int | None = None,
) -> CoordinationShell:
    """Count the neighbours of one element around every atom of another.

    Args:
        source: One configuration or several, or a trajectory, of which evenly spread frames are taken.
        centre: Element in the middle.
        neighbour: Element around it; may be the same.
        cutoff_A: Largest distance of a neighbour, Å; the first minimum of g(r) after its first peak where None.
        atoms: Which atoms may be centres, of either region of an interface say: true or false for each, shape (N,);
            all where None.
        threads: Cores; all of them where None.

    Raises:
        DataError: An element that is not there, no centre, or a distance that no bond has.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> shell = coordination_shell(cscl, "Cs", "Cl", cutoff_A=3.7)
        >>> shell.fractions, round(shell.bond_lengths_A[8], 3)
        ({8: 1.0}, 3.464)
    """
    check_elements((centre, neighbour), species_of(source))
    if cutoff_A is None:
        cutoff_A = pair_distribution(source, cutoff_A=SHELL_A, threads=threads).first_shell(centre, neighbour)[1]
    numbers, lengths, per_frame, first = [], [], [], np.empty(0, dtype=np.int64)
    for k, frame in enumerate(frames_of(source)):
        here = centres_of(frame, centre, atoms)
        pairs = bond_network(frame, {(centre, neighbour): cutoff_A}, threads=threads).between(centre, neighbour)
        found = np.diff(pairs.first)
        sums = np.bincount(pairs.centres, weights=pairs.distances_A, minlength=frame.n_atoms)
        with np.errstate(invalid="ignore"):
            lengths.append((sums / found)[here])
        numbers.append(found[here])
        per_frame.append(float(found[here].mean()))
        first = here if k == 0 else first
    n_atoms = next(frames_of(source)).n_atoms
    mean, stderr = mean_and_error(np.array(per_frame))
    return CoordinationShell(
        centre, neighbour, cutoff_A, n_atoms, first, np.concatenate(numbers), np.concatenate(lengths), mean, stderr
    )


def centres_of(configuration: Configuration, element: str, atoms: np.ndarray | None = None) -> np.ndarray:
    """Return the places of the atoms of an element, among those chosen.

    Args:
        configuration: N atoms.
        element: Its symbol.
        atoms: True or false for each, shape (N,); all where None.

    Raises:
        DataError: There is none, or ``atoms`` is of another shape.

    Example:
        >>> cscl = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> centres_of(cscl, "Cl").tolist()
        [1]
    """
    chosen = np.array(configuration.symbols) == element
    if atoms is not None:
        atoms = np.asarray(atoms)
        if atoms.dtype != bool or atoms.shape != chosen.shape:
            raise DataError(
                f"atoms: expected true or false for each of {len(chosen)} atoms, got {atoms.dtype} of shape "
                f"{atoms.shape}."
            )
        chosen &= atoms
    if not chosen.any():
        raise DataError(
            f"expected one atom of {element!r} or more{' among those chosen' * (atoms is not None)}, got none."
        )
    return np.flatnonzero(chosen)


def coordination_numbers(
    source: Configuration | Sequence[Configuration] | Trajectory,
    pairs: Sequence[tuple[str, str]],
    *,
    cutoffs_A: Mapping[tuple[str, str], float] | None = None,
) -> tuple[Coordination, ...]:
    """Return mean coordination numbers of pairs (centre, neighbour) of elements, in any cell, with their errors.

    Neighbours are nearer than the cutoff of the pair, Å, where given, else than the first minimum of g(r) after its
    first peak.

    Raises:
        DataError: An element that is not there, or a distance that no bond has.
    """
    distribution = pair_distribution(source, cutoff_A=SHELL_A)
    found = []
    for centre, neighbour in pairs:
        nearest, minimum = distribution.first_shell(centre, neighbour)
        cutoff = (cutoffs_A or {}).get((centre, neighbour), minimum)
        shell = coordination_shell(source, centre, neighbour, cutoff_A=cutoff)
        found.append(Coordination(centre, neighbour, cutoff, shell.mean, shell.stderr, nearest))
    return tuple(found)


def mean_and_error(series: np.ndarray) -> tuple[float, float]:
    """Return the mean of a series and its standard error from blocks, NaN for one value.

    Example:
        >>> mean_and_error(np.array([2.0]))
        (2.0, nan)
    """
    return float(series.mean()), block_stderr(series) if len(series) > 1 else math.nan
