"""Crystals from files: CIF, POSCAR, extended XYZ and whatever else ASE reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tammann.errors import DataError
from tammann.files import open_regular
from tammann.structures.configuration import Configuration
from tammann.structures.contacts import pairs_within

LAMMPS = (".data", ".lmp")
SAME_SITE_A = 0.5
"""Atoms of a crystal are farther apart, that in hydrogen molecules included."""
OPERATIONS = "add the list of its symmetry operations (_space_group_symop_operation_xyz)."
SETTING = re.compile(rb"^_\S*H-M\S*\s+(['\"]?)([^'\"\n]*:\s*[2Rr])\1\s*$", re.MULTILINE)
"""A space group in its second origin or on rhombohedral axes, as in 'I 41/a m d :2'."""
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
    (found,), periodic = _samples(Path(path), -1)
    return found, periodic


def read_samples(path: str | Path) -> tuple[tuple[Configuration, ...], bool]:
    r"""Return all configurations in a file and whether they are periodic in all three directions, as ``read_sample``.

    Args:
        path: Any format that ASE reads; the name says which.

    Raises:
        DataError: There is no such file, it cannot be read, it has no atoms, or only some of them are periodic.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "dimer.xyz"
        >>> _ = file.write_text(2 * "2\n\nAr 0 0 0\nAr 0 0 3.8\n")
        >>> len(read_samples(file)[0])
        2
    """
    return _samples(Path(path), slice(None))


def is_dump(path: str | Path) -> bool:
    """Tell whether a file begins as a text dump of LAMMPS does.

    Example:
        >>> is_dump("no such file")
        False
    """
    try:
        with open_regular(Path(path)) as file:
            return file.read(64).lstrip().startswith(b"ITEM:")
    except OSError:
        return False


def _samples(file: Path, index: int | slice) -> tuple[tuple[Configuration, ...], bool]:
    found, kinds = [], set()
    for atoms in _atoms_of(file, index):
        if not len(atoms):
            raise DataError(f"structure {file.name!r}: expected atoms, got none.")
        kinds.add(bool(atoms.pbc.all()) and atoms.cell.rank == 3)
        if atoms.cell.rank < 3:
            atoms.cell = atoms.positions.max(axis=0) - atoms.positions.min(axis=0) + 2.0 * VACUUM_A
        found.append(_configuration(file, atoms))
    if len(kinds) != 1:
        raise DataError(f"structure {file.name!r}: expected all of its frames periodic, or none, got both; split it.")
    return tuple(found), kinds.pop()


def _read(path: str | Path, index: int | slice) -> tuple[Configuration, ...]:
    file = Path(path)
    return tuple(_configuration(file, atoms) for atoms in _atoms_of(file, index))


def _configuration(file: Path, atoms: Any) -> Configuration:
    # of sites shared by elements ASE keeps one, and of those that are empty in part the atom
    shared = [site for site in atoms.info.get("occupancy", {}).values() if len(site) > 1 or min(site.values()) < 0.999]
    if shared:
        site = ", ".join(f"{100 * share:g} % {symbol}" for symbol, share in shared[0].items())
        raise DataError(
            f"structure {file.name!r}: expected an element on every site, got one of {site}; make an ordered cell of "
            "it first (tammann.structures.ordering)."
        )
    try:
        found = Configuration.from_ase(atoms, labels=file.suffix in (".xyz", ".extxyz"))
    except DataError as error:
        raise DataError(f"structure {file.name!r}: {error}") from None
    if file.suffix.lower() == ".cif":
        _check_apart(file, found)
    return found


def _check_apart(file: Path, found: Configuration) -> None:
    """Refuse a crystal whose symmetry operations have put atoms on each other."""
    near, _ = pairs_within(found.positions_A, found.cell_A, SAME_SITE_A)
    if len(near):
        a, b = (found.symbols[k] for k in near[0])
        raise DataError(
            f"structure {file.name!r}: expected atoms apart from each other, got {a} and {b} nearer than "
            f"{SAME_SITE_A:g} Å; its space group may be of another setting or origin than its coordinates; {OPERATIONS}"
        )


def _atoms_of(file: Path, index: int | slice) -> list[Any]:
    from ase.io import read

    if not file.is_file():
        raise DataError(f"structure {file.name!r}: expected a file, got none of this name; check its spelling.")
    _check_elements(file)
    if file.suffix.lower() == ".cif":
        _check_setting(file)
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


def _check_setting(file: Path) -> None:
    """Refuse CIF files without symmetry operations in a setting that ASE does not take from the name of the group."""
    with open_regular(file) as opened:
        text = opened.read()
    listed = b"_symop_operation_xyz" in text or b"_equiv_pos_as_xyz" in text
    if not listed and (named := SETTING.search(text)):
        raise DataError(
            f"structure {file.name!r}: expected symmetry operations beside the space group "
            f"{named[2].decode('utf-8', 'replace')!r}, whose setting is not known from its name; {OPERATIONS}"
        )


def _check_elements(file: Path) -> None:
    """Refuse files whose types of atoms would be taken for atomic numbers: 1 for H, 2 for He."""
    if is_dump(file):
        with open_regular(file) as opened:
            columns = next((line for line in opened if line.startswith(b"ITEM: ATOMS")), b"")
        if b"element" not in columns.split():
            raise DataError(
                f"structure {file.name!r}: expected a column 'element' in a dump of LAMMPS, got "
                f"{columns.decode('utf-8', 'replace').strip() or 'no atoms'}; write it with dump_modify element, or "
                "give the elements of its types (--types) where a trajectory is read."
            )
    elif file.suffix.lower() in LAMMPS:
        with open_regular(file) as opened:
            if not any(line.split()[:1] == [b"Masses"] for line in opened):
                raise DataError(
                    f"structure {file.name!r}: expected a section 'Masses', which tells the element of each type, got "
                    "none; add it."
                )
