"""From a recipe to a folder of results: ensemble, baselines, executors, and what is refused."""

import errno
import importlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from histories import assert_same
from tammann import files
from tammann.errors import DataError, RecipeError, ResultError
from tammann.history import History
from tammann.recipe import Recipe
from tammann.thermo import parse_formula
from tammann.workflows import furnace
from tammann.workflows.furnace import plain_equilibrium, prepare, run_recipe
from workflows.grids import recipe

SUMMARY = {  # at least
    "final_mole_fractions", "element_drift", "arrested", "unreacted_fraction", "fallback_share", "visits_per_second",
    "seed", "energies", "transport", "kinetics", "version", "wall_s",
}  # fmt: skip
COLUMNS = [
    "time_h", "sweep", "programme_h", "temperature_K", "phase", "mole_fraction", "mole_fraction_low",
    "mole_fraction_high", "mass_fraction", "volume_fraction",
]  # fmt: skip
CARBONATE = [{"phase": "BaCO3", "ratio": 1}, {"phase": "TiO2", "ratio": 1}]


@pytest.fixture(scope="module")
def known():
    return prepare(recipe())


@pytest.fixture(scope="module")
def serial(known):
    return run_recipe(known, threads=1)


# The ensemble and its baselines.


def test_a_run_has_what_it_says(serial):
    assert serial.history.realizations == 3
    assert serial.null.realizations == 3
    for history in (serial.history, serial.null):
        assert history.element_drift.max() < 1e-10
        assert history.moles[:, 0].sum(axis=1) == pytest.approx([2, 2, 2])
    assert run_recipe(serial.prepared, null=False, threads=1).null is None


def test_realizations_differ_but_not_by_how_many_there_are(serial):
    assert not np.array_equal(serial.history.extent[0], serial.history.extent[1])
    alone = run_recipe(recipe(realizations=1), threads=1, null=False).history
    names = [serial.history.phases.index(name) for name in alone.phases]
    np.testing.assert_array_equal(serial.history.moles[:1, :, names], alone.moles)


def test_only_the_first_realization_has_the_central_values(serial):
    still = run_recipe(recipe(ensemble={"realizations": 3, "energies": False}), threads=1, null=False).history
    names = [serial.history.phases.index(name) for name in still.phases]
    np.testing.assert_array_equal(serial.history.moles[:1, :, names], still.moles[:1])
    for k in (1, 2):
        assert not np.allclose(serial.history.moles[k][:, names], still.moles[k])


def test_the_null_is_of_pairs_that_make_one_solid(serial):
    null = serial.null
    assert np.all(null.reactants >= 0)
    assert np.all(null.products[:, 1] < 0)
    assert null.extent.sum() > 0
    assert not np.array_equal(null.moles[:, -1].sum(axis=1), serial.history.moles[:, -1].sum(axis=1))


def test_progress_rises_and_names_what_runs(known):
    told = []
    run_recipe(known, threads=1, progress=lambda *news: told.append(news))
    parts = [part for part, _, _ in told]
    assert parts == sorted(parts) and 0 <= parts[0] and parts[-1] == 1
    assert {text.split(",")[0] for _, text, _ in told} >= {"realization 1 of 3", "geometric null 3 of 3"}


# Plain equilibrium.


def test_equilibrium_keeps_the_composition(known):
    table = plain_equilibrium(known)
    assert list(table.columns) == ["temperature_K", "phase", "mole_fraction"]
    for _, group in table.groupby("temperature_K"):
        assert group["mole_fraction"].sum() == pytest.approx(1)
        assert (group["mole_fraction"] > 0).all()
        atoms = {"Ba": 0.0, "Ti": 0.0, "O": 0.0}
        for phase, share in zip(group["phase"], group["mole_fraction"], strict=True):
            for element, number in parse_formula(phase).items():
                atoms[element] += share * number
        assert atoms["Ba"] == pytest.approx(atoms["Ti"])
        assert atoms["O"] == pytest.approx(3 * atoms["Ti"])
    low, high = table["temperature_K"].min(), table["temperature_K"].max()
    assert low <= 1200 and high >= 1300


