"""How coordination polyhedra are joined: by corners, edges or faces."""

from __future__ import annotations

from collections.abc import Sequence
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

JOINTS = ("corner", "edge", "face")
"""One, two, and three or more shared ligands."""


@dataclass(frozen=True, eq=False, repr=False)
class Connectivity:
    """Polyhedra of ligands around the atoms of one element, and how they are joined.

    Attributes:
        centre: Element in the middle.
        ligand: Element at the corners.
        cutoff_A: Largest distance between the two, Å.
        n_atoms: Atoms of the first frame.
        atoms: The n centres, their places in the first frame.
        joined: Polyhedra that share one, two, and three or more ligands with that of each centre; all frames one after
            the other, shape (F n, 3).
        distances_A: Mean distance between the centres of two polyhedra so joined, Å, NaN where there are none.
    """

    centre: str
    ligand: str
    cutoff_A: float
    n_atoms: int
    atoms: np.ndarray
    joined: np.ndarray
    distances_A: dict[str, float]

    def __repr__(self) -> str:
        shares = ", ".join(f"{share:.1%} {name}" for name, share in self.fractions.items())
        return f"Connectivity({self.centre} in {self.ligand} within {self.cutoff_A:g} Å: {shares})"

    @property
    def fractions(self) -> dict[str, float]:
        """Share of the joints that are corners, edges and faces; all 0 where no two polyhedra are joined."""
        counts = self.joined.sum(axis=0)
        return {name: float(n / max(counts.sum(), 1)) for name, n in zip(JOINTS, counts, strict=True)}

    @property
    def per_polyhedron(self) -> dict[str, float]:
        """Mean number of polyhedra joined to one by a corner, an edge and a face."""
        return dict(zip(JOINTS, self.joined.mean(axis=0).tolist(), strict=True))

    @property
    def isolated(self) -> float:
        """Share of the polyhedra that are joined to none."""
        return float((self.joined.sum(axis=1) == 0).mean())

    def per_atom(self) -> np.ndarray:
        """Return ``joined`` of the first frame for all atoms, -1 for those that are no centres, shape (N, 3)."""
        found = np.full((self.n_atoms, 3), -1, dtype=np.int64)
        found[self.atoms] = self.joined[: len(self.atoms)]
        return found


def polyhedra_connectivity(
    source: Configuration | Sequence[Configuration] | Trajectory,
    centre: str,
    ligand: str,
    *,
    cutoff_A: float,
    atoms: np.ndarray | None = None,
    threads: int | None = None,
) -> Connectivity:
    """Count the polyhedra that share a corner, an edge or a face with each polyhedron.

    Two polyhedra are joined by a corner, an edge or a face where they have one, two, or three and more ligands in
    common. An image of the same centre is another polyhedron.

    Args:
        source: One configuration or several, or a trajectory, of which evenly spread frames are taken.
        centre: Element in the middle of a polyhedron.
        ligand: Another element, at its corners.
        cutoff_A: Largest distance between the two, Å.
        atoms: Which atoms may be centres, true or false for each, shape (N,); all where None. What they are joined to
            may be any.
        threads: Cores; all of them where None.

    Raises:
        DataError: Elements that are not there or the same, or a distance that no bond has.

    Example:
        >>> from tammann.structures.crystals import load_crystal  # chains of octahedra joined by edges
        >>> polyhedra_connectivity(load_crystal("TiO2-rutile"), "Ti", "O", cutoff_A=2.2).per_polyhedron
        {'corner': 8.0, 'edge': 2.0, 'face': 0.0}
    """
    from tammann.characterization.network_kernels import count_joined  # numba is slow to import

    check_elements((centre, ligand), species_of(source))
    if centre == ligand:
        raise DataError(f"ligand: expected another element than the centre, {centre}; a polyhedron has them apart.")
    joined, sums, counts, first, n_atoms = [], np.zeros(3), np.zeros(3, dtype=np.int64), np.empty(0, np.int64), 0
    for k, frame in enumerate(frames_of(source)):
        here = centres_of(frame, centre, atoms)
        pairs = bond_network(frame, {(centre, ligand): cutoff_A}, threads=threads).pairs
        joined.append(
            count_joined(here, pairs.first, pairs.indices, pairs.images, pairs.vectors_A, sums, counts)
            if len(pairs.indices)
            else np.zeros((len(here), 3), dtype=np.int64)
        )
        if k == 0:
            first, n_atoms = here, frame.n_atoms
    with np.errstate(invalid="ignore"):
        distances = (sums / counts).tolist()
    return Connectivity(
        centre, ligand, cutoff_A, n_atoms, first, np.concatenate(joined), dict(zip(JOINTS, distances, strict=True))
    )
