"""Permutation importance on compositions that a model has not seen."""

import pytest

from tammann.diffusivity.importance import permutation_importance

from .made_up_table import made_up_table


def test_importance_is_that_of_the_features_of_the_law():
    table = made_up_table(noise=0.05)
    found = permutation_importance(table, "symbolic", folds=4, repeats=2)
    assert set(found["feature"][:4]) == {"temperature_K", "LNC", "LLB", "PF"}
    assert found["importance"].iloc[-1] == pytest.approx(0.0, abs=0.02)
