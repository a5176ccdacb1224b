"""From a recipe and a table of rates to a history: the Markov process on the grid, in the recipe's time.

One sweep is the unit of time: in it every cell is offered, on average, one of its six contacts, and a pair of full
cells takes the offer with the score S of its reaction. The rate of an event is S xi_0 / xi, with xi the extent the two
cells allow and xi_0 that of full cells, so that the amount converted per unit of time does not depend on how the
powder is cut into cells (below ``grid.minimum_fill`` the factor stops growing). The kernel uniformises: it makes
``ceil(theta max(S) / minimum_fill)`` cycles of visits in a stretch of theta sweeps, so that every probability is at
most one, and most visits change nothing.
"""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tammann.automaton.cost import SNAPSHOT_BYTES, estimate_cost
from tammann.automaton.microstructure import mix_powders, regrind
from tammann.automaton.programme import Stretch, precursor_amounts, timeline
from tammann.automaton.tables import (
    arrange_channels,
    cut_blocks,
    cycle_tables,
    cycles_per_sweep,
    full_cell_scores,
    rates_at,
    reachable,
)
from tammann.errors import RecipeError, ResultError, check_argument
from tammann.files import whole_file
from tammann.history import History, LatticeRecord
from tammann.parallel import Progress, run_tasks

if TYPE_CHECKING:
    from tammann.automaton.kernel import State
    from tammann.kinetics import RateTable
    from tammann.recipe import Recipe

SNAPSHOTS = 12
LEDGER_CAPACITY = 0.02
"""Share of a block's cells whose content may wait in the ledger."""
IMMOBILE = 0.01
"""Exchanges per sweep below which a phase counts as immobile; the melt's sigmoid has a tail for cold solids."""
VISITS_PER_CALL = 20_000_000
CHECKPOINT_SECONDS = 2.0


def simulate(
    recipe: Recipe,
    rates: RateTable | Sequence[RateTable],
    *,
    realizations: int | None = None,
    threads: int = 1,
    executor: Executor | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    rng: np.random.Generator | np.random.SeedSequence | int | None = None,
) -> History:
    """Run a recipe in the automaton and record the amounts of all phases.

    Args:
        recipe: The recipe; its ``ensemble`` is for ``run_recipe``, which draws a table of rates for each realization.
        rates: The table of rates, or one per realization (an ensemble over uncertain energies and transport).
        realizations: Number of independent runs; by default one per table.
        threads: Realizations at a time, or threads of the kernel where there is one; the history does not depend on
            it.
        executor: Any ``concurrent.futures.Executor`` to run the realizations in place of threads here.
        checkpoint: A folder for checkpoints; a run that finds some there continues from them.
        progress: Called now and then, by one thread at a time.
        rng: Seed, seed sequence or generator; by default the recipe's seed. Its entropy is stored in the result.

    Raises:
        RecipeError: A precursor is missing in the table of rates, the grid is too small for the amounts, too large for
            this machine or too slow to end, or the seed is negative.
        ResultError: A checkpoint belongs to another run or is cut off.

    Example:
        >>> from tammann import Recipe, enumerate_reactions, load_phases, load_transport, rate_table
        >>> recipe = Recipe.from_text('''
        ... precursors:
        ...   - phase: BaO
        ...     ratio: 1
        ...   - phase: TiO2
        ...     ratio: 1
        ... programme:
        ...   - temperature_K: 1300
        ...     hold_h: 1
        ... grid:
        ...   size: 8
        ... ''')
        >>> reactions = enumerate_reactions(load_phases("Ba-Ti-O"))
        >>> rates = rate_table(reactions, load_transport("Ba-Ti-O"), recipe)
        >>> history = simulate(recipe, rates, rng=7)
        >>> bool(history.element_drift.max() < 1e-10)
        True
    """
    made = "what rate_table returns, or a list of these"
    check_argument("recipe", recipe, "Recipe", "what Recipe.from_file returns", error=RecipeError)
    check_argument("rates", rates, "RateTable|list|tuple", made)
    tables = list(rates) if isinstance(rates, Sequence) else [rates]
    for table in tables:
        check_argument("rates", table, "RateTable", made)
    number = len(tables) if realizations is None else realizations
    if number < 1:
        raise RecipeError(f"realizations: expected at least 1, got {number}")
    entropy = _entropy(recipe.seed if rng is None else rng)
    folder = None if checkpoint is None else Path(checkpoint)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    cost = estimate_cost(recipe, tables[0], runs=number, threads=threads)
    if executor is None:
        cost.check()
    tasks = {
        f"realization {r + 1} of {number}": (recipe, tables[r % len(tables)], entropy, r, cost.kernel_threads, folder)
        for r in range(number)
    }
    return History.join(run_tasks(realize, tasks, threads=cost.runs_at_once, executor=executor, progress=progress))


