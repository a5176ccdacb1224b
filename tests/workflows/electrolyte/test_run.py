"""A campaign of two small oxides, from the formula to the page; what is interrupted is gone on with."""

import shutil

import numpy as np
import pandas as pd
import pytest

from tammann.errors import DataError, RecipeError, ResultError
from tammann.files import write_text
from tammann.parallel import worker_pool
from tammann.structures import Configuration
from tammann.workflows.electrolyte import ElectrolytePlan, load_electrolytes, run_electrolytes
from workflows.electrolyte.oxides import write_plan

FCC = 4.63 / 2 * (np.ones((3, 3)) - np.eye(3))
LITHIA = Configuration(("Li", "Li", "O"), np.array([[0.25] * 3, [0.75] * 3, [0.0] * 3]) @ FCC, FCC)
"""The primitive cell of the host full of lithium, at a volume nearer to that of its lowest energy."""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign")
    told = []
    plan = ElectrolytePlan.from_file(write_plan(folder))
    result = run_electrolytes(plan, folder / "out", progress=lambda *news: told.append(news))
    return plan, result, told


def test_every_stage_leaves_its_files(done):
    plan, result, told = done
    out = result.out
    for name in ("orderings/NaLiO/orderings.json", "hull/hull.csv", "electrolytes.csv", "electrolytes.html"):
        assert (out / name).is_file()
    structure = result.structures[0]
    ways = out / "pathways" / structure / "2200K"
    for name in ("density-Li.cube", "CHGCAR-Li.vasp", "sites.csv", "rates.csv", "pathways.json"):
        assert (ways / name).is_file()
    assert len(result.structures) == 2 and set(result.conductions) == set(result.structures)
    fractions = [news[0] for news in told]
    assert fractions == sorted(fractions) and 0 <= fractions[0] and fractions[-1] <= 1.0


def test_the_table_says_what_is_known(done):
    _, result, _ = done
    table = result.table()
    assert table["composition"].tolist() == ["NaLiO", "lithia"] and (table["above_hull_eV_per_atom"] >= 0).all()
    assert pd.read_csv(result.out / "electrolytes.csv")["structure"].tolist() == list(result.structures)
    hull = result.hull.set_index("structure")
    # the six orderings of eight places, of which two are kept
    assert result.orderings["NaLiO"]["distinct"] == "6" and result.orderings["NaLiO"]["kept"] == 2
    own = hull[hull["formula"] == "NaLiO"]
    assert (
        own["selected"].sum() == 1
        and own.loc[own["selected"], "energy_eV_per_atom"].item() == own["energy_eV_per_atom"].min()
    )
    temperatures = result.temperatures()
    assert len(temperatures) == 4
    # the number of hops is that counted, and a picosecond has few
    assert any("few hops" in note for note in result.notes())
    # what is true of several is said once
    texts = [note.partition(": ")[2] for note in result.notes()]
    assert len(set(texts)) == len(texts)
    page = (result.out / "electrolytes.html").read_text()
    assert "Side by side" in page and "lithia" in page and "http://" not in page.replace("http://www.w3.org", "")


def test_sites_are_those_of_the_crystal(done):
    """Eight tetrahedral places in each cell, matched to the label of the CIF, with four oxide ions around each."""
    _, result, _ = done
    sites = pd.read_csv(result.out / "pathways" / "lithia-001" / "1800K" / "sites.csv")
    assert (sites["name"] == "T").sum() >= 8 and set(sites.loc[sites["name"] == "T", "polyhedron"]) == {"O4"}
    assert sites["occupancy"].sum() == pytest.approx(8.0, abs=0.05)


@pytest.mark.slow
def test_going_on_does_nothing_twice(done):
    plan, result, _ = done
    before = {f: f.stat().st_mtime_ns for f in result.out.rglob("*") if f.is_file() and f.parent != result.out}
    again = run_electrolytes(plan, result.out, resume=True)
    after = {f: f.stat().st_mtime_ns for f in result.out.rglob("*") if f.is_file() and f.parent != result.out}
    same = {f for f in before if before[f] == after.get(f)}
    assert {f for f in before if "hull" not in str(f)} <= same and set(after) == set(before)
    assert again.table().equals(result.table()) and load_electrolytes(result.out).table().equals(result.table())
    with pytest.raises(ResultError, match="not empty"):
        run_electrolytes(plan, result.out)
    other = ElectrolytePlan.from_file(write_plan(result.out.parent), replaced={"mobile": "Na", "compositions": [{}]})
    with pytest.raises(ResultError, match="mobile"):
        run_electrolytes(other, result.out, resume=True)


