"""Glasses by melting, and cooling at a stated rate, in molecular dynamics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from tammann.composition import atomic_masses
from tammann.errors import RecipeError, ResultError
from tammann.files import whole_file
from tammann.md.conditions import Conditions
from tammann.md.engine import Engine
from tammann.potentials.calculators import Potential
from tammann.structures import Configuration
from tammann.units import A3_IN_CM3_PER_MOL

if TYPE_CHECKING:
    import pandas as pd

STAGES = ("melt", "hold", "quench", "anneal")
COLUMNS = ("stage", "time_ps", "target_K", "temperature_K", "energy_eV_per_atom", "volume_A3", "pressure_GPa")
LIMITS = {
    "melt_K": (1.0, 1e5), "melt_ps": (0.0, 1e6), "hold_K": (1.0, 1e5), "hold_ps": (0.0, 1e6),
    "rate_K_per_ps": (1e-4, 1e6), "final_K": (1.0, 1e5), "final_ps": (0.0, 1e6), "piece_ps": (0.01, 1e4),
}  # fmt: skip


@dataclass(frozen=True)
class QuenchSchedule:
    """Temperatures and times of a melt and its quench.

    The melt is made at constant volume, where a packing of atoms may be under any pressure; the rest runs at
    ``pressure_GPa``, or at constant volume too where that is None.

    Attributes:
        melt_K: Temperature at which the start loses its memory, K.
        melt_ps: How long, ps.
        hold_K: Temperature of the liquid from which it is quenched, K.
        hold_ps: How long, ps.
        rate_K_per_ps: Cooling rate, K/ps; 1 K/ps is 1e12 K/s.
        final_K: Temperature of the glass, K.
        final_ps: How long it is kept there, ps.
        pressure_GPa: Pressure of all but the melting, GPa; constant volume where None.
        timestep_fs: fs.
        damping_fs: Relaxation time of the thermostat, fs.
        piece_ps: Length of the pieces after which progress is reported and the run can be resumed, ps.

    Raises:
        RecipeError: A value out of range, or ``final_K`` not below ``hold_K``.

    Example:
        >>> schedule = QuenchSchedule(hold_K=2000.0, final_K=300.0, rate_K_per_ps=10.0)
        >>> schedule.quench_ps, schedule.duration_ps
        (170.0, 200.0)
    """

    melt_K: float = 3000.0
    melt_ps: float = 10.0
    hold_K: float = 2500.0
    hold_ps: float = 10.0
    rate_K_per_ps: float = 10.0
    final_K: float = 300.0
    final_ps: float = 10.0
    pressure_GPa: float | None = 0.0
    timestep_fs: float = 2.0
    damping_fs: float = 100.0
    piece_ps: float = 5.0

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise RecipeError(f"{name}: expected a number from {low:g} to {high:g}, got {getattr(self, name)}.")
        if not self.final_K < self.hold_K:
            raise RecipeError(f"final_K: expected less than hold_K {self.hold_K:g}, got {self.final_K:g}.")
        for temperature in (self.melt_K, self.hold_K, self.final_K):
            self._conditions(temperature, self.pressure_GPa)

    @property
    def quench_ps(self) -> float:
        """Duration of the quench, (hold_K - final_K) / rate_K_per_ps, ps."""
        return (self.hold_K - self.final_K) / self.rate_K_per_ps

    @property
    def duration_ps(self) -> float:
        """Duration of everything, ps."""
        return self.melt_ps + self.hold_ps + self.quench_ps + self.final_ps

    def _conditions(self, temperature_K: float, pressure_GPa: float | None) -> Conditions:
        return Conditions(temperature_K, self.timestep_fs, damping_fs=self.damping_fs, pressure_GPa=pressure_GPa)

    def pieces(self) -> tuple[Piece, ...]:
        """Return the pieces in which it is run, each at most ``piece_ps`` long."""
        return tuple(self._pieces())

    def _pieces(self) -> Iterator[Piece]:
        stages = (
            ("melt", self.melt_K, self.melt_K, self.melt_ps, None),
            ("hold", self.hold_K, self.hold_K, self.hold_ps, self.pressure_GPa),
            ("quench", self.hold_K, self.final_K, self.quench_ps, self.pressure_GPa),
            ("anneal", self.final_K, self.final_K, self.final_ps, self.pressure_GPa),
        )
        for stage, begin_K, end_K, duration_ps, pressure_GPa in stages:
            number = math.ceil(duration_ps / self.piece_ps - 1e-9)
            for k in range(number):
                first, last = (begin_K + (end_K - begin_K) * share / number for share in (k, k + 1))
                yield Piece(stage, self._conditions(first, pressure_GPa), last, duration_ps / number)


class Piece(NamedTuple):
    """A part of a stage: its conditions at the beginning, its last temperature, K, and its duration, ps."""

    stage: str
    conditions: Conditions
    final_temperature_K: float
    duration_ps: float


@dataclass(frozen=True, eq=False)
class Quench:
    """A structure and the history that made it.

    Attributes:
        configuration: The atoms at the end (so far), with their velocities.
        schedule: What was asked for.
        samples: One row for each sample, shape (M, 7), columns as ``COLUMNS``: number of the stage in ``STAGES``, time
            from the beginning (ps), temperature of the thermostat (K), temperature (K), potential energy (eV per atom),
            volume (Å3), pressure (GPa).
        pieces_done: Pieces of the schedule that are done.
    """

    configuration: Configuration
    schedule: QuenchSchedule
    samples: np.ndarray
    pieces_done: int

    def __repr__(self) -> str:
        state = "" if self.finished else f", {self.pieces_done} of {len(self.schedule.pieces())} pieces"
        rate = f"{self.schedule.rate_K_per_ps:g} K/ps to {self.schedule.final_K:g} K"
        return f"Quench({self.configuration!r}, {rate}{state})"

    @property
    def finished(self) -> bool:
        """Whether all pieces are done."""
        return self.pieces_done == len(self.schedule.pieces())

    def table(self) -> pd.DataFrame:
        """Return the samples with the name of their stage and the density, g/cm3."""
        import pandas as pd

        table = pd.DataFrame(self.samples, columns=list(COLUMNS))
        table["stage"] = [STAGES[int(k)] for k in table["stage"]]
        masses = atomic_masses()
        mass = sum(masses[symbol] for symbol in self.configuration.symbols)
        table["density_g_per_cm3"] = mass / (A3_IN_CM3_PER_MOL * table["volume_A3"])
        return table

    def means(self) -> dict[str, float]:
        """Return means over the second half of the last stage: density, energy, temperature and pressure.

        Without an annealing they are those of the last sample: in a quench nothing is steady.
        """
        table = self.table()
        last = table[table["stage"] == table["stage"].iloc[-1]]
        last = last.iloc[-1:] if last["stage"].iloc[-1] == "quench" else last.iloc[len(last) // 2 :]
        names = ("density_g_per_cm3", "energy_eV_per_atom", "temperature_K", "pressure_GPa")
        return {name: float(last[name].mean()) for name in names}

    def save(self, path: str | Path) -> None:
        """Write structure and history to a file, whole or not at all."""
        c = self.configuration
        arrays: dict[str, Any] = {"symbols": np.array(c.symbols), "positions_A": c.positions_A, "cell_A": c.cell_A}
        if c.velocities_A_per_ps is not None:
            arrays["velocities_A_per_ps"] = c.velocities_A_per_ps
        with whole_file(path) as file:
            np.savez(file, samples=self.samples, pieces_done=self.pieces_done, **arrays)

    @classmethod
    def load(cls, path: str | Path, schedule: QuenchSchedule) -> Quench:
        """Read what ``save`` wrote.

        Raises:
            ResultError: Another file.
        """
        try:
            with np.load(path) as held:
                symbols = tuple(held["symbols"].tolist())
                velocities = held["velocities_A_per_ps"] if "velocities_A_per_ps" in held else None
                atoms = Configuration(symbols, held["positions_A"], held["cell_A"], velocities)
                return cls(atoms, schedule, held["samples"], int(held["pieces_done"]))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise ResultError(f"{path}: expected a quench, got something else ({error}); remove it.") from None


def melt_quench(
    start: Configuration | Quench,
    potential: Potential,
    schedule: QuenchSchedule,
    engine: Engine,
    *,
    seed: int = 0,
    sample_fs: float = 100.0,
    relax_steps: int = 500,
    checkpoint: Callable[[Quench], None] | None = None,
    progress: Callable[[float, str, float], None] | None = None,
) -> Quench:
    """Melt a structure and quench it, by molecular dynamics with any potential.

    The start is relaxed in its cell, which removes overlaps, and then run through the pieces of the schedule. Each
    piece takes over the velocities of the one before and has random numbers of its own, so that a run resumed from a
    checkpoint gives what an undisturbed one gives.

    Args:
        start: A packing or a crystal; or what a checkpoint kept.
        potential: As ``load_potential`` returns it.
        schedule: Temperatures, times and the rate.
        engine: As ``load_engine`` returns it.
        seed: Of the velocities.
        sample_fs: Time between samples, fs.
        relax_steps: Steps of the relaxation at the beginning; none where 0.
        checkpoint: Called with the state after each piece.
        progress: Called with the fraction done, the stage, and the temperature of the thermostat, K.

    Returns:
        The glass with its history.

    Raises:
        DataError: As ``Engine.run``: the run has exploded, or a fitted potential has left its training data.

    Example:
        >>> from ase.build import bulk
        >>> from tammann.md.load import load_engine
        >>> from tammann.potentials import imported_potential
        >>> copper = Configuration.from_ase(bulk("Cu", cubic=True).repeat(2))
        >>> short = QuenchSchedule(melt_ps=0.1, hold_K=2000, hold_ps=0.1, rate_K_per_ps=1e4, final_ps=0.1)
        >>> emt = imported_potential("ase.calculators.emt:EMT")
        >>> glass = melt_quench(copper, emt, short, load_engine("ase"), relax_steps=0)
        >>> glass.finished, glass.table().stage.unique().tolist()
        (True, ['melt', 'hold', 'quench', 'anneal'])
    """
    pieces = schedule.pieces()
    if isinstance(start, Quench):
        state = replace(start, schedule=schedule)
    else:
        relaxed = engine.relax(start, potential, steps=relax_steps) if relax_steps else start
        state = Quench(relaxed, schedule, np.empty((0, len(COLUMNS))), 0)
    total = schedule.duration_ps
    for number in range(state.pieces_done, len(pieces)):
        piece = pieces[number]
        began = sum(each.duration_ps for each in pieces[:number])
        if progress is not None:
            progress(began / total, piece.stage, piece.conditions.temperature_K)
        run = engine.run(
            state.configuration,
            potential,
            piece.conditions,
            duration_ps=piece.duration_ps,
            final_temperature_K=piece.final_temperature_K,
            sample_fs=_sample_fs(piece, sample_fs),
            rng=np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,))),
        )
        share = np.linspace(0.0, 1.0, len(run.temperature_K))
        first, last = piece.conditions.temperature_K, piece.final_temperature_K
        rows = np.column_stack(
            [
                np.full(len(share), STAGES.index(piece.stage)),
                began + share * run.duration_ps,
                first + share * (last - first),
                run.temperature_K,
                run.energy_eV_per_atom,
                run.volume_A3,
                run.isotropic_pressure_GPa(),
            ]
        )
        # the last sample of a piece is the first of the next
        kept = rows if number == 0 else rows[1:]
        state = Quench(run.configuration, schedule, np.concatenate([state.samples, kept]), number + 1)
        if checkpoint is not None:
            checkpoint(state)
    if progress is not None:
        progress(1.0, "", schedule.final_K)
    return state


def _sample_fs(piece: Piece, sample_fs: float) -> float:
    """Return the longest time between samples that is not above ``sample_fs`` and divides a piece.

    Engines run whole intervals only, and a piece cut short would be cooled too fast.
    """
    timestep_fs = piece.conditions.timestep_fs
    steps = max(1, piece.conditions.steps(piece.duration_ps))
    most = max(1, min(steps, round(sample_fs / timestep_fs)))
    return timestep_fs * next(every for every in range(most, 0, -1) if steps % every == 0)
