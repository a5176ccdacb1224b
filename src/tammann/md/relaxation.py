"""Relaxation of a structure with a potential: how far it came, what each atom costs, and whether it failed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tammann.errors import DataError
from tammann.md.engine import Engine
from tammann.potentials.calculators import Potential, calculator_of, muted, prepare
from tammann.structures import Configuration
from tammann.structures.pairs import find_pairs

CLOSEST_A = 1.0
"""Atoms nearer than this have run into each other."""
ENERGY, GRADE = "energy_eV", "extrapolation_grade"


@dataclass(frozen=True, eq=False)
class Relaxation:
    """A structure after its relaxation.

    Attributes:
        configuration: The atoms, with the labels they had, and where the potential gives them ``energy_eV`` and
            ``extrapolation_grade`` of each atom.
        energy_eV_per_atom: Potential energy, eV per atom.
        largest_force_eV_per_A: Largest force on an atom, eV/Å.
        pressure_GPa: GPa; positive where the structure would expand.
        steps: Steps taken.
        converged: Whether the largest force is below the one asked for.
        history: Steps taken, energy (eV per atom) and largest force (eV/Å) from time to time, shape (M, 3).
        failure: Why the structure is of no use, or nothing.
    """

    configuration: Configuration
    energy_eV_per_atom: float
    largest_force_eV_per_A: float
    pressure_GPa: float
    steps: int
    converged: bool
    history: np.ndarray
    failure: str = ""

    def __repr__(self) -> str:
        state = self.failure or ("converged" if self.converged else "not converged")
        return (
            f"Relaxation({self.configuration!r}, {self.energy_eV_per_atom:.4f} eV/atom, "
            f"{self.largest_force_eV_per_A:.2g} eV/Å after {self.steps} steps: {state})"
        )

    @property
    def energy_eV(self) -> float:
        """Potential energy of all atoms, eV."""
        return self.energy_eV_per_atom * self.configuration.n_atoms


def relax_structure(
    configuration: Configuration,
    potential: Potential,
    engine: Engine,
    *,
    steps: int = 1000,
    force_eV_per_A: float = 0.05,
    every: int = 50,
    closest_A: float = CLOSEST_A,
    per_atom: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Relaxation:
    """Relax the positions of a structure in its cell, by FIRE, until the largest force is small.

    It has failed when two atoms are nearer than ``closest_A``, when an atom is lost (a position is no number), or when
    the potential fails; what is returned is then the last structure that was whole.

    Args:
        configuration: Atoms in any cell that the engine takes.
        potential: As ``load_potential`` returns it.
        engine: As ``load_engine`` returns it; ``lammps`` for large structures and classical potentials.
        steps: Most steps.
        force_eV_per_A: Largest force at which it ends, eV/Å.
        every: Steps between looks at the forces.
        closest_A: Å.
        per_atom: Whether to label the atoms with their energies and grades at the end.
        progress: Called with the fraction of ``steps`` done.

    Raises:
        DataError: The engine or the potential is missing, does not know an element, or fails on the first structure.

    Reference:
        Bitzek et al., Phys. Rev. Lett. 2006, 97, 170201, doi 10.1103/PhysRevLett.97.170201.

    Example:
        >>> from ase.build import bulk
        >>> from tammann.md.load import load_engine
        >>> from tammann.potentials import imported_potential
        >>> atoms = bulk("Cu", cubic=True).repeat(2)
        >>> atoms.rattle(0.1, seed=1)
        >>> emt = imported_potential("ase.calculators.emt:EMT")
        >>> relaxed = relax_structure(Configuration.from_ase(atoms), emt, load_engine("ase"))
        >>> relaxed.converged, round(float(relaxed.configuration.labels["energy_eV"].mean()), 3)
        (True, -0.006)
    """
    history, done, failure = [], 0, ""
    kept = replace(configuration, velocities_A_per_ps=None)
    with engine.simulation(kept, potential) as simulation:
        point = simulation.single_point()
        while True:
            force = float(np.linalg.norm(point.forces_eV_per_A, axis=1).max())
            history.append((done, point.energy_eV_per_atom, force))
            if force <= force_eV_per_A or done >= steps:
                break
            number = min(every, steps - done)
            try:
                simulation.minimize(number, force_eV_per_A=force_eV_per_A / math.sqrt(3.0))  # of a component
                moved, point_after = simulation.configuration(), simulation.single_point()
            except DataError as error:
                failure = str(error)
                break
            failure = _broken(moved, closest_A)
            if failure:
                break
            done, point = done + number, point_after
            kept = replace(kept, positions_A=moved.positions_A)
            if progress is not None:
                progress(done / steps)
    _, energy, force = history[-1]
    if per_atom and not failure:
        kept = label_atoms(kept, potential)
    pressure = float(np.mean(point.pressure_GPa[:3]))
    return Relaxation(kept, energy, force, pressure, done, force <= force_eV_per_A, np.array(history), failure)


def label_atoms(configuration: Configuration, potential: Potential) -> Configuration:
    """Return a structure whose atoms are labelled with their energies, eV, and extrapolation grades.

    A potential that gives none of them leaves the structure as it is; energies of single atoms are a choice of the
    potential, of which only sums and differences between alike atoms mean something.

    Raises:
        DataError: The potential fails, or does not know an element.
    """
    calculator = calculator_of(prepare(potential, configuration.symbols))
    given = {ENERGY: "energies", GRADE: "extrapolation_grades"}
    known = {name: key for name, key in given.items() if key in getattr(calculator, "implemented_properties", ())}
    atoms = configuration.to_ase()
    atoms.wrap()
    with muted():
        calculator.get_property("energy", atoms)
        found = {name: calculator.get_property(key, atoms) for name, key in known.items() if key in calculator.results}
    return configuration.with_labels(**{name: np.asarray(values, dtype=float) for name, values in found.items()})


def _broken(configuration: Configuration, closest_A: float) -> str:
    """Return why a structure is of no use, or nothing."""
    pairs = find_pairs(configuration.positions_A, configuration.cell_A, cutoff_A=closest_A)
    if len(pairs.indices) == 0:
        return ""
    return f"two atoms have come within {closest_A:g} Å of each other; take a looser structure or another potential."
