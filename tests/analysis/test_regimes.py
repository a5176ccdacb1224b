"""Regimes of temperature."""

from dataclasses import replace

import numpy as np
import pytest

from example import diffusion_history, example_history
from tammann.analysis import temperature_regimes
from tammann.errors import ResultError


def test_regimes(history):
    same = temperature_regimes(history, history, history)
    assert set(same.regime) == {"activation", "thermodynamics"}
    assert (same.distance_self == 0).all()
    assert not same.correlations_matter.any()
    # Cold, nothing has reacted; then the fast run is ahead; at the end both have reacted to the same mixture.
    fast = temperature_regimes(example_history(activity=1.0), example_history(activity=20.0))
    assert list(dict.fromkeys(fast.regime)) == ["activation", "diffusion", "thermodynamics"]
    assert fast.temperature_K.iloc[0] == history.temperature_K[0]
    assert fast.distance_self.isna().all()
    # A hold is one row: its last frame.
    assert (np.isclose(fast.temperature_K, 1500)).sum() == 1
    with pytest.raises(ResultError, match="different frames"):
        temperature_regimes(history, replace(history, programme_h=history.programme_h + 1))


@pytest.mark.slow
def test_reactive_diffusion_is_compared_with_equal_conductivities():
    full, equal = diffusion_history(realizations=1, cells=20), diffusion_history(realizations=1, cells=20, mode="equal")
    table = temperature_regimes(full, equal)
    assert table.regime.iloc[0] == "activation"
    assert (table.regime != "activation").any()
