"""Densities as files that VESTA, pymatgen and ASE read: Gaussian cube, and CHGCAR of VASP."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import numpy as np

from tammann.characterization.density import IonDensity
from tammann.errors import DataError
from tammann.files import write_text
from tammann.structures.configuration import Configuration, wrapped

BOHR_A = 0.529177210903
"""CODATA 2018."""


def write_density(density: IonDensity, path: str | os.PathLike[str], *, ions: Configuration | None = None) -> None:
    """Write a density with the mean framework; the ending of the name says in which format.

    Args:
        density: Any.
        path: Ends in ``.cube``, or contains ``CHGCAR`` or ends in ``.vasp``. The file appears whole or not at all.
        ions: Atoms that are added to the framework, such as one at each site.

    Raises:
        DataError: Another name.
        OSError: The folder cannot be written to.

    Example:
        >>> import tempfile
        >>> from tammann.characterization import ion_density
        >>> from tammann.trajectory import Trajectory
        >>> density = ion_density(Trajectory.example(), "Mg", spacing_A=2.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_density(density, Path(folder) / "Mg.cube")
        ...     len((Path(folder) / "Mg.cube").read_text().splitlines()) > 1000 / 6
        True
    """
    name = Path(path).name
    if name.lower().endswith(".cube"):
        text = cube_text(density, ions=ions)
    elif "CHGCAR" in name or name.lower().endswith(".vasp"):
        text = chgcar_text(density, ions=ions)
    else:
        raise DataError(f"density {name!r}: expected a name that ends in .cube or .vasp, or holds CHGCAR; rename it.")
    write_text(path, text)


def cube_text(density: IonDensity, *, ions: Configuration | None = None) -> str:
    """Return a density as a Gaussian cube: lengths in bohr and values in bohr^-3, as that format has them."""
    from ase.data import atomic_numbers

    atoms = _atoms(density, ions)
    lines = [
        f"number density of {density.symbol}, {density.n_ions} ions, {density.duration_ps:g} ps",
        "bohr and bohr^-3 (1 bohr^-3 is 6.748334 per cubic Angstrom); the integral is the number of ions",
        f"{len(atoms)} 0.0 0.0 0.0",
    ]
    for n, vector in zip(density.shape, density.cell_A, strict=True):
        lines.append(f"{n:d} " + " ".join(f"{x / n / BOHR_A:.9f}" for x in vector))
    for symbol, position in atoms:
        number = atomic_numbers[symbol]
        lines.append(f"{number:d} {number:.1f} " + " ".join(f"{x / BOHR_A:.9f}" for x in position))
    rows = density.values_per_A3.reshape(-1, density.shape[2]) * BOHR_A**3
    return "\n".join([*lines, *(_columns(row, 6) for row in rows)]) + "\n"


def chgcar_text(density: IonDensity, *, ions: Configuration | None = None) -> str:
    """Return a density as a CHGCAR: values times the volume of the cell, the first index the fastest."""
    atoms = _atoms(density, ions)
    symbols = list(dict.fromkeys(symbol for symbol, _ in atoms)) or [density.symbol]
    lines = [f"number density of {density.symbol} times the cell volume, {density.n_ions} ions", "1.0"]
    lines += [" ".join(f"{x:.9f}" for x in vector) for vector in density.cell_A]
    lines += [" ".join(symbols), " ".join(str(sum(own == symbol for own, _ in atoms)) for symbol in symbols), "Direct"]
    inverse = np.linalg.inv(density.cell_A)
    ordered = [position @ inverse for symbol in symbols for own, position in atoms if own == symbol]
    lines += [" ".join(f"{x:.9f}" for x in position) for position in ordered]
    lines += ["", " ".join(str(n) for n in density.shape)]
    volume = density.voxel_A3 * density.values_per_A3.size
    values = density.values_per_A3.ravel(order="F") * volume
    return "\n".join(lines) + "\n" + _columns(values, 5) + "\n"


def _atoms(density: IonDensity, ions: Configuration | None) -> list[tuple[str, np.ndarray]]:
    """Symbols and wrapped positions, Å, of the framework and of further ions."""
    parts = [part for part in (density.framework, ions) if part is not None]
    return [
        (symbol, position)
        for part in parts
        for symbol, position in zip(
            part.symbols, wrapped(part.positions_A, density.cell_A) @ density.cell_A, strict=True
        )
    ]


def _columns(values: np.ndarray, width: int) -> str:
    """Return numbers, some a line."""
    whole = len(values) // width * width
    buffer = StringIO()
    np.savetxt(buffer, values[:whole].reshape(-1, width), fmt="%.6e")
    if whole < len(values):
        np.savetxt(buffer, values[whole:][None], fmt="%.6e")
    return buffer.getvalue().rstrip("\n")
