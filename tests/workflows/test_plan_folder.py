"""The plan in a folder: it grows where it may, and nothing that has been done can be altered."""

import pytest

from tammann.errors import ResultError
from tammann.files import read_json
from tammann.workflows.plan_folder import PLAN, keep_plan
from tammann.workflows.quenching import QuenchPlan


def keep(folder, **keys):
    plan = QuenchPlan(**{"start": "BaO", "rates_K_per_ps": [10.0]} | keys)
    keep_plan(plan, folder, holds="quenches", growing=("rates_K_per_ps", "seeds"), structure="start")
    return read_json(folder / PLAN)["plan"]


def test_lists_grow_and_keep_their_order(tmp_path):
    keep(tmp_path)
    assert keep(tmp_path, rates_K_per_ps=[100.0, 10.0], seeds=[2])["rates_K_per_ps"] == [10.0, 100.0]
    assert keep(tmp_path)["seeds"] == [1, 2]


def test_other_keys_must_stay(tmp_path):
    keep(tmp_path)
    with pytest.raises(ResultError, match="holds quenches with melt_K 3000.0, not 2900.0"):
        keep(tmp_path, melt_K=2900.0)
    assert read_json(tmp_path / PLAN)["plan"]["melt_K"] == 3000.0


def test_a_structure_of_the_same_name_is_another_one(tmp_path):
    file, folder = tmp_path / "start.xyz", tmp_path / "out"
    folder.mkdir()
    text = '2\nLattice="4 0 0 0 4 0 0 0 4"\nBa 0 0 0\nO 2 2 {}\n'
    file.write_text(text.format(2))
    keep(folder, start=str(file))
    keep(folder, start=str(file), seeds=[5])
    file.write_text(text.format(1.9))
    with pytest.raises(ResultError, match="another start of the same name"):
        keep(folder, start=str(file))


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ResultError, match="is not empty; it holds no quenches to resume"):
        keep(tmp_path)
    assert not (tmp_path / PLAN).exists()


def test_what_a_killed_process_left_is_no_hindrance(tmp_path):
    (tmp_path / f"{PLAN}.0123456789abcdef.partial").write_text("{")
    assert keep(tmp_path)["seeds"] == [1]
