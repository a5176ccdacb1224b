"""What engines that are handed forces do with them: run, relax, record; one system or several side by side."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from tammann.md.dynamics import Conditions, Leg
from tammann.md.segments import Piece, check_sane, record, take_up
from tammann.md.stepping import (
    EV_PER_A3_IN_GPA,
    Forces,
    Motion,
    advance,
    load_motion,
    sample,
    save_motion,
    slide_downhill,
    start_motion,
)
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
) -> list[Leg]:
    """Move atoms for a while; arguments as in the engines."""
    every = max(1, round(sample_fs / conditions.timestep_fs))
    steps = max(every, conditions.steps(duration_ps) // every * every)
    motions = _start(configurations, conditions, final_temperature_K, steps, rng)
    tables: list[list[np.ndarray]] = [[] for _ in motions]
    for _ in advance(motions, forces, steps, every=every):
        for motion, rows in zip(motions, tables, strict=True):
            rows.append(sample(motion))
    legs = []
    for motion, rows in zip(motions, tables, strict=True):
        table = np.array(rows)
        check_sane(table, conditions, final_temperature_K=final_temperature_K)
        legs.append(
            Leg(
                configuration=motion.configuration(),
                duration_ps=steps * conditions.timestep_fs / 1000.0,
                sample_fs=every * conditions.timestep_fs,
                temperature_K=table[:, 0],
                energy_eV_per_atom=table[:, 1],
                pressure_GPa=table[:, 2:8],
                volume_A3=table[:, 8],
            )
        )
    return legs


def relax_handed(configurations: Sequence[Configuration], forces: Forces, *, steps: int) -> list[Configuration]:
    """Slide atoms downhill."""
    motions = [start_motion(configuration, Conditions(300.0), rng=0) for configuration in configurations]
    slide_downhill(motions, forces, steps=steps)
    return [Configuration(m.symbols, m.positions_A, m.cell_A) for m in motions]


def single_point_handed(configuration: Configuration, forces: Forces) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy per atom, forces and pressure without its kinetic part, as the engines return them."""
    (pull,) = forces([start_motion(configuration, Conditions(300.0), rng=0)], True)
    assert pull.stress_eV_per_A3 is not None
    pressure = -pull.stress_eV_per_A3 * EV_PER_A3_IN_GPA
    six = np.array([pressure[a, b] for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))])
    return pull.energy_eV / configuration.n_atoms, pull.forces_eV_per_A, six


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
            motions = _start(configurations, conditions, None, 0, rng)
        else:
            motions = [
                load_motion(recording.restart(folder), configuration, conditions, step=recording.done)
                for folder, configuration in zip(recording.folders, configurations, strict=True)
            ]

        def segment(begin: int, end: int, fresh: bool) -> list[Piece]:
            tables: list[list[np.ndarray]] = [[] for _ in motions]
            frames: list[list[str]] = [[] for _ in motions]
            with alongside():
                for _ in advance(motions, forces, end - begin, every=recording.sample_every):
                    for k, motion in enumerate(motions):
                        tables[k].append(sample(motion))
                        if motion.step % recording.frame_every == 0:
                            frames[k].append(frame_text(motion))
            return [
                Piece(np.array(table), gzip.compress("".join(texts).encode(), compresslevel=6))
                for table, texts in zip(tables, frames, strict=True)
            ]

        def save(paths: Sequence[Path]) -> None:
            for motion, path in zip(motions, paths, strict=True):
                path.write_bytes(save_motion(motion))

        return record(recording, conditions, segment, save, progress=progress, stop=stop)


def frame_text(motion: Motion) -> str:
    """One frame as LAMMPS writes it."""
    if np.count_nonzero(motion.cell_A - np.diag(np.diag(motion.cell_A))):
        kind, rows = "abc origin ", [f"{x:.9g} {y:.9g} {z:.9g} 0" for x, y, z in motion.cell_A]
    else:
        kind, rows = "", [f"0 {edge:.9g}" for edge in np.diag(motion.cell_A)]
    lines = [
        f"{k} {symbol} {x:.3f} {y:.3f} {z:.3f}"
        for k, (symbol, (x, y, z)) in enumerate(zip(motion.symbols, motion.positions_A.tolist(), strict=True), start=1)
    ]
    return (
        f"ITEM: TIMESTEP\n{motion.step}\nITEM: NUMBER OF ATOMS\n{len(lines)}\nITEM: BOX BOUNDS {kind}pp pp pp\n"
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
) -> list[Motion]:
    """Motions with random numbers of their own, so that none depends on its neighbours."""
    generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)
    seeds = generator.integers(0, 2**63, size=len(configurations))
    return [
        start_motion(configuration, conditions, final_temperature_K=final_temperature_K, steps=steps, rng=int(seed))
        for configuration, seed in zip(configurations, seeds, strict=True)
    ]