@pytest.mark.slow
def test_stages_one_by_one_and_what_is_missing(tmp_path):
    plan = ElectrolytePlan.from_file(write_plan(tmp_path))
    out = tmp_path / "out"
    with pytest.raises(DataError, match="run the stage orderings first"):
        run_electrolytes(plan, out, stages=["energies"])
    found = run_electrolytes(plan, out, stages=["orderings"], resume=True)
    assert len(found.orderings) == 2 and not found.structures and found.hull is None
    with pytest.raises(DataError, match="run the stage hull first"):
        run_electrolytes(plan, out, stages=["dynamics"], resume=True)
    with pytest.raises(DataError, match="run the stage hull first"):
        run_electrolytes(plan, out, stages=["conductivity"], resume=True)
    with pytest.raises(DataError, match="expected one of orderings"):
        run_electrolytes(plan, out, stages=["melting"], resume=True)
    assert len(run_electrolytes(plan, out, stages=["energies", "hull"], resume=True).structures) == 2
    with pytest.raises(DataError, match="run the stage dynamics first"):
        run_electrolytes(plan, out, stages=["pathways"], resume=True)


@pytest.mark.slow
def test_a_run_that_is_killed_loses_nothing_and_an_executor_changes_nothing(done, tmp_path):
    """Interrupted in its dynamics and gone on with in two processes: the same table as that of one go."""
    plan, result, _ = done

    def stop(fraction, what, temperature_K):
        if "2200 K" in what and "lithia" in what:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_electrolytes(plan, out, progress=stop)
    assert len(load_electrolytes(out).structures) == 2
    with worker_pool(2) as executor:
        again = run_electrolytes(plan, out, resume=True, executor=executor)
    numbers = again.table().select_dtypes("number")
    assert np.allclose(numbers, result.table().select_dtypes("number"), rtol=1e-6, equal_nan=True)


@pytest.mark.slow
def test_selection_of_more_structures(tmp_path):
    """The lowest of each composition and one more; a temperature is added to a folder that is there."""
    file = write_plan(tmp_path, selection="{structures: 3, degeneracy: true}", orderings="{keep: 3}")
    plan = ElectrolytePlan.from_file(file)
    found = run_electrolytes(plan, tmp_path / "out", stages=["orderings", "energies", "hull"])
    assert len(found.structures) == 3 and found.hull["selected"].sum() == 3
    assert sum(each.startswith("NaLiO") for each in found.structures) == 2
    more = ElectrolytePlan.from_file(file, replaced={"temperatures_K": [2500.0]})
    found = run_electrolytes(more, tmp_path / "out", stages=["hull"], resume=True)
    assert found.plan.temperatures_K == (1800.0, 2200.0, 2500.0)


def _hull(tmp_path, **replaced):
    plan = ElectrolytePlan.from_file(write_plan(tmp_path, **replaced))
    return run_electrolytes(plan, tmp_path / "out", stages=["orderings", "energies", "hull"])


@pytest.mark.slow
def test_the_hull_waits_for_energies(tmp_path):
    plan = ElectrolytePlan.from_file(write_plan(tmp_path))
    run_electrolytes(plan, tmp_path / "out", stages=["orderings"])
    with pytest.raises(DataError, match="NaLiO-001: expected its relaxed structure, .* run the stage energies first"):
        run_electrolytes(plan, tmp_path / "out", stages=["hull"], resume=True)


def test_every_composition_named_is_set_in_motion(tmp_path):
    """Two of one formula, and one with a reference of its formula that is lower: the lowest of each name is kept."""
    twice = "[{name: one, occupancies: {T: {Li: 1.0}}}, {name: two, occupancies: {T: {Li: 1.0}}}]"
    write_text(tmp_path / "lithia.extxyz", LITHIA.to_extxyz())
    found = _hull(tmp_path, compositions=twice, references="[lithia.extxyz]", relaxation="{steps: 1, rattle_A: 0}")
    assert found.structures == ("one-001", "two-001")
    table = found.hull.set_index("structure")
    assert table.loc["reference-lithia", "above_hull_eV_per_atom"] == 0.0
    assert table.loc["one-001", "decomposes_into"] == "Li2O" and not table.loc["reference-lithia", "selected"]
    # four formula units in the block, one in the reference: three atoms each
    size = (table["above_hull_eV_per_formula"] / table["above_hull_eV_per_atom"]).dropna()
    assert size.tolist() == pytest.approx([3.0, 3.0])
    # and one step is not enough
    (note,) = (note for note in found.notes() if "one-001" in note)
    assert note.startswith("one-001; two-001; reference-lithia: not converged, with a force above 0.02 eV/Å after 1 ")