def _entropy(rng: np.random.Generator | np.random.SeedSequence | int) -> int:
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0])
    check_argument("rng", rng, (int, np.integer), "a seed or a random generator of numpy", error=RecipeError)
    if rng < 0:
        raise RecipeError(f"rng: expected a seed of 0 or more, got {rng}")
    return int(rng)


@cache
def compile_kernel(parallel: bool = False) -> Callable[..., None]:
    """Return the compiled kernel, run once so that compilation is not counted as kernel time."""
    from tammann.automaton import kernel

    run = kernel.run_cycles_parallel if parallel else kernel.run_cycles
    blocks = cut_blocks(4)
    state = _empty_state(np.zeros(64, dtype=np.uint8), np.zeros(64), 1, 2, 0, 1)
    integers, one, pair = np.zeros(5, dtype=np.int64), np.zeros(1), np.zeros(4)
    codes, numbers = np.zeros((1, 2), dtype=np.int64), np.zeros((1, 2))
    tables = kernel.Tables(
        1.0, 1.0, np.ones(2), pair, pair, pair, integers, integers, integers, integers, codes, numbers, codes, numbers,
        np.zeros((1, 0)), numbers, one,
    )  # fmt: skip
    run(1, 0, np.uint64(0), blocks, state, tables)
    kernel.inventory(state.phase, state.amount, state.ledger)
    kernel.contacts(state.phase, 4, 2)
    kernel.count_cells(state.phase, 2)
    return run


def _empty_state(phase: np.ndarray, amount: np.ndarray, blocks: int, width: int, gases: int, channels: int) -> State:
    from tammann.automaton.kernel import State

    return State(
        phase=phase,
        amount=amount,
        ledger=np.zeros((blocks, width)),
        gas=np.zeros((blocks, gases)),
        extent=np.zeros((blocks, channels)),
        counters=np.zeros((blocks, 3), dtype=np.int64),
    )


def realize(
    recipe: Recipe,
    rates: RateTable,
    entropy: int,
    number: int,
    threads: int = 1,
    checkpoint: Path | None = None,
    *,
    progress: Progress | None = None,
) -> History:
    """Run one realization; the ``number``-th of ``entropy`` is the same wherever and whenever it is run.

    ``threads`` are those of the kernel; the folder ``checkpoint`` takes the history too, once it is done.
    """
    done = None if checkpoint is None else checkpoint / f"realization-{number:04d}.npz"
    if done is not None and done.exists():
        return History.open(done)
    if progress is not None:
        progress(0.0, "mixing the powder", recipe.start_temperature_K)
    run = _Run(recipe, rates, entropy, number, threads)
    state = None if checkpoint is None else checkpoint / f"realization-{number:04d}.state.npz"
    if state is not None and state.exists():
        run.restore(state)
    history = run.to_the_end(state, progress)
    if done is not None and state is not None:
        history.save(done)
        state.unlink(missing_ok=True)
    return history


