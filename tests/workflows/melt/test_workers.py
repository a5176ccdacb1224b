"""Worker processes: what is refused before they start, and what becomes of those that fail or die."""

import gzip
import os
import signal
import sys
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread

import pytest

from tammann.errors import DataError
from tammann.md.torch_sim import TorchSimEngine
from tammann.workflows.melt import (
    run,
    run_melts,
    workers,
)
from tammann.workflows.melt.folder import replica_tasks
from workflows.melt.toys import plan


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


@pytest.mark.parametrize("shared", [False, True])
def test_a_fault_is_told_and_its_worker_goes_on(tmp_path, monkeypatch, capsys, shared):
    """Whatever is raised, the sentence that it ended with comes through, and the next task is begun."""

    def faulty(plan, task, progress):
        progress(1, 2, "production")
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
    tasks = list(replica_tasks(asked, tmp_path))
    received = []

    def listen():
        for task in tasks:
            here.send(task)
        while sum(isinstance(message, workers.TaskEnded) for message in received) < 3:
            received.append(here.recv())
        here.close()

    listener = Thread(target=listen)
    listener.start()
    workers._work(os.getppid(), there, asked, shared)
    listener.join(10)
    ends = {message.folder.name: message.failure for message in received if isinstance(message, workers.TaskEnded)}
    assert ends == {
        "replica-1": "ZeroDivisionError (division by zero); resume the run to retry.",
        "replica-2": "the run has exploded.",
        "replica-3": "",
    }
    assert sum(isinstance(message, workers.TaskProgress) for message in received) == 3
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

    def watched(pool, task):
        start(pool, task)
        pids.extend(w.process.pid for w in pool.workers if w.process.pid not in pids)

    def kill(fraction, what, temperature_K):
        if "production" in what and len(pids) == 1:
            os.kill(pids[0], signal.SIGKILL)

    monkeypatch.setattr(run.WorkerPool, "start", watched)
    if how == "killed":
        (state,) = run_melts(asked, tmp_path / "o", workers=2, progress=kill).states
        assert len(pids) > 1 and state.replicas == 2 and state.failed == ()
        return
    # a box that breaks its device breaks it again when it is alone, and is named
    asked = asked.model_copy(update={"potential": "potentials.toys:breaking"})
    monkeypatch.setattr(run, "check_energy", lambda plan: None)
    (state,) = run_melts(asked, tmp_path / "o", workers=2).states
    assert state.failed == ("Replica 1 failed: its process ended with exit code 70; resume the run to retry.",)


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

    def watched(pool, task):
        start(pool, task)
        processes.update(worker.process.pid for worker in pool.workers)

    made = {}
    for count in (1, 3):
        monkeypatch.setattr(run.WorkerPool, "start", watched)
        processes.clear()
        made[count] = run_melts(asked, tmp_path / str(count), workers=count)
        assert len(processes) == 1
        assert not any("failed" in note for note in made[count].notes)
    for one, other in zip(made[1].states, made[3].states, strict=True):
        for k in (1, 2):
            alone, beside = (state.folder / f"replica-{k}" / "trajectory-200.dump.gz" for state in (one, other))
            assert gzip.decompress(alone.read_bytes()) == gzip.decompress(beside.read_bytes())
