"""Small reports, whole: what is right passes, what is broken is caught, what is done is not done again."""

import json
import math
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from potentials.broken import copper, sound
from tammann.errors import ResultError
from tammann.potentials.dataset import DataSet, Frame, Label, write_dataset
from tammann.potentials.response import respond
from tammann.workflows.potential_report import PotentialReportPlan, run_potential_report

pytest.importorskip("packmol")  # melts begin with a packing
pytestmark = pytest.mark.slow

MELT = {"formula": "Cu", "atoms": 16, "volume_per_atom_A3": 11.0, "temperature_K": 800.0, "duration_ps": 0.8}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A crystal and labelled frames."""
    folder = tmp_path_factory.mktemp("files")
    write(folder / "copper.cif", bulk("Cu", a=3.4))
    frames = []
    for k in range(6):
        configuration = copper(seed=k)
        truth = respond(sound(), configuration)
        frames.append(Frame(configuration, truth.energy_eV, truth.forces_eV_per_A, truth.stress_eV_per_A3,
                            config_type=("melt", "crystal")[k % 2], label=Label("by hand")))  # fmt: skip
    write_dataset(folder / "labels.xyz", DataSet(tuple(frames)))
    return folder


def plan_of(files, *names, **more):
    given = {
        "potentials": [f"potentials.broken:{name}" for name in names],
        "dataset": [str(files / "labels.xyz")],
        "crystals": [{"crystal": str(files / "copper.cif")}],
        "drift": {"timesteps_fs": [4.0, 2.0], "duration_ps": 0.2, "temperature_K": 500.0},
        "melts": [MELT | {"settle_ps": 0.2}],
        "align_energies": "none",
    }
    return PotentialReportPlan(**given | more)


@pytest.fixture(scope="module")
def broken(files, tmp_path_factory):
    """One report of a sound potential and of two that are broken."""
    plan = plan_of(files, "sound", "collapsing", "swirling", reference="potentials.broken:sound")
    return run_potential_report(plan, tmp_path_factory.mktemp("reports") / "broken")


def test_the_sound_potential_passes_everything(broken):
    good = broken.potentials[0]
    assert good.failures == () and good.consistency.passed
    assert good.evaluation.errors()["force_rmse_eV_per_A"][0] < 1e-6
    assert good.drift.order == pytest.approx(2.0, abs=0.3)
    assert good.crystals["copper"].relaxed and good.survived_ps == pytest.approx(0.8)


def test_a_potential_that_collapses_is_caught(broken):
    bad = broken.potentials[1]
    run = bad.melts["Cu 800 K"]
    assert run.failure.kind == "collapse" and run.survived_ps < 0.8
    assert any("below 1 Å" in sentence for sentence in bad.failures)
    assert "crystal copper" in bad.refused


def test_a_potential_whose_forces_are_no_gradient_is_caught(broken):
    bad = broken.potentials[2]
    assert any(sentence.startswith("forces are minus the gradient") for sentence in bad.failures)
    assert bad.drift.order < 1.0


def test_the_table_has_all_of_them_side_by_side(broken):
    table = broken.table().set_index("potential")
    assert table["failed_runs"].tolist()[:2] == [0, 1]
    assert table["checks_passed"].iloc[0] == table["checks"].iloc[0] == 12
    assert table["force_rmse_eV_per_A"].iloc[0] < 1e-6 < table["force_rmse_eV_per_A"].iloc[1]
    assert (table["steps_per_s_100_atoms"] > 0).all() and table["highest_grade"].isna().all()
    assert broken.labels == ("by hand",) and (broken.folder / "table.csv").exists()


def test_the_page_is_whole_and_says_what_failed(broken):
    text = broken.page.read_text()
    for words in ("Side by side", "Errors on labelled frames", "Melts", "collapse", "potentials.broken:swirling",
                  "forces are minus the gradient", "labelled by by hand"):  # fmt: skip
        assert words in text, words
    assert text.count("<figure>") > 10 and "http" not in text.partition("<main>")[2]
    assert "plotly" not in text.partition("<main>")[0]


def test_a_high_grade_is_caught(files, tmp_path):
    plan = plan_of(files, "graded", crystals=(), drift=None, consistency=False, stop={"grade": 5.0}, dataset=())
    found = run_potential_report(plan, tmp_path / "graded").potentials[0]
    assert found.melts["Cu 800 K"].failure.kind == "grade"
    assert found.melts["Cu 800 K"].highest_grade > 5.0


def test_what_is_done_is_read_and_only_what_changed_is_done_again(files, tmp_path, monkeypatch):
    plan = plan_of(files, "sound", melts=())
    seen = []
    first = run_potential_report(plan, tmp_path / "a", progress=lambda f, what, _: seen.append((f, what)))
    assert seen[-1][0] <= 1.0 and {what.partition(": ")[2] for _, what in seen} == {
        "errors", "consistency", "drift", "crystal copper"
    }  # fmt: skip
    from tammann.workflows.potential_report import run

    def never(*_, **__):
        raise AssertionError("it was there already")

    for name in ("evaluate_potential", "check_consistency", "crystal_curve"):
        monkeypatch.setattr(run, name, never)
    changed = plan.model_copy(update={"drift": plan.drift.model_copy(update={"duration_ps": 0.1})})
    again = run_potential_report(changed, tmp_path / "a", resume=True)
    assert again.potentials[0].drift.duration_ps == 0.1
    assert again.table()["force_rmse_eV_per_A"][0] == pytest.approx(first.table()["force_rmse_eV_per_A"][0], abs=1e-6)
    assert json.loads((tmp_path / "a" / "plan.json").read_text())["plan"]["drift"]["duration_ps"] == 0.1


def test_folders_in_the_way_are_refused(files, tmp_path):
    plan = plan_of(files, "sound", melts=(), crystals=(), drift=None, dataset=())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(ResultError, match="is not empty"):
        run_potential_report(plan, tmp_path / "full")
    with pytest.raises(ResultError, match="found no plan.json"):
        run_potential_report(plan, tmp_path / "nothing", resume=True)
    run_potential_report(plan, tmp_path / "new")
    with pytest.raises(ResultError, match="resume it"):
        run_potential_report(plan, tmp_path / "new")
    assert math.isnan(run_potential_report(plan, tmp_path / "new", resume=True).potentials[0].survived_ps)
