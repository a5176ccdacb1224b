"""Relaxation of many structures, atoms and cell, in a folder where each that is finished is a whole file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import DataError, ResultError
from tammann.files import check_empty, digest, json_safe, lock_folder, read_json, write_text
from tammann.parallel import Progress, run_tasks
from tammann.potentials.calculators import Potential, calculator_of, prepare
from tammann.potentials.crystals import relax_crystal
from tammann.potentials.dataset import DataSet, Frame, Label, read_dataset, to_extxyz, write_dataset
from tammann.potentials.response import respond
from tammann.structures.candidates import rattled
from tammann.structures.configuration import Configuration

RELAXED, UNFINISHED = "relaxed", "not relaxed"
"""Kinds of configuration: whether no force exceeds the one asked for."""
RECORD = "batch.json"


@dataclass(frozen=True, eq=False, repr=False)
class RelaxationBatch:
    """Structures relaxed in a folder.

    Attributes:
        names: Of the structures, in the order given.
        frames: By name, each with energy, forces, stress and where they come from; ``config_type`` says whether it has
            converged (``relaxed``, ``not relaxed``).
        failures: By name, why a structure has none.
        folder: Where they are.
    """

    names: tuple[str, ...]
    frames: Mapping[str, Frame]
    failures: Mapping[str, str]
    folder: Path

    def __repr__(self) -> str:
        converged = sum(frame.config_type == RELAXED for frame in self.frames.values())
        return f"RelaxationBatch({converged} relaxed, {len(self.frames) - converged} not, {len(self.failures)} failed)"

    def energies_eV(self) -> np.ndarray:
        """Return the total energy of each structure, eV, in the order given; NaN for one that failed."""
        return np.array([self.frames[n].energy_eV if n in self.frames else np.nan for n in self.names], dtype=float)

    @property
    def dataset(self) -> DataSet:
        """Frames of all structures that did not fail."""
        return DataSet(tuple(self.frames.values()))


def relax_batch(
    structures: Mapping[str, Configuration],
    potential: Potential,
    folder: str | os.PathLike[str],
    *,
    cell: bool = True,
    force_eV_per_A: float = 0.02,
    steps: int = 500,
    rattle_A: float = 0.0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> RelaxationBatch:
    """Relax structures one by one by FIRE; whatever ends the work, those that are finished stay.

    Each gives a file ``NAME.extxyz``, with the relaxed atoms, energy, forces, stress, potential and the digest of the
    structure it started from, or ``NAME.failed.txt`` with the reason. A second call with the same folder does what is
    left, and may add structures.

    Args:
        structures: By name, which becomes the name of a file.
        potential: As ``load_potential`` returns it; for an executor with other processes one that has not been made.
        folder: Made where it is missing.
        cell: Whether the cell relaxes too.
        force_eV_per_A: Largest force on an atom of a relaxed structure, eV/Å.
        steps: Most steps of a structure.
        rattle_A: Random displacements before, Å, the same for a name at each call: an ordering starts on sites of high
            symmetry, where forces can vanish though the energy is not lowest.
        executor: Any to compute in, in the calling process where None.
        progress: Called with the fraction done.

    Raises:
        DataError: No structures, a name that is no name of a file, numbers out of range, or a potential that cannot be
            made.
        ResultError: The folder holds something else, other settings, or another structure of a name.

    Example:
        >>> import tempfile
        >>> from ase.build import bulk
        >>> from tammann.potentials import imported_potential
        >>> emt = imported_potential("ase.calculators.emt:EMT")
        >>> copper = {"tight": Configuration.from_ase(bulk("Cu", a=3.5)), "loose": Configuration.from_ase(bulk("Cu"))}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     batch = relax_batch(copper, emt, folder, force_eV_per_A=0.001)
        >>> batch, round((4 * batch.frames["tight"].configuration.volume_A3) ** (1 / 3), 2)
        (RelaxationBatch(2 relaxed, 0 not, 0 failed), 3.59)
    """
    place = Path(folder)
    if not structures or min(force_eV_per_A, steps) <= 0 or rattle_A < 0:
        raise DataError(
            f"structures, force_eV_per_A, steps, rattle_A: expected one or more, numbers above 0, and 0 or more, got "
            f"{len(structures)}, {force_eV_per_A}, {steps} and {rattle_A}."
        )
    for name in structures:
        if not name or name in (".", "..") or set(name) & set('/\\:*?"<>|'):
            raise DataError(f"structure {name!r}: expected a name that a file can have; rename it.")
    settings = {
        "potential": potential.name,
        "source": str(getattr(potential, "digest", "") or potential.source),
        "cell": cell,
        "force_eV_per_A": force_eV_per_A,
        "steps": steps,
        "rattle_A": rattle_A,
    }
    place.mkdir(parents=True, exist_ok=True)
    with lock_folder(place, use="being relaxed in"):
        _check_record(place, settings)
        left = {name: start for name, start in structures.items() if not _is_done(place, name, start)}
        tasks = {name: (place, name, start, potential, settings) for name, start in left.items()}
        if tasks:
            done = 1.0 - len(left) / len(structures)

            def tell(fraction: float, what: str, temperature: float | None) -> None:
                if progress is not None:
                    progress(done + (1.0 - done) * fraction, what, temperature)

            run_tasks(_relax_into, tasks, executor=executor, progress=tell)
    frames, failures = {}, {}
    for name in structures:
        if (file := place / f"{name}.extxyz").exists():
            frames[name] = read_dataset(file)[0]
        else:
            failures[name] = (place / f"{name}.failed.txt").read_text(encoding="utf-8").strip().partition("\n")[2]
    return RelaxationBatch(tuple(structures), frames, failures, place)


def _relax_into(
    folder: Path,
    name: str,
    start: Configuration,
    potential: Potential,
    settings: Mapping[str, Any],
    progress: Any = None,
) -> None:
    """Relax one structure and write its file."""
    seed = int(_mark(start)[:8], 16)
    # what keeps a calculator from being made, such as a missing package, is no failure of the structure
    calculator = calculator_of(prepare(potential, start.symbols))
    try:
        begun = rattled(start, displacement_A=settings["rattle_A"], rng=seed)
        moved, converged = relax_crystal(
            calculator,
            begun,
            cell=settings["cell"],
            steps=settings["steps"],
            force_eV_per_A=settings["force_eV_per_A"],
        )
        answer = respond(calculator, moved, name=potential.name)
    except DataError as error:
        write_text(folder / f"{name}.failed.txt", f"{_mark(start)}\n{error}\n")
        return
    label = Label(
        method=potential.name,
        source=settings["source"],
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        run=f"{name}, relaxed from sha256 {_mark(start)}",
    )
    frame = Frame(
        moved,
        answer.energy_eV,
        answer.forces_eV_per_A,
        answer.stress_eV_per_A3,
        config_type=RELAXED if converged else UNFINISHED,
        trajectory=name,
        label=label,
    )
    write_dataset(folder / f"{name}.extxyz", [frame])


def _mark(start: Configuration) -> str:
    """Return a digest by which a structure is known; labels and velocities do not count."""
    return digest(to_extxyz(Frame(replace(start, labels={}, velocities_A_per_ps=None))).encode())


def is_relaxed(folder: str | os.PathLike[str], name: str) -> bool:
    """Return whether a structure of a name has been relaxed in a folder, or has failed to be."""
    return any((Path(folder) / f"{name}{end}").exists() for end in (".extxyz", ".failed.txt"))


def _is_done(folder: Path, name: str, start: Configuration) -> bool:
    if not is_relaxed(folder, name):
        return False
    file, failed = folder / f"{name}.extxyz", folder / f"{name}.failed.txt"
    text = (file if file.exists() else failed).read_text(encoding="utf-8")
    if _mark(start) not in text:
        raise ResultError(f"{folder}: holds another structure of the name {name!r}; name another folder or structure.")
    return True


def _check_record(folder: Path, settings: Mapping[str, Any]) -> None:
    file = folder / RECORD
    if not file.exists():
        check_empty(folder, advice="it holds no relaxations to resume; name a new folder")
        write_text(file, json.dumps(json_safe(settings), indent=1) + "\n")
        return
    there = read_json(file, error=ResultError)
    for key, value in json_safe(settings).items():
        if there.get(key) != value:
            raise ResultError(f"{folder}: holds structures relaxed with {key} {there.get(key)}, not {value}.")
