"""Sums of squares of a linear fit: all that the data have to say, whatever the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tammann.potentials.ace import kernel
from tammann.potentials.ace.model import AceModel
from tammann.potentials.ace.neighbours import find_neighbours
from tammann.potentials.dataset import DataSet, Frame

BLOCK_ROWS = 2_000
"""Rows that are multiplied at once."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The sum of squared residuals of one quantity, as a function of the coefficients.

    sum (A c - y)^2 = c^T G c - 2 b^T c + s.

    Attributes:
        gram: G = A^T A, shape (P, P).
        projection: b = A^T y, shape (P,).
        squares: s = y^T y.
        rows: Number of rows of A, or the sum of their weights.
    """

    gram: np.ndarray
    projection: np.ndarray
    squares: float
    rows: float

    def __add__(self, other: Quadratic) -> Quadratic:
        return Quadratic(
            self.gram + other.gram,
            self.projection + other.projection,
            self.squares + other.squares,
            self.rows + other.rows,
        )

    def rmse(self, coefficients: np.ndarray) -> float:
        """Return the (weighted) root mean squared residual, nan without rows."""
        if not self.rows:
            return float("nan")
        c = coefficients
        return float(np.sqrt(max(c @ self.gram @ c - 2 * self.projection @ c + self.squares, 0.0) / self.rows))


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums of squares of energies per atom (eV), forces (eV/Å) and virials per atom (eV) of a data set.

    Attributes:
        energy: One row a frame.
        force: Three rows an atom.
        virial: Six rows a frame.
        environments: For each species the invariant functions of its atoms, shape (number of atoms, K).
    """

    energy: Quadratic
    force: Quadratic
    virial: Quadratic
    environments: tuple[np.ndarray, ...]

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.energy + other.energy,
            self.force + other.force,
            self.virial + other.virial,
            tuple(np.concatenate(pair) for pair in zip(self.environments, other.environments, strict=True)),
        )


def compute_moments(
    data: DataSet | Sequence[Frame],
    empty: AceModel,
    *,
    weights: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
) -> Moments:
    """Return the sums of squares of labelled frames over the basis of a model whose coefficients are zero.

    Repulsion and reference energies of the model are subtracted from the labels. Columns are the functions of each
    species in turn and then one reference energy a species.

    Args:
        data: Frames; those without forces or stress add no such rows.
        empty: Basis, lengths, reference energies.
        weights: Weight of the squares of each frame, shape (number of frames,); 1 where None.
        progress: Called with the done fraction.
    """
    basis = empty.basis
    s, k = len(basis.elements), len(basis)
    size = s * k + s
    sums = [_Sum(size) for _ in range(3)]
    environments: list[list[np.ndarray]] = [[] for _ in range(s)]
    each = np.ones(len(data)) if weights is None else weights
    for done, (frame, weight) in enumerate(zip(data, each, strict=True)):
        atoms = frame.configuration
        species = empty.species(atoms.symbols)
        n = len(species)
        positions = np.ascontiguousarray(atoms.positions_A)
        cell = np.ascontiguousarray(atoms.cell_A)
        zero = empty.single(atoms.symbols, positions, cell, functions=False)
        energy, force, virial, functions = rows_of(empty, positions, cell, species)
        count = np.bincount(species, minlength=s)
        for z in range(s):
            environments[z].append(functions[species == z])
        if frame.energy_eV is not None:
            sums[0].add(
                np.concatenate([energy, count])[None] / n, [(frame.energy_eV - zero.energies_eV.sum()) / n], weight
            )
        if frame.forces_eV_per_A is not None:
            target = (frame.forces_eV_per_A - zero.forces_eV_per_A).ravel()
            sums[1].add(np.hstack([force, np.zeros((3 * n, s))]), target, weight)
        if frame.stress_eV_per_A3 is not None:
            target = frame.stress_eV_per_A3 * abs(np.linalg.det(cell)) - zero.virial_eV
            target = 0.5 * (target + target.T)
            symmetric = 0.5 * (virial + virial[[0, 3, 6, 1, 4, 7, 2, 5, 8]])
            six = [0, 4, 8, 5, 2, 1]
            sums[2].add(np.hstack([symmetric[six], np.zeros((6, s))]) / n, target.ravel()[six] / n, weight)
        if progress is not None:
            progress((done + 1) / len(data))
    energies, forces, virials = (total.quadratic() for total in sums)
    return Moments(
        energies,
        forces,
        virials,
        tuple(np.concatenate(rows) if rows else np.zeros((0, k)) for rows in environments),
    )


def rows_of(
    model: AceModel, positions: np.ndarray, cell: np.ndarray, species: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return what each coefficient adds to energy, forces and virial; see ``kernel.design_rows``."""
    basis, radii = model.basis, model.radii
    neighbours = find_neighbours(positions, cell, radii.cutoff)
    begin = np.searchsorted(basis.a_species, np.arange(len(basis.elements) + 1)).astype(np.int64)
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] = kernel.design_rows(
        positions, species, len(basis.elements), neighbours.first, neighbours.indices, neighbours.images @ cell,
        radii.scales, radii.inner, radii.width, radii.cutoff, basis.n_radial, basis.l_max, kernel.NORMS,
        begin, basis.a_radial, basis.a_harmonic, basis.products, basis.rows, basis.columns, basis.values,
    )  # fmt: skip
    return rows


class _Sum:
    """Rows gathered into blocks, since one large product is faster than many small ones."""

    def __init__(self, size: int) -> None:
        self.gram, self.projection = np.zeros((size, size)), np.zeros(size)
        self.squares, self.rows = 0.0, 0.0
        self.waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, rows: np.ndarray, targets: Sequence[float] | np.ndarray, weight: float) -> None:
        root = np.sqrt(weight)
        self.waiting.append((root * rows, root * np.asarray(targets, dtype=float)))
        self.rows += weight * len(rows)
        if sum(len(part) for part, _ in self.waiting) >= BLOCK_ROWS:
            self._empty()

    def _empty(self) -> None:
        if self.waiting:
            a = np.concatenate([part for part, _ in self.waiting])
            y = np.concatenate([part for _, part in self.waiting])
            self.gram += a.T @ a
            self.projection += a.T @ y
            self.squares += float(y @ y)
            self.waiting = []

    def quadratic(self) -> Quadratic:
        self._empty()
        return Quadratic(self.gram, self.projection, self.squares, self.rows)
