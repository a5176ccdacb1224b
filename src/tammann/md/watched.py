"""Molecular dynamics under watch: a run that ends where a potential fails, and says how.

A fitted potential may collapse, let atoms fly apart, or be asked for what it does not know. ``watched_run`` follows the
closest contact, the loneliest atom, temperature, energy and, where there is one, the extrapolation grade.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from tammann.errors import DataError, ResultError
from tammann.files import whole_path
from tammann.md.ase import compute
from tammann.md.conditions import Conditions
from tammann.md.integrators import advance
from tammann.md.state import ForceResult, Forces, MDState, initialize_state, load_state, save_state
from tammann.potentials.calculators import Potential, calculator_of, muted, prepare
from tammann.potentials.response import judged
from tammann.structures import Configuration
from tammann.structures.contacts import nearest_distances
from tammann.trajectory import Trajectory

if TYPE_CHECKING:
    import pandas as pd

RECORD = "watched.npz"
SAVE_SECONDS = 20.0
LONGEST_STEP_A = 0.5
"""Along one axis in one time step; a hot oxygen moves a tenth of that."""
COLUMNS = ("time_ps", "temperature_K", "energy_eV_per_atom", "closest_A", "loneliest_A", "grade")


@dataclass(frozen=True)
class Limits:
    """What counts as the failure of a potential.

    Attributes:
        closest_A: Two atoms nearer than this have collapsed, Å.
        loneliest_A: An atom whose nearest neighbour is farther away is lost, Å.
        hottest: Temperature over that of the thermostat above which the run has exploded; 500 K are added.
        grade: Extrapolation grade above which nothing that the potential says is trusted; None for no limit.

    Reference:
        Two atoms within 1 Å, or lost: Pasca et al. 2025 on BaZrS3. Grade 100: Karan et al., Nat. Mater. 2026,
        doi 10.1038/s41563-026-02596-5.
    """

    closest_A: float = 1.0
    loneliest_A: float = 5.0
    hottest: float = 2.0
    grade: float | None = 100.0


class Failure(NamedTuple):
    """Why a run ended: ``collapse``, ``lost atom``, ``explosion``, ``grade`` or ``calculator``, and in one sentence."""

    kind: str
    sentence: str


@dataclass(frozen=True, eq=False, repr=False)
class WatchedRun:
    """A run under watch.

    Attributes:
        potential: Name.
        n_atoms: Number of atoms.
        temperature_K: Of the thermostat, K.
        asked_ps: How long it was to be, ps.
        survived_ps: How long it has been, ps.
        failure: Why it ended early; None where it did not.
        series: One row for each look: ``time_ps``, ``temperature_K``, ``energy_eV_per_atom`` (potential energy),
            ``closest_A``, ``loneliest_A`` (the longest distance of an atom to its nearest neighbour), ``grade`` (the
            highest since the last look, NaN where there is none).
        trajectory: Frames, or None for fewer than two.
        steps_per_s: Speed, looks and files included.
    """

    potential: str
    n_atoms: int
    temperature_K: float
    asked_ps: float
    survived_ps: float
    failure: Failure | None
    series: pd.DataFrame
    trajectory: Trajectory | None
    steps_per_s: float

    def __repr__(self) -> str:
        end = "stable" if self.failure is None else f"{self.failure.kind} after {self.survived_ps:.3g} ps"
        return f"WatchedRun({self.potential}, {self.n_atoms} atoms, {self.asked_ps:g} ps, {end})"


def watched_run(
    configuration: Configuration,
    potential: Potential,
    conditions: Conditions,
    *,
    duration_ps: float,
    limits: Limits | None = None,
    watch_fs: float = 10.0,
    frame_fs: float = 50.0,
    folder: str | os.PathLike[str] | None = None,
    rng: np.random.Generator | int | None = None,
    progress: Callable[[float], None] | None = None,
) -> WatchedRun:
    """Run molecular dynamics with an ASE calculator until the end, or until a limit is passed.

    The grade and the forces are looked at after every step, distances and temperature every ``watch_fs``.

    Args:
        configuration: The start; missing velocities are drawn.
        potential: For the engine ASE.
        conditions: Temperature, time step and thermostat.
        duration_ps: ps.
        limits: What ends the run.
        watch_fs: Time between looks, fs.
        frame_fs: Time between frames of the trajectory, fs, a multiple of ``watch_fs``.
        folder: Where the run is kept every twenty seconds, to be resumed from there; nowhere where None.
        rng: For velocities and the thermostat.
        progress: Called with the fraction done.

    Raises:
        DataError: The potential cannot be used with these elements, or times that do not fit.
        ResultError: The folder holds another run.

    Example:
        >>> from ase.build import bulk
        >>> from tammann.potentials import imported_potential
        >>> copper = Configuration.from_ase(bulk("Cu", cubic=True).repeat(2))
        >>> emt = imported_potential("ase.calculators.emt:EMT")
        >>> watched_run(copper, emt, Conditions(300.0), duration_ps=0.1, rng=1)
        WatchedRun(ase.calculators.emt:EMT, 32 atoms, 0.1 ps, stable)
    """
    limits = limits or Limits()
    every, frame_every = (round(t / conditions.timestep_fs) for t in (watch_fs, frame_fs))
    if every < 1 or frame_every % every:
        raise DataError(
            f"frame_fs is {frame_fs:g}, expected a multiple of watch_fs {watch_fs:g}, and that one of the time step "
            f"{conditions.timestep_fs:g} fs."
        )
    total = conditions.steps(duration_ps) // every * every
    if total < every:
        raise DataError(f"duration_ps is {duration_ps:g}, expected at least {watch_fs:g} fs between two looks.")
    setting = {"potential": potential.name, "frame_every": frame_every, "every": every}
    setting |= {"conditions": asdict(conditions), "limits": asdict(limits)}
    book = _Book(setting, [], [], 0.0, None, 0)
    state: MDState | None = None
    place = None if folder is None else Path(folder)
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
        if (place / RECORD).exists():
            book = _load(place, setting)
            if book.failure is None and book.step < total:
                state = load_state(place / f"state-{book.step}.npz", configuration, conditions, step=book.step)
    if state is None:
        seed = int(np.random.default_rng(rng).integers(0, 2**63))
        state = initialize_state(configuration, conditions, rng=seed)
    if book.failure is None and book.step < total:
        forces, grade = _watched_forces(potential, configuration.symbols, limits)
        _advance(book, state, forces, grade, total, conditions, limits, place, progress)
    return _result(book, potential.name, configuration, conditions, total * conditions.timestep_fs / 1000.0)


class _Stop(Exception):
    """Leaves the integrator where a limit has been passed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


