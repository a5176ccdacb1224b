"""Lattices turned against each other about an axis: which vectors of the two coincide, and with what strain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.structures.slabs import plane_vectors

EXACT = 1e-6
"""A strain below this is rounding."""
PERPENDICULAR = 1e-3
"""Largest cosine between an axis and the lattice plane that is turned about it."""


@dataclass(frozen=True, eq=False)
class BoundaryPlane:
    """A plane in which two grains meet, with lattice vectors of both that coincide in it after a stated strain.

    Attributes:
        vectors_1: Two lattice vectors of grain 1 in the plane, shape (2, 3), integers.
        vectors_2: Those of grain 2 that coincide with them.
        miller_1: Miller indices of the plane in grain 1.
        miller_2: In grain 2.
        angle_deg: By how much grain 2 is turned against grain 1, degrees.
        strain: Largest principal strain that takes the vectors of grain 2 to those of grain 1; 0.01 is 1 %. A bicrystal
            divides it between its grains.
        period_A: Longer edge of the cell of the plane, Å.
        kind: ``symmetric tilt``, ``asymmetric tilt`` or ``twist``.
    """

    vectors_1: np.ndarray
    vectors_2: np.ndarray
    miller_1: tuple[int, int, int]
    miller_2: tuple[int, int, int]
    angle_deg: float
    strain: float
    period_A: float
    kind: str


@dataclass(frozen=True, eq=False)
class Coincidence:
    """Two lattices turned about a common axis with a common sublattice, exact or after a stated strain.

    Attributes:
        axis: Lattice vector about which grain 2 is turned, integers.
        angle_deg: By how much, degrees.
        sigma: Volume of the common cell in unit cells.
        vectors_1: Two lattice vectors of grain 1 perpendicular to the axis that span its plane of the common cell,
            shape (2, 3), integers.
        vectors_2: Those of grain 2 that coincide with them.
        strains: Two principal strains that take grain 2 to grain 1 in that plane; along the axis there is none.
    """

    axis: tuple[int, int, int]
    angle_deg: float
    sigma: int
    vectors_1: np.ndarray
    vectors_2: np.ndarray
    strains: tuple[float, float]

    @property
    def strain(self) -> float:
        """Largest of the strains."""
        return max(map(abs, self.strains))


def find_coincidences(
    cell_A: ArrayLike, axis: Sequence[int], *, largest_sigma: int = 35, largest_strain: float = 0.01
) -> tuple[Coincidence, ...]:
    """Return rotations about an axis after which a lattice has a sublattice in common with itself, or nearly so.

    All sublattices of the lattice plane perpendicular to the axis, with up to ``largest_sigma`` cells, are compared in
    pairs: two of the same shape coincide after a rotation R, two of nearly the same shape after a strain U, v_1 = v_2 U
    R. Nothing is rounded and no ratio of axes is assumed, so that U is what a coincidence costs in this lattice.

    Args:
        cell_A: Shape (3, 3), Å, rows are lattice vectors: any lattice with a plane perpendicular to the axis.
        axis: Lattice vector, integers.
        largest_sigma: Most cells of the lattice plane in the common cell.
        largest_strain: Largest principal strain to accept; 0 for exact coincidences.

    Returns:
        By sigma, then angle; of equivalent rotations the smallest, and of those with one sigma and nearly one angle
        (0.01 degrees) the one with the least strain.

    Raises:
        DataError: No such axis, or no lattice plane perpendicular to it.

    Reference:
        Bollmann, Crystal Defects and Crystalline Interfaces, Springer 1970, doi 10.1007/978-3-642-49173-3.

    Example:
        >>> found = find_coincidences(4.0 * np.eye(3), (0, 0, 1), largest_sigma=13, largest_strain=0.0)
        >>> [(each.sigma, round(each.angle_deg, 2)) for each in found]
        [(5, 36.87), (13, 22.62)]
    """
    cell = np.asarray(cell_A, dtype=float)
    basis, flat, direction = _turned_plane(cell, axis)
    if not 1 <= largest_sigma <= 200:
        raise DataError(f"largest_sigma: expected a whole number from 1 to 200, got {largest_sigma}.")
    if not 0 <= largest_strain <= 0.2:
        raise DataError(f"largest_strain: expected a strain from 0 to 0.2, got {largest_strain}.")
    fold = _symmetry(cell, direction)
    seen: dict[tuple[int, int], tuple[tuple[float, float], Coincidence]] = {}
    for cells in range(1, largest_sigma + 1):
        shapes = [_reduced_plane(np.array([[cells // d, k], [0, d]]), flat) for d in _divisors(cells) for k in range(d)]
        # every other right-handed basis of each
        bases = np.einsum("kij,njl->nkil", _CHANGES, np.array(shapes)).reshape(-1, 2, 2)
        inverses = np.linalg.inv(bases @ flat)
        for first in shapes:
            gradients = inverses @ (first @ flat)
            # singular values of two by two matrices from their squares' sum and product
            half = 0.5 * (gradients**2).sum(axis=(1, 2))
            root = np.sqrt(np.maximum(half**2 - np.linalg.det(gradients) ** 2, 0.0))
            extremes = np.sqrt(np.array([half + root, np.maximum(half - root, 0.0)]))
            for n in np.flatnonzero(np.abs(extremes - 1.0).max(axis=0) <= largest_strain + EXACT):
                angle, strains = _turn_and_strain(first @ flat, bases[n] @ flat)
                angle %= fold
                folded = min(angle, fold - angle)
                strain = max(map(abs, strains))
                if folded < 0.01 and strain < EXACT or math.radians(folded) < 1.01 * strain:
                    continue  # the lattice itself, or no rotation that the strain would not undo
                key = cells, round(100 * folded)
                if key not in seen or (round(strain, 9), angle) < seen[key][0]:
                    seen[key] = (round(strain, 9), angle), _coincidence(axis, basis, first, bases[n], angle, strains)
    found: dict[tuple[int, int], tuple[tuple[float, int, float], Coincidence]] = {}
    for (cells, folded), ((strain, angle), one) in seen.items():
        # of one rotation the smallest cell: larger ones are supercells, which lack the shortest periods
        key, rank = (one.sigma, folded), (strain, cells, angle)
        if one.sigma <= largest_sigma and (key not in found or rank < found[key][0]):
            found[key] = rank, one
    return tuple(sorted((one for _, one in found.values()), key=lambda each: (each.sigma, each.angle_deg)))


def boundary_planes(
    cell_A: ArrayLike, coincidence: Coincidence, *, largest_period_A: float = 60.0
) -> tuple[BoundaryPlane, ...]:
    """Return the planes of a coincidence in which two grains can meet, tilt boundaries by their periods, twist last.

    A tilt boundary contains the axis and a vector of the common cell; its strain is only the one along that vector.

    Args:
        cell_A: Shape (3, 3), Å, as the coincidence was found for.
        coincidence: Of it.
        largest_period_A: Longest vector of the common cell to consider, Å.

    Example:
        >>> cell = 4.0 * np.eye(3)
        >>> sigma_5 = find_coincidences(cell, (0, 0, 1), largest_sigma=5, largest_strain=0.0)[0]
        >>> for plane in boundary_planes(cell, sigma_5, largest_period_A=13.0):
        ...     print(plane.kind, plane.miller_1, plane.miller_2, round(plane.period_A, 2))
        symmetric tilt (-2, 1, 0) (-2, -1, 0) 8.94
        symmetric tilt (-1, -2, 0) (1, -2, 0) 8.94
        symmetric tilt (-3, -1, 0) (-1, -3, 0) 12.65
        symmetric tilt (-1, 3, 0) (-3, 1, 0) 12.65
        twist (0, 0, 1) (0, 0, 1) 8.94
    """
    cell = np.asarray(cell_A, dtype=float)
    lengths = np.linalg.norm(coincidence.vectors_1 @ cell, axis=1)
    reach = int(np.ceil(2.0 * largest_period_A / lengths.min()))
    planes = []
    for i, j in product(range(-reach, reach + 1), repeat=2):
        if math.gcd(i, j) != 1 or (i, j) < (0, 0):
            continue
        along_1, along_2 = (np.array([i, j]) @ vectors for vectors in (coincidence.vectors_1, coincidence.vectors_2))
        if np.linalg.norm(along_1 @ cell) <= largest_period_A:
            planes.append(tilt_plane(cell, coincidence.axis, along_1.tolist(), along_2.tolist()))
    planes.sort(key=lambda plane: (round(plane.period_A, 6), plane.kind != "symmetric tilt", plane.miller_1))
    first, second = coincidence.vectors_1, coincidence.vectors_2
    twist = _plane(cell, first, second, coincidence.angle_deg, "twist")
    return (*planes, twist)


def tilt_plane(cell_A: ArrayLike, axis: Sequence[int], along_1: Sequence[int], along_2: Sequence[int]) -> BoundaryPlane:
    """Return the tilt boundary whose plane holds an axis and a vector of each grain, symmetric or not.

    It needs a strain only where the two vectors differ in length. The angle is the smallest of those that the symmetry
    of the lattice about the axis makes equivalent.

    Args:
        cell_A: Shape (3, 3), Å.
        axis: Lattice vector, integers.
        along_1: Lattice vector of grain 1 that is perpendicular to the axis.
        along_2: Of grain 2, that coincides with it.

    Raises:
        DataError: A vector that is not perpendicular to the axis.

    Example:
        >>> plane = tilt_plane(4.0 * np.eye(3), (0, 0, 1), (2, 1, 0), (2, -1, 0))
        >>> plane.kind, round(plane.angle_deg, 2), plane.strain
        ('symmetric tilt', 36.87, 0.0)
    """
    cell = np.asarray(cell_A, dtype=float)
    _, _, direction = _turned_plane(cell, axis)
    x, y = np.array(along_1) @ cell, np.array(along_2) @ cell
    unit = direction / np.linalg.norm(direction)
    for name, vector in (("along_1", x), ("along_2", y)):
        length = np.linalg.norm(vector)
        if not length or abs(vector @ unit) > PERPENDICULAR * length:
            raise DataError(
                f"{name}: expected a lattice vector perpendicular to the axis {list(axis)}; choose another."
            )
    # grain 2 turns by this to bring its vector onto that of grain 1
    fold = _symmetry(cell, direction)
    angle = math.degrees(math.atan2(np.cross(y, x) @ unit, x @ y)) % fold
    angle = min(angle, fold - angle)
    bare = _plane(cell, np.array([axis, along_1]), np.array([axis, along_2]), angle, "")
    kind = "symmetric tilt" if bare.strain < EXACT and _mirrored(cell, bare) else "asymmetric tilt"
    return replace(bare, kind=kind)


def symmetric_tilt(
    cell_A: ArrayLike,
    axis: Sequence[int],
    *,
    angle_deg: float,
    tolerance_deg: float = 0.25,
    along: Sequence[int] | None = None,
) -> BoundaryPlane:
    """Return the symmetric tilt boundary of the shortest period with about a given angle, such as a low-angle one.

    With m a + n b in grain 1 and m a - n b in grain 2 the two vectors have one length in every lattice whose a and b
    are perpendicular, whatever their ratio, so that no strain is needed. In others the strain is stated.

    Args:
        cell_A: Shape (3, 3), Å.
        axis: Lattice vector, integers.
        angle_deg: Wanted, from 0 to 90 degrees; 0 gives the crystal itself.
        tolerance_deg: By how much the angle may differ, degrees.
        along: Lattice vector perpendicular to the axis along which the boundary of zero angle lies; the shortest one
            where None.

    Raises:
        DataError: An angle beyond these limits, or none near enough with a period below 1000 Å.

    Example:
        >>> low = symmetric_tilt(4.0 * np.eye(3), (0, 0, 1), angle_deg=9.5)
        >>> low.miller_1, round(low.angle_deg, 2), round(low.period_A, 1), low.strain
        ((-1, 12, 0), 9.53, 48.2, 0.0)
    """
    cell = np.asarray(cell_A, dtype=float)
    if not 0.0 <= angle_deg <= 90.0 or not tolerance_deg > 0:
        raise DataError(f"angle_deg: expected an angle from 0 to 90 degrees, got {angle_deg}.")
    basis, _, direction = _turned_plane(cell, axis)
    a = basis[0] if along is None else np.array(along)
    across = np.cross(direction, a @ cell)
    # the shortest lattice vector of the plane that is the most nearly perpendicular to a
    options = [i * basis[0] + j * basis[1] for i, j in product(range(-6, 7), repeat=2)]
    b = min(
        (v for v in options if v @ cell @ across > 1e-9),
        key=lambda v: (round(abs(v @ cell @ a.dot(cell)) / np.linalg.norm(v @ cell), 6), np.linalg.norm(v @ cell)),
    )
    best: tuple[float, list[int], list[int]] | None = None
    x, y = float(np.linalg.norm(a @ cell)), float(np.linalg.norm(b @ cell))
    if angle_deg <= tolerance_deg and angle_deg == 0.0:
        best = (x, a.tolist(), a.tolist())
    else:
        for n in range(1, 40):
            middle = n * y / math.tan(math.radians(angle_deg) / 2.0) / x
            for m in range(max(0, math.floor(middle) - 3), math.ceil(middle) + 4):
                length = math.hypot(m * x, n * y)
                found = 2.0 * math.degrees(math.atan2(n * y, m * x))
                near = abs(found - angle_deg) <= tolerance_deg and math.gcd(m, n) == 1
                if near and length < (1000.0 if best is None else best[0] - 1e-6):
                    plus, minus = m * a + n * b, m * a - n * b
                    content = math.gcd(*map(int, plus)), math.gcd(*map(int, minus))
                    if content[0] == content[1]:
                        plus, minus = plus // content[0], minus // content[0]
                    best = (length, plus.tolist(), minus.tolist())
    if best is None:
        raise DataError(
            f"angle_deg: no symmetric boundary within {tolerance_deg} of {angle_deg} degrees has a period below 1000 "
            "Å; allow a larger tolerance_deg."
        )
    return tilt_plane(cell, axis, best[1], best[2])


def deformations(cell_A: np.ndarray, plane: BoundaryPlane, *, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return what takes each grain's vectors in the plane, in its own frame, to those that both have in common.

    Args:
        cell_A: Shape (3, 3), Å.
        plane: A boundary.
        share: Part of the strain that grain 1 takes, from 0 to 1.

    Returns:
        Shape (2, 2) each: v' = v @ F, with the first vector along x.
    """
    one, two = (_flat(vectors @ cell_A) for vectors in (plane.vectors_1, plane.vectors_2))
    common = (1.0 - share) * one + share * two
    return np.linalg.solve(one, common), np.linalg.solve(two, common)


