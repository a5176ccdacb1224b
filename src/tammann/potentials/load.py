"""Potentials by name, by import path, or from a file."""

from __future__ import annotations

from pathlib import PurePath

from tammann.errors import DataError
from tammann.potentials.calculators import Potential, chgnet, imported_potential
from tammann.potentials.lammps_commands import read_lammps_commands
from tammann.potentials.rigid_ions import pedone_2006


def load_potential(name: str) -> Potential:
    """Return a potential by name; nothing heavy is imported before an engine needs forces.

    The name is ``pedone-2006``; ``chgnet``; ``module:callable`` where the callable, called without arguments, returns
    an ASE calculator (engines ase and lammps), ``RigidIons`` (the same) or a torch-sim model (engine torch-sim); or the
    path of a YAML file with LAMMPS commands (engine lammps; ``potentials.lammps_commands``).

    Raises:
        DataError: An unknown name, a malformed import path, or a file that cannot be read.

    Example:
        >>> load_potential("pedone-2006").name
        'pedone-2006'
    """
    if name == "pedone-2006":
        return pedone_2006()
    if name == "chgnet":
        return chgnet()
    if PurePath(name).suffix in (".yaml", ".yml"):
        return read_lammps_commands(name)
    if ":" not in name:
        raise DataError(
            "potential: expected pedone-2006, chgnet or module:callable (such as "
            f"chgnet.model.dynamics:CHGNetCalculator) or a file such as mine.yaml, got {name!r}."
        )
    return imported_potential(name)
