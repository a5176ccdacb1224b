"""The folder of a plan."""

import pytest

from tammann.errors import ResultError
from tammann.workflows.melt import (
    run_melts,
)
from tammann.workflows.melt.folder import state_folder
from workflows.melt.toys import plan


def test_temperatures_that_are_near_each_other_have_folders_of_their_own(tmp_path):
    assert state_folder(tmp_path, "MgO", 4500.0) == tmp_path / "MgO" / "4500K"
    assert state_folder(tmp_path, "MgO", 1234.5678) != state_folder(tmp_path, "MgO", 1234.5712)


def test_foreign_folders_are_left_alone(installed, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ResultError, match="empty folder"):
        run_melts(plan(), tmp_path)
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "plan.json").write_text("{}")
    with pytest.raises(ResultError, match="plan of an earlier run"):
        run_melts(plan(), tmp_path / "o", resume=True)
