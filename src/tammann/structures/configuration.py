"""Atoms in a box, as every engine of molecular dynamics takes and returns them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tammann.errors import DataError

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

__all__ = ["Configuration"]


@dataclass(frozen=True, eq=False)
class Configuration:
    """Atoms at one instant, in a periodic cell.

    Attributes:
        symbols: Element of each of the N atoms.
        positions_A: Shape (N, 3), Å, Cartesian; they need not lie inside the cell.
        cell_A: Shape (3, 3), Å, rows are the lattice vectors.
        velocities_A_per_ps: Shape (N, 3), Å/ps, or None where there are none yet.

    Raises:
        DataError: Arrays that do not fit, values that are not finite, or a cell without volume.

    Example:
        >>> import numpy as np
        >>> salt = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> round(salt.volume_A3, 3), salt.n_atoms
        (175.616, 2)
    """

    symbols: tuple[str, ...]
    positions_A: np.ndarray
    cell_A: np.ndarray
    velocities_A_per_ps: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.symbols)
        for name, shape in (("positions_A", (n, 3)), ("cell_A", (3, 3)), ("velocities_A_per_ps", (n, 3))):
            value = getattr(self, name)
            if value is None and name == "velocities_A_per_ps":
                continue
            array = np.array(value, dtype=float)
            if array.shape != shape:
                raise DataError(f"{name} has shape {array.shape}, expected {shape} for {n} atoms.")
            if not np.isfinite(array).all():
                raise DataError(f"{name} has a value that is not finite; the run that gave it has exploded.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if n == 0 or not self.volume_A3 > 0:
            raise DataError(f"expected at least one atom in a cell with a volume, got {n} in {self.volume_A3:g} Å³.")

    @property
    def n_atoms(self) -> int:
        """Number of atoms N."""
        return len(self.symbols)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell, Å³."""
        return float(abs(np.linalg.det(self.cell_A)))

    def at_volume(self, volume_A3: float) -> Configuration:
        """The same atoms with cell and positions stretched alike to another volume.

        Args:
            volume_A3: Of the new cell, Å³.

        Example:
            >>> import numpy as np
            >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [1.0, 0, 0]]), 2.0 * np.eye(3))
            >>> pair.at_volume(64.0).positions_A[1].round(6).tolist()
            [2.0, 0.0, 0.0]
        """
        stretch = (volume_A3 / self.volume_A3) ** (1.0 / 3.0)
        return replace(self, positions_A=self.positions_A * stretch, cell_A=self.cell_A * stretch)

    def to_pymatgen(self) -> Structure:
        """The same as a pymatgen ``Structure``, positions wrapped into the cell."""
        from pymatgen.core.lattice import Lattice
        from pymatgen.core.structure import Structure

        return Structure(
            Lattice(self.cell_A),
            list(self.symbols),
            self.positions_A,
            coords_are_cartesian=True,
            to_unit_cell=True,
        )
