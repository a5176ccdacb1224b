"""A crystal beside a glass of one's own, cut along any lattice plane, in one periodic cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.structures.configuration import Configuration, wrapped
from tammann.structures.overlaps import FRACTION, overlap_distances, remove_overlaps
from tammann.structures.slabs import cut_along, layers, plane_vectors


@dataclass(frozen=True, eq=False)
class CrystalGlass:
    """A slab of a crystal and one of a glass with two interfaces.

    Attributes:
        configuration: Atoms with the labels ``grain`` (1 in the crystal, 0 in the glass) and ``boundary_distance_A``.
        area_A2: Area of one interface, Å2.
        strains: Two principal strains of the glass in the plane; the crystal has none.
        vectors: Lattice vectors of the crystal along the first two edges, shape (2, 3), integers.
        removed: How many atoms of the glass were taken out by element.
    """

    configuration: Configuration
    area_A2: float
    strains: tuple[float, float]
    vectors: np.ndarray
    removed: dict[str, int]


def crystal_glass(
    crystal: Configuration,
    glass: Configuration,
    miller: ArrayLike,
    *,
    thickness_A: float = 20.0,
    gap_A: float = 0.0,
    cut: float = 0.0,
    largest_strain: float = 0.02,
    fraction: float = FRACTION,
) -> CrystalGlass:
    """Return a slab of a crystal beside a given glass, such as one that was quenched from its melt.

    (``candidates.crystal_glass_interface`` packs atoms at random beside a crystal instead, to learn a potential from.)

    The glass is cut along its first two edges and strained to the cell of the lattice plane that fits them best; the
    crystal is not strained. Where atoms at the interfaces overlap, those of the glass go, in whole formula units of it.

    Args:
        crystal: Unit cell.
        glass: Periodic, its third edge perpendicular to the first two.
        miller: Lattice plane of the crystal.
        thickness_A: Approximate thickness of the crystal, Å.
        gap_A: Space added at each interface, Å.
        cut: Where the lowest layer of the crystal begins, in layers: another termination.
        largest_strain: Largest strain of the glass to accept.
        fraction: Smallest distance at the interface over that in the crystal (``overlap_distances``).

    Raises:
        DataError: No cell of the plane fits the glass, elements that the crystal lacks, or no such plane.

    Example:
        >>> crystal = Configuration(("Cs", "Cl"), np.array([[0, 0, 0], [2.0, 2, 2]]), 4.0 * np.eye(3))
        >>> glass = Configuration(("Cs", "Cl"), np.array([[1.0, 1, 4], [5, 5, 5]]), np.diag([7.9, 8.1, 9.0]))
        >>> made = crystal_glass(crystal, glass, [0, 0, 1], thickness_A=8.0)
        >>> made.configuration, [round(strain, 3) for strain in made.strains]
        (Configuration(CsCl, 18 atoms, 1088.0 Å3), [0.013, -0.012])
    """
    edges, height = glass.cell_A[:2], glass.cell_A[2]
    normal = np.cross(*edges) / np.linalg.norm(np.cross(*edges))
    if np.linalg.norm(height - (height @ normal) * normal) > 1e-3 * np.linalg.norm(height):
        raise DataError("glass: expected a third edge perpendicular to the first two; choose an upright cell.")
    if set(glass.symbols) != set(crystal.symbols):
        raise DataError(
            f"glass: expected the elements of the crystal, {', '.join(sorted(set(crystal.symbols)))}, got "
            f"{', '.join(sorted(set(glass.symbols)))}."
        )
    if not thickness_A > 0 or not gap_A >= 0:
        raise DataError(f"interface: expected a thickness above 0 Å and no negative gap, got {thickness_A}, {gap_A}.")
    vectors = _matching(plane_vectors(miller, crystal.cell_A), crystal.cell_A, edges, largest_strain)
    made = cut_along(crystal, *vectors)
    number = max(1, round(thickness_A / made.spacing_A))
    inside, kinds = layers(made, cut, cut + number - 3e-6)
    inside[:, 2] -= cut * made.spacing_A
    thickness, deep = number * made.spacing_A, float(abs(height @ normal))
    frame = made.frame_A[:2, :2]
    length = np.linalg.norm(edges[0])
    x = edges[0] / length
    flat = np.array([[length, 0.0], [edges[1] @ x, edges[1] @ np.cross(normal, x)]])
    stretches = np.linalg.svd(np.linalg.solve(flat, frame), compute_uv=False) - 1.0
    whole = wrapped(glass.positions_A, glass.cell_A)
    if height @ normal < 0:
        whole[:, 2] = 1.0 - whole[:, 2]
    beside = np.column_stack([whole[:, :2] @ frame, thickness + gap_A + whole[:, 2] * deep])
    cell = np.zeros((3, 3))
    cell[:2, :2], cell[2, 2] = frame, thickness + deep + 2.0 * gap_A
    positions = np.concatenate([inside, beside])
    in_crystal = np.arange(len(positions)) < len(inside)
    lower, upper = thickness + 0.5 * gap_A, cell[2, 2] - 0.5 * gap_A
    z = positions[:, 2]
    depth = np.where(in_crystal, np.minimum(lower - z, z + cell[2, 2] - upper), np.minimum(z - lower, upper - z))
    labels = {"grain": in_crystal.astype(int), "boundary_distance_A": depth}
    symbols = (*(crystal.symbols[k] for k in kinds.tolist()), *glass.symbols)
    both = Configuration(symbols, positions, cell, None, labels)
    formula = "".join(f"{s}{n}" for s, n in composition_key("".join(glass.symbols)))
    distances = overlap_distances(crystal, fraction=fraction)
    stays = remove_overlaps(both, distances, formula=formula, depths_A=depth, movable=~in_crystal)
    left = both.take(stays)
    removed = Counter(both.symbols)
    removed.subtract(left.symbols)
    area = float(np.linalg.norm(np.cross(*cell[:2])))
    return CrystalGlass(left, area, (float(stretches[0]), float(stretches[1])), vectors, dict(removed))


def _matching(basis: np.ndarray, cell: np.ndarray, edges: np.ndarray, largest_strain: float) -> np.ndarray:
    """Return two lattice vectors of a plane that span a cell of the shape of two edges, with the least strain."""
    wanted = np.linalg.norm(edges, axis=1)
    cosine = float(edges[0] @ edges[1] / wanted.prod())
    shortest = np.linalg.norm(basis @ cell, axis=1).min()
    reach = int(np.ceil(2.0 * wanted.max() / shortest)) + 1
    points = np.array([(i, j) for i, j in product(range(-reach, reach + 1), repeat=2) if (i, j) != (0, 0)]) @ basis
    space = points @ cell
    lengths = np.linalg.norm(space, axis=1)
    near = [np.flatnonzero(np.abs(lengths / want - 1.0) <= largest_strain + 1e-9) for want in wanted]
    best: tuple[float, int, int] | None = None
    up = np.cross(*(basis @ cell))
    for i in near[0]:
        for j in near[1]:
            if np.cross(space[i], space[j]) @ up <= 0:
                continue
            angle = float(space[i] @ space[j] / (lengths[i] * lengths[j]))
            strain = max(abs(lengths[i] / wanted[0] - 1), abs(lengths[j] / wanted[1] - 1), abs(angle - cosine))
            if strain <= largest_strain + 1e-9 and (best is None or strain < best[0] - 1e-9):
                best = strain, int(i), int(j)
    if best is None:
        raise DataError(
            f"glass: no cell of the plane fits its edges of {wanted[0]:.2f} and {wanted[1]:.2f} Å within a strain of "
            f"{100 * largest_strain:.3g} %; allow more with largest_strain or make another glass."
        )
    return points[[best[1], best[2]]]
