"""Databases from the command line, without molecular dynamics."""

import json

import pytest

from cli.refusals import refused
from workflows.database.toys import made_up_store


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("one", 0), ("other", 9)):
        made_up_store(tmp_path / name, seed=seed)
        plan = {"compositions": ["Li2O"], "temperatures_K": [1500.0]}
        (tmp_path / name / "plan.json").write_text(json.dumps({"plan": plan}))
    return tmp_path


def test_a_folder_is_looked_at(here, call):
    done = call("database", "one", "--export", "table.csv")
    assert done.status == 0 and "Li2O" in done.out and "Ea eV" in done.out and "table.csv" in done.out
    found = json.loads(call("database", "one", "--json", "--plot", "elements.png").out)
    assert len(found["states"]) == 9 and len(found["activation"]) == 3
    assert call("database", "one", "--plot", "anions.png", "--by", "anion", "--quiet").status == 0
    assert (here / "elements.png").exists() and (here / "anions.png").exists()
    assert call("database", "one", "--export", "contributions.json", "--quiet").status == 0
    assert len(json.loads((here / "contributions.json").read_text())) == 3


@pytest.fixture
def handed_on(monkeypatch):
    """What the command hands on to the workflow, which has tests of its own."""
    from tammann.workflows import database

    seen = {}

    def run(plan, out, **options):
        seen.update(plan=plan, out=out, **options)
        return database.load_database("one")

    monkeypatch.setattr(database, "run_database", run)
    return seen


def test_a_plan_is_carried_out_in_its_folder(here, call, handed_on):
    (here / "small.yaml").write_text("compositions: [Li2O]\ntemperatures_K: [1500]\n")
    assert call("database", "small.yaml", "--workers", "2", "--resume", "--quiet").status == 0
    assert (handed_on["plan"].compositions, str(handed_on["out"])) == (("Li2O",), "small-database")
    assert (handed_on["workers"], handed_on["resume"]) == (2, True)


def test_a_folder_is_resumed_with_its_own_plan(here, call, handed_on):
    assert call("database", "one", "--resume", "--quiet").status == 0
    assert handed_on["plan"].temperatures_K == (1500.0,) and str(handed_on["out"]) == "one" and handed_on["resume"]


def test_a_reference_is_looked_for_before_the_dynamics(here, call, monkeypatch):
    from tammann.workflows import database

    monkeypatch.setattr(database, "run_database", lambda *_, **__: pytest.fail("nothing should have been run"))
    (here / "small.yaml").write_text("compositions: [Li2O]\ntemperatures_K: [1500]\n")
    assert "nowhere" in refused(call("database", "small.yaml", "--compare", "nowhere"))
    assert "--export" in refused(call("database", "small.yaml", "--export", "nowhere/x.csv"))


def test_parity(here, call):
    shown = call("database", "other", "--compare", "one").out
    assert "LASD (Å)" in shown and "0.00(14)" in shown  # D is the same, with errors of a tenth
    assert "R² of g(r)" in call("database", "other", "--compare", "one").out
    found = json.loads(call("database", "other", "--compare", "one", "--json").out)["parity"]
    assert len(found["states"]) == 9 and {one["feature"] for one in found["features"]} >= {"LNC", "PF"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("database", "nowhere.yaml"), "nowhere.yaml"),
        (("database", "one", "--export", "table.txt"), "--export: expected"),
        (("database", "."), "plan.json"),
        (("database", "odd"), "odd: expected a folder of tammann database, found no plan in its plan.json"),
        (("database", "nacl"), "nacl: expected a plan (.yaml) or a folder of tammann database, got neither"),
        (("database", "one", "--out", "other"), "--out: expected no folder beside one"),
        (("database", "one", "--compare", "nowhere"), "nowhere"),
        (("database", "bad.yaml"), "mobile ion Li"),
        (("database", "one", "--by", "colour"), "--by: expected element or anion, got 'colour'"),
    ],
)
def test_refused(here, call, words, sentence):
    (here / "bad.yaml").write_text("compositions: [Na2O]\n")
    (here / "odd").mkdir()
    (here / "odd" / "plan.json").write_text("{}")
    assert sentence in refused(call(*words))
