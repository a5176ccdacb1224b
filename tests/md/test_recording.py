"""Folders that several processes want to record in: one at a time, and no piece of another in a trajectory."""

import gzip
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from md.stopping import Stopped, stop
from md.walker import CONDITIONS, OPTIONS, recorded, walk
from tammann import files
from tammann.errors import RecipeError, ResultError
from tammann.md import recording
from tammann.md.recording import open_recording, record
from tammann.trajectory import read_trajectory


@pytest.fixture
def begin():
    """Starts the walker as a program; what is still at work afterwards is ended."""
    started = []

    def start(*arguments):
        command = [sys.executable, str(Path(__file__).with_name("walker.py")), *map(str, arguments)]
        started.append(subprocess.Popen(command))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def recorded_step(place):
    return max((int(f.stem[8:]) for f in place.glob("restart-*.bin")), default=0)


def check_whole(path, steps):
    """All frames and records of the walker, once each, and no other file."""
    place = path.parent
    assert sorted(f.name for f in place.iterdir()) == [f"restart-{steps}.bin", f"stress-{steps}.npy", path.name]
    assert path.name == f"trajectory-{steps}.dump.gz"
    trajectory = read_trajectory(path, timestep_fs=1.0)
    np.testing.assert_allclose(trajectory.positions[:, 0, 0], np.arange(0, steps + 1, 10) / 100)
    np.testing.assert_array_equal(np.load(place / f"stress-{steps}.npy")[:, 1], np.arange(0, steps + 1, 5))


