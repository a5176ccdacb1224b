"""Active learning with toys: it learns, it ends for a stated reason, and an interrupted run gives the same result."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tammann.errors import DataError, ResultError
from tammann.md.conditions import Conditions
from tammann.potentials.dataset import read_dataset
from tammann.workflows.active_learning import Labelled, Watch, explore, load_active_learning, run, run_active_learning
from tammann.workflows.active_learning.folder import LABELLED
from workflows.active_learning import toys
from workflows.active_learning.toys import FUNCTIONS, Collapsing, plan

SHORT = {"picoseconds": 0.1, "rounds": 1, "proposals": {"searches": 1}}


@pytest.fixture
def undrawn(monkeypatch):
    monkeypatch.setattr(run, "_draw", lambda result: None)


class Killed(BaseException):
    """Stands for the end of a process."""


def content(out):
    """All that a folder holds, times of writing left out."""
    found = {}
    for file in sorted(Path(out).rglob("*")):
        if file.is_file() and file.suffix == ".npz":
            with np.load(file) as arrays:
                found[str(file.relative_to(out))] = {key: arrays[key].tolist() for key in arrays}
        elif file.is_file() and file.suffix != ".png":
            found[str(file.relative_to(out))] = file.read_text()
    return found


def test_the_student_learns_until_its_runs_hold_nothing_new(tmp_path):
    told = []
    result = run_active_learning(plan(), tmp_path, progress=lambda *news: told.append(news), **FUNCTIONS)
    assert result.outcome == "converged"
    table = result.table()
    assert table.share_above_select.iloc[-1] <= 0.01 < table.share_above_select.iloc[1]
    assert table.largest_grade.iloc[-1] < table.largest_grade.iloc[1]
    assert table.training_frames.iloc[1] == table.training_frames.iloc[0] + table.labelled.iloc[1]
    assert (table.selected.iloc[1:] <= 6).all()
    assert table.reached_ps.iloc[-1] == table.wanted_ps.iloc[-1] == 1.0
    assert result.model.is_file()
    before = table.new_frames_forces_meV_per_A
    learned = toys.evaluate(tmp_path / "round-1" / "student.npz", read_dataset(tmp_path / "round-1" / LABELLED))
    assert before.iloc[1] > 1.2 * learned["forces_meV_per_A"] and np.isnan(before.iloc[0])
    assert (tmp_path / "active-learning.png").stat().st_size > 10_000
    shares = [share for share, _, _ in told]
    assert shares == sorted(shares) and 0 <= shares[0] and shares[-1] <= 1
    again = load_active_learning(tmp_path)
    assert again.table().equals(table) and again.outcome == "converged"


def test_frames_of_a_round_keep_the_name_of_their_run_and_stay_out_of_the_test(tmp_path, undrawn):
    run_active_learning(plan(**SHORT), tmp_path, **FUNCTIONS)
    labelled = read_dataset(tmp_path / "round-1" / "labelled.xyz")
    assert {frame.trajectory.partition("/")[0] for frame in labelled} == {"round-1"}
    test = read_dataset(tmp_path / "round-0" / "test.xyz")
    kept = read_dataset(tmp_path / "round-0" / "labelled.xyz")
    assert len(test) >= 1 and not {f.trajectory for f in test} & {f.trajectory for f in kept}


@pytest.mark.parametrize("write", [2, 4, 5, 6, 8, 9, 10, 12, 14])
def test_a_run_killed_at_any_write_gives_on_resuming_what_an_uninterrupted_one_gives(
    tmp_path, undrawn, monkeypatch, write
):
    run_active_learning(plan(**SHORT), tmp_path / "whole", **FUNCTIONS)
    replace, count = os.replace, 0

    def counted(*names):
        nonlocal count
        count += 1
        if count == write:
            raise Killed
        replace(*names)

    monkeypatch.setattr(os, "replace", counted)
    with pytest.raises(Killed):
        run_active_learning(plan(**SHORT), tmp_path / "killed", **FUNCTIONS)
    monkeypatch.setattr(os, "replace", replace)
    resume = (tmp_path / "killed" / "plan.json").exists()
    run_active_learning(plan(**SHORT), tmp_path / "killed", resume=resume, **FUNCTIONS)
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


def test_a_process_ended_by_kill_9_is_resumed_to_the_same_result(tmp_path, undrawn):
    run_active_learning(plan(**SHORT), tmp_path / "whole", **FUNCTIONS)
    code = (
        "import os, signal, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from workflows.active_learning.toys import FUNCTIONS, plan\n"
        "from tammann.workflows.active_learning import run_active_learning\n"
        "def progress(share, what, temperature):\n"
        "    if 'round 1' in what and 'quench' in what:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"run_active_learning(plan(**{SHORT!r}), {str(tmp_path / 'killed')!r}, progress=progress, **FUNCTIONS)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    assert load_active_learning(tmp_path / "killed").outcome is None
    run_active_learning(plan(**SHORT), tmp_path / "killed", resume=True, **FUNCTIONS)
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


def test_what_is_done_is_not_done_again(tmp_path, undrawn):
    run_active_learning(plan(**SHORT), tmp_path, **FUNCTIONS)

    def never(*args, **options):
        raise AssertionError

    before = content(tmp_path)
    functions = dict.fromkeys(FUNCTIONS, never)
    run_active_learning(plan(**SHORT), tmp_path, resume=True, **functions)
    assert content(tmp_path) == before


def test_more_rounds_go_on_from_the_last_exploration(tmp_path, undrawn):
    strict = {**SHORT, "criterion": {"share_above": 0.0}, "select_above": 0.5}
    watch = Watch(select_above=0.5, stop_above=9.0, spacing_fs=50.0)
    functions = {**FUNCTIONS, "simulate": partial(toys.simulate, watch=watch)}
    first = run_active_learning(plan(**strict), tmp_path, **functions)
    assert first.outcome == "rounds" and len(first.rounds) == 3
    assert first.rounds[2].collected > 0 and first.rounds[2].selected == 0
    more = run_active_learning(plan(**{**strict, "rounds": 2}), tmp_path, resume=True, **functions)
    assert len(more.rounds) == 4 and more.rounds[2].selected > 0
    assert more.rounds[:2] == first.rounds[:2]


def test_a_collapsing_potential_ends_each_run_with_a_record_and_the_whole_with_a_reason(tmp_path, undrawn):
    def simulate(task, model, *, progress=None):
        return explore(
            task.configuration, Collapsing(), Conditions(task.temperature_K, 2.0), duration_ps=task.duration_ps * 10,
            relax_steps=task.relax_steps, name=task.name, watch=toys.WATCH, rng=task.seed,
        )  # fmt: skip

    result = run_active_learning(plan(**SHORT), tmp_path, **{**FUNCTIONS, "simulate": simulate})
    assert result.outcome == "rounds"
    for each in result.rounds[1:]:
        assert sum(each.stopped.values()) == 2 and "grade" not in each.stopped
        assert set(each.failures) >= {"melt-Ar-1", "quench-Ar-1"} and all(each.failures.values())
        assert each.reached_ps < each.wanted_ps
    assert not any(each.meets(plan(**SHORT)) for each in result.rounds)


def test_a_labeller_that_fails_always_ends_it(tmp_path, undrawn):
    calls = []

    def label(frames, folder, *, progress=None):
        calls.append(len(frames))
        if len(calls) == 1:
            return toys.label(frames, folder)
        return Labelled(read_dataset(folder / "selected.xyz").subset([]), ("no convergence",) * len(frames))

    result = run_active_learning(plan(**{**SHORT, "rounds": 5}), tmp_path, **{**FUNCTIONS, "label": label})
    assert result.outcome == "exhausted" and len(result.rounds) == 2
    assert result.rounds[1].failed == calls[1] > 0 and result.rounds[1].labelled == 0


def test_forces_beyond_the_largest_are_not_learned(tmp_path, undrawn):
    result = run_active_learning(plan(**SHORT, largest_force_eV_per_A=6.0), tmp_path, **FUNCTIONS)
    assert result.rounds[0].discarded > 0
    kept = read_dataset(tmp_path / "round-0" / "labelled.xyz")
    assert max(np.linalg.norm(frame.forces_eV_per_A, axis=1).max() for frame in kept) <= 6.0


def test_a_folder_of_another_plan_or_of_something_else_is_refused(tmp_path, undrawn):
    run_active_learning(plan(**SHORT), tmp_path / "a", **FUNCTIONS)
    with pytest.raises(ResultError, match="resume it"):
        run_active_learning(plan(**SHORT), tmp_path / "a", **FUNCTIONS)
    with pytest.raises(ResultError, match="seed 1, got 2"):
        run_active_learning(plan(**SHORT, seed=2), tmp_path / "a", resume=True, **FUNCTIONS)
    with pytest.raises(ResultError, match=r"plan\.json"):
        run_active_learning(plan(**SHORT), tmp_path / "b", resume=True, **FUNCTIONS)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine").write_text("x")
    with pytest.raises(ResultError, match="not empty"):
        run_active_learning(plan(**SHORT), tmp_path / "c", **FUNCTIONS)


def test_nothing_to_begin_with_is_refused(tmp_path, undrawn):
    with pytest.raises(DataError, match="initial"):
        run_active_learning(plan(proposals={"searches": 0, "melts": 0}), tmp_path, **FUNCTIONS)


def test_test_frames_that_are_trained_on_are_refused(tmp_path, undrawn):
    run_active_learning(plan(**SHORT), tmp_path / "first", **FUNCTIONS)
    known = str(tmp_path / "first" / "round-0" / "labelled.xyz")
    with pytest.raises(DataError, match="its trajectory .* is in the training set too"):
        run_active_learning(plan(**SHORT, initial=known, test=known), tmp_path / "second", **FUNCTIONS)
    # the same plan would label the same frames again
    with pytest.raises(DataError, match="repeats one of the training set"):
        run_active_learning(plan(**SHORT, test=known), tmp_path / "third", **FUNCTIONS)