def test_equilibrium_of_one_to_one_is_the_titanate(known):
    table = plain_equilibrium(known)
    assert set(table["phase"]) == {"BaTiO3"}


@pytest.mark.parametrize(
    ("temperature_K", "phases"), [(600, {"BaCO3", "TiO2"}), (1500, {"BaTiO3"})], ids=["cold", "hot"]
)
def test_equilibrium_of_carbonate_turns_with_temperature(temperature_K, phases):
    """BaCO3 + TiO2 -> BaTiO3 + CO2 turns near 557 K at 1 bar by 66.46 - 0.11929 T kJ/mol: only above is it open."""
    programme = [{"temperature_K": temperature_K, "hold_h": 0.01}]
    hot = recipe(
        precursors=CARBONATE, atmosphere={"partial_pressure_Pa": {"CO2": 1e8 if temperature_K < 1000 else 1e5}},
        start_temperature_K=temperature_K, programme=programme, energies="experiment-anchored", realizations=1,
    )  # fmt: skip
    assert set(plain_equilibrium(prepare(hot))["phase"]) == phases


# Any executor.


def test_executor_of_threads(known, serial):
    with ThreadPoolExecutor(2) as pool:
        run = run_recipe(known, executor=pool)
    assert_same(run.history, serial.history)
    assert_same(run.null, serial.null)


@pytest.mark.slow
def test_executor_of_processes(known, serial, tmp_path):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        run = run_recipe(known, tmp_path / "out", executor=pool)
    assert_same(run.history, serial.history)
    assert_same(run.null, serial.null)
    assert len(list((tmp_path / "out" / "checkpoints").glob("run/realization-*.npz"))) == 3
    assert len(list((tmp_path / "out" / "checkpoints").glob("null/realization-*.npz"))) == 3


@pytest.mark.slow
def test_own_processes(known, serial):
    told = []
    run = run_recipe(known, threads=2, progress=lambda *news: told.append(news))
    assert_same(run.history, serial.history)
    assert_same(run.null, serial.null)
    assert told[-1][0] == 1.0


@pytest.mark.slow
def test_executor_of_dask(known, serial):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        run = run_recipe(known, executor=client.get_executor())
    assert_same(run.history, serial.history)
    assert_same(run.null, serial.null)


def test_threads_of_the_kernel_change_nothing():
    short = recipe(size=64, realizations=1, programme=[{"temperature_K": 1200, "hold_h": 0.01}])
    known = prepare(short)
    one, two = (run_recipe(known, threads=threads, null=False).history for threads in (1, 2))
    assert_same(one, two)
    assert one.extent.sum() > 0


def test_an_error_in_a_worker_reaches_the_caller(known, monkeypatch):
    def stumble(*_, **__):
        raise DataError("melting points: expected a number, got none; give one")

    monkeypatch.setattr(furnace, "realize_automaton", stumble)
    with ThreadPoolExecutor(2) as pool, pytest.raises(DataError, match="melting points"):
        run_recipe(known, executor=pool)


# Summary and folder.


def test_summary(serial):
    summary = serial.summary
    assert set(summary) >= SUMMARY
    assert sum(summary["final_mole_fractions"].values()) == pytest.approx(1, abs=0.05)
    assert summary["element_drift"] < 1e-10
    assert summary["arrested"] in (True, False)
    for share in ("unreacted_fraction", "fallback_share", "saturated_fraction", "arrested_share"):
        assert 0 <= summary[share] <= 1
    assert (summary["seed"], summary["energies"], summary["kinetics"]) == (5, "assessed", "full")
    assert set(summary["baselines"]) == {"equilibrium", "geometric_null"}
    assert json.loads(json.dumps(summary)) == summary


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "out"
    summary = run_recipe(recipe(realizations=2), folder, threads=1).summary
    return folder, summary


@pytest.fixture
def done(finished, tmp_path):
    """A copy of a finished run that a test may spoil."""
    return shutil.copytree(finished[0], tmp_path / "out")


