"""One replica, in this process: its volume is found where it is not known, then it is recorded and summarized."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from tammann._version import __version__
from tammann.characterization import (
    bond_fractions,
    bragg_order,
    coordination_numbers,
    crystal_nn_coordination,
    largest_cavity,
)
from tammann.errors import DataError, ResultError
from tammann.files import digest, whole_file
from tammann.md.block_average import block_stderr
from tammann.md.load import load_engine
from tammann.potentials import load_potential
from tammann.structures import Configuration, atoms_in_box, estimate_volume_per_atom
from tammann.trajectory import read_trajectory
from tammann.transport import displacement_correlations, save_correlations
from tammann.transport.viscosity import shear_components
from tammann.workflows.melt.folder import CORRELATIONS, STRESS, ReplicaTask, last_step, load_replicas, state_folder
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.records import Estimate, ReplicaRecord
from tammann.workflows.melt.volume import StepProgress, load_melt, random_numbers, search_volume, volume_known

SLOW_PS = 0.5
"""The stress is kept as averages over this time: long beside vibrations, short beside the times that the viscosity is
read from."""
SHA256 = "sha256:"


def record_task(plan: MeltPlan, task: ReplicaTask, progress: StepProgress = lambda *_: None) -> None:
    """Find the volume of the melt where it is not known yet, then record a replica to its end and summarize it."""
    task.state_folder.mkdir(parents=True, exist_ok=True)
    conditions = plan.conditions(task.temperature_K)
    before, steps = plan.steps_before(task.replica), conditions.steps(task.duration_ps)
    search = 0

    def report(done: int, what: str) -> None:
        progress(search + done, search + before + steps, what)

    if not volume_known(task.state_folder):
        search = search_volume(plan, task, lambda done, most, what: progress(done, most + before + steps, what))
    start = load_melt(task.state_folder)
    rng = random_numbers(plan, task.formula, task.temperature_K, task.replica)
    if last_step(task.folder) is None:
        start = _new_melt(plan, task, start, rng, report)
    report(before + (last_step(task.folder) or 0), "production")
    trajectory = load_engine(plan.engine).produce(
        start,
        load_potential(plan.potential),
        conditions,
        task.folder,
        duration_ps=task.duration_ps,
        frame_fs=plan.frame_fs,
        sample_fs=plan.stress_fs,
        rng=rng,
        progress=lambda fraction: report(before + round(fraction * steps), "production"),
    )
    summarize(plan, task, trajectory, task.folder)


def _new_melt(
    plan: MeltPlan, task: ReplicaTask, melt: Configuration, rng: np.random.Generator, report: Callable[[int, str], None]
) -> Configuration:
    """Take a frame of the hot melt, another one for every replica, cool it and let it settle."""
    engine, potential = load_engine(plan.engine), load_potential(plan.potential)
    hot, conditions = plan.conditions(max(plan.melt_K, task.temperature_K)), plan.conditions(task.temperature_K)
    stages = (
        ("melting", hot, task.replica * plan.melt_ps, None),
        ("cooling", hot, plan.cool_ps, task.temperature_K),
        ("settling", conditions, plan.settle_ps, None),
    )
    now, done_ps = replace(melt, velocities_A_per_ps=None), 0.0
    for what, bath, duration_ps, final_K in stages:
        report(hot.steps(done_ps), what)
        done_ps += duration_ps
        now = engine.run(
            now, potential, bath, duration_ps=duration_ps, final_temperature_K=final_K, rng=rng
        ).configuration
    return now


def summarize(plan: MeltPlan, task: ReplicaTask, file: Path, folder: Path) -> None:
    """Write what a state is measured from, the record last, from a trajectory ``file`` and the stress beside it."""
    steps = int(file.name.removesuffix(".dump.gz").partition("-")[2])
    trajectory = read_trajectory(file, timestep_fs=plan.timestep_fs, temperature_K=task.temperature_K)
    # columns: temperature, energy, xx, yy, zz, xy, xz, yz, volume
    samples = np.load(file.with_name(f"stress-{steps}.npy"))
    with suppress(DataError):  # two frames, say; what is missing is said where all replicas are measured
        correlations = displacement_correlations(trajectory)
        save_correlations(folder / CORRELATIONS, replace(correlations, source=f"{task}, {plan.potential}"))
    _save_stress(folder, samples[1:, 2:8], plan.stress_fs)
    displacements = trajectory.positions[-1] - trajectory.positions[0]
    first, second = np.array_split(samples[1:, 1].astype(float), 2)
    around = crystal_nn_coordination(trajectory, frames=2)
    pairs = [(cation, "O") for cation in trajectory.species if cation != "O" and "O" in trajectory.species]
    ReplicaRecord(
        tammann=__version__,
        engine=plan.engine,
        engine_version=_version("torch-sim-atomistic" if plan.engine == "torch-sim" else plan.engine),
        formula=task.formula,
        temperature_K=task.temperature_K,
        replica=task.replica,
        potential=plan.potential,
        potential_version=_potential_version(plan.potential),
        seed=plan.seed,
        thermostat=plan.thermostat,
        timestep_fs=plan.timestep_fs,
        frame_interval_ps=plan.frame_fs / 1000.0,
        sample_interval_fs=plan.stress_fs,
        duration_ps=steps * plan.timestep_fs / 1000.0,
        trajectory=file.name,
        atoms=dict(trajectory.counts),
        volume_A3=float(samples[:, 8].mean()),
        mean_temperature_K=float(samples[:, 0].mean()),
        mean_energy_eV_per_atom=float(samples[:, 1].mean()),
        energy_drift_eV_per_atom=float(second.mean() - first.mean()),
        energy_drift_stderr_eV_per_atom=float(np.hypot(block_stderr(first), block_stderr(second))),
        stress_correlation_GPa2=shear_correlations(samples[1:, 2:8]),
        mean_pressure_GPa=float(samples[:, 2:5].mean()),
        pressure_stderr_GPa=block_stderr(samples[:, 2:5].mean(axis=1)),
        displacement_A=float(np.sqrt((displacements**2).sum(axis=1).mean())),
        coordination=coordination_numbers(trajectory, pairs),
        bond_fractions={f"{a}-{b}": Estimate(*found) for (a, b), found in bond_fractions(trajectory).items()},
        crystal_nn={symbol: Estimate(*found) for symbol, found in around.items()},
        bragg_order=bragg_order(trajectory),
        largest_cavity_A=largest_cavity(trajectory),
    ).save(folder)


def shear_correlations(stress_GPa: np.ndarray) -> tuple[float, float]:
    """Return <P(0)P(0)> and <P(0)P(t)> of the shear stress one record apart, GPa², mean over its five components."""
    shear = shear_components(stress_GPa.astype(float))
    return float((shear**2).mean()), float((shear[:, 1:] * shear[:, :-1]).mean())


def _save_stress(folder: Path, stress_GPa: np.ndarray, interval_fs: float) -> None:
    """Keep the stress as averages over ``SLOW_PS``."""
    each = max(1, round(1000.0 * SLOW_PS / interval_fs))
    slow = stress_GPa[: len(stress_GPa) // each * each].reshape(-1, each, 6).mean(axis=1)
    with whole_file(folder / STRESS) as whole:
        np.savez_compressed(whole, stress_GPa=slow.astype(np.float16), interval_ps=each * interval_fs / 1000.0)


def load_stress(folder: Path) -> tuple[np.ndarray, float]:
    """Read the stress xx, yy, zz, xy, xz, yz of a replica, (M, 6), GPa, and the ps that each row is averaged over."""
    with np.load(folder / STRESS) as held:
        return held["stress_GPa"].astype(float), float(held["interval_ps"])


def compute_one_energy(plan: MeltPlan) -> None:
    """Compute the energy of some formula units of the first melt, atom by atom on a cubic grid."""
    formula = plan.melts[0]
    symbols = tuple(symbol for symbol, count in atoms_in_box(formula, 40).items() for _ in range(count))
    volume_A3 = plan.volume_per_atom_A3 or estimate_volume_per_atom(formula, temperature_K=plan.melt_K)
    edge = (len(symbols) * volume_A3) ** (1.0 / 3.0)
    along = math.ceil(len(symbols) ** (1.0 / 3.0) - 1e-9)
    points = np.indices((along, along, along)).reshape(3, -1).T[: len(symbols)]
    grid = Configuration(symbols, points * edge / along, edge * np.eye(3))
    load_engine(plan.engine).single_point(grid, load_potential(plan.potential))


def check_potential(plan: MeltPlan, out: Path) -> None:
    """Refuse to add to replicas that were recorded with another version of the potential's file."""
    now = _potential_version(plan.potential)
    if now is None or not now.startswith(SHA256):
        return
    for formula, temperature_K in product(plan.melts, plan.temperatures_K):
        for replica in load_replicas(state_folder(out, formula, temperature_K)):
            if replica.record.potential_version not in (None, now):
                raise ResultError(
                    f"{replica.folder}: was recorded with another {plan.potential} than there is now; bring that "
                    "file back, or name another folder."
                )


def _potential_version(potential: str) -> str | None:
    """Version of the package that it comes from, or the digest of its file."""
    if Path(potential).is_file():
        return f"{SHA256}{digest(Path(potential))[:16]}"
    return _version(potential.partition(":")[0].partition(".")[0])


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
