"""Molecular dynamics whose extrapolation grade is watched at every step.

Configurations that the potential was not trained for are collected; a run that has left what the potential knows, or
whose atoms meet, get lost or grow far too hot, is stopped. The grade is read where the forces are computed, so
watching changes nothing of the motion, and costs a few per cent of a step.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from tammann.errors import DataError, ResultError, TammannError
from tammann.files import whole_file
from tammann.md.ase import compute
from tammann.md.conditions import Conditions, Ramp
from tammann.md.integrators import advance, minimize_fire
from tammann.md.state import ForceResult, MDState, initialize_state
from tammann.potentials.calculators import muted
from tammann.structures import Configuration
from tammann.structures.contacts import closest_contact

Grade = Callable[[Any], float]
"""Grade of ASE atoms; of an active set, or the deviation of a committee."""
Ended = Literal["finished", "grade", "contact", "lost", "hot", "failed"]
"""Why a run ended: its time was over; a grade above the stop; two atoms too near; an atom farther than half an Å from
where it was a step before, or forces that are not finite; too hot; the potential gave no forces."""
LONGEST_STEP_A = 0.5
MEAN_STEPS = 50
"""Over which the temperature is averaged, before it is found too high."""
RECENT = 3
"""Configurations before a failure that are collected although the grade had not warned."""
RELAX_SPACING = 10
MOST_BEFORE = 10**9
"""Steps of the relaxation before the motion are numbered from minus this on."""
REPORT_STEPS = 50


@dataclass(frozen=True)
class Watch:
    """When to collect a configuration, and when to stop.

    Attributes:
        select_above: Grade above which configurations are collected.
        stop_above: Grade above which the run is stopped.
        spacing_fs: Shortest time between two that are collected, fs; of relaxations, in steps of the same length.
        most: Configurations that a run may give; where there are more, every second is dropped and the spacing doubled.
        closest_A: Distance at which two atoms have met, Å.

    Raises:
        DataError: A stop below the selection, or a number that is not above 0.

    Example:
        >>> Watch().stop_above
        100.0
    """

    select_above: float = 5.0
    stop_above: float = 100.0
    spacing_fs: float = 50.0
    most: int = 40
    closest_A: float = 1.0

    def __post_init__(self) -> None:
        for name in ("select_above", "spacing_fs", "most", "closest_A"):
            if not getattr(self, name) > 0:
                raise DataError(f"{name}: expected a number above 0, got {getattr(self, name)}.")
        if not self.stop_above > self.select_above:
            raise DataError(f"stop_above: expected more than select_above {self.select_above}, got {self.stop_above}.")


@dataclass(frozen=True, eq=False)
class Exploration:
    """What a watched run gave.

    Attributes:
        name: Of the run.
        grades: Of every step, shape (M,), float32; nan where a step gave none.
        configurations: Collected ones.
        collected_grades: Their grades.
        ended: Why the run ended.
        detail: A sentence on that, empty where its time was over.
        duration_ps: Time reached, ps.
        wanted_ps: Time asked for, ps.
    """

    name: str
    grades: np.ndarray
    configurations: tuple[Configuration, ...]
    collected_grades: tuple[float, ...]
    ended: Ended
    detail: str
    duration_ps: float
    wanted_ps: float

    def __repr__(self) -> str:
        reached = f"{self.duration_ps:g} of {self.wanted_ps:g} ps"
        return f"Exploration({self.name}: {reached}, {len(self.configurations)} collected, ended: {self.ended})"

    @property
    def largest_grade(self) -> float:
        """Largest grade of all steps, nan where there is none."""
        known = self.grades[np.isfinite(self.grades)]
        return float(known.max()) if len(known) else math.nan

    def save(self, path: str | Path) -> None:
        """Write all of it to one file (npz), whole or not at all."""
        head = {
            "name": self.name,
            "ended": self.ended,
            "detail": self.detail,
            "duration_ps": self.duration_ps,
            "wanted_ps": self.wanted_ps,
            "symbols": [list(configuration.symbols) for configuration in self.configurations],
        }
        arrays: dict[str, Any] = {"grades": self.grades, "collected_grades": np.array(self.collected_grades)}
        for k, configuration in enumerate(self.configurations):
            arrays |= {f"positions-{k}": configuration.positions_A, f"cell-{k}": configuration.cell_A}
        with whole_file(path) as file:
            np.savez_compressed(file, head=np.array(json.dumps(head)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Exploration:
        """Read what ``save`` wrote.

        Raises:
            ResultError: Another file.
        """
        try:
            with np.load(path) as arrays:
                head = json.loads(str(arrays["head"]))
                found = tuple(
                    Configuration(tuple(symbols), arrays[f"positions-{k}"], arrays[f"cell-{k}"])
                    for k, symbols in enumerate(head.pop("symbols"))
                )
                if head["ended"] not in get_args(Ended):
                    raise ValueError(head["ended"])
                collected = tuple(arrays["collected_grades"].tolist())
                return cls(grades=arrays["grades"], configurations=found, collected_grades=collected, **head)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultError(f"{path}: expected a watched run, got another file ({error}); remove it.") from None


class _Stop(Exception):
    """Ends a run from within the forces."""


@dataclass(eq=False)
class _Watcher:
    """Computes the forces of a run and looks at each configuration; mutable."""

    calculator: Any
    watch: Watch
    grade: Grade | None
    spacing: int
    hottest_K: float
    atoms: Any
    inverse_cell: np.ndarray
    progress: Callable[[int], None]
    watching: bool = True
    before: int = 0
    steps: int = 0
    grades: list[float] = field(default_factory=list)
    collected: list[tuple[int, float, Configuration]] = field(default_factory=list)
    relaxed: list[tuple[int, float, Configuration]] = field(default_factory=list)
    recent: deque[tuple[int, float, Configuration]] = field(default_factory=lambda: deque(maxlen=RECENT))
    temperature_K: float = 0.0
    ended: Ended = "finished"
    detail: str = ""
    contact: _Contact | None = None

    def forces(self, states: Sequence[MDState], stress: bool) -> list[ForceResult]:
        (state,) = states
        self._check_motion(state)
        # into the cell, which does not change: some calculators search for neighbours only in the nearest images
        fractional = state.positions_A @ self.inverse_cell
        self.atoms.positions[:] = state.positions_A - np.floor(fractional) @ state.cell_A
        try:
            result = compute(self.calculator, self.atoms, "of the run", stress=stress)
        except TammannError as error:
            self.stop("failed", str(error))
        if not (np.isfinite(result.forces_eV_per_A).all() and math.isfinite(result.energy_eV)):
            self.stop("lost", f"energy or forces are not finite at step {self.steps}")
        if self.watching:
            self._look(state)
        else:
            if self.before % RELAX_SPACING == 0:
                snapshot = (self.before - MOST_BEFORE, self._grade(), _snapshot(state))
                self.relaxed.append(snapshot)
                self.recent.append(snapshot)
            self.before += 1
        return [result]

    def _check_motion(self, state: MDState) -> None:
        """Stop where atoms have met or flown off; most steps need no search for the closest pair."""
        if self.contact is None:
            self.contact = _Contact(state)
        moved = self.contact.step(state, self.watch.closest_A)
        if not moved <= LONGEST_STEP_A:  # also where it is not a number
            self.stop("lost", f"an atom moved {moved:.3g} Å in step {self.steps}")
        closest = self.contact.closest_A
        if closest < self.watch.closest_A:
            self.stop("contact", f"two atoms came within {closest:.3g} Å at step {self.steps}")

    def _look(self, state: MDState) -> None:
        grade = self._grade()
        self.grades.append(grade)
        self.temperature_K += (state.temperature_K - self.temperature_K) / min(MEAN_STEPS, len(self.grades))
        step, self.steps = self.steps, self.steps + 1
        last = self.collected[-1][0] if self.collected else -self.spacing
        if grade > self.watch.stop_above:
            if step == 0:  # the relaxation has led where the potential knows nothing; its path says more than its end
                self.collected = [one for one in self.relaxed if one[1] > self.watch.select_above]
                self.collected = self.collected[-self.watch.most + 1 :]
            if not self.collected or step == 0:
                self._collect(step, grade, state)
            self.stop("grade", f"grade {grade:.4g} at step {step}")
        if self.temperature_K > self.hottest_K:
            self.stop("hot", f"{self.temperature_K:.0f} K at step {step}")
        if grade > self.watch.select_above and step - last >= self.spacing:
            self._collect(step, grade, state)
        elif step % self.spacing == 0:
            self.recent.append((step, grade, _snapshot(state)))
        if step % REPORT_STEPS == 0:
            self.progress(step)

    def _grade(self) -> float:
        if self.grade is not None:
            return float(self.grade(self.atoms))
        found = self.calculator.results.get("extrapolation_grade")
        if found is None:
            raise DataError(
                "the potential gives no extrapolation_grade; take one with an active set, or give the function grade."
            )
        return float(found)

    def _collect(self, step: int, grade: float, state: MDState) -> None:
        self.collected.append((step, grade, _snapshot(state)))
        if len(self.collected) > self.watch.most:
            self.collected = self.collected[::2]
            self.spacing *= 2

    def stop(self, ended: Ended, detail: str) -> None:
        self.ended, self.detail = ended, detail
        if ended in ("contact", "lost", "hot", "failed"):
            known = {step for step, _, _ in self.collected}
            self.collected += [one for one in self.recent if one[0] not in known]
            self.collected.sort(key=lambda one: one[0])
        raise _Stop


class _Contact:
    """The closest pair of atoms, searched for only when it may have come near since the last search.

    With d the smallest distance at the last search and s the longest way of an atom from there, no pair is nearer than
    d - 2 s.
    """

    def __init__(self, state: MDState) -> None:
        self.before = self.searched = state.positions_A
        self.found_A = self.closest_A = _closest(state)

    def step(self, state: MDState, within_A: float) -> float:
        """Return the longest way of an atom since the last call, Å.

        ``closest_A`` is a lower bound of the smallest distance, and where it is below ``within_A`` the distance itself.
        """
        moved, away = (_longest(state.positions_A - since) for since in (self.before, self.searched))
        self.before = state.positions_A
        self.closest_A = self.found_A - 2.0 * away
        if self.closest_A < max(0.65 * self.found_A, within_A) and moved <= LONGEST_STEP_A:
            self.found_A = self.closest_A = _closest(state)
            self.searched = state.positions_A
        return moved


def _longest(moves: np.ndarray) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", moves, moves).max()))


def explore(
    configuration: Configuration,
    calculator: Any,
    conditions: Conditions,
    *,
    duration_ps: float,
    watch: Watch | None = None,
    final_temperature_K: float | None = None,
    relax_steps: int = 0,
    grade: Grade | None = None,
    name: str = "",
    progress: Callable[[float], None] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Exploration:
    """Run molecular dynamics, or a relaxation, and watch the extrapolation grade at every step.

    Configurations with a grade above ``watch.select_above`` are collected, not more often than ``watch.spacing_fs``.
    The run ends above ``watch.stop_above`` (that configuration is collected where no other was; where it is the first
    of the motion, so is every tenth of the relaxation before), when two atoms come
    within ``watch.closest_A``, when an atom jumps or forces are not finite, when the mean temperature of 50 steps
    exceeds twice the thermostat's and 500 K, or when the calculator fails; then the last configurations before are
    collected.

    Args:
        configuration: Where to begin; missing velocities are drawn.
        calculator: Any ASE calculator; without ``grade`` it gives ``extrapolation_grade`` in its results.
        conditions: Thermostat and time step, without a pressure.
        duration_ps: Time of molecular dynamics, ps; with 0 the relaxation is what is watched.
        watch: Thresholds.
        final_temperature_K: Temperature to which the thermostat's changes linearly, K.
        relax_steps: Most steps of FIRE before the motion, or in place of it; those before it are watched for atoms
            that meet only.
        grade: Grade of ASE atoms, for calculators that give none, such as the force deviation of a committee.
        name: Of the run.
        progress: Called now and then with the fraction done.
        rng: For velocities and random forces.

    Raises:
        DataError: There is no grade, or a pressure is asked for.

    Example:
        >>> from ase.build import bulk
        >>> from ase.calculators.emt import EMT
        >>> copper = Configuration.from_ase(bulk("Cu", cubic=True).repeat(2))
        >>> explore(copper, EMT(), Conditions(300.0), duration_ps=0.02, grade=lambda atoms: 1.0, name="Cu", rng=1)
        Exploration(Cu: 0.02 of 0.02 ps, 0 collected, ended: finished)
    """
    from ase import Atoms

    if conditions.pressure_GPa is not None:
        raise DataError(f"pressure_GPa: expected none, the volume is kept, got {conditions.pressure_GPa}.")
    watch = watch or Watch()
    steps = conditions.steps(duration_ps)
    total = steps or relax_steps
    hottest = max(conditions.temperature_K, final_temperature_K or 0.0)
    ramp = None if final_temperature_K is None else Ramp(final_temperature_K, max(steps, 1))
    state = initialize_state(configuration, conditions, ramp=ramp, rng=rng)
    watcher = _Watcher(
        calculator,
        watch,
        grade,
        spacing=max(1, round(watch.spacing_fs / conditions.timestep_fs)),
        hottest_K=2.0 * hottest + 500.0 if steps else math.inf,
        atoms=Atoms(list(configuration.symbols), configuration.positions_A, cell=configuration.cell_A, pbc=True),
        inverse_cell=np.linalg.inv(configuration.cell_A),
        progress=lambda step: None if progress is None else progress(min(1.0, step / max(total, 1))),
    )
    try:
        with muted():
            watcher.watching = steps == 0
            minimize_fire(state, watcher.forces, steps=relax_steps)
            watcher.watching = True
            if steps:
                for _ in advance(state, watcher.forces, steps, every=steps):
                    pass
    except _Stop:
        pass
    collected = watcher.collected
    return Exploration(
        name,
        np.array(watcher.grades, dtype=np.float32),
        tuple(configuration for _, _, configuration in collected),
        tuple(grade for _, grade, _ in collected),
        watcher.ended,
        watcher.detail,
        min(state.step, steps) * conditions.timestep_fs / 1000.0,
        steps * conditions.timestep_fs / 1000.0,
    )


def _snapshot(state: MDState) -> Configuration:
    return Configuration(state.symbols, state.positions_A, state.cell_A)


def _closest(state: MDState) -> float:
    return closest_contact(_snapshot(state)) if np.isfinite(state.positions_A).all() else 0.0
