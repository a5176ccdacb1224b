"""What is kept of a volume search, of a replica and of a state, each a JSON file that only its record reads and writes.

Numbers that JSON has no way to write (an unknown error, say) are null in the files and NaN in the records.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, TypeAdapter

from tammann.characterization import Coordination
from tammann.errors import ResultError
from tammann.files import json_safe, write_text
from tammann.md.equation_of_state import EquationOfState, VolumePoint

__all__ = ["Estimate", "MeltRecord", "ReplicaRecord", "Viscosity", "VolumeRecord"]


def _null_is(number: float) -> BeforeValidator:
    def restore(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: restore(item) for key, item in value.items()}
        if isinstance(value, list):
            return [restore(item) for item in value]
        return number if value is None else value

    return BeforeValidator(restore)


Number = Annotated[float, _null_is(math.nan)]


class _Record:
    """A frozen dataclass that lies in a folder as JSON."""

    FILE: ClassVar[str]

    def save(self, folder: Path) -> None:
        """Write the record into a folder.

        Raises:
            OSError: The file cannot be written.
        """
        text = json.dumps(json_safe(asdict(self)), indent=1, ensure_ascii=False)  # type: ignore[call-overload]
        write_text(folder / self.FILE, text + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the record of a folder.

        Raises:
            ResultError: There is none, or it is not whole.
        """
        path = folder / cls.FILE
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except OSError as error:
            raise ResultError(f"{path}: {(error.strerror or str(error)).lower()}; run tammann melt again.") from None
        except ValueError:
            raise ResultError(f"{path}: expected a record of tammann melt, got other JSON; remove the file.") from None


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error, NaN where it is not known."""

    mean: Number
    stderr: Number


@dataclass(frozen=True)
class VolumeRecord(_Record):
    """The search for the volume of a melt.

    Attributes:
        formula: Composition.
        temperature_K: K.
        atoms: Atoms in the box.
        volume_A3: Volume of the box at the end, Å³.
        volume_per_atom_A3: Å³ per atom.
        converged: Whether pressure and energy met their tolerances.
        fit: The last fit; empty where the volume was found at constant pressure.
        points: All runs, in their order.
        notes: Sentences on what did not go as it should.
    """

    FILE: ClassVar[str] = "volume.json"

    formula: str
    temperature_K: float
    atoms: int
    volume_A3: float
    volume_per_atom_A3: float
    converged: bool
    fit: EquationOfState
    points: Annotated[tuple[VolumePoint, ...], _null_is(math.inf)]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReplicaRecord(_Record):
    """One production run: how it was made, and its means.

    Attributes:
        tammann: Version of this package.
        engine: Engine.
        engine_version: Its version, where it tells.
        formula: Composition.
        temperature_K: Temperature asked for, K.
        replica: Number, from 1 on.
        potential: Potential, as the plan names it.
        potential_version: Version of the package it comes from, or the digest of its file.
        seed: Seed of the plan.
        thermostat: Thermostat.
        timestep_fs: Time step, fs.
        frame_interval_ps: Time between frames, ps.
        sample_interval_fs: Time between records of stress and energy, fs.
        duration_ps: Length, ps.
        trajectory: Name of the trajectory.
        atoms: Number of atoms by element.
        volume_A3: Mean volume of the box, Å³.
        mean_temperature_K: K.
        mean_energy_eV_per_atom: Potential energy, eV per atom.
        energy_drift_eV_per_atom: Mean of the second half minus that of the first, eV per atom.
        energy_drift_stderr_eV_per_atom: Its standard error.
        stress_correlation_GPa2: Mean square of the shear stress, and its correlation one record apart, GPa².
        mean_pressure_GPa: GPa.
        pressure_stderr_GPa: Its standard error.
        coordination: Oxygen around each other element.
        bond_fractions: Share of each pair of elements among neighbours.
        crystal_nn: Coordination number of each element by CrystalNN.
        bragg_order: Strongest reflection over that of a perfect crystal.
        largest_cavity_A: Radius of the largest cavity, Å.
        displacement_A: Root of the mean square displacement from the first frame to the last, Å.
    """

    FILE: ClassVar[str] = "replica.json"

    tammann: str
    engine: str
    engine_version: str | None
    formula: str
    temperature_K: float
    replica: int
    potential: str
    seed: int
    thermostat: str
    timestep_fs: float
    frame_interval_ps: float
    sample_interval_fs: float
    duration_ps: float
    trajectory: str
    atoms: dict[str, int]
    volume_A3: float
    mean_temperature_K: float
    mean_energy_eV_per_atom: float
    energy_drift_eV_per_atom: Number
    energy_drift_stderr_eV_per_atom: Number
    stress_correlation_GPa2: Annotated[tuple[float, float], _null_is(math.nan)]
    mean_pressure_GPa: float
    pressure_stderr_GPa: Number
    coordination: Annotated[tuple[Coordination, ...], _null_is(math.nan)]
    bond_fractions: dict[str, Estimate]
    crystal_nn: dict[str, Estimate]
    bragg_order: float
    largest_cavity_A: float
    displacement_A: float
    potential_version: str | None = None

    @property
    def n_atoms(self) -> int:
        """Atoms in the box."""
        return sum(self.atoms.values())


@dataclass(frozen=True)
class Viscosity:
    """The shear viscosity of a melt.

    Attributes:
        value_Pa_s: Pa s; None where the integral of the stress correlation has not settled.
        stderr_Pa_s: Its standard error.
        converged: Whether it has settled and the stress was recorded often enough.
        notes: Sentences on why not.
        block_stderr_Pa_s: Standard error from separate stretches, a check.
        regime_ps: Times between which the slope was taken, ps.
    """

    value_Pa_s: float | None
    stderr_Pa_s: float | None
    converged: bool
    notes: tuple[str, ...]
    block_stderr_Pa_s: float | None = None
    regime_ps: tuple[float, float] | None = None


@dataclass(frozen=True)
class MeltRecord(_Record):
    """A melt at one temperature, from all its replicas but crystallised ones; its transport lies in a file of its own.

    Attributes:
        formula: Composition.
        temperature_K: Temperature asked for, K.
        replicas: Replicas it is measured from.
        durations_ps: Length of every replica by the name of its folder, ps.
        duration_ps: Length of those it is measured from, together, ps.
        atoms: Atoms in the box.
        volume_per_atom_A3: Å³ per atom.
        density_g_per_cm3: g/cm³.
        mean_temperature_K: K.
        energy_eV_per_atom: Potential energy, eV per atom.
        pressure_GPa: Mean pressure, GPa.
        pressure_stderr_GPa: Its standard error.
        viscosity: Shear viscosity.
        coordination: Oxygen around each other element.
        bond_fractions: Share of each pair of elements among neighbours.
        crystal_nn: Coordination number of each element by CrystalNN.
        bragg_order: Strongest reflection over that of a perfect crystal, the largest of all replicas.
        largest_cavity_A: Radius of the largest cavity, Å.
        displacement_A: Root of the mean square displacement over a replica, Å.
        energy_drift_eV_per_atom: Second half minus first half, eV per atom.
        ageing: Whether the energy still fell while it was recorded.
        crystalline: Whether all replicas have crystallised.
        notes: Sentences on what is odd about it.
    """

    FILE: ClassVar[str] = "melt.json"

    formula: str
    temperature_K: float
    replicas: int
    durations_ps: dict[str, float]
    duration_ps: float
    atoms: int
    volume_per_atom_A3: float
    density_g_per_cm3: float
    mean_temperature_K: float
    energy_eV_per_atom: float
    pressure_GPa: float
    pressure_stderr_GPa: Number
    viscosity: Viscosity
    coordination: Annotated[tuple[Coordination, ...], _null_is(math.nan)]
    bond_fractions: dict[str, Estimate]
    crystal_nn: dict[str, Estimate]
    bragg_order: float
    largest_cavity_A: float
    displacement_A: float
    energy_drift_eV_per_atom: Estimate
    ageing: bool
    crystalline: bool
    notes: tuple[str, ...]
