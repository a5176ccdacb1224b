"""Crystals cut along any lattice plane, in layers of whole unit cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError
from tammann.structures.configuration import Configuration


@dataclass(frozen=True, eq=False)
class Cut:
    """A crystal seen along the normal of one of its lattice planes.

    In its frame the first vector of the plane lies along x and the normal along z. A layer, ``spacing_A`` thick, holds
    whole unit cells wherever it begins, so that a slab of whole layers keeps the stoichiometry.

    Attributes:
        crystal: Unit cell.
        vectors: Two lattice vectors that span the plane, and one of the next layer, shape (3, 3), integers.
        miller: Miller indices of the plane.
        turn: Shape (3, 3), r in the frame = r @ ``turn``.
        cells: Unit cells in a layer.
    """

    crystal: Configuration
    vectors: np.ndarray
    miller: tuple[int, int, int]
    turn: np.ndarray
    cells: int

    @property
    def frame_A(self) -> np.ndarray:
        """``vectors`` in the frame, shape (3, 3), Å."""
        return np.asarray(self.vectors @ self.crystal.cell_A @ self.turn)

    @property
    def spacing_A(self) -> float:
        """Thickness of a layer, Å."""
        return float(self.frame_A[2, 2])


def cut_along(crystal: Configuration, first: ArrayLike, second: ArrayLike) -> Cut:
    """Return a crystal cut along the plane of two lattice vectors.

    Args:
        crystal: Unit cell.
        first: Lattice vector, three integers.
        second: Another.

    Raises:
        DataError: Not integers, or parallel vectors.

    Example:
        >>> cut_along(Configuration(("Po",), np.zeros((1, 3)), 3.35 * np.eye(3)), [0, 0, 1], [2, 1, 0]).miller
        (-1, 2, 0)
    """
    plane = np.array([first, second])
    if plane.shape != (2, 3) or not np.issubdtype(plane.dtype, np.integer):
        raise DataError(f"vectors: expected two lattice vectors of three integers each, got {plane.tolist()}.")
    normal = np.cross(*plane)
    cells = math.gcd(*map(int, normal))
    if cells == 0:
        raise DataError(f"vectors: {plane[0].tolist()} and {plane[1].tolist()} are parallel; they span no plane.")
    miller = normal // cells
    right = np.sign(np.linalg.det(crystal.cell_A))
    if right < 0:
        raise DataError("crystal: expected a right-handed cell, got a left-handed one; reverse one of its vectors.")
    out = _next_layer(*map(int, miller))
    a, b = plane @ crystal.cell_A
    z = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
    x = a / np.linalg.norm(a)
    turn = np.column_stack([x, np.cross(z, x), z])
    h, k, m = map(int, miller)
    return Cut(crystal, np.vstack([plane, out]), (h, k, m), turn, cells)


def plane_vectors(miller: ArrayLike, cell_A: np.ndarray) -> np.ndarray:
    """Return two short lattice vectors that span the lattice plane of Miller indices, shape (2, 3), integers.

    Raises:
        DataError: Not three integers, or all zero.

    Example:
        >>> plane_vectors([1, 1, 0], np.eye(3)).tolist()
        [[0, 0, 1], [1, -1, 0]]
    """
    indices = np.array(miller)
    if indices.shape != (3,) or not np.issubdtype(indices.dtype, np.integer) or not indices.any():
        raise DataError(f"miller: expected three integers, not all zero, got {np.array(miller).tolist()}.")
    h, k, m = (int(i) // math.gcd(*map(int, indices)) for i in indices)
    g, s, t = _bezout(h, k)
    # (k, -h, 0)/g lies in the plane; so does (-s m, -t m, g)
    basis = np.array([[k // g, -h // g, 0], [-s * m, -t * m, g]]) if g else np.array([[1, 0, 0], [0, 1, 0]])
    basis = shortest_basis(basis, cell_A)
    if np.cross(*basis) @ np.array([h, k, m]) < 0:
        basis[1] *= -1
    return basis


def layers(cut: Cut, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the atoms between two heights, both inclusive, in the frame of a cut.

    Args:
        cut: A crystal cut along a plane.
        low: In layers, from the plane through the origin of the unit cell.
        high: In layers.

    Returns:
        Positions, shape (N, 3), Å, not wrapped along the plane, and of which atom of the unit cell each is an image,
        shape (N,). From ``low`` to just below ``low`` + n layers these are n times ``cut.cells`` unit cells.
    """
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) @ cut.vectors
    ranges = [np.arange(a, b + 1) for a, b in zip(corners.min(axis=0), corners.max(axis=0), strict=True)]
    points = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[points @ np.array(cut.miller) == 0]
    # exactly, in integers: coordinates of the points along the vectors, times the number of cells
    adjugate = np.round(np.linalg.inv(cut.vectors) * cut.cells).astype(int)
    inside = points @ adjugate
    points = points[((inside >= 0) & (inside < cut.cells)).all(axis=1)]
    fractional = cut.crystal.positions_A @ np.linalg.inv(cut.crystal.cell_A)
    heights = fractional @ np.array(cut.miller)
    positions, kinds = [], []
    for atom, height in enumerate(heights):
        for layer in range(math.ceil(low - height - 1e-6), math.floor(high - height + 1e-6) + 1):
            positions.append(fractional[atom] + points + layer * cut.vectors[2])
            kinds.append(np.full(len(points), atom))
    return np.concatenate(positions) @ cut.crystal.cell_A @ cut.turn, np.concatenate(kinds)


