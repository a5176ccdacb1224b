"""What engines that are handed forces do with them: run, relax, record; one system or several side by side."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from tammann.md.conditions import Conditions, MDRun
from tammann.md.integrators import (
    EV_PER_A3_IN_GPA,
    Forces,
    MDState,
    advance,
    initialize_state,
    load_state,
    minimize_fire,
    sample,
    save_state,
)
from tammann.md.recording import Piece, check_sane, record, take_up
from tammann.structures import Configuration

__all__ = ["Alongside", "produce_handed", "relax_handed", "run_handed", "single_point_handed"]

Alongside = Callable[[], AbstractContextManager[None]]
"""What atoms are moved in where their forces are computed together with those of other threads."""


def run_handed(
    configurations: Sequence[Configuration],
    forces: Forces,
    conditions: Conditions,
    *,
    duration_ps: float,
    final_temperature_K: float | None,
    sample_fs: float,
    rng: np.random.Generator | int | None,
) -> list[MDRun]:
    """Move atoms for a while; arguments as in the engines."""
    every = max(1, round(sample_fs / conditions.timestep_fs))
    steps = max(every, conditions.steps(duration_ps) // every * every)
    states = _start(configurations, conditions, final_temperature_K, steps, rng)
    tables: list[list[np.ndarray]] = [[] for _ in states]
    for _ in advance(states, forces, steps, every=every):
        for state, rows in zip(states, tables, strict=True):
            rows.append(sample(state))
    runs = []
    for state, rows in zip(states, tables, strict=True):
        table = np.array(rows)
        check_sane(table, conditions, final_temperature_K=final_temperature_K)
        runs.append(
            MDRun(
                configuration=state.configuration(),
                duration_ps=steps * conditions.timestep_fs / 1000.0,
                sample_fs=every * conditions.timestep_fs,
                temperature_K=table[:, 0],
                energy_eV_per_atom=table[:, 1],
                pressure_GPa=table[:, 2:8],
                volume_A3=table[:, 8],
            )
        )
    return runs


def relax_handed(configurations: Sequence[Configuration], forces: Forces, *, steps: int) -> list[Configuration]:
    """Slide atoms downhill."""
    states = [initialize_state(configuration, Conditions(300.0), rng=0) for configuration in configurations]
    minimize_fire(states, forces, steps=steps)
    return [Configuration(m.symbols, m.positions_A, m.cell_A) for m in states]


def single_point_handed(configuration: Configuration, forces: Forces) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy per atom, forces and pressure without its kinetic part, as the engines return them."""
    (result,) = forces([initialize_state(configuration, Conditions(300.0), rng=0)], True)
    assert result.stress_eV_per_A3 is not None
    pressure = -result.stress_eV_per_A3 * EV_PER_A3_IN_GPA
    six = np.array([pressure[a, b] for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))])
    return result.energy_eV / configuration.n_atoms, result.forces_eV_per_A, six


def produce_handed(
    configurations: Sequence[Configuration],
    forces: Forces,
    conditions: Conditions,
    folders: Sequence[str | os.PathLike[str]],
    *,
    duration_ps: float,
    frame_fs: float,
    sample_fs: float,
    rng: np.random.Generator | int | None,
    progress: Callable[[float], None] | None,
    stop: Callable[[], bool] | None,
    alongside: Alongside = nullcontext,
) -> tuple[Path, ...] | None:
    """Record trajectories, one a folder; arguments as in the engines, and what the atoms are moved in."""
    with take_up(folders, conditions, duration_ps=duration_ps, frame_fs=frame_fs, sample_fs=sample_fs) as recording:
        finished = recording.finished()
        if finished is not None:
            return finished
        if recording.done is None:
            states = _start(configurations, conditions, None, 0, rng)
        else:
            states = [
                load_state(recording.restart(folder), configuration, conditions, step=recording.done)
                for folder, configuration in zip(recording.folders, configurations, strict=True)
            ]

        def segment(begin: int, end: int, fresh: bool) -> list[Piece]:
            tables: list[list[np.ndarray]] = [[] for _ in states]
            frames: list[list[str]] = [[] for _ in states]
            with alongside():
                for _ in advance(states, forces, end - begin, every=recording.sample_every):
                    for k, state in enumerate(states):
                        tables[k].append(sample(state))
                        if state.step % recording.frame_every == 0:
                            frames[k].append(frame_text(state))
            return [
                Piece(np.array(table), gzip.compress("".join(texts).encode(), compresslevel=6))
                for table, texts in zip(tables, frames, strict=True)
            ]

        def save(paths: Sequence[Path]) -> None:
            for state, path in zip(states, paths, strict=True):
                path.write_bytes(save_state(state))

        return record(recording, conditions, segment, save, progress=progress, stop=stop)


def frame_text(state: MDState) -> str:
    """One frame as LAMMPS writes it."""
    if np.count_nonzero(state.cell_A - np.diag(np.diag(state.cell_A))):
        kind, rows = "abc origin ", [f"{x:.9g} {y:.9g} {z:.9g} 0" for x, y, z in state.cell_A]
    else:
        kind, rows = "", [f"0 {edge:.9g}" for edge in np.diag(state.cell_A)]
    lines = [
        f"{k} {symbol} {x:.3f} {y:.3f} {z:.3f}"
        for k, (symbol, (x, y, z)) in enumerate(zip(state.symbols, state.positions_A.tolist(), strict=True), start=1)
    ]
    return (
        f"ITEM: TIMESTEP\n{state.step}\nITEM: NUMBER OF ATOMS\n{len(lines)}\nITEM: BOX BOUNDS {kind}pp pp pp\n"
        + "\n".join(rows)
        + "\nITEM: ATOMS id element xu yu zu\n"
        + "\n".join(lines)
        + "\n"
    )


def _start(
    configurations: Sequence[Configuration],
    conditions: Conditions,
    final_temperature_K: float | None,
    steps: int,
    rng: np.random.Generator | int | None,
) -> list[MDState]:
    """Motions with random numbers of their own, so that none depends on its neighbours."""
    generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)
    seeds = generator.integers(0, 2**63, size=len(configurations))
    return [
        initialize_state(configuration, conditions, final_temperature_K=final_temperature_K, steps=steps, rng=int(seed))
        for configuration, seed in zip(configurations, seeds, strict=True)
    ]
