"""Labelled configurations, the data that potentials are fitted to: tables of them, files, splits that do not leak."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tammann.errors import DataError
from tammann.files import write_text
from tammann.potentials.frames import Frame, Label, frame_from_atoms, frame_to_atoms, to_extxyz
from tammann.structures.contacts import closest_contacts

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DataSet",
    "Frame",
    "Label",
    "frame_from_atoms",
    "frame_to_atoms",
    "read_dataset",
    "split",
    "to_extxyz",
    "write_dataset",
]

_TEXT = re.compile(r'(config_type|trajectory|label_\w+)=("(?:[^"\\]|\\.)*"|\S+)')


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Frames, in order.

    Attributes:
        frames: The frames.

    Example:
        >>> from tammann.structures import Configuration
        >>> cell = Configuration(("Ba", "O"), np.array([[0, 0, 0], [2.8, 0, 0]]), 5.6 * np.eye(3))
        >>> data = DataSet((Frame(cell, config_type="crystal"), Frame(cell.at_volume(200.0), config_type="strained")))
        >>> data
        DataSet(2 frames, 4 atoms, BaO)
        >>> [frame.config_type for frame in data.subset([1])]
        ['strained']
    """

    frames: tuple[Frame, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", tuple(self.frames))

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.frames)

    def __getitem__(self, index: int) -> Frame:
        return self.frames[index]

    def __add__(self, other: DataSet) -> DataSet:
        return DataSet(self.frames + other.frames)

    def __repr__(self) -> str:
        plural = "s" * (len(self) != 1)
        formulas = ", ".join(self.formulas) or "no composition"
        return f"DataSet({len(self)} frame{plural}, {self.n_atoms} atoms, {formulas})"

    @property
    def n_atoms(self) -> int:
        """Number of atoms of all frames."""
        return sum(frame.n_atoms for frame in self.frames)

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of all elements, sorted."""
        return tuple(sorted({symbol for frame in self.frames for symbol in frame.configuration.symbols}))

    @property
    def formulas(self) -> tuple[str, ...]:
        """Formulas of all compositions, sorted."""
        return tuple(sorted({frame.formula for frame in self.frames}))

    def subset(self, indices: Iterable[int]) -> DataSet:
        """Return the frames of these indices, in their order."""
        return DataSet(tuple(self.frames[int(index)] for index in indices))

    def summary(self) -> pd.DataFrame:
        """Return a table with one row for each kind of configuration and composition.

        Its columns are the numbers of frames, labelled frames, trajectories and atoms; the range of the density,
        g/cm3, and of the energy, eV/atom; the largest force on an atom, eV/Å; and the closest contact of each pair
        of elements, Å (``closest_Ba_O_A``, and so on).
        """
        import pandas as pd

        groups: dict[tuple[str, str], list[Frame]] = {}
        for frame in self.frames:
            groups.setdefault((frame.config_type, frame.formula), []).append(frame)
        rows = [_summary_row(*key, groups[key]) for key in sorted(groups)]
        return pd.DataFrame(rows).set_index(["config_type", "formula"]) if rows else pd.DataFrame()


def _summary_row(config_type: str, formula: str, frames: Sequence[Frame]) -> dict[str, Any]:
    densities = [frame.density_g_per_cm3 for frame in frames]
    energies = [frame.energy_eV / frame.n_atoms for frame in frames if frame.energy_eV is not None]
    forces = [
        np.linalg.norm(frame.forces_eV_per_A, axis=1).max() for frame in frames if frame.forces_eV_per_A is not None
    ]
    contacts: dict[tuple[str, str], float] = {}
    for frame in frames:
        for pair, distance in closest_contacts(frame.configuration).items():
            contacts[pair] = min(distance, contacts.get(pair, math.inf))
    return {
        "config_type": config_type,
        "formula": formula,
        "frames": len(frames),
        "labelled": len(energies),
        "trajectories": len({frame.trajectory for frame in frames}),
        "atoms": sum(frame.n_atoms for frame in frames),
        "lowest_density_g_per_cm3": min(densities),
        "highest_density_g_per_cm3": max(densities),
        "lowest_energy_eV_per_atom": min(energies, default=math.nan),
        "highest_energy_eV_per_atom": max(energies, default=math.nan),
        "largest_force_eV_per_A": max(forces, default=math.nan),
        **{f"closest_{a}_{b}_A": distance for (a, b), distance in sorted(contacts.items())},
    }


def write_dataset(path: str | os.PathLike[str], dataset: DataSet | Iterable[Frame]) -> None:
    """Write frames as extended XYZ, with every digit; the file appears whole.

    Energies, forces and stresses have ASE's keys ``energy``, ``forces``, ``stress``; the rest is in ``config_type``,
    ``trajectory``, ``label_method``, ``label_source``, ``label_date`` and ``label_run``. Velocities are left out.

    Raises:
        OSError: The folder cannot be written to.
    """
    write_text(path, "".join(map(to_extxyz, dataset)))


def read_dataset(
    *paths: str | os.PathLike[str],
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
) -> DataSet:
    """Read frames from files: extended XYZ, VASP, GPAW, ASE, and whatever else ASE reads with a cell.

    In extended XYZ the keys of this package, of ASE, MACE, QUIP and others are known (``frame_from_atoms``). Frames
    of a file that names no trajectory form one, called by the name of the file, which is also ``run`` of labels whose
    provenance is not told. Of GPAW's text output ASE gives the energy extrapolated to zero smearing, in place of the
    free energy.

    Args:
        paths: The files: ``*.xyz``, ``*.extxyz``, ``vasprun.xml``, ``OUTCAR``, ``*.traj``, ``*.db``, GPAW's text
            output; the name says which.
        energy_key: The only key to take energies from.
        forces_key: The only key to take forces from.
        stress_key: The only key to take stresses, or virials, from.

    Raises:
        DataError: A file cannot be read, or a frame of it has no cell, arrays of the wrong shape or values that are
            not finite.
    """
    frames: list[Frame] = []
    for path in map(Path, paths):
        for number, atoms in enumerate(_read_atoms(path), 1):
            try:
                frame = frame_from_atoms(atoms, energy_key=energy_key, forces_key=forces_key, stress_key=stress_key)
            except DataError as error:
                raise DataError(f"{path.name}, frame {number}: {error}") from None
            if "trajectory" not in atoms.info:
                frame = replace(frame, trajectory=path.name)
            if frame.label is None and frame.energy_eV is not None:
                program = str(getattr(atoms.calc, "name", None) or "unknown")
                frame = replace(frame, label=Label(program, run=path.name))
            frames.append(frame)
    return DataSet(tuple(frames))


def _read_atoms(path: Path) -> list[Any]:
    from ase.io import read

    if not path.is_file():
        raise DataError(f"data set {path.name!r}: expected a file, got none of this name; check its spelling.")
    is_xyz = path.suffix in (".xyz", ".extxyz")
    try:
        images: Any = read(path, index=":", format="extxyz" if is_xyz else None)
        comments = list(_comments(path)) if is_xyz else []
    except Exception as error:  # ASE raises many kinds
        problem = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"data set {path.name!r} cannot be read ({problem:.200}); expected extended XYZ, vasprun.xml, OUTCAR, "
            ".traj, .db or the text output of GPAW, its format in its name."
        ) from None
    for atoms, comment in zip(images, comments, strict=False):
        for key, text in _TEXT.findall(comment):  # ASE takes "1 2" for numbers and "T" for true
            atoms.info[key] = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
    return list(images)


def _comments(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8") as file:
        while line := file.readline().strip():
            yield file.readline()
            for _ in range(int(line)):
                file.readline()


def split(
    dataset: DataSet,
    by: Literal["trajectory", "composition"] = "trajectory",
    fraction: float = 0.1,
    rng: np.random.Generator | int = 0,
) -> tuple[DataSet, DataSet]:
    """Split into frames to fit and frames to test on, by whole trajectories or compositions, never by frame.

    Neighbouring frames of a trajectory are nearly the same: one of them among the tested frames while the other is
    fitted would hide errors. Frames without a trajectory are taken for one. Groups are drawn until the tested frames
    are as near to the fraction as whole groups allow; at least one group remains on either side.

    Args:
        dataset: At least two trajectories, or compositions.
        by: What stays together.
        fraction: Of the frames to test on, between 0 and 1.
        rng: Generator or seed; the same seed gives the same split.

    Returns:
        Frames to fit, and frames to test on, each in their order.

    Raises:
        DataError: Another ``by``, a fraction out of range, or only one group.
    """
    if by not in ("trajectory", "composition"):
        raise DataError(f"by: expected trajectory or composition, got {by!r}.")
    if not 0.0 < fraction < 1.0:
        raise DataError(f"fraction: expected a number between 0 and 1, got {fraction!r}.")
    groups: dict[str, list[int]] = {}
    for index, frame in enumerate(dataset):
        groups.setdefault(frame.trajectory if by == "trajectory" else frame.formula, []).append(index)
    if len(groups) < 2:
        other = "composition" if by == "trajectory" else "trajectory"
        raise DataError(f"by: expected at least two of a {by}, got {len(groups)}; add frames, or split by {other}.")
    drawn = np.random.default_rng(rng).permutation(sorted(groups)).tolist()
    wanted, tested = fraction * len(dataset), list(groups[drawn[0]])
    for name in drawn[1:-1]:
        if abs(len(tested) + len(groups[name]) - wanted) < abs(len(tested) - wanted):
            tested += groups[name]
    held = set(tested)
    return dataset.subset(i for i in range(len(dataset)) if i not in held), dataset.subset(sorted(held))