_CHANGES = [
    np.array(rows).reshape(2, 2) for rows in product((-1, 0, 1), repeat=4) if rows[0] * rows[3] - rows[1] * rows[2] == 1
]
"""Other bases of a plane lattice of the same handedness."""


def _turned_plane(cell: np.ndarray, axis: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a basis of the lattice plane perpendicular to an axis, integers; it in two dimensions, Å; the axis, Å."""
    vector = np.array(axis)
    if vector.shape != (3,) or not np.issubdtype(vector.dtype, np.integer) or math.gcd(*map(int, vector)) != 1:
        raise DataError(f"axis: expected three integers without a common factor, such as (0, 0, 1), got {axis}.")
    direction = vector @ cell
    # the plane perpendicular to r has indices in proportion to r . a, r . b, r . c, rational to a small multiple or not
    indices = cell @ direction
    scaled = indices / np.abs(indices).max()
    for multiple in range(1, 60):
        whole = np.round(scaled * multiple).astype(int)
        if np.abs(scaled * multiple - whole).max() < PERPENDICULAR * 0.1 * multiple:
            basis = plane_vectors(whole, cell)
            cosines = basis @ cell @ direction / np.linalg.norm(basis @ cell, axis=1) / np.linalg.norm(direction)
            if np.abs(cosines).max() < PERPENDICULAR:
                return basis, _flat(basis @ cell), direction
    raise DataError(f"axis: no lattice plane is perpendicular to {list(axis)} in this lattice; choose another axis.")


def _flat(vectors: np.ndarray) -> np.ndarray:
    """Return two vectors in the plane that they span, the first along x, shape (2, 2)."""
    a, b = vectors
    length = np.linalg.norm(a)
    along = a @ b / length
    return np.array([[length, 0.0], [along, np.linalg.norm(np.cross(a, b)) / length]])


def _turn_and_strain(first: np.ndarray, second: np.ndarray) -> tuple[float, tuple[float, float]]:
    """Return the angle, degrees, and principal strains of the map that takes two vectors to two others."""
    gradient = np.linalg.solve(second, first)
    u, stretches, v = np.linalg.svd(gradient)
    rotation = u @ v
    # row vectors: r' = r @ R
    angle = math.degrees(math.atan2(rotation[0, 1] - rotation[1, 0], rotation[0, 0] + rotation[1, 1]))
    return angle, (float(stretches[0] - 1.0), float(stretches[1] - 1.0))


def _symmetry(cell: np.ndarray, direction: np.ndarray) -> float:
    """Return the smallest rotation about an axis, degrees, that leaves the lattice as it is, 360 for none."""
    from scipy.spatial.transform import Rotation

    unit = direction / np.linalg.norm(direction)
    for fold in (60.0, 90.0, 120.0, 180.0):
        turned = cell @ Rotation.from_rotvec(math.radians(fold) * unit).as_matrix().T @ np.linalg.inv(cell)
        if np.abs(turned - np.round(turned)).max() < 1e-5:
            return fold
    return 360.0


def _reduced_plane(whole: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Return the shortest right-handed basis of a sublattice (Gauss), integers."""
    a, b = whole
    while True:
        x, y = a @ flat, b @ flat
        if x @ x > y @ y * (1 + 1e-9):
            a, b = b, a
            continue
        n = round(float(x @ y / (x @ x)))
        if n == 0 or np.linalg.norm((b - n * a) @ flat) > np.linalg.norm(y) * (1 - 1e-9):
            break
        b = b - n * a
    return np.array([a, b if a[0] * b[1] - a[1] * b[0] > 0 else -b])


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def _coincidence(
    axis: Sequence[int],
    basis: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    angle: float,
    strains: tuple[float, float],
) -> Coincidence:
    sigma = _index(np.vstack([basis, axis]), first, second)
    u, v, w = axis
    return Coincidence((u, v, w), angle, sigma, first @ basis, second @ basis, strains)


def _index(frame: np.ndarray, first: np.ndarray, second: np.ndarray) -> int:
    """Return in how many unit cells there is one point that the two lattices have in common.

    In the basis ``frame`` (rows: two vectors of the plane and the axis, integers) the map from grain 2 to 1 is
    rational, M = second^-1 first; in that of the lattice it is frame^-1 M frame = N/d with integers N. Vectors x with
    x N/d whole form a sublattice whose index is the product of d/gcd(d, s) over the elementary divisors s of N.
    """
    # numpy multiplies fractions exactly in arrays of objects
    whole = np.frompyfunc(lambda x: Fraction(int(x)), 1, 1)
    a, b, c, d = (int(x) for x in second.ravel())
    inner = whole(np.eye(3))
    inner[:2, :2] = whole(np.array([[d, -b], [-c, a]])) @ whole(first) / Fraction(a * d - b * c)
    size = round(float(np.linalg.det(frame)))
    inverse = whole(np.round(np.linalg.inv(frame) * size)) / Fraction(size)
    rows = (inverse @ inner @ whole(frame)).tolist()
    common = math.lcm(*(x.denominator for row in rows for x in row))
    n = [[int(x * common) for x in row] for row in rows]
    pairs = ((0, 1), (0, 2), (1, 2))
    minors = [n[i][p] * n[j][q] - n[i][q] * n[j][p] for i, j in pairs for p, q in pairs]
    first_gcd, second_gcd = math.gcd(*(x for row in n for x in row)), math.gcd(*minors)
    total = round(abs(float(np.linalg.det(np.array(n, dtype=float)))))
    divisors = (first_gcd, second_gcd // first_gcd, total // second_gcd)
    return math.prod(common // math.gcd(common, s) for s in divisors)


def _plane(cell: np.ndarray, first: np.ndarray, second: np.ndarray, angle: float, kind: str) -> BoundaryPlane:
    _, strains = _turn_and_strain(_flat(first @ cell), _flat(second @ cell))
    strain = max(map(abs, strains))
    millers = []
    for vectors in (first, second):
        normal = np.cross(*vectors)
        h, k, m = (int(i) for i in normal // math.gcd(*map(int, normal)))
        millers.append((h, k, m))
    period = float(np.linalg.norm(first @ cell, axis=1).max())
    small = 0.0 if strain < 1e-12 else strain
    return BoundaryPlane(first, second, millers[0], millers[1], angle, small, period, kind)


def _mirrored(cell: np.ndarray, plane: BoundaryPlane) -> bool:
    """Tell whether one grain is the mirror image of the other in the plane, as lattices."""
    frames = []
    for vectors in (plane.vectors_1, plane.vectors_2):
        a, b = vectors @ cell
        z = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
        x = a / np.linalg.norm(a)
        frames.append(cell @ np.column_stack([x, np.cross(z, x), z]))
    images = frames[1] * np.array([1.0, 1.0, -1.0]) @ np.linalg.inv(frames[0])
    return bool(np.abs(images - np.round(images)).max() < 1e-4)