def test_folder_holds_the_results(finished):
    folder, summary = finished
    assert set(summary) >= SUMMARY
    assert json.loads((folder / "summary.json").read_text()) == summary
    for name in ("phase_fractions.csv", "report.html", "phases.png", "recipe.yaml", "rates.json", "history.npz"):
        assert (folder / name).stat().st_size > 0
    assert Recipe.from_file(folder / "recipe.yaml") == recipe(realizations=2)
    assert not [path for path in folder.rglob("*") if path.suffix in {".partial", ".part", ".progress"}]


def test_table_of_phase_fractions(finished):
    folder, summary = finished
    table = pd.read_csv(folder / "phase_fractions.csv")
    assert list(table.columns) == COLUMNS
    assert table["time_h"].isna().all()
    history = History.open(folder / "history.npz")
    assert len(table) == history.lattice.sweep.size * len(history.phases)
    assert (table["mole_fraction_low"] <= table["mole_fraction"] + 1e-9).all()
    assert (table["mole_fraction"] <= table["mole_fraction_high"] + 1e-9).all()
    last = table[table["sweep"] == table["sweep"].max()].set_index("phase")["mole_fraction"]
    for phase, share in summary["final_mole_fractions"].items():
        assert last[phase] == pytest.approx(share, rel=1e-7)


def test_one_realization_has_no_band_and_a_calibrated_one_has_hours(tmp_path):
    dated = recipe(realizations=1, calibration={"hours_per_sweep": 0.01, "observation": "made up"})
    run_recipe(dated, tmp_path / "out", threads=1)
    table = pd.read_csv(tmp_path / "out" / "phase_fractions.csv")
    assert (table["mole_fraction_low"] == table["mole_fraction"]).all()
    assert (table["mole_fraction_high"] == table["mole_fraction"]).all()
    np.testing.assert_allclose(table["time_h"], 0.01 * table["sweep"], rtol=1e-7)
    for basis in ("mole", "mass", "volume"):
        np.testing.assert_allclose(table.groupby("sweep")[f"{basis}_fraction"].sum(), 1)


def test_same_recipe_same_bytes(finished, tmp_path):
    run_recipe(recipe(realizations=2), tmp_path / "again", threads=1)
    for name in ("phase_fractions.csv", "equilibrium.csv", "rates.json", "recipe.yaml"):
        assert (tmp_path / "again" / name).read_bytes() == (finished[0] / name).read_bytes()


def test_resume_where_there_is_nothing_starts(finished, tmp_path):
    for folder in (tmp_path / "new", tmp_path / "empty"):
        if folder.name == "empty":
            folder.mkdir()
        run_recipe(recipe(realizations=2), folder, threads=1, resume=True)
        name = "phase_fractions.csv"
        assert (folder / name).read_bytes() == (finished[0] / name).read_bytes()


def test_resume_of_a_finished_run_returns_at_once(done, finished, monkeypatch):
    monkeypatch.setattr(furnace, "run_tasks", lambda *_, **__: pytest.fail("it was run again"))
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*")}
    assert run_recipe(recipe(realizations=2), done, resume=True).summary == finished[1]
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*")} == before


@pytest.mark.parametrize("lost", ["summary.json", "phase_fractions.csv", "report.html"])
def test_a_lost_result_is_made_again_from_the_checkpoints(done, finished, monkeypatch, lost):
    engine = importlib.import_module("tammann.automaton.engine")
    monkeypatch.setattr(engine, "_Run", lambda *_: pytest.fail("it was run again"))
    (done / lost).unlink()
    again = run_recipe(recipe(realizations=2), done, threads=1, resume=True).summary
    assert again["final_mole_fractions"] == finished[1]["final_mole_fractions"]
    assert (done / lost).exists()
    name = "phase_fractions.csv"
    assert (done / name).read_bytes() == (finished[0] / name).read_bytes()


def test_what_a_killed_process_had_begun_to_write_goes_in_the_end(done):
    (done / "summary.json").unlink()
    begun = [done / "report.html.999999.partial", done / "checkpoints/run/realization-0000.state.npz.999999.partial"]
    for path in begun:
        path.write_text("half of it")
    run_recipe(recipe(realizations=2), done, threads=1, resume=True)
    assert not any(path.exists() for path in begun)


