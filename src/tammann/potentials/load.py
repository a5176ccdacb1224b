"""Potentials by name."""

from __future__ import annotations

from tammann.errors import DataError
from tammann.potentials.calculators import Potential, chgnet, imported_potential
from tammann.potentials.classical import pedone_2006

__all__ = ["load_potential"]


def load_potential(name: str) -> Potential:
    """A potential by name; nothing heavy is imported before an engine asks for forces.

    Args:
        name: ``pedone-2006``, ``chgnet``, or ``module:callable`` where the callable, called without arguments, returns
            an ASE calculator (engines ase and lammps) or a torch-sim model (engine torch-sim).

    Raises:
        DataError: A name that is not known, or not such a path.

    Example:
        >>> load_potential("pedone-2006").name
        'pedone-2006'
    """
    if name == "pedone-2006":
        return pedone_2006()
    if name == "chgnet":
        return chgnet()
    if ":" not in name:
        raise DataError(
            "potential: expected pedone-2006, chgnet or module:callable (such as "
            f"chgnet.model.dynamics:CHGNetCalculator), got {name!r}."
        )
    return imported_potential(name)