def test_two_processes_in_one_folder(begin, tmp_path):
    """The second waits for the first, and then finds all of it there."""
    both = [begin(tmp_path / "run", 0.2, 0.1) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    check_whole(tmp_path / "run" / "trajectory-200.dump.gz", 200)


def test_a_run_that_does_not_leave(begin, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "WAIT_SECONDS", 0.3)
    process = begin(tmp_path, 1e6, 0.05)
    until(lambda: recorded_step(tmp_path))
    with pytest.raises(ResultError, match="is being recorded by another run; wait for it or stop it") as caught:
        walk(tmp_path, 0.2)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
    before = recorded_step(tmp_path)
    until(lambda: recorded_step(tmp_path) > before)
    process.kill()
    process.wait()
    assert (tmp_path / "lock").exists()  # and nobody holds it
    steps = recorded_step(tmp_path) + 50
    check_whole(walk(tmp_path, steps / 1000), steps)


@pytest.mark.parametrize("nap", [0.02, 0.3, 1.0])
def test_a_parent_is_killed_and_its_orphan_still_at_work(begin, tmp_path, nap):
    """A run is resumed at once, while the orphan has still to end its segment and to write it."""
    place = tmp_path / "run"
    process = begin(place, 1e6, nap, "orphan")
    until(lambda: recorded_step(place) >= 20)
    time.sleep(0.4 * nap)
    process.kill()
    process.wait()
    path = walk(place, 0.6)
    check_whole(path, max(600, recorded_step(place)))
    time.sleep(1.5 * nap)
    check_whole(path, max(600, recorded_step(place)))


def begin_to(place, *steps):
    """Let the walker record pieces that end at these steps, and leave."""
    with open_recording(place, CONDITIONS, duration_ps=1.0, **OPTIONS) as recording:
        left = list(steps)

        with suppress(Stopped):
            record(
                recording,
                CONDITIONS,
                lambda steps: recorded(left[0] - steps, left[0], left[0] == steps),
                lambda path: path.write_text(str(left[0])),
                progress=lambda _: left.pop(0) != steps[-1] or stop(),
            )
    assert recorded_step(place) == steps[-1]


def leave(place, begin, end, *, restart=False):
    """What another process may leave there."""
    stray = recorded(begin, end, begin == 0)
    np.save(place / f"sample-{end}.npy", stray.samples)
    (place / f"frames-{end}.dump.gz").write_bytes(stray.frames)
    if restart:
        (place / f"restart-{end}.bin").write_text(str(end))


@pytest.fixture
def short_segments(monkeypatch):
    monkeypatch.setattr(recording, "SEGMENT_SECONDS", 0.0)


@pytest.mark.parametrize(
    "strays, done",
    [
        ([(20, 30, False)], 20),  # killed before it had written its state
        ([(0, 10, False), (10, 30, True)], 30),  # beside pieces 10 and 20
        ([(10, 15, False)], 20),
        ([(10, 40, True), (20, 30, True)], 40),
        ([(20, 40, True), (20, 30, True)], 40),
        ([(20, 40, False), (20, 30, True)], 30),
        ([(30, 50, True), (20, 40, True)], 40),  # what is before step 50 has been overwritten
    ],
)
def test_only_pieces_that_follow_one_another_are_joined(short_segments, tmp_path, strays, done):
    begin_to(tmp_path, 10, 20)
    for begin, end, restart in strays:
        leave(tmp_path, begin, end, restart=restart)
    with open_recording(tmp_path, CONDITIONS, duration_ps=0.06, **OPTIONS) as recording:
        assert recording.step == done
    check_whole(walk(tmp_path, 0.06), 60)


def test_pieces_that_come_while_it_records_are_not_joined(short_segments, tmp_path):
    asked = []
    assert walk(tmp_path, 0.06, progress=lambda _: asked.append(leave(tmp_path, 0, 15 + 10 * len(asked)))) is not None
    check_whole(tmp_path / "trajectory-60.dump.gz", 60)


def test_where_nobody_can_wait_the_second_adds_nothing(short_segments, tmp_path):
    begin_to(tmp_path, 10, 20)
    with open_recording(tmp_path, CONDITIONS, duration_ps=0.04, **OPTIONS) as recording:
        leave(tmp_path, 20, 40, restart=True)
        with pytest.raises(ResultError, match="is being recorded by another run"):
            record(
                recording, CONDITIONS, lambda steps: recorded(20, 20 + steps, False), lambda path: path.write_text("30")
            )
    check_whole(walk(tmp_path, 0.06), 60)


@pytest.mark.parametrize("lost", ["sample-10.npy", "frames-20.dump.gz", "sample-30.npy"])
@pytest.mark.parametrize("cut", [False, True])
def test_a_gap_is_refused(short_segments, tmp_path, lost, cut):
    begin_to(tmp_path, 10, 20, 30)
    if cut:
        (tmp_path / lost).write_bytes((tmp_path / lost).read_bytes()[:12])
    else:
        (tmp_path / lost).unlink()
    with pytest.raises(ResultError, match="that lead up to step 30, got a gap; remove the folder"):
        walk(tmp_path, 0.06)


def test_frames_at_other_times_are_refused(short_segments, tmp_path):
    begin_to(tmp_path, 10, 20)
    with (
        pytest.raises(ResultError, match="segments with frames every 20 fs"),
        open_recording(tmp_path, CONDITIONS, duration_ps=1.0, frame_fs=20.0, sample_fs=5.0),
    ):
        pass


def test_a_run_without_a_frame_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="duration_ps: expected at least one frame of 10 fs, got 0.009 ps"):
        walk(tmp_path / "run", 0.009)
    assert not (tmp_path / "run").exists()


def test_a_run_asked_to_be_shorter_than_it_is_keeps_its_length(short_segments, tmp_path):
    begin_to(tmp_path, 10, 20, 30)
    check_whole(walk(tmp_path, 0.02), 30)
    assert walk(tmp_path, 0.02).name == "trajectory-30.dump.gz"
    check_whole(walk(tmp_path, 0.05), 50)


def test_the_lock_is_there_only_meanwhile(tmp_path):
    with open_recording(tmp_path, CONDITIONS, duration_ps=0.1, **OPTIONS):
        assert (tmp_path / "lock").exists()
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize("missing", [True, False])
def test_where_files_cannot_be_locked(short_segments, tmp_path, monkeypatch, missing):
    def fails(*_):
        raise OSError("Function not implemented")

    if missing:
        monkeypatch.setattr(files, "fcntl", None)
    else:
        monkeypatch.setattr(files.fcntl, "flock", fails)
    begin_to(tmp_path / "run", 10, 20)
    check_whole(walk(tmp_path / "run", 0.06), 60)


def test_a_finished_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    path = walk(tmp_path / "run", 0.06)
    copy = Path(shutil.copytree(tmp_path / "run", tmp_path / "copy"))

    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(recording.os, "open", refused)
    assert walk(copy, 0.06) == copy / path.name
    assert gzip.decompress((copy / path.name).read_bytes()) == gzip.decompress(path.read_bytes())
