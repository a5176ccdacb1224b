"""Reads the tables that ship with the package; comment lines start with #."""

import csv

import numpy as np

from tammann.systems import data_file


def read_lines(*path: str) -> list[str]:
    """Give the lines of a shipped table without its comments."""
    text = data_file("/".join(path)).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def read_rows(*path: str) -> list[dict[str, str]]:
    """Give the rows of a shipped table, keyed by its header."""
    return list(csv.DictReader(read_lines(*path)))


def read_columns(*path: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Give temperatures, K, shape (nT,), and one array (nT,) a column, NaN where a cell is empty."""
    rows = read_rows(*path)
    temperature = np.array([float(row["temperature_K"]) for row in rows])
    names = [name for name in rows[0] if name != "temperature_K"]
    return temperature, {n: np.array([float(row[n]) if row[n] else np.nan for row in rows]) for n in names}
