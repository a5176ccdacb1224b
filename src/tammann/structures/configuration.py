"""Atoms in a periodic cell, with conversions to and from other packages."""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tammann.errors import DataError

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Structure

TAKEN = frozenset("id type species symbols numbers pos positions momenta velocities".split())
"""Names of columns in files of atoms, which no label can have."""
NO_LABELS: Mapping[str, np.ndarray] = MappingProxyType({})


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
        labels: Further numbers of each atom by name, such as ``grain`` or ``boundary_distance_A``: shape (N,) or
            (N, k), integers, booleans or floats. Every file that ``write_structure`` writes has them as columns.

    Raises:
        DataError: Arrays of the wrong shape, values that are not finite, a name that no label can have, or a cell
            without volume.

    Example:
        >>> import numpy as np
        >>> Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        Configuration(BaO, 2 atoms, 175.6 Å3)
    """

    symbols: tuple[str, ...]
    positions_A: np.ndarray
    cell_A: np.ndarray
    velocities_A_per_ps: np.ndarray | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=lambda: NO_LABELS)

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
        labels = {name: _label(name, values, n) for name, values in self.labels.items()}
        object.__setattr__(self, "labels", MappingProxyType(labels))

    def __reduce__(self) -> tuple[Any, ...]:
        # for worker processes: a view of a dictionary that cannot be written to cannot be pickled
        v = self.velocities_A_per_ps
        return Configuration, (self.symbols, self.positions_A, self.cell_A, v, dict(self.labels))

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

    def with_labels(self, **labels: ArrayLike) -> Configuration:
        """Return the same atoms with further labels, or others in the place of those of the same names.

        Raises:
            DataError: As the class itself.

        Example:
            >>> import numpy as np
            >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
            >>> pair.with_labels(grain=[0, 1]).labels["grain"].tolist()
            [0, 1]
        """
        return replace(self, labels={**self.labels, **{name: np.asarray(values) for name, values in labels.items()}})

    def take(self, atoms: ArrayLike) -> Configuration:
        """Return some of the atoms, with their velocities and labels, in the same cell.

        Args:
            atoms: Numbers of the atoms, in the order wanted, or a boolean for each of the N atoms.

        Example:
            >>> import numpy as np
            >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
            >>> pair.with_labels(grain=[0, 1]).take([1]).labels["grain"].tolist()
            [1]
        """
        chosen = np.arange(self.n_atoms)[np.asarray(atoms)]
        v = self.velocities_A_per_ps
        return Configuration(
            tuple(np.array(self.symbols, dtype=object)[chosen].tolist()),
            self.positions_A[chosen],
            self.cell_A,
            None if v is None else v[chosen],
            {name: values[chosen] for name, values in self.labels.items()},
        )

    def to_ase(self) -> Atoms:
        """Return ASE ``Atoms``: velocities in the units of ASE where they are known, labels as arrays."""
        from ase import Atoms, units

        v = None if self.velocities_A_per_ps is None else self.velocities_A_per_ps / (1000.0 * units.fs)
        atoms = Atoms(list(self.symbols), positions=self.positions_A, cell=self.cell_A, pbc=True, velocities=v)
        for name, values in self.labels.items():
            atoms.set_array(name, values)
        return atoms

    @classmethod
    def from_ase(cls, atoms: Atoms, *, labels: bool = False) -> Configuration:
        """Return the configuration of ASE ``Atoms``, with their velocities where they have momenta.

        Args:
            atoms: With a cell.
            labels: Whether other arrays of numbers become labels.

        Raises:
            DataError: No cell.
        """
        from ase import units

        v = atoms.get_velocities() * (1000.0 * units.fs) if atoms.has("momenta") else None
        found = {name: values for name, values in atoms.arrays.items() if labels and _may_label(name, values)}
        return cls(tuple(atoms.get_chemical_symbols()), atoms.positions, atoms.cell.array, v, found)

    def to_pymatgen(self) -> Structure:
        """Return a pymatgen ``Structure``, positions wrapped into the cell."""
        from pymatgen.core.structure import Structure

        return Structure(
            self.cell_A, list(self.symbols), self.positions_A, coords_are_cartesian=True, to_unit_cell=True
        )

    @classmethod
    def from_pymatgen(cls, structure: Structure) -> Configuration:
        """Return the configuration of an ordered pymatgen ``Structure``.

        Raises:
            DataError: A site is shared by elements, or empty in part.
        """
        for site in structure:
            if not site.is_ordered:
                raise DataError(
                    f"structure: expected an element on every site, got one of {site.species_string}; order it first "
                    "(tammann.structures.ordering)."
                )
        return cls(tuple(site.specie.symbol for site in structure), structure.cart_coords, structure.lattice.matrix)

    def to_extxyz(self) -> str:
        """Return the text of an extended XYZ file with the labels as columns; velocities are left out."""
        lattice = " ".join(f"{x:.6f}" for x in self.cell_A.ravel())
        kinds = {"i": ("I", "%d"), "u": ("I", "%d"), "b": ("L", "%s"), "f": ("R", "%.6g")}
        properties, form, columns = "species:S:1:pos:R:3", "%s %.5f %.5f %.5f", [*self.positions_A.T]
        for name, values in self.labels.items():
            kind, number = kinds[values.dtype.kind]
            table = values.reshape(self.n_atoms, -1)
            properties += f":{name}:{kind}:{table.shape[1]}"
            form += f" {number}" * table.shape[1]
            columns += [*(np.where(table, "T", "F") if kind == "L" else table).T]
        head = f'{self.n_atoms}\nLattice="{lattice}" Properties={properties} pbc="T T T"\n'
        rows = zip(self.symbols, *(column.tolist() for column in columns), strict=True)
        return head + "".join([f"{form}\n" % row for row in rows])

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
        return cls.from_ase(atoms, labels=True)


def _may_label(name: str, values: np.ndarray) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*", name) is not None and name not in TAKEN and values.dtype.kind in "iubf"


def _label(name: str, values: ArrayLike, n: int) -> np.ndarray:
    """Return a label as an array that cannot be written to."""
    array = np.array(values)
    if not _may_label(name, array):
        raise DataError(
            f"label {name!r}: expected numbers under a name of letters, digits and underscores other than "
            f"{', '.join(sorted(TAKEN))}, got {array.dtype.name}; rename or convert it."
        )
    if array.ndim not in (1, 2) or len(array) != n:
        raise DataError(f"label {name!r} has shape {array.shape}, expected ({n},) or ({n}, k) for {n} atoms.")
    if not np.isfinite(array).all():
        raise DataError(f"label {name!r} has a value that is not finite; leave it out or say what it stands for.")
    array.setflags(write=False)
    return array
