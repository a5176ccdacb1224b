"""The folder of a run: what it is stamped with, and when it is refused."""

import pytest

from tammann.errors import ResultError
from tammann.recipe import Recipe
from tammann.workflows.run_folder import STAMP, check_folder, own_folder, stamp_of

PLAIN = Recipe(precursors=[{"phase": "BaO", "ratio": 1}], programme=[{"temperature_K": 900, "hold_h": 1}])


def test_a_stamp_tells_recipes_and_files_apart(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("formula\n")
    recipe = PLAIN.with_options(energies=str(own))
    before = stamp_of(recipe)
    own.write_text("formula,\n")
    after = stamp_of(recipe)
    assert before["recipe_sha256"] == after["recipe_sha256"] != stamp_of(PLAIN)["recipe_sha256"]
    assert before["energies_sha256"] != after["energies_sha256"]


def test_a_folder_belongs_to_one_recipe(tmp_path):
    folder = tmp_path / "run"
    with own_folder(folder, PLAIN, resume=False):
        assert (folder / STAMP).exists() and (folder / "recipe.yaml").exists()
    check_folder(folder, PLAIN, resume=True)
    with pytest.raises(ResultError, match=r"add --resume"):
        check_folder(folder, PLAIN, resume=False)
    with pytest.raises(ResultError, match=r"another recipe \(seed: 0 there, 1 here\)"):
        check_folder(folder, PLAIN.with_options(seed=1), resume=True)
