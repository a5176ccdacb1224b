"""What every engine of molecular dynamics is told and what it hands back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tammann.errors import RecipeError
from tammann.structures import Configuration

__all__ = ["Conditions", "MDRun", "block_stderr"]

Thermostat = Literal["nose-hoover", "langevin", "berendsen", "none"]


@dataclass(frozen=True)
class Conditions:
    """The surroundings of the atoms and the step that time is cut into.

    Attributes:
        temperature_K: Of the heat bath, K.
        timestep_fs: fs.
        thermostat: ``nose-hoover`` (canonical, hardly disturbs the state), ``langevin`` (canonical, friction slows
            diffusion down), ``berendsen`` (no ensemble, for getting there) or ``none`` (constant energy).
        damping_fs: Relaxation time of the thermostat, fs; the inverse friction of ``langevin``.
        pressure_GPa: With a number the volume follows this pressure (Nose-Hoover barostat), with None it stays.

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
        for name in ("temperature_K", "timestep_fs", "damping_fs"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise RecipeError(f"{name}: expected a number above 0, got {value}.")
        if self.thermostat not in ("nose-hoover", "langevin", "berendsen", "none"):
            raise RecipeError(
                f"thermostat: expected nose-hoover, langevin, berendsen or none, got {self.thermostat!r}."
            )
        if self.pressure_GPa is not None and self.thermostat != "nose-hoover":
            raise RecipeError(f"pressure_GPa: expected the thermostat nose-hoover with it, got {self.thermostat}.")

    def steps(self, duration_ps: float) -> int:
        """Number of steps in a duration."""
        return round(duration_ps * 1000.0 / self.timestep_fs)


@dataclass(frozen=True, eq=False)
class MDRun:
    """One stretch of molecular dynamics and what was recorded on the way.

    Attributes:
        configuration: Where the atoms have arrived, positions unwrapped from where they began.
        duration_ps: ps.
        sample_fs: Time between records, fs.
        temperature_K: Shape (M,), K.
        energy_eV_per_atom: Potential energy, shape (M,), eV per atom.
        pressure_GPa: Pressure tensor, columns xx, yy, zz, xy, xz, yz, shape (M, 6), GPa.
        volume_A3: Shape (M,), Å3.
    """

    configuration: Configuration
    duration_ps: float
    sample_fs: float
    temperature_K: np.ndarray
    energy_eV_per_atom: np.ndarray
    pressure_GPa: np.ndarray
    volume_A3: np.ndarray

    def isotropic_pressure_GPa(self) -> np.ndarray:
        """Mean of the diagonal of the pressure tensor, shape (M,), GPa."""
        pressure: np.ndarray = self.pressure_GPa[:, :3].mean(axis=1)
        return pressure


def block_stderr(series: np.ndarray, *, blocks: int = 5) -> float:
    """Standard error of the mean of a correlated series from the scatter of the means of blocks of it.

    stderr = s/sqrt(b), with s the standard deviation of the means of b = ``blocks`` equal blocks; honest where a block
    is several correlation times long.

    Args:
        series: Shape (M,).
        blocks: b, at least 2.

    Example:
        >>> import numpy as np
        >>> block_stderr(np.array([1.0, 1.0, 3.0, 3.0]), blocks=2)
        1.0
    """
    means = [float(np.mean(part)) for part in np.array_split(np.asarray(series, dtype=float), blocks) if part.size]
    if len(means) < 2:
        return math.inf
    return float(np.std(means, ddof=1) / math.sqrt(len(means)))
