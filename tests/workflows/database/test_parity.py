"""Two databases held against each other."""

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.workflows.database.parity import compare_databases
from workflows.database.toys import made_up_store, state


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
    # both errors are a tenth of D
    assert found.states["ln_D_ratio_stderr"].tolist() == pytest.approx([np.hypot(0.1, 0.1)] * 9)
    with pytest.raises(DataError, match="both have"):
        compare_databases(one, made_up_store(tmp_path / "third", formulas={"NaLiS": ({"Na": 1, "Li": 1, "S": 1}, 0.1)}))


def test_states_that_do_not_diffuse_and_other_ions(tmp_path):
    one, other = made_up_store(tmp_path / "one"), made_up_store(tmp_path / "other")
    known = one.distribution("Li2O", 1500.0)
    other.keep(state(D=0.0, D_stderr_m2_per_s=None, diffusive=0), features={}, elements={}, distribution=known)
    states = compare_databases(one, other).states.set_index(["formula", "temperature_K"])
    assert np.isnan(states.loc[("Li2O", 1500.0), "ln_D_ratio"]) and np.isfinite(states["ln_D_ratio"]).sum() == 8
    assert states.loc[("Li2O", 1500.0), "D_m2_per_s"] > 0
    with other.connection(write=True) as connection:
        connection.execute("UPDATE states SET ion = 'O'")
    with pytest.raises(DataError, match="expected D of Li as in .*, got that of O"):
        compare_databases(one, other)


def test_differences_of_features_by_hand(tmp_path):
    one, other = made_up_store(tmp_path / "one"), made_up_store(tmp_path / "other")
    with other.connection(write=True) as connection:
        connection.execute("UPDATE features SET value = value + 2 WHERE name = 'LNC'")
    found = compare_databases(one, other).features.set_index("feature").loc["LNC"]
    known = one.table()["LNC"]
    assert found["mean_difference"] == pytest.approx(2.0) and found["rms_difference"] == pytest.approx(2.0)
    assert found["reference_spread"] == pytest.approx(known.std(ddof=0))
    assert found["r_squared"] == pytest.approx(1.0 - 4.0 / known.var(ddof=0))
