"""Bicrystals: two grains in one periodic cell, their boundaries alike, and the energy of a boundary."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from tammann.composition import composition_key
from tammann.errors import DataError
from tammann.structures.coincidence import EXACT, BoundaryPlane, deformations
from tammann.structures.configuration import Configuration
from tammann.structures.overlaps import FRACTION, overlap_distances, remove_overlaps
from tammann.structures.slabs import Cut, cut_along, layers, plane_vectors, shortest_basis, upright
from tammann.units import EV_IN_J

EV_PER_A2_IN_J_PER_M2 = EV_IN_J * 1e20
LARGEST_DENOMINATOR = 5000
"""Of lattice vectors of a grain in fractions of the edges of a boundary."""
SAME_A = 0.05
"""Within this distance two atoms are images of each other by inversion."""


@dataclass(frozen=True, eq=False)
class Bicrystal:
    """Two grains of a crystal in one periodic cell with two boundaries.

    Attributes:
        configuration: Atoms with the labels ``grain`` (1, 2) and ``boundary_distance_A`` (to the nearer boundary). The
            first two edges of the cell lie in the boundaries.
        plane: The boundary.
        bulk: The crystal of each grain, under the strain that it has here: what the energy refers to.
        area_A2: Area of one of the two boundaries, Å2.
        shift_A: Translation of grain 2 along the first and second edge, and the space added at each boundary, Å.
        strains: Largest principal strain of grain 1 and of grain 2.
        removed: How many atoms were taken out by element.
        alike: Whether the two boundaries are images of each other by inversion, atom by atom.
    """

    configuration: Configuration
    plane: BoundaryPlane
    bulk: tuple[Configuration, Configuration]
    area_A2: float
    shift_A: tuple[float, float, float]
    strains: tuple[float, float]
    removed: dict[str, int]
    alike: bool


def bicrystal(
    crystal: Configuration,
    plane: BoundaryPlane,
    *,
    thickness_A: float = 20.0,
    shift: tuple[float, float] = (0.0, 0.0),
    gap_A: float = 0.0,
    cuts: tuple[float, float] = (0.0, 0.0),
    largest_strain: float = 0.0,
    share: float = 0.5,
    fraction: float = FRACTION,
) -> Bicrystal:
    """Return two grains that meet in a plane, in one periodic cell, without overlaps and in whole formula units.

    Each grain is a slab of whole layers about a centre of inversion of the crystal, both of its faces included, and the
    third edge of the cell is twice the vector between the two centres: inversion about either centre then takes one
    boundary to the other for every translation of the grains. Atoms are removed in pairs of such images. A crystal
    without inversion gets two different boundaries, which ``alike`` tells.

    Where the vectors of the two grains differ, ``share`` of the strain goes to grain 1; the thickness is kept.

    Args:
        crystal: Unit cell, with the lattice that the plane was found for.
        plane: Of ``coincidence.boundary_planes``, ``tilt_plane`` or ``symmetric_tilt``.
        thickness_A: Approximate thickness of each grain, Å.
        shift: Translation of grain 2 in fractions of the two edges of the boundary. At (0, 0) a centre of inversion of
            one grain lies on one of the other.
        gap_A: Space added at each boundary, Å; negative to push the grains together.
        cuts: Where each grain ends, in layers from its centre of inversion. Multiples of 1/2 keep the boundaries alike.
        largest_strain: Largest strain of the plane to accept; by default only exact coincidences are built.
        share: Part of the strain that grain 1 takes, from 0 to 1.
        fraction: Smallest distance between atoms of the two grains, over that in the crystal (``overlap_distances``).

    Raises:
        DataError: A strain above ``largest_strain``, or arguments out of their limits.

    Example:
        >>> from tammann.structures.coincidence import symmetric_tilt
        >>> iron = Configuration(("Fe", "Fe"), np.array([[0, 0, 0], [1.43, 1.43, 1.43]]), 2.86 * np.eye(3))
        >>> made = bicrystal(iron, symmetric_tilt(iron.cell_A, (0, 0, 1), angle_deg=36.87), thickness_A=15.0)
        >>> made.configuration, made.alike, made.removed
        (Configuration(Fe, 64 atoms, 795.4 Å3), True, {'Fe': 8})
    """
    if plane.strain > largest_strain + EXACT:
        raise DataError(
            f"boundary {plane.miller_1} | {plane.miller_2} needs a strain of {100 * plane.strain:.3g} %; allow it with "
            f"largest_strain={plane.strain:.3g} or choose another."
        )
    if not thickness_A > 0 or not 0 <= share <= 1 or not np.isfinite([*shift, gap_A, *cuts]).all():
        raise DataError(
            f"bicrystal: expected a thickness above 0 Å, a share from 0 to 1 and finite shifts, gap and cuts, got "
            f"{thickness_A}, {share}, {shift}, {gap_A}, {cuts}."
        )
    centre = inversion_centre(crystal)
    origin = np.zeros(3) if centre is None else centre
    if centre is not None:
        crystal = _inverted_exactly(crystal, centre)
    centred = Configuration(crystal.symbols, crystal.positions_A - origin @ crystal.cell_A, crystal.cell_A)
    grains, halves, strains, bulk = [], [], [], []
    edges = np.empty((2, 3))
    gradients = deformations(crystal.cell_A, plane, share=share)
    for vectors, gradient, begin in zip((plane.vectors_1, plane.vectors_2), gradients, cuts, strict=True):
        cut = cut_along(centred, *vectors)
        deformation = np.eye(3)  # the thickness is kept
        deformation[:2, :2] = gradient
        number = max(1, round(thickness_A / cut.spacing_A))
        positions, kinds = layers(cut, begin, begin + number)
        frame = cut.frame_A @ deformation
        grains.append((positions @ deformation - (begin + 0.5 * number) * frame[2], kinds))
        halves.append(0.5 * number * frame[2])
        edges = frame[:2]
        strains.append(float(np.abs(np.linalg.svd(gradient, compute_uv=False) - 1.0).max()))
        bulk.append(_bulk(cut, deformation, begin, number))
    apart = halves[0] + halves[1] + np.array(shift) @ edges + [0.0, 0.0, gap_A]
    cell = np.vstack([edges, 2.0 * apart])
    positions = np.concatenate([grains[0][0], grains[1][0] + apart])
    kinds = np.concatenate([kinds for _, kinds in grains])
    grain = np.repeat([1, 2], [len(kinds) for _, kinds in grains])
    height, boundary = positions[:, 2], halves[0][2] + 0.5 * gap_A
    far = np.where(grain == 1, height + boundary, cell[2, 2] - boundary - height)
    depth = np.minimum(np.abs(height - boundary), np.abs(far))
    labels = {"grain": grain, "boundary_distance_A": depth}
    symbols = tuple(crystal.symbols[k] for k in kinds.tolist())
    both = Configuration(symbols, positions, upright(cell), None, labels)
    partners = None if centre is None else _partners(both)
    formula = "".join(f"{s}{n}" for s, n in composition_key("".join(crystal.symbols)))
    distances = overlap_distances(crystal, fraction=fraction)
    stays = remove_overlaps(both, distances, formula=formula, depths_A=depth, partners=partners)
    whole = both.take(stays)
    removed = Counter(both.symbols)
    removed.subtract(Counter(whole.symbols))  # counted first, many times as fast
    alike = partners is not None and bool((stays == stays[partners]).all())
    area = float(np.linalg.norm(np.cross(*edges)))
    moved = (float(shift[0] * np.linalg.norm(edges[0])), float(shift[1] * np.linalg.norm(edges[1])), float(gap_A))
    return Bicrystal(
        whole,
        plane,
        (bulk[0], bulk[1]),
        area,
        moved,
        (strains[0], strains[1]),
        dict(removed),
        alike,
    )


def scan_translations(
    crystal: Configuration,
    plane: BoundaryPlane,
    *,
    steps: tuple[int, int] = (4, 4),
    gaps_A: Iterable[float] = (0.0,),
    **options: float | tuple[float, float],
) -> Iterator[Bicrystal]:
    """Yield the bicrystals of all rigid translations on a grid: candidates, of which a potential finds the best.

    The grid is laid over the cell of ``irreducible_translations``: all others repeat one in it.

    Args:
        crystal: Unit cell.
        plane: The boundary.
        steps: Translations along the first and second edge of that cell.
        gaps_A: Spaces added at each boundary, Å.
        options: Others of ``bicrystal``.

    Yields:
        One for each translation and gap; translations of whole edges are left out.

    Raises:
        DataError: Fewer than one step, or as ``bicrystal``.
    """
    if min(steps) < 1:
        raise DataError(f"steps: expected two whole numbers above 0, got {steps}.")
    first, second = irreducible_translations(crystal, plane)
    for i, j in product(range(steps[0]), range(steps[1])):
        along, across = (i / steps[0] * first + j / steps[1] * second).tolist()
        for gap_A in gaps_A:
            yield bicrystal(
                crystal,
                plane,
                shift=(along, across),
                gap_A=gap_A,
                **options,  # type: ignore[arg-type]
            )


def irreducible_translations(crystal: Configuration, plane: BoundaryPlane) -> np.ndarray:
    """Return two translations that span the cell of those of grain 2 that give different boundaries.

    A lattice vector of either grain in the plane takes the boundary to itself, and so do sums of them: these form the
    displacement shift complete lattice of the plane, whose cell (of non-identical displacements) is far smaller than
    that of the coincidence for twist boundaries and for cells that are centred, and as large for most symmetric tilts.

    Args:
        crystal: Unit cell, primitive or not.
        plane: The boundary.

    Returns:
        Shape (2, 2), rows are translations in fractions of the two edges of the boundary.

    Reference:
        Grimmer, Bollmann, Warrington, Acta Cryst. A 1974, 30, 197, doi 10.1107/S056773947400043X.

    Example:
        >>> from tammann.structures.coincidence import boundary_planes, find_coincidences
        >>> polonium = Configuration(("Po",), np.zeros((1, 3)), 3.35 * np.eye(3))
        >>> sigma_5 = find_coincidences(polonium.cell_A, (0, 0, 1), largest_sigma=5, largest_strain=0.0)[0]
        >>> tilt, *_, twist = boundary_planes(polonium.cell_A, sigma_5)
        >>> [round(float(abs(np.linalg.det(irreducible_translations(polonium, p)))), 3) for p in (tilt, twist)]
        [1.0, 0.04]
    """
    rows: list[list[Fraction]] = []
    for vectors, miller in ((plane.vectors_1, plane.miller_1), (plane.vectors_2, plane.miller_2)):
        inside = [*plane_vectors(miller, crystal.cell_A)]
        up = cut_along(crystal, *vectors).vectors[2]
        for centring in _centrings(crystal):
            height = float(centring @ np.array(miller))
            if abs(height - round(height)) < 1e-3:
                inside.append(centring - round(height) * up)
        found = np.linalg.lstsq(vectors.T.astype(float), np.array(inside, dtype=float).T, rcond=None)[0].T
        rows += [[Fraction(x).limit_denominator(LARGEST_DENOMINATOR) for x in row] for row in found.tolist()]
    common = math.lcm(*(x.denominator for row in rows for x in row))
    basis = _integer_basis([(int(x * common), int(y * common)) for x, y in rows])
    if abs(int(basis[0, 0] * basis[1, 1])) == common**2:
        return np.eye(2)  # the edges themselves
    edges = np.vstack([plane.vectors_1 @ crystal.cell_A, np.zeros(3)])
    return shortest_basis(np.column_stack([basis, [0, 0]]), edges)[:, :2] / common


def lowest_energy(candidates: Iterable[Bicrystal], energy: Callable[[Configuration], float]) -> tuple[Bicrystal, float]:
    """Return the candidate with the lowest boundary energy, and that energy, J/m2.

    Args:
        candidates: Such as those of ``scan_translations``.
        energy: Gives the energy of a configuration, eV, relaxed or not; the crystals under each grain's strain, equal
            for all candidates, are computed once.

    Raises:
        DataError: No candidate.
    """
    best: tuple[Bicrystal, float] | None = None
    known: dict[tuple[bytes, bytes], float] = {}

    def of_bulk(bulk: Configuration) -> float:
        key = bulk.cell_A.tobytes(), bulk.positions_A.tobytes()
        if key not in known:
            known[key] = energy(bulk)
        return known[key]

    for candidate in candidates:
        bulk_eV = (of_bulk(candidate.bulk[0]), of_bulk(candidate.bulk[1]))
        found = boundary_energy(candidate, energy(candidate.configuration), bulk_eV)
        if best is None or found < best[1]:
            best = candidate, found
    if best is None:
        raise DataError("candidates: expected at least one bicrystal, got none.")
    return best


def boundary_energy(made: Bicrystal, energy_eV: float, bulk_eV: tuple[float, float]) -> float:
    """Return the energy of a boundary per area, J/m2.

    gamma = (E - E_bulk)/(2 A), with E = ``energy_eV``, A = ``area_A2``, and E_bulk the energy of as many atoms of the
    two crystals, each under the strain that its grain has in the same cell, so that the strain itself does not count.

    Args:
        made: The bicrystal.
        energy_eV: Of all of its atoms, relaxed or not, eV.
        bulk_eV: Of the two configurations ``made.bulk``, eV.

    Example:
        >>> from tammann.structures.coincidence import symmetric_tilt
        >>> iron = Configuration(("Fe", "Fe"), np.array([[0, 0, 0], [1.43, 1.43, 1.43]]), 2.86 * np.eye(3))
        >>> perfect = bicrystal(iron, symmetric_tilt(iron.cell_A, (0, 0, 1), angle_deg=0.0))
        >>> atoms = [each.n_atoms for each in perfect.bulk]
        >>> boundary_energy(perfect, -8.0 * perfect.configuration.n_atoms, (-8.0 * atoms[0], -8.0 * atoms[1]))
        0.0
    """
    per_atom = [energy / bulk.n_atoms for energy, bulk in zip(bulk_eV, made.bulk, strict=True)]
    # both grains lose the same number of atoms to the boundaries, whichever was taken out
    whole = [bulk.n_atoms for bulk in made.bulk]
    n = made.configuration.n_atoms
    expected = sum(n * part / sum(whole) * energy for part, energy in zip(whole, per_atom, strict=True))
    return float((energy_eV - expected) / (2.0 * made.area_A2) * EV_PER_A2_IN_J_PER_M2)


def inversion_centre(crystal: Configuration) -> np.ndarray | None:
    """Return fractional coordinates of a centre of inversion, shape (3,), or None for a crystal without one.

    Example:
        >>> salt = Configuration(("Na", "Cl"), np.array([[0, 0, 0], [2.8, 0, 0]]), 2.8 * (1 - np.eye(3)))
        >>> inversion_centre(salt).round(6).tolist()
        [0.5, 0.5, 0.5]
    """
    fractional = crystal.positions_A @ np.linalg.inv(crystal.cell_A)
    symbols = np.array(crystal.symbols)
    rarest = min(set(crystal.symbols), key=lambda symbol: (crystal.symbols.count(symbol), symbol))
    same = np.flatnonzero(symbols == rarest)
    centres = []
    # inversion takes the first of these atoms to one of them: r -> t - r
    for total in fractional[same[0]] + fractional[same]:
        apart = total - fractional[:, None] - fractional[None]
        apart = np.linalg.norm((apart - np.round(apart)) @ crystal.cell_A, axis=2)
        apart[symbols[:, None] != symbols[None]] = np.inf
        if apart.min(axis=1).max() < SAME_A / 10.0:
            centres.append(total / 2.0 - np.floor(total / 2.0 + 1e-9))
    # of several, the one nearest to the origin
    return min(centres, key=lambda c: (round(float(c @ c), 6), *c.tolist()), default=None)


def _inverted_exactly(crystal: Configuration, centre: np.ndarray) -> Configuration:
    """Return the mean of a crystal and its image by inversion: a relaxed crystal has lost its symmetry by a little."""
    fractional = crystal.positions_A @ np.linalg.inv(crystal.cell_A)
    symbols = np.array(crystal.symbols)
    apart = 2.0 * centre - fractional[None] - fractional[:, None]  # from atom to the image of each atom
    apart -= np.round(apart)
    distances = np.linalg.norm(apart @ crystal.cell_A, axis=2)
    distances[symbols[:, None] != symbols[None]] = np.inf
    moves = apart[np.arange(len(symbols)), distances.argmin(axis=1)] / 2.0
    return Configuration(crystal.symbols, (fractional + moves) @ crystal.cell_A, crystal.cell_A)


def _centrings(crystal: Configuration) -> list[np.ndarray]:
    """Return the fractional translations within the unit cell that leave the crystal as it is."""
    fractional = crystal.positions_A @ np.linalg.inv(crystal.cell_A)
    symbols = np.array(crystal.symbols)
    rarest = min(set(crystal.symbols), key=lambda symbol: (crystal.symbols.count(symbol), symbol))
    same = np.flatnonzero(symbols == rarest)
    found = []
    for other in same[1:]:
        shift = fractional[other] - fractional[same[0]]
        apart = fractional[:, None] + shift - fractional[None]
        apart = np.linalg.norm((apart - np.round(apart)) @ crystal.cell_A, axis=2)
        apart[symbols[:, None] != symbols[None]] = np.inf
        if apart.min(axis=1).max() < SAME_A / 10.0:
            exact = [float(Fraction(x).limit_denominator(len(same))) for x in shift.tolist()]
            found.append(np.array(exact))
    return found


def _integer_basis(rows: list[tuple[int, int]]) -> np.ndarray:
    """Return the triangular basis of the lattice that pairs of integers generate, shape (2, 2)."""
    a, b = (0, 0), 0  # the lattice of those so far: a, and (0, b)
    for row in rows:
        while row[0]:
            n = a[0] // row[0]
            a, row = row, (a[0] - n * row[0], a[1] - n * row[1])
        b = math.gcd(b, row[1])
    return np.array([[a[0], a[1] % b], [0, b]])


def _bulk(cut: Cut, deformation: np.ndarray, begin: float, number: int) -> Configuration:
    """Return the crystal of a grain, deformed, in a cell with the edges of the boundary and as thick as the grain."""
    positions, kinds = layers(cut, begin, begin + number - 3e-6)
    cell = cut.frame_A * np.array([[1.0], [1.0], [number]]) @ deformation
    return Configuration(tuple(cut.crystal.symbols[k] for k in kinds.tolist()), positions @ deformation, upright(cell))


def _partners(both: Configuration) -> np.ndarray:
    """Return for each atom its image by inversion about the origin, in the same grain, shape (N,)."""
    from scipy.spatial import cKDTree

    inverse = np.linalg.inv(both.cell_A)
    fractional = both.positions_A @ inverse
    partners = np.empty(both.n_atoms, dtype=int)
    for grain in (1, 2):
        atoms = np.flatnonzero(both.labels["grain"] == grain)
        wrapped = fractional[atoms] - np.floor(fractional[atoms])
        wrapped[wrapped >= 1.0] = 0.0
        images = -fractional[atoms]
        images -= np.floor(images)
        images[images >= 1.0] = 0.0
        # the faces of a grain are a layer apart, but may be images of each other across the cell
        _, near = cKDTree(wrapped, boxsize=1.0).query(images)
        away = (images - wrapped[near]) - np.round(images - wrapped[near])
        if np.linalg.norm(away @ both.cell_A, axis=1).max() > SAME_A:
            raise DataError("bicrystal: the crystal has no exact centre of inversion; symmetrize its cell first.")
        partners[atoms] = atoms[near]
    return partners
