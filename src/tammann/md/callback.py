"""LAMMPS moves the atoms, an ASE calculator says what they feel: LAMMPS's ``fix external`` calls back at every step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tammann.errors import DataError, TammannError
from tammann.md.ase import ask
from tammann.potentials.calculators import ImportedPotential, calculator_of, quiet
from tammann.structures import Configuration

__all__ = ["attach"]


def attach(lmp: Any, configuration: Configuration, potential: ImportedPotential) -> None:
    """Let an instance of LAMMPS take energy, forces and virial from an ASE calculator.

    Args:
        lmp: LAMMPS with its atoms, numbered as in ``configuration``.
        configuration: For the elements.
        potential: What makes the calculator.

    Raises:
        DataError: The calculator cannot be had. Where it fails later, the command of LAMMPS under way raises.
    """
    from ase import Atoms

    calculator = calculator_of(potential)
    atoms = Atoms(list(configuration.symbols), cell=configuration.cell_A, pbc=True)
    failures: list[TammannError] = []

    def result(_: Any, step: int, n: int, tags: np.ndarray, x: np.ndarray, forces: np.ndarray) -> None:
        forces[:] = 0.0
        if failures:
            return
        try:
            low, high = (np.array(corner) for corner in lmp.extract_box()[:2])
            here = np.empty((n, 3))
            here[tags - 1] = x - low
            atoms.set_cell(np.diag(high - low))
            atoms.set_positions(here)
            with quiet():
                felt = ask(calculator, atoms, potential.name, stress=True)
            if not np.isfinite(felt.forces_eV_per_A).all():
                raise DataError(f"potential {potential.name} gave forces that are not finite.")
        except TammannError as error:
            # no exception can pass through LAMMPS: stop its run, and raise once it has come back
            failures.append(error)
            lmp.force_timeout()
            return
        assert felt.stress_eV_per_A3 is not None
        forces[:] = felt.forces_eV_per_A[tags - 1]
        virial = -felt.stress_eV_per_A3 * float(np.prod(high - low))
        lmp.fix_external_set_energy_global("felt", felt.energy_eV)
        six = [float(virial[a, b]) for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
        lmp.fix_external_set_virial_global("felt", six)

    lmp.commands_string(
        "pair_style zero 3.0\npair_coeff * *\nneighbor 1.0 bin\nthermo_modify lost error flush no\nthermo 100000000\n"
        "fix felt all external pf/callback 1 1\nfix_modify felt energy yes virial yes"
    )
    lmp.set_fix_external_callback("felt", result, None)
    for name in ("command", "commands_string"):
        setattr(lmp, name, _checked(getattr(lmp, name), failures))


def _checked(order: Any, failures: list[TammannError]) -> Any:
    """The same order to LAMMPS, which raises what the calculator has raised meanwhile."""

    def ordered(text: str) -> None:
        order(text)
        if failures:
            raise failures[0]

    return ordered
