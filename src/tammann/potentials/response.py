"""Energy, forces and stress that a calculator gives for a configuration."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from tammann.errors import DataError, TammannError
from tammann.potentials.calculators import muted, one_line
from tammann.structures.configuration import Configuration

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Where xx, yy, zz, yz, xz, xy stand in a tensor."""


@dataclass(frozen=True, eq=False)
class Response:
    """Response of a potential to a configuration of N atoms.

    Attributes:
        energy_eV: Of the whole cell, eV.
        forces_eV_per_A: Shape (N, 3), eV/Å.
        stress_eV_per_A3: (1/V) dE/d(strain), shape (3, 3), eV/Å³, negative in compression.
        grade: Extrapolation grade, the largest over the atoms; None where the calculator gives none.
    """

    energy_eV: float
    forces_eV_per_A: np.ndarray
    stress_eV_per_A3: np.ndarray
    grade: float | None = None


def respond(calculator: Any, configuration: Configuration, *, name: str = "potential") -> Response:
    """Return the response of an ASE calculator to a configuration; ``name`` of the potential is for messages.

    Atoms are wrapped into the cell, since some calculators look for neighbours only in the nearest images.

    Raises:
        DataError: The calculator fails, or returns numbers that are not finite.

    Example:
        >>> from ase.calculators.emt import EMT
        >>> copper = Configuration(("Cu",), np.zeros((1, 3)), 1.8 * (np.ones((3, 3)) - np.eye(3)))
        >>> bool(abs(respond(EMT(), copper).forces_eV_per_A).max() < 1e-12)
        True
    """
    atoms = configuration.to_ase()
    atoms.wrap()
    try:
        with muted():
            energy = float(calculator.get_property("energy", atoms))
            forces = np.array(calculator.get_property("forces", atoms), dtype=float)
            stress = np.array(calculator.get_property("stress", atoms), dtype=float)
    except TammannError:
        raise
    except Exception as reason:  # a calculator of another package may raise anything
        raise DataError(
            f"{name} failed ({one_line(reason)}); check that it knows these elements and that no two atoms are too "
            "close."
        ) from None
    tensor = tensor_of(stress)
    if not (np.isfinite(energy) and np.isfinite(forces).all() and np.isfinite(tensor).all()):
        raise DataError(f"{name} returned numbers that are not finite; are two atoms on top of each other?")
    grade = getattr(calculator, "results", {}).get("extrapolation_grade")
    return Response(energy, forces, tensor, None if grade is None else float(grade))


def tensor_of(stress: np.ndarray) -> np.ndarray:
    """Return a stress, shape (6,) in the order xx, yy, zz, yz, xz, xy, (9,) or (3, 3), as a symmetric tensor (3, 3).

    Example:
        >>> tensor_of(np.arange(6.0))[0].tolist()
        [0.0, 5.0, 4.0]
    """
    if stress.size == 6:
        tensor = np.empty((3, 3))
        for (a, b), value in zip(VOIGT, stress, strict=True):
            tensor[a, b] = tensor[b, a] = value
        return tensor
    tensor = stress.reshape(3, 3)
    return np.asarray((tensor + tensor.T) / 2.0)


def judged(calculator: Any) -> Any:
    """Return a calculator that reports its extrapolation grade but does not stop at a high one.

    One that would stop is copied, and stays as it is; any other is returned itself.

    Example:
        >>> from ase.calculators.emt import EMT
        >>> isinstance(judged(EMT()), EMT)
        True
    """
    if getattr(calculator, "stop_above", None) is None:
        return calculator
    patient = copy(calculator)
    patient.stop_above, patient.results = None, {}
    if hasattr(patient, "atoms"):
        patient.atoms = None  # whose results they were
    return patient