def slab(
    crystal: Configuration, miller: ArrayLike, *, thickness_A: float, vacuum_A: float = 0.0, cut: float = 0.0
) -> Configuration:
    """Return a slab of a crystal along a lattice plane, in whole layers, with vacuum above it.

    Args:
        crystal: Unit cell.
        miller: Miller indices of the plane, which refer to that cell.
        thickness_A: Approximate thickness, Å; at least one layer.
        vacuum_A: Empty space above it, Å.
        cut: Where its lowest layer begins, in layers from the origin of the unit cell: another termination.

    Returns:
        The slab with the label ``surface_distance_A``: distance to the nearer surface, Å. Without vacuum it is the
        crystal in another cell.

    Raises:
        DataError: No plane, or lengths that are not positive.

    Example:
        >>> salt = Configuration(("Na", "Cl"), np.array([[0, 0, 0], [2.8, 0, 0]]), 2.8 * (1 - np.eye(3)))
        >>> slab(salt, [1, 1, 1], thickness_A=12.0, vacuum_A=10.0)
        Configuration(NaCl, 8 atoms, 311.4 Å3)
    """
    if not thickness_A > 0 or not vacuum_A >= 0:
        raise DataError(f"slab: expected a thickness above 0 Å and no negative vacuum, got {thickness_A}, {vacuum_A}.")
    made = cut_along(crystal, *plane_vectors(miller, crystal.cell_A))
    number = max(1, round(thickness_A / made.spacing_A))
    positions, kinds = layers(made, cut, cut + number - 3e-6)
    cell = made.frame_A * np.array([[1.0], [1.0], [number]])
    cell[2, 2] += vacuum_A
    positions[:, 2] -= cut * made.spacing_A
    depth = np.minimum(positions[:, 2], number * made.spacing_A - positions[:, 2])
    symbols = tuple(crystal.symbols[k] for k in kinds.tolist())
    return Configuration(symbols, positions, upright(cell), None, {"surface_distance_A": depth})


def upright(cell_A: np.ndarray) -> np.ndarray:
    """Return an equivalent cell whose third vector leans by no more than half of the others.

    Example:
        >>> upright(np.array([[4.0, 0, 0], [0, 4, 0], [7, -5, 9]])).tolist()
        [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [-1.0, -1.0, 9.0]]
    """
    cell = cell_A.copy()
    cell[2] -= np.round(np.linalg.solve(cell[:2, :2].T, cell[2, :2]) - 1e-9) @ cell[:2]
    return cell


def _bezout(a: int, b: int) -> tuple[int, int, int]:
    """Return the greatest common divisor g of two integers, and s, t with s a + t b = g."""
    old, new, s, s_new, t, t_new = a, b, 1, 0, 0, 1
    while new:
        q = old // new
        old, new = new, old - q * new
        s, s_new, t, t_new = s_new, s - q * s_new, t_new, t - q * t_new
    return (old, s, t) if old >= 0 else (-old, -s, -t)


def _next_layer(h: int, k: int, m: int) -> np.ndarray:
    """Return a lattice vector one layer up: its product with coprime Miller indices is 1."""
    g, s, t = _bezout(h, k)
    _, u, v = _bezout(g, m)
    return np.array([u * s, u * t, v])


def shortest_basis(basis: np.ndarray, cell_A: np.ndarray) -> np.ndarray:
    """Return the shortest two vectors of the lattice of two (Gauss), the shorter first.

    Example:
        >>> shortest_basis(np.array([[1, 0, 0], [3, 1, 0]]), np.eye(3)).tolist()
        [[1, 0, 0], [0, 1, 0]]
    """
    a, b = basis
    while True:
        if np.linalg.norm(a @ cell_A) > np.linalg.norm(b @ cell_A) * (1 + 1e-9):
            a, b = b, a
        x, y = a @ cell_A, b @ cell_A
        n = round(float(x @ y / (x @ x)))
        if n == 0 or np.linalg.norm((b - n * a) @ cell_A) > np.linalg.norm(y) * (1 - 1e-9):
            return np.array([a, b])
        b = b - n * a
