"""Runs with forces from a calculator: seeds, images, slanted cells, trajectories that are resumed."""

import gzip
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from md.boxes import crystal, molten_magnesia
from md.stopping import Stopped, stop
from tammann.errors import DataError, RecipeError, ResultError
from tammann.md.ase import AseEngine
from tammann.md.conditions import Conditions
from tammann.potentials import pedone_2006
from tammann.structures import Configuration
from tammann.trajectory import read_trajectory

engine = AseEngine()
POTENTIAL = pedone_2006()


@pytest.fixture(scope="module")
def melt():
    return molten_magnesia()


def test_seeds_velocities_and_images(melt):
    one, same, other = (
        engine.run(crystal(rattle=0.05), POTENTIAL, Conditions(1500.0), duration_ps=0.04, rng=s) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.configuration.positions_A, same.configuration.positions_A)
    assert np.abs(one.configuration.positions_A - other.configuration.positions_A).max() > 0.005
    assert one.temperature_K[0] == pytest.approx(1500.0) and len(one.temperature_K) == 5
    nve = Conditions(4000.0, timestep_fs=1.0, thermostat="none")
    whole = engine.run(melt, POTENTIAL, nve, duration_ps=0.02).configuration
    shift = melt.cell_A[0] * 3 - melt.cell_A[1] * 2
    half = engine.run(replace(melt, positions_A=melt.positions_A + shift), POTENTIAL, nve, duration_ps=0.01)
    rest = engine.run(half.configuration, POTENTIAL, nve, duration_ps=0.01).configuration
    np.testing.assert_allclose(rest.positions_A - shift, whole.positions_A, atol=1e-6)


def test_slanted_cells_run_and_are_written(tmp_path):
    cell = 8.6 * np.eye(3)
    cell[2, 0] = 8.6  # the same lattice, told otherwise
    straight = crystal(rattle=0.1)
    slanted = replace(straight, cell_A=cell)
    nve = Conditions(1000.0, thermostat="none")
    a, b = (engine.run(c, POTENTIAL, nve, duration_ps=0.1, rng=1).configuration for c in (straight, slanted))
    np.testing.assert_allclose(a.positions_A, b.positions_A, atol=1e-6)
    path = engine.produce(slanted, POTENTIAL, nve, tmp_path, duration_ps=0.04, frame_fs=20.0, sample_fs=20.0, rng=1)
    trajectory = read_trajectory(path, timestep_fs=2.0)
    np.testing.assert_allclose(trajectory.cells[0], cell, atol=1e-6)
    np.testing.assert_allclose(trajectory.positions[0], slanted.positions_A, atol=1e-3)


def record(melt, folder, **options):
    return engine.produce(
        melt, POTENTIAL, Conditions(4000.0, thermostat="langevin"), folder,
        **{"frame_fs": 40.0, "sample_fs": 20.0, "rng": 5, **options},
    )  # fmt: skip


def test_a_trajectory_left_and_taken_up_is_the_same(melt, tmp_path):
    """Random forces go on with their own numbers: a run stopped after each piece equals one that was not."""
    with pytest.raises(Stopped):
        record(melt, tmp_path / "a", duration_ps=0.4, progress=stop)
    (tmp_path / "a" / "frames-99999999.dump.gz").write_bytes(b"half a fr")  # what a kill may leave
    (tmp_path / "a" / "sample-5.npy.123.partial").write_bytes(b"")
    path = None
    while path is None:
        with suppress(Stopped):
            path = record(melt, tmp_path / "a", duration_ps=0.4, progress=stop)
    seen = []

    def told(fraction):
        seen.append(fraction)
        assert len(list((tmp_path / "b").glob("restart-*"))) == 1  # none is left lying about

    straight = record(melt, tmp_path / "b", duration_ps=0.4, progress=told)
    assert path.name == "trajectory-200.dump.gz" and seen[-1] == 1.0
    assert gzip.decompress(path.read_bytes()) == gzip.decompress(straight.read_bytes())
    assert sorted(f.name for f in path.parent.iterdir()) == ["restart-200.bin", "stress-200.npy", path.name]
    trajectory = read_trajectory(path, timestep_fs=2.0)
    assert trajectory.n_frames == 11 and trajectory.frame_interval_ps == pytest.approx(0.04)
    np.testing.assert_allclose(trajectory.positions[0], melt.positions_A, atol=1e-3)
    stress = np.load(tmp_path / "a" / "stress-200.npy")
    assert stress.shape == (21, 9) and stress.dtype == np.float32
    longer = record(melt, tmp_path / "a", duration_ps=0.6)
    assert gzip.decompress(longer.read_bytes()).startswith(gzip.decompress(straight.read_bytes()))
    assert record(melt, tmp_path / "a", duration_ps=0.4) == longer