class _Run:
    """One realization: its state between two calls of the kernel, kept in checkpoints, and how it advances."""

    def __init__(self, recipe: Recipe, rates: RateTable, entropy: int, number: int, threads: int) -> None:
        self.recipe, self.rates, self.entropy, self.number = recipe, rates, entropy, number
        self.blocks = cut_blocks(recipe.grid.size)
        count = self.blocks.colours.size
        if threads > 1:
            import numba

            numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
        self.kernel = compile_kernel(threads > 1)
        self.timeline = timeline(recipe)
        moles, grain_cells = precursor_amounts(recipe, rates)
        start, self.grinder = (
            np.random.default_rng(s) for s in np.random.SeedSequence(entropy, spawn_key=(number,)).spawn(2)
        )
        self.seed = np.random.SeedSequence(entropy, spawn_key=(number, 7)).generate_state(1, np.uint64)[0]
        grid = mix_powders(
            moles,
            rates.molar_volume_m3,
            size=recipe.grid.size,
            grain_cells=grain_cells,
            grain_spread=recipe.grid.grain_spread,
            packing_fraction=recipe.grid.packing_fraction,
            rng=start,
        )
        n, width, n_channels = grid.size, len(rates.phases) + 1, len(rates.equations)
        self.size, self.full = n, grid.full
        capacity = max(2.0, LEDGER_CAPACITY * n**3 / count)
        self.channels = arrange_channels(
            rates, grid.full, capacity=capacity, max_speedup=1.0 / recipe.grid.minimum_fill
        )
        self.state = _empty_state(grid.phase, grid.amount, count, width, len(rates.gases), n_channels)
        stages = self.timeline[-1].stage + 1
        frames = len(self.timeline) + 1
        self.stage_extent = np.zeros((stages, n_channels))
        self.moles = np.zeros((frames, width - 1))
        self.stored = np.zeros((frames, width - 1))
        self.gas_moles = np.zeros((frames, len(rates.gases)))
        layers = min(n, max(1, SNAPSHOT_BYTES // (SNAPSHOTS * n * n))) if number == 0 else 0
        self.layers = slice((n - layers) // 2, (n - layers) // 2 + layers)
        self.snapshot_frames = np.unique(np.linspace(0, frames - 1, SNAPSHOTS).round().astype(int))
        self.snapshots = np.zeros((self.snapshot_frames.size, layers, n, n), dtype=np.uint8)
        # Position in the programme: stretch, its cycles run and needed (-1: not yet known), cycles of all stretches.
        self.stretch, self.made, self.needed, self.cycle = 0, 0, -1, 0
        self.visits, self.seconds = 0, 0.0
        self.start_moles = moles
        self._record(0)

    # The contents of a checkpoint; everything else follows from the recipe and the seed.
    ARRAYS = ("stage_extent", "moles", "stored", "gas_moles", "snapshots")
    NUMBERS = ("stretch", "made", "needed", "cycle", "visits", "seconds")

    def save(self, path: Path) -> None:
        """Write the state, whole or not at all."""
        where = {name: getattr(self, name) for name in self.NUMBERS}
        where |= {"entropy": self.entropy, "number": self.number, "grinder": self.grinder.bit_generator.state}
        with whole_file(path) as file:
            np.savez(
                file, allow_pickle=False, where=np.array(json.dumps(where)),
                **{name: getattr(self, name) for name in self.ARRAYS}, **self.state._asdict(),
            )  # fmt: skip

    def restore(self, path: Path) -> None:
        """Return to a state that ``save`` wrote."""
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                where = json.loads(str(archive["where"]))
                if (where.pop("entropy"), where.pop("number")) != (self.entropy, self.number):
                    raise ResultError(f"{path} belongs to another seed; remove it or choose another folder")
                self.grinder.bit_generator.state = where.pop("grinder")
                arrays = {name: archive[name] for name in (*self.ARRAYS, *self.state._fields)}
                own = {name: getattr(self, name) for name in self.ARRAYS} | self.state._asdict()
                if any(array.shape != own[name].shape for name, array in arrays.items()):
                    raise ResultError(f"{path} belongs to another recipe; remove it or choose another folder")
                self.state = self.state._replace(**{name: arrays.pop(name) for name in self.state._fields})
                for name, array in arrays.items():
                    setattr(self, name, array)
                for name in self.NUMBERS:
                    setattr(self, name, where[name])
        except ResultError:
            raise
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ResultError(f"{path} is not a whole checkpoint ({error}); remove it to start afresh") from None

    def to_the_end(self, path: Path | None, progress: Progress | None) -> History:
        """Run the rest of the programme."""
        saved, pause = time.monotonic(), CHECKPOINT_SECONDS
        while self.stretch < len(self.timeline):
            now = self.timeline[self.stretch]
            if self.needed < 0:
                self._begin(now)
            batch = max(1, VISITS_PER_CALL // self.state.phase.size)
            while self.made < self.needed:
                self._advance(now, min(batch, self.needed - self.made))
                if progress is not None:
                    part = (self.stretch + self.made / self.needed) / len(self.timeline)
                    progress(part, f"step {now.stage + 1}", now.end_K)
                if path is not None and time.monotonic() - saved > pause:
                    begun = time.monotonic()
                    self.save(path)
                    saved = time.monotonic()
                    pause = max(CHECKPOINT_SECONDS, 10 * (saved - begun))
            self.stretch, self.made, self.needed = self.stretch + 1, 0, -1
            self._record(self.stretch)
            if self.stretch == len(self.timeline) or self.timeline[self.stretch].stage != now.stage:
                self.stage_extent[now.stage] = self.state.extent.sum(axis=0)
                self.state.extent[:] = 0.0
        return self._history()

    def _begin(self, now: Stretch) -> None:
        """Grind where the recipe says so, and compute the number of cycles of a stretch."""
        from tammann.automaton.kernel import contacts, count_cells

        if now.grind:
            regrind(self.state.phase, self.state.amount, self.grinder)
        score, exchange = rates_at(self.rates, now.temperature_K)
        present = count_cells(self.state.phase, self.full.size) > 0
        present |= self.state.ledger.any(axis=0) & (np.arange(self.full.size) > 0)
        codes = reachable(present, self.channels, score)
        fastest = cycles_per_sweep(self.channels, score, exchange, codes)
        self.needed = int(np.ceil(now.sweeps * fastest))
        if self.needed and not (exchange[present] > 0).any() and not self.state.ledger.any():
            touching = contacts(self.state.phase, self.size, self.full.size) > 0
            if not full_cell_scores(self.channels, score)[touching].any():
                self.needed = 0  # nothing can happen, however long it takes

    def _advance(self, now: Stretch, cycles: int) -> None:
        """Run some cycles of a stretch."""
        score, exchange = rates_at(self.rates, now.temperature_K)
        tables = cycle_tables(self.channels, score, exchange, sweeps=now.sweeps / self.needed)
        begun = time.perf_counter()
        self.kernel(cycles, self.cycle, self.seed, self.blocks, self.state, tables)
        self.seconds += time.perf_counter() - begun
        self.visits += cycles * self.state.phase.size
        self.cycle += cycles
        self.made += cycles

    def _record(self, frame: int) -> None:
        from tammann.automaton.kernel import inventory

        grid, stored = inventory(self.state.phase, self.state.amount, self.state.ledger)
        self.moles[frame], self.stored[frame] = (grid + stored)[1:], stored[1:]
        self.gas_moles[frame] = self.state.gas.sum(axis=0)
        where = np.flatnonzero(self.snapshot_frames == frame)
        if where.size:
            self.snapshots[where[0]] = self.state.phase.reshape((self.size,) * 3)[self.layers]

    def _history(self) -> History:
        rates, recipe = self.rates, self.recipe
        sweeps = np.cumsum([0.0, *(s.sweeps for s in self.timeline)])
        stage = np.array([self.timeline[0].stage, *(s.stage for s in self.timeline)])
        temperature = np.array([recipe.start_temperature_K, *(s.end_K for s in self.timeline)])
        arrested, reactive = self._arrest()
        events, saturated = (int(self.state.counters[:, k].sum()) for k in (0, 2))
        return History(
            phases=tuple(rates.phases),
            elements=tuple(rates.elements),
            gases=tuple(rates.gases),
            composition=np.asarray(rates.composition, dtype=float),
            gas_composition=np.asarray(rates.gas_composition, dtype=float),
            molar_volume_m3=np.asarray(rates.molar_volume_m3),
            molar_mass_kg=np.asarray(rates.molar_mass_kg),
            programme_h=sweeps * recipe.hours_per_sweep,
            calibrated=recipe.calibrated,
            temperature_K=temperature,
            stage=stage,
            moles=self.moles[None],
            gas_moles=self.gas_moles[None],
            extent=self.stage_extent[None],
            reactants=rates.reactants.astype(int),
            reactant_coefficients=rates.reactant_coefficients,
            products=rates.products.astype(int),
            product_coefficients=rates.product_coefficients,
            gas_coefficients=rates.gas_coefficients,
            equations=tuple(rates.equations),
            fallback=np.asarray(rates.fallback, dtype=bool),
            molten=temperature[:, None] > rates.melting_point_K[None, :],
            reactive_fraction=np.array([reactive]),
            element_drift=np.array([self._drift()]),
            metadata={**rates.metadata, "entropy": self.entropy, "warnings": list(rates.warnings)},
            lattice=LatticeRecord(
                sweep=sweeps,
                ledger_moles=self.stored[None],
                snapshots=self.snapshots,
                snapshot_frame=self.snapshot_frames,
                arrested=np.array([arrested]),
                saturated_fraction=np.array([saturated / events if events else 0.0]),
                visits=np.array([self.visits]),
                kernel_seconds=np.array([self.seconds]),
            ),
        )

    def _drift(self) -> float:
        """Return the largest relative change of any element over grid, ledger and gas, in any frame."""
        composition = np.asarray(self.rates.composition, dtype=float)
        start = self.start_moles @ composition
        now = self.moles @ composition + self.gas_moles @ np.asarray(self.rates.gas_composition, dtype=float)
        there = np.abs(now).max(axis=0) > 0
        return float(np.max(np.abs(now - start)[:, there] / np.maximum(start, 1e-3 * start.max())[there]))

    def _arrest(self) -> tuple[bool, float]:
        """Return whether the grid is arrested at the end, and the share of atoms in phases that would still react."""
        from tammann.automaton.kernel import contacts

        score, exchange = rates_at(self.rates, self.timeline[-1].end_K)
        scores = full_cell_scores(self.channels, score)
        touching = contacts(self.state.phase, self.size, self.full.size) > 0
        present = self.moles[-1] > 0
        with_another, alone = (scores[1:, 1:] > 0) & present[None, :], scores[1:, 0] > 0
        reactive = present & (alone | with_another.any(axis=1))
        atoms = self.moles[-1] * np.asarray(self.rates.composition).sum(axis=1)
        mobile = bool((exchange[1:][reactive] > IMMOBILE).any())
        arrested = reactive.any() and not (scores[touching].any() or mobile or self.state.ledger.any())
        return bool(arrested), float(atoms[reactive].sum() / atoms.sum())
