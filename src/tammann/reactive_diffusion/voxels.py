"""A powder as a periodic cube of voxels through a programme, for one independent component."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tammann.errors import RecipeError
from tammann.parallel import Progress
from tammann.reactive_diffusion.chain import (
    SAFETY,
    SHORTEST,
    is_available,
    lower_ceiling,
    next_length,
    step_length,
)
from tammann.reactive_diffusion.checkpoint import read_state, run_identity, write_state
from tammann.reactive_diffusion.engine import FIRST_STEP_S, TOLERANCE
from tammann.reactive_diffusion.grid import (
    Solver,
    dissipation,
    face_conductances,
    half_resistances,
    inventory,
    kernel_threads,
    place,
    step_error,
    take_step,
)
from tammann.reactive_diffusion.local import hull_tables, interval
from tammann.reactive_diffusion.programme import Stretch
from tammann.reactive_diffusion.tables import Tables, gas_ceiling
from tammann.units import AVOGADRO_PER_MOL

SNAPSHOTS = 24
"""Frames of which slices are kept."""


@dataclass(frozen=True, eq=False)
class GridRun:
    """What a cube of voxels did; F stretches, P solids, S snapshots.

    Attributes:
        sites: Moles of sites in every phase at the start and after every stretch, shape (F + 1, P).
        gibbs_eV: Gibbs energy after every stretch, eV per site times moles of sites, shape (F,).
        dissipated_eV: By each phase within each stretch, the same unit, shape (F, P).
        snapshots: Solid with most of the volume of each voxel in the middle layers, uint8, k + 1 is the k-th, shape
            (S, L, N, N).
        snapshot_frame: Frame of each snapshot, 0 the start, shape (S,).
        steps: Steps accepted, and refused.
        cycles: Multigrid cycles in all.
    """

    sites: np.ndarray
    gibbs_eV: np.ndarray
    dissipated_eV: np.ndarray
    snapshots: np.ndarray
    snapshot_frame: np.ndarray
    steps: tuple[int, int]
    cycles: int


def run_grid(
    solid: np.ndarray,
    moles: np.ndarray,
    voxel_m: float,
    tables: Tables,
    stretches: Sequence[Stretch],
    *,
    block: int = 1,
    layers: int = 1,
    tolerance: float = TOLERANCE,
    threads: int = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    inspect: Callable[[np.ndarray], None] | None = None,
    rng: np.random.Generator | int | None = None,
) -> GridRun:
    """Run a cube of voxels through a programme.

    Args:
        solid: Position of the solid that each voxel is filled with, shape (N, N, N), N even, best a multiple of 16.
        moles: Moles of sites of each solid over all voxels, shape (P,).
        voxel_m: Edge of a voxel, m.
        tables: Of the system, one component.
        stretches: In order.
        block: Edge of the blocks that grinding moves, in voxels: the size of a grain.
        layers: Layers of the cube that a snapshot keeps.
        tolerance: As in ``engine.run``.
        threads: Of the kernels; the result does not depend on it. Two pay from about 64^3 voxels on idle cores.
        checkpoint: File for the state after each stretch; a run that finds it continues to the same bits.
        progress: Called after every stretch with the part done, a text and the temperature.
        inspect: Called after every stretch with the sites of each solid so far, (F, P); what it raises ends the run.
        rng: Seed of the grinding.

    Raises:
        RecipeError: The cube is no cube of even edge, or the system has several components.
        ResultError: The checkpoint belongs to another run or is cut off.
    """
    if not tables.scalar:
        raise RecipeError("grid: only one component can move on a grid; take particles for this mixture")
    if solid.ndim != 3 or len(set(solid.shape)) != 1 or solid.shape[0] % 2 or solid.shape[0] % block:
        raise RecipeError(f"grid: expected a cube of even edge, a multiple of {block}, got {solid.shape}")
    if not 1 <= layers <= len(solid):
        raise RecipeError(f"grid: expected 1 to {len(solid)} layers, got {layers}")
    state = _GridState(solid, moles, voxel_m, tables, stretches, layers, np.random.default_rng(rng))
    path = None if checkpoint is None else Path(checkpoint)
    settings = voxel_m, block, layers, tolerance
    identity = "" if path is None else run_identity(tables, stretches, [solid, moles], *settings)
    if path is not None and path.exists():
        state.restore(*read_state(path, identity))
    while state.frame < len(stretches):
        with kernel_threads(threads):
            state.advance(stretches[state.frame], block, tolerance)
        if inspect is not None:
            inspect(state.held[: state.frame + 1])
        if path is not None:
            write_state(path, identity, *state.state())
        if progress is not None:
            progress(state.frame / len(stretches), "grid", stretches[state.frame - 1].end_K)
    return GridRun(
        state.held, state.energy, state.heat, state.snapshots, state.snapshot_frames,
        (state.accepted, state.refused), state.solver.cycles,
    )  # fmt: skip


class _GridState:
    """The state of a cube between two stretches, kept in checkpoints."""

    ARRAYS = ("y", "kind", "psi", "level", "rate")
    RECORDS = ("held", "energy", "heat", "snapshots", "ceiling", "hull")
    NUMBERS = ("frame", "dt", "accepted", "refused")

    def __init__(
        self,
        solid: np.ndarray,
        moles: np.ndarray,
        voxel_m: float,
        tables: Tables,
        stretches: Sequence[Stretch],
        layers: int,
        rng: np.random.Generator,
    ) -> None:
        self.rng, self.tables, self.voxel_m = rng, tables, voxel_m
        self.order = np.argsort(tables.composition[:, 0], kind="stable")
        self.phase_y = tables.composition[self.order, 0]
        self.gibbs = np.ascontiguousarray(tables.gibbs_eV[:, self.order])
        self.logs = np.log(tables.mobility[:, self.order, 0, 0])
        self.volume = tables.volume_m3[self.order]
        self.gas_content = np.ascontiguousarray(tables.gas_content[self.order])
        self.kinds = np.unique(solid)
        kind = np.searchsorted(self.kinds, solid).astype(np.uint8)
        counts = np.bincount(kind.ravel(), minlength=len(self.kinds))
        self.sites = moles[self.kinds] / counts
        self.total = float(moles[self.kinds].sum())
        start_y = tables.composition[self.kinds, 0]
        self.solver = Solver(start_y[kind], kind, self.sites)
        # the voxels stand for so many cubes as hold the moles
        self.area = voxel_m**2 * (moles @ tables.volume_m3) / (solid.size * voxel_m**3) / AVOGADRO_PER_MOL
        self.ceiling_y, self.ceiling = gas_ceiling(tables)
        frames, phases = len(stretches), len(moles)
        self.frame, self.dt, self.accepted, self.refused = 0, FIRST_STEP_S, 0, 0
        self.held, self.energy, self.heat = np.zeros((frames + 1, phases)), np.zeros(frames), np.zeros((frames, phases))
        self.held[0] = moles
        self.snapshot_frames = np.unique(np.linspace(0, frames, SNAPSHOTS).round().astype(int))
        edge = solid.shape[0]
        first = (edge - layers) // 2
        self.middle = slice(first, first + layers)
        self.snapshots = np.zeros((len(self.snapshot_frames), layers, edge, edge), np.uint8)
        self.snapshots[0] = solid[self.middle] + 1
        self.hull = np.zeros(0, np.int64)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what a checkpoint keeps; everything else follows from the arguments of ``run_grid``."""
        numbers: dict[str, Any] = {name: getattr(self, name) for name in self.NUMBERS}
        numbers |= {"cycles": self.solver.cycles, "rng": self.rng.bit_generator.state}
        arrays = {name: getattr(self.solver, name) for name in self.ARRAYS}
        return numbers, arrays | {name: getattr(self, name) for name in self.RECORDS}

    def restore(self, numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Return to a state."""
        for name in self.ARRAYS:
            setattr(self.solver, name, arrays[name])
        for name in self.RECORDS:
            setattr(self, name, arrays[name])
        for name in self.NUMBERS:
            setattr(self, name, numbers[name])
        self.solver.cycles = numbers["cycles"]
        self.rng.bit_generator.state = numbers["rng"]

    def advance(self, stretch: Stretch, block: int, tolerance: float) -> None:
        """Run one stretch and record its frame."""
        if stretch.regrind:
            self._grind(block)
        at = 0.0
        solver = self.solver
        while at < stretch.seconds:
            step = step_length(stretch.seconds - at, self.dt)
            T = stretch.start_K + (stretch.end_K - stretch.start_K) * (at + 0.5 * step) / stretch.seconds
            hull, y, _, conductivity, ties = self._look_up(T)
            self._place(hull, y, ties)
            volume = self.volume[hull]
            moving = solver.y, solver.rate, solver.level, self.sites, solver.kind, 0.5 * step
            half_resistances(*moving, self.voxel_m, y, volume, conductivity, solver.e, solver.r)
            cx, cy, cz = solver.c
            face_conductances(solver.y, solver.e, solver.r, step * self.area, cx, cy, cz)
            change = solver.solve(y, ties)
            error = step_error(change, solver.rate, step) / self.total if self.accepted else 0.0
            if error > 2.0 * tolerance and step > SHORTEST * stretch.seconds:
                self.dt = max(0.2, SAFETY * np.sqrt(tolerance / error)) * step
                self.refused += 1
                continue
            by_phase = dissipation(
                solver.psi, *moving, self.voxel_m, hull, y, volume, conductivity, cx, cy, cz,
                step * self.area, len(self.order),
            )  # fmt: skip
            self.heat[self.frame, self.order] += by_phase
            take_step(solver.y, change, self.sites, solver.kind, solver.rate, step)
            self.accepted += 1
            at += step
            self.dt = next_length(step, self.dt, error, tolerance)
            if len(self.ceiling):
                lower_ceiling(self.gas_content, hull, y, self.ceiling, self.ceiling_y)
        hull, y, g, _, _ = self._look_up(stretch.end_K)
        amounts = inventory(solver.y, solver.level, self.sites, solver.kind, hull, y, len(self.order))
        self.energy[self.frame] = amounts[hull] @ g
        self.frame += 1
        self.held[self.frame, self.order] = amounts
        for where in np.flatnonzero(self.snapshot_frames == self.frame):
            self.snapshots[where] = self._most_volume(hull, y) + 1

    def _most_volume(self, hull: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the solid with most of the volume of every voxel of the middle layers."""
        middle = self.solver.y[self.middle]
        if len(hull) == 1:
            return np.full(middle.shape, self.order[hull[0]])
        k = np.clip(np.searchsorted(y, middle) - 1, 0, len(hull) - 2)
        share = (middle - y[k]) / (y[k + 1] - y[k])
        volume = self.volume[hull]
        return self.order[hull[k + (share * volume[k + 1] > (1.0 - share) * volume[k])]]

    def _look_up(self, T: float) -> Any:
        """Return the hull at a temperature and what belongs to it."""
        k, w = interval(T, self.tables.temperature_K)
        allowed = is_available(self.gas_content, self.tables.release_only, self.ceiling, self.phase_y, self.ceiling_y)
        low, high = (self.gibbs[k], self.gibbs[k + 1]), (self.logs[k], self.logs[k + 1])
        return hull_tables(w, *low, *high, allowed, self.phase_y)

    def _place(self, hull: np.ndarray, y: np.ndarray, ties: np.ndarray) -> None:
        """Give every voxel a potential and a level on the hull: from its solid at first, later from those before."""
        solver = self.solver
        if not len(self.hull):
            for number, kind in enumerate(self.kinds):
                k, share = interval(self.tables.composition[kind, 0], y)
                here = solver.kind == number
                if 1e-9 < share < 1.0 - 1e-9:
                    solver.psi[here], solver.level[here] = ties[k], 2 * k + 1
                    continue
                k += int(share > 0.5)
                ends = np.concatenate([[ties[0] - 0.02], ties, [ties[-1] + 0.02]])
                solver.psi[here], solver.level[here] = 0.5 * (ends[k] + ends[k + 1]), 2 * k
        else:
            now = {pair: m for m, pair in enumerate(zip(hull[:-1].tolist(), hull[1:].tolist(), strict=True))}
            moved = np.full(256, -1, np.int64)
            for m, pair in enumerate(zip(self.hull[:-1].tolist(), self.hull[1:].tolist(), strict=True)):
                if pair in now:
                    moved[2 * m + 1] = 2 * now[pair] + 1
            place(solver.psi, solver.level, moved, ties)
        self.hull = hull

    def _grind(self, block: int) -> None:
        """Let blocks change places at random; what a voxel holds goes with it."""
        edge = self.solver.y.shape[0] // block
        order = self.rng.permutation(edge**3)
        for name in self.ARRAYS:
            array = getattr(self.solver, name)
            parts = array.reshape(edge, block, edge, block, edge, block).transpose(0, 2, 4, 1, 3, 5)
            mixed = parts.reshape(edge**3, block, block, block)[order].reshape(parts.shape)
            array[:] = mixed.transpose(0, 3, 1, 4, 2, 5).reshape(array.shape)
        self.dt = FIRST_STEP_S