KILLED = """
import sys
import numpy as np
from tammann.md import recording
from tammann.md.ase import AseEngine
from tammann.md.conditions import Conditions
from tammann.potentials import pedone_2006
from tammann.structures import Configuration
held = np.load(sys.argv[1])
start = Configuration(tuple(str(s) for s in held["s"]), held["x"], held["cell"], held["v"])
recording.SEGMENT_SECONDS = 0.2
AseEngine().produce(start, pedone_2006(), Conditions(4000.0, thermostat="langevin"), sys.argv[2], duration_ps=1000.0,
               frame_fs=40.0, sample_fs=20.0, rng=5)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_happened(melt, tmp_path):
    np.savez(tmp_path / "start.npz", s=melt.symbols, x=melt.positions_A, cell=melt.cell_A, v=melt.velocities_A_per_ps)
    place = tmp_path / "run"
    for _ in range(2):
        begin = recorded_step(place)
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "start.npz"), str(place)])
        until = time.monotonic() + 60
        while recorded_step(place) < begin + 100 and time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    kept = recorded_step(place)
    assert kept >= 200
    path = record(melt, place, duration_ps=(kept + 40) * 0.002)
    straight = record(melt, tmp_path / "straight", duration_ps=(kept + 40) * 0.002)
    assert gzip.decompress(path.read_bytes()) == gzip.decompress(straight.read_bytes())


def recorded_step(place: Path) -> int:
    return max((int(f.stem[8:]) for f in place.glob("restart-*.bin")), default=0)


def test_what_is_refused(melt, tmp_path):
    record(melt, tmp_path, duration_ps=0.04)
    with pytest.raises(ResultError, match="expected 8; is it this run"):
        record(crystal(repeats=1), tmp_path, duration_ps=0.08)
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_name(file.name.replace("-20.", "-40.")))
    with pytest.raises(ResultError, match="holds step 20"):
        record(melt, tmp_path, duration_ps=0.16)
    (tmp_path / "restart-40.bin").write_bytes(b"LAMMPS")
    with pytest.raises(ResultError, match="expected the state of a run of this engine"):
        record(melt, tmp_path, duration_ps=0.16)
    (tmp_path / "restart-40.bin").unlink()
    with pytest.raises(ResultError, match="no state to resume from"):
        record(melt, tmp_path, duration_ps=0.16)
    with pytest.raises(RecipeError, match="frame_fs"):
        record(melt, tmp_path / "b", duration_ps=1.0, frame_fs=30.0)
    with pytest.raises(DataError, match="no parameters for Fe"):
        engine.single_point(Configuration(("Fe", "O"), np.array([[0, 0, 0], [3.0, 0, 0]]), 8 * np.eye(3)), POTENTIAL)


def test_explosions_are_one_sentence(melt):
    with pytest.raises(DataError) as caught:
        nve = Conditions(4000.0, timestep_fs=30.0, thermostat="none")
        engine.run(melt, POTENTIAL, nve, duration_ps=3.0, rng=1)
    assert "\n" not in str(caught.value)
    assert "exploded" in str(caught.value) or "closer than" in str(caught.value)
