"""Crystals from published space groups and coordinates: those of the package, or a table of one's own."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tammann.errors import DataError
from tammann.files import read_text
from tammann.structures.configuration import Configuration
from tammann.structures.read import read_structure
from tammann.systems import read_rows

SHIPPED = "structures/crystals.csv"


def crystal_from_row(row: Mapping[str, str]) -> Configuration:
    """Return the primitive cell of one row of a table of crystals.

    Args:
        row: ``space_group``, its number; ``cell``, a, b, c in Å and alpha, beta, gamma in degrees; ``atoms``, an
            element and three fractional coordinates for each atom of the asymmetric unit, separated by semicolons;
            ``axes``, optional: in which order the axes of that setting become a, b and c, such as ``cab``.

    Raises:
        DataError: A column is missing, or does not describe a crystal.

    Example:
        >>> crystal_from_row({"space_group": "225", "cell": "5.5 5.5 5.5 90 90 90", "atoms": "Ba 0 0 0; O 0.5 0.5 0.5"})
        Configuration(BaO, 2 atoms, 41.6 Å3)
    """
    from ase.spacegroup import crystal

    try:
        atoms = [atom.split() for atom in row["atoms"].split(";")]
        cell = crystal(
            [symbol for symbol, *_ in atoms],
            [(float(x), float(y), float(z)) for _, x, y, z in atoms],
            spacegroup=int(row["space_group"]),
            cellpar=[float(number) for number in row["cell"].split()],
            primitive_cell=True,
        )
        order = ["abc".index(axis) for axis in row.get("axes") or "abc"]
        found = Configuration.from_ase(cell)
        # a cyclic order, as the one from Pnma to Pbnm, keeps the handedness; r' = r turned with its axes
        return replace(found, positions_A=found.positions_A[:, order], cell_A=found.cell_A[order][:, order])
    except Exception as error:  # ASE raises many kinds
        problem = " ".join(str(error).split()) or type(error).__name__
        name = row.get("name") or row.get("formula") or "of this row"
        raise DataError(
            f"crystal {name}: expected space_group, cell and atoms such as 'Ba 0 0 0; O 0.5 0.5 0.5', got something "
            f"else ({problem}); correct its row."
        ) from None


def load_crystals(table: str | Path | None = None) -> dict[str, Configuration]:
    """Return crystals by name: those of the package (Ba-Ti-O, BaZrS3), or those of a CSV table with the same columns.

    Raises:
        DataError: The table cannot be read, or a row of it is no crystal.

    Example:
        >>> load_crystals()["TiO2-rutile"]
        Configuration(TiO2, 6 atoms, 62.4 Å3)
    """
    if table is None:
        rows = read_rows(SHIPPED)
    else:
        lines = read_text(table, error=DataError).splitlines()
        rows = list(csv.DictReader(line for line in lines if line.strip() and not line.startswith("#")))
    return {row.get("name") or row.get("formula", ""): crystal_from_row(row) for row in rows}


def crystal_names() -> tuple[str, ...]:
    """Return the names of the crystals in the package.

    Example:
        >>> crystal_names()[:2]
        ('BaO', 'TiO2-rutile')
    """
    return tuple(row["name"] for row in read_rows(SHIPPED))


def load_crystal(name: str | Path) -> Configuration:
    """Return a crystal by its name in the package, or from a file (CIF, POSCAR, extended XYZ).

    Raises:
        DataError: Neither a known name nor a file that can be read.

    Example:
        >>> load_crystal("BaTiO3-cubic")
        Configuration(BaTiO3, 5 atoms, 64.6 Å3)
    """
    for row in read_rows(SHIPPED):
        if row["name"] == str(name):
            return crystal_from_row(row)
    if Path(name).is_file():
        return read_structure(name)
    raise DataError(
        f"crystal: expected one of {', '.join(crystal_names())}, or a file such as mine.cif, got {str(name)!r}."
    )
