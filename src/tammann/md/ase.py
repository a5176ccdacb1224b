"""The engine ASE: any ASE calculator, asked for forces and stress only and moved by ``tammann.md.integrators``.

Slower than LAMMPS where both can be used, but it needs nothing else than the calculator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tammann.errors import DataError, TammannError
from tammann.md.driver import ForceEngine
from tammann.md.state import ForceResult, Forces, MDState
from tammann.potentials.calculators import (
    ImportedPotential,
    ModelFile,
    Potential,
    calculator_of,
    muted,
    one_line,
    prepare,
)
from tammann.potentials.response import tensor_of
from tammann.potentials.rigid_ions import RigidIons


class AseEngine(ForceEngine):
    """Molecular dynamics with an ASE calculator."""

    name, package, extra = "ase", "ase", "lammps"
    potentials = (RigidIons, ImportedPotential, ModelFile)

    def forces(self, potential: Potential, symbols: Sequence[str]) -> Forces:
        """Return the forces of an ASE calculator."""
        from ase import Atoms

        potential = prepare(potential, symbols)
        calculator = calculator_of(potential)
        atoms = Atoms(list(symbols), cell=np.eye(3), pbc=True)

        def result(state: MDState, stress: bool) -> ForceResult:
            atoms.set_cell(state.cell_A)
            # into the cell: some calculators search for neighbours only in the nearest images
            atoms.set_positions(state.positions_A)
            atoms.wrap()
            return compute(calculator, atoms, potential.name, stress=stress)

        def forces(states: Sequence[MDState], stress: bool) -> list[ForceResult]:
            with muted():
                return [result(state, stress) for state in states]

        return forces


def compute(calculator: Any, atoms: Any, name: str, *, stress: bool) -> ForceResult:
    """Compute energy, forces and, where asked for, stress of ASE atoms; ``name`` of the potential is for errors."""
    try:
        forces = np.array(calculator.get_property("forces", atoms), dtype=float)
        # most calculators give the energy with the forces; asking for it compares all atoms once more
        energy = getattr(calculator, "results", {}).get("energy")
        energy = float(calculator.get_property("energy", atoms) if energy is None else energy)
        tensor = None
        if stress:
            tensor = tensor_of(np.array(calculator.get_property("stress", atoms), dtype=float))
    except TammannError:
        raise
    except Exception as reason:  # a calculator of another package may raise anything
        raise DataError(
            f"potential {name} failed ({one_line(reason)}); check that it knows these elements and that no two atoms "
            "are too close."
        ) from None
    grade = getattr(calculator, "results", {}).get("extrapolation_grade")
    return ForceResult(energy, forces, tensor, grade, getattr(calculator, "stop_above", None))
