"""A small plan, and a folder as ``collect`` leaves one, without any molecular dynamics."""

import json
from dataclasses import replace

import numpy as np

from tammann.characterization import Coordination
from tammann.md.equation_of_state import EquationOfState, VolumePoint
from tammann.trajectory import trajectory_from_arrays
from tammann.transport import OnsagerCoefficients, OnsagerMeasurement, displacement_correlations, save_correlations
from tammann.transport.regime import Regime
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.records import Estimate, ReplicaRecord, VolumeRecord

TINY = """
melts: [MgO]
temperatures_K: [4500]
atoms: 40
replicas: 2
production_ps: 8
melt_K: 5000
melt_ps: 0.5
cool_ps: 0.5
settle_ps: 0.5
volume:
  scale_ps: 1
  hold_ps: 3
  pressure_tolerance_GPa: 2
  energy_tolerance_eV_per_atom: 1
"""


def plan(**changes):
    return MeltPlan(**MeltPlan.from_text(TINY).model_dump(mode="json") | changes)


def write_plan(out, plan):
    out.mkdir(parents=True, exist_ok=True)
    (out / "plan.json").write_text(json.dumps({"plan": plan.model_dump(mode="json")}))


RUNS = tuple(
    VolumePoint(v, p, 0.1, -8.0, 0.0, 4500.0, t)
    for v, p, t in ((400.0, 5.0, 4.0), (508.0, 0.02, 20.0), (600.0, -1.0, 4.0))
)
"""Of a search for the volume."""


def replica_record(k, **changes):
    """The record of a replica of MgO, not quite like that of another one."""
    values = {
        "tammann": "0",
        "engine": "lammps",
        "engine_version": None,
        "formula": "MgO",
        "temperature_K": 4500.0,
        "replica": k,
        "potential": "pedone-2006",
        "seed": 1,
        "thermostat": "nose-hoover",
        "timestep_fs": 2.0,
        "frame_interval_ps": 0.1,
        "sample_interval_fs": 20.0,
        "duration_ps": 100.0,
        "trajectory": "trajectory-50000.dump.gz",
        "atoms": {"Mg": 20, "O": 20},
        "volume_A3": 500.0 + 4 * k,
        "mean_temperature_K": 4500.0,
        "mean_energy_eV_per_atom": -10.0,
        "energy_drift_eV_per_atom": 0.0,
        "energy_drift_stderr_eV_per_atom": 0.001,
        "stress_correlation_GPa2": (1.0, 0.9),
        "mean_pressure_GPa": 0.1,
        "pressure_stderr_GPa": 0.03,
        "coordination": (Coordination("Mg", "O", 3.0, 4.0 + k, 0.1, 2.0),),
        "bond_fractions": {"Mg-O": Estimate(1.0, 0.0)},
        "crystal_nn": {symbol: Estimate(4.0, np.nan) for symbol in ("Mg", "O")},
        "bragg_order": 0.01,
        "largest_cavity_A": 3.0,
        "displacement_A": 10.0,
    }
    return ReplicaRecord(**values | changes)


def measurement(D, D_stderr, *, L=None, L_stderr=None, temperature_K=4500.0, diffusive=True):
    """Transport of MgO with these diffusivities, m²/s, and coefficients, 1/(J m s)."""
    some = OnsagerMeasurement(
        OnsagerCoefficients("MgO", temperature_K, ("Mg", "O"), np.eye(2), np.ones(2), volume_A3=500.0),
        counts=np.array([20, 20]),
        frame="barycentric",
        regime=Regime(1.0, 10.0, "given", (diffusive,) * 2, (False,) * 2, (1.0, 1.0), (0.01, 0.01)),
        covariance=np.zeros((2, 2, 2, 2)),
        self_covariance=np.zeros((2, 2, 2)),
        self_self_covariance=np.zeros((2, 2)),
        D_tensor_m2_per_s=np.zeros((2, 3, 3)),
        n_replicas=2,
        duration_ps=200.0,
        frame_interval_ps=0.1,
    )
    L_self, stderr = np.array(D) / some.kT_over_c, np.array(D_stderr) / some.kT_over_c
    L, L_stderr = np.diag(L_self) if L is None else L, np.diag(stderr) if L_stderr is None else L_stderr
    known = replace(some.apparent, L=L, L_stderr=L_stderr, L_self=L_self, L_self_stderr=stderr)
    return replace(some, apparent=known)


def fabricate(out, *, replicas, rng, order=0.01):
    """A folder as collect leaves one, of ions that walk at random and a stress without memory."""
    chosen = plan(production_ps=100.0, replicas=replicas)
    state = out / "MgO" / "4500K"
    curves = []
    for k in range(1, replicas + 1):
        folder = state / f"replica-{k}"
        folder.mkdir(parents=True)
        steps = 0.2 * rng.normal(size=(1001, 40, 3))
        walk = trajectory_from_arrays(
            steps.cumsum(axis=0),
            8.0 * np.eye(3),
            ["Mg", "O"] * 20,
            frame_interval_ps=0.1,
            wrapped=False,
            temperature_K=4500.0,
        )
        curves.append(displacement_correlations(walk))
        stress = rng.normal(size=(2000, 6)).astype(np.float16)
        save_correlations(folder / "curves.npz", curves[-1])
        np.savez_compressed(folder / "slow-stress.npz", stress_GPa=stress, interval_ps=0.5)
        replica_record(k, bragg_order=order if k == 2 else 0.01).save(folder)
    fit = EquationOfState(508.0, None)
    VolumeRecord("MgO", 4500.0, 40, 508.0, 12.7, True, fit, RUNS).save(state)
    write_plan(out, chosen)
    return chosen, state, curves
