"""Plans that are refused in one sentence, and names of files beside a plan."""

import pytest

from tammann.errors import DataError
from tammann.workflows.potential_report.plan import PotentialReportPlan, folder_name, short_name


@pytest.mark.parametrize(
    "text, words",
    [
        ("melts: []", "potentials: expected a list of potentials"),
        ("potentials: [a, a]", "expected each name once, got a again"),
        ("potentials: [x/a.ace.npz, y/a.ace.npz]", "got a.ace.npz again"),
        ("potentials: [a]\nmelts: [{formula: BaTiO3, atoms: 2}]", "atoms: expected a number from 8 to 10000"),
        ("potentials: [a]\ncrystals: [{crystal: BaO, phonons: [2, 2]}]", "phonons: expected three repeats"),
        ("potentials: [a]\ndrift: {timesteps_fs: [1.0]}", "timesteps_fs: expected two to six time steps"),
        ("potentials: [a]\nalign_energies: all", "align_energies: expected none, constant or elements"),
        ("potentials: [a]\nstability: true", "did you mean|expected no such key"),
    ],
)
def test_one_sentence_each(text, words):
    with pytest.raises(DataError, match=words) as caught:
        PotentialReportPlan.from_text(text)
    assert "\n" not in str(caught.value)


def test_files_beside_the_plan_are_found(tmp_path):
    for name in ("mine.ace.npz", "labels.xyz", "my.cif"):
        (tmp_path / name).touch()
    (tmp_path / "plan.yaml").write_text(
        "potentials: [mine.ace.npz, pedone-2006]\nreference: chgnet\ndataset: [labels.xyz]\n"
        "crystals: [{crystal: my.cif}, {crystal: BaO}]\n"
    )
    plan = PotentialReportPlan.from_file(tmp_path / "plan.yaml")
    assert plan.potentials == (str(tmp_path / "mine.ace.npz"), "pedone-2006") and plan.reference == "chgnet"
    assert plan.dataset == (str(tmp_path / "labels.xyz"),)
    assert [task.name for task in plan.crystals] == ["my", "BaO"]
    assert PotentialReportPlan(**plan.model_dump(mode="json")) == plan


def test_names():
    assert short_name("a/b/c.model") == "c.model"
    assert folder_name("BaTiO3 2000 K") == "BaTiO3-2000-K"
