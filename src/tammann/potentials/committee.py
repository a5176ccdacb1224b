"""Potentials of one kind that were trained apart: where their forces disagree, none of them is to be trusted.

What stands in for an extrapolation grade where a model has none, as graph networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from tammann.errors import DataError


def force_deviations(forces_eV_per_A: np.ndarray) -> np.ndarray:
    """Return the deviation of the forces on each atom among M members, shape (N,), eV/Å.

    s_i = sqrt( sum_m |F_im - <F_i>|^2 / M ), with <F_i> the mean over members.

    Args:
        forces_eV_per_A: F, shape (M, N, 3), eV/Å.

    Raises:
        DataError: Fewer than two members.

    Reference:
        Zhang et al., Phys. Rev. Mater. 2019, 3, 023804, doi 10.1103/PhysRevMaterials.3.023804.

    Example:
        >>> force_deviations(np.array([[[1.0, 0.0, 0.0]], [[3.0, 0.0, 0.0]]]))
        array([1.])
    """
    forces = np.asarray(forces_eV_per_A, dtype=float)
    if forces.ndim != 3 or len(forces) < 2:
        raise DataError(f"forces: expected those of two members or more, got shape {forces.shape}; add a member.")
    return np.asarray(np.sqrt(((forces - forces.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0)))


class CommitteeCalculator(Calculator):
    """The mean of several calculators, whose disagreement is the extrapolation grade.

    Results besides ASE's own: ``extrapolation_grades``, ``force_deviations`` of each atom, shape (N,), eV/Å, and
    ``extrapolation_grade``, the largest of them. The mean forces are the gradient of the mean energy.

    Args:
        members: Two calculators or more, with energy, forces and stress.
    """

    implemented_properties = ["energy", "forces", "stress", "extrapolation_grade", "extrapolation_grades"]

    def __init__(self, members: Sequence[Any]) -> None:
        super().__init__()
        if len(members) < 2:
            raise DataError(f"members: expected two calculators or more, got {len(members)}; add one.")
        self.members = tuple(members)

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: list[str] = all_changes
    ) -> None:
        """Compute what is asked for, and the forces with their deviation in any case."""
        super().calculate(atoms, properties, system_changes)
        forces = np.array([member.get_property("forces", self.atoms) for member in self.members])
        deviations = force_deviations(forces)
        self.results = {
            "energy": float(np.mean([member.get_property("energy", self.atoms) for member in self.members])),
            "forces": forces.mean(axis=0),
            "extrapolation_grades": deviations,
            "extrapolation_grade": float(deviations.max()),
        }
        if "stress" in properties:
            stresses = [np.asarray(member.get_property("stress", self.atoms)) for member in self.members]
            self.results["stress"] = np.mean(stresses, axis=0)
