"""Probability density of a mobile ion on a periodic grid, and the free energy that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tammann.characterization.ion_paths import ion_paths, mean_framework, rigid_shift
from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.structures.pairs import heights_of
from tammann.units import BOLTZMANN_EV_PER_K

if TYPE_CHECKING:
    from tammann.trajectory import Trajectory

MOST_VOXELS = 200_000_000
REACH = 4.0
"""Where the Gaussian is cut off, in its widths: what lies beyond is 0.1 % of it."""
FURTHEST_A = 0.3
"""How far apart the frameworks of replicas may lie for their densities to be added, Å."""


@dataclass(frozen=True, eq=False, repr=False)
class IonDensity:
    """Mean number density of the ions of an element in a framework at rest.

    Attributes:
        symbol: The element.
        values_per_A3: At the grid points i/nx, j/ny, k/nz of the cell, Å^-3, shape (nx, ny, nz).
        cell_A: Mean lattice vectors in rows, Å, shape (3, 3).
        n_ions: Number of ions, to which the density integrates.
        n_frames: Frames behind it; of replicas, and of the cells of a supercell, all together.
        duration_ps: Their time, ps.
        smoothing_A: Standard deviation of the Gaussian, Å.
        temperature_K: Of the trajectory, K, or None where it does not say.
        framework: Mean positions of all other atoms, or None where there are none.
    """

    symbol: str
    values_per_A3: np.ndarray
    cell_A: np.ndarray
    n_ions: int
    n_frames: int
    duration_ps: float
    smoothing_A: float
    temperature_K: float | None = None
    framework: Configuration | None = None

    def __post_init__(self) -> None:
        for array in (self.values_per_A3, self.cell_A):
            array.setflags(write=False)

    def __repr__(self) -> str:
        nx, ny, nz = self.shape
        return f"IonDensity({self.n_ions} {self.symbol}, {nx} x {ny} x {nz}, {self.duration_ps:g} ps)"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of grid points along each lattice vector."""
        nx, ny, nz = self.values_per_A3.shape
        return nx, ny, nz

    @property
    def voxel_A3(self) -> float:
        """Volume of a voxel, Å³."""
        return float(abs(np.linalg.det(self.cell_A))) / self.values_per_A3.size

    @property
    def visit_per_A3(self) -> float:
        """Density that one ion leaves at its place in one frame, Å^-3: what is lower is a tail of the smoothing.

        1 / (F (2 pi w²)^1.5) with the F frames and the width w of the Gaussian on the grid; at most one ion a voxel.
        """
        width_A2 = self.smoothing_A**2 + self.voxel_A3 ** (2.0 / 3.0) / 6.0
        return min(1.0 / self.voxel_A3, (2.0 * np.pi * width_A2) ** -1.5) / self.n_frames

    def integral(self) -> float:
        """Return the integral over the cell: the number of ions.

        Example:
            >>> from tammann.trajectory import Trajectory
            >>> round(ion_density(Trajectory.example(), "Mg", spacing_A=1.0).integral(), 9)
            10.0
        """
        return float(self.values_per_A3.sum()) * self.voxel_A3

    def free_energy_eV(self, temperature_K: float | None = None) -> np.ndarray:
        """Return F = -kB T ln(rho / rho_max), eV, shape (nx, ny, nz); infinite where no ion has been.

        Args:
            temperature_K: K; that of the trajectory where None.

        Raises:
            DataError: Neither is known.
        """
        with np.errstate(divide="ignore"):
            return -self.kT_eV(temperature_K) * np.log(self.values_per_A3 / self.values_per_A3.max())

    def kT_eV(self, temperature_K: float | None = None) -> float:
        """Return kB T, eV.

        Raises:
            DataError: No temperature.
        """
        kelvin = self.temperature_K if temperature_K is None else temperature_K
        if kelvin is None or not 0 < kelvin < np.inf:
            raise DataError(f"temperature_K is {kelvin}, expected a number above 0 K; give that of the trajectory.")
        return BOLTZMANN_EV_PER_K * kelvin

    def repeated_cell(self, repeats: tuple[int, int, int]) -> IonDensity:
        """Return the mean over the cells of a supercell: the density in one of them, of better statistics.

        Each cell is a replica, so that frames and time are multiplied; the framework is left out.

        Args:
            repeats: How many cells the supercell holds along each lattice vector.

        Raises:
            DataError: The grid, or the number of ions, cannot be divided.
        """
        if any(n % r or r < 1 for n, r in zip(self.shape, repeats, strict=True)) or self.n_ions % np.prod(repeats):
            raise DataError(
                f"repeats are {list(repeats)}, expected numbers that divide the grid {list(self.shape)} and the "
                f"{self.n_ions} ions; compute the density with multiples_of={list(repeats)}."
            )
        (a, b, c), (nx, ny, nz), cells = repeats, self.shape, int(np.prod(repeats))
        mean = self.values_per_A3.reshape(a, nx // a, b, ny // b, c, nz // c).mean(axis=(0, 2, 4))
        return IonDensity(
            self.symbol, mean, self.cell_A / np.array(repeats)[:, None], self.n_ions // cells,
            self.n_frames * cells, self.duration_ps * cells, self.smoothing_A, self.temperature_K,
        )  # fmt: skip


def ion_density(
    trajectory: Trajectory,
    symbol: str,
    *,
    spacing_A: float = 0.25,
    smoothing_A: float = 0.25,
    multiples_of: tuple[int, int, int] = (1, 1, 1),
    framework: Configuration | None = None,
) -> IonDensity:
    """Return the number density of the ions of an element, averaged over a trajectory and smoothed by a Gaussian.

    rho(r) = 1/F sum_f sum_a G(r - r_a(f)), G a periodic Gaussian of width ``smoothing_A`` cut off at four times that,
    of unit integral on the grid, so that the integral of rho is the number of ions exactly. Each position is shared by
    the eight grid points around it, which widens the Gaussian to sqrt(``smoothing_A``² + h²/6), h the spacing. Any
    triclinic cell; drift of the framework is taken out (``ion_paths``).

    Args:
        trajectory: Unwrapped positions.
        symbol: The element.
        spacing_A: Largest distance between grid points, Å.
        smoothing_A: Standard deviation, Å; 0 for none.
        multiples_of: Numbers of which those of grid points are multiples, as cells of a supercell.
        framework: That of the density of another replica, on which this one is laid; its own where None.

    Raises:
        DataError: There is no such element, a framework of other atoms, or a grid out of range.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> ion_density(Trajectory.example(), "Mg", spacing_A=1.0)
        IonDensity(10 Mg, 20 x 20 x 20, 199.9 ps)
    """
    from tammann.characterization.density_kernels import spread_counts  # numba is slow to import

    if not 0.01 <= spacing_A <= 10.0 or not 0.0 <= smoothing_A <= 10.0:
        raise DataError(
            f"spacing_A, smoothing_A: expected 0.01 to 10 Å and 0 to 10 Å, got {spacing_A:g} and {smoothing_A:g}."
        )
    if len(multiples_of) != 3 or min(multiples_of) < 1:
        raise DataError(f"multiples_of is {list(multiples_of)}, expected three whole numbers of 1 or more.")
    cell = trajectory.cells.mean(axis=0)
    lengths = np.linalg.norm(cell, axis=1)
    shape = [int(m * max(1, np.ceil(n / spacing_A / m - 1e-9))) for n, m in zip(lengths, multiples_of, strict=True)]
    if np.prod(shape) > MOST_VOXELS:
        raise DataError(f"spacing_A {spacing_A:g} makes {np.prod(shape):.2g} voxels, expected at most 2e8; widen it.")
    counts, ions = np.zeros(shape), 0
    for _, paths in ion_paths(trajectory, symbol, framework=framework):
        ions = paths.shape[1]
        spread_counts(np.ascontiguousarray(paths.reshape(-1, 3)), counts)
    if smoothing_A > 0.0:
        counts = _smoothed(counts, cell, smoothing_A)
    values = counts * (ions / counts.sum()) / (abs(np.linalg.det(cell)) / counts.size)
    same = {name: getattr(trajectory, name) for name in ("n_frames", "duration_ps", "temperature_K")}
    own = mean_framework(trajectory, symbol)
    if own is not None and framework is not None:
        own = replace(own, positions_A=own.positions_A + rigid_shift(own, framework) @ cell)
    return IonDensity(symbol, values, cell.copy(), ions, smoothing_A=smoothing_A, framework=own, **same)


def mean_density(densities: Sequence[IonDensity]) -> IonDensity:
    """Return the mean of densities of replicas, on one grid, weighted with their frames.

    Raises:
        DataError: None, densities of different ions or on different grids, or frameworks that do not lie upon each
            other.

    Example:
        >>> from tammann.trajectory import Trajectory
        >>> one = ion_density(Trajectory.example(), "Mg", spacing_A=1.0)
        >>> mean_density([one, one]).n_frames
        4000
    """
    if len({(d.symbol, d.shape, d.n_ions) for d in densities}) != 1:
        raise DataError("densities: expected one or more, of the same ions on the same grid.")
    first = densities[0].framework
    for k, each in enumerate(densities[1:], 1):
        if first is not None and each.framework is not None:
            away = float(np.linalg.norm(rigid_shift(each.framework, first) @ densities[0].cell_A))
            if away > FURTHEST_A:
                raise DataError(
                    f"densities: the framework of number {k} lies {away:.2f} Å from that of number 0, expected at most "
                    f"{FURTHEST_A:g} Å; compute it with framework= that of number 0."
                )
    frames = np.array([d.n_frames for d in densities])
    values = sum(d.values_per_A3 * (n / frames.sum()) for d, n in zip(densities, frames, strict=True))
    duration = sum(d.duration_ps for d in densities)
    return replace(densities[0], values_per_A3=np.asarray(values), n_frames=int(frames.sum()), duration_ps=duration)


def _smoothed(counts: np.ndarray, cell_A: np.ndarray, width_A: float) -> np.ndarray:
    """Convolve with a periodic Gaussian, sampled on the grid and of unit sum; nothing becomes negative."""
    from scipy import fft

    shape = np.array(counts.shape)
    reach = np.ceil(REACH * width_A / heights_of(cell_A) * shape).astype(int)
    offsets = [np.arange(-n, n + 1) for n in reach]
    steps = np.stack(np.meshgrid(*offsets, indexing="ij"), axis=-1).reshape(-1, 3)
    squares = np.einsum("ij,ij->i", (steps / shape) @ cell_A, (steps / shape) @ cell_A)
    near = squares <= (REACH * width_A) ** 2
    kernel = np.zeros(counts.shape)
    np.add.at(kernel, tuple((steps[near] % shape).T), np.exp(-0.5 * squares[near] / width_A**2))
    kernel /= kernel.sum()
    smooth = fft.irfftn(fft.rfftn(counts) * fft.rfftn(kernel), counts.shape)
    # where no ion has been within reach round-off is left
    return np.asarray(np.where(smooth > 1e-12 * smooth.max(), smooth, 0.0))
