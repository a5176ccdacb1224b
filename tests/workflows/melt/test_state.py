"""What the replicas of a state say of it: errors, viscosity, ageing, crystals."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tammann.transport import load_transport, measure_onsager
from tammann.workflows.melt import (
    largest_error,
    run_melts,
)
from tammann.workflows.melt.folder import Replica
from tammann.workflows.melt.replica import shear_correlations
from tammann.workflows.melt.state import split_crystallised
from workflows.melt.toys import fabricate, measurement, plan, replica_record


def test_replicas_of_several_machines_are_measured_together(installed, tmp_path):
    chosen, state, curves = fabricate(tmp_path / "o", replicas=3, rng=np.random.default_rng(1))
    made = run_melts(chosen, tmp_path / "o", resume=True)
    assert made.states[0].diffusive and made.table == tmp_path / "o" / "transport_table.json"
    expected = measure_onsager(curves)
    entry = load_transport(made.table).at("MgO", 4500.0)
    assert np.all(np.abs(entry.L - expected.apparent.L) < 0.2 * expected.apparent.L_stderr)
    assert entry.L_stderr == pytest.approx(expected.apparent.L_stderr, rel=0.1)
    about = json.loads((state / "melt.json").read_text())
    # V/(kB T) times half the mean square of the average times its length; (xx - yy)/2 and the like have half of it
    expected = 508e-30 / (1.380649e-23 * 4500.0) * 0.8 * 1e18 * 0.5e-12 / 2
    eta = about["viscosity"]
    assert eta["converged"] and not eta["notes"] and eta["stderr_Pa_s"] < 0.1 * expected
    assert abs(eta["value_Pa_s"] - expected) < 3 * eta["stderr_Pa_s"]
    assert about["density_g_per_cm3"] == pytest.approx(20 * 40.304 / 508.0 / 0.602214, rel=1e-4)
    assert about["pressure_stderr_GPa"] == pytest.approx(0.03 / np.sqrt(3))
    # 5, 6 and 7: their scatter says more than the 0.1 that each states
    assert about["coordination"][0]["mean"] == pytest.approx(6.0)
    assert about["coordination"][0]["stderr"] == pytest.approx(1 / np.sqrt(3))
    assert about["crystal_nn"]["O"] == {"mean": 4.0, "stderr": None}


@pytest.mark.parametrize(
    "own, L, stderr, error",
    [
        (0.1, [[2.0, 0.0], [0.0, 4.0]], [[0.6, 0.0], [0.0, 0.4]], 0.3),
        (0.5, [[2.0, 0.0], [0.0, 4.0]], [[0.6, 0.0], [0.0, 0.4]], 0.5),
        (0.1, [[-1.0, 0.0], [0.0, 4.0]], [[3.0, 0.0], [0.0, 0.4]], np.inf),  # by noise
        (0.1, [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], 0.1),  # one element alone
    ],
)
def test_the_largest_error(own, L, stderr, error):
    measured = measurement((1.0, 2.0), (own, 0.02), L=L, L_stderr=stderr)
    assert largest_error(measured) == pytest.approx(error)
    stuck = replace(measured.regime, diffusive=(True, False))
    assert largest_error(replace(measured, regime=stuck)) == np.inf


def test_a_melt_that_is_still_ageing_says_so(installed, tmp_path):
    chosen, state, _ = fabricate(tmp_path / "o", replicas=3, rng=np.random.default_rng(8))

    def ageing(drift, stderr):
        for k in (1, 2, 3):
            file = state / f"replica-{k}" / "replica.json"
            drifts = {"energy_drift_eV_per_atom": drift, "energy_drift_stderr_eV_per_atom": stderr}
            file.write_text(json.dumps(json.loads(file.read_text()) | drifts))
        made = run_melts(chosen, tmp_path / "o", resume=True)
        warned = any("still fell" in note and "MgO 4500 K" in note for note in load_transport(made.table).warnings)
        assert warned == any("not yet in equilibrium" in note for note in made.notes)
        return warned

    assert ageing(-0.005, 0.001)
    assert not ageing(-0.005, 0.004)  # within its noise
    assert not ageing(-0.001, 0.0001)  # too little to matter
    assert not ageing(0.005, 0.001)  # warming up is no ageing


@pytest.mark.parametrize("every, resolved", [(5, True), (100, False)])
def test_a_viscosity_whose_stress_was_recorded_too_seldom_is_none(installed, tmp_path, every, resolved):
    """Memory of 60 fs: records 5 fs apart follow it, records 100 fs apart do not, whatever the slow averages say."""
    chosen, state, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(9))
    rng = np.random.default_rng(10)
    for k in (1, 2):
        kept = np.exp(-every / 60.0)
        stress = np.zeros((60_000, 6))
        kicks = np.sqrt(1 - kept**2) * rng.normal(size=stress.shape)
        for row in range(1, len(stress)):
            stress[row] = kept * stress[row - 1] + kicks[row]
        each = 500 // every
        slow = stress[: len(stress) // each * each].reshape(-1, each, 6).mean(axis=1)
        place = state / f"replica-{k}"
        np.savez_compressed(place / "slow-stress.npz", stress_GPa=slow.astype(np.float16), interval_ps=0.5)
        record = json.loads((place / "replica.json").read_text())
        first = {"stress_correlation_GPa2": shear_correlations(stress), "sample_interval_fs": every}
        (place / "replica.json").write_text(json.dumps(record | first))
    run_melts(chosen, tmp_path / "o", resume=True)
    eta = json.loads((state / "melt.json").read_text())["viscosity"]
    assert eta["converged"] == resolved
    if resolved:  # V/(kB T) times the memory, half of it for (xx - yy)/2 and the like: here 0.8 of the variance in all
        expected = 506e-30 / (1.380649e-23 * 4500.0) * 0.8 * 1e18 * 60e-15
        assert abs(eta["value_Pa_s"] - expected) < 4 * eta["stderr_Pa_s"]
    else:
        assert eta["value_Pa_s"] is None and "shorter stress_fs" in eta["notes"][-1]


@pytest.mark.parametrize("replicas, left", [(3, 2), (1, 1)])
def test_a_replica_that_has_crystallised_is_left_out_unless_all_have(installed, tmp_path, replicas, left):
    chosen, state, _ = fabricate(tmp_path / "o", replicas=max(replicas, 2), rng=np.random.default_rng(2), order=0.5)
    if replicas == 1:
        shutil.rmtree(state / "replica-1")
        (state / "replica-2").rename(state / "replica-1")
        chosen = plan(production_ps=100.0, replicas=1)
    made = run_melts(chosen, tmp_path / "o", resume=True)
    about = json.loads((state / "melt.json").read_text())
    assert about["replicas"] == left and about["crystalline"] == (replicas == 1)
    assert ("replica-2 has crystallised" if replicas > 1 else "It has crystallised") in made.states[0].notes[0]
    assert (made.table is None) == (replicas == 1) == (not made.states[0].diffusive)


def test_a_small_box_is_no_crystal_by_chance():
    """Order of 0.25 is far above what 200 disordered atoms reach, and within what 20 do."""

    def left_out(n):
        record = replica_record(1, bragg_order=0.25, atoms={"Mg": n // 2, "O": n // 2}, volume_A3=12.0 * n)
        melted = replace(record, bragg_order=0.01)
        used, frozen = split_crystallised([Replica(Path("replica-1"), record), Replica(Path("replica-2"), melted)])
        assert len(used) + len(frozen) == 2
        return frozen

    assert left_out(200) == ["replica-1"] and left_out(20) == []
