"""A user's own phases and melting points as CSV tables."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tammann.composition import composition_key, parse_formula
from tammann.errors import DataError
from tammann.thermo._tables import read_data_file, set_name
from tammann.thermo.entries import Entry, MeltingPoints, check_melting_point, system_of
from tammann.thermo.gases import gas_named
from tammann.thermo.phase import Phases

_REQUIRED = ("formula", "formation_energy_eV_per_atom", "volume_A3_per_atom")
_MELTING = ("formula", "melting_point_K", "source")
_OPTIONAL = (
    "melting_point_K", "standard_error_eV_per_atom", "melting_point_source", "material_id", "observed", "source",
)  # fmt: skip


def read_melting_points(path: str | Path) -> MeltingPoints:
    r"""Read melting points from a CSV table with the columns ``formula``, ``melting_point_K`` and ``source``.

    Lines that start with # are comments. Formulas need not be among the phases; any multiple of a formula will do.

    Raises:
        DataError: The file cannot be read; a column, formula or number is missing or wrong; a phase is there twice.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "melting.csv"
        >>> _ = file.write_text("formula,melting_point_K,source\nSrTiO3,2353,a handbook")
        >>> read_melting_points(file)
        {(('O', 3), ('Sr', 1), ('Ti', 1)): (2353.0, 'a handbook')}
    """
    header, rows = _table(Path(path), "melting_points", _MELTING)
    found: dict[tuple[tuple[str, int], ...], tuple[float, str]] = {}
    for where, cells in rows:
        row = _row(header, cells, where)
        try:
            key = composition_key(row["formula"])
        except DataError as problem:
            raise DataError(f"{where}: {problem}") from None
        value = _number(row, "melting_point_K", where)
        if value is None or not row["source"]:
            lacking = "melting_point_K" if value is None else "source"
            raise DataError(f"{where}: {row['formula']} has no {lacking}, expected a temperature in K and who found it")
        if key in found:
            raise DataError(f"{where}: {row['formula']} is there twice; keep one of them")
        found[key] = check_melting_point(value, where, row["formula"]), row["source"]
    return found


def _table(
    path: Path, what: str, required: Sequence[str], optional: Sequence[str] = ()
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return the header and the cells of each line of a CSV table, with where it stands."""
    lines = read_data_file(path, what).splitlines()
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")]
    try:
        table = list(csv.reader([line for _, line in numbered], strict=True))
    except csv.Error as error:
        raise DataError(f"{what} file {path.name!r} is not a CSV table: {error}") from None
    if len(table) != len(numbered):
        raise DataError(f"{what} file {path.name!r} has a quoted cell over several lines: expected one line a phase")
    if len(table) < 2:
        raise DataError(f"{what} file {path.name!r} has no phases: expected a header and one line a phase")
    header = [name.strip() for name in table[0]]
    for name in required:
        if name not in header:
            if ";" in numbered[0][1]:
                raise DataError(
                    f"{path.name}, line {numbered[0][0]}: cells are separated by ';', expected commas, and points in "
                    "decimal numbers"
                )
            raise DataError(f"{what} file {path.name!r} lacks the column {name}: expected {', '.join(required)}")
    for name in header:
        if name not in (*required, *optional) or header.count(name) > 1:
            raise DataError(
                f"{what} file {path.name!r} has the columns {', '.join(header)}; {name!r} is unknown or repeated: "
                f"expected {', '.join((*required, *optional))}"
            )
    places = [f"{path.name}, line {number}" for number, _ in numbered[1:]]
    return header, list(zip(places, table[1:], strict=True))


def _row(header: Sequence[str], cells: Sequence[str], where: str) -> dict[str, str]:
    if len(cells) != len(header):
        raise DataError(f"{where} has {len(cells)} cells: expected {len(header)}, as in the header")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _number(row: Mapping[str, str], key: str, where: str) -> float | None:
    """Return the number in a cell, None if it is empty or not there."""
    text = row.get(key, "")
    try:
        value = float(text) if text else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise DataError(f"{where}: {key} is {text!r}, expected a number")
    return value


def read_csv(path: str | Path, *, melting_points: MeltingPoints | None = None) -> Phases:
    """Read phases from a CSV table.

    Columns: ``formula``, ``formation_energy_eV_per_atom`` (at 0 K, from the elements) and ``volume_A3_per_atom``;
    optionally ``melting_point_K``, ``standard_error_eV_per_atom``, ``melting_point_source``, ``material_id``,
    ``observed`` (true or false) and ``source``. Lines that start with # are comments. An empty standard error means 40
    meV/atom; an empty melting point is filled where a measured or estimated one is known. The thermal part
    is that of the descriptor of Bartel et al. The gases of the elements, CO2 and H2O come from tables, and so does a
    molecule that is listed (SO2; P4O10 as ``P4O10(g)``), whose other cells are not read. A line that cannot be used is
    left out, with a warning that names it.

    The energy set is named after the file, which may be compressed by gzip (``.csv.gz``); ``melting_points``, from
    ``read_melting_points``, count before those of the file.

    Raises:
        DataError: The file cannot be read; a column is missing or unknown; a phase is there twice; no compound is left.

    Example:
        >>> import pathlib, tempfile
        >>> text = '''formula,formation_energy_eV_per_atom,volume_A3_per_atom,melting_point_K,standard_error_eV_per_atom
        ... MgO,-3.05,9.4,3105,0.02
        ... Al2O3,-3.43,8.7,2327,0.02
        ... MgAl2O4,-3.35,9.6,2408,0.02'''
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
        >>> _ = file.write_text(text)
        >>> [phase.formula for phase in read_csv(file)]
        ['MgO', 'Al2O3', 'MgAl2O4', 'O2']
    """
    path = Path(path)
    header, rows = _table(path, "energies", _REQUIRED, _OPTIONAL)
    entries, left_out = [], {}
    seen: dict[Any, str] = {}
    for where, cells in rows:
        try:
            row = _row(header, cells, where)
            key = gas_named(row["formula"]) or composition_key(parse_formula(row["formula"]))
            entry = _entry(where, row)
        except DataError as problem:
            formula = cells[header.index("formula")] if len(cells) == len(header) else where
            left_out[formula] = str(problem) if str(problem).startswith(where) else f"{where}: {problem}"
            continue
        if key in seen:
            raise DataError(f"{where}: {entry.formula} is the same phase as on {seen[key]}; keep the stabler polymorph")
        seen[key] = where
        entries.append(entry)
    return system_of(set_name(path), entries, melting_points=melting_points, left_out=left_out)


def _entry(where: str, row: Mapping[str, str]) -> Entry:
    if gas_named(row["formula"]) is not None:
        return Entry(where, row["formula"])
    observed = row.get("observed", "").lower()
    if observed not in ("", "true", "false"):
        raise DataError(f"{where}: observed is {row['observed']!r}, expected true or false")
    energy, volume = (_number(row, key, where) for key in _REQUIRED[1:])
    if energy is None or volume is None:
        raise DataError(f"{where}: {_REQUIRED[1 if energy is None else 2]} is empty, expected a number")
    return Entry(
        where=where,
        formula=row["formula"],
        formation_energy_eV_per_atom=energy,
        volume_A3_per_atom=volume,
        melting_point_K=_number(row, "melting_point_K", where),
        melting_point_source=row.get("melting_point_source") or "stated by the user",
        standard_error_eV_per_atom=_number(row, "standard_error_eV_per_atom", where),
        source=row.get("source") or "stated by the user",
        material_id=row.get("material_id") or None,
        observed={"": None, "true": True, "false": False}[observed],
    )
