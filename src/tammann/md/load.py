"""Engines by name."""

from __future__ import annotations

from tammann.md.ase import AseEngine
from tammann.md.engine import Engine
from tammann.md.lammps import LammpsEngine
from tammann.md.torch_sim import TorchSimEngine
from tammann.potentials.calculators import Potential

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (LammpsEngine(), AseEngine(), TorchSimEngine())}
"""One of each kind; its package is imported when it is first used."""


def load_engine(name: str) -> Engine:
    """Return the engine lammps, ase or torch-sim; nothing heavy is imported before it is used.

    Example:
        >>> load_engine("ase").batched
        False
    """
    return ENGINES[name]


def engines_for(potential: Potential) -> tuple[str, ...]:
    """Return the names of the engines that take a kind of potential.

    Example:
        >>> from tammann.potentials import pedone_2006
        >>> engines_for(pedone_2006())
        ('lammps', 'ase')
    """
    return tuple(name for name, engine in ENGINES.items() if isinstance(potential, engine.potentials))
