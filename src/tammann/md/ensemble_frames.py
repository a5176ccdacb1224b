"""Frames to learn a potential from: structures in thermal motion under random strains, and where each comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tammann.errors import DataError
from tammann.md.conditions import Conditions
from tammann.md.engine import Engine
from tammann.parallel import Progress
from tammann.potentials.calculators import Potential
from tammann.potentials.dataset import DataSet, Frame, Label
from tammann.structures.candidates import strained
from tammann.structures.configuration import Configuration
from tammann.trajectory.read import read_trajectory

FRAME_FS = 20.0
"""Time between recorded frames, from which those kept are taken."""


def sample_ensemble(
    structures: Mapping[str, Configuration],
    potential: Potential,
    engine: Engine,
    folder: str | os.PathLike[str],
    *,
    temperature_K: float,
    frames: int = 10,
    duration_ps: float = 5.0,
    equilibration_ps: float = 1.0,
    strain_limit: float = 0.02,
    runs: int = 1,
    timestep_fs: float = 1.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> DataSet:
    """Return frames of NVT runs of many structures, without labels, for ``label_frames``.

    Each run has a cell under a random strain of its own, no component above ``strain_limit``: the stress then varies
    from frame to frame as a potential has to learn it. After ``equilibration_ps`` the frames are taken at even
    intervals, so that they are as independent as the run is long. Runs that are finished are read from the folder,
    one that was interrupted is resumed; the seed of each follows from ``seed`` and its name.

    Args:
        structures: By name, which becomes the name of a folder.
        potential: As ``load_potential`` returns it.
        engine: As ``load_engine`` returns it; ``lammps`` takes orthogonal cells only.
        folder: Where trajectories are recorded, made where it is missing.
        temperature_K: Of the runs, K.
        frames: Of each run.
        duration_ps: Of each run, ps, equilibration included.
        equilibration_ps: Dropped, ps.
        strain_limit: Largest component of the strain.
        runs: Of each structure.
        timestep_fs: fs.
        seed: Whole number.
        progress: Called with the fraction of the work done.

    Returns:
        ``config_type`` ``nvt``; ``trajectory`` the name of the run; ``label.run`` structure, temperature, strain and
        time.

    Raises:
        DataError: Numbers out of range, or as ``Engine.produce``.

    Example:
        >>> import tempfile
        >>> from ase.build import bulk
        >>> from tammann.md.load import load_engine
        >>> from tammann.potentials import imported_potential
        >>> copper = {"copper": Configuration.from_ase(bulk("Cu", cubic=True).repeat(2))}
        >>> emt, ase = imported_potential("ase.calculators.emt:EMT"), load_engine("ase")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data = sample_ensemble(copper, emt, ase, folder, temperature_K=600, frames=3, duration_ps=0.3,
        ...                            equilibration_ps=0.1)
        >>> data, data[2].label.run.partition(",")[0]
        (DataSet(3 frames, 96 atoms, Cu), 'copper')
    """
    if not structures or min(frames, runs) < 1 or not 0 <= equilibration_ps < duration_ps:
        raise DataError(
            f"structures, frames, runs, equilibration_ps: expected one or more of each and less than {duration_ps:g} "
            f"ps, got {len(structures)}, {frames}, {runs} and {equilibration_ps:g} ps."
        )
    conditions = Conditions(temperature_K, timestep_fs)
    every = max(1, round(FRAME_FS / timestep_fs)) * timestep_fs
    there = int((duration_ps - equilibration_ps) * 1000.0 / every + 1e-9)
    if there < frames:
        raise DataError(
            f"frames: expected at most {there} after equilibration, {every:g} fs apart, got {frames}; make the runs "
            "longer."
        )
    names = [(name, k) for name in structures for k in range(runs)]
    found: list[Frame] = []
    for n, (name, k) in enumerate(names):

        def tell(fraction: float, before: int = n, what: str = name) -> None:
            if progress is not None:
                progress((before + fraction) / len(names), what, temperature_K)

        rng = np.random.default_rng([seed, k, *name.encode()])
        start = strained(structures[name], limit=strain_limit, rng=rng)
        run = f"{name}-{k + 1}" if runs > 1 else name
        file = engine.produce(
            start,
            potential,
            conditions,
            Path(folder) / run,
            duration_ps=duration_ps,
            frame_fs=every,
            sample_fs=every,
            rng=rng,
            progress=tell,
        )
        found += _taken(file, name, run, conditions, frames, equilibration_ps, strain_limit, structures[name], start)
        tell(1.0)
    return DataSet(tuple(found))


def _taken(
    file: Path,
    name: str,
    run: str,
    conditions: Conditions,
    frames: int,
    equilibration_ps: float,
    strain_limit: float,
    before: Configuration,
    start: Configuration,
) -> list[Frame]:
    """Return frames of a trajectory at even intervals, the last one among them."""
    walk = read_trajectory(file, timestep_fs=conditions.timestep_fs, temperature_K=conditions.temperature_K)
    first = int(np.ceil(equilibration_ps / walk.frame_interval_ps - 1e-9)) + 1
    kept = np.round(np.linspace(walk.n_frames - 1, first, frames)).astype(int)[::-1] if frames > 1 else [-1]
    strain = np.linalg.inv(before.cell_A) @ start.cell_A - np.eye(3)
    shown = " ".join(f"{strain[a, b]:+.4f}" for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)))
    out = []
    for k in np.asarray(kept) % walk.n_frames:
        told = (
            f"{name}, NVT at {conditions.temperature_K:g} K, {int(k) * walk.frame_interval_ps:.3f} ps, strain xx yy zz "
            f"yz xz xy {shown} (limit {strain_limit:g})"
        )
        configuration = Configuration(walk.symbols, *walk.frame(int(k)))
        out.append(Frame(configuration, config_type="nvt", trajectory=run, label=Label(method="", run=told)))
    return out
