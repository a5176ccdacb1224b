"""What runs say of a potential: shares, sums, the criterion; rows and files."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tammann.errors import ResultError
from tammann.workflows.active_learning import Exploration, RoundResult
from tammann.workflows.active_learning.rounds import load_round, round_row, save_round, summarize_runs
from workflows.active_learning.toys import argon, plan


def run(name, grades, ended="finished", *, ps=1.0, collected=0):
    configurations = (argon(1),) * collected
    return Exploration(name, np.array(grades), configurations, (9.0,) * collected, ended, f"{name} {ended}", ps, 1.0)


RUNS = [
    ("melt", run("melt-1", [1.0, 2.0, 6.0, 1.0], collected=1)),
    ("quench", run("quench-1", [1.0, 8.0, 120.0], "grade", ps=0.5, collected=2)),
    ("melt", run("melt-2", [1.0], "contact", ps=0.1)),
    ("search", replace(run("search-1", [900.0], "grade", ps=0.0, collected=1), wanted_ps=0.0)),
]


def test_a_summary_judges_molecular_dynamics_and_counts_searches_apart():
    found = summarize_runs(3, RUNS, select_above=5.0, stop_above=100.0)
    assert found.share_above_select == pytest.approx(3 / 8) and found.share_above_stop == pytest.approx(1 / 8)
    assert found.largest_grade == 120.0
    assert found.stopped == {"contact": 1, "grade": 1} and found.searches_stopped == 1
    assert found.failures == {"melt-2": "melt-2 contact"}
    assert (found.runs, found.collected, found.wanted_ps) == (4, 4, 3.0)
    assert found.reached_ps == pytest.approx(1.6)


def test_the_criterion_needs_few_steps_above_and_no_run_stopped():
    calm = RoundResult(1, share_above_select=0.009)
    assert calm.meets(plan())
    assert not RoundResult(1, share_above_select=0.011).meets(plan())
    assert not RoundResult(1, share_above_select=0.0, stopped={"grade": 1}).meets(plan())
    assert RoundResult(1, share_above_select=0.0, stopped={"grade": 1}).meets(plan(criterion={"stopped": 1}))


def test_a_round_without_molecular_dynamics_meets_no_criterion():
    found = summarize_runs(1, RUNS[3:], select_above=5.0, stop_above=100.0)
    assert math.isnan(found.share_above_select) and not found.meets(plan())


def test_a_round_is_written_and_read_exactly(tmp_path):
    for runs in (RUNS, RUNS[3:]):
        found = summarize_runs(3, runs, select_above=5.0, stop_above=100.0)
        save_round(found, tmp_path / "round.json")
        again = load_round(tmp_path / "round.json")
        assert repr(again) == repr(found) and repr(round_row(again)) == repr(round_row(found))
    (tmp_path / "round.json").write_text("{}")
    with pytest.raises(ResultError, match="round of active learning"):
        load_round(tmp_path / "round.json")
