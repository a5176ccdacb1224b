"""Reads the tables that ship with the package, and the text of a user's."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tammann.errors import DataError
from tammann.files import MAX_DATA_BYTES, read_text
from tammann.systems import read_rows


def read_data_file(path: Path, what: str) -> str:
    """Return the text of a file of energies or melting points, which may be large and compressed by gzip.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return read_text(path, error=DataError, max_bytes=MAX_DATA_BYTES)
    except DataError as problem:
        raise DataError(f"{what} file cannot be read: {problem}") from None


def set_name(path: Path) -> str:
    """Return the name of the energies in a file: its own without suffixes."""
    return Path(path.name.removesuffix(".gz")).stem


def read_columns(path: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return temperatures, K, shape (nT,), and one array (nT,) a column, NaN where a cell is empty."""
    rows = read_rows(path)
    temperature = np.array([float(row["temperature_K"]) for row in rows])
    names = [name for name in rows[0] if name != "temperature_K"]
    return temperature, {n: np.array([float(row[n] or "nan") for row in rows]) for n in names}


def read_table(path: Path, what: str, required: Sequence[str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return the header and the cells of each line of a CSV table, with where it stands.

    Lines that start with # are comments.

    Raises:
        DataError: It cannot be read, has no lines, or lacks a required column.
    """
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
    places = [f"{path.name}, line {number}" for number, _ in numbered[1:]]
    return header, list(zip(places, table[1:], strict=True))


def cells_by_name(header: Sequence[str], cells: Sequence[str], where: str) -> dict[str, str]:
    """Return the cells of a line by column.

    Raises:
        DataError: There are more or fewer than in the header.
    """
    if len(cells) != len(header):
        raise DataError(f"{where} has {len(cells)} cells: expected {len(header)}, as in the header")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def number_in(row: Mapping[str, str], key: str, where: str) -> float | None:
    """Return the number in a cell, None if it is empty or not there.

    Raises:
        DataError: It is no finite number.
    """
    text = row.get(key, "")
    try:
        value = float(text) if text else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise DataError(f"{where}: {key} is {text!r}, expected a number")
    return value
