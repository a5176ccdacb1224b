"""Regimes of temperature."""

from dataclasses import replace

import numpy as np
import pytest

from example import example_history
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
