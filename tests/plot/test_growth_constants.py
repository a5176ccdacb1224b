"""Growth constants by phase and temperature."""

import numpy as np
import pandas as pd
import pytest

from tammann.errors import DataError
from tammann.plot import (
    formula_label,
    plot_growth_constants,
)


def test_growth_constants_are_ordered_by_composition():
    rows = [(name, T, 1e-8 * T) for T in (1000.0, 1500.0) for name in ("BaTi2O5", "Ba2TiO4", "BaTiO3")]
    table = pd.DataFrame(rows, columns=["phase", "temperature_K", "K_D_m2_per_s"])
    table["K_D_low"], table["K_D_high"] = 0.9 * table.K_D_m2_per_s, 1.1 * table.K_D_m2_per_s
    ax = plot_growth_constants(table)
    assert [t.get_text() for t in ax.get_xticklabels()] == [formula_label(n) for n in ("Ba2TiO4", "BaTiO3", "BaTi2O5")]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1e-5)
    assert "m$^2$/s" in ax.get_ylabel()
    assert [text.get_text() for text in ax.texts] == ["1000 K", "1500 K"]
    with pytest.raises(DataError, match="above zero"):
        plot_growth_constants(table.assign(K_D_m2_per_s=0.0))


def test_bars_of_one_product_stand_side_by_side_and_a_caution_above():
    table = pd.DataFrame({"phase": ["BaTiO3"] * 3, "temperature_K": [1000.0, 1250.0, 1500.0]})
    table["K_D_m2_per_s"], table["K_D_low"], table["K_D_high"] = 2e-8, 1e-8, 9e-8
    ax = plot_growth_constants(table, note="only ratios")
    bars = np.concatenate([bar.get_segments() for bar in ax.collections])
    assert bars.shape == (3, 2, 2)
    np.testing.assert_allclose(bars[:, :, 1], [[1e-8, 9e-8]] * 3)
    assert np.diff(np.sort(bars[:, 0, 0])).min() > 0.05
    assert ax.get_title(loc="left") == "only ratios"
