"""Watched runs: what is collected, when they stop, and that watching changes nothing of the motion."""

import math
from itertools import pairwise

import numpy as np
import pytest
from ase.calculators.emt import EMT

from tammann.errors import DataError, ResultError
from tammann.md.conditions import Conditions
from tammann.md.integrators import advance
from tammann.md.state import ForceResult, initialize_state
from tammann.structures import Configuration
from tammann.structures.contacts import closest_contact
from tammann.workflows.active_learning.explore import Exploration, Watch, explore
from workflows.active_learning.toys import Collapsing, Graded, argon, teacher

COLD = Conditions(30.0, timestep_fs=5.0)


def watched(grade, **options):
    options = {"duration_ps": 0.5, "rng": 1, **options}
    return explore(argon(2), Graded(teacher(), grade), options.pop("conditions", COLD), **options)


def test_watching_changes_nothing_of_the_motion():
    start, calculator = argon(2), teacher()
    state = initialize_state(start, COLD, rng=1)

    def forces(states, stress):
        atoms = Configuration(start.symbols, states[0].positions_A, start.cell_A).to_ase()
        atoms.wrap()
        return [ForceResult(calculator.get_property("energy", atoms), calculator.get_property("forces", atoms), None)]

    for _ in advance(state, forces, 100, every=1000):
        pass
    seen = watched(lambda step, atoms: 200.0 if step == 100 else 1.0)
    assert np.abs(seen.configurations[-1].positions_A - state.positions_A).max() < 1e-9


def test_a_calm_run_collects_nothing_and_reaches_its_time():
    run = watched(lambda step, atoms: 1.0)
    assert (run.ended, len(run.configurations), run.duration_ps) == ("finished", 0, 0.5)
    assert len(run.grades) == 101  # step zero included
    assert run.largest_grade == 1.0


def test_configurations_above_the_threshold_are_collected_with_the_spacing_between_them():
    run = watched(lambda step, atoms: 10.0 + step, watch=Watch(5.0, 1000.0, spacing_fs=100.0))
    assert run.collected_grades == (10.0, 30.0, 50.0, 70.0, 90.0, 110.0)
    assert run.ended == "finished"


def test_the_run_stops_above_the_stop_and_keeps_that_configuration_where_it_has_no_other():
    run = watched(lambda step, atoms: 101.0 if step == 37 else 1.0)
    assert run.ended == "grade" and "37" in run.detail
    assert run.duration_ps == pytest.approx(37 * 0.005)
    assert run.collected_grades == (101.0,)
    run = watched(lambda step, atoms: 101.0 if step == 37 else 7.0 if step == 20 else 1.0)
    assert run.collected_grades == (7.0,)


def test_a_relaxation_into_the_unknown_gives_its_path():
    rng = np.random.default_rng(1)
    rattled = Configuration(argon(2).symbols, argon(2).positions_A + rng.normal(0, 0.3, (32, 3)), argon(2).cell_A)
    calculator = Graded(teacher(), lambda step, atoms: 4.0 + step)
    watch = Watch(select_above=5.0, stop_above=20.0)
    run = explore(rattled, calculator, COLD, duration_ps=1.0, relax_steps=31, watch=watch, rng=1)
    assert run.ended == "grade" and run.duration_ps == 0
    assert run.collected_grades == (14.0, 24.0, 34.0, 35.0)


def test_a_run_gives_no_more_than_it_may():
    run = watched(lambda step, atoms: 10.0, watch=Watch(spacing_fs=5.0, most=8))
    assert 4 <= len(run.configurations) <= 8
    apart = [np.abs(a.positions_A - b.positions_A).max() for a, b in pairwise(run.configurations)]
    assert min(apart) > 0


def test_a_collapsing_potential_is_caught_when_atoms_meet_without_a_word_from_the_grade():
    run = explore(argon(2), Collapsing(), Conditions(300.0, 2.0), duration_ps=50.0, rng=1)
    assert run.ended in ("contact", "lost", "hot")
    assert run.duration_ps < 5.0
    assert 1 <= len(run.configurations) <= 3
    assert min(closest_contact(each) for each in run.configurations) > 1.0


