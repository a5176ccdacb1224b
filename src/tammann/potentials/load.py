"""Potentials by name, by import path, or from a file."""

from __future__ import annotations

from pathlib import PurePath

from tammann.errors import DataError
from tammann.potentials.ace.ace_jax import ace_jax_file
from tammann.potentials.ace.pacemaker import pacemaker_file
from tammann.potentials.calculators import Potential, chgnet, imported_potential
from tammann.potentials.chgnet_training import chgnet_file
from tammann.potentials.gap import gap_file
from tammann.potentials.lammps_commands import read_lammps_commands
from tammann.potentials.mace.calculator import mace_file
from tammann.potentials.rigid_ions import pedone_2006
from tammann.potentials.sevennet import CHECKPOINTS, sevennet, sevennet_file


def _ace_file(path: str) -> Potential:
    # numba is slow to import, and most potentials do not need it
    from tammann.potentials.ace.calculator import ace_file

    return ace_file(path)


FILES = {
    ".ace.npz": _ace_file,
    ".ace-jax.npz": ace_jax_file,
    ".pace.yaml": pacemaker_file,
    ".model": mace_file,
    ".pth": sevennet_file,
    ".chgnet.tar": chgnet_file,
    ".xml": gap_file,
}
"""How a trained potential is recognized: the end of its file name."""


def load_potential(name: str) -> Potential:
    """Return a potential by name; nothing heavy is imported before an engine needs forces.

    The name is ``pedone-2006``; ``chgnet`` or ``chgnet-r2scan``; ``sevennet-0`` or another of ``potentials.sevennet``;
    ``module:callable`` where the callable, called without arguments, returns an ASE calculator (engines ase and
    lammps), ``RigidIons`` (the same) or a torch-sim model (engine torch-sim); the path of a trained model, known by its
    end (``FILES``: ``.ace.npz`` of this package, ``.ace-jax.npz``, ``.pace.yaml`` of pacemaker, ``.model`` of MACE,
    ``.pth`` of SevenNet, ``.chgnet.tar``, ``.xml`` of GAP); or the path of a YAML file with LAMMPS commands (engine
    lammps; ``potentials.lammps_commands``).

    Raises:
        DataError: An unknown name, a malformed import path, or a file that cannot be read.

    Example:
        >>> load_potential("pedone-2006").name
        'pedone-2006'
    """
    if name == "pedone-2006":
        return pedone_2006()
    if name in ("chgnet", "chgnet-r2scan"):
        return chgnet(name)
    if name in CHECKPOINTS:
        return sevennet(name)
    for end, open_file in FILES.items():
        if name.endswith(end):
            return open_file(name)
    if PurePath(name).suffix in (".yaml", ".yml"):
        return read_lammps_commands(name)
    if ":" not in name:
        raise DataError(
            f"potential: expected pedone-2006, chgnet, {', '.join(CHECKPOINTS)} or module:callable (such as "
            "chgnet.model.dynamics:CHGNetCalculator) or a file such as mine.yaml or one that ends in "
            f"{', '.join(FILES)}, got {name!r}."
        )
    return imported_potential(name)
