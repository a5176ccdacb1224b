"""Potentials with a known flaw fail under watch, each in its own way, and sound ones do not."""

import math

import numpy as np
import pytest

from potentials.broken import copper, droplet
from tammann.errors import DataError, ResultError
from tammann.md.conditions import Conditions
from tammann.md.watched import Limits, watched_run
from tammann.potentials import imported_potential


def run(name, start=None, T=800.0, ps=1.0, **options):
    potential = imported_potential(f"potentials.broken:{name}")
    conditions = options.pop("conditions", Conditions(T, 2.0, "langevin", 100.0))
    return watched_run(start or copper(), potential, conditions, duration_ps=ps, rng=3, **options)


def test_a_sound_potential_survives():
    found = run("sound")
    assert found.failure is None and found.survived_ps == pytest.approx(1.0)
    assert len(found.series) == 101 and found.series["grade"].isna().all()
    assert found.trajectory.n_frames == 21 and found.trajectory.frame_interval_ps == pytest.approx(0.05)
    assert found.series["closest_A"].min() > 1.9 and found.steps_per_s > 0
    assert "stable" in repr(found)


def test_collapse_is_caught():
    found = run("collapsing", ps=5.0)
    assert found.failure.kind == "collapse"
    assert found.survived_ps < 2.0 and found.series["closest_A"].iloc[-1] < 1.0
    assert "Å apart after" in found.failure.sentence


def test_lost_atoms_are_caught():
    found = run("repelling", start=droplet(), limits=Limits(hottest=100.0), ps=5.0)
    assert found.failure.kind == "lost atom"
    assert found.series["loneliest_A"].iloc[-1] > 5.0


def test_explosions_are_caught():
    found = run("sound", conditions=Conditions(800.0, 90.0, "none"), ps=9.0, watch_fs=90.0, frame_fs=90.0)
    assert found.failure.kind == "explosion"


def test_a_high_grade_is_caught_at_the_step_where_it_is_high():
    found = run("graded", limits=Limits(grade=10.0), ps=5.0)
    assert found.failure.kind == "grade" and "above 10" in found.failure.sentence
    assert found.series["grade"].iloc[-1] > 10.0
    assert (found.series["grade"].iloc[:-1] <= 10.0).all()
    assert run("graded", limits=Limits(grade=None), ps=0.2).failure is None


def test_a_calculator_that_gives_up_is_a_failure_and_no_error():
    found = run("sound", start=None, ps=0.1)
    assert found.failure is None
    broken = watched_run(
        copper(), imported_potential("potentials.broken:tired"), Conditions(300.0), duration_ps=0.1, rng=1
    )
    assert broken.failure.kind == "calculator" and "out of memory" in broken.failure.sentence


def test_a_run_that_was_killed_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch):
    from tammann.md import watched

    monkeypatch.setattr(watched, "SAVE_SECONDS", 0.0)
    whole = run("sound", ps=0.4)

    class Killed(Exception):
        pass

    def kill(fraction):
        if fraction > 0.5:
            raise Killed

    with pytest.raises(Killed):
        run("sound", ps=0.4, folder=tmp_path / "run", progress=kill)
    resumed = run("sound", ps=0.4, folder=tmp_path / "run")
    np.testing.assert_allclose(resumed.series["energy_eV_per_atom"], whole.series["energy_eV_per_atom"], rtol=1e-9)
    np.testing.assert_allclose(resumed.trajectory.positions, whole.trajectory.positions, atol=1e-5)
    longer = run("sound", ps=0.6, folder=tmp_path / "run")
    assert longer.survived_ps == pytest.approx(0.6) and len(longer.series) == 61
    with pytest.raises(ResultError, match="another potential, conditions or limits"):
        run("sound", ps=0.4, T=900.0, folder=tmp_path / "run")


def test_times_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="multiple of watch_fs"):
        run("sound", watch_fs=10.0, frame_fs=25.0)
    with pytest.raises(DataError, match="at least 10 fs"):
        run("sound", ps=0.001)


def test_the_clock_of_looks_is_that_of_the_run():
    found = run("sound", ps=0.1, watch_fs=20.0, frame_fs=20.0)
    assert found.series["time_ps"].tolist() == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08, 0.1])
    assert math.isclose(found.trajectory.duration_ps, 0.1)
