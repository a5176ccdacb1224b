"""From trajectories of ions that hop with a known barrier to the table: Ea, sigma, dimension, hops."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hopping import hopping_D
from tammann.errors import DataError, ResultError
from tammann.trajectory import read_trajectory
from tammann.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C
from tammann.workflows.electrolyte import ElectrolytePlan, motion, run_electrolytes
from tammann.workflows.electrolyte.motion import (
    FAILED,
    Run,
    find_pathways,
    keep_potential,
    move,
    pathways_folder,
    pathways_summary,
    run_folder,
    runs_of,
    trajectories,
)
from workflows.electrolyte.synthetic import ENERGY_EV, TEMPERATURES_K, campaign, dump, rates


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    plan, out = campaign(tmp_path_factory.mktemp("synthetic"))
    return plan, run_electrolytes(plan, out, stages=["pathways", "conductivity"], resume=True)


def test_the_barrier_and_the_conductivity_come_back(measured):
    """Within their errors; the true law is that of the D put in, of which the transit lowers the slope a little."""
    _, result = measured
    row = result.table().iloc[0]
    D = np.array([hopping_D(rates(T)).mean() for T in TEMPERATURES_K])
    slope = np.polyfit(-1 / (8.617333262e-5 * np.array(TEMPERATURES_K)), np.log(D), 1)[0]
    assert abs(row["Ea_eV"] - slope) < 4 * row["Ea_stderr_eV"] < 0.12 and slope == pytest.approx(ENERGY_EV, abs=0.03)
    T = row["sigma_at_K"]
    assert T == 300.0
    law = D[1] * np.exp(-slope / 8.617333262e-5 * (1 / T - 1 / TEMPERATURES_K[1]))
    true = 18 / 729e-30 * ELEMENTARY_CHARGE_C**2 * law / (BOLTZMANN_J_PER_K * T) / 100
    assert row["sigma_NE_low_S_per_cm"] < true < row["sigma_NE_high_S_per_cm"]
    assert row["sigma_haven_S_per_cm"] * row["haven_ratio"] == pytest.approx(row["sigma_NE_S_per_cm"])
    assert row["above_hull_eV_per_atom"] == 0.012 and row["temperatures"] == 3


def test_layers_are_seen_as_layers(measured):
    """Jumps lead without end along a and b; D across the plane is a rattle's, nothing beside that within it."""
    _, result = measured
    row = result.table().iloc[0]
    assert row["dimension"] == 2
    assert row["barrier_1d_eV"] <= row["barrier_2d_eV"] and not row["barrier_3d_eV"] <= row["barrier_2d_eV"] + 0.05
    assert row["D_across_m2_per_s"] < 0.02 * row["D_in_plane_m2_per_s"]


def test_hops_are_those_counted(measured):
    _, result = measured
    table = result.temperatures().set_index("temperature_K")
    for T, (whole, drop) in zip(TEMPERATURES_K, [(360, 10), (260, 10), (260, 10)], strict=True):
        total = 2 * sum(rates(T))
        expected = 18 * (whole - drop) * total / (1 + 0.2 * total)
        assert abs(table.loc[T, "hops"] - expected) < 5 * np.sqrt(expected)
        ways = result.pathways["oxide-001", T]
        assert ways["jumps"] == table.loc[T, "hops"] and ways["dimension"] == 2
    rows = pd.read_csv(result.out / "pathways" / "oxide-001" / "800K" / "rates.csv")
    assert rows["jumps"].sum() == table.loc[800.0, "hops"]


def test_stages_are_not_done_twice_but_anew_where_a_trajectory_is_longer(measured):
    plan, result = measured
    file = result.out / "pathways" / "oxide-001" / "800K" / "pathways.json"
    before = file.stat().st_mtime_ns
    run_electrolytes(plan, result.out, stages=["pathways", "conductivity"], resume=True)
    assert file.stat().st_mtime_ns == before
    file.write_text(json.dumps(json.loads(file.read_text()) | {"trajectories": ["others"]}))
    run_electrolytes(plan, result.out, stages=["pathways"], resume=True)
    assert json.loads(file.read_text())["trajectories"] != ["others"]


def test_runs_begin_with_the_hottest_and_have_folders_of_their_own(measured):
    plan, result = measured
    runs = runs_of(plan, result.out)
    assert [run.temperature_K for run in runs] == [1000.0, 800.0, 600.0]
    assert len({run_folder(result.out, run) for run in runs}) == 3
    assert Run("x", 800.0, 2).name == "x, 800 K, run 2"


def test_another_potential_for_dynamics_is_refused(measured):
    plan, result = measured
    keep_potential(plan, result.out)
    keep_potential(plan, result.out)
    other = ElectrolytePlan(**plan.model_dump() | {"dynamics_potential": "ase.calculators.morse:MorsePotential"})
    with pytest.raises(ResultError, match="another potential for dynamics"):
        keep_potential(other, result.out)


def test_a_run_that_leaves_the_training_data_does_not_end_the_others(tmp_path, monkeypatch):
    """Its reason is kept, and it is not tried again; what concerns all runs is raised."""
    plan, out = campaign(tmp_path)
    said = ["potential left its training data at step 7: its extrapolation grade is 40, above 30."]
    calls = []

    class Fails:
        def produce(self, *_, **__):
            calls.append(1)
            raise DataError(said[-1])

    monkeypatch.setattr(motion, "load_engine", lambda name: Fails())
    monkeypatch.setattr(motion, "starting_configuration", lambda *_: None)
    move(plan, out, "oxide-001", 800.0, 9)
    failed = run_folder(out, Run("oxide-001", 800.0, 9)) / FAILED
    assert "left its training data" in failed.read_text()
    move(plan, out, "oxide-001", 800.0, 9)
    assert len(calls) == 1
    said.append("potential 'mine' cannot be read.")
    with pytest.raises(DataError, match="cannot be read"):
        move(plan, out, "oxide-001", 800.0, 8)


@pytest.mark.slow
def test_a_replica_that_lies_elsewhere_is_laid_on_the_first(tmp_path):
    plan, out = campaign(tmp_path)
    (file,) = trajectories(plan, out, "oxide-001", 800.0)
    walk = read_trajectory(file, timestep_fs=2.0)
    moved = replace(walk, positions=walk.positions + np.array([0.9, -0.6, 0.4]))
    other = tmp_path / "moved.dump.gz"
    other.write_bytes(gzip.compress(dump(moved, 50).encode()))
    found = []
    for files in ([file], [file, other]):
        find_pathways(plan, out, "oxide-001", 800.0, files)
        folder = pathways_folder(out, "oxide-001", 800.0)
        assert not (folder / FAILED).exists()
        found.append((pathways_summary(out, "oxide-001", 800.0), pd.read_csv(folder / "sites.csv")))
    (one, alone), (two, both) = found
    assert two["jumps"] == 2 * one["jumps"] and two["sites"] == one["sites"]
    np.testing.assert_allclose(both["occupancy"], alone["occupancy"], atol=1e-3)
