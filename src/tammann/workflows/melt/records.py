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
        """Write the record into a folder."""
        text = json.dumps(json_safe(asdict(self)), indent=1, ensure_ascii=False)  # type: ignore[call-overload]
        write_text(folder / self.FILE, text + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the record of a folder; a ResultError says that there is none, or that it is not whole."""
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
    """The search for the volume of a melt, ``volume.json``.

    Attributes:
        volume_A3: Volume of the box, of ``atoms`` atoms, at the end, Å³.
        converged: Whether pressure and energy met their tolerances.
        fit: The last fit; empty where the volume was found at constant pressure.
        points: All runs, in their order.
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


@dataclass(frozen=True, kw_only=True)
class _Structure:
    """The structure of a melt.

    Attributes:
        temperature_K: Temperature asked for, K.
        coordination: Oxygen around each other element.
        bond_fractions: Share of each pair of elements among neighbours.
        crystal_nn: Coordination number of each element by CrystalNN.
        bragg_order: Strongest reflection over that of a perfect crystal.
        largest_cavity_A: Radius of the largest cavity, Å.
        displacement_A: Root of the mean square displacement from the first frame to the last, Å.
    """

    formula: str
    temperature_K: float
    coordination: Annotated[tuple[Coordination, ...], _null_is(math.nan)]
    bond_fractions: dict[str, Estimate]
    crystal_nn: dict[str, Estimate]
    bragg_order: float
    largest_cavity_A: float
    displacement_A: float


@dataclass(frozen=True, kw_only=True)
class ReplicaRecord(_Structure, _Record):
    """One production run: how it was made, its means and its structure, ``replica.json``.

    Attributes:
        tammann: Version of this package.
        potential_version: Version of the package that the potential comes from, or the digest of its file.
        sample_interval_fs: Time between records of stress and energy, fs.
        atoms: Number by element.
        volume_A3: Mean volume of the box, Å³.
        energy_drift_eV_per_atom: Mean of the second half minus that of the first, eV per atom.
        stress_correlation_GPa2: Mean square of the shear stress, and its correlation one record apart, GPa².
    """

    FILE: ClassVar[str] = "replica.json"

    tammann: str
    engine: str
    engine_version: str | None
    replica: int
    potential: str
    potential_version: str | None = None
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

    @property
    def n_atoms(self) -> int:
        """Atoms in the box."""
        return sum(self.atoms.values())


@dataclass(frozen=True)
class Viscosity:
    """The shear viscosity of a melt, Pa s; no value where it has not settled or the stress was recorded too seldom.

    Attributes:
        block_stderr_Pa_s: Standard error from separate stretches, a check.
        regime_ps: Times between which the slope was taken, ps.
    """

    value_Pa_s: float | None
    stderr_Pa_s: float | None
    converged: bool
    notes: tuple[str, ...]
    block_stderr_Pa_s: float | None = None
    regime_ps: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class MeltRecord(_Structure, _Record):
    """A melt at one temperature, from all its replicas that have not crystallised, ``melt.json``.

    Attributes:
        durations_ps: Length of every replica by the name of its folder, ps.
        duration_ps: Length of the ``replicas`` that it is measured from, together, ps.
        atoms: In the box.
        energy_drift_eV_per_atom: Second half of the replicas minus first half, eV per atom.
        ageing: Whether the energy still fell while it was recorded.
        crystalline: Whether all replicas have crystallised.
    """

    FILE: ClassVar[str] = "melt.json"

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
    energy_drift_eV_per_atom: Estimate
    ageing: bool
    crystalline: bool
    notes: tuple[str, ...]