def test_a_folder_that_is_not_empty_is_refused(done, tmp_path):
    with pytest.raises(ResultError, match="is not empty; .*--resume"):
        run_recipe(recipe(), done)
    (tmp_path / "file").write_text("")
    for resume in (False, True):
        with pytest.raises(ResultError, match="is a file"):
            run_recipe(recipe(), tmp_path / "file", resume=resume)
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.tex").write_text("")
    with pytest.raises(ResultError, match="is not empty"):
        run_recipe(recipe(), stranger)
    assert [path.name for path in stranger.iterdir()] == ["thesis.tex"]


def test_resume_in_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ResultError, match="is not empty; it holds no run to resume"):
        run_recipe(recipe(), tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.skipif(os.name != "posix", reason="locks of posix")
def test_a_folder_in_use_is_locked(done):
    (done / "summary.json").unlink()
    with files.lock_folder(done), pytest.raises(ResultError, match="is in use by another run; wait for it or stop it"):
        run_recipe(recipe(realizations=2), done, resume=True)
    run_recipe(recipe(realizations=2), done, threads=1, resume=True)
    assert not (done / "lock").exists()


HOLD = """
import sys, time
from tammann.recipe import Recipe
from tammann.workflows.furnace import run_recipe

def hold(*_):
    print("running", flush=True)
    time.sleep(600)

run_recipe(Recipe.from_text(sys.argv[1]), sys.argv[2], threads=1, progress=hold)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="locks of posix")
def test_a_second_process_touches_nothing_of_a_run(tmp_path):
    def state():
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")}

    command = [sys.executable, "-c", HOLD, recipe().to_yaml(), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout.readline() == "running\n"
            before = state()
            assert tmp_path / "out" / "recipe.yaml" in before
            with pytest.raises(ResultError, match="is in use by another run"):
                run_recipe(recipe(), tmp_path / "out", resume=True)
            assert state() == before
        finally:
            first.kill()
    assert run_recipe(recipe(), tmp_path / "out", resume=True, threads=1).history.realizations == 3


@pytest.mark.skipif(os.name != "posix", reason="locks of posix")
@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_has_only_locked_its_folder_keeps_it(resume, tmp_path):
    with files.lock_folder(tmp_path), pytest.raises(ResultError, match="is in use by another run"):
        run_recipe(recipe(), tmp_path, resume=resume)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lost", [None, "summary.json"])
def test_a_null_that_is_there_stays_part_of_the_run(done, lost):
    """Asked for again without it, a run is what its folder holds: history, summary and report belong together."""
    summary = json.loads((done / "summary.json").read_text())
    if lost:
        (done / lost).unlink()
    run = run_recipe(recipe(realizations=2), done, null=False, resume=True, threads=1)
    assert run.null.realizations == 2
    assert run.summary["baselines"] == summary["baselines"] and "geometric_null" in summary["baselines"]
    assert json.loads((done / "summary.json").read_text()) == run.summary


@pytest.mark.slow
def test_a_path_and_a_prepared_recipe_give_the_same(known, serial, tmp_path):
    (tmp_path / "recipe.yaml").write_text(known.recipe.to_yaml())
    run = run_recipe(tmp_path / "recipe.yaml", tmp_path / "out", null=False)
    assert_same(run.history, serial.history)
    assert run.null is None and not (tmp_path / "out" / "null.npz").exists()
    assert run_recipe(known, tmp_path / "out", null=False, resume=True).summary == run.summary
    assert run_recipe(known, tmp_path / "out", resume=True).null.realizations == 3  # asked for later


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"precursors": [{"phase": "BaO", "ratio": 1}, {"phase": "TiO2", "ratio": 1e-6}]}, "less than one cell"),
        ({"size": 900}, "this machine has"),
    ],
)
def test_what_cannot_be_run_leaves_no_folder(bad, message, tmp_path, monkeypatch):
    monkeypatch.setattr("tammann.automaton.cost.machine_memory", lambda: 1e9)
    with pytest.raises(RecipeError, match=message):
        run_recipe(recipe(**bad), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_no_folder(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        run_recipe(recipe(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_cost_is_known_beforehand(known, serial):
    cost = furnace.run_cost(known, threads=2)
    assert (cost.runs, cost.runs_at_once, cost.kernel_threads) == (6, 2, 1)
    assert serial.history.lattice.visits[0] <= cost.visits  # that with the central rates
    assert furnace.run_cost(known, null=False).runs == 3


def test_what_a_notebook_shows_is_short(known, serial):
    assert len(repr(known)) < 200 and len(repr(serial)) < 200 and "BaTiO3" in repr(serial)
    assert serial._repr_html_().count("<tr") <= 13
    assert set(serial.table().columns) >= {"phase", "median", "null", "equilibrium", "differs"}


def test_resume_of_another_run_is_refused(done):
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*")}
    for other in (recipe(realizations=2, seed=6), recipe(realizations=3), recipe(realizations=2, size=9)):
        with pytest.raises(ResultError, match="another recipe"):
            run_recipe(other, done, resume=True)
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*")} == before
    with pytest.raises(ResultError, match=r"another recipe \(ensemble.realizations: 2 there, 3 here\); name"):
        run_recipe(recipe(realizations=3), done, resume=True)
    stamp = done / "checkpoints" / "run.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"version": "0.0.0"}))
    with pytest.raises(ResultError, match="another version"):
        run_recipe(recipe(realizations=2), done, resume=True)


@pytest.mark.parametrize("text", ["", '{"version": "0', "[1]", "null"])
def test_a_spoilt_stamp_is_refused(done, text):
    (done / "checkpoints" / "run.json").write_text(text)
    with pytest.raises(ResultError):
        run_recipe(recipe(realizations=2), done, resume=True)


@pytest.mark.parametrize("text", ["", '{"version": "0', "null"])
def test_a_spoilt_summary_is_refused(done, text):
    (done / "summary.json").write_text(text)
    with pytest.raises(ResultError, match="summary"):
        run_recipe(recipe(realizations=2), done, resume=True)


def test_a_spoilt_realization_is_refused(done):
    path = done / "checkpoints" / "run" / "realization-0001.npz"
    path.write_bytes(path.read_bytes()[:200])
    (done / "summary.json").unlink()
    with pytest.raises(ResultError, match="realization-0001.npz is not a whole history"):
        run_recipe(recipe(realizations=2), done, threads=1, resume=True)


@pytest.mark.slow
def test_a_disk_that_fills_up_at_any_file(finished, monkeypatch, tmp_path):
    """Whichever file it is: no summary, nothing half-written, and with room again the run ends as it should."""
    out, limit = tmp_path / "out", 0
    replace = os.replace
    failures = 0
    while True:
        left = limit

        def scarce(source, target):
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
            replace(source, target)

        monkeypatch.setattr(files.os, "replace", scarce)
        try:
            run_recipe(recipe(realizations=2), out, threads=1, resume=True)
            break
        except OSError as error:
            assert error.errno == errno.ENOSPC
            failures += 1
            assert not (out / "summary.json").exists()
            assert not [path for path in out.rglob("*") if ".part" in path.name]
        limit += 3
        assert limit < 60
    assert failures > 2
    name = "phase_fractions.csv"
    assert (out / name).read_bytes() == (finished[0] / name).read_bytes()


def test_unknown_phases_are_refused_before_anything_is_written(tmp_path):
    for bad, match in [
        ([{"phase": "SrO", "ratio": 1}], "precursors.*Sr"),
        ([{"phase": "Ba7TiO9", "ratio": 1}], r"precursors\[0\].phase.*Ba7TiO9"),
        ([{"phase": "TiO2", "ratio": 1}, {"phase": "CO2", "ratio": 1}], "CO2"),
    ]:
        with pytest.raises((RecipeError, DataError), match=match) as refusal:
            run_recipe(recipe(precursors=bad, transport="none"), tmp_path / "out")
        assert "\n" not in str(refusal.value)
        assert not (tmp_path / "out").exists()
    with pytest.raises(RecipeError, match="energies"):
        run_recipe(recipe(energies="guessed"), tmp_path / "out")
    with pytest.raises((RecipeError, DataError), match="BaCO3"):
        run_recipe(recipe(precursors=CARBONATE, energies="materials-project"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