@pytest.mark.slow
def test_energies_per_formula_are_of_one_size(tmp_path):
    """NaLiO has three atoms and Li2O has three, though Na3LiO2 of a reduced formula has six."""
    compositions = "[{occupancies: {T: {Li: 0.25, Na: 0.75}}}, {occupancies: {T: {Li: 1.0}}}]"
    found = _hull(tmp_path, compositions=compositions, relaxation="{steps: 5}")
    table = found.hull[found.hull["above_hull_eV_per_atom"] > 0]
    assert len(table) and (table["above_hull_eV_per_formula"] / table["above_hull_eV_per_atom"]).tolist() == (
        pytest.approx([3.0] * len(table))
    )
    assert set(found.hull["formula_unit"]) == {"Na1.5Li0.5O", "Li2O"}
    # a table written before there was the column is read as well
    file = found.out / "hull" / "hull.csv"
    pd.read_csv(file).drop(columns="formula_unit").to_csv(file, index=False)
    assert load_electrolytes(found.out).hull["formula_unit"].tolist() == found.hull["formula_unit"].tolist()


def test_a_folder_is_read_from_other_places(tmp_path, monkeypatch):
    """Names of files relative to where the run was started, also of a potential that is made later."""
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir(), away.mkdir()
    write_plan(home)
    write_text(home / "oxide.extxyz", LITHIA.to_extxyz())
    monkeypatch.chdir(home)
    keys = {"potential": "pedone-2006", "charges": {"Li": 1.0, "O": -2.0}, "dynamics_potential": "later.ace.npz"}
    plan = ElectrolytePlan(structures=["oxide.extxyz"], references=["BaO"], **keys)
    run_electrolytes(plan, "out", stages=["orderings"])
    monkeypatch.chdir(away)
    there = load_electrolytes(home / "out").plan
    assert there.structures == (str(home / "oxide.extxyz"),) and there.references == ("BaO",)
    assert there.dynamics_potential == str(home / "later.ace.npz")
    monkeypatch.chdir(home)
    assert run_electrolytes(plan, "out", stages=["orderings"], resume=True).plan == there


@pytest.mark.slow
def test_what_cannot_be_added_leaves_the_folder_as_it_was(tmp_path):
    plan = ElectrolytePlan.from_file(write_plan(tmp_path))
    run_electrolytes(plan, tmp_path / "out", stages=["orderings"])
    other = write_plan(
        tmp_path, compositions="[{name: lithia, occupancies: {T: {Li: 0.25, Na: 0.75}}}, {occupancies: {}}]"
    )
    with pytest.raises(RecipeError, match="compositions: expected each once, got lithia again"):
        run_electrolytes(ElectrolytePlan.from_file(other), tmp_path / "out", resume=True)
    assert load_electrolytes(tmp_path / "out").plan.names == plan.names


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("plan.json", "3", "expected the plan of electrolytes"),
        ("plan.json", '{"plan": 3}', "expected the plan of electrolytes"),
        ("hull/selected.json", "{}", "expected a record with selected"),
        ("hull/selected.json", '{"selected": ["gone-001"], "failures": {}}', "expected a row of gone-001"),
        ("hull/hull.csv", "", "expected a table of the hull"),
        ("hull/hull.csv", "a,b\\n1,2\\n", "expected a column structure"),
        ("orderings/lithia/orderings.json", "[]", "expected a record with structures"),
    ],
)
def test_a_folder_that_was_tampered_with_is_refused_in_one_sentence(tmp_path, tampered, file, text, said):
    plan, whole = tampered
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / file).write_text(text.replace("\\n", "\n"))
    with pytest.raises(ResultError, match=said):
        run_electrolytes(plan, out, stages=["orderings"], resume=True)


@pytest.fixture(scope="module")
def tampered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tampered")
    plan = ElectrolytePlan.from_file(write_plan(folder))
    run_electrolytes(plan, folder / "out", stages=["orderings", "energies", "hull"])
    return plan, folder / "out"


def test_what_was_set_in_motion_stays(tampered, tmp_path):
    """A structure that has runs keeps its row, also where another plan would not draw it."""
    plan, whole = tampered
    shutil.copytree(whole, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "hull" / "hull.csv")
    other = table.loc[~table["selected"], "structure"].iloc[0]
    (tmp_path / "out" / "dynamics" / other).mkdir(parents=True)
    found = run_electrolytes(plan, tmp_path / "out", stages=["hull"], resume=True)
    assert set(found.structures) == {other, *table.loc[table["selected"], "structure"]}


def test_the_key_that_differs_is_named(tampered):
    plan, out = tampered
    other = plan.model_copy(update={"orderings": plan.orderings.model_copy(update={"keep": 7})})
    with pytest.raises(ResultError, match="holds electrolytes with orderings.keep 2, not 7; name another"):
        run_electrolytes(other, out, resume=True)
