"""What a run will cost, known before it starts, and the refusal of what cannot fit or end."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tammann.automaton.microstructure import share_cells
from tammann.automaton.programme import precursor_amounts, timeline
from tammann.automaton.tables import arrange_channels, cut_blocks, cycles_per_sweep, rates_at, reachable
from tammann.errors import RecipeError

if TYPE_CHECKING:
    from tammann.kinetics import RateTable
    from tammann.recipe import Recipe

VISITS_PER_SECOND = 1e8
"""Of one core; docs/scaling.md has 0.7 to 1.7 of it, by what the visits find."""
SNAPSHOT_BYTES = 48_000_000
"""Most that the snapshots of a run take."""
LONGEST_SECONDS = 365 * 86400.0
"""A run that would take longer is refused."""


@dataclass(frozen=True)
class RunCost:
    """An upper estimate of what the realizations of a recipe will cost on this machine.

    Attributes:
        size: Cells per edge.
        runs: Realizations, those of the null included.
        sweeps: Length of the programme.
        visits: Of one realization.
        bytes_per_run: Peak memory of one realization.
        memory_bytes: Of this machine; infinite where the system does not tell.
        runs_at_once: Realizations at a time, as cores and memory allow.
        kernel_threads: Threads of each.

    Example:
        >>> cost = RunCost(30, 12, 300.0, 5.4e7, 2e6, 8e9, 2, 1)
        >>> str(cost)
        '30^3 cells, 300 sweeps, 5.4e+07 visits a run: about 3 s and 4 MB on 2 cores'
    """

    size: int
    runs: int
    sweeps: float
    visits: float
    bytes_per_run: float
    memory_bytes: float
    runs_at_once: int
    kernel_threads: int

    @property
    def seconds(self) -> float:
        """Rough time of all runs, s."""
        rounds = math.ceil(self.runs / self.runs_at_once)
        return rounds * self.visits / (VISITS_PER_SECOND * self.kernel_threads)

    def __str__(self) -> str:
        cores = self.runs_at_once * self.kernel_threads
        return (
            f"{self.size}^3 cells, {self.sweeps:.4g} sweeps, {self.visits:.2g} visits a run: about "
            f"{_duration(self.seconds)} and {_memory(self.bytes_per_run * self.runs_at_once)} on {cores} "
            f"core{'s' * (cores > 1)}"
        )

    def check(self, *, memory: bool = True) -> None:
        """Refuse what would not end within a year or, with ``memory``, does not fit into that of this machine.

        Raises:
            RecipeError: With the largest grid that fits, or what to look at.
        """
        if memory and self.bytes_per_run > self.memory_bytes:
            largest = int(self.size * ((self.memory_bytes - SNAPSHOT_BYTES) / self.bytes_per_run) ** (1 / 3))
            raise RecipeError(
                f"grid.size: {self.size}^3 cells need {_memory(self.bytes_per_run)}, this machine has "
                f"{_memory(self.memory_bytes)}; take at most {largest}"
            )
        if not self.seconds <= LONGEST_SECONDS:
            raise RecipeError(
                f"this run would take {_duration(self.seconds)}: {self.size}^3 cells and {self.visits:.2g} visits in "
                f"{self.sweeps:.4g} sweeps; look at particle_radius_um (scores go as its inverse square), "
                "sweeps_per_hour or hours_per_sweep, the programme's hours and grid.size"
            )


def estimate_cost(recipe: Recipe, rates: RateTable, *, runs: int = 1, threads: int = 1) -> RunCost:
    """Estimate what ``runs`` realizations of a recipe will cost on ``threads`` cores, from its table of rates alone.

    Every phase that the precursors can become counts as present, so that the visits are an upper bound.

    Raises:
        RecipeError: A precursor is missing in the table of rates, or would fill less than one cell.
    """
    size = recipe.grid.size
    moles, grain_cells = precursor_amounts(recipe, rates)
    volumes = moles * rates.molar_volume_m3
    share_cells(moles, volumes, size=size, packing_fraction=recipe.grid.packing_fraction)
    full = np.concatenate([[0.0], volumes.sum() / rates.molar_volume_m3])
    channels = arrange_channels(rates, full, max_speedup=1.0 / recipe.grid.minimum_fill)
    present = np.concatenate([[True], moles > 0])
    cycles = sweeps = 0.0
    for stretch in timeline(recipe):
        score, exchange = rates_at(rates, stretch.temperature_K)
        present = reachable(present, channels, score, generations=moles.size)
        cycles += math.ceil(min(1e300, stretch.sweeps * cycles_per_sweep(channels, score, exchange, present)))
        sweeps += stretch.sweeps
    cells = float(size) ** 3
    # Phase and amount of every cell; growing grains keeps its distance from the grains of each precursor besides.
    precursors = np.count_nonzero(moles)
    growing = 40 + 32 * precursors if np.any(grain_cells[moles > 0] > 1) else 0
    bytes_per_run = cells * (9 + growing) + min(SNAPSHOT_BYTES, 12 * cells)
    memory = machine_memory()
    at_once = max(1, int(min(threads, runs, memory / bytes_per_run)))
    kernel_threads = 1
    # Several threads pay where each colour has a few blocks for every thread; realizations are better parallel work,
    # though not one beside that of the null.
    if threads > min(runs, recipe.ensemble.realizations) and cut_blocks(size).colours.size >= 32 * threads:
        at_once, kernel_threads = 1, threads
    return RunCost(size, runs, sweeps, cycles * cells, bytes_per_run, memory, at_once, kernel_threads)


def machine_memory() -> float:
    """Return the memory of this machine, bytes; infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf


def _duration(seconds: float) -> str:
    for unit, length in (("years", 365 * 86400), ("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.2g} {unit}" if seconds < 1e3 * length else f"{seconds / length:.1e} {unit}"
    return f"{max(1, seconds):.0f} s"


def _memory(size: float) -> str:
    return f"{size / 1e9:.2g} GB" if size >= 1e9 else f"{max(1.0, size / 1e6):.0f} MB"
