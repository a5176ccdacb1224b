"""Crystals from files: CIF, POSCAR, extended XYZ and whatever else ASE reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.structures.configuration import Configuration


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


def _read(path: str | Path, index: int | slice) -> tuple[Configuration, ...]:
    from ase.io import read

    file = Path(path)
    if not file.is_file():
        raise DataError(f"structure {file.name!r}: expected a file, got none of this name; check its spelling.")
    try:
        found: Any = read(file, index=index)
    except Exception as error:  # ASE raises many kinds
        problem = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"structure {file.name!r} cannot be read ({problem}); expected CIF, POSCAR or extended XYZ, its format in "
            "its name."
        ) from None
    labels = file.suffix in (".xyz", ".extxyz")
    return tuple(Configuration.from_ase(atoms, labels=labels) for atoms in (found if index != -1 else [found]))
