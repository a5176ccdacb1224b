"""Realizations by reactive diffusion, from a recipe to a folder of results."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

from histories import assert_same
from tammann.errors import RecipeError
from tammann.history import History
from tammann.recipe import Recipe
from tammann.workflows.diffusion_runs import diffusion_cost, powder_of
from tammann.workflows.furnace import prepare, run_recipe

SUMMARY = {  # at least
    "final_mole_fractions", "element_drift", "unreacted_fraction", "without_data_fraction", "gibbs_left_eV_per_atom",
    "bottleneck", "seed", "energies", "transport", "conductivity", "rate_factor", "engine", "version", "wall_s",
}  # fmt: skip


def recipe(*, realizations=2, **entries):
    plain = {
        "precursors": [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        "start_temperature_K": 1200,
        "programme": [{"temperature_K": 1300, "ramp_K_per_min": 60, "hold_h": 0.5}],
        "ensemble": {"realizations": realizations},
        "diffusion": {"cells": 20},
        "seed": 5,
    }
    return Recipe(**plain | entries)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_recipe(recipe(), tmp_path_factory.mktemp("run") / "out", threads=1)


def test_a_run_conserves_and_lowers_the_energy(run):
    for history in (run.history, run.null):
        assert history.lattice is None and history.realizations == 2
        assert history.element_drift.max() < 1e-12
        left = history.diffusion.gibbs_left_eV_per_atom
        # of the null it is measured in the central energies at each frame's temperature: it falls on the hold
        hold = history.temperature_K == 1300
        assert (np.diff(left[:, hold], axis=1) < 1e-9).all() and (left > -1e-9).all()


def test_the_summary_says_what_was_run(run):
    summary = run.summary
    assert summary.keys() >= SUMMARY and set(summary["baselines"]) == {"equilibrium", "equal_conductivities"}
    assert (summary["engine"], summary["conductivity"], summary["transport"]) == (
        "reactive-diffusion", "full", "karan-2026",
    )  # fmt: skip
    assert json.loads(json.dumps(summary)) == summary
    assert all(0 < stage["share"] <= 1 for stage in summary["bottleneck"])


def test_the_table_has_the_columns_of_every_engine(run):
    table = run.history.phase_fractions()
    assert {"time_h", "sweep", "programme_h", "temperature_K", "phase", "mole_fraction"} <= set(table.columns)
    assert table["sweep"].isna().all() and table["time_h"].isna().all()
    whole = table.groupby("programme_h")["mole_fraction"].sum()
    assert whole.to_numpy() == pytest.approx(np.ones(len(whole)), abs=0.05)


def test_realizations_differ_but_not_by_how_many_there_are_or_by_threads(run):
    assert not np.allclose(run.history.moles[0], run.history.moles[1])
    alone = run_recipe(recipe(realizations=1), null=False, threads=2).history
    names = [run.history.phases.index(name) for name in alone.phases]
    np.testing.assert_array_equal(run.history.moles[:1, :, names], alone.moles)
    assert_same(run_recipe(recipe(), null=False, threads=2).history, run.history)


@pytest.mark.slow
def test_a_run_is_resumed_and_opened(run, tmp_path):
    out = tmp_path / "cut"
    first = run_recipe(recipe(), out, threads=1)
    for name in ("summary.json", "history.npz", "checkpoints/run/realization-0001.npz"):
        (out / name).unlink()
    again = run_recipe(recipe(), out, threads=1, resume=True)
    assert_same(again.history, first.history)
    assert_same(run_recipe(recipe(), out, resume=True).history, first.history)
    assert (out / "layers.png").exists() and not (out / "rates.json").exists()
    assert pd.read_csv(out / "phase_fractions.csv").equals(pd.read_csv(out / "phase_fractions.csv"))
    assert_same(History.open(out / "history.npz"), first.history)


def test_perfect_mixing_of_one_size_is_one_particle_a_core():
    prepared = prepare(recipe(size_spread=0.0, mixing=0.0))
    assert "2 particles: about" in str(diffusion_cost(prepared, 2, 2, 1))
    assert "4 particles: about" in str(diffusion_cost(prepare(recipe()), 2, 0, 1))


def test_grains_on_a_grid_run_to_a_report(tmp_path):
    grains = recipe(diffusion={"geometry": "grains", "voxels": 16, "voxels_per_grain": 4}, realizations=1)
    run = run_recipe(grains, tmp_path / "out", threads=1)
    assert run.history.element_drift.max() < 1e-12 and run.history.diffusion.snapshots.shape[2:] == (16, 16)
    assert (tmp_path / "out" / "report.html").exists() and not (tmp_path / "out" / "layers.png").exists()
    with pytest.raises(RecipeError, match="no room for grains"):
        run_recipe(grains.with_options(diffusion={"geometry": "grains", "voxels": 8, "voxels_per_grain": 8}))


def test_a_cube_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr("tammann.workflows.diffusion_runs.machine_memory", lambda: 1e9)
    with pytest.raises(RecipeError, match=r"diffusion.voxels: this cube needs 13 GB, this machine has 1 GB"):
        run_recipe(recipe(diffusion={"geometry": "grains", "voxels": 512}))


def test_a_mixture_that_is_further_from_even_leaves_more_behind():
    """At 1:1 all that is not BaTiO3 at the end of a long hold is left where the local ratio is not 1:1."""
    long = {"programme": [{"temperature_K": 1500, "hold_h": 200}], "size_spread": 0.0, "ensemble": {"realizations": 1}}
    even, uneven = (run_recipe(recipe(mixing=m, **long), null=False).history.fractions()[0, -1] for m in (0.0, 0.1))
    assert even.max() > 0.999
    # a tenth more or less of one precursor around each core is left as the next phase of the system
    assert 0.80 < uneven.max() < 0.95


def test_products_wait_for_nuclei():
    """With an interface of 10 J/m2 no driving force of this system makes a nucleus, and nothing happens."""
    waits = recipe(diffusion={"cells": 20, "interface_energy_J_per_m2": 10.0}, realizations=1)
    fractions = run_recipe(waits, null=False).history.fractions()[0]
    np.testing.assert_allclose(fractions[-1], fractions[0], atol=1e-9)
    with pytest.raises(RecipeError, match="expected no interface_energy_J_per_m2 with geometry grains"):
        recipe(diffusion={"geometry": "grains", "interface_energy_J_per_m2": 1.0})


@pytest.mark.slow
def test_any_executor_gives_the_same(run):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert_same(run_recipe(recipe(), null=False, executor=pool).history, run.history)


@pytest.mark.parametrize("choice", [{"conductivity": "full"}, {"conductivity": "equal"}, {"transport": "none"}])
def test_nominal_conductivities_rest_on_one_observation(choice):
    """BaCO3 + TiO2 of 0.1 um in air is nearly pure, read as 90 mol%, after 100 min at 1300 K (Bondioli 1998)."""
    carbonate = Recipe(
        precursors=[{"phase": "BaCO3", "ratio": 1}, {"phase": "TiO2", "ratio": 1}],
        atmosphere="air",
        programme=[{"temperature_K": 1300, "hold_h": 100 / 60}],
        ensemble={"realizations": 1},
    ).with_options(**choice)
    history = run_recipe(carbonate, null=False).history
    assert history.fractions()[0, -1, history.phases.index("BaTiO3")] == pytest.approx(0.9, abs=0.03)


def test_a_fine_powder_coats_a_coarse_one():
    """Reaction waits for the coarse powder: as core it sets the pace, and it nearly always is the core."""
    coarse = [{"phase": "BaO", "ratio": 1, "particle_radius_um": 0.3}, {"phase": "TiO2", "ratio": 1}]
    prepared = prepare(recipe(precursors=coarse, size_spread=0.0, mixing=0.0))
    powder = powder_of(prepared, prepared.diffusion, rng=None)
    around = [content.sum() for content in powder.contents]
    # 27 times as many particles of nearly the same volume in all
    assert around[0] / sum(around) == pytest.approx(27 / (27 + 25.6 / 18.8), abs=0.02)
