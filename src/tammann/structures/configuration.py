"""Atoms in a periodic cell, with conversions to and from other packages."""

from __future__ import annotations

import io
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Structure


def wrapped(positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return fractional coordinates within the cell, shape (N, 3)."""
    fractional = positions @ np.linalg.inv(cell)
    return np.asarray(fractional - np.floor(fractional))


@dataclass(frozen=True, eq=False, repr=False)
class Configuration:
    """Atoms at one instant, in a periodic cell.

    Attributes:
        symbols: Element of each of the N atoms.
        positions_A: Shape (N, 3), Å, Cartesian; they may lie outside the cell.
        cell_A: Shape (3, 3), Å, rows are the lattice vectors.
        velocities_A_per_ps: Shape (N, 3), Å/ps, or None where they are unknown.

    Raises:
        DataError: Arrays of the wrong shape, values that are not finite, or a cell without volume.

    Example:
        >>> import numpy as np
        >>> Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        Configuration(BaO, 2 atoms, 175.6 Å3)
    """

    symbols: tuple[str, ...]
    positions_A: np.ndarray
    cell_A: np.ndarray
    velocities_A_per_ps: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.symbols)
        for name, shape in (("positions_A", (n, 3)), ("cell_A", (3, 3)), ("velocities_A_per_ps", (n, 3))):
            if getattr(self, name) is None and name == "velocities_A_per_ps":
                continue
            array = np.array(getattr(self, name), dtype=float)
            if array.shape != shape:
                raise DataError(f"{name} has shape {array.shape}, expected {shape} for {n} atoms.")
            if not np.isfinite(array).all():
                raise DataError(f"{name} has a value that is not finite; the run that gave it has exploded.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if n == 0 or not self.volume_A3 > 0:
            raise DataError(f"expected at least one atom in a cell with a volume, got {n} in {self.volume_A3:g} Å³.")

    def __repr__(self) -> str:
        counts = Counter(self.symbols)
        units = math.gcd(*counts.values())
        formula = "".join(f"{symbol}{n // units if n > units else ''}" for symbol, n in counts.items())
        return f"Configuration({formula}, {self.n_atoms} atom{'s' * (self.n_atoms > 1)}, {self.volume_A3:.1f} Å3)"

    @property
    def n_atoms(self) -> int:
        """Number of atoms N."""
        return len(self.symbols)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell, Å³."""
        return float(abs(np.linalg.det(self.cell_A)))

    def at_volume(self, volume_A3: float) -> Configuration:
        """Return the same atoms with cell and positions scaled to another volume, Å³.

        Example:
            >>> import numpy as np
            >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [1.0, 0, 0]]), 2.0 * np.eye(3))
            >>> pair.at_volume(64.0).positions_A[1].round(6).tolist()
            [2.0, 0.0, 0.0]
        """
        scale = (volume_A3 / self.volume_A3) ** (1.0 / 3.0)
        return replace(self, positions_A=self.positions_A * scale, cell_A=self.cell_A * scale)

    def to_ase(self) -> Atoms:
        """Return ASE ``Atoms``, with velocities in the units of ASE where they are known."""
        from ase import Atoms, units

        v = None if self.velocities_A_per_ps is None else self.velocities_A_per_ps / (1000.0 * units.fs)
        return Atoms(list(self.symbols), positions=self.positions_A, cell=self.cell_A, pbc=True, velocities=v)

    @classmethod
    def from_ase(cls, atoms: Atoms) -> Configuration:
        """Return the configuration of ASE ``Atoms``, with their velocities where they have momenta.

        Raises:
            DataError: No cell.
        """
        from ase import units

        v = atoms.get_velocities() * (1000.0 * units.fs) if atoms.has("momenta") else None
        return cls(tuple(atoms.get_chemical_symbols()), atoms.positions, atoms.cell.array, v)

    def to_pymatgen(self) -> Structure:
        """Return a pymatgen ``Structure``, positions wrapped into the cell."""
        from pymatgen.core.structure import Structure

        return Structure(
            self.cell_A, list(self.symbols), self.positions_A, coords_are_cartesian=True, to_unit_cell=True
        )

    @classmethod
    def from_pymatgen(cls, structure: Structure) -> Configuration:
        """Return the configuration of an ordered pymatgen ``Structure``."""
        return cls(tuple(site.specie.symbol for site in structure), structure.cart_coords, structure.lattice.matrix)

    def to_extxyz(self) -> str:
        """Return the text of an extended XYZ file; velocities are left out."""
        lattice = " ".join(f"{x:.6f}" for x in self.cell_A.ravel())
        head = f'{self.n_atoms}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"\n'
        rows = zip(self.symbols, self.positions_A, strict=True)
        return head + "".join(f"{symbol} {x:.5f} {y:.5f} {z:.5f}\n" for symbol, (x, y, z) in rows)

    @classmethod
    def from_extxyz(cls, text: str) -> Configuration:
        """Return the configuration in the text of an extended XYZ file.

        Raises:
            DataError: Not such a text, or no cell.

        Example:
            >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
            >>> Configuration.from_extxyz(pair.to_extxyz())
            Configuration(BaO, 2 atoms, 175.6 Å3)
        """
        from ase.io import read

        try:
            atoms: Any = read(io.StringIO(text), format="extxyz")
        except Exception as error:  # ASE raises many kinds
            raise DataError(f"expected the text of an extended XYZ file, got another one ({error}).") from None
        return cls.from_ase(atoms)