@dataclass
class _Book:
    """What is kept of a run while it goes on; mutable."""

    setting: dict[str, Any]
    rows: list[tuple[float, ...]]
    frames: list[np.ndarray]
    seconds: float
    failure: Failure | None
    step: int


def _advance(
    book: _Book,
    state: MDState,
    forces: Forces,
    grade: list[float],
    total: int,
    conditions: Conditions,
    limits: Limits,
    folder: Path | None,
    progress: Callable[[float], None] | None,
) -> None:
    """Take the steps that are missing, and write in the book."""
    every, frame_every = book.setting["every"], book.setting["frame_every"]
    clock = saved = time.monotonic()
    try:
        for _ in advance(state, forces, total - state.step, every=every):
            if state.step and state.step <= book.step:
                continue
            row = _look(state, max(grade, default=math.nan))
            grade.clear()
            book.rows.append(row)
            if state.step % frame_every == 0:
                book.frames.append(state.positions_A.copy())
            book.step = state.step
            if failure := _failure(row, conditions, limits):
                raise _Stop(failure)
            now = time.monotonic()
            if folder is not None and now - saved > SAVE_SECONDS:
                book.seconds, clock, saved = book.seconds + now - clock, now, now
                _save(book, state, folder)
            if progress is not None:
                progress(state.step / total)
    except _Stop as stop:
        book.failure, book.step = stop.failure, state.step
        if grade:
            book.rows.append(_look(state, max(grade)))
    except DataError as problem:
        kind = "explosion" if "exploded" in str(problem) or "not finite" in str(problem) else "calculator"
        book.failure, book.step = Failure(kind, str(problem)), state.step
    book.seconds += time.monotonic() - clock
    if folder is not None:
        _save(book, state, folder)


