"""Conditions of a molecular dynamics run, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from tammann.errors import DataError, RecipeError
from tammann.structures import Configuration

Thermostat = Literal["nose-hoover", "langevin", "berendsen", "none"]
LIMITS = {"temperature_K": (1.0, 1e5), "timestep_fs": (1e-3, 100.0), "damping_fs": (0.01, 1e6)}


@dataclass(frozen=True)
class Conditions:
    """Thermostat, barostat and time step.

    Attributes:
        temperature_K: Temperature of the thermostat, K.
        timestep_fs: fs.
        thermostat: ``nose-hoover`` (canonical, hardly disturbs the dynamics), ``langevin`` (canonical, friction slows
            diffusion down), ``berendsen`` (no ensemble, for equilibration) or ``none`` (constant energy).
        damping_fs: Relaxation time of the thermostat, fs; the inverse friction of ``langevin``.
        pressure_GPa: Pressure of a Nose-Hoover barostat, GPa; None for constant volume.

    Raises:
        RecipeError: A value out of range.

    Example:
        >>> Conditions(2000.0).steps(1.0)
        500
    """

    temperature_K: float
    timestep_fs: float = 2.0
    thermostat: Thermostat = "nose-hoover"
    damping_fs: float = 100.0
    pressure_GPa: float | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise RecipeError(f"{name}: expected a number from {low:g} to {high:g}, got {getattr(self, name)}.")
        if self.thermostat not in ("nose-hoover", "langevin", "berendsen", "none"):
            raise RecipeError(
                f"thermostat: expected nose-hoover, langevin, berendsen or none, got {self.thermostat!r}."
            )
        if self.pressure_GPa is not None and self.thermostat != "nose-hoover":
            raise RecipeError(f"pressure_GPa: expected the thermostat nose-hoover with it, got {self.thermostat}.")

    def steps(self, duration_ps: float) -> int:
        """Return the number of time steps in a duration."""
        return round(duration_ps * 1000.0 / self.timestep_fs)


class Ramp(NamedTuple):
    """A linear change of the thermostat's temperature to ``final_temperature_K`` within ``steps`` time steps."""

    final_temperature_K: float
    steps: int


@dataclass(frozen=True, eq=False)
class MDRun:
    """A finished molecular dynamics run.

    Attributes:
        configuration: Final configuration, positions unwrapped from the initial ones.
        duration_ps: ps.
        temperature_K: Shape (M,), K.
        energy_eV_per_atom: Potential energy, shape (M,), eV per atom.
        pressure_GPa: Pressure tensor, columns xx, yy, zz, xy, xz, yz, shape (M, 6), GPa.
        volume_A3: Shape (M,), Å3.
    """

    configuration: Configuration
    duration_ps: float
    temperature_K: np.ndarray
    energy_eV_per_atom: np.ndarray
    pressure_GPa: np.ndarray
    volume_A3: np.ndarray

    def __repr__(self) -> str:
        mean = float(np.mean(self.temperature_K))
        return f"MDRun({self.configuration!r}, {self.duration_ps:g} ps, mean temperature {mean:.0f} K)"

    def isotropic_pressure_GPa(self) -> np.ndarray:
        """Return the mean of the diagonal of the pressure tensor, shape (M,), GPa."""
        return np.asarray(self.pressure_GPa[:, :3].mean(axis=1))


def explosion(conditions: Conditions, detail: str = "") -> DataError:
    """Return the error of a run whose atoms fly apart."""
    return DataError(
        f"the run at {conditions.temperature_K:g} K has exploded{f' ({detail})' if detail else ''}; take a step "
        f"shorter than {conditions.timestep_fs:g} fs, a looser packing, or another potential."
    )
