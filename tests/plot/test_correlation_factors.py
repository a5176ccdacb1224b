"""Correlation factors by composition."""

from types import SimpleNamespace

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.plot import (
    plot_correlation_factors,
)


def test_correlation_factors_by_hand():
    def entry(formula, T, diagonal):
        L = np.diag(diagonal) + 0.01
        np.fill_diagonal(L, diagonal)
        return SimpleNamespace(
            formula=formula, temperature_K=T, species=("Ba", "O", "Ti"), L=L, L_self=np.array([2.0, 4.0, 1.0])
        )

    table = SimpleNamespace(entries=(entry("BaTi2O5", 1500.0, [1, 2, 3]), entry("Ba2TiO4", 1500.0, [2, 4, 1])))
    ax = plot_correlation_factors(table)
    heights = np.array([bar.get_height() for bar in ax.patches]).reshape(3, 2)
    np.testing.assert_allclose(heights, [[0, -0.5], [0, -0.5], [0, 2]])  # Ba2TiO4 first
    with pytest.raises(DataError, match="temperature_K 900 is not in this transport table; choose one of 1500"):
        plot_correlation_factors(table, temperature_K=900)
