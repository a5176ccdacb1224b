"""Reads the tables that ship with the package, and the text of a user's."""

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
