"""Quenches as a workflow: plan, folder, resuming, and bad input."""

import pandas as pd
import pytest

from tammann.errors import RecipeError, ResultError
from tammann.workflows import quenching
from tammann.workflows.quenching import QuenchPlan, load_quenching, run_quenching

TINY = {
    "start": "copper.extxyz", "atoms": 32, "potential": "ase.calculators.emt:EMT", "engine": "ase",
    "rates_K_per_ps": [20000.0, 10000.0], "seeds": [1], "melt_ps": 0.1, "hold_K": 2000.0, "hold_ps": 0.1,
    "final_K": 500.0, "final_ps": 0.1,
}  # fmt: skip


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    from ase.build import bulk

    monkeypatch.chdir(tmp_path)
    bulk("Cu", cubic=True).write("copper.extxyz")
    return lambda **changes: QuenchPlan(**TINY | changes)


@pytest.mark.slow
def test_every_rate_gives_a_glass_with_its_history(tiny, tmp_path):
    told = []
    found = run_quenching(tiny(), "out", progress=lambda *news: told.append(news[0]))
    table = found.table()
    assert table.rate_K_per_ps.tolist() == [20000.0, 10000.0] and (table.atoms == 32).all()
    assert told == sorted(told) and told[-1] == pytest.approx(1.0)
    history = pd.read_csv(tmp_path / "out" / "10000-K-per-ps" / "seed-1" / "history.csv")
    before, after = history[history.stage == "hold"].iloc[-1], history[history.stage == "quench"].iloc[-1]
    assert (after.target_K - before.target_K) / (after.time_ps - before.time_ps) == pytest.approx(-10000, rel=1e-3)
    assert (tmp_path / "out" / "quenches.png").stat().st_size > 10_000
    assert pd.read_csv(tmp_path / "out" / "quenches.csv").shape == table.shape
    again = load_quenching("out")
    pd.testing.assert_frame_equal(again.table(), table)


@pytest.mark.slow
def test_a_killed_run_is_resumed_and_rates_are_added(tiny, monkeypatch):
    whole = run_quenching(tiny(), "whole")
    plain, calls = quenching.melt_quench, []

    def killed(*arguments, checkpoint, **options):
        def stop(state):
            checkpoint(state)
            calls.append(state.pieces_done)
            if len(calls) == 2:
                raise KeyboardInterrupt

        return plain(*arguments, checkpoint=stop, **options)

    monkeypatch.setattr(quenching, "melt_quench", killed)
    with pytest.raises(KeyboardInterrupt):
        run_quenching(tiny(rates_K_per_ps=[20000.0]), "parts")
    with pytest.raises(ResultError, match="resume"):
        run_quenching(tiny(), "parts")
    monkeypatch.setattr(quenching, "melt_quench", plain)
    run_quenching(tiny(rates_K_per_ps=[10000.0]), "parts", resume=True)
    found = run_quenching(tiny(), "parts", resume=True)
    pd.testing.assert_frame_equal(found.table(), whole.table())
    with pytest.raises(ResultError, match="hold_K 2000"):
        run_quenching(tiny(hold_K=1900.0), "parts", resume=True)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"start": "Unobtainium"}, "start|formula|element"),
        ({"rates_K_per_ps": []}, "rates_K_per_ps"),
        ({"rates_K_per_ps": [10.0, 10.0]}, "each number once"),
        ({"final_K": 3000.0}, "final_K: expected less than hold_K"),
        ({"potential": "pedone-2006", "engine": "torch-sim", "start": "BaO"}, "engine: expected"),
        ({"potential": "pedone-2006"}, "Cu"),
        ({"speed": 1}, "speed"),
    ],
)
def test_bad_plans_are_refused_in_one_sentence(tiny, changes, words):
    with pytest.raises(RecipeError, match=words):
        tiny(**changes)


def test_crystals_are_melted_by_any_potential(tiny):
    from tammann.structures.crystals import load_crystal

    plan = tiny(start="TiO2-rutile", potential="pedone-2006", atoms=100)
    assert set(plan.starting_configuration(1, None).symbols) == set(load_crystal("TiO2-rutile").symbols)


@pytest.mark.slow
def test_a_crystal_that_has_not_melted_is_said_to_be_one(tiny, tmp_path):
    cold = tiny(rates_K_per_ps=[20000.0], melt_K=320.0, hold_K=310.0, final_K=300.0, atoms=108)
    (row,) = run_quenching(cold, "cold").table().itertuples()
    assert row.crystalline and row.bragg_order > 0.5


def test_atoms_are_packed_at_random_though_a_crystal_has_the_name():
    plan = QuenchPlan(start="TiO2-rutile", potential="pedone-2006")
    assert not plan.is_random
    assert QuenchPlan(start="BaO", potential="pedone-2006", random_start=True).is_random
    assert QuenchPlan(start="TiO2", potential="pedone-2006").is_random
    assert not QuenchPlan(start="BaO", potential="pedone-2006").is_random


def test_a_folder_is_read_from_another_place(tiny, tmp_path, monkeypatch):
    run_quenching(tiny(rates_K_per_ps=[20000.0]), "out")
    monkeypatch.chdir("/")
    assert len(load_quenching(tmp_path / "out").quenches) == 1