def _watched_forces(potential: Potential, symbols: Sequence[str], limits: Limits) -> tuple[Forces, list[float]]:
    """Return the forces of a calculator, and a list to which the grade of every call is added."""
    from ase import Atoms

    made = prepare(potential, symbols)
    calculator = judged(calculator_of(made))
    atoms = Atoms(list(symbols), cell=np.eye(3), pbc=True)
    grades: list[float] = []
    before: list[np.ndarray] = []

    def forces(states: Sequence[MDState], stress: bool) -> list[ForceResult]:
        results = []
        for state in states:
            moved = float(np.abs(state.positions_A - before.pop()).max()) if before else 0.0
            if not moved <= LONGEST_STEP_A:
                raise _Stop(Failure("explosion", f"an atom has moved {moved:.1f} Å in one step"))
            before.append(state.positions_A)
            atoms.set_cell(state.cell_A)
            atoms.set_positions(state.positions_A)
            atoms.wrap()
            with muted():
                results.append(compute(calculator, atoms, potential.name, stress=stress))
            grade = getattr(calculator, "results", {}).get("extrapolation_grade")
            if grade is not None:
                grades.append(float(grade))
                if limits.grade is not None and not grades[-1] <= limits.grade:
                    state.result = results[-1]
                    raise _Stop(
                        Failure("grade", f"the extrapolation grade is {grades[-1]:.3g}, above {limits.grade:g}")
                    )
        return results

    return forces, grades


def _look(state: MDState, grade: float) -> tuple[float, ...]:
    assert state.result is not None
    time_ps = state.step * state.conditions.timestep_fs / 1000.0
    energy = state.result.energy_eV / len(state.symbols)
    if not np.isfinite(state.positions_A).all():
        return (time_ps, math.nan, energy, math.nan, math.nan, grade)
    distances = nearest_distances(Configuration(state.symbols, state.positions_A, state.cell_A))
    nearest = distances.min(axis=1)
    return (time_ps, state.temperature_K, energy, float(nearest.min()), float(nearest.max()), grade)


def _failure(row: tuple[float, ...], conditions: Conditions, limits: Limits) -> Failure | None:
    """Return what is wrong with a look, if anything."""
    time_ps, temperature, energy, closest, loneliest, _ = row
    after = f"after {time_ps:.4g} ps"
    if not (math.isfinite(temperature) and math.isfinite(energy)):
        return Failure("explosion", f"energy or temperature are not finite {after}")
    if closest < limits.closest_A:
        return Failure("collapse", f"two atoms are {closest:.2f} Å apart {after}, below {limits.closest_A:g} Å")
    if loneliest > limits.loneliest_A:
        return Failure("lost atom", f"an atom is {loneliest:.1f} Å from any other {after}")
    if temperature > limits.hottest * conditions.temperature_K + 500.0:
        return Failure("explosion", f"the atoms have reached {temperature:.0f} K {after}")
    return None


def _save(book: _Book, state: MDState, folder: Path) -> None:
    """Write the state, then the record that names it; a kill between the two loses nothing."""
    with whole_path(folder / f"state-{book.step}.npz") as partial:
        save_state(state, partial)
    about = {"setting": book.setting, "seconds": book.seconds, "failure": book.failure, "step": book.step}
    with whole_path(folder / RECORD) as partial, partial.open("wb") as file:
        frames = np.array(book.frames, dtype=np.float32).reshape(len(book.frames), -1, 3)
        np.savez(file, about=np.array(json.dumps(about)), rows=np.array(book.rows), frames=frames)
    for old in folder.glob("state-*.npz"):
        if old.name != f"state-{book.step}.npz":
            old.unlink(missing_ok=True)


def _load(folder: Path, setting: dict[str, Any]) -> _Book:
    path = folder / RECORD
    try:
        with np.load(path) as arrays:
            about = json.loads(str(arrays["about"]))
            rows = [tuple(row) for row in arrays["rows"].reshape(-1, len(COLUMNS)).tolist()]
            frames = list(arrays["frames"].astype(float))
            failure = None if about["failure"] is None else Failure(*about["failure"])
            book = _Book(about["setting"], rows, frames, about["seconds"], failure, about["step"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise ResultError(f"{path}: expected a run under watch, got something else ({error}); remove it.") from None
    if book.setting != json.loads(json.dumps(setting)):
        raise ResultError(f"{folder}: holds a run with another potential, conditions or limits; name another folder.")
    return book


def _result(
    book: _Book, name: str, configuration: Configuration, conditions: Conditions, asked_ps: float
) -> WatchedRun:
    import pandas as pd

    survived = book.step * conditions.timestep_fs / 1000.0
    trajectory = None
    if len(book.frames) > 1:
        trajectory = Trajectory(
            configuration.symbols,
            np.array(book.frames),
            configuration.cell_A[None],
            book.setting["frame_every"] * conditions.timestep_fs / 1000.0,
            temperature_K=conditions.temperature_K,
            source=name,
        )
    return WatchedRun(
        name,
        configuration.n_atoms,
        conditions.temperature_K,
        max(asked_ps, survived),
        survived,
        book.failure,
        pd.DataFrame(book.rows, columns=list(COLUMNS)),
        trajectory,
        book.step / book.seconds if book.seconds > 0 else math.nan,
    )
