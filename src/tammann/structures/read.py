"""Crystals from files: CIF, POSCAR, extended XYZ and whatever else ASE reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.structures.configuration import Configuration

LAMMPS = (".data", ".lmp")
VACUUM_A = 10.0
"""On every side of atoms that have no cell."""


def read_structure(path: str | Path) -> Configuration:
    r"""Return the (last) configuration in a file, with further columns of an extended XYZ file as labels.

    Args:
        path: Any format that ASE reads with a cell; the name says which.

    Raises:
        DataError: There is no such file, it cannot be read, or it has no cell.

    Example:
        >>> import pathlib, tempfile
        >>> text = '2\nLattice="4 0 0 0 4 0 0 0 4"\nCs 0 0 0\nCl 2 2 2\n'
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "cscl.xyz"
        >>> _ = file.write_text(text)
        >>> read_structure(file)
        Configuration(CsCl, 2 atoms, 64.0 Å3)
    """
    return _read(path, -1)[0]


def read_structures(path: str | Path) -> tuple[Configuration, ...]:
    r"""Return all configurations in a file, as ``read_structure`` the last.

    Args:
        path: Any format that ASE reads with cells; the name says which.

    Raises:
        DataError: There is no such file, it cannot be read, or a configuration has no cell.

    Example:
        >>> import pathlib, tempfile
        >>> text = '2\nLattice="4 0 0 0 4 0 0 0 4"\nCs 0 0 0\nCl 2 2 2\n'
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "two.xyz"
        >>> _ = file.write_text(2 * text)
        >>> len(read_structures(file))
        2
    """
    return _read(path, slice(None))


def read_sample(path: str | Path) -> tuple[Configuration, bool]:
    r"""Return the (last) configuration in a file and whether it is periodic in all three directions.

    Atoms of a file without a cell are put into a box with 10 Å of vacuum around them.

    Args:
        path: Any format that ASE reads; the name says which.

    Raises:
        DataError: There is no such file, it cannot be read, or it has no atoms.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "dimer.xyz"
        >>> _ = file.write_text("2\n\nAr 0 0 0\nAr 0 0 3.8\n")
        >>> read_sample(file)
        (Configuration(Ar, 2 atoms, 9520.0 Å3), False)
    """
    file = Path(path)
    (atoms,) = _atoms_of(file, -1)
    if not len(atoms):
        raise DataError(f"structure {file.name!r}: expected atoms, got none.")
    periodic = bool(atoms.pbc.all()) and atoms.cell.rank == 3
    if atoms.cell.rank < 3:
        atoms.cell = atoms.positions.max(axis=0) - atoms.positions.min(axis=0) + 2.0 * VACUUM_A
    return _configuration(file, atoms), periodic


def _read(path: str | Path, index: int | slice) -> tuple[Configuration, ...]:
    file = Path(path)
    return tuple(_configuration(file, atoms) for atoms in _atoms_of(file, index))


def _configuration(file: Path, atoms: Any) -> Configuration:
    try:
        return Configuration.from_ase(atoms, labels=file.suffix in (".xyz", ".extxyz"))
    except DataError as error:
        raise DataError(f"structure {file.name!r}: {error}") from None


def _atoms_of(file: Path, index: int | slice) -> list[Any]:
    from ase.io import read

    if not file.is_file():
        raise DataError(f"structure {file.name!r}: expected a file, got none of this name; check its spelling.")
    try:
        # the format of data files of LAMMPS is not known by their names
        found: Any = read(file, index=index, format="lammps-data" if file.suffix.lower() in LAMMPS else None)
    except Exception as error:  # ASE raises many kinds
        problem = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"structure {file.name!r} cannot be read ({problem}); expected CIF, POSCAR, LAMMPS data or extended XYZ, "
            "its format in its name."
        ) from None
    return found if isinstance(found, list) else [found]
