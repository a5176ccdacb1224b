"""Runs that are broken off, at any moment and in any way, and taken up again."""

import errno
import importlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from automaton import toys
from histories import assert_same
from tammann import files
from tammann.automaton import simulate
from tammann.errors import ResultError

engine = importlib.import_module("tammann.automaton.engine")


class Broken(Exception):
    """What stops a run in these tests."""


@pytest.fixture
def eager(monkeypatch):
    """Checkpoints after every call of the kernel, and short calls."""
    monkeypatch.setattr(engine, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(engine, "VISITS_PER_CALL", 4000)
    clock = iter(range(10**9))
    # a clock that ticks once a look: what a checkpoint takes must not put off the next
    monkeypatch.setattr(engine.time, "monotonic", lambda: 1000.0 * next(clock))


def with_gas():
    rates = toys.rate_table(
        {**toys.OXIDES, "BaCO3": 45.8e-6},
        {
            "BaCO3 -> BaO + CO2": 0.3,
            "BaO + TiO2 -> BaTiO3": 0.3,
            "2 BaO + TiO2 -> Ba2TiO4": 0.2,
            "2 BaTiO3 -> Ba2TiO4 + TiO2": 0.1,
            "Ba2TiO4 + TiO2 -> 2 BaTiO3": 0.4,
        },
        gases=("CO2",),
        exchange={"BaTiO3": 0.05},
    )
    steps = [{"temperature_K": 1300, "hold_h": 0.2}, {"temperature_K": 1400, "hold_h": 0.2, "regrind": True}]
    return toys.recipe({"BaCO3": 1, "TiO2": 1, "BaO": 0.5}, size=9, steps=steps, packing_fraction=0.97), rates


def stop_after(looks):
    seen = 0

    def progress(*_):
        nonlocal seen
        seen += 1
        if seen > looks:
            raise Broken

    return progress


def test_length_of_a_call_changes_nothing(monkeypatch):
    recipe, rates = with_gas()
    whole = simulate(recipe, rates)
    monkeypatch.setattr(engine, "VISITS_PER_CALL", 1)
    assert_same(simulate(recipe, rates), whole)


def test_broken_off_again_and_again(eager, tmp_path):
    """At whatever call of the kernel a run stops, it goes on from its last checkpoint to the same end."""
    recipe, rates = with_gas()
    whole = simulate(recipe, rates, realizations=2)
    chance = random.Random(1)
    breaks = 0
    while True:
        try:
            found = simulate(
                recipe, rates, realizations=2, checkpoint=tmp_path, progress=stop_after(chance.randrange(1, 15))
            )
            break
        except Broken:
            breaks += 1
            assert breaks < 500
    assert breaks > 10
    assert_same(found, whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["realization-0000.npz", "realization-0001.npz"]


def test_a_finished_realization_is_not_run_again(eager, tmp_path):
    recipe, rates = with_gas()
    first = simulate(recipe, rates, checkpoint=tmp_path)
    told = []
    again = simulate(recipe, rates, realizations=2, checkpoint=tmp_path, progress=lambda *news: told.append(news))
    np.testing.assert_array_equal(again.moles[0], first.moles[0])
    assert again.lattice.kernel_seconds[0] == first.lattice.kernel_seconds[0]
    assert min(part for part, _, _ in told) >= 0.5


def broken_off(recipe, rates, folder, *, after=12):
    with pytest.raises(Broken):
        simulate(recipe, rates, checkpoint=folder, progress=stop_after(after))
    state = folder / "realization-0000.state.npz"
    assert [p.name for p in folder.iterdir()] == [state.name]
    return state


def test_a_spoilt_checkpoint_is_refused_in_one_sentence(eager, tmp_path):
    recipe, rates = with_gas()
    state = broken_off(recipe, rates, tmp_path)
    whole = state.read_bytes()
    for spoilt in [
        b"", b"P", whole[:50], whole[: len(whole) // 2], whole[:-1], whole[:900] + bytes(200) + whole[1100:], b"{}",
    ]:  # fmt: skip
        state.write_bytes(spoilt)
        with pytest.raises(ResultError, match="state.npz is not a whole checkpoint") as refusal:
            simulate(recipe, rates, checkpoint=tmp_path)
        assert "\n" not in str(refusal.value)
    np.savez(state, where=np.array("{}"))
    with pytest.raises(ResultError):
        simulate(recipe, rates, checkpoint=tmp_path)
    with open(state, "wb") as file:
        np.save(file, np.zeros(4))
    with pytest.raises(ResultError):
        simulate(recipe, rates, checkpoint=tmp_path)
    state.write_bytes(whole)
    assert_same(simulate(recipe, rates, checkpoint=tmp_path), simulate(recipe, rates))


def test_a_spoilt_realization_is_refused(eager, tmp_path):
    recipe, rates = with_gas()
    simulate(recipe, rates, checkpoint=tmp_path)
    done = tmp_path / "realization-0000.npz"
    done.write_bytes(done.read_bytes()[:1000])
    with pytest.raises(ResultError, match="not a whole history"):
        simulate(recipe, rates, checkpoint=tmp_path)


def test_a_foreign_checkpoint_is_refused(eager, tmp_path):
    recipe, rates = with_gas()
    broken_off(recipe, rates, tmp_path)
    with pytest.raises(ResultError, match="another seed"):
        simulate(recipe, rates, checkpoint=tmp_path, rng=99)
    with pytest.raises(ResultError, match="another recipe"):
        simulate(recipe.with_options(size=10), rates, checkpoint=tmp_path)


@pytest.mark.parametrize("where", ["os.replace", "write"])
def test_a_full_disk_leaves_nothing_half_written(eager, monkeypatch, tmp_path, where):
    recipe, rates = with_gas()
    whole = simulate(recipe, rates)
    state = broken_off(recipe, rates, tmp_path)
    good = state.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if where == "os.replace":
            patch.setattr(files.os, "replace", full)
        else:
            patch.setattr(engine.np, "savez", full)
            patch.setattr(engine.np, "savez_compressed", full)
        with pytest.raises(OSError, match="No space left"):
            simulate(recipe, rates, checkpoint=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [state.name]
    assert state.read_bytes() == good
    assert_same(simulate(recipe, rates, checkpoint=tmp_path), whole)


# The command line, and real signals.

posix = pytest.mark.skipif(os.name != "posix", reason="signals of posix")


def start(environment, *words, **options):
    command = [sys.executable, "-m", "tammann", "run", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


def members(group):
    """Processes of a group that are still running."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(status[2]) == group and status[0] != "Z":
                found.append(int(entry.name))
    return found


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def interrupted(environment, words, out, *, sent, after, patience=60):
    """Run until a checkpoint is there and a moment longer, then send the signal to the main process alone."""
    before = {p: p.stat().st_mtime_ns for p in out.glob("checkpoints/*/*.npz")} if out.exists() else {}

    def moved():
        now = {p: p.stat().st_mtime_ns for p in out.glob("checkpoints/*/*.npz") if p.exists()}
        return now != before or running.poll() is not None

    with start(environment, *words, start_new_session=True) as running:
        try:
            assert wait_until(moved, patience)
            time.sleep(after)
            running.send_signal(sent)
            out_text, err_text = running.communicate(timeout=30)
            alone = wait_until(lambda: not members(running.pid), 15)
        finally:
            for process in members(running.pid):
                os.kill(process, signal.SIGKILL)
    return running.returncode, out_text, err_text, alone


RUNS = [["--realizations", "1", "--threads", "1"], ["--realizations", "2", "--threads", "2"]]


@posix
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
@pytest.mark.parametrize("options", RUNS, ids=["alone", "in processes"])
def test_killed_and_resumed(options, environment, process, recipes, tmp_path):
    """SIGKILL at moments drawn at random; what comes out in the end is the same to the byte, and nobody is left."""
    words = [recipes / "bati2o5-1-2.yaml", *options, "--size", "48", "--seed", "4"]
    through = process("run", *words, "--out", tmp_path / "through", timeout=280)
    assert through.returncode == 0, through.stderr
    out, kills, chance = tmp_path / "out", 0, random.Random(7)
    words += ["--out", out, "--resume"]
    for _ in range(3):
        status, _, err, alone = interrupted(environment, words, out, sent=signal.SIGKILL, after=chance.uniform(0, 1.5))
        assert alone, "a worker outlived the run"
        kills += status == -signal.SIGKILL
        assert status in (0, -signal.SIGKILL), err
        if status == 0:
            break
        assert not (out / "summary.json").exists()
    assert kills > 0
    done = process("run", *words, timeout=280)
    assert done.returncode == 0, done.stderr
    for name in ("phase_fractions.csv", "equilibrium.csv", "recipe.yaml", "rates.json"):
        assert (out / name).read_bytes() == (tmp_path / "through" / name).read_bytes(), name
    assert not list(out.rglob("*.partial"))


@posix
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
@pytest.mark.parametrize("options", RUNS, ids=["alone", "in processes"])
def test_control_c_leaves_nobody_behind(options, environment, recipes, tmp_path):
    out = tmp_path / "out"
    words = [recipes / "bati2o5-1-2.yaml", *options, "--size", "90", "--out", out]
    status, said, err, alone = interrupted(environment, words, out, sent=signal.SIGINT, after=0.5)
    assert alone, "a worker outlived the run"
    assert (status, said) == (130, "")
    assert "Traceback" not in err
    assert "--resume" in err
    assert not (out / "summary.json").exists()
    assert not list(out.rglob("*.partial"))


@posix
@pytest.mark.slow
def test_no_room_for_a_result(environment, process, recipes, tmp_path):
    """A real limit on the size of files: one sentence, status 2, nothing half-written, and the run goes on later."""
    import resource

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    out = tmp_path / "out"
    words = [recipes / "batio3-1-1.yaml", "--size", "12", "--realizations", "1", "--threads", "1", "--out", out]
    process("run", *words[:-1], tmp_path / "through")  # and the compiler has its cache
    with start(environment, *words, preexec_fn=limited) as running:
        said, err = running.communicate(timeout=120)
    assert running.returncode == 2, err
    assert said == ""
    assert err.count("\n") == 1 and "too large" in err
    assert not (out / "summary.json").exists()
    assert not (out / "report.html").exists()
    assert not list(out.rglob("*.partial"))
    assert process("run", *words).returncode == 2  # not empty
    assert process("run", *words, "--resume").returncode == 0
    name = "phase_fractions.csv"
    assert (out / name).read_bytes() == (tmp_path / "through" / name).read_bytes()
