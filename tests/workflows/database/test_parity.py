"""Two databases held against each other."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.workflows.database.parity import compare_databases
from workflows.database.toys import made_up_store


def test_a_database_agrees_with_itself(tmp_path):
    one = made_up_store(tmp_path / "one")
    found = compare_databases(one, one)
    assert len(found.states) == 9 and found.states["rdf_r_squared"].tolist() == pytest.approx([1.0] * 9)
    assert found.states["ln_D_ratio"].abs().max() == 0.0
    assert (found.features["rms_difference"] == 0.0).all() and "R² of g(r) 1.000" in repr(found)


def test_differences_are_found(tmp_path):
    one, other = made_up_store(tmp_path / "one"), made_up_store(tmp_path / "other", seed=50, shift=np.log(2.0))
    found = compare_databases(one, other)
    assert found.states["ln_D_ratio"].tolist() == pytest.approx([np.log(2.0)] * 9)
    assert found.states["rdf_r_squared"].max() < 0.9
    with pytest.raises(DataError, match="both have"):
        compare_databases(one, made_up_store(tmp_path / "third", formulas={"NaLiS": ({"Na": 1, "Li": 1, "S": 1}, 0.1)}))
