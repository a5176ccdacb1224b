"""A crystal under a potential: its relaxed cell, its equation of state, its bulk modulus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.errors import DataError
from tammann.notebook import ShownAsTable
from tammann.potentials.calculators import muted
from tammann.potentials.response import respond
from tammann.structures.configuration import Configuration
from tammann.units import EV_PER_A3_IN_GPA

if TYPE_CHECKING:
    import pandas as pd

SCALES = (0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06)
"""Volumes of an equation of state, over that of the relaxed crystal."""
FORCE_EV_PER_A = 0.003
MOST_STEPS = 300


@dataclass(frozen=True, eq=False, repr=False)
class CrystalCurve(ShownAsTable):
    """Energy of a crystal against its volume, and the equation of Birch and Murnaghan through it.

    Attributes:
        volumes_A3_per_atom: Shape (M,), Å³ per atom.
        energies_eV_per_atom: Shape (M,), eV per atom, positions relaxed at every volume.
        volume_A3_per_atom: Volume of lowest energy, Å³ per atom.
        energy_eV_per_atom: Energy there, eV per atom.
        bulk_modulus_GPa: There, GPa.
        residual_eV_per_atom: Root mean square of what the equation leaves, eV per atom.
        relaxed: Whether all relaxations have converged.
    """

    volumes_A3_per_atom: np.ndarray
    energies_eV_per_atom: np.ndarray
    volume_A3_per_atom: float
    energy_eV_per_atom: float
    bulk_modulus_GPa: float
    residual_eV_per_atom: float
    relaxed: bool

    def table(self) -> pd.DataFrame:
        """Return one row for each volume, Å³ per atom, with the energy, eV per atom."""
        import pandas as pd

        columns = {"volume_A3_per_atom": self.volumes_A3_per_atom, "energy_eV_per_atom": self.energies_eV_per_atom}
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        return f"CrystalCurve({self.volume_A3_per_atom:.3f} Å3 per atom, {self.bulk_modulus_GPa:.0f} GPa)"


def relax_crystal(
    calculator: Any,
    crystal: Configuration,
    *,
    cell: bool = True,
    steps: int = MOST_STEPS,
    force_eV_per_A: float = FORCE_EV_PER_A,
) -> tuple[Configuration, bool]:
    """Relax the atoms of a crystal, and its cell as well unless ``cell`` is false, by FIRE of ASE.

    Returns:
        The crystal, and whether no force exceeds ``force_eV_per_A`` after at most ``steps`` steps.

    Raises:
        DataError: The calculator fails.

    Example:
        >>> from ase.build import bulk
        >>> from ase.calculators.emt import EMT
        >>> copper, converged = relax_crystal(EMT(), Configuration.from_ase(bulk("Cu", a=3.8)))
        >>> round((4 * copper.volume_A3) ** (1 / 3), 2), converged
        (3.59, True)
    """
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE

    atoms = crystal.to_ase()
    atoms.calc = calculator
    with muted():
        try:
            optimizer = FIRE(FrechetCellFilter(atoms) if cell else atoms, logfile=None)
            converged = bool(optimizer.run(fmax=force_eV_per_A, steps=steps))
        except Exception as reason:  # a calculator of another package may raise anything
            raise DataError(
                f"relaxing {crystal!r} failed ({' '.join(str(reason).split())[:200]}); does the potential know its "
                "elements?"
            ) from None
    return Configuration(crystal.symbols, atoms.positions, atoms.cell.array), converged


def crystal_curve(
    calculator: Any, crystal: Configuration, *, scales: Sequence[float] = SCALES, steps: int = MOST_STEPS
) -> CrystalCurve:
    """Return energy against volume around the relaxed crystal, and its bulk modulus.

    E(V) = E0 + 9 V0 B/16 {[(V0/V)^(2/3) - 1]³ B' + [(V0/V)^(2/3) - 1]² [6 - 4 (V0/V)^(2/3)]}, fitted by ASE. The shape
    of the cell is that of the relaxed crystal at every volume; atoms are relaxed in it.

    Args:
        calculator: ASE calculator.
        crystal: Where relaxation starts.
        scales: Volumes over that of the relaxed crystal, five or more.
        steps: Most steps of each relaxation.

    Raises:
        DataError: The calculator fails, or the energies have no minimum between the volumes.

    Reference:
        Birch, Phys. Rev. 1947, 71, 809, doi 10.1103/PhysRev.71.809.

    Example:
        >>> from ase.build import bulk
        >>> from ase.calculators.emt import EMT
        >>> crystal_curve(EMT(), Configuration.from_ase(bulk("Cu")))
        CrystalCurve(11.565 Å3 per atom, 134 GPa)
    """
    from ase.eos import EquationOfState

    if len(scales) < 5:
        raise DataError(f"scales: expected five or more volumes, got {len(scales)}.")
    start, converged = relax_crystal(calculator, crystal, steps=steps)
    n, volumes, energies = crystal.n_atoms, [], []
    for scale in sorted(scales):
        there, settled = relax_crystal(calculator, start.at_volume(scale * start.volume_A3), cell=False, steps=steps)
        converged &= settled
        volumes.append(there.volume_A3 / n)
        energies.append(respond(calculator, there).energy_eV / n)
    with muted():
        equation = EquationOfState(volumes, energies, eos="birchmurnaghan")
        try:
            v0, e0, modulus = equation.fit(warn=False)
        except Exception:  # scipy's, where nothing can be fitted
            v0, e0, modulus = np.nan, np.nan, np.nan
    if not volumes[0] < v0 < volumes[-1]:
        raise DataError(
            f"{crystal!r}: its energy has no minimum between {volumes[0]:.2f} and {volumes[-1]:.2f} Å3 per atom with "
            "this potential, expected one at the relaxed volume; it may not hold this crystal together."
        )
    left = np.array(energies) - equation.func(np.array(volumes), *equation.eos_parameters)
    return CrystalCurve(
        np.array(volumes),
        np.array(energies),
        float(v0),
        float(e0),
        float(modulus * EV_PER_A3_IN_GPA),
        float(np.sqrt((left**2).mean())),
        converged,
    )
