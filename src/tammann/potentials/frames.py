"""A labelled configuration, its conversions from and to ASE, and its text as extended XYZ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tammann.composition import atomic_masses, composition_key, conventional_formula
from tammann.errors import DataError
from tammann.structures.configuration import Configuration
from tammann.units import AVOGADRO_PER_MOL

if TYPE_CHECKING:
    from ase import Atoms

ENERGY_KEYS = ("REF_energy", "free_energy", "energy", "dft_energy", "DFT_energy", "total_energy", "Energy")
"""Where energies are looked for, first found first taken: what is named the reference, then the free energy, of which
forces are the gradient with smeared occupations, then the rest."""
FORCES_KEYS = ("REF_forces", "forces", "dft_forces", "DFT_forces", "dft_force", "REF_force", "force")
STRESS_KEYS = ("REF_stress", "stress", "dft_stress", "DFT_stress")
VIRIAL_KEYS = ("REF_virial", "virial", "virials", "dft_virial", "DFT_virial", "REF_virials")
"""Virials, minus the stress times the volume (the sign of QUIP, GAP and MACE), taken where there is no stress."""


@dataclass(frozen=True, eq=False)
class Label:
    """Provenance of the energy, forces and stress of a configuration.

    Attributes:
        method: How they were computed, such as ``gpaw PBE pw 400``.
        source: Version of the program, or reference.
        date: When, in ISO form.
        run: Where the configuration comes from.
    """

    method: str
    source: str = ""
    date: str = ""
    run: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """A configuration, periodic in three directions, with what is known of it.

    Attributes:
        configuration: Its N atoms.
        energy_eV: Energy of the whole cell, eV.
        forces_eV_per_A: Shape (N, 3), eV/Å.
        stress_eV_per_A3: Shape (3, 3), eV/Å3: (1/V) dE/d strain, as in ASE, so compression is negative.
        config_type: What kind it is: ``melt``, ``crystal``, ``strained``, ``search``, ``interface``.
        trajectory: Name of the run it belongs to; frames of one trajectory are never parted by ``split``.
        label: Who labelled it.

    Raises:
        DataError: Arrays of the wrong shape, or values that are not finite.

    Example:
        >>> cell = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> Frame(cell, energy_eV=-11.3, config_type="crystal")
        Frame(BaO, 2 atoms, crystal, -5.650 eV/atom)
    """

    configuration: Configuration
    energy_eV: float | None = None
    forces_eV_per_A: np.ndarray | None = None
    stress_eV_per_A3: np.ndarray | None = None
    config_type: str = "unknown"
    trajectory: str = ""
    label: Label | None = None

    def __post_init__(self) -> None:
        if self.energy_eV is not None:
            try:
                energy = float(self.energy_eV)
            except (TypeError, ValueError):
                energy = math.nan
            if not math.isfinite(energy):
                raise DataError(
                    f"energy_eV is {self.energy_eV!r}, expected a finite number; leave the frame out or label it anew."
                )
            object.__setattr__(self, "energy_eV", energy)
        for name, shape in (("forces_eV_per_A", (self.n_atoms, 3)), ("stress_eV_per_A3", (3, 3))):
            if (given := getattr(self, name)) is None:
                continue
            array = np.array(given, dtype=float)
            if array.shape != shape:
                raise DataError(f"{name} has shape {array.shape}, expected {shape}; label the frame anew.")
            if not np.isfinite(array).all():
                raise DataError(f"{name} has a value that is not finite; leave the frame out or label it anew.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        energy = "no energy" if self.energy_eV is None else f"{self.energy_eV / self.n_atoms:.3f} eV/atom"
        plural = "s" * (self.n_atoms > 1)
        return f"Frame({self.formula}, {self.n_atoms} atom{plural}, {self.config_type}, {energy})"

    @property
    def n_atoms(self) -> int:
        """Number of atoms N."""
        return self.configuration.n_atoms

    @property
    def formula(self) -> str:
        """Formula of its composition, the same for all multiples, such as ``BaTi2O5``."""
        return conventional_formula(dict(composition_key(Counter(self.configuration.symbols))))

    @property
    def density_g_per_cm3(self) -> float:
        """Density, g/cm3."""
        mass = sum(atomic_masses()[symbol] for symbol in self.configuration.symbols)
        return float(mass / AVOGADRO_PER_MOL / (self.configuration.volume_A3 * 1e-24))


def frame_to_atoms(frame: Frame) -> Atoms:
    """Return ASE ``Atoms`` whose calculator holds the energy, forces and stress, and ``info`` the rest."""
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = frame.configuration.to_ase()
    known = {"energy": frame.energy_eV, "forces": frame.forces_eV_per_A, "stress": frame.stress_eV_per_A3}
    if known["stress"] is not None:
        known["stress"] = np.asarray(known["stress"]).ravel()[[0, 4, 8, 5, 2, 1]]  # as Voigt
    atoms.info.update({key: text for key, text in _texts_of(frame).items() if text})  # ASE writes no empty text
    atoms.calc = SinglePointCalculator(atoms, **{key: value for key, value in known.items() if value is not None})
    return atoms


def frame_from_atoms(
    atoms: Atoms,
    *,
    config_type: str | None = None,
    trajectory: str | None = None,
    label: Label | None = None,
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
) -> Frame:
    """Return the frame that ASE ``Atoms`` hold, in their calculator or under the usual keys.

    The keys are looked for in the order of ``ENERGY_KEYS``, ``FORCES_KEYS``, ``STRESS_KEYS`` and ``VIRIAL_KEYS``; a
    virial W becomes the stress -W/V. Nothing is computed, and constraints change no force.

    Args:
        atoms: With a cell, periodic in three directions.
        config_type: Kind of configuration, if not that in ``info``.
        trajectory: Name of its run, if not that in ``info``.
        label: Provenance, if not that in ``info``.
        energy_key: The only key to take the energy from.
        forces_key: The only key to take the forces from.
        stress_key: The only key to take the stress, or the virial, from.

    Raises:
        DataError: Not periodic, no cell, arrays of the wrong shape, values that are not finite, no such key, or a
            calculator with the results of another configuration.
    """
    if not all(atoms.pbc):
        flags = " ".join("T" if flag else "F" for flag in atoms.pbc)
        raise DataError(f"pbc is {flags}, expected T T T; put the atoms into a periodic cell.")
    results = getattr(atoms.calc, "results", None) or {}
    moved = getattr(atoms.calc, "calculation_required", None)
    if "energy" in results and moved is not None and moved(atoms, ["energy"]):
        raise DataError(
            "its calculator holds the energy of another configuration; compute that of this one first "
            "(get_potential_energy), which matters where configurations share a calculator."
        )
    given = {**atoms.arrays, **atoms.info, **results}
    known = {key: value for key, value in given.items() if value is not None}

    def look(keys: Sequence[str], only: str | None) -> Any:
        if only is not None and only not in known:
            raise DataError(f"{only} is missing; expected one of {', '.join(sorted(map(str, known)))}.")
        return next((known[key] for key in ((only,) if only else keys) if key in known), None)

    configuration = Configuration.from_ase(atoms)
    stress = look(STRESS_KEYS, stress_key if stress_key not in VIRIAL_KEYS else None)
    if stress_key in VIRIAL_KEYS or stress is None:
        virial = look(VIRIAL_KEYS, stress_key)
        stress = None if virial is None else -_tensor(virial, "virial") / configuration.volume_A3
    info = {key: value if isinstance(value, str) else str(value) for key, value in atoms.info.items()}
    if label is None and "label_method" in info:
        label = Label(*(info.get(f"label_{key}", "") for key in ("method", "source", "date", "run")))
    return Frame(
        configuration,
        energy_eV=look(ENERGY_KEYS, energy_key),
        forces_eV_per_A=look(FORCES_KEYS, forces_key),
        stress_eV_per_A3=None if stress is None else _tensor(stress, "stress"),
        config_type=info.get("config_type", "unknown") if config_type is None else config_type,
        trajectory=info.get("trajectory", "") if trajectory is None else trajectory,
        label=label,
    )


def _tensor(values: Any, name: str) -> np.ndarray:
    """Return a symmetric (3, 3) from six numbers in the order xx yy zz yz xz xy, or from nine."""
    array = np.asarray(values, dtype=float)
    if array.size == 6:
        return np.asarray(array.ravel()[[[0, 5, 4], [5, 1, 3], [4, 3, 2]]])
    if array.size != 9:
        raise DataError(f"{name} has shape {array.shape}, expected 6 or 9 numbers; label the frame anew.")
    square = array.reshape(3, 3)
    if np.abs(square - square.T).max() > 1e-3 * max(np.abs(square).max(), 1e-2):
        raise DataError(f"{name} is not symmetric, expected xx xy xz yx ... zz; label the frame anew.")
    return np.asarray((square + square.T) / 2.0)


def _texts_of(frame: Frame) -> dict[str, str]:
    label = frame.label
    texts = {"config_type": frame.config_type, "trajectory": frame.trajectory}
    if label is not None:
        texts |= {f"label_{key}": getattr(label, key) for key in ("method", "source", "date", "run")}
    return texts


def to_extxyz(frame: Frame) -> str:
    """Return a frame as the text of an extended XYZ file.

    Example:
        >>> cell = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> to_extxyz(Frame(cell, energy_eV=-11.3)).splitlines()[-1]
        'O 2.8 0.0 0.0'
    """
    configuration, forces = frame.configuration, frame.forces_eV_per_A
    rows = configuration.positions_A if forces is None else np.hstack([configuration.positions_A, forces])
    head = [f'Lattice="{_numbers(configuration.cell_A)}"']
    head.append("Properties=species:S:1:pos:R:3" + (":forces:R:3" if forces is not None else ""))
    if frame.energy_eV is not None:
        head.append(f"energy={frame.energy_eV!r}")
    if frame.stress_eV_per_A3 is not None:
        head.append(f'stress="{_numbers(frame.stress_eV_per_A3)}"')
    for key, text in _texts_of(frame).items():
        line = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
        head.append(f'{key}="{line}"')
    lines = [str(configuration.n_atoms), " ".join([*head, 'pbc="T T T"'])]
    lines += [f"{symbol} {_numbers(row)}" for symbol, row in zip(configuration.symbols, rows, strict=True)]
    return "\n".join(lines) + "\n"


def _numbers(values: np.ndarray) -> str:
    return " ".join(map(repr, values.ravel().tolist()))
