"""Structures as files: extended XYZ, LAMMPS data and CIF, each with the labels of the atoms as columns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import DataError
from tammann.files import write_text
from tammann.structures.configuration import Configuration, wrapped

EXTXYZ = (".xyz", ".extxyz")
LAMMPS = (".data", ".lmp")
CIF = (".cif",)


def write_structure(configuration: Configuration, path: str | os.PathLike[str]) -> None:
    """Write a configuration and its labels to a file; the ending of its name says in which format.

    Args:
        configuration: Any.
        path: Ends in ``.xyz`` or ``.extxyz``, in ``.data`` or ``.lmp`` (``lammps_data``), or in ``.cif``
            (``cif_text``). The file appears whole or not at all.

    Raises:
        DataError: Another ending.
        OSError: The folder cannot be written to.

    Example:
        >>> import tempfile
        >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_structure(pair.with_labels(grain=[0, 1]), Path(folder) / "pair.xyz")
        ...     print((Path(folder) / "pair.xyz").read_text().splitlines()[-1])
        O 2.80000 0.00000 0.00000 1
    """
    ending = Path(path).suffix.lower()
    if ending in EXTXYZ:
        text = configuration.to_extxyz()
    elif ending in LAMMPS:
        text = lammps_data(configuration)
    elif ending in CIF:
        text = cif_text(configuration)
    else:
        raise DataError(
            f"structure {Path(path).name!r}: expected a name that ends in {', '.join(EXTXYZ + LAMMPS + CIF)}; rename "
            "it."
        )
    write_text(path, text)


def lammps_data(configuration: Configuration, *, elements: tuple[str, ...] | None = None) -> str:
    """Return a configuration as a data file of LAMMPS (units metal, atom style atomic).

    Cell and atoms are turned so that the first edge lies along x and the second in the plane of x and y, and edges are
    shortened by others to the tilts that LAMMPS wants; a left-handed cell has its third edge reversed. All of it is the
    same structure. Types are named in the section ``Masses``.

    Labels stand in a section of their own, ``Labels``, that LAMMPS reads into a fix, with the lines that the head of
    the file repeats: ``fix labels all property/atom i_grain d_boundary_distance_A`` and ``read_data ... fix labels NULL
    Labels``. A column of a label of several numbers has a number after its name.

    Args:
        configuration: Any.
        elements: Element of each type of atom, for a potential that wants them in an order; by default as they come.

    Raises:
        DataError: An element that is not among ``elements``.

    Example:
        >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> print(lammps_data(pair).splitlines()[-1])
        2 2 2.800000 0.000000 0.000000
    """
    kinds = elements or tuple(dict.fromkeys(configuration.symbols))
    missing = set(configuration.symbols) - set(kinds)
    if missing:
        raise DataError(f"elements: expected all of the structure, {', '.join(sorted(missing))} is missing; add it.")
    cell, turn = _lammps_cell(configuration.cell_A)
    positions = wrapped(configuration.positions_A @ turn, cell) @ cell
    columns = _columns(configuration)
    names = " ".join(f"{'d' if values.dtype.kind == 'f' else 'i'}_{name}" for name, values in columns.items())
    head = "structure of tammann, units metal"
    if columns:
        head += f"; fix labels all property/atom {names}; read_data FILE fix labels NULL Labels"
    n, types = configuration.n_atoms, {symbol: k for k, symbol in enumerate(kinds, start=1)}
    lines = [head, "", f"{n} atoms", f"{len(kinds)} atom types", ""]
    lines += [f"0.0 {cell[k, k]:.8f} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    if np.abs(cell[[1, 2, 2], [0, 0, 1]]).max() > 5e-9:
        lines.append(f"{cell[1, 0]:.8f} {cell[2, 0]:.8f} {cell[2, 1]:.8f} xy xz yz")
    masses = atomic_masses()
    lines += ["", "Masses", "", *(f"{k} {masses[symbol]:.6f} # {symbol}" for symbol, k in types.items())]
    lines += ["", "Atoms # atomic", ""]
    kind = [types[symbol] for symbol in configuration.symbols]
    lines += _rows("%d %d %.6f %.6f %.6f", range(1, n + 1), kind, *positions.T)
    if configuration.velocities_A_per_ps is not None:
        v = configuration.velocities_A_per_ps @ turn
        lines += ["", "Velocities", "", *_rows("%d %.8g %.8g %.8g", range(1, n + 1), *v.T)]
    if columns:
        lines += ["", "Labels", "", *_rows("%d" + _form(columns), range(1, n + 1), *columns.values())]
    return "\n".join(lines) + "\n"


def cif_text(configuration: Configuration) -> str:
    """Return a configuration as a CIF file without symmetry, with labels as columns ``_atom_site_tammann_NAME``.

    Programs that know no such columns skip them, as the standard wants.

    Example:
        >>> pair = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> print(cif_text(pair.with_labels(grain=[0, 1])).splitlines()[-1])
        O2 O 0.500000 0.000000 0.000000 1.0 1
    """
    cell = configuration.cell_A
    lengths = np.linalg.norm(cell, axis=1)
    cosines = [cell[i] @ cell[j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    lines = ["data_tammann", "_space_group_name_H-M_alt 'P 1'", "_space_group_IT_number 1"]
    lines += [f"_cell_length_{axis} {length:.6f}" for axis, length in zip("abc", lengths, strict=True)]
    angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    lines += [f"_cell_angle_{name} {angle:.6f}" for name, angle in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    lines += ["loop_", "_space_group_symop_operation_xyz", "'x, y, z'", "loop_", "_atom_site_label"]
    lines += ["_atom_site_type_symbol", *(f"_atom_site_fract_{axis}" for axis in "xyz"), "_atom_site_occupancy"]
    columns = _columns(configuration)
    lines += [f"_atom_site_tammann_{name}" for name in columns]
    fractional = wrapped(configuration.positions_A, cell)
    names = [f"{symbol}{k}" for k, symbol in enumerate(configuration.symbols, start=1)]
    form = "%s %s %.6f %.6f %.6f 1.0" + _form(columns)
    lines += _rows(form, names, configuration.symbols, *fractional.T, *columns.values())
    return "\n".join(lines) + "\n"


def _columns(configuration: Configuration) -> dict[str, np.ndarray]:
    """Return the labels as columns, shape (N,) each, integers or floats."""
    columns = {}
    for name, values in configuration.labels.items():
        table = values.reshape(configuration.n_atoms, -1)
        for k, column in enumerate(table.T, start=1):
            columns[f"{name}_{k}" if table.shape[1] > 1 else name] = column * 1  # True becomes 1
    return columns


def _form(columns: dict[str, np.ndarray]) -> str:
    """Return how the labels are written at the end of a row."""
    return "".join(" %.6g" if values.dtype.kind == "f" else " %d" for values in columns.values())


def _rows(form: str, *columns: Sequence[Any] | np.ndarray) -> list[str]:
    """Return a line for each row of the columns."""
    lists = (column.tolist() if isinstance(column, np.ndarray) else column for column in columns)
    return [form % row for row in zip(*lists, strict=True)]


def _lammps_cell(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an equivalent lower triangular cell with a positive diagonal, and the turn: r' = r @ turn."""
    right = cell * np.array([[1.0], [1.0], [np.sign(np.linalg.det(cell))]])
    turn, upper = np.linalg.qr(right.T)
    signs = np.sign(np.diag(upper))
    lower = (upper * signs[:, None]).T
    turn = turn * signs
    lower[2] -= np.round(lower[2, 1] / lower[1, 1]) * lower[1]
    lower[1:] -= np.round(lower[1:, :1] / lower[0, 0]) * lower[0]
    return lower, turn