def test_atoms_within_one_angstrom_are_found_before_the_first_step():
    positions = argon(2).positions_A.copy()
    positions[1] = positions[0] + [0.9, 0, 0]
    near = Configuration(argon(2).symbols, positions, argon(2).cell_A)
    run = explore(near, Graded(teacher(), lambda step, atoms: 1.0), COLD, duration_ps=1.0, rng=1)
    assert run.ended == "contact" and "0.9 Å" in run.detail and len(run.grades) == 0


def test_two_atoms_shot_at_each_other_are_stopped_near_one_angstrom():
    """No force at all: the pair closes at a known speed, and is caught at the first step within 1 Å."""

    class Nothing(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            n = len(atoms)
            self.results = {"energy": 0.0, "forces": np.zeros((n, 3)), "stress": np.zeros(6), "extrapolation_grade": 1}

    pair = Configuration(("Ar", "Ar"), [[4, 5, 5], [7, 5, 5]], 10 * np.eye(3), [[5, 0, 0], [-5, 0, 0]])
    run = explore(pair, Nothing(), Conditions(3e4, 1.0, thermostat="none"), duration_ps=1.0)
    assert run.ended == "contact"
    assert run.duration_ps == pytest.approx(0.2, abs=0.0021)  # 2 Å at 10 Å/ps


def test_a_run_that_explodes_is_stopped():
    class Kicked(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            push = np.where(atoms.positions[:, :1] > atoms.positions[:, :1].mean(), 30.0, -30.0)
            self.results = {"energy": 0.0, "forces": push * np.ones(3), "stress": np.zeros(6), "extrapolation_grade": 1}

    run = explore(argon(2), Kicked(), Conditions(300.0, 2.0, thermostat="none"), duration_ps=10.0, rng=1)
    assert run.ended in ("hot", "lost") and run.duration_ps < 2.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_forces_that_are_not_finite_end_the_run(bad):
    class Broken(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            self.results = {"energy": 0.0, "forces": np.full((len(atoms), 3), bad), "stress": np.zeros(6)}

    run = explore(argon(2), Broken(), COLD, duration_ps=1.0, grade=lambda atoms: 1.0, rng=1)
    assert run.ended == "lost" and "not finite" in run.detail


def test_a_calculator_that_fails_ends_the_run_with_its_words():
    def grade(step, atoms):
        if step == 5:
            raise RuntimeError("no neighbours left")
        return 1.0

    run = watched(grade)
    assert run.ended == "failed" and "no neighbours left" in run.detail


def test_a_potential_without_grade_is_refused_unless_a_function_gives_one():
    with pytest.raises(DataError, match="extrapolation_grade"):
        explore(argon(2), teacher(), COLD, duration_ps=0.1, rng=1)
    run = explore(argon(2), teacher(), COLD, duration_ps=0.1, grade=lambda atoms: 7.0, rng=1)
    assert run.largest_grade == 7.0 and len(run.configurations) >= 1


def test_a_relaxation_is_watched_where_there_is_no_motion():
    rng = np.random.default_rng(1)
    rattled = Configuration(argon(2).symbols, argon(2).positions_A + rng.normal(0, 0.3, (32, 3)), argon(2).cell_A)
    calculator = Graded(teacher(), lambda step, atoms: 20.0 / (1 + step))
    run = explore(rattled, calculator, COLD, duration_ps=0.0, relax_steps=200, watch=Watch(spacing_fs=5.0))
    assert run.ended == "finished" and run.wanted_ps == 0
    assert run.collected_grades == (20.0, 10.0, 20 / 3)


def test_what_was_seen_is_written_and_read_exactly(tmp_path):
    run = watched(lambda step, atoms: 10.0 + step / 7, watch=Watch(spacing_fs=100.0))
    run.save(tmp_path / "a.npz")
    again = Exploration.load(tmp_path / "a.npz")
    assert repr(again) == repr(run) and again.collected_grades == run.collected_grades
    for a, b in zip(again.configurations, run.configurations, strict=True):
        assert np.array_equal(a.positions_A, b.positions_A) and a.symbols == b.symbols
    (tmp_path / "b.npz").write_bytes(b"no")
    with pytest.raises(ResultError, match="watched run"):
        Exploration.load(tmp_path / "b.npz")


def test_thresholds_in_the_wrong_order_are_refused():
    with pytest.raises(DataError, match="stop_above"):
        Watch(select_above=5.0, stop_above=2.0)
