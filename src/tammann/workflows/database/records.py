"""From a finished state of the melts to what the database keeps of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tammann._version import __version__
from tammann.characterization import pair_distribution
from tammann.characterization.frames import frames_of
from tammann.diffusivity.features import structure_features
from tammann.errors import DataError
from tammann.files import write_text
from tammann.structures import Configuration, read_structures
from tammann.trajectory import read_trajectory
from tammann.workflows.database.plan import DatabasePlan
from tammann.workflows.database.store import Store
from tammann.workflows.melt.folder import load_replicas
from tammann.workflows.melt.state import MeltState

FRAMES = "frames"
MOST_FRAMES_OF_RDF = 100


def frames_file(out: Path, formula: str, temperature_K: float) -> Path:
    """Return where the frames of a state are kept."""
    return out / FRAMES / f"{formula}-{temperature_K:.10g}K.extxyz"


def fingerprint(state: MeltState, frames: int) -> dict[str, Any]:
    """Return what tells whether a state has changed since it was kept."""
    replicas = {r.folder.name: r.record.duration_ps for r in load_replicas(state.folder)}
    return {"replicas": replicas, "frames": frames, "tammann": __version__}


def is_kept(store: Store, out: Path, plan: DatabasePlan, state: MeltState) -> bool:
    """Return whether the database holds a state as it is now."""
    if not store.path.exists():
        return False
    found = store.query(
        "SELECT provenance FROM states WHERE formula = ? AND temperature_K = ? AND ion = ? AND potential = ?",
        state.formula,
        state.temperature_K,
        plan.ion,
        plan.potential,
    )
    if found.empty or not frames_file(out, state.formula, state.temperature_K).exists():
        return False
    return bool(json.loads(found["provenance"].iloc[0])["fingerprint"] == fingerprint(state, plan.frames))


def keep_state(store: Store, out: Path, plan: DatabasePlan, state: MeltState) -> None:
    """Compute features and g(r) of a state from its trajectories, and keep all that is known of it.

    D is that of the mobile ion, from the slopes, and ``diffusive`` says whether it was shown to diffuse.

    Raises:
        DataError: It has no finished replica, or its trajectories cannot be read.
    """
    replicas = load_replicas(state.folder)
    if state.melt is None or not replicas:
        raise DataError(f"{state.name}: expected a finished replica, found none; run it again.")
    trajectories = [
        read_trajectory(
            r.folder / r.record.trajectory, timestep_fs=r.record.timestep_fs, temperature_K=state.temperature_K
        )
        for r in replicas
    ]
    frames = [
        Configuration(one.symbols, one.positions_A, one.cell_A)
        for trajectory in trajectories
        for one in frames_of(trajectory, plan.frames)
    ]
    file = frames_file(out, state.formula, state.temperature_K)
    file.parent.mkdir(exist_ok=True)
    write_text(file, "".join(frame.to_extxyz() for frame in frames))
    many = [f for t in trajectories for f in frames_of(t, max(1, MOST_FRAMES_OF_RDF // len(trajectories)))]
    distribution = pair_distribution(many, threads=1)
    features = structure_features(frames, temperature_K=state.temperature_K, ion=plan.ion)
    elements = elements_of(state)
    own = elements.get(plan.ion, {"D_m2_per_s": np.nan, "D_stderr_m2_per_s": np.nan, "diffusive": 0})
    record = replicas[0].record
    row = {
        "formula": state.formula,
        "temperature_K": state.temperature_K,
        "ion": plan.ion,
        "potential": plan.potential,
        "engine": plan.engine,
        "atoms": state.melt.atoms,
        "duration_ps": state.melt.duration_ps,
        "volume_per_atom_A3": state.melt.volume_per_atom_A3,
        "density_g_per_cm3": state.melt.density_g_per_cm3,
        "pressure_GPa": state.melt.pressure_GPa,
        "energy_eV_per_atom": state.melt.energy_eV_per_atom,
        "D_m2_per_s": own["D_m2_per_s"],
        "D_stderr_m2_per_s": own["D_stderr_m2_per_s"],
        "log_log_slope": own.get("log_log_slope", np.nan),
        "diffusive": int(own["diffusive"]),
        "crystalline": int(state.melt.crystalline),
        "volume_converged": int(state.converged),
        "frames": str(file.relative_to(out)),
        "n_frames": len(frames),
        "notes": list(state.notes),
        "provenance": {
            "fingerprint": fingerprint(state, plan.frames),
            "potential_version": record.potential_version,
            "engine_version": record.engine_version,
            "seed": record.seed,
            "timestep_fs": record.timestep_fs,
            "melt_K": plan.melt_K,
        },
    }
    store.keep(row, features=features, elements=elements, distribution=distribution)


def elements_of(state: MeltState) -> dict[str, dict[str, Any]]:
    """Return D of every element from the slopes, whether it was shown to diffuse or not."""
    m = state.measurement
    if m is None:
        return {}
    D = m.apparent.L_self * m.kT_over_c
    stderr = np.full(len(D), np.nan) if m.apparent.L_self_stderr is None else m.apparent.L_self_stderr * m.kT_over_c
    return {
        symbol: {
            "fraction": float(m.counts[k] / m.counts.sum()),
            "D_m2_per_s": float(D[k]),
            "D_stderr_m2_per_s": float(stderr[k]),
            "diffusive": int(m.regime.diffusive[k]),
            "log_log_slope": float(m.regime.slope[k]),
        }
        for k, symbol in enumerate(m.species)
    }


def load_frames(out: Path, formula: str, temperature_K: float) -> tuple[Configuration, ...]:
    """Return the frames that are kept of a state.

    Raises:
        DataError: There are none.
    """
    return read_structures(frames_file(out, formula, temperature_K))
