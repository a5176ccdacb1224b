"""The expansion as an ASE calculator that watches its own extrapolation grade."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from tammann.errors import DataError
from tammann.potentials.ace.model import AceModel
from tammann.potentials.ace.neighbours import Neighbours, find_neighbours
from tammann.potentials.calculators import ModelFile, model_file

SKIN_A = 0.7
"""Neighbours are sought this far beyond the cutoff, and again when atoms have moved half of it."""


class AceCalculator(Calculator):
    """Energies, forces, stress and extrapolation grade of an ``AceModel``, in a cell periodic in three directions.

    Results besides ASE's own: ``extrapolation_grades``, shape (N,), and ``extrapolation_grade``, the largest of them.

    Args:
        model: The potential.
        grade: Whether grades are computed with every energy.
        stop_above: A grade above this ends molecular dynamics of this package (``md.state.ForceResult.check_grade``).
    """

    implemented_properties = [
        "energy", "free_energy", "energies", "forces", "stress", "extrapolation_grade", "extrapolation_grades",
    ]  # fmt: skip

    def __init__(self, model: AceModel, *, grade: bool = False, stop_above: float | None = None) -> None:
        super().__init__()
        if (grade or stop_above is not None) and not model.active_sets:
            raise DataError("potential has no active set, so no grade; train it with active_set: true.")
        self.model, self.grade, self.stop_above = model, grade or stop_above is not None, stop_above
        self._neighbours: Neighbours | None = None
        self._fractional = np.zeros((0, 3))

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: list[str] = all_changes
    ) -> None:
        """Compute everything for the atoms."""
        super().calculate(atoms, properties, system_changes)
        box: Any = self.atoms
        if not box.pbc.all():
            raise DataError("potential: expected a cell that is periodic in three directions; set pbc=True.")
        cell = np.array(box.cell.array, dtype=float)
        species = self.model.species(box.get_chemical_symbols())
        positions, neighbours = self._follow(box.positions, cell)
        result = self.model.evaluate(positions, cell, species, neighbours, functions=self.grade)
        energy = float(result.energies_eV.sum())
        virial = 0.5 * (result.virial_eV + result.virial_eV.T)
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "energies": result.energies_eV,
            "forces": result.forces_eV_per_A,
            "stress": (virial / abs(np.linalg.det(cell))).ravel()[[0, 4, 8, 5, 2, 1]],
        }
        if self.grade:
            grades = self.model.grades(result, species)
            self.results |= {"extrapolation_grades": grades, "extrapolation_grade": float(grades.max())}

    def _follow(self, positions_A: np.ndarray, cell_A: np.ndarray) -> tuple[np.ndarray, Neighbours]:
        """Return positions in the images for which neighbours are known, and the neighbours."""
        fractional = np.linalg.solve(cell_A.T, positions_A.T).T
        kept = self._neighbours
        if kept is not None and fractional.shape == self._fractional.shape:
            # atoms that were put back into the cell go on where they were
            fractional -= np.round(fractional - self._fractional)
        if kept is None or not kept.serve(fractional, cell_A, self.model.cutoff_A):
            fractional -= np.floor(fractional)
            kept = self._neighbours = find_neighbours(fractional @ cell_A, cell_A, self.model.cutoff_A + SKIN_A)
        self._fractional = fractional
        return np.ascontiguousarray(fractional @ cell_A), kept


def load_calculator(path: str) -> AceCalculator:
    """Return the calculator of a potential in a file, with grades if it has an active set."""
    model = AceModel.load(path)
    stop = max((active.thresholds[1] for active in model.active_sets), default=None)
    return AceCalculator(model, grade=stop is not None, stop_above=stop)


def ace_file(path: str | os.PathLike[str]) -> ModelFile:
    """Return the potential in a file that ``AceModel.save`` wrote.

    Raises:
        DataError: The file cannot be read or holds no such potential.
    """
    return model_file(
        path,
        "tammann.potentials.ace.calculator:load_calculator",
        "linear atomic cluster expansion, Drautz, Phys. Rev. B 2019, 99, 014104, doi 10.1103/PhysRevB.99.014104",
        elements=AceModel.load(path).elements,
    )
